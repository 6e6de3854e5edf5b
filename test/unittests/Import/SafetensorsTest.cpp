//===- SafetensorsTest.cpp - the safetensors reader -----------------------===//

#include "TestFiles.h"
#include <gmock/gmock.h>

using namespace un0;
using namespace un0::test;
using testing::ElementsAre;
using testing::HasSubstr;

namespace {

constexpr const char *kEight = "12345678";

TEST(Safetensors, ReadsTensorsAndMetadata) {
  std::string file = makeSafetensors(
      R"({"__metadata__":{"n":"4","note":"a \"b\" \u00e9 \ud83d\ude00"},)"
      R"("w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
      R"("h":{"shape":[1,2],"dtype":"F16","data_offsets":[8,12]},"e":{"dtype":"F32","shape":[0,7],"data_offsets":[12,12]}}  )",
      std::string(kEight) + "abcd");
  llvm::Expected<std::shared_ptr<Archive>> archive = Archive::read(toBytes(file));
  ASSERT_TRUE(!!archive) << llvm::toString(archive.takeError());
  EXPECT_EQ((*archive)->getFormat(), "safetensors");
  EXPECT_EQ((*archive)->getTensors().size(), 3u);
  EXPECT_EQ((*archive)->getConfig().at("note"), "a \"b\" \xc3\xa9 \xf0\x9f\x98\x80");
  const StoredTensor *half = (*archive)->find("h");
  ASSERT_TRUE(half);
  EXPECT_EQ(half->type, StorageType::F16);
  EXPECT_THAT(half->shape, ElementsAre(1, 2));
  EXPECT_EQ(half->bytes, toBytes("abcd"));
  EXPECT_EQ((*archive)->find("missing"), nullptr);
}

TEST(Safetensors, ReadsTheBundledGoldenValues) {
  llvm::Expected<std::shared_ptr<Archive>> archive =
      Archive::open(UN0_TEST_MODELS "/fashion_n1024/golden.safetensors");
  ASSERT_TRUE(!!archive) << llvm::toString(archive.takeError());
  const StoredTensor *labels = (*archive)->find("labels");
  ASSERT_TRUE(labels);
  EXPECT_EQ(labels->type, StorageType::I64);
  std::vector<double> values(4);
  labels->readF64(0, values);
  EXPECT_THAT(values, ElementsAre(1, 5, 7, 8));
  EXPECT_THAT((*archive)->find("images")->shape, ElementsAre(4, 3, 32, 32));
}

TEST(Safetensors, OtherTypesAreKeptAwayFromWeightsButAllowed) {
  std::string file =
      makeSafetensors(R"({"mask":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}})", kEight);
  llvm::Expected<std::shared_ptr<Archive>> archive = Archive::read(toBytes(file));
  ASSERT_TRUE(!!archive) << llvm::toString(archive.takeError());
  EXPECT_EQ((*archive)->find("mask"), nullptr);
  ASSERT_TRUE((*archive)->findRefusal("mask"));
  EXPECT_EQ(*(*archive)->findRefusal("mask"), "it is stored as U8, which is no type of weights");
}

TEST(Safetensors, HeaderLengthIsCheckedAgainstTheFile) {
  std::string file;
  putInt<uint64_t>(file, 1000);
  EXPECT_EQ(refusal(file + "{}"),
            "the safetensors header claims 1000 bytes but only 2 follow; the file is truncated or "
            "altered");
  file.clear();
  putInt<uint64_t>(file, uint64_t(1) << 50);
  EXPECT_EQ(refusal(file + "{}"),
            "the safetensors header claims 1125899906842624 bytes, more than the format's limit of "
            "100000000");
}

TEST(Safetensors, EveryTruncationIsRefused) {
  std::string file = makeSafetensors(makeTensors({}), {{"n", "16"}});
  ASSERT_EQ(refusal(file), "");
  for (size_t size = 0; size < file.size(); size += size < 3000 ? 1 : 997)
    ASSERT_NE(refusal(llvm::StringRef(file).take_front(size)), "") << size;
}

