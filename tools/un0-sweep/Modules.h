//===- Modules.h - a module per point ---------------------------------------===//
#ifndef UN0_TOOLS_UN0_SWEEP_MODULES_H
#define UN0_TOOLS_UN0_SWEEP_MODULES_H

#include "Sweep.h"

#include <map>
#include <mutex>

namespace un0sweep {

/// What the compiler or the simulator says of a point, and would say again: a result. Every other
/// error (a full disk, no memory) passes, and is the sweep's.
class PointFailure : public llvm::ErrorInfo<PointFailure> {
public:
  static char ID;
  explicit PointFailure(std::string message) : message(std::move(message)) {}
  void log(llvm::raw_ostream &os) const override { os << message; }
  std::error_code convertToErrorCode() const override { return llvm::inconvertibleErrorCode(); }

private:
  std::string message;
};

/// A PointFailure, unless `code` is of files or memory.
llvm::Error failPoint(un0_status code, const std::string &message);

/// Compiles the model for variants of the hardware, in a folder of its own that goes away with it.
/// Points whose programs are the same share a compilation.
class Modules {
public:
  explicit Modules(const Sweep &sweep) : sweep(sweep) {}
  Modules(const Modules &) = delete;
  Modules &operator=(const Modules &) = delete;
  ~Modules();

  llvm::Error makeFolder();
  const std::string &folder() const { return folderPath; }

  /// For the built-in `ideal`: what every point is compared with.
  llvm::Expected<std::string> ideal();

  /// The module of a point, with its whole description in the program. The file is the caller's to
  /// remove. Any thread.
  llvm::Expected<std::string> make(size_t point, un0::dsa::Program &program);

private:
  llvm::Expected<std::string> compile(const un0::dsa::Hardware &hardware,
                                      std::optional<double> splittingError);

  const Sweep &sweep;
  std::string folderPath;
  std::mutex mutex;
  struct Compiled {
    std::string path, failure;
  };
  std::map<std::string, Compiled> compiled; // by description and budget
};

/// Copies a module with another program in it. Sections keep their order.
llvm::Error replaceProgram(const std::string &from, const std::vector<uint8_t> &program,
                           const std::string &to);

} // namespace un0sweep

#endif // UN0_TOOLS_UN0_SWEEP_MODULES_H
