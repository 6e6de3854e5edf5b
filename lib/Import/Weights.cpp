//===- Weights.cpp - values of parameters -----------------------*- C++ -*-===//

#include "un0/Import/Weights.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace un0;
using llvm::Expected;

llvm::Error un0::checkShape(ParamOp param, const StoredTensor &tensor) {
  ArrayRef<int64_t> shape = cast<ShapedType>(param.getType()).getShape(), stored = tensor.shape;
  bool isRow = shape.size() == 2 && shape[0] == 1;
  if (stored == shape || (isRow && stored == shape.drop_front()))
    return llvm::Error::success();
  return llvm::createStringError(llvm::formatv(
      "tensor '{0}' of '{1}' is {2:$[ x ]} but parameter @{3} is {4:$[ x ]}", param.getKey(),
      param.getArchive(), llvm::make_range(stored.begin(), stored.end()), param.getSymName(),
      llvm::make_range(shape.begin(), shape.end())));
}

Expected<Weights> Weights::open(ParamOp param, ArchiveSet &archives) {
  Expected<std::shared_ptr<Archive>> archive = archives.open(param.getArchive());
  if (!archive)
    return archive.takeError();
  Weights weights;
  weights.archive = *archive;
  weights.tensor = weights.archive->find(param.getKey());
  std::string name = param.getSymName().str();
  if (!weights.tensor)
    return llvm::createStringError("parameter '%s': archive '%s' has no tensor '%s'", name.c_str(),
                                   param.getArchive().str().c_str(), param.getKey().str().c_str());
  if (llvm::Error error = checkShape(param, *weights.tensor))
    return error;
  ArrayRef<int64_t> shape = cast<ShapedType>(param.getType()).getShape();
  if (shape.size() < 2)
    return llvm::createStringError("parameter '%s' has rank %zu and is no matrix", name.c_str(),
                                   shape.size());
  for (int64_t size : shape.drop_back(2))
    weights.slices *= size;
  weights.rows = shape.end()[-2];
  weights.columns = shape.back();
  if (param.getScale())
    weights.scale = param.getScale()->convertToDouble();
  weights.zeroDiagonal = param.getZeroDiagonal();
  return weights;
}

void Weights::read(int64_t slice, int64_t row, int64_t column, int64_t blockRows,
                   int64_t blockColumns, MutableArrayRef<float> out) const {
  for (int64_t r = 0; r < blockRows; ++r) {
    MutableArrayRef<float> line = out.slice(r * blockColumns, blockColumns);
    tensor->readF32((slice * rows + row + r) * columns + column, line);
    if (scale != 1.0)
      for (float &value : line)
        value = static_cast<float>(value * scale);
    int64_t diagonal = row + r - column;
    if (zeroDiagonal && diagonal >= 0 && diagonal < blockColumns)
      line[diagonal] = 0.0f;
  }
}

std::vector<float> Weights::readSlice(int64_t slice) const {
  std::vector<float> values(rows * columns);
  read(slice, 0, 0, rows, columns, values);
  return values;
}
