//===- Scaling.h - model time to hardware time ------------------*- C++ -*-===//

#ifndef UN0_LIB_CONVERSION_UN0TODSA_SCALING_H
#define UN0_LIB_CONVERSION_UN0TODSA_SCALING_H

#include "System.h"

namespace un0 {

/// Values of one kind that a run has in its tiles.
struct LoadTerm {
  std::vector<float> values; ///< radians per model second
  double fullScale;          ///< radians per second
  int64_t limit;             ///< largest level; 0: continuous
  bool clips;                ///< may values exceed the full scale, and be clipped?
  double weight;             ///< of a squared error

  /// Each value is the sum of `copies` couplings.
  void share(int64_t copies) {
    fullScale *= static_cast<double>(copies);
    limit *= copies;
  }
};

/// Nearest that the hardware has of `value` when a model second takes `scale` seconds: what the
/// simulator will use, in radians per model second.
inline double toLevel(double value, double fullScale, int64_t limit, double scale) {
  if (limit == 0)
    return value;
  double unit = fullScale / static_cast<double>(limit) * scale;
  double level = std::nearbyint(value / unit), most = static_cast<double>(limit);
  return std::min(std::max(level, -most), most) * unit;
}

/// Squared error of all terms at a scale, each by its weight.
double getLoadError(llvm::ArrayRef<LoadTerm> terms, double scale);

/// Seconds that a model second should take so that the terms' squared error is least: slower runs
/// make room for large values, faster ones use the levels for small ones. Terms that do not clip
/// bound it from below. 1 where all values are zero.
double chooseTimeScale(llvm::ArrayRef<LoadTerm> terms);

} // namespace un0

#endif // UN0_LIB_CONVERSION_UN0TODSA_SCALING_H
