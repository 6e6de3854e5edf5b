//===- SimulatorKernels.h - the arithmetic of the simulator -----------------===//
//
// One source, SimulatorKernels.inc, compiled three times: for any x86-64, for AVX2 with FMA and for
// AVX-512. All give the same bytes: every multiply-add is fused, sums run in the same order, and a
// lane's arithmetic never depends on another lane.
//
// Per-oscillator arrays are [n][16 lanes]; the lanes are two groups of 8, and kernels take the
// groups to work on as a bit set. A wave array holds sines and cosines, [n][group][8 S, 8 C]: a
// group's pair fills one cache line. Rows of both are padded to kRowPadding, and padding is zero.
//
//===----------------------------------------------------------------------===//
#ifndef UN0_RUNTIME_DSA_SIMULATORKERNELS_H
#define UN0_RUNTIME_DSA_SIMULATORKERNELS_H

#include <cstddef>
#include <cstdint>

namespace un0::dsa {

constexpr uint32_t kSimdLanes = 16, kGroupLanes = 8;
constexpr size_t kRowPadding = 24; // holds whole panels of 4, 6 and 8 rows
constexpr unsigned kAllGroups = 3;

constexpr size_t paddedRows(size_t rows) {
  return (rows + kRowPadding - 1) / kRowPadding * kRowPadding;
}

/// A weighted sum of derivatives: weight[0] k[0] + sum_j>0 weight[j] (k[j] - k[0]). weight[0] is
/// the sum of a tableau's row, so that constant derivatives are integrated without rounding of the
/// tableau.
struct Slope {
  const float *k[7] = {};
  float weight[7] = {};
  unsigned terms = 0;
};

struct Kernels {
  const char *name;
  /// Rows of a panel. Couplings that all lanes share are [rows / panel][columns][panel], the last
  /// panel filled up with zeros.
  uint32_t panel;

  /// delta = carry + h * slope, per lane; waves of phase + delta. `delta` may be null.
  void (*stage)(size_t n, unsigned groups, const float *phase, const float *carry, const float *h,
                const Slope &slope, float *delta, float *waves);

  /// out_i = in_i + C_i sum_j K_ij S_j - S_i sum_j K_ij C_j, with S, C of the source inside the
  /// sums and of the target outside. `in` may be `out`. The matrix has `stride` columns, of which
  /// the first `columns` act.
  void (*couple)(size_t rows, size_t columns, size_t stride, unsigned groups,
                 const float *couplings, const float *source, const float *target, const float *in,
                 float *out);
  /// The same with couplings of each lane's own, [rows, padded to 4][stride][16].
  void (*coupleLanes)(size_t rows, size_t columns, size_t stride, unsigned groups,
                      const float *couplings, const float *source, const float *target,
                      const float *in, float *out);

  /// largest[lane] = max(largest[lane], |h sum_j weight_j k_j|). A sum that is not a number is
  /// larger than all.
  void (*largest)(size_t n, unsigned groups, const float *h, const Slope &sum, float *largest);

  /// Where mask is not zero: phase + carry = phase + delta without rounding, first = last.
  void (*accept)(size_t n, unsigned groups, const uint32_t *mask, float *phase, float *carry,
                 const float *delta, float *first, const float *last);

  /// Where mask is not zero: first += r - rate, rate = r, with r_i = frequencies_i + amplitude *
  /// normal(keys[lane], step[lane], stream, i). keys are [2][16].
  void (*noise)(size_t n, unsigned groups, const uint32_t *mask, const uint32_t *keys,
                const uint32_t *step, uint32_t stream, float amplitude, const float *frequencies,
                float *rate, float *first);

  /// Standard normals number 0 .. count of the stream (key, c1, c2, c3); `out` has room for
  /// `count` rounded up to 32.
  void (*normals)(size_t count, const uint32_t key[2], uint32_t c1, uint32_t c2, uint32_t c3,
                  float *out);
};

/// The fastest for this CPU; chosen once.
const Kernels &bestKernels();
/// Those that this CPU can run, fastest first, the baseline last.
size_t usableKernels(const Kernels *(&kernels)[3]);

extern const Kernels baselineKernels, avx2Kernels, avx512Kernels;

} // namespace un0::dsa

#endif // UN0_RUNTIME_DSA_SIMULATORKERNELS_H
