//===- PlaneTransformsTest.cpp - fewer products, the same sums ------------===//

#include "PlaneTransforms.h"
#include "gtest/gtest.h"

using namespace un0;
using un0::cpu::ConvForm;

namespace {

struct Numbers {
  double add(double x, double y) const { return x + y; }
  double sub(double x, double y) const { return x - y; }
  double mul(double factor, double x) const { return factor * x; }
  double fma(double factor, double x, double y) const { return factor * x + y; }
};

/// What the products of the planes give for pixels and a kernel.
llvm::SmallVector<double> convolve(ConvForm form, llvm::ArrayRef<double> pixels,
                                   llvm::ArrayRef<double> kernel) {
  auto x = transformPixels<Numbers, double>(form, Numbers(), pixels);
  auto w = transformKernel(form, kernel[0], kernel[1], kernel[2]);
  EXPECT_EQ(x.size(), w.size());
  for (size_t i = 0; i < x.size(); ++i)
    x[i] *= w[i];
  return transformProducts<Numbers, double>(form, Numbers(), x);
}

class Transforms : public ::testing::TestWithParam<ConvForm> {};

// Both are bilinear, so unit vectors say everything.
TEST_P(Transforms, AreTheConvolution) {
  ConvForm form = GetParam();
  cpu::PlaneShape shape = cpu::getPlaneShape(form);
  for (int64_t p = 0; p < shape.planes; ++p)
    for (int64_t k = 0; k < 3; ++k) {
      std::vector<double> pixels(shape.planes, 0), kernel(3, 0);
      pixels[p] = kernel[k] = 1;
      auto outputs = convolve(form, pixels, kernel);
      ASSERT_EQ(int64_t(outputs.size()), shape.outputs);
      for (int64_t o = 0; o < shape.outputs; ++o) {
        // The pixel that tap k of output o reads; upsampled, output 0 lies in the left half of
        // pixel 1 and output 1 in its right half.
        int64_t reads = form == ConvForm::Upsampled ? (2 + o + k - 1) / 2 : o + k;
        EXPECT_NEAR(outputs[o], reads == p ? 1 : 0, 1e-15) << "pixel " << p << ", tap " << k;
      }
    }
}

INSTANTIATE_TEST_SUITE_P(All, Transforms,
                         ::testing::Values(ConvForm::Upsampled, ConvForm::Winograd2,
                                           ConvForm::Winograd4),
                         [](const auto &info) { return cpu::stringifyConvForm(info.param).str(); });

struct WholeNumbers {
  int64_t add(int64_t x, int64_t y) const { return x + y; }
  int64_t sub(int64_t x, int64_t y) const { return x - y; }
  int64_t shift(int64_t x, int64_t bits) const { return x * (int64_t(1) << bits); }
};

llvm::SmallVector<int64_t> transformWhole(ConvForm form, llvm::ArrayRef<int64_t> pixels) {
  return transformWholePixels<WholeNumbers, int64_t>(form, WholeNumbers(), pixels);
}

class WholeTransforms : public ::testing::TestWithParam<ConvForm> {
protected:
  ConvForm form = GetParam();
  cpu::PlaneShape shape = cpu::getPlaneShape(form);
  bool pairs = form == ConvForm::UpsampledPairs;
};

TEST_P(WholeTransforms, AreAMultipleOfTheConvolution) {
  // Upsampled: kernel 0 makes even outputs and begins a pixel earlier than kernel 1.
  for (int64_t kernel = 0; kernel < (pairs ? 2 : 1); ++kernel)
    for (int64_t p = 0; p < shape.getPixels(); ++p)
      for (int64_t k = 0; k < (pairs ? 2 : 3); ++k) {
        std::vector<int64_t> pixels(shape.getPixels(), 0), taps(pairs ? 2 : 3, 0);
        pixels[p] = taps[k] = 1;
        auto x = transformWhole(form, pixels);
        auto w = transformWholeKernel<int64_t>(form, taps);
        ASSERT_EQ(int64_t(x.size()), shape.planes);
        ASSERT_EQ(int64_t(w.size()), pairs ? shape.planes / 2 : shape.planes);
        for (size_t i = 0; i < x.size(); ++i)
          x[i] *= pairs ? (int64_t(i) / 3 == kernel ? w[i % 3] : 0) : w[i];
        auto outputs = transformWholeProducts<WholeNumbers, int64_t>(form, WholeNumbers(), x);
        ASSERT_EQ(int64_t(outputs.size()), shape.outputs);
        for (int64_t o = 0; o < shape.outputs; ++o) {
          bool reads = pairs ? o % 2 == kernel && o / 2 + kernel + k == p : o + k == p;
          EXPECT_EQ(outputs[o], reads ? getWholeFactor(form) : 0)
              << "kernel " << kernel << ", pixel " << p << ", tap " << k << ", output " << o;
        }
      }
}

/// The largest magnitude that rows of coefficients, applied in both dimensions, make of numbers
/// from `low` to `high`.
int64_t getLargest(llvm::ArrayRef<std::vector<int64_t>> rows, int64_t low, int64_t high) {
  int64_t largest = 0;
  for (const auto &row : rows)
    for (const auto &column : rows) {
      int64_t positive = 0, negative = 0;
      for (int64_t x : row)
        for (int64_t y : column)
          (x * y > 0 ? positive : negative) += x * y;
      largest = std::max({largest, std::abs(positive * high + negative * low),
                          std::abs(positive * low + negative * high)});
    }
  return largest;
}

TEST_P(WholeTransforms, FitSixteenBits) {
  std::vector<std::vector<int64_t>> pixels(shape.planes), kernels(pairs ? 3 : shape.planes);
  for (int64_t p = 0; p < shape.getPixels(); ++p) {
    std::vector<int64_t> unit(shape.getPixels(), 0);
    unit[p] = 1;
    for (auto [plane, value] : llvm::enumerate(transformWhole(form, unit)))
      pixels[plane].push_back(value);
  }
  for (size_t k = 0; k < (pairs ? 2 : 3); ++k) {
    std::vector<int64_t> unit(pairs ? 2 : 3, 0);
    unit[k] = 1;
    for (auto [plane, value] : llvm::enumerate(transformWholeKernel<int64_t>(form, unit)))
      kernels[plane].push_back(value);
  }
  EXPECT_LE(getLargest(pixels, 0, 255), INT16_MAX);
  EXPECT_LE(getLargest(kernels, -127, 127), INT16_MAX);
}

TEST_P(WholeTransforms, SumsOfTheMostChannelsFit) {
  // Each two channels' weights are at most 128 together; nine taps, inputs up to 255.
  int64_t most = cpu::getMostExactChannels(form);
  EXPECT_LE(cpu::getPlaneFactor(form) * 255 * 9 * 128 * (most / 2), INT32_MAX);
  EXPECT_GT(cpu::getPlaneFactor(form) * 255 * 9 * 128 * (most / 2 + 1), INT32_MAX);
  // What the planes give in two dimensions is that factor's, and an odd one that is divided out.
  int64_t whole = getWholeFactor(form) * getWholeFactor(form);
  EXPECT_EQ(whole, cpu::getPlaneFactor(form) * (form == ConvForm::Winograd4 ? 9 : 1));
}

INSTANTIATE_TEST_SUITE_P(All, WholeTransforms,
                         ::testing::Values(ConvForm::UpsampledPairs, ConvForm::Winograd2,
                                           ConvForm::Winograd4),
                         [](const auto &info) { return cpu::stringifyConvForm(info.param).str(); });

} // namespace
