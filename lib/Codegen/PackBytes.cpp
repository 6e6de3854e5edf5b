//===- PackBytes.cpp - int8 convolutions, packed ----------------*- C++ -*-===//

#include "PackBytes.h"

#include "PlaneTransforms.h"
#include "un0/Quantize/Rows.h"
#include "llvm/ADT/bit.h"
#include <cmath>

using namespace mlir;
using namespace un0;
using llvm::Error;
using un0::cpu::kLine;

static_assert(kLargestPair == 128, "cpu::getMostExactChannels counts on it");

namespace {

class BytePacker {
public:
  BytePacker(ParamOp param, cpu::PackedParamOp packed, const StoredTensor &tensor)
      : tensor(tensor), scale(param.getScale() ? param.getScale()->convertToDouble() : 1.0),
        zeroPoint(packed.getZeroPoint()), lanes(packed.getLanes()), group(packed.getGroup()),
        outputs(tensor.shape[0]), inputs(tensor.shape[1]), words((inputs + 3) / 4),
        inputExponents(packed.getInputExponents().value_or(ArrayRef<int64_t>())),
        outputExponents(packed.getOutputExponents().value_or(ArrayRef<int64_t>())) {}

  using Sink = llvm::function_ref<Error(ArrayRef<uint8_t>)>;

  Error convolution(bool upsample, Sink sink);
  Error planes(cpu::ConvForm form, Sink sink);
  Error planar(Sink sink);

private:
  ArrayRef<float> read(int64_t output) {
    filter.resize(inputs * 9);
    tensor.readF32(output * inputs * 9, filter);
    if (scale != 1.0)
      for (float &value : filter)
        value = static_cast<float>(value * scale);
    for (auto [c, exponent] : llvm::enumerate(inputExponents))
      for (float &value : MutableArrayRef(filter).slice(c * 9, 9))
        value = std::ldexp(value, static_cast<int>(exponent));
    return filter;
  }
  /// A step of output channel `o` in units of what the next convolution reads.
  float divide(float step, int64_t o) const {
    return outputExponents.empty() ? step : std::ldexp(step, -static_cast<int>(outputExponents[o]));
  }
  /// Rounds the 2x2 kernel of `phase` of every input, or, without phases, the 3x3 one; returns the
  /// step.
  float round(ArrayRef<float> weights, bool upsample, int64_t phase);
  /// The starting sum of a channel whose weights are `numbers`.
  int32_t getStart() const {
    int64_t sum = 0;
    for (int16_t number : numbers)
      sum += number;
    return static_cast<int32_t>(-zeroPoint * sum);
  }
  void putByte(int64_t word, int64_t byte, int16_t number) {
    out[word] |= static_cast<int32_t>(static_cast<uint32_t>(number & 0xff) << (8 * byte));
  }
  void putShort(int64_t word, int64_t half, int64_t number) {
    out[word] |= static_cast<int32_t>(static_cast<uint32_t>(number & 0xffff) << (16 * half));
  }
  /// Input `input` of an output channel in all planes of its kernel `phase`, where the first word
  /// of all planes is word `at` and the next input's is `channels` further on.
  void putPlanes(cpu::ConvForm form, int64_t input, int64_t phase, int64_t at, int64_t channels);
  Error flush(Sink sink) const {
    return sink({reinterpret_cast<const uint8_t *>(out.data()), out.size() * sizeof(int32_t)});
  }

