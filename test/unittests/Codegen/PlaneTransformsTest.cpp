//===- PlaneTransformsTest.cpp - fewer products, the same sums ------------===//

#include "PlaneTransforms.h"
#include "gtest/gtest.h"
#include <cmath>
#include <random>

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
  cpu::PlaneShape shape = cpu::getPlaneShape(form);
  EXPECT_EQ(int64_t(x.size()), shape.values);
  EXPECT_EQ(int64_t(w.size()), shape.planes);
  for (int64_t i = 0; i < shape.planes; ++i)
    w[i] *= x[shape.getValue(i)];
  return transformProducts<Numbers, double>(form, Numbers(), w);
}

/// `transform` of all columns of a row-major square of `sides` x `sides`, then of all rows.
template <typename Number, typename Transform>
llvm::SmallVector<Number> transformTwice(llvm::ArrayRef<Number> square, int64_t sides,
                                         Transform transform) {
  llvm::SmallVector<Number> result;
  transformSquare<Number>(
      sides, [&](int64_t y, int64_t x) { return square[y * sides + x]; }, transform,
      [&](int64_t, llvm::ArrayRef<Number> row) { llvm::append_range(result, row); });
  return result;
}

/// The pixel that tap k of output o reads; upsampled, output 0 lies in the left half of pixel 1 and
/// output 1 in its right half.
int64_t getRead(ConvForm form, int64_t o, int64_t k) {
  return cpu::isUpsampled(form) ? (2 + o + k - 1) / 2 : o + k;
}

class Transforms : public ::testing::TestWithParam<ConvForm> {};

// Both are bilinear, so unit vectors say everything.
TEST_P(Transforms, AreTheConvolution) {
  ConvForm form = GetParam();
  cpu::PlaneShape shape = cpu::getPlaneShape(form);
  for (int64_t p = 0; p < shape.getPixels(); ++p)
    for (int64_t k = 0; k < 3; ++k) {
      std::vector<double> pixels(shape.getPixels(), 0), kernel(3, 0);
      pixels[p] = kernel[k] = 1;
      auto outputs = convolve(form, pixels, kernel);
      ASSERT_EQ(int64_t(outputs.size()), shape.outputs);
      for (int64_t o = 0; o < shape.outputs; ++o)
        EXPECT_NEAR(outputs[o], getRead(form, o, k) == p ? 1 : 0, 1e-15)
            << "pixel " << p << ", tap " << k;
    }
}

INSTANTIATE_TEST_SUITE_P(All, Transforms,
                         ::testing::Values(ConvForm::Upsampled, ConvForm::UpsampledWinograd4,
                                           ConvForm::Winograd2, ConvForm::Winograd4),
                         [](const auto &info) { return cpu::stringifyConvForm(info.param).str(); });

/// As generated code has it with fused multiply-adds.
struct Floats {
  float add(float x, float y) const { return x + y; }
  float sub(float x, float y) const { return x - y; }
  float mul(double factor, float x) const { return static_cast<float>(factor) * x; }
  float fma(double factor, float x, float y) const {
    return std::fma(static_cast<float>(factor), x, y);
  }
};

