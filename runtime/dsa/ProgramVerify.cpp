//===- ProgramVerify.cpp - what a program must not do -----------------------===//
//
// Two walks. The first checks every instruction by itself and the nesting of loops. The second
// follows the state of the tiles in order of execution, each loop body twice: what a body leaves
// behind is what its second turn finds, and a third turn would find the same.
//
//===----------------------------------------------------------------------===//
#include "ProgramState.h"

#include <algorithm>
#include <cinttypes>
#include <cmath>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <set>

namespace un0::dsa {

using rt::failure;
using rt::quoted;

namespace {

// 2^24 oscillators in a tile or phases in a buffer: far above any hardware, and products of two fit
// 64 bits.
constexpr uint32_t kMaxPhases = 1u << 24;
// A body is walked twice at every depth.
constexpr unsigned kMaxNesting = 8;
// What following the code may cost: instructions, and what some of them look through. 2^20
// instructions in six nested loops; seconds.
constexpr uint64_t kMaxWork = uint64_t(1) << 26;
// Blocks of a tile that depend on the class are looked through one by one.
constexpr size_t kMaxClassBlocks = 1024;
// Full scales are decimal and units are fractions of them: what rounding may do.
constexpr double kScaleSlack = 1 + 1e-6;

class Verifier {
public:
  Verifier(const Program &program, uint64_t codeOffset, Culprit &culprit)
      : program(program), codeOffset(codeOffset), hardware(program.hardware), culprit(culprit) {}

  Status verify();

private:
  /// What an instruction walks into: which oscillators have a phase, which a frequency.
  struct Tile {
    Ranges set, detuned;
    bool ready = false; // every oscillator that has a phase has a frequency
    bool spent = false; // it was sampled, and that disturbs its phases
    bool linked = false;
    uint32_t source = 0;
    ClassBlocks banks[2], link;
    unsigned acting = 0;
  };

  Status fail(size_t index, const char *format, ...) __attribute__((format(printf, 3, 4)));
  Status checkTables();
  Status checkData(size_t index);
  Status checkNesting();
  Status checkInstruction(size_t index);
  Status checkOperands(size_t index);
  Status checkRange(size_t index, const char *what, uint64_t first, uint64_t count, uint64_t size);
  Status walk(size_t begin, size_t end, uint64_t times);
  Status spend(size_t index, uint64_t cost);
  Status step(size_t index);
  Status checkRun(size_t index);
  Status checkScale(size_t index, const char *fullScale);
  Status loadBlock(size_t index, ClassBlocks &blocks, uint64_t row, uint64_t column);
  void enterEach();
  void leaveEach();
  unsigned loadedBank(const Tile &tile) const { return twoBanks ? 1 - tile.acting : 0; }
  uint32_t tileSize() const;
  Tile &tile(size_t index) { return tiles[program.code[index].tile]; }
  const Data &datum(size_t index) const { return program.data[program.code[index].a]; }

