//===- SimulatorFaultTest.cpp - what hardware does wrong ----------------------===//
#include "SimulatorFixtures.h"

#include <set>

using namespace un0test;

namespace {

/// n oscillators without couplings, started at zero.
System freeOscillators(uint32_t n, float frequency = 0) {
  return {n, 0, 0, Floats(size_t(n) * n), Floats(n, frequency), {}, {}, {}};
}

Batch atZero(const Program &p, uint32_t count) {
  Batch batch = Batch::random(p, count);
  std::fill(batch.theta0.begin(), batch.theta0.end(), 0.0f);
  return batch;
}

/// Effective couplings of a tile of `n` whose every coupling is set to `setting`.
Floats effectiveCouplings(uint32_t n, float setting, const std::map<std::string, double> &constants,
                          uint32_t faults, uint64_t seed, bool link = false) {
  System system = freeOscillators(n);
  system.k.assign(size_t(n) * n, setting);
  system.m = n;
  system.classes = 1;
  system.c = system.k;
  system.wc = system.w;
  system.drive.assign(size_t(n) * n, setting);
  const Program p = system.program(1e-3, 1, hardwareWith(constants));
  SimulatorOptions options = flowTo(1e-5, faults);
  options.faultSeed = seed;
  Batch batch = Batch::random(p, 1);
  Simulator simulator;
  EXPECT_FALSE(simulator.prepare(p, options));
  Simulator::WorkspacePtr workspace;
  EXPECT_FALSE(simulator.createWorkspace(workspace));
  RunSnapshot snapshot;
  EXPECT_FALSE(
      simulator.snapshot(*workspace, 0, batch.theta0.data(), batch.phi0.data(), 0, 0, snapshot));
  return link ? snapshot.link : snapshot.couplings;
}

Doubles offDiagonal(const Floats &matrix, uint32_t n) {
  Doubles values;
  for (uint32_t i = 0; i < n; ++i)
    for (uint32_t j = 0; j < n; ++j)
      if (i != j)
        values.push_back(matrix[i * n + j]);
  return values;
}

double correlation(const Doubles &a, const Doubles &b) {
  Doubles sum(a.size());
  for (size_t i = 0; i < a.size(); ++i)
    sum[i] = a[i] + b[i];
  return (variance(sum) - variance(a) - variance(b)) / (2 * std::sqrt(variance(a) * variance(b)));
}

} // namespace

TEST(SimulatorFaults, LevelsAreMultiplesOfTheUnitUnlessSwitchedOff) {
  System system = freeOscillators(2);
  Program p = system.program(1, 1, hardwareWith({{"coupling_levels", 31}, {"frequency_bits", 5}}));
  p.data[0].unit = 0.125;
  p.data[0].levels = {0, 3, -2, 0};
  p.data[0].exact = {0, 0.4f, -0.3f, 0};
  p.data[1].unit = 0.5;
  p.data[1].levels = {4, -1};
  p.data[1].exact = {1.75f, -0.75f};
  for (bool on : {true, false}) {
    Simulator simulator;
    ASSERT_FALSE(
        simulator.prepare(p, flowTo(1e-5, on ? kFaultLevels : kAllFaults & ~kFaultLevels)));
    Simulator::WorkspacePtr workspace;
    ASSERT_FALSE(simulator.createWorkspace(workspace));
    RunSnapshot snapshot;
    const float theta0[2] = {0.5f, 1};
    ASSERT_FALSE(simulator.snapshot(*workspace, 0, theta0, nullptr, -1, 0, snapshot));
    EXPECT_EQ(snapshot.couplings, on ? Floats({0, 0.375f, -0.25f, 0}) : p.data[0].exact);
    EXPECT_EQ(snapshot.frequencies, on ? Floats({2, -0.5f}) : p.data[1].exact);
  }
  // Without exact values there is nothing but the levels.
  p.data[0].exact.clear();
  Batch batch = Batch::random(p, 1);
  EXPECT_EQ(simulate(p, flowTo(1e-5, 0), batch), "");
}

