//===- ProgramFormat.h - the bytes of a program -----------------------------===//
//
// docs/dsa/isa.md, "Encoding". Header; hardware description and names, each padded to 8 bytes;
// tables of buffers, data and digital operators; instructions; then at a multiple of 64 bytes the
// payload: of every datum its levels and exact values, each padded to 64 bytes.
//
//===----------------------------------------------------------------------===//
#ifndef UN0_RUNTIME_DSA_PROGRAMFORMAT_H
#define UN0_RUNTIME_DSA_PROGRAMFORMAT_H

#include "Program.h"

namespace un0::dsa {

constexpr char kProgramMagic[8] = "UN0DSA\0";
constexpr size_t kHeaderBytes = 64, kBufferBytes = 16, kDataBytes = 56, kDigitalBytes = 64;
constexpr size_t kPayloadAlignment = 64;

/// Which arrays a datum has.
enum : uint32_t { kHasLevels = 1, kHasExact = 2 };

constexpr uint64_t alignUp(uint64_t value, uint64_t alignment) {
  return (value + alignment - 1) / alignment * alignment;
}

} // namespace un0::dsa

#endif // UN0_RUNTIME_DSA_PROGRAMFORMAT_H
