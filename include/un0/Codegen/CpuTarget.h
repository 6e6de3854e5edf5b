//===- CpuTarget.h - what code generation knows of a processor --*- C++ -*-===//

#ifndef UN0_CODEGEN_CPUTARGET_H
#define UN0_CODEGEN_CPUTARGET_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/Error.h"
#include <string>

namespace un0 {

/// A processor by LLVM's name, and the vector unit that its features give. Kept on the module as
/// `cpu.target`.
struct CpuTarget {
  std::string cpu;                   ///< LLVM's CPU name
  std::vector<std::string> features; ///< features code may use, LLVM's names without '+'
  int64_t lanes = 4;                 ///< f32 lanes of a register: 16, 8 or 4
  int64_t registers = 16;            ///< vector registers
  bool fma = false; ///< fused multiply-add; without it, fma is a library call and must not appear

  /// `name` is an x86-64 CPU that LLVM knows, or "host". The error lists nothing but the offending
  /// name.
  static llvm::Expected<CpuTarget> get(llvm::StringRef name);
  /// Whether code may use LLVM's feature `name`.
  bool has(llvm::StringRef name) const { return llvm::is_contained(features, name); }
  /// Whether registers of this target have instructions on bf16: the dot product and the rounding
  /// from f32. Without them LLVM calls a library, per lane, to round.
  bool hasBrainFloats() const { return has("avx512bf16") && (lanes == 16 || has("avx512vl")); }
  /// Whether registers of this target have dot products of bytes and of 16-bit numbers: VNNI.
  bool hasByteDots() const {
    return lanes == 16 ? has("avx512vnni")
                       : has("avxvnni") || (has("avx512vnni") && has("avx512vl"));
  }
  /// Whether there is a matrix unit that multiplies tiles of bytes, beside registers of 64: AMX.
  bool hasByteTiles() const { return lanes == 16 && has("amx-int8"); }
  /// Whether the processor's own prefetcher follows the four streams in which one sample reads a
  /// coupling, and instructions that ask far ahead, for the second level, only get in its way: Zen
  /// 4, where it was measured.
  bool followsStreams() const { return isZen4(); }
  /// From so many bytes of a coupling on, a batch tile has two registers of samples: what is read
  /// from memory then serves both. Below, it comes from a cache, or serves 16 samples well enough,
  /// and twice the waves only take room. Measured on Zen 3, batch 16: the oscillators of N = 4096
  /// take 0.80 (f32, 67 MB), 0.86 (int16) and 0.92 (int8, 17 MB) of the time, those of N = 1024
  /// between 1.00 and 1.11. On Zen 4, batch 64: 0.99 (f32), 1.05 and 1.09, N = 6656 with int8 (44
  /// MB) 1.03, int16 (89 MB) 0.99 and f32 (177 MB) 1.00.
  int64_t getFewestWideBytes() const { return int64_t(isZen4() ? 64 : 16) << 20; }
  /// Does without a matrix unit. Where code has no use for one, a processor needs none to run it.
  void dropByteTiles();
  /// "+a,+b" as LLVM wants it.
  std::string getFeatureString() const;

  void attach(mlir::ModuleOp module) const;
  static llvm::Expected<CpuTarget> of(mlir::ModuleOp module);

private:
  bool isZen4() const { return cpu == "znver4"; }
};

} // namespace un0

#endif // UN0_CODEGEN_CPUTARGET_H
