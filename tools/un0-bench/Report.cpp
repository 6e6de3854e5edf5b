//===- Report.cpp - results as a table and as JSON ---------------------------===//
#include "Report.h"

#include "OutputFile.h"
#include "Roofline.h"

#include <cstdio>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

namespace un0bench {

void printHeader() {
  std::printf("%s, %u CPUs, %s\n\n", cpuName().c_str(), std::thread::hardware_concurrency(),
              vectorSet());
  std::printf("%-20s %-6s %5s %7s %11s %29s | %30s | %21s\n", "", "", "", "", "", "ms per request",
              "oscillators", "decoder");
  std::printf("%-20s %-6s %5s %7s %11s %9s %9s %9s | %9s %7s %6s %5s | %9s %6s %5s\n", "model",
              "prec.", "batch", "threads", "images/s", "median", "min", "max", "ms", "GOP/s",
              "GB/s", "roof", "ms", "GOP/s", "roof");
}

void printRow(const Result &r) {
  std::printf("%-20s %-6s %5llu %7u %11.1f %9.3f %9.3f %9.3f | %9.3f %7.1f %6.1f %4.0f%% | %9.3f "
              "%6.1f %4.0f%%\n",
              r.model.c_str(), r.precision.c_str(), static_cast<unsigned long long>(r.batch),
              r.threads, double(r.batch) / r.wall.median, r.wall.median * 1e3, r.wall.min * 1e3,
              r.wall.max * 1e3, r.oscillators.median * 1e3, r.oscillatorOperationsPerSecond() / 1e9,
              r.couplingBytesPerSecond() / 1e9, r.oscillatorRooflineFraction() * 100,
              r.decoder.median * 1e3, r.decoderOperationsPerSecond() / 1e9,
              r.decoderRooflineFraction() * 100);
  std::fflush(stdout);
}

void printFooter(const std::vector<Result> &results) {
  std::printf(
      "\nGOP/s: counted operations, a multiply-add is two, a convolution its direct form's: one of "
      "fewer\nproducts goes past 100 %%. GB/s: parameters of the dynamics read.\n"
      "ms, GOP/s, GB/s: medians. roof: least possible time / least measured time, by the best "
      "rates\nmeasured between the repetitions:\n");
  std::set<std::pair<unsigned, double>> read;
  std::set<std::pair<unsigned, Arithmetic>> multiplied;
  for (const Result &r : results) {
    const char *plural = r.threads == 1 ? "" : "s";
    for (const auto &[arithmetic, peak] : r.rates.peaks)
      if (multiplied.insert({r.threads, arithmetic}).second)
        std::printf("  %u thread%s: %s peak %.1f GOP/s\n", r.threads, plural, nameOf(arithmetic),
                    peak / 1e9);
    if (read.insert({r.threads, r.work.couplingBytes}).second)
      std::printf("  %u thread%s: reading %.1f MB again and again %.1f GB/s\n", r.threads, plural,
                  r.work.couplingBytes / 1e6, r.rates.bandwidth / 1e9);
  }
}

MaybeFailure writeJson(const std::string &path, const std::vector<Result> &results) {
  using nlohmann::ordered_json;
  ordered_json root;
  root["machine"] = {{"cpu", cpuName()},
                     {"cpus", std::thread::hardware_concurrency()},
                     {"vectors", vectorSet()},
                     {"version", "un0-bench " UN0_VERSION}};
  root["results"] = ordered_json::array();
  for (const Result &r : results) {
    ordered_json peaks;
    for (const auto &[arithmetic, peak] : r.rates.peaks)
      peaks[nameOf(arithmetic)] = peak / 1e9;
    root["results"].push_back(
        {{"model", r.model},
         {"precision", r.precision},
         {"batch", r.batch},
         {"threads", r.threads},
         {"images_per_second", double(r.batch) / r.wall.median},
         {"latency_ms",
          {{"median", r.wall.median * 1e3}, {"min", r.wall.min * 1e3}, {"max", r.wall.max * 1e3}}},
         {"oscillators",
          {{"ms", r.oscillators.median * 1e3},
           {"gops", r.oscillatorOperationsPerSecond() / 1e9},
           {"k_gb_per_s", r.couplingBytesPerSecond() / 1e9},
           {"roofline_fraction", r.oscillatorRooflineFraction()}}},
         {"readout", {{"ms", r.readout.median * 1e3}}},
         {"decoder",
          {{"ms", r.decoder.median * 1e3},
           {"gops", r.decoderOperationsPerSecond() / 1e9},
           {"roofline_fraction", r.decoderRooflineFraction()}}},
         {"roofline",
          {{"peak_gops", peaks},
           {"gb_per_s", r.rates.bandwidth / 1e9},
           {"limit_ms", r.limit() * 1e3}}}});
  }
  // Model names come from files: bytes that are no UTF-8 are replaced, not fatal.
  const std::string text = root.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
  un0run::OutputFile output;
  if (MaybeFailure failure = output.open(path))
    return failure;
  std::fwrite(text.data(), 1, text.size(), output.stream());
  return output.commit();
}

} // namespace un0bench
