//===- Interpreter.h - the reference meaning of un0 IR ----------*- C++ -*-===//
//
// Runs `@generate` of a module in the `model` or the `fused` phase, op by op, in plain C++. It says
// what the ops mean and is the oracle of the tests: simple on purpose, never fast. A coupling at
// the model level is the literal sum of N^2 sines.
//
//===----------------------------------------------------------------------===//

#ifndef UN0_INTERPRETER_INTERPRETER_H
#define UN0_INTERPRETER_INTERPRETER_H

#include "dialects/Un0/IR/Un0.h"
#include "mlir/IR/BuiltinOps.h"
#include "un0/Import/Import.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Error.h"
#include <functional>
#include <memory>
#include <vector>

namespace un0 {

/// A dense row-major tensor.
template <typename T> struct Tensor {
  llvm::SmallVector<int64_t> shape;
  std::vector<T> data;

  Tensor() = default;
  /// Zeros of the given shape.
  explicit Tensor(llvm::ArrayRef<int64_t> shape) : shape(shape) {
    size_t elements = 1;
    for (int64_t size : shape)
      elements *= size;
    data.resize(elements);
  }
};

/// Reads a parameter as it is stored: `scale` and `zero_diagonal` are the interpreter's work.
template <typename T> using ParamLoader = std::function<llvm::Expected<Tensor<T>>(ParamOp)>;

/// Called after each step of the integrator with the number of steps done (from 1) and the states.
template <typename T> using StepObserver = std::function<void(int64_t, llvm::ArrayRef<Tensor<T>>)>;

/// `T` is the type that everything is computed in, double or float, whatever the element types in
/// the IR.
template <typename T> class Interpreter {
public:
  struct Outputs {
    /// Final phases, B x N, unwrapped: what `un0.readout` reads.
    Tensor<T> theta;
    /// What `un0.readout` makes, B x F.
    Tensor<T> features;
    /// What `@generate` returns, B x 3 x H x W in [-1, 1].
    Tensor<T> images;
  };

  /// `module` must outlive the interpreter and must not change; parameters are loaded when first
  /// needed and then kept.
  Interpreter(mlir::ModuleOp module, ParamLoader<T> loader)
      : module(module), loader(std::move(loader)) {}

  void setObserver(StepObserver<T> newObserver) { observer = std::move(newObserver); }

  /// Generates one image per label from initial phases `theta0` (B x N) and `phi0` (B x M), in
  /// radians. A label outside the classes means unconditional. Fails on shapes that do not fit, on
  /// parameters that cannot be read and on operations that the interpreter does not know, by name.
  llvm::Expected<Outputs> run(const Tensor<T> &theta0, const Tensor<T> &phi0,
                              llvm::ArrayRef<int64_t> labels);

private:
  mlir::ModuleOp module;
  ParamLoader<T> loader;
  StepObserver<T> observer;
  llvm::StringMap<std::shared_ptr<const Tensor<T>>> params;
};

extern template class Interpreter<float>;
extern template class Interpreter<double>;

/// A loader that reads parameters from the archives they name, opened once each.
template <typename T> ParamLoader<T> getArchiveLoader(std::shared_ptr<ArchiveSet> archives);

extern template ParamLoader<float> getArchiveLoader(std::shared_ptr<ArchiveSet>);
extern template ParamLoader<double> getArchiveLoader(std::shared_ptr<ArchiveSet>);

} // namespace un0

#endif // UN0_INTERPRETER_INTERPRETER_H
