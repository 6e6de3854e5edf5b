//===- DsaOps.cpp - verifiers of the dsa dialect ----------------*- C++ -*-===//
//
// What a program must be whatever the hardware is. What a description has is checked by the
// verifiers of the phases.
//
//===----------------------------------------------------------------------===//

#include "dialects/Dsa/IR/Dsa.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>

using namespace mlir;
using namespace un0;
using namespace un0::dsa;

/// An enumeration's keyword, without the space that its own printer puts before it.
template <typename AttrT> static ParseResult parseKeyword(OpAsmParser &parser, AttrT &attr) {
  return parser.parseCustomAttributeWithFallback(attr);
}
template <typename AttrT> static void printKeyword(OpAsmPrinter &p, Operation *, AttrT attr) {
  p << stringifyEnum(attr.getValue());
}

#define GET_OP_CLASSES
#include "dialects/Dsa/IR/DsaOps.cpp.inc"

namespace {

/// One instruction's view of what its program declares. The first failure is reported at the op.
class Operands {
public:
  Operands(Operation *op, SymbolTableCollection &symbols) : op(op), symbols(symbols) {}

  template <typename T> T find(FlatSymbolRefAttr name) {
    auto program = op->getParentOfType<ProgramOp>();
    Operation *found = program ? symbols.lookupSymbolIn(program, name.getAttr()) : nullptr;
    auto typed = dyn_cast_or_null<T>(found);
    if (!typed && !failed)
      error() << "needs a " << T::getOperationName() << " but the program has "
              << (found ? "a " + found->getName().getStringRef().str() : std::string("none"))
              << " named '" << name.getValue() << "'";
    return typed;
  }

  /// `count` from `first` on must lie in `size` of `what`.
  void within(StringRef what, StringRef name, int64_t first, int64_t count, int64_t size) {
    if (!failed && (count < 1 || first < 0 || first > size || count > size - first))
      error() << "takes " << count << " from " << first << " on of " << what << " '" << name
              << "', which has " << size;
  }

  void inEach() {
    if (!failed && !op->getParentOfType<EachOp>())
      error() << "acts on one sample and must be inside dsa.each";
  }

  void contentIs(DataOp data, Content content) {
    if (!failed && data.getContent() != content)
      error() << "loads " << stringifyContent(content) << " but '" << data.getSymName() << "' has "
              << stringifyContent(data.getContent());
  }

  void perClassInEach(DataOp data) {
    if (!failed && data.isPerClass() && !op->getParentOfType<EachOp>())
      error() << "loads '" << data.getSymName()
              << "', which differs from class to class, and must be inside dsa.each";
  }

  LogicalResult result() const { return failure(failed); }

private:
  InFlightDiagnostic error() {
    failed = true;
    return op->emitOpError();
  }

  Operation *op;
  SymbolTableCollection &symbols;
  bool failed = false;
};

LogicalResult verifySeconds(Operation *op, const llvm::APFloat &attr) {
  double seconds = attr.convertToDouble();
  if (!std::isfinite(seconds) || seconds < 0)
    return op->emitOpError("takes ") << seconds << " seconds";
  return success();
}

/// The program's form in memory has 32 bits for a count.
bool isCount(int64_t value, int64_t least) { return value >= least && value <= UINT32_MAX; }

} // namespace

//===----------------------------------------------------------------------===//
// Program and what it declares
//===----------------------------------------------------------------------===//

LogicalResult ProgramOp::verify() {
  if (!isCount(getOscillators(), 1))
    return emitOpError("has ") << getOscillators() << " oscillators, outside 1.." << UINT32_MAX;
  if (!isCount(getConditioning(), 0) || !isCount(getClasses(), 0))
    return emitOpError("has ") << getConditioning() << " conditioning oscillators and "
                               << getClasses() << " classes, outside 0.." << UINT32_MAX;
  return verifySeconds(*this, getTime());
}

LogicalResult ProgramOp::verifyRegions() {
  llvm::DenseMap<int64_t, TileOp> places;
  for (auto tile : getBody().front().getOps<TileOp>()) {
    auto [it, first] = places.insert({tile.getIndex(), tile});
    if (!first) {
      InFlightDiagnostic diagnostic = tile.emitOpError("is tile ") << tile.getIndex() << ", too";
      diagnostic.attachNote(it->second.getLoc()) << "like '" << it->second.getSymName() << "'";
      return diagnostic;
    }
  }
  return success();
}

LogicalResult ProgramOp::verifySymbolUses(SymbolTableCollection &symbols) {
  auto buffer =
      dyn_cast_or_null<BufferOp>(symbols.lookupSymbolIn(*this, getResultAttr().getAttr()));
  if (!buffer)
    return emitOpError("has no buffer '") << getResult() << "' for its result";
  if (buffer.getSize() < getOscillators())
    return emitOpError("has ") << getOscillators() << " oscillators but its result buffer '"
                               << getResult() << "' holds " << buffer.getSize();
  return success();
}

