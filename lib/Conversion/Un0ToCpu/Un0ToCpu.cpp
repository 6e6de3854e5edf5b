//===- Un0ToCpu.cpp - fused model to packed CPU kernels ---------*- C++ -*-===//
//
// One pass over the chain that the fused phase guarantees: evolve, readout, reshape, convolutions.
// Each entry function is built from the start, since nothing of the tensor form (dynamic batch,
// row-major layout) survives.
//
//===----------------------------------------------------------------------===//

#include "un0/Conversion/Passes.h"

#include "Lowering.h"
#include "Solvers.h"

namespace un0 {
#define GEN_PASS_DEF_UN0TOCPU
#include "lib/Conversion/Passes.h.inc"
} // namespace un0

using namespace mlir;
using namespace un0;
using un0::cpu::kLine;
using un0::cpu::Packing;
using un0::cpu::padToLine;

/// Lines of 16 rows of a coupling with `sources` sources.
static int64_t getLines(int64_t sources, Precision precision, int64_t group) {
  if (precision == Precision::F32)
    return sources;
  return cpu::getPanelLines(llvm::divideCeil(sources, cpu::getPerWord(precision)), precision,
                            group);
}

LogicalResult CpuLowering::findChain() {
  chain.func = module.lookupSymbol<func::FuncOp>("generate");
  if (!chain.func)
    return module.emitError("no function @generate to lower");
  loc = chain.func.getLoc();
  if (failed(verifyGenerate(chain.func)))
    return failure();
  if (!cast<ShapedType>(chain.func.getArgument(0).getType()).getElementType().isF32())
    return chain.func.emitError("@generate computes in ")
           << cast<ShapedType>(chain.func.getArgument(0).getType()).getElementType()
           << ", which target cpu does not";
  // Walk back from the returned image.
  Value value = cast<func::ReturnOp>(chain.func.getBody().front().getTerminator()).getOperand(0);
  while (auto conv = value.getDefiningOp<un0::Conv2DOp>()) {
    chain.convs.push_back(conv);
    value = conv.getInput();
  }
  std::reverse(chain.convs.begin(), chain.convs.end());
  auto expand = value.getDefiningOp<tensor::ExpandShapeOp>();
  if (chain.convs.empty() || !expand)
    return chain.func.emitError("the image is not a chain of un0.conv2d on reshaped features");
  chain.readout = expand.getSrc().getDefiningOp<ReadoutOp>();
  if (!chain.readout)
    return expand.emitError("the reshaped features are not those of un0.readout");
  Value phases = chain.readout.getPhases();
  if (phases != chain.func.getArgument(0)) {
    chain.evolve = phases.getDefiningOp<EvolveOp>();
    if (!chain.evolve || phases != chain.evolve.getResult(0))
      return chain.readout.emitError(
          "reads phases that are neither the first state of un0.evolve nor the initial ones");
  }
  for (auto [i, conv] : llvm::enumerate(chain.convs)) {
    bool last = i + 1 == chain.convs.size();
    if (last && (conv.getUpsample() || conv.getActivation() == Activation::LeakyRelu))
      return conv.emitError(
          "the last convolution must have no upsampling, and tanh or no activation, on target cpu");
    if (!last && conv.getActivation() == Activation::Tanh)
      return conv.emitError("tanh is supported on the last convolution only, on target cpu");
    if (i == 0 && conv.getInputExponents())
      return conv.emitError("reads features, whose channels take no exponents on target cpu");
  }
  chain.oscillators = dim(chain.func.getArgument(0), 1);
  chain.conditioning = dim(chain.func.getArgument(1), 1);
  chain.features = dim(chain.readout.getFeatures(), 1);
  ArrayRef<int64_t> reshaped = cast<ShapedType>(expand.getType()).getShape();
  if (expand.getReassociationIndices()[0].size() != 1 || reshaped.size() != 4)
    return expand.emitError(
        "makes more of the features than channels x height x width of an image");
  Value image = chain.convs.back().getOutput();
  chain.channels = dim(image, 1);
  chain.height = dim(image, 2);
  chain.width = dim(image, 3);
  return success();
}

CpuLowering::PlaceMap::key_type CpuLowering::keyOf(Value param, const PlaceKey &key) {
  return {param.getDefiningOp<GetParamOp>().getParamAttr().getAttr(),
          key.packing,
          key.precision,
          key.columns,
          key.zeroPoint,
          key.form,
          key.inputExponents,
          key.outputExponents};
}

