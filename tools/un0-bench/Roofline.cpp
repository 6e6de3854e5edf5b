//===- Roofline.cpp - what the machine can do -------------------------------===//
//
// Both kernels are assembly: a compiler would remove work whose result nobody needs, or spill what
// has to stay in registers.
//
//===----------------------------------------------------------------------===//
#include "Roofline.h"

#include <algorithm>
#include <atomic>
#include <cpuid.h>
#include <cstring>
#include <sys/mman.h>
#include <thread>
#include <time.h>
#include <vector>

namespace un0bench {

double now() {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return double(time.tv_sec) + 1e-9 * double(time.tv_nsec);
}

std::string cpuName() {
  unsigned words[12] = {};
  for (unsigned i = 0; i < 3; ++i)
    __get_cpuid(0x80000002 + i, &words[4 * i], &words[4 * i + 1], &words[4 * i + 2],
                &words[4 * i + 3]);
  char text[sizeof words + 1] = {};
  std::memcpy(text, words, sizeof words);
  std::string name(text);
  while (!name.empty() && name.back() == ' ')
    name.pop_back();
  return name;
}

static bool hasAvx512() { return __builtin_cpu_supports("avx512f"); }
static bool hasAvx2() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }

const char *vectorSet() { return hasAvx512() ? "avx512" : hasAvx2() ? "avx2" : "sse2"; }

// Twelve independent chains: two units with a latency of four or five cycles need ten.
#define UN0_TWELVE(line)                                                                           \
  line(2) line(3) line(4) line(5) line(6) line(7) line(8) line(9) line(10) line(11) line(12)       \
      line(13)
#define UN0_CLOBBERS(r)                                                                            \
  r "0", r "1", r "2", r "3", r "4", r "5", r "6", r "7", r "8", r "9", r "10", r "11", r "12",    \
      r "13", r "14", r "15"

#define UN0_FMA_ZMM(n) "vfmadd231ps %%zmm0, %%zmm1, %%zmm" #n "\n"
#define UN0_FMA_YMM(n) "vfmadd231ps %%ymm0, %%ymm1, %%ymm" #n "\n"
#define UN0_ADD_XMM(n) "addps %%xmm0, %%xmm" #n "\n"
#define UN0_ZERO(n) "xorps %%xmm" #n ", %%xmm" #n "\n"
#define UN0_VZERO(n) "vxorps %%xmm" #n ", %%xmm" #n ", %%xmm" #n "\n"

// Zeros in all registers: no overflow and no denormal can change the speed. `operations` of one
// instruction, a multiply-add being two.
#define UN0_PEAK(name, features, zero, line, registers, operations)                                \
  __attribute__((target(features))) static uint64_t name(uint64_t rounds) {                        \
    uint64_t left = rounds;                                                                        \
    asm volatile(zero(0) zero(1) UN0_TWELVE(zero) "1:\n" UN0_TWELVE(line)                          \
                     UN0_TWELVE(line) "dec %0\n jnz 1b\n"                                          \
                 : "+r"(left)::UN0_CLOBBERS(registers), "cc");                                     \
    return rounds * 24 * (operations);                                                             \
  }

#define UN0_DOT8_ZMM(n) "vpdpbusd %%zmm0, %%zmm1, %%zmm" #n "\n"
#define UN0_DOT16_ZMM(n) "vpdpwssd %%zmm0, %%zmm1, %%zmm" #n "\n"
#define UN0_BRAIN_ZMM(n) "vdpbf16ps %%zmm0, %%zmm1, %%zmm" #n "\n"
#define UN0_DOT8_YMM(n) "%{vex%} vpdpbusd %%ymm0, %%ymm1, %%ymm" #n "\n"
#define UN0_DOT16_YMM(n) "%{vex%} vpdpwssd %%ymm0, %%ymm1, %%ymm" #n "\n"
// Without dot products: a product of pairs, and a sum.
#define UN0_MADD_YMM(n)                                                                            \
  "vpmaddwd %%ymm0, %%ymm1, %%ymm14\n vpaddd %%ymm14, %%ymm" #n ", %%ymm" #n "\n"
