//===- ZipDirectory.cpp - the entries of a zip archive --------------------===//
//
// After PKWARE's APPNOTE 6.3.9, sections 4.3 and 4.5.3. Only what torch writes is taken.
//
//===----------------------------------------------------------------------===//

#include "ZipDirectory.h"
#include "Readers.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/CRC.h"

using namespace un0;
using namespace un0::import;
using llvm::ArrayRef;
using llvm::Error;
using llvm::Expected;
using llvm::StringRef;
using llvm::Twine;

namespace {

constexpr uint32_t kLocalHeader = 0x04034b50, kCentralHeader = 0x02014b50, kEndRecord = 0x06054b50;
constexpr uint32_t kEnd64Record = 0x06064b50, kEnd64Locator = 0x07064b50;
constexpr size_t kLocalSize = 30, kCentralSize = 46, kEndSize = 22, kEnd64Size = 56,
                 kLocatorSize = 20;
constexpr uint16_t kEncrypted = 1 << 0, kDataDescriptor = 1 << 3, kStrongEncryption = 1 << 6;
/// A field that holds this has its value in the ZIP64 extra field.
constexpr uint32_t kElsewhere = 0xffffffff;

/// What the central directory says of one entry.
struct CentralEntry {
  std::string name;
  uint16_t flags = 0;
  uint32_t crc = 0;
  uint64_t size = 0, localOffset = 0;
};

/// Where the central directory is.
struct DirectoryRange {
  uint64_t offset = 0, size = 0, entries = 0;
};

class ZipReader {
public:
  explicit ZipReader(ArrayRef<uint8_t> file) : file(file) {}

  Expected<ZipDirectory> read() {
    DirectoryRange range;
    if (Error error = findDirectory(range))
      return error;
    std::vector<CentralEntry> entries;
    if (Error error = readCentral(range, entries))
      return error;

    // In file order an overlap is between neighbours.
    llvm::sort(entries, [](const CentralEntry &a, const CentralEntry &b) {
      return a.localOffset < b.localOffset;
    });
    ZipDirectory directory;
    uint64_t end = 0;
    std::string previous;
    for (const CentralEntry &entry : entries) {
      if (entry.localOffset < end)
        return makeError("zip entries " + quote(previous) + " and " + quote(entry.name) +
                         " overlap");
      ArrayRef<uint8_t> bytes;
      if (Error error = readLocal(entry, range.offset, bytes))
        return error;
      end = (bytes.data() - file.data()) + bytes.size();
      previous = entry.name;
      if (!directory.try_emplace(entry.name, ZipEntry{bytes, entry.crc}).second)
        return makeError("zip entry " + quote(entry.name) + " occurs twice");
    }
    return directory;
  }

private:
  /// Whether [offset, offset + size) is inside the file; neither sum nor difference wraps.
  bool isInside(uint64_t offset, uint64_t size) const {
    return offset <= file.size() && size <= file.size() - offset;
  }

  Error findDirectory(DirectoryRange &range) {
    if (file.size() < kEndSize)
      return makeError("the zip archive is truncated: " + Twine(file.size()) + " bytes");
    // The end record is the last thing but for a comment of at most 65535 bytes; it must end where
    // the file ends.
    uint64_t last = file.size() - kEndSize, first = last - std::min<uint64_t>(last, 0xffff);
    for (uint64_t at = last + 1; at-- > first;) {
      const uint8_t *record = file.data() + at;
      if (readU32(record) == kEndRecord && readU16(record + 20) == last - at)
        return readEnd(at, range);
    }
    return makeError("the zip archive has no end record; the file is truncated");
  }

