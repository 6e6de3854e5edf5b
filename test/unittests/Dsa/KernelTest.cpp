//===- KernelTest.cpp - the simulator's arithmetic ----------------------------===//
#include "Random.h"
#include "SimulatorKernels.h"

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <gtest/gtest.h>
#include <memory>
#include <random>
#include <vector>

using namespace un0::dsa;

namespace {

/// 64-byte aligned numbers.
template <typename T> class Array {
public:
  explicit Array(size_t size, T value = T())
      : size(size),
        data(static_cast<T *>(std::aligned_alloc(64, (size * sizeof(T) + 64) / 64 * 64))) {
    std::fill_n(data.get(), size, value);
  }
  T *get() { return data.get(); }
  T &operator[](size_t i) { return data.get()[i]; }
  std::vector<T> values() const { return {data.get(), data.get() + size}; }

private:
  struct Free {
    void operator()(T *memory) const { std::free(memory); }
  };
  size_t size;
  std::unique_ptr<T, Free> data;
};

std::vector<const Kernels *> usable() {
  const Kernels *kernels[3];
  const size_t count = usableKernels(kernels);
  return {kernels, kernels + count};
}

/// Rows of random numbers, zero where rows are padding.
Array<float> rows(size_t n, size_t perRow, unsigned seed, float scale = 1) {
  std::mt19937 engine(seed);
  std::uniform_real_distribution<float> uniform(-scale, scale);
  Array<float> result(paddedRows(n) * perRow);
  for (size_t i = 0; i < n * perRow; ++i)
    result[i] = uniform(engine);
  return result;
}

float coupling(size_t i, size_t j) {
  std::mt19937 engine(static_cast<unsigned>(i * 7919 + j));
  return std::uniform_real_distribution<float>(-1, 1)(engine);
}

Array<float> packed(const Kernels &kernels, size_t n, size_t columns) {
  Array<float> result(paddedRows(n) * columns);
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j < columns; ++j)
      result[i / kernels.panel * kernels.panel * columns + j * kernels.panel + i % kernels.panel] =
          coupling(i, j);
  return result;
}

constexpr size_t sizes[] = {1, 5, 24, 52, 67};

std::vector<uint32_t> bits(const std::vector<float> &values) {
  std::vector<uint32_t> result(values.size());
  std::memcpy(result.data(), values.data(), values.size() * sizeof(float));
  return result;
}

size_t waveAt(size_t row, unsigned lane, bool cosine) {
  return row * 32 + lane / 8 * 16 + (cosine ? 8 : 0) + lane % 8;
}

} // namespace

TEST(Kernels, BestOnesAreUsable) {
  EXPECT_EQ(&bestKernels(), usable().front());
  EXPECT_EQ(usable().back(), &baselineKernels);
}

TEST(Kernels, SineAndCosineAreExactToFloat) {
  for (const Kernels *kernels : usable()) {
    double worst = 0;
    for (float range : {1.0f, 10.0f, 1000.0f}) {
      const size_t n = 500;
      Array<float> phase = rows(n, 16, 1, range), carry = rows(n, 16, 2, 0.3f);
      Array<float> h(16), waves(paddedRows(n) * 32);
      kernels->stage(n, 3, phase.get(), carry.get(), h.get(), {}, nullptr, waves.get());
      for (size_t i = 0; i < n; ++i)
        for (unsigned lane = 0; lane < 16; ++lane) {
          const double x = double(phase[i * 16 + lane]) + double(carry[i * 16 + lane]);
          worst = std::max(worst, std::abs(std::sin(x) - waves[waveAt(i, lane, false)]));
          worst = std::max(worst, std::abs(std::cos(x) - waves[waveAt(i, lane, true)]));
        }
    }
    EXPECT_LT(worst, 1.5e-7) << kernels->name;
  }
}

TEST(Kernels, MultiplyAddsRoundOnce) {
  std::mt19937 engine(3);
  std::uniform_real_distribution<float> mantissa(-2, 2);
  std::uniform_int_distribution<int> exponent(-30, 30);
  auto draw = [&] { return std::ldexp(mantissa(engine), exponent(engine)); };
  for (const Kernels *kernels : usable())
    for (int trial = 0; trial < 2000; ++trial) {
      Array<float> k(paddedRows(1)), source(32 * paddedRows(1)), target(32 * paddedRows(1)),
          in(16 * paddedRows(1)), out(16 * paddedRows(1));
      k[0] = draw();
      for (size_t i = 0; i < 32; ++i) {
        source[i] = draw();
        target[i] = draw();
      }
      for (size_t lane = 0; lane < 16; ++lane)
        in[lane] = draw();
      kernels->couple(1, 1, 1, 3, k.get(), source.get(), target.get(), in.get(), out.get());
      for (unsigned lane = 0; lane < 16; ++lane) {
        const size_t s = waveAt(0, lane, false), c = waveAt(0, lane, true);
        const float p = std::fma(k[0], source[s], 0.0f), q = std::fma(k[0], source[c], 0.0f);
        const float expected = std::fma(target[c], p, std::fma(-target[s], q, in[lane]));
        ASSERT_EQ(out[lane], expected) << kernels->name << ", lane " << lane;
      }
    }
}

