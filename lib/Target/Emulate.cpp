//===- Emulate.cpp - instructions of a processor on another -----*- C++ -*-===//
//
// What LLVM cannot do by itself for vectors that are wider than a processor's: it splits adds and
// loads, but an intrinsic is one instruction or an error. Tiles of a matrix unit become memory.
//
//===----------------------------------------------------------------------===//

#include "Emulate.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/IntrinsicsX86.h"
#include "llvm/Transforms/Utils/BasicBlockUtils.h"

using namespace llvm;

namespace {

/// The body of one function.
class Body {
public:
  explicit Body(Function &function) : b(BasicBlock::Create(function.getContext(), "", &function)) {
    for (Argument &argument : function.args())
      arguments.push_back(&argument);
  }

  /// Four products of unsigned and signed bytes per word, added to its sum.
  void dotBytes() {
    Value *sums = arguments[0], *x = words(arguments[1]), *y = words(arguments[2]);
    for (unsigned byte = 0; byte < 4; ++byte) {
      Value *xs = b.CreateAnd(b.CreateLShr(x, 8 * byte), 0xff);
      sums = b.CreateAdd(sums, b.CreateMul(xs, signedPart(y, 8, byte)));
    }
    b.CreateRet(sums);
  }

  /// Two products of signed halves per word.
  void dotPairs() {
    Value *sums = arguments[0], *x = words(arguments[1]), *y = words(arguments[2]);
    for (unsigned half = 0; half < 2; ++half)
      sums = b.CreateAdd(sums, b.CreateMul(signedPart(x, 16, half), signedPart(y, 16, half)));
    b.CreateRet(sums);
  }

  /// Two products of bf16 numbers, which are upper halves of f32 ones. The upper pair is first, as
  /// in Intel's description.
  void dotBrains() {
    Value *sums = arguments[0], *x = words(arguments[1]), *y = words(arguments[2]);
    auto low = [&](Value *v) { return b.CreateBitCast(b.CreateShl(v, 16), sums->getType()); };
    auto high = [&](Value *v) {
      return b.CreateBitCast(b.CreateAnd(v, 0xffff0000), arguments[0]->getType());
    };
    for (auto [xs, ys] : {std::pair(high(x), high(y)), std::pair(low(x), low(y))})
      sums = b.CreateIntrinsic(Intrinsic::fma, {sums->getType()}, {xs, ys, sums});
    b.CreateRet(sums);
  }

  /// The instruction of half the width, for each half.
  void halves(Intrinsic::ID half) {
    Value *results[2];
    for (unsigned i = 0; i < 2; ++i)
      results[i] =
          b.CreateIntrinsic(half, {}, {part(arguments[0], i, 2), part(arguments[1], i, 2)});
    b.CreateRet(join(results[0], results[1]));
  }

  /// A byte of a table of 64 for each of 64 indices, of which six bits count.
  void permuteBytes() {
    Value *table = arguments[0], *results[2];
    for (unsigned i = 0; i < 2; ++i) {
      Value *indices = b.CreateAnd(part(arguments[1], i, 2), 0x3f);
      Value *result = Constant::getNullValue(indices->getType());
      for (unsigned quarter = 0; quarter < 4; ++quarter) {
        Value *entries = part(table, quarter, 4);
        Value *looked = b.CreateIntrinsic(Intrinsic::x86_avx2_pshuf_b, {},
                                          {join(entries, entries), b.CreateAnd(indices, 0xf)});
        Value *here =
            b.CreateICmpEQ(b.CreateLShr(indices, 4), ConstantInt::get(indices->getType(), quarter));
        result = b.CreateSelect(here, looked, result);
      }
      results[i] = result;
    }
    b.CreateRet(join(results[0], results[1]));
  }

private:
  /// A vector as words of 32 bits.
  Value *words(Value *v) {
    unsigned bits = v->getType()->getPrimitiveSizeInBits();
    return b.CreateBitCast(v, FixedVectorType::get(b.getInt32Ty(), bits / 32));
  }
  /// The signed number `index` of `bits` bits in each word.
  Value *signedPart(Value *v, unsigned bits, unsigned index) {
    return b.CreateAShr(b.CreateShl(v, 32 - bits * (index + 1)), 32 - bits);
  }
  /// One of `count` equal parts.
  Value *part(Value *v, unsigned index, unsigned count) {
    unsigned size = cast<FixedVectorType>(v->getType())->getNumElements() / count;
    return b.CreateShuffleVector(v, to_vector(seq<int>(index * size, (index + 1) * size)));
  }
  Value *join(Value *first, Value *second) {
    unsigned size = cast<FixedVectorType>(first->getType())->getNumElements();
    return b.CreateShuffleVector(first, second, to_vector(seq<int>(0, 2 * size)));
  }

