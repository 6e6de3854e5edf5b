//===- Readers.h - one function per archive format --------------*- C++ -*-===//
//
// Private to lib/Import and its tests. Every reader works on the bytes of a whole file, believes
// nothing it reads, and checks a size before it allocates or dereferences by it.
//
//===----------------------------------------------------------------------===//

#ifndef UN0_LIB_IMPORT_READERS_H
#define UN0_LIB_IMPORT_READERS_H

#include "un0/Import/Archive.h"
#include "llvm/ADT/Twine.h"

namespace un0::import {

/// What a reader makes of a file.
struct ArchiveContents {
  std::string format;
  std::map<std::string, StoredTensor> tensors;
  std::map<std::string, std::string> refusals;
  std::map<std::string, std::string> config;
};

enum class FileKind { Empty, Safetensors, Torch, LegacyTorch, Bytecode, Text, Unknown };

/// What a file is, by its first bytes.
FileKind detectFile(llvm::ArrayRef<uint8_t> file);

/// One line about a file that no reader takes.
llvm::Error makeUnknownFileError(llvm::ArrayRef<uint8_t> file);

llvm::Expected<ArchiveContents> readSafetensors(llvm::ArrayRef<uint8_t> file);
llvm::Expected<ArchiveContents> readTorchArchive(llvm::ArrayRef<uint8_t> file);

llvm::Error makeError(const llvm::Twine &message);

/// A name from a file, in quotes, fit for a message of one line: control characters are escaped,
/// long names are cut.
std::string quote(llvm::StringRef name);

/// "1024x8", or "scalar".
std::string describeShape(llvm::ArrayRef<int64_t> shape);

/// The number of elements of a shape; none if a dimension is negative or the product does not fit.
std::optional<int64_t> countElements(llvm::ArrayRef<int64_t> shape);

/// Removes every `_orig_mod` component, which torch.compile adds, from a dotted name.
std::string stripCompilePrefix(llvm::StringRef key);

/// Little-endian integers at an offset that the caller has checked.
uint16_t readU16(const uint8_t *bytes);
uint32_t readU32(const uint8_t *bytes);
uint64_t readU64(const uint8_t *bytes);

} // namespace un0::import

#endif // UN0_LIB_IMPORT_READERS_H
