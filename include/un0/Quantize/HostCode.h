//===- HostCode.h - code made and run while compiling -----------*- C++ -*-===//

#ifndef UN0_QUANTIZE_HOSTCODE_H
#define UN0_QUANTIZE_HOSTCODE_H

#include "mlir/IR/BuiltinOps.h"
#include "un0/Codegen/CpuTarget.h"
#include "un0/Import/Import.h"
#include <cstdlib>
#include <map>
#include <memory>

namespace un0 {

struct FreeHostMemory {
  void operator()(void *memory) const { std::free(memory); }
};
using HostMemory = std::unique_ptr<char, FreeHostMemory>;

/// `bytes` bytes on a line of the cache, in huge pages where the runtime would have them; null if
/// there are none left.
HostMemory allocateHost(int64_t bytes);

/// The entries of a module, loaded into this process.
class HostCode {
public:
  struct Entry {
    void *function = nullptr;
    int64_t batch = 0;
  };

  /// Compiles `module` (phase `fused` or `quantized`) for `target`, whose features this machine
  /// has. The module is LLVM IR afterwards.
  static llvm::Expected<HostCode> compile(mlir::ModuleOp module, const CpuTarget &target);
  HostCode() = default;
  HostCode(HostCode &&) = default;
  HostCode &operator=(HostCode &&) = default;

  /// The entry of `kind` with the largest batch; null functions if there is none.
  Entry find(llvm::StringRef kind) const;

  int64_t weightBytes = 0, arenaBytes = 0;

private:
  struct Close {
    void operator()(void *library) const;
  };
  std::unique_ptr<void, Close> library;
  std::map<std::string, Entry> entries; // by kind
};

/// Leaves `module` (phase `fused` or `quantized`) its readout and decoder only.
void removeDynamics(mlir::ModuleOp module);

/// Packs the parameters of `module`, as HostCode::compile left it, to where its code wants them.
llvm::Error packHostWeights(mlir::ModuleOp module, ArchiveSet &archives, char *to);

} // namespace un0

#endif // UN0_QUANTIZE_HOSTCODE_H
