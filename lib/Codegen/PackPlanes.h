//===- PackPlanes.h - transformed convolutions, packed ----------*- C++ -*-===//

#ifndef UN0_LIB_CODEGEN_PACKPLANES_H
#define UN0_LIB_CODEGEN_PACKPLANES_H

#include "dialects/Cpu/IR/Cpu.h"
#include "un0/Import/Archive.h"

namespace un0 {

/// Transforms the weights of a 3x3 convolution in f64 for the form of `packed`, and packs them as
/// it says. Fails where the tensor has not four dimensions, or with what `sink` returns.
llvm::Error packPlanes(ParamOp param, cpu::PackedParamOp packed, const StoredTensor &tensor,
                       llvm::function_ref<llvm::Error(llvm::ArrayRef<uint8_t>)> sink);

} // namespace un0

#endif // UN0_LIB_CODEGEN_PACKPLANES_H
