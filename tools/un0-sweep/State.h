//===- State.h - finished points on disk ------------------------------------===//
#ifndef UN0_TOOLS_UN0_SWEEP_STATE_H
#define UN0_TOOLS_UN0_SWEEP_STATE_H

#include "Sweep.h"

#include <mutex>

namespace un0sweep {

/// A text file beside the report: a line that says which sweep it is, then one per finished point,
/// in the order in which they finished. Lines are appended whole; a half-written last one, after a
/// kill, is ignored and cut off.
class StateFile {
public:
  StateFile() = default;
  StateFile(const StateFile &) = delete;
  StateFile &operator=(const StateFile &) = delete;
  ~StateFile();

  /// Takes the results that are there, or begins. Fails when the file is another sweep's.
  llvm::Error open(const std::string &path, Sweep &sweep);
  /// Any thread.
  llvm::Error append(size_t point, const PointResult &result);

private:
  std::mutex mutex;
  std::string path;
  int fd = -1;
};

} // namespace un0sweep

#endif // UN0_TOOLS_UN0_SWEEP_STATE_H
