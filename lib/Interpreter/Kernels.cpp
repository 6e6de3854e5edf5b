//===- Kernels.cpp - the arithmetic behind the interpreter ------*- C++ -*-===//

#include "Kernels.h"

#include "dialects/Un0/IR/TosaResize.h"
#include "un0/Quantize/Rows.h"
#include "llvm/ADT/bit.h"
#include <cmath>

using namespace un0;
using llvm::ArrayRef;

/// First element of row `i` of the matrix for sample `b`; the matrix may be one for all samples.
template <typename T> static const T *getRow(const Tensor<T> &coupling, int64_t b, int64_t i) {
  int64_t sources = coupling.shape.back(), targets = coupling.shape[coupling.shape.size() - 2];
  int64_t matrix = coupling.shape.size() == 3 ? b : 0;
  return coupling.data.data() + (matrix * targets + i) * sources;
}

template <typename T>
void kernels::couple(const Tensor<T> &coupling, const Tensor<T> &source, const Tensor<T> &target,
                     bool zeroDiagonal, Tensor<T> &result) {
  int64_t batch = target.shape[0], targets = target.shape[1], sources = source.shape[1];
  for (int64_t b = 0; b < batch; ++b) {
    const T *from = source.data.data() + b * sources;
    for (int64_t i = 0; i < targets; ++i) {
      const T *row = getRow(coupling, b, i);
      T own = target.data[b * targets + i], sum = 0;
      for (int64_t j = 0; j < sources; ++j)
        if (!zeroDiagonal || j != i)
          sum += row[j] * std::sin(from[j] - own);
      result.data[b * targets + i] += sum;
    }
  }
}

template <typename T>
void kernels::coupleWaves(const Tensor<T> &coupling, const Tensor<T> &sourceSine,
                          const Tensor<T> &sourceCosine, const Tensor<T> &targetSine,
                          const Tensor<T> &targetCosine, Tensor<T> &result) {
  int64_t batch = targetSine.shape[0], targets = targetSine.shape[1], sources = sourceSine.shape[1];
  for (int64_t b = 0; b < batch; ++b) {
    const T *sine = sourceSine.data.data() + b * sources,
            *cosine = sourceCosine.data.data() + b * sources;
    for (int64_t i = 0; i < targets; ++i) {
      const T *row = getRow(coupling, b, i);
      T sines = 0, cosines = 0;
      for (int64_t j = 0; j < sources; ++j) {
        sines += row[j] * sine[j];
        cosines += row[j] * cosine[j];
      }
      int64_t own = b * targets + i;
      result.data[own] += targetCosine.data[own] * sines - targetSine.data[own] * cosines;
    }
  }
}

/// To nearest bf16, ties to even, by the arithmetic of f32.
static float roundToBrain(float value) {
  auto bits = llvm::bit_cast<uint32_t>(value);
  bits += 0x7fff + ((bits >> 16) & 1);
  return llvm::bit_cast<float>(bits & 0xffff0000u);
}

template <typename T>
Tensor<T> kernels::roundCoupling(const Tensor<T> &coupling, Precision precision, int64_t group) {
  Tensor<T> result(coupling.shape);
  int64_t rows = coupling.shape[0], sources = coupling.shape[1];
  auto getRow = [&](int64_t i) {
    auto *first = coupling.data.data() + i * sources;
    return std::vector<float>(first, first + sources);
  };
  // The levels of int4 are part of its meaning only up to the data they are fitted to: the same
  // rows as at packing.
  constexpr int64_t sampled = 64;
  LevelPair levels;
  if (precision == Precision::Int4) {
    std::vector<std::vector<float>> sample;
    for (int64_t i = 0; i < rows; i += std::max<int64_t>(1, rows / sampled))
      sample.push_back(getRow(i));
    if (group)
      levels = fitLevelPair(sample, group);
    else
      levels.sets[0] = fitLevels(sample);
  }
  std::vector<uint8_t> indices(sources);
  for (int64_t i = 0; i < rows; ++i) {
    std::vector<float> row = getRow(i);
    T *out = result.data.data() + i * sources;
    float low = 0, high = 0;
    for (float value : row) {
      low = std::min(low, value);
      high = std::max(high, value);
    }
    float scale = precision != Precision::Int4 ? 0.0f
                  : group                      ? quantizeRow(row, levels, group, indices)
                                               : quantizeRow(row, levels.sets[0], indices);
    // Not the packer's arithmetic: a definition in f64. Steps of int16 are as many either way.
    double peak = std::max(-low, high);
    double step = precision == Precision::Int8 ? (double(high) - low) / 254.0 : peak / 8191.0;
    double zero = precision == Precision::Int8 && peak > 0
                      ? std::nearbyint((double(high) + low) / 2 / step)
                      : 0.0;
    double limit = precision == Precision::Int8 ? 127.0 : 8191.0;
    for (int64_t j = 0; j < sources; ++j) {
      if (precision == Precision::BF16)
        out[j] = roundToBrain(row[j]);
      else if (precision == Precision::Int4)
        out[j] =
            static_cast<T>(scale) * static_cast<T>(levels.sets[indices[j] / 16][indices[j] % 16]);
      else if (peak > 0)
        out[j] = static_cast<T>(
            (std::clamp(std::nearbyint(row[j] / step) - zero, -limit, limit) + zero) * step);
    }
  }
  return result;
}