/// The points of the forms are chosen for their rounding: 64 channels of unit variance, weights
/// that keep it, channel by channel.
TEST_P(Transforms, RoundAsLittleAsTheirPointsAllow) {
  constexpr int64_t channels = 64, trials = 300;
  ConvForm form = GetParam();
  cpu::PlaneShape shape = cpu::getPlaneShape(form);
  int64_t pixels = shape.getPixels(), planes = shape.planes, outputs = shape.outputs;
  std::mt19937 random(7);
  std::normal_distribution<float> normal;
  double squares = 0;
  for (int64_t trial = 0; trial < trials; ++trial) {
    std::vector<float> sums(planes * planes, 0);
    std::vector<double> expected(outputs * outputs, 0);
    for (int64_t c = 0; c < channels; ++c) {
      std::vector<float> input(pixels * pixels);
      std::vector<double> taps(9);
      for (float &x : input)
        x = normal(random);
      for (double &w : taps)
        w = normal(random) / std::sqrt(9.0f * channels);
      auto values = transformTwice<float>(input, pixels, [&](auto line) {
        return transformPixels<Floats, float>(form, Floats(), line);
      });
      auto weights = transformTwice<double>(
          taps, 3, [&](auto w) { return transformKernel(form, w[0], w[1], w[2]); });
      for (int64_t i = 0; i < planes; ++i)
        for (int64_t j = 0; j < planes; ++j) {
          float value = values[shape.getValue(i) * shape.values + shape.getValue(j)];
          float &sum = sums[i * planes + j];
          sum = std::fma(value, static_cast<float>(weights[i * planes + j]), sum);
        }
      for (int64_t o = 0; o < outputs * outputs; ++o)
        for (int64_t k = 0; k < 9; ++k)
          expected[o] +=
              taps[k] *
              input[getRead(form, o / outputs, k / 3) * pixels + getRead(form, o % outputs, k % 3)];
    }
    auto results = transformTwice<float>(sums, planes, [&](auto line) {
      return transformProducts<Floats, float>(form, Floats(), line);
    });
    for (auto [result, meant] : llvm::zip_equal(results, expected))
      squares += (result - meant) * (result - meant);
  }
  double rms = std::sqrt(squares / static_cast<double>(trials * outputs * outputs));
  double most = form == ConvForm::UpsampledWinograd4 ? 1.4e-6
                : form == ConvForm::Winograd4        ? 7.3e-7
                                                     : 2.8e-7;
  EXPECT_LE(rms, most);
  EXPECT_GE(rms, 0.8 * most) << "tighten it";
}

/// How many times the outputs the planes of whole numbers give, in one dimension.
int64_t getWholeFactor(ConvForm form) {
  return form == ConvForm::Winograd4 ? 24 : form == ConvForm::Winograd2 ? 2 : 1;
}

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
        auto w = transformWholeKernel(form, taps);
        ASSERT_EQ(int64_t(x.size()), shape.values);
        ASSERT_EQ(int64_t(w.size()), pairs ? shape.planes / 2 : shape.planes);
        llvm::SmallVector<int64_t> products;
        for (int64_t i = 0; i < shape.planes; ++i)
          products.push_back(x[shape.getValue(i)] *
                             (pairs ? (i / 3 == kernel ? w[i % 3] : 0) : w[i]));
        auto outputs =
            transformWholeProducts<WholeNumbers, int64_t>(form, WholeNumbers(), products);
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
  std::vector<std::vector<int64_t>> pixels(shape.values), kernels(pairs ? 3 : shape.planes);
  for (int64_t p = 0; p < shape.getPixels(); ++p) {
    std::vector<int64_t> unit(shape.getPixels(), 0);
    unit[p] = 1;
    for (auto [number, value] : llvm::enumerate(transformWhole(form, unit)))
      pixels[number].push_back(value);
  }
  for (size_t k = 0; k < (pairs ? 2 : 3); ++k) {
    std::vector<int64_t> unit(pairs ? 2 : 3, 0);
    unit[k] = 1;
    for (auto [plane, value] : llvm::enumerate(transformWholeKernel(form, unit)))
      kernels[plane].push_back(value);
  }
  int64_t largestPixel = getLargest(pixels, 0, 255), largestWeight = getLargest(kernels, -127, 127);
  EXPECT_LE(largestPixel, INT16_MAX);
  EXPECT_LE(largestWeight, INT16_MAX);
  if (form == ConvForm::Winograd4) {
    EXPECT_EQ(largestPixel, 68 * 255);
    EXPECT_EQ(largestWeight, 144 * 127);
  }
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

/// As the vectors have them.
template <typename Number> struct Wrapping {
  Number add(Number x, Number y) const { return static_cast<Number>(x + y); }
  Number sub(Number x, Number y) const { return static_cast<Number>(x - y); }
  Number shift(Number x, int64_t bits) const { return static_cast<Number>(x << bits); }
};

