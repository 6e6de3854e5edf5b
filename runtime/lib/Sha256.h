//===- Sha256.h - content hashes --------------------------------------------===//
#ifndef UN0_RUNTIME_LIB_SHA256_H
#define UN0_RUNTIME_LIB_SHA256_H

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace un0::rt {

using Digest = std::array<uint8_t, 32>;

/// SHA-256 of `size` bytes. False only when libcrypto cannot provide the algorithm.
bool sha256(const void *data, size_t size, Digest &digest);

/// Lower-case hexadecimal, 64 characters.
std::string toHex(const Digest &digest);

} // namespace un0::rt

#endif // UN0_RUNTIME_LIB_SHA256_H
