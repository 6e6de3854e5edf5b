//===- Main.cpp - un0-sweep: quality against energy -------------------------===//
#include "Output.h"
#include "OutputPath.h"
#include "Report.h"
#include "Sweep.h"
#include "Text.h"
#include "un0/Target/ModuleWriter.h"

#include "llvm/Support/CommandLine.h"
#include "llvm/Support/InitLLVM.h"
#include <csignal>

using namespace llvm;
using namespace un0sweep;

static cl::OptionCategory category("un0-sweep options");
/// Made in main, after flags of the same names that LLVM's library registers for itself are gone.
struct Flags {
  cl::opt<std::string> model{cl::Positional, cl::desc("MODEL"), cl::Required, cl::cat(category)};
  cl::opt<std::string> hardware{"hardware", cl::desc("Description: built-in name or FILE.json"),
                                cl::Required, cl::value_desc("name|file"), cl::cat(category)};
  cl::list<std::string> vary{
      "vary",
      cl::desc("What to vary: coupling-bits, mismatch, offset, phase-noise, set-bits, "
               "sample-bits, link-delay, max-splitting-error, or a constant of the description; "
               "values a,b,c or whole numbers a..b. Several make a grid"),
      cl::value_desc("name=values"), cl::cat(category)};
  cl::opt<uint64_t> images{"images", cl::desc("Pictures per point (default 2000)"), cl::init(2000),
                           cl::cat(category)};
  cl::opt<std::string> reportFile{"report", cl::desc("Plots, table and pictures"),
                                  cl::value_desc("file.html"), cl::cat(category)};
  cl::opt<std::string> csvFile{"csv", cl::desc("The table for programs"),
                               cl::value_desc("file.csv"), cl::cat(category)};
  cl::opt<unsigned> threads{"threads", cl::desc("Threads (default: one per CPU)"), cl::init(0),
                            cl::cat(category)};
  cl::opt<uint64_t> seed{"seed", cl::desc("Seed of the initial phases (default 0)"), cl::init(0),
                         cl::cat(category)};
  cl::opt<uint64_t> faultSeed{"fault-seed", cl::desc("Which specimen of the hardware (default 0)"),
                              cl::init(0), cl::cat(category)};
  cl::opt<double> maxSplittingError{"max-splitting-error",
                                    cl::desc("As of un0c: budget for splitting in time"),
                                    cl::cat(category)};
  cl::opt<uint64_t> stopAfter{"stop-after",
                              cl::desc("Finish this many points now; the same command goes on"),
                              cl::value_desc("points"), cl::cat(category)};
  cl::opt<bool> quiet{"quiet", cl::desc("Print nothing but errors"), cl::cat(category)};
};

static int fail(const Twine &message) {
  errs() << "un0-sweep: error: " << message << "\n";
  return 1;
}
static int fail(Error error) { return fail(toString(std::move(error))); }

static void onSignal(int) { stopRequested = true; }

/// Points in a grid; more is a mistake on the command line.
static constexpr size_t kMostPoints = 10000;
static constexpr uint64_t kMostImages = 10000000;

