//===- Emulate.h - instructions of a processor on another -------*- C++ -*-===//

#ifndef UN0_LIB_TARGET_EMULATE_H
#define UN0_LIB_TARGET_EMULATE_H

#include "llvm/IR/Module.h"
#include "llvm/Support/Error.h"

namespace un0 {

/// Replaces what only AVX-512, VNNI and BF16 do in `module`, intrinsics and conversions, by
/// instructions that a processor with AVX2 and FMA has. Integers get the same values; products of
/// bf16 are added by fused multiply-adds, where hardware may round in between and takes subnormal
/// numbers for zero. Fails with the name of an intrinsic that it does not know.
llvm::Error emulateInstructions(llvm::Module &module);

} // namespace un0

#endif // UN0_LIB_TARGET_EMULATE_H
