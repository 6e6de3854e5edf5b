//===- PhasesTest.cpp - the first sample's phases in time -------------------===//
#include "Phases.h"
#include "../Dsa/SimulatorFixtures.h"
#include "Roofline.h"

#include <gmock/gmock.h>

using namespace un0test;
using namespace un0::report;
using testing::HasSubstr;

namespace {

const Floats kTheta0 = {0.1f, 0.2f, 0.3f, 0.4f};

SimulatorOptions withoutFaults() {
  SimulatorOptions options;
  options.faults = 0;
  return options;
}

/// Free oscillators that take turns in pairs on tile 0: with no couplings a phase moves by w t.
Program turns() {
  Program p;
  p.hardware = hardwareWith();
  p.oscillators = 4;
  p.buffers = {{"theta", 4}};
  p.data = {couplings("K", 2, 2, {0, 0, 0, 0}), frequencies("w", {1, 2})};
  p.code = {make(Opcode::Couple, 0, 0), make(Opcode::Detune, 0, 1)};
  std::vector<Instruction> body = {make(Opcode::Draw, 0, 0, 0)};
  for (uint32_t first : {0u, 2u}) {
    body.push_back(make(Opcode::Phase, 0, 0, first, 2, 0));
    body.push_back(make(Opcode::Run, 0, 0, 0, 0, 0, 0, 0.5));
    Instruction sample = make(Opcode::Sample, 0, 0, first, 2, 0, kClockReference);
    sample.flags = kUnwrap;
    body.push_back(sample);
  }
  addEach(p.code, body);
  p.code.push_back(make(Opcode::Halt));
  return p;
}

} // namespace

TEST(Phases, EndWhereTheSimulatorEnds) {
  const System system = System::random(4, 2, 3, 1);
  const Program program = system.program(1, 10, hardwareWith(), 3);
  const Floats phi0 = {-1, 1};
  const int64_t label = 2;
  const uint64_t sample = 0;
  PhaseTrace trace;
  const auto status =
      tracePhases(program, withoutFaults(), kTheta0.data(), phi0.data(), label, sample, trace);
  ASSERT_FALSE(status) << status.message();

  Simulator simulator;
  ASSERT_FALSE(simulator.prepare(program, withoutFaults()));
  Simulator::WorkspacePtr workspace;
  ASSERT_FALSE(simulator.createWorkspace(workspace));
  Floats theta(4);
  ASSERT_FALSE(
      simulator.run(*workspace, 1, kTheta0.data(), phi0.data(), &label, &sample, theta.data()));
  EXPECT_EQ(trace.runs, 3u);
  EXPECT_DOUBLE_EQ(trace.totalSeconds, 1);
  ASSERT_EQ(trace.lines.size(), 4u);
  for (size_t i = 0; i < 4; ++i) {
    const PhaseTrace::Line &line = trace.lines[i];
    EXPECT_EQ(line.phases.front(), kTheta0[i]);
    EXPECT_NEAR(line.phases.back(), theta[i], 1e-5) << i;
    EXPECT_NEAR(line.seconds.back(), 1, 1e-9);
    EXPECT_TRUE(std::is_sorted(line.seconds.begin(), line.seconds.end()));
    EXPECT_GT(line.seconds.size(), 3u);
  }
}

TEST(Phases, OscillatorsThatTakeTurnsStandStillBetween) {
  PhaseTrace trace;
  const auto status = tracePhases(turns(), withoutFaults(), kTheta0.data(), nullptr, -1, 0, trace);
  ASSERT_FALSE(status) << status.message();
  ASSERT_EQ(trace.lines.size(), 4u);
  EXPECT_EQ(trace.runs, 2u);
  for (size_t i = 0; i < 4; ++i) {
    const PhaseTrace::Line &line = trace.lines[i];
    const double w = i % 2 ? 2 : 1;
    EXPECT_NEAR(line.phases.back(), kTheta0[i] + w * 0.5, 1e-5) << i;
    EXPECT_NEAR(line.seconds.back(), i < 2 ? 0.5 : 1, 1e-9) << i;
    // The second pair waits until the first has run.
    if (i >= 2) {
      EXPECT_EQ(line.seconds[1], 0.5);
      EXPECT_EQ(line.phases[1], kTheta0[i]);
    }
  }
}

