//===- SimulatorPrepare.cpp - what is computed once per program -------------===//
#include "SimulatorImpl.h"

#include <algorithm>
#include <cinttypes>
#include <cmath>

namespace un0::dsa {

static constexpr size_t roundToLine(size_t floats) { return (floats + 15) / 16 * 16; }

bool MatrixLayout::cells(size_t &count) const {
  const size_t step = perLane ? 4 : panel;
  return !__builtin_mul_overflow((rows + step - 1) / step * step, columns, &count) &&
         count <= SIZE_MAX / 1024;
}

/// Largest root of the sum of squares of a row of couplings, radians per second.
static double rowNorm(const Data &data) {
  double most = 0;
  for (uint64_t row = 0; row < data.size(); row += data.columns) {
    double sum = 0;
    for (uint64_t i = row; i < row + data.columns; ++i) {
      const double value = data.unit != 0 ? data.levels[i] * data.unit : double(data.exact[i]);
      sum += value * value;
    }
    most = std::max(most, sum);
  }
  return std::sqrt(most);
}

/// How large every tile is and what its couplings need. Hardware may have tiles of any size, and
/// larger ones than a program uses; oscillators that it never names are off.
void SimulatorPlan::measureTiles() {
  const std::vector<Instruction> &code = program->code;
  uint32_t count = 0;
  for (const Instruction &i : code)
    count = std::max(count, 1u + (i.opcode == Opcode::Link ? std::max<uint32_t>(i.tile, i.b)
                                                           : uint32_t(i.tile)));
  tiles = std::vector<TilePlan>(count);
  const auto banks = static_cast<uint32_t>(program->hardware.get("coupling_banks"));
  for (TilePlan &plan : tiles) {
    plan.banks = std::clamp(banks, 1u, 2u);
    plan.couplings.panel = plan.link.panel = kernels->panel;
  }
  for (const Instruction &i : code) {
    TilePlan &plan = tiles[i.tile];
    auto reaches = [&plan](uint64_t end) { plan.n = std::max<size_t>(plan.n, end); };
    const Data *data =
        i.opcode == Opcode::Couple || i.opcode == Opcode::Link || i.opcode == Opcode::Detune
            ? &program->data[i.a]
            : nullptr;
    switch (i.opcode) {
    case Opcode::Couple:
      reaches(std::max(uint64_t(i.b) + data->rows, uint64_t(i.c) + data->columns));
      plan.coupled = true;
      plan.couplings.perLane |= data->classes != 0;
      break;
    case Opcode::Detune:
      reaches(uint64_t(i.b) + data->rows);
      break;
    case Opcode::Link: {
      reaches(uint64_t(i.c) + data->rows);
      size_t &columns = plan.linkColumns[i.b];
      columns = std::max<size_t>(columns, data->columns);
      tiles[i.b].n = std::max<size_t>(tiles[i.b].n, data->columns);
      plan.link.columns = std::max(plan.link.columns, columns);
      plan.link.perLane |= data->classes != 0;
      break;
    }
    case Opcode::Phase:
    case Opcode::Sample:
      reaches(uint64_t(i.d) + i.c);
      if (i.opcode == Opcode::Sample && i.e != kClockReference)
        reaches(uint64_t(i.e) + 1);
      break;
    default:
      break;
    }
  }
  const bool offsets = has(kFaultOffset) && program->hardware.get("offset") != 0;
  for (TilePlan &plan : tiles) {
    // Couplers that nobody sets still have their offset.
    plan.coupled |= offsets && program->hardware.topology == Topology::AllToAll;
    plan.couplings.rows = plan.couplings.columns = plan.coupled ? plan.n : 0;
    plan.link.rows = plan.link.columns ? plan.n : 0;
    plan.faults.onlyWhereSet = program->hardware.topology != Topology::AllToAll;
  }
}

/// What the verifier lets pass but this simulator cannot do.
Status SimulatorPlan::checkCode() const {
  const std::vector<Instruction> &code = program->code;
  if (program->hardware.kind != HardwareKind::Oscillators)
    return rt::failure(UN0_ERROR_INVALID_ARGUMENT,
                       "hardware %s has no oscillators, so there is nothing to simulate",
                       rt::quoted(program->hardware.name).c_str());
  if (!(options.tolerance >= 1e-7 && options.tolerance <= 0.1))
    return rt::failure(UN0_ERROR_INVALID_ARGUMENT,
                       "tolerance is %g rad, expected 1e-7 to 0.1: phases are summed in f32",
                       options.tolerance);
  if (program->thetaBuffer >= program->buffers.size() ||
      program->buffers[program->thetaBuffer].size < program->oscillators)
    return rt::failure(UN0_ERROR_FORMAT, "no buffer holds the final phases of %u oscillators",
                       program->oscillators);
  for (size_t at = 0; at < code.size(); ++at) {
    const Instruction &i = code[at];
    if (options.integrator == Integrator::Euler && i.opcode == Opcode::Run && i.a == 0 && i.x > 0)
      return rt::failure(UN0_ERROR_INVALID_ARGUMENT,
                         "instruction %zu runs tile %u for %g s but stands for no step of the "
                         "model's solver; use the integrator flow",
                         at, i.tile, i.x);
  }
  return {};
}

/// Draws the static faults of a tile's couplers, or of its link's. A coupler's depend on the seed,
/// tile, row and column alone.
Status SimulatorPlan::makeFaults(TilePlan &plan, uint32_t tile, bool link) const {
  const MatrixLayout &layout = link ? plan.link : plan.couplings;
  CouplerFaults &faults = link ? plan.linkFaults : plan.faults;
  const Hardware &hardware = program->hardware;
  const double mismatch = has(kFaultMismatch) ? hardware.get("mismatch") : 0;
  const double offset =
      has(kFaultOffset)
          ? hardware.get("offset") * hardware.get(link ? "link_full_scale" : "coupling_full_scale")
          : 0;
  size_t cells;
  if (!layout.cells(cells))
    return rt::failure(UN0_ERROR_OUT_OF_MEMORY, "tile %u has %zu oscillators, too many couplers",
                       tile, layout.rows);
  const uint32_t key[2] = {static_cast<uint32_t>(options.faultSeed) ^ kStaticKey[0],
                           static_cast<uint32_t>(options.faultSeed >> 32) ^ kStaticKey[1]};
  rt::Memory row;
  auto fill = [&](double scale, double mean, uint32_t kind, rt::Memory &memory,
                  const float *&values) -> Status {
    if (scale == 0 || cells == 0)
      return {};
    if (!memory.allocate(cells * sizeof(float)) ||
        !row.allocate((layout.columns + 31) / 32 * 32 * sizeof(float)))
      return rt::failure(UN0_ERROR_OUT_OF_MEMORY,
                         "cannot get memory for the faults of %zu couplers of tile %u", cells,
                         tile);
    auto *out = reinterpret_cast<float *>(memory.data());
    auto *normals = reinterpret_cast<float *>(row.data());
    for (size_t i = 0; i < layout.rows; ++i) {
      kernels->normals(layout.columns, key, static_cast<uint32_t>(i), tile, kind, normals);
      for (size_t j = 0; j < layout.columns; ++j)
        out[layout.cell(i, j)] = static_cast<float>(mean + scale * double(normals[j]));
      if (!link) // an oscillator does not act on itself
        out[layout.cell(i, i)] = 0;
    }
    values = out;
    return {};
  };
  UN0_RETURN_IF_FAILED(fill(mismatch, 1, link ? 2 : 0, faults.factorMemory, faults.factor));
  return fill(offset, 0, link ? 3 : 1, faults.offsetMemory, faults.offset);
}

/// Loads couplings that never change once something runs: they need not be in every workspace.
Status SimulatorPlan::shareCouplings(uint32_t tile) {
  TilePlan &plan = tiles[tile];
  const std::vector<Instruction> &code = program->code;
  if (!plan.coupled || plan.couplings.perLane)
    return {};
  unsigned depth = 0, swaps = 0;
  bool runs = false;
  for (const Instruction &i : code) {
    depth += i.opcode == Opcode::Repeat || i.opcode == Opcode::Each;
    depth -= i.opcode == Opcode::End;
    runs |= i.opcode == Opcode::Run;
    if (i.tile != tile)
      continue;
    const bool loads = i.opcode == Opcode::Couple || i.opcode == Opcode::Clear;
    if ((loads || i.opcode == Opcode::Swap) && (depth != 0 || runs))
      return {};
    if (loads && swaps != 0)
      return {};
    swaps += i.opcode == Opcode::Swap;
  }
  if (swaps != plan.banks - 1)
    return {};
  size_t cells;
  if (!plan.couplings.cells(cells) || !plan.shared.allocate(roundToLine(cells) * sizeof(float)))
    return rt::failure(UN0_ERROR_OUT_OF_MEMORY,
                       "cannot get memory for the couplings of %zu oscillators of tile %u", plan.n,
                       tile);
  auto *matrix = reinterpret_cast<float *>(plan.shared.data());
  clear(plan.couplings, plan.faults, matrix);
  for (const Instruction &i : code)
    if (i.tile == tile && i.opcode == Opcode::Clear)
      clear(plan.couplings, plan.faults, matrix);
    else if (i.tile == tile && i.opcode == Opcode::Couple)
      load(plan.couplings, plan.faults, program->data[i.a], i.b, i.c, nullptr, true, matrix);
  plan.isShared = true;
  return {};
}

void SimulatorPlan::measureRates() {
  rates.clear();
  for (const Data &data : program->data)
    rates.push_back(data.kind == DataKind::Couplings ? rowNorm(data) : 0);
}

size_t SimulatorPlan::layOut(Simulator::Workspace &workspace, float *base) const {
  size_t used = 0;
  auto take = [&](size_t floats) {
    float *at = base ? base + used : nullptr;
    used += roundToLine(floats);
    return at;
  };
  for (size_t tile = 0; tile < tiles.size(); ++tile) {
    const TilePlan &plan = tiles[tile];
    TileState &state = workspace.tiles[tile];
    const size_t floats = paddedRows(plan.n) * kLanes;
    for (float **array : {&state.phase, &state.carry, &state.delta, &state.rate})
      *array = take(floats);
    for (float *&k : state.k)
      k = take(floats);
    state.waves = take(2 * floats);
    state.frequencies = take(plan.n);
    size_t cells = 0;
    (void)plan.couplings.cells(cells); // checked with the faults
    if (plan.isShared)
      state.banks[0] = state.banks[1] = reinterpret_cast<float *>(plan.shared.data());
    else
      for (uint32_t bank = 0; bank < plan.banks; ++bank)
        state.banks[bank] = take(cells * plan.couplings.width());
    (void)plan.link.cells(cells);
    state.link = take(cells * plan.link.width());
  }
  for (size_t i = 0; i < program->buffers.size(); ++i)
    workspace.buffers[i] = take(size_t(program->buffers[i].size) * kLanes);
  return used;
}

Status SimulatorPlan::prepare() {
  const Hardware &hardware = program->hardware;
  kernels = &bestKernels();
  if (hardware.kind == HardwareKind::Oscillators)
    measureTiles();
  UN0_RETURN_IF_FAILED(checkCode());
  const double turn = 2 * M_PI;
  if (has(kFaultSetBits) && hardware.get("set_bits") > 0)
    setStep = turn / std::exp2(hardware.get("set_bits"));
  if (has(kFaultSampleBits) && hardware.get("sample_bits") > 0)
    sampleStep = turn / std::exp2(hardware.get("sample_bits"));
  if (has(kFaultNoise))
    noise = hardware.get("phase_noise");
  if (has(kFaultLinkDelay))
    linkDelay = hardware.get("link_delay");
  measureRates();
  for (uint32_t tile = 0; tile < tiles.size(); ++tile) {
    UN0_RETURN_IF_FAILED(makeFaults(tiles[tile], tile, /*link=*/false));
    UN0_RETURN_IF_FAILED(makeFaults(tiles[tile], tile, /*link=*/true));
    UN0_RETURN_IF_FAILED(shareCouplings(tile));
  }
  return {};
}

Simulator::Simulator() = default;
Simulator::~Simulator() = default;
void Simulator::WorkspaceDeleter::operator()(Workspace *workspace) const { delete workspace; }

Status Simulator::prepare(const Program &program, const SimulatorOptions &options) {
  impl.reset(new (std::nothrow) Impl);
  if (!impl)
    return rt::failure(UN0_ERROR_OUT_OF_MEMORY, "cannot get memory for a simulator");
  impl->program = &program;
  impl->options = options;
  return impl->prepare();
}

Status Simulator::createWorkspace(WorkspacePtr &workspace) const {
  workspace.reset(new (std::nothrow) Workspace);
  if (!workspace)
    return rt::failure(UN0_ERROR_OUT_OF_MEMORY, "cannot get memory for a workspace");
  workspace->tiles.resize(impl->tiles.size());
  workspace->buffers.resize(impl->program->buffers.size());
  workspace->repeats.resize(impl->program->code.size());
  // Nothing is allocated while a program runs.
  workspace->events.reserve(2 * size_t(kMaxSubSteps) + 3);
  const size_t floats = impl->layOut(*workspace, nullptr);
  if (floats > SIZE_MAX / sizeof(float) || !workspace->memory.allocate(floats * sizeof(float)))
    return rt::failure(UN0_ERROR_OUT_OF_MEMORY,
                       "cannot get memory for %zu numbers of the simulated tiles", floats);
  (void)impl->layOut(*workspace, reinterpret_cast<float *>(workspace->memory.data()));
  return {};
}

Status Simulator::run(Workspace &workspace, uint32_t count, const float *theta0, const float *phi0,
                      const int64_t *labels, const uint64_t *samples, float *theta,
                      const TraceFn *trace) const {
  Machine machine(*impl, workspace, count, labels, samples, trace);
  UN0_RETURN_IF_FAILED(machine.execute(theta0, phi0, UINT64_MAX, nullptr));
  const size_t n = impl->program->oscillators;
  const float *final = workspace.buffers[impl->program->thetaBuffer];
  for (uint32_t lane = 0; lane < count; ++lane)
    for (size_t i = 0; i < n; ++i)
      theta[lane * n + i] = final[i * kLanes + lane];
  return {};
}

Status Simulator::snapshot(Workspace &workspace, uint64_t runIndex, const float *theta0,
                           const float *phi0, int64_t label, uint64_t sample,
                           RunSnapshot &snapshot) const {
  Machine machine(*impl, workspace, 1, &label, &sample, nullptr);
  UN0_RETURN_IF_FAILED(machine.execute(theta0, phi0, runIndex, &snapshot));
  if (machine.runs <= runIndex)
    return rt::failure(UN0_ERROR_INVALID_ARGUMENT,
                       "run %" PRIu64 " asked for, the program executes %" PRIu64, runIndex,
                       machine.runs);
  return {};
}

} // namespace un0::dsa
