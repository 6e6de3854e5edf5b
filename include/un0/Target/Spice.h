//===- Spice.h - one tile's run as a SPICE deck -----------------*- C++ -*-===//

#ifndef UN0_TARGET_SPICE_H
#define UN0_TARGET_SPICE_H

#include "Simulator.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/raw_ostream.h"
#include <string>
#include <vector>

namespace un0 {

/// Writes `run` as a deck in the phase domain (docs/dsa/spice.md): 1 V stands for 1 rad, a second
/// of the deck is one of the hardware. `title` is its first line, `comments` follow. The
/// simulator's final phases stand in comments, `* simulator NAME = RADIANS`. Fails when the run
/// takes no time or has a number that is not finite.
llvm::Error writeSpice(const dsa::RunSnapshot &run, llvm::StringRef title,
                       const std::vector<std::string> &comments, llvm::raw_ostream &os);

/// Which run of a program, of which sample.
struct SpiceRequest {
  uint64_t run = 0; // number of the executed run, from 0
  int64_t label = 0;
  uint64_t seed = 0; // of the initial phases: those of the first picture that un0-run draws
  /// Static ones. A deck has no noise and no delay, which are refused.
  uint32_t faults = dsa::kFaultLevels | dsa::kFaultMismatch | dsa::kFaultOffset;
  uint64_t faultSeed = 0;
};

/// Simulates a verified program up to that run and writes the run as a deck.
llvm::Error exportSpice(const dsa::Program &program, const SpiceRequest &request,
                        llvm::raw_ostream &os);

} // namespace un0

#endif // UN0_TARGET_SPICE_H
