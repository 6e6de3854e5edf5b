//===- PackBytes.h - int8 convolutions, packed ------------------*- C++ -*-===//

#ifndef UN0_LIB_CODEGEN_PACKBYTES_H
#define UN0_LIB_CODEGEN_PACKBYTES_H

#include "dialects/Cpu/IR/Cpu.h"
#include "un0/Import/Archive.h"

namespace un0 {

/// Quantizes the weights of a 3x3 convolution per output channel (and per folded kernel), and packs
/// them as `packed` says. Fails where the tensor has not four dimensions, or with what `sink`
/// returns.
llvm::Error packBytes(ParamOp param, cpu::PackedParamOp packed, const StoredTensor &tensor,
                      llvm::function_ref<llvm::Error(llvm::ArrayRef<uint8_t>)> sink);

/// The 2x2 kernel of output phase (py, px) of a nearest 2x upsample followed by a 3x3 convolution:
/// what its tap (ty, tx) sums, in f64.
float foldTap(const float *kernel, int64_t py, int64_t px, int64_t ty, int64_t tx);

} // namespace un0

#endif // UN0_LIB_CODEGEN_PACKBYTES_H
