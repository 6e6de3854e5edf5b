//===- WriteOutput.h - write a result whole ---------------------*- C++ -*-===//

#ifndef UN0_TARGET_WRITEOUTPUT_H
#define UN0_TARGET_WRITEOUTPUT_H

#include "mlir/Support/LLVM.h"
#include "llvm/Support/Error.h"

namespace un0 {

/// Writes a file that appears under its name only when it is whole, or to standard output for "-".
/// Links are followed, and devices and pipes written to. The error names the file.
llvm::Error writeOutput(llvm::StringRef path, llvm::StringRef bytes);

} // namespace un0

#endif // UN0_TARGET_WRITEOUTPUT_H
