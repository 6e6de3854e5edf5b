//===- Weights.h - values of parameters -------------------------*- C++ -*-===//

#ifndef UN0_IMPORT_WEIGHTS_H
#define UN0_IMPORT_WEIGHTS_H

#include "dialects/Un0/IR/Un0.h"
#include "un0/Import/Import.h"

namespace un0 {

/// An error unless `tensor` has the shape that `param` declares; a row may be stored as a vector.
llvm::Error checkShape(ParamOp param, const StoredTensor &tensor);

/// Reads a parameter with its transforms (`scale`, `zero_diagonal`) applied, block by block:
/// nothing is held but what the caller asks for.
class Weights {
public:
  /// Fails when the archive cannot be opened, or lacks the tensor or has another one.
  static llvm::Expected<Weights> open(ParamOp param, ArchiveSet &archives);

  int64_t getSlices() const { return slices; }
  int64_t getRows() const { return rows; }
  int64_t getColumns() const { return columns; }

  /// Elements [row, row + rows) x [column, column + columns) of one slice (class; 0 for a matrix),
  /// row by row. The block must be inside.
  void read(int64_t slice, int64_t row, int64_t column, int64_t rows, int64_t columns,
            llvm::MutableArrayRef<float> out) const;
  /// A whole slice.
  std::vector<float> readSlice(int64_t slice) const;

private:
  std::shared_ptr<Archive> archive;
  const StoredTensor *tensor = nullptr;
  int64_t slices = 1, rows = 0, columns = 0;
  double scale = 1;
  bool zeroDiagonal = false;
};

} // namespace un0

#endif // UN0_IMPORT_WEIGHTS_H
