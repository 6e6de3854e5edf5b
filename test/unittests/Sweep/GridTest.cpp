//===- GridTest.cpp - what a sweep varies -----------------------------------===//
#include "SampleSweep.h"

using namespace un0test;
using testing::ElementsAre;
using testing::HasSubstr;

static std::string refusal(llvm::StringRef text) {
  llvm::Expected<Variable> parsed = parseVariable(text);
  return parsed ? "accepted" : messageOf(parsed.takeError());
}

TEST(Grid, ReadsListsAndRanges) {
  EXPECT_THAT(variable("coupling-bits=2..8").values, ElementsAre(2, 3, 4, 5, 6, 7, 8));
  EXPECT_THAT(variable("mismatch=0,0.01,5e-2").values, ElementsAre(0, 0.01, 0.05));
  EXPECT_THAT(variable("set-bits=4,6..8,12").values, ElementsAre(4, 6, 7, 8, 12));
}

TEST(Grid, KnowsEveryConstantOfOscillators) {
  const Variable power = variable("oscillator-power=1e-6,2e-6");
  EXPECT_EQ(power.constant, "oscillator_power");
  EXPECT_FALSE(power.compileTime); // an energy changes accounts, not programs
  EXPECT_TRUE(variable("converters=1,64").compileTime);
}

TEST(Grid, RefusesWhatItCannotRead) {
  EXPECT_EQ(refusal("mismatch"), "--vary wants NAME=VALUES, got 'mismatch'");
  EXPECT_THAT(refusal("missmatch=1"), HasSubstr("--vary: nothing is called 'missmatch'; there are "
                                                "coupling-bits, mismatch, offset,"));
  EXPECT_EQ(refusal("mismatch=0,,1"),
            "--vary=mismatch: '' is no number and no range of whole numbers like 2..8");
  EXPECT_EQ(refusal("mismatch=nan"),
            "--vary=mismatch: 'nan' is no number and no range of whole numbers like 2..8");
  EXPECT_EQ(refusal("coupling-bits=2.5..4"),
            "--vary=coupling-bits: '2.5..4' is no number and no range of whole numbers like 2..8");
  EXPECT_EQ(refusal("coupling-bits=8..2"), "--vary=coupling-bits: the range '8..2' is empty");
  EXPECT_EQ(refusal("set-bits=0..1000"),
            "--vary=set-bits: the range '0..1000' has more than 1000 values");
  EXPECT_EQ(refusal("mismatch=0.1,0.10"), "--vary=mismatch: 0.1 is listed twice");
  EXPECT_EQ(refusal("coupling-bits=9"),
            "--vary=coupling-bits: bits are whole numbers from 2 to 8, got 9");
  EXPECT_EQ(refusal("phase-noise=-1"), "--vary=phase-noise: -1 is not positive");
  EXPECT_EQ(refusal("max-splitting-error=0"), "--vary=max-splitting-error: 0 is not positive");
}

TEST(Grid, LastVariableChangesFastest) {
  const auto points =
      llvm::cantFail(makeGrid({variable("coupling-bits=4,5"), variable("mismatch=0,1")}, 4));
  EXPECT_THAT(points, ElementsAre(ElementsAre(4, 0), ElementsAre(4, 1), ElementsAre(5, 0),
                                  ElementsAre(5, 1)));
}

TEST(Grid, RefusesHugeGridsAndDoubledVariables) {
  const Variable bits = variable("coupling-bits=4,5"), mismatch = variable("mismatch=0,1");
  EXPECT_EQ(messageOf(makeGrid({bits, mismatch}, 3).takeError()),
            "the grid has more than 3 points");
  EXPECT_EQ(messageOf(makeGrid({bits, bits}, 100).takeError()), "--vary sets coupling-bits twice");
  EXPECT_EQ(messageOf(makeGrid({bits, variable("coupling_levels=3,5")}, 100).takeError()),
            "--vary sets coupling_levels twice");
}

