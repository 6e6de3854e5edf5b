//===- un0c.cpp - the Un0 compiler ------------------------------*- C++ -*-===//

#include "un0/Driver/Compile.h"
#include "un0/Driver/Report.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/InitLLVM.h"
#include <csignal>

using namespace llvm;

static cl::OptionCategory category("un0c options");

static cl::list<std::string> inputs(cl::Positional, cl::desc("INPUT"), cl::OneOrMore,
                                    cl::cat(category));
static cl::opt<std::string> output("o", cl::desc("Output file; IR phases print without it"),
                                   cl::value_desc("file"), cl::cat(category));
static cl::opt<std::string>
    precision("precision",
              cl::desc("Arithmetic: f32 (default), int16, bf16, int8 (default on a digital "
                       "accelerator), int4 or auto"),
              cl::cat(category));
static cl::opt<int64_t>
    int4Group("int4-group",
              cl::desc("Columns of int4 couplings that choose between two sets of levels: 4, or 0 "
                       "for one set (default)"),
              cl::init(0), cl::value_desc("columns"), cl::cat(category));
static cl::opt<std::string> decoderPrecision(
    "decoder-precision",
    cl::desc("Arithmetic of the decoder, f32 or int8; int8 with --precision=int8 and int4, "
             "chosen with auto and --max-image-error"),
    cl::cat(category));
static cl::opt<std::string>
    convolution("convolution",
                cl::desc("Convolutions in as few products as shapes allow (fast), or direct"),
                cl::init("fast"), cl::cat(category));
static cl::opt<double>
    maxFeatureError("max-feature-error",
                    cl::desc("With auto: rms error of the features against f32 (default 0.02)"),
                    cl::cat(category));
static cl::opt<double> maxImageError("max-image-error",
                                     cl::desc("With auto: rms error of the images against f32"),
                                     cl::cat(category));
static cl::opt<std::string>
    precisionFile("precision-file",
                  cl::desc("Precisions by operator (JSON); auto writes it, others read it"),
                  cl::value_desc("file"), cl::cat(category));
static cl::opt<bool> tune("tune",
                          cl::desc("Search for a faster schedule of the decoder on this machine"),
                          cl::cat(category));
static cl::opt<double> tuneSeconds("tune-seconds",
                                   cl::desc("With --tune: how long it may take (default 30)"),
                                   cl::value_desc("seconds"), cl::cat(category));
static cl::opt<std::string>
    scheduleFile("schedule-file",
                 cl::desc("Schedules by operator (JSON); --tune writes it, others read it"),
                 cl::value_desc("file"), cl::cat(category));
static cl::opt<std::string> target("target",
                                   cl::desc("What to make: cpu, or dsa: a program for --hardware"),
                                   cl::init("cpu"), cl::cat(category));
static cl::opt<std::string>
    hardware("hardware", cl::desc("With --target=dsa: the accelerator, a built-in name or a file"),
             cl::value_desc("name or file.json"), cl::cat(category));
static cl::opt<double>
    maxSplittingError("max-splitting-error",
                      cl::desc("With --target=dsa: rms error of the features that visiting parts "
                               "of a system in turn may cost (default 0.15)"),
                      cl::cat(category));
static cl::opt<std::string>
    mcpu("mcpu", cl::desc("Processor, 'host' or LLVM's name (x86-64-v3, znver4, ...)"),
         cl::init("host"), cl::cat(category));
static cl::opt<std::string> emulateOn(
    "emulate-on",
    cl::desc("Processor on which AVX-512, VNNI and BF16 of --mcpu are emulated by AVX2: the "
             "same program, but slow, to test code for one that is not at hand"),
    cl::cat(category));
static cl::opt<int64_t> steps("steps", cl::desc("Integration steps instead of the model's"),
                              cl::cat(category));
static cl::opt<std::string>
    solver("solver", cl::desc("euler, heun, rk4 (the 3/8 rule) or rk4-classic"), cl::cat(category));
static cl::opt<double> modelTime("time", cl::desc("Integration time instead of the model's"),
                                 cl::cat(category));
static cl::opt<std::string> weights("weights", cl::desc("embedded, or external: beside the module"),
                                    cl::init("embedded"), cl::cat(category));
static cl::opt<std::string>
    compileTo("compile-to",
              cl::desc("Last phase: import, model, fused, quantized, then for cpu loops, vector, "
                       "llvm, object, for dsa mapped, scheduled, program; then module"),
              cl::init("module"), cl::value_desc("phase"), cl::cat(category));
static cl::opt<std::string> compileFrom("compile-from", cl::desc("Phase that the IR input is in"),
                                        cl::init("import"), cl::value_desc("phase"),
                                        cl::cat(category));
static cl::opt<std::string> dumpPhases("dump-phases",
                                       cl::desc("Write the IR at the end of each phase"),
                                       cl::value_desc("directory"), cl::cat(category));
static cl::list<std::string> plugins("load-pass-plugin",
                                     cl::desc("Load passes from a shared library"),
                                     cl::value_desc("so"), cl::cat(category));
static cl::list<std::string> inserted("insert-pass",
                                      cl::desc("Run a pass pipeline at the end of a phase"),
                                      cl::value_desc("phase:pipeline"), cl::cat(category));