template <typename T> Tensor<T> kernels::roundWaves(const Tensor<T> &waves, Precision precision) {
  Tensor<T> result = waves;
  T steps = precision == Precision::Int16 ? T(2047) : T(64);
  for (T &value : result.data)
    value = precision == Precision::BF16 ? T(roundToBrain(static_cast<float>(value)))
                                         : std::nearbyint(value * steps) / steps;
  return result;
}

template <typename T> Tensor<T> kernels::roundTable(const Tensor<T> &table, int64_t bits) {
  int64_t classes = table.shape[0], rows = table.shape[1], sources = table.shape[2];
  double largest = std::ldexp(1.0, static_cast<int>(bits) - 1) - 1;
  Tensor<T> result(table.shape);
  for (int64_t c = 0; c < classes; ++c)
    for (int64_t m = 0; m < sources; ++m) {
      auto at = [&](int64_t i) { return (c * rows + i) * sources + m; };
      double peak = 0;
      for (int64_t i = 0; i < rows; ++i)
        peak = std::max(peak, std::fabs(double(table.data[at(i)])));
      double step = peak / largest;
      for (int64_t i = 0; i < rows; ++i)
        result.data[at(i)] =
            peak > 0 ? static_cast<T>(std::nearbyint(table.data[at(i)] / step) * step) : T(0);
    }
  return result;
}

template <typename T>
Tensor<T> kernels::selectClass(const Tensor<T> &table, ArrayRef<int64_t> labels) {
  llvm::SmallVector<int64_t> shape(table.shape);
  shape[0] = labels.size();
  Tensor<T> result(shape);
  size_t slice = labels.empty() ? 0 : result.data.size() / labels.size();
  for (auto [b, label] : llvm::enumerate(labels))
    if (label >= 0 && label < table.shape[0])
      std::copy_n(table.data.begin() + label * slice, slice, result.data.begin() + b * slice);
  return result;
}

template <typename T>
void kernels::applyTransforms(Tensor<T> &param, double scale, bool zeroDiagonal) {
  if (scale != 1.0)
    for (T &value : param.data)
      value *= static_cast<T>(scale);
  if (!zeroDiagonal)
    return;
  size_t size = param.shape.back();
  for (size_t matrix = 0; matrix < param.data.size(); matrix += size * size)
    for (size_t i = 0; i < size; ++i)
      param.data[matrix + i * size + i] = 0;
}

template <typename T>
Tensor<T> kernels::readout(const Tensor<T> &phases, Reference reference, Encoding encoding) {
  int64_t batch = phases.shape[0], count = phases.shape[1];
  int64_t values = reference == Reference::Pairwise ? count * count : count;
  Tensor<T> relative({batch, values});
  for (int64_t b = 0; b < batch; ++b) {
    const T *phase = phases.data.data() + b * count;
    T *out = relative.data.data() + b * values;
    if (reference == Reference::Pairwise) {
      for (int64_t i = 0; i < count; ++i)
        for (int64_t j = 0; j < count; ++j)
          out[i * count + j] = phase[i] - phase[j];
      continue;
    }
    T zero = 0;
    if (reference == Reference::Mean) {
      // In double even for float: a sum of many unwrapped phases must not lose the mean itself.
      double sum = 0;
      for (int64_t i = 0; i < count; ++i)
        sum += phase[i];
      zero = static_cast<T>(sum / static_cast<double>(count));
    } else if (reference == Reference::Oscillator) {
      zero = phase[0];
    }
    for (int64_t i = 0; i < count; ++i)
      out[i] = phase[i] - zero;
  }
  if (encoding == Encoding::Raw)
    return relative;
  int64_t parts = encoding == Encoding::SinCos ? 2 : 1;
  Tensor<T> features({batch, parts * values});
  for (int64_t b = 0; b < batch; ++b) {
    for (int64_t i = 0; i < values; ++i) {
      T value = relative.data[b * values + i];
      features.data[b * parts * values + i] = std::sin(value);
      if (parts == 2)
        features.data[(b * 2 + 1) * values + i] = std::cos(value);
    }
  }
  return features;
}

