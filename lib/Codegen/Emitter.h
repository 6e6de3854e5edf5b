//===- Emitter.h - building vector loops ------------------------*- C++ -*-===//
//
// Shared by the files that write out kernels. All memory is f32, or i32 words of smaller numbers,
// with static shape; a vector is one register.
//
//===----------------------------------------------------------------------===//

#ifndef UN0_LIB_CODEGEN_EMITTER_H
#define UN0_LIB_CODEGEN_EMITTER_H

#include "dialects/Cpu/IR/Cpu.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "un0/Codegen/CpuTarget.h"

namespace un0 {

class Emitter {
public:
  Emitter(mlir::OpBuilder &builder, mlir::Location loc, const CpuTarget &target)
      : b(builder), loc(loc), target(target), lanes(target.lanes),
        vector(mlir::VectorType::get({target.lanes}, builder.getF32Type())),
        words(mlir::VectorType::get({target.lanes}, builder.getI32Type())) {}

  using Value = mlir::Value;
  using ValueRange = mlir::ValueRange;
  using Body = llvm::function_ref<void(Value)>;
  using Carried = llvm::SmallVector<Value>;
  using CarriedBody = llvm::function_ref<Carried(Value, ValueRange)>;

  // Index arithmetic.
  Value index(int64_t i) { return mlir::arith::ConstantIndexOp::create(b, loc, i); }
  Value add(Value x, Value y) { return mlir::arith::AddIOp::create(b, loc, x, y); }
  Value add(Value x, int64_t y) { return y ? add(x, index(y)) : x; }
  Value mul(Value x, int64_t y) {
    return y == 1 ? x : Value(mlir::arith::MulIOp::create(b, loc, x, index(y)));
  }

  // Values.
  Value scalar(float f) { return mlir::arith::ConstantOp::create(b, loc, b.getF32FloatAttr(f)); }
  Value splat(float f) {
    return mlir::arith::ConstantOp::create(b, loc, mlir::DenseElementsAttr::get(vector, f));
  }
  Value broadcast(Value s) {
    auto type = mlir::VectorType::get({lanes}, s.getType());
    return mlir::vector::BroadcastOp::create(b, loc, type, s);
  }
  Value fma(Value x, Value y, Value z) { return mlir::vector::FMAOp::create(b, loc, x, y, z); }
  Value addf(Value x, Value y) { return mlir::arith::AddFOp::create(b, loc, x, y); }
  Value subf(Value x, Value y) { return mlir::arith::SubFOp::create(b, loc, x, y); }
  Value mulf(Value x, Value y) { return mlir::arith::MulFOp::create(b, loc, x, y); }
  // One instruction each, unlike those that say what becomes of NaN.
  Value maxf(Value x, Value y) { return select(mlir::arith::CmpFPredicate::OGT, x, y); }
  Value minf(Value x, Value y) { return select(mlir::arith::CmpFPredicate::OLT, x, y); }
  Value select(mlir::arith::CmpFPredicate predicate, Value x, Value y) {
    Value first = mlir::arith::CmpFOp::create(b, loc, predicate, x, y);
    return mlir::arith::SelectOp::create(b, loc, first, x, y);
  }
  cpu::SinCosOp sincos(Value x) { return cpu::SinCosOp::create(b, loc, vector, vector, x); }
  Value negf(Value x) { return mlir::arith::NegFOp::create(b, loc, x); }

