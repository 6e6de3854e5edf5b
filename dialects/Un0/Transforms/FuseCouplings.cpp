//===- FuseCouplings.cpp - one pass over each coupling ----------*- C++ -*-===//

#include "dialects/Un0/Transforms/Passes.h"
#include "mlir/IR/PatternMatch.h"

namespace un0 {
#define GEN_PASS_DEF_UN0FUSECOUPLINGS
#include "dialects/Un0/Transforms/Passes.h.inc"
} // namespace un0

using namespace mlir;
using namespace un0;

namespace {

struct FuseCouplingsPass : un0::impl::Un0FuseCouplingsBase<FuseCouplingsPass> {
  void runOnOperation() override {
    symbols.emplace(getOperation());
    getOperation().walk([&](EvolveOp evolve) { fuse(evolve); });
    symbols.reset();
  }

  void fuse(EvolveOp evolve) {
    waves.clear();
    SmallVector<RateOp> rates(evolve.getBody().front().getOps<RateOp>());
    for (RateOp rate : rates)
      fuse(rate);
  }

  void fuse(RateOp rate) {
    SmallVector<CoupleOp> couples;
    SmallVector<Value> couplings;
    IRRewriter rewriter(rate);
    for (Value term : rate.getTerms()) {
      auto couple = term.getDefiningOp<CoupleOp>();
      Value coupling = couple && couple.getTarget() == rate.getState()
                           ? withoutDiagonal(rewriter, couple)
                           : Value();
      if (!coupling) {
        ++numMissed;
        return;
      }
      couples.push_back(couple);
      couplings.push_back(coupling);
    }
    SmallVector<Value> sines, cosines;
    for (CoupleOp couple : couples) {
      SinCosOp source = getWaves(rewriter, couple.getSource());
      sines.push_back(source.getSine());
      cosines.push_back(source.getCosine());
    }
    SinCosOp target = getWaves(rewriter, rate.getState());
    rewriter.setInsertionPoint(rate);
    rewriter.replaceOpWithNewOp<FusedRateOp>(
        rate, rate.getResult().getType(), target.getSine(), target.getCosine(), rate.getFrequency(),
        couplings, sines, cosines, /*precisions=*/ArrayAttr(),
        /*drains=*/DenseI64ArrayAttr(), /*groups=*/DenseI64ArrayAttr());
    for (CoupleOp couple : couples)
      if (couple.use_empty())
        rewriter.eraseOp(couple);
    ++numRates;
    numCouplings += couples.size();
  }

  /// Sine and cosine of a population, computed where it becomes known.
  SinCosOp getWaves(RewriterBase &rewriter, Value phases) {
    SinCosOp &known = waves[phases];
    if (!known) {
      rewriter.setInsertionPointAfterValue(phases);
      known =
          SinCosOp::create(rewriter, phases.getLoc(), phases.getType(), phases.getType(), phases);
    }
    return known;
  }

  /// The coupling of `couple` with its diagonal zero if `couple` wants so; null if it is computed
  /// and cannot be changed.
  Value withoutDiagonal(RewriterBase &rewriter, CoupleOp couple) {
    if (!couple.getZeroDiagonal())
      return couple.getCoupling();
    auto get = couple.getCoupling().getDefiningOp<GetParamOp>();
    auto param = get ? symbols->lookup<ParamOp>(get.getParam()) : ParamOp();
    if (!param)
      return {};
    if (param.getZeroDiagonal())
      return couple.getCoupling();
    // Others read the diagonal, or canonicalization would have moved the attribute.
    ParamOp &copy = copies[param];
    if (!copy) {
      copy = param.clone();
      copy.setSymName((param.getSymName() + "_zero_diagonal").str());
      copy.setZeroDiagonal(true);
      symbols->insert(copy, std::next(param->getIterator()));
      ++numCopies;
    }
    rewriter.setInsertionPoint(get);
    return GetParamOp::create(rewriter, get.getLoc(), get.getResult().getType(), copy.getSymName());
  }

  std::optional<SymbolTable> symbols;
  DenseMap<Value, SinCosOp> waves;
  DenseMap<ParamOp, ParamOp> copies;
};

} // namespace
