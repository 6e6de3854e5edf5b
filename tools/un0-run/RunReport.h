//===- RunReport.h - the report of a run ------------------------------------===//
#ifndef UN0_TOOLS_UN0_RUN_RUNREPORT_H
#define UN0_TOOLS_UN0_RUN_RUNREPORT_H

#include "Array.h"
#include "Diagnostics.h"
#include "Simulator.h"
#include "un0/runtime.h"

#include <cstdint>
#include <string>
#include <vector>

namespace un0run {

/// What a finished run tells its report. Pointers live until the report is written.
struct RunRecord {
  const un0_module *module = nullptr;
  const Array<int64_t> *labels = nullptr;
  const float *images = nullptr; // [labels][channels][height][width]
  const float *theta0 = nullptr; // the first sample's initial phases
  const float *phi0 = nullptr;
  std::string initialPhases;            // where they came from, in words
  un0::dsa::SimulatorOptions simulator; // of programs
  un0_timings timings = {};
  double seconds = 0;           // for all images
  std::optional<double> joules; // measured meanwhile
  std::string notMeasured;      // why there are none
};

/// Writes FILE.json or FILE.html: the account of the module, the run's pictures, for CPU modules
/// the joules that were measured, for programs the first sample's phases in time.
MaybeFailure writeRunReport(const std::string &path, const RunRecord &record);

} // namespace un0run

#endif // UN0_TOOLS_UN0_RUN_RUNREPORT_H
