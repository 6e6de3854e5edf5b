//===- Fixtures.h - what the runtime's tests share --------------------------===//
#ifndef UN0_UNITTESTS_RUNTIME_FIXTURES_H
#define UN0_UNITTESTS_RUNTIME_FIXTURES_H

#include "ModuleBuilder.h"
#include "Status.h"

#include <gtest/gtest.h>

namespace un0test {

/// A shared object built from Fixture.c: "model", "import", ...
inline Bytes codeFixture(const std::string &name = "model") {
  Bytes bytes = readBytes(std::string(UN0_FIXTURES) + "/" + name + ".so");
  EXPECT_FALSE(bytes.empty()) << name;
  return bytes;
}

inline ModuleSpec fixtureSpec() {
  ModuleSpec spec;
  spec.code = codeFixture();
  return spec;
}

/// A path of this test's own in the temporary folder.
inline std::string temporaryPath(const std::string &suffix) {
  const auto *test = testing::UnitTest::GetInstance()->current_test_info();
  return testing::TempDir() + test->test_suite_name() + "." + test->name() + suffix;
}

inline testing::AssertionResult fails(const un0::rt::Status &status, un0_status code,
                                      const std::string &part) {
  if (!status)
    return testing::AssertionFailure() << "succeeded";
  if (status.code() != code || status.message().find(part) == std::string::npos)
    return testing::AssertionFailure()
           << un0_status_name(status.code()) << ": " << status.message();
  return testing::AssertionSuccess();
}

inline testing::AssertionResult succeeds(const un0::rt::Status &status) {
  if (status)
    return testing::AssertionFailure() << status.message();
  return testing::AssertionSuccess();
}

} // namespace un0test

#endif // UN0_UNITTESTS_RUNTIME_FIXTURES_H
