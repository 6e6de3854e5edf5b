//===- MappedFile.h - a file in memory --------------------------------------===//
#ifndef UN0_RUNTIME_LIB_MAPPEDFILE_H
#define UN0_RUNTIME_LIB_MAPPEDFILE_H

#include "Status.h"

#include <cstddef>
#include <cstdint>

namespace un0::rt {

/// A whole file, mapped privately and read-only; unmapped when destroyed.
class MappedFile {
public:
  MappedFile() = default;
  MappedFile(const MappedFile &) = delete;
  MappedFile &operator=(const MappedFile &) = delete;
  ~MappedFile();

  /// Maps `path`, which must be a regular file. An empty file maps to no bytes.
  Status open(const std::string &path);

  const uint8_t *data() const { return static_cast<const uint8_t *>(address); }
  size_t size() const { return length; }

private:
  void *address = nullptr;
  size_t length = 0;
};

/// Anonymous zeroed memory, page-aligned, with huge pages asked for; unmapped when destroyed.
class Memory {
public:
  Memory() = default;
  Memory(const Memory &) = delete;
  Memory &operator=(const Memory &) = delete;
  ~Memory();

  /// False when the memory cannot be had. Zero bytes still give a valid pointer.
  bool allocate(size_t bytes);

  uint8_t *data() const { return static_cast<uint8_t *>(address); }
  size_t size() const { return length; }

private:
  void *address = nullptr;
  size_t length = 0;
};

} // namespace un0::rt

#endif // UN0_RUNTIME_LIB_MAPPEDFILE_H
