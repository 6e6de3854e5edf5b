//===- CInterfaceTest.cpp - the C interface holds what its header says -------===//
#include "Fixtures.h"

#include <cstdio>
#include <cstring>

using namespace un0test;

extern "C" int generateFromC(const char *path, double *sum, un0_error *error);

namespace {
class CInterface : public testing::Test {
protected:
  void SetUp() override {
    path = temporaryPath(".un0");
    writeBytes(path, buildModule(fixtureSpec()));
  }
  void TearDown() override { std::remove(path.c_str()); }
  std::string path;
  un0_error error = {};
};
} // namespace

TEST_F(CInterface, GeneratesFromC) {
  double sum = 0;
  ASSERT_EQ(generateFromC(path.c_str(), &sum, &error), UN0_OK) << error.message;
  EXPECT_NE(sum, 0);
}

TEST_F(CInterface, ReportsFailuresToC) {
  double sum;
  EXPECT_EQ(generateFromC("/no/such/file", &sum, &error), UN0_ERROR_IO);
  EXPECT_EQ(error.code, UN0_ERROR_IO);
  EXPECT_STREQ(error.message, "cannot open '/no/such/file': No such file or directory");
}

TEST_F(CInterface, WorksWithoutAnErrorToFill) {
  un0_module *module;
  EXPECT_EQ(un0_module_open("/no/such/file", nullptr, &module, nullptr), UN0_ERROR_IO);
  EXPECT_EQ(module, nullptr);
  un0_module_close(module);
  un0_session_close(nullptr);
}

TEST_F(CInterface, RefusesNull) {
  un0_module *module;
  un0_session *session;
  EXPECT_EQ(un0_module_open(nullptr, nullptr, &module, &error), UN0_ERROR_INVALID_ARGUMENT);
  EXPECT_EQ(un0_module_open(path.c_str(), nullptr, nullptr, &error), UN0_ERROR_INVALID_ARGUMENT);
  EXPECT_EQ(un0_session_create(nullptr, nullptr, &session, &error), UN0_ERROR_INVALID_ARGUMENT);
  EXPECT_EQ(un0_generate(nullptr, nullptr, &error), UN0_ERROR_INVALID_ARGUMENT);
}

TEST_F(CInterface, TakesEarlierAndRefusesLaterStructures) {
  un0_module *module;
  struct {
    un0_open_options known;
    uint64_t later;
  } options = {};
  options.known.size = sizeof(uint32_t); // a caller that knew no flags
  options.known.flags = ~0u;             // and did not fill them in
  ASSERT_EQ(un0_module_open(path.c_str(), &options.known, &module, &error), UN0_OK)
      << error.message;
  un0_module_close(module);
  options.known.size = sizeof options;
  EXPECT_EQ(un0_module_open(path.c_str(), &options.known, &module, &error),
            UN0_ERROR_INVALID_ARGUMENT);
  EXPECT_NE(std::strstr(error.message, "un0_open_options has size 16"), nullptr) << error.message;
  options.known.size = 0;
  EXPECT_EQ(un0_module_open(path.c_str(), &options.known, &module, &error),
            UN0_ERROR_INVALID_ARGUMENT);
}

TEST_F(CInterface, RefusesUnknownFlags) {
  un0_open_options options;
  un0_open_options_init(&options);
  options.flags = 0x100;
  un0_module *module;
  EXPECT_EQ(un0_module_open(path.c_str(), &options, &module, &error), UN0_ERROR_INVALID_ARGUMENT);
  EXPECT_STREQ(error.message, "unknown flags 0x100 for opening a module");
}

TEST_F(CInterface, NamesEveryStatus) {
  EXPECT_STREQ(un0_status_name(UN0_OK), "ok");
  EXPECT_STREQ(un0_status_name(UN0_ERROR_CANCELLED), "cancelled");
  EXPECT_STREQ(un0_status_name(99), "unknown");
  EXPECT_EQ(un0_runtime_version() >> 16, UN0_RUNTIME_VERSION_MAJOR);
}
