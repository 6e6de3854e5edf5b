//===- MappedFile.cpp - a file in memory ------------------------------------===//
#include "MappedFile.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace un0::rt {

MappedFile::~MappedFile() {
  if (address)
    munmap(address, length);
}

Status MappedFile::open(const std::string &path) {
  // O_NONBLOCK: opening a FIFO must not wait for a writer; it is refused below.
  int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0)
    return failure(UN0_ERROR_IO, "cannot open %s: %s", quoted(path).c_str(), std::strerror(errno));
  struct stat info;
  if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
    close(fd);
    return failure(UN0_ERROR_IO, "%s is not a regular file", quoted(path).c_str());
  }
  length = static_cast<size_t>(info.st_size);
  if (length) {
    void *mapped = mmap(nullptr, length, PROT_READ, MAP_PRIVATE, fd, 0);
    if (mapped == MAP_FAILED) {
      int reason = errno;
      close(fd);
      length = 0;
      return failure(UN0_ERROR_IO, "cannot map %s: %s", quoted(path).c_str(),
                     std::strerror(reason));
    }
    address = mapped;
  }
  close(fd);
  return {};
}

Memory::~Memory() {
  if (address)
    munmap(address, length);
}

bool Memory::allocate(size_t bytes) {
  constexpr size_t hugePage = size_t(2) << 20;
  if (bytes > SIZE_MAX - hugePage)
    return false;
  // Whole huge pages, but only where at least one fits: a small arena should not hold 2 MiB.
  size_t wanted = bytes >= hugePage ? (bytes + hugePage - 1) / hugePage * hugePage : bytes;
  wanted = wanted ? wanted : 1;
  void *mapped = mmap(nullptr, wanted, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED)
    return false;
  if (address)
    munmap(address, length);
  address = mapped;
  length = wanted;
  // Advice only: it fails on kernels without huge pages, and nothing depends on it.
  if (bytes >= hugePage)
    (void)madvise(address, length, MADV_HUGEPAGE);
  return true;
}

} // namespace un0::rt
