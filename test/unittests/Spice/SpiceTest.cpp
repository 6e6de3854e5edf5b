//===- SpiceTest.cpp - decks of a tile's run --------------------------------===//

#include "un0/Target/Spice.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <random>

using namespace un0;
using namespace un0::dsa;
using llvm::StringRef;
using testing::HasSubstr;

namespace {

/// A dense tile of n, driven by m; couplings have a mismatch of 5 %.
RunSnapshot denseRun(size_t n, size_t m, double seconds) {
  std::mt19937 engine(3);
  std::normal_distribution<float> normal;
  std::uniform_real_distribution<float> uniform(-3.14f, 3.14f);
  auto draw = [&](size_t count, double scale) {
    std::vector<float> values(count);
    for (float &value : values)
      value = float(scale / seconds) * normal(engine) * (1 + 0.05f * normal(engine));
    return values;
  };
  auto draws = [&](size_t count) {
    std::vector<float> values(count);
    for (float &value : values)
      value = uniform(engine);
    return values;
  };
  RunSnapshot run;
  run.seconds = seconds;
  run.phases = draws(n);
  run.finalPhases = draws(n);
  run.frequencies = draw(n, 1);
  run.couplings = draw(n * n, 1 / std::sqrt(double(n)));
  for (size_t i = 0; i < n; ++i)
    run.couplings[i * (n + 1)] = 0;
  if (m) {
    run.linked = true;
    run.sourceTile = 1;
    run.sourcePhases = draws(m);
    run.sourceFinalPhases = draws(m);
    run.sourceFrequencies = draw(m, 1);
    run.sourceCouplings = draw(m * m, 0.5);
    for (size_t i = 0; i < m; ++i)
      run.sourceCouplings[i * (m + 1)] = 0;
    run.link = draw(n * m, 0.5);
  }
  return run;
}

/// A deck as SPICE reads it: lower case, comments gone.
struct Deck {
  std::string text;
  std::vector<std::vector<std::string>> elements; // words of each, name first
  std::vector<std::string> commands;              // before .control

  explicit Deck(const RunSnapshot &run) {
    llvm::raw_string_ostream os(text);
    EXPECT_EQ(toString(writeSpice(run, "A title", {"a comment"}, os)), "");
    llvm::SmallVector<StringRef> lines;
    StringRef(text).split(lines, '\n', -1, /*KeepEmpty=*/false);
    for (StringRef line : llvm::ArrayRef(lines).drop_front()) {
      if (line == ".control")
        break;
      if (line.starts_with("*"))
        continue;
      const std::string lower = line.lower();
      if (line.starts_with(".")) {
        commands.push_back(lower);
        continue;
      }
      llvm::SmallVector<StringRef> words;
      llvm::SplitString(lower, words);
      elements.emplace_back(words.begin(), words.end());
    }
  }

  /// The words of an element, its name left out. Empty if there is none.
  std::vector<std::string> find(StringRef name) const {
    for (const auto &element : elements)
      if (element[0] == name)
        return {element.begin() + 1, element.end()};
    return {};
  }
  double last(StringRef name) const {
    double value = NAN;
    auto words = find(name);
    if (!words.empty())
      (void)llvm::to_float(words.back(), value);
    return value;
  }
};

} // namespace

TEST(Spice, NamesDifferInMoreThanCase) {
  const Deck deck(denseRun(64, 8, 1e-8));
  llvm::StringSet<> names;
  for (const auto &element : deck.elements)
    EXPECT_TRUE(names.insert(element[0]).second) << element[0] << " is there twice";
  // Capacitors, rates, two waves and two sums with a resistor each, couplings, links, zeros.
  const size_t oscillators = 64 + 8;
  EXPECT_EQ(names.size(), oscillators * 8 + 2 * (64 * 63 + 8 * 7 + 64 * 8) + 64 * 6);
}

TEST(Spice, EveryNodeHasACurrentPathAndIsDrivenOnce) {
  const Deck deck(denseRun(20, 3, 2));
  llvm::StringMap<int> capacitors, resistors, sources;
  llvm::StringSet<> controls;
  for (const auto &words : deck.elements) {
    const std::string &node = words[1] == "0" ? words[2] : words[1];
    const char kind = words[0][0];
    ++(kind == 'c' ? capacitors : kind == 'r' ? resistors : sources)[node];
    if (kind == 'g')
      controls.insert(words[3]);
  }
  for (const auto &source : sources)
    EXPECT_EQ(capacitors.lookup(source.getKey()) + resistors.lookup(source.getKey()), 1)
        << source.getKey().str();
  for (const auto &control : controls)
    EXPECT_TRUE(sources.count(control.getKey())) << control.getKey().str();
}

