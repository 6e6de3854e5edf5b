//===- Cpu.h - the cpu dialect ----------------------------------*- C++ -*-===//

#ifndef CPU_IR_CPU_H
#define CPU_IR_CPU_H

#include "dialects/Un0/IR/Un0.h"
#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dialects/Cpu/IR/CpuDialect.h.inc"
#include "dialects/Cpu/IR/CpuEnums.h.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/Cpu/IR/CpuAttrs.h.inc"

#define GET_OP_CLASSES
#include "dialects/Cpu/IR/CpuOps.h.inc"

namespace un0::cpu {

/// Rows of a packed coupling that lie side by side, and channels of an image block: one 64-byte
/// line of f32.
constexpr int64_t kLine = 16;

/// Rounds up to whole lines.
inline int64_t padToLine(int64_t n) { return (n + kLine - 1) / kLine * kLine; }
/// Rounds up to whole registers: the channels of an image that f32 convolutions make and read. What
/// is left of the last line is neither written nor read.
inline int64_t padToLanes(int64_t n, int64_t lanes) { return (n + lanes - 1) / lanes * lanes; }
/// Lanes of the registers that the last convolution of bytes reads `words` of inputs in: half of a
/// register of 16 where no more have channels.
inline int64_t getPlanarLanes(int64_t words, int64_t lanes) {
  return lanes == 16 && words <= lanes / 2 ? lanes / 2 : lanes;
}

/// Whether an image is one of bytes, four to a word, instead of f32.
inline bool holdsBytes(mlir::Value image) {
  return llvm::cast<mlir::MemRefType>(image.getType()).getElementType().isInteger(32);
}

/// Sources of a coupling, or numbers of a wave, in a 32-bit word.
int64_t getPerWord(Precision precision);

/// Module attribute: results must be the same bits on every processor.
inline constexpr llvm::StringLiteral kExactAttr = "cpu.exact";

/// Module attribute: no convolution is transformed into one with fewer products.
inline constexpr llvm::StringLiteral kDirectAttr = "cpu.direct";

/// Module attribute: `un0_decode` takes one more argument, the buffer that the f32 images of the
/// decoder are kept in one after the other, so that the compiler can look at them. Its value
/// becomes that buffer's size in bytes.
inline constexpr llvm::StringLiteral kObserveAttr = "cpu.observe";

/// Module attribute: `un0_decode` takes two more arguments, a function and its data; it is called
/// at the start and behind every convolution, of a batch or of one image, so that the compiler can
/// time each by itself.
inline constexpr llvm::StringLiteral kTimedAttr = "cpu.timed";

/// Attribute of `un0.conv2d`, a ConvScheduleAttr: how it is to be computed.
inline constexpr llvm::StringLiteral kScheduleAttr = "cpu.schedule";

/// Module attribute that un0-to-cpu leaves: an array of {op, schedule}, one of each convolution.
inline constexpr llvm::StringLiteral kSchedulesAttr = "cpu.schedules";

/// Module attribute: phases come from elsewhere and arrive final; there are no entries that evolve.
inline constexpr llvm::StringLiteral kDigitalPartAttr = "cpu.digital_part";

/// Attribute of an entry: which argument is the memory of the calling thread alone. It is as large
/// as the arena, and for one thread of a team it is the arena itself.
inline constexpr llvm::StringLiteral kOwnArenaAttr = "cpu.own_arena";
/// Unit attribute of a `memref.alloc`: a buffer of the calling thread alone.
inline constexpr llvm::StringLiteral kOwnAttr = "cpu.own";

/// Panels of 16 rows that one sample's coupling takes together, and as many streams: `whole` groups
/// of them, which the threads of a team share out, and perhaps one more of the `rest`.
struct RowGroups {
  int64_t together, whole, rest;

