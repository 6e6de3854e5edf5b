//===- SimulatorRun.cpp - tiles in motion -----------------------------------===//
//
// docs/dsa/simulator.md states the scheme: what is integrated, to which order, and where noise and
// the delay of links come in.
//
//===----------------------------------------------------------------------===//
#include "Random.h"
#include "SimulatorImpl.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace un0::dsa {

namespace {

/// A row of a tableau as the kernels take it: terms k[index], see Slope.
struct Row {
  unsigned terms;
  uint8_t index[6];
  float weight[6];
};

Slope slopeOf(const Row &row, float *const (&k)[7]) {
  Slope slope;
  slope.terms = row.terms;
  for (unsigned j = 0; j < row.terms; ++j) {
    slope.k[j] = k[row.index[j]];
    slope.weight[j] = row.weight[j];
  }
  return slope;
}

/// Dormand, Prince 1980, 5(4) with the last stage at the new state. First weights are row sums.
constexpr unsigned kStages = 7;
constexpr Row kDormandPrince[kStages] = {
    {0, {}, {}},
    {1, {0}, {1.0f / 5}},
    {2, {0, 1}, {3.0f / 10, 9.0f / 40}},
    {3, {0, 1, 2}, {4.0f / 5, -56.0f / 15, 32.0f / 9}},
    {4, {0, 1, 2, 3}, {8.0f / 9, -25360.0f / 2187, 64448.0f / 6561, -212.0f / 729}},
    {5, {0, 1, 2, 3, 4}, {1, -355.0f / 33, 46732.0f / 5247, 49.0f / 176, -5103.0f / 18656}},
    {5, {0, 2, 3, 4, 5}, {1, 500.0f / 1113, 125.0f / 192, -2187.0f / 6784, 11.0f / 84}}};
/// Fifth less fourth order.
constexpr Row kError = {
    6,
    {0, 2, 3, 4, 5, 6},
    {71.0f / 57600, -71.0f / 16695, 71.0f / 1920, -17253.0f / 339200, 22.0f / 525, -1.0f / 40}};

struct Tableau {
  unsigned stages;
  Row rows[4];
  Row result;
};

/// The model's solvers, as lib/Interpreter defines them.
const Tableau &tableauOf(Solver solver) {
  static constexpr Tableau euler = {1, {{0, {}, {}}}, {1, {0}, {1}}};
  static constexpr Tableau heun = {2, {{0, {}, {}}, {1, {0}, {1}}}, {2, {0, 1}, {1, 1.0f / 2}}};
  static constexpr Tableau rk4 = {
      4,
      {{0, {}, {}}, {1, {0}, {1.0f / 3}}, {2, {0, 1}, {2.0f / 3, 1}}, {3, {0, 1, 2}, {1, -1, 1}}},
      {4, {0, 1, 2, 3}, {1, 3.0f / 8, 3.0f / 8, 1.0f / 8}}};
  static constexpr Tableau classic = {4,
                                      {{0, {}, {}},
                                       {1, {0}, {1.0f / 2}},
                                       {2, {0, 1}, {1.0f / 2, 1.0f / 2}},
                                       {3, {0, 1, 2}, {1, 0, 1}}},
                                      {4, {0, 1, 2, 3}, {1, 1.0f / 3, 1.0f / 3, 1.0f / 6}}};
  switch (solver) {
  case Solver::Euler:
    return euler;
  case Solver::Heun:
    return heun;
  case Solver::Rk4:
    return rk4;
  case Solver::Rk4Classic:
    return classic;
  }
  return euler;
}

/// x^(1/5) for the range of step control, from operations that round the same everywhere; the C
/// library's pow does not promise that.
double fifthRoot(double x) {
  int64_t word;
  std::memcpy(&word, &x, sizeof word);
  word = word / 5 + (int64_t(1023) << 52) / 5 * 4;
  double y;
  std::memcpy(&y, &word, sizeof y);
  for (int i = 0; i < 4; ++i) {
    const double square = y * y;
    y += (x / (square * square) - y) / 5;
  }
  return y;
}

/// Factor of the next step when the error was `error`.
double stepFactor(double error, double tolerance) {
  constexpr double safety = 0.9, least = 0.2, most = 5;
  if (std::isnan(error))
    return least;
  constexpr double lowest = 5.4e-4, highest = 5292; // where the factor meets its bounds
  const double ratio = error > 0 ? tolerance / error : highest;
  return std::clamp(safety * fifthRoot(std::clamp(ratio, lowest, highest)), least, most);
}

/// Sub-steps of noise that are over at the part's own time `own`.
uint32_t subStepsBefore(double own, double subStep, uint32_t subSteps) {
  uint32_t count = 0;
  while (count + 1 < subSteps && (count + 1) * subStep <= own)
    ++count;
  return count;
}

constexpr uint32_t kTaken = 0xFFFFFFFFu;

struct alignas(64) LaneFloats {
  float values[kLanes] = {};
};
struct alignas(64) LaneWords {
  uint32_t values[kLanes] = {};
};

} // namespace

