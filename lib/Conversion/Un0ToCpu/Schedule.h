//===- Schedule.h - how the decoder's convolutions are computed -*- C++ -*-===//

#ifndef UN0_LIB_CONVERSION_UN0TOCPU_SCHEDULE_H
#define UN0_LIB_CONVERSION_UN0TOCPU_SCHEDULE_H

#include "un0/Codegen/CpuTarget.h"
#include "un0/Conversion/CpuSchedule.h"

namespace un0 {

/// What a ConvScheduleAttr says, while it is being decided.
struct ConvSchedule {
  cpu::ConvForm form = cpu::ConvForm::Direct;
  /// All images of a batch pass through this convolution before the next one begins, so that its
  /// weights are read once.
  bool batched = false;
  /// With planes: rows of points, and images, that are transformed at a time.
  int64_t rows = 1, images = 1;
  bool tuned = false;

  cpu::ConvScheduleAttr getAttr(mlir::MLIRContext *context) const {
    return cpu::ConvScheduleAttr::get(context, form, batched, images, rows, tuned);
  }
};

/// Images that `un0_decode` of `module` takes at most on a target of `lanes` lanes: a batch tile,
/// or one that is looked at.
inline int64_t getDecodeBatch(mlir::ModuleOp module, int64_t lanes) {
  return module->hasAttr(cpu::kObserveAttr) ? 1 : lanes;
}

/// A schedule for each convolution of a decoder on `target`, first to last: its `cpu.schedule`, or
/// what the cost model of docs/cpu-schedules.md makes of shapes and cache sizes. Convolutions stay
/// direct with `direct`, and in a batch of 1 none is batched. Fails with an error at a convolution
/// whose attribute does not fit the others or the batch.
llvm::FailureOr<llvm::SmallVector<ConvSchedule>>
scheduleConvolutions(llvm::ArrayRef<Conv2DOp> convs, const CpuTarget &target, int64_t batch,
                     bool direct);

/// The form that the cost model would choose for each convolution of a decoder if all were in
/// `precision`, f32 or int8.
llvm::SmallVector<cpu::ConvForm> chooseForms(llvm::ArrayRef<Conv2DOp> convs, Precision precision,
                                             const CpuTarget &target, bool direct);

} // namespace un0

#endif // UN0_LIB_CONVERSION_UN0TOCPU_SCHEDULE_H
