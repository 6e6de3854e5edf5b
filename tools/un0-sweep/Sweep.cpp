//===- Sweep.cpp - a model on many variants of a hardware -------------------===//
#include "Sweep.h"

#include "Account.h"
#include "Modules.h"
#include "Report.h"
#include "Simulator.h"
#include "State.h"
#include "Text.h"

#include "un0/runtime.hpp"
#include "llvm/ADT/ScopeExit.h"
#include <chrono>
#include <cmath>
#include <fcntl.h>
#include <thread>
#include <unistd.h>

using namespace llvm;
using namespace un0sweep;

std::atomic<bool> un0sweep::stopRequested{false};

static Error fail(const Twine &message) {
  return createStringError(inconvertibleErrorCode(), message);
}

namespace {

/// Samples simulated and compared at once: what one point needs in memory.
constexpr uint64_t kChunk = 128;
/// Pictures in a strip.
constexpr uint64_t kStripPictures = 8;

using Clock = std::chrono::steady_clock;

/// One line that writes over itself, on a terminal.
class Progress {
public:
  Progress(bool enabled, uint64_t images, uint64_t points, uint64_t pointsDone)
      : enabled(enabled && isatty(STDERR_FILENO)), images(images), points(points),
        pointsDone(pointsDone) {}
  ~Progress() {
    if (shown)
      std::fputs("\r\033[K", stderr);
  }
  void addImages(uint64_t count) {
    std::lock_guard<std::mutex> lock(mutex);
    imagesDone += count;
    if (!enabled)
      return;
    const double elapsed = std::chrono::duration<double>(Clock::now() - begin).count();
    if (elapsed - last < 0.2)
      return;
    last = elapsed;
    shown = true;
    const double left =
        elapsed / double(imagesDone) * double(images - std::min(images, imagesDone));
    std::fprintf(stderr, "\r%llu of %llu points, %.0f images/s, %.0f min %02.0f s left \033[K",
                 (unsigned long long)pointsDone, (unsigned long long)points,
                 double(imagesDone) / elapsed, std::floor(left / 60), std::fmod(left, 60));
  }
  void addPoint() {
    std::lock_guard<std::mutex> lock(mutex);
    ++pointsDone;
  }

private:
  std::mutex mutex;
  Clock::time_point begin = Clock::now();
  bool enabled, shown = false;
  double last = 0;
  uint64_t images, imagesDone = 0, points, pointsDone;
};

/// How a module is run.
struct Run {
  std::string path;
  un0_integrator integrator = UN0_INTEGRATOR_FLOW;
  uint32_t faults = un0::dsa::kAllFaults;
  unsigned threads = 1;
};

/// Features and images of a chunk.
struct Samples {
  std::vector<float> features, images;
};

class Engine {
public:
  Engine(Sweep &sweep, const Judge &judge, Modules &modules, StateFile &state, Progress &progress)
      : sweep(sweep), judge(judge), modules(modules), state(state), progress(progress) {}
  ~Engine() {
    if (idealFile >= 0)
      ::close(idealFile);
  }

  Error makeIdeal(const std::string &path, unsigned threads);
  Expected<bool> runPoints(unsigned threads);

private:
  using SeeFn = function_ref<Error(uint64_t first, uint64_t count, const Samples &)>;
  Error generate(const Run &run, un0_signature &signature, SeeFn see);
  Error readIdeal(uint64_t first, uint64_t count, Samples &samples) const;
  Error runPoint(size_t point, unsigned threads);
  Error judgeRun(const Run &run, std::vector<double> &judged, un0::report::Strip &strip);
  void addToStrip(const un0_signature &s, uint64_t first, uint64_t count, const Samples &samples,
                  un0::report::Pictures &pictures) const;

