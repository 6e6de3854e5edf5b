//===- Calibrate.h - ranges of the decoder's activations --------*- C++ -*-===//

#ifndef UN0_QUANTIZE_CALIBRATE_H
#define UN0_QUANTIZE_CALIBRATE_H

#include "un0/Quantize/HostModel.h"

namespace un0 {

/// What the 256 values of a convolution's input span; values outside are clipped.
struct ActivationRange {
  double low = 0, high = 0;
  /// Powers of two that channels are divided by before.
  llvm::SmallVector<int64_t> exponents = {};
};

/// The range that minimizes the squared error of `values` as 256 steps, clipped values included.
/// Zero is in it. With `weights`, one for as many values in turn, errors count as much.
ActivationRange fitRange(llvm::ArrayRef<float> values, llvm::ArrayRef<float> weights = {});

/// Exponents for the channels of a convolution's input, and their range, such that its outputs err
/// least: a channel of small numbers is rounded in as large steps as the largest one unless it is
/// made as large, but then its weights are made as small. `values` are pixels of `channels`
/// numbers, `filters` some of its output channels' weights, channels x 9 each. Exponents of zero
/// where none helps.
ActivationRange equalize(llvm::ArrayRef<float> values, llvm::ArrayRef<float> weights,
                         llvm::ArrayRef<float> filters, int64_t channels);

/// Ranges of the inputs of the `un0.conv2d` of `module` (phase `fused` or `quantized`, convolutions
/// f32) that are called `names`, on samples that the model draws itself, run on this machine. They
/// are those of the f32 decoder, so that any of the convolutions may be int8 with them. One for
/// each convolution in order; the others' are empty.
llvm::Expected<std::vector<ActivationRange>>
calibrateConvolutions(mlir::ModuleOp module, ArchiveSet &archives,
                      llvm::ArrayRef<std::string> names);

/// The same where the features of `count` samples are known: `run` gives their images, and shows
/// what is between to its observer.
llvm::Expected<std::vector<ActivationRange>>
calibrateConvolutions(mlir::ModuleOp module, ArchiveSet &archives,
                      llvm::ArrayRef<std::string> names, int64_t count,
                      llvm::function_ref<HostModel::Outputs(HostModel::Observer)> run);

/// Makes the convolutions called `names` int8, with ranges of theirs as above.
llvm::LogicalResult quantizeConvolutions(mlir::ModuleOp module,
                                         llvm::ArrayRef<ActivationRange> ranges,
                                         llvm::ArrayRef<std::string> names);

} // namespace un0

#endif // UN0_QUANTIZE_CALIBRATE_H