  // Words: registers of i32, or of what is packed in them.
  Value splatWord(int32_t i) {
    return mlir::arith::ConstantOp::create(b, loc, mlir::DenseElementsAttr::get(words, i));
  }
  Value dot(cpu::DotKind kind, Value sum, Value x, Value y, bool fits = false) {
    return cpu::DotOp::create(b, loc, sum.getType(), sum, x, y, ValueRange(), kind, fits);
  }
  /// Two words of bytes, unsigned and signed, whose sums of four products each fit 16 bits.
  Value dotQuads(Value sum, std::pair<Value, Value> x, std::pair<Value, Value> y) {
    return cpu::DotOp::create(b, loc, sum.getType(), sum, x.first, y.first,
                              ValueRange{x.second, y.second}, cpu::DotKind::U8S8, /*fits=*/true);
  }
  Value asWords(Value x) { return mlir::vector::BitCastOp::create(b, loc, words, x); }
  Value asFloats(Value x) { return mlir::vector::BitCastOp::create(b, loc, vector, x); }
  Value toFloats(Value x) { return mlir::arith::SIToFPOp::create(b, loc, vector, x); }
  Value andWord(Value x, int32_t mask) {
    return mlir::arith::AndIOp::create(b, loc, x, splatWord(mask));
  }
  Value addWord(Value x, Value y) { return mlir::arith::AddIOp::create(b, loc, x, y); }
  Value mulWord(Value x, Value y) { return mlir::arith::MulIOp::create(b, loc, x, y); }
  Value orWord(Value x, Value y) { return mlir::arith::OrIOp::create(b, loc, x, y); }
  Value shiftLeft(Value x, int32_t n) {
    return n ? Value(mlir::arith::ShLIOp::create(b, loc, x, splatWord(n))) : x;
  }
  Value shiftRight(Value x, int32_t n) {
    return mlir::arith::ShRUIOp::create(b, loc, x, splatWord(n));
  }

  // Memory. A register has the elements of the memory it comes from.
  Value load(Value memory, ValueRange at) {
    bool ints = llvm::cast<mlir::MemRefType>(memory.getType()).getElementType().isInteger(32);
    return mlir::vector::LoadOp::create(b, loc, ints ? words : vector, memory, at);
  }
  void store(Value v, Value memory, ValueRange at) {
    mlir::vector::StoreOp::create(b, loc, v, memory, at);
  }
  /// The first `count` lanes.
  void storeFirst(Value v, int64_t count, Value memory, ValueRange at) {
    store(mlir::vector::ExtractStridedSliceOp::create(b, loc, v, llvm::ArrayRef<int64_t>{0},
                                                      llvm::ArrayRef<int64_t>{count},
                                                      llvm::ArrayRef<int64_t>{1}),
          memory, at);
  }
  Value loadScalar(Value memory, ValueRange at) {
    return mlir::memref::LoadOp::create(b, loc, memory, at);
  }
  void storeScalar(Value v, Value memory, ValueRange at) {
    mlir::memref::StoreOp::create(b, loc, v, memory, at);
  }
  Value loadBroadcast(Value memory, ValueRange at) { return broadcast(loadScalar(memory, at)); }
  /// The memory in one dimension: what is a constant number of elements away then is a constant
  /// offset in the code too. With an index per dimension the backend keeps an address per pixel,
  /// runs out of registers for them, and loads early what it must spill.
  Value flatten(Value memory) {
    llvm::SmallVector<mlir::ReassociationIndices> all(1);
    for (size_t i = 0; i < shape(memory).size(); ++i)
      all.front().push_back(static_cast<int64_t>(i));
    return mlir::memref::CollapseShapeOp::create(b, loc, memory, all);
  }
  /// LLVM moves no load from behind this place before it, and what was loaded before is loaded
  /// anew.
  void fence();
  /// Number `half` of each of the words of two bf16 numbers at `at`, as f32; of one word in all
  /// lanes with `same`. A bf16 number is the upper half of an f32: those of half 0 are loaded with
  /// the two bytes before them, and what is not theirs is masked. A shift would do without a second
  /// load, but only units that multiply can shift. The memory must not begin a mapping.
  Value loadBrains(Value memory, ValueRange at, int64_t half, bool same);
  /// A cache, as the locality of `memref.prefetch` says it.
  enum CacheLevel { kSecondLevel = 2, kFirstLevel = 3 };
  /// Asks for the line at `at`.
  void prefetch(Value memory, ValueRange at, CacheLevel level = kSecondLevel) {
    mlir::memref::PrefetchOp::create(b, loc, memory, at, /*isWrite=*/false, level,
                                     /*isDataCache=*/true);
  }

