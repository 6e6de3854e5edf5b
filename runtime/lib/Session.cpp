//===- Session.cpp - working memory and threads -----------------------------===//
#include "Session.h"

#include "FloatMode.h"
#include "Random.h"

#include <algorithm>
#include <cinttypes>
#include <cmath>
#include <cstring>
#include <new>
#include <sched.h>
#include <signal.h>
#include <time.h>

using namespace un0::rt;

static constexpr uint32_t maxThreads = 1024;

static double now() {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return double(time.tv_sec) + 1e-9 * double(time.tv_nsec);
}

static uint32_t usableCpus() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) != 0)
    return 1;
  return std::clamp<uint32_t>(static_cast<uint32_t>(CPU_COUNT(&set)), 1, maxThreads);
}

un0_session::un0_session(const un0_module &module) : module(module) {
  // Waits with a time limit must not depend on the wall clock.
  pthread_condattr_t monotonic;
  pthread_condattr_init(&monotonic);
  pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
  pthread_cond_init(&finished, &monotonic);
  pthread_condattr_destroy(&monotonic);
}

un0_session::~un0_session() {
  pthread_mutex_lock(&mutex);
  stopping = true;
  pthread_cond_broadcast(&wake);
  pthread_mutex_unlock(&mutex);
  for (auto &worker : workers)
    if (worker->started)
      pthread_join(worker->thread, nullptr);
  pthread_cond_destroy(&wake);
  pthread_cond_destroy(&finished);
  pthread_mutex_destroy(&mutex);
}

Status un0_session::allocate(Worker &worker) {
  const auto *s = module.manifest->signature();
  const size_t lanes = batches.front();
  size_t total = 0;
  // Extents are bounded by the manifest's checks, so these products and their sum stay far below
  // 2^64.
  auto reserve = [&](size_t bytes) {
    size_t at = total;
    total += (bytes + 63) / 64 * 64;
    return at;
  };
  size_t arena = reserve(module.manifest->arena_bytes());
  size_t theta0 = reserve(lanes * s->oscillators() * sizeof(float));
  size_t phi0 = reserve(lanes * s->conditioning() * sizeof(float));
  size_t theta = reserve(lanes * s->oscillators() * sizeof(float));
  size_t row = reserve(s->oscillators() * sizeof(float));
  size_t features = reserve(module.decodeBatch * size_t(s->features()) * sizeof(float));
  size_t labels = reserve(lanes * sizeof(int64_t));
  size_t samples = reserve(lanes * sizeof(uint64_t));
  if (!worker.memory.allocate(total))
    return failure(UN0_ERROR_OUT_OF_MEMORY, "cannot get %zu bytes of working memory", total);
  uint8_t *base = worker.memory.data();
  worker.arena = base + arena;
  worker.theta0 = reinterpret_cast<float *>(base + theta0);
  worker.phi0 = reinterpret_cast<float *>(base + phi0);
  worker.theta = reinterpret_cast<float *>(base + theta);
  worker.row = reinterpret_cast<float *>(base + row);
  worker.features = reinterpret_cast<float *>(base + features);
  worker.labels = reinterpret_cast<int64_t *>(base + labels);
  worker.samples = reinterpret_cast<uint64_t *>(base + samples);
  return simulator ? simulator->createWorkspace(worker.simulated) : Status();
}

