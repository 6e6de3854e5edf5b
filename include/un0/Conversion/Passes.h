//===- Passes.h - lowerings between dialects --------------------*- C++ -*-===//

#ifndef UN0_CONVERSION_PASSES_H
#define UN0_CONVERSION_PASSES_H

#include "dialects/Cpu/IR/Cpu.h"
#include "dialects/Dsa/IR/Dsa.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Pass/Pass.h"
#include "un0/Conversion/Un0ToDsa.h"

namespace un0 {
#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "lib/Conversion/Passes.h.inc"
} // namespace un0

#endif // UN0_CONVERSION_PASSES_H
