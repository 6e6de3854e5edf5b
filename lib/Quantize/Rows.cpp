//===- Rows.cpp - couplings in few bits -------------------------*- C++ -*-===//

#include "un0/Quantize/Rows.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include <algorithm>
#include <cmath>

using namespace un0;
using llvm::ArrayRef;
using llvm::MutableArrayRef;

static float getLargest(ArrayRef<float> row) {
  float largest = 0;
  for (float value : row)
    largest = std::max(largest, std::fabs(value));
  return largest;
}

float un0::quantizeRow(ArrayRef<float> row, int largest, MutableArrayRef<int16_t> out) {
  float peak = getLargest(row);
  if (!(peak > 0) || !std::isfinite(peak)) {
    std::fill(out.begin(), out.end(), 0);
    return 1.0f;
  }
  float step = peak / static_cast<float>(largest), inverse = static_cast<float>(largest) / peak;
  // Adding 1.5 * 2^23 rounds to nearest even and is a plain vector addition; magnitudes are below
  // 2^22.
  constexpr float magic = 12582912.0f;
  auto limit = static_cast<float>(largest);
  for (size_t i = 0; i < row.size(); ++i) {
    float scaled = std::clamp(row[i] * inverse, -limit, limit);
    out[i] = static_cast<int16_t>((scaled + magic) - magic);
  }
  return step;
}

ByteSteps un0::quantizeByteRow(ArrayRef<float> row, MutableArrayRef<int16_t> out) {
  float low = 0, high = 0;
  for (float value : row) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
  constexpr float magic = 12582912.0f, limit = 127.0f; // as in quantizeRow
  float range = high - low, inverse = 2 * limit / range;
  if (!(range > 0) || !std::isfinite(range) || !std::isfinite(inverse)) {
    std::fill(out.begin(), out.end(), 0);
    return {};
  }
  float step = range / (2 * limit);
  float zero = std::nearbyint((high + low) / 2 * inverse);
  for (size_t i = 0; i < row.size(); ++i) {
    float number = (row[i] * inverse + magic) - magic - zero;
    out[i] = static_cast<int16_t>(std::clamp(number, -limit, limit));
  }
  return {step, static_cast<int>(zero)};
}

/// A pair of weights in steps, rounded. What is too much for a pair is taken from both, so that the
/// two errors are as equal as can be.
static std::pair<float, float> roundPair(float x, float y) {
  constexpr float magic = 12582912.0f, limit = 127.0f;
  float a = std::clamp((x + magic) - magic, -limit, limit);
  float b = std::clamp((y + magic) - magic, -limit, limit);
  // Together more than one of them can be: both have the same sign.
  float excess = std::fabs(a + b) - float(kLargestPair);
  if (excess <= 0)
    return {a, b};
  float sign = a > 0 ? 1.0f : -1.0f;
  float share = std::nearbyint((excess + sign * ((a - x) - (b - y))) / 2);
  share = std::clamp(share, 0.0f, excess);
  return {a - sign * share, b - sign * (excess - share)};
}

/// Calls `body` with the rounded pairs of a filter in units of `step`, and where they are; the last
/// channel of an odd number is alone.
template <typename Body>
static void forEachPair(ArrayRef<float> weights, size_t taps, float step, Body body) {
  float inverse = 1.0f / step;
  for (size_t c = 0; c + taps < weights.size(); c += 2 * taps)
    for (size_t i = c; i < c + taps; ++i) {
      auto [a, b] = roundPair(weights[i] * inverse, weights[i + taps] * inverse);
      body(i, a);
      body(i + taps, b);
    }
  if (weights.size() / taps % 2)
    for (size_t i = weights.size() - taps; i < weights.size(); ++i)
      body(i, roundPair(weights[i] * inverse, 0.0f).first);
}

