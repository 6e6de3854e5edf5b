//===- Status.cpp - errors as values inside the runtime ---------------------===//
#include "Status.h"

#include <cstdarg>
#include <cstdio>

namespace un0::rt {

Status failure(un0_status code, const char *format, ...) {
  char buffer[sizeof(un0_error::message)];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(buffer, sizeof buffer, format, arguments);
  va_end(arguments);
  return Status(code, buffer);
}

std::string quoted(std::string_view text) {
  constexpr size_t limit = 400;
  std::string result = "'";
  for (char c : text.substr(0, limit))
    result += c >= 0x20 && c < 0x7f ? c : '?';
  if (text.size() > limit)
    result += "...";
  return result + "'";
}

} // namespace un0::rt
