//===- SimulatedSessionTest.cpp - sessions of modules with a program ---------===//
#include "Fixtures.h"
#include "SimulatorFixtures.h"
#include "un0/runtime.hpp"

#include <cstdio>
#include <cstring>

using namespace un0test;

namespace {

constexpr uint32_t n = 20, m = 3, classes = 4, features = 40, pixels = 48;

/// Like the fixture's model, but evolved by a program instead of code.
class SimulatedSession : public testing::Test {
protected:
  void SetUp() override { build({}); }
  void TearDown() override { std::remove(path.c_str()); }

  void build(const std::map<std::string, double> &constants) {
    un0::dsa::Hardware hardware;
    ASSERT_TRUE(succeeds(un0::dsa::loadHardware("ideal", hardware)));
    for (const auto &[name, value] : constants)
      ASSERT_TRUE(succeeds(un0::dsa::setConstant(hardware, name, value)));
    program = System::random(n, m, classes, 31).program(1, 10, hardware, 2);
    ASSERT_TRUE(succeeds(un0::dsa::verifyProgram(program)));
    ModuleSpec spec = fixtureSpec();
    spec.entries = {{"readout", "readout", 1}, {"decode", "decode", 3}};
    spec.program = un0::dsa::encodeProgram(program);
    path = temporaryPath(".un0");
    writeBytes(path, buildModule(spec));
    auto opened = un0::Module::open(path);
    ASSERT_TRUE(bool(opened)) << opened.error().message;
    module.emplace(std::move(*opened));
  }

  un0_session_options options(uint32_t threads = 1) {
    un0_session_options result;
    un0_session_options_init(&result);
    result.threads = threads;
    return result;
  }

  un0::Session session(const un0_session_options &given) {
    auto created = un0::Session::create(*module, given);
    EXPECT_TRUE(bool(created)) << created.error().message;
    return std::move(*created);
  }

  /// Final phases of samples first .. first + count.
  static Floats generate(un0::Session &session, uint64_t first, uint64_t count) {
    Floats theta(count * n);
    std::vector<int64_t> labels(count);
    for (uint64_t i = 0; i < count; ++i)
      labels[i] = static_cast<int64_t>((first + i) % (classes + 1)) - 1;
    un0_request request;
    un0_request_init(&request);
    request.count = count;
    request.first_sample = first;
    request.labels = labels.data();
    request.seed = 42;
    request.theta = theta.data();
    auto error = session.generate(request);
    EXPECT_FALSE(error.has_value()) << error->message;
    return theta;
  }

  std::string path;
  un0::dsa::Program program;
  std::optional<un0::Module> module;
};

} // namespace

TEST_F(SimulatedSession, GivesWhatTheSimulatorGives) {
  EXPECT_TRUE(module->isSimulated());
  EXPECT_EQ(module->signature().tile, un0::dsa::Simulator::kLanes);
  Batch batch = Batch::random(program, 5);
  for (bool euler : {false, true}) {
    ASSERT_EQ(simulate(program, euler ? eulerWith() : flowTo(1e-5), batch), "");
    un0_session_options given = options();
    given.integrator = euler ? UN0_INTEGRATOR_EULER : UN0_INTEGRATOR_FLOW;
    given.faults = 0;
    un0::Session one = session(given);
    Floats theta(5 * n), read(5 * features), images(5 * pixels);
    un0_request request;
    un0_request_init(&request);
    request.count = 5;
    request.labels = batch.labels.data();
    request.theta0 = batch.theta0.data();
    request.phi0 = batch.phi0.data();
    request.theta = theta.data();
    request.features = read.data();
    request.images = images.data();
    ASSERT_FALSE(one.generate(request).has_value());
    EXPECT_EQ(theta, batch.theta);
    // Readout and decoder are the module's code, as ever.
    for (uint32_t i = 0; i < n; ++i)
      EXPECT_FLOAT_EQ(read[i], theta[i]);
    EXPECT_FLOAT_EQ(images[1], (read[1] - read[7]) / 8);
    EXPECT_GT(one.timings().oscillators, 0);
  }
}

