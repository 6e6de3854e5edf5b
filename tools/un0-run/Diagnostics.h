//===- Diagnostics.h - what un0-run and un0-bench tell their user -----------===//
#ifndef UN0_TOOLS_UN0_RUN_DIAGNOSTICS_H
#define UN0_TOOLS_UN0_RUN_DIAGNOSTICS_H

#include <cstdio>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace un0run {

/// One line for `TOOL: error: ...` and any number for `TOOL: note: ...`.
struct Failure {
  std::string message;
  std::vector<std::string> notes;
};

/// Nothing when all went well.
using MaybeFailure = std::optional<Failure>;

inline Failure fail(std::string message, std::vector<std::string> notes = {}) {
  return {std::move(message), std::move(notes)};
}

/// Prints a failure of `tool`; returns the exit status.
inline int report(const char *tool, const Failure &failure) {
  std::fprintf(stderr, "%s: error: %s\n", tool, failure.message.c_str());
  for (const std::string &note : failure.notes)
    std::fprintf(stderr, "%s: note: %s\n", tool, note.c_str());
  return 1;
}

} // namespace un0run

#endif // UN0_TOOLS_UN0_RUN_DIAGNOSTICS_H
