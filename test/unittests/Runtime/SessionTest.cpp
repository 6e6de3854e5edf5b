//===- SessionTest.cpp - the same request gives the same bytes ---------------===//
#include "Fixtures.h"
#include "un0/runtime.hpp"

#include <cmath>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <limits>
#include <set>
#include <stdexcept>
#include <thread>
#ifdef __SSE__
#include <xmmintrin.h>
#endif

using namespace un0test;

namespace {

constexpr uint64_t n = 20, m = 3, features = 40, pixels = 48;

struct Output {
  std::vector<float> theta, features, images;
  bool operator==(const Output &other) const {
    return theta == other.theta && features == other.features && images == other.images;
  }
  bool operator!=(const Output &other) const { return !(*this == other); }
};

class Session : public testing::Test {
protected:
  void SetUp() override {
    path = temporaryPath(".un0");
    writeBytes(path, buildModule(fixtureSpec()));
    auto opened = un0::Module::open(path);
    ASSERT_TRUE(bool(opened)) << opened.error().message;
    module.emplace(std::move(*opened));
  }
  void TearDown() override { std::remove(path.c_str()); }

  un0::Session session(uint32_t threads) {
    auto created = un0::Session::create(*module, threads);
    EXPECT_TRUE(bool(created)) << created.error().message;
    return std::move(*created);
  }

  static std::vector<int64_t> labels(uint64_t count) {
    std::vector<int64_t> result(count);
    for (uint64_t i = 0; i < count; ++i)
      result[i] = static_cast<int64_t>(i % 5) - 1; // unconditional ones among them
    return result;
  }

  /// Samples first .. first + count of the sequence of `seed`.
  static Output generate(un0::Session &session, uint64_t first, uint64_t count, uint32_t rng,
                         uint64_t seed = 42) {
    Output output{std::vector<float>(count * n), std::vector<float>(count * features),
                  std::vector<float>(count * pixels)};
    std::vector<int64_t> all = labels(first + count);
    un0_request request;
    un0_request_init(&request);
    request.count = count;
    request.first_sample = first;
    request.labels = all.data() + first;
    request.rng = rng;
    request.seed = seed;
    request.theta = output.theta.data();
    request.features = output.features.data();
    request.images = output.images.data();
    auto error = session.generate(request);
    EXPECT_FALSE(error.has_value()) << error->message;
    return output;
  }

  std::string path;
  std::optional<un0::Module> module;
};

std::string failureOf(un0::Session &session, const un0_request &request) {
  auto error = session.generate(request);
  return error ? error->message : "";
}

} // namespace

TEST_F(Session, ComputesWhatTheCodeSays) {
  un0::Session one = session(1);
  std::vector<float> theta0(n), phi0 = {0.5f, 1, 1.5f}, theta(n), out(features), image(pixels);
  for (uint64_t i = 0; i < n; ++i)
    theta0[i] = static_cast<float>(i) / 8;
  int64_t label = 2;
  un0_request request;
  un0_request_init(&request);
  request.count = 1;
  request.labels = &label;
  request.theta0 = theta0.data();
  request.phi0 = phi0.data();
  request.theta = theta.data();
  request.features = out.data();
  request.images = image.data();
  ASSERT_EQ(failureOf(one, request), "");
  const float expected0 = theta0[19] * (0.5f + 0.0625f * 19) + 3 * phi0[0] + 0.25f;
  const float expected1 = theta0[18] * (0.5f + 0.0625f * 18) + 3 * phi0[1] - 0.5f;
  EXPECT_FLOAT_EQ(theta[0], expected0);
  EXPECT_FLOAT_EQ(theta[1], expected1);
  EXPECT_FLOAT_EQ(out[0], expected0);
  EXPECT_FLOAT_EQ(out[20], expected0 * expected0);
  EXPECT_FLOAT_EQ(image[1], (out[1] - out[7]) / 8);
}

TEST_F(Session, GivesTheSameBytesForAnyThreadsAndSplit) {
  for (uint32_t rng : {UN0_RNG_PHILOX, UN0_RNG_TORCH}) {
    un0::Session one = session(1);
    const Output whole = generate(one, 0, 33, rng);
    for (uint32_t threads : {1u, 2u, 5u}) {
      un0::Session many = session(threads);
      EXPECT_EQ(generate(many, 0, 33, rng), whole) << threads << " threads";
      for (uint64_t step : {1u, 2u, 4u, 7u, 32u}) {
        Output joined;
        for (uint64_t first = 0; first < 33; first += step) {
          Output part = generate(many, first, std::min<uint64_t>(step, 33 - first), rng);
          joined.theta.insert(joined.theta.end(), part.theta.begin(), part.theta.end());
          joined.features.insert(joined.features.end(), part.features.begin(), part.features.end());
          joined.images.insert(joined.images.end(), part.images.begin(), part.images.end());
        }
        EXPECT_EQ(joined, whole) << threads << " threads, " << step << " at a time";
      }
    }
  }
}

