//===- Status.h - errors as values inside the runtime -----------------------===//
//
// What can fail returns a Status and writes its result through a reference. The runtime throws
// nothing itself; containers that get no memory do, and CApi.cpp turns that into a status.
//
//===----------------------------------------------------------------------===//
#ifndef UN0_RUNTIME_LIB_STATUS_H
#define UN0_RUNTIME_LIB_STATUS_H

#include "un0/runtime.h"

#include <string>
#include <string_view>

namespace un0::rt {

/// A status code with a one-line message; converts to true when something failed.
class [[nodiscard]] Status {
public:
  Status() = default;
  Status(un0_status code, std::string message) : code_(code), message_(std::move(message)) {}

  explicit operator bool() const { return code_ != UN0_OK; }
  un0_status code() const { return code_; }
  const std::string &message() const { return message_; }

private:
  un0_status code_ = UN0_OK;
  std::string message_;
};

/// A failure with a printf-formatted message.
Status failure(un0_status code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/// `text` from an untrusted file made fit for a message: printable ASCII, at most 400 characters,
/// in quotes.
std::string quoted(std::string_view text);

} // namespace un0::rt

#define UN0_RETURN_IF_FAILED(expression)                                                           \
  if (::un0::rt::Status status_ = (expression))                                                    \
  return status_

#endif // UN0_RUNTIME_LIB_STATUS_H
