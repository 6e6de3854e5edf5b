//===- EmitRate.cpp - couplings in vector form ------------------*- C++ -*-===//
//
// One sample has oscillators in the lanes, a batch tile has samples. Either way a result's sum runs
// over the sources one by one in a single accumulator, so the bytes agree. This file has the batch
// tile, EmitRatePanels.cpp one sample, EmitRateMatrix.cpp what a matrix unit does of a tile.
//
//===----------------------------------------------------------------------===//

#include "RateTile.h"

using namespace mlir;
using namespace un0;
using namespace un0::rate;
using un0::cpu::kLine;

namespace {

/// Of what each sample has of its own for the rows at hand, as much as the first-level cache takes
/// in beside waves and a panel.
constexpr int64_t kFirstLevelBytes = 8 << 10;

/// Rows of a panel that a batch tile takes at a time.
struct RowPass {
  Value first; // row of the panel
  Value index; // of the passes over the panel
  int64_t rows;
  int64_t passes; // over the panel
};

/// Calls `body` for each pass over the rows of a panel: 2 accumulators per row, 2 registers of
/// waves, 1 of the coupling, and 1 for what a product needs on the way, if that is enough (`lean`).
void forEachPass(Emitter &e, bool lean, llvm::function_ref<void(RowPass)> body) {
  if (e.target.registers >= 32 || !lean) {
    int64_t rows = e.target.registers >= 32 ? 8 : 4;
    return e.loop(0, kLine / rows, 1,
                  [&](Value index) { body({e.mul(index, rows), index, rows, kLine / rows}); });
  }
  // 8 accumulators just cover the latency of two multiply-adds per cycle, if nothing ever comes
  // between; 12 and 10 leave room.
  constexpr int64_t passes[] = {6, 5, 5};
  int64_t first = 0;
  for (auto [index, rows] : llvm::enumerate(passes)) {
    body({e.index(first), e.index(static_cast<int64_t>(index)), rows, std::size(passes)});
    first += rows;
  }
}

/// Registers of samples in a batch tile.
int64_t getParts(Emitter &e, cpu::RateOp op) { return Emitter::shape(op.getOut())[1] / e.lanes; }

/// Whether all samples share a coupling of `panels` panels: it is packed in lines of 16 rows. One
/// that each sample has of its own has a row for each oscillator.
bool isSharedCoupling(Value coupling, int64_t panels) {
  ArrayRef<int64_t> shape = Emitter::shape(coupling);
  return shape[2] == kLine && shape[0] == panels;
}

/// A batch tile: some rows of `panel`, register `part` of its samples in the lanes.
class RateRows : RateTile {
public:
  RateRows(Emitter &e, cpu::RateOp op, ArrayRef<Start> starts, const cpu::TileScratch &scratch,
           Value panel, int64_t part, RowPass pass)
      : RateTile(e, op, starts), scratch(scratch), matrix(e, op, scratch), panel(panel),
        first(pass.first), index(pass.index), sample(e.index(part * e.lanes)), part(part),
        rows(pass.rows), passes(pass.passes), panels(Emitter::shape(op.getOut())[0] / kLine),
        fetching(static_cast<int64_t>(llvm::bit_floor(
            static_cast<uint64_t>(std::min(getParts(e, op) * pass.passes, kUnroll))))),
        base(arith::AddIOp::create(e.b, e.loc, e.mul(panel, kLine), first)) {}

  /// Everything at once.
  void emit() { emitTerms(Sums::of(e.splat(0), rows), 0); }

