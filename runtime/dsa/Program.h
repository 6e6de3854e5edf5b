//===- Program.h - a program for a dynamical-system accelerator -------------===//
//
// The instruction set in memory, its binary form and its verifier. docs/dsa/isa.md is the manual.
// Time is physical (seconds of the hardware) and so are rates (radians per second); model time does
// not exist below the compiler.
//
//===----------------------------------------------------------------------===//
#ifndef UN0_RUNTIME_DSA_PROGRAM_H
#define UN0_RUNTIME_DSA_PROGRAM_H

#include "Hardware.h"

#include <cstdint>
#include <string>
#include <vector>

namespace un0::dsa {

constexpr uint16_t kIsaMajor = 1, kIsaMinor = 0;

/// State: per tile the phases of its oscillators (continuous), its couplings (one bank, or one that
/// acts and one that is loaded), its frequencies and at most one link from another tile; per sample
/// the phase buffers in digital memory and the class. Instructions act in order; those between
/// `each` and its `end` act for every sample of the batch with its own phases, buffers and class,
/// couplings that do not depend on the class being the same for all.
enum class Opcode : uint8_t {
  Halt = 0,   // ends the program; the last instruction, and only there
  Repeat = 1, // a: how often (>= 1), b: index of the matching end
  Each = 2,   // b: index of the matching end. Not inside another `each`
  End = 3,    // b: index of the instruction it ends
  Clear = 4,  // tile: couplings of the bank that is loaded become zero
  Couple = 5, // tile, a: data (couplings), b: first row, c: first column. Loads a block of
              // couplings (row: target, column: source) into the bank that is loaded. Data with
              // classes only inside `each`
  Swap = 6,   // tile: the loaded bank acts from now on, the other is loaded. Only with two banks
  Detune = 7, // tile, a: data (frequencies), b: first oscillator
  Link = 8,   // tile, a: data (couplings: rows are this tile's oscillators, columns the source
              // tile's), b: source tile, c: first row. Phases of the source drive the tile from now
              // on; one source tile per tile, further blocks of rows add to the link. Inside `each`
              // when the data has classes
  Unlink = 9, // tile: no drive
  Draw = 10,  // a: buffer, b: first. The buffer gets phases first .. of the sample's initial phases
             // (main oscillators, then conditioning): random, or as the caller gave them. In `each`
  Phase = 11, // tile, a: buffer, b: first of the buffer, c: count, d: first oscillator. Sets phases
              // through the setting converters. In `each`
  Run = 12,   // tile, x: seconds, a: steps of the model's own solver that this run stands for (0:
              // none). The tile and the tile linked to it, if any, evolve together. In `each`
  Hold = 13,  // tile, x: seconds. Phases are frozen. In `each`
  Sample = 14, // tile, a: buffer, b: first of the buffer, c: count, d: first oscillator, e:
               // reference oscillator of the tile, or kClockReference. Reads phases through the
               // sampling converters into the buffer. In `each`
  Digital = 15 // a: index of a digital operator; it is done for every sample. Not inside `each`
};

constexpr size_t kOpcodes = 16;

/// As the assembler writes it: "couple".
const char *opcodeName(Opcode opcode);

constexpr uint32_t kClockReference = 0xFFFFFFFFu;

/// Instruction flags.
enum InstructionFlag : uint8_t {
  /// Sample: count windings. The value written is the one congruent (mod 2 pi) to what was read
  /// that is nearest to the value in the buffer before. Exact while no phase moved by pi or more
  /// since that value was written or sampled. Without it the value is in [-pi, pi).
  kUnwrap = 1
};

struct Instruction {
  Opcode opcode = Opcode::Halt;
  uint8_t flags = 0;
  uint16_t tile = 0;
  uint32_t a = 0, b = 0, c = 0, d = 0, e = 0;
  double x = 0;
};
/// Bytes of an encoded instruction: opcode, flags, tile (2), a, b, c, d, e (4 each), x (8).
constexpr size_t kInstructionBytes = 32;

enum class DataKind : uint8_t { Couplings = 0, Frequencies = 1 };

/// Constants of a program. Couplings are [classes][rows][columns], frequencies [rows].
struct Data {
  std::string name; // [A-Za-z_][A-Za-z0-9_.-]*, unique
  DataKind kind = DataKind::Couplings;
  uint32_t rows = 0, columns = 1;
  uint32_t classes = 0; // 0: the same for every class; a label out of range selects zeros
  /// Radians per second per level. With unit 0 there are no levels: `exact` is all there is.
  double unit = 0;
  std::vector<int16_t> levels; // empty when unit is 0
  /// What the levels stand for, in radians per second; empty, or of the same length. Used when the
  /// simulator's fault `levels` is off.
  std::vector<float> exact;

