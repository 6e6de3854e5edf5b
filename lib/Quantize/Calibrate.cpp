//===- Calibrate.cpp - ranges of the decoder's activations ------*- C++ -*-===//

#include "un0/Quantize/Calibrate.h"

#include "dialects/Cpu/IR/Cpu.h"
#include "dialects/Un0/Transforms/Passes.h"
#include "mlir/Pass/PassManager.h"
#include "un0/Codegen/CpuTarget.h"
#include "un0/Quantize/Rows.h"
#include <algorithm>
#include <cmath>

using namespace mlir;
using namespace un0;
using llvm::Expected;
using un0::cpu::kLine;

/// Features that the samples hold at least, and how many samples there are.
static constexpr int64_t kFeatures = 1 << 17, kMostSamples = 64, kLeastSamples = 16;
/// Values that a range is fitted to.
static constexpr size_t kMostValues = 1 << 20;

ActivationRange un0::fitRange(ArrayRef<float> values, ArrayRef<float> weights) {
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
  // As many values to each weight.
  size_t each = weights.empty() ? 1 : values.size() / weights.size();
  for (size_t i = 0; i < values.size(); ++i)
    counts[std::min<int>(bins - 1, static_cast<int>((values[i] - low) / width))] +=
        weights.empty() ? 1.0 : weights[i / each];
  ActivationRange best{low, high};
  double least = INFINITY;
  for (int percent = 100; percent >= 10; percent -= 2) {
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

/// Pixels of as many numbers as there are exponents, divided by these powers of two.
static std::vector<float> divide(ArrayRef<float> values, ArrayRef<int64_t> exponents) {
  std::vector<float> result(values.begin(), values.end());
  for (size_t i = 0; i < result.size(); ++i)
    result[i] = std::ldexp(result[i], -static_cast<int>(exponents[i % exponents.size()]));
  return result;
}

namespace {
/// What a convolution reads, channel by channel.
struct Channels {
  Channels(ArrayRef<float> values, ArrayRef<float> pixelWeights, ArrayRef<float> filters,
           int64_t count)
      : values(values), pixelWeights(pixelWeights), filters(filters), count(count),
        largest(count, 0), energy(count, 0), weight(count, 0), weightEnergy(count, 0) {
    for (size_t i = 0; i < values.size(); ++i) {
      double value = std::abs(values[i]);
      largest[i % count] = std::max(largest[i % count], value);
      energy[i % count] += value * value * pixelWeights[i / count];
    }
    for (size_t i = 0; i < filters.size(); ++i) {
      double value = std::abs(filters[i]);
      int64_t c = static_cast<int64_t>(i) / kTaps % count;
      weight[c] = std::max(weight[c], value);
      weightEnergy[c] += value * value;
    }
  }

  /// Exponents for channels whose sizes go by a power of their largest value over one of their
  /// largest weight.
  SmallVector<int64_t> choose(double byValue, double byWeight) const {
    constexpr double least = 1.0 / 4096; // of the largest: what never shows needs no steps
    double value = *llvm::max_element(largest), most = *llvm::max_element(weight);
    SmallVector<double> sizes;
    for (int64_t c = 0; c < count; ++c)
      sizes.push_back(byValue * std::log2(std::max(largest[c], value * least)) -
                      byWeight * std::log2(std::max(weight[c], most * least)));
    double top = *llvm::max_element(sizes);
    SmallVector<int64_t> exponents;
    for (double size : sizes)
      exponents.push_back(
          std::max<int64_t>(-kMostExponent, static_cast<int64_t>(std::nearbyint(size - top))));
    return exponents;
  }

  /// The squared error of the outputs of `filters`, per pixel, if the input's values and the
  /// weights are rounded with these exponents.
  double measure(ArrayRef<int64_t> exponents) const {
    std::vector<float> scaled = divide(values, exponents);
    ActivationRange range = fitRange(scaled, pixelWeights);
    double step = (range.high - range.low) / 255.0, error = 0;
    for (size_t i = 0; i < scaled.size(); ++i) {
      double value = scaled[i];
      double outside = std::max({value - range.high, range.low - value, 0.0});
      double own = outside > 0 ? outside * outside : step * step / 12;
      error += std::ldexp(own, 2 * static_cast<int>(exponents[i % count])) *
               weightEnergy[i % count] * pixelWeights[i / count];
    }
    size_t each = static_cast<size_t>(count) * kTaps;
    std::vector<float> filter(each);
    std::vector<int16_t> numbers(each);
    for (size_t first = 0; first + each <= filters.size(); first += each) {
      for (size_t i = 0; i < each; ++i)
        filter[i] = std::ldexp(filters[first + i], static_cast<int>(exponents[i / kTaps]));
      double weightStep = quantizeFilter(filter, kTaps, numbers);
      for (size_t i = 0; i < each; ++i) {
        double lost = filter[i] - weightStep * numbers[i];
        error += lost * lost *
                 std::ldexp(energy[i / kTaps], -2 * static_cast<int>(exponents[i / kTaps]));
      }
    }
    return error;
  }

  static constexpr int64_t kTaps = 9;
  ArrayRef<float> values, pixelWeights, filters;
  int64_t count;
  std::vector<double> largest, energy, weight, weightEnergy;
};

/// How much of an error at a pixel, of any image of the decoder, is left in the picture. Most large
/// values are there to drive the hyperbolic tangent at the end into saturation, where nothing
/// shows: its squared slope, a mean over channels and the pixels next to it.
class Sensitivity {
public:
  Sensitivity(un0::Conv2DOp last, ArrayRef<float> images) {
    auto shape = cast<ShapedType>(last.getOutput().getType()).getShape();
    channels = shape[1];
    height = shape[2];
    width = shape[3];
    slopes.assign(images.size() / size_t(channels), 1.0f);
    if (last.getActivation() != Activation::Tanh)
      return;
    std::fill(slopes.begin(), slopes.end(), 0.0f);
    size_t pixels = size_t(height * width);
    for (size_t i = 0; i < images.size(); ++i) {
      float slope = 1 - images[i] * images[i];
      slopes[i / (pixels * size_t(channels)) * pixels + i % pixels] +=
          slope * slope / static_cast<float>(channels);
    }
  }

  /// For `pixels` of images of `rows` x `columns`: means over what becomes of each, and the ring
  /// around it.
  std::vector<float> of(ArrayRef<int64_t> pixels, int64_t rows, int64_t columns) const {
    int64_t tall = height / rows, wide = width / columns;
    std::vector<float> result;
    for (int64_t pixel : pixels) {
      int64_t sample = pixel / (rows * columns), y = pixel / columns % rows, x = pixel % columns;
      double sum = 0;
      int64_t count = 0;
      for (int64_t v = std::max<int64_t>(0, y * tall - 1); v < std::min(height, (y + 1) * tall + 1);
           ++v)
        for (int64_t u = std::max<int64_t>(0, x * wide - 1);
             u < std::min(width, (x + 1) * wide + 1); ++u, ++count)
          sum += slopes[(sample * height + v) * width + u];
      // Where everything saturates, any range will do.
      result.push_back(static_cast<float>(sum / double(count) + kLeastSlope));
    }
    return result;
  }

private:
  static constexpr double kLeastSlope = 1e-6;
  int64_t channels, height, width;
  std::vector<float> slopes; // of each pixel of each sample
};

/// Output channels whose weights decide on exponents, and values that do.
constexpr int64_t kFilters = 32;
constexpr size_t kEqualizedValues = 1 << 18;

/// Weights of up to `kFilters` output channels of `conv`.
Expected<std::vector<float>> readFilters(un0::Conv2DOp conv, ArchiveSet &archives) {
  ParamOp param = getParameter(conv.getWeight());
  if (!param)
    return std::vector<float>();
  Expected<std::shared_ptr<Archive>> archive = archives.open(param.getArchive());
  if (!archive)
    return archive.takeError();
  const StoredTensor *tensor = (*archive)->find(param.getKey());
  if (!tensor)
    return llvm::createStringError("the archive has no tensor '%s'", param.getKey().str().c_str());
  auto shape = cast<ShapedType>(param.getType()).getShape();
  int64_t each = shape[1] * 9, stride = llvm::divideCeil(shape[0], kFilters);
  double scale = param.getScale() ? param.getScale()->convertToDouble() : 1.0;
  std::vector<float> filters, filter(each);
  for (int64_t o = 0; o < shape[0]; o += stride) {
    tensor->readF32(o * each, filter);
    for (float value : filter)
      filters.push_back(static_cast<float>(value * scale));
  }
  return filters;
}
} // namespace

ActivationRange un0::equalize(ArrayRef<float> values, ArrayRef<float> weights,
                              ArrayRef<float> filters, int64_t channels) {
  // Whole pixels, spread over all.
  std::vector<float> some, someWeights;
  size_t pixels = values.size() / size_t(channels);
  size_t stride = std::max<size_t>(1, values.size() / kEqualizedValues) | 1;
  for (size_t p = 0; p < pixels; p += stride) {
    llvm::append_range(some, values.slice(p * size_t(channels), size_t(channels)));
    someWeights.push_back(weights[p]);
  }
  SmallVector<int64_t> none(channels, 0);
  auto fit = [&](ArrayRef<float> scaled, ArrayRef<int64_t> exponents) {
    ActivationRange range = fitRange(scaled, weights);
    range.exponents.assign(exponents.begin(), exponents.end());
    return range;
  };
  if (filters.empty() || some.empty())
    return fit(values, none);
  Channels all(some, someWeights, filters, channels);
  double least = all.measure(none);
  constexpr std::pair<double, double> candidates[] = {
      {0.25, 0.25}, {0.5, 0.5}, {0.25, 0}, {0.5, 0}, {0.5, 0.25}, {0.75, 0}, {0.75, 0.25}, {1, 0}};
  SmallVector<int64_t> chosen = none;
  for (auto [byValue, byWeight] : candidates) {
    SmallVector<int64_t> exponents = all.choose(byValue, byWeight);
    double error = all.measure(exponents);
    if (error < least) {
      least = error;
      chosen = exponents;
    }
  }
  return fit(divide(values, chosen), chosen);
}

Expected<std::vector<ActivationRange>>
un0::calibrateConvolutions(ModuleOp module, ArchiveSet &archives, ArrayRef<std::string> names) {
  auto host = HostModel::create(module, archives, /*observe=*/true);
  if (!host)
    return host.takeError();
  int64_t count = std::clamp(kFeatures / (*host)->getOscillators(), kLeastSamples, kMostSamples);
  Samples samples = Samples::draw(count, (*host)->getOscillators(), (*host)->getConditioning(),
                                  (*host)->getClasses());
  return calibrateConvolutions(module, archives, names, count, [&](HostModel::Observer observer) {
    return (*host)->run(samples, /*decode=*/true, observer);
  });
}

Expected<std::vector<ActivationRange>>
un0::calibrateConvolutions(ModuleOp module, ArchiveSet &archives, ArrayRef<std::string> names,
                           int64_t count,
                           llvm::function_ref<HostModel::Outputs(HostModel::Observer)> run) {
  struct Image {
    int64_t channels, height, width;
    std::vector<float> values;
    std::vector<int64_t> pixels = {}; // of all samples' pixels, those whose values are here
    bool wanted = false;
  };
  SmallVector<un0::Conv2DOp> convs;
  std::vector<Image> inputs;
  module.walk([&](un0::Conv2DOp conv) {
    auto shape = cast<ShapedType>(conv.getInput().getType()).getShape();
    convs.push_back(conv);
    inputs.push_back({shape[1], shape[2], shape[3], {}});
    inputs.back().wanted = llvm::is_contained(names, getOperatorName(conv));
  });
  int64_t sample = 0;
  auto observe = [&](const float *images) {
    // The first convolution reads the features, which are not among the images kept.
    for (size_t k = 1; k < inputs.size(); ++k) {
      Image &image = inputs[k];
      int64_t rows = image.height + 2, columns = image.width + 2;
      int64_t pixels = image.height * image.width;
      // Every so manyth pixel, in an order that does not repeat along rows.
      int64_t stride =
          std::max<int64_t>(1, image.channels * pixels * count / int64_t(kMostValues)) | 1;
      for (int64_t p = 0; image.wanted && p < pixels; p += stride) {
        image.pixels.push_back(sample * pixels + p);
        for (int64_t c = 0; c < image.channels; ++c) {
          int64_t y = p / image.width + 1, x = p % image.width + 1;
          image.values.push_back(
              images[((c / kLine * rows + y) * columns + x) * kLine + c % kLine]);
        }
      }
      images += cpu::padToLine(image.channels) * rows * columns;
    }
    ++sample;
  };
  HostModel::Outputs outputs = run(observe);
  inputs.front().values = std::move(outputs.features);
  std::vector<ActivationRange> ranges;
  Sensitivity sensitivity(convs.back(), outputs.images);
  for (auto [i, image, conv] : llvm::enumerate(inputs, convs)) {
    if (!image.wanted) {
      ranges.push_back({});
      ranges.back().exponents.assign(image.channels, 0);
      continue;
    }
    // Features are as large as each other.
    if (i == 0) {
      ranges.push_back(fitRange(image.values));
      ranges.back().exponents.assign(image.channels, 0);
      continue;
    }
    Expected<std::vector<float>> filters = readFilters(conv, archives);
    if (!filters)
      return filters.takeError();
    ranges.push_back(equalize(image.values, sensitivity.of(image.pixels, image.height, image.width),
                              *filters, image.channels));
  }
  return ranges;
}

LogicalResult un0::quantizeConvolutions(ModuleOp module, ArrayRef<ActivationRange> ranges,
                                        ArrayRef<std::string> names) {
  if (names.empty()) // which would be all of them to the pass
    return success();
  Un0QuantizeConvolutionsOptions options;
  SmallVector<double> minima, maxima;
  SmallVector<int64_t> exponents;
  for (const ActivationRange &range : ranges) {
    minima.push_back(range.low);
    maxima.push_back(range.high);
    exponents.append(range.exponents);
  }
  options.minima = minima;
  options.maxima = maxima;
  options.exponents = exponents;
  options.params = SmallVector<std::string>(names);
  PassManager pm(module.getContext());
  pm.addPass(createUn0QuantizeConvolutions(options));
  return pm.run(module);
}
