//===- ProgramTest.cpp - programs as bytes, and what is refused -------------===//
#include "SmallPrograms.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
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
    {"PhasesOfAnEarlierEach",
     [](Program &p) {
       p.code.insert(p.code.begin() + 15,
                     {make(Opcode::Each, 0, 0, 17), make(Opcode::Hold, 0, 0, 0, 0, 0, 0, 1e-7),
                      make(Opcode::End, 0, 0, 15)});
     },
     "instruction 16: tile 0 is held, but no phase of it was set"},
    {"LinkOfAnotherClass",
     [](Program &p) {
       // Every sample makes the link behind its run: the second one runs with the first one's.
       p.code[9] = make(Opcode::Clear, 0);
       p.code.insert(p.code.begin() + 14, make(Opcode::Link, 0, 1, 1));
       p.code[4].b = 15;
     },
     "instruction 11: tile 0 runs with a link of another sample's class"},
    {"CouplingsOfAnotherClass",
     [](Program &p) {
       p.data[0].classes = 1;
       p.code[1] = make(Opcode::Clear, 0);
       p.code.insert(p.code.begin() + 14, make(Opcode::Couple, 0, 0));
       p.code[4].b = 15;
     },
     "instruction 11: tile 0 runs with couplings of another sample's class"},
    {"RunsOnAfterASample", [](Program &p) { p.hardware.constants["repeated_sampling"].value = 0; },
     "instruction 11: tile 0 runs on after a sample, which ends a run on hardware"},
    {"ManyEmptyTurns",
     [](Program &p) {
       for (int i = 0; i < 4; ++i) {
         const auto at = static_cast<uint32_t>(p.code.size() - 1);
         p.code.insert(p.code.end() - 1,
                       {make(Opcode::Repeat, 0, 0x60000000, at + 1), make(Opcode::End, 0, 0, at)});
       }
     },
     "instruction 20: the program would run forever"},
    {"StrongerThanTheHardware", [](Program &p) { p.data[0].unit *= 1.01; },
     "instruction 1: level 15 of datum 'K' is 101000 rad/s, coupling_full_scale of hardware "
     "'oscillator-64' is 100000"},
    {"FasterThanTheHardware", [](Program &p) { p.data[2].unit *= 2; },
     "instruction 2: level 511 of datum 'w' is 1.28e+07 rad/s, frequency_full_scale"},
    {"TooManyNeighbours", [](Program &p) { p.hardware.constants["neighbours"].value = 4; },
     "of datum 'K' has 6 couplings, hardware 'oscillator-64' has 4 neighbours"},
    {"TooManyInputs", [](Program &p) { p.hardware.constants["link_inputs"].value = 1; },
     "instruction 9: link of 2 oscillators, hardware 'oscillator-64' has 1 inputs"},
    {"TooDeep",
     [](Program &p) {
       for (uint32_t depth = 0; depth < 9; ++depth)
         p.code.insert(p.code.begin() + 15 + depth, make(Opcode::Repeat, 0, 1, 32 - depth));
       for (uint32_t depth = 0; depth < 9; ++depth)
         p.code.insert(p.code.begin() + 24 + depth, make(Opcode::End, 0, 0, 23 - depth));
     },
     "instruction 23: loops are nested more than 8 deep"},
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

TEST(Program, TellsWhatAMessageIsAbout) {
  Culprit culprit;
  Program program = cascadeProgram();
  program.code[12].d = 60;
  ASSERT_TRUE(bool(verifyProgram(program, 0, &culprit)));
  EXPECT_EQ(culprit.part, Culprit::Instruction);
  EXPECT_EQ(culprit.index, 12u);
  program.data[2].levels[0] = 600;
  ASSERT_TRUE(bool(verifyProgram(program, 0, &culprit)));
  EXPECT_EQ(culprit.part, Culprit::Datum);
  EXPECT_EQ(culprit.index, 2u);
  program.buffers[1].size = 0;
  ASSERT_TRUE(bool(verifyProgram(program, 0, &culprit)));
  EXPECT_EQ(culprit.part, Culprit::Buffer);
  EXPECT_EQ(culprit.index, 1u);
}

