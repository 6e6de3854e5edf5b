//===- Search.h - search for a schedule by measuring ------------*- C++ -*-===//
//
// Apart from the decoders it times, so that tests can give it times of their own.
//
//===----------------------------------------------------------------------===//

#ifndef UN0_TUNE_SEARCH_H
#define UN0_TUNE_SEARCH_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"
#include <memory>
#include <vector>

namespace un0 {

/// What a schedule may change of a convolution without changing a byte of its result.
struct ConvBlocks {
  bool batched = false;
  int64_t images = 1, rows = 1; ///< taken together

  bool operator==(const ConvBlocks &other) const {
    return batched == other.batched && images == other.images && rows == other.rows;
  }
  bool operator!=(const ConvBlocks &other) const { return !(*this == other); }
  bool operator<(const ConvBlocks &other) const {
    return std::tie(batched, images, rows) < std::tie(other.batched, other.images, other.rows);
  }
};

/// What there is to choose from.
struct ConvSpace {
  int64_t rows = 1;      ///< of points in an image; those taken together divide them
  bool together = false; ///< several images of a batch may be taken together
  bool mayBatch = true;  ///< not so the last one
};

/// A decoder that can be run.
class TimedDecoder {
public:
  virtual ~TimedDecoder();
  /// Runs it; seconds of each convolution per image.
  virtual std::vector<double> time() = 0;
};

/// Makes decoders, and has a clock.
class Workbench {
public:
  virtual ~Workbench();
  virtual llvm::Expected<std::unique_ptr<TimedDecoder>>
  build(llvm::ArrayRef<ConvBlocks> blocks) = 0;
  /// Seconds since any moment.
  virtual double now() = 0;
};

struct SearchResult {
  std::vector<ConvBlocks> blocks;
  /// Seconds of each convolution per image, as the search began and with `blocks`; measured in
  /// turns.
  std::vector<double> before, after;
  unsigned alternatives = 0; ///< decoders tried beside the first
  bool complete = true;      ///< nothing was left to try when the time was up
};

/// What an alternative has to be faster by, of the least and of the median times, to be taken.
constexpr double kLeastGain = 0.02;

/// Coordinate descent from `start`: how many convolutions are batched, then steps of all
/// convolutions at a time, each to rows or images next to what it has, since each is timed by
/// itself. Every alternative is timed in turns with what it would replace. In the end all of it is
/// timed in turns with `start`, which is kept unless the whole is 1 % faster. Nothing is begun that
/// would take longer than `seconds` leave, judging by what has been done.
llvm::Expected<SearchResult> searchBlocks(llvm::ArrayRef<ConvSpace> spaces, int64_t batch,
                                          llvm::ArrayRef<ConvBlocks> start, double seconds,
                                          Workbench &bench);

} // namespace un0

#endif // UN0_TUNE_SEARCH_H
