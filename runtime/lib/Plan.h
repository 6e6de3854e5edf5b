//===- Plan.h - cutting a request into tiles --------------------------------===//
#ifndef UN0_RUNTIME_LIB_PLAN_H
#define UN0_RUNTIME_LIB_PLAN_H

#include <cstdint>
#include <vector>

namespace un0::rt {

/// Tiles of one request, widest first: some of one entry, the next from where they end of another.
/// Computed instead of listed: a request may have any number of samples.
struct Plan {
  struct Part {
    uint32_t entry;   // index of the evolve entry
    uint32_t batch;   // of the entry
    uint64_t first;   // sample
    uint64_t samples; // in the last tile as many as are left; the other lanes are padding
    uint64_t tiles() const { return samples / batch + (samples % batch != 0); }
  };
  std::vector<Part> parts; // at most one for each entry
  uint64_t count = 0;      // samples
  uint64_t tiles = 0;

  struct Tile {
    uint32_t entry;
    uint64_t first;
    uint32_t samples; // at most the entry's batch
  };
  Tile tile(uint64_t index) const;
};

/// How the workers share a request: tiles from a counter; one sample evolved by all; one tile
/// evolved by the first and decoded by all.
enum class Sharing { Tiles, Sample, Decoding };

/// `splits`: one sample is evolved faster by several threads than by one (un0_module::paysToSplit).
/// `batches` as in `planTiles`.
Sharing chooseSharing(bool splits, uint64_t count, uint32_t threads,
                      const std::vector<uint32_t> &batches);

/// Cuts `count` samples for `threads` workers. `batches` are the batches of the evolve entries,
/// falling, not empty. Widest entry first; narrower ones when wider ones would leave workers idle,
/// from the start or at the end. One or two samples behind whole tiles go to a batch-1 entry, more
/// to a padded tile: by lanes it costs less. All give the same bytes. The memory of `plan` is used
/// again.
void planTiles(const std::vector<uint32_t> &batches, uint64_t count, uint32_t threads, Plan &plan);

} // namespace un0::rt

#endif // UN0_RUNTIME_LIB_PLAN_H
