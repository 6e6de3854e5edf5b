//===- HostModelTest.cpp - compiled precisions against their meaning -*- C++ -*-===//
//
// The interpreter rounds couplings and waves in f64 as the ops are defined; the compiled code must
// make the same features, up to what rounding at a boundary in f32 does over ten steps.
//
//===----------------------------------------------------------------------===//

#include "un0/Quantize/HostModel.h"

#include "mlir/Pass/PassManager.h"
#include "un0/Interpreter/Interpreter.h"
#include "un0/Pipelines/Phases.h"
#include "un0/Quantize/Precisions.h"
#include "gtest/gtest.h"
#include <cmath>

using namespace mlir;
using namespace un0;

namespace {

const char *const kModel = UN0_TEST_MODELS "/fashion_n1024/fashion_n1024.safetensors";

struct Case {
  Precision precision;
  double meaning; ///< rms of the features against the interpreter on the same, quantized IR
  double exact;   ///< rms against the unquantized model: DESIGN.md, section 8
};

class CompiledPrecision : public ::testing::TestWithParam<Case> {};

TEST_P(CompiledPrecision, MeansWhatTheInterpreterSays) {
  DialectRegistry registry;
  registerDialects(registry);
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  context.loadAllAvailableDialects();
  auto imported = importModel(kModel, context);
  ASSERT_TRUE(!!imported) << toString(imported.takeError());
  ModuleOp module = **imported;
  PassManager pm(&context);
  buildPhase(Phase::Model, pm);
  buildPhase(Phase::Fused, pm);
  ASSERT_TRUE(succeeded(pm.run(module)));
  OwningOpRef<ModuleOp> exact(module.clone());
  llvm::Error error = applyPrecisions(module, {{"K", GetParam().precision}});
  ASSERT_FALSE(!!error) << toString(std::move(error));

  ArchiveSet archives(kModel);
  auto host = HostModel::create(module, archives);
  ASSERT_TRUE(!!host) << toString(host.takeError());
  Samples samples = Samples::draw(64, (*host)->getOscillators(), (*host)->getConditioning(),
                                  (*host)->getClasses());
  HostModel::Outputs compiled = (*host)->run(samples, /*decode=*/false);

  auto getError = [&](ModuleOp reference) {
    Tensor<double> theta0({samples.count, (*host)->getOscillators()}),
        phi0({samples.count, (*host)->getConditioning()});
    std::copy(samples.theta0.begin(), samples.theta0.end(), theta0.data.begin());
    std::copy(samples.phi0.begin(), samples.phi0.end(), phi0.data.begin());
    Interpreter<double> interpreter(
        reference, getArchiveLoader<double>(std::make_shared<ArchiveSet>(kModel)));
    auto outputs = interpreter.run(theta0, phi0, samples.labels);
    EXPECT_TRUE(!!outputs) << (outputs ? "" : toString(outputs.takeError()));
    double square = 0;
    for (auto [value, expected] : llvm::zip_equal(compiled.features, outputs->features.data))
      square += (value - expected) * (value - expected);
    return std::sqrt(square / double(compiled.features.size()));
  };
  EXPECT_LE(getError(module), GetParam().meaning);
  EXPECT_LE(getError(*exact), GetParam().exact);
  if (GetParam().precision != Precision::F32) {
    EXPECT_GE(getError(*exact), 1e-5) << "nothing was quantized";
  }
}

INSTANTIATE_TEST_SUITE_P(All, CompiledPrecision,
                         ::testing::Values(Case{Precision::F32, 1e-6, 1e-6},
                                           Case{Precision::Int16, 6e-5, 2.5e-4},
                                           Case{Precision::BF16, 1e-3, 2.6e-3},
                                           Case{Precision::Int8, 1e-3, 1.1e-2},
                                           Case{Precision::Int4, 1e-2, 1.2e-1}),
                         [](const auto &info) {
                           return stringifyPrecision(info.param.precision).str();
                         });

} // namespace
