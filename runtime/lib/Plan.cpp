//===- Plan.cpp - cutting a request into tiles ------------------------------===//
#include "Plan.h"

#include <algorithm>

namespace un0::rt {

static constexpr uint64_t maxSingles = 2;

Plan::Tile Plan::tile(uint64_t index) const {
  auto part = parts.begin();
  for (; index >= part->tiles(); ++part)
    index -= part->tiles();
  const uint64_t done = index * part->batch;
  return {part->entry, part->first + done,
          static_cast<uint32_t>(std::min<uint64_t>(part->batch, part->samples - done))};
}

namespace {
struct Planner {
  const std::vector<uint32_t> &batches;
  uint32_t threads;
  Plan &plan;

  uint32_t last() const { return static_cast<uint32_t>(batches.size() - 1); }
  uint64_t mostSingles() const { return batches[last()] == 1 ? maxSingles : 0; }

  void add(uint32_t entry, uint64_t samples) {
    if (samples == 0)
      return;
    plan.parts.push_back({entry, batches[entry], plan.count, samples});
    plan.count += samples;
    plan.tiles += plan.parts.back().tiles();
  }

  /// `samples` with entry `widest`, and what narrower ones do as soon, one tile per thread.
  void addFrom(uint32_t widest, uint64_t samples) {
    const uint64_t batch = batches[widest];
    if (widest < last() && batches[widest + 1] > maxSingles) {
      uint64_t rest = samples % (batch * threads);
      if (rest > uint64_t(threads) * batches[widest + 1] + mostSingles())
        rest = 0;
      add(widest, samples - rest);
      return addFrom(widest + 1, rest);
    }
    const uint64_t rest = samples % batch, singles = rest <= mostSingles() ? rest : 0;
    add(widest, samples - singles);
    add(last(), singles);
  }
};
} // namespace

void planTiles(const std::vector<uint32_t> &batches, uint64_t count, uint32_t threads, Plan &plan) {
  Planner planner{batches, threads, plan};
  for (uint32_t widest = 0; widest < batches.size(); ++widest) {
    plan.parts.clear();
    plan.count = plan.tiles = 0;
    planner.addFrom(widest, count);
    if (plan.tiles >= std::min<uint64_t>(threads, count))
      return;
  }
}

Sharing chooseSharing(bool splits, uint64_t count, uint32_t threads,
                      const std::vector<uint32_t> &batches) {
  // A tile of a large model takes two to three times as long as one sample.
  constexpr uint64_t tileOverSample = 3;
  if (!splits || threads < 2)
    return Sharing::Tiles;
  if (count == 1)
    return Sharing::Sample;
  // What several tiles take is for several threads.
  uint32_t narrowest = batches.front();
  for (uint32_t batch : batches)
    if (batch > 1)
      narrowest = batch;
  return count > tileOverSample * threads && count <= narrowest ? Sharing::Decoding
                                                                : Sharing::Tiles;
}

} // namespace un0::rt
