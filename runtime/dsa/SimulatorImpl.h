//===- SimulatorImpl.h - parts of the simulator -----------------------------===//
#ifndef UN0_RUNTIME_DSA_SIMULATORIMPL_H
#define UN0_RUNTIME_DSA_SIMULATORIMPL_H

#include "MappedFile.h"
#include "Simulator.h"
#include "SimulatorKernels.h"

#include <map>

namespace un0::dsa {

static_assert(Simulator::kLanes == kSimdLanes, "the kernels have as many lanes");
constexpr uint32_t kLanes = kSimdLanes;

/// Sub-steps of a run: at most so many draws of noise.
constexpr uint32_t kMaxSubSteps = 1024;

/// Couplings of a tile, or of the link to it, as the kernels read them: shared by all lanes in
/// panels of rows, or one matrix per lane.
struct MatrixLayout {
  size_t rows = 0, columns = 0;
  uint32_t panel = 1;
  bool perLane = false;

  size_t width() const { return perLane ? kLanes : 1; }
  /// Cells with padding; a cell is `width()` floats. Fails when that overflows.
  bool cells(size_t &count) const;
  size_t cell(size_t row, size_t column) const {
    return perLane ? row * columns + column
                   : row / panel * panel * columns + column * panel + row % panel;
  }
};

/// What is wrong with each coupler, once and for all: value = setting * factor + offset. One entry
/// per cell; null when there is no such fault.
struct CouplerFaults {
  rt::Memory factorMemory, offsetMemory;
  const float *factor = nullptr, *offset = nullptr;
  bool onlyWhereSet = false; // sparse hardware: a coupling of zero is no coupler
};

/// What a program makes of a tile; constant.
struct TilePlan {
  size_t n = 0; // oscillators that the program names; the others are off
  bool coupled = false;
  MatrixLayout couplings, link;
  /// Columns of the links from each source. `link` has room for the widest, and a narrow source has
  /// no waves for the rest.
  std::map<uint32_t, size_t> linkColumns;
  CouplerFaults faults, linkFaults;
  uint32_t banks = 1;
  /// Couplings that are loaded once, before anything runs, are shared by all workspaces.
  bool isShared = false;
  rt::Memory shared;
};

/// Values of one oscillator array, [n][16] floats, in the workspace's memory.
struct TileState {
  float *phase = nullptr, *carry = nullptr, *delta = nullptr; // phase + carry: the phase
  float *waves = nullptr;                                     // [n][2][16]
  float *rate = nullptr; // frequency and noise of the sub-step at hand
  float *k[7] = {};
  float *frequencies = nullptr; // [n]
  float *banks[2] = {};
  double bankRates[2] = {}, linkRate = 0; // how fast they mix phases: SimulatorPlan::rates
  uint32_t acting = 0;
  float *link = nullptr;
  size_t linkColumns = 0; // that act
  bool linked = false;
  uint16_t source = 0;
};

/// Where a lane must stop in a run: the end, the beginning of a source's motion, or new noise of a
/// part.
struct Event {
  double time;
  bool draws[2];
  uint32_t step[2];
};

struct Simulator::Workspace {
  rt::Memory memory;
  std::vector<TileState> tiles;
  std::vector<float *> buffers;  // [size][16]
  std::vector<uint32_t> repeats; // by instruction: passes left
  std::vector<Event> events;     // of the run at hand
  std::vector<float> phases;     // of the first lane, for traces
};

/// A tile that takes part in a run. Its own time is the run's less `delay`; before 0 it stands
/// still.
struct Part {
  const TilePlan *plan;
  TileState *state;
  double delay;
  uint32_t stream;   // of noise
  uint32_t subSteps; // of its noise
  bool traced;
};

/// What `prepare` makes of a program; constant.
struct SimulatorPlan {
  const Program *program = nullptr;
  SimulatorOptions options;
  const Kernels *kernels = nullptr;
  std::vector<TilePlan> tiles;
  /// Of each data: the largest root of the sum of squares of a row, radians per second.
  std::vector<double> rates;
  double setStep = 0, sampleStep = 0; // radians; 0: continuous
  double noise = 0;                   // radians per square root of a second
  double linkDelay = 0;               // seconds
  size_t workspaceFloats = 0;