  int64_t count() const { return whole + (rest ? 1 : 0); }
};
/// The groups of `paddedRows` rows on a target with `lanes` lanes, which has dot products of bf16
/// or not (`brains`): 8 accumulators cover the latency of two multiply-add pipes, if nothing comes
/// between. What takes bf16 words apart does, and of 16 registers of 8 lanes 12 are accumulators
/// then.
RowGroups getRowGroups(int64_t paddedRows, int64_t lanes, bool brains,
                       llvm::ArrayRef<Precision> precisions);

/// Waves of a batch tile that the second-level cache has no room for are taken in blocks of lines:
/// these pass all rows of so many panels before the next ones, and the sums wait in memory.
/// Measured with f32, N = 16384, batch 16: 2910 ms without, 1380 ms with. A tile of two registers
/// does from fewer lines on, because its waves take twice the room.
constexpr int64_t kBlockPanels = 16, kFewestBlockedLines = 4096, kFewestWideBlockedLines = 512;
/// Whether the first coupling of a batch tile, of `lines` lines of a panel, is taken in blocks.
/// int4 is unpacked a panel at a time, and is not.
inline bool isBlocked(int64_t lines, Precision precision, bool wide) {
  return precision != Precision::Int4 &&
         lines >= (wide ? kFewestWideBlockedLines : kFewestBlockedLines);
}
/// Whether a matrix unit takes couplings of a batch tile: those of int8 that fill a tile. It takes
/// no blocks, and leaves a first coupling that is better off with them to the vector registers.
inline bool takesMatrix(llvm::ArrayRef<Precision> precisions, llvm::ArrayRef<int64_t> lines,
                        bool blocked) {
  if (blocked && precisions.front() != Precision::Int8)
    return false;
  return llvm::any_of(llvm::zip_equal(precisions, lines), [](auto term) {
    return std::get<0>(term) == Precision::Int8 && std::get<1>(term) >= kLine;
  });
}
/// Lines of waves in a block: one register of samples and the panel's lines fit the first-level
/// cache.
inline int64_t getBlockLines(int64_t lanes) { return lanes < 16 ? 128 : 256; }
/// Words of a tile of a matrix unit: 16 rows of 64 bytes.
constexpr int64_t kTileWords = 256;
/// The tiles by what they are, sums and the two factors.
constexpr int64_t kSumTiles = 0, kLeftTiles = 4, kRightTiles = 6;
/// Whether an op stands for an instruction of a matrix unit.
bool isTileOp(mlir::Operation *op);
/// Words of scratch for a matrix unit: its setup, and four tiles of sums.
constexpr int64_t kMatrixScratch = kLine + 4 * kTileWords;
/// The words of a batch tile's scratch, one thing after the other: the sums of a first coupling
/// that is taken in blocks, those of int16 couplings, the bytes of a panel of each int4 coupling,
/// and what a matrix unit needs.
struct TileScratch {
  int64_t drained = 0;                 ///< where the sums of int16 begin
  llvm::SmallVector<int64_t> levels;   ///< where the bytes of each coupling do, if it is int4
  int64_t matrix = 0;                  ///< where the kMatrixScratch words of a matrix unit do
  llvm::SmallVector<int64_t> waves;    ///< where the tiles of waves of each coupling do, or 0
  llvm::SmallVector<int64_t> products; ///< where its sums of two panels do
  int64_t words = 0;                   ///< in all
};
/// The scratch of `batch` samples with couplings of these precisions and lines of a panel, whose
/// first is taken in blocks or not; those of int8 are multiplied on a `matrix` unit or not.
TileScratch getTileScratch(llvm::ArrayRef<Precision> precisions, llvm::ArrayRef<int64_t> lines,
                           bool blocked, bool matrix, int64_t batch);

/// Lines of a `words16` panel after its words: row scales, sums to start from, and int8's zero
/// points or int4's table.
inline int64_t getHeaderLines(Precision precision) {
  return precision == Precision::BF16 ? 0 : precision == Precision::Int16 ? 2 : 3;
}

/// Flags of an int8 panel, behind the header: of every four lines, an iteration of the inner loop,
/// and every four rows a bit says whether some quad is too large: the numbers of one sign of
/// sources 0, 1, 4 and 5, or 2, 3, 6 and 7, of 8 are more than 255 together, so that their products
/// with waves do not fit 16 bits. Four rows have four of a line's 16 words.
constexpr int64_t kFlaggedLines = 4, kFlaggedRows = 4, kLargestQuad = 255;
/// Lines that a word of flags, and a line of them, is for.
constexpr int64_t kLinesPerWord = 32 * kFlaggedLines, kLinesPerFlags = kFlaggedRows * kLinesPerWord;
static_assert(kLine / kFlaggedRows * kFlaggedRows == kLine);
inline int64_t getFlagLines(int64_t words) { return (words + kLinesPerFlags - 1) / kLinesPerFlags; }
/// The line behind the header, element and bit of a flag.
struct QuadFlag {
  int64_t line, element, bit;