static cl::opt<bool> allowNonfinite("allow-nonfinite", cl::desc("Let NaN and infinite weights by"),
                                    cl::cat(category));
static cl::opt<bool> strip("strip",
                           cl::desc("Leave the model IR out of the module (no reference device)"),
                           cl::cat(category));
static cl::opt<std::string>
    reportFile("report", cl::desc("Account for a picture's energy and time: FILE.json or .html"),
               cl::value_desc("file"), cl::cat(category));
static cl::opt<bool> explain("explain",
                             cl::desc("Print the sum behind every figure of the account"),
                             cl::cat(category));
static cl::opt<bool>
    compare("compare",
            cl::desc("Compile nothing: set the modules given side by side, with --report=FILE"),
            cl::cat(category));
static cl::opt<bool> verbose("verbose", cl::desc("Print the time of each phase"),
                             cl::cat(category));

static cl::opt<bool> verifyCode("verify-code",
                                cl::desc("Read the machine code of every kernel: accumulators on "
                                         "the stack are an error, other vectors there a remark"),
                                cl::cat(category));

static int fail(const Twine &message) {
  errs() << "un0c: error: " << message << "\n";
  return 1;
}

int main(int argc, char **argv) {
  InitLLVM init(argc, argv);
  // A file past the allowed size is a failed write with a message, not a crash.
  std::signal(SIGXFSZ, SIG_IGN);
  cl::HideUnrelatedOptions(category);
  cl::SetVersionPrinter([](raw_ostream &os) { os << "un0c " << UN0_VERSION << "\n"; });
  cl::ParseCommandLineOptions(argc, argv, "compile a dynamical-system image model\n");

  un0::ReportOptions report;
  report.path = reportFile;
  report.explain = explain;
  if (failed(un0::checkReportOptions(report, errs())))
    return 1;
  if (compare) {
    if (output.getNumOccurrences() || explain)
      return fail("--compare compiles nothing, so it excludes -o and --explain");
    return failed(un0::compareModules(inputs, report, outs(), errs())) ? 1 : 0;
  }
  if (inputs.size() > 1)
    return fail("two inputs given: '" + inputs[0] + "' and '" + inputs[1] +
                "'; --compare takes several modules");
  // No value would be no flag.
  for (const auto *flag : {&precision, &decoderPrecision, &precisionFile, &scheduleFile, &emulateOn,
                           &dumpPhases, &hardware})
    if (flag->getNumOccurrences() && flag->empty())
      return fail("--" + flag->ArgStr + " needs a value");
  if (target != "cpu" && target != "dsa")
    return fail("target '" + target + "' is not supported; there are cpu and dsa");
  if (weights != "embedded" && weights != "external")
    return fail("--weights is 'embedded' or 'external', got '" + weights + "'");
  if (solver.getNumOccurrences() &&
      !is_contained({"euler", "heun", "rk4", "rk4-classic"}, StringRef(solver)))
    return fail("--solver is 'euler', 'heun', 'rk4' or 'rk4-classic', got '" + solver + "'");

  un0::CompileOptions options;
  options.input = inputs.front();
  options.output = output;
  options.target = target == "dsa" ? un0::Target::Dsa : un0::Target::Cpu;
  options.cpu = mcpu;
  options.emulateOn = emulateOn;
  options.hardware = hardware;
  if (maxSplittingError.getNumOccurrences())
    options.maxSplittingError = maxSplittingError;
  if (precision.getNumOccurrences())
    options.precision = precision;
  options.int4Group = int4Group;
  options.decoderPrecision = decoderPrecision;
  options.convolution = convolution;
  options.precisionFile = precisionFile;
  if (maxFeatureError.getNumOccurrences())
    options.maxFeatureError = maxFeatureError;
  if (maxImageError.getNumOccurrences())
    options.maxImageError = maxImageError;
  options.tune = tune;
  if (tuneSeconds.getNumOccurrences())
    options.tuneSeconds = tuneSeconds;
  options.scheduleFile = scheduleFile;
  for (auto [flag, phase] :
       {std::make_pair(&compileTo, &options.to), std::make_pair(&compileFrom, &options.from)}) {
    std::optional<un0::Phase> parsed = un0::parsePhase(*flag);
    if (!parsed)
      return fail("--" + flag->ArgStr + ": no phase '" + *flag + "'; there are " +
                  un0::listPhases());
    *phase = *parsed;
  }
  options.dumpPhases = dumpPhases;
  if (steps.getNumOccurrences())
    options.steps = steps;
  if (solver.getNumOccurrences())
    options.solver = solver;
  if (modelTime.getNumOccurrences())
    options.time = modelTime;
  options.externalWeights = weights == "external";
  options.allowNonfinite = allowNonfinite;
  options.strip = strip;
  options.verbose = verbose;
  options.verifyCode = verifyCode;
  options.passPlugins.assign(plugins.begin(), plugins.end());
  options.insertedPasses.assign(inserted.begin(), inserted.end());
  if (report.any() && options.to != un0::Phase::Module)
    return fail("--report and --explain need a module; this stops at phase '" +
                un0::getPhaseName(options.to) + "'");
  if (failed(un0::compile(options, errs())))
    return 1;
  return report.any() && failed(un0::reportModule(options.output, report, outs(), errs()));
}
