//===- SmallPrograms.h - programs that fit on a page ------------------------===//
#ifndef UN0_UNITTESTS_DSA_SMALLPROGRAMS_H
#define UN0_UNITTESTS_DSA_SMALLPROGRAMS_H

#include "Program.h"

#include <gtest/gtest.h>

namespace un0test {

using namespace un0::dsa;

inline Instruction make(Opcode opcode, uint16_t tile = 0, uint32_t a = 0, uint32_t b = 0,
                        uint32_t c = 0, uint32_t d = 0, uint32_t e = 0, double x = 0,
                        uint8_t flags = 0) {
  Instruction i;
  i.opcode = opcode;
  i.flags = flags;
  i.tile = tile;
  i.a = a, i.b = b, i.c = c, i.d = d, i.e = e;
  i.x = x;
  return i;
}

/// Six oscillators on `oscillator-64`, driven by two, two classes; runs three times and counts
/// windings.
inline Program cascadeProgram() {
  Program p;
  EXPECT_FALSE(loadHardware("oscillator-64", p.hardware));
  p.oscillators = 6;
  p.conditioning = 2;
  p.classes = 2;
  p.modelTime = 1;
  p.buffers = {{"theta", 6}, {"phi", 2}};
  auto couplings = [&](const char *name, uint32_t rows, uint32_t columns, uint32_t classes,
                       const char *scale) {
    Data d;
    d.name = name;
    d.rows = rows;
    d.columns = columns;
    d.classes = classes;
    d.unit = p.hardware.get(scale) / 15;
    for (uint64_t i = 0; i < d.size(); ++i) {
      d.levels.push_back(static_cast<int16_t>(int(i * 7 % 31) - 15));
      d.exact.push_back(static_cast<float>((d.levels.back() + 0.3) * d.unit));
    }
    return d;
  };
  p.data = {couplings("K", 6, 6, 0, "coupling_full_scale"),
            couplings("D", 6, 2, 2, "link_full_scale")};
  for (auto [name, rows] : {std::make_pair("w", 6u), std::make_pair("wc", 2u)}) {
    Data d;
    d.name = name;
    d.kind = DataKind::Frequencies;
    d.rows = rows;
    d.unit = p.hardware.get("frequency_full_scale") / 511;
    for (uint32_t i = 0; i < rows; ++i)
      d.levels.push_back(static_cast<int16_t>(100 * int(i) - 200));
    p.data.push_back(d);
  }
  p.digital = {{"readout", DigitalKind::Readout, 32, 0, 12, 0, 1, 24, 48}};
  p.code = {make(Opcode::Clear, 0),
            make(Opcode::Couple, 0, 0),
            make(Opcode::Detune, 0, 2),
            make(Opcode::Detune, 1, 3),
            make(Opcode::Each, 0, 0, 13),
            make(Opcode::Draw, 0, 0, 0),
            make(Opcode::Draw, 0, 1, 6),
            make(Opcode::Phase, 0, 0, 0, 6),
            make(Opcode::Phase, 1, 1, 0, 2),
            make(Opcode::Link, 0, 1, 1),
            make(Opcode::Repeat, 0, 3, 13 - 1),
            make(Opcode::Run, 0, 3, 0, 0, 0, 0, 1e-7),
            make(Opcode::End, 0, 0, 10),
            make(Opcode::End, 0, 0, 4),
            make(Opcode::Digital, 0, 0),
            make(Opcode::Halt)};
  // The sample belongs into the loop: windings are counted run by run.
  p.code.insert(p.code.begin() + 12,
                make(Opcode::Sample, 0, 0, 0, 6, 0, kClockReference, 0, kUnwrap));
  p.code[4].b = 14;
  p.code[10].b = 13;
  return p;
}

} // namespace un0test

#endif // UN0_UNITTESTS_DSA_SMALLPROGRAMS_H
