//===- StateTest.cpp - finished points on disk ------------------------------===//
#include "State.h"
#include "SampleSweep.h"

#include <fstream>
#include <sstream>

using namespace un0test;
using testing::HasSubstr;

namespace {
std::string contents(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}
void write(const std::string &path, const std::string &text) {
  std::ofstream(path, std::ios::binary) << text;
}

/// A sweep of which points 0 and 2 are done, the latter by failing.
std::string writeSome(const Sweep &sweep) {
  Sweep fresh = sweep;
  StateFile state;
  EXPECT_FALSE(bool(state.open(statePath(sweep), fresh)));
  EXPECT_FALSE(bool(state.append(0, sampleResult(1.0 / 3))));
  PointResult failed;
  failed.done = true;
  failed.failure = "a \"reason\"\nof two lines";
  EXPECT_FALSE(bool(state.append(2, failed)));
  return statePath(sweep);
}
} // namespace

TEST(State, GivesResultsBackToTheLastBit) {
  Sweep sweep = sampleSweep(temporary("html"));
  unlink(statePath(sweep).c_str());
  writeSome(sweep);
  StateFile state;
  ASSERT_FALSE(bool(state.open(statePath(sweep), sweep)));
  EXPECT_EQ(sweep.resumed, 2u);
  const PointResult want = sampleResult(1.0 / 3), &got = sweep.results[0];
  EXPECT_TRUE(got.done);
  EXPECT_EQ(got.judged, want.judged);
  EXPECT_EQ(got.strip.rgb, want.strip.rgb);
  ASSERT_EQ(got.costs.size(), 2u);
  EXPECT_EQ(got.costs[0].picojoules, want.costs[0].picojoules);
  EXPECT_EQ(got.costs[1].bound, "decoder");
  EXPECT_EQ(sweep.results[2].failure, "a \"reason\"\nof two lines");
  EXPECT_FALSE(sweep.results[1].done || sweep.results[3].done);
}

TEST(State, InfiniteQualityComesBack) {
  Sweep sweep = sampleSweep(temporary("html"));
  unlink(statePath(sweep).c_str());
  {
    Sweep fresh = sweep;
    StateFile state;
    ASSERT_FALSE(bool(state.open(statePath(sweep), fresh)));
    ASSERT_FALSE(bool(state.append(1, sampleResult(0))));
  }
  StateFile state;
  ASSERT_FALSE(bool(state.open(statePath(sweep), sweep)));
  EXPECT_EQ(sweep.results[1].judged[2], INFINITY);
}

TEST(State, EveryCutOfTheFileKeepsTheWholeLines) {
  Sweep sweep = sampleSweep(temporary("html"));
  unlink(statePath(sweep).c_str());
  const std::string path = writeSome(sweep), whole = contents(path);
  const size_t first = whole.find('\n') + 1, second = whole.find('\n', first) + 1;
  for (size_t cut = 0; cut <= whole.size(); cut += cut + 3 < whole.size() ? 3 : 1) {
    write(path, whole.substr(0, cut));
    Sweep fresh = sampleSweep(sweep.options.report);
    {
      StateFile state;
      ASSERT_FALSE(bool(state.open(path, fresh))) << cut;
    }
    EXPECT_EQ(fresh.resumed, size_t(cut >= second) + size_t(cut >= whole.size())) << cut;
    // What was half written is gone, so that the next line is whole.
    EXPECT_EQ(contents(path), whole.substr(0, cut < first          ? first
                                              : cut < second       ? first
                                              : cut < whole.size() ? second
                                                                   : whole.size()))
        << cut;
  }
}

TEST(State, LinesThatAreNoResultsAreNotTaken) {
  Sweep sweep = sampleSweep(temporary("html"));
  unlink(statePath(sweep).c_str());
  const std::string path = writeSome(sweep), whole = contents(path);
  const std::string header = whole.substr(0, whole.find('\n') + 1);
  for (const char *line :
       {"{}", "[]", "{\"point\": 99, \"failure\": \"x\"}", "{\"point\": -1, \"failure\": \"x\"}",
        "{\"point\": 0, \"failure\": 3}", "{\"point\": 0, \"judged\": [1, 2, 3]}",
        "{\"point\": 0, \"judged\": [\"1\", \"2\"], \"costs\": [], \"width\": 0, \"height\": 0, "
        "\"rgb\": \"\"}",
        "{\"point\": 0, \"judged\": [\"1\", \"2\", \"x\"], \"costs\": [], \"width\": 0, "
        "\"height\": 0, \"rgb\": \"\"}",
        "not json"}) {
    write(path, header + line + "\n");
    Sweep fresh = sampleSweep(sweep.options.report);
    StateFile state;
    ASSERT_FALSE(bool(state.open(path, fresh))) << line;
    EXPECT_EQ(fresh.resumed, 0u) << line;
  }
}

TEST(State, AnotherSweepsFileIsLeftAlone) {
  Sweep sweep = sampleSweep(temporary("html"));
  unlink(statePath(sweep).c_str());
  const std::string path = writeSome(sweep), before = contents(path);
  for (int change = 0; change < 6; ++change) {
    Sweep other = sampleSweep(sweep.options.report);
    if (change == 0)
      other.modelSha256 = "def";
    else if (change == 1)
      other.hardware.constants["tile_count"].value = 3;
    else if (change == 2)
      other.options.images = 7;
    else if (change == 3)
      other.options.faultSeed = 1;
    else if (change == 4)
      other.options.variables[1].values = {0, 0.1};
    else
      other.options.maxSplittingError = 0.1;
    StateFile state;
    EXPECT_THAT(messageOf(state.open(path, other)), HasSubstr("is the state of another sweep"))
        << change;
    EXPECT_EQ(contents(path), before);
  }
}

TEST(State, TwoRunsOfOneSweepAtOnceAreRefused) {
  Sweep sweep = sampleSweep(temporary("html")), again = sweep;
  StateFile first, second;
  ASSERT_FALSE(bool(first.open(statePath(sweep), sweep)));
  EXPECT_THAT(messageOf(second.open(statePath(sweep), again)),
              HasSubstr("another un0-sweep is working on"));
}

TEST(State, LiesBesideTheReportOrElseTheTable) {
  Sweep sweep = sampleSweep("a/b.html");
  EXPECT_EQ(statePath(sweep), "a/b.html.state");
  sweep.options.report.clear();
  sweep.options.csv = "c.csv";
  EXPECT_EQ(statePath(sweep), "c.csv.state");
}
