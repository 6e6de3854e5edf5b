//===- Random.h - initial phases --------------------------------------------===//
//
// Both generators are defined to the bit in un0/runtime.h, at un0_rng.
//
//===----------------------------------------------------------------------===//
#ifndef UN0_RUNTIME_LIB_RANDOM_H
#define UN0_RUNTIME_LIB_RANDOM_H

#include <array>
#include <cstddef>
#include <cstdint>

namespace un0::rt {

/// One block of Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1,
/// 2, 3", SC 2011).
std::array<uint32_t, 4> philox4x32(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key);

/// Phases first .. first + count of sample `sample`, in radians in [-pi, pi].
void philoxPhases(uint64_t seed, uint64_t sample, uint32_t first, uint32_t count, float *phases);

/// MT19937 (Matsumoto, Nishimura 1998), seeded as torch's CPU generator does.
class TorchGenerator {
public:
  explicit TorchGenerator(uint64_t seed);

  uint32_t next();
  /// The next phase of torch.rand(...) * 2 * pi - pi in f32, radians.
  float nextPhase();

private:
  void refill();

  static constexpr int size = 624;
  uint32_t state[size];
  int position = size;
};

} // namespace un0::rt

#endif // UN0_RUNTIME_LIB_RANDOM_H