TEST(Kernels, ContractionsAreTheSumsOfTheirDefinition) {
  for (const Kernels *kernels : usable())
    for (size_t n : sizes)
      for (size_t columns : {size_t(1), size_t(8), n}) {
        Array<float> k = packed(*kernels, n, columns), own(paddedRows(n) * columns * 16);
        for (size_t i = 0; i < n; ++i)
          for (size_t j = 0; j < columns; ++j)
            for (unsigned lane = 0; lane < 16; ++lane)
              own[(i * columns + j) * 16 + lane] = coupling(i, j);
        Array<float> phase = rows(n, 16, 4, 3), sourcePhase = rows(columns, 16, 5, 3);
        Array<float> zero(16 * paddedRows(std::max(n, columns))), h(16);
        Array<float> waves(32 * paddedRows(n)), source(32 * paddedRows(columns));
        Array<float> in = rows(n, 16, 6), out(16 * paddedRows(n)), out2(16 * paddedRows(n));
        kernels->stage(n, 3, phase.get(), zero.get(), h.get(), {}, nullptr, waves.get());
        kernels->stage(columns, 3, sourcePhase.get(), zero.get(), h.get(), {}, nullptr,
                       source.get());
        kernels->couple(n, columns, columns, 3, k.get(), source.get(), waves.get(), in.get(),
                        out.get());
        kernels->coupleLanes(n, columns, columns, 3, own.get(), source.get(), waves.get(),
                             in.get(), out2.get());
        EXPECT_EQ(bits(out.values()), bits(out2.values())) << kernels->name << " " << n;
        for (size_t i = 0; i < n; ++i)
          for (unsigned lane = 0; lane < 16; ++lane) {
            double sum = in[i * 16 + lane];
            for (size_t j = 0; j < columns; ++j)
              sum += double(coupling(i, j)) *
                     std::sin(double(sourcePhase[j * 16 + lane]) - double(phase[i * 16 + lane]));
            ASSERT_NEAR(out[i * 16 + lane], sum, 3e-6) << kernels->name << " " << n;
          }
      }
}

TEST(Kernels, AllInstructionSetsGiveTheSameBytes) {
  for (size_t n : sizes)
    for (unsigned groups : {1u, 2u, 3u}) {
      std::vector<std::vector<uint32_t>> results;
      for (const Kernels *kernels : usable()) {
        Array<float> phase = rows(n, 16, 1, 9), carry = rows(n, 16, 2, 1e-7f),
                     rate = rows(n, 16, 3);
        Array<float> frequencies = rows(n, 1, 4), delta(16 * paddedRows(n)),
                     waves(32 * paddedRows(n)), out(16 * paddedRows(n)), most(16);
        Array<float> h = rows(1, 16, 5, 0.3f);
        Array<uint32_t> mask(16), keys(32), step(16);
        for (unsigned lane = 0; lane < 16; ++lane) {
          mask[lane] = lane % 3 ? 0xffffffffu : 0;
          keys[lane] = 77 * lane;
          keys[16 + lane] = lane ^ 0x12345678u;
          step[lane] = lane / 5;
        }
        std::vector<Array<float>> k;
        Slope slope;
        slope.terms = 6;
        for (unsigned j = 0; j < 6; ++j) {
          k.push_back(rows(n, 16, 10 + j));
          slope.weight[j] = 0.7f - 0.3f * static_cast<float>(j);
        }
        for (unsigned j = 0; j < 6; ++j)
          slope.k[j] = k[j].get();
        Array<float> couplings = packed(*kernels, n, n);
        std::vector<uint32_t> all;
        auto keep = [&](const Array<float> &array) {
          const auto words = bits(array.values());
          all.insert(all.end(), words.begin(), words.end());
        };
        kernels->stage(n, groups, phase.get(), carry.get(), h.get(), slope, delta.get(),
                       waves.get());
        keep(delta);
        keep(waves);
        kernels->couple(n, n, n, groups, couplings.get(), waves.get(), waves.get(), rate.get(),
                        out.get());
        keep(out);
        kernels->largest(n, groups, h.get(), slope, most.get());
        keep(most);
        kernels->accept(n, groups, mask.get(), phase.get(), carry.get(), delta.get(), k[0].get(),
                        k[1].get());
        keep(phase);
        keep(carry);
        keep(k[0]);
        kernels->noise(n, groups, mask.get(), keys.get(), step.get(), 3, 0.25f, frequencies.get(),
                       rate.get(), k[0].get());
        keep(rate);
        keep(k[0]);
        Array<float> normals(96);
        kernels->normals(67, keys.get() + 3, 1, 2, 3, normals.get());
        keep(normals);
        results.push_back(all);
      }
      for (size_t i = 1; i < results.size(); ++i)
        EXPECT_EQ(results[i], results[0]) << usable()[i]->name << ", " << n << " oscillators";
    }
}

