//===- HostSystem.h - a system in the compiler's own arithmetic -*- C++ -*-===//
//
// What time-multiplexing costs is measured, not assumed: the compiler integrates a few samples of
// the model both ways.
//
//===----------------------------------------------------------------------===//

#ifndef UN0_LIB_CONVERSION_UN0TODSA_HOSTSYSTEM_H
#define UN0_LIB_CONVERSION_UN0TODSA_HOSTSYSTEM_H

#include "PairSchedule.h"
#include "System.h"

namespace un0 {

/// Weights of a system as some hardware has them, in radians per model second.
struct SystemValues {
  std::vector<float> coupling;              ///< N x N
  std::vector<float> frequency;             ///< N
  std::vector<std::vector<float>> drives;   ///< per class: N x M
  std::vector<float> conditioningCoupling;  ///< M x M
  std::vector<float> conditioningFrequency; ///< M
  /// The same where the conditioning system runs alone, between sweeps.
  std::vector<float> ownCoupling, ownFrequency;

  static SystemValues read(const DsaSystem &system, const SystemWeights &weights);
};

class HostSystem {
public:
  /// Samples that are integrated side by side, of different classes where there are as many.
  static constexpr int64_t kLanes = 8;

  HostSystem(const DsaSystem &system, const SystemValues &exact);

  /// Features after the whole time in one run, with the given values; the flow, integrated by RK4
  /// in steps in which no phase moves by more than about a radian.
  std::vector<float> runWhole(const SystemValues &values) const;

  /// Features after `sweeps` sweeps over groups of `group` oscillators (makeSweep), every second
  /// one reversed, with phases rounded to steps whenever they are set and sampled.
  std::vector<float> runSweeps(const SystemValues &values, int64_t group, int64_t sweeps,
                               double setStep, double sampleStep) const;

  static double getRms(llvm::ArrayRef<float> values, llvm::ArrayRef<float> expected);

private:
  /// Sources act on targets by a matrix that begins at `values` and has rows of `stride`.
  struct Term {
    int target, source;
    const float *values;
    int64_t stride;
    bool perLane; ///< elements are kLanes values
  };
  struct Population {
    float *phases; ///< size x kLanes
    int64_t size;
    const float *frequency; ///< null: 0
  };
  void integrate(llvm::ArrayRef<Population> populations, llvm::ArrayRef<Term> terms, double time,
                 double bound) const;
  std::vector<float> gatherDrives(const SystemValues &values) const;
  std::vector<float> getFeatures(llvm::ArrayRef<float> theta) const;

  const DsaSystem &system;
  int64_t n, m;                    ///< m is 0 without a drive
  std::vector<float> theta0, phi0; ///< size x kLanes
  std::vector<int64_t> labels;
  double bound = 0; ///< radians per model second
};

} // namespace un0

#endif // UN0_LIB_CONVERSION_UN0TODSA_HOSTSYSTEM_H
