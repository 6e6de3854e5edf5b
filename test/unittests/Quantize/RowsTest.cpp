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

TEST(Rows, RowOfZerosStaysZero) {
  std::vector<float> row(16, 0.0f);
  std::vector<int16_t> out(row.size(), 7);
  EXPECT_EQ(quantizeRow(row, 127, out), 1.0f);
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
  EXPECT_GE(largest, 40);
}

/// The largest sum, either way, of the levels of one sign in a quad.
int getLargestQuad(const std::vector<int8_t> &levels, const std::vector<uint8_t> &indices) {
  int largest = 0;
  for (size_t first = 0; first < indices.size(); first += 8)
    for (size_t half : {0, 2}) {
      int above = 0, below = 0;
      for (size_t i : {0, 1, 4, 5})
        if (first + half + i < indices.size()) {
          int level = levels[indices[first + half + i]];
          above += std::max(level, 0);
          below -= std::min(level, 0);
        }
      largest = std::max({largest, above, below});
    }
  return largest;
}

TEST(Rows, QuadsFitSixteenBits) {
  // Levels fitted to normal rows, and rows that are nothing like it: their largest numbers side by
  // side, all of one sign, with one far from the others, and no whole number of words.
  std::vector<std::vector<float>> rows = {drawNormal(4096, 2), drawNormal(4096, 3)};
  Levels levels = fitLevels(rows);
  LevelPair pair = fitLevelPair(rows, 4);
  std::vector<int8_t> one(levels.begin(), levels.end()),
      two(pair.sets[0].begin(), pair.sets[0].end());
  two.insert(two.end(), pair.sets[1].begin(), pair.sets[1].end());
  std::vector<float> sorted = rows[0], positive = rows[1], lone = rows[0];
  std::sort(sorted.begin(), sorted.end());
  for (float &value : positive)
    value = std::abs(value);
  lone[17] = 40.0f;
  rows.insert(rows.end(),
              {sorted, positive, lone, std::vector<float>(sorted.rbegin(), sorted.rbegin() + 13)});
  int reached = 0;
  for (const std::vector<float> &row : rows) {
    std::vector<uint8_t> indices(row.size());
    EXPECT_GT(quantizeRow(row, levels, indices), 0.0f);
    reached = std::max(reached, getLargestQuad(one, indices));
    EXPECT_LE(getLargestQuad(one, indices), kLargestQuad);
    EXPECT_GT(quantizeRow(row, pair, 4, indices), 0.0f);
    EXPECT_LE(getLargestQuad(two, indices), kLargestQuad);
  }
  EXPECT_GT(reached, kLargestQuad - 16) << "no quad was near the limit";
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
  EXPECT_LE(getLargestQuad({levels.begin(), levels.end()}, indices), kLargestQuad);
  double error = 0;
  for (size_t i = 0; i < row.size(); ++i)
    error += std::pow(row[i] - scale * static_cast<float>(levels[indices[i]]), 2);
  EXPECT_LT(std::sqrt(error / double(row.size())), 0.5)
      << "of a spread of 1: of the levels that the algorithm begins with, few are near";
}

TEST(Rows, AQuadThatIsTooLargeTakesSmallerLevels) {
  Levels levels = {-50, -40, -32, -24, -16, -8, -4, -2, 2, 4, 8, 16, 24, 32, 40, 50};
  // Numbers 0, 1, 4 and 5 are a quad, 2, 3, 6 and 7 another: one of the largest, one with as many
  // of either sign. More rows of the same keep the scale at about one.
  std::vector<float> row;
  for (int i = 0; i < 64; ++i)
    row.insert(row.end(), {2, -2, 2, -2, 50, -50, 4, -4});
  row.insert(row.end(), {50, 50, 50, -50, 50, 50, -50, 50});
  std::vector<uint8_t> indices(row.size());
  quantizeRow(row, levels, indices);
  EXPECT_LE(getLargestQuad({levels.begin(), levels.end()}, indices), kLargestQuad);
  auto last = llvm::ArrayRef<uint8_t>(indices).take_back(8);
  EXPECT_EQ(levels[last[2]] + levels[last[3]] + levels[last[6]] + levels[last[7]], 0);
  int sum = levels[last[0]] + levels[last[1]] + levels[last[4]] + levels[last[5]];
  EXPECT_GE(sum, kLargestQuad - 8) << "no more was taken than had to be";
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
  // What they stand for is nothing, but their products are added up as well.
  std::vector<int8_t> levels(pair.sets[0].begin(), pair.sets[0].end());
  levels.insert(levels.end(), pair.sets[1].begin(), pair.sets[1].end());
  EXPECT_LE(getLargestQuad(levels, indices), kLargestQuad);
}

} // namespace