  uint64_t size() const { return uint64_t(rows) * columns * (classes ? classes : 1); }
};

/// Digital memory of one sample, in phases.
struct Buffer {
  std::string name;
  uint32_t size = 0;
};

enum class DigitalKind : uint8_t { Readout = 0, Conv2D = 1, Evolve = 2 };

/// An operator of the digital engine: what it costs per sample. Its values are those of the
/// module's code section.
struct DigitalOp {
  std::string name; // "up0.conv1"
  DigitalKind kind = DigitalKind::Readout;
  uint32_t bits = 32; // of the multiplied operands
  uint64_t multiplyAdds = 0;
  uint64_t specialFunctions = 0;
  uint64_t parameterBytes = 0; // read once per batch while they fit the engine's memory
  uint64_t parameterReads = 1; // times they are read per batch (an evolve: its steps)
  uint64_t bytesRead = 0, bytesWritten = 0; // activations
};

/// The model's own integrator, for `--integrator=euler`.
enum class Solver : uint8_t { Euler = 0, Heun = 1, Rk4 = 2, Rk4Classic = 3 };

struct Program {
  Hardware hardware; // what it was compiled for; carried whole
  uint32_t oscillators = 0, conditioning = 0, classes = 0; // of the model
  Solver solver = Solver::Euler;
  /// Model seconds that the whole program stands for, and the physical seconds its tiles evolve per
  /// sample; for reports.
  double modelTime = 0;
  uint32_t thetaBuffer = 0; // holds the final phases of the main oscillators when the program halts
  std::vector<Buffer> buffers;
  std::vector<Data> data;
  std::vector<DigitalOp> digital;
  std::vector<Instruction> code;
};

/// Most instructions that a program may execute per sample, loops unrolled; more is "would run
/// forever".
constexpr uint64_t kMaxExecuted = uint64_t(1) << 32;

/// The program section of a module (docs/dsa/isa.md, "Encoding"). Little endian; equal programs
/// give equal bytes.
std::vector<uint8_t> encodeProgram(const Program &program);

/// Decodes and verifies untrusted bytes. Every size is checked before it is used. Messages name
/// what is wrong and where: "instruction 12 at offset 0x1c0: tile 3 does not exist, hardware
/// 'oscillator-64' has 2".
Status decodeProgram(const uint8_t *data, size_t size, Program &program);

/// What a message of the verifier is about, for who knows where that came from.
struct Culprit {
  enum Part { Whole, Instruction, Datum, Buffer, Digital } part = Whole;
  size_t index = 0;
};

/// Checks everything but the bytes: operands in range, loops nested, data and levels that the
/// hardware has, tiles configured (frequencies, phases set) before they run, samples only of tiles
/// that ran or were set, no more than kMaxExecuted instructions, loops that can be followed within
/// seconds, and that `thetaBuffer` is written.
/// `codeOffset` is where the first instruction lies, for messages (0: positions are left out).
/// `culprit`, if given, is set on failure.
Status verifyProgram(const Program &program, uint64_t codeOffset = 0, Culprit *culprit = nullptr);

} // namespace un0::dsa

#endif // UN0_RUNTIME_DSA_PROGRAM_H