TEST_F(Session, GivesTheSameBytesFromExplicitPhases) {
  constexpr uint64_t count = 9;
  for (uint32_t rng : {UN0_RNG_PHILOX, UN0_RNG_TORCH}) {
    un0::Session two = session(2);
    const Output drawn = generate(two, 0, count, rng);
    std::vector<float> theta0(count * n), phi0(count * m), images(count * pixels);
    un0_error error;
    ASSERT_EQ(
        un0_initial_phases(module->get(), rng, 42, 0, count, theta0.data(), phi0.data(), &error),
        UN0_OK);
    std::vector<int64_t> all = labels(count);
    un0_request request;
    un0_request_init(&request);
    request.count = count;
    request.labels = all.data();
    request.theta0 = theta0.data();
    request.phi0 = phi0.data();
    request.images = images.data();
    ASSERT_EQ(failureOf(two, request), "");
    EXPECT_EQ(images, drawn.images);
  }
}

TEST_F(Session, DependsOnSeedGeneratorAndLabel) {
  un0::Session one = session(1);
  const Output base = generate(one, 0, 4, UN0_RNG_PHILOX);
  EXPECT_NE(generate(one, 0, 4, UN0_RNG_PHILOX, 43), base);
  EXPECT_NE(generate(one, 0, 4, UN0_RNG_TORCH), base);
  EXPECT_NE(generate(one, 0, 4, UN0_RNG_PHILOX, 42 + (uint64_t(1) << 32)), base);
  auto zero = one.generate({0}, 1), three = one.generate({3}, 1), none = one.generate({-1}, 1);
  EXPECT_NE(zero->images, three->images);
  EXPECT_NE(zero->images, none->images);
}

TEST_F(Session, DoesNotDecodeForThePhasesAlone) {
  un0::Session one = session(1);
  std::vector<float> theta(n);
  un0_request request;
  un0_request_init(&request);
  request.count = 1;
  request.theta = theta.data();
  ASSERT_EQ(failureOf(one, request), "");
  EXPECT_EQ(one.timings().decoder, 0);
  EXPECT_EQ(one.timings().readout, 0);
  EXPECT_GT(one.timings().oscillators, 0);
  EXPECT_NE(theta, std::vector<float>(n));
}

TEST_F(Session, MakesNothingOfNothing) {
  un0::Session two = session(2);
  auto images = two.generate({}, 1);
  ASSERT_TRUE(bool(images));
  EXPECT_TRUE(images->images.empty());
}

TEST_F(Session, NamesALabelOutOfRange) {
  un0::Session one = session(1);
  for (int64_t label : {int64_t(4), int64_t(-2), std::numeric_limits<int64_t>::min()}) {
    auto images = one.generate({0, label}, 1);
    ASSERT_FALSE(bool(images));
    EXPECT_EQ(images.error().code, UN0_ERROR_INVALID_ARGUMENT);
    EXPECT_EQ(images.error().message, "label of sample 1 is " + std::to_string(label) +
                                          ", the model has classes 0 to 3 (-1: unconditional)");
  }
}

TEST_F(Session, RefusesHalfOfTheInitialPhases) {
  un0::Session one = session(1);
  std::vector<float> phases(n);
  un0_request request;
  un0_request_init(&request);
  request.count = 1;
  request.theta0 = phases.data();
  EXPECT_EQ(failureOf(one, request), "theta0 is given without phi0");
  request.phi0 = phases.data();
  request.theta0 = nullptr;
  EXPECT_EQ(failureOf(one, request), "phi0 is given without theta0");
}

TEST_F(Session, RefusesPhasesThatAreNotFinite) {
  un0::Session one = session(1);
  std::vector<float> theta0(2 * n), phi0(2 * m);
  theta0[n + 5] = NAN;
  un0_request request;
  un0_request_init(&request);
  request.count = 2;
  request.theta0 = theta0.data();
  request.phi0 = phi0.data();
  EXPECT_EQ(failureOf(one, request), "theta0 of sample 1, oscillator 5 is nan");
}

TEST_F(Session, RefusesAnUnknownGeneratorAndImmenseCounts) {
  un0::Session one = session(1);
  un0_request request;
  un0_request_init(&request);
  request.count = 1;
  request.rng = 9;
  EXPECT_EQ(failureOf(one, request), "random number generator 9 is unknown");
  request.rng = 0;
  request.count = UINT64_MAX;
  EXPECT_NE(failureOf(one, request).find("at most"), std::string::npos);
}

