//===- Manifest.cpp - what a module says about itself -----------------------===//
#include "Manifest.h"

#include "un0/format.h"

#include <cinttypes>
#include <cmath>
#include <cstring>
#include <set>

namespace un0::rt {

// Far above any model of the family, far below what could exhaust a machine.
static constexpr size_t maxManifestBytes = size_t(64) << 20;
static constexpr uint32_t maxTables = 1u << 20;
static constexpr uint32_t maxOscillators = 1u << 22;
static constexpr uint32_t maxClasses = 1u << 24;
static constexpr uint32_t maxChannels = 64;
static constexpr uint32_t maxExtent = 1u << 14;
static constexpr uint32_t maxBatch = 1024;
static constexpr uint64_t maxArenaBytes = uint64_t(1) << 36;

static Status inRange(const char *what, uint64_t value, uint64_t low, uint64_t high) {
  if (value < low || value > high)
    return failure(UN0_ERROR_FORMAT,
                   "manifest says %s is %" PRIu64 ", outside %" PRIu64 "..%" PRIu64, what, value,
                   low, high);
  return {};
}

static Status present(const char *what, const void *field) {
  if (!field)
    return failure(UN0_ERROR_FORMAT, "manifest has no %s", what);
  return {};
}

static std::string_view view(const flatbuffers::String *text) {
  return {text->c_str(), text->size()};
}

static Status checkSignature(const format::Manifest &manifest) {
  const format::Signature *s = manifest.signature();
  UN0_RETURN_IF_FAILED(present("signature", s));
  UN0_RETURN_IF_FAILED(inRange("oscillators", s->oscillators(), 1, maxOscillators));
  UN0_RETURN_IF_FAILED(inRange("conditioning oscillators", s->conditioning(), 0, maxOscillators));
  UN0_RETURN_IF_FAILED(inRange("classes", s->classes(), 0, maxClasses));
  // The pairwise readout has N^2 differences, twice with the sine-cosine encoding.
  UN0_RETURN_IF_FAILED(inRange("features", s->features(), 1, UINT32_C(1) << 31));
  UN0_RETURN_IF_FAILED(inRange("channels", s->channels(), 1, maxChannels));
  UN0_RETURN_IF_FAILED(inRange("height", s->height(), 1, maxExtent));
  return inRange("width", s->width(), 1, maxExtent);
}

static Status checkEntries(const format::Manifest &manifest, bool hasProgram) {
  UN0_RETURN_IF_FAILED(present("entries", manifest.entries()));
  unsigned evolves = 0, readouts = 0, decodes = 0, evolveTeams = 0, decodeTeams = 0;
  for (const format::Entry *entry : *manifest.entries()) {
    UN0_RETURN_IF_FAILED(present("entry kind", entry->kind()));
    UN0_RETURN_IF_FAILED(present("entry symbol", entry->symbol()));
    std::string_view kind = view(entry->kind());
    UN0_RETURN_IF_FAILED(inRange("an entry's batch", entry->batch(), 1, maxBatch));
    if (kind == "evolve") {
      ++evolves;
      continue;
    }
    if (kind == "evolve_team" || kind == "decode_team") {
      ++(kind == "evolve_team" ? evolveTeams : decodeTeams);
      if (entry->batch() != 1)
        return failure(UN0_ERROR_FORMAT, "entry %s has batch %u, expected 1",
                       quoted(view(entry->symbol())).c_str(), entry->batch());
      continue;
    }
    if (kind != "readout" && kind != "decode")
      return failure(UN0_ERROR_FORMAT, "manifest has an entry of unknown kind %s",
                     quoted(kind).c_str());
    ++(kind == "readout" ? readouts : decodes);
    if (kind == "readout" && entry->batch() != 1)
      return failure(UN0_ERROR_FORMAT, "entry %s has batch %u, expected 1",
                     quoted(view(entry->symbol())).c_str(), entry->batch());
  }
  if (evolveTeams > 1 || decodeTeams > evolveTeams)
    return failure(UN0_ERROR_FORMAT,
                   "manifest has %u evolve_team and %u decode_team entries, expected at most one, "
                   "and the second only beside the first",
                   evolveTeams, decodeTeams);
  if ((evolves == 0 && !hasProgram) || readouts != 1 || decodes != 1)
    return failure(UN0_ERROR_FORMAT,
                   "manifest has %u evolve, %u readout and %u decode entries, expected at least "
                   "one evolve and one of each other",
                   evolves, readouts, decodes);
  return {};
}

static Status checkTensors(const format::Manifest &manifest, uint64_t weightBytes) {
  UN0_RETURN_IF_FAILED(present("tensors", manifest.tensors()));
  // A parameter may be packed in more than one way.
  std::set<std::pair<std::string_view, std::string_view>> names;
  for (const format::Tensor *tensor : *manifest.tensors()) {
    UN0_RETURN_IF_FAILED(present("tensor name", tensor->name()));
    UN0_RETURN_IF_FAILED(present("tensor shape", tensor->shape()));
    UN0_RETURN_IF_FAILED(present("tensor storage", tensor->storage()));
    UN0_RETURN_IF_FAILED(present("tensor packing", tensor->packing()));
    std::string name = quoted(view(tensor->name()));
    if (!names.emplace(view(tensor->name()), view(tensor->packing())).second)
      return failure(UN0_ERROR_FORMAT, "manifest lists tensor %s twice", name.c_str());
    // The verifier checks the alignment of a vector's length, not of its elements.
    if (reinterpret_cast<uintptr_t>(tensor->shape()->Data()) % alignof(int64_t))
      return failure(UN0_ERROR_FORMAT, "shape of tensor %s is not aligned", name.c_str());
    for (int64_t extent : *tensor->shape())
      if (extent < 0)
        return failure(UN0_ERROR_FORMAT, "tensor %s has a dimension of %" PRId64, name.c_str(),
                       extent);
    if (tensor->offset() % UN0_FORMAT_ALIGNMENT)
      return failure(UN0_ERROR_FORMAT, "tensor %s has offset %" PRIu64 ", not a multiple of %u",
                     name.c_str(), tensor->offset(), UN0_FORMAT_ALIGNMENT);
    if (tensor->offset() > weightBytes || tensor->size() > weightBytes - tensor->offset())
      return failure(UN0_ERROR_FORMAT,
                     "tensor %s at offset %" PRIu64 " with %" PRIu64
                     " bytes exceeds the weight section's %" PRIu64 " bytes",
                     name.c_str(), tensor->offset(), tensor->size(), weightBytes);
  }
  return {};
}

/// The name is joined to the module's folder, so it must not leave it.
static Status checkExternalName(const format::Manifest &manifest, bool weightsExternal) {
  std::string_view name;
  if (manifest.external_weights())
    name = view(manifest.external_weights());
  if (weightsExternal != !name.empty())
    return failure(UN0_ERROR_FORMAT, "weights are %s but the manifest names the weight file %s",
                   weightsExternal ? "external" : "embedded", quoted(name).c_str());
  if (name.find('/') != name.npos || name.find('\0') != name.npos || name == "." || name == "..")
    return failure(UN0_ERROR_FORMAT, "weight file %s is not a file name beside the module",
                   quoted(name).c_str());
  return {};
}

Status Manifest::parse(const uint8_t *data, size_t size, uint64_t weightBytes, bool weightsExternal,
                       bool hasProgram) {
  if (size > maxManifestBytes)
    return failure(UN0_ERROR_FORMAT, "manifest has %zu bytes, more than %zu", size,
                   maxManifestBytes);
  storage.assign((size + sizeof(uint64_t) - 1) / sizeof(uint64_t), 0);
  if (size)
    std::memcpy(storage.data(), data, size);
  flatbuffers::Verifier verifier(reinterpret_cast<const uint8_t *>(storage.data()), size,
                                 /*max_depth=*/16, maxTables);
  if (!format::VerifyManifestBuffer(verifier))
    return failure(UN0_ERROR_FORMAT, "manifest is damaged: it does not follow its schema");
  const format::Manifest *manifest = format::GetManifest(storage.data());

  if (manifest->abi_version() < UN0_CODE_ABI_OLDEST ||
      manifest->abi_version() > UN0_CODE_ABI_VERSION)
    return failure(UN0_ERROR_VERSION,
                   "module has code interface version %u but this runtime calls versions %u to %u; "
                   "compile the model again with a matching un0c",
                   manifest->abi_version(), UN0_CODE_ABI_OLDEST, UN0_CODE_ABI_VERSION);
  UN0_RETURN_IF_FAILED(checkSignature(*manifest));
  UN0_RETURN_IF_FAILED(checkEntries(*manifest, hasProgram));
  UN0_RETURN_IF_FAILED(checkTensors(*manifest, weightBytes));
  UN0_RETURN_IF_FAILED(checkExternalName(*manifest, weightsExternal));
  UN0_RETURN_IF_FAILED(inRange("arena size", manifest->arena_bytes(), 0, maxArenaBytes));
  if (const format::Compilation *how = manifest->compilation())
    if (!std::isfinite(how->time()) || how->steps() < 0)
      return failure(UN0_ERROR_FORMAT, "manifest says the model takes %" PRId64 " steps to time %g",
                     how->steps(), how->time());
  root = manifest;
  return {};
}

} // namespace un0::rt
