//===- Archive.h - tensors of a checkpoint, mapped --------------*- C++ -*-===//
//
// A parameter archive is a file of named tensors: a torch checkpoint or a safetensors file. It is
// memory-mapped; a tensor is a view of the mapping, and conversion to f32 happens piece by piece,
// so that a parameter is never held twice.
//
//===----------------------------------------------------------------------===//

#ifndef UN0_IMPORT_ARCHIVE_H
#define UN0_IMPORT_ARCHIVE_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <map>
#include <memory>
#include <string>

namespace un0 {

enum class StorageType { F32, F16, BF16, F64, I64 };

/// Bytes of one element.
unsigned getStorageSize(StorageType type);
llvm::StringRef getStorageName(StorageType type);

/// One stored tensor: contiguous, row-major, `bytes.size() == elements * getStorageSize(type)`
/// (checked by the reader).
struct StoredTensor {
  StorageType type;
  llvm::SmallVector<int64_t, 4> shape;
  llvm::ArrayRef<uint8_t> bytes;

  int64_t getNumElements() const;
  /// Converts elements [first, first + out.size()) to f32. The range must be inside the tensor.
  /// Storage need not be aligned.
  void readF32(int64_t first, llvm::MutableArrayRef<float> out) const;
  /// The same to f64.
  void readF64(int64_t first, llvm::MutableArrayRef<double> out) const;
};

/// A checkpoint, opened and checked. Keys are as stored, but for a `_orig_mod.` prefix component,
/// which is removed.
class Archive {
public:
  /// Detects the format by content. Fails with one line that says what is wrong with which part of
  /// the file.
  static llvm::Expected<std::shared_ptr<Archive>> open(llvm::StringRef path);
  virtual ~Archive() = default;

  /// Reads an archive that is already in memory; `bytes` must outlive it. The message of a failure
  /// names no file.
  static llvm::Expected<std::shared_ptr<Archive>> read(llvm::ArrayRef<uint8_t> bytes);

  const StoredTensor *find(llvm::StringRef key) const;
  /// Why the archive's tensor `key` cannot be used as a weight, for example its type or its
  /// strides; null if it can, or if there is none. Such a tensor is no error in itself: a
  /// checkpoint holds much that no model needs.
  const std::string *findRefusal(llvm::StringRef key) const;
  /// Tells the system that elements [first, first + count) will not be read again soon, so that one
  /// pass over a large parameter leaves nothing resident. Reading them later is correct and costs a
  /// page fault.
  void release(const StoredTensor &tensor, int64_t first, int64_t count) const;
  const std::map<std::string, StoredTensor> &getTensors() const { return tensors; }
  /// Configuration: safetensors `__metadata__`, or the torch checkpoint's `config`, values as text.
  const std::map<std::string, std::string> &getConfig() const { return config; }
  /// "safetensors" or "torch".
  llvm::StringRef getFormat() const { return format; }
  uint64_t getFileSize() const { return fileSize; }

protected:
  std::map<std::string, StoredTensor> tensors;
  std::map<std::string, std::string> refusals;
  std::map<std::string, std::string> config;
  std::string format;
  uint64_t fileSize = 0;
  /// Whether the bytes are a mapped file, whose pages the system can drop and read again.
  bool mapped = false;
};

} // namespace un0

#endif // UN0_IMPORT_ARCHIVE_H
