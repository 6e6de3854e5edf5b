//===- ModuleWriter.h - write a `.un0` file ---------------------*- C++ -*-===//

#ifndef UN0_TARGET_MODULEWRITER_H
#define UN0_TARGET_MODULEWRITER_H

#include "mlir/IR/BuiltinOps.h"
#include "un0/Codegen/CpuTarget.h"
#include "un0/Import/Import.h"

namespace un0 {

struct ModuleContents {
  /// The linked code, and the model-phase bytecode for the reference device (empty: left out).
  llvm::ArrayRef<char> code, model;
  /// The encoded program for an accelerator (docs/dsa/isa.md); empty: left out.
  llvm::ArrayRef<char> program;
  /// File name of the checkpoint, for the record.
  std::string source;
  std::string sourceSha256; ///< of its bytes, hexadecimal; empty if it is no file
  std::string precision = "f32";
};

struct ModuleWriterOptions {
  /// Weights go to `<output>.weights` beside the module instead of into it.
  bool externalWeights = false;
  /// Called with bytes of weights written so far and in all.
  llvm::function_ref<void(uint64_t, uint64_t)> progress = nullptr;
};

/// SHA-256 of a file's bytes, hexadecimal.
llvm::Expected<std::string> hashFile(llvm::StringRef path);

/// Writes the module for `module` (phase `llvm`: entries, `un0.param`, `cpu.packed_param`, the
/// attributes of `un0-to-cpu`). Parameters are streamed from their archives. Files appear under
/// their names only when complete; on failure nothing is left.
llvm::Error writeModule(llvm::StringRef output, mlir::ModuleOp module, const CpuTarget &target,
                        const ModuleContents &contents, ArchiveSet &archives,
                        const ModuleWriterOptions &options = {});

} // namespace un0

#endif // UN0_TARGET_MODULEWRITER_H
