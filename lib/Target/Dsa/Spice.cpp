//===- Spice.cpp - one tile's run as a SPICE deck ---------------*- C++ -*-===//
//
// docs/dsa/spice.md has the circuit. Everything is scaled by the run's length T: a capacitor of T
// farads integrates rate * T amperes over T seconds, so currents and voltages are of the size of
// radians however short the run is, and SPICE's tolerances mean what they say.
//
//===----------------------------------------------------------------------===//

#include "un0/Target/Spice.h"

#include "Random.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"
#include <cmath>

using namespace un0;
using namespace un0::dsa;
using llvm::format;
using llvm::StringRef;

namespace {

/// Radians of error that the deck's options aim at.
constexpr double kTolerance = 1e-6;
constexpr double kFewestSteps = 50, kMostSteps = 1e6;

/// Couplings [rows][columns] that oscillators of population `source` have on another.
struct Coupling {
  StringRef source;
  const std::vector<float> &values;
  size_t columns;
};

/// Oscillators of one tile.
struct Population {
  StringRef name;
  const std::vector<float> &phases, &frequencies, &finalPhases;
  std::vector<Coupling> couplings;
};

class DeckWriter {
public:
  DeckWriter(double seconds, llvm::raw_ostream &os) : seconds(seconds), os(os) {}

  void writeHeader(StringRef title, const std::vector<std::string> &comments);
  void writePopulation(const Population &population);
  void writeAnalysis(llvm::ArrayRef<Population> populations);

private:
  void writeOscillator(const Population &population, size_t i);
  void writeSums(const Population &population, size_t i);
  void writeOrdering(const Population &population);

  const double seconds;
  llvm::raw_ostream &os;
};

} // namespace

static bool isCoupled(const Population &population, size_t i) {
  return llvm::any_of(population.couplings, [i](const Coupling &coupling) {
    const float *row = coupling.values.data() + i * coupling.columns;
    return std::any_of(row, row + coupling.columns, [](float value) { return value != 0; });
  });
}

void DeckWriter::writeHeader(StringRef title, const std::vector<std::string> &comments) {
  os << title << "\n";
  for (const std::string &comment : comments)
    os << "* " << comment << "\n";
  os << "*\n"
        "* d theta_i / dt = w_i + cos theta_i * sum_j K_ij sin theta_j\n"
        "*                      - sin theta_i * sum_j K_ij cos theta_j\n"
        "* Phases are voltages, 1 V for 1 rad. Time is that of the hardware. Capacitors are of T\n"
     << format("* farads, T = %.9g, and rates are multiplied by T, so that currents have the\n",
               seconds)
     << "* size of radians: a transconductance divided by T is a coupling in rad/s.\n"
        "* C_theta0 integrates the phase of oscillator 0, B_theta0 is its rate, sin_theta0 and\n"
        "* cos_theta0 its waves; G_sin_theta0_theta1 and G_cos_theta0_theta1 are the coupling by\n"
        "* which 1 acts on 0, summed on the nodes ksin_theta0 and kcos_theta0.\n";
}

void DeckWriter::writeOscillator(const Population &population, size_t i) {
  const std::string node = (population.name + llvm::Twine(i)).str();
  os << "C_" << node << " " << node << " 0 " << format("%.9g", seconds)
     << " IC=" << format("%.9g", population.phases[i]) << "\n";
  os << "B_" << node << " 0 " << node
     << " I=" << format("%.12g", seconds * double(population.frequencies[i]));
  if (isCoupled(population, i))
    os << llvm::formatv("+v(cos_{0})*v(ksin_{0})-v(sin_{0})*v(kcos_{0})", node);
  os << "\n";
  for (StringRef wave : {"sin", "cos"})
    os << llvm::formatv("B_{0}_{1} 0 {0}_{1} I={0}(v({1}))\nR_{0}_{1} {0}_{1} 0 1\n", wave, node);
}

void DeckWriter::writeSums(const Population &population, size_t i) {
  if (!isCoupled(population, i))
    return;
  const std::string node = (population.name + llvm::Twine(i)).str();
  for (StringRef wave : {"sin", "cos"}) {
    os << llvm::formatv("R_k{0}_{1} k{0}_{1} 0 1\n", wave, node);
    for (const Coupling &coupling : population.couplings)
      for (size_t j = 0; j < coupling.columns; ++j)
        if (const double value = coupling.values[i * coupling.columns + j]; value != 0)
          os << llvm::formatv("G_{0}_{1}_{2}{3} 0 k{0}_{1} {0}_{2}{3} 0 ", wave, node,
                              coupling.source, j)
             << format("%.12g", seconds * value) << "\n";
  }
}

