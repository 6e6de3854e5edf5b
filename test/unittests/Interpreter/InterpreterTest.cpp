//===- InterpreterTest.cpp - what each operation means ----------*- C++ -*-===//

#include "un0/Interpreter/Interpreter.h"
#include "TestModel.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <cmath>

using namespace un0;
using namespace un0::testing;
using ::testing::HasSubstr;

namespace {

template <typename T> Tensor<T> make(llvm::ArrayRef<int64_t> shape, std::vector<T> values) {
  Tensor<T> result(shape);
  EXPECT_EQ(result.data.size(), values.size());
  result.data = std::move(values);
  return result;
}

/// A function on two phases per sample; `body` makes %out : tensor<?xOUTxf32>.
std::string makeFunction(int64_t out, llvm::StringRef body) {
  return llvm::formatv(R"mlir(
    un0.param @K : tensor<2x2xf32> from "t" key "K"
    un0.param @half : tensor<2x2xf32> from "t" key "K" {{zero_diagonal, scale = 0.5}
    un0.param @omega : tensor<1x2xf32> from "t" key "omega"
    un0.param @table : tensor<2x2xf32> from "t" key "K"
    un0.param @cube : tensor<1x2x2xf32> from "t" key "K"
    func.func @generate(%theta: tensor<?x2xf32>, %phi: tensor<?x2xf32>, %label: tensor<?xi64>) -> tensor<?x{0}xf32> {{
      {1}
      return %out : tensor<?x{0}xf32>
    })mlir",
                       out, body)
      .str();
}

/// One sample of class 0.
const int64_t kLabel = 0;

const std::vector<double> kK = {0.5, 1.5, -2.0, 0.25};
const std::vector<double> kOmega = {0.75, -1.25};

llvm::Expected<Tensor<double>> loadParam(ParamOp param) {
  auto shape = llvm::cast<mlir::ShapedType>(param.getType()).getShape();
  return make<double>(shape, param.getKey() == "K" ? kK : kOmega);
}

class InterpreterTest : public ::testing::Test {
protected:
  llvm::Expected<Interpreter<double>::Outputs> run(const std::string &text,
                                                   const Tensor<double> &theta,
                                                   const Tensor<double> &phi,
                                                   llvm::ArrayRef<int64_t> labels) {
    module = parse(*context, text);
    if (!module)
      return llvm::createStringError("does not parse");
    Interpreter<double> interpreter(*module, loadParam);
    interpreter.setObserver(
        [&](int64_t step, llvm::ArrayRef<Tensor<double>>) { observed.push_back(step); });
    return interpreter.run(theta, phi, labels);
  }

  /// Values of one sample.
  std::vector<double> run(int64_t out, llvm::StringRef body, std::vector<double> theta,
                          int64_t label = 0) {
    auto outputs = run(makeFunction(out, body), make<double>({1, 2}, std::move(theta)),
                       make<double>({1, 2}, {0.5, 2}), label);
    EXPECT_TRUE(!!outputs) << (outputs ? "" : toString(outputs.takeError()));
    return outputs ? outputs->images.data : std::vector<double>();
  }

  std::string getError(const std::string &text, const Tensor<double> &theta,
                       const Tensor<double> &phi, llvm::ArrayRef<int64_t> labels) {
    auto outputs = run(text, theta, phi, labels);
    return outputs ? "no error" : toString(outputs.takeError());
  }

  void expectNear(const std::vector<double> &values, const std::vector<double> &expected) {
    ASSERT_EQ(values.size(), expected.size());
    for (auto [value, want] : llvm::zip_equal(values, expected))
      EXPECT_NEAR(value, want, 1e-14);
  }

  std::unique_ptr<mlir::MLIRContext> context = makeContext();
  mlir::OwningOpRef<mlir::ModuleOp> module;
  std::vector<int64_t> observed;
};

const char *const kTypes = " : tensor<2x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>";

TEST_F(InterpreterTest, CoupleSumsSinesOfSourceMinusTarget) {
  std::string body = std::string("%K = un0.get_param @K : tensor<2x2xf32>\n"
                                 "%out = un0.couple %K, %phi, %theta") +
                     kTypes;
  expectNear(run(2, body, {0.25, -1}), {0.5 * std::sin(0.25) + 1.5 * std::sin(1.75),
                                        -2.0 * std::sin(1.5) + 0.25 * std::sin(3.0)});
}

TEST_F(InterpreterTest, ParameterScaleAndZeroDiagonalAreApplied) {
  std::string body = std::string("%K = un0.get_param @half : tensor<2x2xf32>\n"
                                 "%out = un0.couple %K, %phi, %theta") +
                     kTypes;
  expectNear(run(2, body, {0.25, -1}), {0.75 * std::sin(1.75), -1.0 * std::sin(1.5)});
}

TEST_F(InterpreterTest, ZeroDiagonalLeavesOutTheOwnPhase) {
  // An infinite diagonal would make NaN of infinity times sin(0).
  std::string text =
      makeFunction(2, std::string("%K = un0.get_param @K : tensor<2x2xf32>\n"
                                  "%out = un0.couple %K, %theta, %theta {zero_diagonal}") +
                          kTypes);
  module = parse(*context, text);
  ASSERT_TRUE(module);
  Interpreter<double> interpreter(*module, [](ParamOp) -> llvm::Expected<Tensor<double>> {
    return make<double>({2, 2}, {INFINITY, 2.0, 3.0, INFINITY});
  });
  auto outputs =
      interpreter.run(make<double>({1, 2}, {0.5, 1.0}), make<double>({1, 2}, {0, 0}), kLabel);
  ASSERT_TRUE(!!outputs);
  expectNear(outputs->images.data, {2.0 * std::sin(0.5), 3.0 * std::sin(-0.5)});
}

TEST_F(InterpreterTest, LabelOutsideTheClassesSelectsZero) {
  llvm::StringRef body =
      "%T = un0.get_param @table : tensor<2x2xf32>\n"
      "%out = un0.select_class %T[%label] : tensor<2x2xf32>, tensor<?xi64> -> tensor<?x2xf32>";
  EXPECT_EQ(run(2, body, {0, 0}, 1), std::vector<double>({-2.0, 0.25}));
  EXPECT_EQ(run(2, body, {0, 0}, 2), std::vector<double>({0.0, 0.0}));
  EXPECT_EQ(run(2, body, {0, 0}, -1), std::vector<double>({0.0, 0.0}));
}

TEST_F(InterpreterTest, TableOfFewBitsHasWholeStepsPerSource) {
  llvm::StringRef body =
      "%T = un0.get_param @cube : tensor<1x2x2xf32>\n"
      "%d = un0.select_class %T[%label] {bits = 10 : i64} : tensor<1x2x2xf32>, tensor<?xi64> -> "
      "tensor<?x2x2xf32>\n"
      "%out = un0.couple %d, %phi, %theta : tensor<?x2x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>";
  // Columns {0.5, -2} in steps of 2/511 and {1.5, 0.25} in steps of 1.5/511; phi is {0.5, 2}.
  expectNear(run(2, body, {0.25, -1}), {128 * 2.0 / 511 * std::sin(0.25) + 1.5 * std::sin(1.75),
                                        -2.0 * std::sin(1.5) + 85 * 1.5 / 511 * std::sin(3.0)});
}

TEST_F(InterpreterTest, ReadoutNeverWrapsPhases) {
  auto readout = [&](const char *reference, const char *encoding, int64_t features) {
    return run(
        features,
        llvm::formatv("%out = un0.readout %theta reference({0}) encoding({1}) : tensor<?x2xf32> -> "
                      "tensor<?x{2}xf32>",
                      reference, encoding, features)
            .str(),
        {7.0, -2.0});
  };
  expectNear(readout("absolute", "raw", 2), {7.0, -2.0});
  expectNear(readout("mean", "raw", 2), {4.5, -4.5});
  expectNear(readout("oscillator", "raw", 2), {0.0, -9.0});
  expectNear(readout("pairwise", "raw", 4), {0.0, 9.0, -9.0, 0.0});
  expectNear(readout("mean", "sin", 2), {std::sin(4.5), std::sin(-4.5)});
  expectNear(readout("mean", "sin_cos", 4),
             {std::sin(4.5), std::sin(-4.5), std::cos(4.5), std::cos(-4.5)});
  expectNear(readout("pairwise", "sin_cos", 8),
             {0.0, std::sin(9.0), std::sin(-9.0), 0.0, 1.0, std::cos(9.0), std::cos(-9.0), 1.0});
}

/// Two oscillators that pull on each other with strength 1: their difference d obeys d' = -2 sin d
/// + const.
std::string evolve(llvm::StringRef solver, int64_t steps) {
  return llvm::formatv(R"mlir(
      %K = un0.get_param @K : tensor<2x2xf32>
      %w = un0.get_param @omega : tensor<1x2xf32>
      %out = un0.evolve(%t = %theta) solver({0}) steps({1}) time(1.0) : tensor<?x2xf32> {{
        %a = un0.couple %K, %t, %t : tensor<2x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>
        %dt = un0.rate of %t frequency %w terms(%a) : tensor<?x2xf32>, tensor<1x2xf32>
        un0.yield %dt : tensor<?x2xf32>
      })mlir",
                       solver, steps)
      .str();
}

using State = std::array<double, 2>;
State getRate(State s) {
  return {kOmega[0] + kK[1] * std::sin(s[1] - s[0]), kOmega[1] + kK[2] * std::sin(s[0] - s[1])};
}
State add(State s, std::initializer_list<std::pair<double, State>> terms) {
  for (auto [h, k] : terms)
    for (int i : {0, 1})
      s[i] += h * k[i];
  return s;
}

TEST_F(InterpreterTest, OneStepOfEachSolverIsItsTextbookFormula) {
  State s = {0.4, 2.5};
  State k1 = getRate(s);
  auto expect = [&](const char *solver, State want) {
    expectNear(run(2, evolve(solver, 1), {0.4, 2.5}), {want[0], want[1]});
  };
  expect("euler", add(s, {{1.0, k1}}));
  expect("heun", add(s, {{0.5, k1}, {0.5, getRate(add(s, {{1.0, k1}}))}}));
  {
    State k2 = getRate(add(s, {{1 / 3.0, k1}}));
    State k3 = getRate(add(s, {{-1 / 3.0, k1}, {1.0, k2}}));
    State k4 = getRate(add(s, {{1.0, k1}, {-1.0, k2}, {1.0, k3}}));
    expect("rk4", add(s, {{1 / 8.0, k1}, {3 / 8.0, k2}, {3 / 8.0, k3}, {1 / 8.0, k4}}));
  }
  State k2 = getRate(add(s, {{0.5, k1}})), k3 = getRate(add(s, {{0.5, k2}})),
        k4 = getRate(add(s, {{1.0, k3}}));
  expect("rk4_classic", add(s, {{1 / 6.0, k1}, {1 / 3.0, k2}, {1 / 3.0, k3}, {1 / 6.0, k4}}));
}

TEST_F(InterpreterTest, SolversConvergeWithTheirOrder) {
  std::vector<double> exact = run(2, evolve("rk4", 2000), {0.4, 2.5});
  for (auto [solver, order] :
       {std::pair<const char *, int>{"euler", 1}, {"heun", 2}, {"rk4", 4}, {"rk4_classic", 4}}) {
    auto getError = [&, solver = solver](int64_t steps) {
      std::vector<double> values = run(2, evolve(solver, steps), {0.4, 2.5});
      return std::hypot(values[0] - exact[0], values[1] - exact[1]);
    };
    EXPECT_NEAR(std::log2(getError(40) / getError(80)), order, 0.25) << solver;
  }
}

TEST_F(InterpreterTest, ObserverSeesEveryStep) {
  run(2, evolve("heun", 3), {0.4, 2.5});
  EXPECT_EQ(observed, (std::vector<int64_t>{1, 2, 3}));
}

TEST_F(InterpreterTest, NoStepsLeaveTheInitialPhases) {
  expectNear(run(2, evolve("rk4", 0), {0.4, 2.5}), {0.4, 2.5});
  EXPECT_TRUE(observed.empty());
}

TEST_F(InterpreterTest, DriftIsEvaluatedAtTheTimeOfTheStage) {
  // d theta/dt = sin(phi - theta) with phi a drift equals the same with phi a state.
  auto getBody = [](const char *solver, bool drift) {
    std::string states = drift ? "%t = %theta" : "%t = %theta, %p = %phi";
    std::string types = drift ? "tensor<?x2xf32>" : "tensor<?x2xf32>, tensor<?x2xf32>";
    return llvm::formatv(
               R"mlir(
      %K = un0.get_param @K : tensor<2x2xf32>
      %w = un0.get_param @omega : tensor<1x2xf32>
      %out{3} = un0.evolve({0}) solver({1}) steps(4) time(0.7) : {2} {{
        {4}
        %a = un0.couple %K, %p, %t : tensor<2x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>
        %dt = un0.rate of %t frequency %w terms(%a) : tensor<?x2xf32>, tensor<1x2xf32>
        {5}
      })mlir",
               states, solver, types, drift ? "" : ", %end",
               drift ? "%p = un0.drift %phi, %w : tensor<?x2xf32>, tensor<1x2xf32>" : "",
               drift ? "un0.yield %dt : tensor<?x2xf32>"
                     : "%dp = un0.rate of %p frequency %w : tensor<?x2xf32>, tensor<1x2xf32>\n"
                       "un0.yield %dt, %dp : tensor<?x2xf32>, tensor<?x2xf32>")
        .str();
  };
  for (const char *solver : {"euler", "heun", "rk4", "rk4_classic"})
    expectNear(run(2, getBody(solver, true), {0.4, 2.5}),
               run(2, getBody(solver, false), {0.4, 2.5}));
}

/// A function of an NHWC image of 1 x height x 2 x 1 made of the phases.
std::string makeImageFunction(int64_t out, llvm::StringRef body) {
  return makeFunction(out, llvm::formatv(R"mlir(
      %scale = tosa.const_shape {{values = dense<[4, 2, 4, 2]> : tensor<4xindex>} : () -> !tosa.shape<4>
      %three = tosa.const_shape {{values = dense<[6, 2, 6, 2]> : tensor<4xindex>} : () -> !tosa.shape<4>
      %offset = tosa.const_shape {{values = dense<-1> : tensor<2xindex>} : () -> !tosa.shape<2>
      %zero = tosa.const_shape {{values = dense<0> : tensor<2xindex>} : () -> !tosa.shape<2>
      %border = tosa.const_shape {{values = dense<1> : tensor<2xindex>} : () -> !tosa.shape<2>
      %shape = tosa.const_shape {{values = dense<[-1, 1, 2, 1]> : tensor<4xindex>} : () -> !tosa.shape<4>
      %flat = tosa.const_shape {{values = dense<[-1, {0}]> : tensor<2xindex>} : () -> !tosa.shape<2>
      %x = tosa.reshape %theta, %shape : (tensor<?x2xf32>, !tosa.shape<4>) -> tensor<?x1x2x1xf32>
      {1})mlir",
                                         out, body)
                               .str());
}

TEST_F(InterpreterTest, ResizeWithTheImportersNumbersRepeatsEveryPixel) {
  auto outputs = run(makeImageFunction(8, R"mlir(
      %y = tosa.resize %x, %scale, %offset, %border {mode = NEAREST_NEIGHBOR}
          : (tensor<?x1x2x1xf32>, !tosa.shape<4>, !tosa.shape<2>, !tosa.shape<2>) -> tensor<?x2x4x1xf32>
      %out = tosa.reshape %y, %flat : (tensor<?x2x4x1xf32>, !tosa.shape<2>) -> tensor<?x8xf32>)mlir"),
                     make<double>({1, 2}, {3, 5}), make<double>({1, 2}, {0, 0}), kLabel);
  ASSERT_TRUE(!!outputs) << toString(outputs.takeError());
  EXPECT_EQ(outputs->images.data, (std::vector<double>{3, 3, 5, 5, 3, 3, 5, 5}));
}

TEST_F(InterpreterTest, ResizeRoundsHalvesUp) {
  // Scale 2 without offset: output 1 lies half-way between pixels 0 and 1.
  auto outputs = run(makeImageFunction(3, R"mlir(
      %y = tosa.resize %x, %scale, %zero, %zero {mode = NEAREST_NEIGHBOR}
          : (tensor<?x1x2x1xf32>, !tosa.shape<4>, !tosa.shape<2>, !tosa.shape<2>) -> tensor<?x1x3x1xf32>
      %out = tosa.reshape %y, %flat : (tensor<?x1x3x1xf32>, !tosa.shape<2>) -> tensor<?x3xf32>)mlir"),
                     make<double>({1, 2}, {3, 5}), make<double>({1, 2}, {0, 0}), kLabel);
  ASSERT_TRUE(!!outputs) << toString(outputs.takeError());
  EXPECT_EQ(outputs->images.data, (std::vector<double>{3, 5, 5}));
}

TEST_F(InterpreterTest, UnsupportedOperationIsNamed) {
  std::string text =
      makeFunction(2, "%out = tosa.sin %theta : (tensor<?x2xf32>) -> tensor<?x2xf32>");
  EXPECT_EQ(getError(text, make<double>({1, 2}, {0, 0}), make<double>({1, 2}, {0, 0}), kLabel),
            "the interpreter does not support tosa.sin");
}

TEST_F(InterpreterTest, InputsThatDoNotFitAreRefused) {
  std::string text =
      makeFunction(2, "%out = tosa.tanh %theta : (tensor<?x2xf32>) -> tensor<?x2xf32>");
  Tensor<double> one({1, 2}), two({2, 2}), wide({1, 3}), torn({1, 2});
  torn.data.resize(1);
  EXPECT_EQ(getError(text, wide, one, kLabel), "theta0 is 1 x 3 but @generate takes ? x 2");
  EXPECT_EQ(getError(text, one, wide, kLabel), "phi0 is 1 x 3 but @generate takes ? x 2");
  EXPECT_EQ(getError(text, two, two, kLabel), "theta0 is for a batch of 2 but there are 1 labels");
  EXPECT_EQ(getError(text, torn, one, kLabel), "theta0 is 1 x 2 but holds 1 values");
  EXPECT_EQ(getError("module {}", one, one, kLabel), "the module has no function @generate");
}

TEST_F(InterpreterTest, FailingLoaderIsReported) {
  module = parse(*context, makeFunction(2, evolve("euler", 1)));
  ASSERT_TRUE(module);
  Interpreter<double> interpreter(*module, [](ParamOp) -> llvm::Expected<Tensor<double>> {
    return llvm::createStringError("no such tensor");
  });
  Tensor<double> one({1, 2});
  auto outputs = interpreter.run(one, one, kLabel);
  ASSERT_FALSE(!!outputs);
  EXPECT_EQ(toString(outputs.takeError()), "no such tensor");
}

TEST_F(InterpreterTest, ArchiveLoaderNamesWhatIsMissing) {
  std::string archive = UN0_TEST_MODELS "/fashion_n1024/fashion_n1024.safetensors";
  auto getLoadError = [&](const char *param) {
    module = parse(*context, llvm::formatv(param, archive).str());
    auto loaded = getArchiveLoader<double>(std::make_shared<ArchiveSet>(archive))(
        *module->getOps<ParamOp>().begin());
    return loaded ? "no error" : toString(loaded.takeError());
  };
  EXPECT_THAT(getLoadError("un0.param @P : tensor<2x2xf32> from \"{0}\" key \"nothing\""),
              HasSubstr("has no tensor 'nothing' for parameter @P"));
  EXPECT_THAT(getLoadError("un0.param @P : tensor<2x2xf32> from \"{0}\" key \"dynamics.K\""),
              HasSubstr("is 1024 x 1024 but parameter @P is 2 x 2"));
}

} // namespace