  QuadFlag(int64_t k, int64_t row)
      : line(k / kLinesPerFlags), element(row / kFlaggedRows * (kLinesPerFlags / kLinesPerWord) +
                                          k % kLinesPerFlags / kLinesPerWord),
        bit(k / kFlaggedLines % 32) {}
};

/// Where int4 with groups says which set of levels a group uses: `group` columns, every fourth of
/// 4 x group, are the bytes at one place in the words of group / 2 lines. Their bit is in the same
/// byte of line k / (4 x group) of the panel's last lines, k the line of words, at `bit(k)`.
struct LevelSets {
  int64_t group;

  int64_t getLines(int64_t words) const { return (words + 4 * group - 1) / (4 * group); }
  int64_t line(int64_t k) const { return k / (4 * group); }
  int64_t bit(int64_t k) const { return k / (group / 2) % 8; }
};

/// Lines of a `words16` panel of `words` lines of words. int8 has flags behind the header, int4
/// with groups another table and, at the end, the lines of LevelSets.
inline int64_t getPanelLines(int64_t words, Precision precision, int64_t group) {
  int64_t flags = precision == Precision::Int8 ? getFlagLines(words) : 0;
  return words + getHeaderLines(precision) + flags +
         (group ? 1 + LevelSets{group}.getLines(words) : 0);
}
/// The lines of words in such a panel of `lines`.
inline int64_t getWordLines(int64_t lines, Precision precision, int64_t group) {
  int64_t rest = lines - getHeaderLines(precision) - (group ? 1 : 0);
  if (precision == Precision::Int8)
    return rest - (rest + kLinesPerFlags) / (kLinesPerFlags + 1);
  return group ? rest - (rest + 4 * group) / (4 * group + 1) : rest;
}

/// Lines of one class and source of a `class_words` table for `padded` oscillators: one of scales,
/// then for every 256 oscillators their upper 8 bits, 64 to a line, and a line of their lower 2.
/// Vector q of a block has byte q % 4 of each word of line q / 4, and bits 2q and 2q + 1 of the
/// last line's: the numbers come out in lanes, without a shuffle.
inline int64_t getTableLines(int64_t padded) {
  int64_t vectors = padded / kLine, rest = vectors % kLine;
  return 1 + vectors / kLine * 5 + (rest ? (rest + 3) / 4 + 1 : 0);
}

/// Words of one phase of packed int8 weights for `channels` output channels (`conv3x3`,
/// `conv_upsample`): starting sums, scales, then taps.
int64_t getByteWeightWords(int64_t inputs, int64_t taps, int64_t channels);

/// The first of the two planes that multiply the same value, in forms that have such.
constexpr int64_t kSharingPlane = 2;

/// A 1-D transform of `form` takes neighbouring inputs to `values`, multiplies them in `planes` and
/// gives `outputs` of those; the next point begins `step` inputs further on. In 2-D all of it
/// happens twice.
struct PlaneShape {
  int64_t planes, values, step, outputs;

