//===- Reference.cpp - the interpreter as a device of the runtime -*- C++ -*-===//

#include "un0/reference.h"

#include "mlir/Parser/Parser.h"
#include "un0/Interpreter/Interpreter.h"
#include "llvm/Support/SourceMgr.h"
#include <cstdio>

using namespace mlir;
using namespace un0;
using llvm::Error;

namespace {

struct Request {
  uint64_t batch;
  const float *theta0, *phi0;
  const int64_t *labels;
  float *theta, *features, *images;
};

template <typename T> Tensor<T> toTensor(const float *data, uint64_t rows, int64_t columns) {
  Tensor<T> tensor({static_cast<int64_t>(rows), columns});
  std::copy(data, data + tensor.data.size(), tensor.data.begin());
  return tensor;
}

template <typename T> void toFloats(const Tensor<T> &tensor, float *out) {
  if (out)
    std::transform(tensor.data.begin(), tensor.data.end(), out,
                   [](T value) { return static_cast<float>(value); });
}

template <typename T>
Error generate(ModuleOp module, std::shared_ptr<ArchiveSet> archives, const Request &request) {
  auto func = module.lookupSymbol<func::FuncOp>("generate");
  if (!func || func.getNumArguments() != 3)
    return llvm::createStringError("the module's model has no function @generate with 3 inputs");
  auto columns = [&](unsigned i) {
    return cast<ShapedType>(func.getArgumentTypes()[i]).getDimSize(1);
  };
  Interpreter<T> interpreter(module, getArchiveLoader<T>(std::move(archives)));
  auto outputs = interpreter.run(toTensor<T>(request.theta0, request.batch, columns(0)),
                                 toTensor<T>(request.phi0, request.batch, columns(1)),
                                 ArrayRef<int64_t>(request.labels, request.batch));
  if (!outputs)
    return outputs.takeError();
  toFloats(outputs->theta, request.theta);
  toFloats(outputs->features, request.features);
  toFloats(outputs->images, request.images);
  return Error::success();
}

Error run(StringRef bytecode, const char *modulePath, bool f64, const Request &request) {
  MLIRContext context(MLIRContext::Threading::DISABLED);
  context.loadDialect<Un0Dialect, func::FuncDialect, tosa::TosaDialect, tensor::TensorDialect,
                      arith::ArithDialect>();
  std::string message;
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
    if (message.empty())
      message = diagnostic.str();
    return success();
  });
  auto module = parseSourceString<ModuleOp>(bytecode, &context);
  if (!module)
    return llvm::createStringError("the module's model cannot be read: %s", message.c_str());
  auto archives = std::make_shared<ArchiveSet>(modulePath);
  return f64 ? generate<double>(*module, archives, request)
             : generate<float>(*module, archives, request);
}

} // namespace

extern "C" __attribute__((visibility("default"))) int
un0_reference_generate(const void *model_bytecode, size_t bytecode_size, const char *module_path,
                       int precision_f64, uint64_t batch, const float *theta0, const float *phi0,
                       const int64_t *labels, float *theta, float *features, float *images,
                       char *error, size_t error_size) {
  Request request = {batch, theta0, phi0, labels, theta, features, images};
  Error failure = run(StringRef(static_cast<const char *>(model_bytecode), bytecode_size),
                      module_path, precision_f64 != 0, request);
  if (!failure)
    return 0;
  std::snprintf(error, error_size, "%s", llvm::toString(std::move(failure)).c_str());
  return 1;
}
