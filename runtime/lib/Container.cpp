//===- Container.cpp - the sections of a `.un0` file ------------------------===//
#include "Container.h"

#include "Sha256.h"

#include <algorithm>
#include <cinttypes>
#include <cstddef>
#include <cstring>

namespace un0::rt {

static const char *sectionName(uint32_t kind) {
  switch (kind) {
  case UN0_SECTION_MANIFEST:
    return "manifest section";
  case UN0_SECTION_CODE:
    return "code section";
  case UN0_SECTION_WEIGHTS:
    return "weight section";
  case UN0_SECTION_MODEL:
    return "model section";
  case UN0_SECTION_PROGRAM:
    return "program section";
  default:
    return "section of unknown kind";
  }
}

Status checkHash(const char *what, const uint8_t *data, size_t size, const uint8_t expected[32]) {
  Digest found, wanted;
  std::copy(expected, expected + wanted.size(), wanted.begin());
  if (!sha256(data, size, found))
    return failure(UN0_ERROR_IO, "libcrypto does not provide SHA-256");
  if (found != wanted)
    return failure(UN0_ERROR_FORMAT, "%s is damaged: its SHA-256 is %s but the module says %s",
                   what, toHex(found).c_str(), toHex(wanted).c_str());
  return {};
}

static Status checkHeader(const uint8_t *data, size_t size, bool checkHashes,
                          un0_file_header &header) {
  static_assert(sizeof UN0_FORMAT_MAGIC == sizeof header.magic, "magic includes its zero");
  if (size < sizeof header.magic || std::memcmp(data, UN0_FORMAT_MAGIC, sizeof header.magic) != 0)
    return failure(UN0_ERROR_FORMAT, "not a un0 module: it does not begin with '%s'",
                   UN0_FORMAT_MAGIC);
  // The version comes before everything else: another major version may have any other header.
  constexpr size_t versionEnd = offsetof(un0_file_header, header_size);
  if (size < versionEnd)
    return failure(UN0_ERROR_FORMAT, "module is truncated: it has %zu bytes, its header needs %zu",
                   size, sizeof header);
  std::memcpy(&header, data, versionEnd);
  if (header.format_major != UN0_FORMAT_MAJOR)
    return failure(UN0_ERROR_VERSION,
                   "module has format version %u.%u but this runtime reads version %u; compile the "
                   "model again with a matching un0c, or use a runtime that reads version %u",
                   header.format_major, header.format_minor, UN0_FORMAT_MAJOR, header.format_major);
  if (size < sizeof header)
    return failure(UN0_ERROR_FORMAT, "module is truncated: it has %zu bytes, its header needs %zu",
                   size, sizeof header);
  std::memcpy(&header, data, sizeof header);
  if (header.header_size != sizeof header)
    return failure(UN0_ERROR_FORMAT, "module header says it has %u bytes, a header has %zu",
                   header.header_size, sizeof header);
  if (checkHashes) {
    un0_file_header unsealed = header;
    std::memset(unsealed.sha256, 0, sizeof unsealed.sha256);
    UN0_RETURN_IF_FAILED(checkHash("module header", reinterpret_cast<const uint8_t *>(&unsealed),
                                   sizeof unsealed, header.sha256));
  }
  if (header.file_size != size)
    return failure(UN0_ERROR_FORMAT, "module is %s: it has %zu bytes, its header says %" PRIu64,
                   size < header.file_size ? "truncated" : "followed by foreign bytes", size,
                   header.file_size);
  if (header.section_count > UN0_FORMAT_MAX_SECTIONS)
    return failure(UN0_ERROR_FORMAT, "module header lists %u sections, at most %u are possible",
                   header.section_count, UN0_FORMAT_MAX_SECTIONS);
  return {};
}

/// Bytes between sections are not hashed, so they have to be zero: no bit of a module is free to
/// change.
static Status checkPadding(const uint8_t *data, uint64_t begin, uint64_t end) {
  for (uint64_t i = begin; i < end; ++i)
    if (data[i] != 0)
      return failure(UN0_ERROR_FORMAT, "padding at byte %" PRIu64 " of the module is not zero", i);
  return {};
}

/// Bounds, order and flags of one section; `end` is where the previous one stopped, and is moved
/// on.
static Status checkSection(const un0_section &section, size_t fileSize, uint64_t &end) {
  const char *name = sectionName(section.kind);
  if (section.flags & ~uint32_t(UN0_SECTION_EXTERNAL))
    return failure(UN0_ERROR_FORMAT, "%s has unknown flags 0x%x", name, section.flags);
  if (section.flags & UN0_SECTION_EXTERNAL) {
    if (section.kind != UN0_SECTION_WEIGHTS)
      return failure(UN0_ERROR_FORMAT, "%s is external, only weights may be", name);
    if (section.offset != 0)
      return failure(UN0_ERROR_FORMAT, "external weights have offset %" PRIu64 ", expected 0",
                     section.offset);
    return {};
  }
  if (section.offset % UN0_FORMAT_ALIGNMENT)
    return failure(UN0_ERROR_FORMAT, "%s has offset %" PRIu64 ", not a multiple of %u", name,
                   section.offset, UN0_FORMAT_ALIGNMENT);
  if (section.offset < end)
    return failure(UN0_ERROR_FORMAT, "%s at offset %" PRIu64 " overlaps what ends at byte %" PRIu64,
                   name, section.offset, end);
  // Written as a difference: offset + size may wrap.
  if (section.offset > fileSize || section.size > fileSize - section.offset)
    return failure(UN0_ERROR_FORMAT,
                   "%s at offset %" PRIu64 " with %" PRIu64 " bytes exceeds the file's %zu bytes",
                   name, section.offset, section.size, fileSize);
  end = section.offset + section.size;
  return {};
}

static SectionBytes *slotOf(Container &container, uint32_t kind) {
  switch (kind) {
  case UN0_SECTION_MANIFEST:
    return &container.manifest;
  case UN0_SECTION_CODE:
    return &container.code;
  case UN0_SECTION_WEIGHTS:
    return &container.weights;
  case UN0_SECTION_MODEL:
    return &container.model;
  case UN0_SECTION_PROGRAM:
    return &container.program;
  default:
    return nullptr;
  }
}

Status parseContainer(const uint8_t *data, size_t size, ContainerChecks checks,
                      Container &container) {
  un0_file_header &header = container.header;
  UN0_RETURN_IF_FAILED(checkHeader(data, size, checks.hashes, header));

  uint64_t end = sizeof header;
  for (uint32_t i = 0; i < UN0_FORMAT_MAX_SECTIONS; ++i) {
    const un0_section &section = header.sections[i];
    const auto *raw = reinterpret_cast<const uint8_t *>(&section);
    if (i >= header.section_count) {
      if (std::any_of(raw, raw + sizeof section, [](uint8_t byte) { return byte != 0; }))
        return failure(UN0_ERROR_FORMAT, "unused entry %u of the section table is not zero", i);
      continue;
    }
    const uint64_t previousEnd = end;
    UN0_RETURN_IF_FAILED(checkSection(section, size, end));
    const char *name = sectionName(section.kind);
    SectionBytes *slot = slotOf(container, section.kind);
    // A later minor version may add kinds; this one has no others.
    if (!slot && header.format_minor <= UN0_FORMAT_MINOR)
      return failure(UN0_ERROR_FORMAT, "module has a section of unknown kind %u", section.kind);
    if (slot && slot->present)
      return failure(UN0_ERROR_FORMAT, "module has two %ss", name);
    const bool external = section.flags & UN0_SECTION_EXTERNAL;
    const bool isWeights = section.kind == UN0_SECTION_WEIGHTS;
    if (!external)
      UN0_RETURN_IF_FAILED(checkPadding(data, previousEnd, section.offset));
    if (!external && (isWeights ? checks.weightHashes : checks.hashes))
      UN0_RETURN_IF_FAILED(checkHash(name, data + section.offset, section.size, section.sha256));
    if (slot)
      *slot = {external ? nullptr : data + section.offset, section.size, true};
    if (isWeights) {
      container.weightsExternal = external;
      std::copy(section.sha256, section.sha256 + sizeof section.sha256, container.weightsSha256);
    }
  }
  UN0_RETURN_IF_FAILED(checkPadding(data, end, size));

  for (uint32_t kind : {UN0_SECTION_MANIFEST, UN0_SECTION_CODE, UN0_SECTION_WEIGHTS})
    if (!slotOf(container, kind)->present)
      return failure(UN0_ERROR_FORMAT, "module has no %s", sectionName(kind));
  return {};
}

} // namespace un0::rt
