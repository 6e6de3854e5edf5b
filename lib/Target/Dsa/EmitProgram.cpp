//===- EmitProgram.cpp - dsa IR to a program --------------------*- C++ -*-===//

#include "un0/Target/EmitProgram.h"

#include "dialects/Dsa/IR/Dsa.h"
#include "un0/Import/Weights.h"
#include "llvm/ADT/TypeSwitch.h"
#include <cmath>

using namespace mlir;
using namespace un0;
using dsa::Instruction;
using dsa::Opcode;
using llvm::Error;
using llvm::Expected;

namespace {

class Emitter {
public:
  Emitter(dsa::ProgramOp op, ArchiveSet &archives, dsa::Program &program)
      : op(op), archives(archives), program(program) {}

  Error emit();

private:
  Error addData(dsa::DataOp data);
  Error addBlock(Block &block);
  Error addInstruction(Operation &instruction);
  Instruction &add(Opcode opcode) {
    program.code.push_back({});
    program.code.back().opcode = opcode;
    return program.code.back();
  }
  Instruction &add(Opcode opcode, FlatSymbolRefAttr tile) {
    Instruction &instruction = add(opcode);
    instruction.tile = static_cast<uint16_t>(tiles.lookup(tile.getAttr()));
    return instruction;
  }
  uint32_t find(FlatSymbolRefAttr name) const { return places.lookup(name.getAttr()); }

  dsa::ProgramOp op;
  ArchiveSet &archives;
  dsa::Program &program;
  llvm::DenseMap<StringAttr, uint32_t> tiles, places; // places: of buffers and data in their tables
};

} // namespace

/// Elements of a parameter that are read at a time.
static constexpr int64_t kPieceElements = 1 << 16;

Error Emitter::addData(dsa::DataOp op) {
  dsa::Data data;
  data.name = op.getSymName().str();
  bool couplings = op.getContent() == dsa::Content::Couplings;
  data.kind = couplings ? dsa::DataKind::Couplings : dsa::DataKind::Frequencies;
  int64_t rows = op.getRows(), columns = op.getSizes()[1], copies = op.getCopies().value_or(1),
          classes = op.getClasses().value_or(0), limit = op.getLimit();
  data.rows = static_cast<uint32_t>(rows);
  data.columns = static_cast<uint32_t>(columns * copies);
  data.classes = static_cast<uint32_t>(classes);
  data.unit = op.getUnit().convertToDouble();
  data.exact.resize(data.size());
  if (limit)
    data.levels.resize(data.size());
  places[op.getSymNameAttr()] = static_cast<uint32_t>(program.data.size());
  program.data.push_back(std::move(data));
  if (!op.getParam())
    return Error::success();

  dsa::Data &made = program.data.back();
  auto module = op->getParentOfType<ModuleOp>();
  Expected<Weights> weights = Weights::open(module.lookupSymbol<ParamOp>(*op.getParam()), archives);
  if (!weights)
    return weights.takeError();
  double scale = op.getScale().convertToDouble();
  ArrayRef<int64_t> offsets = *op.getOffsets();
  int64_t together = std::clamp<int64_t>(kPieceElements / columns, 1, rows);
  std::vector<float> piece(together * columns);
  size_t at = 0;
  for (int64_t slice = 0; slice < std::max<int64_t>(classes, 1); ++slice)
    for (int64_t row = 0; row < rows; row += together) {
      int64_t count = std::min(together, rows - row);
      if (couplings)
        weights->read(slice, offsets[0] + row, offsets[1], count, columns, piece);
      else // a parameter of frequencies is one row
        weights->read(0, 0, offsets[0] + row, 1, count, piece);
      for (int64_t r = 0; r < count; ++r)
        for (int64_t copy = 0; copy < copies; ++copy)
          for (int64_t c = 0; c < columns; ++c, ++at) {
            double value = piece[r * columns + c] * scale;
            made.exact[at] = static_cast<float>(value);
            if (!limit)
              continue;
            // Copies share the nearest whole number: floor((sum + copy) / copies) add up to it.
            auto most = static_cast<double>(limit * copies);
            double sum = std::nearbyint(value * static_cast<double>(copies) / made.unit);
            auto whole = static_cast<int64_t>(std::clamp(sum, -most, most));
            made.levels[at] = static_cast<int16_t>(llvm::divideFloorSigned(whole + copy, copies));
          }
    }
  return Error::success();
}