Status un0_session::prepareSimulator(const un0_session_options &options) {
  if (!module.isSimulated()) {
    if (options.integrator == UN0_INTEGRATOR_FLOW && options.faults == UN0_FAULTS_ALL &&
        options.fault_seed == 0)
      return {};
    return failure(UN0_ERROR_INVALID_ARGUMENT,
                   "integrator, faults and the seed of faults are for modules that are simulated, "
                   "this one is %s; compile the model with --target=dsa for hardware that has "
                   "oscillators",
                   module.program ? "for a digital engine" : "for the CPU");
  }
  if (options.integrator > UN0_INTEGRATOR_EULER)
    return failure(UN0_ERROR_INVALID_ARGUMENT, "integrator %u is unknown", options.integrator);
  if (options.faults & ~uint32_t(UN0_FAULTS_ALL))
    return failure(UN0_ERROR_INVALID_ARGUMENT, "faults 0x%x are unknown",
                   options.faults & ~uint32_t(UN0_FAULTS_ALL));
  simulator.reset(new (std::nothrow) un0::dsa::Simulator);
  if (!simulator)
    return failure(UN0_ERROR_OUT_OF_MEMORY, "cannot get memory for a simulator");
  un0::dsa::SimulatorOptions simulated;
  simulated.integrator = options.integrator == UN0_INTEGRATOR_EULER ? un0::dsa::Integrator::Euler
                                                                    : un0::dsa::Integrator::Flow;
  simulated.faults = options.faults;
  simulated.faultSeed = options.fault_seed;
  return simulator->prepare(*module.program, simulated);
}

/// Starts a thread that takes no signal but its own faults: handlers are the host's, which expects
/// them on threads it knows.
static int startThread(pthread_t &thread, void *(*main)(void *), void *argument) {
  sigset_t blocked, before;
  sigfillset(&blocked);
  for (int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT})
    sigdelset(&blocked, fault);
  pthread_sigmask(SIG_SETMASK, &blocked, &before);
  const int reason = pthread_create(&thread, nullptr, main, argument);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return reason;
}

Status un0_session::start(const un0_session_options &options) {
  uint32_t threads = options.threads;
  if (threads == 0)
    threads = usableCpus();
  if (threads > maxThreads)
    return failure(UN0_ERROR_INVALID_ARGUMENT, "%u threads asked for, at most %u are possible",
                   threads, maxThreads);
  UN0_RETURN_IF_FAILED(prepareSimulator(options));
  batches = module.batches();
  plan.parts.reserve(batches.size()); // nothing is allocated later
  for (uint32_t i = 0; i < threads; ++i) {
    std::unique_ptr<Worker> worker(new (std::nothrow) Worker);
    if (!worker)
      return failure(UN0_ERROR_OUT_OF_MEMORY, "cannot get memory for thread %u", i);
    worker->session = this;
    worker->index = i;
    UN0_RETURN_IF_FAILED(allocate(*worker));
    workers.push_back(std::move(worker));
    Worker &last = *workers.back();
    if (i == 0)
      continue; // the caller's thread
    if (int reason = startThread(last.thread, threadMain, &last))
      return failure(UN0_ERROR_OUT_OF_MEMORY, "cannot start thread %u of %u: %s", i + 1, threads,
                     std::strerror(reason));
    last.started = true;
  }
  return {};
}

static Status checkFinite(const char *what, const float *values, uint64_t rows, uint64_t columns) {
  for (uint64_t i = 0; i < rows * columns; ++i)
    if (!std::isfinite(values[i]))
      return failure(UN0_ERROR_INVALID_ARGUMENT,
                     "%s of sample %" PRIu64 ", oscillator %" PRIu64 " is %g", what, i / columns,
                     i % columns, static_cast<double>(values[i]));
  return {};
}

Status un0::rt::checkSamples(uint64_t first, uint64_t count) {
  // Bounds every product with a count, also in the caller's own buffers.
  constexpr uint64_t maxCount = uint64_t(1) << 32;
  if (count > maxCount || first > UINT64_MAX - count)
    return failure(UN0_ERROR_INVALID_ARGUMENT,
                   "%" PRIu64 " samples from sample %" PRIu64 " asked for, at most %" PRIu64
                   " are possible",
                   count, first, maxCount);
  return {};
}

