//===- PrecisionsTest.cpp - files of precisions -----------------*- C++ -*-===//

#include "un0/Quantize/Precisions.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/raw_ostream.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

using namespace un0;

namespace {

class PrecisionFile : public ::testing::Test {
protected:
  void SetUp() override {
    ASSERT_FALSE(llvm::sys::fs::createTemporaryFile("un0-precisions", "json", path));
  }
  void TearDown() override { llvm::sys::fs::remove(path); }
  std::string read(llvm::StringRef text) {
    std::error_code code;
    llvm::raw_fd_ostream(path, code) << text;
    auto choices = readPrecisionFile(path);
    return choices ? "" : toString(choices.takeError());
  }
  llvm::SmallString<128> path;
};

TEST_F(PrecisionFile, WhatIsWrittenIsRead) {
  std::vector<Choice> choices = {{"K", Precision::Int8}, {"L", Precision::Int16}};
  ASSERT_FALSE(!!writePrecisionFile(path, choices));
  auto found = readPrecisionFile(path);
  ASSERT_TRUE(!!found) << toString(found.takeError());
  ASSERT_EQ(found->size(), 2u);
  EXPECT_EQ((*found)[0].name, "K");
  EXPECT_EQ((*found)[0].precision, Precision::Int8);
  EXPECT_EQ((*found)[1].precision, Precision::Int16);
}

TEST_F(PrecisionFile, SaysWhatIsWrong) {
  EXPECT_THAT(read("{"), ::testing::HasSubstr(path.c_str()));
  EXPECT_THAT(read("[]"), ::testing::HasSubstr("has no object 'couplings'"));
  EXPECT_THAT(read(R"({"couplings": {"K": "int3"}})"),
              ::testing::HasSubstr("'K' is not one of f32, int16, bf16, int8, int4"));
  EXPECT_THAT(read(R"({"couplings": {"K": 8}})"), ::testing::HasSubstr("'K' is not one of"));
  EXPECT_EQ(read(R"({"couplings": {}})"), "");
}

} // namespace
