//===- Simulator.h - runs a program as the hardware would -------------------===//
//
// The physics: d theta_i / dt = w_i + sum_j K_ij sin(theta_j - theta_i) + sum_k D_ik sin(phi_k -
// theta_i) + noise, with everything analog hardware does wrong, seeded. A sample's result depends
// on the program, its initial phases, label and index and on the options alone: not on which
// samples are run together or on threads.
//
//===----------------------------------------------------------------------===//
#ifndef UN0_RUNTIME_DSA_SIMULATOR_H
#define UN0_RUNTIME_DSA_SIMULATOR_H

#include "Program.h"

#include <functional>
#include <memory>

namespace un0::dsa {

/// What analog hardware does that the ideal does not; each can be switched off.
enum Fault : uint32_t {
  kFaultLevels = 1,      // couplings and frequencies have levels (constants coupling_levels, ...)
  kFaultMismatch = 2,    // each coupler's static factor 1 + mismatch * normal
  kFaultOffset = 4,      // each coupler's static offset, of `offset` * full scale * normal
  kFaultNoise = 8,       // white phase noise, phase_noise radians per square root of a second
  kFaultSetBits = 16,    // phases are set in steps of 2 pi / 2^set_bits
  kFaultSampleBits = 32, // and read in steps of 2 pi / 2^sample_bits
  kFaultLinkDelay = 64,  // a link sees its source link_delay seconds ago
  kAllFaults = 127
};

/// "levels", "mismatch", "offset", "noise", "set-bits", "sample-bits", "link-delay". Takes `none`,
/// `all` or a list of them.
Status parseFaults(std::string_view text, uint32_t &faults);

enum class Integrator {
  Flow, // the continuous flow, to `tolerance` (adaptive Dormand-Prince 5(4) per sample)
  Euler // the program's own solver and steps: what the model was trained with
};

struct SimulatorOptions {
  Integrator integrator = Integrator::Flow;
  uint32_t faults = kAllFaults;
  uint64_t faultSeed = 0;
  double tolerance = 1e-5; // radians of local error per step
};

/// One tile's run as it happened to the first lane: what a circuit simulator needs to repeat it.
/// Rates in radians per second, with all static faults applied.
struct RunSnapshot {
  uint16_t tile = 0, sourceTile = 0;
  bool linked = false;
  double seconds = 0;
  std::vector<float> phases, finalPhases;             // [n]
  std::vector<float> couplings;                       // [n][n]
  std::vector<float> frequencies;                     // [n]
  std::vector<float> sourcePhases, sourceFinalPhases; // [m]
  std::vector<float> sourceCouplings;                 // [m][m]
  std::vector<float> sourceFrequencies;               // [m]
  std::vector<float> link;                            // [n][m]
};

/// Called for the first lane after every accepted step: seconds since the program began, of tile
/// time; phases [n].
using TraceFn = std::function<void(double seconds, uint16_t tile, const float *phases, size_t n)>;

/// Immutable after `prepare`; any number of threads may use it, each with a workspace of its own.
class Simulator {
public:
  static constexpr uint32_t kLanes = 16; // samples simulated side by side

  Simulator();
  ~Simulator();
  Simulator(const Simulator &) = delete;
  Simulator &operator=(const Simulator &) = delete;

  /// `program` must be verified and outlive the simulator. Fails when memory cannot be had.
  Status prepare(const Program &program, const SimulatorOptions &options);

  struct Workspace;
  struct WorkspaceDeleter {
    void operator()(Workspace *workspace) const;
  };
  using WorkspacePtr = std::unique_ptr<Workspace, WorkspaceDeleter>;
  Status createWorkspace(WorkspacePtr &workspace) const;

  /// Runs 1 <= count <= kLanes samples: theta0 [count][N], phi0 [count][M], labels [count], sample
  /// indices [count] (they select the noise) -> theta [count][N], unwrapped as far as the program
  /// counts windings. Fails only on a step size that vanishes, naming the run.
  Status run(Workspace &workspace, uint32_t count, const float *theta0, const float *phi0,
             const int64_t *labels, const uint64_t *samples, float *theta,
             const TraceFn *trace = nullptr) const;

  /// The same for one sample, up to and including the run with that number (counted as executed,
  /// from 0). Fails when there are fewer runs.
  Status snapshot(Workspace &workspace, uint64_t runIndex, const float *theta0, const float *phi0,
                  int64_t label, uint64_t sample, RunSnapshot &snapshot) const;

private:
  struct Impl;
  std::unique_ptr<Impl> impl;
};

} // namespace un0::dsa

#endif // UN0_RUNTIME_DSA_SIMULATOR_H