template <typename T> static void activate(Tensor<T> &values, Activation activation, double slope) {
  for (T &value : values.data) {
    if (activation == Activation::Tanh)
      value = std::tanh(value);
    else if (activation == Activation::LeakyRelu && value < 0)
      value *= static_cast<T>(slope);
  }
}

template <typename T>
Tensor<T> kernels::convolve(const Tensor<T> &input, const Tensor<T> &weight, const Tensor<T> &bias,
                            bool upsample, Activation activation, double slope) {
  int64_t batch = input.shape[0], inputs = input.shape[1], outputs = weight.shape[0];
  int64_t inHeight = input.shape[2], inWidth = input.shape[3], shift = upsample ? 1 : 0;
  int64_t height = inHeight << shift, width = inWidth << shift;
  Tensor<T> result({batch, outputs, height, width});
  for (int64_t b = 0; b < batch; ++b) {
    for (int64_t o = 0; o < outputs; ++o) {
      T *plane = result.data.data() + (b * outputs + o) * height * width;
      std::fill_n(plane, height * width, bias.data[o]);
      for (int64_t c = 0; c < inputs; ++c) {
        const T *from = input.data.data() + (b * inputs + c) * inHeight * inWidth;
        const T *taps = weight.data.data() + (o * inputs + c) * 9;
        for (int64_t ky = 0; ky < 3; ++ky) {
          for (int64_t y = std::max<int64_t>(0, 1 - ky); y < std::min(height, height + 1 - ky);
               ++y) {
            const T *row = from + ((y + ky - 1) >> shift) * inWidth;
            for (int64_t kx = 0; kx < 3; ++kx)
              for (int64_t x = std::max<int64_t>(0, 1 - kx); x < std::min(width, width + 1 - kx);
                   ++x)
                plane[y * width + x] += taps[ky * 3 + kx] * row[(x + kx - 1) >> shift];
          }
        }
      }
    }
  }
  activate(result, activation, slope);
  return result;
}

template <typename T>
void kernels::scaleChannels(Tensor<T> &tensor, ArrayRef<int64_t> exponents, bool up) {
  int64_t channels = tensor.shape[1], each = 1;
  for (size_t i = 2; i < tensor.shape.size(); ++i)
    each *= tensor.shape[i];
  for (size_t i = 0; i < tensor.data.size(); ++i) {
    auto exponent = static_cast<int>(exponents[static_cast<int64_t>(i) / each % channels]);
    tensor.data[i] = std::ldexp(tensor.data[i], up ? exponent : -exponent);
  }
}

template <typename T>
Tensor<T> kernels::roundImage(const Tensor<T> &image, double scale, int64_t zeroPoint) {
  Tensor<T> result = image;
  auto zero = static_cast<double>(zeroPoint);
  for (T &value : result.data)
    value = static_cast<T>((std::clamp(std::nearbyint(value / scale) + zero, 0.0, 255.0) - zero) *
                           scale);
  return result;
}

