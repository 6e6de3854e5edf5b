//===- RunReport.cpp - the report of a run ----------------------------------===//
#include "RunReport.h"

#include "Program.h"
#include "Report.h"
#include "Text.h"

#include <algorithm>
#include <map>

namespace un0run {

using namespace un0;

/// The first pictures of the first classes: what the page has room for.
static report::Pictures choosePictures(const RunRecord &record) {
  constexpr size_t mostClasses = 20, mostPerClass = 12;
  un0_signature s;
  un0_module_signature(record.module, &s);
  report::Pictures pictures;
  pictures.channels = s.channels;
  pictures.height = s.height;
  pictures.width = s.width;
  pictures.total = record.labels->size();
  const size_t size = size_t(s.channels) * s.height * s.width;
  std::map<int64_t, size_t> ofClass;
  for (size_t i = 0; i < record.labels->size(); ++i) {
    const int64_t label = (*record.labels)[i];
    if (ofClass.size() == mostClasses && !ofClass.count(label))
      continue;
    if (ofClass[label]++ >= mostPerClass)
      continue;
    pictures.labels.push_back(label);
    pictures.pixels.insert(pictures.pixels.end(), record.images + i * size,
                           record.images + (i + 1) * size);
  }
  return pictures;
}

static void addMeasurement(const RunRecord &record, report::Report &result) {
  if (result.hardware.kind != dsa::HardwareKind::Cpu)
    return;
  if (record.joules)
    result.measurement =
        report::Measurement{*record.joules / double(record.labels->size()), report::kMeterWords};
  else
    result.measurement = report::Measurement{std::nullopt, record.notMeasured};
}

/// Where the time of a CPU module went on this machine, beside what the model says.
static void addTimings(const RunRecord &record, report::Report &result) {
  const double images = double(record.labels->size());
  result.facts.push_back({"this run", report::count(images) + " pictures in " +
                                          report::seconds(record.seconds) + ", " +
                                          report::seconds(record.seconds / images) + " each"});
  result.facts.push_back({"initial phases", record.initialPhases});
  const un0_timings &t = record.timings;
  if (!t.threads)
    return;
  result.facts.push_back(
      {"measured, per picture, summed over " + std::to_string(t.threads) + " threads",
       "oscillators " + report::seconds(t.oscillators / images) + ", readout " +
           report::seconds(t.readout / images) + ", decoder " +
           report::seconds(t.decoder / images)});
}

/// What was simulated, and the first sample's way through it. Nothing for CPU modules, nor for
/// digital hardware, which computes what the module's code computes.
static rt::Status addSimulation(const RunRecord &record, report::Report &result) {
  size_t size = 0;
  const void *data = un0_module_program(record.module, &size);
  if (!data || result.hardware.kind != dsa::HardwareKind::Oscillators)
    return {};
  dsa::Program program;
  UN0_RETURN_IF_FAILED(dsa::decodeProgram(static_cast<const uint8_t *>(data), size, program));
  result.faults = record.simulator.faults;
  const bool flow = record.simulator.integrator == dsa::Integrator::Flow;
  result.facts.push_back({"simulator", flow ? report::format("the flow, to %g radians per step",
                                                             record.simulator.tolerance)
                                            : std::string("the model's own steps")});
  result.facts.push_back({"fault seed", std::to_string(record.simulator.faultSeed)});
  return report::tracePhases(program, record.simulator, record.theta0, record.phi0,
                             (*record.labels)[0], 0, result.phases);
}

MaybeFailure writeRunReport(const std::string &path, const RunRecord &record) {
  report::Report result;
  if (rt::Status status = report::describeModule(record.module, result))
    return fail(status.message());
  result.pictures = choosePictures(record);
  addMeasurement(record, result);
  addTimings(record, result);
  if (rt::Status status = addSimulation(record, result))
    return fail(status.message());
  if (rt::Status status = report::writeReport(result, path))
    return fail(status.message());
  return std::nullopt;
}

} // namespace un0run
