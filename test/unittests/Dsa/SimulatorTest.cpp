//===- SimulatorTest.cpp - programs without faults ----------------------------===//
#include "SimulatorFixtures.h"

#include <cstring>

using namespace un0test;

namespace {

/// Largest distance of a batch's final phases from the flow, each sample for itself.
double distanceToFlow(const System &system, const Batch &batch, double seconds) {
  double worst = 0;
  for (uint32_t s = 0; s < batch.count; ++s) {
    Doubles theta(batch.theta0.begin() + s * system.n, batch.theta0.begin() + (s + 1) * system.n);
    Doubles phi(batch.phi0.begin() + s * system.m, batch.phi0.begin() + (s + 1) * system.m);
    system.reference(theta, phi, batch.labels[s], seconds);
    for (uint32_t i = 0; i < system.n; ++i)
      worst = std::max(worst, std::abs(theta[i] - batch.theta[s * system.n + i]));
  }
  return worst;
}

/// One or two oscillators without anything else.
System plain(uint32_t n, Floats k, Floats w) {
  return {n, 0, 0, std::move(k), std::move(w), {}, {}, {}};
}

Batch one(const Program &p, Floats theta0, Floats phi0 = {}) {
  Batch batch;
  batch.count = 1;
  batch.theta0 = std::move(theta0);
  batch.phi0 = std::move(phi0);
  batch.labels = {p.classes ? 0 : -1};
  batch.samples = {0};
  batch.theta.resize(p.oscillators);
  return batch;
}

} // namespace

TEST(Simulator, FlowAgreesWithTheSumsOfItsDefinition) {
  const System system = System::random(37, 5, 3, 1);
  for (uint32_t banks : {1u, 2u}) {
    const Program p = system.program(1.5, 10, hardwareWith({{"coupling_banks", banks}}), 3);
    Batch batch = Batch::random(p, 21);
    ASSERT_EQ(problemOf(p), "");
    ASSERT_EQ(simulate(p, flowTo(1e-6), batch), "");
    EXPECT_LT(distanceToFlow(system, batch, 1.5), 1e-5) << banks << " banks";
  }
}

TEST(Simulator, FlowConvergesWithItsTolerance) {
  const System system = System::random(20, 3, 2, 2);
  const Program p = system.program(2, 10, hardwareWith());
  double before = 1;
  for (double tolerance : {1e-3, 1e-4, 1e-5, 1e-6}) {
    Batch batch = Batch::random(p, 8);
    ASSERT_EQ(problemOf(p), "");
    ASSERT_EQ(simulate(p, flowTo(tolerance), batch), "");
    const double error = distanceToFlow(system, batch, 2);
    EXPECT_LT(error, 10 * tolerance);
    EXPECT_LT(error, before);
    before = error;
  }
}

TEST(Simulator, FreeOscillatorTurnsUniformly) {
  const Program p = plain(2, Floats(4), {40.5f, -3.25f}).program(10, 1, hardwareWith());
  Batch batch = one(p, {1, -2});
  ASSERT_EQ(problemOf(p), "");
  ASSERT_EQ(simulate(p, flowTo(1e-5), batch), "");
  EXPECT_NEAR(batch.theta[0], 406, 1e-4);
  EXPECT_NEAR(batch.theta[1], -34.5, 1e-5);
}

TEST(Simulator, TwoOscillatorsApproachAsTheirClosedFormSays) {
  // d psi / dt = -2 k sin psi for the difference psi: tan(psi / 2) decays with rate 2 k.
  const Program p = plain(2, {0, 0.75f, 0.75f, 0}, {0.5f, 0.5f}).program(1, 1, hardwareWith());
  Batch batch = one(p, {0.25f, 2.75f});
  ASSERT_EQ(problemOf(p), "");
  ASSERT_EQ(simulate(p, flowTo(1e-6), batch), "");
  const double psi = 2 * std::atan(std::tan(1.25) * std::exp(-1.5));
  EXPECT_NEAR(batch.theta[1] - batch.theta[0], psi, 3e-6);
  EXPECT_NEAR(batch.theta[1] + batch.theta[0], 3.0 + 1.0, 3e-6);
}

