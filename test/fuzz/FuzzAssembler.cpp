//===- FuzzAssembler.cpp - hostile texts of programs ------------------------===//
//
// Any text is a program or has an error with a place. The text of what was accepted must be read as
// the same program.
//
//===----------------------------------------------------------------------===//
#include "un0/Target/DsaAssembler.h"
#include "un0/Target/DsaDisassembler.h"

#include <cstdlib>

using namespace un0;

static std::string textOf(const DsaModule &module) {
  std::string text;
  llvm::raw_string_ostream os(text);
  disassembleDsa(module, os);
  return text;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const std::string text(reinterpret_cast<const char *>(data), size);
  auto module = assembleDsa(text, "t");
  if (!module) {
    if (!llvm::StringRef(llvm::toString(module.takeError())).starts_with("t:"))
      std::abort();
    return 0;
  }
  const std::string printed = textOf(*module);
  auto again = assembleDsa(printed, "t");
  if (!again || textOf(*again) != printed ||
      dsa::encodeProgram(again->program) != dsa::encodeProgram(module->program))
    std::abort();
  return 0;
}