  IRBuilder<> b;
  SmallVector<Value *, 3> arguments;
};

/// Gives `function` the body of the intrinsic `name`, without "llvm.x86.avx512" and the width;
/// whether there is one.
bool emitBody(StringRef name, Function &function) {
  bool widest = function.getReturnType()->getPrimitiveSizeInBits() == 512;
  Body body(function);
  if (name == ".vpdpbusd")
    body.dotBytes();
  else if (name == ".vpdpwssd")
    body.dotPairs();
  else if (name == "bf16.dpbf16ps")
    body.dotBrains();
  else if (name == ".pmaddw.d" && widest)
    body.halves(Intrinsic::x86_avx2_pmadd_wd);
  else if (name == ".pmaddubs.w" && widest)
    body.halves(Intrinsic::x86_avx2_pmadd_ub_sw);
  else if (name == ".pshuf.b" && widest)
    body.halves(Intrinsic::x86_avx2_pshuf_b);
  else if (name == ".permvar.qi" && widest)
    body.permuteBytes();
  else
    return false;
  return true;
}

/// To bf16, to the nearest and of two such to the even one; LLVM would call a library.
Value *truncateToBrain(FPTruncInst &trunc) {
  IRBuilder<> b(&trunc);
  Value *x = trunc.getOperand(0);
  assert(x->getType()->getScalarType()->isFloatTy() && "no wider numbers are packed");
  Type *words = x->getType()->getWithNewType(b.getInt32Ty());
  Value *bits = b.CreateBitCast(x, words);
  Value *upper = b.CreateLShr(bits, 16);
  Value *half = b.CreateAdd(b.CreateAnd(upper, 1), ConstantInt::get(words, 0x7fff));
  Value *rounded = b.CreateLShr(b.CreateAdd(bits, half), 16);
  // A NaN stays one, though what tells it from infinity may be in the lower half.
  rounded = b.CreateSelect(b.CreateFCmpUNO(x, x), b.CreateOr(upper, 0x40), rounded);
  Value *halves = b.CreateTrunc(rounded, words->getWithNewType(b.getInt16Ty()));
  return b.CreateBitCast(halves, trunc.getType());
}

/// A matrix unit: eight tiles of 16 x 64 bytes and, behind them, the description of their sizes,
/// zeros while it is not in use, are memory of the function that uses them.
class MatrixUnit {
public:
  explicit MatrixUnit(Module &module) : module(module), b(module.getContext()) {}

  void emulate(Function &function) {
    SmallVector<IntrinsicInst *> calls;
    for (Instruction &instruction : instructions(function))
      if (auto *call = dyn_cast<IntrinsicInst>(&instruction); call && isTiled(*call))
        calls.push_back(call);
    if (calls.empty())
      return;
    b.SetInsertPoint(&*function.getEntryBlock().getFirstInsertionPt());
    AllocaInst *state = b.CreateAlloca(ArrayType::get(getRow(), 8 * kRows + 1));
    state->setAlignment(Align(64));
    storeRow(Constant::getNullValue(getRow()), add(state, b.getInt64(8 * kBytes)));
    for (IntrinsicInst *call : calls) {
      SmallVector<Value *> operands = {state};
      append_range(operands, call->args());
      Function *body = getBody(*call);
      b.SetInsertPoint(call);
      b.CreateCall(body, operands);
      call->eraseFromParent();
    }
  }

private:
  static constexpr unsigned kRows = 16, kBytes = kRows * 64;

