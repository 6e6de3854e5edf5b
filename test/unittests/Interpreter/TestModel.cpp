//===- TestModel.cpp - small models made for a test -------------*- C++ -*-===//

#include "TestModel.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Tosa/IR/TosaOps.h"
#include "mlir/Parser/Parser.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/xxhash.h"
#include <cmath>

using namespace un0;

int64_t testing::TestModel::getFeatures() const {
  return oscillators * (reference == "pairwise" ? oscillators : 1) *
         (encoding == "sin_cos" ? 2 : 1);
}

std::string testing::TestModel::print() const {
  std::string text = R"mlir(
un0.param @K : tensor<$Nx$Nxf32> from "t" key "K" {zero_diagonal, scale = $S}
un0.param @omega : tensor<1x$Nxf32> from "t" key "omega"
un0.param @K_cond : tensor<$Mx$Mxf32> from "t" key "K_cond"
un0.param @omega_cond : tensor<1x$Mxf32> from "t" key "omega_cond"
un0.param @K_drive : tensor<$Qx$Nx$Mxf32> from "t" key "K_drive"
un0.param @weight_a : tensor<3x$Cx3x3xf32> from "t" key "weight_a"
un0.param @bias_a : tensor<3xf32> from "t" key "bias_a"
un0.param @weight_b : tensor<3x3x3x3xf32> from "t" key "weight_b"
un0.param @bias_b : tensor<3xf32> from "t" key "bias_b"
func.func @generate(%theta0: tensor<?x$Nxf32>, %phi0: tensor<?x$Mxf32>, %label: tensor<?xi64>) -> tensor<?x3x4x4xf32> {
  %K = un0.get_param @K : tensor<$Nx$Nxf32>
  %w = un0.get_param @omega : tensor<1x$Nxf32>
  %C = un0.get_param @K_cond : tensor<$Mx$Mxf32>
  %wc = un0.get_param @omega_cond : tensor<1x$Mxf32>
  %D = un0.get_param @K_drive : tensor<$Qx$Nx$Mxf32>
  %drive = un0.select_class %D[%label] : tensor<$Qx$Nx$Mxf32>, tensor<?xi64> -> tensor<?x$Nx$Mxf32>
  %theta, %phi = un0.evolve(%t = %theta0, %p = %phi0) solver($solver) steps($steps) time(1.0)
      : tensor<?x$Nxf32>, tensor<?x$Mxf32> {
    %a = un0.couple %K, %t, %t : tensor<$Nx$Nxf32>, tensor<?x$Nxf32>, tensor<?x$Nxf32>
    %b = un0.couple %drive, %p, %t : tensor<?x$Nx$Mxf32>, tensor<?x$Mxf32>, tensor<?x$Nxf32>
    %dt = un0.rate of %t frequency %w terms(%a, %b) : tensor<?x$Nxf32>, tensor<1x$Nxf32>
    %c = un0.couple %C, %p, %p {zero_diagonal} : tensor<$Mx$Mxf32>, tensor<?x$Mxf32>, tensor<?x$Mxf32>
    %dp = un0.rate of %p frequency %wc terms(%c) : tensor<?x$Mxf32>, tensor<1x$Mxf32>
    un0.yield %dt, %dp : tensor<?x$Nxf32>, tensor<?x$Mxf32>
  }
  %f = un0.readout %theta reference($reference) encoding($encoding) : tensor<?x$Nxf32> -> tensor<?x$Fxf32>
  %c0 = arith.constant 0 : index
  %batch = tensor.dim %f, %c0 : tensor<?x$Fxf32>
  %x = tensor.expand_shape %f [[0], [1, 2, 3]] output_shape [%batch, $C, 2, 2] : tensor<?x$Fxf32> into tensor<?x$Cx2x2xf32>
  %zero = "tosa.const"() <{values = dense<0.0> : tensor<1xf32>}> : () -> tensor<1xf32>
  %slope = "tosa.const"() <{values = dense<0.2> : tensor<1x1x1x1xf32>}> : () -> tensor<1x1x1x1xf32>
  %shift = "tosa.const"() <{values = dense<0> : tensor<1xi8>}> : () -> tensor<1xi8>
  %scale = tosa.const_shape {values = dense<[4, 2, 4, 2]> : tensor<4xindex>} : () -> !tosa.shape<4>
  %offset = tosa.const_shape {values = dense<-1> : tensor<2xindex>} : () -> !tosa.shape<2>
  %border = tosa.const_shape {values = dense<1> : tensor<2xindex>} : () -> !tosa.shape<2>
  %wa = un0.get_param @weight_a : tensor<3x$Cx3x3xf32>
  %ba = un0.get_param @bias_a : tensor<3xf32>
  %wb = un0.get_param @weight_b : tensor<3x3x3x3xf32>
  %bb = un0.get_param @bias_b : tensor<3xf32>
  %x0 = tosa.transpose %x {perms = array<i32: 0, 2, 3, 1>} : (tensor<?x$Cx2x2xf32>) -> tensor<?x2x2x$Cxf32>
  %wa1 = tosa.transpose %wa {perms = array<i32: 0, 2, 3, 1>} : (tensor<3x$Cx3x3xf32>) -> tensor<3x3x3x$Cxf32>
  %wb1 = tosa.transpose %wb {perms = array<i32: 0, 2, 3, 1>} : (tensor<3x3x3x3xf32>) -> tensor<3x3x3x3xf32>
  %x1 = tosa.resize %x0, %scale, %offset, %border {mode = NEAREST_NEIGHBOR}
      : (tensor<?x2x2x$Cxf32>, !tosa.shape<4>, !tosa.shape<2>, !tosa.shape<2>) -> tensor<?x4x4x$Cxf32>
  %x2 = tosa.conv2d %x1, %wa1, %ba, %zero, %zero {acc_type = f32, dilation = array<i64: 1, 1>, pad = array<i64: 1, 1, 1, 1>, stride = array<i64: 1, 1>}
      : (tensor<?x4x4x$Cxf32>, tensor<3x3x3x$Cxf32>, tensor<3xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<?x4x4x3xf32>
  %x3 = tosa.mul %x2, %slope, %shift : (tensor<?x4x4x3xf32>, tensor<1x1x1x1xf32>, tensor<1xi8>) -> tensor<?x4x4x3xf32>
  %x4 = tosa.maximum %x2, %x3 : (tensor<?x4x4x3xf32>, tensor<?x4x4x3xf32>) -> tensor<?x4x4x3xf32>
  %x5 = tosa.conv2d %x4, %wb1, %bb, %zero, %zero {acc_type = f32, dilation = array<i64: 1, 1>, pad = array<i64: 1, 1, 1, 1>, stride = array<i64: 1, 1>}
      : (tensor<?x4x4x3xf32>, tensor<3x3x3x3xf32>, tensor<3xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<?x4x4x3xf32>
  %x6 = tosa.tanh %x5 : (tensor<?x4x4x3xf32>) -> tensor<?x4x4x3xf32>
  %image = tosa.transpose %x6 {perms = array<i32: 0, 3, 1, 2>} : (tensor<?x4x4x3xf32>) -> tensor<?x3x4x4xf32>
  return %image : tensor<?x3x4x4xf32>
}
)mlir";
  auto replace = [&](llvm::StringRef name, const std::string &value) {
    for (size_t at = 0; (at = text.find(name.str(), at)) != std::string::npos; at += value.size())
      text.replace(at, name.size(), value);
  };
  // Longer names first: "$S" begins none of them but "$s..." differs in case.
  replace("$reference", reference);
  replace("$encoding", encoding);
  replace("$solver", solver);
  replace("$steps", std::to_string(steps));
  replace("$S", llvm::formatv("{0:E}", scale).str());
  replace("$N", std::to_string(oscillators));
  replace("$M", std::to_string(conditioning));
  replace("$Q", std::to_string(classes));
  replace("$F", std::to_string(getFeatures()));
  replace("$C", std::to_string(getFeatures() / 4));
  return text;
}

std::unique_ptr<mlir::MLIRContext> testing::makeContext() {
  mlir::DialectRegistry registry;
  registry.insert<Un0Dialect, mlir::func::FuncDialect, mlir::tosa::TosaDialect,
                  mlir::tensor::TensorDialect, mlir::arith::ArithDialect>();
  auto context = std::make_unique<mlir::MLIRContext>(registry);
  context->disableMultithreading();
  return context;
}

mlir::OwningOpRef<mlir::ModuleOp> testing::parse(mlir::MLIRContext &context, llvm::StringRef text) {
  return mlir::parseSourceString<mlir::ModuleOp>(text, &context);
}

template <typename T>
Tensor<T> testing::makeValues(llvm::StringRef name, llvm::ArrayRef<int64_t> shape, double factor) {
  Tensor<T> result(shape);
  factor /= std::sqrt(static_cast<double>(shape.back()));
  uint64_t state = llvm::xxh3_64bits(name);
  for (T &value : result.data) {
    // splitmix64
    uint64_t z = state += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    z ^= z >> 31;
    // Rounded to float, so that both types of interpreter get the same values.
    value = static_cast<float>(factor * (static_cast<double>(z >> 11) * 0x1p-52 - 1.0));
  }
  return result;
}

template <typename T> ParamLoader<T> testing::makeLoader() {
  return [](ParamOp param) -> llvm::Expected<Tensor<T>> {
    return makeValues<T>(param.getKey(), llvm::cast<mlir::ShapedType>(param.getType()).getShape());
  };
}

double testing::getMaxDifference(const Tensor<double> &a, const Tensor<double> &b) {
  if (a.shape != b.shape)
    return INFINITY;
  double difference = 0;
  for (auto [x, y] : llvm::zip_equal(a.data, b.data)) {
    if (!std::isfinite(x) || !std::isfinite(y))
      return INFINITY;
    difference = std::max(difference, std::abs(x - y));
  }
  return difference;
}

template Tensor<float> testing::makeValues(llvm::StringRef, llvm::ArrayRef<int64_t>, double);
template Tensor<double> testing::makeValues(llvm::StringRef, llvm::ArrayRef<int64_t>, double);
template ParamLoader<float> testing::makeLoader();
template ParamLoader<double> testing::makeLoader();