LogicalResult TileOp::verify() {
  if (getIndex() < 0 || getIndex() > UINT16_MAX)
    return emitOpError("index ") << getIndex() << " is outside 0.." << UINT16_MAX;
  if (!isCount(getSize(), 1))
    return emitOpError("uses ") << getSize() << " oscillators, outside 1.." << UINT32_MAX;
  return success();
}

LogicalResult BufferOp::verify() {
  if (!isCount(getSize(), 1))
    return emitOpError("holds ") << getSize() << " phases, outside 1.." << UINT32_MAX;
  return success();
}

LogicalResult DataOp::verify() {
  ArrayRef<int64_t> sizes = getSizes();
  if (sizes.size() != 2 || sizes[0] < 1 || sizes[1] < 1)
    return emitOpError("needs two positive sizes, rows and columns");
  if (getParam() && !getOffsets())
    return emitOpError("is of '") << *getParam() << "' and needs offsets, a row and a column";
  if (getContent() == Content::Frequencies && sizes[1] != 1)
    return emitOpError("has frequencies in ") << sizes[1] << " columns instead of 1";
  if (getContent() == Content::Frequencies && getClasses())
    return emitOpError("has frequencies that differ from class to class");
  if (getClasses() && !isCount(*getClasses(), 1))
    return emitOpError("has ") << *getClasses() << " classes, outside 1.." << UINT32_MAX;
  if (getCopies() && (*getCopies() < 1 || getContent() == Content::Frequencies))
    return emitOpError("has ") << *getCopies() << " copies of " << stringifyContent(getContent());
  int64_t columns;
  if (llvm::MulOverflow(sizes[1], getCopies().value_or(1), columns) || !isCount(columns, 1) ||
      !isCount(sizes[0], 1))
    return emitOpError("has ") << sizes[0] << " rows and " << sizes[1] << " columns x "
                               << getCopies().value_or(1) << ", more than " << UINT32_MAX;
  double scale = getScale().convertToDouble(), unit = getUnit().convertToDouble();
  if (!std::isfinite(scale))
    return emitOpError("scale ") << scale << " is not finite";
  if (!std::isfinite(unit) || unit < 0)
    return emitOpError("unit ") << unit << " is not finite and positive, or zero";
  if (getLimit() < 0 || getLimit() > INT16_MAX || (getLimit() == 0) != (unit == 0))
    return emitOpError("has levels up to ")
           << getLimit() << " of " << unit << " radians per second";
  return success();
}

LogicalResult DataOp::verifySymbolUses(SymbolTableCollection &symbols) {
  if (!getParam())
    return success();
  Operation *module = getOperation()->getParentOp()->getParentOp();
  auto param = dyn_cast_or_null<ParamOp>(
      module ? symbols.lookupSymbolIn(module, getParamAttr().getAttr()) : nullptr);
  if (!param)
    return emitOpError("is of '") << *getParam() << "', which is no parameter of the module";
  ArrayRef<int64_t> shape = cast<ShapedType>(param.getType()).getShape(), offsets = *getOffsets();
  if (offsets.size() != 2)
    return emitOpError("needs two offsets, a row and a column");
  if (isPerClass() && (shape.size() != 3 || shape[0] != *getClasses()))
    return emitOpError("has ") << *getClasses() << " classes but '" << *getParam() << "' is "
                               << param.getType();
  if (!isPerClass() && shape.size() != 2)
    return emitOpError("without classes is of '")
           << *getParam() << "', which is " << param.getType();
  int64_t rows = shape.end()[-2], columns = shape.back();
  if (getContent() == Content::Frequencies)
    std::swap(rows, columns);
  auto inside = [&](unsigned d, int64_t extent, StringRef what) -> LogicalResult {
    if (offsets[d] >= 0 && offsets[d] <= extent && getSizes()[d] <= extent - offsets[d])
      return success();
    return emitOpError("takes ") << getSizes()[d] << " " << what << " from " << offsets[d]
                                 << " on of '" << *getParam() << "', which has " << extent;
  };
  if (failed(inside(0, rows, "rows")) || failed(inside(1, columns, "columns")))
    return failure();
  return success();
}

//===----------------------------------------------------------------------===//
// Control and loads
//===----------------------------------------------------------------------===//

LogicalResult RepeatOp::verify() {
  if (getCount() < 1 || getCount() > int64_t(UINT32_MAX))
    return emitOpError("repeats ") << getCount() << " times";
  return success();
}

LogicalResult EachOp::verify() {
  if ((*this)->getParentOfType<EachOp>())
    return emitOpError("is inside another dsa.each");
  return success();
}

LogicalResult ClearOp::verifySymbolUses(SymbolTableCollection &symbols) {
  Operands operands(*this, symbols);
  operands.find<TileOp>(getTileAttr());
  return operands.result();
}

LogicalResult SwapOp::verifySymbolUses(SymbolTableCollection &symbols) {
  Operands operands(*this, symbols);
  operands.find<TileOp>(getTileAttr());
  return operands.result();
}

LogicalResult UnlinkOp::verifySymbolUses(SymbolTableCollection &symbols) {
  Operands operands(*this, symbols);
  operands.find<TileOp>(getTileAttr());
  return operands.result();
}

