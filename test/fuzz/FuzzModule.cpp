//===- FuzzModule.cpp - hostile modules -------------------------------------===//
//
// Container, manifest, program and ELF image, with hashes taken as right: whoever makes a hostile
// module also computes its hashes. No code is run. The first byte chooses what the rest is, so that
// each parser has inputs of its own.
//
//===----------------------------------------------------------------------===//
#include "Container.h"
#include "ElfImage.h"
#include "Manifest.h"
#include "Program.h"

#include <cstdlib>
#include <vector>

using namespace un0::rt;

static void load(const uint8_t *data, size_t size) {
  ElfImage image;
  if (image.load(data, size))
    return;
  for (const char *name : {"evolve1", "decode", "", "no such function"})
    (void)image.lookup(name);
}

/// Reads all of a manifest that was accepted, as the runtime's getters do.
static size_t readAll(const Manifest &manifest) {
  size_t total = 0;
  for (const auto *entry : *manifest->entries())
    total += entry->kind()->size() + entry->symbol()->size();
  for (const auto *tensor : *manifest->tensors()) {
    total += tensor->name()->size();
    for (int64_t extent : *tensor->shape())
      total += static_cast<size_t>(extent);
  }
  if (manifest->costs())
    for (const auto *cost : *manifest->costs())
      total += cost->op() ? cost->op()->size() : cost->count();
  if (manifest->features())
    for (const auto *feature : *manifest->features())
      total += feature->size();
  return total;
}

static void parseManifest(const uint8_t *data, size_t size, uint64_t weightBytes, bool external,
                          bool hasProgram) {
  Manifest manifest;
  if (!manifest.parse(data, size, weightBytes, external, hasProgram))
    if (readAll(manifest) == SIZE_MAX)
      std::abort(); // never true for so small an input; keeps the reads
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0)
    return 0;
  // An allocation of its own, aligned as a mapping is, and with nothing readable after it.
  std::vector<uint8_t> bytes(data + 1, data + size);
  switch (data[0] % 3) {
  case 0: {
    Container container;
    if (parseContainer(bytes.data(), bytes.size(), {false, false}, container))
      return 0;
    parseManifest(container.manifest.data, container.manifest.size, container.weights.size,
                  container.weightsExternal, container.program.present);
    if (un0::dsa::Program program; container.program.present)
      (void)un0::dsa::decodeProgram(container.program.data, container.program.size, program);
    load(container.code.data, container.code.size);
    break;
  }
  case 1:
    parseManifest(bytes.data(), bytes.size(), 192, false, false);
    parseManifest(bytes.data(), bytes.size(), 192, false, true);
    break;
  case 2:
    load(bytes.data(), bytes.size());
    break;
  }
  return 0;
}
