//===- TorchArchiveTest.cpp - the torch checkpoint reader -----------------===//

#include "TestFiles.h"
#include "lib/Import/ZipDirectory.h"
#include <gmock/gmock.h>

using namespace un0;
using namespace un0::test;
using testing::ElementsAre;
using testing::HasSubstr;

namespace {

const std::string kEight = "12345678";

/// A checkpoint whose pickle is `{"model": {"w": <tensor>}}` with storage 0 of eight bytes.
std::string makeWithTensor(llvm::function_ref<void(PickleWriter &)> tensor,
                           const ZipOptions &options = {}, llvm::StringRef storage = "12345678") {
  PickleWriter pickle;
  pickle.op("}(").string("model").op("}(").string("w");
  tensor(pickle);
  std::string file;
  ZipWriter zip([&](llvm::StringRef bytes) { file += bytes; });
  zip.add("archive/data.pkl", pickle.op("uu.").text);
  zip.add("archive/data/0", storage, options);
  zip.finish();
  return file;
}

std::string makeWithTensor(llvm::StringRef type, int64_t count, int64_t offset,
                           llvm::ArrayRef<int64_t> shape, llvm::ArrayRef<int64_t> strides) {
  return makeWithTensor(
      [&](PickleWriter &pickle) { pickle.tensor(type, "0", count, offset, shape, strides); });
}

std::string makeWithZip(const ZipOptions &options) {
  return makeWithTensor(
      [](PickleWriter &pickle) { pickle.tensor("FloatStorage", "0", 2, 0, {2}, {1}); }, options);
}

std::string makeZip(llvm::ArrayRef<std::pair<std::string, std::string>> entries) {
  std::string file;
  ZipWriter zip([&](llvm::StringRef bytes) { file += bytes; });
  for (const auto &[name, bytes] : entries)
    zip.add(name, bytes);
  zip.finish();
  return file;
}

TEST(TorchArchive, ReadsTensorsAndConfig) {
  std::string file = makeTorchCheckpoint({{"a._orig_mod.w", "FloatStorage", {2, 1}, kEight},
                                          {"h", "HalfStorage", {4}, kEight},
                                          {"b", "BFloat16Storage", {4}, kEight},
                                          {"d", "DoubleStorage", {}, kEight},
                                          {"l", "LongStorage", {1}, kEight}},
                                         PlainDict{{"n_oscillators", int64_t(64)},
                                                   {"lr", 0.5},
                                                   {"solver", std::string("euler")},
                                                   {"flag", true},
                                                   {"decoder_in_channels", {}}});
  llvm::Expected<std::shared_ptr<Archive>> archive = Archive::read(toBytes(file));
  ASSERT_TRUE(!!archive) << llvm::toString(archive.takeError());
  EXPECT_EQ((*archive)->getFormat(), "torch");
  EXPECT_EQ((*archive)->getTensors().size(), 5u);
  const StoredTensor *tensor = (*archive)->find("a.w");
  ASSERT_TRUE(tensor);
  EXPECT_THAT(tensor->shape, ElementsAre(2, 1));
  EXPECT_EQ(tensor->bytes, toBytes(kEight));
  EXPECT_EQ((*archive)->find("h")->type, StorageType::F16);
  EXPECT_EQ((*archive)->find("b")->type, StorageType::BF16);
  EXPECT_EQ((*archive)->find("d")->type, StorageType::F64);
  EXPECT_EQ((*archive)->find("l")->type, StorageType::I64);
  std::map<std::string, std::string> expected = {
      {"n_oscillators", "64"}, {"lr", "0.5"}, {"solver", "euler"}, {"flag", "true"}};
  EXPECT_EQ((*archive)->getConfig(), expected);
}

TEST(TorchArchive, ABareStateDictIsTaken) {
  PickleWriter pickle;
  pickle.op("}(").string("w").tensor("FloatStorage", "0", 2, 0, {2}, {1}).op("u.");
  std::string file = makeZip({{"x/data.pkl", pickle.text}, {"x/data/0", kEight}});
  llvm::Expected<std::shared_ptr<Archive>> archive = Archive::read(toBytes(file));
  ASSERT_TRUE(!!archive) << llvm::toString(archive.takeError());
  EXPECT_TRUE((*archive)->find("w"));
}

TEST(TorchArchive, AViewIntoASharedStorageIsTaken) {
  std::string file = makeWithTensor("HalfStorage", 4, 1, {2}, {1});
  llvm::Expected<std::shared_ptr<Archive>> archive = Archive::read(toBytes(file));
  ASSERT_TRUE(!!archive) << llvm::toString(archive.takeError());
  EXPECT_EQ((*archive)->find("w")->bytes, toBytes("3456"));
}

TEST(TorchArchive, OptimizerStatesAndOddValuesAreSkipped) {
  PickleWriter pickle;
  pickle.op("}(").string("model").op("}(").string("w").tensor("FloatStorage", "0", 2, 0, {2}, {1});
  pickle.string("extra").op("Nu");
  // Tensors outside the model may be anything, even storages that are not there.
  pickle.string("optimizer").op("}(").integer(0).op("}(").string("exp_avg");
  pickle.tensor("FloatStorage", "gone", 1 << 30, 0, {1 << 30}, {1})
      .string("step")
      .real(7.0)
      .op("uu");
  // Numbers of 80 bits, sets, bytes, complex numbers, tuples as keys.
  pickle.string("odd").op(llvm::StringRef("\x8a\x0a", 2)).op("0123456789").string("set");
  pickle.global("__builtin__", "set")
      .op("](K\x01K\x02"
          "e\x85R");
  pickle.op("K\x01K\x02\x86").op("N").string("config").op("]");
  pickle.op("u.");
  std::string file = makeZip({{"x/data.pkl", pickle.text}, {"x/data/0", kEight}});
  llvm::Expected<std::shared_ptr<Archive>> archive = Archive::read(toBytes(file));
  ASSERT_TRUE(!!archive) << llvm::toString(archive.takeError());
  EXPECT_EQ((*archive)->getTensors().size(), 1u);
  EXPECT_TRUE((*archive)->getConfig().empty());
}

TEST(TorchArchive, ANonContiguousTensorIsNamedWhenItIsUsed) {
  std::string file = makeWithTensor("HalfStorage", 4, 0, {2, 2}, {1, 2});
  llvm::Expected<std::shared_ptr<Archive>> archive = Archive::read(toBytes(file));
  ASSERT_TRUE(!!archive) << llvm::toString(archive.takeError());
  EXPECT_EQ((*archive)->find("w"), nullptr);
  ASSERT_TRUE((*archive)->findRefusal("w"));
  EXPECT_EQ(*(*archive)->findRefusal("w"),
            "it is not contiguous: shape 2x2 has strides 1x2; call .contiguous() before saving");
}

TEST(TorchArchive, ZeroSizedAndSingletonDimensionsAreContiguous) {
  EXPECT_EQ(refusal(makeWithTensor("FloatStorage", 2, 0, {0, 5}, {1, 1})), "");
  std::string file = makeWithTensor("FloatStorage", 2, 0, {1, 2}, {77, 1});
  llvm::Expected<std::shared_ptr<Archive>> archive = Archive::read(toBytes(file));
  ASSERT_TRUE(!!archive) << llvm::toString(archive.takeError());
  EXPECT_TRUE((*archive)->find("w"));
}

//===----------------------------------------------------------------------===//
// Hostile tensors
//===----------------------------------------------------------------------===//

TEST(TorchArchive, AStorageOfAnotherSizeIsRefused) {
  EXPECT_EQ(refusal(makeWithTensor("FloatStorage", 3, 0, {2}, {1})),
            "tensor 'w': storage '0' is said to have 3 elements of FloatStorage but has 8 bytes");
  EXPECT_EQ(refusal(makeWithTensor("FloatStorage", int64_t(1) << 62, 0, {2}, {1})),
            "tensor 'w': storage '0' is said to have 4611686018427387904 elements of FloatStorage "
            "but has 8 bytes");
  EXPECT_EQ(refusal(makeWithTensor("FloatStorage", -2, 0, {2}, {1})),
            "tensor 'w': storage '0' is said to have -2 elements of FloatStorage but has 8 bytes");
}

TEST(TorchArchive, ATensorOutsideItsStorageIsRefused) {
  EXPECT_EQ(refusal(makeWithTensor("FloatStorage", 2, 1, {2}, {1})),
            "tensor 'w': shape 2 at element 1 is outside its storage of 2 elements");
  EXPECT_EQ(refusal(makeWithTensor("FloatStorage", 2, -1, {2}, {1})),
            "tensor 'w': shape 2 at element -1 is outside its storage of 2 elements");
  EXPECT_EQ(
      refusal(makeWithTensor("FloatStorage", 2, INT64_MAX, {2}, {1})),
      "tensor 'w': shape 2 at element 9223372036854775807 is outside its storage of 2 elements");
}

TEST(TorchArchive, SizesThatOverflowAreRefused) {
  int64_t half = int64_t(1) << 32;
  EXPECT_EQ(refusal(makeWithTensor("FloatStorage", 2, 0, {half, half}, {half, 1})),
            "tensor 'w': the size of shape 4294967296x4294967296 overflows");
  EXPECT_EQ(refusal(makeWithTensor("FloatStorage", 2, 0, {-2}, {1})),
            "tensor 'w': the size of shape -2 overflows");
  // Zero elements, but the product of the other sizes does not fit.
  EXPECT_EQ(refusal(makeWithTensor("FloatStorage", 2, 0, {0, half, half}, {half, half, 1})), "");
}

TEST(TorchArchive, SizesAndStridesMustMatch) {
  EXPECT_EQ(refusal(makeWithTensor("FloatStorage", 2, 0, {2, 1}, {1})),
            "tensor 'w': sizes and strides are not two lists of equally many numbers");
  EXPECT_EQ(refusal(makeWithTensor([](PickleWriter &pickle) {
              pickle.global("torch._utils", "_rebuild_tensor_v2").op("((").string("storage");
              pickle.global("torch", "FloatStorage")
                  .string("0")
                  .string("cpu")
                  .integer(2)
                  .op("tQ")
                  .integer(0);
              pickle.op("N\x85K\x01\x85tR");
            })),
            "tensor 'w': sizes and strides are not two lists of equally many numbers");
}

TEST(TorchArchive, AMissingStorageIsRefused) {
  EXPECT_EQ(refusal(makeWithTensor([](PickleWriter &pickle) {
              pickle.tensor("FloatStorage", "../../etc/passwd", 2, 0, {2}, {1});
            })),
            "tensor 'w': its storage '../../etc/passwd' is not in the archive");
}

TEST(TorchArchive, TwoTensorsOfOneNameAreRefused) {
  EXPECT_EQ(refusal(makeTorchCheckpoint({{"a.w", "FloatStorage", {2}, kEight},
                                         {"a._orig_mod.w", "FloatStorage", {2}, kEight}},
                                        std::nullopt)),
            "tensor 'a.w' occurs twice");
}

TEST(TorchArchive, AModelThatIsNoDictIsRefused) {
  EXPECT_EQ(
      refusal(makeZip({{"x/data.pkl", PickleWriter().op("}").string("model").op("Ns.").text}})),
      "the checkpoint's 'model' is not a dict of tensors");
  EXPECT_EQ(refusal(makeZip({{"x/data.pkl", PickleWriter().op("].").text}})),
            "the checkpoint is not a dict");
}

TEST(TorchArchive, AnUnknownGlobalIsRefusedByName) {
  PickleWriter pickle;
  pickle.op("}(").string("model").global("os", "system").string("true").op("\x85Ru.");
  EXPECT_THAT(refusal(makeZip({{"x/data.pkl", pickle.text}})), HasSubstr("asks for 'os.system'"));
}

//===----------------------------------------------------------------------===//
// Hostile archives
//===----------------------------------------------------------------------===//

TEST(TorchArchive, Zip64FieldsAreRead) {
  ZipOptions options;
  options.zip64 = true;
  EXPECT_EQ(refusal(makeWithZip(options)), "");
}

TEST(TorchArchive, CompressedEntriesAreRefused) {
  ZipOptions options;
  options.method = 8;
  EXPECT_EQ(
      refusal(makeWithZip(options)),
      "zip entry 'archive/data/0' is compressed (method 8); torch stores entries as they are");
}

TEST(TorchArchive, EncryptedEntriesAreRefused) {
  ZipOptions options;
  options.flags |= 1;
  EXPECT_EQ(refusal(makeWithZip(options)), "zip entry 'archive/data/0' is encrypted");
}

TEST(TorchArchive, ADamagedEntryIsRefused) {
  ZipOptions options;
  options.crc = 0x12345678;
  EXPECT_EQ(refusal(makeWithZip(options)),
            "zip entry 'archive/data/0' is damaged: its checksum is 9ae0daaf instead of 12345678");
}

TEST(TorchArchive, AnotherNameInTheLocalHeaderIsRefused) {
  ZipOptions options;
  options.localName = "archive/data/1";
  EXPECT_EQ(refusal(makeWithZip(options)),
            "zip entry 'archive/data/0' is called 'archive/data/1' in its own header");
}

TEST(TorchArchive, AnEntryThatReachesIntoTheDirectoryIsRefused) {
  ZipOptions options;
  options.size = 1000;
  EXPECT_THAT(refusal(makeWithZip(options)),
              HasSubstr("zip entry 'archive/data/0' has 1000 bytes at "));
  options.size = 0xffffffffffffff00;
  options.zip64 = true;
  EXPECT_THAT(refusal(makeWithZip(options)), HasSubstr("which do not fit before the directory"));
}

TEST(TorchArchive, AnEntryOutsideTheFileIsRefused) {
  ZipOptions options;
  options.zip64 = true;
  options.offset = 0xfffffffffffffff0;
  EXPECT_EQ(refusal(makeWithZip(options)),
            "zip entry 'archive/data/0' begins at byte 18446744073709551600, outside the archive");
  options.offset = 3;
  EXPECT_THAT(refusal(makeWithZip(options)), HasSubstr("overlap"));
}

TEST(TorchArchive, OverlappingEntriesAreRefused) {
  // Two entries of the directory that name the same bytes: how a small zip claims to hold much.
  ZipOptions options;
  options.offset = 0;
  options.localName = "archive/data.pkl";
  EXPECT_EQ(refusal(makeWithZip(options)),
            "zip entries 'archive/data.pkl' and 'archive/data/0' overlap");
}

TEST(TorchArchive, DuplicateEntriesAreRefused) {
  std::string pickle = PickleWriter().op("}.").text;
  EXPECT_EQ(refusal(makeZip({{"x/data.pkl", pickle}, {"x/data.pkl", pickle}})),
            "zip entry 'x/data.pkl' occurs twice");
}

TEST(TorchArchive, TwoCheckpointsInOneArchiveAreRefused) {
  std::string pickle = PickleWriter().op("}.").text;
  EXPECT_EQ(refusal(makeZip({{"x/data.pkl", pickle}, {"y/data.pkl", pickle}})),
            "the zip archive holds two checkpoints, 'x' and 'y'");
}

TEST(TorchArchive, OtherZipArchivesAreRefused) {
  EXPECT_EQ(refusal(makeZip({{"readme.txt", "hello"}})),
            "this zip archive is no torch checkpoint: it has no 'data.pkl'");
  EXPECT_EQ(refusal(makeZip({})), "this is no torch checkpoint, safetensors file or MLIR module: "
                                  "it starts with 'PK\\x06\\x06,\\x00\\x00\\x00'");
  std::string pickle = PickleWriter().op("}.").text;
  EXPECT_THAT(refusal(makeZip({{"x/data.pkl", pickle}, {"x/constants.pkl", pickle}})),
              HasSubstr("TorchScript program"));
  EXPECT_EQ(refusal(makeZip({{"x/data.pkl", pickle}, {"x/byteorder", "big"}})),
            "the checkpoint's byte order is 'big', not 'little'");
}

TEST(TorchArchive, EveryTruncationIsRefused) {
  std::string file = makeTorch(makeTensors({}), std::nullopt);
  ASSERT_EQ(refusal(file), "");
  for (size_t size = 0; size < file.size(); size += size + 4000 < file.size() ? 101 : 1)
    ASSERT_NE(refusal(llvm::StringRef(file).take_front(size)), "") << size;
}

TEST(TorchArchive, FlippedBitsAreNoticedOrHarmless) {
  std::string file = makeWithTensor("FloatStorage", 2, 0, {2}, {1});
  unsigned taken = 0;
  for (size_t bit = 0; bit < file.size() * 8; ++bit) {
    file[bit / 8] ^= 1 << bit % 8;
    if (refusal(file).empty()) {
      // What still reads must read the same.
      llvm::Expected<std::shared_ptr<Archive>> archive = Archive::read(toBytes(file));
      ++taken;
      ASSERT_TRUE(!!archive);
      ASSERT_TRUE((*archive)->find("w")) << "bit " << bit;
      ASSERT_EQ((*archive)->find("w")->bytes, toBytes(kEight)) << "bit " << bit;
    }
    file[bit / 8] ^= 1 << bit % 8;
  }
  // Dates, padding and descriptors are not read.
  EXPECT_LT(taken, file.size() * 4);
}

} // namespace
