//===- Emulate.cpp - instructions of a processor on another -----*- C++ -*-===//
//
// What LLVM cannot do by itself for vectors that are wider than a processor's: it splits adds and
// loads, but an intrinsic is one instruction or an error.
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

/// A matrix unit, whose eight tiles of 16 x 64 bytes are memory of the function that uses them.
class MatrixUnit {
public:
  explicit MatrixUnit(Module &module) : module(module) {}

  void emulate(Function &function) {
    SmallVector<IntrinsicInst *> calls;
    for (Instruction &instruction : instructions(function))
      if (auto *call = dyn_cast<IntrinsicInst>(&instruction); call && isTiled(*call))
        calls.push_back(call);
    if (calls.empty())
      return;
    IRBuilder<> b(&*function.getEntryBlock().getFirstInsertionPt());
    AllocaInst *tiles = b.CreateAlloca(ArrayType::get(getRow(), 8 * kRows));
    tiles->setAlignment(Align(64));
    for (IntrinsicInst *call : calls) {
      b.SetInsertPoint(call);
      replace(b, *call, tiles);
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

  void replace(IRBuilder<> &b, IntrinsicInst &call, Value *tiles) {
    auto tile = [&](unsigned operand) {
      uint64_t number = cast<ConstantInt>(call.getArgOperand(operand))->getZExtValue();
      return b.CreatePtrAdd(tiles, b.getInt64(number * kBytes));
    };
    switch (call.getIntrinsicID()) {
    case Intrinsic::x86_ldtilecfg:
      clear(b, tiles, 8 * kRows);
      return;
    case Intrinsic::x86_tilezero:
      clear(b, tile(0), kRows);
      return;
    case Intrinsic::x86_tileloadd64:
    case Intrinsic::x86_tilestored64:
      for (unsigned row = 0; row < kRows; ++row) {
        Value *inTile = b.CreatePtrAdd(tile(0), b.getInt64(64 * row));
        Value *offset = b.CreateMul(call.getArgOperand(2), b.getInt64(row));
        Value *inMemory = b.CreatePtrAdd(call.getArgOperand(1), offset);
        bool loads = call.getIntrinsicID() == Intrinsic::x86_tileloadd64;
        Value *words = b.CreateAlignedLoad(getRow(), loads ? inMemory : inTile, Align(4));
        b.CreateAlignedStore(words, loads ? inTile : inMemory, Align(4));
      }
      return;
    case Intrinsic::x86_tdpbusd:
      b.CreateCall(getDots(), {tile(0), tile(1), tile(2)});
      return;
    default: // leaving it
      return;
    }
  }

  /// Row by row, since memset would be a call.
  void clear(IRBuilder<> &b, Value *tiles, unsigned rows) {
    for (unsigned row = 0; row < rows; ++row)
      b.CreateAlignedStore(Constant::getNullValue(getRow()),
                           b.CreatePtrAdd(tiles, b.getInt64(64 * row)), Align(64));
  }

  /// Sums, unsigned bytes and signed ones: a word of a row of the former meets a row of the latter.
  Function *getDots() {
    if (dots)
      return dots;
    LLVMContext &context = module.getContext();
    Type *pointer = PointerType::getUnqual(context);
    dots = Function::Create(
        FunctionType::get(Type::getVoidTy(context), {pointer, pointer, pointer}, false),
        Function::InternalLinkage, "emulated.tdpbusd", module);
    dots->addFnAttr(Attribute::NoInline);
    IRBuilder<> b(BasicBlock::Create(context, "", dots));
    Instruction *end = b.CreateRetVoid();
    auto [body, row] = SplitBlockAndInsertSimpleForLoop(b.getInt64(kRows), end->getIterator());
    b.SetInsertPoint(body);
    Value *offset = b.CreateMul(row, b.getInt64(64));
    Value *at = b.CreatePtrAdd(dots->getArg(0), offset);
    Value *words = b.CreatePtrAdd(dots->getArg(1), offset);
    Value *sums = b.CreateAlignedLoad(getRow(), at, Align(4));
    Type *bytes = FixedVectorType::get(b.getInt8Ty(), 64);
    for (unsigned k = 0; k < kRows; ++k) {
      Value *word = b.CreateLoad(b.getInt32Ty(), b.CreatePtrAdd(words, b.getInt64(4 * k)));
      Value *y =
          b.CreateAlignedLoad(bytes, b.CreatePtrAdd(dots->getArg(2), b.getInt64(64 * k)), Align(4));
      sums = b.CreateIntrinsic(Intrinsic::x86_avx512_vpdpbusd_512, {},
                               {sums, b.CreateBitCast(b.CreateVectorSplat(16, word), bytes), y});
    }
    b.CreateAlignedStore(sums, at, Align(4));
    return dots;
  }
  Type *getRow() { return FixedVectorType::get(Type::getInt32Ty(module.getContext()), 16); }

  Module &module;
  Function *dots = nullptr;
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
