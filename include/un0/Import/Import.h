//===- Import.h - checkpoints to un0 IR -------------------------*- C++ -*-===//

#ifndef UN0_IMPORT_IMPORT_H
#define UN0_IMPORT_IMPORT_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "un0/Import/Archive.h"

namespace un0 {

/// Steps of an integration that a model may ask for: more than any use has. A configuration that
/// asks for more is damaged.
constexpr int64_t kMaxSteps = 1'000'000;

struct ImportOptions {
  /// Let NaN and infinite weights by instead of refusing them by name.
  bool allowNonfinite = false;
};

/// Reads a model from any format that `un0c` takes, detected by content: torch checkpoint,
/// safetensors, or MLIR text or bytecode in the un0 dialect. The result is verified, and in the
/// `model` phase unless it is a module that says it is in another (`un0.phase`). Errors are one
/// line and say which tensor, what was expected and what was found.
llvm::Expected<mlir::OwningOpRef<mlir::ModuleOp>>
importModel(llvm::StringRef path, mlir::MLIRContext &context, const ImportOptions &options = {});

/// Opens each archive that `un0.param` ops of a module name, once. A relative name is looked for
/// beside `modulePath`.
class ArchiveSet {
public:
  explicit ArchiveSet(llvm::StringRef modulePath) : modulePath(modulePath) {}
  llvm::Expected<std::shared_ptr<Archive>> open(llvm::StringRef name);

private:
  std::string modulePath;
  llvm::StringMap<std::shared_ptr<Archive>> archives;
};

} // namespace un0

#endif // UN0_IMPORT_IMPORT_H
