//===- VerifyPhase.cpp - what the phases guarantee --------------*- C++ -*-===//

#include "dialects/Un0/Transforms/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/MapVector.h"

namespace un0 {
#define GEN_PASS_DEF_UN0VERIFYMODEL
#define GEN_PASS_DEF_UN0VERIFYFUSED
#include "dialects/Un0/Transforms/Passes.h.inc"
} // namespace un0

using namespace mlir;
using namespace un0;

namespace {

/// Checks every op inside `module` and marks it as being in `phase`. Offenders are listed once
/// each, with their count.
LogicalResult verifyPhase(ModuleOp module, StringRef phase,
                          function_ref<bool(Operation *)> isSupported) {
  struct Offender {
    unsigned count = 0;
    Operation *first = nullptr;
  };
  llvm::MapVector<OperationName, Offender> offenders;
  unsigned total = 0;
  module.walk([&](Operation *op) {
    if (op == module || isSupported(op))
      return;
    Offender &offender = offenders[op->getName()];
    ++offender.count;
    ++total;
    if (!offender.first)
      offender.first = op;
  });
  if (offenders.empty()) {
    module->setAttr(kPhaseAttr, StringAttr::get(module.getContext(), phase));
    return success();
  }
  InFlightDiagnostic diagnostic = module.emitError();
  llvm::interleaveComma(offenders, diagnostic, [&](const auto &entry) {
    diagnostic << entry.second.count << " x " << entry.first;
  });
  diagnostic << (total == 1 ? " is" : " are") << " not supported in phase '" << phase << "'";
  for (const auto &[name, offender] : offenders)
    diagnostic.attachNote(offender.first->getLoc())
        << (offender.count == 1 ? "" : "first ") << name
        << (offender.count == 1 ? " is here" : " of several is here");
  return diagnostic;
}

bool isSupportedInModel(Operation *op) {
  if (isa<func::FuncOp, func::ReturnOp, arith::ConstantOp>(op) ||
      isa<tosa::TosaDialect, tensor::TensorDialect>(op->getDialect()))
    return true;
  return isa<ParamOp, GetParamOp, SelectClassOp, EvolveOp, YieldOp, CoupleOp, RateOp, ReadoutOp>(
      op);
}

bool isSupportedInFused(Operation *op) {
  if (isa_and_nonnull<EvolveOp>(op->getParentOp()))
    return isa<SinCosOp, FusedRateOp, DriftOp, YieldOp>(op);
  return isa<func::FuncOp, func::ReturnOp, arith::ConstantOp, tensor::DimOp, tensor::ExpandShapeOp,
             ParamOp, GetParamOp, SelectClassOp, EvolveOp, ReadoutOp, un0::Conv2DOp>(op);
}

struct VerifyModelPass : un0::impl::Un0VerifyModelBase<VerifyModelPass> {
  void runOnOperation() override {
    auto count = [&](Operation *op) {
      ++numOps;
      return op->getDialect() && isSupportedInModel(op);
    };
    if (failed(verifyPhase(getOperation(), "model", count)))
      return signalPassFailure();
    auto generate = getOperation().lookupSymbol<func::FuncOp>("generate");
    if (generate && failed(verifyGenerate(generate)))
      signalPassFailure();
  }
};

struct VerifyFusedPass : un0::impl::Un0VerifyFusedBase<VerifyFusedPass> {
  void runOnOperation() override {
    auto count = [&](Operation *op) {
      ++numOps;
      return isSupportedInFused(op);
    };
    if (failed(verifyPhase(getOperation(), "fused", count)))
      signalPassFailure();
  }
};

} // namespace