template <typename T>
Tensor<T> kernels::convolveBytes(const Tensor<T> &input, const Tensor<T> &weight,
                                 const Tensor<T> &bias, bool upsample, Activation activation,
                                 double slope) {
  int64_t batch = input.shape[0], inputs = input.shape[1], outputs = weight.shape[0];
  int64_t inHeight = input.shape[2], inWidth = input.shape[3], grow = upsample ? 2 : 1;
  int64_t side = upsample ? 2 : 3, taps = side * side;
  Tensor<T> result({batch, outputs, inHeight * grow, inWidth * grow});
  std::vector<float> filter(inputs * taps);
  std::vector<int16_t> numbers(filter.size());
  for (int64_t o = 0; o < outputs; ++o)
    for (int64_t phase = 0; phase < grow * grow; ++phase) {
      int64_t py = phase / grow, px = phase % grow;
      for (int64_t c = 0; c < inputs; ++c)
        for (int64_t tap = 0; tap < taps; ++tap) {
          // Rows (columns) of the 3x3 kernel that fall on the same row of the small input.
          double sum = 0;
          for (int64_t ky = 0; ky < 3; ++ky)
            for (int64_t kx = 0; kx < 3; ++kx) {
              int64_t ty = upsample ? (py + ky + 1) / 2 - py : ky;
              int64_t tx = upsample ? (px + kx + 1) / 2 - px : kx;
              if (ty == tap / side && tx == tap % side)
                sum += static_cast<float>(weight.data[(o * inputs + c) * 9 + ky * 3 + kx]);
            }
          filter[c * taps + tap] = static_cast<float>(sum);
        }
      float step = quantizeFilter(filter, taps, numbers);
      for (int64_t b = 0; b < batch; ++b)
        for (int64_t y = 0; y < inHeight; ++y)
          for (int64_t x = 0; x < inWidth; ++x) {
            T sum = 0;
            for (int64_t c = 0; c < inputs; ++c)
              for (int64_t tap = 0; tap < taps; ++tap) {
                int64_t row = y + tap / side + py - 1, column = x + tap % side + px - 1;
                if (row < 0 || row >= inHeight || column < 0 || column >= inWidth)
                  continue;
                sum += static_cast<T>(numbers[c * taps + tap]) *
                       input.data[((b * inputs + c) * inHeight + row) * inWidth + column];
              }
            int64_t at = (b * outputs + o) * inHeight * grow + y * grow + py;
            result.data[at * inWidth * grow + x * grow + px] =
                sum * static_cast<T>(step) + bias.data[o];
          }
    }
  activate(result, activation, slope);
  return result;
}

template <typename T>
Tensor<T> kernels::convolveTosa(const Tensor<T> &input, const Tensor<T> &weight,
                                const Tensor<T> &bias, T inputZero, T weightZero,
                                const ConvolutionWindow &window) {
  int64_t batch = input.shape[0], inHeight = input.shape[1], inWidth = input.shape[2],
          inputs = input.shape[3];
  int64_t outputs = weight.shape[0], kernelHeight = weight.shape[1], kernelWidth = weight.shape[2];
  auto getExtent = [](int64_t size, int64_t before, int64_t after, int64_t kernel, int64_t stride,
                      int64_t dilation) {
    return (size - 1 + before + after - (kernel - 1) * dilation) / stride + 1;
  };
  int64_t height = getExtent(inHeight, window.pad[0], window.pad[1], kernelHeight, window.stride[0],
                             window.dilation[0]);
  int64_t width = getExtent(inWidth, window.pad[2], window.pad[3], kernelWidth, window.stride[1],
                            window.dilation[1]);
  Tensor<T> result({batch, height, width, outputs});
  T *out = result.data.data();
  for (int64_t b = 0; b < batch; ++b) {
    for (int64_t y = 0; y < height; ++y) {
      for (int64_t x = 0; x < width; ++x) {
        for (int64_t o = 0; o < outputs; ++o) {
          T sum = bias.data[bias.data.size() == 1 ? 0 : o];
          for (int64_t ky = 0; ky < kernelHeight; ++ky) {
            int64_t iy = y * window.stride[0] - window.pad[0] + ky * window.dilation[0];
            for (int64_t kx = 0; kx < kernelWidth; ++kx) {
              int64_t ix = x * window.stride[1] - window.pad[2] + kx * window.dilation[1];
              if (iy < 0 || iy >= inHeight || ix < 0 || ix >= inWidth)
                continue;
              const T *pixel = input.data.data() + ((b * inHeight + iy) * inWidth + ix) * inputs;
              const T *taps =
                  weight.data.data() + ((o * kernelHeight + ky) * kernelWidth + kx) * inputs;
              for (int64_t c = 0; c < inputs; ++c)
                sum += (pixel[c] - inputZero) * (taps[c] - weightZero);
            }
          }
          *out++ = sum;
        }
      }
    }
  }
  return result;
}

template <typename T>
Tensor<T> kernels::resizeNearest(const Tensor<T> &input, ArrayRef<int64_t> scale,
                                 ArrayRef<int64_t> offset, int64_t height, int64_t width) {
  int64_t batch = input.shape[0], inHeight = input.shape[1], inWidth = input.shape[2],
          channels = input.shape[3];
  Tensor<T> result({batch, height, width, channels});
  T *out = result.data.data();
  for (int64_t b = 0; b < batch; ++b) {
    for (int64_t y = 0; y < height; ++y) {
      int64_t iy = getNearestSource(y, scale[0], scale[1], offset[0], inHeight);
      for (int64_t x = 0; x < width; ++x) {
        int64_t ix = getNearestSource(x, scale[2], scale[3], offset[1], inWidth);
        out = std::copy_n(input.data.data() + ((b * inHeight + iy) * inWidth + ix) * channels,
                          channels, out);
      }
    }
  }
  return result;
}

