//===- RoundedDecoder.h - any convolution in int8, compiled once -*- C++ -*-===//

#ifndef UN0_LIB_QUANTIZE_ROUNDEDDECODER_H
#define UN0_LIB_QUANTIZE_ROUNDEDDECODER_H

#include "un0/Quantize/Calibrate.h"

namespace un0 {

/// A decoder in f32 whose weights and images are rounded to what int8 has of them, convolution by
/// convolution and while it runs: compiling takes longer than running all samples, and so every
/// choice of precisions is measured with one compilation. int8 sums are exact; these are off by
/// what f32 sums are.
class RoundedDecoder {
public:
  /// Of `module`, whose convolutions are f32.
  static llvm::Expected<std::unique_ptr<RoundedDecoder>> create(mlir::ModuleOp module,
                                                                ArchiveSet &archives);

  /// Finds the ranges of the convolutions called `names` for these features.
  llvm::Error calibrate(llvm::ArrayRef<float> features, llvm::ArrayRef<std::string> names);
  llvm::ArrayRef<ActivationRange> getRanges() const { return ranges; }

  /// The images if the convolutions called `names`, of those that were calibrated, are int8.
  std::vector<float> decode(llvm::ArrayRef<float> features,
                            llvm::ArrayRef<std::string> names) const;

private:
  RoundedDecoder(mlir::ModuleOp module, ArchiveSet &archives)
      : module(module), archives(archives) {}

  /// What a convolution's input and weights are rounded to.
  struct Rounding {
    std::string name;
    int64_t pixels = 0;                ///< of the input as it is kept
    std::vector<float> factors, steps; ///< of each channel, in whole lines: 1 / step, step
    float zeroPoint = 0;
    int64_t weightsAt = 0, weightBytes = 0; ///< in the parameters

    /// Pixels of channels side by side, `count` of them.
    void apply(float *values, int64_t block, int64_t count) const;
  };

  mlir::ModuleOp module;
  ArchiveSet &archives;
  std::unique_ptr<HostModel> host;
  HostMemory rounded, mixed; // parameters
  std::vector<ActivationRange> ranges;
  std::vector<Rounding> roundings; // one for each convolution
};

} // namespace un0

#endif // UN0_LIB_QUANTIZE_ROUNDEDDECODER_H