void Machine::makeEvents(const Part *parts, size_t partCount, double from, double to,
                         double seconds) {
  std::vector<Event> &events = workspace.events;
  events.clear();
  auto add = [&](double time) -> Event * {
    if (!(time > from && time < to))
      return nullptr;
    events.push_back({time, {}, {}});
    return &events.back();
  };
  for (size_t p = 0; p < partCount; ++p) {
    (void)add(parts[p].delay);
    const double subStep = seconds / parts[p].subSteps;
    for (uint32_t s = 1; impl.noise != 0 && s < parts[p].subSteps; ++s)
      if (Event *event = add(s * subStep + parts[p].delay)) {
        event->draws[p] = true;
        event->step[p] = s;
      }
  }
  std::sort(events.begin(), events.end(),
            [](const Event &a, const Event &b) { return a.time < b.time; });
  // The grids of parts without delay coincide.
  size_t kept = 0;
  for (const Event event : events) {
    if (kept == 0 || event.time != events[kept - 1].time) {
      events[kept++] = event;
      continue;
    }
    for (size_t p = 0; p < 2; ++p)
      if (event.draws[p]) {
        events[kept - 1].draws[p] = true;
        events[kept - 1].step[p] = event.step[p];
      }
  }
  events.resize(kept);
  events.push_back({to, {}, {}});
}

/// Each sample and run has a key of its own: the counter has no room for sample, run, sub-step and
/// oscillator together.
void Machine::makeRunKeys() {
  const uint64_t seed = impl.options.faultSeed;
  for (uint32_t lane = 0; lane < count; ++lane) {
    const auto block = rt::philox4x32(
        {static_cast<uint32_t>(runs), static_cast<uint32_t>(runs >> 32),
         static_cast<uint32_t>(samples[lane]), static_cast<uint32_t>(samples[lane] >> 32)},
        {static_cast<uint32_t>(seed) ^ kNoiseKey[0],
         static_cast<uint32_t>(seed >> 32) ^ kNoiseKey[1]});
    keys[0][lane] = block[0];
    keys[1][lane] = block[1];
  }
}

/// Noise is drawn once per sub-step of a run. Their number depends on the program alone, so that a
/// sweep over faults, seeds or tolerances keeps its noise.
uint32_t Machine::chooseSubSteps(const TileState &state, double seconds) const {
  // A sub-step mixes phases by at most a quarter: docs/dsa/simulator.md, "Phase noise".
  constexpr double perMixing = 4;
  double rate = state.bankRates[state.acting];
  if (state.linked) {
    const TileState &source = workspace.tiles[state.source];
    rate = std::max({rate, state.linkRate, source.bankRates[source.acting]});
  }
  uint32_t subSteps = 1;
  while (subSteps < perMixing * seconds * rate && subSteps < kMaxSubSteps)
    subSteps *= 2;
  return subSteps;
}