  static bool isTiled(const IntrinsicInst &call) {
    return is_contained({Intrinsic::x86_ldtilecfg, Intrinsic::x86_tilerelease,
                         Intrinsic::x86_tilezero, Intrinsic::x86_tileloadd64,
                         Intrinsic::x86_tilestored64, Intrinsic::x86_tdpbusd},
                        call.getIntrinsicID());
  }

  /// The function for an instruction, of the state and its operands.
  Function *getBody(const IntrinsicInst &call) {
    Function *&function = bodies[call.getIntrinsicID()];
    if (function)
      return function;
    SmallVector<Type *> types = {b.getPtrTy()};
    append_range(types, call.getFunctionType()->params());
    function = Function::Create(FunctionType::get(b.getVoidTy(), types, /*isVarArg=*/false),
                                Function::InternalLinkage,
                                "emulated." + call.getCalledFunction()->getName(), module);
    function->addFnAttr(Attribute::NoInline);
    b.SetInsertPoint(BasicBlock::Create(module.getContext(), "", function));
    b.SetInsertPoint(b.CreateRetVoid());
    state = function->getArg(0);
    auto operand = [&](unsigned i) { return function->getArg(i + 1); };
    switch (call.getIntrinsicID()) {
    case Intrinsic::x86_ldtilecfg:
      for (unsigned row = 0; row < 8 * kRows; ++row)
        storeRow(Constant::getNullValue(getRow()), add(state, b.getInt64(64 * row)));
      storeRow(loadRow(operand(0)), add(state, b.getInt64(8 * kBytes)));
      break;
    case Intrinsic::x86_tilezero:
      for (unsigned row = 0; row < kRows; ++row)
        storeRow(Constant::getNullValue(getRow()), add(getTile(operand(0)), b.getInt64(64 * row)));
      break;
    case Intrinsic::x86_tileloadd64:
      move(operand(0), operand(1), operand(2), /*loads=*/true);
      break;
    case Intrinsic::x86_tilestored64:
      move(operand(0), operand(1), operand(2), /*loads=*/false);
      break;
    case Intrinsic::x86_tdpbusd:
      multiply(operand(0), operand(1), operand(2));
      break;
    default: // leaving it
      storeRow(Constant::getNullValue(getRow()), getDescription(0));
      break;
    }
    return function;
  }

  void move(Value *tile, Value *memory, Value *stride, bool loads) {
    Value *words = b.CreateVectorSplat(kRows, getWords(tile));
    Value *mask =
        b.CreateICmpULT(b.CreateStepVector(FixedVectorType::get(b.getInt64Ty(), kRows)), words);
    Value *row = loop(getRows(tile));
    Value *inTile = add(getTile(tile), b.CreateMul(row, b.getInt64(64)));
    Value *inMemory = add(memory, b.CreateMul(row, stride));
    if (loads)
      storeRow(
          b.CreateMaskedLoad(getRow(), inMemory, Align(4), mask, Constant::getNullValue(getRow())),
          inTile);
    else
      b.CreateMaskedStore(loadRow(inTile), inMemory, Align(4), mask);
  }

  /// Each word of a row of unsigned bytes meets a row of signed ones.
  void multiply(Value *sums, Value *left, Value *right) {
    Type *bytes = FixedVectorType::get(b.getInt8Ty(), 64);
    Value *depth = getWords(left);
    trapIf(b.CreateICmpNE(depth, getRows(right)));
    Value *row = loop(getRows(sums));
    Value *offset = b.CreateMul(row, b.getInt64(64));
    Value *at = add(getTile(sums), offset), *words = add(getTile(left), offset);
    Value *k = loop(depth);
    Value *word = b.CreateLoad(b.getInt32Ty(), add(words, b.CreateMul(k, b.getInt64(4))));
    Value *y =
        b.CreateAlignedLoad(bytes, add(getTile(right), b.CreateMul(k, b.getInt64(64))), Align(4));
    Value *x = b.CreateBitCast(b.CreateVectorSplat(kRows, word), bytes);
    storeRow(b.CreateIntrinsic(Intrinsic::x86_avx512_vpdpbusd_512, {}, {loadRow(at), x, y}), at);
  }