TEST(SimulatorFaults, MismatchSpreadsCouplingsByItsConstant) {
  constexpr uint32_t n = 96;
  for (bool link : {false, true}) {
    const Floats matrix = effectiveCouplings(n, 0.5f, {{"mismatch", 0.04}}, kAllFaults, 1, link);
    const Doubles values = offDiagonal(matrix, n);
    // Four standard deviations of mean and spread.
    EXPECT_NEAR(mean(values), 0.5, 4 * 0.02 / n);
    EXPECT_NEAR(std::sqrt(variance(values)), 0.02, 4 * 0.02 / n);
    if (!link)
      for (uint32_t i = 0; i < n; ++i)
        EXPECT_EQ(matrix[i * n + i], 0);
  }
}

TEST(SimulatorFaults, MismatchIsAFactorAndOffsetIsNot) {
  constexpr uint32_t n = 20;
  const std::map<std::string, double> constants = {
      {"mismatch", 0.1}, {"offset", 0.01}, {"coupling_full_scale", 5}, {"link_full_scale", 20}};
  const Floats none = effectiveCouplings(n, 0, constants, kFaultMismatch, 1);
  EXPECT_EQ(none, Floats(n * n));
  for (bool link : {false, true}) {
    const double scale = link ? 0.2 : 0.05;
    const Floats offset = effectiveCouplings(n, 0, constants, kAllFaults, 1, link);
    EXPECT_NEAR(std::sqrt(variance(offDiagonal(offset, n))), scale, 4 * scale / n);
    // The same couplers with another setting have the same offset.
    const Floats one = effectiveCouplings(n, 1, constants, kAllFaults, 1, link);
    const Floats two = effectiveCouplings(n, 2, constants, kAllFaults, 1, link);
    for (uint32_t i = 0; i < n * n; ++i)
      EXPECT_NEAR(two[i] - one[i], one[i] - offset[i], 1e-6);
  }
}

TEST(SimulatorFaults, CouplersDifferByTileButNotByBankOrTileSize) {
  // A coupler is a place on the chip: a program that uses less of the tile finds the same ones.
  const std::map<std::string, double> one = {{"mismatch", 0.1}, {"coupling_banks", 1}};
  const std::map<std::string, double> two = {{"mismatch", 0.1}, {"coupling_banks", 2}};
  const Floats large = effectiveCouplings(12, 1, one, kAllFaults, 9);
  const Floats small = effectiveCouplings(5, 1, two, kAllFaults, 9);
  for (uint32_t i = 0; i < 5; ++i)
    for (uint32_t j = 0; j < 5; ++j)
      EXPECT_EQ(small[i * 5 + j], large[i * 12 + j]);
  const Floats link = effectiveCouplings(12, 1, one, kAllFaults, 9, true);
  EXPECT_LT(std::abs(correlation(offDiagonal(large, 12), offDiagonal(link, 12))), 0.35);
}

TEST(SimulatorFaults, ASeedIsAPieceOfHardware) {
  const std::map<std::string, double> constants = {{"mismatch", 0.1}, {"offset", 0.1}};
  const Floats first = effectiveCouplings(30, 1, constants, kAllFaults, 4);
  EXPECT_EQ(first, effectiveCouplings(30, 1, constants, kAllFaults, 4));
  for (uint64_t seed : {uint64_t(5), uint64_t(4) + (uint64_t(1) << 32)}) {
    const Floats other = effectiveCouplings(30, 1, constants, kAllFaults, seed);
    EXPECT_LT(std::abs(correlation(offDiagonal(first, 30), offDiagonal(other, 30))), 0.14);
  }
  EXPECT_EQ(effectiveCouplings(30, 1, constants, 0, 4), effectiveCouplings(30, 1, {}, 0, 7));
}

