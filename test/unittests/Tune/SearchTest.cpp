//===- SearchTest.cpp - a search with times of our own ----------*- C++ -*-===//

#include "un0/Tune/Search.h"
#include "llvm/ADT/STLExtras.h"
#include "gtest/gtest.h"
#include <functional>

using namespace un0;

namespace {

using Blocks = std::vector<ConvBlocks>;
/// Seconds of a convolution in a decoder.
using Cost = std::function<double(size_t conv, const Blocks &blocks)>;

/// Decoders whose times are given, on a clock that only they move.
struct FakeBench : Workbench {
  Cost cost;
  double buildSeconds = 1, runSeconds = 0.01;
  double clock = 100;
  unsigned runs = 0;
  std::vector<Blocks> built;
  unsigned failAt = 0; ///< number of the build that fails, from 1

  struct Decoder : TimedDecoder {
    FakeBench &bench;
    Blocks blocks;
    Decoder(FakeBench &bench, Blocks blocks) : bench(bench), blocks(std::move(blocks)) {}
    std::vector<double> time() override {
      bench.clock += bench.runSeconds;
      ++bench.runs;
      std::vector<double> seconds;
      for (size_t i = 0; i < blocks.size(); ++i)
        seconds.push_back(bench.cost(i, blocks));
      return seconds;
    }
  };

