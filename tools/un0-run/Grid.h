//===- Grid.h - images on a labelled PNG ------------------------------------===//
#ifndef UN0_TOOLS_UN0_RUN_GRID_H
#define UN0_TOOLS_UN0_RUN_GRID_H

#include "Array.h"
#include "Diagnostics.h"
#include "un0/runtime.h"

#include <cstdint>
#include <string>
#include <vector>

namespace un0run {

/// A row of the grid: its class (-1: unconditional) and the samples in it.
struct GridRow {
  int64_t label;
  std::vector<uint64_t> samples;
};

/// Puts samples into one row per label, rows in order of first appearance.
std::vector<GridRow> gridRows(const Array<int64_t> &labels);

/// Fails when the grid of such samples cannot be a PNG: by its extents, or for other than 1 or 3
/// channels.
MaybeFailure checkGrid(const un0_signature &signature, const Array<int64_t> &labels);

/// Writes `images` ([B][channels][height][width] in [-1, 1]) as a PNG: value x becomes clamp((x +
/// 1) / 2 * 255), rounded. `checkGrid` has passed.
MaybeFailure writeGrid(const std::string &path, const un0_signature &signature,
                       const std::vector<GridRow> &rows, const float *images);

} // namespace un0run

#endif // UN0_TOOLS_UN0_RUN_GRID_H