LogicalResult dsa::CoupleOp::verify() {
  if (getAt().size() != 2)
    return emitOpError("needs a first target and a first source");
  return success();
}

LogicalResult dsa::CoupleOp::verifySymbolUses(SymbolTableCollection &symbols) {
  Operands operands(*this, symbols);
  auto tile = operands.find<TileOp>(getTileAttr());
  auto data = operands.find<DataOp>(getDataAttr());
  if (!tile || !data)
    return failure();
  operands.contentIs(data, Content::Couplings);
  operands.within("tile", getTile(), getAt()[0], data.getRows(), tile.getSize());
  operands.within("tile", getTile(), getAt()[1], data.getColumns(), tile.getSize());
  operands.perClassInEach(data);
  return operands.result();
}

LogicalResult DetuneOp::verifySymbolUses(SymbolTableCollection &symbols) {
  Operands operands(*this, symbols);
  auto tile = operands.find<TileOp>(getTileAttr());
  auto data = operands.find<DataOp>(getDataAttr());
  if (!tile || !data)
    return failure();
  operands.contentIs(data, Content::Frequencies);
  operands.within("tile", getTile(), getFirst(), data.getRows(), tile.getSize());
  return operands.result();
}

LogicalResult LinkOp::verifySymbolUses(SymbolTableCollection &symbols) {
  Operands operands(*this, symbols);
  auto tile = operands.find<TileOp>(getTileAttr());
  auto source = operands.find<TileOp>(getSourceAttr());
  auto data = operands.find<DataOp>(getDataAttr());
  if (!tile || !source || !data)
    return failure();
  if (tile == source)
    return emitOpError("links tile '") << getTile() << "' to itself";
  operands.contentIs(data, Content::Couplings);
  operands.within("tile", getTile(), getFirst(), data.getRows(), tile.getSize());
  operands.within("tile", getSource(), 0, data.getColumns(), source.getSize());
  operands.perClassInEach(data);
  return operands.result();
}

//===----------------------------------------------------------------------===//
// What happens to a sample
//===----------------------------------------------------------------------===//

LogicalResult DrawOp::verifySymbolUses(SymbolTableCollection &symbols) {
  Operands operands(*this, symbols);
  operands.inEach();
  auto buffer = operands.find<BufferOp>(getBufferAttr());
  if (!buffer)
    return failure();
  auto program = (*this)->getParentOfType<ProgramOp>();
  operands.within("the initial phases of", program.getSymName(), getFirst(), buffer.getSize(),
                  program.getOscillators() + program.getConditioning());
  return operands.result();
}

LogicalResult PhaseOp::verifySymbolUses(SymbolTableCollection &symbols) {
  Operands operands(*this, symbols);
  operands.inEach();
  auto tile = operands.find<TileOp>(getTileAttr());
  auto buffer = operands.find<BufferOp>(getBufferAttr());
  if (!tile || !buffer)
    return failure();
  operands.within("tile", getTile(), getFirst(), getCount(), tile.getSize());
  operands.within("buffer", getBuffer(), getOffset(), getCount(), buffer.getSize());
  return operands.result();
}

LogicalResult RunOp::verify() {
  if (getSteps() < 0 || getSteps() > int64_t(UINT32_MAX))
    return emitOpError("stands for ") << getSteps() << " steps";
  return verifySeconds(*this, getSeconds());
}

LogicalResult RunOp::verifySymbolUses(SymbolTableCollection &symbols) {
  Operands operands(*this, symbols);
  operands.inEach();
  operands.find<TileOp>(getTileAttr());
  return operands.result();
}

LogicalResult HoldOp::verify() { return verifySeconds(*this, getSeconds()); }

LogicalResult HoldOp::verifySymbolUses(SymbolTableCollection &symbols) {
  Operands operands(*this, symbols);
  operands.inEach();
  operands.find<TileOp>(getTileAttr());
  return operands.result();
}

LogicalResult SampleOp::verifySymbolUses(SymbolTableCollection &symbols) {
  Operands operands(*this, symbols);
  operands.inEach();
  auto tile = operands.find<TileOp>(getTileAttr());
  auto buffer = operands.find<BufferOp>(getBufferAttr());
  if (!tile || !buffer)
    return failure();
  operands.within("tile", getTile(), getFirst(), getCount(), tile.getSize());
  operands.within("buffer", getBuffer(), getOffset(), getCount(), buffer.getSize());
  if (getRelative())
    operands.within("tile", getTile(), *getRelative(), 1, tile.getSize());
  return operands.result();
}

LogicalResult dsa::ComputeOp::verify() {
  if ((*this)->getParentOfType<EachOp>())
    return emitOpError("is done for every sample by itself and must be outside dsa.each");
  if (getBits() < 1 || getBits() > 64)
    return emitOpError("multiplies ") << getBits() << " bits";
  for (int64_t count : {getMultiplyAdds(), getSpecialFunctions(), getParameterBytes(),
                        getParameterReads(), getBytesRead(), getBytesWritten()})
    if (count < 0)
      return emitOpError("has a count of ") << count;
  return success();
}
