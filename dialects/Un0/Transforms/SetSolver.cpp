//===- SetSolver.cpp - override how equations are integrated ----*- C++ -*-===//

#include "dialects/Un0/Transforms/Passes.h"
#include <cmath>

namespace un0 {
#define GEN_PASS_DEF_UN0SETSOLVER
#include "dialects/Un0/Transforms/Passes.h.inc"
} // namespace un0

using namespace mlir;
using namespace un0;

namespace {

struct SetSolverPass : un0::impl::Un0SetSolverBase<SetSolverPass> {
  using Un0SetSolverBase::Un0SetSolverBase;

  void runOnOperation() override {
    std::optional<Solver> wanted;
    if (!solver.empty()) {
      // Flags are kebab-case, the assembly is not.
      std::string name = solver;
      std::replace(name.begin(), name.end(), '-', '_');
      wanted = symbolizeSolver(name);
      if (!wanted) {
        getOperation().emitError() << "unknown solver '" << solver.getValue()
                                   << "', expected euler, heun, rk4 or rk4-classic";
        return signalPassFailure();
      }
    }
    if (std::isinf(time)) {
      getOperation().emitError("time must be finite");
      return signalPassFailure();
    }
    getOperation().walk([&](EvolveOp evolve) {
      auto before =
          std::make_tuple(evolve.getSolverAttr(), evolve.getStepsAttr(), evolve.getTimeAttr());
      if (wanted)
        evolve.setSolver(*wanted);
      if (steps >= 0)
        evolve.setSteps(steps);
      if (!std::isnan(time))
        evolve.setTime(APFloat(time.getValue()));
      if (before !=
          std::make_tuple(evolve.getSolverAttr(), evolve.getStepsAttr(), evolve.getTimeAttr()))
        ++numChanged;
    });
  }
};

} // namespace
