//===- Compile.cpp - what un0c does, as a library ---------------*- C++ -*-===//

#include "un0/Driver/Compile.h"

#include "Fail.h"
#include "Hardware.h"
#include "Quantize.h"
#include "TuneTable.h"
#include "dialects/Cpu/IR/Cpu.h"
#include "dialects/Dsa/IR/Dsa.h"
#include "mlir/Bytecode/BytecodeWriter.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Tools/Plugins/DialectPlugin.h"
#include "mlir/Tools/Plugins/PassPlugin.h"
#include "runtime/report/OutputPath.h"
#include "un0/Conversion/Passes.h"
#include "un0/Import/Import.h"
#include "un0/Quantize/Precisions.h"
#include "un0/Target/CodeCheck.h"
#include "un0/Target/DsaDisassembler.h"
#include "un0/Target/EmitProgram.h"
#include "un0/Target/ModuleWriter.h"
#include "un0/Target/ObjectCode.h"
#include "un0/Target/WriteOutput.h"
#include "un0/Tune/Tune.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Process.h"
#include <chrono>

using namespace mlir;
using namespace un0;
using llvm::Error;
using llvm::Expected;

namespace {

using Clock = std::chrono::steady_clock;

/// In longer times f32 phases are noise.
constexpr double kMostTime = 1e6;

double secondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// A pipeline that a user put at a seam.
struct InsertedPass {
  Phase phase;
  std::string pipeline;
};

class Compilation : Failing {
public:
  Compilation(const CompileOptions &options, llvm::raw_ostream &errors)
      : Failing(errors), options(options), archives(options.input) {}

  LogicalResult run();

private:
  LogicalResult checkOptions();
  LogicalResult checkReach();
  LogicalResult checkPrecision();
  LogicalResult checkHardware();
  LogicalResult checkTuning();
  LogicalResult checkEmulation();
  LogicalResult loadPlugins(DialectRegistry &registry);
  LogicalResult read();
  LogicalResult enter(Phase phase);
  LogicalResult runPasses(Phase phase);
  LogicalResult schedule();
  LogicalResult finishPhase(Phase phase);
  LogicalResult writeIR(StringRef path);
  LogicalResult writeBytes(StringRef path, ArrayRef<char> bytes);
  LogicalResult writeProgram(StringRef path);
  LogicalResult compileDigitalPart();
  LogicalResult writeUn0();
  /// Whether `phase` comes after `other` in the phases of the target.
  bool isAfter(Phase phase, Phase other) const {
    return getPosition(options.target, phase) > getPosition(options.target, other);
  }
  std::string getPrecisionName();
  void printDiagnostic(Diagnostic &diagnostic);