Error Emitter::addBlock(Block &block) {
  for (Operation &instruction : block)
    if (Error error = addInstruction(instruction))
      return error;
  return Error::success();
}

Error Emitter::addInstruction(Operation &instruction) {
  auto loop = [&](Opcode opcode, uint32_t count, Region &body) -> Error {
    auto begin = static_cast<uint32_t>(program.code.size());
    add(opcode).a = count;
    if (Error error = addBlock(body.front()))
      return error;
    program.code[begin].b = static_cast<uint32_t>(program.code.size());
    add(Opcode::End).b = begin;
    return Error::success();
  };
  auto u32 = [](int64_t value) { return static_cast<uint32_t>(value); };
  return llvm::TypeSwitch<Operation *, Error>(&instruction)
      .Case<dsa::TileOp, dsa::BufferOp, dsa::DataOp>([](auto) { return Error::success(); })
      .Case([&](dsa::RepeatOp o) { return loop(Opcode::Repeat, u32(o.getCount()), o.getBody()); })
      .Case([&](dsa::EachOp o) { return loop(Opcode::Each, 0, o.getBody()); })
      .Case([&](dsa::ClearOp o) {
        add(Opcode::Clear, o.getTileAttr());
        return Error::success();
      })
      .Case([&](dsa::CoupleOp o) {
        Instruction &i = add(Opcode::Couple, o.getTileAttr());
        i.a = find(o.getDataAttr());
        i.b = u32(o.getAt()[0]);
        i.c = u32(o.getAt()[1]);
        return Error::success();
      })
      .Case([&](dsa::SwapOp o) {
        add(Opcode::Swap, o.getTileAttr());
        return Error::success();
      })
      .Case([&](dsa::DetuneOp o) {
        Instruction &i = add(Opcode::Detune, o.getTileAttr());
        i.a = find(o.getDataAttr());
        i.b = u32(o.getFirst());
        return Error::success();
      })
      .Case([&](dsa::LinkOp o) {
        Instruction &i = add(Opcode::Link, o.getTileAttr());
        i.a = find(o.getDataAttr());
        i.b = tiles.lookup(o.getSourceAttr().getAttr());
        i.c = u32(o.getFirst());
        return Error::success();
      })
      .Case([&](dsa::UnlinkOp o) {
        add(Opcode::Unlink, o.getTileAttr());
        return Error::success();
      })
      .Case([&](dsa::DrawOp o) {
        Instruction &i = add(Opcode::Draw);
        i.a = find(o.getBufferAttr());
        i.b = u32(o.getFirst());
        return Error::success();
      })
      .Case([&](dsa::PhaseOp o) {
        Instruction &i = add(Opcode::Phase, o.getTileAttr());
        i.a = find(o.getBufferAttr());
        i.b = u32(o.getOffset());
        i.c = u32(o.getCount());
        i.d = u32(o.getFirst());
        return Error::success();
      })
      .Case([&](dsa::RunOp o) {
        Instruction &i = add(Opcode::Run, o.getTileAttr());
        i.x = o.getSeconds().convertToDouble();
        i.a = u32(o.getSteps());
        return Error::success();
      })
      .Case([&](dsa::HoldOp o) {
        add(Opcode::Hold, o.getTileAttr()).x = o.getSeconds().convertToDouble();
        return Error::success();
      })
      .Case([&](dsa::SampleOp o) {
        Instruction &i = add(Opcode::Sample, o.getTileAttr());
        i.a = find(o.getBufferAttr());
        i.b = u32(o.getOffset());
        i.c = u32(o.getCount());
        i.d = u32(o.getFirst());
        i.e = o.getRelative() ? u32(*o.getRelative()) : dsa::kClockReference;
        i.flags = o.getUnwrap() ? dsa::kUnwrap : 0;
        return Error::success();
      })
      .Case([&](dsa::ComputeOp o) {
        add(Opcode::Digital).a = u32(program.digital.size());
        dsa::DigitalOp &digital = program.digital.emplace_back();
        digital.name = o.getName().str();
        digital.kind = o.getKind() == dsa::Operator::Readout  ? dsa::DigitalKind::Readout
                       : o.getKind() == dsa::Operator::Conv2D ? dsa::DigitalKind::Conv2D
                                                              : dsa::DigitalKind::Evolve;
        digital.bits = u32(o.getBits());
        digital.multiplyAdds = o.getMultiplyAdds();
        digital.specialFunctions = o.getSpecialFunctions();
        digital.parameterBytes = o.getParameterBytes();
        digital.parameterReads = o.getParameterReads();
        digital.bytesRead = o.getBytesRead();
        digital.bytesWritten = o.getBytesWritten();
        return Error::success();
      })
      .Default([](Operation *other) {
        return llvm::createStringError("%s is no instruction",
                                       other->getName().getStringRef().str().c_str());
      });
}

