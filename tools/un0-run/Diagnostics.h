//===- Diagnostics.h - what un0-run tells its user --------------------------===//
#ifndef UN0_TOOLS_UN0_RUN_DIAGNOSTICS_H
#define UN0_TOOLS_UN0_RUN_DIAGNOSTICS_H

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace un0run {

/// One line for `un0-run: error: ...` and any number for `un0-run: note: ...`.
struct Failure {
  std::string message;
  std::vector<std::string> notes;
};

/// Nothing when all went well.
using MaybeFailure = std::optional<Failure>;

inline Failure fail(std::string message, std::vector<std::string> notes = {}) {
  return {std::move(message), std::move(notes)};
}

} // namespace un0run

#endif // UN0_TOOLS_UN0_RUN_DIAGNOSTICS_H
