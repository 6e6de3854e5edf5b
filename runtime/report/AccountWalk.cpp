//===- AccountWalk.cpp - counting what a program does ------------------------===//
//
// What an instruction costs depends on what the tiles hold: a run costs by couplings that are not
// zero. So instructions are followed in order with the tiles' contents (which blocks of which data,
// not their values), and an iteration of a loop is repeated only until the contents recur.
//
//===----------------------------------------------------------------------===//
#include "AccountWalk.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace un0::report {

using namespace dsa;
using rt::failure;

unsigned couplingBits(const Hardware &hardware) {
  const unsigned levels = static_cast<unsigned>(hardware.get("coupling_levels"));
  unsigned bits = 0;
  while (levels > (1u << bits))
    ++bits;
  return bits;
}

namespace {

/// Data at a place of a tile.
struct Block {
  uint32_t data, row, column;
  bool operator==(const Block &other) const {
    return data == other.data && row == other.row && column == other.column;
  }
};

/// Blocks in the order of their loads, and how many of their couplings are not zero.
struct Matrix {
  std::vector<Block> blocks;
  double active = 0;
  bool operator==(const Matrix &other) const { return blocks == other.blocks; }
};

struct Tile {
  uint32_t used = 0; // oscillators, from the first to the last that was configured
  Matrix banks[2];
  unsigned acting = 0;
  bool linked = false;
  uint32_t source = 0;
  Matrix link;
  bool operator==(const Tile &other) const {
    return used == other.used && acting == other.acting && linked == other.linked &&
           source == other.source && banks[0] == other.banks[0] && banks[1] == other.banks[1] &&
           link == other.link;
  }
};

using Seconds = std::array<double, kTimeKinds>;

class Walk {
public:
  Walk(const Program &program, uint64_t batch, Counts &counts)
      : program(program), hardware(program.hardware), batch(batch), counts(counts) {}
  Status run();

private:
  const Program &program;
  const Hardware &hardware;
  const uint64_t batch;
  Counts &counts;
  bool tiled = false;
  double phaseBytes = 4, couplingBytes = 0, frequencyBytes = 0;
  std::vector<Tile> tiles;
  Seconds stage{}; // since the last swap
  uint64_t swaps = 0, steps = 0;
  unsigned depth = 0;                  // of loops
  std::map<uint32_t, double> nonZeros; // of data, mean over its classes

  Status wrong(size_t index, const char *what) const {
    return failure(UN0_ERROR_FORMAT, "instruction %zu cannot be accounted: %s", index, what);
  }
  Status range(size_t begin, size_t end);
  Status loop(size_t begin, size_t end, uint64_t times);
  Status execute(size_t index, const Instruction &instruction);
  Status executeOnTile(size_t index, const Instruction &instruction, Tile &tile);
  Status load(size_t index, const Instruction &instruction, Tile &tile);
  void evolve(const Tile &tile, double seconds);
  void convert(const Tile &tile, double phases, const char *time);
  void closeStage();
  void place(Matrix &matrix, const Block &block);
  bool covers(const Block &outer, const Block &inner) const;
  bool touches(const Block &a, const Block &b) const;
  double nonZeroAt(const Data &data, uint64_t cell) const;
  double nonZeroOf(uint32_t data);
  void add(Quantity quantity, double amount) { counts.quantities[quantity] += amount; }
};

} // namespace

/// How much of one cell is not zero: 0 or 1, or between when it depends on the class.
double Walk::nonZeroAt(const Data &data, uint64_t cell) const {
  const uint64_t size = uint64_t(data.rows) * data.columns;
  const uint32_t classes = std::max(data.classes, 1u);
  double count = 0;
  for (uint32_t c = 0; c < classes; ++c) {
    const uint64_t at = c * size + cell;
    count += data.unit != 0 ? data.levels[at] != 0 : data.exact[at] != 0;
  }
  return count / classes;
}