#define UN0_MADD_XMM(n)                                                                            \
  "movdqa %%xmm0, %%xmm14\n pmaddwd %%xmm1, %%xmm14\n paddd %%xmm14, %%xmm" #n "\n"

// Bytes: unsigned by signed whose pairs fit 16 bits, and such that two pairs fit. Twice the
// products of the above, and four times.
#define UN0_BYTES_YMM(n)                                                                           \
  "vpmaddubsw %%ymm0, %%ymm1, %%ymm14\n vpmaddwd %%ymm0, %%ymm14, %%ymm14\n vpaddd %%ymm14, "      \
  "%%ymm" #n ", %%ymm" #n "\n"
#define UN0_QUADS_YMM(n)                                                                           \
  "vpmaddubsw %%ymm0, %%ymm1, %%ymm14\n vpmaddubsw %%ymm1, %%ymm0, %%ymm15\n vpaddw %%ymm15, "     \
  "%%ymm14, %%ymm14\n vpmaddwd %%ymm0, %%ymm14, %%ymm14\n vpaddd %%ymm14, %%ymm" #n ", %%ymm" #n   \
  "\n"

UN0_PEAK(peakAvx512, "avx512f", UN0_VZERO, UN0_FMA_ZMM, "xmm", 32)
UN0_PEAK(peakAvx2, "avx2,fma", UN0_VZERO, UN0_FMA_YMM, "xmm", 16)
// Without fused instructions a multiplication and an addition are the same load on the same kind of
// unit.
UN0_PEAK(peakSse2, "sse2", UN0_ZERO, UN0_ADD_XMM, "xmm", 4)
UN0_PEAK(dot8Avx512, "avx512vnni", UN0_VZERO, UN0_DOT8_ZMM, "xmm", 128)
UN0_PEAK(dot16Avx512, "avx512vnni", UN0_VZERO, UN0_DOT16_ZMM, "xmm", 64)
UN0_PEAK(brainAvx512, "avx512bf16", UN0_VZERO, UN0_BRAIN_ZMM, "xmm", 64)
UN0_PEAK(dot8Avx2, "avxvnni", UN0_VZERO, UN0_DOT8_YMM, "xmm", 64)
UN0_PEAK(dot16Avx2, "avxvnni", UN0_VZERO, UN0_DOT16_YMM, "xmm", 32)
UN0_PEAK(maddAvx2, "avx2", UN0_VZERO, UN0_MADD_YMM, "xmm", 32)
UN0_PEAK(bytesAvx2, "avx2", UN0_VZERO, UN0_BYTES_YMM, "xmm", 64)
UN0_PEAK(quadsAvx2, "avx2", UN0_VZERO, UN0_QUADS_YMM, "xmm", 128)
UN0_PEAK(maddSse2, "sse2", UN0_ZERO, UN0_MADD_XMM, "xmm", 16)

// Readers of `bytes` bytes, a multiple of 512, once.
__attribute__((target("avx512f"))) static void readAvx512(const char *at, size_t bytes) {
  const char *end = at + bytes;
  asm volatile("1:\n"
               "vmovups (%0), %%zmm0\n vmovups 64(%0), %%zmm1\n vmovups 128(%0), %%zmm2\n vmovups "
               "192(%0), %%zmm3\n"
               "vmovups 256(%0), %%zmm4\n vmovups 320(%0), %%zmm5\n vmovups 384(%0), %%zmm6\n "
               "vmovups 448(%0), %%zmm7\n"
               "add $512, %0\n cmp %1, %0\n jb 1b\n vzeroupper\n"
               : "+r"(at)
               : "r"(end)
               : UN0_CLOBBERS("xmm"), "cc", "memory");
}

