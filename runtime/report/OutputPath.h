//===- OutputPath.h - what a result may replace -----------------*- C++ -*-===//
//
// Results appear under their names by renaming, which must not replace a device, a pipe or a link.
// Header only: the runner, the reports and the compiler share it.
//
//===----------------------------------------------------------------------===//
#ifndef UN0_RUNTIME_REPORT_OUTPUTPATH_H
#define UN0_RUNTIME_REPORT_OUTPUTPATH_H

#include <cerrno>
#include <climits>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

namespace un0 {

struct OutputPath {
  std::string name;
  bool inPlace; // open `name` and write; else rename a temporary file beside it to it
};

/// Follows links by hand: the file that a dangling one names can be made, but has no realpath.
inline OutputPath resolveOutput(const std::string &path) {
  struct stat info;
  const bool exists = stat(path.c_str(), &info) == 0;
  // What cannot be looked at is open()'s to explain.
  if (exists ? !S_ISREG(info.st_mode) : errno != ENOENT)
    return {path, true};
  std::string name = path;
  auto begins = [&](const char *folder) { return name.rfind(folder, 0) == 0; };
  for (int links = 0; links < 40; ++links) { // Linux follows as many
    // An open file, as /dev/stdout is: whoever has opened it keeps it.
    if (exists && (begins("/proc/") || (begins("/dev/") && !begins("/dev/shm/"))))
      return {path, true};
    char target[PATH_MAX];
    const ssize_t size = readlink(name.c_str(), target, sizeof target);
    if (size < 0)
      return {name, false};
    const size_t folder = target[0] == '/' ? 0 : name.rfind('/') + 1; // npos + 1 is 0
    name.replace(folder, name.npos, target, size_t(size));
  }
  return {path, true};
}

/// Whether two names lead to one regular file, or to one that is yet to be made.
inline bool isSameFile(const std::string &a, const std::string &b) {
  struct stat x, y;
  if (stat(a.c_str(), &x) == 0 && stat(b.c_str(), &y) == 0)
    return S_ISREG(x.st_mode) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
  const OutputPath first = resolveOutput(a), second = resolveOutput(b);
  return !first.inPlace && !second.inPlace && first.name == second.name;
}

} // namespace un0

#endif // UN0_RUNTIME_REPORT_OUTPUTPATH_H
