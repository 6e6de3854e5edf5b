//===- EmitRatePanels.cpp - couplings of one sample -------------*- C++ -*-===//
//
// Oscillators are in the lanes. EmitRate.cpp has the other form, of a batch tile.
//
//===----------------------------------------------------------------------===//

#include "RateTile.h"

using namespace mlir;
using namespace un0;
using namespace un0::rate;
using un0::cpu::kLine;

namespace {

/// One sample reads a coupling as few streams; from this many bytes on it comes from beyond the
/// second-level cache, and asking ahead pays.
constexpr int64_t kPrefetchBytes = 1 << 20;
/// Lines asked for ahead, 64 bytes each, in each of the streams. Where the processor's own
/// prefetcher follows them, only those of the next iteration, if a third-level cache has most of
/// them.
constexpr int64_t kPrefetchAhead = 16, kPrefetchNear = kUnroll;
constexpr int64_t kMemoryBytes = 40 << 20;

/// One sample: `count` panels of 16 rows from `panel`, oscillators in the lanes.
class RatePanels : RateTile {
public:
  RatePanels(Emitter &e, cpu::RateOp op, ArrayRef<Start> starts, Value panel, int64_t count)
      : RateTile(e, op, starts), panel(panel), perPanel(kLine / e.lanes),
        vectors(count * perPanel) {}

  void emit() {
    Sums sums = Sums::of(e.splat(0), vectors);
    for (unsigned term = 0; term < op.getCouplings().size(); ++term)
      sums = op.getPrecision(term) == Precision::F32 ? addFloats(term, sums) : addWords(term, sums);
    for (int64_t v = 0; v < vectors; ++v) {
      Value at = row(v);
      Value next = finish(e.load(op.getFrequency(), at), e.load(op.getTarget(), {zero, at}),
                          e.load(op.getTarget(), {one, at}), sums.sine[v], sums.cosine[v],
                          e.load(op.getBase(), at));
      e.store(next, op.getOut(), at);
    }
  }

private:
  Value row(int64_t v) { return e.add(e.mul(panel, kLine), v * e.lanes); }
  /// Register `v` of line `k` of a packed coupling.
  Value line(Value coupling, Value k, int64_t v) {
    return e.load(coupling, {e.add(panel, v / perPanel), k, e.index(v % perPanel * e.lanes)});
  }
  /// Asks for `count` lines further on in each stream.
  void fetchAhead(Value coupling, Value k, int64_t count) {
    bool near = e.target.followsStreams() && getBytes(coupling) < kMemoryBytes;
    Value lines = e.index(Emitter::shape(coupling)[1] - count);
    Value ahead =
        arith::MinUIOp::create(e.b, e.loc, e.add(k, near ? kPrefetchNear : kPrefetchAhead), lines);
    for (int64_t p = 0; p < vectors / perPanel; ++p)
      for (int64_t u = 0; u < count; ++u)
        e.prefetch(coupling, {e.add(panel, p), e.add(ahead, u), zero},
                   near ? Emitter::kFirstLevel : Emitter::kSecondLevel);
  }
  static int64_t getBytes(Value coupling) {
    return cast<MemRefType>(coupling.getType()).getNumElements() * 4;
  }
  static bool isLarge(Value coupling) { return getBytes(coupling) >= kPrefetchBytes; }

  Sums addFloats(unsigned term, Sums sums) {
    Value coupling = op.getCouplings()[term], source = op.getSources()[term];
    ArrayRef<int64_t> shape = Emitter::shape(coupling);
    bool shared = shape.size() == 3;
    auto step = [&](Value k, Sums &s) {
      Value sine = e.loadBroadcast(source, {zero, k}), cosine = e.loadBroadcast(source, {one, k});
      for (int64_t v = 0; v < vectors; ++v) {
        Value weight = shared ? line(coupling, k, v) : e.load(coupling, {k, row(v)});
        s.sine[v] = e.fma(weight, sine, s.sine[v]);
        s.cosine[v] = e.fma(weight, cosine, s.cosine[v]);
      }
    };
    auto fetch = [&](Value k) { fetchAhead(coupling, k, kUnroll); };
    if (shared && isLarge(coupling))
      return sumOverLines(e, {}, shape[1], sums, step, fetch);
    return sumOverLines(e, {}, shape[shared ? 1 : 0], sums, step, nullptr);
  }

  /// A line of words of bf16 with waves of f32.
  void addBrains(Value coupling, Value source, Value k, Sums &sums) {
    for (int64_t half = 0; half < 2; ++half) {
      Value at = sourceOf(k, half);
      Value sine = e.loadBroadcast(source, {zero, at}), cosine = e.loadBroadcast(source, {one, at});
      for (int64_t v = 0; v < vectors; ++v) {
        Value weight = e.loadBrains(
            coupling, {e.add(panel, v / perPanel), k, e.index(v % perPanel * e.lanes)}, half,
            /*same=*/false);
        sums.sine[v] = e.fma(weight, sine, sums.sine[v]);
        sums.cosine[v] = e.fma(weight, cosine, sums.cosine[v]);
      }
    }
  }

