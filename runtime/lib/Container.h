//===- Container.h - the sections of a `.un0` file --------------------------===//
#ifndef UN0_RUNTIME_LIB_CONTAINER_H
#define UN0_RUNTIME_LIB_CONTAINER_H

#include "Status.h"
#include "un0/format.h"

namespace un0::rt {

/// Bytes of one section; `present` tells an absent section from an empty one.
struct SectionBytes {
  const uint8_t *data = nullptr;
  uint64_t size = 0;
  bool present = false;
};

/// Where the parts of a verified file are. Pointers are into the bytes that were parsed.
struct Container {
  un0_file_header header;
  SectionBytes manifest, code, model, program;
  SectionBytes weights; // no data yet when external
  bool weightsExternal = false;
  uint8_t weightsSha256[32];
};

struct ContainerChecks {
  bool hashes = true;       // SHA-256 of the header and of every section but the weights
  bool weightHashes = true; // SHA-256 of embedded weights
};

/// Checks everything a container promises before anything in it is interpreted: magic, version,
/// header, section table, padding, hashes. `data` is the whole file and must outlive `container`.
Status parseContainer(const uint8_t *data, size_t size, ContainerChecks checks,
                      Container &container);

/// Fails when `data` does not have the hash `expected`. `what` names it in the message: "weight
/// section".
Status checkHash(const char *what, const uint8_t *data, size_t size, const uint8_t expected[32]);

} // namespace un0::rt

#endif // UN0_RUNTIME_LIB_CONTAINER_H
