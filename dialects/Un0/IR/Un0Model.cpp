//===- Un0Model.cpp - what lowerings rely on --------------------*- C++ -*-===//

#include "dialects/Un0/IR/Un0.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;
using namespace un0;

static bool isPhases(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor && tensor.getRank() == 2 && !tensor.isDynamicDim(1) &&
         isa<Float32Type, Float64Type>(tensor.getElementType());
}

LogicalResult un0::verifyGenerate(func::FuncOp func) {
  FunctionType type = func.getFunctionType();
  if (type.getNumInputs() != 3 || type.getNumResults() != 1)
    return func.emitError("@generate has ")
           << type.getNumInputs() << " inputs and " << type.getNumResults()
           << " results instead of 3 and 1";
  if (!func.getBody().hasOneBlock() || !isa<func::ReturnOp>(func.getBody().front().getTerminator()))
    return func.emitError("@generate is not a body of one block that returns an image");
  for (int64_t i = 0; i < 2; ++i)
    if (!isPhases(type.getInput(i)))
      return func.emitError("input ") << i << " of @generate is " << type.getInput(i)
                                      << " instead of phases, batch x a number of oscillators";
  auto labels = dyn_cast<RankedTensorType>(type.getInput(2));
  if (!labels || labels.getRank() != 1 || !labels.getElementType().isInteger(64))
    return func.emitError("input 2 of @generate is ")
           << type.getInput(2) << " instead of labels, one i64 per image";
  return success();
}

LogicalResult un0::verifyWaves(FusedRateOp rate) {
  auto areWaves = [](Value sine, Value cosine) {
    auto waves = sine.getDefiningOp<SinCosOp>();
    return waves && sine == waves.getSine() && cosine == waves.getCosine();
  };
  if (!areWaves(rate.getTargetSine(), rate.getTargetCosine()))
    return rate.emitError("target sine and cosine are not those of one un0.sin_cos");
  for (auto [term, sine, cosine] : llvm::enumerate(rate.getSines(), rate.getCosines()))
    if (!areWaves(sine, cosine))
      return rate.emitError("sine and cosine of coupling ")
             << term << " are not those of one un0.sin_cos";
  return success();
}

LogicalResult un0::verifyClassTable(SelectClassOp select, Value labels) {
  if (cast<ShapedType>(select.getTable().getType()).getRank() != 3 || select.getLabel() != labels)
    return select.emitError("is not a classes x N x M table selected by the model's labels");
  return success();
}
