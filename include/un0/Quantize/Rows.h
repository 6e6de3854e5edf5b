//===- Rows.h - couplings in few bits ---------------------------*- C++ -*-===//

#ifndef UN0_QUANTIZE_ROWS_H
#define UN0_QUANTIZE_ROWS_H

#include "llvm/ADT/ArrayRef.h"
#include <array>
#include <cstdint>
#include <vector>

namespace un0 {

/// Rounds a row to whole steps of `max|row| / largest`, to nearest, ties to even; returns the step
/// (1 for a row of zeros). `out` is as long as `row`.
float quantizeRow(llvm::ArrayRef<float> row, int largest, llvm::MutableArrayRef<int16_t> out);

/// Rounds the weights of one output channel to whole steps, at most `largest` of them either way, of
/// the size that minimizes the squared error; returns it (1 for zeros). A convolution has few weights
/// of a channel far from the others, so a clip below the largest pays.
float quantizeFilter(llvm::ArrayRef<float> weights, int largest,
                     llvm::MutableArrayRef<int16_t> out);

/// The 16 levels of a 4-bit coupling: s8, ascending, the largest magnitude 127. What a row's 4-bit
/// numbers mean is level x the row's scale.
using Levels = std::array<int8_t, 16>;

/// Levels that minimize the squared error of `rows`, each first divided by its root mean square:
/// Lloyd's algorithm (S. Lloyd, "Least squares quantization in PCM", 1982), from the levels of a
/// normal distribution. Rows are whole couplings; a sample of them is enough.
Levels fitLevels(llvm::ArrayRef<std::vector<float>> rows);

/// The nearest level of each number, with the scale that minimizes the row's squared error (found
/// by alternating); returns the scale.
float quantizeRow(llvm::ArrayRef<float> row, const Levels &levels,
                  llvm::MutableArrayRef<uint8_t> out);

} // namespace un0

#endif // UN0_QUANTIZE_ROWS_H
