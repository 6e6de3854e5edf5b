//===- QuantizeCouplings.cpp - precisions of couplings ----------*- C++ -*-===//

#include "dialects/Un0/Transforms/Passes.h"
#include "llvm/ADT/StringSet.h"

namespace un0 {
#define GEN_PASS_DEF_UN0QUANTIZECOUPLINGS
#include "dialects/Un0/Transforms/Passes.h.inc"
} // namespace un0

using namespace mlir;
using namespace un0;

void un0::quantizeTables(ModuleOp module) {
  llvm::SmallPtrSet<Operation *, 2> coarse;
  module.walk([&](FusedRateOp rate) {
    bool bytes = false;
    for (unsigned term = 0; term < rate.getCouplings().size(); ++term)
      bytes |= llvm::is_contained({Precision::Int8, Precision::Int4}, rate.getPrecision(term));
    for (Value coupling : rate.getCouplings())
      if (auto select = coupling.getDefiningOp<SelectClassOp>(); select && bytes)
        coarse.insert(select);
  });
  module.walk([&](SelectClassOp select) {
    bool fits = cast<ShapedType>(select.getTable().getType()).getRank() == 3;
    if (fits && coarse.contains(select))
      select.setBits(kTableBits);
    else
      select.removeBitsAttr();
  });
}

namespace {
struct QuantizeCouplingsPass : un0::impl::Un0QuantizeCouplingsBase<QuantizeCouplingsPass> {
  using Base::Base;

  void runOnOperation() override {
    std::optional<Precision> wanted = symbolizePrecision(precision);
    if (!wanted) {
      getOperation().emitError("precision '")
          << precision << "' is not one of f32, int16, bf16, int8, int4";
      return signalPassFailure();
    }
    if (int4Group && int4Group != kLevelGroup) {
      getOperation().emitError("int4-group is ")
          << int64_t(int4Group) << "; there are 0 and " << kLevelGroup;
      return signalPassFailure();
    }
    llvm::StringSet<> chosen;
    for (const std::string &name : params) {
      if (!getOperation().lookupSymbol<ParamOp>(name)) {
        getOperation().emitError("there is no parameter @") << name << " to quantize";
        return signalPassFailure();
      }
      chosen.insert(name);
    }
    getOperation().walk([&](FusedRateOp rate) {
      SmallVector<Precision> precisions;
      for (auto [term, coupling] : llvm::enumerate(rate.getCouplings())) {
        auto get = coupling.getDefiningOp<GetParamOp>();
        bool selected = chosen.empty() || (get && chosen.contains(get.getParam()));
        Precision result = selected ? choose(coupling, *wanted) : rate.getPrecision(term);
        precisions.push_back(result);
      }
      rate.quantize(precisions, int4Group);
    });
    quantizeTables(getOperation());
    getOperation().walk([&](SelectClassOp select) { numTables += select.getBits().has_value(); });
  }

  Precision choose(Value coupling, Precision wanted) {
    ArrayRef<int64_t> shape = cast<ShapedType>(coupling.getType()).getShape();
    if (wanted == Precision::F32)
      return wanted;
    if (shape.size() != 2 || shape[1] < minSources) {
      ++numMissed;
      return Precision::F32;
    }
    ++numQuantized;
    if (wanted == Precision::Int4 && shape[1] % 8) {
      ++numWidened;
      return Precision::Int8;
    }
    return wanted;
  }
};
} // namespace
