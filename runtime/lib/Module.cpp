//===- Module.cpp - an open module ------------------------------------------===//
#include "Module.h"

#include "CpuFeatures.h"
#include "Simulator.h"

#include <algorithm>
#include <cinttypes>
#include <cstring>
#include <new>
#include <sys/mman.h>

using namespace un0::rt;

size_t un0_module::imageFloats() const {
  const auto *s = manifest->signature();
  // At most 64 * 2^14 * 2^14: checked with the manifest.
  return size_t(s->channels()) * s->height() * s->width();
}

std::vector<uint32_t> un0_module::batches() const {
  // Half of the simulator's lanes take half of the time.
  if (isSimulated())
    return {un0::dsa::Simulator::kLanes, un0::dsa::Simulator::kLanes / 2};
  std::vector<uint32_t> batches;
  for (const Evolve &evolve : evolves)
    batches.push_back(evolve.batch);
  return batches;
}

uint32_t un0_module::widestBatch() const {
  return isSimulated() ? un0::dsa::Simulator::kLanes : evolves.front().batch;
}

bool un0_module::paysToSplit() const {
  if (!team || evolves.empty() || evolves.back().batch != 1)
    return false;
  for (const un0::format::Tensor *tensor : *manifest->tensors())
    if (tensor->packing()->string_view() == "rows16" && tensor->size() >= UN0_LEAST_SPLIT_BYTES)
      return true;
  return false;
}

static Status openWeightFile(const std::string &path, uint64_t size, const uint8_t sha256[32],
                             bool checkBytes, MappedFile &file) {
  if (Status status = file.open(path))
    return failure(status.code(), "weights are in a second file: %s", status.message().c_str());
  if (file.size() != size)
    return failure(UN0_ERROR_FORMAT, "weight file %s has %zu bytes, the module says %" PRIu64,
                   quoted(path).c_str(), file.size(), size);
  if (!checkBytes)
    return {};
  return checkHash(("weight file " + quoted(path)).c_str(), file.data(), file.size(), sha256);
}

Status un0_module::openWeights(const std::string &modulePath, uint32_t flags) {
  const uint64_t size = container.weights.size;
  weights = container.weights.data;
  if (container.weightsExternal) {
    size_t slash = modulePath.rfind('/');
    std::string folder = slash == modulePath.npos ? "" : modulePath.substr(0, slash + 1);
    UN0_RETURN_IF_FAILED(openWeightFile(folder + manifest->external_weights()->str(), size,
                                        container.weightsSha256,
                                        !(flags & UN0_OPEN_SKIP_WEIGHT_HASH), weightFile));
    weights = weightFile.data();
  }
  if (flags & UN0_OPEN_COPY_WEIGHTS) {
    if (!weightCopy.allocate(size))
      return failure(UN0_ERROR_OUT_OF_MEMORY, "cannot get %" PRIu64 " bytes for a copy of weights",
                     size);
    if (size)
      std::memcpy(weightCopy.data(), weights, size);
    weights = weightCopy.data();
  } else if (size) {
    // Advice must begin on a page; failing (no huge pages for files) changes only speed.
    auto begin = reinterpret_cast<uintptr_t>(weights) & ~uintptr_t(4095);
    auto *address = reinterpret_cast<void *>(begin);
    size_t length = reinterpret_cast<uintptr_t>(weights) + size - begin;
    (void)madvise(address, length, MADV_WILLNEED);
    (void)madvise(address, length, MADV_HUGEPAGE);
  }
  return {};
}