  // Loops.
  void loop(Value from, Value to, int64_t step, Body body);
  void loop(int64_t from, int64_t to, int64_t step, Body body) {
    if (from < to)
      loop(index(from), index(to), step, body);
  }
  Carried loop(int64_t from, int64_t to, int64_t step, ValueRange initial, CarriedBody body);

  /// What thread number `thread` of `threads` takes of `count` things, as even as can be; all of
  /// them without a thread.
  std::pair<Value, Value> share(Value thread, Value threads, int64_t count);

  /// Copies `count` values of the last dimension of row `source` to row `dest`; vectors first, then
  /// one by one, so that nothing outside is touched.
  void copyRow(Value source, ValueRange sourceRow, Value sourceAt, Value dest, ValueRange destRow,
               Value destAt, int64_t count);

  static llvm::ArrayRef<int64_t> shape(Value memory) {
    return llvm::cast<mlir::MemRefType>(memory.getType()).getShape();
  }

  mlir::OpBuilder &b;
  mlir::Location loc;
  const CpuTarget &target;
  int64_t lanes;
  mlir::VectorType vector, words;
};

/// Pixels of a register tile: `rows` x `columns`, both dividing the map; at most `most` in all.
struct PixelTile {
  int64_t rows, columns;
};
PixelTile choosePixels(int64_t height, int64_t width, int64_t most);
/// How many pixels (or points) of `vectors` registers of f32 outputs a register tile has at most.
int64_t countPixels(const Emitter &e, int64_t vectors);
/// A part of a map, `tile` repeated.
struct TiledArea {
  PixelTile tile;
  int64_t y, x, height, width;
};
/// A map covered with tiles of at most `most` pixels of `vectors` registers, in the least time.
llvm::SmallVector<TiledArea> coverMap(int64_t height, int64_t width, int64_t most, int64_t vectors);

/// What a thread takes of a convolution: of some groups of output channels, each over a whole map.
class ConvShare {
public:
  template <typename ConvOp>
  ConvShare(Emitter &e, ConvOp op, int64_t count)
      : e(e), thread(op.getThread()), threads(op.getThreads()), split(op.getSplit()), count(count) {
  }

