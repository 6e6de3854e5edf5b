//===- ModelBuilder.cpp - a model as un0 IR -------------------------------===//

#include "ModelBuilder.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Tosa/IR/TosaOps.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

using namespace mlir;
using namespace un0;
using namespace un0::import;
using llvm::ArrayRef;
using llvm::StringRef;

namespace {

constexpr int64_t kDynamic = ShapedType::kDynamic;

class ModelWriter {
public:
  ModelWriter(const ModelSpec &spec, MLIRContext &context)
      : spec(spec), builder(UnknownLoc::get(&context), &context), f32(builder.getF32Type()) {}

  OwningOpRef<ModuleOp> build(StringRef name, StringRef archivePath) {
    OwningOpRef<ModuleOp> module = ModuleOp::create(builder.getLoc());
    (*module)->setAttr(kPhaseAttr, builder.getStringAttr("model"));
    builder.setInsertionPointToEnd(module->getBody());
    declareParams(archivePath);
    buildGenerate(name);
    return module;
  }

private:
  RankedTensorType type(ArrayRef<int64_t> shape) { return RankedTensorType::get(shape, f32); }

  //===--- Parameters -------------------------------------------------------===//

  void declare(const ParamSpec &param, StringRef archivePath) {
    ParamOp::create(builder, builder.getStringAttr(param.symbol), TypeAttr::get(type(param.shape)),
                    builder.getStringAttr(archivePath), builder.getStringAttr(param.key),
                    param.scale == 1.0 ? FloatAttr() : builder.getF64FloatAttr(param.scale),
                    /*zero_diagonal=*/UnitAttr());
  }

  void declareParams(StringRef archivePath) {
    for (const ParamSpec *param :
         {&spec.coupling, &spec.frequency, &spec.condCoupling, &spec.condFrequency, &spec.drive})
      declare(*param, archivePath);
    for (const BlockSpec &block : spec.blocks)
      for (const ParamSpec *param : {&block.aWeight, &block.aBias, &block.bWeight, &block.bBias})
        declare(*param, archivePath);
    declare(spec.outWeight, archivePath);
    declare(spec.outBias, archivePath);
  }

  Value get(const ParamSpec &param) {
    return GetParamOp::create(builder, type(param.shape),
                              FlatSymbolRefAttr::get(builder.getContext(), param.symbol));
  }

  //===--- The function -----------------------------------------------------===//

  void buildGenerate(StringRef name) {
    int64_t size = spec.getImageSize();
    RankedTensorType theta = type({kDynamic, spec.oscillators}),
                     phi = type({kDynamic, spec.conditioning});
    RankedTensorType labels = RankedTensorType::get({kDynamic}, builder.getI64Type());
    auto function = func::FuncOp::create(
        builder, "generate",
        builder.getFunctionType({theta, phi, labels}, {type({kDynamic, 3, size, size})}));
    function->setAttr(
        "un0.model",
        builder.getDictionaryAttr(
            {builder.getNamedAttr("name", builder.getStringAttr(name)),
             builder.getNamedAttr("classes", builder.getI64IntegerAttr(spec.classes))}));
    Block *body = function.addEntryBlock();
    builder.setInsertionPointToStart(body);
    Value phases = buildDynamics(body->getArgument(0), body->getArgument(1), body->getArgument(2));
    func::ReturnOp::create(builder, buildDecoder(buildMaps(phases)));
  }

  /// The two populations, integrated together: a one-way drive from the conditioning block to the
  /// main one.
  Value buildDynamics(Value theta0, Value phi0, Value label) {
    Value coupling = get(spec.coupling), frequency = get(spec.frequency);
    Value condCoupling = get(spec.condCoupling), condFrequency = get(spec.condFrequency);
    Value drive = SelectClassOp::create(
        builder, type({kDynamic, spec.oscillators, spec.conditioning}), get(spec.drive), label,
        /*bits=*/IntegerAttr());

    auto evolve = EvolveOp::create(
        builder, TypeRange{theta0.getType(), phi0.getType()}, ValueRange{theta0, phi0},
        SolverAttr::get(builder.getContext(), spec.solver), builder.getI64IntegerAttr(spec.steps),
        builder.getF64FloatAttr(spec.time));
    OpBuilder::InsertionGuard guard(builder);
    Block *body = builder.createBlock(&evolve.getBody(), {}, {theta0.getType(), phi0.getType()},
                                      {builder.getLoc(), builder.getLoc()});
    Value theta = body->getArgument(0), phi = body->getArgument(1);
    Value self = couple(coupling, theta, theta, /*zeroDiagonal=*/true);
    Value driven = couple(drive, phi, theta, /*zeroDiagonal=*/false);
    Value rate =
        RateOp::create(builder, theta.getType(), theta, frequency, ValueRange{self, driven});
    Value condSelf = couple(condCoupling, phi, phi, /*zeroDiagonal=*/true);
    Value condRate =
        RateOp::create(builder, phi.getType(), phi, condFrequency, ValueRange{condSelf});
    YieldOp::create(builder, ValueRange{rate, condRate});
    return evolve.getResult(0);
  }