/// 16-bit planes and 32-bit sums of one point, whose multiples carry over 2^32 on the way, against
/// the sums that the direct form has; the largest weights and inputs that there are among them.
TEST_P(WholeTransforms, AreExactThoughProductsWrap) {
  constexpr int64_t kBytes = 255, kPair = 128;
  int64_t sides = shape.planes, pixels = shape.getPixels(), taps = pairs ? 2 : 3,
          kernels = cpu::getKernels(form), own = sides / kernels,
          channels = std::min<int64_t>(cpu::getMostExactChannels(form), 600);
  std::mt19937 random(3);
  auto draw = [&](int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(random);
  };
  int64_t carried = 0;
  for (int64_t mode = 0; mode < 4; ++mode) {
    int64_t zeroPoint = mode == 0 ? 0 : mode == 1 ? kBytes : draw(0, kBytes);
    std::vector<int64_t> sums(shape.outputs * shape.outputs, 0), raw(sums);
    llvm::SmallVector<uint32_t> planes(sides * sides, 0);
    std::vector<int64_t> starts(kernels * kernels, 0);
    std::vector<int64_t> partners(kernels * kernels * taps * taps, 0);
    for (int64_t c = 0; c < channels; ++c) {
      llvm::SmallVector<uint16_t> input;
      for (int64_t i = 0; i < pixels * pixels; ++i)
        input.push_back(mode == 0 ? kBytes : mode == 1 ? 0 : draw(0, 1) * kBytes);
      auto transformed = transformTwice<uint16_t>(input, pixels, [&](auto line) {
        return transformWholePixels<Wrapping<uint16_t>, uint16_t>(form, {}, line);
      });
      for (int64_t kernel = 0; kernel < kernels * kernels; ++kernel) {
        llvm::SmallVector<int64_t> weights;
        for (int64_t tap = 0; tap < taps * taps; ++tap) {
          int64_t &partner = partners[kernel * taps * taps + tap];
          int64_t weight = mode < 2 ? kPair / 2 : draw(-127, 127);
          if (mode >= 2 && c % 2)
            weight = draw(std::max<int64_t>(-127, -kPair - partner),
                          std::min<int64_t>(127, kPair - partner));
          weights.push_back(partner = weight);
          starts[kernel] -= zeroPoint * weight;
        }
        auto values = transformTwice<int64_t>(
            weights, taps, [&](auto line) { return transformWholeKernel(form, line); });
        for (int64_t y = 0; y < own; ++y)
          for (int64_t x = 0; x < own; ++x) {
            int64_t i = kernel / kernels * own + y, j = kernel % kernels * own + x;
            uint16_t value = transformed[shape.getValue(i) * shape.values + shape.getValue(j)];
            planes[i * sides + j] += static_cast<uint32_t>(
                static_cast<int16_t>(value) * static_cast<int32_t>(values[y * own + x]));
          }
        for (int64_t o = 0; o < shape.outputs * shape.outputs; ++o) {
          int64_t y = o / shape.outputs, x = o % shape.outputs;
          if (y % kernels * kernels + x % kernels != kernel)
            continue;
          // The second of two kernels begins a pixel later.
          int64_t fromY = y / kernels + y % kernels, fromX = x / kernels + x % kernels;
          for (int64_t tap = 0; tap < taps * taps; ++tap) {
            int64_t at = (fromY + tap / taps) * pixels + fromX + tap % taps;
            raw[o] += weights[tap] * input[at];
            sums[o] += weights[tap] * (input[at] - zeroPoint);
          }
        }
      }
    }
    auto outputs = transformTwice<uint32_t>(planes, sides, [&](auto line) {
      return transformWholeProducts<Wrapping<uint32_t>, uint32_t>(form, {}, line);
    });
    int64_t factor = cpu::getPlaneFactor(form), whole = getWholeFactor(form);
    for (int64_t o = 0; o < shape.outputs * shape.outputs; ++o) {
      int64_t kernel = o / shape.outputs % kernels * kernels + o % shape.outputs % kernels;
      uint32_t value = outputs[o] * (form == ConvForm::Winograd4 ? kNinth : 1u);
      value += static_cast<uint32_t>(starts[kernel] * factor);
      EXPECT_EQ(static_cast<int32_t>(value), sums[o] * factor) << "mode " << mode;
      carried += std::abs(raw[o] * whole * whole) > INT32_MAX;
    }
  }
  if (form == ConvForm::Winograd4)
    EXPECT_GT(carried, 0);
}

INSTANTIATE_TEST_SUITE_P(All, WholeTransforms,
                         ::testing::Values(ConvForm::UpsampledPairs, ConvForm::Winograd2,
                                           ConvForm::Winograd4),
                         [](const auto &info) { return cpu::stringifyConvForm(info.param).str(); });

} // namespace