/// The rate of a part without couplings: frequencies, and noise that is constant during a sub-step
/// of `subStep` seconds. Corrects the derivative at hand.
void Machine::drawNoise(const Part &part, unsigned groups, const uint32_t *mask,
                        const uint32_t *step, double subStep) {
  TileState &state = *part.state;
  if (impl.noise == 0 || !(subStep > 0)) {
    for (size_t i = 0; i < part.plan->n; ++i)
      std::fill_n(state.rate + i * kLanes, kLanes, state.frequencies[i]);
    return;
  }
  const auto amplitude = static_cast<float>(impl.noise / std::sqrt(subStep));
  kernels.noise(part.plan->n, groups, mask, keys[0], step, part.stream, amplitude,
                state.frequencies, state.rate, state.k[0]);
}

/// k[target] of every part at phase + carry + h * slope.
void Machine::evaluate(const Part *parts, size_t partCount, unsigned groups,
                       const float (*h)[kLanes], const Slope *slopes, unsigned target,
                       bool keepDelta) {
  for (size_t p = 0; p < partCount; ++p) {
    TileState &state = *parts[p].state;
    kernels.stage(parts[p].plan->n, groups, state.phase, state.carry, h[p], slopes[p],
                  keepDelta ? state.delta : nullptr, state.waves);
  }
  for (size_t p = 0; p < partCount; ++p) {
    const TilePlan &plan = *parts[p].plan;
    TileState &state = *parts[p].state;
    const float *in = state.rate;
    float *out = state.k[target];
    if (p == 0 && partCount == 2) {
      auto *couple = plan.link.perLane ? kernels.coupleLanes : kernels.couple;
      couple(plan.n, state.linkColumns, plan.link.columns, groups, state.link,
             parts[1].state->waves, state.waves, in, out);
      in = out;
    }
    auto *couple = plan.couplings.perLane ? kernels.coupleLanes : kernels.couple;
    if (plan.coupled)
      couple(plan.n, plan.n, plan.n, groups, state.banks[state.acting], state.waves, state.waves,
             in, out);
    else if (in != out)
      std::copy_n(in, plan.n * kLanes, out);
  }
}

void Machine::traceFirst(const Part &part, double time) {
  if (!trace || !*trace)
    return;
  const size_t n = part.plan->n;
  workspace.phases.resize(n);
  for (size_t i = 0; i < n; ++i)
    workspace.phases[i] = part.state->phase[i * kLanes];
  (*trace)(time, static_cast<uint16_t>(part.stream), workspace.phases.data(), n);
}

