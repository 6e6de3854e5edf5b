//===- Un0ToDsa.cpp - fused model to a program of an accelerator -*- C++ -*-===//

#include "un0/Conversion/Un0ToDsa.h"

#include "Lowering.h"
#include "dialects/Cpu/IR/Cpu.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "un0/Conversion/Passes.h"

namespace un0 {
#define GEN_PASS_DEF_UN0TODSA
#include "lib/Conversion/Passes.h.inc"
} // namespace un0

using namespace mlir;
using namespace un0;
using dsa::Hardware;
using dsa::HardwareKind;

LogicalResult DsaLowering::createProgram() {
  b.setInsertionPointToEnd(module.getBody());
  EvolveOp evolve = system.evolve;
  program = dsa::ProgramOp::create(
      b, loc, b.getStringAttr("dynamics"), b.getStringAttr(hardware.name),
      b.getStringAttr(hardware.toJson()), b.getI64IntegerAttr(system.oscillators),
      b.getI64IntegerAttr(system.conditioning), b.getI64IntegerAttr(system.classes),
      SolverAttr::get(b.getContext(), evolve ? evolve.getSolver() : Solver::Euler),
      b.getF64FloatAttr(system.time), FlatSymbolRefAttr::get(b.getContext(), "theta"));
  b.setInsertionPointToStart(&program.getBody().emplaceBlock());
  return success();
}

/// The name of an operator, by the weight that it reads: "decoder_0_a".
static std::string nameOf(un0::Conv2DOp conv) {
  StringRef name = getOperatorName(conv);
  name.consume_back("_weight");
  return name.empty() ? "conv2d" : name.str();
}

void DsaLowering::addDigitalOperators() {
  auto add = [&](StringRef name, dsa::Operator kind, const Cost &cost, uint64_t parameterBytes,
                 uint64_t reads) {
    // What multiplies nothing works on f32.
    dsa::ComputeOp::create(b, loc, name, kind, cost.bits ? cost.bits : 32, cost.multiplyAdds,
                           cost.specialFunctions, parameterBytes, reads, cost.bytesRead,
                           cost.bytesWritten);
  };
  if (hardware.kind == HardwareKind::Digital && system.evolve) {
    EvolveOp evolve = system.evolve;
    Cost cost = evolve.getCost();
    uint64_t evaluations = getNumStages(evolve.getSolver()) * evolve.getSteps();
    uint64_t reads = std::max<uint64_t>(evaluations, 1);
    uint64_t parameters = cost.parameterBytes / reads;
    system.func.walk([&](SelectClassOp select) {
      Cost gather = select.getCost();
      // A class's slice is read once per sample, like an activation.
      cost.bytesRead += gather.parameterBytes;
      cost.bytesWritten += gather.bytesWritten;
    });
    // What multiplies fewer bits costs less, so it stands apart.
    evolve.walk([&](FusedRateOp rate) {
      for (unsigned term = 0; term < rate.getCouplings().size(); ++term) {
        ParamOp param = getParameter(rate.getCouplings()[term]);
        if (!param || rate.getPrecision(term) == Precision::F32)
          continue;
        Cost own = rate.getTermCost(term);
        uint64_t ownParameters = evaluations ? own.parameterBytes : 0;
        own = own.times(evaluations);
        cost -= own;
        parameters -= ownParameters;
        add(("evolve_" + param.getSymName()).str(), dsa::Operator::Evolve, own, ownParameters,
            reads);
        cost.bits = 32;
      }
    });
    add("evolve", dsa::Operator::Evolve, cost, parameters, reads);
  }
  Cost readout = system.readout.getCost();
  add("readout", dsa::Operator::Readout, readout, readout.parameterBytes, 1);
  system.func.walk([&](un0::Conv2DOp conv) {
    Cost cost = conv.getCost();
    add(nameOf(conv), dsa::Operator::Conv2D, cost, cost.parameterBytes, 1);
  });
}

