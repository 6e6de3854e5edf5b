//===- PairSchedule.h - a dense system on a small tile ----------*- C++ -*-===//
//
// The one place that says in which order a sweep visits what. Lowering and the error estimate both
// follow it.
//
//===----------------------------------------------------------------------===//

#ifndef UN0_LIB_CONVERSION_UN0TODSA_PAIRSCHEDULE_H
#define UN0_LIB_CONVERSION_UN0TODSA_PAIRSCHEDULE_H

#include "llvm/ADT/SmallVector.h"
#include <cstdint>
#include <vector>

namespace un0 {

/// One load of a tile, which runs for the sweep's model time: two groups of oscillators, the first
/// in its lower half.
struct Visit {
  enum Kind {
    Pair,    ///< the couplings between the groups, nothing else
    Diagonal ///< the couplings within each group, frequencies and drive
  };
  Kind kind;
  int64_t first, second; ///< groups; second is -1 where the last group has no partner
};

/// Visits of one sweep over `groups` groups; together they cover every coupling once. `reversed` is
/// every second sweep.
std::vector<Visit> makeSweep(int64_t groups, bool reversed);

} // namespace un0

#endif // UN0_LIB_CONVERSION_UN0TODSA_PAIRSCHEDULE_H