TEST(Simulator, DrivenOscillatorFollowsItsSource) {
  System system = plain(1, {0}, {0});
  system.m = 1;
  system.classes = 1;
  system.c = {0};
  system.wc = {0};
  system.drive = {1.25f};
  const Program p = system.program(2, 1, hardwareWith());
  Batch batch = one(p, {0.5f}, {2.0f});
  ASSERT_EQ(problemOf(p), "");
  ASSERT_EQ(simulate(p, flowTo(1e-6), batch), "");
  EXPECT_NEAR(batch.theta[0], 2 - 2 * std::atan(std::tan(0.75) * std::exp(-2.5)), 3e-6);
}

TEST(Simulator, EulerIsTheModelsOwnSolver) {
  const System system = System::random(19, 4, 3, 3);
  const struct {
    Solver solver;
    System::Matrix a;
    Doubles b;
  } solvers[] = {
      {Solver::Euler, {{}}, {1}},
      {Solver::Heun, {{}, {1}}, {0.5, 0.5}},
      {Solver::Rk4,
       {{}, {1.0 / 3}, {-1.0 / 3, 1}, {1, -1, 1}},
       {1.0 / 8, 3.0 / 8, 3.0 / 8, 1.0 / 8}},
      {Solver::Rk4Classic, {{}, {0.5}, {0, 0.5}, {0, 0, 1}}, {1.0 / 6, 1.0 / 3, 1.0 / 3, 1.0 / 6}}};
  for (const auto &[solver, a, b] : solvers)
    for (uint32_t runs : {1u, 2u}) {
      Program p = system.program(1, 4, hardwareWith(), runs);
      p.solver = solver;
      Batch batch = Batch::random(p, 18);
      ASSERT_EQ(problemOf(p), "");
      ASSERT_EQ(simulate(p, eulerWith(), batch), "");
      for (uint32_t s = 0; s < batch.count; ++s) {
        Doubles theta(batch.theta0.begin() + s * 19, batch.theta0.begin() + (s + 1) * 19);
        Doubles phi(batch.phi0.begin() + s * 4, batch.phi0.begin() + (s + 1) * 4);
        system.integrate(theta, phi, batch.labels[s], 1, 4, a, b);
        for (uint32_t i = 0; i < 19; ++i)
          ASSERT_NEAR(batch.theta[s * 19 + i], theta[i], 3e-6) << "solver " << int(solver);
      }
    }
}

TEST(Simulator, TimeAndRatesScaleTogether) {
  // The compiler maps model seconds to nanoseconds: nothing may depend on the unit.
  System system = System::random(10, 2, 1, 4), fast = system;
  for (Floats *rates : {&fast.k, &fast.w, &fast.c, &fast.wc, &fast.drive})
    for (float &rate : *rates)
      rate *= 0x1p30f;
  const Program slowly = system.program(1, 10, hardwareWith());
  const Program quickly = fast.program(0x1p-30, 10, hardwareWith());
  Batch a = Batch::random(slowly, 5), b = a;
  ASSERT_EQ(problemOf(slowly), "");
  ASSERT_EQ(simulate(slowly, flowTo(1e-5), a), "");
  ASSERT_EQ(problemOf(quickly), "");
  ASSERT_EQ(simulate(quickly, flowTo(1e-5), b), "");
  EXPECT_EQ(a.theta, b.theta);
}

