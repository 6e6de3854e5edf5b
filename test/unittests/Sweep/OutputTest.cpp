//===- OutputTest.cpp - what a sweep found ----------------------------------===//
#include "Output.h"
#include "SampleSweep.h"

using namespace un0test;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

namespace {
Sweep finished() {
  Sweep sweep = sampleSweep("sweep.html");
  for (size_t i = 0; i < sweep.results.size(); ++i)
    sweep.results[i] = sampleResult(0.1 * double(i + 1));
  sweep.results[1] = PointResult();
  sweep.results[1].done = true;
  sweep.results[1].failure = "needs 3 bits, but there are \"2\"";
  return sweep;
}

size_t occurrences(const std::string &text, const std::string &part) {
  size_t number = 0;
  for (size_t at = 0; (at = text.find(part, at)) != text.npos; at += part.size())
    ++number;
  return number;
}
} // namespace

TEST(Output, CsvHasEveryPointInEveryDigit) {
  const std::string csv = toCsv(finished());
  EXPECT_EQ(
      csv.substr(0, csv.find('\n')),
      "coupling-bits,mismatch,feature-rms,image-rms,psnr,picojoules-batch-1,dynamics-picojoules-"
      "batch-1,decoder-picojoules-batch-1,seconds-per-image-batch-1,picojoules-batch-64,dynamics-"
      "picojoules-batch-64,decoder-picojoules-batch-64,seconds-per-image-batch-64,failure");
  EXPECT_THAT(csv, HasSubstr("\n4,0,0.1,0.2,20,333333.3333333333,1e+05,2e+05,0.001,"
                             "66666.66666666667,10000,50000,1e-04,\n"));
  EXPECT_THAT(csv, HasSubstr("\n4,0.05,,,,,,,,,,,,\"needs 3 bits, but there are \"\"2\"\"\"\n"));
  // Every line has as many cells, a quoted comma aside.
  EXPECT_EQ(occurrences(csv, "\n"), 5u);
}

TEST(Output, PageNeedsNothingFromOutsideAndShowsEveryPoint) {
  const std::string html = toHtml(finished());
  EXPECT_EQ(occurrences(html, "<script"), 0u);
  EXPECT_EQ(occurrences(html, "https://"), 0u);
  // Three points with a strip, the ideal's and the own steps'.
  EXPECT_EQ(occurrences(html, "<img"), 5u);
  EXPECT_THAT(html, AllOf(HasSubstr("needs 3 bits, but there are &quot;2&quot;"),
                          HasSubstr("1 points could not be compiled or run"),
                          HasSubstr("pictures with coupling-bits=5, mismatch=0.05")));
  // Two of quality against energy, three against each variable.
  EXPECT_EQ(occurrences(html, "<svg"), 8u);
}

TEST(Output, PageOfAnUnfinishedSweepSaysSo) {
  Sweep sweep = finished();
  sweep.results[3] = PointResult();
  EXPECT_THAT(toHtml(sweep), HasSubstr("1 of 4 points are not done yet"));
}

TEST(Output, TableKeepsItsColumns) {
  std::string text;
  llvm::raw_string_ostream os(text);
  printTable(finished(), os);
  EXPECT_THAT(text, HasSubstr("coupling-bits  mismatch  feature-rms  image-rms   psnr  batch 1"));
  EXPECT_THAT(text, HasSubstr("needs 3 bits"));
}