  Value couple(Value coupling, Value source, Value target, bool zeroDiagonal) {
    return CoupleOp::create(builder, target.getType(), coupling, source, target,
                            zeroDiagonal ? builder.getUnitAttr() : UnitAttr());
  }

  /// Readout, and its features as 4 x 4 maps: batch x channels x 4 x 4.
  Value buildMaps(Value phases) {
    Value features = ReadoutOp::create(builder, type({kDynamic, spec.features}), phases,
                                       ReferenceAttr::get(builder.getContext(), spec.reference),
                                       EncodingAttr::get(builder.getContext(), spec.encoding));
    int64_t channels = spec.features / 16;
    Value batch = tensor::DimOp::create(builder, features, int64_t(0));
    SmallVector<OpFoldResult> shape = {batch, builder.getIndexAttr(channels),
                                       builder.getIndexAttr(4), builder.getIndexAttr(4)};
    SmallVector<ReassociationIndices> groups = {{0}, {1, 2, 3}};
    return tensor::ExpandShapeOp::create(builder, type({kDynamic, channels, 4, 4}), features,
                                         groups, shape);
  }

  //===--- The decoder, in TOSA: NHWC with OHWI weights ---------------------===//

  Value buildDecoder(Value maps) {
    slope = constant(builder.getF32FloatAttr(0.2f), {1, 1, 1, 1});
    shift = constant(builder.getI8IntegerAttr(0), {1});
    zeroPoint = constant(builder.getF32FloatAttr(0.0f), {1});
    // Nearest with half-up rounding repeats every pixel exactly twice for scale 4/2, offset -1,
    // border 1.
    scale = shapeConstant({4, 2, 4, 2});
    offset = shapeConstant({-1, -1});
    border = shapeConstant({1, 1});

    Value x = transpose(maps, {0, 2, 3, 1});
    for (const BlockSpec &block : spec.blocks) {
      x = leakyRelu(convolve(upsample(x), block.aWeight, block.aBias));
      x = leakyRelu(convolve(x, block.bWeight, block.bBias));
    }
    x = convolve(x, spec.outWeight, spec.outBias);
    x = tosa::TanhOp::create(builder, x.getType(), x);
    return transpose(x, {0, 3, 1, 2});
  }

  static ArrayRef<int64_t> shapeOf(Value value) {
    return cast<RankedTensorType>(value.getType()).getShape();
  }

  Value constant(TypedAttr value, ArrayRef<int64_t> shape) {
    auto tensorType = RankedTensorType::get(shape, value.getType());
    return tosa::ConstOp::create(builder, tensorType,
                                 DenseElementsAttr::get(tensorType, ArrayRef<Attribute>(value)));
  }

  Value shapeConstant(ArrayRef<int64_t> values) {
    auto shapeType = tosa::shapeType::get(builder.getContext(), values.size());
    return tosa::ConstShapeOp::create(builder, shapeType, builder.getIndexTensorAttr(values));
  }

  Value transpose(Value input, ArrayRef<int32_t> permutation) {
    ArrayRef<int64_t> from = shapeOf(input);
    SmallVector<int64_t> to;
    for (int32_t dimension : permutation)
      to.push_back(from[dimension]);
    return tosa::TransposeOp::create(builder, type(to), input,
                                     builder.getDenseI32ArrayAttr(permutation));
  }

  Value upsample(Value input) {
    ArrayRef<int64_t> from = shapeOf(input);
    return tosa::ResizeOp::create(
        builder, type({from[0], 2 * from[1], 2 * from[2], from[3]}), input, scale, offset, border,
        tosa::ResizeModeAttr::get(builder.getContext(), tosa::ResizeMode::NEAREST_NEIGHBOR));
  }

  Value convolve(Value input, const ParamSpec &weight, const ParamSpec &bias) {
    ArrayRef<int64_t> from = shapeOf(input);
    Value ohwi = transpose(get(weight), {0, 2, 3, 1});
    return tosa::Conv2DOp::create(builder, type({from[0], from[1], from[2], weight.shape[0]}),
                                  input, ohwi, get(bias), zeroPoint, zeroPoint,
                                  builder.getDenseI64ArrayAttr({1, 1, 1, 1}),
                                  builder.getDenseI64ArrayAttr({1, 1}),
                                  builder.getDenseI64ArrayAttr({1, 1}), TypeAttr::get(f32));
  }

  Value leakyRelu(Value input) {
    Value scaled = tosa::MulOp::create(builder, input.getType(), input, slope, shift);
    return tosa::MaximumOp::create(builder, input.getType(), input, scaled);
  }

  const ModelSpec &spec;
  ImplicitLocOpBuilder builder;
  Type f32;
  Value slope, shift, zeroPoint, scale, offset, border;
};

} // namespace

OwningOpRef<ModuleOp> import::buildModel(const ModelSpec &spec, StringRef name,
                                         StringRef archivePath, MLIRContext &context) {
  return ModelWriter(spec, context).build(name, archivePath);
}