Error Emitter::emit() {
  program = {};
  if (rt::Status status =
          dsa::parseHardware(op.getHardware().str(), op.getHardwareName().str(), program.hardware))
    return llvm::createStringError("%s", status.message().c_str());
  program.oscillators = static_cast<uint32_t>(op.getOscillators());
  program.conditioning = static_cast<uint32_t>(op.getConditioning());
  program.classes = static_cast<uint32_t>(op.getClasses());
  program.solver = static_cast<dsa::Solver>(op.getSolver()); // same numbers
  program.modelTime = op.getTime().convertToDouble();
  for (Operation &declaration : op.getBody().front()) {
    if (auto tile = dyn_cast<dsa::TileOp>(declaration)) {
      tiles[tile.getSymNameAttr()] = static_cast<uint32_t>(tile.getIndex());
    } else if (auto buffer = dyn_cast<dsa::BufferOp>(declaration)) {
      places[buffer.getSymNameAttr()] = static_cast<uint32_t>(program.buffers.size());
      program.buffers.push_back(
          {buffer.getSymName().str(), static_cast<uint32_t>(buffer.getSize())});
    } else if (auto data = dyn_cast<dsa::DataOp>(declaration)) {
      if (Error error = addData(data))
        return error;
    }
  }
  program.thetaBuffer = find(op.getResultAttr());
  if (Error error = addBlock(op.getBody().front()))
    return error;
  add(Opcode::Halt);
  if (rt::Status status = dsa::verifyProgram(program))
    return llvm::createStringError("the program made is refused: %s", status.message().c_str());
  return Error::success();
}

static_assert(static_cast<int>(Solver::Euler) == static_cast<int>(dsa::Solver::Euler) &&
              static_cast<int>(Solver::Heun) == static_cast<int>(dsa::Solver::Heun) &&
              static_cast<int>(Solver::RK4) == static_cast<int>(dsa::Solver::Rk4) &&
              static_cast<int>(Solver::RK4Classic) == static_cast<int>(dsa::Solver::Rk4Classic));

Error un0::emitProgram(ModuleOp module, ArchiveSet &archives, dsa::Program &program) {
  auto programs = module.getOps<dsa::ProgramOp>();
  if (!llvm::hasSingleElement(programs))
    return llvm::createStringError(
        "the module has %zu dsa.program instead of one",
        static_cast<size_t>(std::distance(programs.begin(), programs.end())));
  return Emitter(*programs.begin(), archives, program).emit();
}
