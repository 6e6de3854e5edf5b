//===- Calibrate.h - ranges of the decoder's activations --------*- C++ -*-===//

#ifndef UN0_QUANTIZE_CALIBRATE_H
#define UN0_QUANTIZE_CALIBRATE_H

#include "un0/Quantize/HostModel.h"

namespace un0 {

/// What the 256 values of a convolution's input span; values outside are clipped.
struct ActivationRange {
  double low = 0, high = 0;
};

/// The range that minimizes the squared error of `values` as 256 steps, clipped values included.
/// Zero is in it.
ActivationRange fitRange(llvm::ArrayRef<float> values);

/// Ranges of the inputs of every `un0.conv2d` of `module` in order (phase `fused` or `quantized`,
/// convolutions f32), on samples that the model draws itself, run on this machine.
llvm::Expected<std::vector<ActivationRange>> calibrateConvolutions(mlir::ModuleOp module,
                                                         ArchiveSet &archives);

} // namespace un0

#endif // UN0_QUANTIZE_CALIBRATE_H
