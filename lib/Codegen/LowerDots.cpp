//===- LowerDots.cpp - packed dot products to instructions ------*- C++ -*-===//
//
// The one file that knows the names of x86 dot-product instructions.
//
//===----------------------------------------------------------------------===//

#include "dialects/Cpu/IR/Cpu.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "un0/Codegen/CpuTarget.h"
#include "un0/Codegen/Passes.h"

namespace un0 {
#define GEN_PASS_DEF_CPULOWERDOTS
#include "lib/Codegen/Passes.h.inc"
} // namespace un0

using namespace mlir;
using namespace un0;

namespace {

/// One `cpu.dot` of `lanes` words.
class DotLowering {
public:
  DotLowering(cpu::DotOp op, const CpuTarget &target)
      : op(op), target(target), b(op), loc(op.getLoc()),
        lanes(cast<VectorType>(op.getX().getType()).getNumElements()) {}

  /// The sums, and whether one instruction makes them.
  std::pair<Value, bool> lower() {
    Value sums = op.getAccumulator();
    switch (op.getKind()) {
    case cpu::DotKind::U8S8:
      if (!target.hasByteDots() && op.getFits() && hasByteProducts())
        return {multiplyBytes(), false};
      for (auto [x, y] : words())
        sums = target.hasByteDots()
                   ? call(vnniName("vpdpbusd"), sums.getType(), {sums, as(x, 8), as(y, 8)})
                   : widenBytes(sums, as(x, 8), as(y, 8));
      return {sums, target.hasByteDots()};
    case cpu::DotKind::S16:
      if (target.hasByteDots())
        return {call(vnniName("vpdpwssd"), sums.getType(),
                     {sums, as(op.getX(), 16), as(op.getY(), 16)}),
                true};
      return {arith::AddIOp::create(b, loc, sums, multiplyPairs(op.getX(), op.getY())), false};
    case cpu::DotKind::BF16:
      if (target.hasBrainFloats())
        return {call("llvm.x86.avx512bf16.dpbf16ps." + std::to_string(lanes * 32), sums.getType(),
                     {sums, asBrain(op.getX()), asBrain(op.getY())}),
                true};
      return {multiplyBrains(), false};
    }
    llvm_unreachable("unknown kind");
  }

private:
  /// Whether there is a product of bytes whose pairs are added up to 16 bits, with saturation.
  bool hasByteProducts() const {
    return target.has(lanes == 16 ? "avx512bw" : lanes == 8 ? "avx2" : "ssse3");
  }
  std::string vnniName(StringRef name) const {
    return ("llvm.x86.avx512." + name + "." + std::to_string(lanes * 32)).str();
  }
  VectorType wordType() { return VectorType::get({lanes}, b.getI32Type()); }
  /// The words to multiply: one of each operand, or two.
  SmallVector<std::pair<Value, Value>, 2> words() {
    SmallVector<std::pair<Value, Value>, 2> all = {{op.getX(), op.getY()}};
    if (auto second = op.getSecond(); !second.empty())
      all.push_back({second[0], second[1]});
    return all;
  }
  Value as(Value x, unsigned bits) {
    auto type = VectorType::get({lanes * 32 / bits}, b.getIntegerType(bits));
    return x.getType() == type ? x : Value(vector::BitCastOp::create(b, loc, type, x));
  }
  Value asBrain(Value x) {
    return vector::BitCastOp::create(b, loc, VectorType::get({lanes * 2}, b.getBF16Type()), x);
  }
  Value call(const std::string &name, Type type, ArrayRef<Value> operands) {
    return LLVM::CallIntrinsicOp::create(b, loc, type, b.getStringAttr(name), ValueRange(operands))
        ->getResult(0);
  }
  Value splat(VectorType type, int64_t value) {
    return arith::ConstantOp::create(
        b, loc,
        DenseElementsAttr::get(type,
                               APInt(type.getElementTypeBitWidth(), value, /*isSigned=*/true)));
  }

  /// The name among three by the width of a register.
  std::string byWidth(StringRef zmm, StringRef ymm, StringRef xmm) const {
    return ("llvm.x86." + (lanes == 16 ? zmm : lanes == 8 ? ymm : xmm)).str();
  }