Status un0_module::bindEntries() {
  for (const un0::format::Entry *entry : *manifest->entries()) {
    void *address = code.lookup({entry->symbol()->c_str(), entry->symbol()->size()});
    if (!address)
      return failure(UN0_ERROR_FORMAT, "code section does not export the function %s",
                     quoted(entry->symbol()->str()).c_str());
    std::string kind = entry->kind()->str();
    if (kind == "readout")
      readout = reinterpret_cast<un0_readout_fn>(address);
    else if (kind == "evolve_team")
      team = reinterpret_cast<un0_evolve_team_fn>(address);
    else if (kind == "decode_team")
      decodeTeam = reinterpret_cast<un0_decode_team_fn>(address);
    else if (kind == "decode") {
      decode = reinterpret_cast<un0_decode_fn>(address);
      decodeBatch = entry->batch();
    } else
      evolves.push_back({entry->batch(), reinterpret_cast<un0_evolve_fn>(address)});
  }
  std::sort(evolves.begin(), evolves.end(),
            [](const Evolve &a, const Evolve &b) { return a.batch > b.batch; });
  auto twice =
      std::adjacent_find(evolves.begin(), evolves.end(),
                         [](const Evolve &a, const Evolve &b) { return a.batch == b.batch; });
  if (twice != evolves.end())
    return failure(UN0_ERROR_FORMAT, "manifest has two evolve entries of batch %u", twice->batch);
  return {};
}

Status un0::rt::checkProgramFits(const dsa::Program &program, const Manifest &manifest) {
  const auto *s = manifest->signature();
  if (program.oscillators != s->oscillators() || program.conditioning != s->conditioning() ||
      program.classes != s->classes())
    return failure(
        UN0_ERROR_FORMAT,
        "program is for %u + %u oscillators and %u classes, the module has %u + %u and %u",
        program.oscillators, program.conditioning, program.classes, s->oscillators(),
        s->conditioning(), s->classes());
  bool evolves = false;
  for (const format::Entry *entry : *manifest->entries())
    evolves |= entry->kind()->string_view() == "evolve";
  const bool oscillators = program.hardware.kind == dsa::HardwareKind::Oscillators;
  // Either would be a right to run, and the caller would not know which one did.
  if (evolves && oscillators)
    return failure(UN0_ERROR_FORMAT,
                   "hardware %s has oscillators, but the module has evolve entries beside its "
                   "program",
                   quoted(program.hardware.name).c_str());
  if (!evolves && !oscillators)
    return failure(UN0_ERROR_FORMAT,
                   "hardware %s computes digitally, but the module has no evolve entry",
                   quoted(program.hardware.name).c_str());
  return {};
}

Status un0_module::openProgram() {
  if (!container.program.present)
    return {};
  program.reset(new (std::nothrow) un0::dsa::Program);
  if (!program)
    return failure(UN0_ERROR_OUT_OF_MEMORY, "cannot get memory for a program");
  UN0_RETURN_IF_FAILED(
      un0::dsa::decodeProgram(container.program.data, container.program.size, *program));
  return checkProgramFits(*program, manifest);
}

Status un0_module::read(const std::string &path, uint32_t flags) {
  UN0_RETURN_IF_FAILED(file.open(path));
  ContainerChecks checks;
  checks.weightHashes = !(flags & UN0_OPEN_SKIP_WEIGHT_HASH);
  UN0_RETURN_IF_FAILED(parseContainer(file.data(), file.size(), checks, container));
  return manifest.parse(container.manifest.data, container.manifest.size, container.weights.size,
                        container.weightsExternal, container.program.present);
}

Status un0_module::open(const std::string &path, uint32_t flags) {
  UN0_RETURN_IF_FAILED(read(path, flags));
  std::vector<std::string_view> features;
  if (manifest->features())
    for (const flatbuffers::String *feature : *manifest->features())
      features.emplace_back(feature->c_str(), feature->size());
  UN0_RETURN_IF_FAILED(code.load(container.code.data, container.code.size));
  // After the machine was checked: features mean nothing for code of another one.
  UN0_RETURN_IF_FAILED(checkCpuFeatures(features));
  UN0_RETURN_IF_FAILED(bindEntries());
  UN0_RETURN_IF_FAILED(openProgram());
  return openWeights(path, flags);
}
