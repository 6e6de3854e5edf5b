//===- ArchiveLoader.cpp - parameters from their archives -------*- C++ -*-===//

#include "un0/Import/Weights.h"
#include "un0/Interpreter/Interpreter.h"

#include "llvm/Support/FormatVariadic.h"

using namespace un0;

static void read(const StoredTensor &stored, std::vector<float> &out) { stored.readF32(0, out); }
static void read(const StoredTensor &stored, std::vector<double> &out) { stored.readF64(0, out); }

template <typename T> ParamLoader<T> un0::getArchiveLoader(std::shared_ptr<ArchiveSet> archives) {
  return [archives](ParamOp param) -> llvm::Expected<Tensor<T>> {
    llvm::Expected<std::shared_ptr<Archive>> archive = archives->open(param.getArchive());
    if (!archive)
      return archive.takeError();
    const StoredTensor *stored = (*archive)->find(param.getKey());
    if (!stored)
      return llvm::createStringError(llvm::formatv("'{0}' has no tensor '{1}' for parameter @{2}",
                                                   param.getArchive(), param.getKey(),
                                                   param.getSymName()));
    llvm::ArrayRef<int64_t> shape = llvm::cast<mlir::ShapedType>(param.getType()).getShape();
    if (llvm::Error error = checkShape(param, *stored))
      return error;
    Tensor<T> result(shape);
    read(*stored, result.data);
    return result;
  };
}

template ParamLoader<float> un0::getArchiveLoader(std::shared_ptr<ArchiveSet>);
template ParamLoader<double> un0::getArchiveLoader(std::shared_ptr<ArchiveSet>);