int main(int argc, char **argv) {
  InitLLVM init(argc, argv);
  std::signal(SIGXFSZ, SIG_IGN);
  for (const char *name : {"model", "hardware", "vary", "images", "report", "csv", "threads",
                           "seed", "fault-seed", "max-splitting-error", "stop-after", "quiet"})
    if (cl::Option *other = cl::getRegisteredOptions().lookup(name))
      other->removeArgument();
  Flags flags;
  cl::HideUnrelatedOptions(category);
  cl::SetVersionPrinter([](raw_ostream &os) { os << "un0-sweep " << UN0_VERSION << "\n"; });
  cl::ParseCommandLineOptions(argc, argv,
                              "run a trained model on variants of a hardware: quality against "
                              "energy\n");

  Sweep sweep;
  Options &options = sweep.options;
  options.model = flags.model;
  options.hardware = flags.hardware;
  options.images = flags.images;
  options.report = flags.reportFile;
  options.csv = flags.csvFile;
  options.threads = flags.threads;
  options.seed = flags.seed;
  options.faultSeed = flags.faultSeed;
  options.quiet = flags.quiet;
  if (flags.stopAfter.getNumOccurrences())
    options.stopAfter = flags.stopAfter;
  if (flags.maxSplittingError.getNumOccurrences())
    options.maxSplittingError = flags.maxSplittingError;
  if (options.report.empty() && options.csv.empty())
    return fail("nothing to write; name a file with --report or --csv");
  if (!options.report.empty() && !StringRef(options.report).ends_with(".html"))
    return fail("--report is FILE.html, got '" + options.report + "'; --csv writes a table");
  for (const std::string &path : {options.report, options.csv})
    if (!path.empty() && un0::isSameFile(path, options.model))
      return fail("'" + path + "' is the model");
  if (!options.report.empty() && !options.csv.empty() &&
      un0::isSameFile(options.report, options.csv))
    return fail("--report and --csv are one file");
  if (options.images == 0 || options.images > kMostImages)
    return fail("--images is from 1 to " + Twine(kMostImages) + ", got " + Twine(options.images));
  if (options.threads > 1024)
    return fail("--threads is at most 1024, got " + Twine(options.threads));
  if (options.maxSplittingError && !(*options.maxSplittingError > 0))
    return fail("--max-splitting-error must be positive");
  if (flags.vary.empty())
    return fail("nothing to vary; for example --vary coupling-bits=2..8");
  for (const std::string &text : flags.vary) {
    Expected<Variable> variable = parseVariable(text);
    if (!variable)
      return fail(variable.takeError());
    if (variable->kind == Variable::Kind::SplittingError && options.maxSplittingError)
      return fail("max-splitting-error is both varied and set");
    options.variables.push_back(std::move(*variable));
  }
  Expected<std::vector<std::vector<double>>> points = makeGrid(options.variables, kMostPoints);
  if (!points)
    return fail(points.takeError());
  sweep.points = std::move(*points);
  sweep.results.resize(sweep.points.size());

  if (un0::rt::Status status = un0::dsa::loadHardware(options.hardware, sweep.hardware))
    return fail(status.message());
  if (sweep.hardware.kind != un0::dsa::HardwareKind::Oscillators)
    return fail("'" + sweep.hardware.name + "' has no oscillators; there is nothing to vary");
  // Every point before any work: a value out of range shows at once.
  for (const std::vector<double> &values : sweep.points) {
    un0::dsa::Hardware changed = sweep.hardware;
    if (Error error = applyPoint(options.variables, values, /*all=*/true, changed))
      return fail(std::move(error));
  }
  Expected<std::string> sha256 = un0::hashFile(options.model);
  if (!sha256)
    return fail(sha256.takeError());
  sweep.modelSha256 = std::move(*sha256);

  // Judges of other kinds join the panel here.
  std::vector<std::unique_ptr<Judge>> judges;
  judges.push_back(makeDistanceJudge());
  const std::unique_ptr<Judge> judge = makePanel(std::move(judges));
  sweep.columns = judge->columns();

  std::signal(SIGINT, onSignal);
  std::signal(SIGTERM, onSignal);
  Expected<bool> finished = runSweep(sweep, *judge);
  if (!finished)
    return fail(finished.takeError());
  size_t done = 0, failed = 0;
  for (const PointResult &result : sweep.results) {
    done += result.done;
    failed += !result.failure.empty();
  }
  const std::string of = std::to_string(done) + " of " + std::to_string(sweep.points.size());
  if (!*finished) {
    errs() << "un0-sweep: stopped with " << of << " points done; the same command goes on\n";
    return stopRequested ? 130 : 0;
  }
  if (failed == sweep.points.size())
    return fail("no point could be run: " + sweep.results.front().failure);
  if (!options.csv.empty())
    if (un0::rt::Status status = un0::report::writeFile(options.csv, toCsv(sweep)))
      return fail(status.message());
  if (!options.report.empty())
    if (un0::rt::Status status = un0::report::writeFile(options.report, toHtml(sweep)))
      return fail(status.message());
  removeState(sweep);
  if (options.quiet)
    return 0;
  printTable(sweep, outs());
  if (sweep.resumed)
    outs() << sweep.resumed << " points were done before\n";
  if (failed)
    outs() << failed << " points could not be compiled or run\n";
  return 0;
}
