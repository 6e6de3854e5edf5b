//===- DrainsTest.cpp - the proof of 32-bit sums ----------------*- C++ -*-===//

#include "FusedModel.h"
#include "dialects/Cpu/IR/Cpu.h"
#include "dialects/Un0/Transforms/Passes.h"
#include "un0/Quantize/Precisions.h"
#include "un0/Quantize/Rows.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace un0;

static const char *const kModel = UN0_TEST_MODELS "/fashion_n1024/fashion_n1024.safetensors";

TEST(Drains, NoWindowOfTheBundledModelLeaves32Bits) {
  FusedModel model;
  ASSERT_NO_FATAL_FAILURE(model.load(kModel));
  ModuleOp module = model.module;
  PassManager pm(&model.context);
  Un0QuantizeCouplingsOptions options;
  options.precision = "int16";
  pm.addPass(createUn0QuantizeCouplings(options));
  ASSERT_TRUE(succeeded(pm.run(module)));
  ArchiveSet archives(kModel);
  llvm::Error error = proveDrains(module, archives);
  ASSERT_FALSE(!!error) << toString(std::move(error));

  int64_t drain = 0;
  module.walk([&](FusedRateOp rate) {
    if (rate.getDrains())
      drain = std::max(drain, (*rate.getDrains())[0]);
  });
  // 128 holds for any weights; these allow about three times that.
  EXPECT_GT(drain, 256);
  EXPECT_EQ(drain % 32, 0);

  auto archive = archives.open(module.lookupSymbol<ParamOp>("K").getArchive());
  ASSERT_TRUE(!!archive) << toString(archive.takeError());
  const StoredTensor *tensor = (*archive)->find(module.lookupSymbol<ParamOp>("K").getKey());
  ASSERT_NE(tensor, nullptr);
  int64_t rows = tensor->shape[0], sources = tensor->shape[1];
  std::vector<float> row(sources);
  std::vector<int16_t> numbers(sources);
  for (int64_t i = 0; i < rows; ++i) {
    tensor->readF32(i * sources, row);
    row[i] = 0;
    quantizeRow(row, cpu::kShortCoupling, numbers);
    for (int64_t start = 0; start < sources; start += drain) {
      int64_t sum = 0;
      for (int64_t s = start; s < std::min(start + drain, sources); ++s)
        sum += std::abs(numbers[s]) * static_cast<int64_t>(cpu::kShortWave);
      ASSERT_LE(sum, INT32_MAX) << "row " << i << " from " << start;
    }
  }
}