TEST(Simulator, ASampleDoesNotDependOnItsCompany) {
  const System system = System::random(23, 3, 4, 5);
  const Program p = system.program(1.2, 6,
                                   hardwareWith({{"mismatch", 0.02},
                                                 {"offset", 0.01},
                                                 {"phase_noise", 0.1},
                                                 {"set_bits", 8},
                                                 {"sample_bits", 9},
                                                 {"link_delay", 0.07}}),
                                   2);
  for (const SimulatorOptions &options : {flowTo(1e-5, kAllFaults), eulerWith(kAllFaults)}) {
    Batch all = Batch::random(p, 16);
    ASSERT_EQ(problemOf(p), "");
    ASSERT_EQ(simulate(p, options, all), "");
    const std::vector<std::vector<uint32_t>> orders = {
        {0},
        {5},
        {15},
        {15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0},
        {3, 3, 3, 3, 3, 3, 3, 3, 12},
        {9, 2, 7}};
    for (const auto &order : orders) {
      const Batch expected = all.pick(p, order);
      Batch batch = expected;
      std::fill(batch.theta.begin(), batch.theta.end(), 0.0f);
      ASSERT_EQ(problemOf(p), "");
      ASSERT_EQ(simulate(p, options, batch), "");
      EXPECT_EQ(batch.theta, expected.theta) << "first sample " << order.front();
    }
  }
}

TEST(Simulator, AWorkspaceRemembersNothing) {
  const System system = System::random(9, 2, 2, 6);
  const Program p = system.program(1, 5, hardwareWith({{"sample_bits", 6}}), 5);
  Batch first = Batch::random(p, 3, 1), second = Batch::random(p, 3, 2), again = first;
  Simulator simulator;
  ASSERT_FALSE(simulator.prepare(p, flowTo(1e-5, kAllFaults)));
  Simulator::WorkspacePtr workspace;
  ASSERT_FALSE(simulator.createWorkspace(workspace));
  for (Batch *batch : {&first, &second, &again})
    ASSERT_FALSE(simulator.run(*workspace, 3, batch->theta0.data(), batch->phi0.data(),
                               batch->labels.data(), batch->samples.data(), batch->theta.data()));
  EXPECT_EQ(first.theta, again.theta);
  EXPECT_NE(first.theta, second.theta);
}

TEST(Simulator, CouplingsCanDependOnTheClass) {
  System system = System::random(6, 0, 0, 7);
  const System other = System::random(6, 0, 0, 8);
  Program p = system.program(1, 1, hardwareWith());
  p.classes = 2;
  Floats both = system.k;
  both.insert(both.end(), other.k.begin(), other.k.end());
  p.data.push_back(couplings("perclass", 6, 6, both, 2));
  p.code = {make(Opcode::Detune, 0, 1)};
  addEach(p.code, {make(Opcode::Couple, 0, 2), make(Opcode::Draw, 0, 0, 0),
                   make(Opcode::Phase, 0, 0, 0, 6, 0), make(Opcode::Run, 0, 1, 0, 0, 0, 0, 1),
                   sampleAll(0, 0, 6)});
  p.code.push_back(make(Opcode::Halt));
  Batch batch = Batch::random(p, 9);
  ASSERT_EQ(problemOf(p), "");
  ASSERT_EQ(simulate(p, flowTo(1e-6), batch), "");
  const System kinds[] = {plain(6, Floats(36), system.w), system, plain(6, other.k, system.w)};
  for (uint32_t s = 0; s < 9; ++s) {
    const Batch sample = batch.pick(p, {s});
    EXPECT_LT(distanceToFlow(kinds[batch.labels[s] + 1], sample, 1), 1e-5);
  }
}