Status un0::rt::checkTorchDraws(uint64_t first, uint64_t count, uint64_t columns) {
  UN0_RETURN_IF_FAILED(checkSamples(first, count));
  // An hour of drawing.
  constexpr uint64_t maxDraws = uint64_t(1) << 40;
  uint64_t draws;
  if (__builtin_mul_overflow(first + count, columns, &draws) || draws > maxDraws)
    return failure(UN0_ERROR_INVALID_ARGUMENT,
                   "%" PRIu64 " samples from sample %" PRIu64 " asked for with %" PRIu64
                   " phases each: the torch generator draws all before them too, at most %" PRIu64
                   " phases",
                   count, first, columns, maxDraws);
  return {};
}

Status un0_session::check(const un0_request &request) const {
  const auto *s = module.manifest->signature();
  const bool hasPhi0 = request.phi0 || s->conditioning() == 0;
  if (request.theta0 && !hasPhi0)
    return failure(UN0_ERROR_INVALID_ARGUMENT, "theta0 is given without phi0");
  if (request.phi0 && !request.theta0)
    return failure(UN0_ERROR_INVALID_ARGUMENT, "phi0 is given without theta0");
  if (request.rng > UN0_RNG_TORCH)
    return failure(UN0_ERROR_INVALID_ARGUMENT, "random number generator %u is unknown",
                   request.rng);
  UN0_RETURN_IF_FAILED(checkSamples(request.first_sample, request.count));
  for (uint64_t i = 0; request.labels && i < request.count; ++i)
    if (request.labels[i] < -1 || request.labels[i] >= int64_t(s->classes()))
      return failure(UN0_ERROR_INVALID_ARGUMENT,
                     "label of sample %" PRIu64 " is %" PRId64
                     ", the model has classes 0 to %" PRId64 " (-1: unconditional)",
                     i, request.labels[i], int64_t(s->classes()) - 1);
  if (!request.theta0)
    return {};
  UN0_RETURN_IF_FAILED(checkFinite("theta0", request.theta0, request.count, s->oscillators()));
  if (!request.phi0)
    return {};
  return checkFinite("phi0", request.phi0, request.count, s->conditioning());
}

/// The torch generator is one stream over the whole request, so it is drawn before tiles run side
/// by side.
Status un0_session::drawTorchPhases(const un0_request &request) {
  const auto *s = module.manifest->signature();
  const uint64_t columns = uint64_t(s->oscillators()) + s->conditioning();
  UN0_RETURN_IF_FAILED(checkTorchDraws(request.first_sample, request.count, columns));
  const size_t bytes = request.count * columns * sizeof(float);
  if (torchPhases.size() < bytes && !torchPhases.allocate(bytes))
    return failure(UN0_ERROR_OUT_OF_MEMORY, "cannot get memory for %" PRIu64 " initial phases",
                   request.count * columns);
  TorchGenerator generator(request.seed);
  for (uint64_t i = 0; i < request.first_sample * columns; ++i)
    (void)generator.next();
  auto *phases = reinterpret_cast<float *>(torchPhases.data());
  for (uint64_t i = 0; i < request.count * columns; ++i)
    phases[i] = generator.nextPhase();
  return {};
}

void un0_session::fillInputs(Worker &worker, const Plan::Tile &tile, uint32_t lanes) const {
  const auto *s = module.manifest->signature();
  const uint32_t n = s->oscillators(), m = s->conditioning();
  for (uint32_t lane = 0; lane < lanes; ++lane) {
    // Padding lanes repeat the last sample: any finite phases do, their results are dropped.
    const uint64_t sample = tile.first + std::min(lane, tile.samples - 1);
    float *theta0 = worker.theta0 + size_t(lane) * n, *phi0 = worker.phi0 + size_t(lane) * m;
    worker.labels[lane] = request->labels ? request->labels[sample] : -1;
    worker.samples[lane] = request->first_sample + sample;
    const float *drawn = nullptr;
    if (request->theta0) {
      std::copy_n(request->theta0 + sample * n, n, theta0);
      if (m)
        std::copy_n(request->phi0 + sample * m, m, phi0);
    } else if (request->rng == UN0_RNG_TORCH) {
      drawn = reinterpret_cast<const float *>(torchPhases.data()) + sample * (uint64_t(n) + m);
      std::copy_n(drawn, n, theta0);
      std::copy_n(drawn + n, m, phi0);
    } else {
      philoxPhases(request->seed, request->first_sample + sample, 0, n, theta0);
      philoxPhases(request->seed, request->first_sample + sample, n, m, phi0);
    }
  }
}

