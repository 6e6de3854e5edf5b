//===- SimulatorExecute.cpp - instructions but `run` ------------------------===//
#include "SimulatorImpl.h"

#include <algorithm>
#include <cmath>

namespace un0::dsa {

/// To the nearest whole number, ties to even, for |x| < 2^51; no call and no branch.
static inline double roundToWhole(double x) {
  constexpr double magic = 6755399441055744.0; // 1.5 * 2^52
  return (x + magic) - magic;
}

Status Machine::execute(const float *givenTheta0, const float *givenPhi0, uint64_t stop,
                        RunSnapshot *wanted) {
  theta0 = givenTheta0;
  phi0 = givenPhi0;
  stopAfter = stop;
  snapshot = wanted;
  std::fill_n(laneLabels, kLanes, int64_t(-1));
  std::copy_n(labels, count, laneLabels);

  // Whatever ran before in this workspace is gone.
  for (size_t tile = 0; tile < workspace.tiles.size(); ++tile) {
    const TilePlan &plan = impl.tiles[tile];
    TileState &state = workspace.tiles[tile];
    const size_t floats = paddedRows(plan.n) * kLanes;
    for (float *array : {state.phase, state.carry, state.delta, state.rate})
      std::fill_n(array, floats, 0.0f);
    for (float *k : state.k)
      std::fill_n(k, floats, 0.0f);
    std::fill_n(state.waves, 2 * floats, 0.0f);
    std::fill_n(state.frequencies, plan.n, 0.0f);
    state.acting = 0;
    state.bankRates[0] = state.bankRates[1] = state.linkRate = 0;
    state.linked = false;
    for (uint32_t bank = 0; plan.coupled && !plan.isShared && bank < plan.banks; ++bank)
      impl.clear(plan.couplings, plan.faults, state.banks[bank]);
  }
  for (size_t i = 0; i < workspace.buffers.size(); ++i)
    std::fill_n(workspace.buffers[i], size_t(impl.program->buffers[i].size) * kLanes, 0.0f);

  for (size_t at = 0; !stopped && impl.program->code[at].opcode != Opcode::Halt;)
    UN0_RETURN_IF_FAILED(step(at));
  return {};
}

Status Machine::step(size_t &at) {
  const Instruction &i = impl.program->code[at];
  const TilePlan *plan = i.tile < impl.tiles.size() ? &impl.tiles[i.tile] : nullptr;
  TileState *state = plan ? &workspace.tiles[i.tile] : nullptr;
  const bool loads = plan && plan->coupled && !plan->isShared;
  const uint32_t loaded = plan ? state->acting ^ (plan->banks - 1) : 0;
  switch (i.opcode) {
  case Opcode::Halt:
    return {};
  case Opcode::Repeat:
    workspace.repeats[at] = i.a;
    break;
  case Opcode::Each:
    // Other samples had the tiles in between: what they were set to is not to be relied on.
    for (size_t tile = 0; tile < workspace.tiles.size(); ++tile) {
      const size_t floats = impl.tiles[tile].n * kLanes;
      std::fill_n(workspace.tiles[tile].phase, floats, 0.0f);
      std::fill_n(workspace.tiles[tile].carry, floats, 0.0f);
    }
    break;
  case Opcode::End:
    if (impl.program->code[i.b].opcode == Opcode::Repeat && --workspace.repeats[i.b] != 0) {
      at = i.b + 1;
      return {};
    }
    break;
  case Opcode::Clear:
    state->bankRates[loaded] = 0;
    if (loads)
      impl.clear(plan->couplings, plan->faults, state->banks[loaded]);
    break;
  case Opcode::Couple:
    state->bankRates[loaded] = std::max(state->bankRates[loaded], impl.rates[i.a]);
    if (loads)
      impl.load(plan->couplings, plan->faults, impl.program->data[i.a], i.b, i.c, laneLabels,
                /*noDiagonal=*/true, state->banks[loaded]);
    break;
  case Opcode::Swap:
    state->acting ^= plan->banks - 1;
    break;
  case Opcode::Detune:
    impl.detune(impl.program->data[i.a], i.b, *state);
    break;
  case Opcode::Link:
    link(i);
    break;
  case Opcode::Unlink:
    state->linked = false;
    break;
  case Opcode::Draw:
    draw(i);
    break;
  case Opcode::Phase:
    setPhases(i);
    break;
  case Opcode::Run:
    if (snapshot && runs == stopAfter)
      beginSnapshot(i.tile, i.x);
    UN0_RETURN_IF_FAILED(run(i, at));
    tileTime += i.x;
    if (snapshot && runs == stopAfter) {
      endSnapshot(i.tile);
      stopped = true;
    }
    ++runs;
    break;
  case Opcode::Hold:
    tileTime += i.x;
    break;
  case Opcode::Sample:
    sample(i);
    break;
  case Opcode::Digital:
    break; // its values are the business of the module's code section
  }
  ++at;
  return {};
}

void Machine::draw(const Instruction &instruction) {
  float *buffer = workspace.buffers[instruction.a];
  const size_t n = impl.program->oscillators, m = impl.program->conditioning;
  const size_t size = impl.program->buffers[instruction.a].size;
  for (size_t i = 0; i < size; ++i) {
    const size_t from = instruction.b + i;
    for (uint32_t lane = 0; lane < count; ++lane)
      buffer[i * kLanes + lane] = from < n       ? theta0[lane * n + from]
                                  : from < n + m ? phi0[lane * m + (from - n)]
                                                 : 0.0f;
  }
}

void Machine::setPhases(const Instruction &i) {
  const float *from = workspace.buffers[i.a] + size_t(i.b) * kLanes;
  TileState &state = workspace.tiles[i.tile];
  float *phase = state.phase + size_t(i.d) * kLanes;
  const size_t floats = size_t(i.c) * kLanes;
  std::fill_n(state.carry + size_t(i.d) * kLanes, floats, 0.0f);
  const double step = impl.setStep;
  if (step == 0)
    std::copy_n(from, floats, phase);
  else
    for (size_t at = 0; at < floats; ++at)
      phase[at] = static_cast<float>(roundToWhole(from[at] / step) * step);
}

void Machine::sample(const Instruction &i) {
  const TileState &state = workspace.tiles[i.tile];
  const double step = impl.sampleStep, turn = 2 * M_PI;
  const double codes = step == 0 ? 0 : std::nearbyint(turn / step);
  double reference[kLanes] = {};
  if (i.e != kClockReference)
    for (uint32_t lane = 0; lane < kLanes; ++lane)
      reference[lane] = double(state.phase[size_t(i.e) * kLanes + lane]) +
                        state.carry[size_t(i.e) * kLanes + lane];
  for (size_t row = 0; row < i.c; ++row) {
    const float *phase = state.phase + (i.d + row) * kLanes;
    const float *carry = state.carry + (i.d + row) * kLanes;
    float *to = workspace.buffers[i.a] + (i.b + row) * kLanes;
    for (uint32_t lane = 0; lane < kLanes; ++lane) {
      const double value = double(phase[lane]) + carry[lane] - reference[lane];
      if (step == 0) {
        to[lane] = static_cast<float>(value);
        continue;
      }
      // The code that comes out of the converter, -codes / 2 .. codes / 2 - 1. Half a code more and
      // no tie is left, so that rounding is the floor that is meant.
      double code = roundToWhole(value / step);
      code -= codes * roundToWhole((code + 0.5) / codes);
      double read = code * step;
      if (i.flags & kUnwrap)
        read += turn * roundToWhole((to[lane] - read) / turn);
      to[lane] = static_cast<float>(read);
    }
  }
}

void Machine::link(const Instruction &i) {
  const TilePlan &plan = impl.tiles[i.tile];
  TileState &state = workspace.tiles[i.tile];
  // Further blocks of rows add to a link; another source begins a new one.
  if (!state.linked || state.source != i.b) {
    impl.clear(plan.link, plan.linkFaults, state.link);
    state.linkRate = 0;
  }
  state.linkRate = std::max(state.linkRate, impl.rates[i.a]);
  state.linked = true;
  state.source = static_cast<uint16_t>(i.b);
  state.linkColumns = plan.linkColumns.at(i.b);
  impl.load(plan.link, plan.linkFaults, impl.program->data[i.a], i.c, 0, laneLabels,
            /*noDiagonal=*/false, state.link);
}

/// The first lane of an oscillator array.
static std::vector<float> firstLane(const float *values, size_t n) {
  std::vector<float> result(n);
  for (size_t i = 0; i < n; ++i)
    result[i] = values[i * kLanes];
  return result;
}

/// The first lane's matrix, by rows; couplers behind column `acting` are off.
static std::vector<float> byRows(const MatrixLayout &layout, const float *matrix, size_t rows,
                                 size_t columns, size_t acting) {
  std::vector<float> result(rows * columns);
  for (size_t i = 0; i < std::min(rows, layout.rows); ++i)
    for (size_t j = 0; j < std::min(columns, acting); ++j)
      result[i * columns + j] = matrix[layout.cell(i, j) * layout.width()];
  return result;
}

void Machine::beginSnapshot(uint16_t tile, double seconds) {
  const TilePlan &plan = impl.tiles[tile];
  const TileState &state = workspace.tiles[tile];
  *snapshot = {};
  snapshot->tile = tile;
  snapshot->seconds = seconds;
  snapshot->phases = firstLane(state.phase, plan.n);
  snapshot->couplings = byRows(plan.couplings, state.banks[state.acting], plan.n, plan.n,
                               plan.couplings.columns);
  snapshot->frequencies.assign(state.frequencies, state.frequencies + plan.n);
  snapshot->linked = state.linked;
  if (!state.linked)
    return;
  const TilePlan &source = impl.tiles[state.source];
  const TileState &sourceState = workspace.tiles[state.source];
  snapshot->sourceTile = state.source;
  snapshot->sourcePhases = firstLane(sourceState.phase, source.n);
  snapshot->sourceCouplings =
      byRows(source.couplings, sourceState.banks[sourceState.acting], source.n, source.n,
             source.couplings.columns);
  snapshot->sourceFrequencies.assign(sourceState.frequencies, sourceState.frequencies + source.n);
  snapshot->link = byRows(plan.link, state.link, plan.n, source.n, state.linkColumns);
}

void Machine::endSnapshot(uint16_t tile) {
  snapshot->finalPhases = firstLane(workspace.tiles[tile].phase, impl.tiles[tile].n);
  if (snapshot->linked)
    snapshot->sourceFinalPhases =
        firstLane(workspace.tiles[snapshot->sourceTile].phase, impl.tiles[snapshot->sourceTile].n);
}

} // namespace un0::dsa