TEST(Simulator, LoopsBanksAndBlocksDoWhatTheirInstructionsSay) {
  // Two banks: K is loaded in blocks while nothing runs, acts after `swap`, and is zero after the
  // next one. Three turns of a loop, each a third of the time.
  const System system = System::random(8, 0, 0, 9);
  Program p = system.program(0.9, 1, hardwareWith({{"coupling_banks", 2}}));
  auto block = [&](uint32_t row, uint32_t column, const char *name) {
    Floats values;
    for (uint32_t i = 0; i < 4; ++i)
      for (uint32_t j = 0; j < 4; ++j)
        values.push_back(system.k[(row + i) * 8 + column + j]);
    return couplings(name, 4, 4, values);
  };
  p.data.push_back(block(0, 0, "a"));
  p.data.push_back(block(0, 4, "b"));
  p.data.push_back(block(4, 0, "c"));
  p.data.push_back(block(4, 4, "d"));
  p.code.clear();
  addEach(p.code, {make(Opcode::Draw, 0, 0, 0)});
  p.code.push_back(make(Opcode::Detune, 0, 1));
  const auto repeat = static_cast<uint32_t>(p.code.size());
  p.code.push_back(make(Opcode::Repeat, 0, 3));
  for (uint32_t b = 0; b < 4; ++b)
    p.code.push_back(make(Opcode::Couple, 0, 2 + b, b / 2 * 4, b % 2 * 4));
  p.code.push_back(make(Opcode::Swap, 0));
  p.code.push_back(make(Opcode::Clear, 0));
  // The clear is of the bank that does not act.
  addEach(p.code, {make(Opcode::Phase, 0, 0, 0, 8, 0), make(Opcode::Run, 0, 1, 0, 0, 0, 0, 0.3),
                   make(Opcode::Hold, 0, 0, 0, 0, 0, 0, 5), sampleAll(0, 0, 8)});
  p.code.push_back(make(Opcode::End, 0, 0, repeat));
  p.code[repeat].b = static_cast<uint32_t>(p.code.size()) - 1;
  p.code.push_back(make(Opcode::Halt));
  Batch batch = Batch::random(p, 4);
  ASSERT_EQ(problemOf(p), "");
  ASSERT_EQ(simulate(p, flowTo(1e-6), batch), "");
  EXPECT_LT(distanceToFlow(system, batch, 0.9), 1e-5);
}

TEST(Simulator, SamplesReadRelativeToAReference) {
  const Program base = plain(3, Floats(9), {1, 2, 4}).program(1, 1, hardwareWith());
  Program p = base;
  for (Instruction &i : p.code)
    if (i.opcode == Opcode::Sample)
      i.e = 1;
  Batch batch = one(p, {0, 0.5f, 1});
  ASSERT_EQ(problemOf(p), "");
  ASSERT_EQ(simulate(p, flowTo(1e-6), batch), "");
  EXPECT_NEAR(batch.theta[0], 1 - 2.5, 1e-6);
  EXPECT_EQ(batch.theta[1], 0);
  EXPECT_NEAR(batch.theta[2], 5 - 2.5, 1e-6);
}

TEST(Simulator, TracesEveryAcceptedStepOfTheFirstLane) {
  const System system = System::random(5, 2, 1, 10);
  const Program p = system.program(2, 4, hardwareWith(), 2);
  for (const SimulatorOptions &options : {flowTo(1e-5), eulerWith()}) {
    Batch batch = Batch::random(p, 3);
    double last = 0;
    size_t calls = 0;
    Floats phases;
    TraceFn trace = [&](double seconds, uint16_t tile, const float *values, size_t n) {
      EXPECT_GT(seconds, last);
      EXPECT_EQ(tile, 0);
      last = seconds;
      phases.assign(values, values + n);
      ++calls;
    };
    ASSERT_EQ(problemOf(p), "");
    ASSERT_EQ(simulate(p, options, batch, &trace), "");
    EXPECT_NEAR(last, 2, 1e-12);
    EXPECT_GE(calls, 4u);
    EXPECT_EQ(phases, Floats(batch.theta.begin(), batch.theta.begin() + 5));
  }
}

