//===- Schedule.h - how the decoder's convolutions are computed -*- C++ -*-===//

#ifndef UN0_LIB_CONVERSION_UN0TOCPU_SCHEDULE_H
#define UN0_LIB_CONVERSION_UN0TOCPU_SCHEDULE_H

#include "dialects/Cpu/IR/Cpu.h"

namespace un0 {

struct ConvSchedule {
  cpu::ConvForm form = cpu::ConvForm::Direct;
  /// All images of a batch pass through this convolution before the next one begins, so that its
  /// weights are read once.
  bool batched = false;
  /// With planes: rows of points, and images, that are transformed at a time.
  int64_t rows = 1, images = 1;
};

/// The cost model of docs/cpu-schedules.md: a schedule for each convolution of a decoder, first to
/// last, from shapes and cache sizes. Convolutions stay direct with `direct`, and in a batch of 1
/// none is batched.
llvm::SmallVector<ConvSchedule> scheduleConvolutions(llvm::ArrayRef<Conv2DOp> convs, int64_t batch,
                                                     bool direct);

} // namespace un0

#endif // UN0_LIB_CONVERSION_UN0TOCPU_SCHEDULE_H