  /// The bytes of `word`, register `v` of line `k` of an int4 coupling.
  std::pair<Value, Value> unpackWord(LevelLines &levels, Value word, Value k, int64_t v) {
    return levels.unpack(word, e.add(panel, v / perPanel), k, e.index(v % perPanel * e.lanes));
  }

  /// A line of words of int4, two lines of bytes. Of 16 registers none is left for waves from one
  /// register of rows to the next.
  void addQuads(Value coupling, Value source, LevelLines &levels, Value k, Sums &sums) {
    for (int64_t v = 0; v < vectors; ++v) {
      if (e.target.registers < 32)
        e.fence();
      auto weights = unpackWord(levels, line(coupling, k, v), k, v);
      for (auto [half, sum] : {std::make_pair(zero, &sums.sine[v]), {one, &sums.cosine[v]}}) {
        auto wave = [&, half = half](int64_t i) {
          return e.loadBroadcast(source, {half, sourceOf(k, i)});
        };
        *sum = e.dotQuads(*sum, {wave(0), wave(1)}, weights);
      }
    }
  }

  Sums addWords(unsigned term, Sums sums) {
    Value coupling = op.getCouplings()[term], source = op.getSources()[term];
    Precision precision = op.getPrecision(term);
    int64_t lines = op.getLines(term);
    std::optional<LevelLines> levels;
    if (precision == Precision::Int4)
      levels.emplace(e, coupling, panel, lines, op.getGroup(term));
    auto add = [&](Value k, ArrayRef<Value> weights, Sums &s) {
      Value sine = e.loadBroadcast(source, {zero, k}), cosine = e.loadBroadcast(source, {one, k});
      for (int64_t v = 0; v < vectors; ++v) {
        s.sine[v] = addProducts(e, precision, s.sine[v], sine, weights[v]);
        s.cosine[v] = addProducts(e, precision, s.cosine[v], cosine, weights[v]);
      }
    };
    auto step = [&](Value k, Sums &s) {
      if (hasRoundedWaves(op, term))
        return addBrains(coupling, source, k, s);
      if (levels && hasQuads(e, op, term))
        return addQuads(coupling, source, *levels, k, s);
      SmallVector<Value> weights;
      for (int64_t v = 0; v < vectors; ++v)
        weights.push_back(line(coupling, k, v));
      if (!levels)
        return add(k, weights, s);
      SmallVector<Value> low, high;
      for (auto [v, word] : llvm::enumerate(weights)) {
        auto [first, second] = unpackWord(*levels, word, k, static_cast<int64_t>(v));
        low.push_back(first);
        high.push_back(second);
      }
      add(sourceOf(k, 0), low, s);
      add(sourceOf(k, 1), high, s);
    };
    auto fetch = [&](Value k) { fetchAhead(coupling, k, kUnroll); };
    Extra extra = nullptr;
    if (isLarge(coupling))
      extra = fetch;

    if (precision == Precision::Int16)
      return drained(term, lines, sums, step, extra);
    Sums own = Sums::of(e.splat(0), vectors);
    if (precision != Precision::BF16)
      own = startBytes(term, vectors, [&](Value k, int64_t v) { return line(coupling, k, v); });
    own = sumOverLines(e, {}, lines, own, step, extra);
    for (int64_t v = 0; v < vectors; ++v) {
      if (precision == Precision::BF16) {
        sums.sine[v] = e.addf(sums.sine[v], own.sine[v]);
        sums.cosine[v] = e.addf(sums.cosine[v], own.cosine[v]);
        continue;
      }
      Value scale = e.asFloats(line(coupling, e.index(lines), v));
      sums.sine[v] = e.fma(e.toFloats(own.sine[v]), scale, sums.sine[v]);
      sums.cosine[v] = e.fma(e.toFloats(own.cosine[v]), scale, sums.cosine[v]);
    }
    return sums;
  }

  /// int16: 32-bit sums of a window of lines at a time, emptied into f32.
  Sums drained(unsigned term, int64_t lines, Sums sums, Step step, Extra extra) {
    Value coupling = op.getCouplings()[term];
    int64_t window = std::min(getDrain(op, term), lines);
    auto addWindow = [&](Value from, int64_t count, Sums total) {
      Sums own = sumOverLines(e, from, count, Sums::of(e.splatWord(0), vectors), step, extra);
      for (int64_t v = 0; v < vectors; ++v) {
        total.sine[v] = e.addf(total.sine[v], e.toFloats(own.sine[v]));
        total.cosine[v] = e.addf(total.cosine[v], e.toFloats(own.cosine[v]));
      }
      return total;
    };
    int64_t whole = lines / window * window;
    Sums total = Sums::unpack(e.loop(0, whole, window, Sums::of(e.splat(0), vectors).pack(),
                                     [&](Value k, ValueRange carried) {
                                       return addWindow(k, window, Sums::unpack(carried)).pack();
                                     }));
    if (whole < lines)
      total = addWindow(e.index(whole), lines - whole, total);
    for (int64_t v = 0; v < vectors; ++v) {
      Value scale = e.asFloats(line(coupling, e.index(lines), v));
      sums.sine[v] = e.fma(total.sine[v], scale, sums.sine[v]);
      sums.cosine[v] = e.fma(total.cosine[v], scale, sums.cosine[v]);
    }
    return sums;
  }