TEST(Simulator, SnapshotIsTheRunThatHappened) {
  const System system = System::random(7, 2, 2, 11);
  const Program p = system.program(1, 2, hardwareWith({{"mismatch", 0.1}, {"offset", 0.05}}), 2);
  Batch batch = Batch::random(p, 2);
  ASSERT_EQ(problemOf(p), "");
  ASSERT_EQ(simulate(p, flowTo(1e-6, kAllFaults), batch), "");
  Simulator simulator;
  ASSERT_FALSE(simulator.prepare(p, flowTo(1e-6, kAllFaults)));
  Simulator::WorkspacePtr workspace;
  ASSERT_FALSE(simulator.createWorkspace(workspace));
  RunSnapshot first, second;
  const float *theta0 = batch.theta0.data() + 7, *phi0 = batch.phi0.data() + 2;
  ASSERT_FALSE(simulator.snapshot(*workspace, 0, theta0, phi0, batch.labels[1], 1, first));
  ASSERT_FALSE(simulator.snapshot(*workspace, 1, theta0, phi0, batch.labels[1], 1, second));
  EXPECT_EQ(first.phases, Floats(theta0, theta0 + 7));
  EXPECT_EQ(first.sourcePhases, Floats(phi0, phi0 + 2));
  EXPECT_EQ(second.phases, first.finalPhases);
  EXPECT_EQ(second.finalPhases, Floats(batch.theta.begin() + 7, batch.theta.end()));
  EXPECT_TRUE(first.linked);
  EXPECT_EQ(first.sourceTile, 1);
  EXPECT_EQ(first.seconds, 0.5);
  // What it says is enough to repeat the run.
  System faulty = {7,
                   2,
                   1,
                   first.couplings,
                   first.frequencies,
                   first.sourceCouplings,
                   first.sourceFrequencies,
                   first.link};
  EXPECT_NE(faulty.k, system.k);
  Doubles theta(first.phases.begin(), first.phases.end());
  Doubles phi(first.sourcePhases.begin(), first.sourcePhases.end());
  faulty.reference(theta, phi, 0, first.seconds);
  for (uint32_t i = 0; i < 7; ++i)
    EXPECT_NEAR(first.finalPhases[i], theta[i], 1e-5);
  for (uint32_t i = 0; i < 2; ++i)
    EXPECT_NEAR(first.sourceFinalPhases[i], phi[i], 1e-5);

  const Status status = simulator.snapshot(*workspace, 2, theta0, phi0, 0, 1, second);
  EXPECT_EQ(status.message(), "run 2 asked for, the program executes 2");
}

TEST(Simulator, RefusesWhatItCannotDo) {
  const System system = System::random(4, 2, 1, 12);
  const Program good = system.program(1, 1, hardwareWith());
  Batch batch = Batch::random(good, 1);
  EXPECT_EQ(simulate(good, flowTo(1e-9), batch),
            "tolerance is 1e-09 rad, expected 1e-7 to 0.1: phases are summed in f32");

  const Program noSteps = system.program(1, 0, hardwareWith());
  EXPECT_EQ(simulate(noSteps, flowTo(1e-5), batch), "");
  EXPECT_EQ(simulate(noSteps, eulerWith(), batch),
            "instruction 10 runs tile 0 for 1 s but stands for no step of the model's solver; use "
            "the integrator flow");

  Program ring = good;
  ring.data.push_back(couplings("back", 2, 4, Floats(8)));
  ring.code.insert(ring.code.begin(), make(Opcode::Link, 1, 5, 0, 0));
  for (Instruction &i : ring.code)
    if (i.opcode == Opcode::Each || i.opcode == Opcode::End)
      ++i.b;
  EXPECT_EQ(simulate(ring, flowTo(1e-5), batch),
            "instruction 11: tile 0 is driven by tile 1, which is driven itself");

  Program digital = good;
  digital.hardware.kind = HardwareKind::Digital;
  EXPECT_EQ(simulate(digital, flowTo(1e-5), batch),
            "hardware 'bench' has no oscillators, so there is nothing to simulate");

  Program wild = good;
  wild.data[0].exact.assign(16, 3e38f);
  const std::string message = simulate(wild, flowTo(1e-5), batch);
  EXPECT_EQ(message.find("instruction 10: run of tile 0 for 1 s: its step size vanishes after 0 s"),
            0u)
      << message;
}

TEST(Simulator, ReadsNamesOfFaults) {
  uint32_t faults;
  EXPECT_FALSE(parseFaults("all", faults));
  EXPECT_EQ(faults, uint32_t(kAllFaults));
  EXPECT_FALSE(parseFaults("none", faults));
  EXPECT_EQ(faults, 0u);
  EXPECT_FALSE(parseFaults("levels,link-delay", faults));
  EXPECT_EQ(faults, uint32_t(kFaultLevels | kFaultLinkDelay));
  EXPECT_TRUE(parseFaults("levels,levels", faults));
  EXPECT_TRUE(parseFaults("", faults));
  EXPECT_TRUE(parseFaults("gremlins", faults));
}
