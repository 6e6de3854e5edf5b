//===- PlanTest.cpp - tiles cover a request once -----------------------------===//
#include "Plan.h"

#include <gtest/gtest.h>

using namespace un0::rt;

static Plan planTiles(const std::vector<uint32_t> &batches, uint64_t count, uint32_t threads) {
  Plan plan;
  planTiles(batches, count, threads, plan);
  return plan;
}

TEST(Plan, CoversEverySampleOnce) {
  for (const std::vector<uint32_t> &batches :
       {std::vector<uint32_t>{16, 1}, {16, 4, 1}, {16, 8, 1}, {1}, {16}, {7, 3}})
    for (uint64_t count = 0; count <= 100; ++count)
      for (uint32_t threads : {1u, 2u, 3u, 64u}) {
        Plan plan = planTiles(batches, count, threads);
        uint64_t next = 0;
        for (uint64_t i = 0; i < plan.tiles; ++i) {
          Plan::Tile tile = plan.tile(i);
          ASSERT_EQ(tile.first, next);
          ASSERT_GE(tile.samples, 1u);
          ASSERT_LE(tile.samples, batches[tile.entry]);
          next += tile.samples;
        }
        ASSERT_LE(plan.parts.size(), batches.size());
        ASSERT_EQ(next, count) << batches.front() << " lanes, " << threads << " threads";
      }
}

TEST(Plan, UsesTheWidestEntryForOneThread) {
  Plan plan = planTiles({16, 1}, 64, 1);
  EXPECT_EQ(plan.tiles, 4u);
  EXPECT_EQ(plan.tile(0).entry, 0u);
}

TEST(Plan, GivesAShortRemainderToTheNarrowEntry) {
  EXPECT_EQ(planTiles({16, 1}, 18, 1).tiles, 3u);
  EXPECT_EQ(planTiles({16, 1}, 18, 1).tile(2).entry, 1u);
  EXPECT_EQ(planTiles({16, 1}, 19, 1).tiles, 2u); // three are worth a padded tile
  EXPECT_EQ(planTiles({16, 1}, 19, 1).tile(1).samples, 3u);
}

TEST(Plan, SplitsSmallerWhenThreadsWouldIdle) {
  EXPECT_EQ(planTiles({16, 1}, 16, 2).tiles, 16u);
  EXPECT_EQ(planTiles({16, 4, 1}, 16, 2).tiles, 4u);
  EXPECT_EQ(planTiles({16, 1}, 32, 2).tiles, 2u);
  EXPECT_EQ(planTiles({16, 1}, 1, 8).tiles, 1u);
}

TEST(Plan, GivesThreadsEqualTilesAtTheEnd) {
  Plan plan = planTiles({16, 8, 1}, 48, 2);
  ASSERT_EQ(plan.tiles, 4u); // 16, 16, 8, 8
  EXPECT_EQ(plan.tile(1).samples, 16u);
  EXPECT_EQ(plan.tile(2).samples, 8u);
  EXPECT_EQ(plan.tile(2).entry, 1u);
  EXPECT_EQ(planTiles({16, 8, 1}, 16, 2).tile(0).samples, 8u);
}

TEST(Plan, GivesARemainderToTheNarrowestTileThatTakesIt) {
  EXPECT_EQ(planTiles({16, 8, 1}, 24, 1).tile(1).entry, 1u);
  EXPECT_EQ(planTiles({16, 8, 1}, 3, 1).tile(0).entry, 1u);
  EXPECT_EQ(planTiles({16, 8, 1}, 25, 1).tile(2).entry, 2u); // 16, 8, 1
  Plan plan = planTiles({16, 8, 1}, 27, 1);                  // 11 are not worth two tiles
  EXPECT_EQ(plan.tiles, 2u);
  EXPECT_EQ(plan.tile(1).entry, 0u);
  EXPECT_EQ(plan.tile(1).samples, 11u);
}

TEST(Plan, SharesWhatOneThreadWouldDoAlone) {
  EXPECT_EQ(chooseSharing(true, 1, 2, {16, 1}), Sharing::Sample);
  EXPECT_EQ(chooseSharing(true, 16, 2, {16, 1}), Sharing::Decoding);
  EXPECT_EQ(chooseSharing(true, 6, 2, {16, 1}), Sharing::Tiles); // singles are sooner
  EXPECT_EQ(chooseSharing(true, 17, 2, {16, 1}), Sharing::Tiles);
  EXPECT_EQ(chooseSharing(true, 1, 1, {16, 1}), Sharing::Tiles);
  EXPECT_EQ(chooseSharing(true, 16, 2, {16, 8, 1}), Sharing::Tiles); // one of 8 each
  EXPECT_EQ(chooseSharing(true, 8, 2, {16, 8, 1}), Sharing::Decoding);
  EXPECT_EQ(chooseSharing(false, 1, 2, {16, 1}), Sharing::Tiles);
}