__attribute__((target("avx512f"))) static void readAheadAvx512(const char *at, size_t bytes) {
  const char *end = at + bytes;
  asm volatile(
      "1:\n"
      "prefetcht0 2048(%0)\n prefetcht0 2112(%0)\n prefetcht0 2176(%0)\n prefetcht0 2240(%0)\n"
      "prefetcht0 2304(%0)\n prefetcht0 2368(%0)\n prefetcht0 2432(%0)\n prefetcht0 2496(%0)\n"
      "vmovups (%0), %%zmm0\n vmovups 64(%0), %%zmm1\n vmovups 128(%0), %%zmm2\n vmovups 192(%0), "
      "%%zmm3\n"
      "vmovups 256(%0), %%zmm4\n vmovups 320(%0), %%zmm5\n vmovups 384(%0), %%zmm6\n vmovups "
      "448(%0), %%zmm7\n"
      "add $512, %0\n cmp %1, %0\n jb 1b\n vzeroupper\n"
      : "+r"(at)
      : "r"(end)
      : UN0_CLOBBERS("xmm"), "cc", "memory");
}

__attribute__((target("avx2"))) static void readAvx2(const char *at, size_t bytes) {
  const char *end = at + bytes;
  asm volatile("1:\n"
               "vmovups (%0), %%ymm0\n vmovups 32(%0), %%ymm1\n vmovups 64(%0), %%ymm2\n vmovups "
               "96(%0), %%ymm3\n"
               "vmovups 128(%0), %%ymm4\n vmovups 160(%0), %%ymm5\n vmovups 192(%0), %%ymm6\n "
               "vmovups 224(%0), %%ymm7\n"
               "add $256, %0\n cmp %1, %0\n jb 1b\n vzeroupper\n"
               : "+r"(at)
               : "r"(end)
               : UN0_CLOBBERS("xmm"), "cc", "memory");
}

static void readSse2(const char *at, size_t bytes) {
  const char *end = at + bytes;
  asm volatile("1:\n"
               "movups (%0), %%xmm0\n movups 16(%0), %%xmm1\n movups 32(%0), %%xmm2\n movups "
               "48(%0), %%xmm3\n"
               "movups 64(%0), %%xmm4\n movups 80(%0), %%xmm5\n movups 96(%0), %%xmm6\n movups "
               "112(%0), %%xmm7\n"
               "add $128, %0\n cmp %1, %0\n jb 1b\n"
               : "+r"(at)
               : "r"(end)
               : UN0_CLOBBERS("xmm"), "cc", "memory");
}

/// Seconds that `threads` threads need for `work` side by side. They start together, once all of
/// them are there: a slice is too short for the time it takes to make a thread not to count.
template <typename Work> static double timeThreads(unsigned threads, Work work) {
  std::atomic<unsigned> missing{threads};
  auto meet = [&] {
    --missing;
    while (missing.load(std::memory_order_acquire) != 0)
      std::this_thread::yield();
  };
  std::vector<std::thread> others;
  for (unsigned i = 1; i < threads; ++i)
    others.emplace_back([&] {
      meet();
      work();
    });
  meet();
  const double begin = now();
  work();
  for (std::thread &other : others)
    other.join();
  return now() - begin;
}

/// The seconds of doing `work` once, done until it takes long enough to tell.
template <typename Work> static double secondsOf(Work work) {
  constexpr double longEnough = 0.001;
  for (uint64_t times = 1;; times *= 2) {
    const double begin = now();
    work(times);
    const double seconds = now() - begin;
    if (seconds >= longEnough)
      return seconds / double(times);
  }
}

/// How often what takes `secondsOfOne` fits `seconds`, at least once.
static uint64_t timesIn(double seconds, double secondsOfOne) {
  return std::max<uint64_t>(1, static_cast<uint64_t>(seconds / secondsOfOne));
}

using PeakKernel = uint64_t (*)(uint64_t);

