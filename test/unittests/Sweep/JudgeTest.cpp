//===- JudgeTest.cpp - how good a point's pictures are ----------------------===//
#include "SampleSweep.h"

using namespace un0test;

namespace {
un0_signature signature() {
  un0_signature s = {};
  s.features = 2;
  s.channels = 1;
  s.height = 1;
  s.width = 4;
  return s;
}

/// Counts what it sees.
class Counter : public Judge {
  class Count : public Opinion {
    double samples = 0;
    void see(const Chunk &chunk) override { samples += double(chunk.count); }
    std::vector<double> conclude() override { return {samples}; }
  };
  std::vector<Column> columns() const override { return {{"samples", "samples seen", false}}; }
  std::unique_ptr<Opinion> begin(const un0_signature &) const override {
    return std::make_unique<Count>();
  }
};
} // namespace

TEST(DistanceJudge, IsTheRootOfTheMeanSquare) {
  const auto opinion = makeDistanceJudge()->begin(signature());
  const float features[] = {1, 2, 3, 4}, idealFeatures[] = {1, 2, 3, 6};
  const float images[] = {0, 0, 0, 0, 0, 0, 0, 0}, idealImages[] = {1, 0, 0, 0, 0, 0, 0, 1};
  // Both samples at once, or one after the other: 4 / 4 and 2 / 8.
  opinion->see({1, nullptr, features, idealFeatures, images, idealImages});
  opinion->see({1, nullptr, features + 2, idealFeatures + 2, images + 4, idealImages + 4});
  const std::vector<double> judged = opinion->conclude();
  ASSERT_EQ(judged.size(), 3u);
  EXPECT_DOUBLE_EQ(judged[0], 1);
  EXPECT_DOUBLE_EQ(judged[1], 0.5);
  EXPECT_NEAR(judged[2], 10 * std::log10(4 / 0.25), 1e-12);
}

TEST(DistanceJudge, EqualPicturesAreInfinitelyGood) {
  const auto opinion = makeDistanceJudge()->begin(signature());
  const float values[] = {0.5, -0.5, 0.25, 1};
  opinion->see({1, nullptr, values, values, values, values});
  const std::vector<double> judged = opinion->conclude();
  EXPECT_EQ(judged[0], 0);
  EXPECT_EQ(judged[2], INFINITY);
}

TEST(Panel, PutsTheColumnsOfItsJudgesSideBySide) {
  std::vector<std::unique_ptr<Judge>> judges;
  judges.push_back(makeDistanceJudge());
  judges.push_back(std::make_unique<Counter>());
  const auto panel = makePanel(std::move(judges));
  ASSERT_EQ(panel->columns().size(), 4u);
  EXPECT_EQ(panel->columns()[3].name, "samples");
  const auto opinion = panel->begin(signature());
  const float values[8] = {};
  opinion->see({2, nullptr, values, values, values, values});
  EXPECT_EQ(opinion->conclude()[3], 2);
}