TEST_F(Session, RefusesMoreTorchDrawsThanAnyoneWaitsFor) {
  un0::Session one = session(1);
  std::vector<float> theta0(n), phi0(m);
  // Times n + m, the first is 2^64 and wraps; the next is too many.
  for (uint64_t first : {UINT64_MAX / (n + m) + 1, uint64_t(1) << 40, UINT64_MAX - 1}) {
    un0_request request;
    un0_request_init(&request);
    request.count = 1;
    request.first_sample = first;
    request.rng = UN0_RNG_TORCH;
    EXPECT_NE(failureOf(one, request).find("the torch generator draws all before them too"),
              std::string::npos);
    un0_error error;
    EXPECT_EQ(un0_initial_phases(module->get(), UN0_RNG_TORCH, 1, first, 1, theta0.data(),
                                 phi0.data(), &error),
              UN0_ERROR_INVALID_ARGUMENT);
    EXPECT_EQ(error.message, failureOf(one, request));
    // A counter finds any sample at once.
    request.rng = UN0_RNG_PHILOX;
    EXPECT_EQ(failureOf(one, request), "");
  }
  un0_error error;
  EXPECT_EQ(un0_initial_phases(module->get(), UN0_RNG_PHILOX, 1, 2, UINT64_MAX - 1, theta0.data(),
                               phi0.data(), &error),
            UN0_ERROR_INVALID_ARGUMENT);
}

TEST_F(Session, RefusesTooManyThreads) {
  auto created = un0::Session::create(*module, 1000000);
  ASSERT_FALSE(bool(created));
  EXPECT_EQ(created.error().message, "1000000 threads asked for, at most 1024 are possible");
}

TEST_F(Session, ReportsProgressAndStopsWhenAsked) {
  un0::Session one = session(1);
  struct Seen {
    std::vector<uint64_t> done;
    int stopAfter;
  } seen{{}, 100};
  un0_request request;
  un0_request_init(&request);
  request.count = 12;
  request.progress_user = &seen;
  request.progress = [](void *user, uint64_t done, uint64_t total) -> int {
    auto &seen = *static_cast<Seen *>(user);
    EXPECT_EQ(total, 12u);
    seen.done.push_back(done);
    return int(seen.done.size()) >= seen.stopAfter;
  };
  EXPECT_EQ(failureOf(one, request), "");
  EXPECT_EQ(seen.done, (std::vector<uint64_t>{4, 8, 12}));
  seen = {{}, 2};
  EXPECT_EQ(failureOf(one, request), "stopped after 8 of 12 images");
}

TEST_F(Session, ReportsOnTheCallersThreadUntilAllIsDone) {
  struct Seen {
    std::vector<uint64_t> done;
    std::thread::id caller = std::this_thread::get_id();
  };
  for (uint32_t threads : {2u, 5u}) {
    un0::Session many = session(threads);
    for (int again = 0; again < 100; ++again) {
      Seen seen;
      std::vector<float> images(33 * pixels);
      un0_request request;
      un0_request_init(&request);
      request.count = 33;
      request.images = images.data();
      request.progress_user = &seen;
      request.progress = [](void *user, uint64_t done, uint64_t) -> int {
        auto &seen = *static_cast<Seen *>(user);
        EXPECT_EQ(std::this_thread::get_id(), seen.caller);
        EXPECT_TRUE(seen.done.empty() || done > seen.done.back());
        seen.done.push_back(done);
        return 0;
      };
      EXPECT_EQ(failureOf(many, request), "");
      ASSERT_FALSE(seen.done.empty());
      ASSERT_EQ(seen.done.back(), 33u) << threads << " threads, request " << again;
    }
  }
}

TEST_F(Session, EndsTheProgramWhenProgressThrows) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  auto generate = [this] {
    un0::Session two = session(2);
    un0_request request;
    un0_request_init(&request);
    request.count = 33;
    request.progress = [](void *, uint64_t, uint64_t) -> int { throw std::runtime_error("stop"); };
    (void)two.generate(request);
  };
  EXPECT_DEATH(generate(), "");
}

#ifdef __SSE__
TEST_F(Session, GivesTheSameBytesInAnyFloatingPointMode) {
  const unsigned before = _mm_getcsr();
  for (uint32_t rng : {UN0_RNG_PHILOX, UN0_RNG_TORCH}) {
    un0::Session one = session(1);
    const Output expected = generate(one, 0, 33, rng);
    // Round down, flush what is small to zero, and trap what is not exact.
    for (unsigned mode : {0x3f80u, 0x9fc0u, 0x0f80u})
      for (uint32_t threads : {1u, 5u}) {
        un0::Session many = session(threads);
        _mm_setcsr(mode);
        const Output output = generate(many, 0, 33, rng);
        const unsigned after = _mm_getcsr();
        _mm_setcsr(before);
        EXPECT_EQ(output, expected) << threads << " threads, mode " << mode;
        EXPECT_EQ(after & ~0x3fu, mode);
      }
  }
}
#endif

