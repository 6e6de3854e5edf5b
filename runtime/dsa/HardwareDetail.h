//===- HardwareDetail.h - inside of the hardware descriptions ----------------===//
#ifndef UN0_RUNTIME_DSA_HARDWAREDETAIL_H
#define UN0_RUNTIME_DSA_HARDWAREDETAIL_H

#include "Hardware.h"

#include <cstdarg>
#include <cstddef>

namespace un0::dsa {

/// A file of runtime/dsa/hardware as it was at build time.
struct HardwareFile {
  const char *name;
  const unsigned char *data;
  size_t size;
};
extern const HardwareFile kHardwareFiles[];
extern const size_t kHardwareFileCount;

/// Longer descriptions are refused before they are read.
constexpr size_t kMaxHardwareBytes = size_t(1) << 20;

/// Everything but the text's form: constants, units, ranges, contradictions.
Status checkHardware(const Hardware &hardware, const std::string &origin);

/// A message that begins with where the description is from.
Status hardwareFailure(const std::string &origin, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));

} // namespace un0::dsa

#endif // UN0_RUNTIME_DSA_HARDWAREDETAIL_H