/// The continuous flow from `from` to `to` in the run's time, each lane with steps of its own.
Status Machine::flow(Part *parts, size_t partCount, double from, double to, double seconds) {
  if (!(to > from)) // a delay below the rounding of the run's time
    return {};
  makeEvents(parts, partCount, from, to, seconds);
  const std::vector<Event> &events = workspace.events;
  const double tolerance = impl.options.tolerance;
  LaneFloats steps[2], unit;
  LaneWords all, mask, number;
  std::fill_n(unit.values, kLanes, 1.0f);
  std::fill_n(all.values, kLanes, kTaken);
  auto h = reinterpret_cast<const float (*)[kLanes]>(steps[0].values);

  unsigned groups = count > kGroupLanes ? kAllGroups : 1;
  for (size_t p = 0; p < partCount; ++p) {
    const double subStep = seconds / parts[p].subSteps;
    std::fill_n(number.values, kLanes,
                subStepsBefore(from - parts[p].delay, subStep, parts[p].subSteps));
    drawNoise(parts[p], groups, all.values, number.values, subStep);
  }
  Slope slopes[2];
  evaluate(parts, partCount, groups, h, slopes, 0, /*keepDelta=*/false);

  // First guess: a quarter of a radian for the fastest oscillator.
  constexpr double firstMotion = 0.25, leastStep = 1e-9;
  LaneFloats fastest;
  for (size_t p = 0; p < partCount; ++p) {
    Slope speed;
    speed.k[0] = parts[p].state->k[0];
    speed.weight[0] = 1;
    speed.terms = 1;
    kernels.largest(parts[p].plan->n, groups, unit.values, speed, fastest.values);
  }
  struct Lane {
    double time, proposal, step;
    size_t event;
    bool lands, rejected;
  } lanes[kLanes] = {};
  for (uint32_t lane = 0; lane < count; ++lane) {
    const double speed = fastest.values[lane];
    lanes[lane].time = from;
    lanes[lane].proposal = speed > 0 ? std::min(to - from, firstMotion / speed) : to - from;
  }

  while (true) {
    groups = 0;
    for (uint32_t i = 0; i < count; ++i) {
      Lane &lane = lanes[i];
      lane.step = 0;
      if (lane.event < events.size()) {
        groups |= 1u << (i / kGroupLanes);
        const double left = events[lane.event].time - lane.time;
        lane.lands = lane.proposal >= left * (1 - 1e-9);
        // Two halves instead of a step and a sliver.
        lane.step = lane.lands ? left : std::min(lane.proposal, left / 2);
        // A short delay may span less than the least step of a whole run, and so few units of its
        // time's last place that a part of them is none.
        if (!(lane.proposal > leastStep * (to - from)) || !(lane.time + lane.step > lane.time))
          return rt::failure(UN0_ERROR_INVALID_ARGUMENT,
                             "its step size vanishes after %g s: an error of %g rad would take "
                             "more than %g steps",
                             lane.time, tolerance, 1 / leastStep);
      }
      for (size_t p = 0; p < partCount; ++p)
        steps[p].values[i] = lane.time >= parts[p].delay ? static_cast<float>(lane.step) : 0.0f;
    }
    if (groups == 0)
      return {};

    for (unsigned stage = 1; stage < kStages; ++stage) {
      for (size_t p = 0; p < partCount; ++p)
        slopes[p] = slopeOf(kDormandPrince[stage], parts[p].state->k);
      evaluate(parts, partCount, groups, h, slopes, stage, /*keepDelta=*/stage + 1 == kStages);
    }
    LaneFloats error;
    for (size_t p = 0; p < partCount; ++p)
      kernels.largest(parts[p].plan->n, groups, steps[p].values, slopeOf(kError, parts[p].state->k),
                      error.values);

    const Event *landed[kLanes] = {};
    for (uint32_t i = 0; i < kLanes; ++i) {
      Lane &lane = lanes[i];
      mask.values[i] = 0;
      if (lane.step == 0)
        continue;
      const double factor = stepFactor(error.values[i], tolerance);
      if (!(error.values[i] <= tolerance)) {
        lane.rejected = true;
        lane.proposal = lane.step * factor;
        continue;
      }
      mask.values[i] = kTaken;
      // A step that was cut short says little about the next.
      const double next = lane.step * (lane.rejected ? std::min(factor, 1.0) : factor);
      lane.proposal = lane.step < lane.proposal ? std::max(next, lane.proposal) : next;
      lane.rejected = false;
      if (lane.lands) {
        landed[i] = &events[lane.event++];
        lane.time = landed[i]->time;
      } else {
        lane.time += steps[0].values[i]; // the tile itself always moves
      }
    }
    for (size_t p = 0; p < partCount; ++p) {
      TileState &state = *parts[p].state;
      kernels.accept(parts[p].plan->n, groups, mask.values, state.phase, state.carry, state.delta,
                     state.k[0], state.k[kStages - 1]);
    }
    if (mask.values[0] && parts[0].traced)
      traceFirst(parts[0], tileTime + lanes[0].time);

    for (size_t p = 0; p < partCount; ++p) {
      bool any = false;
      for (uint32_t i = 0; i < kLanes; ++i) {
        const bool draws = landed[i] && landed[i]->draws[p];
        any |= draws;
        mask.values[i] = draws ? kTaken : 0;
        number.values[i] = draws ? landed[i]->step[p] : 0;
      }
      if (any)
        drawNoise(parts[p], groups, mask.values, number.values, seconds / parts[p].subSteps);
    }
  }
}

