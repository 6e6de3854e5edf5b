//===- System.h - the dynamical system of a model ---------------*- C++ -*-===//

#ifndef UN0_LIB_CONVERSION_UN0TODSA_SYSTEM_H
#define UN0_LIB_CONVERSION_UN0TODSA_SYSTEM_H

#include "Hardware.h"
#include "dialects/Dsa/IR/Dsa.h"
#include "un0/Import/Weights.h"

namespace un0 {

/// What `@generate` of a fused model integrates: main oscillators that couple to each other, and a
/// conditioning system that drives them and is driven by nobody.
struct DsaSystem {
  mlir::func::FuncOp func;
  EvolveOp evolve; ///< null with 0 steps
  ReadoutOp readout;
  int64_t oscillators = 0;
  int64_t conditioning = 0; ///< conditioning oscillators of the entry signature
  int64_t classes = 0;
  double time = 0; ///< model seconds
  /// Parameters; null where the model has no such term. `drive` is classes x N x M, or N x M.
  ParamOp coupling, frequency, drive, conditioningCoupling, conditioningFrequency;

  /// Whether features change when a phase changes by 2 pi.
  bool needsWindings() const {
    return getReference() == Reference::Mean || getEncoding() == Encoding::Raw;
  }
  Reference getReference() const { return ReadoutOp(readout).getReference(); }
  Encoding getEncoding() const { return ReadoutOp(readout).getEncoding(); }
};

/// Finds the system in `module` (phase `quantized`). Diagnostics say what a tile of oscillators has
/// no place for, among it quantized couplings unless `anyPrecision`.
mlir::FailureOr<DsaSystem> findSystem(mlir::ModuleOp module, bool anyPrecision);

/// The weights of a system, opened.
struct SystemWeights {
  std::optional<Weights> coupling, frequency, drive, conditioningCoupling, conditioningFrequency;

  static llvm::Expected<SystemWeights> open(const DsaSystem &system, ArchiveSet &archives);
};

/// What of a hardware description decides a mapping.
struct TileLimits {
  explicit TileLimits(const dsa::Hardware &hardware);

  bool ideal;
  int64_t tiles, oscillators; ///< oscillators of a tile; INT64_MAX for any number
  int64_t linkInputs;
  int64_t couplingLimit, frequencyLimit;           ///< largest level; 0: continuous
  double couplingScale, linkScale, frequencyScale; ///< radians per second
  double setStep, sampleStep;                      ///< radians; 0: exact
  double settleTime;                               ///< seconds
  bool repeatedSampling;
  double mismatch;
};

/// Why `hardware` cannot run `system`, with numbers, or nothing. `motion` bounds how far a phase
/// moves in the whole time, in radians.
std::string findObstacle(const DsaSystem &system, const SystemWeights &weights,
                         const dsa::Hardware &hardware, double motion);

/// The built-in descriptions without an obstacle, "ideal, oscillator-64" or "none".
std::string listFitting(const DsaSystem &system, const SystemWeights &weights, double motion);

/// A bound of how far any main oscillator moves per model second, whatever the phases: the largest
/// sum of its |frequency|, |couplings| and |drives| of its worst class.
double boundMotion(const DsaSystem &system, const SystemWeights &weights);

} // namespace un0

#endif // UN0_LIB_CONVERSION_UN0TODSA_SYSTEM_H
