//===- Packing.cpp - parameters in the order the kernels read them -*- C++ -*-===//

#include "un0/Codegen/Packing.h"
#include "PackBytes.h"
#include "PackPlanes.h"
#include "PackWords.h"
#include "un0/Import/Weights.h"
#include "un0/Quantize/Rows.h"
#include "llvm/ADT/bit.h"
#include <cmath>
#include <vector>

using namespace mlir;
using namespace un0;
using namespace un0::cpu;
using llvm::Error;

/// The 2x2 kernel of output phase (py, px) of a nearest 2x upsample followed by a 3x3 convolution:
/// rows (columns) of the 3x3 kernel that fall on the same source row are summed, in f64. Phase 0
/// sees source rows y-1, y, y: taps {0}, {1, 2}; phase 1 sees y, y, y+1: taps {0, 1}, {2}.
float un0::foldTap(const float *kernel, int64_t py, int64_t px, int64_t ty, int64_t tx) {
  auto range = [](int64_t phase, int64_t tap) -> std::pair<int64_t, int64_t> {
    if (phase == 0)
      return tap == 0 ? std::make_pair<int64_t, int64_t>(0, 1)
                      : std::make_pair<int64_t, int64_t>(1, 3);
    return tap == 0 ? std::make_pair<int64_t, int64_t>(0, 2)
                    : std::make_pair<int64_t, int64_t>(2, 3);
  };
  auto [y0, y1] = range(py, ty);
  auto [x0, x1] = range(px, tx);
  double sum = 0;
  for (int64_t y = y0; y < y1; ++y)
    for (int64_t x = x0; x < x1; ++x)
      sum += kernel[y * 3 + x];
  return static_cast<float>(sum);
}

namespace {

using Sink = llvm::function_ref<Error(llvm::ArrayRef<uint8_t>)>;

template <typename T> ArrayRef<uint8_t> asBytes(ArrayRef<T> values) {
  return {reinterpret_cast<const uint8_t *>(values.data()), values.size() * sizeof(T)};
}

class Packer {
public:
  Packer(ParamOp param, PackedParamOp packed, const StoredTensor &tensor, Sink sink)
      : tensor(tensor), sink(sink), shape(cast<ShapedType>(param.getType()).getShape()),
        scale(param.getScale() ? param.getScale()->convertToDouble() : 1.0),
        zeroDiagonal(param.getZeroDiagonal()), lanes(packed.getLanes()), group(packed.getGroup()),
        name(param.getSymName()), rounded(packed->hasAttr(kRoundedAttr)),
        inputExponents(packed.getInputExponents().value_or(ArrayRef<int64_t>())),
        exponents(packed.getOutputExponents().value_or(ArrayRef<int64_t>())) {}

  Error vector();
  Error rows16();
  Error classRows();
  Error classWords();
  Error convolution(bool upsample);
  Error convolutionPlanar();

private:
  /// Elements [first, first + count), scaled.
  ArrayRef<float> read(int64_t first, int64_t count);
  Error needRank(size_t rank) const;
  Error put(ArrayRef<float> piece) { return sink(asBytes(piece)); }
  /// With `kRoundedAttr`: what is left of `filter`, `taps` weights of each input, after rounding.
  void round(MutableArrayRef<float> filter, int64_t taps);

