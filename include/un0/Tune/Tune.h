//===- Tune.h - schedules by measurement, and files of them -----*- C++ -*-===//

#ifndef UN0_TUNE_TUNE_H
#define UN0_TUNE_TUNE_H

#include "un0/Codegen/CpuTarget.h"
#include "un0/Conversion/CpuSchedule.h"
#include "un0/Import/Import.h"

namespace un0 {

/// What `un0c --tune` takes without --tune-seconds.
constexpr double kDefaultTuneSeconds = 30;

/// Fails unless this machine runs code for `target`, naming what it lacks.
llvm::Error checkTunable(const CpuTarget &target);

/// One row of the table that `tuneDecoder` makes.
struct TunedConv {
  std::string name;
  cpu::ConvScheduleAttr before, after;
  double secondsBefore = 0, secondsAfter = 0; ///< of an image: mean of alone and in a batch tile
};

struct TuneReport {
  std::vector<TunedConv> convs;
  unsigned alternatives = 0; ///< compiled and timed
  bool complete = true;      ///< the search ended before its time did
};

/// Searches around the `cpu.schedule` of every convolution of `module` (phase `quantized`, after
/// un0-schedule-cpu), changing nothing that changes a byte, on this machine: the decoder is
/// compiled for `target` and run with its weights. Leaves the fastest found in the attributes.
llvm::Expected<TuneReport> tuneDecoder(mlir::ModuleOp module, ArchiveSet &archives,
                                       const CpuTarget &target, double seconds);

/// `{"convolutions": {"decoder_0_a_weight": {"batched": true, "images": 8, "rows": 2}, ...}}`.
/// Gives the convolutions named those blocks, the others what they have. The error names the file,
/// the operator and the value.
llvm::Error readScheduleFile(llvm::StringRef path, mlir::ModuleOp module, const CpuTarget &target);
llvm::Error writeScheduleFile(llvm::StringRef path, mlir::ModuleOp module);

/// "f4, 8 x 2, batched": the form, images and rows taken together.
std::string describeSchedule(cpu::ConvScheduleAttr schedule);

} // namespace un0

#endif // UN0_TUNE_TUNE_H