  Error readEnd(uint64_t at, DirectoryRange &range) {
    const uint8_t *record = file.data() + at;
    if (readU16(record + 4) != readU16(record + 6) || readU16(record + 8) != readU16(record + 10))
      return makeError("the zip archive is one part of several");
    range = {readU32(record + 16), readU32(record + 12), readU16(record + 10)};
    uint64_t limit = at;
    bool needs64 =
        range.offset == kElsewhere || range.size == kElsewhere || range.entries == 0xffff;
    if (at >= kLocatorSize && readU32(file.data() + at - kLocatorSize) == kEnd64Locator) {
      limit = readU64(file.data() + at - kLocatorSize + 8);
      if (!isInside(limit, kEnd64Size) || limit > at - kLocatorSize ||
          readU32(file.data() + limit) != kEnd64Record)
        return makeError("the zip archive's ZIP64 end record is not where its locator says");
      const uint8_t *record64 = file.data() + limit;
      DirectoryRange range64 = {readU64(record64 + 48), readU64(record64 + 40),
                                readU64(record64 + 32)};
      if ((range.offset != kElsewhere && range.offset != range64.offset) ||
          (range.size != kElsewhere && range.size != range64.size) ||
          (range.entries != 0xffff && range.entries != range64.entries))
        return makeError("the zip archive's two end records contradict each other");
      range = range64;
    } else if (needs64) {
      return makeError("the zip archive has no ZIP64 end record; the file is truncated or altered");
    }
    if (range.offset > limit || range.size > limit - range.offset)
      return makeError("the zip archive's directory, " + Twine(range.size) + " bytes at " +
                       Twine(range.offset) +
                       ", is not inside the file; the file is truncated or altered");
    if (range.entries > range.size / kCentralSize)
      return makeError("the zip archive claims " + Twine(range.entries) +
                       " entries in a directory of " + Twine(range.size) + " bytes");
    return Error::success();
  }

  Error readCentral(const DirectoryRange &range, std::vector<CentralEntry> &entries) {
    ArrayRef<uint8_t> directory = file.slice(range.offset, range.size);
    entries.reserve(range.entries);
    for (uint64_t i = 0; i < range.entries; ++i) {
      if (directory.size() < kCentralSize || readU32(directory.data()) != kCentralHeader)
        return makeError("the zip archive's directory is damaged at entry " + Twine(i));
      const uint8_t *header = directory.data();
      uint16_t nameSize = readU16(header + 28), extraSize = readU16(header + 30),
               commentSize = readU16(header + 32);
      if (directory.size() - kCentralSize < size_t(nameSize) + extraSize + commentSize)
        return makeError("the zip archive's directory is damaged at entry " + Twine(i));
      CentralEntry entry;
      entry.name.assign(reinterpret_cast<const char *>(header) + kCentralSize, nameSize);
      entry.flags = readU16(header + 8);
      entry.crc = readU32(header + 16);
      uint64_t packed = readU32(header + 20);
      entry.size = readU32(header + 24);
      entry.localOffset = readU32(header + 42);
      ArrayRef<uint8_t> extra = directory.slice(kCentralSize + nameSize, extraSize);
      if (Error error = readExtra64(entry, packed, extra))
        return error;
      if (entry.flags & (kEncrypted | kStrongEncryption))
        return makeError("zip entry " + quote(entry.name) + " is encrypted");
      if (uint16_t method = readU16(header + 10))
        return makeError("zip entry " + quote(entry.name) + " is compressed (method " +
                         Twine(method) + "); torch stores entries as they are");
      if (packed != entry.size)
        return makeError("zip entry " + quote(entry.name) + " is stored but has two sizes, " +
                         Twine(packed) + " and " + Twine(entry.size));
      entries.push_back(std::move(entry));
      directory = directory.drop_front(kCentralSize + nameSize + extraSize + commentSize);
    }
    if (!directory.empty())
      return makeError("the zip archive's directory has " + Twine(directory.size()) +
                       " bytes too many");
    return Error::success();
  }