TEST(Kernels, LanesAndGroupsDoNotTouchEachOther) {
  const size_t n = 30;
  for (const Kernels *kernels : usable()) {
    Array<float> couplings = packed(*kernels, n, n);
    auto evaluate = [&](unsigned groups, unsigned disturbed) {
      Array<float> phase = rows(n, 16, 1, 3), zero(16 * paddedRows(n)), h(16),
                   waves(32 * paddedRows(n)), out(16 * paddedRows(n));
      for (size_t i = 0; i < n; ++i)
        phase[i * 16 + disturbed] = std::nanf("");
      kernels->stage(n, groups, phase.get(), zero.get(), h.get(), {}, nullptr, waves.get());
      kernels->couple(n, n, n, groups, couplings.get(), waves.get(), waves.get(), zero.get(),
                      out.get());
      return out.values();
    };
    const auto whole = evaluate(3, 15);
    const auto first = evaluate(1, 3), second = evaluate(2, 15);
    for (size_t i = 0; i < n; ++i)
      for (unsigned lane = 0; lane < 15; ++lane) {
        if (lane != 3)
          EXPECT_EQ(first[i * 16 + lane], lane < 8 ? whole[i * 16 + lane] : 0) << kernels->name;
        EXPECT_EQ(second[i * 16 + lane], lane < 8 ? 0 : whole[i * 16 + lane]) << kernels->name;
      }
  }
}

TEST(Kernels, WhatIsNotANumberIsTheLargest) {
  for (const Kernels *kernels : usable()) {
    Array<float> k = rows(40, 16, 1), most(16), h(16, 1);
    k[5 * 16 + 2] = std::nanf("");
    k[7 * 16 + 3] = -9;
    Slope slope;
    slope.k[0] = k.get();
    slope.weight[0] = 1;
    slope.terms = 1;
    kernels->largest(40, 3, h.get(), slope, most.get());
    EXPECT_TRUE(std::isnan(most[2])) << kernels->name;
    EXPECT_EQ(most[3], 9) << kernels->name;
    EXPECT_LE(most[4], 1) << kernels->name;
  }
}

TEST(Kernels, AcceptedPhasesLoseNothingInRounding) {
  for (const Kernels *kernels : usable()) {
    const size_t n = 10;
    Array<float> phase = rows(n, 16, 1, 100), carry(16 * paddedRows(n)),
                 delta = rows(n, 16, 2, 1e-3f), k(16 * paddedRows(n));
    Array<uint32_t> mask(16, 0xffffffffu);
    const auto before = phase.values();
    kernels->accept(n, 3, mask.get(), phase.get(), carry.get(), delta.get(), k.get(), k.get());
    for (size_t i = 0; i < n * 16; ++i)
      EXPECT_EQ(double(phase[i]) + double(carry[i]), double(before[i]) + double(delta[i]));
  }
}

TEST(Kernels, NormalsAreThoseOfPhilox) {
  const uint32_t key[2] = {0x1234, 0x98765};
  Array<float> normals(1024);
  bestKernels().normals(1000, key, 5, 6, 7, normals.get());
  for (uint32_t i = 0; i < 1000; i += 2) {
    const auto block = un0::rt::philox4x32({i / 4, 5, 6, 7}, {key[0], key[1]});
    const double u = (double(block[i % 4] >> 8) + 0.5) * 0x1p-24;
    const double angle = double(block[i % 4 + 1] >> 8) * 0x1p-24 * 2 * M_PI - M_PI;
    const double radius = std::sqrt(-2 * std::log(u));
    EXPECT_NEAR(normals[i], radius * std::cos(angle), 3e-6);
    EXPECT_NEAR(normals[i + 1], radius * std::sin(angle), 3e-6);
  }
}

TEST(Kernels, NormalsHaveTheMomentsOfTheNormalDistribution) {
  constexpr size_t count = 1 << 20;
  const uint32_t key[2] = {1, 2};
  Array<float> normals(count);
  bestKernels().normals(count, key, 0, 0, 0, normals.get());
  double sums[5] = {};
  for (size_t i = 0; i < count; ++i)
    for (int power = 1; power <= 4; ++power)
      sums[power] += std::pow(double(normals[i]), power) / count;
  // Three standard deviations of each mean.
  EXPECT_NEAR(sums[1], 0, 3e-3);
  EXPECT_NEAR(sums[2], 1, 4.2e-3);
  EXPECT_NEAR(sums[3], 0, 1.2e-2);
  EXPECT_NEAR(sums[4], 3, 3e-2);
}
