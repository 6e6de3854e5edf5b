//===- FuzzSafetensors.cpp - hostile safetensors files --------------------===//

#include "lib/Import/ModelShape.h"
#include "lib/Import/Readers.h"

using namespace un0;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  llvm::Expected<std::shared_ptr<Archive>> archive = Archive::read({data, size});
  if (!archive) {
    llvm::consumeError(archive.takeError());
    return 0;
  }
  // Every tensor of an archive that was taken can be read to its end.
  for (const auto &[key, tensor] : (*archive)->getTensors()) {
    std::vector<float> last(1);
    if (int64_t count = tensor.getNumElements())
      tensor.readF32(count - 1, last);
    if (tensor.bytes.size() > size)
      __builtin_trap();
  }
  if (llvm::Expected<import::ModelSpec> spec = import::inferModel(**archive, {}); !spec)
    llvm::consumeError(spec.takeError());
  return 0;
}
