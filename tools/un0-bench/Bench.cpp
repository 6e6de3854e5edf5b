//===- Bench.cpp - one measurement -------------------------------------------===//
#include "Bench.h"

#include "Module.h"
#include "Plan.h"
#include "Roofline.h"

#include <algorithm>
#include <cstring>

namespace un0bench {

Work workOf(const un0::Module &module) {
  Work work;
  uint64_t row = 0;
  for (const un0_cost_info &cost : module.costs()) {
    const Arithmetic arithmetic = arithmeticOf(un0_module_cost_arithmetic(module.get(), row++));
    const double operations = 2.0 * double(cost.count) * double(cost.multiply_adds);
    if (std::strcmp(cost.part, "dynamics") == 0) {
      work.dynamicsOperations += operations;
      work.dynamicsBy[arithmetic] += operations;
      work.parameterBytes += double(cost.count) * double(cost.parameter_bytes);
      work.couplingBytes = std::max(work.couplingBytes, double(cost.parameter_bytes));
    } else if (std::strcmp(cost.part, "decoder") == 0) {
      work.decoderOperations += operations;
      work.decoderBy[arithmetic] += operations;
    }
  }
  return work;
}

static double ratio(double a, double b) { return b > 0 ? a / b : 0; }

double Result::oscillatorOperationsPerSecond() const {
  return ratio(work.dynamicsOperations * double(batch), oscillators.median);
}

double Result::couplingBytesPerSecond() const {
  return ratio(work.parameterBytes * double(passes), oscillators.median);
}

double Result::decoderOperationsPerSecond() const {
  return ratio(work.decoderOperations * double(batch), decoder.median);
}

/// Seconds that one image's operations take at the peak of each kind.
static double secondsAtPeak(const std::map<Arithmetic, double> &operations, const Rates &rates) {
  double seconds = 0;
  for (const auto &[arithmetic, count] : operations)
    if (auto peak = rates.peaks.find(arithmetic); peak != rates.peaks.end())
      seconds += ratio(count, peak->second);
  return seconds;
}

static double leastOscillators(const Result &r) {
  double arithmetic = secondsAtPeak(r.work.dynamicsBy, r.rates) * double(r.batch);
  double reading = ratio(r.work.parameterBytes * double(r.passes), r.rates.bandwidth);
  return std::max(arithmetic, reading);
}

static double leastDecoder(const Result &r) {
  return secondsAtPeak(r.work.decoderBy, r.rates) * double(r.batch);
}

double Result::oscillatorRooflineFraction() const {
  return ratio(leastOscillators(*this), oscillators.min);
}

double Result::decoderRooflineFraction() const { return ratio(leastDecoder(*this), decoder.min); }

double Result::limit() const { return leastOscillators(*this) + leastDecoder(*this); }

void Machine::measure(const Work &work, unsigned threads, double seconds, Rates &rates) {
  for (const auto *operations : {&work.dynamicsBy, &work.decoderBy})
    for (const auto &[arithmetic, count] : *operations) {
      auto probe = peaks.try_emplace({arithmetic, threads}, arithmetic, threads).first;
      double &peak = rates.peaks[arithmetic];
      peak = std::max(peak, probe->second.measure(seconds));
    }
  const auto bytes = static_cast<size_t>(work.couplingBytes);
  auto probe = readers.try_emplace({bytes, threads}, bytes, threads).first;
  rates.bandwidth = std::max(rates.bandwidth, probe->second.measure(seconds));
}

static double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  size_t half = values.size() / 2;
  return values.size() % 2 ? values[half] : (values[half - 1] + values[half]) / 2;
}

static Spread spreadOf(const std::vector<double> &values) {
  return {median(values), *std::min_element(values.begin(), values.end()),
          *std::max_element(values.begin(), values.end())};
}

static uint64_t tilesOf(const un0::Module &module, uint64_t batch, unsigned threads) {
  const std::vector<uint32_t> batches = module.get()->batches();
  if (un0::rt::chooseSharing(module.get()->paysToSplit(), batch, threads, batches) !=
      un0::rt::Sharing::Tiles)
    return 1;
  un0::rt::Plan plan;
  un0::rt::planTiles(batches, batch, threads, plan);
  return plan.tiles;
}

MaybeFailure measure(const un0::Module &module, uint64_t batch, unsigned threads,
                     unsigned repetitions, Machine &machine, Result &result) {
  const un0_signature s = module.signature();
  un0::Expected<un0::Session> session = un0::Session::create(module, threads);
  if (!session)
    return un0run::fail(session.error().message);
  std::vector<int64_t> labels(batch, -1);
  for (uint64_t i = 0; i < batch && s.classes; ++i)
    labels[i] = static_cast<int64_t>(i % s.classes);
  std::vector<float> images(batch * s.channels * s.height * s.width);
  un0_request request;
  un0_request_init(&request);
  request.count = batch;
  request.labels = labels.data();
  request.images = images.data();

  constexpr double warmUpSeconds = 0.1, repetitionSeconds = 0.01, mostProbingSeconds = 0.25;
  unsigned calls = 0;
  const double begin = now();
  do {
    if (std::optional<un0::Error> error = session->generate(request))
      return un0run::fail(error->message);
    ++calls;
  } while (now() - begin < warmUpSeconds);
  const double secondsPerCall = (now() - begin) / calls;
  const auto perRepetition =
      std::max(1u, static_cast<unsigned>(repetitionSeconds / secondsPerCall));

  result.work = workOf(module);
  result.batch = batch;
  result.threads = threads;
  result.passes = tilesOf(module, batch, threads);
  std::vector<double> wall, oscillators, readout, decoder;
  // A peak that lasts a moment says little of what the machine does for as long as a request: the
  // longer, the more of a neighbour is in it.
  const double probing = std::min(perRepetition * secondsPerCall, mostProbingSeconds);
  machine.measure(result.work, threads, probing, result.rates);
  for (unsigned r = 0; r < repetitions; ++r) {
    // The measurement of the machine has emptied the caches: a short request would feel it.
    if (perRepetition > 1)
      if (std::optional<un0::Error> error = session->generate(request))
        return un0run::fail(error->message);
    un0_timings sum = {};
    for (unsigned i = 0; i < perRepetition; ++i) {
      if (std::optional<un0::Error> error = session->generate(request))
        return un0run::fail(error->message);
      un0_timings one = session->timings();
      sum.wall += one.wall;
      sum.oscillators += one.oscillators / std::max(1u, one.threads);
      // Threads may evolve one sample together without decoding it together.
      const unsigned decoding =
          batch == 1 && !module.get()->decodeTeam ? 1 : std::max(1u, one.threads);
      sum.readout += one.readout / decoding;
      sum.decoder += one.decoder / decoding;
    }
    wall.push_back(sum.wall / perRepetition);
    oscillators.push_back(sum.oscillators / perRepetition);
    readout.push_back(sum.readout / perRepetition);
    decoder.push_back(sum.decoder / perRepetition);
    machine.measure(result.work, threads, probing, result.rates);
  }

  const un0_module_info info = module.info();
  result.model = info.model;
  result.precision = info.precision;
  result.wall = spreadOf(wall);
  result.oscillators = spreadOf(oscillators);
  result.readout = spreadOf(readout);
  result.decoder = spreadOf(decoder);
  return std::nullopt;
}

} // namespace un0bench
