//===- SampleReports.h - accounts by hand, for the tests of reports ---------===//
#ifndef UN0_UNITTESTS_REPORT_SAMPLEREPORTS_H
#define UN0_UNITTESTS_REPORT_SAMPLEREPORTS_H

#include "Compare.h"

#include <cmath>

namespace un0test {

using namespace un0::report;

/// Dynamics of `dynamics` pJ at batch 1, of which loading is shared by a batch, and a decoder of
/// `decoder` pJ.
inline Account sampleAccount(const std::string &target, double dynamics, double decoder,
                             uint64_t batch, bool assumed) {
  Account account;
  account.target = target;
  account.batch = batch;
  account.secondsPerImage = 1e-3 / double(batch);
  account.secondsToPicture = 1e-3;
  account.bound = "coupling loads";
  const std::string source = assumed ? "assumption: as good as a published one" : "a paper, 2024";
  account.components = {
      {"coupling loads",
       Part::Dynamics,
       Basis::Counted,
       {{"couplings loaded", 1024 / double(batch), "coupling_load_energy", dynamics / 2048,
         source}}},
      {"oscillators",
       Part::Dynamics,
       Basis::Modelled,
       {{"oscillator seconds", 2e-6, "oscillator_power", dynamics / 4e-6, source}}},
      {"arithmetic",
       Part::Decoder,
       Basis::Counted,
       {{"multiply-adds", decoder, "multiply_add_int8_energy", 1, "a vendor's post, 7 nm"}}},
      {"memory & wires",
       Part::Transfer,
       Basis::Counted,
       {{"bytes <read>", 100, "local_memory_energy", 2, "a vendor's post, 7 nm"}}},
      {"sequencing",
       Part::Control,
       Basis::Counted,
       {{"instructions", 10, "instruction_energy", 1, "assumption: a small core"}}}};
  return account;
}

inline Report sampleReport(const std::string &target, un0::dsa::HardwareKind kind, double dynamics,
                           double decoder, bool assumed) {
  Report report;
  report.title = "fashion_n1024 on " + target;
  for (uint64_t batch : kReportBatches)
    report.accounts.push_back(sampleAccount(target, dynamics, decoder, batch, assumed));
  report.hardware.name = target;
  report.hardware.summary = "made up for a test";
  report.hardware.basis = "projection";
  report.hardware.kind = kind;
  report.hardware.constants = {{"tile_count", {2, "1", "a paper, 2024"}},
                               {"coupling_load_time", {1e-9, "s", "assumption: a fast bus"}}};
  report.facts = {{"module", "m.un0"}, {"compiler", "un0c <0.1>"}};
  report.rooflines = {
      {"Tiles of oscillators",
       "couplings that act per coupling loaded",
       "couplings that act per second",
       "Made up.",
       {{"loading, then running", 1e12, 1e9}},
       {{"batch 1", 1, 8e8, Basis::Modelled}, {"batch 64", 64, 5e10, Basis::Measured}}}};
  report.pictures = {1, 8, 8, {0, 1, 1, -1}, std::vector<float>(4 * 64, 0.25f), 0};
  for (size_t i = 0; i < report.pictures.pixels.size(); ++i)
    report.pictures.pixels[i] = float(std::sin(0.3 * double(i)));
  report.phases.totalSeconds = 1e-6;
  report.phases.runs = 1;
  for (uint32_t i = 0; i < 6; ++i) {
    report.phases.oscillators.push_back(i);
    PhaseTrace::Line line;
    for (int step = 0; step <= 40; ++step) {
      line.seconds.push_back(step * 1e-6 / 40);
      line.phases.push_back(float(std::cos(i + 0.1 * step) * (3.0 - i)));
    }
    report.phases.lines.push_back(line);
  }
  return report;
}

inline std::vector<Compared> sampleComparison() {
  using un0::dsa::HardwareKind;
  std::vector<Compared> targets;
  targets.push_back({"cpu-x86 f32", sampleReport("cpu-x86", HardwareKind::Cpu, 2e9, 5e8, true), "",
                     std::nullopt});
  targets.back().report.measurement = Measurement{std::nullopt, "not measurable here"};
  targets.push_back({"digital-7nm",
                     sampleReport("digital-7nm", HardwareKind::Digital, 2.2e7, 2.4e6, false), "",
                     0.01});
  targets.push_back({"oscillator-1024",
                     sampleReport("oscillator-1024", HardwareKind::Oscillators, 1e4, 2.4e6, true),
                     "needs avx512vnni, which this machine has not", std::nullopt});
  targets.back().report.pictures = {};
  return targets;
}

} // namespace un0test

#endif // UN0_UNITTESTS_REPORT_SAMPLEREPORTS_H