TEST(SimulatorFaults, NoiseDiffusesFreePhases) {
  // Variance sigma^2 t, over one run or many, in one sub-step or many, for both integrators.
  constexpr double sigma = 0.3, time = 2;
  constexpr uint32_t n = 100, count = 100;
  for (uint32_t runs : {1u, 5u})
    for (bool mixes : {false, true})
      for (bool euler : {false, true}) {
        System system = freeOscillators(n, 1);
        if (mixes) // two that are coupled make sub-steps, and are left out below
          system.k[1] = system.k[n] = 20;
        const Program p = system.program(time, 20, hardwareWith({{"phase_noise", sigma}}), runs);
        Batch batch = atZero(p, count);
        ASSERT_EQ(problemOf(p), "");
        ASSERT_EQ(simulate(p, euler ? eulerWith(kAllFaults) : flowTo(1e-5, kAllFaults), batch), "");
        Doubles values;
        for (uint32_t s = 0; s < count; ++s)
          for (uint32_t i = 2; i < n; ++i)
            values.push_back(batch.theta[s * n + i]);
        const double expected = sigma * sigma * time, deviations = 4 / std::sqrt(double(n * count));
        EXPECT_NEAR(mean(values), time, deviations * std::sqrt(expected));
        EXPECT_NEAR(variance(values), expected, deviations * std::sqrt(2.0) * expected)
            << runs << " runs, mixes " << mixes << ", euler " << euler;
      }
}

TEST(SimulatorFaults, NoiseOfOscillatorsSamplesAndRunsIsIndependent) {
  constexpr uint32_t n = 400;
  const System system = freeOscillators(n);
  const Program once = system.program(1, 1, hardwareWith({{"phase_noise", 0.1}}), 1);
  const Program twice = system.program(2, 2, hardwareWith({{"phase_noise", 0.1}}), 2);
  Batch first = atZero(once, 17), second = atZero(twice, 17);
  ASSERT_EQ(problemOf(once), "");
  ASSERT_EQ(simulate(once, flowTo(1e-5, kAllFaults), first), "");
  ASSERT_EQ(problemOf(twice), "");
  ASSERT_EQ(simulate(twice, flowTo(1e-5, kAllFaults), second), "");
  auto row = [&](const Batch &batch, uint32_t s) {
    return Doubles(batch.theta.begin() + s * n, batch.theta.begin() + (s + 1) * n);
  };
  constexpr double bound = 4 / 20.0; // four standard deviations
  Doubles increment = row(second, 3);
  const Doubles before = row(first, 3);
  for (uint32_t i = 0; i < n; ++i)
    increment[i] -= before[i];
  EXPECT_NEAR(variance(increment), 0.01, 0.003);
  EXPECT_LT(std::abs(correlation(before, increment)), bound);
  EXPECT_LT(std::abs(correlation(row(first, 0), row(first, 16))), bound);
  const Doubles shifted(before.begin() + 1, before.end());
  EXPECT_LT(std::abs(correlation(Doubles(before.begin(), before.end() - 1), shifted)), bound);

  Batch again = atZero(once, 17), renumbered = again;
  ASSERT_EQ(problemOf(once), "");
  ASSERT_EQ(simulate(once, flowTo(1e-3, kAllFaults), again), "");
  EXPECT_EQ(again.theta, first.theta) << "noise must not depend on the tolerance";
  renumbered.samples[3] = 1000000007ull << 20;
  ASSERT_EQ(problemOf(once), "");
  ASSERT_EQ(simulate(once, flowTo(1e-5, kAllFaults), renumbered), "");
  EXPECT_LT(std::abs(correlation(before, row(renumbered, 3))), bound);
  SimulatorOptions other = flowTo(1e-5, kAllFaults);
  other.faultSeed = 1;
  ASSERT_EQ(problemOf(once), "");
  ASSERT_EQ(simulate(once, other, renumbered), "");
  EXPECT_LT(std::abs(correlation(row(first, 2), row(renumbered, 2))), bound);
}

