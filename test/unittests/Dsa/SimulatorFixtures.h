//===- SimulatorFixtures.h - small programs and an f64 reference ------------===//
#ifndef UN0_UNITTESTS_DSA_SIMULATORFIXTURES_H
#define UN0_UNITTESTS_DSA_SIMULATORFIXTURES_H

#include "Simulator.h"

#include <cmath>
#include <functional>
#include <gtest/gtest.h>
#include <map>
#include <random>

namespace un0test {

using namespace un0::dsa;
using Floats = std::vector<float>;
using Doubles = std::vector<double>;

/// Four tiles of the ideal hardware, with the constants given.
inline Hardware hardwareWith(const std::map<std::string, double> &given = {}) {
  Hardware hardware;
  EXPECT_FALSE(loadHardware("ideal", hardware));
  hardware.name = "bench";
  hardware.constants["tile_count"].value = 4;
  for (const auto &[name, value] : given)
    hardware.constants[name].value = value;
  return hardware;
}

/// The simulator is for programs that the verifier lets pass.
inline std::string problemOf(const Program &p) { return verifyProgram(p).message(); }

inline Data couplings(const std::string &name, uint32_t rows, uint32_t columns, Floats values,
                      uint32_t classes = 0) {
  Data data;
  data.name = name;
  data.rows = rows;
  data.columns = columns;
  data.classes = classes;
  data.exact = std::move(values);
  return data;
}

inline Data frequencies(const std::string &name, Floats values) {
  Data data;
  data.name = name;
  data.kind = DataKind::Frequencies;
  data.rows = static_cast<uint32_t>(values.size());
  data.exact = std::move(values);
  return data;
}

inline Instruction make(Opcode opcode, uint16_t tile = 0, uint32_t a = 0, uint32_t b = 0,
                        uint32_t c = 0, uint32_t d = 0, uint32_t e = 0, double x = 0) {
  Instruction i;
  i.opcode = opcode;
  i.tile = tile;
  i.a = a;
  i.b = b;
  i.c = c;
  i.d = d;
  i.e = e;
  i.x = x;
  return i;
}

/// Appends `each`, the body and its `end`.
inline void addEach(std::vector<Instruction> &code, const std::vector<Instruction> &body) {
  const auto begin = static_cast<uint32_t>(code.size());
  code.push_back(make(Opcode::Each, 0, 0, begin + static_cast<uint32_t>(body.size()) + 1));
  code.insert(code.end(), body.begin(), body.end());
  code.push_back(make(Opcode::End, 0, 0, begin));
}

inline Instruction sampleAll(uint16_t tile, uint32_t buffer, uint32_t count, bool unwrap = true) {
  Instruction i = make(Opcode::Sample, tile, buffer, 0, count, 0, kClockReference);
  i.flags = unwrap ? kUnwrap : 0;
  return i;
}

/// One cascade: a system of n oscillators on tile 0, driven by one of m on tile 1, if there is one.
struct System {
  uint32_t n = 0, m = 0, classes = 0;
  Floats k, w, c, wc, drive; // [n][n], [n], [m][m], [m], [classes][n][m]

  static System random(uint32_t n, uint32_t m, uint32_t classes, unsigned seed) {
    std::mt19937 engine(seed);
    std::normal_distribution<float> normal;
    auto draw = [&](size_t count, float scale) {
      Floats values(count);
      for (float &value : values)
        value = scale * normal(engine);
      return values;
    };
    System s{n, m, classes, {}, {}, {}, {}, {}};
    s.k = draw(size_t(n) * n, 1 / std::sqrt(float(n)));
    s.w = draw(n, 1);
    s.c = draw(size_t(m) * m, 0.5f);
    s.wc = draw(m, 1);
    s.drive = draw(size_t(classes) * n * m, 0.5f);
    return s;
  }