TEST_F(SimulatedSession, GivesTheSameBytesForAnyThreadsAndSplit) {
  build({{"mismatch", 0.05},
         {"offset", 0.01},
         {"phase_noise", 0.2},
         {"set_bits", 8},
         {"sample_bits", 8},
         {"link_delay", 0.05}});
  un0::Session one = session(options());
  const Floats whole = generate(one, 0, 37);
  for (uint32_t threads : {1u, 2u, 5u}) {
    un0::Session many = session(options(threads));
    EXPECT_EQ(generate(many, 0, 37), whole) << threads << " threads";
    for (uint64_t step : {1u, 7u, 16u, 19u}) {
      Floats joined;
      for (uint64_t first = 0; first < 37; first += step) {
        const Floats part = generate(many, first, std::min<uint64_t>(step, 37 - first));
        joined.insert(joined.end(), part.begin(), part.end());
      }
      EXPECT_EQ(joined, whole) << threads << " threads, " << step << " at a time";
    }
  }
  un0_session_options given = options(2);
  given.fault_seed = 1;
  un0::Session other = session(given);
  EXPECT_NE(generate(other, 0, 37), whole);
  given.fault_seed = 0;
  given.faults = UN0_FAULTS_ALL & ~UN0_FAULT_NOISE;
  un0::Session quiet = session(given);
  EXPECT_NE(generate(quiet, 0, 37), whole);
}

TEST_F(SimulatedSession, DefaultsAreTheFlowWithAllFaults) {
  un0_session_options given = options();
  EXPECT_EQ(given.integrator, uint32_t(UN0_INTEGRATOR_FLOW));
  EXPECT_EQ(given.faults, uint32_t(UN0_FAULTS_ALL));
  EXPECT_EQ(given.fault_seed, 0u);
  EXPECT_EQ(given.faults, uint32_t(un0::dsa::kAllFaults));
  // A program built before there were faults knows two fields: the library keeps to them.
  struct {
    uint32_t size, threads;
    char guard[32];
  } old;
  std::memset(&old, 0x5a, sizeof old);
  (un0_session_options_init)(reinterpret_cast<un0_session_options *>(&old));
  EXPECT_EQ(old.size, 8u);
  EXPECT_EQ(old.threads, 0u);
  for (char c : old.guard)
    EXPECT_EQ(c, 0x5a);
  build({{"mismatch", 0.05}});
  old.threads = 1;
  un0_session *raw = nullptr;
  un0_error error;
  ASSERT_EQ(un0_session_create(module->get(), reinterpret_cast<un0_session_options *>(&old), &raw,
                               &error),
            UN0_OK);
  un0_session_close(raw);
}

TEST_F(SimulatedSession, RefusesOptionsThatMeanNothing) {
  auto failureOf = [&](const un0_session_options &given) {
    auto created = un0::Session::create(*module, given);
    return created ? std::string() : created.error().message;
  };
  un0_session_options given = options();
  given.integrator = 2;
  EXPECT_EQ(failureOf(given), "integrator 2 is unknown");
  given = options();
  given.faults = 0x180;
  EXPECT_EQ(failureOf(given), "faults 0x180 are unknown");

  // A module whose code evolves has nothing to simulate.
  writeBytes(path, buildModule(fixtureSpec()));
  auto opened = un0::Module::open(path);
  ASSERT_TRUE(bool(opened)) << opened.error().message;
  module.emplace(std::move(*opened));
  EXPECT_FALSE(module->isSimulated());
  EXPECT_EQ(failureOf(options()), "");
  for (int what = 0; what < 3; ++what) {
    given = options();
    (what == 0 ? given.integrator : given.faults) = what == 0 ? 1u : uint32_t(UN0_FAULTS_ALL);
    if (what == 1)
      given.faults = 0;
    if (what == 2)
      given.fault_seed = 7;
    EXPECT_EQ(failureOf(given),
              "integrator, faults and the seed of faults are for modules that are simulated, this "
              "one is for the CPU; compile the model with --target=dsa for hardware that has "
              "oscillators");
  }
}

TEST_F(SimulatedSession, SaysWhichRunFails) {
  for (float &value : program.data[0].exact)
    value *= 1e30f;
  ModuleSpec spec = fixtureSpec();
  spec.entries = {{"readout", "readout", 1}, {"decode", "decode", 3}};
  spec.program = un0::dsa::encodeProgram(program);
  writeBytes(path, buildModule(spec));
  auto opened = un0::Module::open(path);
  ASSERT_TRUE(bool(opened)) << opened.error().message;
  module.emplace(std::move(*opened));
  un0::Session two = session(options(2));
  un0_request request;
  un0_request_init(&request);
  request.count = 40;
  Floats theta(40 * n);
  request.theta = theta.data();
  auto error = two.generate(request);
  ASSERT_TRUE(error.has_value());
  EXPECT_NE(error->message.find("run of tile 0 for 0.5 s: its step size vanishes"),
            std::string::npos)
      << error->message;
}
