//===- Calibrate.cpp - ranges of the decoder's activations ------*- C++ -*-===//

#include "un0/Quantize/Calibrate.h"

#include "dialects/Un0/IR/Un0.h"
#include "un0/Codegen/CpuTarget.h"
#include "dialects/Cpu/IR/Cpu.h"
#include <algorithm>
#include <cmath>

using namespace mlir;
using namespace un0;
using un0::cpu::kLine;
using llvm::Expected;

/// Features that the samples hold at least, and how many samples there are.
static constexpr int64_t kFeatures = 1 << 17, kMostSamples = 64, kLeastSamples = 16;
/// Values that a range is fitted to.
static constexpr size_t kMostValues = 1 << 20;

ActivationRange un0::fitRange(ArrayRef<float> values) {
  constexpr int bins = 2048;
  float low = 0, high = 0;
  for (float value : values) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
  if (!(high > low))
    return {0, 1};
  std::vector<double> counts(bins, 0);
  double width = (double(high) - low) / bins;
  for (float value : values)
    ++counts[std::min<int>(bins - 1, static_cast<int>((value - low) / width))];
  ActivationRange best{low, high};
  double least = INFINITY;
  for (int percent = 100; percent >= 40; percent -= 2) {
    double from = low * percent / 100.0, to = high * percent / 100.0;
    // A rounded value is off by a step / sqrt(12), a clipped one by its distance.
    double step = (to - from) / 255.0, error = 0;
    for (int i = 0; i < bins; ++i) {
      double value = low + (i + 0.5) * width;
      double outside = std::max({value - to, from - value, 0.0});
      error += counts[i] * (outside > 0 ? outside * outside : step * step / 12);
    }
    if (error < least) {
      least = error;
      best = {from, to};
    }
  }
  return best;
}

Expected<std::vector<ActivationRange>> un0::calibrateConvolutions(ModuleOp module, ArchiveSet &archives) {
  auto host = HostModel::create(module, archives, /*observe=*/true);
  if (!host)
    return host.takeError();
  struct Image {
    int64_t channels, height, width;
    std::vector<float> values;
  };
  std::vector<Image> inputs;
  module.walk([&](un0::Conv2DOp conv) {
    auto shape = cast<ShapedType>(conv.getInput().getType()).getShape();
    inputs.push_back({shape[1], shape[2], shape[3], {}});
  });
  int64_t count =
      std::clamp(kFeatures / (*host)->getOscillators(), kLeastSamples, kMostSamples);
  Samples samples = Samples::draw(count, (*host)->getOscillators(), (*host)->getConditioning(),
                                  (*host)->getClasses());
  auto observe = [&](const float *images) {
    // The first convolution reads the features, which are not among the images kept.
    for (size_t k = 1; k < inputs.size(); ++k) {
      Image &image = inputs[k];
      int64_t rows = image.height + 2, columns = image.width + 2;
      int64_t pixels = image.height * image.width;
      // Every so manyth pixel, in an order that does not repeat along rows.
      int64_t stride =
          std::max<int64_t>(1, image.channels * pixels * count / int64_t(kMostValues)) | 1;
      for (int64_t p = 0; p < pixels; p += stride)
        for (int64_t c = 0; c < image.channels; ++c) {
          int64_t y = p / image.width + 1, x = p % image.width + 1;
          image.values.push_back(
              images[((c / kLine * rows + y) * columns + x) * kLine + c % kLine]);
        }
      images += cpu::padToLine(image.channels) * rows * columns;
    }
  };
  HostModel::Outputs outputs = (*host)->run(samples, /*decode=*/true, observe);
  inputs.front().values = std::move(outputs.features);
  std::vector<ActivationRange> ranges;
  for (const Image &image : inputs)
    ranges.push_back(fitRange(image.values));
  return ranges;
}