double Walk::nonZeroOf(uint32_t index) {
  const auto [found, fresh] = nonZeros.emplace(index, 0);
  if (!fresh)
    return found->second;
  const Data &data = program.data[index];
  const size_t zeros = data.unit != 0 ? std::count(data.levels.begin(), data.levels.end(), 0)
                                      : std::count(data.exact.begin(), data.exact.end(), 0.0f);
  return found->second = double(data.size() - zeros) / std::max(data.classes, 1u);
}

bool Walk::covers(const Block &outer, const Block &inner) const {
  const Data &a = program.data[outer.data], &b = program.data[inner.data];
  return outer.row <= inner.row && outer.column <= inner.column &&
         uint64_t(outer.row) + a.rows >= uint64_t(inner.row) + b.rows &&
         uint64_t(outer.column) + a.columns >= uint64_t(inner.column) + b.columns;
}

bool Walk::touches(const Block &a, const Block &b) const {
  const Data &da = program.data[a.data], &db = program.data[b.data];
  return a.row < uint64_t(b.row) + db.rows && b.row < uint64_t(a.row) + da.rows &&
         a.column < uint64_t(b.column) + db.columns && b.column < uint64_t(a.column) + da.columns;
}

/// Adds a block over those that are there already. What it hides no longer counts.
void Walk::place(Matrix &matrix, const Block &block) {
  auto &blocks = matrix.blocks;
  blocks.erase(std::remove_if(blocks.begin(), blocks.end(),
                              [&](const Block &old) { return covers(block, old); }),
               blocks.end());
  blocks.push_back(block);
  matrix.active = 0;
  for (size_t i = 0; i < blocks.size(); ++i) {
    std::vector<Block> over;
    for (size_t j = i + 1; j < blocks.size(); ++j)
      if (touches(blocks[i], blocks[j]))
        over.push_back(blocks[j]);
    matrix.active += nonZeroOf(blocks[i].data);
    const Data &data = program.data[blocks[i].data];
    for (uint64_t cell = 0; !over.empty() && cell < uint64_t(data.rows) * data.columns; ++cell) {
      const uint64_t row = blocks[i].row + cell / data.columns;
      const uint64_t column = blocks[i].column + cell % data.columns;
      const auto hides = [&](const Block &b) {
        const Data &d = program.data[b.data];
        return row >= b.row && row < uint64_t(b.row) + d.rows && column >= b.column &&
               column < uint64_t(b.column) + d.columns;
      };
      if (std::any_of(over.begin(), over.end(), hides))
        matrix.active -= nonZeroAt(data, cell);
    }
  }
}

/// With two banks the loads of a stage go on beside everything else: the longer of the two counts.
void Walk::closeStage() {
  double others = 0;
  for (unsigned kind = 0; kind < kTimeKinds; ++kind)
    others += kind == kTimeLoads ? 0 : stage[kind];
  const bool overlapped = tiled && hardware.get("coupling_banks") == 2;
  const bool loadsCount = !overlapped || stage[kTimeLoads] > others;
  const bool othersCount = !overlapped || !loadsCount;
  for (unsigned kind = 0; kind < kTimeKinds; ++kind)
    if (kind == kTimeLoads ? loadsCount : othersCount)
      counts.seconds[kind] += stage[kind];
  stage.fill(0);
}

void Walk::evolve(const Tile &tile, double seconds) {
  add(kOscillatorSeconds, tile.used * seconds);
  add(kCouplingSeconds, tile.banks[tile.acting].active * seconds);
}

/// Phases pass the converters of their tile in turns, while all of its oscillators are held.
void Walk::convert(const Tile &tile, double phases, const char *time) {
  const double seconds = std::ceil(phases / hardware.get("converters")) * hardware.get(time);
  stage[kTimeConverters] += seconds;
  add(kHeldSeconds, tile.used * seconds);
  add(kPhaseBytesMoved, phases * phaseBytes);
}