  Sweep &sweep;
  const Judge &judge;
  Modules &modules;
  StateFile &state;
  Progress &progress;
  un0_signature signature = {};
  size_t features = 0, pixels = 0; // of a sample
  int idealFile = -1;              // [image][features, pixels]; unlinked
};

/// Not a failure of anything: the user asked.
class Stopped : public ErrorInfo<Stopped> {
public:
  static char ID;
  void log(raw_ostream &os) const override { os << "stopped"; }
  std::error_code convertToErrorCode() const override { return inconvertibleErrorCode(); }
};
char Stopped::ID = 0;

Error Engine::generate(const Run &run, un0_signature &s, SeeFn see) {
  // The weights were hashed when the compiler's output was first opened.
  un0::Expected<un0::Module> module = un0::Module::open(run.path, UN0_OPEN_SKIP_WEIGHT_HASH);
  if (!module)
    return failPoint(module.error().code, module.error().message);
  s = module->signature();
  un0_session_options options;
  un0_session_options_init(&options);
  options.threads = run.threads;
  options.integrator = run.integrator;
  options.faults = run.faults;
  options.fault_seed = sweep.options.faultSeed;
  un0_session *session = nullptr;
  un0_error error;
  if (un0_status status = un0_session_create(module->get(), &options, &session, &error))
    return failPoint(status, error.message);
  llvm::scope_exit close([&] { un0_session_close(session); });

  Samples samples;
  for (uint64_t first = 0; first < sweep.options.images; first += kChunk) {
    const uint64_t count = std::min(kChunk, sweep.options.images - first);
    samples.features.resize(count * s.features);
    samples.images.resize(count * size_t(s.channels) * s.height * s.width);
    std::vector<int64_t> chunkLabels;
    for (uint64_t i = first; i < first + count; ++i)
      chunkLabels.push_back(s.classes ? int64_t(i % s.classes) : -1);
    un0_request request;
    un0_request_init(&request);
    request.count = count;
    request.labels = chunkLabels.data();
    request.seed = sweep.options.seed;
    request.first_sample = first;
    request.features = samples.features.data();
    request.images = samples.images.data();
    request.progress = [](void *, uint64_t, uint64_t) { return int(stopRequested.load()); };
    if (un0_status status = un0_generate(session, &request, &error))
      return status == UN0_ERROR_CANCELLED ? make_error<Stopped>()
                                            : failPoint(status, error.message);
    if (stopRequested)
      return make_error<Stopped>();
    progress.addImages(count);
    if (Error failed = see(first, count, samples))
      return failed;
  }
  return Error::success();
}

void Engine::addToStrip(const un0_signature &s, uint64_t first, uint64_t count,
                        const Samples &samples, un0::report::Pictures &pictures) const {
  pictures.channels = s.channels;
  pictures.height = s.height;
  pictures.width = s.width;
  const size_t size = size_t(s.channels) * s.height * s.width;
  for (uint64_t i = 0; i < count && first + i < kStripPictures; ++i) {
    pictures.labels.push_back(0);
    pictures.pixels.insert(pictures.pixels.end(), samples.images.begin() + i * size,
                           samples.images.begin() + (i + 1) * size);
  }
}

static un0::report::Strip stripOf(const un0::report::Pictures &pictures) {
  std::vector<size_t> all(pictures.count());
  for (size_t i = 0; i < all.size(); ++i)
    all[i] = i;
  return makeStrip(pictures, all);
}

Error Engine::makeIdeal(const std::string &path, unsigned threads) {
  // On disk: a judge needs all of them again for every point, and a large model's do not fit
  // memory.
  SmallString<128> name(modules.folder());
  name += "/ideal-samples";
  idealFile = ::open(name.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (idealFile < 0)
    return fail("cannot write '" + name + "': " + std::strerror(errno));
  (void)::unlink(name.c_str());
  un0::report::Pictures pictures;
  Run run{path, UN0_INTEGRATOR_FLOW, 0, threads};
  Error error =
      generate(run, signature, [&](uint64_t first, uint64_t count, const Samples &s) -> Error {
        features = signature.features;
        pixels = size_t(signature.channels) * signature.height * signature.width;
        addToStrip(signature, first, count, s, pictures);
        auto put = [&](const std::vector<float> &values, uint64_t offset) {
          const size_t bytes = values.size() * sizeof(float);
          return pwrite(idealFile, values.data(), bytes, off_t(offset)) == ssize_t(bytes);
        };
        const uint64_t row = (features + pixels) * sizeof(float);
        const uint64_t begin = first * row;
        if (!put(s.features, begin) || !put(s.images, begin + count * features * sizeof(float)))
          return fail("cannot write '" + name + "': " + std::strerror(errno));
        return Error::success();
      });
  if (error)
    return error;
  sweep.idealStrip = stripOf(pictures);
  run.integrator = UN0_INTEGRATOR_EULER;
  return judgeRun(run, sweep.ownSteps, sweep.ownStrip);
}

Error Engine::readIdeal(uint64_t first, uint64_t count, Samples &samples) const {
  samples.features.resize(count * features);
  samples.images.resize(count * pixels);
  auto get = [&](std::vector<float> &values, uint64_t offset) {
    const size_t bytes = values.size() * sizeof(float);
    return pread(idealFile, values.data(), bytes, off_t(offset)) == ssize_t(bytes);
  };
  const uint64_t begin = first * (features + pixels) * sizeof(float);
  if (!get(samples.features, begin) ||
      !get(samples.images, begin + count * features * sizeof(float)))
    return fail("cannot read the ideal samples back");
  return Error::success();
}

Error Engine::judgeRun(const Run &run, std::vector<double> &judged, un0::report::Strip &strip) {
  const std::unique_ptr<Opinion> opinion = judge.begin(signature);
  un0::report::Pictures pictures;
  Samples ideal;
  un0_signature own;
  Error error = generate(run, own, [&](uint64_t first, uint64_t count, const Samples &s) -> Error {
    if (Error failed = readIdeal(first, count, ideal))
      return failed;
    std::vector<int64_t> labels;
    for (uint64_t i = first; i < first + count; ++i)
      labels.push_back(own.classes ? int64_t(i % own.classes) : -1);
    opinion->see({count, labels.data(), s.features.data(), ideal.features.data(), s.images.data(),
                  ideal.images.data()});
    addToStrip(own, first, count, s, pictures);
    return Error::success();
  });
  if (error)
    return error;
  judged = opinion->conclude();
  strip = stripOf(pictures);
  return Error::success();
}

Error Engine::runPoint(size_t point, unsigned threads) {
  PointResult result;
  un0::dsa::Program program;
  Error error = Error::success();
  Expected<std::string> path = modules.make(point, program);
  if (!path) {
    error = joinErrors(std::move(error), path.takeError());
  } else {
    for (uint64_t batch : un0::report::kReportBatches) {
      un0::report::Account account;
      if (un0::rt::Status status = un0::report::accountProgram(program, batch, account)) {
        error = joinErrors(std::move(error), failPoint(status.code(), status.message()));
        break;
      }
      result.costs.push_back(
          {batch, account.picojoules(), account.picojoules(un0::report::Part::Dynamics),
           account.picojoules(un0::report::Part::Decoder), account.secondsPerImage, account.bound});
    }
    if (!error)
      error = judgeRun({*path, UN0_INTEGRATOR_FLOW, un0::dsa::kAllFaults, threads}, result.judged,
                       result.strip);
    (void)::unlink(path->c_str());
  }
  // Whatever is not a word about this point may be otherwise next time.
  if (error && !error.isA<PointFailure>())
    return error;
  if (error) {
    result = PointResult();
    result.failure = StringRef(toString(std::move(error))).split('\n').first.str();
  }
  result.done = true;
  sweep.results[point] = std::move(result);
  progress.addPoint();
  return state.append(point, sweep.results[point]);
}

Expected<bool> Engine::runPoints(unsigned threads) {
  std::vector<size_t> left;
  for (size_t point = 0; point < sweep.points.size(); ++point)
    if (!sweep.results[point].done)
      left.push_back(point);
  const size_t all = left.size();
  if (sweep.options.stopAfter && *sweep.options.stopAfter < left.size())
    left.resize(*sweep.options.stopAfter);
  if (left.empty())
    return all == 0;
  // Points side by side, so that one compiles while others run; threads that are over go into them.
  const unsigned workers = unsigned(std::min<size_t>(threads, left.size()));
  std::atomic<size_t> next{0};
  std::mutex mutex;
  Error firstError = Error::success();
  bool stopped = false, broken = false;
  auto work = [&](unsigned worker) {
    const unsigned own = threads / workers + (worker < threads % workers);
    while (true) {
      const size_t index = next++;
      if (index >= left.size())
        return;
      Error error = runPoint(left[index], own);
      if (!error)
        continue;
      std::lock_guard<std::mutex> lock(mutex);
      next = left.size();
      if (error.isA<Stopped>()) {
        stopped = true;
        consumeError(std::move(error));
      } else if (broken) {
        consumeError(std::move(error));
      } else {
        broken = true;
        firstError = joinErrors(std::move(firstError), std::move(error));
      }
      return;
    }
  };
  std::vector<std::thread> others;
  for (unsigned worker = 1; worker < workers; ++worker)
    others.emplace_back(work, worker);
  work(0);
  for (std::thread &other : others)
    other.join();
  if (firstError)
    return std::move(firstError);
  return !stopped && left.size() == all;
}

} // namespace

Expected<bool> un0sweep::runSweep(Sweep &sweep, const Judge &judge) {
  StateFile state;
  if (Error error = state.open(statePath(sweep), sweep))
    return std::move(error);
  Modules modules(sweep);
  if (Error error = modules.makeFolder())
    return std::move(error);
  Expected<std::string> ideal = modules.ideal();
  if (!ideal)
    return fail("for 'ideal': " + toString(ideal.takeError()));
  uint64_t left = 0;
  for (const PointResult &result : sweep.results)
    left += !result.done;
  const uint64_t now = std::min(left, sweep.options.stopAfter.value_or(left));
  Progress progress(!sweep.options.quiet, (now + 2) * sweep.options.images, sweep.points.size(),
                    sweep.points.size() - left);
  const unsigned threads = sweep.options.threads
                               ? sweep.options.threads
                               : std::max(1u, std::thread::hardware_concurrency());
  Engine engine(sweep, judge, modules, state, progress);
  if (Error error = engine.makeIdeal(*ideal, threads)) {
    if (!error.isA<Stopped>())
      return std::move(error);
    consumeError(std::move(error));
    return false;
  }
  return engine.runPoints(threads);
}
