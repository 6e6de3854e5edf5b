//===- Phases.h - the first sample's phases in time -------------------------===//
#ifndef UN0_RUNTIME_REPORT_PHASES_H
#define UN0_RUNTIME_REPORT_PHASES_H

#include "Simulator.h"

namespace un0::report {

/// Phases of some main oscillators while the tiles evolve, in seconds of tile time.
struct PhaseTrace {
  std::vector<uint32_t> oscillators; // which of the model's
  struct Line {
    std::vector<double> seconds;
    std::vector<float> phases; // radians, unwrapped
  };
  std::vector<Line> lines; // one per oscillator
  double totalSeconds = 0;
  uint64_t runs = 0;      // that the sample took
  bool truncated = false; // stopped recording: too many runs
};

/// Runs one sample through the simulator and keeps up to `oscillators` phases, evenly chosen.
/// An oscillator of a model that takes turns on a tile moves only in its own runs.
rt::Status tracePhases(const dsa::Program &program, const dsa::SimulatorOptions &options,
                       const float *theta0, const float *phi0, int64_t label, uint64_t sample,
                       PhaseTrace &trace, uint32_t oscillators = 24);

std::string drawPhases(const PhaseTrace &trace);

} // namespace un0::report

#endif // UN0_RUNTIME_REPORT_PHASES_H
