//===- PlanTest.cpp - tiles cover a request once -----------------------------===//
#include "Plan.h"

#include <gtest/gtest.h>

using namespace un0::rt;

TEST(Plan, CoversEverySampleOnce) {
  for (const std::vector<uint32_t> &batches :
       {std::vector<uint32_t>{16, 1}, {16, 4, 1}, {1}, {16}, {7, 3}})
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

TEST(Plan, SharesWhatOneThreadWouldDoAlone) {
  EXPECT_EQ(chooseSharing(true, 1, 2, 16), Sharing::Sample);
  EXPECT_EQ(chooseSharing(true, 16, 2, 16), Sharing::Decoding);
  EXPECT_EQ(chooseSharing(true, 6, 2, 16), Sharing::Tiles); // singles are sooner
  EXPECT_EQ(chooseSharing(true, 17, 2, 16), Sharing::Tiles);
  EXPECT_EQ(chooseSharing(true, 1, 1, 16), Sharing::Tiles);
  EXPECT_EQ(chooseSharing(false, 1, 2, 16), Sharing::Tiles);
}