  int64_t getPixels() const { return step + 2; }
  /// In 2-D.
  int64_t getAllPlanes() const { return planes * planes; }
  int64_t getAllValues() const { return values * values; }
  /// Fewer values than planes: plane kSharingPlane and the next one multiply the same.
  bool sharesValue() const { return values < planes; }
  int64_t getValue(int64_t plane) const {
    return plane - (sharesValue() && plane > kSharingPlane ? 1 : 0);
  }
};
inline PlaneShape getPlaneShape(ConvForm form) {
  return form == ConvForm::Upsampled            ? PlaneShape{3, 3, 1, 2}
         : form == ConvForm::UpsampledPairs     ? PlaneShape{6, 5, 2, 4}
         : form == ConvForm::UpsampledWinograd4 ? PlaneShape{5, 4, 2, 4}
         : form == ConvForm::Winograd2          ? PlaneShape{4, 4, 2, 2}
                                                : PlaneShape{6, 6, 4, 4};
}
/// Whether planes of `form` are for a convolution behind an upsampling.
inline bool isUpsampled(ConvForm form) {
  return form == ConvForm::Upsampled || form == ConvForm::UpsampledPairs ||
         form == ConvForm::UpsampledWinograd4;
}
/// Whether there are planes of `form` for images of bytes, or of f32.
inline bool hasPlanes(ConvForm form, bool bytes) {
  return isUpsampled(form) ? bytes == (form == ConvForm::UpsampledPairs) : form != ConvForm::Direct;
}
/// Rows of points of one image that a convolution in `form` has; 1 of a direct one, which takes no
/// points together. Of 0 pixels a side, or sides that points do not cover, there are none.
int64_t getPointRows(un0::Conv2DOp conv, ConvForm form);
/// Why `conv` cannot be computed as `schedule` says; empty if it can.
std::string findFault(un0::Conv2DOp conv, ConvScheduleAttr schedule);

/// Input channels that an f32 convolution multiplies: four at a time.
inline int64_t getSummedChannels(int64_t inputs) { return (inputs + 3) / 4 * 4; }
/// Pairs of input channels, 16 bits each, that planes of bytes multiply: four at a time.
inline int64_t getSummedPairs(int64_t inputs) { return (inputs + 7) / 8 * 4; }

/// Kernels in each dimension that have steps of their own in planes of bytes: those of the output
/// phases.
inline int64_t getKernels(ConvForm form) { return form == ConvForm::UpsampledPairs ? 2 : 1; }
/// Planes of bytes give an exact multiple of the sums that a direct convolution has: by so much.
inline int64_t getPlaneFactor(ConvForm form) {
  return form == ConvForm::Winograd4 ? 64 : form == ConvForm::Winograd2 ? 4 : 1;
}
/// Input channels of bytes up to which that multiple fits 32 bits, whatever the weights: each two
/// of them side by side have a sum of at most 128 (kLargestPair) and no magnitude above 127, inputs
/// share a zero point and are at most 255 from it, so their two products are at most 128 x 255.
inline int64_t getMostExactChannels(ConvForm form) {
  return INT32_MAX / getPlaneFactor(form) / (9 * 255 * 128) * 2;
}
/// Words of one register of `lanes` output channels in planes: those, of bytes behind starting sums
/// and scales of each phase.
inline int64_t getPlaneWords(ConvForm form, bool bytes, int64_t inputs, int64_t lanes) {
  int64_t planes = getPlaneShape(form).getAllPlanes();
  int64_t head = bytes ? 2 * getKernels(form) * getKernels(form) : 0;
  return (head + planes * (bytes ? getSummedPairs(inputs) : getSummedChannels(inputs))) * lanes;
}

/// Registers of output channels in a group: a register tile of one pixel has no more sums.
constexpr int64_t kMostGroup = 8;

/// What thread number `thread` of `threads` takes of `count` things, as even as can be: from the
/// first number to before the second.
std::pair<mlir::Value, mlir::Value> buildShare(mlir::OpBuilder &b, mlir::Location loc,
                                               mlir::Value thread, mlir::Value threads,
                                               int64_t count);

/// The element of `memory` at `indices`, counted from where its aligned pointer points.
mlir::Value buildElement(mlir::OpBuilder &b, mlir::Location loc, mlir::Value memory,
                         mlir::ValueRange indices);

/// Steps of a packed wave of 1. Of bytes, which are as many more, so that they are unsigned: two
/// products of at most 2 x 64 and 127, or four with levels of int4, fit 16 bits. In 16 bits twelve,
/// because the error of the couplings decides (reference: docs/quantization.md), and fewer bits
/// drain later.
constexpr int64_t kByteWave = 64, kShortWave = 2047;
/// Largest magnitude of a coupling of 16 bits.
constexpr int64_t kShortCoupling = 8191;
/// Largest magnitude in a `class_words` table.
constexpr int64_t kTableNumber = (1 << (kTableBits - 1)) - 1;

} // namespace un0::cpu

#endif // CPU_IR_CPU_H