  bool has(Fault fault) const { return options.faults & fault; }

  // SimulatorPrepare.cpp
  Status prepare();
  void measureTiles();
  Status checkCode() const;
  Status makeFaults(TilePlan &plan, uint32_t tile, bool link) const;
  Status shareCouplings(uint32_t tile);
  void measureRates();
  /// Lays the workspace out at `base`, or only counts its floats when that is null.
  size_t layOut(Simulator::Workspace &workspace, float *base) const;

  // SimulatorLoad.cpp
  /// All couplers zero, faults applied.
  void clear(const MatrixLayout &layout, const CouplerFaults &faults, float *matrix) const;
  /// Loads a block at (row, column); `labels` select the class in each lane.
  void load(const MatrixLayout &layout, const CouplerFaults &faults, const Data &data, size_t row,
            size_t column, const int64_t *labels, bool noDiagonal, float *matrix) const;
  void detune(const Data &data, size_t first, TileState &state) const;
};

struct Simulator::Impl : SimulatorPlan {};

/// Samples side by side, from the program's first instruction on.
class Machine {
public:
  Machine(const SimulatorPlan &impl, Simulator::Workspace &workspace, uint32_t count,
          const int64_t *labels, const uint64_t *samples, const TraceFn *trace)
      : impl(impl), workspace(workspace), kernels(*impl.kernels), count(count), labels(labels),
        samples(samples), trace(trace) {}

  /// Runs all, or until the run number `stopAfter` is done, which `snapshot` then describes.
  Status execute(const float *theta0, const float *phi0, uint64_t stopAfter, RunSnapshot *snapshot);

  uint64_t runs = 0; // executed so far

private:
  // SimulatorExecute.cpp
  Status step(size_t &at);
  void draw(const Instruction &instruction);
  void setPhases(const Instruction &instruction);
  void sample(const Instruction &instruction);
  void link(const Instruction &instruction);
  void beginSnapshot(uint16_t tile, double seconds);
  void endSnapshot(uint16_t tile);

  // SimulatorRun.cpp
  Status run(const Instruction &instruction, size_t at);
  void makeEvents(const Part *parts, size_t partCount, double from, double to, double seconds);
  Status flow(Part *parts, size_t partCount, double from, double to, double seconds);
  void follow(Part *parts, size_t partCount, double from, double to, uint32_t steps,
              uint32_t firstStep);
  void evaluate(const Part *parts, size_t partCount, unsigned groups, const float (*h)[kLanes],
                const Slope *slopes, unsigned target, bool keepDelta);
  void drawNoise(const Part &part, unsigned groups, const uint32_t *mask, const uint32_t *step,
                 double subStep);
  void makeRunKeys();
  uint32_t chooseSubSteps(const TileState &state, double seconds) const;
  void traceFirst(const Part &part, double time);

  const SimulatorPlan &impl;
  Simulator::Workspace &workspace;
  const Kernels &kernels;
  uint32_t count;
  const int64_t *labels;
  const uint64_t *samples;
  const TraceFn *trace;

  const float *theta0 = nullptr, *phi0 = nullptr;
  int64_t laneLabels[kLanes] = {};
  double tileTime = 0; // seconds of runs and holds so far
  uint64_t stopAfter = UINT64_MAX;
  RunSnapshot *snapshot = nullptr;
  bool stopped = false;
  alignas(64) uint32_t keys[2][kLanes] = {}; // of the noise of the run at hand
};

/// Keys of the generator: the fault seed's streams are apart from each other and from that of
/// initial phases.
constexpr uint32_t kStaticKey[2] = {0x73746174, 0x69630000};
constexpr uint32_t kNoiseKey[2] = {0x6e6f6973, 0x65000000};

} // namespace un0::dsa

#endif // UN0_RUNTIME_DSA_SIMULATORIMPL_H
