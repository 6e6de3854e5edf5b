//===- Packing.h - parameters in the order the kernels read them -*- C++ -*-===//

#ifndef UN0_CODEGEN_PACKING_H
#define UN0_CODEGEN_PACKING_H

#include "dialects/Cpu/IR/Cpu.h"
#include "un0/Import/Archive.h"

namespace un0 {

/// On a `cpu.packed_param` of f32 filters, not transformed: they are replaced by what their rounding
/// to bytes leaves, with the `input_exponents` there. How an int8 convolution errs, in f32.
inline constexpr llvm::StringLiteral kRoundedAttr = "cpu.rounded";

/// Packs a stored tensor as `packed` says, with the transforms of `param` (scale, zero diagonal)
/// applied, and hands it to `sink` piece by piece in file order. A piece is at most 16 rows of a
/// coupling, one class of a drive or one group of output channels, so a parameter is never held
/// whole. Fails where the tensor's shape is not what the packing needs, or with what `sink`
/// returns.
llvm::Error packParameter(ParamOp param, cpu::PackedParamOp packed, const StoredTensor &tensor,
                          llvm::function_ref<llvm::Error(llvm::ArrayRef<uint8_t>)> sink);

} // namespace un0

#endif // UN0_CODEGEN_PACKING_H
