//===- Session.h - working memory and threads -------------------------------===//
#ifndef UN0_RUNTIME_LIB_SESSION_H
#define UN0_RUNTIME_LIB_SESSION_H

#include "Barrier.h"
#include "Module.h"
#include "Plan.h"
#include "Simulator.h"

#include <atomic>
#include <memory>
#include <pthread.h>
#include <vector>

namespace un0::rt {
/// Fails when there are more samples than a request can have, or when their indices wrap.
Status checkSamples(uint64_t first, uint64_t count);
/// Fails when the torch generator, whose stream is sequential, would have to draw more than anyone
/// waits for; `columns` are the phases of a sample.
Status checkTorchDraws(uint64_t first, uint64_t count, uint64_t columns);
} // namespace un0::rt

/// Workers with an arena each; the thread that generates is worker 0. A request is cut into tiles
/// that workers take from a counter, side by side: no barrier but the end of the request. A request
/// of one sample of a large model is evolved by all workers together instead, and decoded by all if
/// the module has an entry for that; one of a single tile is evolved by one worker, since cutting
/// it would read the coupling once per sample, and decoded by all.
struct un0_session {
  explicit un0_session(const un0_module &module);
  un0_session(const un0_session &) = delete;
  un0_session &operator=(const un0_session &) = delete;
  ~un0_session();

  /// Allocates for the workers asked for (0: one per usable CPU) and starts them.
  un0::rt::Status start(const un0_session_options &options);
  un0::rt::Status generate(const un0_request &request);

  un0_timings timings = {};

private:
  /// Buffers of one worker, all inside `memory`, 64-byte aligned.
  struct Worker {
    un0::rt::Memory memory;
    uint8_t *arena = nullptr;
    float *theta0 = nullptr, *phi0 = nullptr, *theta = nullptr;
    float *row = nullptr, *features = nullptr;
    int64_t *labels = nullptr;
    uint64_t *samples = nullptr; // their indices
    un0::dsa::Simulator::WorkspacePtr simulated;
    double initialPhases = 0, oscillators = 0, readout = 0, decoder = 0; // seconds of this request
    bool worked = false;
    un0_session *session = nullptr;
    uint32_t index = 0;
    pthread_t thread;
    bool started = false;
  };

  un0::rt::Status prepareSimulator(const un0_session_options &options);
  un0::rt::Status allocate(Worker &worker);
  bool evolve(Worker &worker, const un0::rt::Plan::Tile &tile);
  un0::rt::Status check(const un0_request &request) const;
  un0::rt::Status drawTorchPhases(const un0_request &request);
  void fillInputs(Worker &worker, const un0::rt::Plan::Tile &tile, uint32_t lanes) const;
  void runTile(Worker &worker, const un0::rt::Plan::Tile &tile);
  void work(Worker &worker);
  void workOnSample(Worker &worker);
  void workOnTile(Worker &worker);
  void run(Worker &worker);
  void reportProgress() noexcept;
  void waitForWorkers();
  void readOut(Worker &worker, const float *theta, uint64_t first, uint32_t count, double &mark);
  void finishSamples(Worker &worker, const float *theta, uint64_t first, uint32_t count,
                     double &mark);
  static void *threadMain(void *worker);

  const un0_module &module;
  std::vector<std::unique_ptr<Worker>> workers;
  std::vector<uint32_t> batches;
  std::unique_ptr<un0::dsa::Simulator> simulator; // null: the module's code evolves

  // The request in hand; written before workers are woken, constant until they are done.
  const un0_request *request = nullptr;
  un0::rt::Plan plan;
  un0::rt::Memory torchPhases; // [count][N + M]
  std::atomic<uint64_t> nextTile{0}, done{0};
  std::atomic<bool> cancelled{false};
  uint64_t reported = 0;         // to the progress callback; of the caller's thread
  unsigned callersFloatMode = 0; // for that callback
  un0::rt::Sharing sharing = un0::rt::Sharing::Tiles;
  un0::rt::Barrier barrier;

  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  pthread_cond_t wake = PTHREAD_COND_INITIALIZER, finished;
  uint64_t generation = 0; // counts requests; guarded by mutex, like the two below
  uint32_t running = 0;
  bool stopping = false;
  un0::rt::Status failed; // the first failure of the request; guarded by mutex
};

#endif // UN0_RUNTIME_LIB_SESSION_H
