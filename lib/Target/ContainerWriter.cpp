//===- ContainerWriter.cpp - write the sections of a `.un0` file *- C++ -*-===//

#include "ContainerWriter.h"

#include "runtime/report/OutputPath.h"
#include "un0/Target/WriteOutput.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/Path.h"
#include <fcntl.h>
#include <openssl/evp.h>

using namespace un0;
using llvm::Error;
using llvm::Expected;
using llvm::StringRef;

Sha256::Sha256() : context(EVP_MD_CTX_new()) {
  EVP_DigestInit_ex(static_cast<EVP_MD_CTX *>(context), EVP_sha256(), nullptr);
}

Sha256::~Sha256() { EVP_MD_CTX_free(static_cast<EVP_MD_CTX *>(context)); }

void Sha256::update(const void *data, size_t size) {
  EVP_DigestUpdate(static_cast<EVP_MD_CTX *>(context), data, size);
}

void Sha256::finish(uint8_t (&digest)[32]) {
  EVP_DigestFinal_ex(static_cast<EVP_MD_CTX *>(context), digest, nullptr);
}

static Error cannotWrite(const std::string &path, const std::string &reason) {
  return llvm::createStringError("cannot write '%s': %s", path.c_str(), reason.c_str());
}

OutputFile::OutputFile(StringRef path, llvm::sys::fs::TempFile temp)
    : path(path), temp(std::move(temp)),
      os(std::make_unique<llvm::raw_fd_ostream>(this->temp.FD, /*shouldClose=*/false)) {}

Expected<OutputFile> OutputFile::create(StringRef path) {
  OutputPath target = resolveOutput(path.str());
  std::unique_ptr<llvm::raw_fd_ostream> device;
  llvm::SmallString<128> beside(target.name);
  if (target.inPlace) {
    // Opened now, so that what cannot be written is found before the work.
    int fd = ::open(target.name.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC);
    if (fd < 0)
      return cannotWrite(path.str(), std::strerror(errno));
    device = std::make_unique<llvm::raw_fd_ostream>(fd, /*shouldClose=*/true);
    // A pipe takes no header afterwards: the bytes are collected elsewhere, then copied.
    llvm::sys::path::system_temp_directory(/*ErasedOnReboot=*/true, beside);
    llvm::sys::path::append(beside, "un0");
  }
  auto temp = llvm::sys::fs::TempFile::create(beside + ".tmp-%%%%%%");
  if (!temp)
    return cannotWrite(path.str(), llvm::toString(temp.takeError()));
  OutputFile file(path, std::move(*temp));
  file.target = std::move(target.name);
  file.device = std::move(device);
  return file;
}

OutputFile::~OutputFile() {
  if (device)
    device->clear_error();
  if (!os)
    return;
  // The stream must die empty and without error, or it takes the process with it.
  os->flush();
  os->clear_error();
  os.reset();
  if (pending)
    llvm::consumeError(temp.discard());
}

Error OutputFile::check() {
  if (!os->has_error())
    return Error::success();
  return cannotWrite(path, os->error().message());
}

Error OutputFile::copyToDevice() {
  llvm::SmallVector<char, 0> piece(1 << 20);
  ssize_t got = 0;
  for (off_t done = 0; (got = pread(temp.FD, piece.data(), piece.size(), done)) > 0; done += got)
    device->write(piece.data(), size_t(got));
  if (got < 0)
    return cannotWrite(path, std::strerror(errno));
  device->close();
  if (device->has_error())
    return cannotWrite(path, device->error().message());
  return Error::success();
}

Error OutputFile::keep() {
  os->flush();
  if (Error error = check())
    return error;
  if (device)
    return copyToDevice();
  pending = false;
  if (Error error = temp.keep(target))
    return cannotWrite(path, llvm::toString(std::move(error)));
  // Results are read by others: the usual permissions instead of a temporary file's.
  llvm::sys::fs::setPermissions(
      target, static_cast<llvm::sys::fs::perms>(0666 & ~llvm::sys::fs::getUmask()));
  return Error::success();
}

