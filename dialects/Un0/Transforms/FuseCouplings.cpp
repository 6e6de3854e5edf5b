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
    copies.clear();
    getOperation().walk([&](EvolveOp evolve) { fuse(evolve); });
  }

  void fuse(EvolveOp evolve) {
    waves.clear();
    SmallVector<RateOp> rates(evolve.getBody().front().getOps<RateOp>());
    for (RateOp rate : rates)
      fuse(rate);
  }

  void fuse(RateOp rate) {
    SmallVector<CoupleOp> couples;
    for (Value term : rate.getTerms()) {
      auto couple = term.getDefiningOp<CoupleOp>();
      if (!couple || couple.getTarget() != rate.getState() ||
          (couple.getZeroDiagonal() && !getShared(couple))) {
        ++numMissed;
        return;
      }
      couples.push_back(couple);
    }
    IRRewriter rewriter(rate);
    SmallVector<Value> couplings, sines, cosines;
    for (CoupleOp couple : couples) {
      couplings.push_back(withoutDiagonal(rewriter, couple));
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

  /// The parameter that couples all samples alike; null if there is none.
  static ParamOp getShared(CoupleOp couple) {
    auto get = couple.getCoupling().getDefiningOp<GetParamOp>();
    return get ? getParameter(get) : ParamOp();
  }

  /// The coupling of `couple`, with its diagonal zero if it couples a population to itself: what
  /// stands there meets sin(0), but rounded waves would not cancel, and it would set the steps of a
  /// quantized row. One that is computed stays as it is.
  Value withoutDiagonal(RewriterBase &rewriter, CoupleOp couple) {
    ParamOp param = getShared(couple);
    if (!param || param.getZeroDiagonal() || couple.getSource() != couple.getTarget())
      return couple.getCoupling();
    // Others read the diagonal, or canonicalization would have moved the attribute.
    ParamOp &copy = copies[param];
    if (!copy) {
      copy = param.clone();
      copy.setSymName((param.getSymName() + "_zero_diagonal").str());
      copy.setZeroDiagonal(true);
      SymbolTable(param->getParentOp()).insert(copy, std::next(param->getIterator()));
      ++numCopies;
    }
    auto get = couple.getCoupling().getDefiningOp<GetParamOp>();
    rewriter.setInsertionPoint(get);
    return GetParamOp::create(rewriter, get.getLoc(), get.getResult().getType(), copy.getSymName());
  }

  DenseMap<Value, SinCosOp> waves;
  DenseMap<ParamOp, ParamOp> copies;
};

} // namespace
