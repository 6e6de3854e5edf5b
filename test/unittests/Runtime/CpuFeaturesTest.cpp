//===- CpuFeaturesTest.cpp - features are found and named --------------------===//
#include "CpuFeatures.h"
#include "Fixtures.h"

using namespace un0::rt;
using namespace un0test;

TEST(CpuFeatures, AgreeWithTheCompilersRuntime) {
  auto expected = [](int present) {
    return present ? FeatureState::Present : FeatureState::Missing;
  };
  EXPECT_EQ(cpuFeature("sse2"), FeatureState::Present); // every x86-64 has it
  EXPECT_EQ(cpuFeature("avx2"), expected(__builtin_cpu_supports("avx2")));
  EXPECT_EQ(cpuFeature("fma"), expected(__builtin_cpu_supports("fma")));
  EXPECT_EQ(cpuFeature("bmi2"), expected(__builtin_cpu_supports("bmi2")));
  EXPECT_EQ(cpuFeature("avx512f"), expected(__builtin_cpu_supports("avx512f")));
  EXPECT_EQ(cpuFeature("avx512vl"), expected(__builtin_cpu_supports("avx512vl")));
  EXPECT_EQ(cpuFeature("avx512vnni"), expected(__builtin_cpu_supports("avx512vnni")));
  EXPECT_EQ(cpuFeature("avx512bf16"), expected(__builtin_cpu_supports("avx512bf16")));
  EXPECT_EQ(cpuFeature("avx512vbmi2"), expected(__builtin_cpu_supports("avx512vbmi2")));
  EXPECT_EQ(cpuFeature("no-such-feature"), FeatureState::Unknown);
}

static FeatureState oldCpu(std::string_view name) {
  return name == "avx512f" ? FeatureState::Missing : FeatureState::Present;
}

TEST(CpuFeatures, NameTheMissingOneAndWhatToDo) {
  std::vector<std::string_view> needed = {"avx2", "avx512f"};
  EXPECT_TRUE(fails(checkCpuFeatures(needed, oldCpu), UN0_ERROR_CPU,
                    "module needs avx512f, which this CPU does not have; compile"));
}

TEST(CpuFeatures, RefuseAnUnknownOne) {
  std::vector<std::string_view> needed = {"sse2", "teleport"};
  EXPECT_TRUE(fails(checkCpuFeatures(needed), UN0_ERROR_CPU,
                    "'teleport', which this runtime does not know"));
}
