//===- Dsa.h - the dsa dialect ----------------------------------*- C++ -*-===//

#ifndef DSA_IR_DSA_H
#define DSA_IR_DSA_H

#include "dialects/Un0/IR/Un0.h"
#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace un0::dsa {

/// Module attribute that `un0-to-dsa` reads: the description of the hardware, canonical JSON.
inline constexpr llvm::StringLiteral kHardwareAttr = "dsa.hardware";
/// Module attribute: the error that time-multiplexing may make, rms of the features.
inline constexpr llvm::StringLiteral kBudgetAttr = "dsa.max_splitting_error";

} // namespace un0::dsa

#include "dialects/Dsa/IR/DsaDialect.h.inc"
#include "dialects/Dsa/IR/DsaEnums.h.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/Dsa/IR/DsaAttrs.h.inc"

#define GET_OP_CLASSES
#include "dialects/Dsa/IR/DsaOps.h.inc"

#endif // DSA_IR_DSA_H