/// The ways to multiply in `arithmetic` that may be the fastest on this CPU.
static std::vector<PeakKernel> peakKernels(Arithmetic arithmetic) {
  auto f32 = hasAvx512() ? peakAvx512 : hasAvx2() ? peakAvx2 : peakSse2;
  const bool wide = __builtin_cpu_supports("avx512vnni"),
             narrow = __builtin_cpu_supports("avxvnni");
  // What bytes can always be widened to.
  auto widened = hasAvx2() ? maddAvx2 : maddSse2;
  switch (arithmetic) {
  case Arithmetic::F32:
    break;
  case Arithmetic::S16:
    return {wide ? dot16Avx512 : narrow ? dot16Avx2 : widened};
  case Arithmetic::BF16:
    return {__builtin_cpu_supports("avx512bf16") ? brainAvx512 : f32};
  case Arithmetic::U8S8:
  case Arithmetic::U8S4:
    if (wide || narrow)
      return {wide ? dot8Avx512 : dot8Avx2};
    if (!hasAvx2())
      return {widened};
    return {widened, arithmetic == Arithmetic::U8S8 ? bytesAvx2 : quadsAvx2};
  }
  return {f32};
}

Arithmetic arithmeticOf(const char *name) {
  for (Arithmetic a : {Arithmetic::S16, Arithmetic::BF16, Arithmetic::U8S8, Arithmetic::U8S4})
    if (name && std::strcmp(name, nameOf(a)) == 0)
      return a;
  return Arithmetic::F32;
}

const char *nameOf(Arithmetic arithmetic) {
  switch (arithmetic) {
  case Arithmetic::F32:
    break;
  case Arithmetic::S16:
    return "s16";
  case Arithmetic::BF16:
    return "bf16";
  case Arithmetic::U8S8:
    return "u8s8";
  case Arithmetic::U8S4:
    return "u8s4";
  }
  return "f32";
}

PeakProbe::PeakProbe(Arithmetic arithmetic, unsigned threads) : threads(threads) {
  double best = 0;
  for (PeakKernel candidate : peakKernels(arithmetic)) {
    const double seconds = secondsOf(candidate);
    // A round of each kind does another number of operations.
    const double rate = double(candidate(1)) / seconds;
    if (rate > best) {
      best = rate;
      kernel = candidate;
      roundSeconds = seconds;
    }
  }
}

double PeakProbe::measure(double seconds) const {
  const uint64_t rounds = timesIn(seconds, roundSeconds);
  const double taken = timeThreads(threads, [&] { kernel(rounds); });
  return double(kernel(1)) * double(rounds) * threads / taken;
}

ReadProbe::ReadProbe(size_t size, unsigned threads) : threads(threads) {
  constexpr size_t block = 512, hugePage = size_t(2) << 20;
  bytes = std::max(size / block * block, block);
  // Room for prefetches past the end, and for huge pages.
  mapped = (bytes + 4096 + hugePage - 1) / hugePage * hugePage;
  memory = mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED)
    return;
  (void)madvise(memory, mapped, MADV_HUGEPAGE);
  // Pages that were never written are all one page of zeros.
  std::memset(memory, 1, mapped);

  const auto *data = static_cast<const char *>(memory);
  std::vector<void (*)(const char *, size_t)> candidates;
  if (hasAvx512())
    candidates = {readAvx512, readAheadAvx512};
  else
    candidates = {hasAvx2() ? readAvx2 : readSse2};
  for (auto candidate : candidates) {
    candidate(data, bytes);
    const double seconds = secondsOf([&](uint64_t passes) {
      for (uint64_t pass = 0; pass < passes; ++pass)
        candidate(data, bytes);
    });
    if (!reader || seconds < passSeconds) {
      reader = candidate;
      passSeconds = seconds;
    }
  }
}

ReadProbe::~ReadProbe() {
  if (memory != MAP_FAILED)
    munmap(memory, mapped);
}

double ReadProbe::measure(double seconds) const {
  if (!reader)
    return 0;
  auto read = [&](uint64_t passes) {
    for (uint64_t pass = 0; pass < passes; ++pass)
      reader(static_cast<const char *>(memory), bytes);
  };
  // Caches that were idle take milliseconds to become as fast as they can be.
  constexpr double warmUpSeconds = 0.002;
  timeThreads(threads, [&] { read(timesIn(warmUpSeconds, passSeconds)); });
  const uint64_t passes = timesIn(seconds, passSeconds);
  const double taken = timeThreads(threads, [&] { read(passes); });
  return double(bytes) * double(passes) * threads / taken;
}

} // namespace un0bench
