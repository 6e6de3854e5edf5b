//===- PowercapTest.cpp - the machine's counters, where it has any -----------===//
#include "Powercap.h"
#include "Fixtures.h"

#include <filesystem>
#include <fstream>

using namespace un0::report;
using namespace un0test;
namespace fs = std::filesystem;

namespace {

/// A powercap tree of this test's own.
struct Powercap : testing::Test {
  fs::path root = temporaryPath(".powercap");

  void SetUp() override { fs::create_directories(root); }
  void TearDown() override { fs::remove_all(root); }

  void write(const fs::path &path, const std::string &text) {
    std::ofstream(root / path) << text << "\n";
  }
  void zone(const std::string &folder, const std::string &name, uint64_t energy,
            uint64_t range = 1000000000) {
    fs::create_directories(root / folder);
    write(folder + "/name", name);
    write(folder + "/max_energy_range_uj", std::to_string(range));
    write(folder + "/energy_uj", std::to_string(energy));
  }
  double joules(const std::function<void()> &work) {
    double joules = -1;
    EXPECT_TRUE(succeeds(measuredJoules(work, joules, root)));
    return joules;
  }
};

} // namespace

TEST_F(Powercap, CountsWhatPackagesUsed) {
  zone("intel-rapl:0", "package-0", 5000000);
  zone("intel-rapl:1", "package-1", 100);
  EXPECT_DOUBLE_EQ(joules([&] {
                     write("intel-rapl:0/energy_uj", "7500000");
                     write("intel-rapl:1/energy_uj", "500100");
                   }),
                   3.0);
}

TEST_F(Powercap, CountersWrapAround) {
  zone("intel-rapl:0", "package-0", 999999990, 999999999);
  EXPECT_DOUBLE_EQ(joules([&] { write("intel-rapl:0/energy_uj", "10"); }), 20e-6);
}

TEST_F(Powercap, SamplesInBetweenCatchEveryWrap) {
  zone("intel-rapl:0", "package-0", 90, 99);
  PowercapMeter meter;
  ASSERT_TRUE(succeeds(meter.start(root)));
  for (const char *value : {"50", "10", "95"}) {
    write("intel-rapl:0/energy_uj", value);
    ASSERT_TRUE(succeeds(meter.sample()));
  }
  EXPECT_DOUBLE_EQ(meter.joules(), (60 + 60 + 85) * 1e-6);
}

TEST_F(Powercap, NothingIsCountedTwice) {
  zone("intel-rapl:0", "package-0", 0);
  zone("intel-rapl:0:0", "core", 0);
  zone("intel-rapl:1", "psys", 0);
  zone("intel-rapl-mmio:0", "package-0", 0);
  EXPECT_DOUBLE_EQ(joules([&] {
                     for (const char *name :
                          {"intel-rapl:0", "intel-rapl:0:0", "intel-rapl:1", "intel-rapl-mmio:0"})
                       write(std::string(name) + "/energy_uj", "1000000");
                   }),
                   1.0);
}

TEST_F(Powercap, SaysWhereNothingCanBeMeasured) {
  double value = -1;
  bool ran = false;
  const auto work = [&] { ran = true; };
  EXPECT_TRUE(
      fails(measuredJoules(work, value, root), UN0_ERROR_IO, "has no counter of a CPU package"));
  EXPECT_TRUE(
      fails(measuredJoules(work, value, root / "nowhere"), UN0_ERROR_IO, "not measurable here: "));
  zone("intel-rapl:0", "package-0", 0);
  write("intel-rapl:0/energy_uj", "many");
  EXPECT_TRUE(fails(measuredJoules(work, value, root), UN0_ERROR_IO, "is not a number"));
  fs::remove(root / "intel-rapl:0/energy_uj");
  EXPECT_TRUE(fails(measuredJoules(work, value, root), UN0_ERROR_IO, "not measurable here: "));
  EXPECT_EQ(value, -1);
  EXPECT_FALSE(ran);
}

TEST_F(Powercap, ACounterThatVanishesMeanwhileIsAnError) {
  zone("intel-rapl:0", "package-0", 0);
  double value = -1;
  EXPECT_TRUE(
      fails(measuredJoules([&] { fs::remove(root / "intel-rapl:0/energy_uj"); }, value, root),
            UN0_ERROR_IO, "not measurable here: "));
  EXPECT_EQ(value, -1);
}
