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
enum class Arithmetic { F32, S16, BF16, U8S8, S8S8 };
/// Of "f32", "s16", "bf16", "u8s8", "s8s8"; anything else is f32.
Arithmetic arithmeticOf(const char *name);
const char *nameOf(Arithmetic arithmetic);

/// Highest rate of `threads` threads together, in operations per second; a multiply-add is two. By
/// the instruction that this CPU has for it, else by what replaces that.
double measurePeak(Arithmetic arithmetic, unsigned threads);

/// Highest rate at which `threads` threads together read `bytes` bytes of memory over and over,
/// each the whole of it, in bytes per second. Zero when the memory cannot be had.
double measureBandwidth(size_t bytes, unsigned threads);

} // namespace un0bench

#endif // UN0_TOOLS_UN0_BENCH_ROOFLINE_H