  llvm::Expected<std::unique_ptr<TimedDecoder>> build(llvm::ArrayRef<ConvBlocks> blocks) override {
    clock += buildSeconds;
    built.push_back(blocks.vec());
    if (built.size() == failAt)
      return llvm::createStringError("no memory");
    return std::make_unique<Decoder>(*this, blocks.vec());
  }
  double now() override { return clock; }
};

/// Three convolutions: two of planes with 8 rows of points, and a direct last one.
const std::vector<ConvSpace> kSpaces = {{8, true, true}, {8, true, true}, {1, false, false}};
constexpr int64_t kBatch = 8;

SearchResult search(FakeBench &bench, const Blocks &start, double seconds) {
  auto result = searchBlocks(kSpaces, kBatch, start, seconds, bench);
  EXPECT_TRUE(!!result) << (result ? "" : llvm::toString(result.takeError()));
  return result ? *result : SearchResult();
}

/// Distance from what is best for a convolution, in steps.
Cost towards(const Blocks &best) {
  return [best](size_t conv, const Blocks &all) {
    const ConvBlocks &blocks = all[conv];
    auto steps = [](int64_t a, int64_t b) { return std::abs(std::log2(a) - std::log2(b)); };
    return 1 + (blocks.batched != best[conv].batched) +
           0.1 * (steps(blocks.rows, best[conv].rows) + steps(blocks.images, best[conv].images));
  };
}

TEST(Search, FindsTheBestBlocksOfEveryConvolution) {
  Blocks best = {{true, 4, 2}, {false, 1, 8}, {false, 1, 1}};
  FakeBench bench;
  bench.cost = towards(best);
  SearchResult result = search(bench, {{true, 1, 8}, {false, 1, 1}, {false, 1, 1}}, 1000);
  EXPECT_TRUE(result.blocks == best);
  EXPECT_TRUE(result.complete);
  EXPECT_DOUBLE_EQ(result.after[0], 1);
  EXPECT_DOUBLE_EQ(result.after[1], 1);
  EXPECT_DOUBLE_EQ(result.before[1], 1.3);
  EXPECT_GE(bench.built.size(), result.alternatives);
}

TEST(Search, MovesTheFrontBothWays) {
  for (bool batched : {false, true}) {
    Blocks best(3), start(3);
    for (size_t i : {0, 1})
      best[i] = {batched, batched ? kBatch : 1, 8};
    for (size_t i : {0, 1})
      start[i] = {!batched, 1, 8};
    FakeBench bench;
    bench.cost = towards(best);
    EXPECT_TRUE(search(bench, start, 1000).blocks == best);
  }
}

/// Convolutions are batched from the first one on, and never the last.
TEST(Search, TriesOnlyWhatCanBeCompiled) {
  FakeBench bench;
  bench.cost = towards({{true, 8, 1}, {true, 8, 1}, {true, 1, 1}});
  search(bench, Blocks(3), 1000);
  EXPECT_GT(bench.built.size(), 5u);
  for (const Blocks &blocks : bench.built) {
    EXPECT_TRUE(blocks[0].batched || !blocks[1].batched);
    EXPECT_TRUE(blocks[2] == ConvBlocks());
    for (auto [space, one] : llvm::zip(kSpaces, blocks)) {
      EXPECT_EQ(space.rows % one.rows, 0);
      EXPECT_GE(one.images, 1);
      EXPECT_LE(one.images, one.batched ? kBatch : 1);
    }
  }
}

TEST(Search, TriesNothingTwice) {
  FakeBench bench;
  bench.cost = [](size_t, const Blocks &) { return 1.0; };
  Blocks start = {{true, 2, 4}, {false, 1, 4}, {false, 1, 1}};
  SearchResult result = search(bench, start, 1000);
  EXPECT_TRUE(result.blocks == start) << "alike is not faster";
  EXPECT_TRUE(result.before == result.after);
  for (size_t i = 0; i < bench.built.size(); ++i)
    for (size_t j = 0; j < i; ++j)
      EXPECT_FALSE(bench.built[i] == bench.built[j]) << i << " and " << j;
}

/// Two percent faster is not enough for a convolution, five are; and one percent not for all.
TEST(Search, WantsAGainThatNoiseIsNot) {
  for (double gain : {0.019, 0.025, 0.05}) {
    FakeBench bench;
    bench.cost = [gain](size_t conv, const Blocks &blocks) {
      return conv == 0 && blocks[0].rows == 4 ? 1 - gain : 1.0;
    };
    Blocks start = {{false, 1, 8}, {false, 1, 8}, {false, 1, 1}};
    EXPECT_EQ(search(bench, start, 1000).blocks[0].rows, gain > 0.03 ? 4 : 8);
  }
}

/// An alternative that was lucky once, or whose rival was unlucky mostly, is not taken.
TEST(Search, IsNotFooledByOneTurn) {
  FakeBench bench;
  bench.cost = [&](size_t conv, const Blocks &blocks) {
    if (blocks[conv].rows == 8)
      return 1.0;
    return bench.runs % 7 == 3 ? 0.5 : 1.05;
  };
  Blocks start = {{false, 1, 8}, {false, 1, 8}, {false, 1, 1}};
  EXPECT_TRUE(search(bench, start, 1000).blocks == start);
  // The first one slow in most turns, but as fast in its best.
  FakeBench slow;
  slow.cost = [&](size_t conv, const Blocks &blocks) {
    return blocks[conv].rows == 8 && slow.runs % 5 ? 1.5 : 1.0;
  };
  EXPECT_TRUE(search(slow, start, 1000).blocks == start);
}

TEST(Search, StopsWithinItsTime) {
  Blocks start = {{false, 1, 1}, {false, 1, 1}, {false, 1, 1}};
  for (double seconds : {7.0, 10.0, 12.0}) {
    FakeBench bench;
    bench.cost = towards({{true, 8, 8}, {true, 8, 8}, {false, 1, 1}});
    double begin = bench.clock;
    SearchResult result = search(bench, start, seconds);
    EXPECT_LE(bench.clock - begin, seconds);
    EXPECT_FALSE(result.complete) << seconds;
    EXPECT_GE(result.alternatives, seconds < 10 ? 1u : 3u) << seconds;
  }
}

/// With no time for anything but the first decoder, that is the answer.
TEST(Search, KeepsTheStartWithoutTime) {
  FakeBench bench;
  bench.cost = towards({{true, 8, 8}, {true, 8, 8}, {false, 1, 1}});
  Blocks start(3);
  SearchResult result = search(bench, start, 0.5);
  EXPECT_TRUE(result.blocks == start);
  EXPECT_EQ(result.alternatives, 0u);
  EXPECT_EQ(bench.built.size(), 1u);
  EXPECT_FALSE(result.complete);
}

/// Blocks that are faster for one convolution, but cost the next one more, are given back.
TEST(Search, GivesBackWhatDoesNotPayInAll) {
  FakeBench bench;
  bench.cost = [](size_t conv, const Blocks &blocks) {
    bool taken = blocks[0].rows == 4;
    return conv == 0 ? (taken ? 0.5 : 1.0) : (taken ? 2.0 : 1.0);
  };
  Blocks start = {{false, 1, 8}, {false, 1, 8}, {false, 1, 1}};
  SearchResult result = search(bench, start, 1000);
  EXPECT_TRUE(result.blocks == start);
  EXPECT_TRUE(result.before == result.after);
  EXPECT_TRUE(
      llvm::is_contained(bench.built, (Blocks{{false, 1, 4}, {false, 1, 8}, {false, 1, 1}})))
      << "it was never taken";
}

TEST(Search, PassesOnWhatCannotBeBuilt) {
  FakeBench bench;
  bench.cost = towards({{true, 8, 8}, {true, 8, 8}, {false, 1, 1}});
  bench.failAt = 3;
  auto result = searchBlocks(kSpaces, kBatch, Blocks(3), 1000, bench);
  ASSERT_FALSE(!!result);
  EXPECT_EQ(llvm::toString(result.takeError()), "no memory");
}

} // namespace
