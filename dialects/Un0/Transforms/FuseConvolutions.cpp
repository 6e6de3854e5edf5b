//===- FuseConvolutions.cpp - TOSA convolutions to un0.conv2d ---*- C++ -*-===//

#include "dialects/Un0/IR/TosaResize.h"
#include "dialects/Un0/Transforms/Passes.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace un0 {
#define GEN_PASS_DEF_UN0FUSECONVOLUTIONS
#include "dialects/Un0/Transforms/Passes.h.inc"
} // namespace un0

using namespace mlir;
using namespace un0;

namespace {

/// NHWC to NCHW, and OHWI to OIHW.
constexpr int32_t kChannelsFirst[] = {0, 3, 1, 2};
/// And back.
constexpr int32_t kChannelsLast[] = {0, 2, 3, 1};

Value transpose(OpBuilder &b, Location loc, Value value, ArrayRef<int32_t> permutation) {
  auto type = cast<RankedTensorType>(value.getType());
  SmallVector<int64_t> shape;
  for (int32_t from : permutation)
    shape.push_back(type.getDimSize(from));
  return tosa::TransposeOp::create(b, loc, type.clone(shape), value, permutation);
}

/// The value that is transposed by `permutation` to give `value`, or null.
Value getUntransposed(Value value, ArrayRef<int32_t> permutation) {
  auto op = value.getDefiningOp<tosa::TransposeOp>();
  return op && op.getPerms() == permutation ? op.getInput1() : Value();
}

/// The one value of a constant, if it is one floating-point value all over.
std::optional<double> getSplat(Value value) {
  SplatElementsAttr splat;
  if (!matchPattern(value, m_Constant(&splat)) || !isa<FloatType>(splat.getElementType()))
    return std::nullopt;
  return splat.getSplatValue<APFloat>().convertToDouble();
}

/// Whether a convolution is one that un0.conv2d expresses.
bool isFusable(tosa::Conv2DOp conv) {
  auto weight = dyn_cast<RankedTensorType>(conv.getWeight().getType());
  auto input = dyn_cast<RankedTensorType>(conv.getInput().getType());
  auto isOne = [](int64_t value) { return value == 1; };
  return weight && input && weight.hasStaticShape() && weight.getDimSize(1) == 3 &&
         weight.getDimSize(2) == 3 && !ShapedType::isDynamicShape(input.getShape().drop_front()) &&
         input.getElementType() == conv.getAccType() &&
         isa<Float32Type, Float64Type>(input.getElementType()) &&
         cast<ShapedType>(conv.getBias().getType()).getShape() == weight.getShape().take_front(1) &&
         llvm::all_of(conv.getPad(), isOne) && llvm::all_of(conv.getStride(), isOne) &&
         llvm::all_of(conv.getDilation(), isOne) && getSplat(conv.getInputZp()) == 0.0 &&
         getSplat(conv.getWeightZp()) == 0.0;
}

struct Counters {
  unsigned convolutions = 0, upsamples = 0, activations = 0;
};

template <typename OpT> struct CountingPattern : OpRewritePattern<OpT> {
  CountingPattern(MLIRContext *context, unsigned &counter)
      : OpRewritePattern<OpT>(context), counter(counter) {}
  unsigned &counter;
};

/// Any convolution that fits, between transposes.
struct ConvertConvolution : CountingPattern<tosa::Conv2DOp> {
  using CountingPattern::CountingPattern;

  LogicalResult matchAndRewrite(tosa::Conv2DOp conv, PatternRewriter &rewriter) const override {
    if (!isFusable(conv))
      return failure();
    Location loc = conv.getLoc();
    Value input = transpose(rewriter, loc, conv.getInput(), kChannelsFirst);
    Value weight = transpose(rewriter, loc, conv.getWeight(), kChannelsFirst);
    auto inputType = cast<RankedTensorType>(input.getType());
    SmallVector<int64_t> shape(inputType.getShape());
    shape[1] = cast<ShapedType>(weight.getType()).getDimSize(0);
    auto fused =
        un0::Conv2DOp::create(rewriter, loc, inputType.clone(shape), input, weight, conv.getBias(),
                              /*upsample=*/false, Activation::None, /*slope=*/FloatAttr(),
                              Precision::F32, /*input_scale=*/FloatAttr(),
                              /*input_zero_point=*/IntegerAttr(),
                              /*input_exponents=*/DenseI64ArrayAttr());
    Value output = transpose(rewriter, loc, fused.getOutput(), kChannelsLast);
    if (output.getType() != conv.getOutput().getType())
      output = tensor::CastOp::create(rewriter, loc, conv.getOutput().getType(), output);
    rewriter.replaceOp(conv, output);
    ++counter;
    return success();
  }
};

/// A transpose of its inverse.
struct CancelTransposes : OpRewritePattern<tosa::TransposeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(tosa::TransposeOp outer, PatternRewriter &rewriter) const override {
    auto inner = outer.getInput1().getDefiningOp<tosa::TransposeOp>();
    if (!inner || inner.getInput1().getType() != outer.getType())
      return failure();
    for (auto [to, through] : llvm::enumerate(outer.getPerms()))
      if (inner.getPerms()[through] != static_cast<int32_t>(to))
        return failure();
    rewriter.replaceOp(outer, inner.getInput1());
    return success();
  }
};

