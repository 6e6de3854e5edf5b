//===- DsaAssembler.h - programs for accelerators from text -----*- C++ -*-===//

#ifndef UN0_TARGET_DSAASSEMBLER_H
#define UN0_TARGET_DSAASSEMBLER_H

#include "un0/Target/DsaModule.h"

namespace un0 {

/// Parses and verifies a program, and the sections that follow it, if any. The syntax is that of
/// docs/dsa/isa.md; `name` is the text's in messages, "name:line:column: error: ...".
llvm::Expected<DsaModule> assembleDsa(llvm::StringRef text, llvm::StringRef name);

} // namespace un0

#endif // UN0_TARGET_DSAASSEMBLER_H
