//===- Un0Folds.cpp - folders and canonicalizations -------------*- C++ -*-===//

#include "dialects/Un0/IR/Un0.h"
#include "mlir/IR/PatternMatch.h"
#include "llvm/ADT/BitVector.h"

using namespace mlir;
using namespace un0;

ParamOp un0::getParameter(Value value) {
  if (auto select = value.getDefiningOp<SelectClassOp>())
    value = select.getTable();
  auto get = value.getDefiningOp<GetParamOp>();
  return get ? SymbolTable::lookupNearestSymbolFrom<ParamOp>(get, get.getParamAttr()) : ParamOp();
}

StringRef un0::getOperatorName(un0::Conv2DOp conv) {
  ParamOp param = getParameter(conv.getWeight());
  return param ? param.getSymName() : StringRef();
}

//===----------------------------------------------------------------------===//
// un0.evolve
//===----------------------------------------------------------------------===//

LogicalResult EvolveOp::fold(FoldAdaptor, SmallVectorImpl<OpFoldResult> &results) {
  if (getSteps() != 0 || getNumResults() == 0)
    return failure();
  llvm::append_range(results, getInitial());
  return success();
}

void un0::eraseDynamics(EvolveOp evolve) {
  auto func = evolve->getParentOfType<func::FuncOp>();
  for (auto [result, initial] : llvm::zip_equal(evolve.getResults(), evolve.getInitial()))
    result.replaceAllUsesWith(initial);
  evolve.erase();
  SmallVector<Operation *> ops;
  for (Operation &op : llvm::reverse(func.getBody().front()))
    ops.push_back(&op);
  for (Operation *op : ops)
    if (isOpTriviallyDead(op))
      op->erase();
}

EvolveOp un0::eraseStates(RewriterBase &rewriter, EvolveOp evolve, const llvm::BitVector &kept) {
  OpBuilder::InsertionGuard guard(rewriter);
  Block &body = evolve.getBody().front();
  YieldOp yield = evolve.getYield();
  SmallVector<Value> initial, rates;
  for (unsigned state : kept.set_bits()) {
    initial.push_back(evolve.getInitial()[state]);
    rates.push_back(yield.getRates()[state]);
  }
  rewriter.modifyOpInPlace(yield, [&] { yield.getRatesMutable().assign(rates); });
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(body)))
    if (isOpTriviallyDead(&op))
      rewriter.eraseOp(&op);

  rewriter.setInsertionPoint(evolve);
  auto slim = EvolveOp::create(rewriter, evolve.getLoc(), TypeRange(ValueRange(initial)), initial,
                               evolve.getSolverAttr(), evolve.getStepsAttr(), evolve.getTimeAttr());
  slim->setDiscardableAttrs(evolve->getDiscardableAttrDictionary());
  rewriter.inlineRegionBefore(evolve.getBody(), slim.getBody(), slim.getBody().end());
  // The rewriter must know that users change; erasing an argument that is still used would be an
  // error of the caller.
  llvm::BitVector dropped = kept;
  dropped.flip();
  rewriter.modifyOpInPlace(slim, [&] { slim.getBody().front().eraseArguments(dropped); });
  SmallVector<Value> replacements(evolve.getInitial());
  for (auto [index, state] : llvm::enumerate(kept.set_bits()))
    replacements[state] = slim.getResult(index);
  rewriter.replaceOp(evolve, replacements);
  return slim;
}