  /// x_0 y_0 + x_1 y_1 of the signed halves of each word.
  Value multiplyPairs(Value x, Value y) {
    return call(byWidth("avx512.pmaddw.d.512", "avx2.pmadd.wd", "sse2.pmadd.wd"), wordType(),
                {as(x, 16), as(y, 16)});
  }

  /// Products of unsigned and signed bytes whose pairs, or the pairs of two words together, fit 16
  /// bits.
  Value multiplyBytes() {
    auto halves = VectorType::get({lanes * 2}, b.getIntegerType(16));
    Value pairs;
    for (auto [x, y] : words()) {
      Value products =
          call(byWidth("avx512.pmaddubs.w.512", "avx2.pmadd.ub.sw", "ssse3.pmadd.ub.sw.128"),
               halves, {as(x, 8), as(y, 8)});
      pairs = pairs ? arith::AddIOp::create(b, loc, pairs, products) : products;
    }
    Value sums = multiplyPairs(pairs, splat(halves, 1));
    return arith::AddIOp::create(b, loc, op.getAccumulator(), sums);
  }

  /// Products of unsigned and signed bytes: bytes 0 and 2, then 1 and 3 of each word as 16-bit
  /// numbers. No shuffle, and what belongs to one operand alone leaves its loop.
  Value widenBytes(Value sums, Value x, Value y) {
    auto halves = VectorType::get({lanes * 2}, b.getIntegerType(16));
    Value eight = splat(halves, 8);
    x = as(x, 16);
    y = as(y, 16);
    Value evenX = arith::AndIOp::create(b, loc, x, splat(halves, 0xff));
    Value oddX = arith::ShRUIOp::create(b, loc, x, eight);
    Value evenY = arith::ShRSIOp::create(b, loc, arith::ShLIOp::create(b, loc, y, eight), eight);
    Value oddY = arith::ShRSIOp::create(b, loc, y, eight);
    sums = arith::AddIOp::create(b, loc, sums, multiplyPairs(evenX, evenY));
    return arith::AddIOp::create(b, loc, sums, multiplyPairs(oddX, oddY));
  }

  /// A bf16 number is the upper half of an f32.
  Value multiplyBrains() {
    auto floats = cast<VectorType>(op.getAccumulator().getType());
    auto low = [&](Value v) -> Value {
      Value shifted = arith::ShLIOp::create(b, loc, v, splat(wordType(), 16));
      return arith::BitcastOp::create(b, loc, floats, shifted);
    };
    auto high = [&](Value v) -> Value {
      Value masked = arith::AndIOp::create(b, loc, v, splat(wordType(), 0xffff0000));
      return arith::BitcastOp::create(b, loc, floats, masked);
    };
    Value sum = vector::FMAOp::create(b, loc, low(op.getX()), low(op.getY()), op.getAccumulator());
    return vector::FMAOp::create(b, loc, high(op.getX()), high(op.getY()), sum);
  }

  cpu::DotOp op;
  const CpuTarget &target;
  OpBuilder b;
  Location loc;
  int64_t lanes;
};

/// A table lookup per byte, without the instruction: a chain of choices.
Value chooseBytes(OpBuilder &b, Location loc, ArrayRef<Value> tables, Value indices) {
  auto type = cast<VectorType>(indices.getType());
  Value result = arith::ConstantOp::create(b, loc, DenseElementsAttr::get(type, int8_t(0)));
  for (size_t i = 0; i < 16 * tables.size(); ++i) {
    Value level = vector::ExtractOp::create(b, loc, tables[i / 16],
                                            ArrayRef<int64_t>{static_cast<int64_t>(i % 16)});
    Value levels = vector::BroadcastOp::create(b, loc, type, level);
    auto index = DenseElementsAttr::get(type, static_cast<int8_t>(i));
    Value here = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, indices,
                                       arith::ConstantOp::create(b, loc, index));
    result = arith::SelectOp::create(b, loc, here, levels, result);
  }
  return result;
}

