//===- CpuSchedule.h - how the decoder's convolutions are computed -*- C++ -*-===//

#ifndef UN0_CONVERSION_CPUSCHEDULE_H
#define UN0_CONVERSION_CPUSCHEDULE_H

#include "dialects/Cpu/IR/Cpu.h"

namespace un0 {

/// The convolutions of `module`'s `@generate`, first to last; none without it.
llvm::SmallVector<Conv2DOp> listConvolutions(mlir::ModuleOp module);

/// Its `cpu.schedule`, null without one.
inline cpu::ConvScheduleAttr getSchedule(Conv2DOp conv) {
  return conv->getAttrOfType<cpu::ConvScheduleAttr>(cpu::kScheduleAttr);
}
inline void setSchedule(Conv2DOp conv, cpu::ConvScheduleAttr schedule) {
  conv->setAttr(cpu::kScheduleAttr, schedule);
}

/// A convolution of a decoder that cannot be computed as it is to be, and why.
struct ScheduleFault {
  size_t conv = 0;
  std::string message;
};

/// The first of `convs`, a whole decoder, that `schedules` do not fit on a target whose batch tile
/// has `batch` samples.
std::optional<ScheduleFault> findFault(llvm::ArrayRef<Conv2DOp> convs,
                                       llvm::ArrayRef<cpu::ConvScheduleAttr> schedules,
                                       int64_t batch);

} // namespace un0

#endif // UN0_CONVERSION_CPUSCHEDULE_H
