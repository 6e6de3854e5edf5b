//===- Text.cpp - numbers and text as people read them ----------------------===//
#include "Text.h"

#include <charconv>
#include <cmath>
#include <cstdarg>
#include <cstdio>

namespace un0::report {

std::string format(const char *pattern, ...) {
  va_list arguments, again;
  va_start(arguments, pattern);
  va_copy(again, arguments);
  const int size = std::vsnprintf(nullptr, 0, pattern, arguments);
  va_end(arguments);
  std::string text(size > 0 ? size_t(size) + 1 : 1, '\0');
  if (size > 0)
    std::vsnprintf(text.data(), text.size(), pattern, again);
  va_end(again);
  text.pop_back();
  return text;
}

/// Three significant digits of 1 <= |value| < 1000, or what rounding makes of it.
static std::string threeDigits(double value) {
  const double size = std::fabs(value);
  return format(size < 9.995 ? "%.2f" : size < 99.95 ? "%.1f" : "%.0f", value);
}

std::string quantity(double value, const char *unit) {
  if (value == 0)
    return std::string("0 ") + unit;
  if (!std::isfinite(value))
    return std::string(value > 0 ? "infinite " : "undefined ") + unit;
  static constexpr const char *prefixes[] = {"a", "f", "p", "n", "µ", "m", "", "k", "M", "G", "T"};
  constexpr int first = -6, last = 4;
  int group = int(std::floor(std::log10(std::fabs(value)) / 3 + 1e-12));
  group = group < first ? first : group > last ? last : group;
  double scaled = value * std::pow(10.0, -3 * group);
  if (std::fabs(scaled) >= 999.5 && group < last) {
    ++group;
    scaled /= 1000;
  }
  if (std::fabs(scaled) < 0.01 || std::fabs(scaled) >= 999.5)
    return format("%.3g %s%s", scaled, prefixes[group - first], unit);
  return threeDigits(scaled) + " " + prefixes[group - first] + unit;
}

std::string exact(double value) {
  char text[40];
  auto [end, error] = std::to_chars(text, text + sizeof text, value);
  return error == std::errc() ? std::string(text, end) : "?";
}

std::string count(double value) {
  if (value != std::floor(value) || std::fabs(value) >= 1e15)
    return format("%.6g", value);
  std::string digits = format("%.0f", std::fabs(value));
  for (size_t at = digits.size(); at > 3;)
    digits.insert(at -= 3, "\xe2\x80\xaf"); // a narrow space that does not break
  return (value < 0 ? "-" : "") + digits;
}

std::string percent(double fraction) {
  const double value = fraction * 100;
  if (!std::isfinite(value))
    return "-";
  if (value != 0 && std::fabs(value) < 0.01)
    return "under 0.01 %";
  // What is not all must not read as all.
  if (value > 99.9 && value < 100)
    return "over 99.9 %";
  return format(std::fabs(value) < 0.995    ? "%.2g %%"
                : std::fabs(value) < 9.95   ? "%.1f %%"
                : value > 99 && value < 100 ? "%.1f %%"
                                            : "%.0f %%",
                value);
}

std::string ratio(double whole, double value) {
  if (value == 0)
    return whole == 0 ? "1x" : "infinitely more";
  const double quotient = whole / value;
  if (quotient >= 9.95)
    return count(std::round(quotient)) + "x";
  return format(quotient >= 0.0995 ? "%.2gx" : "%.1gx", quotient);
}

/// Length of the valid UTF-8 sequence at the start of `text` that is fit to be shown, or 0.
static size_t sequenceLength(std::string_view text) {
  const unsigned char lead = text[0];
  if (lead < 0x80)
    return lead >= 0x20 && lead != 0x7f ? 1 : 0;
  const size_t length = lead >= 0xc2 && lead < 0xe0   ? 2
                        : lead >= 0xe0 && lead < 0xf0 ? 3
                        : lead >= 0xf0 && lead < 0xf5 ? 4
                                                      : 0;
  if (!length || length > text.size())
    return 0;
  uint32_t code = lead & (0xff >> (length + 1));
  for (size_t i = 1; i < length; ++i) {
    const unsigned char next = text[i];
    if ((next & 0xc0) != 0x80)
      return 0;
    code = code << 6 | (next & 0x3f);
  }
  const uint32_t least = length == 3 ? 0x800 : length == 4 ? 0x10000 : 0xa0;
  const bool surrogate = code >= 0xd800 && code < 0xe000;
  return code >= least && code <= 0x10ffff && !surrogate ? length : 0;
}

std::string escape(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const size_t length = sequenceLength(text);
    const std::string_view piece = text.substr(0, length ? length : 1);
    if (!length)
      result += piece[0] == '\n' || piece[0] == '\t' ? " " : "\xef\xbf\xbd";
    else if (piece == "&")
      result += "&amp;";
    else if (piece == "<")
      result += "&lt;";
    else if (piece == ">")
      result += "&gt;";
    else if (piece == "\"")
      result += "&quot;";
    else if (piece == "'")
      result += "&#39;";
    else
      result += piece;
    text.remove_prefix(piece.size());
  }
  return result;
}

std::string base64(const void *data, size_t size) {
  static constexpr char digits[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const auto *bytes = static_cast<const unsigned char *>(data);
  std::string text;
  text.reserve((size + 2) / 3 * 4);
  for (size_t at = 0; at < size; at += 3) {
    const size_t left = size - at;
    const uint32_t word =
        bytes[at] << 16 | (left > 1 ? bytes[at + 1] << 8 : 0) | (left > 2 ? bytes[at + 2] : 0);
    text += digits[word >> 18];
    text += digits[word >> 12 & 63];
    text += left > 1 ? digits[word >> 6 & 63] : '=';
    text += left > 2 ? digits[word & 63] : '=';
  }
  return text;
}

} // namespace un0::report
