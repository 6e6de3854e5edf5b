//===- DsaModule.h - a module around a program ------------------*- C++ -*-===//

#ifndef UN0_TARGET_DSAMODULE_H
#define UN0_TARGET_DSAMODULE_H

#include "Program.h"
#include "un0/format.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"
#include <vector>

namespace un0 {

/// A section of a module, as bytes; an external one only says what its file must be.
struct DsaSection {
  uint32_t kind = 0; // un0_section_kind, or a later one
  bool external = false;
  std::vector<char> bytes;
  uint64_t size = 0;       // of the file of an external one
  uint8_t sha256[32] = {}; // likewise
};

/// Everything that a module with a program says, in memory: what has a text form.
struct DsaModule {
  uint32_t formatMinor = UN0_FORMAT_MINOR;
  dsa::Program program;
  /// In the order of the file. That of the program has no bytes: it only marks the place.
  std::vector<DsaSection> sections;
};

/// Reads the file of a module that has a program. All of it is verified but the code section, which
/// may be for another CPU.
llvm::Expected<DsaModule> readDsaModule(llvm::ArrayRef<char> file);

/// Adds the sections of the module `file`, of any target, that `module` does not have. For programs
/// that were written by hand.
llvm::Error addSectionsOf(llvm::ArrayRef<char> file, DsaModule &module);

/// Writes the file. Fails when a section is missing or the program does not fit the manifest: when
/// the runtime would refuse it.
llvm::Error writeDsaModule(llvm::StringRef path, const DsaModule &module);

} // namespace un0

#endif // UN0_TARGET_DSAMODULE_H
