//===- Plan.cpp - cutting a request into tiles ------------------------------===//
#include "Plan.h"

#include <algorithm>

namespace un0::rt {

static constexpr uint64_t maxSingles = 2;

Plan::Tile Plan::tile(uint64_t index) const {
  uint64_t wholeTiles = singlesFrom / lanes + (singlesFrom % lanes != 0);
  if (index >= wholeTiles)
    return {singleEntry, singlesFrom + (index - wholeTiles), 1};
  uint64_t first = index * lanes;
  return {entry, first, static_cast<uint32_t>(std::min<uint64_t>(lanes, singlesFrom - first))};
}

Plan planTiles(const std::vector<uint32_t> &batches, uint64_t count, uint32_t threads) {
  Plan plan;
  plan.count = count;
  const bool hasSingles = batches.back() == 1;
  for (uint32_t i = 0; i < batches.size(); ++i) {
    plan.entry = i;
    plan.lanes = batches[i];
    uint64_t remainder = count % plan.lanes;
    uint64_t singles = hasSingles && remainder <= maxSingles ? remainder : 0;
    plan.singleEntry = static_cast<uint32_t>(batches.size() - 1);
    plan.singlesFrom = count - singles;
    plan.tiles = plan.singlesFrom / plan.lanes + (plan.singlesFrom % plan.lanes != 0) + singles;
    if (plan.tiles >= std::min<uint64_t>(threads, count))
      break;
  }
  return plan;
}

Sharing chooseSharing(bool splits, uint64_t count, uint32_t threads, uint32_t widestBatch) {
  // A tile of a large model takes two to three times as long as one sample.
  constexpr uint64_t tileOverSample = 3;
  if (!splits || threads < 2)
    return Sharing::Tiles;
  if (count == 1)
    return Sharing::Sample;
  return count > tileOverSample * threads && count <= widestBatch ? Sharing::Decoding
                                                                  : Sharing::Tiles;
}

} // namespace un0::rt
