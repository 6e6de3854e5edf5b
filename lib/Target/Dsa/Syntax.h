//===- Syntax.h - how instructions are written ------------------*- C++ -*-===//
//
// One table that the assembler reads from and the disassembler prints from: an instruction that is
// in it round-trips.
//
//===----------------------------------------------------------------------===//

#ifndef LIB_TARGET_DSA_SYNTAX_H
#define LIB_TARGET_DSA_SYNTAX_H

#include "Program.h"
#include "un0/format.h"
#include "llvm/ADT/ArrayRef.h"

namespace un0::dsa::text {

enum class OperandKind {
  None,
  Tile,      // "tile0", the instruction's own
  Source,    // "from tile1", a tile's number in `field`
  Datum,     // "@K", its index
  Buffer,    // "@theta"
  Digital,   // "@readout"
  Number,    // "row 5"; without keyword: "5"
  Seconds,   // "1e-07 s"
  Reference, // ", reference 5"; left out for the clock
  Unwrap     // ", unwrap"; left out without the flag
};

struct Operand {
  OperandKind kind = OperandKind::None;
  const char *keyword = "";
  uint32_t Instruction::*field = nullptr;
};

/// The operands of an opcode, in the order in which they are written. An opcode with a block has
/// its body in braces; `end` is the brace that closes it.
struct Syntax {
  Opcode opcode;
  bool block;
  Operand operands[8];

  llvm::ArrayRef<Operand> list() const {
    size_t count = 0;
    while (count < std::size(operands) && operands[count].kind != OperandKind::None)
      ++count;
    return llvm::ArrayRef(operands, count);
  }
};

using I = Instruction;
using K = OperandKind;
inline constexpr Operand kTile = {K::Tile}, kCount = {K::Number, "count", &I::c},
                         kAt = {K::Number, "at", &I::b}, kFirst = {K::Number, "oscillator", &I::d};

/// By opcode.
inline constexpr Syntax kSyntax[kOpcodes] = {
    {Opcode::Halt, false, {}},
    {Opcode::Repeat, true, {{K::Number, "", &I::a}}},
    {Opcode::Each, true, {}},
    {Opcode::End, false, {}},
    {Opcode::Clear, false, {kTile}},
    {Opcode::Couple,
     false,
     {kTile, {K::Datum, "", &I::a}, {K::Number, "row", &I::b}, {K::Number, "column", &I::c}}},
    {Opcode::Swap, false, {kTile}},
    {Opcode::Detune, false, {kTile, {K::Datum, "", &I::a}, {K::Number, "oscillator", &I::b}}},
    {Opcode::Link,
     false,
     {kTile, {K::Datum, "", &I::a}, {K::Source, "from", &I::b}, {K::Number, "row", &I::c}}},
    {Opcode::Unlink, false, {kTile}},
    {Opcode::Draw, false, {{K::Buffer, "", &I::a}, {K::Number, "first", &I::b}}},
    {Opcode::Phase, false, {kTile, {K::Buffer, "", &I::a}, kAt, kCount, kFirst}},
    {Opcode::Run, false, {kTile, {K::Seconds}, {K::Number, "steps", &I::a}}},
    {Opcode::Hold, false, {kTile, {K::Seconds}}},
    {Opcode::Sample,
     false,
     {kTile,
      {K::Buffer, "", &I::a},
      kAt,
      kCount,
      kFirst,
      {K::Reference, "reference", &I::e},
      {K::Unwrap}}},
    {Opcode::Digital, false, {{K::Digital, "", &I::a}}}};

/// Names of enumerators, by value.
inline constexpr const char *kSolvers[] = {"euler", "heun", "rk4", "rk4_classic"};
inline constexpr const char *kDigitals[] = {"readout", "conv2d", "evolve"};

/// The costs of a digital operator, in order.
struct Cost {
  const char *keyword;
  uint64_t DigitalOp::*field;
};
inline constexpr Cost kCosts[] = {{"multiply-adds", &DigitalOp::multiplyAdds},
                                  {"special-functions", &DigitalOp::specialFunctions},
                                  {"parameter-bytes", &DigitalOp::parameterBytes},
                                  {"parameter-reads", &DigitalOp::parameterReads},
                                  {"bytes-read", &DigitalOp::bytesRead},
                                  {"bytes-written", &DigitalOp::bytesWritten}};

struct SectionName {
  uint32_t kind;
  const char *name;
};
inline constexpr SectionName kSections[] = {{UN0_SECTION_MANIFEST, "manifest"},
                                            {UN0_SECTION_CODE, "code"},
                                            {UN0_SECTION_WEIGHTS, "weights"},
                                            {UN0_SECTION_MODEL, "model"},
                                            {UN0_SECTION_PROGRAM, "program"}};

} // namespace un0::dsa::text

#endif // LIB_TARGET_DSA_SYNTAX_H