TEST(Phases, SomeOfManyOscillatorsAreChosenEvenly) {
  const System system = System::random(50, 0, 0, 2);
  const Floats theta0(50);
  PhaseTrace trace;
  ASSERT_FALSE(tracePhases(system.program(0.1, 1, hardwareWith()), withoutFaults(), theta0.data(),
                           nullptr, -1, 0, trace, 5));
  EXPECT_THAT(trace.oscillators, testing::ElementsAre(0, 10, 20, 30, 40));
  EXPECT_THAT(drawPhases(trace), HasSubstr("5 of the main oscillators over 100 ms"));
}

TEST(Roofline, TilesShowWhatABatchShares) {
  Program program = turns();
  program.hardware.kind = HardwareKind::Oscillators;
  program.hardware.constants["coupling_load_time"].value = 0.25;
  for (const char *name : {"local_memory_bytes", "multiply_add_rate", "main_memory_rate"})
    program.hardware.constants[name].value = 1;
  Account one, many;
  one.batch = 1, one.secondsPerImage = 2;
  many.batch = 64, many.secondsPerImage = 1;
  const auto rooflines = rooflinesOf(program, {one, many});
  ASSERT_EQ(rooflines.size(), 1u);
  // 4 couplings are loaded once for the batch and act in 2 runs of half a second each.
  ASSERT_EQ(rooflines[0].roofs.size(), 1u);
  EXPECT_DOUBLE_EQ(rooflines[0].roofs[0].peak, 8);
  EXPECT_DOUBLE_EQ(rooflines[0].roofs[0].slope, 4);
  ASSERT_EQ(rooflines[0].points.size(), 2u);
  EXPECT_DOUBLE_EQ(rooflines[0].points[0].intensity, 2);
  EXPECT_DOUBLE_EQ(rooflines[0].points[0].rate, 4);
  EXPECT_DOUBLE_EQ(rooflines[0].points[1].intensity, 128);
  EXPECT_DOUBLE_EQ(rooflines[0].points[1].rate, 8);
}

TEST(Roofline, DigitalOperatorsAreWeighedByTheirBits) {
  Program program;
  program.hardware.kind = HardwareKind::Digital;
  program.hardware.constants["local_memory_bytes"].value = 1000;
  program.hardware.constants["multiply_add_rate"].value = 1e12;
  program.hardware.constants["main_memory_rate"].value = 1e9;
  DigitalOp evolve;
  evolve.kind = DigitalKind::Evolve;
  evolve.bits = 32;
  evolve.multiplyAdds = 100;
  evolve.parameterBytes = 2000; // does not fit: read in each of its 10 steps
  evolve.parameterReads = 10;
  DigitalOp conv;
  conv.kind = DigitalKind::Conv2D;
  conv.bits = 8;
  conv.multiplyAdds = 100;
  conv.parameterBytes = 500; // fits: read once
  conv.parameterReads = 7;
  program.digital = {evolve, conv};
  Account one;
  const auto rooflines = rooflinesOf(program, {one});
  ASSERT_EQ(rooflines.size(), 1u);
  ASSERT_EQ(rooflines[0].points.size(), 2u);
  EXPECT_DOUBLE_EQ(rooflines[0].points[0].intensity, 400.0 / 20000);
  EXPECT_DOUBLE_EQ(rooflines[0].points[1].intensity, 100.0 / 500);
  EXPECT_DOUBLE_EQ(rooflines[0].points[1].rate, 0.2e9);
}
