//===- Plan.h - cutting a request into tiles --------------------------------===//
#ifndef UN0_RUNTIME_LIB_PLAN_H
#define UN0_RUNTIME_LIB_PLAN_H

#include <cstdint>
#include <vector>

namespace un0::rt {

/// Tiles of one request. Tile i covers `lanes` samples from i * lanes; from sample `singlesFrom` on
/// there is one sample per tile. Computed instead of listed: a request may have any number of
/// samples.
struct Plan {
  uint32_t entry = 0;       // index of the evolve entry of whole tiles
  uint32_t singleEntry = 0; // index of the entry that takes the single samples
  uint32_t lanes = 1;       // batch of `entry`
  uint64_t count = 0;       // samples
  uint64_t singlesFrom = 0;
  uint64_t tiles = 0;

  struct Tile {
    uint32_t entry;
    uint64_t first;
    uint32_t samples; // at most the entry's batch; the other lanes are padding
  };
  Tile tile(uint64_t index) const;
};

/// How the workers share a request: tiles from a counter; one sample evolved by all; one tile
/// evolved by the first and decoded by all.
enum class Sharing { Tiles, Sample, Decoding };

/// `splits`: one sample is evolved faster by several threads than by one (un0_module::paysToSplit).
Sharing chooseSharing(bool splits, uint64_t count, uint32_t threads, uint32_t widestBatch);

/// Cuts `count` samples for `threads` workers. `batches` are the batches of the evolve entries,
/// falling, not empty. Widest entry first; narrower ones when that would leave workers idle. A
/// remainder of one or two samples goes to a batch-1 entry, a larger one to a padded tile: by lanes
/// it costs less, and both give the same bytes.
Plan planTiles(const std::vector<uint32_t> &batches, uint64_t count, uint32_t threads);

} // namespace un0::rt

#endif // UN0_RUNTIME_LIB_PLAN_H