/// Adds the seconds since `mark` to `phase`.
static void lap(double &mark, double &phase) {
  double time = now();
  phase += time - mark;
  mark = time;
}

/// The features of `count` samples, no more than are decoded together, from their final phases.
void un0_session::readOut(Worker &worker, const float *theta, uint64_t first, uint32_t count,
                          double &mark) {
  const auto *s = module.manifest->signature();
  const size_t n = s->oscillators(), features = s->features();
  for (uint32_t i = 0; i < count; ++i) {
    const float *row = theta + i * n;
    // Rows of a ragged N are not 64-byte aligned, as the code may expect.
    if (n % 16) {
      std::copy_n(row, n, worker.row);
      row = worker.row;
    }
    module.readout(module.weights, worker.arena, row, worker.features + i * features);
  }
  if (request->features)
    std::copy_n(worker.features, count * features, request->features + first * features);
  lap(mark, worker.readout);
}

/// From the final phases of `count` samples to what the request asks for.
void un0_session::finishSamples(Worker &worker, const float *theta, uint64_t first, uint32_t count,
                                double &mark) {
  const size_t n = module.manifest->signature()->oscillators(), image = module.imageFloats();
  if (request->theta)
    std::copy_n(theta, count * n, request->theta + first * n);
  if (!request->features && !request->images)
    return;
  mark = now();
  for (uint32_t done = 0; done < count;) {
    const uint32_t together = std::min(module.decodeBatch, count - done);
    readOut(worker, theta + done * n, first + done, together, mark);
    if (request->images) {
      module.decode(module.weights, worker.arena, worker.features,
                    request->images + (first + done) * image, together);
      lap(mark, worker.decoder);
    }
    done += together;
  }
}

/// From initial to final phases, by code or by simulation. False when the request is to end.
bool un0_session::evolve(Worker &worker, const Plan::Tile &tile) {
  if (!simulator) {
    module.evolves[tile.entry].run(module.weights, worker.arena, worker.theta0, worker.phi0,
                                   worker.labels, worker.theta);
    return true;
  }
  Status status;
  // The other workers hold on to the request, so nothing may leave this one but by returning.
  try {
    status = simulator->run(*worker.simulated, tile.samples, worker.theta0, worker.phi0,
                            worker.labels, worker.samples, worker.theta);
  } catch (const std::bad_alloc &) {
    status = Status(UN0_ERROR_OUT_OF_MEMORY, "out of memory"); // short enough to need none
  }
  if (!status)
    return true;
  pthread_mutex_lock(&mutex);
  if (!failed)
    failed = std::move(status);
  pthread_mutex_unlock(&mutex);
  cancelled.store(true, std::memory_order_relaxed);
  return false;
}

void un0_session::runTile(Worker &worker, const Plan::Tile &tile) {
  double mark = now();
  fillInputs(worker, tile, simulator ? tile.samples : batches[tile.entry]);
  lap(mark, worker.initialPhases);
  const bool evolved = evolve(worker, tile);
  lap(mark, worker.oscillators);
  if (evolved)
    finishSamples(worker, worker.theta, tile.first, tile.samples, mark);
}

