//===- SvgTest.cpp - drawings -----------------------------------------------===//
#include "Svg.h"

#include <cmath>
#include <gmock/gmock.h>

using namespace un0::report;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

TEST(Axis, LinearTicksAreRoundNumbersAroundTheValues) {
  const Axis axis(0, 93, false, 0, 100);
  EXPECT_THAT(axis.ticks(), ElementsAre(0, 20, 40, 60, 80, 100));
  EXPECT_DOUBLE_EQ(axis.at(50), 50);
}

TEST(Axis, LogarithmicTicksAreDecades) {
  const Axis axis(2e-9, 4e-6, true, 0, 400);
  EXPECT_THAT(axis.ticks(),
              ElementsAre(testing::DoubleNear(1e-9, 1e-18), testing::DoubleNear(1e-8, 1e-17),
                          testing::DoubleNear(1e-7, 1e-16), testing::DoubleNear(1e-6, 1e-15),
                          testing::DoubleNear(1e-5, 1e-14)));
  EXPECT_NEAR(axis.at(1e-8), 100, 1e-9);
}

TEST(Axis, LessThanADecadeHasEvenTicks) {
  const Axis axis(0.12, 0.31, true, 0, 100);
  EXPECT_GE(axis.ticks().size(), 3u);
  EXPECT_NEAR(axis.ticks()[0], 0.15, 1e-12);
}

TEST(Axis, OneValueStillHasAnExtent) {
  const Axis linear(3, 3, false, 0, 1), logarithmic(3, 3, true, 0, 1);
  EXPECT_LT(linear.low(), linear.high());
  EXPECT_LT(logarithmic.low(), logarithmic.high());
  EXPECT_TRUE(std::isfinite(linear.at(3)) && std::isfinite(logarithmic.at(3)));
}

TEST(Svg, EveryDrawingSaysWhatItShows) {
  Svg svg(10, 20, "a < b", "words");
  EXPECT_THAT(svg.str(), HasSubstr("role=\"img\""));
  EXPECT_THAT(svg.str(), HasSubstr("<title>a &lt; b</title>\n<desc>words</desc>"));
}

TEST(Bars, SegmentsAreAsWideAsTheirShare) {
  const std::string svg =
      stackedBars("t", "d", {{"one", "", {{"a", 3, "#111111"}, {"b", 1, "#222222"}}}}, "J", true);
  double width[2];
  const size_t first = svg.find("fill=\"#111111\""), second = svg.find("fill=\"#222222\"");
  ASSERT_NE(first, svg.npos);
  ASSERT_NE(second, svg.npos);
  for (auto [at, i] : {std::pair(first, 0), std::pair(second, 1)})
    width[i] = std::strtod(svg.c_str() + svg.rfind("width=\"", at) + 7, nullptr);
  EXPECT_NEAR(width[0], 3 * width[1], 0.05);
  EXPECT_THAT(svg, HasSubstr("a: 3.00 J, 75 %"));
}

TEST(Bars, NothingIsDrawnForNothing) {
  const std::string svg = stackedBars("t", "d", {{"one", "", {{"a", 0, "#111111"}}}}, "J");
  EXPECT_THAT(svg, Not(HasSubstr("nan")));
  EXPECT_THAT(svg, Not(HasSubstr("inf")));
}

TEST(Plot, PointsThatTheAxisCannotShowAreLeftOut) {
  Plot plot;
  plot.xLogarithmic = true;
  plot.series.push_back({"s", {{0, 1}, {-1, 1}, {1, NAN}, {10, 2}}, "", true, true, "", 1, 1, {}});
  const std::string svg = drawPlot(plot);
  EXPECT_THAT(svg, Not(HasSubstr("nan")));
  EXPECT_THAT(svg, Not(HasSubstr("inf")));
  // The point, and its mark in the legend.
  size_t marks = 0;
  for (size_t at = 0; (at = svg.find("<circle", at)) != svg.npos; ++at)
    ++marks;
  EXPECT_EQ(marks, 2u);
}

TEST(Plot, AnEmptyPlotIsStillADrawing) { EXPECT_THAT(drawPlot(Plot()), Not(HasSubstr("nan"))); }