/// SPICE's sparse solver eliminates next what has the least (row entries - 1) * (column entries -
/// 1). Left alone it takes the phases first, which have few entries, and then has waves and sums as
/// one dense block of twice their number. Entries that are zero make phases look expensive until
/// waves and sums are gone: the dense block is that of the phases, an eighth of the work.
void DeckWriter::writeOrdering(const Population &population) {
  const size_t n = population.phases.size();
  constexpr size_t rowEntries = 4, columnEntries = 2; // besides the diagonal
  size_t extra = 0;
  while (extra + 1 < n && (rowEntries + extra) * (columnEntries + extra) <= n)
    ++extra;
  constexpr size_t worthwhile = 16;
  if (n < worthwhile)
    return;
  os << "* Zeros, for speed: they keep the matrix sparse until the waves are eliminated.\n";
  for (size_t i = 0; i < n; ++i)
    for (size_t k = 1; k <= extra; ++k)
      os << llvm::formatv("G_order_{0}{1}_{2} 0 {0}{1} {0}{2} 0 0\n", population.name, i,
                          (i + k) % n);
}

void DeckWriter::writePopulation(const Population &population) {
  os << "\n* " << population.phases.size() << " oscillators " << population.name << "\n";
  for (size_t i = 0; i < population.phases.size(); ++i)
    writeOscillator(population, i);
  for (size_t i = 0; i < population.phases.size(); ++i)
    writeSums(population, i);
  writeOrdering(population);
}

/// Steps that bring the trapezoidal rule to kTolerance. Its error is T h^2 / 12 times the third
/// derivative, which goes with the cube of the rate; the factor was fitted to random systems of 16
/// to 64 oscillators that move by 0.3 to 5 rad.
static double chooseSteps(llvm::ArrayRef<Population> populations, double seconds) {
  double motion = 0; // of the fastest oscillator, when sines are independent
  for (const Population &population : populations)
    for (size_t i = 0; i < population.phases.size(); ++i) {
      double squares = 0;
      for (const Coupling &coupling : population.couplings)
        for (size_t j = 0; j < coupling.columns; ++j)
          squares += std::pow(double(coupling.values[i * coupling.columns + j]), 2);
      motion = std::max(
          motion, seconds * (std::abs(double(population.frequencies[i])) + std::sqrt(squares)));
    }
  constexpr double fitted = 0.12;
  return std::ceil(std::min(
      kMostSteps, std::max(kFewestSteps, fitted * std::pow(motion, 1.5) / std::sqrt(kTolerance))));
}

void DeckWriter::writeAnalysis(llvm::ArrayRef<Population> populations) {
  const double step = seconds / chooseSteps(populations, seconds);
  os << "\n* Tolerances of voltages, currents and charges all stand for "
     << format("%g rad; the\n* longest step is what bounds the error.\n", kTolerance)
     << format(".options method=trap reltol=%g vntol=%g abstol=%g", kTolerance, kTolerance,
               kTolerance)
     << format(" chgtol=%.9g itl4=50\n", kTolerance * seconds)
     << format(".tran %.9g %.9g 0 %.9g uic\n", step, seconds, step);
  for (const Population &population : populations)
    for (size_t i = 0; i < population.phases.size(); ++i)
      os << (i % 8 == 0 ? (i ? "\n.save" : ".save") : "") << " v(" << population.name << i << ")"
         << (i + 1 == population.phases.size() ? "\n" : "");
  os << "\n* Final phases of the Un0 simulator, in radians.\n";
  for (const Population &population : populations)
    for (auto [i, phase] : llvm::enumerate(population.finalPhases))
      os << "* simulator " << population.name << i << format(" = %.9g\n", phase);
  os << "\n* For ngspice -b: prints the final phases as NAME[last] = RADIANS.\n"
        ".control\nset numdgt=11\nrun\nlet last = length(time) - 1\nprint time[last]\n";
  for (const Population &population : populations)
    for (size_t i = 0; i < population.phases.size(); ++i)
      os << "print " << population.name << i << "[last]\n";
  os << "quit 0\n.endc\n.end\n";
}

