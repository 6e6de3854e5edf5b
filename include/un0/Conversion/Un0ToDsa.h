//===- Un0ToDsa.h - models to programs for accelerators ---------*- C++ -*-===//

#ifndef UN0_CONVERSION_UN0TODSA_H
#define UN0_CONVERSION_UN0TODSA_H

#include "mlir/Pass/Pass.h"
#include "un0/Import/Import.h"

namespace un0 {

/// The error that time-multiplexing may make without --max-splitting-error, rms of the features.
constexpr double kDefaultSplittingError = 0.15;

/// The pass `un0-to-dsa`, which reads weights from `archives`; they must outlive it. Without, it
/// opens them by the names in the IR.
std::unique_ptr<mlir::Pass> createUn0ToDsaPass(ArchiveSet *archives = nullptr);

} // namespace un0

#endif // UN0_CONVERSION_UN0TODSA_H
