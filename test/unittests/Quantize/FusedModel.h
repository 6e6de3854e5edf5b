//===- FusedModel.h - a model in the phase fused, for tests -----*- C++ -*-===//

#ifndef UN0_TEST_UNITTESTS_QUANTIZE_FUSEDMODEL_H
#define UN0_TEST_UNITTESTS_QUANTIZE_FUSEDMODEL_H

#include "mlir/Pass/PassManager.h"
#include "un0/Import/Import.h"
#include "un0/Pipelines/Phases.h"
#include "gtest/gtest.h"

namespace un0 {

struct FusedModel {
  FusedModel() : context(mlir::MLIRContext::Threading::DISABLED) {
    mlir::DialectRegistry registry;
    registerDialects(registry);
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
  }

  /// To be called in ASSERT_NO_FATAL_FAILURE.
  void load(const char *path) {
    auto imported = importModel(path, context);
    ASSERT_TRUE(!!imported) << toString(imported.takeError());
    owner = std::move(*imported);
    mlir::PassManager pm(&context);
    buildPhase(Phase::Model, pm);
    buildPhase(Phase::Fused, pm);
    ASSERT_TRUE(succeeded(pm.run(*owner)));
    module = *owner;
  }

  mlir::MLIRContext context;
  mlir::OwningOpRef<mlir::ModuleOp> owner;
  mlir::ModuleOp module;
};

} // namespace un0

#endif // UN0_TEST_UNITTESTS_QUANTIZE_FUSEDMODEL_H
