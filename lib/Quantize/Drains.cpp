//===- Drains.cpp - how far a 32-bit sum may go -----------------*- C++ -*-===//

#include "dialects/Cpu/IR/Cpu.h"
#include "un0/Import/Weights.h"
#include "un0/Quantize/Precisions.h"
#include "un0/Quantize/Rows.h"

using namespace mlir;
using namespace un0;
using llvm::Error;
using llvm::Expected;

namespace {

constexpr int64_t kBlock = 32;

/// Largest sum of |K| over any aligned window of `w` blocks of any row, for each w.
class WindowSums {
public:
  explicit WindowSums(int64_t sources)
      : blocks(llvm::divideCeil(sources, kBlock)), largest(blocks + 1, 0), prefix(blocks + 1, 0) {}

  void add(ArrayRef<int16_t> row) {
    for (int64_t block = 0; block < blocks; ++block) {
      int64_t sum = 0;
      for (int16_t value :
           row.slice(block * kBlock, std::min<size_t>(kBlock, row.size() - block * kBlock)))
        sum += std::abs(static_cast<int>(value));
      prefix[block + 1] = prefix[block] + sum;
    }
    for (int64_t w = 1; w <= blocks; ++w)
      for (int64_t start = 0; start < blocks; start += w)
        largest[w] = std::max(largest[w], prefix[std::min(start + w, blocks)] - prefix[start]);
  }

  /// Sources of the largest window whose sums fit.
  int64_t getDrain() const {
    int64_t limit = INT32_MAX / static_cast<int64_t>(cpu::kShortWave);
    for (int64_t w = blocks; w > 0; --w)
      if (largest[w] <= limit)
        return w * kBlock;
    return kBlock;
  }

private:
  int64_t blocks;
  std::vector<int64_t> largest, prefix;
};

Expected<int64_t> proveDrain(ParamOp param, const StoredTensor &tensor) {
  if (llvm::Error error = checkShape(param, tensor))
    return error;
  if (tensor.shape.size() != 2)
    return llvm::createStringError("parameter '%s' is no matrix", param.getSymName().str().c_str());
  int64_t rows = tensor.shape[0], sources = tensor.shape[1];
  std::vector<float> row(sources);
  std::vector<int16_t> numbers(sources);
  WindowSums sums(sources);
  double scale = param.getScale() ? param.getScale()->convertToDouble() : 1.0;
  for (int64_t i = 0; i < rows; ++i) {
    // Exactly the row that the packer sees, or the proof would be of other numbers.
    tensor.readF32(i * sources, row);
    if (scale != 1.0)
      for (float &value : row)
        value = static_cast<float>(value * scale);
    if (param.getZeroDiagonal() && i < sources)
      row[i] = 0.0f;
    quantizeRow(row, cpu::kShortCoupling, numbers);
    sums.add(numbers);
  }
  return sums.getDrain();
}

} // namespace

Error un0::proveDrains(ModuleOp module, ArchiveSet &archives) {
  Error failure = Error::success();
  llvm::StringMap<int64_t> proven;
  module.walk([&](FusedRateOp rate) {
    SmallVector<int64_t> drains;
    for (auto [term, coupling] : llvm::enumerate(rate.getCouplings())) {
      drains.push_back(0);
      if (failure || rate.getPrecision(term) != Precision::Int16)
        continue;
      ParamOp param = getParameter(coupling);
      if (!param) // which code for a processor refuses
        continue;
      auto [known, first] = proven.insert({param.getSymName(), 0});
      if (first) {
        Expected<std::shared_ptr<Archive>> archive = archives.open(param.getArchive());
        const StoredTensor *tensor = archive ? (*archive)->find(param.getKey()) : nullptr;
        Expected<int64_t> drain = !archive ? Expected<int64_t>(archive.takeError())
                                  : !tensor
                                      ? llvm::createStringError("the archive has no tensor '%s'",
                                                                param.getKey().str().c_str())
                                      : proveDrain(param, *tensor);
        if (!drain) {
          failure = llvm::joinErrors(std::move(failure), drain.takeError());
          continue;
        }
        known->second = *drain;
      }
      drains.back() = known->second;
    }
    if (llvm::any_of(drains, [](int64_t d) { return d != 0; }))
      rate.setDrains(drains);
  });
  return failure;
}