  // The first coupling in blocks: what is summed up so far lies in the scratch memory, from
  // register `slot` on.
  void begin(Value slot) { store(start(0), slot); }
  /// Adds lines `from` + 0..count. `next` is the panel, and `nextFrom` its line, that the block
  /// after this one begins with.
  void addBlock(Value slot, Value from, int64_t count, Value next, Value nextFrom) {
    auto fetch = [&](Value k) {
      fetchLines(next, nextFrom, count, arith::SubIOp::create(e.b, e.loc, k, from));
    };
    Extra extra = nullptr;
    if (isShared(count))
      extra = fetch;
    store(addLines(0, from, count, load(0, slot), extra), slot);
  }
  void finishBlocks(Value slot) {
    emitTerms(close(0, load(0, slot), Sums::of(e.splat(0), rows)), 1);
  }

private:
  void emitTerms(Sums sums, unsigned firstTerm) {
    for (unsigned term = firstTerm; term < op.getCouplings().size(); ++term)
      sums = op.getPrecision(term) == Precision::F32 ? addFloats(term, sums) : addWords(term, sums);
    for (int64_t r = 0; r < rows; ++r) {
      Value at = e.add(base, r);
      Value next =
          finish(e.loadBroadcast(op.getFrequency(), at), e.load(op.getTarget(), {at, zero, sample}),
                 e.load(op.getTarget(), {at, one, sample}), sums.sine[r], sums.cosine[r],
                 e.load(op.getBase(), {at, sample}));
      e.store(next, op.getOut(), {at, sample});
    }
  }

  Value word(Value coupling, Value k, int64_t r) {
    return e.loadBroadcast(coupling, {panel, k, e.add(first, r)});
  }

  /// A word of line `k` of an int4 coupling's unpacked panel.
  Value byteWord(unsigned term, Value k, int64_t r) {
    Value at = e.add(e.mul(k, kLine), e.add(first, r));
    return e.loadBroadcast(op.getScratch(), e.add(at, scratch.levels[term]));
  }

  /// While the passes over some lines run, those of `next` from `nextFrom` on come in: the first
  /// `fetching` passes ask for equal shares of the `lines`, so that the stream from memory is about
  /// as even as the arithmetic; `k` of them are done. The hardware prefetcher gives up on a stream
  /// this slow.
  void fetchLines(Value next, Value nextFrom, int64_t lines, Value k) {
    // Where the number of the pass is not known, it is one of a power of two.
    int64_t earlier = part * passes;
    if (earlier + getConstantIntValue(index).value_or(0) >= fetching)
      return;
    int64_t share = lines / fetching, count = kUnroll / fetching;
    Value at = e.add(e.mul(e.add(index, earlier), share),
                     Value(arith::DivUIOp::create(e.b, e.loc, k, e.index(fetching))));
    at = e.add(at, nextFrom);
    for (int64_t l = 0; l < count; ++l)
      e.prefetch(op.getCouplings()[0], {next, e.add(at, l), zero});
  }
  /// Whether the passes over `lines` lines can ask for equal shares of the next ones.
  bool isShared(int64_t lines) { return lines % (fetching * kUnroll) == 0; }

  /// Sums of nothing, in the form that lines are added to.
  Sums start(unsigned term) {
    Precision precision = op.getPrecision(term);
    if (precision != Precision::Int8 && precision != Precision::Int4)
      return Sums::of(e.splat(0), rows);
    return startBytes(
        term, rows, [&](Value line, int64_t r) { return word(op.getCouplings()[term], line, r); });
  }

  /// Adds one line of words, or of rows of floats, to `sums`.
  void addLine(unsigned term, Value k, Sums &sums) {
    Value coupling = op.getCouplings()[term], source = op.getSources()[term];
    Precision precision = op.getPrecision(term);
    bool shared = isSharedCoupling(coupling, panels);
    if (hasRoundedWaves(op, term))
      return addBrains(coupling, source, k, sums);
    Value sine = e.load(source, {k, zero, sample}), cosine = e.load(source, {k, one, sample});
    for (int64_t r = 0; r < rows; ++r) {
      if (precision == Precision::F32) {
        Value weight =
            shared ? word(coupling, k, r) : e.load(coupling, {e.add(base, r), k, sample});
        sums.sine[r] = e.fma(weight, sine, sums.sine[r]);
        sums.cosine[r] = e.fma(weight, cosine, sums.cosine[r]);
        continue;
      }
      Value weight = precision == Precision::Int4 ? byteWord(term, k, r) : word(coupling, k, r);
      sums.sine[r] = addProducts(e, precision, sums.sine[r], sine, weight);
      sums.cosine[r] = addProducts(e, precision, sums.cosine[r], cosine, weight);
    }
  }

