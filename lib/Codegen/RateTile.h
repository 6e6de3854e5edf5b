//===- RateTile.h - what both forms of a coupling share ---------*- C++ -*-===//

#ifndef UN0_LIB_CODEGEN_RATETILE_H
#define UN0_LIB_CODEGEN_RATETILE_H

#include "Emitter.h"

namespace un0::rate {

using llvm::ArrayRef;
using llvm::SmallVector;
using mlir::MemRefType;
using mlir::Value;
using mlir::ValueRange;
using Carried = Emitter::Carried;
namespace arith = mlir::arith;

/// Below this many lines a coupling fits the first-level cache and prefetches would only cost issue
/// slots.
constexpr int64_t kPrefetchLines = 256;
/// Lines of a coupling per iteration of the inner loop.
constexpr int64_t kUnroll = 4;

/// The sums K S and K C of a register tile: `sine[i]` and `cosine[i]` are accumulators, one
/// register each.
struct Sums {
  SmallVector<Value> sine, cosine;

  static Sums of(Value initial, int64_t count) {
    return {SmallVector<Value>(count, initial), SmallVector<Value>(count, initial)};
  }
  Carried pack() const {
    Carried all(sine);
    llvm::append_range(all, cosine);
    return all;
  }
  static Sums unpack(ValueRange all) {
    size_t half = all.size() / 2;
    return {SmallVector<Value>(all.take_front(half)), SmallVector<Value>(all.drop_front(half))};
  }
};

using Step = llvm::function_ref<void(Value, Sums &)>;
using Extra = llvm::function_ref<void(Value)>;

/// Runs `step` for lines `from` + 0..count in order, kUnroll at a time; `extra` once per iteration
/// of the unrolled loop, and `iteration`, if given, in place of its steps. Nothing is loaded before
/// the line it belongs to when they are `apart`.
inline Sums sumOverLines(Emitter &e, Value from, int64_t count, Sums sums, Step step, Extra extra,
                         bool apart = false, Step iteration = nullptr) {
  int64_t whole = count / kUnroll * kUnroll;
  auto at = [&](Value k) -> Value {
    return from ? Value(arith::AddIOp::create(e.b, e.loc, from, k)) : k;
  };
  if (whole)
    sums = Sums::unpack(e.loop(0, whole, kUnroll, sums.pack(), [&](Value k, ValueRange carried) {
      Sums inner = Sums::unpack(carried);
      Value line = at(k);
      if (extra)
        extra(line);
      if (iteration) {
        iteration(line, inner);
        return inner.pack();
      }
      for (int64_t u = 0; u < kUnroll; ++u) {
        if (u && apart)
          e.fence();
        step(e.add(line, u), inner);
      }
      return inner.pack();
    }));
  for (int64_t k = whole; k < count; ++k)
    step(at(e.index(k)), sums);
  return sums;
}

/// What a word of a coupling and one of waves are multiplied as.
inline cpu::DotKind getKind(Precision precision) {
  return precision == Precision::BF16    ? cpu::DotKind::BF16
         : precision == Precision::Int16 ? cpu::DotKind::S16
                                         : cpu::DotKind::U8S8;
}

/// `sum` and the products of `wave` and `weight`. A pair of bytes is 2 x 128 x 127 at most.
inline Value addProducts(Emitter &e, Precision precision, Value sum, Value wave, Value weight) {
  cpu::DotKind kind = getKind(precision);
  return e.dot(kind, sum, wave, weight, /*fits=*/kind == cpu::DotKind::U8S8);
}

/// Whether two words of a coupling are multiplied together: on a target that has no dot product of
/// bytes. Of int4's levels up to kLargestLevel sums of four products fit 16 bits, of int8's numbers
/// where no flag says otherwise; without an instruction for that looking is in vain.
inline bool hasQuads(const Emitter &e, cpu::RateOp op, unsigned term) {
  if (e.target.hasByteDots())
    return false;
  Precision precision = op.getPrecision(term);
  return precision == Precision::Int4 || (precision == Precision::Int8 && e.target.has("ssse3"));
}

/// The levels of an int4 coupling and the numbers of a line of its words.
class LevelLines {
public:
  /// `words` lines of words at the front of a panel.
  LevelLines(Emitter &e, Value coupling, Value panel, int64_t words, int64_t group)
      : e(e), coupling(coupling), words(words), group(group) {
    table = e.load(coupling, {panel, e.index(words + 2), e.index(0)});
    if (group)
      more = e.load(coupling, {panel, e.index(words + 3), e.index(0)});
  }

