//===- VerifyProgram.cpp - what the accelerator's phases guarantee -*- C++ -*-===//

#include "Hardware.h"
#include "dialects/Dsa/Transforms/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SmallSet.h"

namespace un0 {
#define GEN_PASS_DEF_DSAVERIFYMAPPED
#define GEN_PASS_DEF_DSAVERIFYSCHEDULED
#include "dialects/Dsa/Transforms/Passes.h.inc"
} // namespace un0

using namespace mlir;
using namespace un0;
using dsa::Hardware;
using dsa::HardwareKind;

namespace {

class ProgramChecker {
public:
  ProgramChecker(ModuleOp module, StringRef phase) : module(module), phase(phase) {}

  LogicalResult check(unsigned &total);

private:
  LogicalResult checkOps(unsigned &total);
  LogicalResult checkHardware();
  LogicalResult checkData(dsa::DataOp data);
  LogicalResult checkBanks();

  ModuleOp module;
  StringRef phase;
  dsa::ProgramOp program;
  Hardware hardware;
};

bool isOfModule(Operation *op) {
  return isa<func::FuncOp, func::ReturnOp, arith::ConstantOp, tensor::DimOp, tensor::ExpandShapeOp,
             ParamOp, GetParamOp, ReadoutOp, un0::Conv2DOp>(op);
}

bool isOfDynamics(Operation *op) {
  return isa<SelectClassOp, EvolveOp, YieldOp, SinCosOp, FusedRateOp, DriftOp>(op);
}

} // namespace

LogicalResult ProgramChecker::checkOps(unsigned &total) {
  struct Offender {
    unsigned count = 0;
    Operation *first = nullptr;
  };
  llvm::MapVector<OperationName, Offender> offenders;
  bool digital = hardware.kind == HardwareKind::Digital, swaps = phase != "mapped";
  unsigned count = 0;
  module.walk([&](Operation *op) {
    ++total;
    if (op == module || isOfModule(op) || (digital && isOfDynamics(op)) ||
        (isa_and_nonnull<dsa::DsaDialect>(op->getDialect()) && (swaps || !isa<dsa::SwapOp>(op))))
      return;
    Offender &offender = offenders[op->getName()];
    ++count;
    if (!offender.count++)
      offender.first = op;
  });
  if (offenders.empty())
    return success();
  InFlightDiagnostic diagnostic = module.emitError();
  llvm::interleaveComma(offenders, diagnostic, [&](const auto &entry) {
    diagnostic << entry.second.count << " x " << entry.first;
  });
  diagnostic << (count == 1 ? " is" : " are") << " not supported in phase '" << phase
             << "' on hardware '" << hardware.name << "'";
  for (const auto &[name, offender] : offenders)
    diagnostic.attachNote(offender.first->getLoc())
        << (offender.count == 1 ? "" : "first ") << name
        << (offender.count == 1 ? " is here" : " of several is here");
  return diagnostic;
}

LogicalResult ProgramChecker::checkData(dsa::DataOp data) {
  auto constant = [&](const char *name) { return static_cast<int64_t>(hardware.get(name)); };
  int64_t most = std::max<int64_t>(constant("coupling_levels") - 1, 0) / 2;
  StringRef what = "coupling levels";
  if (data.getContent() == dsa::Content::Frequencies) {
    int64_t bits = constant("frequency_bits");
    most = bits > 0 ? (int64_t(1) << (bits - 1)) - 1 : 0;
    what = "frequency levels";
  }
  if (data.getLimit() != most)
    return data.emitOpError("has ") << what << " up to " << data.getLimit() << ", hardware '"
                                    << hardware.name << "' up to " << most;
  return success();
}

LogicalResult ProgramChecker::checkHardware() {
  int64_t tiles = static_cast<int64_t>(hardware.get("tile_count")),
          size = static_cast<int64_t>(hardware.get("tile_oscillators")),
          inputs = static_cast<int64_t>(hardware.get("link_inputs"));
  SymbolTable symbols(program);
  for (Operation &op : program.getBody().front()) {
    if (auto tile = dyn_cast<dsa::TileOp>(op)) {
      if (tile.getIndex() >= tiles)
        return tile.emitOpError("is tile ")
               << tile.getIndex() << ", hardware '" << hardware.name << "' has " << tiles;
      if (size && tile.getSize() > size)
        return tile.emitOpError("uses ") << tile.getSize() << " oscillators, tiles of hardware '"
                                         << hardware.name << "' have " << size;
    } else if (auto data = dyn_cast<dsa::DataOp>(op)) {
      if (failed(checkData(data)))
        return failure();
    }
  }
  WalkResult result = program.walk([&](dsa::LinkOp link) {
    int64_t columns = symbols.lookup<dsa::DataOp>(link.getData()).getColumns();
    if (columns <= inputs)
      return WalkResult::advance();
    link.emitOpError("has ") << columns << " sources, hardware '" << hardware.name << "' has "
                             << inputs << " link inputs";
    return WalkResult::interrupt();
  });
  return failure(result.wasInterrupted());
}

/// What was loaded must act before its tile runs. A loop's second turn finds what the first left.
LogicalResult ProgramChecker::checkBanks() {
  bool twoBanks = hardware.get("coupling_banks") == 2;
  llvm::SmallSet<StringRef, 4> acting; // tiles with a bank that was swapped in
  WalkResult result = program.walk([&](Operation *op) {
    if (auto swap = dyn_cast<dsa::SwapOp>(op)) {
      if (!twoBanks) {
        swap.emitOpError("needs two banks of couplings, hardware '")
            << hardware.name << "' has one";
        return WalkResult::interrupt();
      }
      acting.insert(swap.getTile());
    } else if (auto run = dyn_cast<dsa::RunOp>(op); run && twoBanks) {
      if (!acting.count(run.getTile())) {
        run.emitOpError("runs tile '") << run.getTile() << "' before couplings were swapped in";
        return WalkResult::interrupt();
      }
    }
    return WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}

LogicalResult ProgramChecker::check(unsigned &total) {
  auto programs = module.getOps<dsa::ProgramOp>();
  if (!llvm::hasSingleElement(programs))
    return module.emitError("phase '") << phase << "' needs one dsa.program, there are "
                                       << std::distance(programs.begin(), programs.end());
  program = *programs.begin();
  if (rt::Status status = dsa::parseHardware(program.getHardware().str(),
                                             program.getHardwareName().str(), hardware))
    return program.emitOpError() << status.message();
  if (hardware.name != program.getHardwareName())
    return program.emitOpError("is on '")
           << program.getHardwareName() << "' but its description is of '" << hardware.name << "'";
  if (failed(checkOps(total)))
    return failure();
  if (hardware.kind == HardwareKind::Oscillators &&
      (failed(checkHardware()) || (phase == "scheduled" && failed(checkBanks()))))
    return failure();
  module->setAttr(kPhaseAttr, StringAttr::get(module.getContext(), phase));
  return success();
}

namespace {
struct DsaVerifyMappedPass : un0::impl::DsaVerifyMappedBase<DsaVerifyMappedPass> {
  void runOnOperation() override {
    unsigned total = 0;
    if (failed(ProgramChecker(getOperation(), "mapped").check(total)))
      signalPassFailure();
    numOps += total;
  }
};

struct DsaVerifyScheduledPass : un0::impl::DsaVerifyScheduledBase<DsaVerifyScheduledPass> {
  void runOnOperation() override {
    unsigned total = 0;
    if (failed(ProgramChecker(getOperation(), "scheduled").check(total)))
      signalPassFailure();
    numOps += total;
  }
};
} // namespace