TEST(SimulatorFaults, NoiseAndCouplingBalanceAsTheLinearTheorySays) {
  // The difference of two coupled oscillators is an Ornstein-Uhlenbeck process of rate 2 k and
  // noise sqrt(2) sigma: its variance settles at sigma^2 / (2 k).
  constexpr double sigma = 0.1, k = 1.5;
  constexpr uint32_t n = 40;
  System system = freeOscillators(n);
  for (uint32_t i = 0; i < n; ++i)
    system.k[i * n + (i ^ 1)] = k;
  const Program p = system.program(4, 100, hardwareWith({{"phase_noise", sigma}}));
  Batch batch = atZero(p, 160);
  ASSERT_EQ(problemOf(p), "");
  ASSERT_EQ(simulate(p, flowTo(1e-5, kAllFaults), batch), "");
  Doubles differences;
  for (size_t i = 0; i < batch.theta.size(); i += 2)
    differences.push_back(batch.theta[i] - batch.theta[i + 1]);
  const double expected = sigma * sigma / (2 * k);
  EXPECT_NEAR(variance(differences), expected, 0.1 * expected);
}

TEST(SimulatorFaults, PhasesAreSetInSteps) {
  const System system = freeOscillators(50);
  for (double bits : {1.0, 4.0, 10.0}) {
    const Program p = system.program(1e-3, 1, hardwareWith({{"set_bits", bits}}));
    Batch batch = Batch::random(p, 16);
    batch.theta0[0] = 40.0f; // not wrapped
    ASSERT_EQ(problemOf(p), "");
    ASSERT_EQ(simulate(p, flowTo(1e-5, kAllFaults), batch), "");
    const double step = 2 * M_PI / std::exp2(bits);
    for (size_t i = 0; i < batch.theta.size(); ++i) {
      EXPECT_NEAR(std::remainder(batch.theta[i], step), 0, 1e-5);
      EXPECT_LE(std::abs(batch.theta[i] - batch.theta0[i]), step / 2 + 1e-5);
    }
    Batch exact = batch;
    ASSERT_EQ(problemOf(p), "");
    ASSERT_EQ(simulate(p, flowTo(1e-5, kAllFaults & ~kFaultSetBits), exact), "");
    EXPECT_EQ(exact.theta, exact.theta0);
  }
}

TEST(SimulatorFaults, PhasesAreReadInStepsAndWrapped) {
  const System system = freeOscillators(200, 7);
  for (uint32_t bits : {1u, 3u, 5u}) {
    Program p = system.program(1, 1, hardwareWith({{"sample_bits", bits}}));
    for (Instruction &i : p.code)
      i.flags = 0; // no windings
    Batch batch = Batch::random(p, 4);
    ASSERT_EQ(problemOf(p), "");
    ASSERT_EQ(simulate(p, flowTo(1e-5, kAllFaults), batch), "");
    const double step = 2 * M_PI / std::exp2(bits);
    std::set<float> values;
    for (size_t i = 0; i < batch.theta.size(); ++i) {
      values.insert(batch.theta[i]);
      EXPECT_GE(batch.theta[i], -M_PI - 1e-6);
      EXPECT_LT(batch.theta[i], M_PI - step / 2);
      EXPECT_LE(std::abs(std::remainder(batch.theta0[i] + 7 - batch.theta[i], 2 * M_PI)),
                step / 2 + 1e-5);
    }
    EXPECT_EQ(values.size(), size_t(1) << bits);
  }
}

