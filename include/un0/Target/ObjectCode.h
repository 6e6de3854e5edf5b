//===- ObjectCode.h - LLVM dialect to linked machine code -------*- C++ -*-===//

#ifndef UN0_TARGET_OBJECTCODE_H
#define UN0_TARGET_OBJECTCODE_H

#include "mlir/IR/BuiltinOps.h"
#include "un0/Codegen/CpuTarget.h"

namespace un0 {

struct ObjectOptions {
  /// Assembly text with LLVM's comments instead of a linked object.
  bool assembly = false;
  /// Code for this processor, which has AVX2 and FMA, with the target's layouts, tiles and order of
  /// sums: what only AVX-512, VNNI and BF16 do is emulated, and slow. Null: code for the target.
  const CpuTarget *emulateOn = nullptr;
};

/// Compiles the LLVM functions of `module` (phase `llvm`) for `target` and links them into a
/// position-independent ELF shared object that imports nothing and exports the entries. Needs
/// `ld.lld`; fails with its message, or with the name of a symbol that the code would have to
/// import.
llvm::Expected<llvm::SmallVector<char, 0>>
compileToObject(mlir::ModuleOp module, const CpuTarget &target, const ObjectOptions &options = {});

} // namespace un0

#endif // UN0_TARGET_OBJECTCODE_H
