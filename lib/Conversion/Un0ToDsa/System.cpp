//===- System.cpp - the dynamical system of a model -------------*- C++ -*-===//

#include "System.h"
#include <cmath>

using namespace mlir;
using namespace un0;
using llvm::Expected;

static int64_t getWidth(Value value) { return cast<ShapedType>(value.getType()).getDimSize(1); }

/// The phases whose sine and cosine a term of a rate takes.
static Value getSource(Value sine) {
  auto waves = sine.getDefiningOp<SinCosOp>();
  return waves ? waves.getPhases() : Value();
}

namespace {
struct SystemFinder {
  bool anyPrecision = false; // a digital engine's couplings may be quantized
  DsaSystem system;
  Value conditioningPhases; // inside the region; null without

  LogicalResult setOnce(ParamOp &place, Value value, Operation *op, StringRef what) {
    if (place)
      return op->emitError("has two ") << what << "; a tile has one";
    place = getParameter(value);
    if (!place)
      return op->emitError("has ") << what << " that are computed; a tile loads parameters";
    return success();
  }

  LogicalResult checkPrecision(FusedRateOp rate, unsigned term) {
    if (anyPrecision || rate.getPrecision(term) == Precision::F32)
      return success();
    return rate.emitError("has a coupling in ")
           << stringifyPrecision(rate.getPrecision(term))
           << "; on an accelerator the hardware says the levels";
  }

  LogicalResult addMainRate(FusedRateOp rate, Value phases) {
    if (failed(verifyWaves(rate)) ||
        failed(setOnce(system.frequency, rate.getFrequency(), rate, "frequencies")))
      return failure();
    for (auto [term, coupling, sine] : llvm::enumerate(rate.getCouplings(), rate.getSines())) {
      if (failed(checkPrecision(rate, term)))
        return failure();
      if (getSource(sine) == phases) {
        if (coupling.getDefiningOp<SelectClassOp>())
          return rate.emitError("has couplings of the main oscillators that differ from class to "
                                "class; a tile's are the same for all samples");
        if (failed(setOnce(system.coupling, coupling, rate, "couplings of one population")))
          return failure();
      } else if (getSource(sine) == conditioningPhases) {
        if (auto select = coupling.getDefiningOp<SelectClassOp>();
            select && failed(verifyClassTable(select, system.func.getArgument(2))))
          return failure();
        if (failed(setOnce(system.drive, coupling, rate, "drives")))
          return failure();
      } else {
        return rate.emitError("has a coupling whose source is neither of the two populations");
      }
    }
    return success();
  }

  LogicalResult addConditioningRate(FusedRateOp rate) {
    if (failed(verifyWaves(rate)) ||
        failed(setOnce(system.conditioningFrequency, rate.getFrequency(), rate, "frequencies")))
      return failure();
    for (auto [term, coupling, sine] : llvm::enumerate(rate.getCouplings(), rate.getSines())) {
      if (failed(checkPrecision(rate, term)))
        return failure();
      if (getSource(sine) != conditioningPhases || coupling.getDefiningOp<SelectClassOp>())
        return rate.emitError("is of a conditioning system that others act on; links between tiles "
                              "are one way");
      if (failed(
              setOnce(system.conditioningCoupling, coupling, rate, "couplings of one population")))
        return failure();
    }
    return success();
  }

  LogicalResult addEvolve() {
    EvolveOp evolve = system.evolve;
    Block &body = evolve.getBody().front();
    system.time = evolve.getTime().convertToDouble();
    if (evolve.getInitial().size() > 2)
      return evolve.emitError("has ") << evolve.getInitial().size()
                                      << " populations; an accelerator takes two, main and "
                                         "conditioning oscillators";
    for (auto [i, initial] : llvm::enumerate(evolve.getInitial()))
      if (initial != system.func.getArgument(i))
        return evolve.emitError("initial state ")
               << i << " is not argument " << i << " of @generate";
    DriftOp drift;
    for (auto op : body.getOps<DriftOp>()) {
      if (drift || evolve.getInitial().size() > 1 || op.getInitial() != system.func.getArgument(1))
        return op.emitError("is a free population other than the conditioning system");
      drift = op;
    }
    if (evolve.getInitial().size() > 1)
      conditioningPhases = body.getArgument(1);
    else if (drift)
      conditioningPhases = drift.getResult();
    if (drift &&
        failed(setOnce(system.conditioningFrequency, drift.getFrequency(), drift, "frequencies")))
      return failure();
    for (auto [i, value] : llvm::enumerate(evolve.getYield().getRates())) {
      auto rate = value.getDefiningOp<FusedRateOp>();
      if (!rate)
        return evolve.getYield().emitError("rate ") << i << " is not a un0.fused_rate";
      if (failed(i == 0 ? addMainRate(rate, body.getArgument(0)) : addConditioningRate(rate)))
        return failure();
    }
    return success();
  }
};
} // namespace