static un0::dsa::Hardware builtin(const char *name) {
  un0::dsa::Hardware hardware;
  EXPECT_FALSE(un0::dsa::loadHardware(name, hardware));
  return hardware;
}

TEST(Grid, BitsBecomeOddLevels) {
  un0::dsa::Hardware hardware = builtin("oscillator-1024");
  ASSERT_FALSE(bool(applyPoint({variable("coupling-bits=5")}, {5}, true, hardware)));
  EXPECT_EQ(hardware.get("coupling_levels"), 31);
}

TEST(Grid, PointsThatDifferAtRunTimeOnlyShareTheirProgram) {
  const std::vector<Variable> variables = {variable("mismatch=0,0.1"), variable("phase-noise=1")};
  un0::dsa::Hardware a = builtin("oscillator-1024"), b = a;
  ASSERT_FALSE(bool(applyPoint(variables, {0, 1}, false, a)));
  ASSERT_FALSE(bool(applyPoint(variables, {0.1, 1}, false, b)));
  EXPECT_EQ(a.toJson(), b.toJson());
  ASSERT_FALSE(bool(applyPoint(variables, {0.1, 1}, true, b)));
  EXPECT_EQ(b.get("mismatch"), 0.1);
}

TEST(Grid, ValuesOutOfRangeNameTheVariable) {
  un0::dsa::Hardware hardware = builtin("oscillator-1024");
  EXPECT_THAT(messageOf(applyPoint({variable("mismatch=7")}, {7}, true, hardware)),
              HasSubstr("--vary=mismatch: "));
}

namespace {
/// Sets `count` main phases and then runs for `seconds`, `times` times.
un0::dsa::Program sampleProgram(uint32_t count, double seconds, uint32_t times) {
  using un0::dsa::Instruction;
  using un0::dsa::Opcode;
  un0::dsa::Program program;
  program.hardware = builtin("oscillator-1024");
  program.oscillators = 64;
  program.modelTime = 1;
  auto add = [&](Opcode opcode, uint32_t a, uint32_t c, double x) {
    Instruction i;
    i.opcode = opcode;
    i.a = a;
    i.c = c;
    i.x = x;
    program.code.push_back(i);
  };
  add(Opcode::Repeat, times, 0, 0);
  add(Opcode::Each, 0, 0, 0);
  add(Opcode::Phase, 0, count, 0);
  add(Opcode::Run, 0, 0, seconds);
  add(Opcode::End, 0, 0, 0);
  add(Opcode::End, 0, 0, 0);
  add(Opcode::Halt, 0, 0, 0);
  return program;
}
} // namespace

TEST(PhaseNoise, AmountsToTheSameInAnyTimeScale) {
  // One run of a microsecond stands for one model second.
  un0::dsa::Program whole = sampleProgram(64, 1e-6, 1);
  EXPECT_DOUBLE_EQ(secondsPerOscillator(whole), 1e-6);
  ASSERT_FALSE(bool(setPhaseNoise(whole, 0.05)));
  EXPECT_DOUBLE_EQ(whole.hardware.get("phase_noise") * std::sqrt(1e-6), 0.05);
  // An oscillator that takes turns gathers noise in its own runs only.
  un0::dsa::Program turns = sampleProgram(16, 1e-6, 8);
  EXPECT_DOUBLE_EQ(secondsPerOscillator(turns), 2e-6);
  ASSERT_FALSE(bool(setPhaseNoise(turns, 0.05)));
  EXPECT_DOUBLE_EQ(turns.hardware.get("phase_noise") * std::sqrt(2e-6), 0.05);
}

TEST(PhaseNoise, NeedsAProgramThatRuns) {
  un0::dsa::Program program = sampleProgram(64, 0, 1);
  EXPECT_EQ(messageOf(setPhaseNoise(program, 0.1)),
            "phase noise needs a program that runs its tiles");
  EXPECT_FALSE(bool(setPhaseNoise(program, 0)));
}