  /// Runs for `seconds` in `runs` equal parts, sampled after each.
  Program program(double seconds, uint32_t steps, Hardware hardware, uint32_t runs = 1) const {
    Program p;
    p.hardware = std::move(hardware);
    p.oscillators = n;
    p.conditioning = m;
    p.classes = classes;
    p.buffers = {{"theta", n}};
    p.data = {couplings("K", n, n, k), frequencies("w", w)};
    p.code = {make(Opcode::Couple, 0, 0), make(Opcode::Detune, 0, 1)};
    if (p.hardware.get("coupling_banks") == 2)
      p.code.push_back(make(Opcode::Swap, 0));
    std::vector<Instruction> body = {make(Opcode::Draw, 0, 0, 0),
                                     make(Opcode::Phase, 0, 0, 0, n, 0)};
    if (m) {
      p.buffers.push_back({"phi", m});
      p.data.push_back(couplings("C", m, m, c));
      p.data.push_back(frequencies("wc", wc));
      p.data.push_back(couplings("D", n, m, drive, classes));
      p.code.insert(p.code.begin(), {make(Opcode::Couple, 1, 2), make(Opcode::Detune, 1, 3)});
      if (p.hardware.get("coupling_banks") == 2)
        p.code.push_back(make(Opcode::Swap, 1));
      body.push_back(make(Opcode::Draw, 0, 1, n));
      body.push_back(make(Opcode::Phase, 1, 1, 0, m, 0));
      body.push_back(make(Opcode::Link, 0, 4, 1, 0));
    }
    for (uint32_t r = 0; r < runs; ++r) {
      body.push_back(make(Opcode::Run, 0, steps / runs, 0, 0, 0, 0, seconds / runs));
      body.push_back(sampleAll(0, 0, n));
      if (m)
        body.push_back(sampleAll(1, 1, m));
    }
    addEach(p.code, body);
    p.code.push_back(make(Opcode::Halt));
    return p;
  }

  /// The right-hand side, term by term. `phi` is what the link shows of the source.
  Doubles slope(const Doubles &theta, const Doubles &phi, int64_t label) const {
    Doubles result(n);
    for (uint32_t i = 0; i < n; ++i) {
      result[i] = w[i];
      for (uint32_t j = 0; j < n; ++j)
        if (j != i)
          result[i] += double(k[size_t(i) * n + j]) * std::sin(theta[j] - theta[i]);
      for (uint32_t j = 0; j < m && label >= 0; ++j)
        result[i] += double(drive[(size_t(label) * n + i) * m + j]) * std::sin(phi[j] - theta[i]);
    }
    return result;
  }
  Doubles sourceSlope(const Doubles &phi) const {
    Doubles result(m);
    for (uint32_t i = 0; i < m; ++i) {
      result[i] = wc[i];
      for (uint32_t j = 0; j < m; ++j)
        if (j != i)
          result[i] += double(c[size_t(i) * m + j]) * std::sin(phi[j] - phi[i]);
    }
    return result;
  }

  /// Steps of an explicit method, given by its tableau, on (theta, phi).
  using Matrix = std::vector<Doubles>;
  void integrate(Doubles &theta, Doubles &phi, int64_t label, double seconds, int steps,
                 const Matrix &a, const Doubles &b) const {
    const double h = seconds / steps;
    for (int s = 0; s < steps; ++s) {
      Matrix kt, kp;
      for (size_t stage = 0; stage < b.size(); ++stage) {
        Doubles t = theta, p = phi;
        for (size_t j = 0; j < stage; ++j) {
          for (uint32_t i = 0; i < n; ++i)
            t[i] += h * a[stage][j] * kt[j][i];
          for (uint32_t i = 0; i < m; ++i)
            p[i] += h * a[stage][j] * kp[j][i];
        }
        kt.push_back(slope(t, p, label));
        kp.push_back(sourceSlope(p));
      }
      for (size_t stage = 0; stage < b.size(); ++stage) {
        for (uint32_t i = 0; i < n; ++i)
          theta[i] += h * b[stage] * kt[stage][i];
        for (uint32_t i = 0; i < m; ++i)
          phi[i] += h * b[stage] * kp[stage][i];
      }
    }
  }
  void reference(Doubles &theta, Doubles &phi, int64_t label, double seconds) const {
    integrate(theta, phi, label, seconds, 400, {{}, {0.5}, {0, 0.5}, {0, 0, 1}},
              {1.0 / 6, 1.0 / 3, 1.0 / 3, 1.0 / 6});
  }
};

/// Samples and what came of them.
struct Batch {
  uint32_t count = 0;
  Floats theta0, phi0, theta;
  std::vector<int64_t> labels;
  std::vector<uint64_t> samples;

