//===- Un0Costs.cpp - what the operations cost ------------------*- C++ -*-===//
//
// All costs are for one image: a dynamic (batch) dimension counts as 1.
//
//===----------------------------------------------------------------------===//

#include "dialects/Un0/IR/Un0.h"

using namespace mlir;
using namespace un0;

namespace {

uint64_t getElements(Value value) {
  uint64_t elements = 1;
  for (int64_t size : cast<ShapedType>(value.getType()).getShape())
    elements *= ShapedType::isDynamic(size) ? 1 : size;
  return elements;
}

/// Elements per image: those after the batch dimension.
uint64_t getElementsPerImage(Value value) {
  uint64_t elements = 1;
  for (int64_t size : cast<ShapedType>(value.getType()).getShape().drop_front())
    elements *= size;
  return elements;
}

unsigned getBits(Value value) { return cast<ShapedType>(value.getType()).getElementTypeBitWidth(); }
uint64_t getBytes(Value value) { return getElements(value) * getBits(value) / 8; }
uint64_t getBytesPerImage(Value value) { return getElementsPerImage(value) * getBits(value) / 8; }

/// Multiplications by one coupling, and where its bytes come from: a shared one is a parameter, one
/// with a batch dimension was gathered and is an activation.
Cost getCouplingCost(Value coupling) {
  Cost cost;
  bool batched = cast<ShapedType>(coupling.getType()).getRank() == 3;
  (batched ? cost.bytesRead : cost.parameterBytes) =
      batched ? getBytesPerImage(coupling) : getBytes(coupling);
  cost.multiplyAdds = batched ? getElementsPerImage(coupling) : getElements(coupling);
  cost.bits = getBits(coupling);
  return cost;
}

} // namespace

unsigned un0::getNumStages(Solver solver) {
  switch (solver) {
  case Solver::Euler:
    return 1;
  case Solver::Heun:
    return 2;
  case Solver::RK4:
  case Solver::RK4Classic:
    return 4;
  }
  llvm_unreachable("unknown solver");
}

Cost SelectClassOp::getCost() {
  Cost cost;
  cost.bytesWritten = getBytesPerImage(getResult());
  cost.parameterBytes =
      getBits() ? getElementsPerImage(getResult()) * *getBits() / 8 : uint64_t(cost.bytesWritten);
  return cost;
}

Cost EvolveOp::getCost() {
  Cost evaluation;
  for (Operation &op : getBody().front())
    if (auto costed = dyn_cast<CostOpInterface>(op))
      evaluation += costed.getCost();
  // Per state and stage one multiply-add for the combination, which reads and writes the state
  // once.
  for (Value state : getInitial()) {
    Cost update;
    update.multiplyAdds = getElementsPerImage(state);
    update.bytesRead = update.bytesWritten = getBytesPerImage(state);
    update.bits = getBits(state);
    evaluation += update;
  }
  return evaluation.times(getNumStages(getSolver()) * getSteps());
}

Cost CoupleOp::getCost() {
  // One sine per pair: what the literal sum takes.
  Cost cost = getCouplingCost(getCoupling());
  cost.specialFunctions = cost.multiplyAdds;
  cost.bytesRead += getBytesPerImage(getSource()) + getBytesPerImage(getTarget());
  cost.bytesWritten = getBytesPerImage(getResult());
  return cost;
}

Cost RateOp::getCost() {
  Cost cost;
  cost.parameterBytes = getBytes(getFrequency());
  cost.bytesRead = getTerms().size() * getBytesPerImage(getResult());
  cost.bytesWritten = getBytesPerImage(getResult());
  return cost;
}

Cost ReadoutOp::getCost() {
  Cost cost;
  cost.specialFunctions = getEncoding() == Encoding::Raw ? 0 : getElementsPerImage(getFeatures());
  cost.bytesRead = getBytesPerImage(getPhases());
  cost.bytesWritten = getBytesPerImage(getFeatures());
  return cost;
}

Cost SinCosOp::getCost() {
  Cost cost;
  cost.specialFunctions = 2 * getElementsPerImage(getPhases());
  cost.bytesRead = getBytesPerImage(getPhases());
  cost.bytesWritten = 2 * cost.bytesRead;
  return cost;
}