TEST(Program, ReloadsOfAClassAreNoMistake) {
  // Couplings that depend on the class in two banks that change places for every sample.
  Program program = cascadeProgram();
  ASSERT_FALSE(bool(loadHardware("oscillator-1024", program.hardware)));
  program.data.clear();
  for (uint32_t rows : {6u, 2u}) {
    Data w;
    w.name = "w" + std::to_string(rows);
    w.kind = DataKind::Frequencies;
    w.rows = rows;
    w.unit = 1;
    w.levels.assign(rows, 0);
    program.data.push_back(w);
  }
  Data k;
  k.name = "K";
  k.rows = k.columns = 6;
  k.classes = 2;
  k.unit = 1;
  k.levels.assign(72, 1);
  program.data.push_back(k);
  program.code = {make(Opcode::Detune, 0, 0),
                  make(Opcode::Repeat, 0, 5, 9),
                  make(Opcode::Each, 0, 0, 8),
                  make(Opcode::Draw, 0, 0, 0),
                  make(Opcode::Couple, 0, 2),
                  make(Opcode::Swap, 0),
                  make(Opcode::Phase, 0, 0, 0, 6),
                  make(Opcode::Run, 0, 1, 0, 0, 0, 0, 1e-9),
                  make(Opcode::End, 0, 0, 2),
                  make(Opcode::End, 0, 0, 1),
                  make(Opcode::Halt)};
  EXPECT_EQ(messageOf(program), "");
  // Loaded behind the run, they are the next sample's.
  std::rotate(program.code.begin() + 4, program.code.begin() + 6, program.code.begin() + 8);
  EXPECT_THAT(messageOf(program),
              HasSubstr("instruction 5: tile 0 runs with couplings of another sample's class"));
}

TEST(Program, HostileFragmentsAreVerifiedInTime) {
  // Thousands of single phases, each followed by a run of what was set so far.
  Program program = cascadeProgram();
  ASSERT_FALSE(bool(loadHardware("oscillator-1024", program.hardware)));
  program.data.clear();
  program.code.clear();
  Data w;
  w.name = "w";
  w.kind = DataKind::Frequencies;
  w.rows = 1024;
  w.unit = 1;
  w.levels.assign(1024, 0);
  program.data.push_back(w);
  program.code = {make(Opcode::Detune, 0, 0), make(Opcode::Each), make(Opcode::Draw)};
  for (uint32_t i = 0; i < 1024; i += 2) {
    program.code.push_back(make(Opcode::Phase, 0, 0, 0, 1, i));
    program.code.push_back(make(Opcode::Run, 0, 1, 0, 0, 0, 0, 1e-9));
  }
  program.code[1].b = static_cast<uint32_t>(program.code.size());
  program.code.push_back(make(Opcode::End, 0, 0, 1));
  program.code.push_back(make(Opcode::Halt));
  EXPECT_EQ(messageOf(program), "");
  program.data[0].rows = 1000;
  program.data[0].levels.resize(1000);
  EXPECT_THAT(messageOf(program), HasSubstr("oscillator 1000 has a phase but no frequency"));
}

TEST(Program, NestedLoopsAreVerifiedInTime) {
  auto nested = [](std::vector<Instruction> body) {
    Program program;
    EXPECT_FALSE(loadHardware("ideal", program.hardware));
    program.oscillators = 1;
    program.buffers = {{"theta", 1}};
    Data w;
    w.name = "w";
    w.kind = DataKind::Frequencies;
    w.rows = 1;
    w.exact = {1};
    program.data = {w};
    constexpr uint32_t depth = 8;
    for (uint32_t k = 0; k < depth; ++k)
      program.code.push_back(
          make(Opcode::Repeat, 0, 2, static_cast<uint32_t>(body.size()) + 2 * depth - 1 - k));
    program.code.insert(program.code.end(), body.begin(), body.end());
    for (uint32_t k = depth; k-- > 0;)
      program.code.push_back(make(Opcode::End, 0, 0, k));
    const auto each = static_cast<uint32_t>(program.code.size());
    program.code.push_back(make(Opcode::Each, 0, 0, each + 2));
    program.code.push_back(make(Opcode::Draw));
    program.code.push_back(make(Opcode::End, 0, 0, each));
    program.code.push_back(make(Opcode::Halt));
    return program;
  };
  // Fragments from above: each is inserted before all others, 256 times.
  std::vector<Instruction> body;
  for (uint32_t i = 20000; i-- > 0;)
    body.push_back(make(Opcode::Detune, 0, 0, 2 * i));
  EXPECT_EQ(messageOf(nested(body)), "");
  EXPECT_THAT(messageOf(nested(std::vector<Instruction>(300000, make(Opcode::Clear)))),
              HasSubstr("the program would run forever: its loops are too large and nested too "
                        "deeply to be followed"));
}

TEST(Program, TheManualNamesEveryInstruction) {
  std::ifstream file(UN0_HARDWARE_DIR "/../../../docs/dsa/isa.md");
  const std::string manual(std::istreambuf_iterator<char>(file), {});
  ASSERT_FALSE(manual.empty());
  for (size_t i = 0; i < kOpcodes; ++i) {
    const std::string name = opcodeName(static_cast<Opcode>(i));
    EXPECT_THAT(manual, HasSubstr("\n#### `" + name + "`")) << i;
    EXPECT_THAT(manual, HasSubstr("| " + std::to_string(i) + " | `" + name + "` |")) << i;
  }
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
