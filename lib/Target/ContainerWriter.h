//===- ContainerWriter.h - write the sections of a `.un0` file --*- C++ -*-===//
//
// What every writer of modules shares: the header, sections at aligned offsets with their hashes,
// and files that appear under their names only when they are whole.
//
//===----------------------------------------------------------------------===//

#ifndef LIB_TARGET_CONTAINERWRITER_H
#define LIB_TARGET_CONTAINERWRITER_H

#include "un0/format.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/raw_ostream.h"
#include <memory>
#include <optional>

namespace un0 {

/// SHA-256, through the library that uses the processor's instructions for it.
class Sha256 {
public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256 &) = delete;
  Sha256 &operator=(const Sha256 &) = delete;
  void update(const void *data, size_t size);
  void finish(uint8_t (&digest)[32]);

private:
  void *context; // an EVP_MD_CTX
};

/// A file under a temporary name beside its own, until `keep`. The target of a link is written, and
/// devices and pipes are written to: only regular files are replaced.
class OutputFile {
public:
  static llvm::Expected<OutputFile> create(llvm::StringRef path);
  OutputFile(OutputFile &&) = default;
  ~OutputFile();

  void write(const void *data, size_t size) { os->write(static_cast<const char *>(data), size); }
  uint64_t tell() const { return os->tell(); }
  void padTo(uint64_t offset) { os->write_zeros(offset - tell()); }
  void overwrite(const void *data, size_t size) {
    os->pwrite(static_cast<const char *>(data), size, 0);
  }
  /// Fails when something could not be written.
  llvm::Error check();
  llvm::Error keep();

private:
  OutputFile(llvm::StringRef path, llvm::sys::fs::TempFile temp);
  llvm::Error copyToDevice();

  std::string path, target; // as given, and with links followed
  llvm::sys::fs::TempFile temp;
  std::unique_ptr<llvm::raw_fd_ostream> os;
  std::unique_ptr<llvm::raw_fd_ostream> device; // gets the bytes in `keep`; null: a regular file
  bool pending = true;
};

/// Bytes of one section on their way to a file.
class SectionSink {
public:
  explicit SectionSink(OutputFile &file) : file(file) {}

  void put(const void *data, size_t size);
  /// Zeros up to `size` bytes of the section.
  void padTo(uint64_t size);
  uint64_t size() const { return written; }
  llvm::Error check() { return file.check(); }
  void finish(uint8_t (&digest)[32]) { hash.finish(digest); }

private:
  OutputFile &file;
  Sha256 hash;
  uint64_t written = 0;
};

/// Writes a module section by section. Nothing is left of one that was not finished.
class ContainerWriter {
public:
  using Fill = llvm::function_ref<llvm::Error(SectionSink &)>;

  static llvm::Expected<ContainerWriter> create(llvm::StringRef path,
                                                uint32_t formatMinor = UN0_FORMAT_MINOR);

  llvm::Error add(uint32_t kind, llvm::ArrayRef<char> bytes);
  /// A section that `fill` makes piece by piece.
  llvm::Error addStreamed(uint32_t kind, Fill fill);
  /// An external section, into a second file of the name `path`. At most one.
  llvm::Error addInFile(uint32_t kind, llvm::StringRef path, Fill fill);
  /// An external section whose file exists already.
  llvm::Error addReference(uint32_t kind, uint64_t size, const uint8_t (&sha256)[32]);
  /// Completes the header and gives the files their names.
  llvm::Error finish();

private:
  explicit ContainerWriter(OutputFile file) : file(std::move(file)) {}
  llvm::Expected<un0_section *> begin(uint32_t kind);

  OutputFile file;
  std::optional<OutputFile> second;
  un0_file_header header = {};
};

} // namespace un0

#endif // LIB_TARGET_CONTAINERWRITER_H
