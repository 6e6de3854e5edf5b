//===- Text.h - numbers and text as people read them ------------------------===//
#ifndef UN0_RUNTIME_REPORT_TEXT_H
#define UN0_RUNTIME_REPORT_TEXT_H

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace un0::report {

/// printf into a string.
std::string format(const char *pattern, ...) __attribute__((format(printf, 1, 2)));

/// Three significant digits with an SI prefix: 0.00123 and "J" give "1.23 mJ". Not for numbers
/// that somebody will compute with.
std::string quantity(double value, const char *unit);
inline std::string energy(double picojoules) { return quantity(picojoules * 1e-12, "J"); }
inline std::string seconds(double value) { return quantity(value, "s"); }

/// A number in its shortest form that reads back as the same double: what tables and JSON hold.
std::string exact(double value);

/// A whole number with its thousands apart, or six significant digits where it is not whole.
std::string count(double value);

/// "0.42 %", "73 %", "under 0.01 %".
std::string percent(double fraction);

/// "12x", "1.7x", "0.03x": how often `value` is contained in `whole`.
std::string ratio(double whole, double value);

/// For text and quoted attributes of HTML and SVG. Bytes that are no printable ASCII and no valid
/// UTF-8 become U+FFFD, so that a name from a file cannot spoil the page.
std::string escape(std::string_view text);

std::string base64(const void *data, size_t size);

} // namespace un0::report

#endif // UN0_RUNTIME_REPORT_TEXT_H
