//===- RandomTest.cpp - generators give the published numbers ----------------===//
#include "Random.h"
#include "Sha256.h"

#include <cmath>
#include <gtest/gtest.h>
#include <vector>

using namespace un0::rt;

// kat_vectors of Random123 1.14, philox4x32 10.
TEST(Philox, GivesTheKnownAnswers) {
  using Block = std::array<uint32_t, 4>;
  EXPECT_EQ(philox4x32({0, 0, 0, 0}, {0, 0}),
            (Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox4x32({~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}),
            (Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Philox, PhasesDoNotDependOnTheCut) {
  std::vector<float> whole(103), parts(103);
  philoxPhases(42, 7, 0, 103, whole.data());
  for (uint32_t cut : {1u, 2u, 3u, 4u, 50u, 101u}) {
    philoxPhases(42, 7, 0, cut, parts.data());
    philoxPhases(42, 7, cut, 103 - cut, parts.data() + cut);
    EXPECT_EQ(parts, whole) << cut;
  }
}

TEST(Philox, PhasesFollowTheDefinition) {
  const uint64_t seed = 0x123456789abcdef0, sample = 0x500000003;
  float phases[8];
  philoxPhases(seed, sample, 0, 8, phases);
  auto block = philox4x32({1, 3, 5, 0}, {0x9abcdef0, 0x12345678});
  for (int i = 0; i < 4; ++i) {
    double u = double(block[static_cast<size_t>(i)] >> 8) / double(1 << 24);
    EXPECT_NEAR(phases[4 + i], u * 2 * M_PI - M_PI, 1e-6);
  }
}

TEST(Philox, PhasesAreUniform) {
  constexpr int count = 1 << 16;
  std::vector<float> phases(count);
  philoxPhases(1, 0, 0, count, phases.data());
  double sum = 0, squares = 0;
  for (float phase : phases) {
    ASSERT_LE(std::abs(phase), 3.14159275f);
    sum += phase;
    squares += double(phase) * phase;
  }
  EXPECT_NEAR(sum / count, 0, 0.04); // five deviations are 0.035
  EXPECT_NEAR(squares / count, M_PI * M_PI / 3, 0.06);
}

/// First `count` phases of torch.manual_seed(seed); torch.rand(...) * 2 * pi - pi.
static std::vector<float> torchPhases(uint64_t seed, size_t count) {
  TorchGenerator generator(seed);
  std::vector<float> phases(count);
  for (float &phase : phases)
    phase = generator.nextPhase();
  return phases;
}

static std::string hashOf(const std::vector<float> &values) {
  Digest digest;
  sha256(values.data(), values.size() * sizeof(float), digest);
  return toHex(digest);
}

// Values of torch 2.13.0 (CPU): torch.manual_seed(42); torch.rand(1, 1032) * 2 * math.pi - math.pi.
TEST(Torch, GivesTorchsPhasesForSeed42) {
  std::vector<float> phases = torchPhases(42, 1032);
  const float first[8] = {0x1.33706ep+1f,  0x1.4dc41ap+1f, -0x1.78d38p-1f,  0x1.716542p+1f,
                          -0x1.606d58p-1f, 0x1.449458p-1f, -0x1.878d54p+0f, 0x1.d8521cp+0f};
  for (size_t i = 0; i < 8; ++i)
    EXPECT_EQ(phases[i], first[i]) << i;
  EXPECT_EQ(phases[623], -0x1.c1e6e4p+0f); // the last of the first block of MT19937
  EXPECT_EQ(phases[624], -0x1.06c24p-4f);
  EXPECT_EQ(phases[1024], 0x1.bff3c4p+0f); // the first conditioning phase
  EXPECT_EQ(phases[1031], -0x1.5fc2d6p+0f);
  EXPECT_EQ(hashOf(phases), "c2a77153d04154eb39b621cebd428e2c32c88935a9f62c3b422ec5c3a3ed83dd");
}

// As above, torch.rand(33, 1032): one stream, row after row.
TEST(Torch, GivesTorchsPhasesForABatch) {
  std::vector<float> phases = torchPhases(42, 33 * 1032);
  EXPECT_EQ(phases[1032], -0x1.93585p-1f);
  EXPECT_EQ(phases[33 * 1032 - 1], -0x1.931ad8p-1f);
  EXPECT_EQ(hashOf(phases), "c69f1e34a23b34d9b9240f0e64db02bd951e2879a914e5331c6e912d9e7a9c38");
}

// torch keeps the low 32 bits of a seed.
TEST(Torch, GivesTorchsPhasesForOtherSeeds) {
  EXPECT_EQ(torchPhases(0, 1)[0], -0x1.815cp-6f);
  EXPECT_EQ(hashOf(torchPhases(0, 18)),
            "e90b24b8b318bc20a03765a9714647a9fddbf6e7667cfca97a32b84ba96d02c0");
  EXPECT_EQ(hashOf(torchPhases(1234567890123, 5)),
            "7a0f30e0a83cca8b1615ab4e36b47bf61873c518003c23b3a049441bd509d558");
  EXPECT_EQ(hashOf(torchPhases(~uint64_t(0), 5)),
            "38f347c2efa3c5666a6dbdf9e6260bbb9e7c055b69afbe05f8b8bb245ec17b1b");
}

TEST(Sha256, GivesTheKnownAnswer) {
  Digest digest; // FIPS 180-2, appendix B.1
  ASSERT_TRUE(sha256("abc", 3, digest));
  EXPECT_EQ(toHex(digest), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}
