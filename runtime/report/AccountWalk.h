//===- AccountWalk.h - counting what a program does -------------------------===//
#ifndef UN0_RUNTIME_REPORT_ACCOUNTWALK_H
#define UN0_RUNTIME_REPORT_ACCOUNTWALK_H

#include "Program.h"

#include <array>
#include <cstdint>
#include <vector>

namespace un0::report {

/// What is counted, for a whole batch. Sums over instructions: a loop's body times its count.
enum Quantity {
  kInstructions,
  kCouplingsLoaded, // written into tiles, zeros included
  kLinkCouplingsLoaded,
  kFrequenciesLoaded,
  kCouplingBytes, // of couplings and links as they lie in memory
  kFrequencyBytes,
  kCouplingSeconds, // couplings that are not zero x seconds that their tile runs
  kLinkSeconds,
  kOscillatorSeconds, // oscillators x seconds that they run
  kHeldSeconds,       // oscillators x seconds that they are held, set or sampled
  kPhasesSet,
  kPhasesSampled,
  kPhaseBytesMoved,    // between buffers and tiles
  kPhaseBytesAccessed, // in buffers: drawn, read for setting, written and unwrapped by sampling
  kQuantities
};

/// Where tiles spend time. `Loads` can go on beside the others with two banks of couplings.
enum TimeKind {
  kTimeLoads,
  kTimeRegisters, // frequencies and links: registers that act at once
  kTimeRuns,
  kTimeHolds,
  kTimeConverters,
  kTimeIssue,
  kTimeKinds
};

struct Counts {
  std::array<double, kQuantities> quantities{};
  std::array<double, kTimeKinds> seconds{}; // after overlapping; they add up to the elapsed time
  std::vector<double> digital;              // times that each operator was called
};

/// Walks `program` once with loops folded: time grows with its length, not with what it executes.
/// Fails on programs that dsa::verifyProgram refuses, as far as counting notices.
rt::Status countProgram(const dsa::Program &program, uint64_t batch, Counts &counts);

/// Bits of a coupling in memory: enough for its levels. Continuous ones are not stored in bits.
unsigned couplingBits(const dsa::Hardware &hardware);

} // namespace un0::report

#endif // UN0_RUNTIME_REPORT_ACCOUNTWALK_H
