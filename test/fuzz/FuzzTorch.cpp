//===- FuzzTorch.cpp - hostile torch checkpoints --------------------------===//
//
// An input that begins like a zip archive is read as one. A checksum guards the pickle in there,
// which a fuzzer cannot compute; any other input is therefore taken for the pickle of an otherwise
// good checkpoint.
//
//===----------------------------------------------------------------------===//

#include "lib/Import/ModelShape.h"
#include "lib/Import/Readers.h"
#include "test/unittests/Import/TorchWriter.h"

using namespace un0;

static void readAll(llvm::ArrayRef<uint8_t> file) {
  llvm::Expected<std::shared_ptr<Archive>> archive = Archive::read(file);
  if (!archive) {
    llvm::consumeError(archive.takeError());
    return;
  }
  // Every tensor of an archive that was taken can be read to its end.
  for (const auto &[key, tensor] : (*archive)->getTensors()) {
    std::vector<float> last(1);
    if (int64_t count = tensor.getNumElements())
      tensor.readF32(count - 1, last);
    if (tensor.bytes.size() > file.size())
      __builtin_trap();
  }
  if (llvm::Expected<import::ModelSpec> spec = import::inferModel(**archive, {}); !spec)
    llvm::consumeError(spec.takeError());
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  llvm::StringRef input(reinterpret_cast<const char *>(data), size);
  if (input.starts_with("PK")) {
    readAll({data, size});
    return 0;
  }
  std::string file;
  test::ZipWriter zip([&](llvm::StringRef bytes) { file += bytes; });
  zip.add("archive/data.pkl", input);
  for (const char *key : {"0", "1", "2"})
    zip.add("archive/data/" + std::string(key), std::string(64, '\x3f'));
  zip.finish();
  readAll({reinterpret_cast<const uint8_t *>(file.data()), file.size()});
  return 0;
}
