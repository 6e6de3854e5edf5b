//===- ModuleBuilder.h - synthetic modules ----------------------------------===//
#ifndef UN0_UNITTESTS_RUNTIME_MODULEBUILDER_H
#define UN0_UNITTESTS_RUNTIME_MODULEBUILDER_H

#include "un0/format.h"
#include "un0/module_generated.h"

#include <cstdint>
#include <string>
#include <vector>

namespace un0test {

using Bytes = std::vector<uint8_t>;

/// A module for Fixture.c. Tests change a field, then build.
struct ModuleSpec {
  struct Entry {
    std::string kind, symbol;
    uint32_t batch;
  };
  struct Tensor {
    std::string name;
    std::vector<int64_t> shape;
    uint64_t offset, size;
  };
  uint32_t abiVersion = UN0_CODE_ABI_VERSION;
  uint32_t oscillators = 20, conditioning = 3, classes = 4, features = 40;
  uint32_t channels = 3, height = 4, width = 4;
  std::vector<Entry> entries = {{"evolve", "evolve1", 1},
                                {"evolve", "evolve4", 4},
                                {"readout", "readout", 1},
                                {"decode", "decode", 3}};
  std::vector<Tensor> tensors = {{"K", {20}, 0, 80}};
  uint64_t arenaBytes = 4096;
  std::vector<std::string> cpuFeatures = {"sse2"};
  double time = 1.0;
  std::string externalWeights;

  Bytes code;
  Bytes weights = defaultWeights();
  Bytes model;
  Bytes program; // for an accelerator

  static Bytes defaultWeights();
};

Bytes buildManifest(const ModuleSpec &spec);

/// The container; its weights are left out when spec.externalWeights names a file.
Bytes buildModule(const ModuleSpec &spec);

/// The header of a module, to be changed in place.
un0_file_header &headerOf(Bytes &module);

/// Computes the header's hash anew, after a change to it.
void sealHeader(Bytes &module);

Bytes readBytes(const std::string &path);
void writeBytes(const std::string &path, const Bytes &bytes);

} // namespace un0test

#endif // UN0_UNITTESTS_RUNTIME_MODULEBUILDER_H