TEST(Safetensors, AnythingAfterTheDataIsRefused) {
  EXPECT_EQ(
      refusal(makeSafetensors(R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", kEight)),
      "bytes 4 to 8 of the data belong to no tensor");
}

/// One malformed file and what must be said about it.
struct BadHeader {
  const char *name, *header, *message;
};

class SafetensorsBadHeader : public testing::TestWithParam<BadHeader> {};

TEST_P(SafetensorsBadHeader, IsRefused) {
  EXPECT_EQ(refusal(makeSafetensors(GetParam().header, kEight)), GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(
    Safetensors, SafetensorsBadHeader,
    testing::Values(
        BadHeader{"NotAnObject", "{{}", "safetensors header, byte 1: expected a string"},
        BadHeader{"Unclosed", "{", "safetensors header, byte 1: expected a string"},
        BadHeader{"Nested", "{\"w\":[[[[[[[[", "safetensors header, byte 5: expected '{'"},
        BadHeader{"TextBehind", "{}{}",
                  "safetensors header, byte 2: there is text behind the object"},
        BadHeader{"NotUtf8", "{\"\xff\":{}}", "safetensors header, byte 4: a string is not UTF-8"},
        BadHeader{"LoneSurrogate", R"({"\ud800x":{}})",
                  "safetensors header, byte 8: half a surrogate pair in a string"},
        BadHeader{"BadEscape", R"({"\q":{}})",
                  "safetensors header, byte 4: an unknown escape in a string"},
        BadHeader{"ControlCharacter", "{\"a\nb\":{}}",
                  "safetensors header, byte 4: a control character in a string"},
        BadHeader{"UnendedString", "{\"abc", "safetensors header, byte 5: a string does not end"},
        BadHeader{"UnendedEscape", "{\"abc\\", "safetensors header, byte 6: a string does not end"},
        BadHeader{
            "DuplicateTensor",
            R"({"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})",
            "safetensors header, byte 58: tensor 'w' occurs twice"},
        BadHeader{
            "DuplicateByPrefix",
            R"({"a.w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a._orig_mod.w":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
            "tensor 'a.w' occurs twice, with and without '_orig_mod'"},
        BadHeader{"DuplicateMetadata", R"({"__metadata__":{"n":"1","n":"2"}})",
                  "safetensors header, byte 32: metadata 'n' occurs twice"},
        BadHeader{"TwoMetadata", R"({"__metadata__":{},"__metadata__":{}})",
                  "safetensors header, byte 34: '__metadata__' occurs twice"},
        BadHeader{"MetadataNotText", R"({"__metadata__":{"n":1}})",
                  "safetensors header, byte 21: expected a string"},
        BadHeader{"DuplicateField", R"({"w":{"dtype":"F32","dtype":"F32"}})",
                  "safetensors header, byte 28: tensor 'w' has two fields 'dtype'"},
        BadHeader{"UnknownField", R"({"w":{"stride":[1]}})",
                  "safetensors header, byte 15: tensor 'w' has an unknown field 'stride'"},
        BadHeader{"MissingField", R"({"w":{"dtype":"F32","shape":[2]}})",
                  "safetensors header, byte 32: tensor 'w' has no field 'data_offsets'"},
        BadHeader{"NegativeSize", R"({"w":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})",
                  "safetensors header, byte 29: expected a whole number that is not negative"},
        BadHeader{"HugeSize",
                  R"({"w":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,8]}})",
                  "safetensors header, byte 29: the number '99999999999999999999' does not fit in "
                  "63 bits"},
        BadHeader{"FractionalSize", R"({"w":{"dtype":"F32","shape":[2.0],"data_offsets":[0,8]}})",
                  "safetensors header, byte 30: expected ']'"},
        BadHeader{"OverflowingShape",
                  R"({"w":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,8]}})",
                  "tensor 'w': the size of shape 4611686018427387904x4 overflows"},
        BadHeader{"OverflowingBytes",
                  R"({"w":{"dtype":"F32","shape":[4611686018427387906],"data_offsets":[0,8]}})",
                  "tensor 'w': the size of shape 4611686018427387906 overflows"},
        BadHeader{"UnknownType", R"({"w":{"dtype":"Q4","shape":[2],"data_offsets":[0,8]}})",
                  "tensor 'w': unknown dtype 'Q4'"},
        BadHeader{"ThreeOffsets", R"({"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8,9]}})",
                  "safetensors header, byte 52: more than 2 numbers in a list"},
        BadHeader{"OneOffset", R"({"w":{"dtype":"F32","shape":[2],"data_offsets":[0]}})",
                  "tensor 'w': data_offsets has 1 numbers instead of 2"},
        BadHeader{"BackwardOffsets", R"({"w":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})",
                  "tensor 'w': bytes 8 to 0 are not inside the 8 bytes of data; the file is "
                  "truncated or altered"},
        BadHeader{"OutOfRange", R"({"w":{"dtype":"F32","shape":[3],"data_offsets":[0,12]}})",
                  "tensor 'w': bytes 0 to 12 are not inside the 8 bytes of data; the file is "
                  "truncated or altered"},
        BadHeader{"SizeMismatch", R"({"w":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})",
                  "tensor 'w': shape 3 of F32 takes 12 bytes but data_offsets gives 8"},
        BadHeader{
            "Overlap",
            R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F16","shape":[3],"data_offsets":[2,8]}})",
            "tensors 'a' and 'b' overlap at byte 2 of the data"},
        BadHeader{
            "Hole",
            R"({"a":{"dtype":"F16","shape":[1],"data_offsets":[0,2]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
            "bytes 2 to 4 of the data belong to no tensor"}),
    [](const testing::TestParamInfo<BadHeader> &info) { return info.param.name; });

TEST(Safetensors, AHeaderOfOnlyBracketsDoesNotRecurse) {
  EXPECT_THAT(refusal(makeSafetensors("{\"w\":" + std::string(10'000'000, '['), "")),
              HasSubstr("expected '{'"));
}

TEST(Safetensors, FlippedBitsNeverCrash) {
  std::string file = makeSafetensors(makeTensors({}), {{"n", "16"}});
  size_t header = llvm::support::endian::read64le(file.data()) + 8;
  unsigned refused = 0;
  for (size_t bit = 0; bit < header * 8; ++bit) {
    file[bit / 8] ^= 1 << bit % 8;
    refused += !refusal(file).empty();
    file[bit / 8] ^= 1 << bit % 8;
  }
  // A flip in a name or in the metadata gives another legal file; most others do not.
  EXPECT_GT(refused, header * 4);
}

} // namespace
