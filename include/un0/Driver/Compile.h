//===- Compile.h - what un0c does, as a library -----------------*- C++ -*-===//

#ifndef UN0_DRIVER_COMPILE_H
#define UN0_DRIVER_COMPILE_H

#include "un0/Pipelines/Phases.h"
#include "llvm/Support/raw_ostream.h"
#include <string>
#include <vector>

namespace un0 {

struct CompileOptions {
  std::string input, output;
  Target target = Target::Cpu;
  /// The processor, also for the digital part of a program for an accelerator.
  std::string cpu = "host";
  /// A processor with AVX2 on which instructions of `cpu` are emulated; empty: none.
  std::string emulateOn;
  /// With target dsa: a built-in description or a file, needed until the phase `mapped`.
  std::string hardware;
  /// What time-multiplexing may cost, rms of the features; unset: 0.15.
  std::optional<double> maxSplittingError;
  /// f32, int16, bf16, int8, int4 or auto; empty: int8 on a digital accelerator, f32 elsewhere.
  std::string precision;
  /// Columns of int4 couplings that choose between two sets of levels together: 4, or 0 for one
  /// set.
  int64_t int4Group = 0;
  /// f32 or int8; empty: int8 where `precision` is int8 or int4, and with `auto` and
  /// `maxImageError` what is measured.
  std::string decoderPrecision;
  /// How convolutions are computed: "fast", in as few products as their shapes allow, or
  /// "direct".
  std::string convolution = "fast";
  /// JSON file that pins precisions by operator; with `auto`, the file that gets the choice.
  std::string precisionFile;
  /// What `auto` stays within, rms against f32; without either, 0.02 for features.
  std::optional<double> maxFeatureError, maxImageError;
  /// Searches for a faster schedule on this machine, for so many seconds; unset: 30.
  bool tune = false;
  std::optional<double> tuneSeconds;
  /// JSON file of schedules by operator; with `tune`, the file that gets them.
  std::string scheduleFile;
  Phase from = Phase::Import, to = Phase::Module;
  /// Directory that gets the IR at the end of each phase, empty for none.
  std::string dumpPhases;
  /// Overrides of the model's own integration; unset keeps it.
  std::optional<int64_t> steps;
  std::optional<std::string> solver;
  std::optional<double> time;
  bool externalWeights = false;
  bool allowNonfinite = false;
  /// Leaves the model-phase bytecode out of the module.
  bool strip = false;
  bool verbose = false;
  /// Reads the machine code: accumulators on the stack are an error.
  bool verifyCode = false;
  std::vector<std::string> passPlugins;
  /// Each "phase:pipeline": the pipeline runs at the end of the phase.
  std::vector<std::string> insertedPasses;
};

/// Compiles as the options say. Messages go to `errors`, one line each ("un0c: error: ..."), notes
/// below; with `verbose` also the time of each phase. On failure no output file is left.
llvm::LogicalResult compile(const CompileOptions &options, llvm::raw_ostream &errors);

} // namespace un0

#endif // UN0_DRIVER_COMPILE_H
