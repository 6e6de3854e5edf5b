//===- JsonFile.h - files of what was chosen --------------------*- C++ -*-===//

#ifndef UN0_QUANTIZE_JSONFILE_H
#define UN0_QUANTIZE_JSONFILE_H

#include "llvm/Support/JSON.h"

namespace un0 {

/// The contents of a JSON file. The error does not name the file.
llvm::Expected<llvm::json::Value> readJsonFile(llvm::StringRef path);

/// Writes `value`, indented; the file is whole or as it was. The error names it.
llvm::Error writeJsonFile(llvm::StringRef path, const llvm::json::Value &value);

} // namespace un0

#endif // UN0_QUANTIZE_JSONFILE_H
