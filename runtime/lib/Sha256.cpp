//===- Sha256.cpp - content hashes ------------------------------------------===//
#include "Sha256.h"

#include <openssl/evp.h>

namespace un0::rt {

bool sha256(const void *data, size_t size, Digest &digest) {
  // EVP and not the deprecated one-shot: only EVP is promised to pick the SHA instructions of the
  // CPU.
  unsigned length = 0;
  return EVP_Digest(data, size, digest.data(), &length, EVP_sha256(), nullptr) == 1 &&
         length == digest.size();
}

std::string toHex(const Digest &digest) {
  static const char digits[] = "0123456789abcdef";
  std::string text;
  for (uint8_t byte : digest) {
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

} // namespace un0::rt
