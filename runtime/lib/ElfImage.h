//===- ElfImage.h - the code section in memory ------------------------------===//
//
// A loader for exactly what un0c links: an x86-64 shared object that imports nothing, relocates
// itself only by its own address, and runs nothing when loaded. Everything else is refused by name.
// dlopen would need a file on disk, would look up symbols elsewhere, and would trust every number
// in it.
//
//===----------------------------------------------------------------------===//
#ifndef UN0_RUNTIME_LIB_ELFIMAGE_H
#define UN0_RUNTIME_LIB_ELFIMAGE_H

#include "Status.h"

#include <string_view>
#include <vector>

namespace un0::rt {

class ElfImage {
public:
  ElfImage() = default;
  ElfImage(const ElfImage &) = delete;
  ElfImage &operator=(const ElfImage &) = delete;
  ~ElfImage();

  /// Verifies `data`, copies its segments to anonymous memory, relocates, and sets the protection
  /// each segment asks for; no page is ever writable and executable.
  Status load(const uint8_t *data, size_t size);

  /// Address of the exported function `name`, or null. Never an address outside an executable
  /// segment.
  void *lookup(std::string_view name) const;

private:
  struct Segment {
    uint64_t begin, end; // virtual addresses of its memory, relative to `bias`
    uint64_t fileOffset, fileSize;
    int protection;
  };

  Status readSegments(const uint8_t *data, size_t size);
  Status map(const uint8_t *data);
  Status readDynamic();
  Status checkSymbols();
  Status relocate();
  Status countSymbols(uint64_t &count) const;
  Status protect();

  /// Copies a value from the image; false when it is not inside.
  template <typename T> bool read(uint64_t address, T &value) const;
  bool inImage(uint64_t address, uint64_t size) const;
  const Segment *segmentOf(uint64_t address, uint64_t size) const;
  /// The zero-terminated string at `offset` of the string table; false when it does not end inside.
  bool symbolName(uint32_t offset, std::string_view &name) const;

  std::vector<Segment> segments;
  uint8_t *base = nullptr; // of the mapping
  uint64_t bias = 0;       // virtual address at `base`
  uint64_t span = 0;       // bytes mapped
  uint64_t dynamicAddress = 0, dynamicSize = 0;
  uint64_t relroBegin = 0, relroEnd = 0;
  uint64_t symbolTable = 0, symbolCount = 0;
  uint64_t stringTable = 0, stringBytes = 0;
  uint64_t hashTable = 0, gnuHashTable = 0;
  uint64_t relaTable = 0, relaBytes = 0;
  bool hasLinkageTable = false;
};

} // namespace un0::rt

#endif // UN0_RUNTIME_LIB_ELFIMAGE_H