  /// A line of words of bf16 with waves of f32.
  void addBrains(Value coupling, Value source, Value k, Sums &sums) {
    for (int64_t half = 0; half < 2; ++half) {
      Value at = sourceOf(k, half);
      Value sine = e.load(source, {at, zero, sample}), cosine = e.load(source, {at, one, sample});
      for (int64_t r = 0; r < rows; ++r) {
        Value weight = e.loadBrains(coupling, {panel, k, e.add(first, r)}, half, /*same=*/true);
        sums.sine[r] = e.fma(weight, sine, sums.sine[r]);
        sums.cosine[r] = e.fma(weight, cosine, sums.cosine[r]);
      }
    }
  }

  /// Two lines of bytes, 2k and 2k + 1.
  void addQuads(unsigned term, Value k, Sums &sums) {
    Value source = op.getSources()[term], lines[] = {sourceOf(k, 0), sourceOf(k, 1)};
    auto wave = [&](int64_t i, Value half) { return e.load(source, {lines[i], half, sample}); };
    std::pair<Value, Value> sine = {wave(0, zero), wave(1, zero)},
                            cosine = {wave(0, one), wave(1, one)};
    auto weight = [&](Value line, int64_t r) {
      return op.getPrecision(term) == Precision::Int4 ? byteWord(term, line, r)
                                                      : word(op.getCouplings()[term], line, r);
    };
    for (int64_t r = 0; r < rows; ++r) {
      std::pair<Value, Value> weights = {weight(lines[0], r), weight(lines[1], r)};
      sums.sine[r] = e.dotQuads(sums.sine[r], sine, weights);
      sums.cosine[r] = e.dotQuads(sums.cosine[r], cosine, weights);
    }
  }

  /// Adds lines `from` + 0..count, from the first on without `from`. int16: its 32-bit sums are
  /// emptied into f32 ones, `sums`, at the end; `count` must not be more than its drain.
  Sums addLines(unsigned term, Value from, int64_t count, Sums sums, Extra extra) {
    bool quads = hasQuads(e, op, term);
    bool flagged = quads && op.getPrecision(term) == Precision::Int8;
    auto step = [&](Value k, Sums &s) {
      if (quads && !flagged)
        addQuads(term, k, s);
      else
        addLine(term, k, s);
    };
    auto iteration = [&](Value k, Sums &s) { addFlaggedLines(term, k, s); };
    if (op.getPrecision(term) != Precision::Int16)
      return sumOverLines(e, from, count, sums, step, extra, /*apart=*/false,
                          flagged ? Step(iteration) : nullptr);
    // Words that are loaded early would take the registers of sums.
    Sums own = sumOverLines(e, from, count, Sums::of(e.splatWord(0), rows), step, extra,
                            /*apart=*/e.target.registers < 32);
    for (int64_t r = 0; r < rows; ++r) {
      sums.sine[r] = e.addf(sums.sine[r], e.toFloats(own.sine[r]));
      sums.cosine[r] = e.addf(sums.cosine[r], e.toFloats(own.cosine[r]));
    }
    return sums;
  }

  /// Adds an iteration's lines of int8, from a multiple of four on: as quads where these rows'
  /// flags allow it.
  void addFlaggedLines(unsigned term, Value line, Sums &sums) {
    static_assert(kUnroll == cpu::kFlaggedLines);
    assert(rows % cpu::kFlaggedRows == 0 && "a pass has flags of its own");
    Carried before = sums.pack();
    auto branch = scf::IfOp::create(e.b, e.loc, ValueRange(before).getTypes(),
                                    isFlagged(term, line), /*withElseRegion=*/true);
    auto emit = [&](Block *block, llvm::function_ref<void(Sums &)> add) {
      OpBuilder::InsertionGuard guard(e.b);
      e.b.setInsertionPointToStart(block);
      Sums inner = sums;
      add(inner);
      scf::YieldOp::create(e.b, e.loc, inner.pack());
    };
    emit(branch.thenBlock(), [&](Sums &inner) {
      for (int64_t u = 0; u < kUnroll; ++u)
        addLine(term, e.add(line, u), inner);
    });
    emit(branch.elseBlock(), [&](Sums &inner) {
      Value pair = arith::DivUIOp::create(e.b, e.loc, line, e.index(2));
      for (int64_t u = 0; u < kUnroll / 2; ++u)
        addQuads(term, e.add(pair, u), inner);
    });
    sums = Sums::unpack(branch.getResults());
  }

