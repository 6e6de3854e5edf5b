//===- Main.cpp - un0-run: pictures from a compiled model -------------------===//
#include "CompileCache.h"
#include "Grid.h"
#include "Options.h"
#include "OutputFile.h"
#include "OutputPath.h"
#include "Powercap.h"
#include "Reference.h"
#include "RunReport.h"
#include "Safetensors.h"
#include "un0/runtime.hpp"

#include <algorithm>
#include <chrono>
#include <cinttypes>
#include <csignal>
#include <cstdio>
#include <memory>
#include <new>
#include <unistd.h>

using namespace un0run;

namespace {

using Clock = std::chrono::steady_clock;

double secondsSince(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

/// Memory that may not be there: a request can be larger than the machine.
using Floats = std::unique_ptr<float[]>;

MaybeFailure allocate(const char *what, uint64_t rows, uint64_t columns, Floats &floats) {
  uint64_t count;
  if (!__builtin_mul_overflow(rows, columns, &count) && count <= PTRDIFF_MAX / sizeof(float))
    floats.reset(new (std::nothrow) float[count]);
  if (!floats)
    return fail("cannot get memory for the " + std::string(what) + " of " + std::to_string(rows) +
                " images");
  return std::nullopt;
}

/// Writes one line over itself on a terminal, once the work has taken a second.
struct Progress {
  Clock::time_point begin = Clock::now();
  bool enabled = false;
  bool shown = false;
  double last = 0;
  un0::report::PowercapMeter *meter = nullptr; // read now and then, since counters wrap
  double metered = 0;

  static int report(void *self, uint64_t done, uint64_t total) {
    static_cast<Progress *>(self)->report(done, total);
    return 0;
  }
  void report(uint64_t done, uint64_t total) {
    constexpr double firstAfter = 1.0, every = 0.1; // seconds
    double elapsed = secondsSince(begin);
    constexpr double meterEvery = 10; // seconds; counters wrap after minutes
    if (meter && elapsed - metered >= meterEvery) {
      metered = elapsed;
      (void)meter->sample();
    }
    if (!enabled || elapsed < firstAfter || elapsed - last < every)
      return;
    last = elapsed;
    shown = true;
    std::fprintf(stderr, "\r%" PRIu64 " of %" PRIu64 " images, %.0f s left \033[K", done, total,
                 elapsed / double(done) * double(total - done));
  }
  ~Progress() {
    if (shown)
      std::fprintf(stderr, "\r\033[K");
  }
};

/// Everything one run needs, in the order it is made.
struct Run {
  const Options &options;
  std::string modulePath;
  std::optional<un0::Module> module;
  un0_signature signature = {};
  InitialPhases phases; // theta0 and phi0 stay empty when drawn by the runtime
  Floats drawnTheta0, drawnPhi0;
  Floats images, theta, features;
  un0_timings timings = {};
  std::optional<double> joules; // measured while generating, for a report
  std::string notMeasured;      // why there are none
  double openSeconds = 0, generateSeconds = 0, writeSeconds = 0;

  explicit Run(const Options &options) : options(options) {}

  MaybeFailure open();
  MaybeFailure chooseSamples();
  MaybeFailure checkOutputs();
  MaybeFailure generate();
  MaybeFailure write();
  MaybeFailure writeReport();
  void printSummary() const;
  void printTimings() const;
};

MaybeFailure Run::open() {
  const auto begin = Clock::now();
  modulePath = options.model;
  const bool isModule = looksLikeModule(options.model);
  if (!isModule)
    if (MaybeFailure failure =
            compileToCache(options.model, options.reference, options.quiet, /*again=*/false,
                           modulePath))
      return failure;
  // Huge pages are worth a copy of the weights when many pictures are made: docs/c-abi.md.
  constexpr uint64_t manySamples = 256;
  const uint32_t flags = options.samplesPerClass >= manySamples ? UN0_OPEN_COPY_WEIGHTS : 0;
  un0::Expected<un0::Module> opened = un0::Module::open(modulePath, flags);
  if (!opened && !isModule) {
    // Whatever happened to the cache, the checkpoint is still good.
    if (MaybeFailure failure =
            compileToCache(options.model, options.reference, options.quiet, /*again=*/true,
                           modulePath))
      return failure;
    opened = un0::Module::open(modulePath, flags);
  }
  if (!opened)
    return fail(opened.error().message, {"in '" + modulePath + "'"});
  module = std::move(*opened);
  if (options.simulationGiven && !module->isSimulated())
    return fail("--integrator, --faults and --fault-seed are for modules that are simulated, '" +
                    options.model + "' has no program for oscillators",
                {"compile it with un0c --target=dsa --hardware=NAME, for hardware that has them"});
  signature = module->signature();
  openSeconds = secondsSince(begin);
  return std::nullopt;
}

MaybeFailure Run::chooseSamples() {
  if (!options.initPhases.empty()) {
    if (MaybeFailure failure = readInitialPhases(options.initPhases, signature, phases))
      return failure;
    for (int64_t &label : phases.labels) {
      if (options.unconditional)
        label = -1;
      if (label < -1 || label >= int64_t(signature.classes))
        return fail("'" + options.initPhases + "' has label " + std::to_string(label) +
                    ", the model has " + std::to_string(signature.classes) + " classes");
    }
    return std::nullopt;
  }
  std::vector<int64_t> classes;
  // A model without classes has one kind of image.
  if (options.unconditional || (signature.classes == 0 && !options.classesGiven))
    classes.push_back(-1);
  else if (MaybeFailure failure = parseClasses(options.classes, signature.classes, classes))
    return failure;
  if (classes.size() > (uint64_t(1) << 32) / options.samplesPerClass)
    return fail(std::to_string(classes.size()) + " classes x " +
                std::to_string(options.samplesPerClass) + " samples are too many images");
  const uint64_t count = classes.size() * options.samplesPerClass;
  if (!phases.labels.allocate(count))
    return fail("cannot get memory for the labels of " + std::to_string(count) + " images");
  int64_t *next = phases.labels.data();
  for (int64_t c : classes)
    next = std::fill_n(next, options.samplesPerClass, c);
  return std::nullopt;
}

/// What would be in the way of the results, before the work for them.
MaybeFailure Run::checkOutputs() {
  if (MaybeFailure failure = checkGrid(signature, phases.labels))
    return failure;
  std::vector<std::string> taken = {options.model, options.initPhases};
  for (const std::string *path : {&options.dump, &options.output, &options.report}) {
    if (path->empty())
      continue;
    for (const std::string &other : taken)
      if (!other.empty() && un0::isSameFile(*path, other))
        return fail("'" + *path + "' is to be written, but is '" + other + "', which is in use");
    taken.push_back(*path);
    if (MaybeFailure failure = checkWritable(*path))
      return failure;
  }
  return std::nullopt;
}

MaybeFailure Run::generate() {
  const uint64_t count = phases.labels.size();
  const uint64_t imageFloats = uint64_t(signature.channels) * signature.height * signature.width;
  if (MaybeFailure failure = allocate("pixels", count, imageFloats, images))
    return failure;
  if (!options.dump.empty()) {
    if (MaybeFailure failure = allocate("phases", count, signature.oscillators, theta))
      return failure;
    if (MaybeFailure failure = allocate("features", count, signature.features, features))
      return failure;
  }
  const auto begin = Clock::now();
  Progress progress;
  progress.enabled = !options.quiet && isatty(STDERR_FILENO);
  un0_request request;
  un0_request_init(&request);
  request.count = count;
  request.labels = phases.labels.data();
  request.seed = options.seed;
  request.rng = options.torchRng ? UN0_RNG_TORCH : UN0_RNG_PHILOX;
  if (!phases.theta0.empty()) {
    request.theta0 = phases.theta0.data();
    request.phi0 = phases.phi0.empty() ? nullptr : phases.phi0.data();
  }
  request.images = images.get();
  request.theta = theta.get();
  request.features = features.get();
  request.progress = Progress::report;
  request.progress_user = &progress;

  if (options.reference) {
    if (!request.theta0) {
      if (MaybeFailure failure = allocate("phases", count, signature.oscillators, drawnTheta0))
        return failure;
      if (MaybeFailure failure = allocate("phases", count, signature.conditioning, drawnPhi0))
        return failure;
      un0_error error;
      if (un0_initial_phases(module->get(), request.rng, request.seed, 0, count, drawnTheta0.get(),
                             drawnPhi0.get(), &error))
        return fail(error.message);
      request.theta0 = drawnTheta0.get();
      request.phi0 = drawnPhi0.get();
    }
    MaybeFailure failure = generateOnReference(module->get(), modulePath, request);
    generateSeconds = secondsSince(begin);
    return failure;
  }

  un0_session_options sessionOptions;
  un0_session_options_init(&sessionOptions);
  sessionOptions.threads = options.threads;
  if (options.simulationGiven) {
    sessionOptions.integrator = options.euler ? UN0_INTEGRATOR_EULER : UN0_INTEGRATOR_FLOW;
    sessionOptions.faults = options.faults;
    sessionOptions.fault_seed = options.faultSeed;
  }
  un0::Expected<un0::Session> session = un0::Session::create(*module, sessionOptions);
  if (!session)
    return fail(session.error().message);
  un0::report::PowercapMeter meter;
  un0::rt::Status measured;
  if (!options.report.empty()) {
    measured = meter.start();
    progress.meter = measured ? nullptr : &meter;
  }
  if (std::optional<un0::Error> error = session->generate(request))
    return fail(error->message);
  if (!options.report.empty() && !measured)
    measured = meter.sample();
  if (measured)
    notMeasured = measured.message();
  else if (!options.report.empty())
    joules = meter.joules();
  timings = session->timings();
  generateSeconds = secondsSince(begin);
  return std::nullopt;
}

MaybeFailure Run::write() {
  const auto begin = Clock::now();
  const uint64_t count = phases.labels.size();
  // The grid comes last: whoever sees it can rely on the dump.
  if (!options.dump.empty()) {
    const auto &s = signature;
    if (MaybeFailure failure = writeSafetensors(
            options.dump, {{"theta", {count, s.oscillators}, theta.get()},
                           {"features", {count, s.features}, features.get()},
                           {"images", {count, s.channels, s.height, s.width}, images.get()}}))
      return failure;
  }
  MaybeFailure failure =
      writeGrid(options.output, signature, gridRows(phases.labels), images.get());
  writeSeconds = secondsSince(begin);
  return failure;
}

MaybeFailure Run::writeReport() {
  if (options.report.empty())
    return std::nullopt;
  RunRecord record;
  record.module = module->get();
  record.labels = &phases.labels;
  record.images = images.get();
  record.theta0 = phases.theta0.data();
  record.phi0 = phases.phi0.data();
  record.initialPhases = "from '" + options.initPhases + "'";
  std::vector<float> theta0(signature.oscillators), phi0(signature.conditioning);
  if (phases.theta0.empty()) {
    un0_error error;
    if (un0_initial_phases(module->get(), options.torchRng ? UN0_RNG_TORCH : UN0_RNG_PHILOX,
                           options.seed, 0, 1, theta0.data(), phi0.data(), &error))
      return fail(error.message);
    record.theta0 = theta0.data();
    record.phi0 = phi0.data();
    record.initialPhases = std::string(options.torchRng ? "torch" : "philox") + ", seed " +
                           std::to_string(options.seed);
  }
  record.simulator.integrator =
      options.euler ? un0::dsa::Integrator::Euler : un0::dsa::Integrator::Flow;
  record.simulator.faults = options.faults;
  record.simulator.faultSeed = options.faultSeed;
  record.timings = timings;
  record.seconds = generateSeconds;
  record.joules = joules;
  record.notMeasured = options.reference ? "not measured: the interpreter ran" : notMeasured;
  return writeRunReport(options.report, record);
}

void Run::printSummary() const {
  const size_t count = phases.labels.size();
  const size_t rows = gridRows(phases.labels).size();
  std::printf("wrote %s: %zu image%s, %zu row%s, in %.3f s (%.1f images/s)\n",
              options.output.c_str(), count, count == 1 ? "" : "s", rows, rows == 1 ? "" : "s",
              generateSeconds, double(count) / generateSeconds);
}

void Run::printTimings() const {
  const double count = double(phases.labels.size());
  auto row = [count](const char *what, double seconds) {
    std::printf("%-16s %12.3f %14.4f\n", what, seconds * 1e3, seconds * 1e3 / count);
  };
  std::printf("%-16s %12s %14s\n", "phase", "ms", "ms per image");
  row("open and verify", openSeconds);
  if (!options.reference) {
    row("initial phases", timings.initial_phases);
    row("oscillators", timings.oscillators);
    row("readout", timings.readout);
    row("decoder", timings.decoder);
  }
  row("generate, wall", generateSeconds);
  row("write", writeSeconds);
  if (timings.threads > 1)
    std::printf("phases are summed over %u threads\n", timings.threads);
}

} // namespace

int main(int argc, char **argv) {
  // A file past the allowed size is a failed write with a message, not a crash.
  std::signal(SIGXFSZ, SIG_IGN);
  Options options;
  if (MaybeFailure failure = parseOptions(argc, argv, options))
    return un0run::report("un0-run", *failure);
  if (options.help) {
    std::fputs(usage, stdout);
    return 0;
  }
  if (options.version) {
    std::puts("un0-run " UN0_VERSION);
    return 0;
  }
  Run run(options);
  for (auto step : {&Run::open, &Run::chooseSamples, &Run::checkOutputs, &Run::generate,
                    &Run::write, &Run::writeReport})
    if (MaybeFailure failure = (run.*step)())
      return un0run::report("un0-run", *failure);
  if (!options.quiet)
    run.printSummary();
  if (options.timings)
    run.printTimings();
  // A closed or full standard output is a failure too.
  if (std::fflush(stdout) != 0)
    return un0run::report("un0-run", fail("cannot write to standard output"));
  return 0;
}
