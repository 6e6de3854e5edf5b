//===- SampleSweep.h - a small sweep, for tests -----------------------------===//
#ifndef UN0_UNITTESTS_SWEEP_SAMPLESWEEP_H
#define UN0_UNITTESTS_SWEEP_SAMPLESWEEP_H

#include "Sweep.h"

#include <cmath>
#include <gmock/gmock.h>
#include <unistd.h>

namespace un0test {

using namespace un0sweep;

inline Variable variable(llvm::StringRef text) {
  llvm::Expected<Variable> parsed = parseVariable(text);
  EXPECT_TRUE(bool(parsed)) << text.str();
  return parsed ? std::move(*parsed) : (llvm::consumeError(parsed.takeError()), Variable());
}

inline PointResult sampleResult(double quality) {
  PointResult result;
  result.done = true;
  result.judged = {quality, 2 * quality, quality == 0 ? INFINITY : -20 * std::log10(quality)};
  result.costs = {{1, 1e6 / 3, 1e5, 2e5, 1e-3, "coupling loads"},
                  {64, 2e5 / 3, 1e4, 5e4, 1e-4, "decoder"}};
  result.strip.width = 2;
  result.strip.height = 1;
  result.strip.rgb = {0, 127, 255, 1, 2, 3};
  return result;
}

/// 2 x 2 points, none done.
inline Sweep sampleSweep(const std::string &report) {
  Sweep sweep;
  sweep.options.model = "model.safetensors";
  sweep.options.report = report;
  sweep.options.variables = {variable("coupling-bits=4,5"), variable("mismatch=0,0.05")};
  sweep.hardware.name = "oscillator-1024";
  sweep.hardware.constants["tile_count"] = {2, "1", "a test"};
  sweep.points = llvm::cantFail(makeGrid(sweep.options.variables, 100));
  sweep.results.resize(sweep.points.size());
  sweep.columns = makeDistanceJudge()->columns();
  sweep.modelSha256 = "abc";
  sweep.ownSteps = {0.178, 0.133, 20};
  sweep.idealStrip = sweep.ownStrip = sampleResult(1).strip;
  return sweep;
}

inline std::string temporary(const std::string &name) {
  const auto *test = testing::UnitTest::GetInstance()->current_test_info();
  const std::string path = testing::TempDir() + test->name() + "." + name;
  unlink(path.c_str());
  return path;
}

inline std::string messageOf(llvm::Error error) { return llvm::toString(std::move(error)); }

} // namespace un0test

#endif // UN0_UNITTESTS_SWEEP_SAMPLESWEEP_H
