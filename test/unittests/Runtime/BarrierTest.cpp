//===- BarrierTest.cpp - threads that wait for each other -------------------===//
#include "Barrier.h"

#include "gtest/gtest.h"

#include <thread>
#include <vector>

using un0::rt::Barrier;

// Nobody passes before all have arrived, round after round, also when some are late enough for the
// others to sleep.
TEST(Barrier, HoldsEveryRound) {
  constexpr uint32_t threads = 3, rounds = 200;
  Barrier barrier;
  barrier.reset(threads);
  std::atomic<uint32_t> arrived{0};
  std::atomic<bool> early{false};
  auto run = [&](uint32_t index) {
    for (uint32_t round = 0; round < rounds; ++round) {
      if (index == 0 && round % 50 == 0)
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
      arrived.fetch_add(1);
      barrier.wait();
      if (arrived.load() < (round + 1) * threads)
        early = true;
      barrier.wait();
    }
  };
  std::vector<std::thread> others;
  for (uint32_t i = 1; i < threads; ++i)
    others.emplace_back(run, i);
  run(0);
  for (std::thread &other : others)
    other.join();
  EXPECT_FALSE(early);
  EXPECT_EQ(arrived, rounds * threads);
}
