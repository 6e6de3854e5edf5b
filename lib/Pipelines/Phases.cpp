//===- Phases.cpp - the named phases of a compilation -----------*- C++ -*-===//

#include "un0/Pipelines/Phases.h"

#include "dialects/Dsa/Transforms/Passes.h"
#include "dialects/Un0/Transforms/Passes.h"
#include "mlir/Conversion/AffineToStandard/AffineToStandard.h"
#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/FuncToLLVM/ConvertFuncToLLVMPass.h"
#include "mlir/Conversion/IndexToLLVM/IndexToLLVM.h"
#include "mlir/Conversion/MathToLLVM/MathToLLVM.h"
#include "mlir/Conversion/MemRefToLLVM/MemRefToLLVM.h"
#include "mlir/Conversion/ReconcileUnrealizedCasts/ReconcileUnrealizedCasts.h"
#include "mlir/Conversion/SCFToControlFlow/SCFToControlFlow.h"
#include "mlir/Conversion/UBToLLVM/UBToLLVM.h"
#include "mlir/Conversion/VectorToLLVM/ConvertVectorToLLVMPass.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"
#include "un0/Codegen/Passes.h"
#include "un0/Conversion/Passes.h"

using namespace mlir;
using namespace un0;

StringRef un0::getPhaseName(Phase phase) {
  switch (phase) {
  case Phase::Import:
    return "import";
  case Phase::Model:
    return "model";
  case Phase::Fused:
    return "fused";
  case Phase::Quantized:
    return "quantized";
  case Phase::Loops:
    return "loops";
  case Phase::Vector:
    return "vector";
  case Phase::LLVM:
    return "llvm";
  case Phase::Object:
    return "object";
  case Phase::Mapped:
    return "mapped";
  case Phase::Scheduled:
    return "scheduled";
  case Phase::Program:
    return "program";
  case Phase::Module:
    return "module";
  }
  llvm_unreachable("unknown phase");
}

StringRef un0::getTargetName(Target target) { return target == Target::Cpu ? "cpu" : "dsa"; }

ArrayRef<Phase> un0::getPhases(Target target) {
  static constexpr Phase cpu[] = {Phase::Import,    Phase::Model,  Phase::Fused,
                                  Phase::Quantized, Phase::Loops,  Phase::Vector,
                                  Phase::LLVM,      Phase::Object, Phase::Module};
  static constexpr Phase dsa[] = {Phase::Import, Phase::Model,     Phase::Fused,   Phase::Quantized,
                                  Phase::Mapped, Phase::Scheduled, Phase::Program, Phase::Module};
  return target == Target::Cpu ? ArrayRef<Phase>(cpu) : ArrayRef<Phase>(dsa);
}

std::optional<unsigned> un0::getPosition(Target target, Phase phase) {
  ArrayRef<Phase> phases = getPhases(target);
  const Phase *found = llvm::find(phases, phase);
  if (found == phases.end())
    return std::nullopt;
  return static_cast<unsigned>(found - phases.begin());
}

std::optional<Phase> un0::parsePhase(StringRef name) {
  for (Phase phase : kAllPhases)
    if (getPhaseName(phase) == name)
      return phase;
  return std::nullopt;
}

std::string un0::listPhases() {
  std::string names;
  for (Phase phase : kAllPhases)
    names += (names.empty() ? "" : ", ") + getPhaseName(phase).str();
  return names;
}

static void buildLLVM(OpPassManager &pm) {
  pm.addPass(createSCFToControlFlowPass());
  pm.addPass(memref::createExpandStridedMetadataPass());
  // Offsets of views, as arithmetic.
  pm.addPass(createLowerAffinePass());
  pm.addPass(createConvertVectorToLLVMPass());
  pm.addPass(createFinalizeMemRefToLLVMConversionPass());
  ConvertFuncToLLVMPassOptions funcOptions;
  // Entries take plain pointers: shapes are static and part of the contract.
  funcOptions.useBarePtrCallConv = true;
  pm.addPass(createConvertFuncToLLVMPass(funcOptions));
  pm.addPass(createConvertControlFlowToLLVMPass());
  // Only what is one instruction is left of math here: absolute values.
  pm.addPass(createConvertMathToLLVMPass());
  pm.addPass(createArithToLLVMConversionPass());
  pm.addPass(createConvertIndexToLLVMPass());
  pm.addPass(createUBToLLVMConversionPass());
  pm.addPass(createReconcileUnrealizedCastsPass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
}

void un0::buildPhase(Phase phase, OpPassManager &pm, ArchiveSet *archives) {
  switch (phase) {
  case Phase::Model:
    pm.addPass(createCanonicalizerPass());
    pm.addPass(createUn0VerifyModel());
    return;
  case Phase::Fused:
    buildFusePipeline(pm);
    return;
  case Phase::Loops:
    pm.addPass(createUn0ScheduleCpu());
    pm.addPass(createUn0ToCpu());
    pm.addPass(createCpuPlanArena());
    pm.addPass(createCanonicalizerPass());
    pm.addPass(createCSEPass());
    return;
  case Phase::Vector: {
    OpPassManager &func = pm.nest<func::FuncOp>();
    func.addPass(createCpuKernelsToVector());
    func.addPass(createCpuLowerDots());
    func.addPass(createCpuExpandMath());
    func.addPass(createCanonicalizerPass());
    func.addPass(createCSEPass());
    func.addPass(createLoopInvariantCodeMotionPass());
    func.addPass(createCpuVerifyVector());
    return;
  }
  case Phase::LLVM:
    buildLLVM(pm);
    return;
  case Phase::Mapped:
    pm.addPass(createUn0ToDsaPass(archives));
    pm.addPass(createDsaVerifyMapped());
    return;
  case Phase::Scheduled:
    pm.addPass(createDsaSchedule());
    pm.addPass(createDsaVerifyScheduled());
    return;
  case Phase::Import:
  case Phase::Quantized: // f32 keeps the fused form
  case Phase::Object:
  case Phase::Program:
  case Phase::Module:
    return;
  }
}

void un0::registerPhasePipelines() {
  static bool once = [] {
    for (Phase phase : {Phase::Model, Phase::Fused, Phase::Loops, Phase::Vector, Phase::LLVM,
                        Phase::Mapped, Phase::Scheduled}) {
      std::string name = "un0-phase-" + getPhaseName(phase).str();
      registerPassPipeline(
          name, "from the phase before to '" + getPhaseName(phase).str() + "'",
          [phase](OpPassManager &pm, StringRef options,
                  function_ref<LogicalResult(const Twine &)> error) {
            if (!options.empty())
              return error("phase pipelines take no options");
            buildPhase(phase, pm);
            return success();
          },
          [](function_ref<void(const mlir::detail::PassOptions &)>) {});
    }
    return true;
  }();
  (void)once;
}