  Value panel;
  int64_t perPanel, vectors;
};

/// The first `lines` lines of bytes in `source`, added up; of one sample in all lanes.
Value sumWaves(Emitter &e, Value source, int64_t half, int64_t lines, Value sample) {
  bool isTile = Emitter::shape(source).size() == 3;
  Value ones = e.splatWord(0x01010101), plane = e.index(half);
  auto add = [&](Value sum, Value waves) {
    return e.dot(cpu::DotKind::U8S8, sum, waves, ones, /*fits=*/true);
  };
  int64_t step = isTile ? 1 : e.lanes, whole = lines / step * step;
  Value sum = e.splatWord(0);
  if (whole)
    sum = e.loop(0, whole, step, {sum}, [&](Value k, ValueRange sums) -> Carried {
      return {
          add(sums[0], isTile ? e.load(source, {k, plane, sample}) : e.load(source, {plane, k}))};
    })[0];
  if (isTile)
    return sum;
  // Rotated sums are added until each lane has them all.
  for (int64_t by = e.lanes / 2; by; by /= 2) {
    SmallVector<int64_t> lanes;
    for (int64_t lane = 0; lane < e.lanes; ++lane)
      lanes.push_back((lane + by) % e.lanes);
    sum = e.addWord(sum, vector::ShuffleOp::create(e.b, e.loc, sum, sum, lanes));
  }
  for (int64_t k = whole; k < lines; ++k)
    sum = add(sum, e.loadBroadcast(source, {plane, e.index(k)}));
  return sum;
}

} // namespace

SmallVector<Start> un0::rate::getStarts(Emitter &e, cpu::RateOp op, Value sample) {
  SmallVector<Start> starts(op.getCouplings().size());
  for (auto [term, start] : llvm::enumerate(starts)) {
    if (op.getPrecision(term) != Precision::Int8)
      continue;
    int64_t lines = op.getLines(term);
    Value source = op.getSources()[term];
    start = {sumWaves(e, source, 0, lines, sample), sumWaves(e, source, 1, lines, sample)};
  }
  return starts;
}

void un0::rate::emitPanels(Emitter &e, cpu::RateOp op) {
  ArrayRef<int64_t> out = Emitter::shape(op.getOut());
  cpu::RowGroups groups =
      cpu::getRowGroups(out[0], e.lanes, e.target.hasBrainFloats(), op.getTermPrecisions());
  SmallVector<Start> starts = getStarts(e, op, e.index(0));
  Value wholeGroups = e.index(groups.whole), first = op.getFirst() ? op.getFirst() : e.index(0);
  Value last = op.getLast() ? Value(arith::MinUIOp::create(e.b, e.loc, op.getLast(), wholeGroups))
                            : wholeGroups;
  Value isOdd, mirror; // where groups are taken from the last one on, and what g and it add up to
  if (op.getTurn()) {
    Value odd = arith::RemUIOp::create(e.b, e.loc, op.getTurn(), e.index(2));
    isOdd = arith::CmpIOp::create(e.b, e.loc, arith::CmpIPredicate::eq, odd, e.index(1));
    mirror = arith::SubIOp::create(e.b, e.loc, e.add(first, last), e.index(1));
  }
  auto group = [&](Value g) {
    if (isOdd)
      g = arith::SelectOp::create(e.b, e.loc, isOdd, arith::SubIOp::create(e.b, e.loc, mirror, g),
                                  g);
    RatePanels(e, op, starts, e.mul(g, groups.together), groups.together).emit();
  };
  auto emitRest = [&] {
    int64_t most = groups.rest > groups.together ? 2 : groups.rest;
    for (int64_t p = 0; p < groups.rest; p += most)
      RatePanels(e, op, starts, e.index(groups.whole * groups.together + p), most).emit();
  };
  e.loop(first, last, 1, group);
  if (!groups.rest)
    return;
  if (!op.getFirst())
    return emitRest();
  // The last group may be smaller and has code of its own; whose range holds it runs that.
  Value below =
      arith::CmpIOp::create(e.b, e.loc, arith::CmpIPredicate::ule, op.getFirst(), wholeGroups);
  Value above =
      arith::CmpIOp::create(e.b, e.loc, arith::CmpIPredicate::ugt, op.getLast(), wholeGroups);
  Value mine = arith::AndIOp::create(e.b, e.loc, below, above);
  auto branch = scf::IfOp::create(e.b, e.loc, mine, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(e.b);
  e.b.setInsertionPointToStart(branch.thenBlock());
  emitRest();
}