  /// Whether some quad of these rows and the four lines from `line` on is too large.
  Value isFlagged(unsigned term, Value line) {
    auto divide = [&](Value x, int64_t y) -> Value {
      return arith::DivUIOp::create(e.b, e.loc, x, e.index(y));
    };
    auto remainder = [&](Value x, int64_t y) -> Value {
      return arith::RemUIOp::create(e.b, e.loc, x, e.index(y));
    };
    // As cpu::QuadFlag.
    Value at = e.add(divide(line, cpu::kLinesPerFlags),
                     op.getLines(term) + cpu::getHeaderLines(Precision::Int8));
    Value element = divide(remainder(line, cpu::kLinesPerFlags), cpu::kLinesPerWord);
    Value bit = remainder(divide(line, cpu::kFlaggedLines), 32);
    Value mask = arith::ShLIOp::create(
        e.b, e.loc, constant(1), arith::IndexCastOp::create(e.b, e.loc, e.b.getI32Type(), bit));
    Value flags = constant(0);
    for (int64_t r = 0; r < rows; r += cpu::kFlaggedRows) {
      Value own = arith::AddIOp::create(e.b, e.loc,
                                        e.mul(divide(e.add(first, r), cpu::kFlaggedRows),
                                              cpu::kLinesPerFlags / cpu::kLinesPerWord),
                                        element);
      flags = arith::OrIOp::create(e.b, e.loc, flags,
                                   e.loadScalar(op.getCouplings()[term], {panel, at, own}));
    }
    flags = arith::AndIOp::create(e.b, e.loc, flags, mask);
    return arith::CmpIOp::create(e.b, e.loc, arith::CmpIPredicate::ne, flags, constant(0));
  }
  Value constant(int32_t value) {
    return arith::ConstantOp::create(e.b, e.loc, e.b.getI32IntegerAttr(value));
  }

  /// The sums of one coupling, scaled and added to those of the couplings before it.
  Sums close(unsigned term, Sums own, Sums sums) {
    Value coupling = op.getCouplings()[term];
    Precision precision = op.getPrecision(term);
    if (precision == Precision::F32)
      return own; // began with the sums before it
    for (int64_t r = 0; r < rows; ++r) {
      if (precision == Precision::BF16) {
        sums.sine[r] = e.addf(sums.sine[r], own.sine[r]);
        sums.cosine[r] = e.addf(sums.cosine[r], own.cosine[r]);
        continue;
      }
      bool floats = precision == Precision::Int16;
      Value sine = floats ? own.sine[r] : e.toFloats(own.sine[r]);
      Value cosine = floats ? own.cosine[r] : e.toFloats(own.cosine[r]);
      Value scale = e.asFloats(word(coupling, e.index(op.getLines(term)), r));
      sums.sine[r] = e.fma(sine, scale, sums.sine[r]);
      sums.cosine[r] = e.fma(cosine, scale, sums.cosine[r]);
    }
    return sums;
  }

  Sums addFloats(unsigned term, Sums sums) {
    Value coupling = op.getCouplings()[term];
    return addAll(term, Emitter::shape(coupling)[1], sums, isSharedCoupling(coupling, panels));
  }

