//===- PackWords.cpp - quantized couplings, packed --------------*- C++ -*-===//

#include "PackWords.h"

#include "un0/Quantize/Rows.h"
#include "llvm/ADT/bit.h"

using namespace mlir;
using namespace un0;
using llvm::Error;
using un0::cpu::kLine;

namespace {

/// Rows that the levels of an int4 coupling are fitted to, spread over all.
constexpr int64_t kSampledRows = 64;

class WordPacker {
public:
  WordPacker(ParamOp param, cpu::PackedParamOp packed, const StoredTensor &tensor)
      : tensor(tensor), precision(packed.getPrecision()), group(packed.getColumns()),
        scale(param.getScale() ? param.getScale()->convertToDouble() : 1.0),
        zeroDiagonal(param.getZeroDiagonal()), rows(tensor.shape[0]), sources(tensor.shape[1]),
        perWord(cpu::getPerWord(precision)), words((sources + perWord - 1) / perWord),
        panel(cpu::getPanelLines(words, precision, group) * kLine), row(sources), shorts(sources),
        bytes(sources) {
    if (precision == Precision::Int4)
      fit();
  }

  ArrayRef<int32_t> pack(int64_t first) {
    std::fill(panel.begin(), panel.end(), 0);
    // Levels have no zero, so that padding is quantized as well, as rows of zeros.
    int64_t count = precision == Precision::Int4 ? kLine : std::min(kLine, rows - first);
    for (int64_t r = 0; r < count; ++r) {
      if (first + r < rows)
        read(first + r);
      else
        llvm::fill(row, 0.0f);
      switch (precision) {
      case Precision::Int8:
        packBytes(r);
        break;
      case Precision::Int16:
        packShorts(r);
        break;
      case Precision::BF16:
        packBrains(r);
        break;
      case Precision::Int4:
        packLevels(r);
        break;
      case Precision::F32:
        llvm_unreachable("f32 couplings are not packed as words");
      }
    }
    if (precision == Precision::Int4)
      for (int64_t set = 0; set < (group ? 2 : 1); ++set)
        for (int64_t i = 0; i < kLine; ++i)
          for (int64_t byte = 0; byte < 4; ++byte)
            panel[(words + 2 + set) * kLine + i] |= (levels.sets[set][(i * 4 + byte) % 16] & 0xff)
                                                    << (8 * byte);
    return panel;
  }

private:
  void read(int64_t i) {
    tensor.readF32(i * sources, row);
    if (scale != 1.0)
      for (float &value : row)
        value = static_cast<float>(value * scale);
    if (zeroDiagonal && i < sources)
      row[i] = 0.0f;
  }

  void fit() {
    std::vector<std::vector<float>> sample;
    int64_t stride = std::max<int64_t>(1, rows / kSampledRows);
    for (int64_t i = 0; i < rows; i += stride) {
      read(i);
      sample.push_back(row);
    }
    if (group)
      levels = fitLevelPair(sample, group);
    else
      levels.sets[0] = fitLevels(sample);
  }

  /// The lines after the words: what a sum is multiplied with, and where it starts. Waves of bytes
  /// are as many steps too large as one of 1 has.
  void putHeader(int64_t r, float scale, int64_t sum) {
    panel[words * kLine + r] = llvm::bit_cast<int32_t>(scale);
    panel[(words + 1) * kLine + r] = static_cast<int32_t>(-cpu::kByteWave * sum);
  }