float un0::quantizeFilter(ArrayRef<float> weights, size_t taps, MutableArrayRef<int16_t> out) {
  float peak = getLargest(weights);
  if (!(peak > 0) || !std::isfinite(peak)) {
    std::fill(out.begin(), out.end(), 0);
    return 1.0f;
  }
  float best = 0;
  double least = INFINITY;
  // Down to where clipping one weight in a hundred costs more than finer steps bring; up to where
  // no pair is too large.
  for (int percent = 200; percent >= 60; percent -= 4) {
    float step = peak * static_cast<float>(percent) / (100.0f * 127.0f);
    double error = 0;
    forEachPair(weights, taps, step, [&](size_t i, float number) {
      double rest = weights[i] - number * step;
      error += rest * rest;
    });
    if (error < least) {
      least = error;
      best = step;
    }
  }
  forEachPair(weights, taps, best,
              [&](size_t i, float number) { out[i] = static_cast<int16_t>(number); });
  return best;
}

/// Boundaries between neighbouring levels: a value belongs to the first level whose boundary it
/// does not exceed.
template <typename T, size_t N>
static std::array<float, N - 1> getBoundaries(const std::array<T, N> &levels) {
  std::array<float, N - 1> result;
  for (size_t i = 0; i + 1 < N; ++i)
    result[i] = 0.5f * (static_cast<float>(levels[i]) + static_cast<float>(levels[i + 1]));
  return result;
}

/// Counting boundaries below is a sum of compares: no branches, and it vectorizes.
static unsigned getNearest(const std::array<float, 15> &boundaries, float value) {
  unsigned index = 0;
  for (float boundary : boundaries)
    index += value > boundary;
  return index;
}

using FloatLevels = std::array<float, 16>;

/// Numbers of all rows but those of zeros, each divided by its row's root mean square.
static std::vector<float> normalize(ArrayRef<std::vector<float>> rows) {
  std::vector<float> values;
  for (const std::vector<float> &row : rows) {
    double square = 0;
    for (float value : row)
      square += double(value) * value;
    if (!(square > 0))
      continue;
    auto inverse = static_cast<float>(std::sqrt(double(row.size()) / square));
    for (float value : row)
      values.push_back(value * inverse);
  }
  return values;
}

namespace {
/// Means of the numbers that were given to each level.
struct Centroids {
  std::array<double, 16> sums = {};
  std::array<size_t, 16> counts = {};

  void add(unsigned index, float value) {
    sums[index] += value;
    ++counts[index];
  }
  void moveTo(FloatLevels &levels) const {
    for (size_t i = 0; i < 16; ++i)
      if (counts[i])
        levels[i] = static_cast<float>(sums[i] / double(counts[i]));
  }
};
} // namespace

static FloatLevels fitFloatLevels(ArrayRef<float> values) {
  // The optimum for a normal distribution (J. Max, "Quantizing for minimum distortion", 1960).
  constexpr std::array<float, 8> half = {0.1284f, 0.3881f, 0.6568f, 0.9424f,
                                         1.2562f, 1.6181f, 2.0691f, 2.7326f};
  FloatLevels levels;
  for (size_t i = 0; i < 8; ++i) {
    levels[8 + i] = half[i];
    levels[7 - i] = -half[i];
  }
  for (int round = 0; round < 30 && !values.empty(); ++round) {
    auto boundaries = getBoundaries(levels);
    Centroids centroids;
    for (float value : values)
      centroids.add(getNearest(boundaries, value), value);
    centroids.moveTo(levels);
  }
  return levels;
}

static Levels roundLevels(const FloatLevels &levels, float unit) {
  Levels result;
  for (size_t i = 0; i < 16; ++i)
    result[i] = static_cast<int8_t>(std::lround(levels[i] / unit));
  // Rounding may make neighbours equal; they stay sorted, which is all that the search needs.
  return result;
}

