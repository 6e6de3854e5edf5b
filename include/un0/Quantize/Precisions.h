//===- Precisions.h - choose and prove precisions ---------------*- C++ -*-===//

#ifndef UN0_QUANTIZE_PRECISIONS_H
#define UN0_QUANTIZE_PRECISIONS_H

#include "dialects/Un0/IR/Un0.h"
#include "un0/Codegen/CpuTarget.h"
#include "un0/Import/Import.h"
#include "un0/Quantize/HostModel.h"
#include <optional>

namespace un0 {

/// Couplings with fewer sources stay f32: the default of un0-quantize-couplings.
constexpr int64_t kFewestSources = 32;

/// Sets `drains` of every int16 coupling in `module` (phase `quantized`) from its weights: the
/// largest multiple of 32 sources such that no sum of that many products, each window starting at a
/// multiple of it, leaves 32 bits whatever the waves are. Reads every such coupling once.
llvm::Error proveDrains(mlir::ModuleOp module, ArchiveSet &archives);

/// What one operator gets, by the name of the parameter that it reads.
struct Choice {
  std::string name;
  Precision precision = Precision::F32;
};

/// What operators of each kind get; those that are not named keep what they have.
struct PrecisionChoices {
  std::vector<Choice> couplings, convolutions;
};

/// One row of the table that choosing makes.
struct Candidate {
  std::string name;
  Precision precision;
  double featureError = 0, imageError = 0; ///< rms against f32, measured
  double microseconds = 0;                 ///< of one image, modelled; see docs/quantization.md
  bool chosen = false;
};

struct ErrorLimits {
  std::optional<double> features, images; ///< rms
};

/// Samples that the model draws itself, and what became of them.
struct MeasuredModel {
  HostModel::Outputs exact; ///< with everything f32
  HostModel::Outputs
      chosen; ///< with the couplings as chosen; without images where no limit needs them
  double featureError = 0, imageError = 0; ///< rms of `chosen` against `exact`
};

/// Tries every precision of every shared coupling of `module` (phase `fused`) on samples that the
/// model draws itself, and picks the cheapest for `target` that stays within `limits`. Couplings
/// are chosen one after the other, the largest first, each on top of the choices before it. int4
/// couplings get `int4Group` as their `groups`. `measured` gets what it was measured on.
llvm::Expected<std::vector<Candidate>>
choosePrecisions(mlir::ModuleOp module, ArchiveSet &archives, const CpuTarget &target,
                 const ErrorLimits &limits, MeasuredModel &measured, int64_t int4Group = 0);

/// Chooses between f32 and int8 for every convolution of `module`, whose couplings are as chosen
/// and whose convolutions are f32, such that the images of `measured` stay within `limit`.
/// Convolutions that would gain on `target` are made int8 one after the other, the most saved time
/// per squared error of its own first, each measured on top of those before it. `direct` as in
/// `un0c --convolution=direct`.
llvm::Expected<std::vector<Candidate>>
chooseConvolutions(mlir::ModuleOp module, ArchiveSet &archives, const CpuTarget &target,
                   const MeasuredModel &measured, double limit, bool direct);

/// The rms error of the images of `measured` if the convolutions of `module` are as they are.
llvm::Expected<double> measureDecoder(mlir::ModuleOp module, ArchiveSet &archives,
                                      const MeasuredModel &measured);

/// `{"couplings": {"K": "int8", ...}, "convolutions": {"decoder_0_weight": "int8", ...}}`, either
/// of which may be missing. The error names the file and what is wrong in it.
llvm::Expected<PrecisionChoices> readPrecisionFile(llvm::StringRef path);
llvm::Error writePrecisionFile(llvm::StringRef path, const PrecisionChoices &choices);

/// Gives the couplings of `module` that read the named parameters their precision, and all int4
/// ones `int4Group` as their `groups`. Fails for a name that no shared coupling reads, listing
/// those there are.
llvm::Error applyPrecisions(mlir::ModuleOp module, llvm::ArrayRef<Choice> choices,
                            int64_t int4Group = 0);

/// Fails for a name that is no convolution's, listing those there are.
llvm::Error checkConvolutions(mlir::ModuleOp module, llvm::ArrayRef<Choice> choices);

/// Parameters of couplings that can be quantized, the largest first.
std::vector<std::string> listCouplings(mlir::ModuleOp module);
/// Weights of convolutions, from the features to the image.
std::vector<std::string> listConvolutionNames(mlir::ModuleOp module);

/// The root mean square of the difference.
double getRms(llvm::ArrayRef<float> values, llvm::ArrayRef<float> expected);

} // namespace un0

#endif // UN0_QUANTIZE_PRECISIONS_H
