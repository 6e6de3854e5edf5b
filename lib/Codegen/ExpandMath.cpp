//===- ExpandMath.cpp - inline polynomials for vector functions -*- C++ -*-===//

#include "dialects/Cpu/IR/Cpu.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "un0/Codegen/CpuTarget.h"
#include "un0/Codegen/Passes.h"

namespace un0 {
#define GEN_PASS_DEF_CPUEXPANDMATH
#include "lib/Codegen/Passes.h.inc"
} // namespace un0

using namespace mlir;
using namespace un0;

namespace {

/// Vector arithmetic on f32 and the i32 of the same shape.
struct VectorMath {
  OpBuilder &b;
  Location loc;
  VectorType type;

  VectorType ints() const { return VectorType::get(type.getShape(), b.getI32Type()); }
  Value splat(float f) {
    return arith::ConstantOp::create(b, loc, DenseElementsAttr::get(type, f));
  }
  Value splat(int32_t i) {
    return arith::ConstantOp::create(b, loc, DenseElementsAttr::get(ints(), i));
  }
  Value fma(Value x, Value y, Value z) { return vector::FMAOp::create(b, loc, x, y, z); }
  Value mul(Value x, Value y) { return arith::MulFOp::create(b, loc, x, y); }
  Value bits(Value x) { return arith::BitcastOp::create(b, loc, ints(), x); }
  Value floats(Value x) { return arith::BitcastOp::create(b, loc, type, x); }
  Value andi(Value x, Value y) { return arith::AndIOp::create(b, loc, x, y); }
  Value xori(Value x, Value y) { return arith::XOrIOp::create(b, loc, x, y); }
  Value shl(Value x, int32_t n) { return arith::ShLIOp::create(b, loc, x, splat(n)); }
};

/// x = q pi/2 + r with |r| <= pi/4, then a polynomial each (minimax on that interval, as in Cephes'
/// single-precision sine and cosine), swapped and signed by q.
struct ExpandSinCos : OpRewritePattern<cpu::SinCosOp> {
  ExpandSinCos(MLIRContext *context, bool fma) : OpRewritePattern(context), hasFma(fma) {}

  LogicalResult matchAndRewrite(cpu::SinCosOp op, PatternRewriter &rewriter) const override {
    VectorMath m{rewriter, op.getLoc(), cast<VectorType>(op.getOperand().getType())};
    Value x = op.getOperand();
    // Adding 1.5 * 2^23 rounds to nearest and leaves q in the low bits: no conversion, on any
    // vector unit.
    Value magic = m.splat(12582912.0f);
    Value shifted = hasFma ? m.fma(x, m.splat(0.636619772f), magic)
                           : arith::AddFOp::create(rewriter, op.getLoc(),
                                                   m.mul(x, m.splat(0.636619772f)), magic);
    Value q = m.bits(shifted);
    Value negative = arith::NegFOp::create(
        rewriter, op.getLoc(), arith::SubFOp::create(rewriter, op.getLoc(), shifted, magic));
    Value r;
    if (hasFma) {
      // The product inside an fma is exact, so pi/2 in two parts is enough.
      r = m.fma(negative, m.splat(1.57079637050628662f), x);
      r = m.fma(negative, m.splat(-4.37113900018624283e-8f), r);
    } else {
      // Without, three parts with trailing zeros keep the products exact for |q| < 2^13 (Cody and
      // Waite).
      r = m.fma(negative, m.splat(1.5703125f), x);
      r = m.fma(negative, m.splat(4.837512969970703125e-4f), r);
      r = m.fma(negative, m.splat(7.54978995489188216e-8f), r);
    }
    Value z = m.mul(r, r);
    Value s = m.fma(z, m.splat(-1.9515295891e-4f), m.splat(8.3321608736e-3f));
    s = m.fma(z, s, m.splat(-1.6666654611e-1f));
    s = m.fma(m.mul(z, s), r, r);
    Value c = m.fma(z, m.splat(2.443315711809948e-5f), m.splat(-1.388731625493765e-3f));
    c = m.fma(z, c, m.splat(4.166664568298827e-2f));
    c = m.fma(z, c, m.splat(-0.5f));
    c = m.fma(z, c, m.splat(1.0f));
    Value odd = arith::CmpIOp::create(rewriter, op.getLoc(), arith::CmpIPredicate::ne,
                                      m.andi(q, m.splat(1)), m.splat(0));
    Value sine = arith::SelectOp::create(rewriter, op.getLoc(), odd, c, s);
    Value cosine = arith::SelectOp::create(rewriter, op.getLoc(), odd, s, c);
    // Sine changes sign in quadrants 2 and 3, cosine in 1 and 2: bit 1 of q and of q + 1, moved to
    // the sign.
    Value signBit = m.splat(static_cast<int32_t>(0x80000000u));
    Value sineSign = m.andi(m.shl(q, 30), signBit);
    Value next = arith::AddIOp::create(rewriter, op.getLoc(), q, m.splat(1));
    Value cosineSign = m.andi(m.shl(next, 30), signBit);
    rewriter.replaceOp(op, {m.floats(m.xori(m.bits(sine), sineSign)),
                            m.floats(m.xori(m.bits(cosine), cosineSign))});
    return success();
  }