  /// The groups of which it has any rows.
  std::pair<mlir::Value, mlir::Value> groups();
  /// Its rows of `group`, in an area of `height` rows from row `first` on, in tiles of `tileRows`.
  std::pair<mlir::Value, mlir::Value> rows(mlir::Value group, int64_t first, int64_t height,
                                           int64_t tileRows);

private:
  Emitter &e;
  mlir::Value thread, threads; // null: the whole convolution
  std::optional<cpu::ConvSplit> split;
  int64_t count; // groups
};

/// Where `indices` of image number `image` are: in a batch of images, or in the only one.
llvm::SmallVector<mlir::Value> pixelOf(mlir::Value images, mlir::Value image,
                                       llvm::ArrayRef<mlir::Value> indices);

/// Where a register of channels lies in a pixel: its block, and its element of that.
struct ChannelPlace {
  mlir::Value block, element;
};
/// The place of the register that begins with channel `channel` in `image`, of f32 or of bytes.
ChannelPlace placeChannels(Emitter &e, mlir::Value image, mlir::Value channel);

/// Of a filter's bytes, that products of pairs fit 16 bits: quantizeFilter rounds them so.
constexpr bool kPairsFit = true;

/// `value / scale` rounded to nearest even, plus `zeroPoint`, within 0 to 255, in the low byte of
/// each word. `value` is already divided.
mlir::Value toBytes(Emitter &e, mlir::Value value, int64_t zeroPoint);

/// Stores a register of channels at (y, x) of `output`, or of image number `image` of it: as it is,
/// or with a zero point as bytes; `value` is already divided by their scale.
void storeChannels(Emitter &e, mlir::Value value, std::optional<uint64_t> zeroPoint,
                   mlir::Value output, mlir::Value image, const ChannelPlace &place, mlir::Value y,
                   mlir::Value x);

/// `value / scale`; `value` without a scale.
mlir::Value divideBy(Emitter &e, mlir::Value value, std::optional<llvm::APFloat> scale);

/// What an exact sum of bytes is multiplied by: the steps of the weights, which lie at `at`, times
/// that of the input, over that of the result where it has one; of `factor` times the sum, a power
/// of two, over that.
mlir::Value loadSteps(Emitter &e, mlir::Value weights, mlir::Value at,
                      const llvm::APFloat &inputScale, std::optional<llvm::APFloat> scale,
                      int64_t factor = 1);

/// `value`, times `slope` where it is not positive; `value` without a slope.
mlir::Value emitLeaky(Emitter &e, mlir::Value value, std::optional<llvm::APFloat> slope);

/// What becomes of the sums of a register of output channels in a convolution of bytes:
/// sum x (scale of both numbers over that of the result) + bias over that, and the activation.
class ByteEpilogue {
public:
  /// Output channels from `position` on, whose scales are at `stepsAt` of the weights.
  ByteEpilogue(Emitter &e, cpu::Conv2DBytesOp op, mlir::Value position, mlir::Value stepsAt);
  /// Stores the results of input pixel (y, x); with upsampling, of its phase (py, px).
  void emit(mlir::Value sums, mlir::Value image, mlir::Value y, mlir::Value x, mlir::Value py,
            mlir::Value px);

private:
  Emitter &e;
  cpu::Conv2DBytesOp op;
  ChannelPlace place;
  mlir::Value steps, bias;
};

/// `count` groups of `vectors` registers of output channels of a convolution of bytes, which begin
/// at register `firstVector` and at word `weightStart`.
struct ByteGroups {
  int64_t vectors, firstVector, weightStart, count;
};
/// The groups of all channels; those of the last may be fewer.
llvm::SmallVector<ByteGroups, 2> getByteGroups(const Emitter &e, cpu::Conv2DBytesOp op);

/// Whether a matrix unit takes a convolution of bytes, and its code for one.
bool fitsMatrixUnit(const Emitter &e, cpu::Conv2DBytesOp op);
void emitMatrixConvolution(Emitter &e, cpu::Conv2DBytesOp op);

/// The transpose of a square of registers: Eklundh's algorithm, in which round d swaps the blocks
/// of d x d off the diagonal. Source: J. O. Eklundh, "A fast computer method for matrix
/// transposing", 1972.
llvm::SmallVector<mlir::Value> transpose(Emitter &e, llvm::SmallVector<mlir::Value> rows);

// One function per kernel; the kernel op itself is erased by the caller.
void emitLoadPhases(Emitter &e, cpu::LoadPhasesOp op);
void emitStorePhases(Emitter &e, cpu::StorePhasesOp op);
void emitWaves(Emitter &e, cpu::WavesOp op);
void emitGatherClass(Emitter &e, cpu::GatherClassOp op);
void emitRate(Emitter &e, cpu::RateOp op);
void emitBarrier(Emitter &e, cpu::BarrierOp op);
void emitDrift(Emitter &e, cpu::DriftOp op);
void emitCombine(Emitter &e, cpu::CombineOp op);
void emitReadout(Emitter &e, cpu::ReadoutOp op);
void emitZero(Emitter &e, cpu::ZeroOp op);
void emitScatterFeatures(Emitter &e, cpu::ScatterFeaturesOp op);
void emitConv2D(Emitter &e, cpu::Conv2DOp op);
void emitConv2DPlanes(Emitter &e, cpu::Conv2DPlanesOp op);
void emitConv2DPlanar(Emitter &e, cpu::Conv2DPlanarOp op);
void emitFillRing(Emitter &e, cpu::FillRingOp op);
void emitScatterBytes(Emitter &e, cpu::ScatterBytesOp op);
void emitConv2DBytes(Emitter &e, cpu::Conv2DBytesOp op);
void emitConv2DPlanarBytes(Emitter &e, cpu::Conv2DPlanarBytesOp op);

} // namespace un0

#endif // UN0_LIB_CODEGEN_EMITTER_H