/// The one sample of the request: the first worker's memory is everybody's.
void un0_session::workOnSample(Worker &worker) {
  worker.initialPhases = worker.oscillators = worker.readout = worker.decoder = 0;
  worker.worked = true;
  Worker &first = *workers.front();
  const Plan::Tile tile = plan.tile(0);
  double mark = now();
  if (&worker == &first)
    fillInputs(first, tile, 1);
  barrier.wait();
  lap(mark, worker.initialPhases);
  module.team(module.weights, first.arena, first.theta0, first.phi0, first.labels, first.theta,
              worker.index, workers.size(), Barrier::waitFor, &barrier);
  lap(mark, worker.oscillators);
  const bool decodesTogether = module.decodeTeam && request->images;
  if (&worker == &first && !decodesTogether)
    finishSamples(first, first.theta, tile.first, 1, mark);
  if (decodesTogether) {
    if (&worker == &first) {
      if (request->theta)
        std::copy_n(first.theta, module.manifest->signature()->oscillators(), request->theta);
      readOut(first, first.theta, 0, 1, mark);
    }
    barrier.wait();
    // Those who waited were as busy as the request: times of all are added up.
    lap(mark, worker.readout);
    module.decodeTeam(module.weights, first.arena, first.features, request->images, worker.arena,
                      worker.index, workers.size(), Barrier::waitFor, &barrier);
    lap(mark, worker.decoder);
  }
  if (&worker == &first)
    done = 1; // reported when all are
}

/// The one tile of the request: its final phases are in the first worker's memory.
void un0_session::workOnTile(Worker &worker) {
  worker.initialPhases = worker.oscillators = worker.readout = worker.decoder = 0;
  worker.worked = true;
  Worker &first = *workers.front();
  const Plan::Tile tile = plan.tile(0);
  // As many as there are for each: the first weights are read once for all of them.
  const uint64_t share = (request->count + workers.size() - 1) / workers.size();
  const size_t n = module.manifest->signature()->oscillators();
  double mark = now();
  if (&worker == &first) {
    const un0_module::Evolve &evolve = module.evolves[tile.entry];
    fillInputs(first, tile, evolve.batch);
    lap(mark, worker.initialPhases);
    evolve.run(module.weights, first.arena, first.theta0, first.phi0, first.labels, first.theta);
    lap(mark, worker.oscillators);
  }
  barrier.wait();
  // Those who waited were as busy as the request: times of all are added up.
  if (&worker != &first)
    lap(mark, worker.oscillators);
  while (!cancelled.load(std::memory_order_relaxed)) {
    uint64_t lane = nextTile.fetch_add(share, std::memory_order_relaxed);
    if (lane >= tile.samples)
      break;
    auto count = static_cast<uint32_t>(std::min<uint64_t>(share, tile.samples - lane));
    finishSamples(worker, first.theta + lane * n, lane, count, mark);
    done.fetch_add(count, std::memory_order_relaxed);
    if (&worker == &first)
      reportProgress();
  }
}

/// Tells the caller of what was finished since it was last told; on the caller's thread only. What
/// the callback throws ends the program here: other workers still use the request.
void un0_session::reportProgress() noexcept {
  const uint64_t total = done.load(std::memory_order_relaxed);
  if (!request->progress || total == reported || cancelled.load(std::memory_order_relaxed))
    return;
  reported = total;
  const FloatMode callers(callersFloatMode);
  if (request->progress(request->progress_user, total, request->count) != 0)
    cancelled.store(true, std::memory_order_relaxed);
}

/// Waits until the other workers are done, and reports in between.
void un0_session::waitForWorkers() {
  constexpr long second = 1000000000, interval = second / 50;
  pthread_mutex_lock(&mutex);
  while (running != 0) {
    if (!request->progress) {
      pthread_cond_wait(&finished, &mutex);
      continue;
    }
    timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    time.tv_nsec += interval;
    time.tv_sec += time.tv_nsec / second;
    time.tv_nsec %= second;
    pthread_cond_timedwait(&finished, &mutex, &time);
    pthread_mutex_unlock(&mutex);
    reportProgress();
    pthread_mutex_lock(&mutex);
  }
  pthread_mutex_unlock(&mutex);
}