void DsaLowering::takeDynamicsAway() {
  EvolveOp evolve = system.evolve;
  auto integer = [&](StringRef name, int64_t value) {
    return b.getNamedAttr(name, b.getI64IntegerAttr(value));
  };
  // What the code's own description of the model would lack now.
  module->setAttr(
      "un0.dynamics",
      b.getDictionaryAttr(
          {b.getNamedAttr("solver",
                          b.getStringAttr(evolve ? stringifySolver(evolve.getSolver()) : "euler")),
           integer("steps", evolve ? evolve.getSteps() : 0),
           b.getNamedAttr("time", b.getF64FloatAttr(system.time))}));
  SmallVector<NamedAttribute> model;
  if (auto stated = system.func->getAttrOfType<DictionaryAttr>("un0.model"))
    llvm::append_range(model, stated);
  if (llvm::none_of(model, [](NamedAttribute a) { return a.getName() == "classes"; }))
    model.push_back(integer("classes", system.classes));
  system.func->setAttr("un0.model", b.getDictionaryAttr(model));
  module->setAttr(cpu::kDigitalPartAttr, b.getUnitAttr());
  if (evolve)
    eraseDynamics(evolve);
}

LogicalResult DsaLowering::run() {
  FailureOr<DsaSystem> found = findSystem(module, hardware.kind == HardwareKind::Digital);
  if (failed(found))
    return failure();
  system = *found;
  loc = system.func.getLoc();
  bool digital = hardware.kind == HardwareKind::Digital;
  auto opened = SystemWeights::open(system, archives);
  if (!opened)
    return system.func.emitError(llvm::toString(opened.takeError()));
  weights = std::move(*opened);
  if (!digital)
    motion = boundMotion(system, weights) * system.time;
  std::string obstacle = findObstacle(system, weights, hardware, motion);
  if (!obstacle.empty())
    return system.func.emitError("hardware '")
           << hardware.name << "' " << obstacle
           << "; built-in descriptions that do: " << listFitting(system, weights, motion);
  if (failed(createProgram()))
    return failure();
  if (digital) {
    declare<dsa::BufferOp>("theta", system.oscillators);
    addDigitalOperators();
    return success();
  }
  limits.emplace(hardware);
  if (failed(mapTiles()))
    return failure();
  addDigitalOperators();
  takeDynamicsAway();
  return success();
}

namespace {
struct Un0ToDsaPass : un0::impl::Un0ToDsaBase<Un0ToDsaPass> {
  explicit Un0ToDsaPass(ArchiveSet *archives) : archives(archives) {}

  void runOnOperation() override {
    ModuleOp module = getOperation();
    auto text = module->getAttrOfType<StringAttr>(dsa::kHardwareAttr);
    if (!text && hardwareName.empty()) {
      module.emitError("no hardware to map to: the module has no dsa.hardware");
      return signalPassFailure();
    }
    Hardware hardware;
    if (rt::Status status = hardwareName.empty() ? dsa::parseHardware(text.getValue().str(),
                                                                      "dsa.hardware", hardware)
                                                 : dsa::loadHardware(hardwareName, hardware)) {
      module.emitError(status.message());
      return signalPassFailure();
    }
    double budget = maxSplittingError;
    if (auto stated = module->getAttrOfType<FloatAttr>(dsa::kBudgetAttr))
      budget = stated.getValueAsDouble();
    module->removeAttr(dsa::kHardwareAttr);
    module->removeAttr(dsa::kBudgetAttr);
    ArchiveSet own("");
    DsaLowering lowering(module, archives ? *archives : own, hardware, budget);
    if (failed(lowering.run()))
      return signalPassFailure();
    numTiles += lowering.numTiles;
    numData += lowering.numData;
    numRuns += lowering.numRuns;
    numSkipped += lowering.numSkipped;
    numSweeps += lowering.numSweeps;
  }

  ArchiveSet *archives;
};
} // namespace

std::unique_ptr<Pass> un0::createUn0ToDsaPass(ArchiveSet *archives) {
  return std::make_unique<Un0ToDsaPass>(archives);
}
