//===- Manifest.h - what a module says about itself -------------------------===//
#ifndef UN0_RUNTIME_LIB_MANIFEST_H
#define UN0_RUNTIME_LIB_MANIFEST_H

#include "Status.h"
#include "un0/module_generated.h"

#include <string>
#include <vector>

namespace un0::rt {

/// A verified manifest. Every string and vector of the schema that the runtime hands out is
/// present, if empty.
class Manifest {
public:
  /// Copies and verifies. `weightBytes` is the size of the weight section, `weightsExternal` where
  /// it is. A module with a program for an accelerator need not have code that evolves.
  Status parse(const uint8_t *data, size_t size, uint64_t weightBytes, bool weightsExternal,
               bool hasProgram);

  const format::Manifest *operator->() const { return root; }

private:
  // A copy: what was verified must not change underneath, and FlatBuffers wants its own alignment.
  std::vector<uint64_t> storage;
  const format::Manifest *root = nullptr;
};

} // namespace un0::rt

#endif // UN0_RUNTIME_LIB_MANIFEST_H
