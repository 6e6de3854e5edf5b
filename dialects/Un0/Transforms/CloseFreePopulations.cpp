//===- CloseFreePopulations.cpp - straight lines in time --------*- C++ -*-===//

#include "dialects/Un0/Transforms/Passes.h"
#include "mlir/IR/PatternMatch.h"
#include "llvm/ADT/BitVector.h"

namespace un0 {
#define GEN_PASS_DEF_UN0CLOSEFREEPOPULATIONS
#include "dialects/Un0/Transforms/Passes.h.inc"
} // namespace un0

using namespace mlir;
using namespace un0;

namespace {

struct CloseFreePopulationsPass : un0::impl::Un0CloseFreePopulationsBase<CloseFreePopulationsPass> {
  void runOnOperation() override {
    SmallVector<EvolveOp> evolves;
    getOperation().walk([&](EvolveOp evolve) { evolves.push_back(evolve); });
    for (EvolveOp evolve : evolves)
      close(evolve);
  }

  void close(EvolveOp evolve) {
    Block &body = evolve.getBody().front();
    llvm::BitVector kept(evolve.getNumResults(), true);
    SmallVector<RateOp> rates(evolve.getNumResults());
    for (auto [i, value] : llvm::enumerate(evolve.getYield().getRates())) {
      auto rate = value.getDefiningOp<RateOp>();
      if (!rate || !rate.getTerms().empty() || !evolve.isDefinedOutsideOfLoop(rate.getFrequency()))
        continue;
      if (!evolve.getResult(i).use_empty()) {
        ++numMissed;
        continue;
      }
      rates[i] = rate;
      kept.reset(i);
    }
    if (kept.all() ||
        kept.none()) // an evolve whose results nobody reads is dead code, not a free population
      return;
    IRRewriter rewriter(evolve.getContext());
    rewriter.setInsertionPointToStart(&body);
    for (auto [i, rate] : llvm::enumerate(rates)) {
      if (!rate)
        continue;
      BlockArgument argument = body.getArgument(i);
      auto drift = DriftOp::create(rewriter, rate.getLoc(), argument.getType(),
                                   evolve.getInitial()[i], rate.getFrequency());
      rewriter.replaceAllUsesWith(argument, drift.getResult());
      ++numClosed;
    }
    eraseStates(rewriter, evolve, kept);
  }
};

} // namespace