  const StoredTensor &tensor;
  Sink sink;
  ArrayRef<int64_t> shape;
  double scale;
  bool zeroDiagonal;
  int64_t lanes, group;
  StringRef name;
  bool rounded;
  ArrayRef<int64_t> inputExponents;
  ArrayRef<int64_t> exponents; // a vector's elements, and filters, are divided by 2^exponent
  std::vector<float> row, out, folded;
};

ArrayRef<float> Packer::read(int64_t first, int64_t count) {
  row.resize(count);
  tensor.readF32(first, row);
  if (scale != 1.0)
    for (float &value : row)
      value = static_cast<float>(value * scale);
  return row;
}

Error Packer::needRank(size_t rank) const {
  if (shape.size() == rank)
    return Error::success();
  return llvm::createStringError("parameter '%s' has rank %zu, its packing needs %zu",
                                 name.str().c_str(), shape.size(), rank);
}

Error Packer::vector() {
  int64_t count = tensor.getNumElements();
  ArrayRef<float> values = read(0, count);
  out.assign(padToLine(count), 0.0f);
  llvm::copy(values, out.begin());
  for (auto [i, exponent] : llvm::enumerate(exponents))
    out[i] = std::ldexp(out[i], -static_cast<int>(exponent));
  return put(out);
}

Error Packer::rows16() {
  if (Error error = needRank(2))
    return error;
  int64_t rows = shape[0], sources = shape[1];
  out.resize(sources * kLine);
  for (int64_t panel = 0; panel < rows; panel += kLine) {
    std::fill(out.begin(), out.end(), 0.0f);
    for (int64_t r = 0; r < std::min(kLine, rows - panel); ++r) {
      ArrayRef<float> values = read((panel + r) * sources, sources);
      for (int64_t s = 0; s < sources; ++s)
        out[s * kLine + r] = zeroDiagonal && s == panel + r ? 0.0f : values[s];
    }
    if (Error error = put(out))
      return error;
  }
  return Error::success();
}

Error Packer::classRows() {
  if (Error error = needRank(3))
    return error;
  int64_t classes = shape[0], n = shape[1], m = shape[2], padded = padToLine(n);
  out.resize(m * padded);
  for (int64_t c = 0; c <= classes; ++c) {
    std::fill(out.begin(), out.end(), 0.0f); // the slice of no class stays so
    if (c < classes) {
      ArrayRef<float> values = read(c * n * m, n * m);
      for (int64_t i = 0; i < n; ++i)
        for (int64_t k = 0; k < m; ++k)
          out[k * padded + i] = zeroDiagonal && i == k ? 0.0f : values[i * m + k];
    }
    if (Error error = put(out))
      return error;
  }
  return Error::success();
}

Error Packer::classWords() {
  if (Error error = needRank(3))
    return error;
  int64_t classes = shape[0], n = shape[1], m = shape[2], lines = getTableLines(padToLine(n));
  std::vector<uint32_t> words(lines * kLine);
  std::vector<float> column(n);
  std::vector<int16_t> numbers(n);
  for (int64_t c = 0; c <= classes; ++c) {
    ArrayRef<float> values;
    if (c < classes)
      values = read(c * n * m, n * m);
    for (int64_t k = 0; k < m; ++k) {
      std::fill(words.begin(), words.end(), 0); // the slice of no class stays so
      if (c < classes) {
        for (int64_t i = 0; i < n; ++i)
          column[i] = zeroDiagonal && i == k ? 0.0f : values[i * m + k];
        float step = quantizeRow(column, kTableNumber, numbers);
        std::fill_n(words.begin(), kLine, llvm::bit_cast<uint32_t>(step));
        int64_t vectors = padToLine(n) / kLine;
        for (int64_t i = 0; i < n; ++i) {
          int64_t vector = i / kLine, lane = i % kLine, block = vector / kLine, q = vector % kLine;
          int64_t first = 1 + block * 5;
          // The line of lower bits follows the last one of upper bits; the last block has fewer.
          int64_t last = first + (std::min(kLine, vectors - block * kLine) + 3) / 4;
          auto number = static_cast<uint32_t>(numbers[i]);
          words[(first + q / 4) * kLine + lane] |= (number >> 2 & 0xff) << (q % 4 * 8);
          words[last * kLine + lane] |= (number & 3) << (2 * q);
        }
      }
      if (Error error = sink(asBytes(ArrayRef<uint32_t>(words))))
        return error;
    }
  }
  return Error::success();
}

void Packer::round(MutableArrayRef<float> filter, int64_t taps) {
  if (!rounded)
    return;
  auto scaleInputs = [&](int sign) {
    for (auto [c, exponent] : llvm::enumerate(inputExponents))
      for (float &value : filter.slice(c * taps, taps))
        value = std::ldexp(value, sign * static_cast<int>(exponent));
  };
  std::vector<int16_t> numbers(filter.size());
  scaleInputs(1);
  float step = quantizeFilter(filter, taps, numbers);
  for (auto [value, number] : llvm::zip_equal(filter, numbers))
    value = step * static_cast<float>(number);
  scaleInputs(-1);
}

Error Packer::convolution(bool upsample) {
  if (Error error = needRank(4))
    return error;
  int64_t outputs = shape[0], inputs = shape[1], summed = getSummedChannels(inputs);
  int64_t phases = upsample ? 2 : 1, taps = upsample ? 2 : 3;
  int64_t vectors = padToLanes(outputs, lanes) / lanes;
  for (int64_t first = 0; first < vectors; first += group) {
    int64_t channels = std::min(group, vectors - first) * lanes;
    int64_t perPhase = taps * taps * summed * channels;
    out.assign(phases * phases * perPhase, 0.0f);
    for (int64_t c = 0; c < channels && first * lanes + c < outputs; ++c) {
      ArrayRef<float> values = read((first * lanes + c) * inputs * 9, inputs * 9);
      if (!exponents.empty())
        for (float &value : row)
          value = std::ldexp(value, -static_cast<int>(exponents[first * lanes + c]));
      folded.resize(inputs * taps * taps);
      for (int64_t phase = 0; phase < phases * phases; ++phase) {
        for (int64_t i = 0; i < inputs; ++i)
          for (int64_t tap = 0; tap < taps * taps; ++tap)
            folded[i * taps * taps + tap] =
                upsample ? foldTap(&values[i * 9], phase / 2, phase % 2, tap / 2, tap % 2)
                         : values[i * 9 + tap];
        round(folded, taps * taps);
        for (int64_t i = 0; i < inputs; ++i) {
          int64_t lane = i % kLine, block = i - lane, inBlock = std::min(kLine, summed - block);
          for (int64_t tap = 0; tap < taps * taps; ++tap) {
            int64_t at = (taps * taps * block + tap * inBlock + lane) * channels + c;
            out[phase * perPhase + at] = folded[i * taps * taps + tap];
          }
        }
      }
    }
    if (Error error = put(out))
      return error;
  }
  return Error::success();
}

Error Packer::convolutionPlanar() {
  if (Error error = needRank(4))
    return error;
  int64_t outputs = shape[0], inputs = shape[1], vectors = padToLanes(inputs, lanes) / lanes;
  out.assign(9 * vectors * outputs * lanes, 0.0f);
  for (int64_t o = 0; o < outputs; ++o) {
    ArrayRef<float> values = read(o * inputs * 9, inputs * 9);
    round(row, 9);
    for (int64_t i = 0; i < inputs; ++i)
      for (int64_t tap = 0; tap < 9; ++tap)
        out[((tap * vectors + i / lanes) * outputs + o) * lanes + i % lanes] = values[i * 9 + tap];
  }
  return put(out);
}

} // namespace

