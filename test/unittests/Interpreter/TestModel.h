//===- TestModel.h - small models made for a test ---------------*- C++ -*-===//

#ifndef UN0_TEST_INTERPRETER_TESTMODEL_H
#define UN0_TEST_INTERPRETER_TESTMODEL_H

#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"
#include "un0/Interpreter/Interpreter.h"

namespace un0::testing {

struct TestModel {
  int64_t oscillators = 16;
  int64_t conditioning = 8;
  int64_t classes = 3;
  int64_t steps = 3;
  std::string solver = "euler";
  std::string reference = "mean";
  std::string encoding = "sin_cos";
  /// Multiplies K, and makes it a `mup` model.
  double scale = 1.0;

  int64_t getFeatures() const;
  /// The model as an importer writes it, with one decoder block on features of 2 x 2 pixels.
  std::string print() const;
};

/// A context that knows the dialects of the model and fused phases.
std::unique_ptr<mlir::MLIRContext> makeContext();

mlir::OwningOpRef<mlir::ModuleOp> parse(mlir::MLIRContext &context, llvm::StringRef text);

/// Values in [-1, 1) that depend on name and position only, divided by the square root of the last
/// dimension.
template <typename T>
Tensor<T> makeValues(llvm::StringRef name, llvm::ArrayRef<int64_t> shape, double factor = 1.0);

/// Parameters of such values.
template <typename T> ParamLoader<T> makeLoader();

/// Largest absolute difference; infinity where the shapes differ or a value is not finite.
double getMaxDifference(const Tensor<double> &a, const Tensor<double> &b);

} // namespace un0::testing

#endif // UN0_TEST_INTERPRETER_TESTMODEL_H
