//===- ZipDirectory.h - the entries of a zip archive ------------*- C++ -*-===//

#ifndef UN0_LIB_IMPORT_ZIPDIRECTORY_H
#define UN0_LIB_IMPORT_ZIPDIRECTORY_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <map>
#include <string>

namespace un0::import {

/// One stored (uncompressed) entry.
struct ZipEntry {
  llvm::ArrayRef<uint8_t> bytes;
  uint32_t crc = 0;
};

/// Entries by name.
using ZipDirectory = std::map<std::string, ZipEntry, std::less<>>;

/// Reads the central directory of a zip or ZIP64 archive and holds it against the local headers.
/// Torch writes entries uncompressed, and only those are taken: there is nothing to unpack, hence
/// no zip bomb. Compressed, encrypted, overlapping and out-of-range entries, two of one name, and
/// headers that contradict each other are refused by name.
llvm::Expected<ZipDirectory> readZipDirectory(llvm::ArrayRef<uint8_t> file);

/// Compares the entry's bytes with the checksum of the directory.
llvm::Error checkZipEntry(llvm::StringRef name, const ZipEntry &entry);

} // namespace un0::import

#endif // UN0_LIB_IMPORT_ZIPDIRECTORY_H
