//===- Roofline.h - what the machine can do ---------------------------------===//
#ifndef UN0_TOOLS_UN0_BENCH_ROOFLINE_H
#define UN0_TOOLS_UN0_BENCH_ROOFLINE_H

#include <cstddef>
#include <cstdint>
#include <string>

namespace un0bench {

/// Seconds on a clock that only goes forward.
double now();

/// CPUID's name of the processor.
std::string cpuName();

/// "avx512", "avx2" or "sse2": the widest registers that this CPU has, and the measurements below
/// use.
const char *vectorSet();

/// What multiplies, as the cost table of a module names it.
enum class Arithmetic { F32, S16, BF16, U8S8, U8S4 };
/// Of "f32", "s16", "bf16", "u8s8", "u8s4"; anything else is f32.
Arithmetic arithmeticOf(const char *name);
const char *nameOf(Arithmetic arithmetic);

/// Multiplies and adds in registers with `threads` threads: by the instruction that this CPU has
/// for `arithmetic`, else by the fastest of what replaces that.
class PeakProbe {
public:
  PeakProbe(Arithmetic arithmetic, unsigned threads);
  /// Operations per second of all threads over about `seconds`; a multiply-add is two.
  double measure(double seconds) const;

private:
  uint64_t (*kernel)(uint64_t) = nullptr;
  double roundSeconds = 0;
  unsigned threads;
};

/// Memory that `threads` threads read over and over, each the whole of it.
class ReadProbe {
public:
  ReadProbe(size_t bytes, unsigned threads);
  ~ReadProbe();
  ReadProbe(const ReadProbe &) = delete;
  ReadProbe &operator=(const ReadProbe &) = delete;
  /// Bytes per second of all threads over about `seconds`, and at least one pass. Zero when the
  /// memory could not be had.
  double measure(double seconds) const;

private:
  void (*reader)(const char *, size_t) = nullptr;
  void *memory;
  size_t bytes, mapped;
  double passSeconds = 0;
  unsigned threads;
};

} // namespace un0bench

#endif // UN0_TOOLS_UN0_BENCH_ROOFLINE_H