/// The level nearest to each number, by index, and the squared error that is left. Chains of
/// compares for the vectorizer, and indices that are no bytes, which might alias everything.
template <typename T>
static void findNearest(const std::array<T, 16> &levels, ArrayRef<float> row, float inverse,
                        MutableArrayRef<int32_t> indices, MutableArrayRef<float> errors) {
  auto boundaries = getBoundaries(levels);
  std::array<float, 16> values;
  llvm::copy(levels, values.begin());
  for (size_t i = 0; i < row.size(); ++i) {
    float value = row[i] * inverse, level = values[0];
    int32_t index = 0;
    for (size_t k = 0; k < 15; ++k) {
      bool above = value > boundaries[k];
      index += above;
      level = above ? values[k + 1] : level;
    }
    indices[i] = index;
    errors[i] = (value - level) * (value - level);
  }
}

/// Writes the index of the level that each number of a row gets, in bits 0 to 3, and in bit 4 the
/// set that its group chose.
template <typename T>
static void chooseSets(const std::array<std::array<T, 16>, 2> &sets, size_t group,
                       ArrayRef<float> row, float inverse, MutableArrayRef<uint8_t> out) {
  std::array<std::vector<int32_t>, 2> indices;
  std::array<std::vector<float>, 2> errors;
  for (size_t set = 0; set < 2; ++set) {
    indices[set].resize(row.size());
    errors[set].resize(row.size());
    findNearest(sets[set], row, inverse, indices[set], errors[set]);
  }
  for (size_t block = 0; block < row.size(); block += 4 * group)
    for (size_t byte = 0; byte < 4; ++byte) {
      size_t end = std::min(block + 4 * group, row.size());
      std::array<float, 2> sums = {};
      for (size_t i = block + byte; i < end; i += 4)
        for (size_t set = 0; set < 2; ++set)
          sums[set] += errors[set][i];
      size_t set = sums[1] < sums[0];
      for (size_t i = block + byte; i < end; i += 4)
        out[i] = static_cast<uint8_t>(indices[set][i] + 16 * set);
    }
}

/// The unit in which levels, of which `largest` is the largest, are best rounded: where `measure`
/// says the least error. A few steps less than the most may be luckier.
static float chooseUnit(float largest, llvm::function_ref<double(float unit)> measure) {
  if (!(largest > 0))
    return 1.0f;
  float best = largest / kLargestLevel;
  double least = INFINITY;
  for (int steps = kLargestLevel; steps > kLargestLevel - 16; steps -= 2) {
    float unit = largest / static_cast<float>(steps);
    if (double error = measure(unit); error < least) {
      least = error;
      best = unit;
    }
  }
  return best;
}

/// The error of rows of `length` values each, of which `assign` gives the nearest levels.
static double getRoundingError(
    ArrayRef<float> values, size_t length, ArrayRef<int8_t> levels, float unit,
    llvm::function_ref<void(ArrayRef<float> row, MutableArrayRef<uint8_t> out)> assign) {
  double error = 0;
  std::vector<uint8_t> indices(length);
  for (size_t first = 0; first < values.size(); first += length) {
    ArrayRef<float> row = values.slice(first, length);
    assign(row, indices);
    for (auto [value, index] : llvm::zip_equal(row, indices)) {
      float rest = value - unit * static_cast<float>(levels[index]);
      error += double(rest) * rest;
    }
  }
  return error;
}

static std::vector<int8_t> join(const LevelPair &levels) {
  std::vector<int8_t> both(levels.sets[0].begin(), levels.sets[0].end());
  llvm::append_range(both, levels.sets[1]);
  return both;
}

static void chooseNearest(const Levels &levels, ArrayRef<float> row, float inverse,
                          MutableArrayRef<uint8_t> out) {
  auto boundaries = getBoundaries(levels);
  for (size_t i = 0; i < row.size(); ++i)
    out[i] = static_cast<uint8_t>(getNearest(boundaries, row[i] * inverse));
}