  const Program &program;
  const uint64_t codeOffset;
  const Hardware &hardware;
  Culprit &culprit;
  uint32_t tileCount = 0, oscillators = 0;
  bool twoBanks = false;
  std::vector<bool> inEach; // of each instruction
  std::vector<Tile> tiles;
  std::vector<bool> written; // of each buffer
  uint64_t executed = 0, work = 0;
};

Status Verifier::fail(size_t index, const char *format, ...) {
  char text[512];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  culprit = {Culprit::Instruction, index};
  if (!codeOffset)
    return failure(UN0_ERROR_FORMAT, "instruction %zu: %s", index, text);
  return failure(UN0_ERROR_FORMAT, "instruction %zu at offset 0x%" PRIx64 ": %s", index,
                 codeOffset + index * kInstructionBytes, text);
}

uint32_t Verifier::tileSize() const { return oscillators ? oscillators : kMaxPhases; }

static bool isName(const std::string &text) {
  auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  if (text.empty() || text.size() > 256 || !letter(text[0]))
    return false;
  for (char c : text)
    if (!letter(c) && !(c >= '0' && c <= '9') && c != '.' && c != '-')
      return false;
  return true;
}

Status Verifier::checkData(size_t index) {
  const Data &data = program.data[index];
  culprit = {Culprit::Datum, index};
  const std::string name = quoted(data.name);
  const bool couplings = data.kind == DataKind::Couplings;
  if (!data.rows || !data.columns || data.rows > kMaxPhases || data.columns > kMaxPhases ||
      (!couplings && (data.columns != 1 || data.classes)))
    return failure(UN0_ERROR_FORMAT, "datum %s is %u x %u with %u classes", name.c_str(), data.rows,
                   data.columns, data.classes);
  const uint64_t size = data.size();
  const bool hasLevels = !data.levels.empty();
  if ((hasLevels && data.levels.size() != size) ||
      (!data.exact.empty() && data.exact.size() != size) || (!hasLevels && data.exact.empty()))
    return failure(UN0_ERROR_FORMAT,
                   "datum %s has %zu levels and %zu exact values, expected %" PRIu64, name.c_str(),
                   data.levels.size(), data.exact.size(), size);
  if (!std::isfinite(data.unit) || (hasLevels ? data.unit <= 0 : data.unit != 0))
    return failure(UN0_ERROR_FORMAT, "datum %s has unit %g rad/s", name.c_str(), data.unit);
  for (float value : data.exact)
    if (!std::isfinite(value))
      return failure(UN0_ERROR_FORMAT, "datum %s has a value that is not finite", name.c_str());
  // What the hardware can hold.
  double most = 0;
  if (couplings)
    most = (hardware.get("coupling_levels") - 1) / 2;
  else if (hardware.get("frequency_bits") > 0)
    most = std::ldexp(1.0, static_cast<int>(hardware.get("frequency_bits")) - 1) - 1;
  if (hasLevels != (most > 0))
    return failure(UN0_ERROR_FORMAT, "datum %s has %s, but hardware %s has %s", name.c_str(),
                   hasLevels ? "levels" : "no levels", quoted(hardware.name).c_str(),
                   most > 0 ? "levels only" : "none");
  for (int16_t level : data.levels)
    if (std::abs(level) > most)
      return failure(UN0_ERROR_FORMAT, "datum %s has level %d, hardware %s has -%g to %g",
                     name.c_str(), level, quoted(hardware.name).c_str(), most, most);
  // Where couplings are few, a row has no more than that; which ones is the compiler's business.
  const double neighbours = couplings ? hardware.get("neighbours") : 0;
  for (uint64_t row = 0; neighbours > 0 && row < size / data.columns; ++row) {
    uint32_t couplers = 0;
    for (uint64_t i = row * data.columns; i < (row + 1) * data.columns; ++i)
      couplers += hasLevels ? data.levels[i] != 0 : data.exact[i] != 0;
    if (couplers > neighbours)
      return failure(UN0_ERROR_FORMAT,
                     "row %" PRIu64 " of datum %s has %u couplings, hardware %s has %g neighbours",
                     row % data.rows, name.c_str(), couplers, quoted(hardware.name).c_str(),
                     neighbours);
  }
  return {};
}

Status Verifier::checkTables() {
  std::set<std::string> names;
  for (const Buffer &buffer : program.buffers) {
    culprit = {Culprit::Buffer, static_cast<size_t>(&buffer - program.buffers.data())};
    if (!isName(buffer.name) || !names.insert(buffer.name).second || !buffer.size ||
        buffer.size > kMaxPhases)
      return failure(UN0_ERROR_FORMAT, "buffer %s of %u phases has a bad or second name or size",
                     quoted(buffer.name).c_str(), buffer.size);
  }
  names.clear();
  for (size_t i = 0; i < program.data.size(); ++i) {
    const std::string &name = program.data[i].name;
    culprit = {Culprit::Datum, i};
    if (!isName(name) || !names.insert(name).second)
      return failure(UN0_ERROR_FORMAT, "datum %s has a bad or second name", quoted(name).c_str());
    if (hardware.kind != HardwareKind::Oscillators)
      return failure(UN0_ERROR_FORMAT, "program has data, hardware %s has no oscillators",
                     quoted(hardware.name).c_str());
    UN0_RETURN_IF_FAILED(checkData(i));
  }
  names.clear();
  for (const DigitalOp &op : program.digital) {
    culprit = {Culprit::Digital, static_cast<size_t>(&op - program.digital.data())};
    if (!isName(op.name) || !names.insert(op.name).second)
      return failure(UN0_ERROR_FORMAT, "digital operator %s has a bad or second name",
                     quoted(op.name).c_str());
    // Sums and products of an account stay exact in f64.
    for (uint64_t value : {op.multiplyAdds, op.specialFunctions, op.parameterBytes,
                           op.parameterReads, op.bytesRead, op.bytesWritten})
      if (value > uint64_t(1) << 52)
        return failure(UN0_ERROR_FORMAT, "digital operator %s has a cost of %" PRIu64,
                       quoted(op.name).c_str(), value);
    if ((op.bits == 0 && op.multiplyAdds) || op.bits > 64)
      return failure(UN0_ERROR_FORMAT, "digital operator %s multiplies %u bits",
                     quoted(op.name).c_str(), op.bits);
  }
  culprit = {};
  if (!program.oscillators || program.oscillators > kMaxPhases ||
      program.conditioning > kMaxPhases || program.classes > kMaxPhases)
    return failure(UN0_ERROR_FORMAT, "program is for %u + %u oscillators and %u classes",
                   program.oscillators, program.conditioning, program.classes);
  if (!std::isfinite(program.modelTime) || program.modelTime < 0)
    return failure(UN0_ERROR_FORMAT, "program stands for %g model seconds", program.modelTime);
  return {};
}

Status Verifier::checkNesting() {
  const auto &code = program.code;
  if (code.empty() || code.back().opcode != Opcode::Halt)
    return failure(UN0_ERROR_FORMAT, "program does not end with halt");
  inEach.assign(code.size(), false);
  std::vector<size_t> open;
  bool each = false;
  for (size_t i = 0; i < code.size(); ++i) {
    inEach[i] = each;
    switch (code[i].opcode) {
    case Opcode::Repeat:
    case Opcode::Each:
      if (code[i].b <= i || code[i].b >= code.size() || code[code[i].b].opcode != Opcode::End)
        return fail(i, "%s ends at %u, which is no end within the %zu instructions",
                    opcodeName(code[i].opcode), code[i].b, code.size());
      if (code[i].opcode == Opcode::Repeat && !code[i].a)
        return fail(i, "repeat 0 times");
      if (open.size() == kMaxNesting)
        return fail(i, "loops are nested more than %u deep", kMaxNesting);
      if (code[i].opcode == Opcode::Each) {
        if (each)
          return fail(i, "each inside another each");
        each = true;
      }
      open.push_back(i);
      break;
    case Opcode::End:
      if (open.empty() || code[i].b != open.back() || code[open.back()].b != i)
        return fail(i, "end of %u does not match what is open", code[i].b);
      if (code[open.back()].opcode == Opcode::Each)
        each = inEach[i] = false;
      open.pop_back();
      break;
    case Opcode::Halt:
      if (i + 1 != code.size())
        return fail(i, "halt before the end of the program");
      break;
    default:
      break;
    }
  }
  if (!open.empty())
    return fail(open.back(), "has no end");
  return {};
}

Status Verifier::checkRange(size_t index, const char *what, uint64_t first, uint64_t count,
                            uint64_t size) {
  if (!count || first > size || count > size - first)
    return fail(index, "%s %" PRIu64 " to %" PRIu64 " are out of range, there are %" PRIu64, what,
                first, first + count, size);
  return {};
}

/// Operands that an opcode does not use are zero.
Status Verifier::checkOperands(size_t index) {
  enum : unsigned { A = 1, B = 2, C = 4, D = 8, E = 16, X = 32, T = 64, F = 128 };
  static constexpr unsigned used[] = {0,         A | B,     B,
                                      B,         T,         T | A | B | C,
                                      T,         T | A | B, T | A | B | C,
                                      T,         A | B,     T | A | B | C | D,
                                      T | X | A, T | X,     T | A | B | C | D | E | F,
                                      A};
  const Instruction &i = program.code[index];
  const unsigned u = used[static_cast<size_t>(i.opcode)];
  const uint32_t operands[] = {i.a, i.b, i.c, i.d, i.e};
  for (unsigned k = 0; k < 5; ++k)
    if (!(u & (1u << k)) && operands[k])
      return fail(index, "%s has the unused operand %c = %u", opcodeName(i.opcode), 'a' + k,
                  operands[k]);
  if ((!(u & T) && i.tile) || i.flags & ~((u & F) ? unsigned(kUnwrap) : 0u))
    return fail(index, "%s has an unused tile %u or flags 0x%x", opcodeName(i.opcode), i.tile,
                i.flags);
  // A negative zero would be another encoding of the same.
  if ((u & X) ? !(std::isfinite(i.x) && i.x >= 0 && i.x <= 1e9) : (i.x != 0) || std::signbit(i.x))
    return fail(index, "%s has a duration of %g s", opcodeName(i.opcode), i.x);
  if ((u & T) && i.tile >= tileCount)
    return fail(index, "tile %u does not exist, hardware %s has %u", i.tile,
                quoted(hardware.name).c_str(), tileCount);
  return {};
}

/// The highest level stands for no more than the hardware's full scale. Continuous values are not
/// held against it: hardware without levels is an ideal.
Status Verifier::checkScale(size_t index, const char *fullScale) {
  const Data &data = datum(index);
  if (data.levels.empty())
    return {};
  const double most = data.kind == DataKind::Couplings
                          ? (hardware.get("coupling_levels") - 1) / 2
                          : std::ldexp(1.0, int(hardware.get("frequency_bits")) - 1) - 1;
  const double scale = data.unit * most;
  if (scale > hardware.get(fullScale) * kScaleSlack)
    return fail(index, "level %g of datum %s is %g rad/s, %s of hardware %s is %g", most,
                quoted(data.name).c_str(), scale, fullScale, quoted(hardware.name).c_str(),
                hardware.get(fullScale));
  return {};
}

Status Verifier::checkInstruction(size_t index) {
  const Instruction &i = program.code[index];
  UN0_RETURN_IF_FAILED(checkOperands(index));
  const char *name = opcodeName(i.opcode);
  auto needsEach = [&]() -> Status {
    return inEach[index] ? Status()
                         : fail(index, "%s is for a sample: it must be inside each", name);
  };
  auto needsData = [&](DataKind kind) -> Status {
    if (i.a >= program.data.size())
      return fail(index, "datum %u does not exist, there are %zu", i.a, program.data.size());
    if (datum(index).kind != kind)
      return fail(index, "%s takes %s, datum %s is not", name,
                  kind == DataKind::Couplings ? "couplings" : "frequencies",
                  quoted(datum(index).name).c_str());
    if (datum(index).classes && !inEach[index])
      return fail(index, "%s loads what depends on the class: it must be inside each", name);
    return {};
  };
  auto needsBuffer = [&](uint64_t first, uint64_t count) -> Status {
    if (i.a >= program.buffers.size())
      return fail(index, "buffer %u does not exist, there are %zu", i.a, program.buffers.size());
    return checkRange(index, "phases of the buffer", first, count, program.buffers[i.a].size);
  };
  switch (i.opcode) {
  case Opcode::Couple:
    UN0_RETURN_IF_FAILED(needsData(DataKind::Couplings));
    UN0_RETURN_IF_FAILED(checkScale(index, "coupling_full_scale"));
    UN0_RETURN_IF_FAILED(checkRange(index, "rows", i.b, datum(index).rows, tileSize()));
    return checkRange(index, "columns", i.c, datum(index).columns, tileSize());
  case Opcode::Swap:
    return twoBanks ? Status()
                    : fail(index, "swap needs two banks of couplings, hardware %s has one",
                           quoted(hardware.name).c_str());
  case Opcode::Detune:
    UN0_RETURN_IF_FAILED(needsData(DataKind::Frequencies));
    UN0_RETURN_IF_FAILED(checkScale(index, "frequency_full_scale"));
    return checkRange(index, "oscillators", i.b, datum(index).rows, tileSize());
  case Opcode::Link: {
    UN0_RETURN_IF_FAILED(needsData(DataKind::Couplings));
    UN0_RETURN_IF_FAILED(checkScale(index, "link_full_scale"));
    const double inputs = hardware.get("link_inputs");
    if (datum(index).columns > inputs)
      return fail(index, "link of %u oscillators, hardware %s has %g inputs", datum(index).columns,
                  quoted(hardware.name).c_str(), inputs);
    if (i.b >= tileCount || i.b == i.tile)
      return fail(index, "link from tile %u to tile %u, hardware %s has %u tiles", i.b, i.tile,
                  quoted(hardware.name).c_str(), tileCount);
    UN0_RETURN_IF_FAILED(checkRange(index, "rows", i.c, datum(index).rows, tileSize()));
    return checkRange(index, "columns", 0, datum(index).columns, tileSize());
  }
  case Opcode::Draw: {
    UN0_RETURN_IF_FAILED(needsEach());
    if (i.a >= program.buffers.size())
      return fail(index, "buffer %u does not exist, there are %zu", i.a, program.buffers.size());
    return checkRange(index, "initial phases", i.b, program.buffers[i.a].size,
                      uint64_t(program.oscillators) + program.conditioning);
  }
  case Opcode::Phase:
  case Opcode::Sample:
    UN0_RETURN_IF_FAILED(needsEach());
    UN0_RETURN_IF_FAILED(needsBuffer(i.b, i.c));
    UN0_RETURN_IF_FAILED(checkRange(index, "oscillators", i.d, i.c, tileSize()));
    if (i.opcode == Opcode::Sample && i.e != kClockReference && i.e >= tileSize())
      return fail(index, "reference oscillator %u is out of range, a tile has %u", i.e, tileSize());
    return {};
  case Opcode::Run:
  case Opcode::Hold:
    return needsEach();
  case Opcode::Digital:
    if (i.a >= program.digital.size())
      return fail(index, "digital operator %u does not exist, there are %zu", i.a,
                  program.digital.size());
    return inEach[index] ? fail(index, "digital inside each: it is done for every sample by itself")
                         : Status();
  default:
    return {};
  }
}

Status Verifier::checkRun(size_t index) {
  const Instruction &i = program.code[index];
  Tile &driven = tile(index);
  auto ready = [&](uint32_t number) -> Status {
    Tile &t = tiles[number];
    if (t.set.empty())
      return fail(index, "tile %u runs, but no phase of it was set", number);
    if (t.spent)
      return fail(index, "tile %u runs on after a sample, which ends a run on hardware %s", number,
                  quoted(hardware.name).c_str());
    if (t.banks[t.acting].anyStale())
      return fail(index, "tile %u runs with couplings of another sample's class", number);
    if (t.ready)
      return {};
    UN0_RETURN_IF_FAILED(spend(index, t.set.size() + t.detuned.size()));
    if (int64_t k = t.set.firstMissingIn(t.detuned); k >= 0)
      return fail(index,
                  "tile %u is not configured: oscillator %" PRId64 " has a phase but no frequency",
                  number, k);
    t.ready = true;
    return {};
  };
  UN0_RETURN_IF_FAILED(ready(i.tile));
  if (!driven.linked)
    return {};
  if (driven.link.anyStale())
    return fail(index, "tile %u runs with a link of another sample's class", i.tile);
  if (tiles[driven.source].linked)
    return fail(index, "tile %u is driven by tile %u, which is driven itself", i.tile,
                driven.source);
  return ready(driven.source);
}

/// Notes what a block that is loaded at (row, column) says about the class.
Status Verifier::loadBlock(size_t index, ClassBlocks &blocks, uint64_t row, uint64_t column) {
  const Data &data = datum(index);
  UN0_RETURN_IF_FAILED(spend(index, blocks.size()));
  blocks.load({row, row + data.rows, column, column + data.columns, false}, data.classes != 0);
  if (blocks.size() > kMaxClassBlocks)
    return fail(index, "tile %u has more than %zu blocks of data with classes",
                program.code[index].tile, kMaxClassBlocks);
  return {};
}

/// Another sample had the tiles in between: its phases are gone.
void Verifier::enterEach() {
  for (Tile &t : tiles) {
    t.set.clear();
    t.ready = t.spent = false;
  }
}

void Verifier::leaveEach() {
  enterEach();
  for (Tile &t : tiles) {
    t.banks[0].leaveEach();
    t.banks[1].leaveEach();
    t.link.leaveEach();
  }
}

/// Every body is walked twice, at each depth: what a small file asks for must end.
Status Verifier::spend(size_t index, uint64_t cost) {
  work += cost;
  return work <= kMaxWork ? Status()
                          : fail(index, "the program would run forever: its loops are too large "
                                        "and nested too deeply to be followed");
}

Status Verifier::step(size_t index) {
  const Instruction &i = program.code[index];
  switch (i.opcode) {
  case Opcode::Clear:
    tile(index).banks[loadedBank(tile(index))].clear();
    return {};
  case Opcode::Couple:
    return loadBlock(index, tile(index).banks[loadedBank(tile(index))], i.b, i.c);
  case Opcode::Swap:
    tile(index).acting = 1 - tile(index).acting;
    return {};
  case Opcode::Detune:
    tile(index).detuned.insert(i.b, uint64_t(i.b) + datum(index).rows);
    return {};
  case Opcode::Link:
    if (tile(index).linked && tile(index).source != i.b)
      return fail(index, "tile %u is linked to tile %u, a second source is %u", i.tile,
                  tile(index).source, i.b);
    tile(index).linked = true;
    tile(index).source = i.b;
    return loadBlock(index, tile(index).link, i.c, 0);
  case Opcode::Unlink:
    tile(index).linked = false;
    tile(index).link.clear();
    return {};
  case Opcode::Draw:
    written[i.a] = true;
    return {};
  case Opcode::Phase: {
    if (!written[i.a])
      return fail(index, "buffer %s is read before anything was written to it",
                  quoted(program.buffers[i.a].name).c_str());
    Tile &t = tile(index);
    if (t.spent)
      t.set.clear();
    t.ready = t.spent = false;
    t.set.insert(i.d, uint64_t(i.d) + i.c);
    return {};
  }
  case Opcode::Run:
    return checkRun(index);
  case Opcode::Hold:
    return tile(index).set.empty()
               ? fail(index, "tile %u is held, but no phase of it was set", i.tile)
               : Status();
  case Opcode::Sample: {
    Tile &t = tile(index);
    const uint64_t end = uint64_t(i.d) + i.c;
    if (uint64_t k = t.set.firstMissing(i.d, end); k < end)
      return fail(index, "sample of oscillator %" PRIu64 " of tile %u, whose phase was never set",
                  k, i.tile);
    if (i.e != kClockReference && t.set.firstMissing(i.e, uint64_t(i.e) + 1) == i.e)
      return fail(index, "reference oscillator %u of tile %u has no phase", i.e, i.tile);
    if (i.flags & kUnwrap && !written[i.a])
      return fail(index, "windings are counted from buffer %s, which nothing was written to",
                  quoted(program.buffers[i.a].name).c_str());
    written[i.a] = true;
    t.spent = hardware.get("repeated_sampling") == 0;
    return {};
  }
  default:
    return {};
  }
}

/// Follows code [begin, end) that is executed `times` times in all.
Status Verifier::walk(size_t begin, size_t end, uint64_t times) {
  for (size_t i = begin; i < end; ++i) {
    const Instruction &instruction = program.code[i];
    const bool repeats = instruction.opcode == Opcode::Repeat;
    const bool block = repeats || instruction.opcode == Opcode::Each;
    // The end of a block is executed as often as its body.
    uint64_t inner, count;
    if (__builtin_mul_overflow(times, uint64_t(repeats ? instruction.a : 1), &inner) ||
        __builtin_add_overflow(times, block ? inner : 0, &count) ||
        __builtin_add_overflow(executed, count, &executed) || executed > kMaxExecuted)
      return fail(
          i, "the program would run forever: more than %" PRIu64 " instructions for one sample",
          kMaxExecuted);
    UN0_RETURN_IF_FAILED(
        spend(i, instruction.opcode == Opcode::Each ? 4 * uint64_t(tiles.size()) + 1 : 1));
    if (!block) {
      UN0_RETURN_IF_FAILED(step(i));
      continue;
    }
    // What a second turn finds a third would find too, in the other bank perhaps. A second sample
    // finds tiles as the first left them, without phases and with what depended on its class.
    for (unsigned turn = 0; turn < (repeats && instruction.a == 1 ? 1 : 2); ++turn) {
      if (!repeats)
        enterEach();
      const uint64_t counted = executed;
      UN0_RETURN_IF_FAILED(walk(i + 1, instruction.b, turn ? 0 : inner));
      if (!repeats)
        leaveEach();
      if (turn)
        executed = counted;
    }
    i = instruction.b;
  }
  return {};
}

Status Verifier::verify() {
  if (hardware.kind == HardwareKind::Cpu)
    return failure(UN0_ERROR_FORMAT, "hardware %s is a CPU: there are no programs for it",
                   quoted(hardware.name).c_str());
  if (hardware.kind == HardwareKind::Oscillators) {
    tileCount = static_cast<uint32_t>(hardware.get("tile_count"));
    oscillators = static_cast<uint32_t>(hardware.get("tile_oscillators"));
    twoBanks = hardware.get("coupling_banks") == 2;
  }
  UN0_RETURN_IF_FAILED(checkTables());
  UN0_RETURN_IF_FAILED(checkNesting());
  for (size_t i = 0; i < program.code.size(); ++i)
    UN0_RETURN_IF_FAILED(checkInstruction(i));
  tiles.resize(tileCount);
  written.resize(program.buffers.size());
  UN0_RETURN_IF_FAILED(walk(0, program.code.size(), 1));
  culprit = {};
  if (hardware.kind == HardwareKind::Digital) {
    if (program.thetaBuffer && program.thetaBuffer >= program.buffers.size())
      return failure(UN0_ERROR_FORMAT,
                     "buffer %u of the final phases does not exist, there are %zu",
                     program.thetaBuffer, program.buffers.size());
    return {};
  }
  if (program.thetaBuffer >= program.buffers.size() ||
      program.buffers[program.thetaBuffer].size != program.oscillators ||
      !written[program.thetaBuffer])
    return failure(UN0_ERROR_FORMAT,
                   "program leaves no final phases: buffer %u is not one of %u that is written",
                   program.thetaBuffer, program.oscillators);
  return {};
}

} // namespace

const char *opcodeName(Opcode opcode) {
  static const char *const names[kOpcodes] = {
      "halt", "repeat", "each", "end",   "clear", "couple", "swap",   "detune",
      "link", "unlink", "draw", "phase", "run",   "hold",   "sample", "digital"};
  return names[static_cast<size_t>(opcode)];
}

Status verifyProgram(const Program &program, uint64_t codeOffset, Culprit *culprit) {
  Culprit ignored;
  return Verifier(program, codeOffset, culprit ? *culprit : ignored).verify();
}

} // namespace un0::dsa