namespace {

/// Takes out states that nobody reads: neither outside nor in the rate of a state that somebody
/// reads.
struct DropUnreadStates : OpRewritePattern<EvolveOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(EvolveOp evolve, PatternRewriter &rewriter) const override {
    Block &body = evolve.getBody().front();
    if (!llvm::all_of(body, [](Operation &op) { return isMemoryEffectFree(&op); }))
      return failure();
    YieldOp yield = evolve.getYield();
    llvm::BitVector read(evolve.getNumResults());
    SmallVector<Value> reached;
    DenseSet<Value> seen;
    auto markRead = [&](unsigned state) {
      if (!read[state])
        reached.push_back(yield.getRates()[state]);
      read.set(state);
    };
    for (OpResult result : evolve.getResults())
      if (!result.use_empty())
        markRead(result.getResultNumber());
    while (!reached.empty()) {
      Value value = reached.pop_back_val();
      if (!seen.insert(value).second)
        continue;
      if (auto argument = dyn_cast<BlockArgument>(value)) {
        if (argument.getOwner() == &body)
          markRead(argument.getArgNumber());
        continue;
      }
      if (!evolve.getBody().isAncestor(value.getParentRegion()))
        continue;
      // Nested regions may read anything: keep it simple and ask for none.
      if (value.getDefiningOp()->getNumRegions())
        return failure();
      llvm::append_range(reached, value.getDefiningOp()->getOperands());
    }
    if (read.all() || read.none()) // an evolve that nobody reads is dead anyway
      return failure();

    eraseStates(rewriter, evolve, read);
    return success();
  }
};

} // namespace

void EvolveOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<DropUnreadStates>(context);
}

//===----------------------------------------------------------------------===//
// un0.param
//===----------------------------------------------------------------------===//

namespace {

/// Moves `zero_diagonal` from the couplings to the parameter, where it is applied once. A coupling
/// of a population to itself without the attribute allows that too: its diagonal meets sin(0).
struct FoldZeroDiagonal : OpRewritePattern<ParamOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(ParamOp param, PatternRewriter &rewriter) const override {
    Operation *scope = param->getParentOp();
    if (!scope)
      return failure();
    auto uses = SymbolTable::getSymbolUses(param, scope);
    if (!uses)
      return failure();
    SmallVector<CoupleOp> couples;
    for (SymbolTable::SymbolUse use : *uses) {
      auto get = dyn_cast<GetParamOp>(use.getUser());
      if (!get)
        return failure();
      for (OpOperand &operand : get.getResult().getUses()) {
        auto couple = dyn_cast<CoupleOp>(operand.getOwner());
        if (!couple || operand.get() != couple.getCoupling() ||
            couple.getSource() != couple.getTarget())
          return failure();
        couples.push_back(couple);
      }
    }
    if (llvm::none_of(couples, [](CoupleOp couple) { return couple.getZeroDiagonal(); }))
      return failure();
    rewriter.modifyOpInPlace(param, [&] { param.setZeroDiagonal(true); });
    for (CoupleOp couple : couples)
      rewriter.modifyOpInPlace(couple, [&] { couple.setZeroDiagonal(false); });
    return success();
  }
};

} // namespace

void ParamOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<FoldZeroDiagonal>(context);
}

//===----------------------------------------------------------------------===//
// un0.rate
//===----------------------------------------------------------------------===//

/// Whether a coupling is zero whatever the phases are: of no sources, of one oscillator to itself,
/// or a parameter scaled by 0.
static bool isZeroCoupling(Value term) {
  auto couple = term.getDefiningOp<CoupleOp>();
  if (!couple)
    return false;
  ParamOp param = getParameter(couple.getCoupling());
  if (param && param.getScale() && param.getScale()->isZero())
    return true;
  auto type = cast<ShapedType>(couple.getCoupling().getType());
  if (type.getShape().back() == 0)
    return true;
  bool noDiagonal = couple.getZeroDiagonal() || (param && param.getZeroDiagonal());
  return noDiagonal &&
         llvm::all_of(type.getShape().take_back(2), [](int64_t size) { return size == 1; });
}

namespace {

struct DropZeroCouplings : OpRewritePattern<RateOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(RateOp rate, PatternRewriter &rewriter) const override {
    SmallVector<Value> kept(
        llvm::make_filter_range(rate.getTerms(), [](Value term) { return !isZeroCoupling(term); }));
    if (kept.size() == rate.getTerms().size())
      return failure();
    rewriter.modifyOpInPlace(rate, [&] { rate.getTermsMutable().assign(kept); });
    return success();
  }
};

} // namespace

void RateOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<DropZeroCouplings>(context);
}