FailureOr<unsigned> CpuLowering::place(Value param, PlaceKey key, ArrayRef<int64_t> shape) {
  auto get = param.getDefiningOp<GetParamOp>();
  if (!get)
    return emitError(param.getLoc(), "expected a parameter, not a computed value, on target cpu");
  StringAttr symbol = get.getParamAttr().getAttr();
  auto [it, inserted] = places.insert({keyOf(param, key), Place()});
  auto index = static_cast<unsigned>(it - places.begin());
  if (!inserted)
    return index;
  int64_t bytes = 4;
  for (int64_t d : shape)
    if (llvm::MulOverflow(bytes, d, bytes))
      return get.emitError("parameter is too large to pack");
  auto op = cpu::PackedParamOp::create(
      b, loc, (symbol.getValue() + "_" + cpu::stringifyPacking(key.packing)).str(), symbol,
      key.packing, weightBytes, bytes, target.lanes, getGroup(), key.precision, key.zeroPoint,
      key.columns, key.form, key.inputExponents, key.outputExponents);
  symbols.insert(op);
  it->second = {op, SmallVector<int64_t>(shape)};
  if (llvm::AddOverflow(weightBytes, static_cast<int64_t>(llvm::alignTo(bytes, 64)), weightBytes))
    return get.emitError("parameters are too large to pack");
  ++numPacked;
  return index;
}

LogicalResult CpuLowering::placeParameters() {
  b.setInsertionPoint(chain.func);
  if (chain.evolve) {
    for (Operation &op : chain.evolve.getBody().front().without_terminator()) {
      if (auto rate = dyn_cast<FusedRateOp>(op)) {
        if (failed(verifyWaves(rate)))
          return failure();
        int64_t padded = padToLine(dim(rate.getResult(), 1));
        // Before the couplings, none of which may be the first in memory: Emitter::loadBrains.
        if (failed(place(rate.getFrequency(), {Packing::Vector}, {padded})))
          return failure();
        for (auto [term, coupling] : llvm::enumerate(rate.getCouplings())) {
          if (auto select = coupling.getDefiningOp<SelectClassOp>()) {
            if (failed(verifyClassTable(select, chain.func.getArgument(2))))
              return failure();
            Value table = select.getTable();
            SmallVector<int64_t> shape = {dim(table, 0) + 1, dim(table, 2), padded};
            if (select.getBits()) {
              shape.back() = cpu::getTableLines(padded);
              shape.push_back(kLine);
            }
            if (failed(place(table, {getTablePacking(select)}, shape)))
              return failure();
          } else {
            Precision precision = rate.getPrecision(term);
            if (failed(place(coupling, {Packing::Rows16, precision, rate.getGroup(term)},
                             {padded / kLine,
                              getLines(dim(coupling, 1), precision, rate.getGroup(term)), kLine})))
              return failure();
          }
        }
      } else if (auto drift = dyn_cast<DriftOp>(op)) {
        if (failed(place(drift.getFrequency(), {Packing::Vector},
                         {padToLine(dim(drift.getResult(), 1))})))
          return failure();
      } else if (!isa<SinCosOp>(op)) {
        return op.emitError("is not supported in a fused un0.evolve on target cpu");
      }
    }
  }
  FailureOr<SmallVector<ConvSchedule>> planned = scheduleConvolutions(
      chain.convs, target, getDecodeBatch(), module->hasAttr(cpu::kDirectAttr));
  if (failed(planned))
    return failure();
  schedules = std::move(*planned);
  for (auto [i, conv, schedule] : llvm::enumerate(chain.convs, schedules)) {
    int64_t inputs = dim(conv.getInput(), 1), out = dim(conv.getOutput(), 1),
            padded = padToLine(out), outputs = cpu::padToLanes(out, target.lanes);
    bool last = conv == chain.convs.back();
    Packing packing = last ? Packing::ConvPlanar : getPacking(conv, schedule);
    int64_t taps = conv.getUpsample() ? 16 : 9;
    int64_t size = last ? taps * cpu::padToLanes(inputs, target.lanes) * out
                        : taps * cpu::getSummedChannels(inputs) * outputs;
    int64_t zeroPoint = 0;
    // Channels are divided where they are made.
    DenseI64ArrayAttr divided;
    if (!last)
      divided = chain.convs[i + 1].getInputExponentsAttr();
    if (readsBytes(conv)) {
      int64_t words = llvm::divideCeil(inputs, 4);
      words = cpu::padToLanes(words, cpu::getPlanarLanes(words, target.lanes));
      zeroPoint = *conv.getInputZeroPoint();
      size = last                 ? 2 * padded + 9 * words * out
             : conv.getUpsample() ? 4 * cpu::getByteWeightWords(inputs, 4, outputs)
                                  : cpu::getByteWeightWords(inputs, 9, outputs);
    }
    if (packing == Packing::ConvPlanes)
      size = cpu::getPlaneWords(schedule.form, readsBytes(conv), inputs, outputs);
    PlaceKey weight = {packing,       conv.getPrecision(),          /*columns=*/0, zeroPoint,
                       schedule.form, conv.getInputExponentsAttr(), divided};
    PlaceKey bias = {Packing::Vector};
    bias.outputExponents = divided;
    FailureOr<unsigned> weightPlace = place(conv.getWeight(), weight, {size});
    FailureOr<unsigned> biasPlace = place(conv.getBias(), bias, {padded});
    if (failed(weightPlace) || failed(biasPlace))
      return failure();
    convPlaces[conv] = {*weightPlace, *biasPlace};
  }
  // A module without parameters still has a section to point at.
  weightBytes = std::max<int64_t>(weightBytes, 64);
  return success();
}