  /// While line `k` of the first coupling's `lines` is added, asks for the next panel, and for
  /// these rows of the couplings that each sample has of its own.
  void fetchAhead(int64_t lines, Value k) {
    Value next = arith::MinUIOp::create(e.b, e.loc, e.add(panel, 1), e.index(panels - 1));
    fetchLines(next, zero, lines, k);
    for (Value coupling : op.getCouplings().drop_front())
      if (part == 0 && !isSharedCoupling(coupling, panels) &&
          cast<MemRefType>(coupling.getType()).getLayout().isIdentity())
        fetchRows(coupling, lines, k);
  }
  /// They come next, and are bursts too short for the hardware to see them coming.
  void fetchRows(Value coupling, int64_t lines, Value k) {
    ArrayRef<int64_t> shape = Emitter::shape(coupling);
    int64_t perRow = shape[1] * shape[2], all = llvm::divideCeil(rows * perRow, kLine);
    int64_t count = llvm::divideCeil(all * kUnroll, lines);
    assert(count <= all && "few lines are not fetched ahead of");
    auto level = all * kLine * 4 <= kFirstLevelBytes ? Emitter::kFirstLevel : Emitter::kSecondLevel;
    Value at = arith::DivUIOp::create(e.b, e.loc, e.mul(k, all), e.index(lines));
    at = arith::MinUIOp::create(e.b, e.loc, at, e.index(all - count));
    at = arith::AddIOp::create(e.b, e.loc, e.mul(base, perRow), e.mul(at, kLine));
    Value flat = e.flatten(coupling);
    for (int64_t l = 0; l < count; ++l)
      e.prefetch(flat, e.add(at, l * kLine), level);
  }
  bool fetchesPanel(unsigned term, int64_t lines) {
    return term == 0 && lines >= kPrefetchLines && isShared(lines);
  }

  /// All lines at once; a stream of them asks for the next panel meanwhile.
  Sums addAll(unsigned term, int64_t lines, Sums sums, bool shared) {
    auto fetch = [&](Value k) { fetchAhead(lines, k); };
    Extra extra = nullptr;
    if (shared && fetchesPanel(term, lines))
      extra = fetch;
    return addLines(term, {}, lines, sums, extra);
  }

  Sums addWords(unsigned term, Sums sums) {
    int64_t lines = op.getLines(term);
    if (op.getPrecision(term) == Precision::Int16)
      return close(term, drained(term, lines), sums);
    if (matrix.covers(term))
      return close(term, addToProducts(term, lines), sums);
    bool unpacked = op.getPrecision(term) == Precision::Int4;
    int64_t count = unpacked && !hasQuads(e, op, term) ? 2 * lines : lines;
    return close(term, addAll(term, count, start(term), !unpacked), sums);
  }

  /// What a matrix unit left of a coupling, and the lines behind.
  Sums addToProducts(unsigned term, int64_t lines) {
    Sums sums = start(term);
    Value which = arith::RemUIOp::create(e.b, e.loc, panel, e.index(2));
    auto add = [&](Value sum, int64_t r, int64_t half) {
      Value at = matrix.getSums(term, part, which, e.add(first, r), half);
      return e.addWord(sum, e.load(op.getScratch(), at));
    };
    for (int64_t r = 0; r < rows; ++r) {
      sums.sine[r] = add(sums.sine[r], r, 0);
      sums.cosine[r] = add(sums.cosine[r], r, 1);
    }
    int64_t whole = lines / kLine * kLine;
    return addLines(term, e.index(whole), lines - whole, sums, nullptr);
  }

  /// int16: f32 sums in the first-level cache while registers hold the 32-bit ones.
  Sums drained(unsigned term, int64_t lines) {
    int64_t window = std::min(getDrain(op, term), lines);
    Value slot = e.index(scratch.drained / e.lanes);
    store(start(term), slot);
    auto fetch = [&](Value k) { fetchAhead(lines, k); };
    Extra extra = nullptr;
    if (fetchesPanel(term, lines))
      extra = fetch;
    auto addWindow = [&](Value from, int64_t count) {
      store(addLines(term, from, count, load(term, slot), extra), slot);
    };
    int64_t whole = lines / window * window;
    e.loop(0, whole, window, [&](Value k) { addWindow(k, window); });
    if (whole < lines)
      addWindow(e.index(whole), lines - whole);
    return load(term, slot);
  }

  Value slotOf(Value slot, int64_t r, int64_t half) {
    return e.mul(e.add(slot, 2 * r + half), e.lanes);
  }
  void store(const Sums &sums, Value slot) {
    for (int64_t r = 0; r < rows; ++r) {
      e.store(e.asWords(sums.sine[r]), op.getScratch(), slotOf(slot, r, 0));
      e.store(e.asWords(sums.cosine[r]), op.getScratch(), slotOf(slot, r, 1));
    }
  }
  Sums load(unsigned term, Value slot) {
    bool words = op.getPrecision(term) == Precision::Int8;
    auto get = [&](int64_t r, int64_t half) {
      Value bits = e.load(op.getScratch(), slotOf(slot, r, half));
      return words ? bits : e.asFloats(bits);
    };
    Sums sums = Sums::of(Value(), rows);
    for (int64_t r = 0; r < rows; ++r) {
      sums.sine[r] = get(r, 0);
      sums.cosine[r] = get(r, 1);
    }
    return sums;
  }

