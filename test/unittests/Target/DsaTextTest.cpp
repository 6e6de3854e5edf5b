//===- DsaTextTest.cpp - programs as text, and what is wrong with a text ----===//
#include "SmallPrograms.h"
#include "un0/Target/DsaAssembler.h"
#include "un0/Target/DsaDisassembler.h"

#include <cmath>
#include <gmock/gmock.h>
#include <random>

using namespace un0;
using namespace un0test;
using testing::HasSubstr;
using testing::StartsWith;

namespace {

std::string textOf(const DsaModule &module) {
  std::string text;
  llvm::raw_string_ostream os(text);
  disassembleDsa(module, os);
  return text;
}

DsaModule cascadeModule() {
  DsaModule module;
  module.program = cascadeProgram();
  return module;
}

/// The message, or "" with the module in `module`.
std::string assemble(const std::string &text, DsaModule &module) {
  auto assembled = assembleDsa(text, "t.dsa");
  if (!assembled)
    return llvm::toString(assembled.takeError());
  module = std::move(*assembled);
  return "";
}

/// Text, bytes and text again must be the same.
void expectRoundTrip(const DsaModule &module) {
  const std::string text = textOf(module);
  DsaModule again;
  ASSERT_EQ(assemble(text, again), "");
  EXPECT_EQ(textOf(again), text);
  EXPECT_EQ(encodeProgram(again.program), encodeProgram(module.program));
  ASSERT_EQ(again.sections.size(), module.sections.size());
  for (size_t i = 0; i < module.sections.size(); ++i) {
    EXPECT_EQ(again.sections[i].kind, module.sections[i].kind);
    EXPECT_EQ(again.sections[i].bytes, module.sections[i].bytes);
    EXPECT_EQ(again.sections[i].external, module.sections[i].external);
    EXPECT_EQ(again.sections[i].size, module.sections[i].size);
    EXPECT_EQ(llvm::ArrayRef(again.sections[i].sha256), llvm::ArrayRef(module.sections[i].sha256));
  }
}

TEST(DsaText, RoundTripsEveryInstruction) {
  DsaModule module = cascadeModule();
  Program &p = module.program;
  ASSERT_FALSE(bool(loadHardware("oscillator-1024", p.hardware)));
  // Its levels differ, so that only the shape of the data is kept.
  for (Data &data : p.data)
    data.unit = 1;
  p.code.insert(p.code.begin() + 1, make(Opcode::Swap, 1));
  p.code.insert(p.code.begin() + 13, {make(Opcode::Hold, 0, 0, 0, 0, 0, 0, 1.0 / 3),
                                      make(Opcode::Sample, 1, 1, 0, 2, 0, /*reference=*/1)});
  p.code.insert(p.code.begin() + 17, make(Opcode::Unlink, 0));
  p.code[5].b = 18;
  p.code[18].b = 5;
  p.code[11].b = 16;
  p.code[16].b = 11;
  ASSERT_EQ(verifyProgram(p).message(), "");
  std::vector<bool> seen(kOpcodes);
  for (const Instruction &i : p.code)
    seen[static_cast<size_t>(i.opcode)] = true;
  for (size_t i = 0; i < kOpcodes; ++i)
    EXPECT_TRUE(seen[i]) << opcodeName(static_cast<Opcode>(i));
  expectRoundTrip(module);
}

TEST(DsaText, KeepsEveryBitOfNumbers) {
  DsaModule module = cascadeModule();
  Program &p = module.program;
  std::mt19937_64 engine(5);
  for (int round = 0; round < 50; ++round) {
    for (Data &data : p.data)
      for (float &value : data.exact)
        do {
          const auto bits = static_cast<uint32_t>(engine());
          std::memcpy(&value, &bits, sizeof value);
        } while (!std::isfinite(value));
    p.data[0].exact[0] = -0.0f;
    p.data[0].exact[1] = 1e-45f;
    p.modelTime = std::ldexp(double(engine()), -int(engine() % 900));
    p.code[11].x = std::ldexp(double(engine()), -int(60 + engine() % 900));
    p.data[0].unit = std::ldexp(double(engine()), -int(60 + engine() % 900));
    expectRoundTrip(module);
  }
}

TEST(DsaText, RoundTripsSections) {
  DsaModule module = cascadeModule();
  std::mt19937 engine(6);
  for (uint32_t kind : {1u, 2u, 4u, 77u}) {
    DsaSection section;
    section.kind = kind;
    for (size_t size = kind * 71; size; --size)
      section.bytes.push_back(static_cast<char>(engine()));
    module.sections.push_back(section);
  }
  DsaSection program;
  program.kind = UN0_SECTION_PROGRAM;
  module.sections.insert(module.sections.begin() + 2, program);
  DsaSection weights;
  weights.kind = UN0_SECTION_WEIGHTS;
  weights.external = true;
  weights.size = uint64_t(1) << 40;
  for (uint8_t &byte : weights.sha256)
    byte = static_cast<uint8_t>(engine());
  module.sections.push_back(weights);
  module.formatMinor = 9;
  expectRoundTrip(module);
}

TEST(DsaText, TakesCommentsAndAnyBlanks) {
  const std::string text = textOf(cascadeModule());
  std::string loose;
  for (char c : text)
    loose += c == '\n' ? " \t; {a} \"comment\" @x\r\n\n" : std::string(1, c);
  // Not within the JSON of the hardware, which knows no comments.
  const size_t from = text.find(".model");
  DsaModule module;
  ASSERT_EQ(assemble(text.substr(0, from) + loose.substr(loose.find(".model")), module), "");
  EXPECT_EQ(textOf(module), text);
}

TEST(DsaText, KnowsHardwareByName) {
  const std::string text = textOf(cascadeModule());
  const size_t from = text.find(".hardware"), to = text.find(".model");
  DsaModule module;
  ASSERT_EQ(assemble(text.substr(0, from) + ".hardware oscillator-64\n" + text.substr(to), module),
            "");
  EXPECT_EQ(textOf(module), text);
}

TEST(DsaText, RefusesWhateverTextItIsCutTo) {
  const std::string text = textOf(cascadeModule());
  for (size_t size = 0; size + 6 < text.size(); size += 1 + size / 500) {
    DsaModule module;
    EXPECT_THAT(assemble(text.substr(0, size), module), StartsWith("t.dsa:")) << size;
  }
}

TEST(DsaText, SurvivesEveryChangedByte) {
  const std::string text = textOf(cascadeModule());
  for (size_t i = text.find(".model"); i < text.size(); ++i)
    for (char c : {'\0', '0', '{', '\n', '@', '\xff'}) {
      std::string changed = text;
      changed[i] = c;
      DsaModule module;
      const std::string message = assemble(changed, module);
      if (message.empty())
        ASSERT_FALSE(bool(verifyProgram(module.program))) << i;
      else
        ASSERT_THAT(message, StartsWith("t.dsa:")) << i;
    }
}

} // namespace
