//===- OutOfMemoryTest.cpp - memory that runs out is a status ----------------===//
//
// Replaces the operators of this binary. Each call is tried with its first, second, ... allocation
// failing until none does.
//
//===----------------------------------------------------------------------===//
#include "Fixtures.h"
#include "SimulatorFixtures.h"

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <new>

static thread_local long allocationsLeft = -1; // negative: none fails

static void *allocate(size_t bytes) {
  if (allocationsLeft >= 0 && allocationsLeft-- == 0)
    return nullptr;
  return std::malloc(bytes ? bytes : 1);
}
void *operator new(size_t bytes) {
  if (void *memory = allocate(bytes))
    return memory;
  throw std::bad_alloc();
}
void *operator new(size_t bytes, const std::nothrow_t &) noexcept { return allocate(bytes); }
void operator delete(void *memory) noexcept { std::free(memory); }
void operator delete(void *memory, size_t) noexcept { std::free(memory); }

using namespace un0test;

namespace {

class OutOfMemory : public testing::Test {
protected:
  void SetUp() override {
    program = System::random(20, 3, 4, 31).program(1, 10, hardwareWith(), 2);
    ModuleSpec spec = fixtureSpec();
    spec.entries = {{"readout", "readout", 1}, {"decode", "decode", 3}};
    spec.program = un0::dsa::encodeProgram(program);
    path = temporaryPath(".un0");
    writeBytes(path, buildModule(spec));
  }
  void TearDown() override { std::remove(path.c_str()); }

  /// How many allocations `call` has, each of which failed once, as a status.
  long tryAll(const std::function<un0_status()> &call) {
    for (long count = 0; count < 100000; ++count) {
      allocationsLeft = count;
      const un0_status status = call();
      const bool failed = allocationsLeft < 0;
      allocationsLeft = -1;
      if (!failed) {
        EXPECT_EQ(status, UN0_OK) << error.message;
        return count;
      }
      EXPECT_EQ(status, UN0_ERROR_OUT_OF_MEMORY) << "allocation " << count << error.message;
    }
    return -1;
  }

  std::string path;
  Program program;
  un0_error error = {};
};

} // namespace

TEST_F(OutOfMemory, IsAStatus) {
  un0_module *module = nullptr;
  EXPECT_GT(tryAll([&] { return un0_module_open(path.c_str(), nullptr, &module, &error); }), 10);
  ASSERT_NE(module, nullptr);
  un0_session *session = nullptr;
  un0_session_options options;
  un0_session_options_init(&options);
  options.threads = 3;
  EXPECT_GT(tryAll([&] { return un0_session_create(module, &options, &session, &error); }), 10);
  ASSERT_NE(session, nullptr);
  un0_request request;
  un0_request_init(&request);
  request.count = 40;
  tryAll([&] { return un0_generate(session, &request, &error); });
  // A message may need memory too.
  request.rng = 9;
  allocationsLeft = 0;
  const un0_status status = un0_generate(session, &request, &error);
  allocationsLeft = -1;
  EXPECT_EQ(status, UN0_ERROR_OUT_OF_MEMORY);
  EXPECT_STREQ(error.message, "out of memory");
  un0_session_close(session);
  un0_module_close(module);
}