  CompileOptions options; // with defaults that depend on the target filled in
  std::unique_ptr<MLIRContext> context;
  OwningOpRef<ModuleOp> module;
  ArchiveSet archives;
  CpuTarget target;
  std::optional<CpuTarget> emulateOn;
  dsa::Hardware hardware;
  std::vector<uint8_t> program; // encoded
  std::vector<InsertedPass> inserted;
  SmallVector<char, 0> code;
  std::string model;
  llvm::StringSet<> remarks; // that were printed
};

/// Flags that act on a phase behind the last one would be asked for in vain.
LogicalResult Compilation::checkReach() {
  bool precision = !options.precision.empty() && options.precision != "f32";
  const struct {
    StringRef flag;
    bool given;
    Phase phase;
  } flags[] = {{"--precision", precision, Phase::Quantized},
               {"--precision-file", !options.precisionFile.empty(), Phase::Quantized},
               {"--decoder-precision", !options.decoderPrecision.empty(), Phase::Quantized},
               {"--tune", options.tune, Phase::Loops},
               {"--schedule-file", !options.scheduleFile.empty(), Phase::Loops},
               {"--convolution", options.convolution != "fast", Phase::Loops},
               {"--verify-code", options.verifyCode, Phase::Object},
               {"--weights=external", options.externalWeights, Phase::Module}};
  for (const auto &[flag, given, phase] : flags)
    if (given && getPosition(options.target, phase) && isAfter(phase, options.to))
      return fail(flag + " acts on the phase '" + getPhaseName(phase) + "', behind '" +
                  getPhaseName(options.to) + "'");
  return success();
}

LogicalResult Compilation::checkPrecision() {
  if (options.precision.empty())
    options.precision = "f32";
  if (options.precision != "auto" && !symbolizePrecision(options.precision))
    return fail("precision '" + options.precision +
                "' does not exist; there are f32, int16, bf16, int8, int4 and auto");
  if (!options.decoderPrecision.empty() && options.decoderPrecision != "f32" &&
      options.decoderPrecision != "int8")
    return fail("--decoder-precision is 'f32' or 'int8', got '" + options.decoderPrecision + "'");
  if (options.convolution != "fast" && options.convolution != "direct")
    return fail("--convolution is 'fast' or 'direct', got '" + options.convolution + "'");
  if (options.int4Group && options.int4Group != kLevelGroup)
    return fail("--int4-group is 0 or " + Twine(kLevelGroup) + ", got " + Twine(options.int4Group));
  if (options.int4Group && options.precisionFile.empty() &&
      !llvm::is_contained({"int4", "auto"}, options.precision))
    return fail("--int4-group needs --precision=int4 or auto, or a --precision-file");
  if (options.precision != "auto" && (options.maxFeatureError || options.maxImageError))
    return fail("--max-feature-error and --max-image-error need --precision=auto");
  for (const std::optional<double> &limit : {options.maxFeatureError, options.maxImageError})
    if (limit && !(std::isfinite(*limit) && *limit > 0))
      return fail("an error limit must be finite and positive, got " +
                  llvm::formatv("{0}", *limit).str());
  if (!isAfter(Phase::Quantized, options.from) &&
      (options.precision != "f32" || !options.precisionFile.empty() ||
       !options.decoderPrecision.empty() || options.int4Group))
    return fail("--precision acts on the phase 'quantized', which '" + getPhaseName(options.from) +
                "' is or follows");
  return success();
}

LogicalResult Compilation::checkHardware() {
  if (options.maxSplittingError &&
      !(std::isfinite(*options.maxSplittingError) && *options.maxSplittingError > 0))
    return fail("--max-splitting-error must be finite and positive, got " +
                llvm::formatv("{0}", *options.maxSplittingError).str());
  bool late = !isAfter(Phase::Mapped, options.from);
  if (options.target == Target::Cpu) {
    if (!options.hardware.empty() || options.maxSplittingError)
      return fail("--hardware and --max-splitting-error need --target=dsa");
    return success();
  }
  if (late && (!options.hardware.empty() || options.maxSplittingError))
    return fail("--hardware and --max-splitting-error act on the phase 'mapped', which '" +
                getPhaseName(options.from) + "' is or follows");
  if (late)
    return success();
  if (options.hardware.empty())
    return fail("--target=dsa needs --hardware=NAME or a file; built in are " +
                llvm::join(dsa::builtinHardwareNames(), ", "));
  if (rt::Status status = dsa::loadHardware(options.hardware, hardware))
    return fail("--hardware: " + status.message());
  // What the engines of this size multiply, and what their constants are published for.
  if (options.precision.empty() && hardware.kind == dsa::HardwareKind::Digital &&
      isAfter(Phase::Quantized, options.from))
    options.precision = "int8";
  if (hardware.kind == dsa::HardwareKind::Oscillators &&
      ((!options.precision.empty() && options.precision != "f32") ||
       !options.precisionFile.empty()))
    return fail("--precision is f32 on hardware '" + hardware.name +
                "', whose description says the levels; the decoder has --decoder-precision");
  return success();
}

LogicalResult Compilation::checkTuning() {
  if (options.tuneSeconds && !options.tune)
    return fail("--tune-seconds needs --tune");
  if (options.tuneSeconds && !(std::isfinite(*options.tuneSeconds) && *options.tuneSeconds > 0))
    return fail("--tune-seconds must be finite and positive, got " +
                llvm::formatv("{0}", *options.tuneSeconds).str());
  if (!options.tune && options.scheduleFile.empty())
    return success();
  StringRef flag = options.tune ? "--tune" : "--schedule-file";
  if (options.target != Target::Cpu)
    return fail(flag + " needs --target=cpu");
  if (!isAfter(Phase::Loops, options.from))
    return fail(flag + " acts on the phase 'loops', which '" + getPhaseName(options.from) +
                "' is or follows");
  if (options.tune)
    if (Error error = checkTunable(target))
      return fail("--tune: " + llvm::toString(std::move(error)));
  return success();
}

LogicalResult Compilation::checkOptions() {
  for (Phase phase : {options.from, options.to})
    if (!getPosition(options.target, phase))
      return fail("phase '" + getPhaseName(phase) + "' is not one of target " +
                  getTargetName(options.target));
  if (isAfter(options.from, options.to))
    return fail("cannot compile from phase '" + getPhaseName(options.from) +
                "' to the earlier phase '" + getPhaseName(options.to) + "'");
  if (!isIRPhase(options.from))
    return fail("cannot start from phase '" + getPhaseName(options.from) + "': it is not IR");
  if (failed(checkReach()) || failed(checkHardware()) || failed(checkPrecision()))
    return failure();
  if (options.steps && (*options.steps < 0 || *options.steps > kMaxSteps))
    return fail("--steps must be from 0 to " + Twine(kMaxSteps) + ", got " + Twine(*options.steps));
  if (options.time && !(*options.time >= 0 && *options.time <= kMostTime))
    return fail("--time must be from 0 to 1000000");
  if (options.output.empty() && !isIRPhase(options.to) && options.to != Phase::Program)
    return fail("no output file; name one with -o");
  if (!options.output.empty() && options.output != "-" && isSameFile(options.output, options.input))
    return fail("-o '" + options.output + "' is the input");
  if ((options.steps || options.solver || options.time) && isAfter(options.from, Phase::Model))
    return fail("--steps, --solver and --time act on the phase 'model', before '" +
                getPhaseName(options.from) + "'");
  for (const std::string &text : options.insertedPasses) {
    auto [name, pipeline] = StringRef(text).split(':');
    std::optional<Phase> phase = parsePhase(name);
    if (!phase || !isIRPhase(*phase) || !getPosition(options.target, *phase) || pipeline.empty())
      return fail("--insert-pass wants PHASE:PIPELINE with an IR phase, got '" + text + "'");
    // The passes of the phase that IR comes from have run.
    bool entered =
        *phase == Phase::Import ? options.from == Phase::Import : isAfter(*phase, options.from);
    if (!entered || isAfter(*phase, options.to))
      return fail("--insert-pass=" + text + ": phase '" + getPhaseName(*phase) +
                  "' is not entered from '" + getPhaseName(options.from) + "' to '" +
                  getPhaseName(options.to) + "'");
    inserted.push_back({*phase, pipeline.str()});
  }
  if (!options.dumpPhases.empty())
    if (std::error_code error = llvm::sys::fs::create_directories(options.dumpPhases))
      return fail("cannot make directory '" + options.dumpPhases + "': " + error.message());
  Expected<CpuTarget> found = CpuTarget::get(options.cpu);
  if (!found)
    return fail("--mcpu: " + llvm::toString(found.takeError()));
  target = std::move(*found);
  if (failed(checkTuning()) || failed(checkEmulation()))
    return failure();
  if (target.lanes < 8 && isAfter(options.to, Phase::Quantized))
    errors << "un0c: warning: cpu '" << target.cpu
           << "' has no AVX2 with FMA; code for it uses vectors of " << target.lanes
           << " and runs several times slower than with --mcpu=x86-64-v3\n";
  return success();
}

LogicalResult Compilation::checkEmulation() {
  if (options.emulateOn.empty())
    return success();
  if (options.target == Target::Dsa ? options.to != Phase::Module
                                    : isAfter(Phase::Object, options.to))
    return fail("--emulate-on is for machine code, which comes after phase '" +
                getPhaseName(options.to) + "'");
  if (options.tune || options.verifyCode)
    return fail(
        "--tune and --verify-code ask for code of --mcpu itself, which --emulate-on is not");
  Expected<CpuTarget> found = CpuTarget::get(options.emulateOn);
  if (!found)
    return fail("--emulate-on: " + llvm::toString(found.takeError()));
  if (found->lanes < 8)
    return fail("--emulate-on needs a processor with AVX2 and FMA, which '" + found->cpu +
                "' is not");
  emulateOn = std::move(*found);
  return success();
}

LogicalResult Compilation::loadPlugins(DialectRegistry &registry) {
  for (const std::string &path : options.passPlugins) {
    // dlopen looks for a name without a folder in the system's alone.
    bool bare = llvm::sys::path::parent_path(path).empty() && llvm::sys::fs::exists(path);
    std::string file = bare ? "./" + path : path;
    Expected<PassPlugin> plugin = PassPlugin::load(file);
    if (!plugin)
      return fail("cannot load the pass plugin: " + llvm::toString(plugin.takeError()));
    plugin->registerPassRegistryCallbacks();
    // A plugin may bring a dialect of its own too.
    if (Expected<DialectPlugin> dialects = DialectPlugin::load(file))
      dialects->registerDialectRegistryCallbacks(registry);
    else
      llvm::consumeError(dialects.takeError());
  }
  return success();
}

void Compilation::printDiagnostic(Diagnostic &diagnostic) {
  auto severity = [](DiagnosticSeverity severity) -> StringRef {
    switch (severity) {
    case DiagnosticSeverity::Note:
      return "note";
    case DiagnosticSeverity::Warning:
      return "warning";
    case DiagnosticSeverity::Error:
      return "error";
    case DiagnosticSeverity::Remark:
      return "remark";
    }
    llvm_unreachable("unknown severity");
  };
  auto print = [&](Diagnostic &d) {
    errors << "un0c: " << severity(d.getSeverity()) << ": ";
    if (auto file = d.getLocation()->findInstanceOf<FileLineColLoc>())
      errors << file.getFilename().getValue() << ":" << file.getLine() << ":" << file.getColumn()
             << ": ";
    // Imported models have no lines; their operators go by the names of their parameters.
    d.getLocation()->walk([&](Location location) {
      if (auto name = dyn_cast<NameLoc>(location))
        errors << name.getName().getValue() << ": ";
      return WalkResult::advance();
    });
    errors << d << "\n";
  };
  // What is true of every function is said once.
  if (diagnostic.getSeverity() == DiagnosticSeverity::Remark &&
      !remarks.insert(diagnostic.str()).second)
    return;
  print(diagnostic);
  for (Diagnostic &note : diagnostic.getNotes())
    // The whole op is for a debugger, not for one line on a terminal.
    if (!StringRef(note.str()).starts_with("see current operation"))
      print(note);
}

LogicalResult Compilation::read() {
  ImportOptions importOptions;
  importOptions.allowNonfinite = options.allowNonfinite;
  Expected<OwningOpRef<ModuleOp>> imported = importModel(options.input, *context, importOptions);
  if (!imported)
    return fail(imported.takeError());
  module = std::move(*imported);
  // IR says which phase it is in; the passes of another one would misread it. The model's are
  // idempotent.
  auto stated = (*module)->getAttrOfType<StringAttr>("un0.phase");
  std::optional<Phase> phase = stated ? parsePhase(stated.getValue()) : std::nullopt;
  if (stated && !phase)
    return fail("'" + options.input + "' is in phase '" + stated.getValue() +
                "', which does not exist; there are " + listPhases());
  bool same = !phase || *phase == options.from;
  bool early = options.from == Phase::Import && phase && *phase <= Phase::Model;
  if (!same && !early)
    return fail("'" + options.input + "' is in phase '" + stated.getValue() +
                "'; compile it with --compile-from=" + stated.getValue());
  return success();
}

LogicalResult Compilation::runPasses(Phase phase) {
  PassManager pm(context.get());
  if (phase == Phase::Model && (options.steps || options.solver || options.time)) {
    std::string arguments;
    if (options.solver) {
      std::string solver = *options.solver;
      std::replace(solver.begin(), solver.end(), '-', '_');
      arguments += "solver=" + solver + " ";
    }
    if (options.steps)
      arguments += "steps=" + std::to_string(*options.steps) + " ";
    if (options.time)
      arguments += llvm::formatv("time={0:E17}", *options.time).str();
    if (failed(parsePassPipeline("un0-set-solver{" + arguments + "}", pm, errors)))
      return fail("cannot override the solver");
  }
  buildPhase(phase, pm, &archives);
  for (const InsertedPass &pass : inserted) {
    if (pass.phase != phase)
      continue;
    std::string message;
    llvm::raw_string_ostream os(message);
    if (failed(parsePassPipeline(pass.pipeline, pm, os)))
      return fail("--insert-pass=" + getPhaseName(phase) + ":" + pass.pipeline + ": " +
                  StringRef(os.str()).split('\n').first);
  }
  return pm.run(*module);
}

LogicalResult Compilation::writeIR(StringRef path) {
  std::string text;
  llvm::raw_string_ostream os(text);
  OpPrintingFlags flags;
  module->print(os, flags);
  os << "\n";
  return writeBytes(path, ArrayRef<char>(text.data(), text.size()));
}

LogicalResult Compilation::writeBytes(StringRef path, ArrayRef<char> bytes) {
  Error error = writeOutput(path.empty() ? "-" : path, StringRef(bytes.data(), bytes.size()));
  return error ? fail(std::move(error)) : success();
}

LogicalResult Compilation::writeProgram(StringRef path) {
  DsaModule text;
  if (rt::Status status = dsa::decodeProgram(program.data(), program.size(), text.program))
    return fail("the program made is refused: " + status.message());
  std::string lines;
  llvm::raw_string_ostream os(lines);
  disassembleDsa(text, os, /*withSections=*/false);
  return writeBytes(path, ArrayRef<char>(lines.data(), lines.size()));
}

/// Schedules that are not the cost model's: of a file, or measured.
LogicalResult Compilation::schedule() {
  PassManager pm(context.get());
  pm.addPass(createUn0ScheduleCpu());
  if (failed(pm.run(*module)))
    return failure();
  if (!options.tune) {
    Error error = readScheduleFile(options.scheduleFile, *module, target);
    return error ? fail(std::move(error)) : success();
  }
  double seconds = options.tuneSeconds.value_or(kDefaultTuneSeconds);
  Expected<TuneReport> report = tuneDecoder(*module, archives, target, seconds);
  if (!report)
    return fail("--tune: " + llvm::toString(report.takeError()));
  printTuneTable(*report, seconds, errors);
  if (!options.scheduleFile.empty())
    if (Error error = writeScheduleFile(options.scheduleFile, *module))
      return fail(std::move(error));
  return success();
}

/// What a phase needs beside passes, before its passes run.
LogicalResult Compilation::enter(Phase phase) {
  if (phase == Phase::Quantized &&
      failed(quantizeModule(options, *module, archives, target, errors)))
    return failure();
  if (phase == Phase::Loops) {
    target.attach(*module);
    if (options.convolution == "direct")
      (*module)->setAttr(cpu::kDirectAttr, UnitAttr::get(context.get()));
    if ((options.tune || !options.scheduleFile.empty()) && failed(schedule()))
      return failure();
  }
  if (phase == Phase::Mapped) {
    auto *c = context.get();
    (*module)->setAttr(dsa::kHardwareAttr, StringAttr::get(c, hardware.toJson()));
    (*module)->setAttr(dsa::kBudgetAttr,
                       FloatAttr::get(Float64Type::get(c),
                                      options.maxSplittingError.value_or(kDefaultSplittingError)));
  }
  if (phase == Phase::Program) {
    dsa::Program made;
    if (Error error = emitProgram(*module, archives, made))
      return fail(std::move(error));
    program = dsa::encodeProgram(made);
  }
  if (phase > Phase::Loops && phase <= Phase::Object) {
    // The IR may come from a file that was made for another processor.
    Expected<CpuTarget> attached = CpuTarget::of(*module);
    if (!attached)
      return fail("cannot run phase '" + getPhaseName(phase) +
                  "': " + llvm::toString(attached.takeError()));
    target = std::move(*attached);
  }
  if (phase == Phase::Object) {
    if (options.verifyCode && failed(verifyCode(*module, target)))
      return failure();
    Expected<SmallVector<char, 0>> object =
        compileToObject(*module, target, {.emulateOn = emulateOn ? &*emulateOn : nullptr});
    if (!object)
      return fail(object.takeError());
    code = std::move(*object);
  }
  return success();
}

LogicalResult Compilation::finishPhase(Phase phase) {
  if (isIRPhase(phase))
    (*module)->setAttr("un0.phase", StringAttr::get(context.get(), getPhaseName(phase)));
  if (phase == Phase::Model && !options.strip) {
    llvm::raw_string_ostream os(model);
    if (failed(writeBytecodeToFile(*module, os)))
      return fail("cannot serialize the model");
  }
  if (options.dumpPhases.empty() || phase == Phase::Module)
    return success();
  SmallString<128> path(options.dumpPhases);
  StringRef extension = isIRPhase(phase) ? "mlir" : phase == Phase::Program ? "dsa" : "so";
  llvm::sys::path::append(path, llvm::formatv("{0}-{1}.{2}", *getPosition(options.target, phase),
                                              getPhaseName(phase), extension)
                                    .str());
  return isIRPhase(phase)          ? writeIR(path)
         : phase == Phase::Program ? writeProgram(path)
                                   : writeBytes(path, code);
}

/// The precision of all couplings that could have one, or "mixed".
std::string Compilation::getPrecisionName() {
  std::optional<StringRef> name;
  for (auto packed : module->getOps<cpu::PackedParamOp>()) {
    auto param = module->lookupSymbol<ParamOp>(packed.getParam());
    if (packed.getPacking() != cpu::Packing::Rows16 || !param ||
        cast<ShapedType>(param.getType()).getDimSize(1) < kFewestSources)
      continue;
    StringRef own = stringifyPrecision(packed.getPrecision());
    if (name && *name != own)
      return "mixed";
    name = own;
  }
  return name.value_or("f32").str();
}

/// What is left of the model when its dynamics are a program: code for the readout and the decoder,
/// made as for target cpu.
LogicalResult Compilation::compileDigitalPart() {
  for (auto op : llvm::make_early_inc_range(module->getOps<dsa::ProgramOp>()))
    op.erase();
  for (Phase phase : {Phase::Loops, Phase::Vector, Phase::LLVM, Phase::Object}) {
    if (failed(enter(phase)))
      return failure();
    if (isIRPhase(phase)) {
      PassManager pm(context.get());
      buildPhase(phase, pm);
      if (failed(pm.run(*module)))
        return failure();
    }
  }
  return success();
}

LogicalResult Compilation::writeUn0() {
  if (options.target == Target::Dsa && failed(compileDigitalPart()))
    return failure();
  ModuleContents contents;
  contents.program = ArrayRef<char>(reinterpret_cast<const char *>(program.data()), program.size());
  contents.code = code;
  contents.model = ArrayRef<char>(model.data(), model.size());
  contents.source = llvm::sys::path::filename(options.input).str();
  if (options.input != "-") {
    Expected<std::string> sha256 = hashFile(options.input);
    if (!sha256)
      return fail(sha256.takeError());
    contents.sourceSha256 = std::move(*sha256);
  }
  contents.precision = getPrecisionName();
  ModuleWriterOptions writerOptions;
  writerOptions.externalWeights = options.externalWeights;
  bool terminal = llvm::sys::Process::StandardErrIsDisplayed();
  auto start = Clock::now(), shown = start;
  auto progress = [&](uint64_t done, uint64_t total) {
    // Only work that takes long enough to wonder about.
    if (!terminal || secondsSince(start) < 1.0 || secondsSince(shown) < 0.1)
      return;
    shown = Clock::now();
    errors << llvm::formatv("\rpacking weights {0,3}%", total ? done * 100 / total : 100);
    errors.flush();
  };
  writerOptions.progress = progress;
  Error error = writeModule(options.output, *module, emulateOn.value_or(target), contents, archives,
                            writerOptions);
  if (shown != start)
    errors << "\r                     \r";
  return error ? fail(std::move(error)) : success();
}

LogicalResult Compilation::run() {
  if (failed(checkOptions()))
    return failure();
  DialectRegistry registry;
  registerDialects(registry);
  registerPasses();
  if (failed(loadPlugins(registry)))
    return failure();
  context = std::make_unique<MLIRContext>(registry, MLIRContext::Threading::DISABLED);
  context->loadAllAvailableDialects();
  context->printOpOnDiagnostic(options.verbose);
  bool reported = false;
  ScopedDiagnosticHandler handler(context.get(), [&](Diagnostic &diagnostic) {
    reported |= diagnostic.getSeverity() == DiagnosticSeverity::Error;
    printDiagnostic(diagnostic);
    return success();
  });

  for (Phase phase : getPhases(options.target)) {
    if (isAfter(phase, options.to))
      break;
    // IR inputs start in the phase named; the passes of that phase and of those before it have run.
    if (phase != Phase::Import && !isAfter(phase, options.from))
      continue;
    auto start = Clock::now();
    LogicalResult result = phase == Phase::Import   ? read()
                           : phase == Phase::Module ? writeUn0()
                                                    : enter(phase);
    if (succeeded(result) && isIRPhase(phase)) {
      result = runPasses(phase);
      if (failed(result) && !reported)
        return fail("phase '" + getPhaseName(phase) + "' failed");
    }
    if (failed(result) ||
        failed(finishPhase(options.from != Phase::Import && phase == Phase::Import ? options.from
                                                                                   : phase)))
      return failure();
    if (options.verbose)
      errors << llvm::formatv("un0c: {0,-10} {1,8:f3} s\n", getPhaseName(phase),
                              secondsSince(start));
  }
  if (options.to == Phase::Object)
    return writeBytes(options.output, code);
  if (options.to == Phase::Program)
    return writeProgram(options.output);
  if (isIRPhase(options.to))
    return writeIR(options.output);
  return success();
}

} // namespace

LogicalResult un0::compile(const CompileOptions &options, llvm::raw_ostream &errors) {
  return Compilation(options, errors).run();
}