Status Walk::load(size_t index, const Instruction &instruction, Tile &tile) {
  if (instruction.a >= program.data.size())
    return wrong(index, "there is no such data");
  const Data &data = program.data[instruction.a];
  const uint64_t cells = uint64_t(data.rows) * data.columns;
  if (data.kind == DataKind::Frequencies) {
    tile.used = std::max<uint64_t>(tile.used, uint64_t(instruction.b) + data.rows);
    add(kFrequenciesLoaded, data.rows);
    add(kFrequencyBytes, data.unit != 0 ? data.rows * frequencyBytes : 0);
    stage[kTimeRegisters] += data.rows * hardware.get("frequency_load_time");
    return {};
  }
  const double seconds = cells * hardware.get("coupling_load_time");
  add(kCouplingBytes, data.unit != 0 ? cells * couplingBytes : 0);
  if (instruction.opcode == Opcode::Link) {
    if (instruction.b >= tiles.size())
      return wrong(index, "there is no such tile to link to");
    if (!tile.linked || tile.source != instruction.b)
      tile.link = {};
    tile.linked = true;
    tile.source = instruction.b;
    place(tile.link, {instruction.a, instruction.c, 0});
    add(kLinkCouplingsLoaded, cells);
    stage[kTimeRegisters] += seconds;
    return {};
  }
  const unsigned bank = hardware.get("coupling_banks") == 2 ? 1 - tile.acting : 0;
  place(tile.banks[bank], {instruction.a, instruction.b, instruction.c});
  tile.used = std::max<uint64_t>(tile.used, uint64_t(instruction.b) + data.rows);
  add(kCouplingsLoaded, cells);
  stage[kTimeLoads] += seconds;
  return {};
}

Status Walk::executeOnTile(size_t index, const Instruction &instruction, Tile &tile) {
  const bool twoBanks = hardware.get("coupling_banks") == 2;
  switch (instruction.opcode) {
  case Opcode::Clear:
    tile.banks[twoBanks ? 1 - tile.acting : 0] = {};
    return {};
  case Opcode::Swap:
    if (!twoBanks)
      return wrong(index, "there is one bank of couplings");
    tile.acting = 1 - tile.acting;
    closeStage();
    ++swaps;
    return {};
  case Opcode::Couple:
  case Opcode::Detune:
  case Opcode::Link:
    return load(index, instruction, tile);
  case Opcode::Unlink:
    tile.linked = false;
    tile.link = {};
    return {};
  case Opcode::Phase:
    tile.used = std::max<uint64_t>(tile.used, uint64_t(instruction.d) + instruction.c);
    add(kPhasesSet, instruction.c);
    add(kPhaseBytesAccessed, instruction.c * phaseBytes);
    convert(tile, instruction.c, "set_time");
    return {};
  case Opcode::Sample:
    add(kPhasesSampled, instruction.c);
    // Unwrapping reads the value that was there.
    add(kPhaseBytesAccessed, instruction.c * phaseBytes * (instruction.flags & kUnwrap ? 2 : 1));
    convert(tile, instruction.c, "sample_time");
    return {};
  case Opcode::Run:
    evolve(tile, instruction.x);
    if (tile.linked) {
      evolve(tiles[tile.source], instruction.x);
      add(kLinkSeconds, tile.link.active * instruction.x);
    }
    stage[kTimeRuns] += instruction.x;
    return {};
  case Opcode::Hold:
    add(kHeldSeconds, tile.used * instruction.x);
    stage[kTimeHolds] += instruction.x;
    return {};
  default:
    return wrong(index, "the opcode is unknown");
  }
}

Status Walk::execute(size_t index, const Instruction &instruction) {
  if (++steps > (uint64_t(1) << 26))
    return wrong(index, "the contents of tiles do not recur in its loop");
  add(kInstructions, 1);
  if (tiled)
    stage[kTimeIssue] += hardware.get("instruction_time");
  switch (instruction.opcode) {
  case Opcode::Halt:
  case Opcode::Repeat:
  case Opcode::Each:
  case Opcode::End:
    return {};
  case Opcode::Draw:
    if (instruction.a >= program.buffers.size())
      return wrong(index, "there is no such buffer");
    add(kPhaseBytesAccessed, program.buffers[instruction.a].size * phaseBytes);
    return {};
  case Opcode::Digital:
    if (instruction.a >= program.digital.size())
      return wrong(index, "there is no such digital operator");
    ++counts.digital[instruction.a];
    return {};
  default:
    if (!tiled)
      return wrong(index, "the hardware has no oscillators");
    if (instruction.tile >= tiles.size())
      return wrong(index, "there is no such tile");
    return executeOnTile(index, instruction, tiles[instruction.tile]);
  }
}