  /// Takes the values that do not fit in 32 bits from the ZIP64 extra field, which holds only
  /// those, in this order.
  Error readExtra64(CentralEntry &entry, uint64_t &packed, ArrayRef<uint8_t> extra) {
    auto fail = [&] {
      return makeError("zip entry " + quote(entry.name) + " has a damaged extra field");
    };
    bool found = false;
    while (extra.size() >= 4) {
      uint16_t id = readU16(extra.data()), size = readU16(extra.data() + 2);
      if (extra.size() - 4 < size)
        return fail();
      ArrayRef<uint8_t> field = extra.slice(4, size);
      extra = extra.drop_front(4 + size);
      if (id != 1)
        continue;
      if (std::exchange(found, true))
        return fail();
      for (uint64_t *value : {&entry.size, &packed, &entry.localOffset}) {
        if (*value != kElsewhere)
          continue;
        if (field.size() < 8)
          return fail();
        *value = readU64(field.data());
        field = field.drop_front(8);
      }
    }
    return Error::success();
  }

  /// Checks the entry's local header and finds its bytes, which must end before the directory
  /// begins.
  Error readLocal(const CentralEntry &entry, uint64_t limit, ArrayRef<uint8_t> &bytes) {
    auto fail = [&](const Twine &message) {
      return makeError("zip entry " + quote(entry.name) + " " + message);
    };
    auto isBefore = [&](uint64_t offset, uint64_t size) {
      return offset <= limit && size <= limit - offset;
    };
    if (!isBefore(entry.localOffset, kLocalSize))
      return fail("begins at byte " + Twine(entry.localOffset) + ", outside the archive");
    const uint8_t *header = file.data() + entry.localOffset;
    if (readU32(header) != kLocalHeader)
      return fail("has no header at byte " + Twine(entry.localOffset));
    uint16_t flags = readU16(header + 6), method = readU16(header + 8);
    uint16_t nameSize = readU16(header + 26), extraSize = readU16(header + 28);
    uint64_t nameOffset = entry.localOffset + kLocalSize;
    if (!isBefore(nameOffset, uint64_t(nameSize) + extraSize))
      return fail("has a header outside the archive");
    StringRef name(reinterpret_cast<const char *>(file.data()) + nameOffset, nameSize);
    if (name != entry.name)
      return fail("is called " + quote(name) + " in its own header");
    if (method != 0 || (flags & (kEncrypted | kStrongEncryption)))
      return fail("is compressed or encrypted by its own header");
    uint32_t crc = readU32(header + 14), packed = readU32(header + 18), size = readU32(header + 22);
    // With a data descriptor the values follow the bytes and are zero here; torch writes that.
    bool deferred = flags & kDataDescriptor;
    auto agrees = [&](uint32_t local, uint64_t central) {
      return local == central || local == kElsewhere || (deferred && local == 0);
    };
    if (!agrees(packed, entry.size) || !agrees(size, entry.size))
      return fail("has " + Twine(size) + " bytes by its own header and " + Twine(entry.size) +
                  " by the directory");
    if (crc != entry.crc && !(deferred && crc == 0))
      return fail("has two checksums");
    uint64_t dataOffset = nameOffset + nameSize + extraSize;
    if (!isBefore(dataOffset, entry.size))
      return fail("has " + Twine(entry.size) + " bytes at " + Twine(dataOffset) +
                  ", which do not fit before the directory at " + Twine(limit));
    bytes = file.slice(dataOffset, entry.size);
    return Error::success();
  }

  ArrayRef<uint8_t> file;
};

} // namespace

Expected<ZipDirectory> import::readZipDirectory(ArrayRef<uint8_t> file) {
  return ZipReader(file).read();
}

Error import::checkZipEntry(StringRef name, const ZipEntry &entry) {
  uint32_t found = llvm::crc32(entry.bytes);
  if (found == entry.crc)
    return Error::success();
  return makeError("zip entry " + quote(name) + " is damaged: its checksum is " +
                   Twine::utohexstr(found) + " instead of " + Twine::utohexstr(entry.crc));
}