/// The values of a constant shape, or nothing.
SmallVector<int64_t> getShapeValues(Value value) {
  DenseIntElementsAttr values;
  return matchPattern(value, m_Constant(&values)) ? llvm::to_vector(values.getValues<int64_t>())
                                                  : SmallVector<int64_t>();
}

/// Whether a resize repeats every pixel 2x in both directions, whatever numbers say so.
bool isExactUpsample(tosa::ResizeOp resize) {
  auto input = dyn_cast<RankedTensorType>(resize.getInput().getType());
  auto output = dyn_cast<RankedTensorType>(resize.getOutput().getType());
  SmallVector<int64_t> scale = getShapeValues(resize.getScale()),
                       offset = getShapeValues(resize.getOffset());
  if (resize.getMode() != tosa::ResizeMode::NEAREST_NEIGHBOR || !input || !output ||
      scale.size() != 4 || offset.size() != 2)
    return false;
  for (unsigned axis : {0, 1}) {
    int64_t size = input.getDimSize(axis + 1);
    if (ShapedType::isDynamic(size) || output.getDimSize(axis + 1) != 2 * size)
      return false;
    for (int64_t out = 0; out < 2 * size; ++out)
      if (getNearestSource(out, scale[2 * axis], scale[2 * axis + 1], offset[axis], size) !=
          out / 2)
        return false;
  }
  return true;
}

struct FoldUpsample : CountingPattern<un0::Conv2DOp> {
  using CountingPattern::CountingPattern;

  LogicalResult matchAndRewrite(un0::Conv2DOp conv, PatternRewriter &rewriter) const override {
    Value resized = getUntransposed(conv.getInput(), kChannelsFirst);
    auto resize = resized ? resized.getDefiningOp<tosa::ResizeOp>() : tosa::ResizeOp();
    if (conv.getUpsample() || !resize || !isExactUpsample(resize))
      return failure();
    Value input = transpose(rewriter, resize.getLoc(), resize.getInput(), kChannelsFirst);
    rewriter.modifyOpInPlace(conv, [&] {
      conv.getInputMutable().assign(input);
      conv.setUpsample(true);
    });
    ++counter;
    return success();
  }
};

/// The convolution without activation behind `value`, which may be its transpose, if only `users`
/// read it.
un0::Conv2DOp getPlainConvolution(Value value, ArrayRef<Operation *> users) {
  if (!llvm::all_of(value.getUsers(),
                    [&](Operation *user) { return llvm::is_contained(users, user); }))
    return {};
  if (Value untransposed = getUntransposed(value, kChannelsLast)) {
    if (!untransposed.hasOneUse())
      return {};
    value = untransposed;
  }
  auto conv = value.getDefiningOp<un0::Conv2DOp>();
  return conv && conv.getActivation() == Activation::None ? conv : un0::Conv2DOp();
}

/// max(x, slope x), 0 <= slope <= 1.
struct FoldLeakyRelu : CountingPattern<tosa::MaximumOp> {
  using CountingPattern::CountingPattern;

  LogicalResult matchAndRewrite(tosa::MaximumOp maximum, PatternRewriter &rewriter) const override {
    for (bool swap : {false, true}) {
      Value plain = swap ? maximum.getInput2() : maximum.getInput1();
      Value scaled = swap ? maximum.getInput1() : maximum.getInput2();
      auto mul = scaled.getDefiningOp<tosa::MulOp>();
      if (!mul || !mul->hasOneUse() || plain.getType() != maximum.getType())
        continue;
      std::optional<double> slope = mul.getInput1() == plain   ? getSplat(mul.getInput2())
                                    : mul.getInput2() == plain ? getSplat(mul.getInput1())
                                                               : std::nullopt;
      if (!slope || !(*slope >= 0.0 && *slope <= 1.0))
        continue;
      un0::Conv2DOp conv = getPlainConvolution(plain, {maximum, mul});
      if (!conv)
        continue;
      rewriter.modifyOpInPlace(conv, [&] {
        conv.setActivation(Activation::LeakyRelu);
        conv.setSlope(APFloat(*slope));
      });
      rewriter.replaceOp(maximum, plain);
      ++counter;
      return success();
    }
    return failure();
  }
};

struct FoldTanh : CountingPattern<tosa::TanhOp> {
  using CountingPattern::CountingPattern;

  LogicalResult matchAndRewrite(tosa::TanhOp tanh, PatternRewriter &rewriter) const override {
    un0::Conv2DOp conv = getPlainConvolution(tanh.getInput(), {tanh});
    if (!conv || tanh.getInput().getType() != tanh.getType())
      return failure();
    rewriter.modifyOpInPlace(conv, [&] { conv.setActivation(Activation::Tanh); });
    rewriter.replaceOp(tanh, tanh.getInput());
    ++counter;
    return success();
  }
};

struct FuseConvolutionsPass : un0::impl::Un0FuseConvolutionsBase<FuseConvolutionsPass> {
  void runOnOperation() override {
    Counters counters;
    RewritePatternSet patterns(&getContext());
    patterns.add<ConvertConvolution>(&getContext(), counters.convolutions);
    patterns.add<CancelTransposes>(&getContext());
    patterns.add<FoldUpsample>(&getContext(), counters.upsamples);
    patterns.add<FoldLeakyRelu, FoldTanh>(&getContext(), counters.activations);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      return signalPassFailure();
    numConvolutions += counters.convolutions;
    numUpsamples += counters.upsamples;
    numActivations += counters.activations;
    getOperation().walk([&](tosa::Conv2DOp) { ++numMissed; });
  }
};

} // namespace
