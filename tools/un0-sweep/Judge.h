//===- Judge.h - how good a point's pictures are ----------------------------===//
//
// The seam of the sweep: a judge sees the pictures of a point beside the ideal ones, chunk by
// chunk, and gives numbers, each a column of the table, the CSV and the plots. A judging network
// (Frechet distance, class accuracy) is another judge, made in Main.cpp.
//
//===----------------------------------------------------------------------===//
#ifndef UN0_TOOLS_UN0_SWEEP_JUDGE_H
#define UN0_TOOLS_UN0_SWEEP_JUDGE_H

#include "un0/runtime.h"

#include <memory>
#include <string>
#include <vector>

namespace un0sweep {

/// A number that a judge gives.
struct Column {
  std::string name;         // "feature-rms": a CSV heading
  std::string meaning;      // for people, with its unit
  bool logarithmic = false; // shown on such an axis
};

/// `count` samples of a point and of the ideal, from the same initial phases and labels.
struct Chunk {
  uint64_t count = 0;
  const int64_t *labels = nullptr;
  const float *features = nullptr, *idealFeatures = nullptr; // [count][signature.features]
  const float *images = nullptr, *idealImages = nullptr;     // [count][channels][height][width]
};

/// What one point has shown so far. Chunks come in order, on one thread, the same for every point.
class Opinion {
public:
  virtual ~Opinion() = default;
  virtual void see(const Chunk &chunk) = 0;
  /// A number per column of the judge; NaN where there is none.
  virtual std::vector<double> conclude() = 0;
};

/// Shared by all points and threads.
class Judge {
public:
  virtual ~Judge() = default;
  virtual std::vector<Column> columns() const = 0;
  virtual std::unique_ptr<Opinion> begin(const un0_signature &signature) const = 0;
};

/// Distances to the ideal: rms of features, rms of images in [-1, 1], peak signal to noise ratio of
/// the images in decibel.
std::unique_ptr<Judge> makeDistanceJudge();

/// The columns of several judges one after the other.
std::unique_ptr<Judge> makePanel(std::vector<std::unique_ptr<Judge>> judges);

} // namespace un0sweep

#endif // UN0_TOOLS_UN0_SWEEP_JUDGE_H