TEST(Spice, CouplingsAreThoseOfTheRunTimesItsLength) {
  const RunSnapshot run = denseRun(64, 8, 3e-8);
  const Deck deck(run);
  for (auto [i, j] : {std::pair(0, 1), std::pair(63, 0), std::pair(17, 42)}) {
    const double wanted = 3e-8 * double(run.couplings[i * 64 + j]);
    const std::string pair = "_theta" + std::to_string(i) + "_theta" + std::to_string(j);
    EXPECT_NEAR(deck.last("g_sin" + pair), wanted, 1e-9 * std::abs(wanted));
    EXPECT_NEAR(deck.last("g_cos" + pair), wanted, 1e-9 * std::abs(wanted));
    EXPECT_EQ(deck.find("g_cos" + pair)[1], "kcos_theta" + std::to_string(i));
    EXPECT_EQ(deck.find("g_cos" + pair)[2], "cos_theta" + std::to_string(j));
  }
  EXPECT_NEAR(deck.last("g_sin_theta5_phi7"), 3e-8 * double(run.link[5 * 8 + 7]), 1e-9);
  EXPECT_NEAR(deck.last("g_cos_phi2_phi1"), 3e-8 * double(run.sourceCouplings[2 * 8 + 1]), 1e-9);
  // The source is not driven back.
  EXPECT_TRUE(deck.find("g_sin_phi0_theta0").empty());
}

TEST(Spice, PhasesStartWhereTheRunDid) {
  const RunSnapshot run = denseRun(4, 2, 1e-9);
  const Deck deck(run);
  const auto words = deck.find("c_phi1");
  ASSERT_EQ(words.size(), 4u);
  EXPECT_EQ(words[2], "1e-09");
  double start = 0;
  ASSERT_TRUE(llvm::to_float(StringRef(words[3]).drop_front(3), start));
  EXPECT_EQ(float(start), run.sourcePhases[1]);
  EXPECT_THAT(deck.text, HasSubstr("* simulator theta3 = "));
  EXPECT_THAT(deck.text, HasSubstr("\nprint phi1[last]\n"));
}

TEST(Spice, LengthOfTheRunScalesNothingButTime) {
  RunSnapshot run = denseRun(8, 0, 1);
  const Deck slow(run);
  run.seconds = 0x1p-30;
  for (std::vector<float> *rates : {&run.couplings, &run.frequencies})
    for (float &rate : *rates)
      rate *= 0x1p30f;
  const Deck fast(run);
  ASSERT_EQ(slow.elements.size(), fast.elements.size());
  for (size_t i = 0; i < slow.elements.size(); ++i)
    if (slow.elements[i][0][0] != 'c') {
      EXPECT_EQ(slow.elements[i], fast.elements[i]);
    }
}

TEST(Spice, LinesAreShort) {
  const Deck deck(denseRun(64, 8, 1e-9));
  llvm::SmallVector<StringRef> lines;
  StringRef(deck.text).split(lines, '\n');
  for (StringRef line : lines)
    EXPECT_LE(line.size(), 100u) << line.str();
}

TEST(Spice, OscillatorWithoutCouplingsTurnsFreely) {
  RunSnapshot run;
  run.seconds = 2;
  run.phases = {0.5f};
  run.finalPhases = {3.5f};
  run.couplings = {0};
  run.frequencies = {1.5f};
  const Deck deck(run);
  EXPECT_EQ(deck.find("b_theta0").back(), "i=3");
  EXPECT_TRUE(deck.find("r_ksin_theta0").empty());
}

TEST(Spice, RefusesARunThatHasNoDeck) {
  std::string text;
  llvm::raw_string_ostream os(text);
  RunSnapshot run = denseRun(2, 0, 1);
  run.seconds = 0;
  EXPECT_EQ(toString(writeSpice(run, "", {}, os)), "a run of 0 s has no deck");
  run = denseRun(2, 0, 1);
  run.couplings[1] = INFINITY;
  EXPECT_EQ(toString(writeSpice(run, "", {}, os)),
            "the run has a phase, frequency or coupling of inf");
}

TEST(Spice, RefusesFaultsThatADeckCannotHave) {
  std::string text;
  llvm::raw_string_ostream os(text);
  SpiceRequest request;
  request.faults = kAllFaults;
  EXPECT_EQ(toString(exportSpice(Program(), request, os)),
            "a deck has no phase noise; leave 'noise' out of the faults");
  request.faults &= ~kFaultNoise;
  EXPECT_EQ(toString(exportSpice(Program(), request, os)),
            "a deck has no delays; leave 'link-delay' out of the faults");
}
