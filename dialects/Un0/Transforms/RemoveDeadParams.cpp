//===- RemoveDeadParams.cpp - parameters that nothing reads -----*- C++ -*-===//

#include "dialects/Un0/Transforms/Passes.h"

namespace un0 {
#define GEN_PASS_DEF_UN0REMOVEDEADPARAMS
#include "dialects/Un0/Transforms/Passes.h.inc"
} // namespace un0

using namespace mlir;
using namespace un0;

namespace {

struct RemoveDeadParamsPass : un0::impl::Un0RemoveDeadParamsBase<RemoveDeadParamsPass> {
  void runOnOperation() override {
    SymbolTableCollection tables;
    SymbolUserMap users(tables, getOperation());
    for (ParamOp param : llvm::make_early_inc_range(getOperation().getOps<ParamOp>())) {
      if (!users.useEmpty(param))
        continue;
      param.erase();
      ++numRemoved;
    }
  }
};

} // namespace
