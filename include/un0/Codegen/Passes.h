//===- Passes.h - CPU code generation ---------------------------*- C++ -*-===//

#ifndef UN0_CODEGEN_PASSES_H
#define UN0_CODEGEN_PASSES_H

#include "dialects/Cpu/IR/Cpu.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Pass/Pass.h"

namespace un0 {
#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "lib/Codegen/Passes.h.inc"
} // namespace un0

#endif // UN0_CODEGEN_PASSES_H