Value lowerLookup(cpu::LookupOp op, const CpuTarget &target) {
  OpBuilder b(op);
  Location loc = op.getLoc();
  auto words = cast<VectorType>(op.getResult().getType());
  auto bytes = VectorType::get({words.getNumElements() * 4}, b.getI8Type());
  SmallVector<Value> tables;
  for (Value table : {op.getTable(), op.getMore()})
    if (table)
      tables.push_back(vector::BitCastOp::create(b, loc, bytes, table));
  Value indices = vector::BitCastOp::create(b, loc, bytes, op.getIndices());
  auto call = [&](StringRef name, Value table, Value at) -> Value {
    return LLVM::CallIntrinsicOp::create(b, loc, bytes, b.getStringAttr(name),
                                         ValueRange{table, at})
        ->getResult(0);
  };
  StringRef name = target.lanes == 16 && target.has("avx512bw") ? "llvm.x86.avx512.pshuf.b.512"
                   : target.lanes == 8 && target.has("avx2")    ? "llvm.x86.avx2.pshuf.b"
                   : target.lanes == 4 && target.has("ssse3")   ? "llvm.x86.ssse3.pshuf.b.128"
                                                                : "";
  Value result;
  if (name.empty()) {
    result = chooseBytes(b, loc, tables, indices);
  } else if (tables.size() == 1) {
    result = call(name, tables[0], indices);
  } else if (target.lanes == 16 && target.has("avx512vbmi")) {
    // Of an index `vpermb` takes six bits: 32 entries, twice. Nothing of this changes in a loop.
    SmallVector<int64_t> both;
    for (int64_t i = 0; i < 64; ++i)
      both.push_back(i % 32 < 16 ? i % 16 : 64 + i % 16);
    Value table = vector::ShuffleOp::create(b, loc, tables[0], tables[1], both);
    result = call("llvm.x86.avx512.permvar.qi.512", table, indices);
  } else {
    // An index whose highest bit is set gives zero: of 16 to 31 + 0x70 for the first table, of 0 to
    // 15 - 16 for the second.
    auto lookup = [&](Value table, int8_t offset) {
      Value add = arith::ConstantOp::create(b, loc, DenseElementsAttr::get(bytes, offset));
      return call(name, table, arith::AddIOp::create(b, loc, indices, add));
    };
    Value first = lookup(tables[0], 0x70), second = lookup(tables[1], -16);
    result = arith::OrIOp::create(b, loc, first, second);
  }
  return vector::BitCastOp::create(b, loc, words, result);
}

/// One `cpu.tile_*` op as the instruction it stands for.
class TileLowering {
public:
  explicit TileLowering(Operation *op) : op(op), b(op), loc(op->getLoc()) {}

