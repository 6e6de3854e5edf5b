//===- ModelBuilder.h - a model as un0 IR -----------------------*- C++ -*-===//

#ifndef UN0_LIB_IMPORT_MODELBUILDER_H
#define UN0_LIB_IMPORT_MODELBUILDER_H

#include "ModelShape.h"

namespace un0::import {

/// Writes a model down in the `model` phase. `archivePath` is what its parameters name as their
/// file.
mlir::OwningOpRef<mlir::ModuleOp> buildModel(const ModelSpec &spec, llvm::StringRef name,
                                             llvm::StringRef archivePath,
                                             mlir::MLIRContext &context);

} // namespace un0::import

#endif // UN0_LIB_IMPORT_MODELBUILDER_H
