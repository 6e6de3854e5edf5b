//===- PairSchedule.h - a dense system on a small tile ----------*- C++ -*-===//
//
// The one place that says in which order a sweep visits what, and how long. Lowering and the error
// estimate both follow it.
//
//===----------------------------------------------------------------------===//

#ifndef UN0_LIB_CONVERSION_UN0TODSA_PAIRSCHEDULE_H
#define UN0_LIB_CONVERSION_UN0TODSA_PAIRSCHEDULE_H

#include "llvm/ADT/SmallVector.h"
#include <cstdint>
#include <vector>

namespace un0 {

/// One load of a tile: two groups of oscillators, the first in its lower half.
struct Visit {
  enum Kind {
    Pair,    ///< the couplings between the groups, nothing else
    Diagonal ///< the couplings within each group, frequencies and drive
  };
  Kind kind;
  int64_t first, second; ///< groups; second is -1 where the last group has no partner
  double weight = 1;     ///< of the sweep's model time
};

/// Visits of one sweep over `groups` groups; those of each kind cover every coupling once, with
/// weights that sum to 1 for each. `reversed` is every second sweep.
std::vector<Visit> makeSweep(int64_t groups, bool reversed);

} // namespace un0

#endif // UN0_LIB_CONVERSION_UN0TODSA_PAIRSCHEDULE_H
