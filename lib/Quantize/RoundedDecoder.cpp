//===- RoundedDecoder.cpp - any convolution in int8, compiled once -*- C++ -*-===//

#include "RoundedDecoder.h"

#include "dialects/Cpu/IR/Cpu.h"
#include "un0/Codegen/Packing.h"
#include <cmath>
#include <cstring>

using namespace mlir;
using namespace un0;
using llvm::Error;
using llvm::Expected;
using un0::cpu::kLine;

Expected<std::unique_ptr<RoundedDecoder>> RoundedDecoder::create(ModuleOp module,
                                                                 ArchiveSet &archives) {
  OwningOpRef<ModuleOp> direct(module.clone());
  // Rounded weights have no transforms, and images of one kind of sum differ least.
  (*direct)->setAttr(cpu::kDirectAttr, UnitAttr::get(module.getContext()));
  auto host = HostModel::createDecoder(*direct, archives, /*observe=*/true);
  if (!host)
    return host.takeError();
  std::unique_ptr<RoundedDecoder> decoder(new RoundedDecoder(module, archives));
  decoder->host = std::move(*host);
  return std::move(decoder);
}

/// The nearest of 256 numbers, as toBytes of the code generator takes it, times the step.
static float round(float value, float factor, float step, float zeroPoint) {
  constexpr float magic = 12582912.0f; // 1.5 * 2^23 rounds to nearest even
  float number = std::min(std::max(value * factor, -zeroPoint), 255.0f - zeroPoint);
  return ((number + magic) - magic) * step;
}

Error RoundedDecoder::calibrate(ArrayRef<float> features, ArrayRef<std::string> names) {
  int64_t count = static_cast<int64_t>(features.size()) / host->features;
  auto found =
      calibrateConvolutions(module, archives, names, count, [&](HostModel::Observer observer) {
        HostModel::Outputs outputs;
        outputs.features = features.vec();
        outputs.images = host->decodeFeatures(features, observer);
        return outputs;
      });
  if (!found)
    return found.takeError();
  ranges = std::move(*found);
  OwningOpRef<ModuleOp> bytes(module.clone());
  if (failed(quantizeConvolutions(*bytes, ranges, names)))
    return llvm::createStringError("cannot quantize the decoder");

  roundings.clear();
  bytes->walk([&](un0::Conv2DOp conv) {
    Rounding &rounding = roundings.emplace_back();
    rounding.name = getOperatorName(conv).str();
    auto shape = cast<ShapedType>(conv.getInput().getType()).getShape();
    rounding.pixels = (shape[2] + 2) * (shape[3] + 2);
    if (conv.getPrecision() != Precision::Int8)
      return;
    double scale = conv.getInputScale()->convertToDouble();
    rounding.zeroPoint = static_cast<float>(*conv.getInputZeroPoint());
    rounding.factors.assign(cpu::padToLine(shape[1]), static_cast<float>(1.0 / scale));
    rounding.steps.assign(rounding.factors.size(), static_cast<float>(scale));
    if (std::optional<ArrayRef<int64_t>> exponents = conv.getInputExponents())
      for (auto [c, exponent] : llvm::enumerate(*exponents)) {
        auto power = static_cast<int>(exponent);
        rounding.factors[c] = std::ldexp(rounding.factors[c], -power);
        rounding.steps[c] = std::ldexp(rounding.steps[c], power);
      }
    for (auto packed : host->module->getOps<cpu::PackedParamOp>())
      if (packed.getParam() == rounding.name) {
        rounding.weightsAt = packed.getOffset();
        rounding.weightBytes = packed.getBytes();
        packed->setAttr(kRoundedAttr, UnitAttr::get(packed.getContext()));
        packed.setInputExponentsAttr(conv.getInputExponentsAttr());
      }
  });
  rounded = allocateHost(host->code.weightBytes);
  mixed = allocateHost(host->code.weightBytes);
  if (!rounded || !mixed)
    return llvm::createStringError("cannot get %lld bytes for the decoder's parameters",
                                   static_cast<long long>(host->code.weightBytes));
  return packHostWeights(*host->module, archives, rounded.get());
}

void RoundedDecoder::Rounding::apply(float *values, int64_t block, int64_t count) const {
  const float *factor = &factors[block * kLine], *step = &steps[block * kLine];
  for (int64_t p = 0; p < count; ++p, values += kLine)
    for (int64_t c = 0; c < kLine; ++c)
      values[c] = round(values[c], factor[c], step[c], zeroPoint);
}

std::vector<float> RoundedDecoder::decode(ArrayRef<float> features,
                                          ArrayRef<std::string> names) const {
  SmallVector<bool> chosen;
  std::memcpy(mixed.get(), host->weights.get(), host->code.weightBytes);
  for (const Rounding &r : roundings) {
    chosen.push_back(!r.factors.empty() && llvm::is_contained(names, r.name));
    if (chosen.back())
      std::memcpy(mixed.get() + r.weightsAt, rounded.get() + r.weightsAt, r.weightBytes);
  }
  auto between = [&](size_t number, float *image) {
    const Rounding &r = roundings[number + 1];
    for (size_t block = 0; chosen[number + 1] && block < r.factors.size() / kLine; ++block)
      r.apply(image + static_cast<int64_t>(block) * r.pixels * kLine, static_cast<int64_t>(block),
              r.pixels);
  };
  int64_t count = static_cast<int64_t>(features.size()) / host->features;
  std::vector<float> images(count * host->image), vector;
  for (int64_t sample = 0; sample < count; ++sample) {
    ArrayRef<float> own = features.slice(sample * host->features, host->features);
    vector.assign(own.begin(), own.end());
    const Rounding &first = roundings.front();
    // Features are channels one after the other, and of one size.
    if (chosen.front())
      for (float &value : vector)
        value = round(value, first.factors[0], first.steps[0], first.zeroPoint);
    host->decodeObserved(mixed.get(), vector.data(), &images[sample * host->image], between);
  }
  return images;
}
