//===- ScheduleCpu.cpp - schedules as attributes ----------------*- C++ -*-===//

#include "Schedule.h"
#include "un0/Codegen/CpuTarget.h"
#include "un0/Conversion/Passes.h"

namespace un0 {
#define GEN_PASS_DEF_UN0SCHEDULECPU
#include "lib/Conversion/Passes.h.inc"
} // namespace un0

using namespace mlir;
using namespace un0;

namespace {
struct Un0ScheduleCpuPass : un0::impl::Un0ScheduleCpuBase<Un0ScheduleCpuPass> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    llvm::Expected<CpuTarget> target = CpuTarget::of(module);
    if (!target) {
      module.emitError(llvm::toString(target.takeError()));
      return signalPassFailure();
    }
    SmallVector<un0::Conv2DOp> convs = listConvolutions(module);
    int64_t batch = getDecodeBatch(module, target->lanes);
    FailureOr<SmallVector<ConvSchedule>> schedules =
        scheduleConvolutions(convs, *target, batch, module->hasAttr(cpu::kDirectAttr));
    if (failed(schedules))
      return signalPassFailure();
    for (auto [conv, schedule] : llvm::zip(convs, *schedules)) {
      ++(getSchedule(conv) ? numGiven : numChosen);
      setSchedule(conv, schedule.getAttr(&getContext()));
    }
  }
};
} // namespace
