//===- DsaDisassembler.h - programs for accelerators as text ----*- C++ -*-===//

#ifndef UN0_TARGET_DSADISASSEMBLER_H
#define UN0_TARGET_DSADISASSEMBLER_H

#include "un0/Target/DsaModule.h"
#include "llvm/Support/raw_ostream.h"

namespace un0 {

/// Prints the one text of a verified module; assembleDsa reads an equal module from it.
void disassembleDsa(const DsaModule &module, llvm::raw_ostream &os, bool withSections = true);

} // namespace un0

#endif // UN0_TARGET_DSADISASSEMBLER_H
