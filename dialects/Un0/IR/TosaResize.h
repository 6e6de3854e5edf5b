//===- TosaResize.h - which pixel tosa.resize reads -------------*- C++ -*-===//

#ifndef UN0_IR_TOSARESIZE_H
#define UN0_IR_TOSARESIZE_H

#include "llvm/Support/MathExtras.h"
#include <algorithm>
#include <cstdint>

namespace un0 {

/// The input row (or column) that NEAREST_NEIGHBOR reads for output row `out`, of `size` input
/// rows, with `scale = numerator / denominator`. Source: TOSA 1.0 specification, RESIZE: exact
/// halves go to the next row.
inline int64_t getNearestSource(int64_t out, int64_t numerator, int64_t denominator, int64_t offset,
                                int64_t size) {
  int64_t position = out * denominator + offset;
  int64_t source = llvm::divideFloorSigned(position, numerator);
  int64_t remainder = position - source * numerator;
  return 2 * remainder >= numerator ? std::min(source + 1, size - 1) : std::max<int64_t>(source, 0);
}

} // namespace un0

#endif // UN0_IR_TOSARESIZE_H