  bool hasFma;
};

/// Without the instruction, `llvm.fma` is a call into the mathematical library, per lane.
template <typename FmaOp> struct SplitFma : OpRewritePattern<FmaOp> {
  using OpRewritePattern<FmaOp>::OpRewritePattern;
  LogicalResult matchAndRewrite(FmaOp op, PatternRewriter &rewriter) const override {
    Value product =
        arith::MulFOp::create(rewriter, op.getLoc(), op->getOperand(0), op->getOperand(1));
    rewriter.replaceOpWithNewOp<arith::AddFOp>(op, product, op->getOperand(2));
    return success();
  }
};

/// The fused result without the instruction, bit by bit: the product of two f32 is exact in f64,
/// and a sum that was rounded to odd there rounds to f32 as if it had not been rounded before.
/// Source: S. Boldo, G. Melquiond, "Emulation of FMA and correctly rounded sums", 2008.
template <typename FmaOp> struct EmulateFma : OpRewritePattern<FmaOp> {
  using OpRewritePattern<FmaOp>::OpRewritePattern;
  LogicalResult matchAndRewrite(FmaOp op, PatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    auto type = dyn_cast<VectorType>(op.getType());
    if (!type)
      return failure();
    auto doubles = VectorType::get(type.getShape(), rewriter.getF64Type());
    auto longs = VectorType::get(type.getShape(), rewriter.getI64Type());
    auto widen = [&](Value x) -> Value { return arith::ExtFOp::create(rewriter, loc, doubles, x); };
    auto add = [&](Value x, Value y) -> Value {
      return arith::AddFOp::create(rewriter, loc, x, y);
    };
    auto sub = [&](Value x, Value y) -> Value {
      return arith::SubFOp::create(rewriter, loc, x, y);
    };
    auto splat = [&](int64_t value) -> Value {
      return arith::ConstantOp::create(rewriter, loc, DenseElementsAttr::get(longs, value));
    };
    Value product =
        arith::MulFOp::create(rewriter, loc, widen(op->getOperand(0)), widen(op->getOperand(1)));
    Value addend = widen(op->getOperand(2));
    Value sum = add(product, addend);
    // What the sum lost (Knuth's exact addition).
    Value part = sub(sum, product);
    Value lost = add(sub(product, sub(sum, part)), sub(addend, part));
    Value zero = arith::ConstantOp::create(rewriter, loc, DenseElementsAttr::get(doubles, 0.0));
    auto compare = [&](arith::CmpFPredicate predicate, Value x) -> Value {
      return arith::CmpFOp::create(rewriter, loc, predicate, x, zero);
    };
    Value inexact = compare(arith::CmpFPredicate::ONE, lost);
    Value bits = arith::BitcastOp::create(rewriter, loc, longs, sum);
    Value even =
        arith::CmpIOp::create(rewriter, loc, arith::CmpIPredicate::eq,
                              arith::AndIOp::create(rewriter, loc, bits, splat(1)), splat(0));
    // One step away from zero if the loss points there, else one towards it.
    Value away = arith::XOrIOp::create(rewriter, loc, compare(arith::CmpFPredicate::OGT, lost),
                                       compare(arith::CmpFPredicate::OLT, sum));
    Value step = arith::SelectOp::create(rewriter, loc, away, splat(1), splat(-1));
    Value odd = arith::AddIOp::create(rewriter, loc, bits, step);
    Value change = arith::AndIOp::create(rewriter, loc, inexact, even);
    bits = arith::SelectOp::create(rewriter, loc, change, odd, bits);
    sum = arith::BitcastOp::create(rewriter, loc, doubles, bits);
    rewriter.replaceOpWithNewOp<arith::TruncFOp>(op, type, sum);
    return success();
  }
};

/// f32 to bf16 without the instruction, with its bytes for every finite number: to nearest, ties to
/// even, and zero for what is below the smallest normal number. The halves are picked in integer
/// arithmetic, which every vector unit has; what is infinite stays so.
struct RoundToBrain : OpRewritePattern<arith::TruncFOp> {
  using OpRewritePattern<arith::TruncFOp>::OpRewritePattern;
  LogicalResult matchAndRewrite(arith::TruncFOp op, PatternRewriter &rewriter) const override {
    auto type = dyn_cast<VectorType>(op.getType());
    auto source = dyn_cast<VectorType>(op.getIn().getType());
    if (!type || !type.getElementType().isBF16() || !source.getElementType().isF32())
      return failure();
    Location loc = op.getLoc();
    VectorMath m{rewriter, loc, source};
    Value bits = m.bits(op.getIn());
    Value half = arith::ShRUIOp::create(rewriter, loc, bits, m.splat(16));
    Value up =
        arith::AddIOp::create(rewriter, loc, m.andi(half, m.splat(1)), m.splat(int32_t(0x7fff)));
    Value rounded = arith::AddIOp::create(rewriter, loc, bits, up);
    Value exponent = m.andi(bits, m.splat(int32_t(0x7f800000)));
    Value tiny = arith::CmpIOp::create(rewriter, loc, arith::CmpIPredicate::eq, exponent,
                                       m.splat(int32_t(0)));
    Value signedZero = m.andi(bits, m.splat(static_cast<int32_t>(0x80000000u)));
    rounded = arith::SelectOp::create(rewriter, loc, tiny, signedZero, rounded);
    Value upper = arith::ShRUIOp::create(rewriter, loc, rounded, m.splat(16));
    auto shorts = VectorType::get(type.getShape(), rewriter.getI16Type());
    Value narrow = arith::TruncIOp::create(rewriter, loc, shorts, upper);
    rewriter.replaceOpWithNewOp<arith::BitcastOp>(op, type, narrow);
    return success();
  }
};

struct CpuExpandMathPass : un0::impl::CpuExpandMathBase<CpuExpandMathPass> {
  void runOnOperation() override {
    func::FuncOp func = getOperation();
    llvm::Expected<CpuTarget> target = CpuTarget::of(func->getParentOfType<ModuleOp>());
    if (!target) {
      func.emitError(llvm::toString(target.takeError()));
      return signalPassFailure();
    }
    func.walk([&](cpu::SinCosOp) { ++numSinCos; });
    RewritePatternSet patterns(&getContext());
    bool exact = func->getParentOfType<ModuleOp>()->hasAttr(cpu::kExactAttr);
    patterns.add<ExpandSinCos>(&getContext(), target->fma || exact);
    populatePolynomialApproximateTanhPattern(patterns);
    if (!target->hasBrainFloats())
      patterns.add<RoundToBrain>(&getContext());
    if (!target->fma && exact)
      patterns.add<EmulateFma<vector::FMAOp>, EmulateFma<math::FmaOp>>(&getContext());
    else if (!target->fma)
      patterns.add<SplitFma<vector::FMAOp>, SplitFma<math::FmaOp>>(&getContext());
    if (failed(applyPatternsGreedily(func, std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
