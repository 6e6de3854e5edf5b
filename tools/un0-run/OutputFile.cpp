//===- OutputFile.cpp - files that appear whole or not at all ---------------===//
#include "OutputFile.h"

#include "OutputPath.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace un0run {

OutputFile::~OutputFile() {
  if (file)
    std::fclose(file);
  if (!temporary.empty())
    unlink(temporary.c_str());
}

Failure OutputFile::systemFailure(int reason) const {
  return fail("cannot write '" + path + "': " + std::strerror(reason));
}

MaybeFailure OutputFile::open(const std::string &wanted) {
  path = wanted;
  un0::OutputPath resolved = un0::resolveOutput(path);
  int fd;
  if (resolved.inPlace) {
    fd = ::open(path.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC);
  } else {
    target = std::move(resolved.name);
    temporary = target + ".XXXXXX";
    fd = mkostemp(temporary.data(), O_CLOEXEC);
    if (fd < 0)
      temporary.clear();
    else {
      // mkostemp makes private files; give what open() would have given.
      mode_t mask = umask(0);
      umask(mask);
      (void)fchmod(fd, 0666 & ~mask);
    }
  }
  if (fd < 0)
    return systemFailure(errno);
  file = fdopen(fd, "wb");
  if (!file) {
    int reason = errno;
    close(fd);
    return systemFailure(reason);
  }
  return std::nullopt;
}

MaybeFailure OutputFile::commit() {
  bool written = !std::ferror(file) && std::fflush(file) == 0;
  int reason = errno;
  // Some file systems report a full disk only here.
  if (std::fclose(file) != 0 && written) {
    written = false;
    reason = errno;
  }
  file = nullptr;
  if (!written)
    return systemFailure(reason);
  if (!temporary.empty() && std::rename(temporary.c_str(), target.c_str()) != 0)
    return systemFailure(errno);
  temporary.clear();
  return std::nullopt;
}

MaybeFailure checkWritable(const std::string &path) {
  struct stat info;
  if (stat(path.c_str(), &info) == 0 && S_ISFIFO(info.st_mode))
    return std::nullopt;
  OutputFile file;
  return file.open(path);
}

} // namespace un0run
