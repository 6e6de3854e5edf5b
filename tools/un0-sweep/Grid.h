//===- Grid.h - what a sweep varies -----------------------------------------===//
#ifndef UN0_TOOLS_UN0_SWEEP_GRID_H
#define UN0_TOOLS_UN0_SWEEP_GRID_H

#include "Program.h"

#include "llvm/Support/Error.h"
#include <string>
#include <vector>

namespace un0sweep {

/// A quantity that a sweep can set. Most are constants of the hardware description.
struct Variable {
  enum class Kind {
    Constant,      // the description's constant of this name
    CouplingBits,  // coupling_levels = 2^bits - 1
    PhaseNoise,    // phase_noise, in radians per square root of the model's time
    SplittingError // the compiler's budget
  };
  std::string name; // as on the command line: "coupling-bits"
  Kind kind = Kind::Constant;
  std::string constant; // of the description
  /// Whether another value wants another program. What only faults and accounts read does not.
  bool compileTime = true;
  std::string meaning; // with its unit
  std::vector<double> values;
};

/// Reads NAME=a,b,c or NAME=a..b (whole numbers) or both mixed. Fails on an unknown name, on what
/// is no number, on an empty or huge range and on a value twice.
llvm::Expected<Variable> parseVariable(llvm::StringRef text);

/// All combinations, the last variable changing fastest. Fails with more than `most`.
llvm::Expected<std::vector<std::vector<double>>> makeGrid(const std::vector<Variable> &variables,
                                                          size_t most);

/// `hardware` with a point's values. Of what is set at run time only where `all`: without it points
/// that differ in nothing else give equal descriptions, so that they can share a program. Phase
/// noise is set by setPhaseNoise.
llvm::Error applyPoint(const std::vector<Variable> &variables, const std::vector<double> &values,
                       bool all, un0::dsa::Hardware &hardware);

/// Physical seconds that one main oscillator evolves in a sample, on average: the sum of the runs
/// that it takes part in.
double secondsPerOscillator(const un0::dsa::Program &program);

/// Sets the hardware's phase noise so that it amounts to `noise` radians per square root of the
/// model's time.
llvm::Error setPhaseNoise(un0::dsa::Program &program, double noise);

/// "coupling-bits=4, mismatch=0.05".
std::string describePoint(const std::vector<Variable> &variables,
                          const std::vector<double> &values);

} // namespace un0sweep

#endif // UN0_TOOLS_UN0_SWEEP_GRID_H
