//===- Random.cpp - initial phases ------------------------------------------===//
#include "Random.h"

namespace un0::rt {

// This file is compiled with -ffp-contract=off: a fused multiply-subtract would round once, torch
// rounds twice.
static float toPhase(uint32_t mantissa) {
  constexpr float pi = 3.14159274f;
  float u = static_cast<float>(mantissa) * 0x1p-24f;
  float scaled = u * 2.0f * pi;
  return scaled - pi;
}

std::array<uint32_t, 4> philox4x32(std::array<uint32_t, 4> c, std::array<uint32_t, 2> k) {
  for (int round = 0; round < 10; ++round) {
    uint64_t p0 = uint64_t(0xD2511F53u) * c[0];
    uint64_t p1 = uint64_t(0xCD9E8D57u) * c[2];
    c = {static_cast<uint32_t>(p1 >> 32) ^ c[1] ^ k[0], static_cast<uint32_t>(p1),
         static_cast<uint32_t>(p0 >> 32) ^ c[3] ^ k[1], static_cast<uint32_t>(p0)};
    k[0] += 0x9E3779B9u;
    k[1] += 0xBB67AE85u;
  }
  return c;
}

void philoxPhases(uint64_t seed, uint64_t sample, uint32_t first, uint32_t count, float *phases) {
  std::array<uint32_t, 2> key = {static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)};
  for (uint32_t done = 0; done < count;) {
    uint32_t p = first + done;
    auto block = philox4x32(
        {p / 4, static_cast<uint32_t>(sample), static_cast<uint32_t>(sample >> 32), 0}, key);
    for (uint32_t word = p % 4; word < 4 && done < count; ++word)
      phases[done++] = toPhase(block[word] >> 8);
  }
}

TorchGenerator::TorchGenerator(uint64_t seed) {
  state[0] = static_cast<uint32_t>(seed);
  for (int i = 1; i < size; ++i)
    state[i] = 1812433253u * (state[i - 1] ^ (state[i - 1] >> 30)) + static_cast<uint32_t>(i);
}

void TorchGenerator::refill() {
  auto twist = [](uint32_t upper, uint32_t lower) {
    uint32_t mixed = (upper & 0x80000000u) | (lower & 0x7fffffffu);
    return (mixed >> 1) ^ (lower & 1 ? 0x9908b0dfu : 0u);
  };
  for (int i = 0; i < size; ++i)
    state[i] = state[(i + 397) % size] ^ twist(state[i], state[(i + 1) % size]);
  position = 0;
}

uint32_t TorchGenerator::next() {
  if (position == size)
    refill();
  uint32_t y = state[position++];
  y ^= y >> 11;
  y ^= (y << 7) & 0x9d2c5680u;
  y ^= (y << 15) & 0xefc60000u;
  return y ^ (y >> 18);
}

float TorchGenerator::nextPhase() { return toPhase(next() & 0xffffffu); }

} // namespace un0::rt