  const cpu::TileScratch &scratch;
  MatrixProducts matrix;
  Value panel, first, index, sample;
  int64_t part, rows, passes, panels;
  int64_t fetching; // passes over a panel, of all parts, that ask for the next one
  Value base;
};

/// The bytes of a panel of int4 rows, for all passes over it: two lines of words per line.
void unpackPanel(Emitter &e, cpu::RateOp op, const cpu::TileScratch &scratch, Value panel) {
  for (auto [term, coupling] : llvm::enumerate(op.getCouplings())) {
    if (op.getPrecision(term) != Precision::Int4)
      continue;
    int64_t group = op.getGroup(term), lines = op.getLines(term);
    LevelLines levels(e, coupling, panel, lines, group);
    int64_t start = scratch.levels[term];
    e.loop(0, lines, 1, [&, coupling = coupling](Value k) {
      for (int64_t part = 0; part < kLine; part += e.lanes) {
        Value word = e.load(coupling, {panel, k, e.index(part)});
        auto [low, high] = levels.unpack(word, panel, k, e.index(part));
        Value at = e.add(e.mul(k, 2 * kLine), start + part);
        e.store(low, op.getScratch(), at);
        e.store(high, op.getScratch(), e.add(at, kLine));
      }
    });
  }
}

/// A batch tile, its first coupling in blocks of sources: waves are read from the first-level
/// cache, and from further away once for `kBlockPanels` panels.
class RateBlocks {
public:
  RateBlocks(Emitter &e, cpu::RateOp op, ArrayRef<SmallVector<Start>> starts,
             const cpu::TileScratch &scratch, bool lean, int64_t lines)
      : e(e), op(op), starts(starts), scratch(scratch), lean(lean), lines(lines),
        panels(Emitter::shape(op.getOut())[0] / kLine) {
    // int16 is emptied at the end of a block; where, decides its last bits. A line of bf16 meets
    // two lines of f32 waves.
    block = op.getPrecision(0) == Precision::Int16
                ? std::min(getDrain(op, 0), lines)
                : cpu::getBlockLines(e.lanes) / (hasRoundedWaves(op, 0) ? 2 : 1);
  }

  void emit() {
    e.loop(0, panels, cpu::kBlockPanels, [&](Value from) {
      first = from;
      last = arith::MinUIOp::create(e.b, e.loc, e.add(from, cpu::kBlockPanels), e.index(panels));
      forEachTile([&](RateRows tile, Value slot, Value) { tile.begin(slot); });
      int64_t whole = lines / block * block;
      e.loop(0, whole, block, [&](Value k) { addBlock(k, block); });
      if (whole < lines)
        addBlock(e.index(whole), lines - whole);
      forEachTile([&](RateRows tile, Value slot, Value) { tile.finishBlocks(slot); },
                  /*unpack=*/true);
    });
  }

private:
  void addBlock(Value from, int64_t count) {
    Value one = e.index(1);
    // Behind the last panel comes the first one with the next block, or the next panels.
    Value behind = e.add(from, count);
    Value done =
        arith::CmpIOp::create(e.b, e.loc, arith::CmpIPredicate::uge, behind, e.index(lines));
    Value wrapped = arith::SelectOp::create(
        e.b, e.loc, done, arith::MinUIOp::create(e.b, e.loc, last, e.index(panels - 1)), first);
    Value wrappedFrom = arith::SelectOp::create(e.b, e.loc, done, e.index(0), behind);
    forEachTile([&](RateRows tile, Value slot, Value panel) {
      Value next = arith::AddIOp::create(e.b, e.loc, panel, one);
      Value isLast = arith::CmpIOp::create(e.b, e.loc, arith::CmpIPredicate::eq, next, last);
      tile.addBlock(slot, from, count, arith::SelectOp::create(e.b, e.loc, isLast, wrapped, next),
                    arith::SelectOp::create(e.b, e.loc, isLast, wrappedFrom, from));
    });
  }

