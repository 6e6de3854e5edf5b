//===- Sweep.h - a model on many variants of a hardware ---------------------===//
#ifndef UN0_TOOLS_UN0_SWEEP_SWEEP_H
#define UN0_TOOLS_UN0_SWEEP_SWEEP_H

#include "Grid.h"
#include "Html.h"
#include "Judge.h"

#include <atomic>
#include <optional>

namespace un0sweep {

struct Options {
  std::string model, hardware;
  std::vector<Variable> variables;
  uint64_t images = 2000;
  std::string report, csv; // empty: none
  unsigned threads = 0;    // 0: one per CPU
  uint64_t seed = 0, faultSeed = 0;
  std::optional<double> maxSplittingError;
  /// Points that may be finished now, as if killed after them; the same command goes on later.
  std::optional<uint64_t> stopAfter;
  bool quiet = false;
};

/// What a picture costs at a batch.
struct Cost {
  uint64_t batch = 0;
  double picojoules = 0, dynamics = 0, decoder = 0; // per picture
  double secondsPerImage = 0;
  std::string bound;
};

struct PointResult {
  bool done = false;
  std::string failure; // not empty: it could not be compiled or run, and nothing else is set
  std::vector<double> judged;
  std::vector<Cost> costs;
  un0::report::Strip strip; // the same few pictures for every point
};

struct Sweep {
  Options options;
  un0::dsa::Hardware hardware;             // as described, before anything is varied
  std::vector<std::vector<double>> points; // values, in the order of options.variables
  std::vector<Column> columns;
  std::vector<PointResult> results; // one per point
  std::string modelSha256;
  /// What the model's own integrator is away from the flow, on ideal hardware: the error it was
  /// trained with.
  std::vector<double> ownSteps;
  un0::report::Strip idealStrip, ownStrip;
  uint64_t resumed = 0; // points that an earlier run had finished
};

/// Set by a signal: finish nothing more, keep what is done.
extern std::atomic<bool> stopRequested;

/// Runs all points that have no result yet. Fails when the sweep as a whole cannot go on; a point
/// that cannot is a result that says why. False: stopped before the end.
llvm::Expected<bool> runSweep(Sweep &sweep, const Judge &judge);

/// Where the results of finished points are kept: beside the report, or else the table.
std::string statePath(const Sweep &sweep);
/// For a sweep whose results have been written.
void removeState(const Sweep &sweep);

/// Hash of everything that the results depend on.
std::string sweepHash(const Sweep &sweep);

} // namespace un0sweep

#endif // UN0_TOOLS_UN0_SWEEP_SWEEP_H