void un0_session::run(Worker &worker) {
  switch (sharing) {
  case Sharing::Tiles:
    return work(worker);
  case Sharing::Sample:
    return workOnSample(worker);
  case Sharing::Decoding:
    return workOnTile(worker);
  }
}

void un0_session::work(Worker &worker) {
  worker.initialPhases = worker.oscillators = worker.readout = worker.decoder = 0;
  worker.worked = false;
  const bool reports = &worker == workers.front().get();
  while (!cancelled.load(std::memory_order_relaxed)) {
    uint64_t index = nextTile.fetch_add(1, std::memory_order_relaxed);
    if (index >= plan.tiles)
      break;
    Plan::Tile tile = plan.tile(index);
    worker.worked = true;
    runTile(worker, tile);
    done.fetch_add(tile.samples, std::memory_order_relaxed);
    if (reports)
      reportProgress();
  }
}

void *un0_session::threadMain(void *argument) {
  auto &worker = *static_cast<Worker *>(argument);
  un0_session &session = *worker.session;
  uint64_t seen = 0;
  const FloatMode mode;
  pthread_mutex_lock(&session.mutex);
  while (true) {
    while (!session.stopping && session.generation == seen)
      pthread_cond_wait(&session.wake, &session.mutex);
    if (session.stopping)
      break;
    seen = session.generation;
    pthread_mutex_unlock(&session.mutex);
    session.run(worker);
    pthread_mutex_lock(&session.mutex);
    if (--session.running == 0)
      pthread_cond_signal(&session.finished);
  }
  pthread_mutex_unlock(&session.mutex);
  return nullptr;
}

Status un0_session::generate(const un0_request &asked) {
  const FloatMode mode;
  callersFloatMode = mode.callers();
  const double begin = now();
  timings = {};
  UN0_RETURN_IF_FAILED(check(asked));
  double drawing = 0;
  if (!asked.theta0 && asked.rng == UN0_RNG_TORCH) {
    UN0_RETURN_IF_FAILED(drawTorchPhases(asked));
    drawing = now() - begin;
  }
  request = &asked;
  planTiles(batches, asked.count, static_cast<uint32_t>(workers.size()), plan);
  nextTile = 0;
  done = reported = 0;
  cancelled = false;
  failed = {};

  sharing = chooseSharing(module.paysToSplit(), asked.count, static_cast<uint32_t>(workers.size()),
                          batches);
  if (sharing == Sharing::Decoding)
    planTiles(batches, asked.count, 1, plan);
  // Otherwise one tile needs no other thread: waking one would cost more than small models take.
  const bool shared = sharing != Sharing::Tiles || (workers.size() > 1 && plan.tiles > 1);
  barrier.reset(static_cast<uint32_t>(workers.size()));
  if (shared) {
    pthread_mutex_lock(&mutex);
    ++generation;
    running = static_cast<uint32_t>(workers.size() - 1);
    pthread_cond_broadcast(&wake);
    pthread_mutex_unlock(&mutex);
  }
  run(*workers.front());
  if (shared)
    waitForWorkers();
  reportProgress();
  request = nullptr;

  timings.initial_phases = drawing;
  for (size_t i = 0; i < (shared ? workers.size() : 1); ++i) {
    timings.threads += workers[i]->worked;
    timings.initial_phases += workers[i]->initialPhases;
    timings.oscillators += workers[i]->oscillators;
    timings.readout += workers[i]->readout;
    timings.decoder += workers[i]->decoder;
  }
  timings.wall = now() - begin;
  if (failed)
    return failed;
  if (cancelled && done < asked.count)
    return failure(UN0_ERROR_CANCELLED, "stopped after %" PRIu64 " of %" PRIu64 " images",
                   done.load(), asked.count);
  return {};
}