Error un0::writeOutput(StringRef path, StringRef bytes) {
  if (path == "-") {
    llvm::raw_fd_ostream &os = llvm::outs();
    os << bytes;
    os.flush();
    if (!os.has_error())
      return Error::success();
    std::string reason = os.error().message();
    os.clear_error(); // reported here, not at exit once more
    return llvm::createStringError("cannot write to standard output: %s", reason.c_str());
  }
  Expected<OutputFile> file = OutputFile::create(path);
  if (!file)
    return file.takeError();
  file->write(bytes.data(), bytes.size());
  return file->keep();
}

void SectionSink::put(const void *data, size_t size) {
  hash.update(data, size);
  file.write(data, size);
  written += size;
}

void SectionSink::padTo(uint64_t size) {
  static const char zeros[UN0_FORMAT_ALIGNMENT] = {};
  while (written < size)
    put(zeros, std::min<uint64_t>(sizeof(zeros), size - written));
}

Expected<ContainerWriter> ContainerWriter::create(StringRef path, uint32_t formatMinor) {
  Expected<OutputFile> file = OutputFile::create(path);
  if (!file)
    return file.takeError();
  ContainerWriter writer(std::move(*file));
  un0_file_header &header = writer.header;
  std::memcpy(header.magic, UN0_FORMAT_MAGIC, sizeof(header.magic));
  header.format_major = UN0_FORMAT_MAJOR;
  header.format_minor = formatMinor;
  header.header_size = sizeof(header);
  writer.file.write(&header, sizeof(header));
  return writer;
}

Expected<un0_section *> ContainerWriter::begin(uint32_t kind) {
  if (header.section_count == UN0_FORMAT_MAX_SECTIONS)
    return llvm::createStringError("a module has at most %u sections", UN0_FORMAT_MAX_SECTIONS);
  un0_section &section = header.sections[header.section_count++];
  section.kind = kind;
  return &section;
}

Error ContainerWriter::add(uint32_t kind, llvm::ArrayRef<char> bytes) {
  return addStreamed(kind, [&](SectionSink &sink) {
    sink.put(bytes.data(), bytes.size());
    return sink.check();
  });
}

Error ContainerWriter::addStreamed(uint32_t kind, Fill fill) {
  Expected<un0_section *> section = begin(kind);
  if (!section)
    return section.takeError();
  file.padTo(llvm::alignTo(file.tell(), UN0_FORMAT_ALIGNMENT));
  (*section)->offset = file.tell();
  SectionSink sink(file);
  if (Error error = fill(sink))
    return error;
  (*section)->size = sink.size();
  sink.finish((*section)->sha256);
  return file.check();
}

Error ContainerWriter::addInFile(uint32_t kind, StringRef path, Fill fill) {
  Expected<un0_section *> section = begin(kind);
  if (!section)
    return section.takeError();
  Expected<OutputFile> created = OutputFile::create(path);
  if (!created)
    return created.takeError();
  second.emplace(std::move(*created));
  SectionSink sink(*second);
  if (Error error = fill(sink))
    return error;
  (*section)->flags = UN0_SECTION_EXTERNAL;
  (*section)->size = sink.size();
  sink.finish((*section)->sha256);
  return second->check();
}

Error ContainerWriter::addReference(uint32_t kind, uint64_t size, const uint8_t (&sha256)[32]) {
  Expected<un0_section *> section = begin(kind);
  if (!section)
    return section.takeError();
  (*section)->flags = UN0_SECTION_EXTERNAL;
  (*section)->size = size;
  std::memcpy((*section)->sha256, sha256, sizeof(sha256));
  return Error::success();
}

Error ContainerWriter::finish() {
  header.file_size = file.tell();
  Sha256 hash;
  hash.update(&header, sizeof(header));
  hash.finish(header.sha256);
  file.overwrite(&header, sizeof(header));
  if (Error error = file.check())
    return error;
  if (second)
    if (Error error = second->keep())
      return error;
  return file.keep();
}
