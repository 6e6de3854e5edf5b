//===- Roofline.cpp - what the machine can do -------------------------------===//
//
// Both kernels are assembly: a compiler would remove work whose result nobody needs, or spill what
// has to stay in registers. Each is run several times and the best counts, because everything else
// on the machine only slows it.
//
//===----------------------------------------------------------------------===//
#include "Roofline.h"

#include <algorithm>
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
      r "13"

#define UN0_FMA_ZMM(n) "vfmadd231ps %%zmm0, %%zmm1, %%zmm" #n "\n"
#define UN0_FMA_YMM(n) "vfmadd231ps %%ymm0, %%ymm1, %%ymm" #n "\n"
#define UN0_ADD_XMM(n) "addps %%xmm0, %%xmm" #n "\n"
#define UN0_ZERO(n) "xorps %%xmm" #n ", %%xmm" #n "\n"
#define UN0_VZERO(n) "vxorps %%xmm" #n ", %%xmm" #n ", %%xmm" #n "\n"

// Zeros in all registers: no overflow and no denormal can change the speed.
__attribute__((target("avx512f"))) static uint64_t peakAvx512(uint64_t rounds) {
  uint64_t left = rounds;
  asm volatile(UN0_VZERO(0) UN0_VZERO(1) UN0_TWELVE(UN0_VZERO) "1:\n" UN0_TWELVE(UN0_FMA_ZMM)
                   UN0_TWELVE(UN0_FMA_ZMM) "dec %0\n jnz 1b\n vzeroupper\n"
               : "+r"(left)::UN0_CLOBBERS("xmm"), "cc");
  return rounds * 24 * 32;
}

__attribute__((target("avx2,fma"))) static uint64_t peakAvx2(uint64_t rounds) {
  uint64_t left = rounds;
  asm volatile(UN0_VZERO(0) UN0_VZERO(1) UN0_TWELVE(UN0_VZERO) "1:\n" UN0_TWELVE(UN0_FMA_YMM)
                   UN0_TWELVE(UN0_FMA_YMM) "dec %0\n jnz 1b\n vzeroupper\n"
               : "+r"(left)::UN0_CLOBBERS("xmm"), "cc");
  return rounds * 24 * 16;
}

// Without fused instructions a multiplication and an addition are the same load on the same kind of
// unit.
static uint64_t peakSse2(uint64_t rounds) {
  uint64_t left = rounds;
  asm volatile(UN0_ZERO(0) UN0_ZERO(1) UN0_TWELVE(UN0_ZERO) "1:\n" UN0_TWELVE(UN0_ADD_XMM)
                   UN0_TWELVE(UN0_ADD_XMM) "dec %0\n jnz 1b\n"
               : "+r"(left)::UN0_CLOBBERS("xmm"), "cc");
  return rounds * 24 * 4;
}

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

/// Seconds that `threads` threads need for `work` side by side.
template <typename Work> static double timeThreads(unsigned threads, Work work) {
  std::vector<std::thread> others;
  double begin = now();
  for (unsigned i = 1; i < threads; ++i)
    others.emplace_back(work);
  work();
  for (std::thread &other : others)
    other.join();
  return now() - begin;
}

static constexpr int attempts = 7;
static constexpr double attemptSeconds = 0.02; // long against starting a thread

double measurePeak(unsigned threads) {
  auto kernel = hasAvx512() ? peakAvx512 : hasAvx2() ? peakAvx2 : peakSse2;
  constexpr uint64_t probe = 1 << 16;
  double begin = now();
  kernel(probe);
  const auto rounds = static_cast<uint64_t>(double(probe) * attemptSeconds / (now() - begin)) + 1;
  double best = 0;
  for (int i = 0; i < attempts; ++i) {
    double seconds = timeThreads(threads, [&] { kernel(rounds); });
    uint64_t operations = kernel(1) * rounds;
    best = std::max(best, double(operations) * threads / seconds);
  }
  return best;
}

double measureBandwidth(size_t bytes, unsigned threads) {
  constexpr size_t block = 512, hugePage = size_t(2) << 20;
  bytes = std::max(bytes / block * block, block);
  // Room for prefetches past the end, and for huge pages.
  const size_t mapped = (bytes + 4096 + hugePage - 1) / hugePage * hugePage;
  void *memory = mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED)
    return 0;
  (void)madvise(memory, mapped, MADV_HUGEPAGE);
  // Pages that were never written are all one page of zeros.
  std::memset(memory, 1, mapped);
  const char *data = static_cast<const char *>(memory);

  using Reader = void (*)(const char *, size_t);
  std::vector<Reader> readers;
  if (hasAvx512())
    readers = {readAvx512, readAheadAvx512};
  else
    readers = {hasAvx2() ? readAvx2 : readSse2};
  double best = 0;
  for (Reader reader : readers) {
    reader(data, bytes);
    double begin = now();
    reader(data, bytes);
    const int passes = std::max(1, static_cast<int>(attemptSeconds / (now() - begin)));
    for (int i = 0; i < attempts; ++i) {
      double seconds = timeThreads(threads, [&] {
        for (int pass = 0; pass < passes; ++pass)
          reader(data, bytes);
      });
      best = std::max(best, double(bytes) * passes * threads / seconds);
    }
  }
  munmap(memory, mapped);
  return best;
}

} // namespace un0bench