Value CpuLowering::packed(Value param, Packing packing, Precision precision, int64_t columns) {
  return packed(static_cast<unsigned>(places.find(keyOf(param, {packing, precision, columns})) -
                                      places.begin()));
}

Value CpuLowering::packed(unsigned place) {
  Place &at = places.begin()[place].second;
  Value offset = arith::ConstantIndexOp::create(b, loc, at.op.getOffset());
  bool floats = at.op.getPrecision() == Precision::F32 && at.op.getPacking() != Packing::ClassWords;
  MemRefType type = floats ? f32(at.shape) : MemRefType::get(at.shape, b.getI32Type());
  return memref::ViewOp::create(b, loc, type, weights, offset, ValueRange());
}

Location CpuLowering::locate(Value param, Location place) {
  auto get = param.getDefiningOp<GetParamOp>();
  if (!get || !isa<UnknownLoc>(place))
    return place;
  return NameLoc::get(get.getParamAttr().getAttr());
}

func::FuncOp CpuLowering::beginEntry(StringRef kind, int64_t batch, ArrayRef<Type> arguments) {
  b.setInsertionPoint(chain.func);
  SmallVector<Type> inputs = {MemRefType::get({weightBytes}, b.getI8Type()),
                              MemRefType::get({0}, b.getI8Type())};
  llvm::append_range(inputs, arguments);
  std::string name = "un0_" + kind.str() + (kind == "evolve" ? "_" + std::to_string(batch) : "");
  auto func = func::FuncOp::create(b, loc, name, b.getFunctionType(inputs, {}));
  func->setAttr("cpu.entry", b.getStringAttr(kind));
  func->setAttr("cpu.batch", b.getI64IntegerAttr(batch));
  symbols.insert(func);
  Block *block = func.addEntryBlock();
  b.setInsertionPointToStart(block);
  weights = block->getArgument(0);
  arena = block->getArgument(1);
  ++numEntries;
  return func;
}

void CpuLowering::buildReadout() {
  int64_t n = chain.oscillators, padded = padToLine(n);
  func::FuncOp func = beginEntry("readout", 1, {f32({n}), f32({chain.features})});
  Value rows = memref::ExpandShapeOp::create(b, loc, ArrayRef<int64_t>{1, n}, func.getArgument(2),
                                             SmallVector<ReassociationIndices>{{0, 1}});
  Value phases = alloc({padded});
  cpu::LoadPhasesOp::create(b, loc, rows, phases);
  cpu::ReadoutOp::create(b, loc, phases, alloc({3, padded}), func.getArgument(3),
                         b.getI64IntegerAttr(n), chain.readout.getReferenceAttr(),
                         chain.readout.getEncodingAttr());
  func::ReturnOp::create(b, loc);
}

