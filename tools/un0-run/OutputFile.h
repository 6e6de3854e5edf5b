//===- OutputFile.h - files that appear whole or not at all -----------------===//
#ifndef UN0_TOOLS_UN0_RUN_OUTPUTFILE_H
#define UN0_TOOLS_UN0_RUN_OUTPUTFILE_H

#include "Diagnostics.h"

#include <cstdio>
#include <string>

namespace un0run {

/// Writes to a temporary file in the folder of `path`, and gives it that name when everything is on
/// it. Destroyed before `commit`, it leaves nothing. A path that exists and is no regular file (a
/// device, a pipe) is written to directly, and of a link the target: renaming would replace them.
class OutputFile {
public:
  OutputFile() = default;
  OutputFile(const OutputFile &) = delete;
  OutputFile &operator=(const OutputFile &) = delete;
  ~OutputFile();

  MaybeFailure open(const std::string &path);
  std::FILE *stream() const { return file; }
  MaybeFailure commit();

private:
  Failure systemFailure(int reason) const;

  std::string path, target, temporary; // the last two are empty when `path` itself is written
  std::FILE *file = nullptr;
};

/// Fails as `OutputFile::open` would, and leaves nothing: to be found before hours of work. Says
/// nothing of a pipe, whose reader may wait for another file first.
MaybeFailure checkWritable(const std::string &path);

} // namespace un0run

#endif // UN0_TOOLS_UN0_RUN_OUTPUTFILE_H