unsigned un0::getStorageBits(Precision precision) {
  switch (precision) {
  case Precision::F32:
    return 32;
  case Precision::Int16:
  case Precision::BF16:
    return 16;
  case Precision::Int8:
    return 8;
  case Precision::Int4:
    return 4;
  }
  llvm_unreachable("unknown precision");
}

StringRef un0::getArithmetic(Precision coupling) {
  switch (coupling) {
  case Precision::F32:
    return "f32";
  case Precision::Int16:
    return "s16";
  case Precision::BF16:
    return "bf16";
  case Precision::Int8:
    return "u8s8";
  case Precision::Int4:
    return "u8s4";
  }
  llvm_unreachable("unknown precision");
}

StringRef un0::getArithmetic(Conv2DOp conv) {
  return conv.getPrecision() == Precision::Int8 ? "u8s8" : "f32";
}

Cost FusedRateOp::getTermCost(unsigned term) {
  // The contractions with sine and cosine share one pass over the coupling; the epilogue joins
  // them.
  Cost cost = getCouplingCost(getCouplings()[term]);
  cost.multiplyAdds = 2 * cost.multiplyAdds + 2 * getElementsPerImage(getResult());
  cost.bytesRead += 2 * getBytesPerImage(getSines()[term]);
  if (Precision precision = getPrecision(term); precision != Precision::F32) {
    uint64_t elements = cost.parameterBytes / 4;
    cost.parameterBytes = elements * getStorageBits(precision) / 8;
    if (int64_t group = getGroup(term))
      cost.parameterBytes += elements / group / 8; // a bit each
    cost.bits = std::max(getStorageBits(precision), 8u);
  }
  return cost;
}

Cost FusedRateOp::getCost() {
  Cost cost;
  cost.parameterBytes = getBytes(getFrequency());
  cost.bytesRead = 2 * getBytesPerImage(getResult());
  cost.bytesWritten = getBytesPerImage(getResult());
  for (unsigned term = 0; term < getCouplings().size(); ++term)
    cost += getTermCost(term);
  return cost;
}

Cost DriftOp::getCost() {
  Cost cost;
  cost.multiplyAdds = getElementsPerImage(getResult());
  cost.parameterBytes = getBytes(getFrequency());
  cost.bytesRead = cost.bytesWritten = getBytesPerImage(getResult());
  cost.bits = getBits(getResult());
  return cost;
}

Cost un0::Conv2DOp::getCost() {
  auto weight = cast<ShapedType>(getWeight().getType());
  auto output = cast<ShapedType>(getOutput().getType());
  // A folded 2x upsampling leaves 4 of 9 taps, with 16 pre-summed values per channel pair.
  uint64_t taps = getUpsample() ? 4 : 9, channelPairs = weight.getDimSize(0) * weight.getDimSize(1);
  Cost cost;
  cost.multiplyAdds = taps * channelPairs * output.getDimSize(2) * output.getDimSize(3);
  cost.specialFunctions =
      getActivation() == Activation::Tanh ? getElementsPerImage(getOutput()) : 0;
  cost.parameterBytes =
      getBytes(getBias()) + (getUpsample() ? 16 : 9) * channelPairs * getBits(getWeight()) / 8;
  cost.bytesRead = getBytesPerImage(getInput());
  cost.bytesWritten = getBytesPerImage(getOutput());
  cost.bits = getBits(getWeight());
  if (getPrecision() == Precision::Int8) {
    cost.parameterBytes = getBytes(getBias()) + (getUpsample() ? 16 : 9) * channelPairs;
    cost.bytesRead = getElementsPerImage(getInput());
    cost.bits = 8;
  }
  // Who reads bytes gets them written.
  auto readsBytes = [](Operation *user) {
    auto conv = dyn_cast<un0::Conv2DOp>(user);
    return conv && conv.getPrecision() == Precision::Int8;
  };
  if (!getOutput().use_empty() && llvm::all_of(getOutput().getUsers(), readsBytes))
    cost.bytesWritten = getElementsPerImage(getOutput());
  return cost;
}
