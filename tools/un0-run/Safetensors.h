//===- Safetensors.h - tensors in and out of un0-run ------------------------===//
#ifndef UN0_TOOLS_UN0_RUN_SAFETENSORS_H
#define UN0_TOOLS_UN0_RUN_SAFETENSORS_H

#include "Array.h"
#include "Diagnostics.h"
#include "un0/runtime.h"

#include <cstdint>
#include <string>
#include <vector>

namespace un0run {

/// Initial phases in radians and labels, one per sample.
struct InitialPhases {
  Array<float> theta0; // [B][oscillators]
  Array<float> phi0;   // [B][conditioning]
  Array<int64_t> labels;
};

/// Reads `theta0` and `phi0` (f32 or f64, which is rounded) and `labels` (i64), checked against
/// `signature`.
MaybeFailure readInitialPhases(const std::string &path, const un0_signature &signature,
                               InitialPhases &phases);

/// An f32 tensor to write.
struct NamedTensor {
  std::string name;
  std::vector<uint64_t> shape;
  const float *data;
};

MaybeFailure writeSafetensors(const std::string &path, const std::vector<NamedTensor> &tensors);

} // namespace un0run

#endif // UN0_TOOLS_UN0_RUN_SAFETENSORS_H