TEST(SimulatorFaults, RepeatedSamplingCountsWindings) {
  // 2.5 radians between samples: less than pi, so every turn is seen.
  for (float frequency : {5.0f, -5.0f}) {
    const System system = freeOscillators(30, frequency);
    const Program p = system.program(5, 10, hardwareWith({{"sample_bits", 6}}), 10);
    Batch batch = Batch::random(p, 5);
    ASSERT_EQ(problemOf(p), "");
    ASSERT_EQ(simulate(p, flowTo(1e-5, kAllFaults), batch), "");
    for (size_t i = 0; i < batch.theta.size(); ++i)
      EXPECT_NEAR(batch.theta[i], batch.theta0[i] + 5 * frequency, M_PI / 64 + 1e-4);
    // Read once at the end, whole turns are lost.
    const Program late = system.program(5, 1, hardwareWith({{"sample_bits", 6}}), 1);
    ASSERT_EQ(problemOf(late), "");
    ASSERT_EQ(simulate(late, flowTo(1e-5, kAllFaults), batch), "");
    for (size_t i = 0; i < batch.theta.size(); ++i) {
      EXPECT_LE(std::abs(batch.theta[i] - batch.theta0[i]), M_PI + M_PI / 64);
      EXPECT_NEAR(std::remainder(batch.theta[i] - batch.theta0[i] - 5 * frequency, 2 * M_PI), 0,
                  M_PI / 64 + 1e-4);
    }
    // Without the converter's bits nothing is lost at all.
    ASSERT_EQ(problemOf(late), "");
    ASSERT_EQ(simulate(late, flowTo(1e-5, 0), batch), "");
    for (size_t i = 0; i < batch.theta.size(); ++i)
      EXPECT_NEAR(batch.theta[i], batch.theta0[i] + 5 * frequency, 1e-4);
  }
}

TEST(SimulatorFaults, LinksShowTheirSourceAsItWas) {
  // The source turns uniformly, so what the link shows is known at every time.
  System system = System::random(6, 3, 2, 21);
  system.c.assign(9, 0);
  for (double delay : {0.05, 0.3, 5.0}) {
    const Program p = system.program(1, 1000, hardwareWith({{"link_delay", delay}}));
    Batch batch = Batch::random(p, 4);
    Batch euler = batch, ideal = batch;
    ASSERT_EQ(problemOf(p), "");
    ASSERT_EQ(simulate(p, flowTo(1e-6, kAllFaults), batch), "");
    ASSERT_EQ(problemOf(p), "");
    ASSERT_EQ(simulate(p, eulerWith(kAllFaults), euler), "");
    ASSERT_EQ(problemOf(p), "");
    ASSERT_EQ(simulate(p, flowTo(1e-6, kAllFaults & ~kFaultLinkDelay), ideal), "");
    double moved = 0;
    for (uint32_t s = 0; s < 4; ++s) {
      Doubles theta(batch.theta0.begin() + s * 6, batch.theta0.begin() + (s + 1) * 6);
      constexpr int steps = 2000;
      auto shown = [&](double t) {
        Doubles phi(3);
        for (uint32_t i = 0; i < 3; ++i)
          phi[i] = batch.phi0[s * 3 + i] + system.wc[i] * std::max(0.0, t - delay);
        return phi;
      };
      for (int step = 0; step < steps; ++step) { // the midpoint rule
        const double h = 1.0 / steps, t = step * h;
        Doubles middle = theta;
        const Doubles k1 = system.slope(theta, shown(t), batch.labels[s]);
        for (uint32_t i = 0; i < 6; ++i)
          middle[i] += h / 2 * k1[i];
        const Doubles k2 = system.slope(middle, shown(t + h / 2), batch.labels[s]);
        for (uint32_t i = 0; i < 6; ++i)
          theta[i] += h * k2[i];
      }
      for (uint32_t i = 0; i < 6; ++i) {
        EXPECT_NEAR(batch.theta[s * 6 + i], theta[i], 1e-5) << "delay " << delay;
        EXPECT_NEAR(euler.theta[s * 6 + i], theta[i], 5e-3) << "delay " << delay;
        moved = std::max(moved, std::abs(double(ideal.theta[s * 6 + i]) - theta[i]));
      }
    }
    EXPECT_GT(moved, 1e-2) << "delay " << delay;
  }
}

