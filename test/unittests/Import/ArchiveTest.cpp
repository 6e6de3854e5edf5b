//===- ArchiveTest.cpp - stored tensors, detection, opening ---------------===//

#include "TestFiles.h"
#include "lib/Import/Readers.h"
#include "llvm/ADT/APFloat.h"
#include <cmath>
#include <gmock/gmock.h>

using namespace un0;
using namespace un0::import;
using namespace un0::test;
using testing::HasSubstr;

namespace {

StoredTensor makeTensor(StorageType type, const std::string &bytes) {
  return {type, {static_cast<int64_t>(bytes.size() / getStorageSize(type))}, toBytes(bytes)};
}

/// The value of 16 bits by LLVM's software floating point.
float convert(const llvm::fltSemantics &semantics, uint16_t bits) {
  llvm::APFloat value(semantics, llvm::APInt(16, bits));
  bool losesInfo = false;
  value.convert(llvm::APFloat::IEEEsingle(), llvm::APFloat::rmNearestTiesToEven, &losesInfo);
  return value.convertToFloat();
}

void checkAllSixteenBitValues(StorageType type, const llvm::fltSemantics &semantics) {
  std::string bytes;
  for (unsigned bits = 0; bits < 65536; ++bits)
    putInt<uint16_t>(bytes, bits);
  std::vector<float> values(65536);
  makeTensor(type, bytes).readF32(0, values);
  for (unsigned bits = 0; bits < 65536; ++bits) {
    float expected = convert(semantics, bits);
    if (std::isnan(expected))
      ASSERT_TRUE(std::isnan(values[bits])) << bits;
    else
      ASSERT_EQ(llvm::bit_cast<uint32_t>(values[bits]), llvm::bit_cast<uint32_t>(expected)) << bits;
  }
}

TEST(StoredTensor, EveryHalfConvertsExactly) {
  checkAllSixteenBitValues(StorageType::F16, llvm::APFloat::IEEEhalf());
}

TEST(StoredTensor, EveryBFloatConvertsExactly) {
  checkAllSixteenBitValues(StorageType::BF16, llvm::APFloat::BFloat());
}

TEST(StoredTensor, ReadsARangeAtAnyAlignment) {
  std::string bytes = "x"; // so that the tensor begins at an odd address
  for (float value : {1.5f, -2.0f, 3.25f, 0.0f})
    putInt<uint32_t>(bytes, llvm::bit_cast<uint32_t>(value));
  StoredTensor tensor = {StorageType::F32, {4}, toBytes(bytes).drop_front()};
  std::vector<float> values(2);
  tensor.readF32(1, values);
  EXPECT_THAT(values, testing::ElementsAre(-2.0f, 3.25f));
  std::vector<double> doubles(1);
  tensor.readF64(2, doubles);
  EXPECT_EQ(doubles[0], 3.25);
}

TEST(StoredTensor, DoublesAndIntegersConvert) {
  std::string bytes;
  putInt<uint64_t>(bytes, llvm::bit_cast<uint64_t>(0.1));
  std::vector<double> doubles(1);
  makeTensor(StorageType::F64, bytes).readF64(0, doubles);
  EXPECT_EQ(doubles[0], 0.1);
  std::vector<float> floats(1);
  makeTensor(StorageType::F64, bytes).readF32(0, floats);
  EXPECT_EQ(floats[0], 0.1f);
  bytes.clear();
  putInt<int64_t>(bytes, -7);
  makeTensor(StorageType::I64, bytes).readF64(0, doubles);
  EXPECT_EQ(doubles[0], -7.0);
}

TEST(ReaderHelpers, CompilePrefixIsRemovedAnywhere) {
  EXPECT_EQ(stripCompilePrefix("dynamics._orig_mod.K"), "dynamics.K");
  EXPECT_EQ(stripCompilePrefix("_orig_mod.decoder._orig_mod.to_output.bias"),
            "decoder.to_output.bias");
  EXPECT_EQ(stripCompilePrefix("my_orig_mod.K"), "my_orig_mod.K");
  EXPECT_EQ(stripCompilePrefix(""), "");
}

TEST(ReaderHelpers, QuotedNamesAreOneShortLine) {
  EXPECT_EQ(quote("a\nb'c\x80"), "'a\\x0ab\\x27c\\x80'");
  EXPECT_EQ(quote(std::string(200, 'x')), "'" + std::string(120, 'x') + "...'");
}

TEST(ReaderHelpers, ElementCountsDoNotWrap) {
  EXPECT_EQ(countElements({3, 4}), 12);
  EXPECT_EQ(countElements({}), 1);
  EXPECT_EQ(countElements({int64_t(1) << 32, int64_t(1) << 31}), std::nullopt);
  EXPECT_EQ(countElements({-1}), std::nullopt);
}

TEST(Archive, EmptyAndForeignFilesAreNamed) {
  EXPECT_EQ(refusal(""), "the file is empty");
  EXPECT_EQ(refusal("\x89PNG\r\n\x1a\n"), "this is no torch checkpoint, safetensors file or MLIR "
                                          "module: it starts with '\\x89PNG\\x0d\\x0a\\x1a\\x0a'");
  EXPECT_THAT(refusal(std::string("\x80\x02\x8a\x0al\xfc\x9c\x46\xf9 j\xa8P\x19.")),
              HasSubstr("before torch 1.6"));
}

TEST(Archive, MessagesNameTheFile) {
  ScratchFile empty("");
  llvm::Expected<std::shared_ptr<Archive>> archive = Archive::open(empty.getPath());
  ASSERT_FALSE(archive);
  EXPECT_EQ(llvm::toString(archive.takeError()), empty.getPath().str() + ": the file is empty");
}

TEST(Archive, MissingFilesAndFoldersAreErrors) {
  llvm::Expected<std::shared_ptr<Archive>> missing = Archive::open("no/such/file.pt");
  ASSERT_FALSE(missing);
  EXPECT_EQ(llvm::toString(missing.takeError()), "no/such/file.pt: No such file or directory");
  llvm::Expected<std::shared_ptr<Archive>> folder = Archive::open(UN0_TEST_MODELS);
  ASSERT_FALSE(folder);
  EXPECT_THAT(llvm::toString(folder.takeError()), HasSubstr("this is not a regular file"));
}

TEST(Archive, ReleasedPiecesCanBeReadAgain) {
  llvm::Expected<std::shared_ptr<Archive>> archive =
      Archive::open(UN0_TEST_MODELS "/fashion_n1024/fashion_n1024.safetensors");
  ASSERT_TRUE(!!archive);
  const StoredTensor *coupling = (*archive)->find("dynamics.K");
  ASSERT_TRUE(coupling);
  std::vector<float> before(1024 * 1024), after(1024 * 1024);
  coupling->readF32(0, before);
  (*archive)->release(*coupling, 0, 1024 * 1024);
  coupling->readF32(0, after);
  EXPECT_EQ(before, after);
}

} // namespace
