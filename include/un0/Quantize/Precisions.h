//===- Precisions.h - choose and prove precisions ---------------*- C++ -*-===//

#ifndef UN0_QUANTIZE_PRECISIONS_H
#define UN0_QUANTIZE_PRECISIONS_H

#include "dialects/Un0/IR/Un0.h"
#include "un0/Codegen/CpuTarget.h"
#include "un0/Import/Import.h"
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

/// One row of the table that `choosePrecisions` makes.
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

/// Tries every precision of every shared coupling of `module` (phase `fused`) on samples that the
/// model draws itself, and picks the cheapest for `target` that stays within `limits`. Couplings
/// are chosen one after the other, the largest first, each on top of the choices before it. int4
/// couplings get `int4Group` as their `groups`.
llvm::Expected<std::vector<Candidate>> choosePrecisions(mlir::ModuleOp module, ArchiveSet &archives,
                                                        const CpuTarget &target,
                                                        const ErrorLimits &limits,
                                                        int64_t int4Group = 0);

/// `{"couplings": {"K": "int8", ...}}`. The error names the file and what is wrong in it.
llvm::Expected<std::vector<Choice>> readPrecisionFile(llvm::StringRef path);
llvm::Error writePrecisionFile(llvm::StringRef path, llvm::ArrayRef<Choice> choices);

/// Gives the couplings of `module` that read the named parameters their precision, and all int4
/// ones `int4Group` as their `groups`. Fails for a name that no shared coupling reads, listing
/// those there are.
llvm::Error applyPrecisions(mlir::ModuleOp module, llvm::ArrayRef<Choice> choices,
                            int64_t int4Group = 0);

/// Parameters of couplings that can be quantized, the largest first.
std::vector<std::string> listCouplings(mlir::ModuleOp module);

} // namespace un0

#endif // UN0_QUANTIZE_PRECISIONS_H