TEST(SimulatorFaults, ADelayedSourceEndsWhereItShould) {
  System system = System::random(3, 4, 1, 22);
  // The second is shorter than the least step of a run, the first than its time's last place.
  for (double delay : {1e-17, 1e-10, 0.05, 0.3, 5.0}) {
    Program p = system.program(1, 50, hardwareWith({{"link_delay", delay}}));
    Program direct = system.program(1, 50, hardwareWith());
    for (const SimulatorOptions &options : {flowTo(1e-6, kAllFaults), eulerWith(kAllFaults)}) {
      Floats ends[2];
      for (const Program *program : {&p, &direct}) {
        Simulator simulator;
        ASSERT_FALSE(simulator.prepare(*program, options));
        Simulator::WorkspacePtr workspace;
        ASSERT_FALSE(simulator.createWorkspace(workspace));
        RunSnapshot snapshot;
        Batch batch = Batch::random(p, 1);
        ASSERT_FALSE(simulator.snapshot(*workspace, 0, batch.theta0.data(), batch.phi0.data(), 0, 0,
                                        snapshot));
        ends[program == &direct] = snapshot.sourceFinalPhases;
      }
      const double bound = options.integrator == Integrator::Flow ? 1e-5 : 2e-2;
      for (uint32_t i = 0; i < 4; ++i)
        EXPECT_NEAR(ends[0][i], ends[1][i], bound) << "delay " << delay;
    }
  }
}

TEST(SimulatorFaults, ALinkDoesNotDependOnLinksFromOtherSources) {
  // The first source is wide, the second, which drives, is one oscillator.
  constexpr uint32_t wide = 20000;
  for (double offset : {0.0, 0.05}) {
    Floats theta[2];
    for (bool before : {false, true}) {
      Program p;
      p.hardware = hardwareWith({{"link_inputs", wide}, {"offset", offset}});
      p.oscillators = 1;
      p.buffers = {{"theta", 1}};
      p.data = {frequencies("w", {0.1f}), frequencies("ww", Floats(wide, 3)),
                couplings("wide", 1, wide, Floats(wide)), couplings("narrow", 1, 1, {0.5f})};
      p.code = {make(Opcode::Detune, 0, 0), make(Opcode::Detune, 1, 1), make(Opcode::Detune, 2, 0)};
      if (before) {
        p.code.push_back(make(Opcode::Link, 0, 2, 1));
        p.code.push_back(make(Opcode::Unlink, 0));
      }
      p.code.push_back(make(Opcode::Link, 0, 3, 2));
      addEach(p.code, {make(Opcode::Draw), make(Opcode::Phase, 0, 0, 0, 1),
                       make(Opcode::Phase, 2, 0, 0, 1), make(Opcode::Run, 0, 1, 0, 0, 0, 0, 1),
                       sampleAll(0, 0, 1)});
      p.code.push_back(make(Opcode::Halt));
      ASSERT_EQ(problemOf(p), "");
      Batch batch = Batch::random(p, 5);
      ASSERT_EQ(simulate(p, flowTo(1e-5, kAllFaults), batch), "");
      theta[before] = batch.theta;
    }
    EXPECT_EQ(theta[true], theta[false]) << "offset " << offset;
  }
}

TEST(SimulatorFaults, SwitchedOffTheyLeaveTheIdeal) {
  const System system = System::random(15, 3, 2, 23);
  const Program faulty = system.program(1, 5,
                                        hardwareWith({{"mismatch", 0.1},
                                                      {"offset", 0.1},
                                                      {"phase_noise", 0.3},
                                                      {"set_bits", 4},
                                                      {"sample_bits", 4},
                                                      {"link_delay", 0.1}}),
                                        5);
  const Program ideal = system.program(1, 5, hardwareWith(), 5);
  Batch expected = Batch::random(ideal, 6), batch = expected;
  ASSERT_EQ(problemOf(ideal), "");
  ASSERT_EQ(simulate(ideal, flowTo(1e-5, kAllFaults), expected), "");
  ASSERT_EQ(problemOf(faulty), "");
  ASSERT_EQ(simulate(faulty, flowTo(1e-5, 0), batch), "");
  EXPECT_EQ(batch.theta, expected.theta);
  for (uint32_t fault : {kFaultMismatch, kFaultOffset, kFaultNoise, kFaultSetBits, kFaultSampleBits,
                         kFaultLinkDelay}) {
    ASSERT_EQ(problemOf(faulty), "");
    ASSERT_EQ(simulate(faulty, flowTo(1e-5, fault), batch), "");
    EXPECT_NE(batch.theta, expected.theta) << "fault " << fault;
  }
}
