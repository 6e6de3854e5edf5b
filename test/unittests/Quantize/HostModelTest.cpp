//===- HostModelTest.cpp - compiled precisions against their meaning -*- C++ -*-===//
//
// The interpreter rounds couplings and waves in f64 as the ops are defined; the compiled code must
// make the same features, up to what rounding at a boundary in f32 does over ten steps.
//
//===----------------------------------------------------------------------===//

#include "un0/Quantize/HostModel.h"

#include "FusedModel.h"
#include "un0/Interpreter/Interpreter.h"
#include "un0/Quantize/Calibrate.h"
#include "un0/Quantize/Precisions.h"
#include "gtest/gtest.h"
#include <cmath>
#include <cstdio>
#include <map>

using namespace mlir;
using namespace un0;

namespace {

const char *const kModel = UN0_TEST_MODELS "/fashion_n1024/fashion_n1024.safetensors";
/// Random weights in sizes that no block of a packed table or coupling divides.
const char *const kRagged = UN0_RAGGED_MODEL;

struct Case {
  const char *model;
  Precision precision;
  int64_t group;
  double meaning; ///< rms of the features against the interpreter on the same, quantized IR
  double exact;   ///< rms against the unquantized model: DESIGN.md, section 8
};

/// What the interpreter makes of a model.
struct Exact {
  std::vector<double> features, images;
};

/// Of the values that both have.
template <typename A, typename B> double getRms(const A &a, const B &b) {
  size_t count = std::min(a.size(), b.size());
  double square = 0;
  for (size_t i = 0; i < count; ++i)
    square += (a[i] - b[i]) * (a[i] - b[i]);
  return std::sqrt(square / double(count));
}

class CompiledPrecision : public ::testing::TestWithParam<Case> {};

TEST_P(CompiledPrecision, MeansWhatTheInterpreterSays) {
  FusedModel model;
  ASSERT_NO_FATAL_FAILURE(model.load(GetParam().model));
  ModuleOp module = model.module;
  OwningOpRef<ModuleOp> exact(module.clone());
  llvm::Error error = applyPrecisions(module, {{"K", GetParam().precision}}, GetParam().group);
  ASSERT_FALSE(!!error) << toString(std::move(error));

  ArchiveSet archives(GetParam().model);
  auto host = HostModel::create(module, archives);
  ASSERT_TRUE(!!host) << toString(host.takeError());
  Samples samples = Samples::draw(256, (*host)->getOscillators(), (*host)->getConditioning(),
                                  (*host)->getClasses());
  HostModel::Outputs compiled = (*host)->run(samples);

  auto interpret = [&](ModuleOp reference, int64_t count) {
    Tensor<double> theta0({count, (*host)->getOscillators()}),
        phi0({count, (*host)->getConditioning()});
    std::copy_n(samples.theta0.begin(), theta0.data.size(), theta0.data.begin());
    std::copy_n(samples.phi0.begin(), phi0.data.size(), phi0.data.begin());
    Interpreter<double> interpreter(
        reference, getArchiveLoader<double>(std::make_shared<ArchiveSet>(GetParam().model)));
    auto outputs =
        interpreter.run(theta0, phi0, ArrayRef<int64_t>(samples.labels).take_front(count).vec());
    EXPECT_TRUE(!!outputs) << (outputs ? "" : toString(outputs.takeError()));
    return Exact{outputs->features.data, outputs->images.data};
  };
  // The unquantized model is the same for all precisions.
  static std::map<std::string, Exact> exactOutputs;
  Exact &expected = exactOutputs[GetParam().model];
  if (expected.features.empty())
    expected = interpret(*exact, samples.count);
  double features = getRms(compiled.features, expected.features),
         images = getRms(compiled.images, expected.images);
  std::printf("             %lld samples: features rms %.3e, images rms %.3e\n",
              static_cast<long long>(samples.count), features, images);
  EXPECT_LE(features, GetParam().exact);
  if (GetParam().precision != Precision::F32) {
    EXPECT_GE(features, 1e-5) << "nothing was quantized";
  }
  EXPECT_LE(getRms(compiled.features, interpret(module, 64).features), GetParam().meaning);
}

/// Errors that count nothing do not widen a range: one value of a hundred is far away.
TEST(FitRange, WeightsSayWhatCounts) {
  std::vector<float> values, weights;
  for (int i = 0; i < 1000; ++i) {
    values.push_back(i % 100 ? static_cast<float>(i % 10) / 10 : 100.0f);
    weights.push_back(i % 100 ? 1.0f : 0.0f);
  }
  EXPECT_NEAR(fitRange(values).high, 100.0, 1e-3);
  EXPECT_LE(fitRange(values, weights).high, 11.0);
}

/// Two channels, one 64 times as large as the other, whose weights are alike: the large one is
/// divided. Equal ones stay.
TEST(Equalize, ChannelsOfUnlikeSize) {
  std::vector<float> values, same, weights, filters;
  for (int i = 0; i < 2000; ++i) {
    auto value = static_cast<float>(std::sin(i * 0.7));
    values.push_back(i % 2 ? value : 64 * value);
    same.push_back(value);
    if (i % 2)
      weights.push_back(1.0f);
  }
  for (int i = 0; i < 4 * 2 * 9; ++i)
    filters.push_back(static_cast<float>(std::cos(i * 1.3)));
  ActivationRange range = equalize(values, weights, filters, 2);
  ASSERT_EQ(range.exponents.size(), 2u);
  EXPECT_GE(range.exponents[0] - range.exponents[1], 1);
  ActivationRange plain = equalize(same, weights, filters, 2);
  EXPECT_EQ(plain.exponents[0], plain.exponents[1]);
}

/// The int8 decoder on the features of f32 couplings: compiled code against the interpreter on the
/// same IR, and both against the f32 images.
TEST(CompiledBytes, MeanWhatTheInterpreterSays) {
  FusedModel model;
  ASSERT_NO_FATAL_FAILURE(model.load(kModel));
  ModuleOp module = model.module;
  ArchiveSet archives(kModel);
  auto ranges = calibrateConvolutions(module, archives, listConvolutionNames(module));
  ASSERT_TRUE(!!ranges) << toString(ranges.takeError());
  auto exact = HostModel::create(module, archives);
  ASSERT_TRUE(!!exact) << toString(exact.takeError());
  ASSERT_TRUE(succeeded(quantizeConvolutions(module, *ranges, listConvolutionNames(module))));
  auto host = HostModel::create(module, archives);
  ASSERT_TRUE(!!host) << toString(host.takeError());

  Samples samples = Samples::draw(4, (*host)->getOscillators(), (*host)->getConditioning(),
                                  (*host)->getClasses());
  std::vector<float> compiled = (*host)->run(samples).images,
                     unquantized = (*exact)->run(samples).images;
  Tensor<double> theta0({samples.count, (*host)->getOscillators()}),
      phi0({samples.count, (*host)->getConditioning()});
  std::copy(samples.theta0.begin(), samples.theta0.end(), theta0.data.begin());
  std::copy(samples.phi0.begin(), samples.phi0.end(), phi0.data.begin());
  Interpreter<double> interpreter(module,
                                  getArchiveLoader<double>(std::make_shared<ArchiveSet>(kModel)));
  auto outputs = interpreter.run(theta0, phi0, samples.labels);
  ASSERT_TRUE(!!outputs) << toString(outputs.takeError());
  // A byte of the features that rounds differently in f32 and f64 changes a whole picture by as
  // much as quantizing it did; where none does, pictures agree to f32.
  size_t size = compiled.size() / size_t(samples.count), same = 0;
  for (size_t first = 0; first < compiled.size(); first += size)
    same += getRms(ArrayRef<float>(compiled).slice(first, size),
                   ArrayRef<double>(outputs->images.data).slice(first, size)) < 1e-5;
  EXPECT_GE(same, 2u);
  EXPECT_LE(getRms(compiled, unquantized), 4e-2);
  EXPECT_GE(getRms(compiled, unquantized), 1e-3) << "nothing was quantized";
}

/// What auto measures, in f32 arithmetic that rounds while it runs, is what int8 itself errs; and
/// it takes what fits the limit.
TEST(ChooseConvolutions, StaysWithinTheLimitItMeasures) {
  FusedModel model;
  ASSERT_NO_FATAL_FAILURE(model.load(kModel));
  ModuleOp module = model.module;
  ArchiveSet archives(kModel);
  auto target = CpuTarget::get("znver4");
  ASSERT_TRUE(!!target) << toString(target.takeError());
  // Couplings are f32: all of the error is the decoder's.
  auto host = HostModel::create(module, archives);
  ASSERT_TRUE(!!host) << toString(host.takeError());
  MeasuredModel measured;
  measured.exact = (*host)->run(Samples::draw(16, (*host)->getOscillators(),
                                              (*host)->getConditioning(), (*host)->getClasses()));
  measured.chosen = measured.exact;
  auto choose = [&](double limit) {
    auto candidates =
        chooseConvolutions(module, archives, *target, measured, limit, /*direct=*/false);
    EXPECT_TRUE(!!candidates) << (candidates ? "" : toString(candidates.takeError()));
    return *candidates;
  };
  constexpr double limit = 1.5e-2;
  std::vector<Candidate> candidates = choose(limit);
  std::vector<std::string> names;
  double whole = 0, least = 1;
  for (const Candidate &c : candidates) {
    if (c.precision != Precision::Int8)
      continue;
    EXPECT_GT(c.imageError, 0) << c.name;
    least = std::min(least, c.imageError);
    if (!c.chosen)
      continue;
    names.push_back(c.name);
    whole = std::max(whole, c.imageError);
  }
  ASSERT_GE(names.size(), 2u);
  EXPECT_LT(names.size(), listConvolutionNames(module).size());
  EXPECT_LE(whole, limit);
  auto ranges = calibrateConvolutions(module, archives, names);
  ASSERT_TRUE(!!ranges) << toString(ranges.takeError());
  OwningOpRef<ModuleOp> copy(module.clone());
  ASSERT_TRUE(succeeded(quantizeConvolutions(*copy, *ranges, names)));
  auto actual = measureDecoder(*copy, archives, measured);
  ASSERT_TRUE(!!actual) << toString(actual.takeError());
  EXPECT_NEAR(*actual, whole, 0.05 * whole);
  // Below what any of them errs, nothing is taken.
  for (const Candidate &c : choose(least / 2))
    EXPECT_EQ(c.chosen, c.precision == Precision::F32) << c.name;
}

INSTANTIATE_TEST_SUITE_P(All, CompiledPrecision,
                         ::testing::Values(Case{kModel, Precision::F32, 0, 1e-6, 1e-6},
                                           Case{kModel, Precision::Int16, 0, 6e-5, 2.5e-4},
                                           Case{kModel, Precision::BF16, 0, 1e-3, 2.6e-3},
                                           Case{kModel, Precision::Int8, 0, 1e-3, 1.1e-2},
                                           Case{kModel, Precision::Int4, 0, 1e-2, 1.2e-1},
                                           Case{kModel, Precision::Int4, 4, 1e-2, 1e-1},
                                           Case{kRagged, Precision::Int8, 0, 1e-3, 1.1e-2},
                                           Case{kRagged, Precision::Int4, 0, 1e-2, 1.2e-1},
                                           Case{kRagged, Precision::Int4, 4, 1e-2, 1e-1}),
                         [](const auto &info) {
                           return std::string(info.param.model == kModel ? "fashion_" : "ragged_") +
                                  stringifyPrecision(info.param.precision).str() +
                                  (info.param.group ? "_group" : "");
                         });

} // namespace