  const StoredTensor &tensor;
  double scale;
  int64_t zeroPoint, lanes, group, outputs, inputs, words;
  ArrayRef<int64_t> inputExponents, outputExponents;
  std::vector<float> filter, folded;
  std::vector<int16_t> numbers;
  std::vector<int32_t> out;
};

float BytePacker::round(ArrayRef<float> weights, bool upsample, int64_t phase) {
  int64_t taps = upsample ? 4 : 9;
  folded.resize(inputs * taps);
  numbers.resize(folded.size());
  for (int64_t i = 0; i < inputs; ++i)
    for (int64_t tap = 0; tap < taps; ++tap)
      folded[i * taps + tap] =
          upsample ? foldTap(&weights[i * 9], phase / 2, phase % 2, tap / 2, tap % 2)
                   : weights[i * 9 + tap];
  return quantizeFilter(folded, taps, numbers);
}

Error BytePacker::convolution(bool upsample, Sink sink) {
  int64_t phases = upsample ? 4 : 1, side = upsample ? 2 : 3, taps = side * side;
  int64_t vectors = cpu::padToLanes(outputs, lanes) / lanes;
  for (int64_t first = 0; first < vectors; first += group) {
    int64_t channels = std::min(group, vectors - first) * lanes;
    int64_t perPhase = cpu::getByteWeightWords(inputs, taps, channels);
    out.assign(phases * perPhase, 0);
    for (int64_t c = 0; c < channels && first * lanes + c < outputs; ++c) {
      ArrayRef<float> weights = read(first * lanes + c);
      for (int64_t phase = 0; phase < phases; ++phase) {
        float step = round(weights, upsample, phase);
        int64_t base = phase * perPhase;
        out[base + c] = getStart();
        out[base + channels + c] = llvm::bit_cast<int32_t>(divide(step, first * lanes + c));
        base += 2 * channels;
        for (int64_t i = 0; i < inputs; ++i) {
          for (int64_t tap = 0; tap < taps; ++tap)
            putByte(base + (i / 4 * taps + tap) * channels + c, i % 4, numbers[i * taps + tap]);
        }
      }
    }
    if (Error error = flush(sink))
      return error;
  }
  return Error::success();
}

void BytePacker::putPlanes(cpu::ConvForm form, int64_t input, int64_t phase, int64_t at,
                           int64_t channels) {
  int64_t kernels = cpu::getKernels(form), sides = cpu::getPlaneShape(form).planes;
  int64_t side = cpu::isUpsampled(form) ? 2 : 3;
  // The planes of this kernel, and the first of them.
  int64_t own = sides / kernels, first = (phase / kernels * sides + phase % kernels) * own;
  transformSquare<int64_t>(
      side, [&](int64_t y, int64_t x) { return numbers[(input * side + y) * side + x]; },
      [&](ArrayRef<int64_t> line) { return transformWholeKernel(form, line); },
      [&](int64_t y, ArrayRef<int64_t> row) {
        for (auto [x, value] : llvm::enumerate(row)) {
          int64_t plane = first + y * sides + static_cast<int64_t>(x);
          putShort(at + (plane * cpu::getSummedPairs(inputs) + input / 2) * channels, input % 2,
                   value);
        }
      });
}

Error BytePacker::planes(cpu::ConvForm form, Sink sink) {
  int64_t kernels = cpu::getKernels(form), phases = kernels * kernels;
  int64_t vectors = cpu::padToLanes(outputs, lanes) / lanes, factor = cpu::getPlaneFactor(form);
  if (inputs > cpu::getMostExactChannels(form))
    return llvm::createStringError("sums of form %s are exact up to %lld channels, not %lld",
                                   cpu::stringifyConvForm(form).str().c_str(),
                                   static_cast<long long>(cpu::getMostExactChannels(form)),
                                   static_cast<long long>(inputs));
  for (int64_t first = 0; first < vectors; first += group) {
    int64_t registers = std::min(group, vectors - first), channels = registers * lanes;
    out.assign(cpu::getPlaneWords(form, /*bytes=*/true, inputs, channels), 0);
    for (int64_t c = 0; c < channels && first * lanes + c < outputs; ++c) {
      ArrayRef<float> weights = read(first * lanes + c);
      for (int64_t phase = 0; phase < phases; ++phase) {
        float step = round(weights, cpu::isUpsampled(form), phase);
        int64_t head = 2 * phase * channels + c;
        out[head] = getStart() * static_cast<int32_t>(factor);
        out[head + channels] = llvm::bit_cast<int32_t>(divide(step, first * lanes + c));
        for (int64_t i = 0; i < inputs; ++i)
          putPlanes(form, i, phase, 2 * phases * channels + c, channels);
      }
    }
    if (Error error = flush(sink))
      return error;
  }
  return Error::success();
}

Error BytePacker::planar(Sink sink) {
  int64_t lanes = cpu::getPlanarLanes(words, this->lanes);
  int64_t padded = cpu::padToLine(outputs), registers = cpu::padToLanes(words, lanes) / lanes;
  out.assign(2 * padded + 9 * registers * outputs * lanes, 0);
  numbers.resize(inputs * 9);
  for (int64_t o = 0; o < outputs; ++o) {
    float step = quantizeFilter(read(o), 9, numbers);
    out[o] = getStart();
    out[padded + o] = llvm::bit_cast<int32_t>(step);
    for (int64_t i = 0; i < inputs; ++i)
      for (int64_t tap = 0; tap < 9; ++tap) {
        int64_t word = i / 4;
        int64_t at = ((tap * registers + word / lanes) * outputs + o) * lanes + word % lanes;
        putByte(2 * padded + at, i % 4, numbers[i * 9 + tap]);
      }
  }
  return flush(sink);
}

} // namespace

Error un0::packBytes(ParamOp param, cpu::PackedParamOp packed, const StoredTensor &tensor,
                     llvm::function_ref<Error(ArrayRef<uint8_t>)> sink) {
  if (tensor.shape.size() != 4)
    return llvm::createStringError("parameter '%s' has rank %zu, its packing needs 4",
                                   param.getSymName().str().c_str(), tensor.shape.size());
  BytePacker packer(param, packed, tensor);
  if (packed.getPacking() == cpu::Packing::ConvPlanes)
    return packer.planes(packed.getForm(), sink);
  if (packed.getPacking() == cpu::Packing::ConvPlanar)
    return packer.planar(sink);
  return packer.convolution(packed.getPacking() == cpu::Packing::ConvUpsample, sink);
}
