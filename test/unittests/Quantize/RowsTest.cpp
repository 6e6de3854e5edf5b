//===- RowsTest.cpp - couplings in few bits ---------------------*- C++ -*-===//

#include "un0/Quantize/Rows.h"
#include "gtest/gtest.h"
#include <cmath>
#include <random>

using namespace un0;

namespace {

std::vector<float> drawNormal(size_t count, unsigned seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal(0.0f, 0.03f);
  std::vector<float> row(count);
  for (float &value : row)
    value = normal(generator);
  return row;
}

TEST(Rows, RoundsToNearestStepOfTheLargest) {
  std::vector<float> row = {1.27f, -0.635f, 0.0049f, 0.0051f, -1.27f};
  std::vector<int16_t> out(row.size());
  float step = quantizeRow(row, 127, out);
  EXPECT_FLOAT_EQ(step, 0.01f);
  // -63.5 lies between: ties go to even.
  EXPECT_EQ(out, (std::vector<int16_t>{127, -64, 0, 1, -127}));
}

TEST(Rows, ErrorIsAtMostHalfAStep) {
  std::vector<float> row = drawNormal(1000, 1);
  std::vector<int16_t> out(row.size());
  for (int largest : {127, 8191}) {
    float step = quantizeRow(row, largest, out);
    for (size_t i = 0; i < row.size(); ++i)
      EXPECT_NEAR(row[i], step * static_cast<float>(out[i]), 0.5001f * step);
  }
}

TEST(Rows, BytesReachFromTheSmallestToTheLargest) {
  // 1.27 on each side would take steps of 0.01; 254 of 0.005 are enough from -0.27 to 1.
  std::vector<float> row = {1.0f, 0.0f, -0.27f, 0.0024f, 0.0026f, 0.5f};
  std::vector<int16_t> out(row.size());
  ByteSteps steps = quantizeByteRow(row, out);
  EXPECT_FLOAT_EQ(steps.step, 0.005f);
  EXPECT_EQ(steps.zero, 73);
  EXPECT_EQ(out, (std::vector<int16_t>{127, -73, -127, -73, -72, 27}));
}

TEST(Rows, BytesIncludeZero) {
  for (float sign : {1.0f, -1.0f}) {
    std::vector<float> row = {sign * 2.54f, sign * 2.53f, 0.0f};
    std::vector<int16_t> out(row.size());
    ByteSteps steps = quantizeByteRow(row, out);
    EXPECT_FLOAT_EQ(steps.step, 0.01f);
    EXPECT_EQ(steps.zero, int(sign) * 127);
    EXPECT_EQ(out, (std::vector<int16_t>{int16_t(sign * 127), int16_t(sign * 126),
                                         int16_t(sign * -127)}));
  }
}

TEST(Rows, BytesErrByHalfAStepAndAtTheEndsByOne) {
  for (unsigned seed = 1; seed < 20; ++seed) {
    std::vector<float> row = drawNormal(1000, seed);
    std::vector<int16_t> out(row.size());
    ByteSteps steps = quantizeByteRow(row, out);
    auto [low, high] = std::minmax_element(row.begin(), row.end());
    EXPECT_FLOAT_EQ(steps.step, (*high - *low) / 254);
    for (size_t i = 0; i < row.size(); ++i) {
      EXPECT_LE(std::abs(out[i]), 127);
      float most = std::abs(out[i]) == 127 ? 1.0001f : 0.5001f;
      EXPECT_NEAR(row[i], steps.step * static_cast<float>(out[i] + steps.zero), most * steps.step);
    }
  }
}

TEST(Rows, BytesOfNextToNothingAreZeros) {
  std::vector<float> row = {1e-38f, 0.0f, -1e-38f};
  std::vector<int16_t> out(row.size(), 7);
  EXPECT_EQ(quantizeByteRow(row, out).zero, 0);
  EXPECT_EQ(out, std::vector<int16_t>(3, 0));
}

TEST(Rows, RowOfZerosStaysZero) {
  std::vector<float> row(16, 0.0f);
  std::vector<int16_t> out(row.size(), 7);
  EXPECT_EQ(quantizeRow(row, 127, out), 1.0f);
  EXPECT_EQ(out, std::vector<int16_t>(16, 0));
  out.assign(row.size(), 7);
  ByteSteps steps = quantizeByteRow(row, out);
  EXPECT_EQ(steps.step, 1.0f);
  EXPECT_EQ(steps.zero, 0);
  EXPECT_EQ(out, std::vector<int16_t>(16, 0));
  std::vector<uint8_t> indices(row.size(), 7);
  EXPECT_EQ(quantizeRow(row, Levels{}, indices), 0.0f);
}

TEST(Rows, PairsOfAFilterFitSixteenBits) {
  for (size_t channels : {64, 63, 1})
    for (size_t taps : {9, 4}) {
      std::vector<float> filter = drawNormal(channels * taps, 7);
      std::vector<int16_t> out(filter.size());
      float step = quantizeFilter(filter, taps, out);
      int clipped = 0;
      for (size_t c = 0; c < channels; ++c)
        for (size_t tap = 0; tap < taps; ++tap) {
          size_t i = c * taps + tap;
          EXPECT_LE(std::abs(out[i]), 127);
          if (c % 2 == 0 && c + 1 < channels)
            EXPECT_LE(std::abs(out[i] + out[i + taps]), kLargestPair);
          clipped += std::fabs(filter[i] - step * out[i]) > 0.5001f * step;
        }
      // Few weights pay for the others' finer steps.
      EXPECT_LE(clipped, static_cast<int>(filter.size() / 20));
    }
}

TEST(Rows, APairThatIsTooLargeLosesOnBothSides) {
  // One pair that is large on both sides, and 126 small numbers that a finer step serves.
  std::vector<float> filter(128, 0.0101f);
  filter[0] = 1.0f;
  filter[1] = 0.9f;
  filter[2] = -1.0f;
  filter[3] = -0.9f;
  filter[5] = -0.9f;
  std::vector<int16_t> out(filter.size());
  float step = quantizeFilter(filter, 1, out);
  EXPECT_LE(out[0] + out[1], kLargestPair);
  EXPECT_GE(out[2] + out[3], -kLargestPair);
  EXPECT_GT(out[0], out[1]);
  EXPECT_EQ(out[2], -out[0]);
  EXPECT_EQ(out[3], -out[1]);
  // A large number next to a small one is not touched.
  EXPECT_NEAR(step * out[5], -0.9f, 0.5001f * step);
}

TEST(Rows, FilterOfZerosStaysZero) {
  std::vector<float> filter(36, 0.0f);
  std::vector<int16_t> out(filter.size(), 7);
  EXPECT_EQ(quantizeFilter(filter, 9, out), 1.0f);
  EXPECT_EQ(out, std::vector<int16_t>(36, 0));
}

TEST(Rows, LevelsAreSortedAndUseTheWholeRange) {
  Levels levels = fitLevels({drawNormal(4096, 2), drawNormal(4096, 3)});
  EXPECT_TRUE(std::is_sorted(levels.begin(), levels.end()));
  int largest = std::max(std::abs(levels.front()), std::abs(levels.back()));
  EXPECT_LE(largest, kLargestLevel);
  EXPECT_GE(largest, kLargestLevel - 16);
}

TEST(Rows, RowsOfOneSignFitTheirOwnLevels) {
  // Ten times as far from zero as they are spread.
  std::vector<float> row = drawNormal(4096, 7);
  double square = 0;
  for (float value : row)
    square += double(value) * value;
  auto spread = static_cast<float>(std::sqrt(square / double(row.size())));
  for (float &value : row)
    value = 10.0f + value / spread;
  std::vector<uint8_t> indices(row.size());
  Levels levels = fitLevels({row});
  float scale = quantizeRow(row, levels, indices);
  double error = 0;
  for (size_t i = 0; i < row.size(); ++i)
    error += std::pow(row[i] - scale * static_cast<float>(levels[indices[i]]), 2);
  EXPECT_LT(std::sqrt(error / double(row.size())), 0.5)
      << "of a spread of 1: of the levels that the algorithm begins with, few are near";
}

TEST(Rows, LevelsOfANormalRowReachItsDistortion) {
  std::vector<float> row = drawNormal(8192, 4);
  Levels levels = fitLevels({row});
  std::vector<uint8_t> out(row.size());
  float scale = quantizeRow(row, levels, out);
  double square = 0, error = 0;
  for (size_t i = 0; i < row.size(); ++i) {
    ASSERT_LT(out[i], 16);
    square += double(row[i]) * row[i];
    error += std::pow(row[i] - scale * static_cast<float>(levels[out[i]]), 2);
  }
  // Max (1960): 16 levels leave 0.009497 of a normal distribution's variance.
  EXPECT_LT(error / square, 0.0105);
}

TEST(Rows, GroupsUseTheSetThatIsNearer) {
  // The last 8 numbers are groups of two.
  std::vector<float> row = drawNormal(8200, 5);
  LevelPair pair = fitLevelPair({row}, 4);
  for (const Levels &levels : pair.sets)
    EXPECT_TRUE(std::is_sorted(levels.begin(), levels.end()));
  std::vector<uint8_t> out(row.size());
  float scale = quantizeRow(row, pair, 4, out);
  double square = 0, error = 0, worse = 0;
  auto getError = [&](size_t i, float level) { return std::pow(row[i] - scale * level, 2); };
  for (size_t first = 0; first < row.size(); first += first % 16 == 3 ? 13 : 1) {
    double own = 0, other = 0;
    for (size_t i = first; i < std::min(first / 16 * 16 + 16, row.size()); i += 4) {
      ASSERT_LT(out[i], 32);
      ASSERT_EQ(out[i] / 16, out[first] / 16) << "one set per group";
      own += getError(i, pair.sets[out[i] / 16][out[i] % 16]);
      double least = INFINITY;
      for (int8_t level : pair.sets[1 - out[i] / 16])
        least = std::min(least, getError(i, level));
      other += least;
      square += double(row[i]) * row[i];
    }
    worse += std::max(own - other, 0.0);
    error += own;
  }
  // The scale moves once more after the choice, by next to nothing.
  EXPECT_LE(worse, 1e-3 * error);
  // One set leaves 0.0095 of the variance; the choice is worth what a quarter of a bit can be.
  EXPECT_LT(error / square, 0.0060);
}

TEST(Rows, GroupsOfARowOfZerosStayZero) {
  std::vector<float> row(16, 0.0f);
  std::vector<uint8_t> indices(row.size(), 7);
  LevelPair pair = fitLevelPair({drawNormal(16, 6), row}, 4);
  EXPECT_EQ(quantizeRow(row, pair, 4, indices), 0.0f);
  EXPECT_EQ(indices, std::vector<uint8_t>(row.size(), 0));
}

} // namespace