  static Batch random(const Program &p, uint32_t count, unsigned seed = 7) {
    std::mt19937 engine(seed);
    std::uniform_real_distribution<float> phase(-3.14159f, 3.14159f);
    Batch batch;
    batch.count = count;
    for (uint32_t s = 0; s < count; ++s) {
      for (uint32_t i = 0; i < p.oscillators; ++i)
        batch.theta0.push_back(phase(engine));
      for (uint32_t i = 0; i < p.conditioning; ++i)
        batch.phi0.push_back(phase(engine));
      batch.labels.push_back(p.classes ? int64_t(s % (p.classes + 1)) - 1 : -1);
      batch.samples.push_back(s);
    }
    batch.theta.resize(size_t(count) * p.oscillators);
    return batch;
  }

  /// The chosen samples, in that order.
  Batch pick(const Program &p, const std::vector<uint32_t> &which) const {
    Batch batch;
    batch.count = static_cast<uint32_t>(which.size());
    auto copy = [](const Floats &from, size_t row, size_t columns, Floats &to) {
      to.insert(to.end(), from.begin() + row * columns, from.begin() + (row + 1) * columns);
    };
    for (uint32_t s : which) {
      copy(theta0, s, p.oscillators, batch.theta0);
      copy(phi0, s, p.conditioning, batch.phi0);
      copy(theta, s, p.oscillators, batch.theta);
      batch.labels.push_back(labels[s]);
      batch.samples.push_back(samples[s]);
    }
    return batch;
  }
};

inline SimulatorOptions flowTo(double tolerance, uint32_t faults = 0) {
  SimulatorOptions options;
  options.tolerance = tolerance;
  options.faults = faults;
  return options;
}

inline SimulatorOptions eulerWith(uint32_t faults = 0) {
  SimulatorOptions options;
  options.integrator = Integrator::Euler;
  options.faults = faults;
  return options;
}

/// Runs a batch of any size, 16 at a time. Fails the test, or gives the failure's message.
inline std::string simulate(const Program &p, const SimulatorOptions &options, Batch &batch,
                            const TraceFn *trace = nullptr) {
  Simulator simulator;
  if (Status status = simulator.prepare(p, options))
    return status.message();
  Simulator::WorkspacePtr workspace;
  if (Status status = simulator.createWorkspace(workspace))
    return status.message();
  for (uint32_t first = 0; first < batch.count; first += Simulator::kLanes) {
    const uint32_t count = std::min(Simulator::kLanes, batch.count - first);
    if (Status status =
            simulator.run(*workspace, count, batch.theta0.data() + size_t(first) * p.oscillators,
                          batch.phi0.data() + size_t(first) * p.conditioning,
                          batch.labels.data() + first, batch.samples.data() + first,
                          batch.theta.data() + size_t(first) * p.oscillators, trace))
      return status.message();
  }
  return "";
}

inline double mean(const Doubles &values) {
  double sum = 0;
  for (double value : values)
    sum += value;
  return sum / double(values.size());
}

inline double variance(const Doubles &values) {
  const double center = mean(values);
  double sum = 0;
  for (double value : values)
    sum += (value - center) * (value - center);
  return sum / double(values.size());
}

} // namespace un0test

#endif // UN0_UNITTESTS_DSA_SIMULATORFIXTURES_H