Levels un0::fitLevels(ArrayRef<std::vector<float>> rows) {
  std::vector<float> values = normalize(rows);
  FloatLevels levels = fitFloatLevels(values);
  size_t length = rows.empty() ? 0 : rows.front().size();
  float best = chooseUnit(getLargest(levels), [&](float unit) {
    Levels rounded = roundLevels(levels, unit);
    return getRoundingError(values, length, rounded, unit,
                            [&](ArrayRef<float> row, MutableArrayRef<uint8_t> out) {
                              chooseNearest(rounded, row, 1.0f / unit, out);
                            });
  });
  return roundLevels(levels, best);
}

LevelPair un0::fitLevelPair(ArrayRef<std::vector<float>> rows, size_t group) {
  std::vector<float> values = normalize(rows);
  FloatLevels all = fitFloatLevels(values);
  std::array<FloatLevels, 2> levels = {all, all};
  for (size_t i = 0; i < 16; ++i) {
    size_t below = i == 0 ? 0 : i - 1, above = i == 15 ? 15 : i + 1;
    float step = (all[above] - all[below]) / static_cast<float>(above - below);
    levels[0][i] -= step / 4;
    levels[1][i] += step / 4;
  }
  std::vector<uint8_t> chosen(rows.empty() ? 0 : rows.front().size());
  for (int round = 0; round < 20 && !values.empty(); ++round) {
    std::array<Centroids, 2> centroids;
    for (size_t first = 0; first < values.size(); first += chosen.size()) {
      auto row = ArrayRef<float>(values).slice(first, chosen.size());
      chooseSets(levels, group, row, 1.0f, chosen);
      for (auto [index, value] : llvm::zip_equal(chosen, row))
        centroids[index / 16].add(index % 16, value);
    }
    for (size_t set = 0; set < 2; ++set)
      centroids[set].moveTo(levels[set]);
  }
  auto round = [&](float unit) -> LevelPair {
    return {{roundLevels(levels[0], unit), roundLevels(levels[1], unit)}, unit};
  };
  float largest = std::max(getLargest(levels[0]), getLargest(levels[1]));
  return round(chooseUnit(largest, [&](float unit) {
    LevelPair rounded = round(unit);
    return getRoundingError(values, chosen.size(), join(rounded), unit,
                            [&](ArrayRef<float> row, MutableArrayRef<uint8_t> out) {
                              chooseSets(rounded.sets, group, row, 1.0f / unit, out);
                            });
  }));
}

/// Alternates between what `assign` gives the numbers at a scale's inverse, an index into `levels`
/// each, and the scale that is best for that; from `unit` for a row of unit root mean square.
static float fitScale(ArrayRef<float> row, double unit, ArrayRef<int8_t> levels,
                      MutableArrayRef<uint8_t> out,
                      llvm::function_ref<void(float inverse)> assign) {
  double square = 0;
  for (float value : row)
    square += double(value) * value;
  if (!(square > 0)) {
    std::fill(out.begin(), out.end(), 0); // all levels mean zero
    return 0.0f;
  }
  double scale = std::sqrt(square / double(row.size())) * unit;
  for (int round = 0; round < 4; ++round) {
    auto inverse = static_cast<float>(1.0 / scale);
    assign(inverse);
    double product = 0, norm = 0;
    for (size_t i = 0; i < row.size(); ++i) {
      product += double(row[i]) * levels[out[i]];
      norm += double(levels[out[i]]) * levels[out[i]];
    }
    if (!(product > 0))
      break;
    scale = product / norm;
  }
  return static_cast<float>(scale);
}

float un0::quantizeRow(ArrayRef<float> row, const Levels &levels, MutableArrayRef<uint8_t> out) {
  // The largest level of rows of unit root mean square is near that of a normal distribution.
  int largest = std::max({1, -levels.front(), int(levels.back())});
  return fitScale(row, 2.7326 / largest, levels, out,
                  [&](float inverse) { chooseNearest(levels, row, inverse, out); });
}

float un0::quantizeRow(ArrayRef<float> row, const LevelPair &levels, size_t group,
                       MutableArrayRef<uint8_t> out) {
  return fitScale(row, levels.unit, join(levels), out,
                  [&](float inverse) { chooseSets(levels.sets, group, row, inverse, out); });
}
