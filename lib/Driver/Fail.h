//===- Fail.h - error lines of un0c -----------------------------*- C++ -*-===//

#ifndef UN0_LIB_DRIVER_FAIL_H
#define UN0_LIB_DRIVER_FAIL_H

#include "llvm/ADT/Twine.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/LogicalResult.h"
#include "llvm/Support/raw_ostream.h"

namespace un0 {

/// Says in one line what is wrong, and fails.
inline llvm::LogicalResult fail(llvm::raw_ostream &errors, const llvm::Twine &message) {
  errors << "un0c: error: " << message << "\n";
  return llvm::failure();
}

/// Something that un0c does, which may go wrong.
class Failing {
protected:
  explicit Failing(llvm::raw_ostream &errors) : errors(errors) {}

  llvm::LogicalResult fail(const llvm::Twine &message) { return un0::fail(errors, message); }
  llvm::LogicalResult fail(llvm::Error error) { return fail(llvm::toString(std::move(error))); }

  llvm::raw_ostream &errors;
};

} // namespace un0

#endif // UN0_LIB_DRIVER_FAIL_H