/// `steps` steps of the model's own solver from `from` to `to`; noise sub-steps are those steps,
/// the first of them number `firstStep`.
void Machine::follow(Part *parts, size_t partCount, double from, double to, uint32_t steps,
                     uint32_t firstStep) {
  const Tableau &tableau = tableauOf(impl.program->solver);
  const unsigned groups = count > kGroupLanes ? kAllGroups : 1;
  LaneFloats h[2];
  LaneWords all, number;
  std::fill_n(all.values, kLanes, kTaken);
  auto rows = reinterpret_cast<const float (*)[kLanes]>(h[0].values);
  const double step = (to - from) / steps;
  for (uint32_t s = 0; s < steps; ++s) {
    const double begin = from + s * step;
    std::fill_n(number.values, kLanes, firstStep + s);
    for (size_t p = 0; p < partCount; ++p) {
      // A delayed source sets out in the middle of a step.
      const double own = std::clamp(begin + step - parts[p].delay, 0.0, step);
      std::fill_n(h[p].values, kLanes, static_cast<float>(own));
      drawNoise(parts[p], groups, all.values, number.values, own);
    }
    Slope slopes[2];
    for (unsigned stage = 0; stage < tableau.stages; ++stage) {
      for (size_t p = 0; p < partCount; ++p)
        slopes[p] = slopeOf(tableau.rows[stage], parts[p].state->k);
      evaluate(parts, partCount, groups, rows, slopes, stage, /*keepDelta=*/false);
    }
    for (size_t p = 0; p < partCount; ++p) {
      TileState &state = *parts[p].state;
      const size_t n = parts[p].plan->n;
      kernels.stage(n, groups, state.phase, state.carry, h[p].values,
                    slopeOf(tableau.result, state.k), state.delta, state.waves);
      kernels.accept(n, groups, all.values, state.phase, state.carry, state.delta, state.k[0],
                     state.k[0]);
    }
    if (parts[0].traced)
      traceFirst(parts[0], tileTime + begin + step);
  }
}

Status Machine::run(const Instruction &instruction, size_t at) {
  const double seconds = instruction.x;
  if (seconds == 0)
    return {};
  if (impl.noise != 0)
    makeRunKeys();
  TileState &state = workspace.tiles[instruction.tile];
  // A cascade has two stages: the verifier sees to that.
  if (state.linked && workspace.tiles[state.source].linked)
    return rt::failure(UN0_ERROR_FORMAT,
                       "instruction %zu: tile %u is driven by tile %u, which is driven itself", at,
                       instruction.tile, state.source);
  const uint32_t subSteps = chooseSubSteps(state, seconds);
  Part parts[2] = {{&impl.tiles[instruction.tile], &state, 0, instruction.tile, subSteps, true}};
  const size_t partCount = state.linked ? 2 : 1;
  // What a link shows of its source is the source `delay` ago, and the source heeds nobody: so the
  // delayed source is what evolves beside the tile. At the end it makes up for the delay.
  if (state.linked)
    parts[1] = {&impl.tiles[state.source],
                &workspace.tiles[state.source],
                impl.linkDelay,
                state.source,
                subSteps,
                false};
  const double left = state.linked ? std::min(impl.linkDelay, seconds) : 0;
  Part source = parts[1];
  source.delay = 0;

  if (impl.options.integrator == Integrator::Euler) {
    const uint32_t steps = instruction.a;
    follow(parts, partCount, 0, seconds, steps, 0);
    if (left > 0) {
      const auto more = static_cast<uint32_t>(std::ceil(left / seconds * steps));
      follow(&source, 1, seconds - left, seconds, more, steps);
    }
    return {};
  }
  Status status = flow(parts, partCount, 0, seconds, seconds);
  if (!status && left > 0)
    status = flow(&source, 1, seconds - left, seconds, seconds);
  if (status)
    return rt::failure(status.code(), "instruction %zu: run of tile %u for %g s: %s", at,
                       instruction.tile, seconds, status.message().c_str());
  return {};
}

} // namespace un0::dsa
