//===- ParityTest.cpp - the fused phase means what the model phase means ----===//

#include "TestModel.h"
#include "dialects/Un0/Transforms/Passes.h"
#include "mlir/Pass/PassManager.h"
#include "gtest/gtest.h"

using namespace un0;
using namespace un0::testing;

namespace {

/// Oscillators, conditioning oscillators, steps, solver, reference, encoding.
using Variant = std::tuple<int64_t, int64_t, int64_t, const char *, const char *, const char *>;

class Parity : public ::testing::TestWithParam<Variant> {};

TEST_P(Parity, FusedEqualsModelInF64) {
  TestModel model;
  std::tie(model.oscillators, model.conditioning, model.steps, model.solver, model.reference,
           model.encoding) = GetParam();
  model.scale = 0.75;
  auto context = makeContext();
  auto module = parse(*context, model.print());
  ASSERT_TRUE(module);
  // The last label is outside the classes: unconditional.
  int64_t labels[] = {0, 2, 1, 3};
  auto theta0 = makeValues<double>("theta0", {4, model.oscillators}, 12.0);
  auto phi0 = makeValues<double>("phi0", {4, model.conditioning}, 3.0);
  auto before = Interpreter<double>(*module, makeLoader<double>()).run(theta0, phi0, labels);
  ASSERT_TRUE(!!before) << toString(before.takeError());

  mlir::PassManager pm(context.get());
  buildFusePipeline(pm);
  ASSERT_TRUE(mlir::succeeded(pm.run(*module)));
  EXPECT_EQ((*module)->getAttr(kPhaseAttr), mlir::StringAttr::get(context.get(), "fused"));
  int64_t states = 0;
  module->walk([&](EvolveOp evolve) { states += evolve.getNumResults(); });
  EXPECT_EQ(states, model.steps == 0 ? 0 : model.conditioning == 1 ? 1 : 2);

  auto after = Interpreter<double>(*module, makeLoader<double>()).run(theta0, phi0, labels);
  ASSERT_TRUE(!!after) << toString(after.takeError());
  EXPECT_LT(getMaxDifference(before->theta, after->theta), 1e-12);
  EXPECT_LT(getMaxDifference(before->features, after->features), 1e-12);
  EXPECT_LT(getMaxDifference(before->images, after->images), 1e-12);
  // Not a comparison of zeros, and the model did move the phases.
  EXPECT_GT(getMaxDifference(before->images, Tensor<double>(before->images.shape)), 1e-3);
  if (model.steps)
    EXPECT_GT(getMaxDifference(before->theta, theta0), 1e-2);
}

std::string getName(const ::testing::TestParamInfo<Variant> &info) {
  auto [n, m, steps, solver, reference, encoding] = info.param;
  return llvm::formatv("n{0}m{1}_{2}x{3}_{4}_{5}", n, m, steps, solver, reference, encoding).str();
}

INSTANTIATE_TEST_SUITE_P(
    Solvers, Parity,
    ::testing::Combine(::testing::Values(16, 52), ::testing::Values(1, 8),
                       ::testing::Values(0, 1, 3),
                       ::testing::Values("euler", "heun", "rk4", "rk4_classic"),
                       ::testing::Values("mean"), ::testing::Values("sin_cos")),
    getName);

INSTANTIATE_TEST_SUITE_P(Readouts, Parity,
                         ::testing::Combine(::testing::Values(52), ::testing::Values(8),
                                            ::testing::Values(2), ::testing::Values("euler"),
                                            ::testing::Values("absolute", "mean", "oscillator",
                                                              "pairwise"),
                                            ::testing::Values("raw", "sin", "sin_cos")),
                         getName);

} // namespace
