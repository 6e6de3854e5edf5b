//===- TextTest.cpp - numbers and text as people read them ------------------===//
#include "Text.h"

#include <cmath>
#include <gtest/gtest.h>

using namespace un0::report;

TEST(Text, QuantitiesHaveThreeDigitsAndAPrefix) {
  EXPECT_EQ(quantity(0, "J"), "0 J");
  EXPECT_EQ(quantity(1, "J"), "1.00 J");
  EXPECT_EQ(quantity(0.00123456, "J"), "1.23 mJ");
  EXPECT_EQ(quantity(-45.678e3, "W"), "-45.7 kW");
  EXPECT_EQ(energy(2.28e3), "2.28 nJ");
  EXPECT_EQ(seconds(1.56e-3), "1.56 ms");
}

TEST(Text, RoundingUpTakesTheNextPrefix) {
  EXPECT_EQ(quantity(999.7e-6, "J"), "1.00 mJ");
  EXPECT_EQ(quantity(999.4e-6, "J"), "999 µJ");
  EXPECT_EQ(quantity(1000e-6, "J"), "1.00 mJ");
}

TEST(Text, PrefixesEndSomewhere) {
  EXPECT_EQ(quantity(5e-24, "J"), "5e-06 aJ");
  EXPECT_EQ(quantity(5e20, "J"), "5e+08 TJ");
  EXPECT_EQ(quantity(INFINITY, "s"), "infinite s");
}

TEST(Text, CountsKeepEveryDigit) {
  EXPECT_EQ(count(1048576), "1\u202f048\u202f576");
  EXPECT_EQ(count(999), "999");
  EXPECT_EQ(count(-1000), "-1\u202f000");
  EXPECT_EQ(count(0.03125), "0.03125");
}

TEST(Text, ExactNumbersReadBackAsTheSameDouble) {
  for (double value : {0.1, 1e-300, 2.28, 1.0 / 3, 12345678901234567.0})
    EXPECT_EQ(std::strtod(exact(value).c_str(), nullptr), value);
}

TEST(Text, RatiosAreNotMorePreciseThanTheyAre) {
  EXPECT_EQ(ratio(1000, 1), "1\u202f000x");
  EXPECT_EQ(ratio(17, 10), "1.7x");
  EXPECT_EQ(ratio(3, 100), "0.03x");
  EXPECT_EQ(ratio(5, 0), "infinitely more");
}

TEST(Text, SharesThatAreNotAllOrNothingDoNotReadSo) {
  EXPECT_EQ(percent(0.42e-2), "0.42 %");
  EXPECT_EQ(percent(0.25), "25 %");
  EXPECT_EQ(percent(0.997), "99.7 %");
  EXPECT_EQ(percent(0.99999), "over 99.9 %");
  EXPECT_EQ(percent(1e-7), "under 0.01 %");
  EXPECT_EQ(percent(1), "100 %");
  EXPECT_EQ(percent(0), "0 %");
}

TEST(Text, MarkupInNamesIsText) {
  EXPECT_EQ(escape("<b a=\"1\" b='2'>&"), "&lt;b a=&quot;1&quot; b=&#39;2&#39;&gt;&amp;");
}

TEST(Text, BytesThatAreNoUtf8AreReplaced) {
  EXPECT_EQ(escape("a\xff\x01z"), "a\xef\xbf\xbd\xef\xbf\xbdz");
  EXPECT_EQ(escape("\xc3"), "\xef\xbf\xbd");
  EXPECT_EQ(escape("\xed\xa0\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"); // half a surrogate
  EXPECT_EQ(escape("µ\u202f"), "µ\u202f");
}

TEST(Text, Base64PadsItsEnd) {
  EXPECT_EQ(base64("", 0), "");
  EXPECT_EQ(base64("f", 1), "Zg==");
  EXPECT_EQ(base64("fo", 2), "Zm8=");
  EXPECT_EQ(base64("foobar", 6), "Zm9vYmFy");
}
