//===- AccountCpuTest.cpp - the account of a CPU module, by hand -------------===//
#include "AccountHelpers.h"

#include <nlohmann/json.hpp>

#include <cstdio>

using namespace un0test;

namespace {

/// The runtime tests' module: one row, un0.couple of the dynamics, evaluated 10 times: 400
/// multiply-adds in f32, 40 special functions, 1600 parameter bytes, 1600 read and 80 written. It
/// takes tiles of 4.
struct CpuAccountTest : testing::Test {
  std::string path = temporaryPath(".un0");
  un0_module *module = nullptr;
  Hardware cpu = load("cpu-x86");

  void SetUp() override {
    writeBytes(path, buildModule(fixtureSpec()));
    un0_error error;
    ASSERT_EQ(un0_module_open(path.c_str(), nullptr, &module, &error), UN0_OK) << error.message;
  }
  void TearDown() override {
    un0_module_close(module);
    std::remove(path.c_str());
  }
  Account account(uint64_t batch) {
    Account account;
    EXPECT_TRUE(succeeds(accountCpu(module, cpu, batch, account)));
    return account;
  }
};

} // namespace

TEST_F(CpuAccountTest, CountsOperationsPerImage) {
  for (uint64_t batch : {1, 4, 9}) {
    const Account a = account(batch);
    EXPECT_EQ(countOf(a, "dynamics arithmetic", "multiply_add_f32_energy"), 4000);
    EXPECT_EQ(energyOf(a, "dynamics arithmetic"), 4000 * 70.0);
    EXPECT_EQ(energyOf(a, "dynamics special functions"), 400 * 840.0);
  }
}

TEST_F(CpuAccountTest, LanesOfATileShareParameters) {
  const double activations = 10 * 1680;
  EXPECT_EQ(countOf(account(1), "dynamics memory", "l1_energy"), 16000 + activations);
  EXPECT_EQ(countOf(account(4), "dynamics memory", "l1_energy"), 16000 / 4 + activations);
  // 9 images are three tiles.
  EXPECT_DOUBLE_EQ(countOf(account(9), "dynamics memory", "l1_energy"),
                   16000 * 3 / 9.0 + activations);
}

TEST_F(CpuAccountTest, BytesComeFromTheFirstCacheThatHoldsTheWorkingSet) {
  // The set is 1600 + 1680 at batch 1: the loop leaves a cache of 2000 B, its activations do not.
  ASSERT_FALSE(setConstant(cpu, "l1_bytes", 2000));
  Account a = account(1);
  EXPECT_EQ(countOf(a, "dynamics memory", "l1_energy"), 16800);
  EXPECT_EQ(countOf(a, "dynamics memory", "l2_energy"), 16000);
  ASSERT_FALSE(setConstant(cpu, "l1_bytes", 100));
  ASSERT_FALSE(setConstant(cpu, "l2_bytes", 1000));
  ASSERT_FALSE(setConstant(cpu, "l3_bytes", 1000));
  a = account(1);
  EXPECT_EQ(countOf(a, "dynamics memory", "main_memory_energy"), 16000 + 16800);
}

TEST_F(CpuAccountTest, IdlePowerIsChargedForTheTimeOfTheModel) {
  const Account a = account(1);
  const double seconds = 4000 / 3.92e10 + 400 / 3.27e9; // longer than the bytes take
  EXPECT_NEAR(a.secondsPerImage, seconds, 1e-18);
  EXPECT_NEAR(energyOf(a, "idle power"), seconds * 1.6 * 1e12, 1e-6);
  EXPECT_EQ(a.bound, "dynamics arithmetic");
  EXPECT_EQ(a.secondsToPicture, a.secondsPerImage);
}

TEST_F(CpuAccountTest, AddsUpToTheDigit) {
  const auto document = nlohmann::json::parse(toJson(account(3)));
  double total = 0;
  for (const auto &component : document["components"])
    total += component["picojoules"].get<double>();
  EXPECT_EQ(total, document["total_picojoules"].get<double>());
}

TEST_F(CpuAccountTest, NeedsADescriptionOfACpuAndABatch) {
  Account a;
  EXPECT_TRUE(fails(accountCpu(module, load("digital-7nm"), 1, a), UN0_ERROR_INVALID_ARGUMENT,
                    "'digital-7nm' is not of kind 'cpu'"));
  EXPECT_TRUE(fails(accountCpu(module, cpu, 0, a), UN0_ERROR_INVALID_ARGUMENT, "batch"));
}
