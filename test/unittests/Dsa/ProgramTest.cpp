//===- ProgramTest.cpp - programs as bytes, and what is refused -------------===//
#include "SmallPrograms.h"

#include <cmath>
#include <cstring>
#include <functional>
#include <gmock/gmock.h>

using namespace un0test;
using testing::HasSubstr;

namespace {

std::string messageOf(const Program &program) { return verifyProgram(program).message(); }

std::string decodeMessage(const std::vector<uint8_t> &bytes) {
  Program program;
  return decodeProgram(bytes.data(), bytes.size(), program).message();
}

TEST(Program, IsTheSameAfterEncodingAndDecoding) {
  const Program program = cascadeProgram();
  ASSERT_EQ(messageOf(program), "");
  const std::vector<uint8_t> bytes = encodeProgram(program);
  Program decoded;
  ASSERT_EQ(decodeProgram(bytes.data(), bytes.size(), decoded).message(), "");
  EXPECT_EQ(encodeProgram(decoded), bytes);
  ASSERT_EQ(decoded.code.size(), program.code.size());
  EXPECT_EQ(decoded.data[1].levels, program.data[1].levels);
  EXPECT_EQ(decoded.data[1].exact, program.data[1].exact);
  EXPECT_EQ(decoded.data[1].classes, 2u);
  EXPECT_EQ(decoded.code[11].x, 1e-7);
  EXPECT_EQ(decoded.code[12].flags, kUnwrap);
  EXPECT_EQ(decoded.hardware.toJson(), program.hardware.toJson());
}

TEST(Program, IsRefusedAtEveryLengthButItsOwn) {
  const std::vector<uint8_t> bytes = encodeProgram(cascadeProgram());
  for (size_t size = 0; size < bytes.size(); ++size)
    ASSERT_NE(decodeMessage({bytes.begin(), bytes.begin() + size}), "") << size;
  std::vector<uint8_t> longer = bytes;
  longer.push_back(0);
  EXPECT_THAT(decodeMessage(longer), HasSubstr("bytes of values"));
}

/// Whatever a flipped bit does, it is no crash, and what is accepted is not the same program.
TEST(Program, SurvivesEveryFlippedByte) {
  const std::vector<uint8_t> bytes = encodeProgram(cascadeProgram());
  for (size_t i = 0; i < bytes.size(); ++i)
    for (uint8_t bit : {0x01, 0x80}) {
      std::vector<uint8_t> changed = bytes;
      changed[i] ^= bit;
      Program program;
      if (!decodeProgram(changed.data(), changed.size(), program))
        ASSERT_NE(encodeProgram(program), bytes) << i;
    }
}

TEST(Program, HugeCountsAreRefusedBeforeMemoryIsTaken) {
  for (size_t field = 12; field < 36; field += 4) {
    std::vector<uint8_t> bytes = encodeProgram(cascadeProgram());
    std::memset(bytes.data() + field, 0xff, 4);
    EXPECT_THAT(decodeMessage(bytes), HasSubstr("at most")) << field;
  }
}

struct Mistake {
  const char *name;
  std::function<void(Program &)> make;
  const char *message;
};

class Refuses : public testing::TestWithParam<Mistake> {};

TEST_P(Refuses, WithInstructionAndReason) {
  Program program = cascadeProgram();
  GetParam().make(program);
  EXPECT_THAT(messageOf(program), HasSubstr(GetParam().message));
}

const Mistake kMistakes[] = {
    {"NoHalt", [](Program &p) { p.code.pop_back(); }, "program does not end with halt"},
    {"EarlyHalt", [](Program &p) { p.code[1] = make(Opcode::Halt); },
     "instruction 1: halt before the end of the program"},
    {"TileThatDoesNotExist", [](Program &p) { p.code[1].tile = 3; },
     "instruction 1: tile 3 does not exist, hardware 'oscillator-64' has 2"},
    {"JumpOutOfRange", [](Program &p) { p.code[10].b = 400; },
     "instruction 10: repeat ends at 400, which is no end within the 17 instructions"},
    {"JumpBack", [](Program &p) { p.code[10].b = 4; }, "instruction 10: repeat ends at 4"},
    {"EndOfAnother", [](Program &p) { p.code[13].b = 4; },
     "instruction 13: end of 4 does not match"},
    {"NoTurns", [](Program &p) { p.code[10].a = 0; }, "instruction 10: repeat 0 times"},
    {"ForEver", [](Program &p) { p.code[10].a = 0xffffffff; }, "the program would run forever"},
    {"UnusedOperand", [](Program &p) { p.code[0].c = 1; },
     "instruction 0: clear has the unused operand c = 1"},
    {"UnknownFlag", [](Program &p) { p.code[12].flags = 2; },
     "instruction 12: sample has an unused tile 0 or flags 0x2"},
    {"NoDuration", [](Program &p) { p.code[11].x = std::nan(""); },
     "instruction 11: run has a duration"},
    {"NegativeDuration", [](Program &p) { p.code[11].x = -1e-9; },
     "instruction 11: run has a duration"},
    {"NoSuchData", [](Program &p) { p.code[1].a = 9; },
     "instruction 1: datum 9 does not exist, there are 4"},
    {"WrongData", [](Program &p) { p.code[1].a = 2; },
     "instruction 1: couple takes couplings, datum 'w' is not"},
    {"RowsOutOfRange", [](Program &p) { p.code[1].b = 60; },
     "instruction 1: rows 60 to 66 are out of range, there are 64"},
    {"NoSecondBank", [](Program &p) { p.code[0].opcode = Opcode::Swap; },
     "instruction 0: swap needs two banks of couplings, hardware 'oscillator-64' has one"},
    {"OutsideEach", [](Program &p) { p.code[3] = make(Opcode::Draw, 0, 0, 0); },
     "instruction 3: draw is for a sample: it must be inside each"},
    {"ClassesOutsideEach", [](Program &p) { p.code[0] = make(Opcode::Link, 0, 1, 1); },
     "instruction 0: link loads what depends on the class: it must be inside each"},
    {"LinkToItself", [](Program &p) { p.code[9].b = 0; },
     "instruction 9: link from tile 0 to tile 0"},
    {"BufferTooSmall", [](Program &p) { p.code[7].c = 7; },
     "instruction 7: phases of the buffer 0 to 7 are out of range, there are 6"},
    {"DrawPastTheSample", [](Program &p) { p.code[6].b = 7; },
     "instruction 6: initial phases 7 to 9 are out of range, there are 8"},
    {"PhaseOfAnEmptyBuffer", [](Program &p) { p.code[5] = make(Opcode::Unlink, 0); },
     "instruction 7: buffer 'theta' is read before anything was written to it"},
    {"UnconfiguredTile", [](Program &p) { p.code[2] = make(Opcode::Clear, 0); },
     "instruction 11: tile 0 is not configured: oscillator 0 has a phase but no frequency"},
    {"RunsWithoutPhases", [](Program &p) { p.code[7] = make(Opcode::Unlink, 0); },
     "instruction 11: tile 0 runs, but no phase of it was set"},
    {"SourceWithoutPhases", [](Program &p) { p.code[8] = make(Opcode::Clear, 0); },
     "instruction 11: tile 1 runs, but no phase of it was set"},
    {"SampleOfNothing", [](Program &p) { p.code[12].d = 4; },
     "instruction 12: sample of oscillator 6 of tile 0, whose phase was never set"},
    {"ReferenceWithoutPhase", [](Program &p) { p.code[12].e = 30; },
     "instruction 12: reference oscillator 30 of tile 0 has no phase"},
    {"DigitalInEach", [](Program &p) { p.code[6] = make(Opcode::Digital, 0, 0); },
     "instruction 6: digital inside each"},
    {"NoSuchDigital", [](Program &p) { p.code[15].a = 1; },
     "instruction 15: digital operator 1 does not exist, there are 1"},
    {"LevelOutOfRange", [](Program &p) { p.data[0].levels[5] = 16; },
     "datum 'K' has level 16, hardware 'oscillator-64' has -15 to 15"},
    {"FewerLevels", [](Program &p) { p.data[0].levels.pop_back(); },
     "datum 'K' has 35 levels and 36 exact values, expected 36"},
    {"NoUnit", [](Program &p) { p.data[0].unit = 0; }, "datum 'K' has unit 0 rad/s"},
    {"SecondName", [](Program &p) { p.data[1].name = "K"; }, "datum 'K' has a bad or second name"},
    {"BadName", [](Program &p) { p.buffers[0].name = "a b"; },
     "buffer 'a b' of 6 phases has a bad"},
    {"NoResult", [](Program &p) { p.thetaBuffer = 1; }, "program leaves no final phases"},
    {"ForTheCpu", [](Program &p) { ASSERT_FALSE(loadHardware("cpu-x86", p.hardware)); },
     "hardware 'cpu-x86' is a CPU: there are no programs for it"}};

INSTANTIATE_TEST_SUITE_P(Program, Refuses, testing::ValuesIn(kMistakes),
                         [](const auto &info) { return std::string(info.param.name); });

TEST(Program, MessagesOfBytesNameTheOffset) {
  Program program = cascadeProgram();
  program.code[1].tile = 3;
  const std::vector<uint8_t> bytes = encodeProgram(program);
  Program decoded;
  const std::string message = decodeProgram(bytes.data(), bytes.size(), decoded).message();
  EXPECT_THAT(message, testing::MatchesRegex(
                           "instruction 1 at offset 0x[0-9a-f]+: tile 3 does not exist, .*"));
}

TEST(Program, LoopsAreFollowedIntoTheirSecondTurn) {
  Program program = cascadeProgram();
  // The second turn runs a tile that the first one left linked to a source without phases.
  program.code[8] = make(Opcode::Clear, 0);
  program.code[9] = make(Opcode::Clear, 0);
  program.code.insert(program.code.begin() + 13, make(Opcode::Link, 0, 1, 1));
  program.code[4].b = 15;
  program.code[14].b = 10;
  program.code[10].b = 14;
  EXPECT_THAT(messageOf(program), HasSubstr("instruction 11: tile 1 runs, but no phase"));
}

} // namespace