FailureOr<DsaSystem> un0::findSystem(ModuleOp module, bool anyPrecision) {
  SystemFinder finder;
  finder.anyPrecision = anyPrecision;
  DsaSystem &system = finder.system;
  system.func = module.lookupSymbol<func::FuncOp>("generate");
  if (!system.func)
    return module.emitError("no function @generate to map");
  if (failed(verifyGenerate(system.func)))
    return failure();
  auto readouts = system.func.getOps<ReadoutOp>();
  if (!llvm::hasSingleElement(readouts))
    return system.func.emitError("@generate has no single un0.readout");
  system.readout = *readouts.begin();
  system.oscillators = getWidth(system.func.getArgument(0));
  system.conditioning = getWidth(system.func.getArgument(1));
  Value phases = system.readout.getPhases();
  if (phases != system.func.getArgument(0)) {
    system.evolve = phases.getDefiningOp<EvolveOp>();
    if (!system.evolve || phases != system.evolve.getResult(0))
      return system.readout.emitError(
          "reads phases that are neither the first state of un0.evolve nor the initial ones");
    if (failed(finder.addEvolve()))
      return failure();
  }
  // No oscillators drive nothing, and no tile is needed for them.
  if (system.conditioning == 0)
    system.drive = system.conditioningCoupling = system.conditioningFrequency = ParamOp();
  system.func.walk([&](SelectClassOp select) {
    system.classes = cast<ShapedType>(select.getTable().getType()).getDimSize(0);
  });
  if (auto model = system.func->getAttrOfType<DictionaryAttr>("un0.model"))
    if (auto stated = model.getAs<IntegerAttr>("classes"))
      system.classes = stated.getInt();
  return system;
}

Expected<SystemWeights> SystemWeights::open(const DsaSystem &system, ArchiveSet &archives) {
  SystemWeights weights;
  for (auto [param, place] :
       {std::make_pair(system.coupling, &weights.coupling),
        std::make_pair(system.frequency, &weights.frequency),
        std::make_pair(system.drive, &weights.drive),
        std::make_pair(system.conditioningCoupling, &weights.conditioningCoupling),
        std::make_pair(system.conditioningFrequency, &weights.conditioningFrequency)}) {
    if (!param)
      continue;
    Expected<Weights> opened = Weights::open(param, archives);
    if (!opened)
      return opened.takeError();
    place->emplace(std::move(*opened));
  }
  return weights;
}

double un0::boundMotion(const DsaSystem &system, const SystemWeights &weights) {
  int64_t n = system.oscillators;
  std::vector<float> row;
  auto sumOf = [&](const Weights &matrix, int64_t slice, int64_t i) {
    row.resize(matrix.getColumns());
    matrix.read(slice, i, 0, 1, matrix.getColumns(), row);
    double sum = 0;
    for (float value : row)
      sum += std::fabs(value);
    return sum;
  };
  std::vector<float> frequencies(n, 0.0f);
  if (weights.frequency)
    weights.frequency->read(0, 0, 0, 1, n, frequencies);
  double bound = 0;
  for (int64_t i = 0; i < n; ++i) {
    double own = std::fabs(frequencies[i]), drive = 0;
    if (weights.coupling)
      own += sumOf(*weights.coupling, 0, i);
    if (weights.drive)
      for (int64_t c = 0; c < weights.drive->getSlices(); ++c)
        drive = std::max(drive, sumOf(*weights.drive, c, i));
    bound = std::max(bound, own + drive);
  }
  return bound;
}
