//===- Quantize.cpp - the driver's part of the phase quantized --*- C++ -*-===//

#include "Quantize.h"

#include "Fail.h"
#include "dialects/Un0/Transforms/Passes.h"
#include "mlir/Pass/PassManager.h"
#include "un0/Quantize/Calibrate.h"
#include "un0/Quantize/Precisions.h"

using namespace mlir;
using namespace un0;
using llvm::Error;
using llvm::Expected;

namespace {

class Quantization : Failing {
public:
  Quantization(const CompileOptions &options, ModuleOp module, ArchiveSet &archives,
               const CpuTarget &target, llvm::raw_ostream &errors)
      : Failing(errors), options(options), module(module), archives(archives), target(target) {}

  LogicalResult run();

private:
  LogicalResult chooseAutomatically();
  LogicalResult quantizeCouplings();
  LogicalResult quantizeDecoder(ArrayRef<Choice> choices);
  LogicalResult chooseDecoder(std::vector<Choice> &choices);
  LogicalResult checkDecoder();
  /// Every convolution in what the flags say without files and measurements.
  std::vector<Choice> getDecoderDefault();
  void printTable();

  const CompileOptions &options;
  ModuleOp module;
  ArchiveSet &archives;
  const CpuTarget &target;
  // With auto.
  ErrorLimits limits;
  MeasuredModel measured;
  std::vector<Candidate> candidates;
};

std::vector<Choice> Quantization::getDecoderDefault() {
  bool bytes = options.decoderPrecision.empty()
                   ? options.precision == "int8" || options.precision == "int4"
                   : options.decoderPrecision == "int8";
  std::vector<Choice> choices;
  for (std::string &name : listConvolutionNames(module))
    choices.push_back({std::move(name), bytes ? Precision::Int8 : Precision::F32});
  return choices;
}

void Quantization::printTable() {
  size_t width = 24;
  for (const Candidate &c : candidates)
    width = std::max(width, c.name.size());
  auto pad = [&](StringRef name) { return name.str() + std::string(width - name.size(), ' '); };
  errors << llvm::formatv("{0} {1,-9} {2,12} {3,12} {4,12}\n", pad("operator"), "precision",
                          "feature rms", "image rms", "modelled us");
  for (const Candidate &c : candidates)
    errors << llvm::formatv("{0} {1,-9} {2,12:E2} {3,12} {4,12:f1}{5}\n", pad(c.name),
                            stringifyPrecision(c.precision), c.featureError,
                            limits.images ? llvm::formatv("{0:E2}", c.imageError).str() : "-",
                            c.microseconds, c.chosen ? " *" : "");
}

static std::vector<Choice> getChosen(ArrayRef<Candidate> candidates) {
  std::vector<Choice> choices;
  for (const Candidate &c : candidates)
    if (c.chosen)
      choices.push_back({c.name, c.precision});
  return choices;
}

/// The convolutions' part of `auto`, where an error of the images is allowed and nothing is pinned.
LogicalResult Quantization::chooseDecoder(std::vector<Choice> &choices) {
  if (!limits.images || !options.decoderPrecision.empty())
    return success();
  Expected<std::vector<Candidate>> found =
      chooseConvolutions(module, archives, target, measured, *limits.images,
                         /*direct=*/options.convolution == "direct");
  if (!found)
    return fail(found.takeError());
  llvm::append_range(candidates, *found);
  choices = getChosen(*found);
  return success();
}

/// Precisions by measured error: `auto`.
LogicalResult Quantization::chooseAutomatically() {
  limits = {options.maxFeatureError, options.maxImageError};
  if (!limits.features && !limits.images)
    limits.features = 0.02;
  Expected<std::vector<Candidate>> found =
      choosePrecisions(module, archives, target, limits, measured, options.int4Group);
  if (!found)
    return fail(found.takeError());
  candidates = std::move(*found);
  PrecisionChoices choices = {getChosen(candidates), getDecoderDefault()};
  if (Error error = applyPrecisions(module, choices.couplings, options.int4Group))
    return fail(std::move(error));
  if (Error error = proveDrains(module, archives))
    return fail(std::move(error));
  if (failed(chooseDecoder(choices.convolutions)))
    return failure();
  printTable();
  if (failed(quantizeDecoder(choices.convolutions)) || failed(checkDecoder()))
    return failure();
  if (!options.precisionFile.empty())
    if (Error error = writePrecisionFile(options.precisionFile, choices))
      return fail(std::move(error));
  return success();
}

/// That a pinned int8 decoder leaves the images within the limit.
LogicalResult Quantization::checkDecoder() {
  if (!limits.images || options.decoderPrecision != "int8")
    return success();
  Expected<double> error = measureDecoder(module, archives, measured);
  if (!error)
    return fail(error.takeError());
  if (*error > *limits.images)
    return fail(llvm::formatv("images are off by {0:E2} rms with --decoder-precision=int8, more "
                              "than the {1:E2} of --max-image-error",
                              *error, *limits.images)
                    .str());
  return success();
}

LogicalResult Quantization::quantizeCouplings() {
  if (options.precision == "f32")
    return success();
  PassManager pm(module.getContext());
  Un0QuantizeCouplingsOptions passOptions;
  passOptions.precision = options.precision;
  passOptions.int4Group = options.int4Group;
  pm.addPass(createUn0QuantizeCouplings(passOptions));
  return pm.run(module);
}

LogicalResult Quantization::quantizeDecoder(ArrayRef<Choice> choices) {
  std::vector<std::string> names;
  for (const Choice &choice : choices)
    if (choice.precision == Precision::Int8)
      names.push_back(choice.name);
  if (names.empty())
    return success();
  // With the couplings as they will be: smaller than f32 ones, and the features that come of them.
  Expected<std::vector<ActivationRange>> ranges = calibrateConvolutions(module, archives, names);
  if (!ranges)
    return fail(ranges.takeError());
  return quantizeConvolutions(module, *ranges, names);
}

LogicalResult Quantization::run() {
  if (options.precision == "auto")
    return chooseAutomatically();
  PrecisionChoices pinned;
  if (!options.precisionFile.empty()) {
    Expected<PrecisionChoices> choices = readPrecisionFile(options.precisionFile);
    if (!choices)
      return fail(choices.takeError());
    pinned = std::move(*choices);
  }
  if (failed(quantizeCouplings()))
    return failure();
  if (!options.precisionFile.empty()) {
    Error error = applyPrecisions(module, pinned.couplings, options.int4Group);
    if (!error)
      error = checkConvolutions(module, pinned.convolutions);
    if (error)
      return fail("precision file '" + options.precisionFile +
                  "': " + llvm::toString(std::move(error)));
  }
  if (Error error = proveDrains(module, archives))
    return fail(std::move(error));
  std::vector<Choice> decoder = getDecoderDefault();
  for (Choice &choice : decoder)
    for (const Choice &pin : pinned.convolutions)
      if (pin.name == choice.name)
        choice = pin;
  return quantizeDecoder(decoder);
}

} // namespace

LogicalResult un0::quantizeModule(const CompileOptions &options, ModuleOp module,
                                  ArchiveSet &archives, const CpuTarget &target,
                                  llvm::raw_ostream &errors) {
  return Quantization(options, module, archives, target, errors).run();
}