  void packBytes(int64_t r) {
    ByteSteps steps = quantizeByteRow(row, shorts);
    int64_t sum = 0;
    // A source that is not there is a zero as well.
    auto getNumber = [&](int64_t s) -> int64_t { return s < sources ? shorts[s] : -steps.zero; };
    for (int64_t s = 0; s < words * perWord; ++s) {
      sum += getNumber(s) + steps.zero;
      panel[s / perWord * kLine + r] |=
          static_cast<int32_t>(static_cast<uint32_t>(getNumber(s) & 0xff) << (s % perWord * 8));
    }
    for (int64_t s = 0; s + 8 <= words * perWord; s += 8)
      for (int64_t first : {s, s + 2}) {
        int64_t above = 0, below = 0;
        for (int64_t at : {first, first + 1, first + 4, first + 5}) {
          above += std::max<int64_t>(getNumber(at), 0);
          below -= std::min<int64_t>(getNumber(at), 0);
        }
        if (std::max(above, below) <= cpu::kLargestQuad)
          continue;
        cpu::QuadFlag flag(s / perWord, r);
        panel[(words + cpu::getHeaderLines(precision) + flag.line) * kLine + flag.element] |=
            static_cast<int32_t>(1u << flag.bit);
      }
    putHeader(r, steps.step / static_cast<float>(cpu::kByteWave), sum);
    panel[(words + 2) * kLine + r] = steps.zero;
  }

  void packShorts(int64_t r) {
    float step = quantizeRow(row, static_cast<int>(cpu::kShortCoupling), shorts);
    for (int64_t s = 0; s < sources; ++s)
      panel[s / perWord * kLine + r] |=
          static_cast<int32_t>(static_cast<uint32_t>(shorts[s] & 0xffff) << (s % perWord * 16));
    putHeader(r, step / static_cast<float>(cpu::kShortWave), 0);
  }

  void packLevels(int64_t r) {
    float step =
        group ? quantizeRow(row, levels, group, bytes) : quantizeRow(row, levels.sets[0], bytes);
    int64_t sum = 0;
    // The low halves of the four bytes are sources 0 to 3 of the word, the high ones 4 to 7: both
    // meet the words of the waves without a shuffle.
    for (int64_t s = 0; s < sources; ++s) {
      int64_t at = s % 8, set = bytes[s] / 16, level = bytes[s] % 16;
      sum += levels.sets[set][level];
      panel[s / 8 * kLine + r] |=
          static_cast<int32_t>(static_cast<uint32_t>(level) << (at % 4 * 8 + at / 4 * 4));
      if (set) {
        cpu::LevelSets sets{group};
        panel[(words + 4 + sets.line(s / 8)) * kLine + r] |=
            static_cast<int32_t>(1u << (at % 4 * 8 + sets.bit(s / 8)));
      }
    }
    putHeader(r, step / static_cast<float>(cpu::kByteWave), sum);
  }

  void packBrains(int64_t r) {
    for (int64_t s = 0; s < sources; ++s) {
      auto bits = llvm::bit_cast<uint32_t>(row[s]);
      // To nearest, ties to even; a NaN stays one.
      uint32_t rounded =
          row[s] != row[s] ? (bits >> 16) | 0x40 : (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
      panel[s / 2 * kLine + r] |= static_cast<int32_t>(rounded << (s % 2 * 16));
    }
  }

  const StoredTensor &tensor;
  Precision precision;
  int64_t group;
  double scale;
  bool zeroDiagonal;
  int64_t rows, sources, perWord, words;
  std::vector<int32_t> panel;
  std::vector<float> row;
  std::vector<int16_t> shorts;
  std::vector<uint8_t> bytes;
  LevelPair levels;
};

} // namespace

Error un0::packWords(ParamOp param, cpu::PackedParamOp packed, const StoredTensor &tensor,
                     llvm::function_ref<Error(ArrayRef<uint8_t>)> sink) {
  if (tensor.shape.size() != 2)
    return llvm::createStringError("parameter '%s' has rank %zu, a quantized coupling needs 2",
                                   param.getSymName().str().c_str(), tensor.shape.size());
  WordPacker packer(param, packed, tensor);
  for (int64_t first = 0; first < tensor.shape[0]; first += kLine) {
    ArrayRef<int32_t> panel = packer.pack(first);
    if (Error error =
            sink({reinterpret_cast<const uint8_t *>(panel.data()), panel.size() * sizeof(int32_t)}))
      return error;
  }
  return Error::success();
}
