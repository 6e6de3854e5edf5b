//===- Options.h - the command line of un0-run ------------------------------===//
#ifndef UN0_TOOLS_UN0_RUN_OPTIONS_H
#define UN0_TOOLS_UN0_RUN_OPTIONS_H

#include "Diagnostics.h"
#include "Simulator.h"

#include <cstdint>
#include <string>
#include <vector>

namespace un0run {

struct Options {
  std::string model;
  std::string classes = "all";
  uint64_t samplesPerClass = 10;
  uint64_t seed = 0;
  bool torchRng = false;
  uint32_t threads = 0; // 0: one per usable CPU
  std::string output = "grid.png";
  bool unconditional = false;
  std::string initPhases; // empty: drawn from the seed
  std::string dump;       // empty: no dump
  std::string report;     // FILE.json or FILE.html; empty: none
  bool reference = false;
  bool euler = false; // of the simulator, like the two below
  uint32_t faults = un0::dsa::kAllFaults;
  uint64_t faultSeed = 0;
  bool timings = false;
  bool quiet = false;
  bool help = false;
  bool version = false;
  bool classesGiven = false, samplesGiven = false, seedGiven = false, rngGiven = false;
  bool simulationGiven = false;
};

extern const char *const usage;

/// Reads `--flag=value` and `--flag value`.
MaybeFailure parseOptions(int argc, char **argv, Options &options);

/// Reads `all` or a list like `0,2,5-7`, in the order given. `count` is the model's number of
/// classes.
MaybeFailure parseClasses(const std::string &text, uint32_t count, std::vector<int64_t> &classes);

} // namespace un0run

#endif // UN0_TOOLS_UN0_RUN_OPTIONS_H
