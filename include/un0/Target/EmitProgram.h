//===- EmitProgram.h - dsa IR to a program ----------------------*- C++ -*-===//

#ifndef UN0_TARGET_EMITPROGRAM_H
#define UN0_TARGET_EMITPROGRAM_H

#include "Program.h"
#include "mlir/IR/BuiltinOps.h"
#include "un0/Import/Import.h"

namespace un0 {

/// Makes the program of the one `dsa.program` of `module` (phase `scheduled`), with its constants
/// read from their archives, and verifies it. Constants are held as they will be stored; of a
/// parameter no more than a few rows are read at a time.
llvm::Error emitProgram(mlir::ModuleOp module, ArchiveSet &archives, dsa::Program &program);

} // namespace un0

#endif // UN0_TARGET_EMITPROGRAM_H
