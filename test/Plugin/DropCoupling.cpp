//===- DropCoupling.cpp - an ablation as a pass plugin ----------------------===//
//
// The example of docs/tutorials/write-a-pass.md, which quotes the marked regions.
//
//===----------------------------------------------------------------------===//

// [doc:include]
#include "dialects/Un0/IR/Un0.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Tools/Plugins/PassPlugin.h"

using namespace mlir;

namespace example {
#define GEN_PASS_DECL_DROPCOUPLING
#define GEN_PASS_DEF_DROPCOUPLING
#include "DropCouplingPasses.h.inc"
} // namespace example

namespace {
// [doc:end]

// [doc:origin]
/// The parameter that a coupling operand was read from, or null. A coupling that differs from sample to sample has been
/// gathered by class on the way.
un0::GetParamOp getOrigin(Value coupling) {
  if (auto gather = coupling.getDefiningOp<un0::SelectClassOp>())
    coupling = gather.getTable();
  return coupling.getDefiningOp<un0::GetParamOp>();
}
// [doc:end]

// [doc:pass]
struct DropCoupling : example::impl::DropCouplingBase<DropCoupling> {
  using DropCouplingBase::DropCouplingBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    auto symbol = module.lookupSymbol<un0::ParamOp>(param);
    if (!symbol) {
      module.emitError() << "there is no un0.param @" << param << " to drop";
      return signalPassFailure();
    }
    // Collected first: a walk must not lose the op it stands on.
    SmallVector<un0::CoupleOp> doomed;
    module.walk([&](un0::CoupleOp couple) {
      un0::GetParamOp origin = getOrigin(couple.getCoupling());
      if (origin && origin.getParam() == symbol.getSymName())
        doomed.push_back(couple);
    });
    for (un0::CoupleOp couple : doomed) {
      if (failed(drop(couple)))
        return signalPassFailure();
      ++dropped;
    }
  }

  /// Takes `couple` off the rates that sum it, then erases it. The parameter is left to canonicalization and symbol-dce.
  LogicalResult drop(un0::CoupleOp couple) {
    for (Operation *user : llvm::make_early_inc_range(couple->getUsers())) {
      auto rate = dyn_cast<un0::RateOp>(user);
      if (!rate)
        return user->emitError() << "uses the dropped coupling @" << param << " but is not un0.rate";
      SmallVector<Value> kept = llvm::filter_to_vector(rate.getTerms(), [&](Value term) {
        return term != couple.getResult();
      });
      rate.getTermsMutable().assign(kept);
    }
    couple.erase();
    return success();
  }
};
// [doc:end]

} // namespace

// [doc:entry]
extern "C" LLVM_ATTRIBUTE_WEAK PassPluginLibraryInfo mlirGetPassPluginInfo() {
  return {MLIR_PLUGIN_API_VERSION, "DropCoupling", "0.1.0", [] { PassRegistration<DropCoupling>(); }};
}
// [doc:end]
