//===- Convolutions.cpp - choose the decoder's precisions -------*- C++ -*-===//

#include "CostModel.h"
#include "RoundedDecoder.h"
#include "lib/Conversion/Un0ToCpu/Schedule.h"
#include "un0/Quantize/Precisions.h"

using namespace mlir;
using namespace un0;
using llvm::Error;
using llvm::Expected;

namespace {
/// A convolution's cost in both precisions.
struct Price {
  std::string name;
  double f32, int8; // microseconds
  double saved() const { return f32 - int8; }
};
} // namespace

/// With the products of the forms that the lowering chooses.
static Price getPrice(un0::Conv2DOp conv, cpu::ConvForm f32, cpu::ConvForm int8,
                      const CpuTarget &target) {
  auto weight = cast<ShapedType>(conv.getWeight().getType());
  auto output = cast<ShapedType>(conv.getOutput().getType());
  double pairs = static_cast<double>(weight.getDimSize(0) * weight.getDimSize(1));
  auto pixels = static_cast<double>(output.getDimSize(2) * output.getDimSize(3));
  double stored = conv.getUpsample() ? 16 : 9;
  double products = 2 * static_cast<double>(conv.getCost().multiplyAdds);
  auto price = [&](Precision precision, cpu::ConvForm form) {
    bool bytes = precision == Precision::Int8;
    OperatorWork work = {products, stored * pairs * (bytes ? 1 : 4)};
    // Planes of bytes are multiplied as 16-bit numbers.
    if (form != cpu::ConvForm::Direct) {
      cpu::PlaneShape shape = cpu::getPlaneShape(form);
      auto planes = static_cast<double>(shape.getAllPlanes());
      work.operations =
          2 * planes * pairs * pixels / static_cast<double>(shape.outputs * shape.outputs);
      work.parameterBytes = planes * pairs * (bytes ? 2 : 4);
      if (bytes)
        precision = Precision::Int16;
    }
    return getModelledTime(work, precision, target);
  };
  return {getOperatorName(conv).str(), price(Precision::F32, f32), price(Precision::Int8, int8)};
}

std::vector<std::string> un0::listConvolutionNames(ModuleOp module) {
  std::vector<std::string> names;
  for (un0::Conv2DOp conv : listConvolutions(module))
    if (StringRef name = getOperatorName(conv); !name.empty() && !llvm::is_contained(names, name))
      names.push_back(name.str());
  return names;
}

Error un0::checkConvolutions(ModuleOp module, ArrayRef<Choice> choices) {
  std::vector<std::string> names = listConvolutionNames(module);
  for (const Choice &choice : choices)
    if (!llvm::is_contained(names, choice.name))
      return llvm::createStringError("no convolution is named '%s'; there are: %s",
                                     choice.name.c_str(), llvm::join(names, ", ").c_str());
  return Error::success();
}

Expected<double> un0::measureDecoder(ModuleOp module, ArchiveSet &archives,
                                     const MeasuredModel &measured) {
  Expected<std::unique_ptr<HostModel>> decoder = HostModel::createDecoder(module, archives);
  if (!decoder)
    return decoder.takeError();
  return getRms((*decoder)->decodeFeatures(measured.chosen.features), measured.exact.images);
}

Expected<std::vector<Candidate>> un0::chooseConvolutions(ModuleOp module, ArchiveSet &archives,
                                                         const CpuTarget &target,
                                                         const MeasuredModel &measured,
                                                         double limit, bool direct) {
  // What would gain nothing needs no calibration.
  SmallVector<un0::Conv2DOp> convs = listConvolutions(module);
  std::vector<Price> prices;
  std::vector<std::string> gaining;
  for (auto [conv, f32, int8] :
       llvm::zip_equal(convs, chooseForms(convs, Precision::F32, target, direct),
                       chooseForms(convs, Precision::Int8, target, direct))) {
    prices.push_back(getPrice(conv, f32, int8, target));
    if (prices.back().saved() > 0)
      gaining.push_back(prices.back().name);
  }
  std::unique_ptr<RoundedDecoder> decoder;
  if (!gaining.empty()) {
    auto made = RoundedDecoder::create(module, archives);
    if (!made)
      return made.takeError();
    decoder = std::move(*made);
    if (Error error = decoder->calibrate(measured.chosen.features, gaining))
      return std::move(error);
  }
  auto measure = [&](ArrayRef<std::string> names) {
    return getRms(decoder->decode(measured.chosen.features, names), measured.exact.images);
  };

  struct Gain {
    Price price;
    double alone, perError;
  };
  std::vector<Gain> gains;
  double base = measured.imageError * measured.imageError;
  for (const Price &price : prices) {
    if (price.saved() <= 0)
      continue;
    double error = measure(price.name);
    // Errors of unlike origin add up in squares.
    double own = std::max(error * error - base, 1e-12);
    gains.push_back({price, error, price.saved() / own});
  }
  llvm::sort(gains, [](const Gain &a, const Gain &b) {
    return std::tie(b.perError, a.price.name) < std::tie(a.perError, b.price.name);
  });

  llvm::StringMap<double> errors; // of int8, on top of what was chosen before
  std::vector<std::string> chosen;
  for (const Gain &gain : gains) {
    std::vector<std::string> tried = chosen;
    tried.push_back(gain.price.name);
    double error = chosen.empty() ? gain.alone : measure(tried);
    errors[gain.price.name] = error;
    if (error <= limit)
      chosen = std::move(tried);
  }
  // What was chosen, in int8 itself: the last one says what the whole errs.
  while (!chosen.empty()) {
    OwningOpRef<ModuleOp> copy(module.clone());
    if (failed(quantizeConvolutions(*copy, decoder->getRanges(), chosen)))
      return llvm::createStringError("cannot quantize the decoder");
    Expected<double> error = measureDecoder(*copy, archives, measured);
    if (!error)
      return error.takeError();
    errors[chosen.back()] = *error;
    if (*error <= limit)
      break;
    chosen.pop_back();
  }
  std::vector<Candidate> candidates;
  for (const Price &price : prices) {
    bool bytes = llvm::is_contained(chosen, price.name);
    candidates.push_back({price.name, Precision::F32, measured.featureError, measured.imageError,
                          price.f32, !bytes});
    if (auto it = errors.find(price.name); it != errors.end())
      candidates.push_back(
          {price.name, Precision::Int8, measured.featureError, it->second, price.int8, bytes});
  }
  return candidates;
}
