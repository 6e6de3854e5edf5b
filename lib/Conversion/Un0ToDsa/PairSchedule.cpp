//===- PairSchedule.cpp - a dense system on a small tile --------*- C++ -*-===//

#include "PairSchedule.h"
#include <algorithm>

using namespace un0;

std::vector<Visit> un0::makeSweep(int64_t groups, bool reversed) {
  std::vector<Visit> visits;
  for (int64_t i = 0; i < groups; ++i)
    for (int64_t j = i + 1; j < groups; ++j)
      visits.push_back({Visit::Pair, i, j});
  for (int64_t i = 0; i < groups; i += 2)
    visits.push_back({Visit::Diagonal, i, i + 1 < groups ? i + 1 : -1});
  // Order matters to first order in the length of a sweep; back and forth cancels it.
  if (reversed)
    std::reverse(visits.begin(), visits.end());
  return visits;
}
