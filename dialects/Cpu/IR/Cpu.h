//===- Cpu.h - the cpu dialect ----------------------------------*- C++ -*-===//

#ifndef CPU_IR_CPU_H
#define CPU_IR_CPU_H

#include "dialects/Un0/IR/Un0.h"
#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dialects/Cpu/IR/CpuDialect.h.inc"
#include "dialects/Cpu/IR/CpuEnums.h.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/Cpu/IR/CpuAttrs.h.inc"

#define GET_OP_CLASSES
#include "dialects/Cpu/IR/CpuOps.h.inc"

namespace un0::cpu {

/// Rows of a packed coupling that lie side by side, and channels of an image block: one 64-byte
/// line of f32.
constexpr int64_t kLine = 16;

/// Rounds up to whole lines.
inline int64_t padToLine(int64_t n) { return (n + kLine - 1) / kLine * kLine; }

} // namespace un0::cpu

#endif // CPU_IR_CPU_H
