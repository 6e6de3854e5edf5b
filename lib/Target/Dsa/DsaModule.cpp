//===- DsaModule.cpp - a module around a program ----------------*- C++ -*-===//

#include "un0/Target/DsaModule.h"

#include "../ContainerWriter.h"
#include "Module.h"
#include "llvm/ADT/STLExtras.h"

using namespace un0;
using llvm::ArrayRef;
using llvm::Error;
using llvm::Expected;

static Error toError(const rt::Status &status) {
  return llvm::make_error<llvm::StringError>(status.message(), llvm::inconvertibleErrorCode());
}

static const uint8_t *bytesOf(ArrayRef<char> chars) {
  return reinterpret_cast<const uint8_t *>(chars.data());
}

/// The manifest by itself, and the program against it.
static Error check(ArrayRef<char> manifestBytes, uint64_t weightBytes, bool external,
                   const dsa::Program &program) {
  rt::Manifest manifest;
  if (rt::Status status = manifest.parse(bytesOf(manifestBytes), manifestBytes.size(), weightBytes,
                                         external, /*hasProgram=*/true))
    return toError(status);
  if (rt::Status status = rt::checkProgramFits(program, manifest))
    return toError(status);
  return Error::success();
}

static DsaSection copySection(ArrayRef<char> file, const un0_section &section) {
  DsaSection copy;
  copy.kind = section.kind;
  copy.external = section.flags & UN0_SECTION_EXTERNAL;
  if (copy.external) {
    copy.size = section.size;
    llvm::copy(section.sha256, copy.sha256);
  } else if (section.kind != UN0_SECTION_PROGRAM) {
    ArrayRef<char> bytes = file.slice(section.offset, section.size);
    copy.bytes.assign(bytes.begin(), bytes.end());
  }
  return copy;
}

Expected<DsaModule> un0::readDsaModule(ArrayRef<char> file) {
  rt::Container container;
  if (rt::Status status = rt::parseContainer(bytesOf(file), file.size(), {}, container))
    return toError(status);
  if (!container.program.present)
    return llvm::createStringError("the module has no program: it was not compiled for a "
                                   "dynamical-system accelerator");
  DsaModule module;
  module.formatMinor = container.header.format_minor;
  if (rt::Status status =
          dsa::decodeProgram(container.program.data, container.program.size, module.program))
    return toError(status);
  for (uint32_t i = 0; i < container.header.section_count; ++i)
    module.sections.push_back(copySection(file, container.header.sections[i]));
  ArrayRef<char> manifest(reinterpret_cast<const char *>(container.manifest.data),
                          container.manifest.size);
  if (Error error =
          check(manifest, container.weights.size, container.weightsExternal, module.program))
    return std::move(error);
  return module;
}

Error un0::addSectionsOf(ArrayRef<char> file, DsaModule &module) {
  rt::Container container;
  if (rt::Status status = rt::parseContainer(bytesOf(file), file.size(), {}, container))
    return toError(status);
  for (uint32_t i = 0; i < container.header.section_count; ++i) {
    const un0_section &section = container.header.sections[i];
    if (llvm::none_of(module.sections, [&](const auto &s) { return s.kind == section.kind; }))
      module.sections.push_back(copySection(file, section));
  }
  return Error::success();
}

Error un0::writeDsaModule(llvm::StringRef path, const DsaModule &module) {
  auto find = [&](uint32_t kind) {
    return llvm::find_if(module.sections, [&](const auto &s) { return s.kind == kind; });
  };
  for (auto [kind, name] :
       {std::pair(UN0_SECTION_MANIFEST, "manifest"), std::pair(UN0_SECTION_CODE, "code"),
        std::pair(UN0_SECTION_WEIGHTS, "weights")})
    if (find(kind) == module.sections.end())
      return llvm::createStringError("the module has no section '%s'; --sections-of takes those "
                                     "that a text leaves out from a module",
                                     name);
  for (const DsaSection &section : module.sections)
    if (section.external && section.kind != UN0_SECTION_WEIGHTS)
      return llvm::createStringError("section %u is external, only weights may be", section.kind);
  const DsaSection &weights = *find(UN0_SECTION_WEIGHTS);
  if (Error error = check(find(UN0_SECTION_MANIFEST)->bytes,
                          weights.external ? weights.size : weights.bytes.size(), weights.external,
                          module.program))
    return error;

  Expected<ContainerWriter> writer = ContainerWriter::create(path, module.formatMinor);
  if (!writer)
    return writer.takeError();
  auto addProgram = [&]() {
    const std::vector<uint8_t> bytes = dsa::encodeProgram(module.program);
    return writer->add(UN0_SECTION_PROGRAM,
                       ArrayRef(reinterpret_cast<const char *>(bytes.data()), bytes.size()));
  };
  // A text that does not say where the program goes has it before the weights, as the compiler.
  const bool placed = find(UN0_SECTION_PROGRAM) != module.sections.end();
  for (const DsaSection &section : module.sections) {
    if (!placed && section.kind == UN0_SECTION_WEIGHTS)
      if (Error error = addProgram())
        return error;
    if (Error error = section.kind == UN0_SECTION_PROGRAM ? addProgram()
                      : section.external
                          ? writer->addReference(section.kind, section.size, section.sha256)
                          : writer->add(section.kind, section.bytes))
      return error;
  }
  return writer->finish();
}