llvm::Error un0::writeSpice(const RunSnapshot &run, StringRef title,
                            const std::vector<std::string> &comments, llvm::raw_ostream &os) {
  if (!(run.seconds > 0 && std::isfinite(run.seconds)))
    return llvm::createStringError("a run of %g s has no deck", run.seconds);
  for (const std::vector<float> *values :
       {&run.phases, &run.couplings, &run.frequencies, &run.sourcePhases, &run.sourceCouplings,
        &run.sourceFrequencies, &run.link})
    for (float value : *values)
      if (!std::isfinite(value))
        return llvm::createStringError("the run has a phase, frequency or coupling of %g",
                                       double(value));
  const size_t n = run.phases.size(), m = run.sourcePhases.size();
  std::vector<Population> populations = {
      {"theta", run.phases, run.frequencies, run.finalPhases, {{"theta", run.couplings, n}}}};
  if (run.linked) {
    populations[0].couplings.push_back({"phi", run.link, m});
    populations.push_back({"phi",
                           run.sourcePhases,
                           run.sourceFrequencies,
                           run.sourceFinalPhases,
                           {{"phi", run.sourceCouplings, m}}});
  }
  DeckWriter writer(run.seconds, os);
  writer.writeHeader(title, comments);
  for (const Population &population : populations)
    writer.writePopulation(population);
  writer.writeAnalysis(populations);
  return llvm::Error::success();
}

static llvm::Error toError(const rt::Status &status) {
  return llvm::createStringError(llvm::Twine(status.message()));
}

/// The names that parseFaults takes.
static std::string faultNames(uint32_t faults) {
  const std::pair<uint32_t, const char *> names[] = {{kFaultLevels, "levels"},
                                                     {kFaultMismatch, "mismatch"},
                                                     {kFaultOffset, "offset"},
                                                     {kFaultSetBits, "set-bits"},
                                                     {kFaultSampleBits, "sample-bits"}};
  std::string text;
  for (auto [fault, name] : names)
    if (faults & fault)
      text += (text.empty() ? "" : ", ") + std::string(name);
  return text.empty() ? "none" : text;
}

llvm::Error un0::exportSpice(const Program &program, const SpiceRequest &request,
                             llvm::raw_ostream &os) {
  if (request.faults & kFaultNoise)
    return llvm::createStringError("a deck has no phase noise; leave 'noise' out of the faults");
  if (request.faults & kFaultLinkDelay)
    return llvm::createStringError("a deck has no delays; leave 'link-delay' out of the faults");
  if (request.label < -1 || request.label >= std::max<int64_t>(program.classes, 1))
    return llvm::createStringError("there is no class %lld; the model has %u, and -1 for none",
                                   static_cast<long long>(request.label), program.classes);
  SimulatorOptions options;
  options.faults = request.faults;
  options.faultSeed = request.faultSeed;
  options.tolerance = kTolerance;
  Simulator simulator;
  if (rt::Status status = simulator.prepare(program, options))
    return toError(status);
  Simulator::WorkspacePtr workspace;
  if (rt::Status status = simulator.createWorkspace(workspace))
    return toError(status);
  std::vector<float> theta0(program.oscillators), phi0(program.conditioning);
  rt::philoxPhases(request.seed, 0, 0, program.oscillators, theta0.data());
  rt::philoxPhases(request.seed, 0, program.oscillators, program.conditioning, phi0.data());
  RunSnapshot run;
  if (rt::Status status = simulator.snapshot(*workspace, request.run, theta0.data(), phi0.data(),
                                             request.label, /*sample=*/0, run))
    return toError(status);
  std::vector<std::string> comments = {
      llvm::formatv("class {0}, phases of seed {1}, faults {2} of seed {3}", request.label,
                    request.seed, faultNames(request.faults), request.faultSeed)
          .str()};
  if (run.linked)
    comments.push_back(
        llvm::formatv("oscillators phi are tile {0}, linked to tile {1} and not driven by it",
                      run.sourceTile, run.tile)
            .str());
  std::string title;
  llvm::raw_string_ostream(title) << "un0: run " << request.run << " of a program for "
                                  << program.hardware.name << ": tile " << run.tile << ", "
                                  << format("%.9g s", run.seconds);
  return writeSpice(run, title, comments, os);
}