void CpuLowering::describe() {
  // Integer sums are exact; with them the whole result is to be the same on every processor.
  bool bytes = llvm::any_of(chain.convs, readsBytes), levels = false;
  chain.func.walk([&](FusedRateOp rate) {
    for (unsigned term = 0; term < rate.getCouplings().size(); ++term) {
      bytes |= rate.getPrecision(term) == Precision::Int8;
      levels |= rate.getPrecision(term) == Precision::Int4;
    }
  });
  if (bytes || levels)
    module->setAttr(cpu::kExactAttr, b.getUnitAttr());
  if (target.hasByteTiles() && !bytes) {
    CpuTarget without = target;
    without.dropByteTiles();
    without.attach(module);
  }
  int64_t classes = 0;
  SmallVector<Attribute> costs;
  auto integer = [&](StringRef name, uint64_t value) {
    return b.getNamedAttr(name, b.getI64IntegerAttr(static_cast<int64_t>(value)));
  };
  chain.func.walk([&](Operation *op) {
    if (auto select = dyn_cast<SelectClassOp>(op))
      classes = dim(select.getTable(), 0);
    auto costed = dyn_cast<CostOpInterface>(op);
    if (!costed || isa<EvolveOp>(op))
      return;
    auto evolve = op->getParentOfType<EvolveOp>();
    uint64_t count = evolve ? evolve.getSteps() * getTableau(evolve.getSolver()).b.size() : 1;
    StringRef part = evolve || isa<SelectClassOp>(op) ? "dynamics"
                     : isa<ReadoutOp>(op)             ? "readout"
                                                      : "decoder";
    auto add = [&](const Cost &cost, StringRef arithmetic) {
      costs.push_back(b.getDictionaryAttr(
          {b.getNamedAttr("op", b.getStringAttr(op->getName().getStringRef())),
           b.getNamedAttr("part", b.getStringAttr(part)),
           b.getNamedAttr("arithmetic", b.getStringAttr(arithmetic)), integer("count", count),
           integer("multiply_adds", cost.multiplyAdds), integer("bits", cost.bits),
           integer("special_functions", cost.specialFunctions),
           integer("parameter_bytes", cost.parameterBytes), integer("bytes_read", cost.bytesRead),
           integer("bytes_written", cost.bytesWritten)}));
    };
    if (auto conv = dyn_cast<un0::Conv2DOp>(op))
      return add(costed.getCost(), getArithmetic(conv));
    auto rate = dyn_cast<FusedRateOp>(op);
    if (!rate)
      return add(costed.getCost(), "f32");
    // A row per coupling: each has an arithmetic of its own.
    Cost rest = rate.getCost();
    for (unsigned term = 0; term < rate.getCouplings().size(); ++term) {
      Cost cost = rate.getTermCost(term);
      add(cost, getArithmetic(rate.getPrecision(term)));
      rest -= cost;
    }
    rest.bits = 0;
    add(rest, "f32");
  });
  module->setAttr("un0.costs", b.getArrayAttr(costs));
  SmallVector<Attribute> rows;
  for (auto [conv, schedule] : llvm::zip(chain.convs, schedules))
    rows.push_back(
        b.getDictionaryAttr({b.getNamedAttr("op", b.getStringAttr(getOperatorName(conv))),
                             b.getNamedAttr("schedule", schedule.getAttr(b.getContext()))}));
  module->setAttr(cpu::kSchedulesAttr, b.getArrayAttr(rows));
  if (auto model = chain.func->getAttrOfType<DictionaryAttr>("un0.model")) {
    module->setAttr("un0.model", model);
    if (auto stated = model.getAs<IntegerAttr>("classes"))
      classes = stated.getInt();
  }
  SmallVector<NamedAttribute> signature = {integer("oscillators", chain.oscillators),
                                           integer("conditioning", chain.conditioning),
                                           integer("classes", classes),
                                           integer("features", chain.features),
                                           integer("channels", chain.channels),
                                           integer("height", chain.height),
                                           integer("width", chain.width)};
  module->setAttr("un0.signature", b.getDictionaryAttr(signature));
  // Of a digital part, the lowering that took the dynamics away has said them.
  if (module->hasAttr(cpu::kDigitalPartAttr))
    return;
  SmallVector<NamedAttribute> dynamics = {
      b.getNamedAttr(
          "solver",
          b.getStringAttr(chain.evolve ? stringifySolver(chain.evolve.getSolver()) : "euler")),
      integer("steps", chain.evolve ? chain.evolve.getSteps() : 0),
      b.getNamedAttr("time", b.getF64FloatAttr(
                                 chain.evolve ? chain.evolve.getTime().convertToDouble() : 0.0))};
  module->setAttr("un0.dynamics", b.getDictionaryAttr(dynamics));
}

LogicalResult CpuLowering::run() {
  if (failed(findChain()) || failed(placeParameters()))
    return failure();
  describe();
  bool evolves = !module->hasAttr(cpu::kDigitalPartAttr);
  if (!evolves && chain.evolve)
    return chain.evolve.emitError("is in a module whose phases arrive final (")
           << cpu::kDigitalPartAttr << ")";
  if (evolves &&
      (failed(buildEvolve(1)) || failed(buildEvolve(target.lanes)) ||
       (hasCoupling(target.getFewestWideBytes()) && failed(buildEvolve(2 * target.lanes))) ||
       (chain.evolve && failed(buildEvolve(1, /*team=*/true)))))
    return failure();
  buildReadout();
  buildDecode();
  if (paysToShareDecoder())
    buildDecodeTeam();
  chain.func.erase();
  return success();
}

namespace {
struct Un0ToCpuPass : un0::impl::Un0ToCpuBase<Un0ToCpuPass> {
  void runOnOperation() override {
    llvm::Expected<CpuTarget> target = CpuTarget::of(getOperation());
    if (!target) {
      getOperation().emitError(llvm::toString(target.takeError()));
      return signalPassFailure();
    }
    CpuLowering lowering(getOperation(), *target);
    if (failed(lowering.run()))
      return signalPassFailure();
    numEntries += lowering.numEntries;
    numPacked += lowering.numPacked;
  }
};

} // namespace
