//===- SimulatorLoad.cpp - couplings and frequencies onto tiles -------------===//
#include "SimulatorImpl.h"

#include <algorithm>

namespace un0::dsa {

void SimulatorPlan::clear(const MatrixLayout &layout, const CouplerFaults &faults,
                          float *matrix) const {
  size_t cells;
  (void)layout.cells(cells);
  const size_t width = layout.width();
  if (!faults.offset || faults.onlyWhereSet)
    std::fill_n(matrix, cells * width, 0.0f);
  else if (width == 1)
    std::copy_n(faults.offset, cells, matrix);
  else
    for (size_t cell = 0; cell < cells; ++cell)
      std::fill_n(matrix + cell * width, width, faults.offset[cell]);
}

/// Calls `body` with a function that gives setting number i, radians per second.
template <typename Body> static void withSettings(const Data &data, bool levels, Body body) {
  const float unit = static_cast<float>(data.unit);
  if (data.unit != 0 && (levels || data.exact.empty()))
    body([values = data.levels.data(), unit](size_t i) { return float(values[i]) * unit; });
  else
    body([values = data.exact.data()](size_t i) { return values[i]; });
}

void SimulatorPlan::load(const MatrixLayout &layout, const CouplerFaults &faults, const Data &data,
                         size_t row, size_t column, const int64_t *labels, bool noDiagonal,
                         float *matrix) const {
  const size_t perClass = size_t(data.rows) * data.columns;
  const bool sparse = faults.onlyWhereSet;
  auto effective = [&faults, sparse](float setting, size_t cell) {
    const float scaled = faults.factor ? setting * faults.factor[cell] : setting;
    return faults.offset && !(sparse && setting == 0) ? scaled + faults.offset[cell] : scaled;
  };
  withSettings(data, has(kFaultLevels), [&](auto setting) {
    for (size_t i = 0; i < data.rows; ++i) {
      const size_t first = layout.cell(row + i, column);
      const size_t stride = layout.perLane ? 1 : layout.panel;
      for (size_t j = 0; j < data.columns; ++j) {
        const size_t cell = first + j * stride, from = i * data.columns + j;
        if (!layout.perLane) {
          matrix[cell] = effective(setting(from), cell);
          continue;
        }
        for (uint32_t lane = 0; lane < kLanes; ++lane) {
          const int64_t label = data.classes ? labels[lane] : 0;
          const bool known = data.classes == 0 || (label >= 0 && label < int64_t(data.classes));
          const float value = known ? setting(size_t(label) * perClass + from) : 0.0f;
          matrix[cell * kLanes + lane] = effective(value, cell);
        }
      }
      if (noDiagonal && row + i >= column && row + i < column + data.columns)
        std::fill_n(matrix + layout.cell(row + i, row + i) * layout.width(), layout.width(), 0.0f);
    }
  });
}

void SimulatorPlan::detune(const Data &data, size_t first, TileState &state) const {
  withSettings(data, has(kFaultLevels), [&](auto setting) {
    for (size_t i = 0; i < data.rows; ++i)
      state.frequencies[first + i] = setting(i);
  });
}

} // namespace un0::dsa
