//===- ModuleBuilder.cpp - synthetic modules --------------------------------===//
#include "ModuleBuilder.h"

#include "Sha256.h"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>

namespace un0test {

namespace format = un0::format;

Bytes ModuleSpec::defaultWeights() {
  Bytes bytes(192);
  for (int i = 0; i < 20; ++i) {
    float weight = 0.5f + 0.0625f * static_cast<float>(i);
    std::memcpy(bytes.data() + i * sizeof weight, &weight, sizeof weight);
  }
  return bytes;
}

Bytes buildManifest(const ModuleSpec &spec) {
  flatbuffers::FlatBufferBuilder builder;
  std::vector<flatbuffers::Offset<format::Entry>> entries;
  for (const auto &entry : spec.entries)
    entries.push_back(
        format::CreateEntryDirect(builder, entry.kind.c_str(), entry.symbol.c_str(), entry.batch));
  std::vector<flatbuffers::Offset<format::Tensor>> tensors;
  for (const auto &tensor : spec.tensors)
    tensors.push_back(format::CreateTensorDirect(builder, tensor.name.c_str(), "dynamics.K",
                                                 &tensor.shape, "f32", "rows16", tensor.offset,
                                                 tensor.size));
  std::vector<flatbuffers::Offset<flatbuffers::String>> features;
  for (const std::string &feature : spec.cpuFeatures)
    features.push_back(builder.CreateString(feature));
  std::vector<flatbuffers::Offset<format::Cost>> costs = {
      format::CreateCostDirect(builder, "un0.couple", "dynamics", 10, 400, 32, 40, 1600, 1600, 80)};
  std::vector<flatbuffers::Offset<format::Schedule>> schedules = {
      format::CreateScheduleDirect(builder, "decoder_0_a_weight", "f4", true, 4, 2, "tuned")};
  auto signature =
      format::CreateSignature(builder, spec.oscillators, spec.conditioning, spec.classes,
                              spec.features, spec.channels, spec.height, spec.width);
  auto how = format::CreateCompilationDirect(builder, "un0c 0.1.0", "fixture.safetensors", "",
                                             "f32", "cpu", "x86-64", "euler", 10, spec.time);
  builder.Finish(format::CreateManifestDirect(
      builder, spec.abiVersion, "fixture", signature, &entries, &tensors, spec.arenaBytes,
      &features, &costs, how, spec.externalWeights.c_str(), &schedules));
  return Bytes(builder.GetBufferPointer(), builder.GetBufferPointer() + builder.GetSize());
}

un0_file_header &headerOf(Bytes &module) {
  return *reinterpret_cast<un0_file_header *>(module.data());
}

static void hashInto(const Bytes &bytes, uint8_t (&sha256)[32]) {
  un0::rt::Digest digest;
  un0::rt::sha256(bytes.data(), bytes.size(), digest);
  std::copy(digest.begin(), digest.end(), sha256);
}

void sealHeader(Bytes &module) {
  un0_file_header &header = headerOf(module);
  std::memset(header.sha256, 0, sizeof header.sha256);
  hashInto(Bytes(module.begin(), module.begin() + sizeof header), header.sha256);
}

Bytes buildModule(const ModuleSpec &spec) {
  un0_file_header header = {};
  std::memcpy(header.magic, UN0_FORMAT_MAGIC, sizeof header.magic);
  header.format_major = UN0_FORMAT_MAJOR;
  header.format_minor = UN0_FORMAT_MINOR;
  header.header_size = sizeof header;
  Bytes module(sizeof header);
  auto add = [&](uint32_t kind, const Bytes &bytes, bool external) {
    un0_section &section = header.sections[header.section_count++];
    section.kind = kind;
    section.size = bytes.size();
    hashInto(bytes, section.sha256);
    if (external) {
      section.flags = UN0_SECTION_EXTERNAL;
      return;
    }
    module.resize((module.size() + UN0_FORMAT_ALIGNMENT - 1) / UN0_FORMAT_ALIGNMENT *
                  UN0_FORMAT_ALIGNMENT);
    section.offset = module.size();
    module.insert(module.end(), bytes.begin(), bytes.end());
  };
  add(UN0_SECTION_MANIFEST, buildManifest(spec), false);
  add(UN0_SECTION_CODE, spec.code, false);
  if (!spec.model.empty())
    add(UN0_SECTION_MODEL, spec.model, false);
  if (!spec.program.empty())
    add(UN0_SECTION_PROGRAM, spec.program, false);
  add(UN0_SECTION_WEIGHTS, spec.weights, !spec.externalWeights.empty());
  header.file_size = module.size();
  std::memcpy(module.data(), &header, sizeof header);
  sealHeader(module);
  return module;
}

Bytes readBytes(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  return Bytes(std::istreambuf_iterator<char>(file), {});
}

void writeBytes(const std::string &path, const Bytes &bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(reinterpret_cast<const char *>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
}

} // namespace un0test