  /// What comes next is done `count` times, one at least; the number of the time.
  Value *loop(Value *count) {
    auto [body, index] = SplitBlockAndInsertSimpleForLoop(count, b.GetInsertPoint());
    b.SetInsertPoint(body);
    return index;
  }
  Value *add(Value *pointer, Value *offset) { return b.CreatePtrAdd(pointer, offset); }
  Value *getTile(Value *number) {
    return add(state, b.CreateMul(b.CreateZExt(number, b.getInt64Ty()), b.getInt64(kBytes)));
  }
  /// Words of a row of a tile, from byte 16 of the description on, and rows, from byte 48.
  Value *getWords(Value *tile) {
    Value *at = b.CreateMul(b.CreateZExt(tile, b.getInt64Ty()), b.getInt64(2));
    Value *size = b.CreateLoad(b.getInt16Ty(), add(getDescription(16), at));
    return b.CreateLShr(b.CreateZExt(size, b.getInt64Ty()), 2);
  }
  Value *getRows(Value *tile) {
    Value *at = b.CreateZExt(tile, b.getInt64Ty());
    Value *rows = b.CreateLoad(b.getInt8Ty(), add(getDescription(48), at));
    trapIf(b.CreateICmpEQ(rows, b.getInt8(0)));
    return b.CreateZExt(rows, b.getInt64Ty());
  }
  /// What the processor would refuse, as tiles that were not set up.
  void trapIf(Value *wrong) {
    Instruction *end = SplitBlockAndInsertIfThen(wrong, b.GetInsertPoint(), /*Unreachable=*/true);
    BasicBlock::iterator next = b.GetInsertPoint();
    b.SetInsertPoint(end);
    b.CreateIntrinsic(b.getVoidTy(), Intrinsic::trap, {});
    b.SetInsertPoint(next->getParent(), next);
  }
  Value *getDescription(uint64_t byte) { return add(state, b.getInt64(8 * kBytes + byte)); }
  Type *getRow() { return FixedVectorType::get(b.getInt32Ty(), kRows); }
  Value *loadRow(Value *at) { return b.CreateAlignedLoad(getRow(), at, Align(4)); }
  void storeRow(Value *row, Value *at) { b.CreateAlignedStore(row, at, Align(4)); }

  Module &module;
  IRBuilder<> b;
  DenseMap<unsigned, Function *> bodies;
  Value *state = nullptr; // of the body at hand
};

} // namespace

Error un0::emulateInstructions(Module &module) {
  MatrixUnit unit(module);
  for (Function &function : module)
    unit.emulate(function);
  for (Function &intrinsic : make_early_inc_range(module)) {
    StringRef name = intrinsic.getName();
    if (!intrinsic.isIntrinsic() || !name.consume_front("llvm.x86.avx512"))
      continue;
    Function *function = Function::Create(intrinsic.getFunctionType(), Function::InternalLinkage,
                                          "emulated." + intrinsic.getName(), module);
    function->addFnAttr(Attribute::AlwaysInline);
    if (!emitBody(name.rsplit('.').first, *function))
      return createStringError("%s cannot be emulated", intrinsic.getName().str().c_str());
    intrinsic.replaceAllUsesWith(function);
    intrinsic.eraseFromParent();
  }
  for (Function &function : module)
    for (Instruction &instruction : make_early_inc_range(instructions(function)))
      if (auto *trunc = dyn_cast<FPTruncInst>(&instruction);
          trunc && trunc->getType()->getScalarType()->isBFloatTy()) {
        trunc->replaceAllUsesWith(truncateToBrain(*trunc));
        trunc->eraseFromParent();
      }
  return Error::success();
}