  /// With `unpack`, couplings of int4 are unpacked before the tiles of each panel.
  void forEachTile(llvm::function_ref<void(RateRows tile, Value slot, Value panel)> body,
                   bool unpack = false) {
    e.loop(first, last, 1, [&](Value panel) {
      if (unpack)
        unpackPanel(e, op, scratch, panel);
      Value row = e.mul(arith::SubIOp::create(e.b, e.loc, panel, first), kLine);
      for (int64_t part = 0; part < getParts(e, op); ++part)
        forEachPass(e, lean, [&](RowPass pass) {
          Value slot = e.mul(arith::AddIOp::create(e.b, e.loc, row, pass.first), 2);
          body(RateRows(e, op, starts[part], scratch, panel, part, pass),
               e.add(slot, part * cpu::kBlockPanels * kLine * 2), panel);
        });
    });
  }

  Emitter &e;
  cpu::RateOp op;
  ArrayRef<SmallVector<Start>> starts;
  const cpu::TileScratch &scratch;
  bool lean;
  int64_t lines, panels, block;
  Value first, last; // panels at hand
};

} // namespace

void un0::emitRate(Emitter &e, cpu::RateOp op) {
  ArrayRef<int64_t> out = Emitter::shape(op.getOut());
  int64_t panels = out[0] / kLine;
  if (out.size() == 1)
    return emitPanels(e, op);
  // Bytes take registers for products as well, and so do packed bf16 and a multiply-add that is two
  // instructions.
  bool lean =
      e.target.fma &&
      llvm::all_of(llvm::seq<unsigned>(op.getCouplings().size()), [&](unsigned term) {
        return llvm::is_contained({Precision::F32, Precision::Int16}, op.getPrecision(term)) ||
               hasRoundedWaves(op, term);
      });
  SmallVector<SmallVector<Start>> starts; // of each part
  for (int64_t part = 0; part < getParts(e, op); ++part)
    starts.push_back(getStarts(e, op, e.index(part * e.lanes)));
  SmallVector<int64_t> lines = op.getTermLines();
  int64_t words = op.getScratch() ? Emitter::shape(op.getScratch())[0] : 0;
  auto scratchOf = [&](bool blocked, bool matrix) {
    return cpu::getTileScratch(op.getTermPrecisions(), lines, blocked, matrix, out[1]);
  };
  auto emitPanel = [&](const cpu::TileScratch &scratch, Value panel) {
    unpackPanel(e, op, scratch, panel);
    for (int64_t part = 0; part < getParts(e, op); ++part)
      forEachPass(e, lean, [&](RowPass pass) {
        RateRows(e, op, starts[part], scratch, panel, part, pass).emit();
      });
  };
  SmallVector<Precision> precisions = op.getTermPrecisions();
  bool blocked = false;
  if (!precisions.empty()) {
    blocked = isSharedCoupling(op.getCouplings()[0], panels) &&
              cpu::isBlocked(lines[0], precisions[0], getParts(e, op) > 1);
  }
  if (e.target.hasByteTiles() && cpu::takesMatrix(precisions, lines, blocked)) {
    cpu::TileScratch scratch = scratchOf(/*blocked=*/false, /*matrix=*/true);
    if (words >= scratch.words) {
      MatrixProducts matrix(e, op, scratch);
      matrix.begin();
      e.loop(0, panels, 2, [&](Value first) {
        matrix.multiply(first);
        Value behind = arith::MinUIOp::create(e.b, e.loc, e.add(first, 2), e.index(panels));
        e.loop(first, behind, 1, [&](Value panel) { emitPanel(scratch, panel); });
      });
      return matrix.end();
    }
  }
  if (blocked) {
    cpu::TileScratch scratch = scratchOf(/*blocked=*/true, /*matrix=*/false);
    if (words >= scratch.words)
      return RateBlocks(e, op, starts, scratch, lean, lines[0]).emit();
  }
  cpu::TileScratch scratch = scratchOf(/*blocked=*/false, /*matrix=*/false);
  e.loop(0, panels, 1, [&](Value panel) { emitPanel(scratch, panel); });
}
