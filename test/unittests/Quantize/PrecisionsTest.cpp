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
  PrecisionChoices choices = {{{"K", Precision::Int8}, {"L", Precision::Int16}},
                              {{"out", Precision::Int8}}};
  ASSERT_FALSE(!!writePrecisionFile(path, choices));
  auto found = readPrecisionFile(path);
  ASSERT_TRUE(!!found) << toString(found.takeError());
  ASSERT_EQ(found->couplings.size(), 2u);
  EXPECT_EQ(found->couplings[0].name, "K");
  EXPECT_EQ(found->couplings[0].precision, Precision::Int8);
  EXPECT_EQ(found->couplings[1].precision, Precision::Int16);
  ASSERT_EQ(found->convolutions.size(), 1u);
  EXPECT_EQ(found->convolutions[0].name, "out");
  EXPECT_EQ(found->convolutions[0].precision, Precision::Int8);
}

TEST_F(PrecisionFile, SaysWhatIsWrong) {
  EXPECT_THAT(read("{"), ::testing::HasSubstr(path.c_str()));
  EXPECT_THAT(read("[]"), ::testing::HasSubstr("is not an object of couplings and convolutions"));
  EXPECT_THAT(read(R"({"coupling": {}})"),
              ::testing::HasSubstr("'coupling' is not an object of couplings or convolutions"));
  EXPECT_THAT(read(R"({"couplings": 3})"), ::testing::HasSubstr("'couplings' is not an object"));
  EXPECT_THAT(read(R"({"convolutions": {"a": "int16"}})"),
              ::testing::HasSubstr("'a' is int16; convolutions have f32 and int8"));
  EXPECT_THAT(read(R"({"couplings": {"K": "int3"}})"),
              ::testing::HasSubstr("'K' is not one of f32, int16, bf16, int8, int4"));
  EXPECT_THAT(read(R"({"couplings": {"K": 8}})"), ::testing::HasSubstr("'K' is not one of"));
  EXPECT_EQ(read(R"({"couplings": {}})"), "");
  EXPECT_EQ(read(R"({"convolutions": {"a": "int8"}})"), "");
  EXPECT_EQ(read("{}"), "");
}

} // namespace
