//===- Describe.cpp - the report of an open module --------------------------===//
#include "Powercap.h"
#include "Report.h"
#include "Text.h"

#include <chrono>

namespace un0::report {

using namespace dsa;

static const char *solverName(Solver solver) {
  switch (solver) {
  case Solver::Euler:
    return "euler";
  case Solver::Heun:
    return "heun";
  case Solver::Rk4:
    return "rk4";
  case Solver::Rk4Classic:
    return "rk4-classic";
  }
  return "";
}

static std::string bytes(uint64_t value) { return quantity(double(value), "B"); }

static void moduleFacts(const un0_module *module, std::vector<Fact> &facts) {
  un0_module_info info;
  un0_module_get_info(module, &info);
  un0_signature s;
  un0_module_signature(module, &s);
  facts.push_back({"model", info.model});
  facts.push_back({"compiled from", info.source});
  if (*info.source_sha256)
    facts.push_back({"SHA-256 of it", info.source_sha256});
  facts.push_back({"compiler", info.compiler});
  facts.push_back({"report", "un0 " UN0_VERSION});
  facts.push_back({"oscillators", count(s.oscillators) + " and " + count(s.conditioning) +
                                      " conditioning, " + count(s.classes) + " classes"});
  facts.push_back({"pictures", format("%u x %u x %u", s.channels, s.height, s.width)});
  facts.push_back(
      {"module", bytes(info.file_bytes) + ", of which weights " + bytes(info.weight_bytes)});
}

static Status describeProgram(const void *data, size_t size, Report &report) {
  Program program;
  UN0_RETURN_IF_FAILED(decodeProgram(static_cast<const uint8_t *>(data), size, program));
  report.hardware = program.hardware;
  for (uint64_t batch : kReportBatches) {
    report.accounts.emplace_back();
    UN0_RETURN_IF_FAILED(accountProgram(program, batch, report.accounts.back()));
  }
  report.rooflines = rooflinesOf(program, report.accounts);
  report.facts.push_back({"model time", seconds(program.modelTime) + ", solver trained with: " +
                                            solverName(program.solver)});
  report.facts.push_back({"program", count(double(program.code.size())) + " instructions, " +
                                         count(double(program.data.size())) + " constants, " +
                                         bytes(size) + "; instruction set " +
                                         std::to_string(kIsaMajor) + "." +
                                         std::to_string(kIsaMinor)});
  return {};
}

static Status describeCpu(const un0_module *module, Report &report) {
  UN0_RETURN_IF_FAILED(loadHardware("cpu-x86", report.hardware));
  std::vector<uint64_t> batches;
  for (uint64_t batch : kReportBatches) {
    batches.push_back(batch);
    report.accounts.emplace_back();
    UN0_RETURN_IF_FAILED(accountCpu(module, report.hardware, batch, report.accounts.back()));
  }
  report.rooflines = rooflinesOf(module, report.hardware, batches);
  un0_module_info info;
  un0_module_get_info(module, &info);
  report.facts.push_back({"code for", info.cpu});
  report.facts.push_back({"precision", info.precision});
  report.facts.push_back({"solver", format("%s, %lld steps, model time ", info.solver,
                                           static_cast<long long>(info.steps)) +
                                        seconds(info.time)});
  const Status meter = PowercapMeter().start();
  report.measurement =
      Measurement{std::nullopt, meter ? meter.message()
                                      : "not measured, nothing was run; un0-run --report measures"};
  return {};
}

Status describeModule(const un0_module *module, Report &report) {
  moduleFacts(module, report.facts);
  size_t size = 0;
  const void *data = un0_module_program(module, &size);
  UN0_RETURN_IF_FAILED(data ? describeProgram(data, size, report) : describeCpu(module, report));
  un0_module_info info;
  un0_module_get_info(module, &info);
  report.title = std::string(info.model) + " on " + report.accounts.front().target;
  return {};
}

Status drawSamples(const un0_module *module, const std::vector<int64_t> &labels, uint64_t seed,
                   Report &report) {
  un0_signature s;
  un0_module_signature(module, &s);
  un0_session *session = nullptr;
  un0_error error;
  if (un0_status status = un0_session_create(module, nullptr, &session, &error))
    return Status(status, error.message);
  Pictures pictures{s.channels, s.height, s.width, labels, {}, 0};
  pictures.pixels.resize(labels.size() * s.channels * s.height * s.width);
  un0_request request;
  un0_request_init(&request);
  request.count = labels.size();
  request.labels = labels.data();
  request.seed = seed;
  request.images = pictures.pixels.data();
  un0_status status = un0_generate(session, &request, &error);
  PowercapMeter meter;
  if (!status && report.hardware.kind == HardwareKind::Cpu && !meter.start()) {
    // Again and again, for counters of coarse time.
    constexpr double leastSeconds = 0.5;
    using Clock = std::chrono::steady_clock;
    const auto begin = Clock::now();
    uint64_t images = 0;
    while (!status && std::chrono::duration<double>(Clock::now() - begin).count() < leastSeconds) {
      status = un0_generate(session, &request, &error);
      images += labels.size();
    }
    if (!meter.sample())
      report.measurement = Measurement{meter.joules() / double(images), kMeterWords};
  }
  un0_session_close(session);
  if (status)
    return Status(status, error.message);
  report.pictures = std::move(pictures);
  return {};
}

} // namespace un0::report
