//===- Rows.cpp - couplings in few bits -------------------------*- C++ -*-===//

#include "un0/Quantize/Rows.h"

#include "llvm/ADT/STLExtras.h"
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

float un0::quantizeFilter(ArrayRef<float> weights, int largest, MutableArrayRef<int16_t> out) {
  float peak = getLargest(weights);
  if (!(peak > 0) || !std::isfinite(peak)) {
    std::fill(out.begin(), out.end(), 0);
    return 1.0f;
  }
  auto limit = static_cast<float>(largest);
  auto round = [&](float value, float step) {
    return std::clamp(std::nearbyint(value / step), -limit, limit);
  };
  float best = 0;
  double least = INFINITY;
  for (int percent = 100; percent >= 60; percent -= 4) {
    float step = peak * static_cast<float>(percent) / 100.0f / limit;
    double error = 0;
    for (float value : weights) {
      double rest = value - round(value, step) * step;
      error += rest * rest;
    }
    if (error < least) {
      least = error;
      best = step;
    }
  }
  for (size_t i = 0; i < weights.size(); ++i)
    out[i] = static_cast<int16_t>(round(weights[i], best));
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

Levels un0::fitLevels(ArrayRef<std::vector<float>> rows) {
  // The optimum for a normal distribution (J. Max, "Quantizing for minimum distortion", 1960).
  constexpr std::array<float, 8> half = {0.1284f, 0.3881f, 0.6568f, 0.9424f,
                                         1.2562f, 1.6181f, 2.0691f, 2.7326f};
  std::array<float, 16> levels;
  for (size_t i = 0; i < 8; ++i) {
    levels[8 + i] = half[i];
    levels[7 - i] = -half[i];
  }
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
  for (int round = 0; round < 30 && !values.empty(); ++round) {
    auto boundaries = getBoundaries(levels);
    std::array<double, 16> sums = {};
    std::array<size_t, 16> counts = {};
    for (float value : values) {
      unsigned index = getNearest(boundaries, value);
      sums[index] += value;
      ++counts[index];
    }
    for (size_t i = 0; i < 16; ++i)
      if (counts[i])
        levels[i] = static_cast<float>(sums[i] / double(counts[i]));
  }
  float largest = getLargest(levels);
  Levels result;
  for (size_t i = 0; i < 16; ++i)
    result[i] = static_cast<int8_t>(std::lround(levels[i] / largest * 127.0f));
  // Rounding may make neighbours equal; they stay sorted, which is all that the search needs.
  return result;
}

float un0::quantizeRow(ArrayRef<float> row, const Levels &levels, MutableArrayRef<uint8_t> out) {
  double square = 0;
  for (float value : row)
    square += double(value) * value;
  if (!(square > 0)) {
    std::fill(out.begin(), out.end(), 0);
    return 0.0f; // all levels mean zero
  }
  // Levels were fitted to rows of unit root mean square, where the largest is near that of a normal
  // distribution.
  double scale = std::sqrt(square / double(row.size())) * 2.7326 / 127.0;
  auto boundaries = getBoundaries(levels);
  for (int round = 0; round < 4; ++round) {
    auto inverse = static_cast<float>(1.0 / scale);
    double product = 0, norm = 0;
    for (size_t i = 0; i < row.size(); ++i) {
      unsigned index = getNearest(boundaries, row[i] * inverse);
      out[i] = static_cast<uint8_t>(index);
      product += double(row[i]) * levels[index];
      norm += double(levels[index]) * levels[index];
    }
    if (!(product > 0))
      break;
    scale = product / norm;
  }
  return static_cast<float>(scale);
}