TEST_F(Session, LeavesSignalsToTheHostsThreads) {
  auto tasks = [] {
    std::set<std::string> result;
    for (const auto &entry : std::filesystem::directory_iterator("/proc/self/task"))
      result.insert(entry.path().string());
    return result;
  };
  const std::set<std::string> hosts = tasks();
  un0::Session three = session(3);
  auto blocks = [](const std::string &task, int signal) {
    std::ifstream status(task + "/status");
    for (std::string line; std::getline(status, line);)
      if (line.rfind("SigBlk:", 0) == 0)
        return (std::stoull(line.substr(7), nullptr, 16) >> (signal - 1) & 1) != 0;
    ADD_FAILURE() << task << " has no mask";
    return false;
  };
  int checked = 0;
  for (const std::string &task : tasks()) {
    if (hosts.count(task))
      continue;
    // The C library blocks everything until the thread sets out; the host's report of a crash is
    // not blocked then.
    for (int tries = 0; blocks(task, SIGSEGV); ++tries) {
      ASSERT_LT(tries, 1000000);
      std::this_thread::yield();
    }
    for (int signal : {SIGUSR1, SIGINT, SIGTERM, SIGALRM})
      EXPECT_TRUE(blocks(task, signal)) << signal;
    ++checked;
  }
  EXPECT_EQ(checked, 2);
  sigset_t own;
  pthread_sigmask(SIG_SETMASK, nullptr, &own);
  EXPECT_FALSE(sigismember(&own, SIGUSR1));
}

// One sample of a module whose coupling is large enough, with one of its team entries or both.
TEST_F(Session, DecodesOneSampleWithATeam) {
  un0::Session alone = session(1);
  const Output expected = generate(alone, 3, 1, UN0_RNG_PHILOX);
  const std::string large = temporaryPath(".large.un0");
  for (bool decodes : {false, true}) {
    ModuleSpec spec = fixtureSpec();
    spec.weights.resize(UN0_LEAST_SPLIT_BYTES);
    spec.tensors = {{"K", {20}, 0, UN0_LEAST_SPLIT_BYTES}};
    spec.entries.push_back({"evolve_team", "evolveTeam", 1});
    if (decodes)
      spec.entries.push_back({"decode_team", "decodeTeam", 1});
    writeBytes(large, buildModule(spec));
    auto opened = un0::Module::open(large);
    std::remove(large.c_str());
    ASSERT_TRUE(bool(opened)) << opened.error().message;
    for (uint32_t threads : {1u, 2u, 3u, 5u, 50u}) {
      auto team = un0::Session::create(*opened, threads);
      ASSERT_TRUE(bool(team)) << team.error().message;
      for (int again = 0; again < 3; ++again)
        EXPECT_EQ(generate(*team, 3, 1, UN0_RNG_PHILOX), expected) << threads << " threads";
      EXPECT_EQ(team->timings().threads, threads);
      un0_request request;
      un0_request_init(&request);
      request.count = 1;
      EXPECT_EQ(failureOf(*team, request), ""); // nothing to decode for
      EXPECT_EQ(team->timings().decoder, 0);
      EXPECT_EQ(generate(*team, 0, 9, UN0_RNG_TORCH), generate(alone, 0, 9, UN0_RNG_TORCH));
    }
  }
}

TEST_F(Session, SharesAModuleBetweenThreads) {
  std::vector<Output> outputs(4);
  std::vector<std::thread> threads;
  for (Output &output : outputs)
    threads.emplace_back([this, &output] {
      un0::Session own = session(2);
      for (int i = 0; i < 20; ++i)
        output = generate(own, 0, 33, UN0_RNG_PHILOX);
    });
  for (std::thread &thread : threads)
    thread.join();
  for (const Output &output : outputs)
    EXPECT_EQ(output, outputs[0]);
}

TEST_F(Session, TimesItsPhases) {
  un0::Session two = session(2);
  generate(two, 0, 64, UN0_RNG_PHILOX);
  un0_timings timings = two.timings();
  EXPECT_GE(timings.threads, 1u);
  EXPECT_LE(timings.threads, 2u);
  EXPECT_GT(timings.initial_phases, 0);
  EXPECT_GT(timings.decoder, 0);
  EXPECT_GT(timings.wall, 0);
}
