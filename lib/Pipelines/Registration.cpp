//===- Registration.cpp - what the tools know -------------------*- C++ -*-===//
//
// Never MLIR's InitAll headers: they pull every dialect into every tool.
//
//===----------------------------------------------------------------------===//

#include "dialects/Cpu/IR/Cpu.h"
#include "dialects/Dsa/Transforms/Passes.h"
#include "dialects/Un0/Transforms/Passes.h"
#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/Func/Extensions/InlinerExtension.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Dialect/UB/IR/UBOps.h"
#include "mlir/Transforms/Passes.h"
#include "un0/Codegen/Passes.h"
#include "un0/Conversion/Passes.h"
#include "un0/Pipelines/Phases.h"

using namespace mlir;

void un0::registerDialects(DialectRegistry &registry) {
  registry.insert<un0::Un0Dialect, un0::cpu::CpuDialect, un0::dsa::DsaDialect, arith::ArithDialect,
                  cf::ControlFlowDialect, func::FuncDialect, LLVM::LLVMDialect, math::MathDialect,
                  memref::MemRefDialect, scf::SCFDialect, tensor::TensorDialect, tosa::TosaDialect,
                  ub::UBDialect, vector::VectorDialect>();
  func::registerInlinerExtension(registry);
}

void un0::registerPasses() {
  registerUn0TransformsPasses();
  registerDsaTransformsPasses();
  registerConversionPasses();
  registerCodegenPasses();
  registerTransformsPasses();
  registerPhasePipelines();
}
