//===- FusePipeline.cpp - from the model to the fused phase -----*- C++ -*-===//

#include "dialects/Un0/Transforms/Passes.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

void un0::buildFusePipeline(OpPassManager &pm) {
  // Free populations are found by their terms, so zero couplings must be gone.
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  // Parameters and class gathers out of the steps.
  pm.addPass(createLoopInvariantCodeMotionPass());
  pm.addPass(createUn0CloseFreePopulations());
  pm.addPass(createUn0FuseCouplings());
  pm.addPass(createUn0FuseConvolutions());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  pm.addPass(createUn0RemoveDeadParams());
  pm.addPass(createUn0VerifyFused());
}

void un0::registerUn0FusePipeline() {
  PassPipelineRegistration<>("un0-fuse", "from the model to the fused phase", buildFusePipeline);
}
