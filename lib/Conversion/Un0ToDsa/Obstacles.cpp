//===- Obstacles.cpp - what a description lacks for a model -----*- C++ -*-===//

#include "System.h"
#include "llvm/Support/FormatVariadic.h"
#include <cmath>

using namespace mlir;
using namespace un0;
using dsa::Hardware;
using dsa::HardwareKind;
using llvm::formatv;

static double getStep(double bits) { return bits > 0 ? 2 * M_PI / std::exp2(bits) : 0.0; }

TileLimits::TileLimits(const Hardware &hardware) {
  auto whole = [&](const char *name) { return static_cast<int64_t>(hardware.get(name)); };
  ideal = hardware.basis == "ideal";
  tiles = whole("tile_count");
  oscillators = whole("tile_oscillators");
  if (oscillators == 0)
    oscillators = INT64_MAX;
  linkInputs = whole("link_inputs");
  couplingLimit = std::max<int64_t>(whole("coupling_levels") - 1, 0) / 2;
  int64_t bits = whole("frequency_bits");
  frequencyLimit = bits > 0 ? (int64_t(1) << (bits - 1)) - 1 : 0;
  couplingScale = hardware.get("coupling_full_scale");
  linkScale = hardware.get("link_full_scale");
  frequencyScale = hardware.get("frequency_full_scale");
  setStep = getStep(hardware.get("set_bits"));
  sampleStep = getStep(hardware.get("sample_bits"));
  settleTime = hardware.get("settle_time");
  repeatedSampling = hardware.get("repeated_sampling") != 0;
  mismatch = hardware.get("mismatch");
}

/// Couplings of the model that are not zero, by its weights.
static int64_t countCouplings(const Weights &weights) {
  std::vector<float> row(weights.getColumns());
  int64_t count = 0;
  for (int64_t i = 0; i < weights.getRows(); ++i) {
    weights.read(0, i, 0, 1, weights.getColumns(), row);
    count += llvm::count_if(row, [](float value) { return value != 0.0f; });
  }
  return count;
}

/// Couplings that `count` oscillators of a square grid have with their neighbours of a king's move.
static int64_t countKingsMoves(int64_t count) {
  int64_t side = static_cast<int64_t>(std::ceil(std::sqrt(static_cast<double>(count)))), moves = 0;
  for (int64_t i = 0; i < count; ++i)
    for (int64_t dy = -1; dy <= 1; ++dy)
      for (int64_t dx = -1; dx <= 1; ++dx) {
        int64_t x = i % side + dx, y = i / side + dy;
        moves += (dx || dy) && x >= 0 && x < side && y >= 0 && y * side + x < count;
      }
  return moves;
}

std::string un0::findObstacle(const DsaSystem &system, const SystemWeights &weights,
                              const Hardware &hardware, double motion) {
  if (hardware.kind == HardwareKind::Cpu)
    return "is a description of a CPU, for accounts of --target=cpu; it runs no programs";
  if (hardware.kind == HardwareKind::Digital)
    return "";
  TileLimits limits(hardware);
  int64_t n = system.oscillators, m = system.conditioning;
  if (hardware.topology == dsa::Topology::KingsGraph && weights.coupling) {
    int64_t wanted = countCouplings(*weights.coupling);
    int64_t there = std::min(countKingsMoves(n), wanted);
    if (wanted > there)
      return formatv(
          "couples an oscillator to {0} neighbours, {1} couplings among {2} oscillators; "
          "the model has {3} couplings, all to all: {4} are missing",
          static_cast<int64_t>(hardware.get("neighbours")), there, n, wanted, wanted - there);
  }
  if (hardware.topology == dsa::Topology::KingsGraph && n > limits.oscillators)
    return formatv("has {0} oscillators, the model {1}: {2} are missing", limits.oscillators, n,
                   n - limits.oscillators);
  if (limits.oscillators < 2 && n > limits.oscillators)
    return formatv("has tiles of {0} oscillator; a pair of groups needs 2", limits.oscillators);
  if (system.drive) {
    if (limits.tiles < 2)
      return formatv("has {0} tile; main and conditioning oscillators need 2", limits.tiles);
    if (m > limits.oscillators)
      return formatv(
          "has tiles of {0} oscillators, the conditioning system has {1}: {2} are missing",
          limits.oscillators, m, m - limits.oscillators);
    if (m > limits.linkInputs)
      return formatv(
          "lets {0} oscillators of another tile drive one, the model has {1} conditioning "
          "oscillators: {2} link inputs are missing",
          limits.linkInputs, m, m - limits.linkInputs);
  }
  if (system.frequency && limits.frequencyScale == 0)
    return "has oscillators whose frequencies cannot be set, and the model's differ";
  double bound = motion * (1 + 4 * limits.mismatch), most = M_PI - limits.sampleStep;
  if (n <= limits.oscillators && system.needsWindings() && limits.sampleStep > 0 &&
      !limits.repeatedSampling && bound >= most)
    return formatv(
        "reads phases modulo 2 pi, and only once a run; the readout, {0} of {1} phases, "
        "needs their windings, and they may move {2:f1} radians where {3:f1} can be told",
        stringifyReference(system.getReference()),
        system.getEncoding() == Encoding::Raw ? "raw" : "unwrapped", bound, most);
  return "";
}

std::string un0::listFitting(const DsaSystem &system, const SystemWeights &weights, double motion) {
  std::string names;
  for (const std::string &name : dsa::builtinHardwareNames()) {
    Hardware hardware;
    if (dsa::loadHardware(name, hardware) ||
        !findObstacle(system, weights, hardware, motion).empty())
      continue;
    names += (names.empty() ? "" : ", ") + name;
  }
  return names.empty() ? "none" : names;
}
