//===- PackWords.h - quantized couplings, packed ----------------*- C++ -*-===//

#ifndef UN0_LIB_CODEGEN_PACKWORDS_H
#define UN0_LIB_CODEGEN_PACKWORDS_H

#include "dialects/Cpu/IR/Cpu.h"
#include "un0/Import/Archive.h"

namespace un0 {

/// Quantizes an N x S coupling row by row and packs it as `words16`, a panel of 16 rows at a time.
/// Fails where the tensor is no matrix, or with what `sink` returns.
llvm::Error packWords(ParamOp param, cpu::PackedParamOp packed, const StoredTensor &tensor,
                      llvm::function_ref<llvm::Error(llvm::ArrayRef<uint8_t>)> sink);

} // namespace un0

#endif // UN0_LIB_CODEGEN_PACKWORDS_H