  void lower() {
    if (auto begin = dyn_cast<cpu::TileBeginOp>(op)) {
      // Palette 1, then bytes of a row for each of up to 16 tiles from byte 16 on, and rows from
      // byte 48 on. Source: Intel SDM volume 1, 18.3.
      SmallVector<int32_t> words(16, 0);
      words[0] = 1;
      auto depth = static_cast<int32_t>(begin.getWords());
      for (int tile = 0; tile < 8; ++tile) {
        bool left = tile >= cpu::kLeftTiles && tile < cpu::kRightTiles;
        words[4 + tile / 2] |= 4 * (left ? depth : 16) << (16 * (tile % 2));
        words[12 + tile / 4] |= (tile < cpu::kRightTiles ? 16 : depth) << (8 * (tile % 4));
      }
      auto type = VectorType::get({16}, b.getI32Type());
      Value description =
          arith::ConstantOp::create(b, loc, DenseElementsAttr::get(type, ArrayRef(words)));
      vector::StoreOp::create(b, loc, description, begin.getMemory(), begin.getIndices());
      call("llvm.x86.ldtilecfg", getPointer(begin.getMemory(), begin.getIndices()));
    } else if (isa<cpu::TileEndOp>(op)) {
      call("llvm.x86.tilerelease", {});
    } else if (auto zero = dyn_cast<cpu::TileZeroOp>(op)) {
      call("llvm.x86.tilezero", tile(zero.getTile()));
    } else if (auto load = dyn_cast<cpu::TileLoadOp>(op)) {
      move("llvm.x86.tileloadd64", load.getTile(), load.getMemory(), load.getIndices(),
           load.getStride());
    } else if (auto store = dyn_cast<cpu::TileStoreOp>(op)) {
      move("llvm.x86.tilestored64", store.getTile(), store.getMemory(), store.getIndices(), 16);
    } else if (auto dot = dyn_cast<cpu::TileDotOp>(op)) {
      call("llvm.x86.tdpbusd", {tile(dot.getSums()), tile(dot.getX()), tile(dot.getY())});
    }
    op->erase();
  }

private:
  Value tile(uint64_t number) {
    return LLVM::ConstantOp::create(b, loc, b.getI8IntegerAttr(static_cast<int8_t>(number)));
  }
  void call(StringRef name, ValueRange operands) {
    LLVM::CallIntrinsicOp::create(b, loc, b.getStringAttr(name), operands);
  }
  void move(StringRef name, uint64_t number, Value memory, ValueRange indices, uint64_t words) {
    Value stride =
        LLVM::ConstantOp::create(b, loc, b.getI64IntegerAttr(static_cast<int64_t>(4 * words)));
    call(name, {tile(number), getPointer(memory, indices), stride});
  }
  /// The address of an element of memory.
  Value getPointer(Value memory, ValueRange indices) {
    Value element = cpu::buildElement(b, loc, memory, indices);
    Value start = memref::ExtractAlignedPointerAsIndexOp::create(b, loc, memory);
    Value four = arith::ConstantIndexOp::create(b, loc, 4);
    Value address =
        arith::AddIOp::create(b, loc, start, arith::MulIOp::create(b, loc, element, four));
    address = arith::IndexCastOp::create(b, loc, b.getI64Type(), address);
    return LLVM::IntToPtrOp::create(b, loc, LLVM::LLVMPointerType::get(b.getContext()), address);
  }

  Operation *op;
  OpBuilder b;
  Location loc;
};

struct CpuLowerDotsPass : un0::impl::CpuLowerDotsBase<CpuLowerDotsPass> {
  void runOnOperation() override {
    func::FuncOp func = getOperation();
    SmallVector<cpu::DotOp> dots;
    SmallVector<cpu::LookupOp> lookups;
    func.walk([&](cpu::DotOp op) { dots.push_back(op); });
    func.walk([&](cpu::LookupOp op) { lookups.push_back(op); });
    SmallVector<Operation *> tiles;
    func.walk([&](Operation *op) {
      if (cpu::isTileOp(op))
        tiles.push_back(op);
    });
    for (Operation *op : tiles)
      TileLowering(op).lower();
    if (dots.empty() && lookups.empty())
      return;
    llvm::Expected<CpuTarget> target = CpuTarget::of(func->getParentOfType<ModuleOp>());
    if (!target) {
      func.emitError(llvm::toString(target.takeError()));
      return signalPassFailure();
    }
    auto fits = [&](Operation *op, Value words, bool half = false) {
      int64_t lanes = cast<VectorType>(words.getType()).getNumElements();
      if (lanes == target->lanes || (half && lanes == target->lanes / 2))
        return true;
      op->emitError("has ") << lanes << " lanes on a target of " << target->lanes;
      return false;
    };
    llvm::SmallSetVector<cpu::DotKind, 3> widened;
    for (cpu::DotOp op : dots) {
      if (!fits(op, op.getX(), /*half=*/target->lanes == 16 && target->has("avx512vl")))
        return signalPassFailure();
      auto [sums, native] = DotLowering(op, *target).lower();
      ++(native ? numNative : numWidened);
      if (!native)
        widened.insert(op.getKind());
      op.replaceAllUsesWith(sums);
      op.erase();
    }
    // Without counts, so that a driver can say it once for all functions.
    for (cpu::DotKind kind : widened)
      func.emitRemark() << "cpu.dot " << cpu::stringifyDotKind(kind)
                        << " has no instruction of its own on cpu '" << target->cpu
                        << "' and takes several";
    for (cpu::LookupOp op : lookups) {
      if (!fits(op, op.getIndices()))
        return signalPassFailure();
      op.replaceAllUsesWith(lowerLookup(op, *target));
      op.erase();
    }
  }
};

} // namespace