/// Repeats [begin, end) until the tiles hold what they held before an earlier iteration; the
/// iterations between the two then stand for all that follow.
Status Walk::loop(size_t begin, size_t end, uint64_t times) {
  struct Iteration {
    std::vector<Tile> tiles;
    Seconds stage;
    uint64_t swaps;
    Counts before;
  };
  std::vector<Iteration> history;
  for (uint64_t done = 0; done < times; ++done) {
    for (size_t back = 1; back <= history.size(); ++back) {
      const Iteration &past = history[history.size() - back];
      // A stage that no swap ends grows by the same amount every time; else it must recur, too.
      if (!(past.tiles == tiles) || (past.swaps != swaps && past.stage != stage))
        continue;
      const double more = double((times - done) / back);
      for (unsigned i = 0; i < kQuantities; ++i)
        counts.quantities[i] += more * (counts.quantities[i] - past.before.quantities[i]);
      for (unsigned i = 0; i < kTimeKinds; ++i) {
        counts.seconds[i] += more * (counts.seconds[i] - past.before.seconds[i]);
        stage[i] += more * (stage[i] - past.stage[i]);
      }
      for (size_t i = 0; i < counts.digital.size(); ++i)
        counts.digital[i] += more * (counts.digital[i] - past.before.digital[i]);
      for (uint64_t rest = (times - done) % back; rest; --rest)
        UN0_RETURN_IF_FAILED(range(begin, end));
      return {};
    }
    history.push_back({tiles, stage, swaps, counts});
    if (history.size() > 4)
      history.erase(history.begin());
    UN0_RETURN_IF_FAILED(range(begin, end));
  }
  return {};
}

Status Walk::range(size_t begin, size_t end) {
  for (size_t index = begin; index < end; ++index) {
    const Instruction &instruction = program.code[index];
    UN0_RETURN_IF_FAILED(execute(index, instruction));
    if (instruction.opcode != Opcode::Repeat && instruction.opcode != Opcode::Each)
      continue;
    if (instruction.b <= index || instruction.b >= end)
      return wrong(index, "its end is not behind it");
    if (++depth > 64)
      return wrong(index, "loops are nested more than 64 deep");
    const bool each = instruction.opcode == Opcode::Each;
    // The end itself is issued in every iteration.
    UN0_RETURN_IF_FAILED(loop(index + 1, size_t(instruction.b) + 1, each ? batch : instruction.a));
    index = instruction.b;
    --depth;
  }
  return {};
}

Status Walk::run() {
  tiled = hardware.kind == HardwareKind::Oscillators;
  if (tiled) {
    tiles.resize(static_cast<size_t>(hardware.get("tile_count")));
    phaseBytes = hardware.get("phase_bits") / 8;
    couplingBytes = couplingBits(hardware) / 8.0;
    frequencyBytes = hardware.get("frequency_bits") / 8;
  }
  for (const Data &data : program.data)
    if ((data.unit != 0 ? data.levels.size() : data.exact.size()) != data.size())
      return failure(UN0_ERROR_FORMAT, "data %s has not as many values as rows and columns say",
                     rt::quoted(data.name).c_str());
  counts = {};
  counts.digital.assign(program.digital.size(), 0);
  UN0_RETURN_IF_FAILED(range(0, program.code.size()));
  closeStage();
  return {};
}

Status countProgram(const Program &program, uint64_t batch, Counts &counts) {
  return Walk(program, batch, counts).run();
}

} // namespace un0::report