Error un0::packParameter(ParamOp param, PackedParamOp packed, const StoredTensor &tensor,
                         Sink sink) {
  if (Error error = checkShape(param, tensor))
    return error;
  // Pieces must add up to the place that the code expects, or every later parameter would be
  // misread.
  int64_t left = packed.getBytes();
  auto counted = [&](ArrayRef<uint8_t> piece) -> Error {
    left -= static_cast<int64_t>(piece.size());
    if (left < 0)
      return llvm::createStringError("parameter '%s' packs to more than its %lld bytes",
                                     param.getSymName().str().c_str(),
                                     static_cast<long long>(packed.getBytes()));
    return sink(piece);
  };
  Packer packer(param, packed, tensor, counted);
  auto pack = [&]() -> Error {
    switch (packed.getPacking()) {
    case Packing::Vector:
      return packer.vector();
    case Packing::Rows16:
      return packed.getPrecision() == Precision::F32 ? packer.rows16()
                                                     : packWords(param, packed, tensor, counted);
    case Packing::ClassRows:
      return packer.classRows();
    case Packing::ConvPlanes:
      return packed.getPrecision() == Precision::Int8 ? packBytes(param, packed, tensor, counted)
                                                      : packPlanes(param, packed, tensor, counted);
    case Packing::ClassWords:
      return packer.classWords();
    case Packing::Conv3x3:
    case Packing::ConvUpsample:
    case Packing::ConvPlanar:
      break;
    }
    if (packed.getPrecision() == Precision::Int8)
      return packBytes(param, packed, tensor, counted);
    switch (packed.getPacking()) {
    case Packing::Conv3x3:
      return packer.convolution(/*upsample=*/false);
    case Packing::ConvUpsample:
      return packer.convolution(/*upsample=*/true);
    default:
      return packer.convolutionPlanar();
    }
    llvm_unreachable("unknown packing");
  };
  if (Error error = pack())
    return error;
  if (left)
    return llvm::createStringError("parameter '%s' packs to %lld bytes less than its %lld",
                                   param.getSymName().str().c_str(), static_cast<long long>(left),
                                   static_cast<long long>(packed.getBytes()));
  return Error::success();
}
