//===- GoldenTest.cpp - the bundled model against its oracle ----*- C++ -*-===//
//
// golden.safetensors was made by an independent f64 program with literal sums
// (test/models/fashion_n1024/MODEL.md).
//
//===----------------------------------------------------------------------===//

#include "TestModel.h"
#include "dialects/Un0/Transforms/Passes.h"
#include "mlir/Pass/PassManager.h"
#include "gtest/gtest.h"
#include <cmath>

using namespace un0;
using namespace un0::testing;

namespace {

const char *const kModel = UN0_TEST_MODELS "/fashion_n1024/fashion_n1024.safetensors";
const char *const kGolden = UN0_TEST_MODELS "/fashion_n1024/golden.safetensors";
constexpr int64_t kLabels[] = {1, 5, 7, 8};
constexpr int64_t kSteps = 10;

struct Errors {
  double phase = 0, features = 0, images = 0;
};

class Golden : public ::testing::Test {
protected:
  void SetUp() override {
    context = makeContext();
    auto archive = Archive::open(kGolden);
    ASSERT_TRUE(!!archive) << toString(archive.takeError());
    golden = *archive;
    auto imported = importModel(kModel, *context);
    ASSERT_TRUE(!!imported) << toString(imported.takeError());
    module = std::move(*imported);
  }

  template <typename T> Tensor<T> load(llvm::StringRef key) {
    const StoredTensor *stored = golden->find(key);
    EXPECT_NE(stored, nullptr) << key.str();
    Tensor<double> values(stored->shape);
    stored->readF64(0, values.data);
    Tensor<T> result(stored->shape);
    std::copy(values.data.begin(), values.data.end(), result.data.begin());
    return result;
  }

  template <typename T>
  static double compare(llvm::ArrayRef<T> values, llvm::ArrayRef<double> expected) {
    if (values.size() != expected.size())
      return INFINITY;
    double error = 0;
    for (auto [value, want] : llvm::zip_equal(values, expected)) {
      if (!std::isfinite(value))
        return INFINITY;
      error = std::max(error, std::abs(value - want));
    }
    return error;
  }

  /// Largest absolute errors over all steps.
  template <typename T> Errors run() {
    Tensor<double> trajectory = load<double>("theta_t");
    llvm::ArrayRef<double> expected = trajectory.data;
    size_t size = expected.size() / (kSteps + 1);
    Errors errors;
    int64_t steps = 0;
    Interpreter<T> interpreter(*module, getArchiveLoader<T>(std::make_shared<ArchiveSet>(kModel)));
    interpreter.setObserver([&](int64_t step, llvm::ArrayRef<Tensor<T>> states) {
      EXPECT_EQ(step, ++steps);
      errors.phase =
          std::max(errors.phase, compare<T>(states[0].data, expected.slice(step * size, size)));
    });
    auto outputs = interpreter.run(load<T>("theta0"), load<T>("phi0"), kLabels);
    EXPECT_TRUE(!!outputs) << (outputs ? "" : toString(outputs.takeError()));
    if (!outputs)
      return {INFINITY, INFINITY, INFINITY};
    EXPECT_EQ(steps, kSteps);
    errors.phase =
        std::max(errors.phase, compare<T>(outputs->theta.data, expected.take_back(size)));
    errors.features = compare<T>(outputs->features.data, load<double>("features").data);
    errors.images = compare<T>(outputs->images.data, load<double>("images").data);
    return errors;
  }

  void fuse() {
    mlir::PassManager pm(context.get());
    buildFusePipeline(pm);
    ASSERT_TRUE(mlir::succeeded(pm.run(*module)));
  }

  std::unique_ptr<mlir::MLIRContext> context;
  std::shared_ptr<Archive> golden;
  mlir::OwningOpRef<mlir::ModuleOp> module;
};

// The slope 0.2 of the leaky ReLU is an f32 in the IR and an f64 in the oracle: 3e-9 apart, which
// images show.
constexpr double kSlopeError = 2e-7;

TEST_F(Golden, ModelInF64AgreesAtEveryStep) {
  Errors errors = run<double>();
  EXPECT_LT(errors.phase, 1e-12);
  EXPECT_LT(errors.features, 1e-12);
  EXPECT_LT(errors.images, kSlopeError);
}

TEST_F(Golden, ModelInF32AgreesAtEveryStep) {
  Errors errors = run<float>();
  EXPECT_LT(errors.phase, 1e-5);
  EXPECT_LT(errors.features, 1e-5);
  EXPECT_LT(errors.images, 1e-5);
}

TEST_F(Golden, FusedInF64AgreesAtEveryStep) {
  fuse();
  unsigned leaky = 0;
  module->walk([&](Conv2DOp conv) {
    if (conv.getActivation() != Activation::LeakyRelu)
      return;
    EXPECT_NEAR(conv.getSlope()->convertToDouble(), 0.2, 1e-8);
    conv.setSlope(llvm::APFloat(0.2));
    ++leaky;
  });
  EXPECT_EQ(leaky, 6u);
  Errors errors = run<double>();
  EXPECT_LT(errors.phase, 1e-12);
  EXPECT_LT(errors.features, 1e-12);
  EXPECT_LT(errors.images, 1e-12);
}

TEST_F(Golden, FusedInF32AgreesAtEveryStep) {
  // The identity subtracts two sums of 1024 terms that nearly cancel, so it rounds more than the
  // literal form.
  fuse();
  Errors errors = run<float>();
  EXPECT_LT(errors.phase, 2e-5);
  EXPECT_LT(errors.features, 2e-5);
  EXPECT_LT(errors.images, 2e-5);
}

TEST_F(Golden, CostsAreThoseCountedByHand) {
  fuse();
  Cost dynamics, readout, decoder;
  module->walk([&](CostOpInterface op) {
    if (mlir::isa<EvolveOp>(op))
      dynamics += op.getCost();
    else if (mlir::isa<ReadoutOp>(op))
      readout += op.getCost();
    else if (mlir::isa<Conv2DOp>(op))
      decoder += op.getCost();
  });
  constexpr uint64_t n = 1024, m = 8;
  // A sine and a cosine per oscillator and step.
  EXPECT_EQ(dynamics.specialFunctions, kSteps * 2 * (n + m));
  EXPECT_EQ(readout.specialFunctions, 2 * n);
  EXPECT_EQ(decoder.specialFunctions, 3u * 32 * 32);
  // Two contractions per coupling; two products per target and coupling in the epilogue; one for
  // the Euler update.
  EXPECT_EQ(dynamics.multiplyAdds,
            kSteps * (2 * (n * n + n * m + m * m) + 2 * (n + n + m) + n + m));
  EXPECT_EQ(dynamics.parameterBytes, kSteps * 4 * (n * n + m * m + n + m));
  // Per output pixel and channel pair 4 taps in a convolution that upsamples, else 9.
  EXPECT_EQ(decoder.multiplyAdds, 8u * 8 * (4 * 128 * 64 + 9 * 64 * 64) +
                                      16 * 16 * (4 * 64 * 32 + 9 * 32 * 32) +
                                      32 * 32 * (4 * 32 * 32 + 9 * 32 * 32 + 9 * 32 * 3));
  EXPECT_EQ(dynamics.bits, 32u);
  Cost twice = readout.times(2);
  readout += readout;
  EXPECT_EQ(twice.specialFunctions, readout.specialFunctions);
  EXPECT_EQ(twice.bytesWritten, readout.bytesWritten);
}

} // namespace
