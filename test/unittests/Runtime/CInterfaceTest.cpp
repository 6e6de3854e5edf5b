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
  options.known.size = sizeof options;
  EXPECT_EQ(un0_module_open(path.c_str(), &options.known, &module, &error),
            UN0_ERROR_INVALID_ARGUMENT);
  EXPECT_NE(std::strstr(error.message, "un0_open_options has size 16"), nullptr) << error.message;
  for (uint32_t size : {0u, 4u, 7u}) {
    options.known.size = size;
    EXPECT_EQ(un0_module_open(path.c_str(), &options.known, &module, &error),
              UN0_ERROR_INVALID_ARGUMENT);
  }
  options.known.size = sizeof options.known;
  ASSERT_EQ(un0_module_open(path.c_str(), &options.known, &module, &error), UN0_OK)
      << error.message;
  for (uint32_t size = 0; size <= sizeof(un0_session_options); ++size) {
    un0_session_options earlier;
    un0_session_options_init(&earlier);
    earlier.size = size;
    earlier.threads = 1;
    un0_session *session;
    // Two fields in version 1.0, and then one more after the other.
    const bool known = size == 8 || size == 12 || size == 16 || size == 24;
    EXPECT_EQ(un0_session_create(module, &earlier, &session, &error),
              known ? UN0_OK : UN0_ERROR_INVALID_ARGUMENT)
        << size;
    un0_session_close(session);
  }
  un0_module_close(module);
}

TEST_F(CInterface, RefusesSizesThatCutARequest) {
  un0_module *module;
  un0_session *session;
  ASSERT_EQ(un0_module_open(path.c_str(), nullptr, &module, &error), UN0_OK);
  ASSERT_EQ(un0_session_create(module, nullptr, &session, &error), UN0_OK);
  const int64_t label = 1;
  std::vector<float> image(48);
  un0_request request;
  un0_request_init(&request);
  request.count = 1;
  request.labels = &label;
  request.images = image.data();
  // 20 is half of `labels`, 16 none of it.
  for (uint32_t size = 0; size < sizeof request; ++size) {
    request.size = size;
    EXPECT_EQ(un0_generate(session, &request, &error), UN0_ERROR_INVALID_ARGUMENT) << size;
  }
  EXPECT_STREQ(error.message,
               "un0_request has size 95, which no version of it has; call its init function");
  request.size = sizeof request;
  EXPECT_EQ(un0_generate(session, &request, &error), UN0_OK) << error.message;

  un0_timings timings, before;
  for (uint32_t size : {0u, 8u, 47u}) {
    std::memset(&timings, 0x5a, sizeof timings);
    timings.size = size;
    before = timings;
    un0_session_timings(session, &timings);
    EXPECT_EQ(std::memcmp(&timings, &before, sizeof timings), 0) << size;
  }
  timings.size = sizeof timings;
  un0_session_timings(session, &timings);
  EXPECT_GT(timings.wall, 0);
  un0_session_close(session);
  un0_module_close(module);
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
