//===- Quantize.h - the driver's part of the phase quantized ----*- C++ -*-===//

#ifndef UN0_LIB_DRIVER_QUANTIZE_H
#define UN0_LIB_DRIVER_QUANTIZE_H

#include "un0/Codegen/CpuTarget.h"
#include "un0/Driver/Compile.h"
#include "un0/Import/Import.h"

namespace un0 {

/// Says what each operator of `module` (phase `fused`) is stored and multiplied in, as the options
/// want it. With `auto` the choice goes to `errors` as a table, and to the precision file. Errors
/// go there too, one line each.
llvm::LogicalResult quantizeModule(const CompileOptions &options, mlir::ModuleOp module,
                                   ArchiveSet &archives, const CpuTarget &target,
                                   llvm::raw_ostream &errors);

} // namespace un0

#endif // UN0_LIB_DRIVER_QUANTIZE_H