  /// Sources 0 to 3 and 4 to 7 of `word`, which is a part of line `k` of `panel`, as bytes.
  std::pair<Value, Value> unpack(Value word, Value panel, Value k, Value part) {
    Value low = e.andWord(word, 0x0f0f0f0f), high = e.andWord(e.shiftRight(word, 4), 0x0f0f0f0f);
    if (more) {
      Value set = getSet(panel, k, part);
      low = e.orWord(low, set);
      high = e.orWord(high, set);
    }
    return {lookup(low), lookup(high)};
  }

private:
  /// What to add to the indices: 16 in each byte whose group uses the second set. The lines of
  /// words that share it are in one iteration of an unrolled loop.
  Value getSet(Value panel, Value k, Value part) {
    auto divide = [&](Value x, int64_t y) -> Value {
      return arith::DivUIOp::create(e.b, e.loc, x, e.index(y));
    };
    Value line = e.add(divide(k, 4 * group), words + 4);
    Value bit = arith::RemUIOp::create(e.b, e.loc, divide(k, group / 2), e.index(8));
    Value shift = e.broadcast(arith::IndexCastOp::create(e.b, e.loc, e.b.getI32Type(), bit));
    Value bits = e.load(coupling, {panel, line, part});
    bits = arith::ShRUIOp::create(e.b, e.loc, bits, shift);
    return e.andWord(e.shiftLeft(bits, 4), 0x10101010);
  }
  Value lookup(Value indices) {
    return cpu::LookupOp::create(e.b, e.loc, table.getType(), table, more, indices);
  }

  Emitter &e;
  Value coupling, table, more;
  int64_t words, group;
};

/// Lines after which an int16 sum is emptied: as proven for the coupling, else what holds for any.
inline int64_t getDrain(cpu::RateOp op, unsigned term) {
  int64_t drain = op.getDrains() ? (*op.getDrains())[term] : 0;
  constexpr int64_t always =
      INT32_MAX / (cpu::kShortCoupling * static_cast<int64_t>(cpu::kShortWave)) / 2;
  return std::max<int64_t>(drain, always) / kUnroll * kUnroll;
}

/// Whether a bf16 coupling meets waves of f32: without the instruction nothing is packed.
inline bool hasRoundedWaves(cpu::RateOp op, unsigned term) {
  auto type = llvm::cast<MemRefType>(op.getSources()[term].getType());
  return op.getPrecision(term) == Precision::BF16 && type.getElementType().isF32();
}

/// The sums of all waves that an int8 coupling meets, of which each row adds its zero point's
/// share; nothing for others.
struct Start {
  Value sine, cosine;
};
/// One per coupling. A tile's samples are those from `sample` on; one sample has the same in all
/// lanes.
SmallVector<Start> getStarts(Emitter &e, cpu::RateOp op, Value sample);

/// What both forms share: a register tile of one `cpu.rate`.
class RateTile {
public:
  RateTile(Emitter &e, cpu::RateOp op, ArrayRef<Start> starts)
      : e(e), op(op), starts(starts), zero(e.index(0)), one(e.index(1)) {}

protected:
  /// frequency + cosine x (K S) - sine x (K C), then the update of the op's epilogue.
  Value finish(Value frequency, Value sine, Value cosine, Value sumSine, Value sumCosine,
               Value base) {
    Value rate = e.fma(cosine, sumSine, frequency);
    rate = e.fma(e.negf(sine), sumCosine, rate);
    return op.getStep() ? e.fma(e.splat(op.getStep()->convertToFloat()), rate, base) : rate;
  }

  /// Sums of bytes of `count` registers of rows, before the first line: `load(line, i)` is register
  /// i of a line of the header behind the words. A row is (q + zero) x (wave - 64), added up.
  Sums startBytes(unsigned term, int64_t count,
                  llvm::function_ref<Value(Value line, int64_t i)> load) {
    int64_t words = op.getLines(term);
    Sums sums = Sums::of(Value(), count);
    for (int64_t i = 0; i < count; ++i) {
      sums.sine[i] = sums.cosine[i] = load(e.index(words + 1), i);
      if (!starts[term].sine)
        continue;
      Value zeros = load(e.index(words + 2), i);
      sums.sine[i] = e.addWord(sums.sine[i], e.mulWord(zeros, starts[term].sine));
      sums.cosine[i] = e.addWord(sums.cosine[i], e.mulWord(zeros, starts[term].cosine));
    }
    return sums;
  }
  /// Source `half` of the words of line `k`.
  Value sourceOf(Value k, int64_t half) { return e.add(e.mul(k, 2), half); }

  Emitter &e;
  cpu::RateOp op;
  ArrayRef<Start> starts;
  Value zero, one;
};

/// A batch tile's int8 couplings on a matrix unit, the rows of two panels at a time.
class MatrixProducts {
public:
  MatrixProducts(Emitter &e, cpu::RateOp op, const cpu::TileScratch &scratch);

  /// Whether the scratch has room for the products of a term: of its first whole tiles of lines.
  bool covers(unsigned term) const { return scratch.waves[term] != 0; }

  /// Sets the unit up, and transposes the waves of an evaluation.
  void begin();
  /// Leaves the sums of panels `first` and `first + 1`, if there is such, in the scratch.
  void multiply(Value first);
  /// Where those of a row of panel `which` of the two lie, one register of samples.
  Value getSums(unsigned term, int64_t part, Value which, Value row, int64_t half);
  void end();

private:
  Value getWaves(unsigned term, int64_t part, Value t, int64_t half);

  Emitter &e;
  cpu::RateOp op;
  const cpu::TileScratch &scratch;
  int64_t panels, parts;
};

/// The rates of one sample, oscillators in the lanes.
void emitPanels(Emitter &e, cpu::RateOp op);

} // namespace un0::rate

#endif // UN0_LIB_CODEGEN_RATETILE_H