/// Calls `fn` with every index of `shape`, in row-major order.
static void forEachIndex(ArrayRef<int64_t> shape, llvm::function_ref<void(ArrayRef<int64_t>)> fn) {
  if (llvm::is_contained(shape, 0))
    return;
  llvm::SmallVector<int64_t> index(shape.size());
  while (true) {
    fn(index);
    int64_t axis = static_cast<int64_t>(shape.size()) - 1;
    for (; axis >= 0; --axis) {
      if (++index[axis] < shape[axis])
        break;
      index[axis] = 0;
    }
    if (axis < 0)
      return;
  }
}

template <typename T>
Tensor<T> kernels::transpose(const Tensor<T> &input, ArrayRef<int32_t> permutation) {
  llvm::SmallVector<int64_t> strides(input.shape.size(), 1), shape;
  for (int64_t axis = static_cast<int64_t>(strides.size()) - 2; axis >= 0; --axis)
    strides[axis] = strides[axis + 1] * input.shape[axis + 1];
  for (int32_t axis : permutation)
    shape.push_back(input.shape[axis]);
  Tensor<T> result(shape);
  size_t next = 0;
  forEachIndex(shape, [&](ArrayRef<int64_t> index) {
    int64_t from = 0;
    for (auto [i, axis] : llvm::enumerate(permutation))
      from += index[i] * strides[axis];
    result.data[next++] = input.data[from];
  });
  return result;
}

template <typename T>
Tensor<T> kernels::zip(const Tensor<T> &a, const Tensor<T> &b, llvm::function_ref<T(T, T)> fn) {
  llvm::SmallVector<int64_t> shape;
  for (auto [x, y] : llvm::zip_equal(a.shape, b.shape))
    shape.push_back(x == 1 ? y : x);
  Tensor<T> result(shape);
  auto get = [](const Tensor<T> &tensor, ArrayRef<int64_t> index) {
    int64_t from = 0;
    for (auto [i, size] : llvm::zip_equal(index, tensor.shape))
      from = from * size + (size == 1 ? 0 : i);
    return tensor.data[from];
  };
  size_t next = 0;
  forEachIndex(shape, [&](ArrayRef<int64_t> index) {
    result.data[next++] = fn(get(a, index), get(b, index));
  });
  return result;
}

#define UN0_INSTANTIATE(T)                                                                         \
  template void kernels::couple(const Tensor<T> &, const Tensor<T> &, const Tensor<T> &, bool,     \
                                Tensor<T> &);                                                      \
  template void kernels::coupleWaves(const Tensor<T> &, const Tensor<T> &, const Tensor<T> &,      \
                                     const Tensor<T> &, const Tensor<T> &, Tensor<T> &);           \
  template Tensor<T> kernels::roundCoupling(const Tensor<T> &, Precision, int64_t);                \
  template Tensor<T> kernels::roundWaves(const Tensor<T> &, Precision);                            \
  template Tensor<T> kernels::roundTable(const Tensor<T> &, int64_t);                              \
  template Tensor<T> kernels::selectClass(const Tensor<T> &, ArrayRef<int64_t>);                   \
  template void kernels::applyTransforms(Tensor<T> &, double, bool);                               \
  template Tensor<T> kernels::readout(const Tensor<T> &, Reference, Encoding);                     \
  template Tensor<T> kernels::convolve(const Tensor<T> &, const Tensor<T> &, const Tensor<T> &,    \
                                       bool, Activation, double);                                  \
  template void kernels::scaleChannels(Tensor<T> &, ArrayRef<int64_t>, bool);                      \
  template Tensor<T> kernels::roundImage(const Tensor<T> &, double, int64_t);                      \
  template Tensor<T> kernels::convolveBytes(const Tensor<T> &, const Tensor<T> &,                  \
                                            const Tensor<T> &, bool, Activation, double);          \
  template Tensor<T> kernels::convolveTosa(const Tensor<T> &, const Tensor<T> &,                   \
                                           const Tensor<T> &, T, T, const ConvolutionWindow &);    \
  template Tensor<T> kernels::resizeNearest(const Tensor<T> &, ArrayRef<int64_t>,                  \
                                            ArrayRef<int64_t>, int64_t, int64_t);                  \
  template Tensor<T> kernels::transpose(const Tensor<T> &, ArrayRef<int32_t>);                     \
  template Tensor<T> kernels::zip(const Tensor<T> &, const Tensor<T> &,                            \
                                  llvm::function_ref<T(T, T)>);

UN0_INSTANTIATE(float)
UN0_INSTANTIATE(double)
