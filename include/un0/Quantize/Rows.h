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

/// The steps of a row of bytes, of which the number q stands for `(q + zero) * step`.
struct ByteSteps {
  float step = 1;
  int zero = 0;
};
/// Rounds a row to whole steps, 254 of them from its smallest to its largest value, zero included,
/// to nearest, ties to even; a zero stays one. Numbers are at most 127 either way, and so is the
/// zero point. `out` is as long as `row`.
ByteSteps quantizeByteRow(llvm::ArrayRef<float> row, llvm::MutableArrayRef<int16_t> out);

/// The largest sum, either way, of the numbers of channels 2c and 2c + 1 at one tap of a filter:
/// two products with unsigned bytes are 255 x 128 at most, and fit 16 bits.
constexpr int kLargestPair = 128;

/// Rounds the weights of one output channel (input channels x taps) to whole steps, at most 127 of
/// them either way and kLargestPair in a pair, of the size that minimizes the squared error;
/// returns it (1 for zeros). A convolution has few weights of a channel far from the others, so a
/// clip below the largest pays.
float quantizeFilter(llvm::ArrayRef<float> weights, size_t taps,
                     llvm::MutableArrayRef<int16_t> out);

/// The 16 levels of a 4-bit coupling: s8, ascending, magnitudes of at most kLargestLevel. What a
/// row's 4-bit numbers mean is level x the row's scale.
using Levels = std::array<int8_t, 16>;

/// Four products with waves of at most 128 fit 16 bits.
constexpr int kLargestLevel = 63;

/// Levels that minimize the squared error of `rows`, each first divided by its root mean square:
/// Lloyd's algorithm (S. Lloyd, "Least squares quantization in PCM", 1982), from the levels of a
/// normal distribution. Rows are whole couplings of one length; a sample of them is enough.
Levels fitLevels(llvm::ArrayRef<std::vector<float>> rows);

/// Two sets of levels in one unit. Of every 4 x group neighbouring numbers
/// of a row, the 1st, 5th, ... use the set that is nearer to them, the 2nd, 6th, ..., and so on:
/// four neighbours lie in the four bytes of a word, and so do the bits that say which set.
struct LevelPair {
  std::array<Levels, 2> sets = {};
  float unit = 0; ///< what a level of 1 is in rows of unit root mean square
};

/// As fitLevels, for rows of one length whose groups choose: groups are given to sets and sets
/// fitted to their groups in turn, from one set of levels moved a quarter step down and up.
LevelPair fitLevelPair(llvm::ArrayRef<std::vector<float>> rows, size_t group);

/// As below: a number's index in its set in bits 0 to 3, the set in bit 4.
float quantizeRow(llvm::ArrayRef<float> row, const LevelPair &levels, size_t group,
                  llvm::MutableArrayRef<uint8_t> out);

/// The nearest level of each number, with the scale that minimizes the row's squared error (found
/// by alternating); returns the scale.
float quantizeRow(llvm::ArrayRef<float> row, const Levels &levels,
                  llvm::MutableArrayRef<uint8_t> out);

} // namespace un0

#endif // UN0_QUANTIZE_ROWS_H
