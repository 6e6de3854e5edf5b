//===- PackPlanes.cpp - transformed convolutions, packed --------*- C++ -*-===//

#include "PackPlanes.h"

#include "PlaneTransforms.h"
#include <cmath>

using namespace mlir;
using namespace un0;
using llvm::Error;

/// All planes of one 3x3 kernel, scaled.
static void transformFilter(cpu::ConvForm form, const float *kernel, double scale,
                            SmallVectorImpl<float> &out) {
  out.clear();
  transformSquare<double>(
      3, [&](int64_t y, int64_t x) { return kernel[3 * y + x]; },
      [&](ArrayRef<double> w) { return transformKernel(form, w[0], w[1], w[2]); },
      [&](int64_t, ArrayRef<double> row) {
        for (double value : row)
          out.push_back(static_cast<float>(value * scale));
      });
}

Error un0::packPlanes(ParamOp param, cpu::PackedParamOp packed, const StoredTensor &tensor,
                      llvm::function_ref<Error(ArrayRef<uint8_t>)> sink) {
  if (tensor.shape.size() != 4)
    return llvm::createStringError("parameter '%s' has rank %zu, its packing needs 4",
                                   param.getSymName().str().c_str(), tensor.shape.size());
  int64_t outputs = tensor.shape[0], inputs = tensor.shape[1];
  auto lanes = static_cast<int64_t>(packed.getLanes()),
       group = static_cast<int64_t>(packed.getGroup());
  double scale = param.getScale() ? param.getScale()->convertToDouble() : 1.0;
  int64_t perPlane = cpu::getSummedChannels(inputs),
          vectors = cpu::padToLanes(outputs, lanes) / lanes;
  std::optional<ArrayRef<int64_t>> exponents = packed.getOutputExponents();
  std::vector<float> filter(inputs * 9), out;
  SmallVector<float> planes;
  for (int64_t first = 0; first < vectors; first += group) {
    int64_t channels = std::min(group, vectors - first) * lanes;
    out.assign(cpu::getPlaneWords(packed.getForm(), /*bytes=*/false, inputs, channels), 0.0f);
    for (int64_t c = 0; c < channels && first * lanes + c < outputs; ++c) {
      int64_t output = first * lanes + c;
      double factor =
          exponents ? std::ldexp(scale, -static_cast<int>((*exponents)[output])) : scale;
      tensor.readF32(output * inputs * 9, filter);
      for (int64_t i = 0; i < inputs; ++i) {
        transformFilter(packed.getForm(), &filter[i * 9], factor, planes);
        for (auto [plane, value] : llvm::enumerate(planes))
          out[(plane * perPlane + i) * channels + c] = value;
      }
    }
    if (Error error =
            sink({reinterpret_cast<const uint8_t *>(out.data()), out.size() * sizeof(float)}))
      return error;
  }
  return Error::success();
}
