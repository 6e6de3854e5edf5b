//===- EmitRate.cpp - couplings in vector form ------------------*- C++ -*-===//
//
// One sample has oscillators in the lanes, a batch tile has samples. Either way a result's sum runs
// over the sources one by one in a single accumulator, so the bytes agree.
//
//===----------------------------------------------------------------------===//

#include "Emitter.h"

using namespace mlir;
using namespace un0;
using un0::cpu::kLine;
using Carried = Emitter::Carried;

namespace {

/// Lines of a coupling per iteration of the inner loop.
constexpr int64_t kUnroll = 4;

/// Below this many lines a coupling fits the first-level cache and prefetches would only cost issue
/// slots.
constexpr int64_t kPrefetchLines = 256;

/// One sample reads a coupling as few streams; from this many bytes on it comes from beyond the
/// second-level cache, and asking ahead pays.
constexpr int64_t kPrefetchBytes = 1 << 20;
/// Lines asked for ahead: 16 x 64 bytes in each of the streams.
constexpr int64_t kPrefetchAhead = 16;

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

/// Runs `step` for lines `from` + 0..count in order, `kUnroll` at a time; `extra` once per
/// iteration of the unrolled loop.
Sums sumOverLines(Emitter &e, Value from, int64_t count, Sums sums, Step step, Extra extra) {
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
      for (int64_t u = 0; u < kUnroll; ++u)
        step(e.add(line, u), inner);
      return inner.pack();
    }));
  for (int64_t k = whole; k < count; ++k)
    step(at(e.index(k)), sums);
  return sums;
}

/// What a word of a coupling and one of waves are multiplied as. Bytes of waves are unsigned only
/// where an instruction wants them so.
cpu::DotKind getKind(const CpuTarget &target, Precision precision) {
  return precision == Precision::BF16    ? cpu::DotKind::BF16
         : precision == Precision::Int16 ? cpu::DotKind::S16
         : target.hasByteDots()          ? cpu::DotKind::U8S8
                                         : cpu::DotKind::S8S8;
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
int64_t getDrain(cpu::RateOp op, unsigned term) {
  int64_t drain = op.getDrains() ? (*op.getDrains())[term] : 0;
  constexpr int64_t always =
      INT32_MAX / (cpu::kShortCoupling * static_cast<int64_t>(cpu::kShortWave)) / 2;
  return std::max<int64_t>(drain, always) / kUnroll * kUnroll;
}

/// What both forms share: a register tile of one `cpu.rate`.
class RateTile {
public:
  RateTile(Emitter &e, cpu::RateOp op) : e(e), op(op), zero(e.index(0)), one(e.index(1)) {}

protected:
  /// frequency + cosine x (K S) - sine x (K C), then the update of the op's epilogue.
  Value finish(Value frequency, Value sine, Value cosine, Value sumSine, Value sumCosine,
               Value base) {
    Value rate = e.fma(cosine, sumSine, frequency);
    rate = e.fma(e.negf(sine), sumCosine, rate);
    return op.getStep() ? e.fma(e.splat(op.getStep()->convertToFloat()), rate, base) : rate;
  }

  int64_t getWordLines(unsigned term) {
    return cpu::getWordLines(Emitter::shape(op.getCouplings()[term])[1], op.getPrecision(term),
                             op.getGroup(term));
  }

  Emitter &e;
  cpu::RateOp op;
  Value zero, one;
};

/// One sample: `count` panels of 16 rows from `panel`, oscillators in the lanes.
class RatePanels : RateTile {
public:
  RatePanels(Emitter &e, cpu::RateOp op, Value panel, int64_t count)
      : RateTile(e, op), panel(panel), perPanel(kLine / e.lanes), vectors(count * perPanel) {}

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
  /// Asks for the lines `kPrefetchAhead` further on in each stream.
  void fetchAhead(Value coupling, Value k) {
    Value lines = e.index(Emitter::shape(coupling)[1] - kUnroll);
    Value ahead = arith::MinUIOp::create(e.b, e.loc, e.add(k, kPrefetchAhead), lines);
    for (int64_t p = 0; p < vectors / perPanel; ++p)
      for (int64_t u = 0; u < kUnroll; ++u)
        e.prefetch(coupling, {e.add(panel, p), e.add(ahead, u), zero});
  }
  bool isLarge(Value coupling) {
    return cast<MemRefType>(coupling.getType()).getNumElements() * 4 >= kPrefetchBytes;
  }

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
    auto fetch = [&](Value k) { fetchAhead(coupling, k); };
    if (shared && isLarge(coupling))
      return sumOverLines(e, {}, shape[1], sums, step, fetch);
    return sumOverLines(e, {}, shape[shared ? 1 : 0], sums, step, nullptr);
  }

  Sums addWords(unsigned term, Sums sums) {
    Value coupling = op.getCouplings()[term], source = op.getSources()[term];
    Precision precision = op.getPrecision(term);
    int64_t lines = getWordLines(term);
    cpu::DotKind kind = getKind(e.target, precision);
    std::optional<LevelLines> levels;
    if (precision == Precision::Int4)
      levels.emplace(e, coupling, panel, lines, op.getGroup(term));
    auto add = [&](Value k, ArrayRef<Value> weights, Sums &s) {
      Value sine = e.loadBroadcast(source, {zero, k}), cosine = e.loadBroadcast(source, {one, k});
      for (int64_t v = 0; v < vectors; ++v) {
        s.sine[v] = e.dot(kind, s.sine[v], sine, weights[v]);
        s.cosine[v] = e.dot(kind, s.cosine[v], cosine, weights[v]);
      }
    };
    auto step = [&](Value k, Sums &s) {
      SmallVector<Value> weights;
      for (int64_t v = 0; v < vectors; ++v)
        weights.push_back(line(coupling, k, v));
      if (!levels)
        return add(k, weights, s);
      SmallVector<Value> low, high;
      for (auto [v, word] : llvm::enumerate(weights)) {
        auto position = static_cast<int64_t>(v);
        auto [first, second] = levels->unpack(word, e.add(panel, position / perPanel), k,
                                              e.index(position % perPanel * e.lanes));
        low.push_back(first);
        high.push_back(second);
      }
      Value first = e.mul(k, 2);
      add(first, low, s);
      add(e.add(first, 1), high, s);
    };
    auto fetch = [&](Value k) { fetchAhead(coupling, k); };
    Extra extra = nullptr;
    if (isLarge(coupling))
      extra = fetch;

    if (precision == Precision::Int16)
      return drained(term, lines, sums, step, extra);
    Sums own = Sums::of(precision == Precision::BF16 ? e.splat(0) : e.splatWord(0), vectors);
    if (kind == cpu::DotKind::U8S8)
      for (int64_t v = 0; v < vectors; ++v)
        own.sine[v] = own.cosine[v] = line(coupling, e.index(lines + 1), v);
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

/// Rows of a panel that a batch tile takes at a time.
struct RowPass {
  Value first; // row of the panel
  Value index; // of the passes over the panel
  int64_t rows;
  int64_t passes; // over the panel
};

/// Calls `body` for each pass over the rows of a panel: 2 accumulators per row, 2 registers of
/// waves, 1 of the coupling, and with words what a product needs on the way.
void forEachPass(Emitter &e, bool floats, llvm::function_ref<void(RowPass)> body) {
  if (e.target.registers >= 32 || !floats) {
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

/// A batch tile: some rows of `panel`, samples in the lanes.
class RateRows : RateTile {
public:
  RateRows(Emitter &e, cpu::RateOp op, Value panel, RowPass pass)
      : RateTile(e, op), panel(panel), first(pass.first), index(pass.index), rows(pass.rows),
        panels(Emitter::shape(op.getOut())[0] / kLine),
        fetching(llvm::bit_floor(static_cast<uint64_t>(pass.passes))),
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
          finish(e.loadBroadcast(op.getFrequency(), at), e.load(op.getTarget(), {at, zero, zero}),
                 e.load(op.getTarget(), {at, one, zero}), sums.sine[r], sums.cosine[r],
                 e.load(op.getBase(), {at, zero}));
      e.store(next, op.getOut(), {at, zero});
    }
  }

  Value word(Value coupling, Value k, int64_t r) {
    return e.loadBroadcast(coupling, {panel, k, e.add(first, r)});
  }

  /// While the passes over some lines run, those of `next` from `nextFrom` on come in: each pass
  /// (the first two of three) asks for its share of the `lines`, so that the stream from memory is
  /// about as even as the arithmetic; `k` of them are done. The hardware prefetcher gives up on a
  /// stream this slow.
  void fetchLines(Value next, Value nextFrom, int64_t lines, Value k) {
    if (std::optional<int64_t> number = getConstantIntValue(index); number && *number >= fetching)
      return;
    int64_t share = lines / fetching, count = std::max<int64_t>(kUnroll / fetching, 1);
    Value at =
        e.add(e.mul(index, share), Value(arith::DivUIOp::create(e.b, e.loc, k, e.index(fetching))));
    at = e.add(at, nextFrom);
    for (int64_t l = 0; l < count; ++l)
      e.prefetch(op.getCouplings()[0], {next, e.add(at, l), zero});
  }
  /// Whether the passes over `lines` lines can ask for equal shares of the next ones.
  bool isShared(int64_t lines) { return lines % (fetching * kUnroll) == 0 && fetching <= kUnroll; }

  /// Sums of nothing, in the form that lines are added to.
  Sums start(unsigned term) {
    Precision precision = op.getPrecision(term);
    if (precision != Precision::Int8 && precision != Precision::Int4)
      return Sums::of(e.splat(0), rows);
    if (getKind(e.target, precision) == cpu::DotKind::S8S8)
      return Sums::of(e.splatWord(0), rows);
    Sums sums = Sums::of(Value(), rows);
    for (int64_t r = 0; r < rows; ++r)
      sums.sine[r] = sums.cosine[r] =
          word(op.getCouplings()[term], e.index(getWordLines(term) + 1), r);
    return sums;
  }

  /// Adds one line of words, or of rows of floats, to `sums`.
  void addLine(unsigned term, Value k, Sums &sums) {
    Value coupling = op.getCouplings()[term], source = op.getSources()[term];
    Precision precision = op.getPrecision(term);
    ArrayRef<int64_t> shape = Emitter::shape(coupling);
    bool shared = shape[2] == kLine && shape[0] == panels;
    Value sine = e.load(source, {k, zero, zero}), cosine = e.load(source, {k, one, zero});
    for (int64_t r = 0; r < rows; ++r) {
      if (precision == Precision::F32) {
        Value weight = shared ? word(coupling, k, r) : e.load(coupling, {e.add(base, r), k, zero});
        sums.sine[r] = e.fma(weight, sine, sums.sine[r]);
        sums.cosine[r] = e.fma(weight, cosine, sums.cosine[r]);
        continue;
      }
      Value weight = precision == Precision::Int4
                         ? e.loadBroadcast(op.getScratch(), e.add(e.mul(k, kLine), e.add(first, r)))
                         : word(coupling, k, r);
      sums.sine[r] = e.dot(getKind(e.target, precision), sums.sine[r], sine, weight);
      sums.cosine[r] = e.dot(getKind(e.target, precision), sums.cosine[r], cosine, weight);
    }
  }

  /// Adds lines `from` + 0..count, from the first on without `from`. int16: its 32-bit sums are
  /// emptied into f32 ones, `sums`, at the end; `count` must not be more than its drain.
  Sums addLines(unsigned term, Value from, int64_t count, Sums sums, Extra extra) {
    auto step = [&](Value k, Sums &s) { addLine(term, k, s); };
    if (op.getPrecision(term) != Precision::Int16)
      return sumOverLines(e, from, count, sums, step, extra);
    Sums own = sumOverLines(e, from, count, Sums::of(e.splatWord(0), rows), step, extra);
    for (int64_t r = 0; r < rows; ++r) {
      sums.sine[r] = e.addf(sums.sine[r], e.toFloats(own.sine[r]));
      sums.cosine[r] = e.addf(sums.cosine[r], e.toFloats(own.cosine[r]));
    }
    return sums;
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
      Value scale = e.asFloats(word(coupling, e.index(getWordLines(term)), r));
      sums.sine[r] = e.fma(sine, scale, sums.sine[r]);
      sums.cosine[r] = e.fma(cosine, scale, sums.cosine[r]);
    }
    return sums;
  }

  Sums addFloats(unsigned term, Sums sums) {
    ArrayRef<int64_t> shape = Emitter::shape(op.getCouplings()[term]);
    bool shared = shape[2] == kLine && shape[0] == panels;
    return addAll(term, shape[1], sums, shared);
  }

  /// All lines at once; a stream of them asks for the next panel meanwhile.
  Sums addAll(unsigned term, int64_t lines, Sums sums, bool shared) {
    auto fetch = [&](Value k) {
      Value next = arith::MinUIOp::create(e.b, e.loc, e.add(panel, 1), e.index(panels - 1));
      fetchLines(next, zero, lines, k);
    };
    Extra extra = nullptr;
    if (term == 0 && shared && lines >= kPrefetchLines && isShared(lines))
      extra = fetch;
    return addLines(term, {}, lines, sums, extra);
  }

  Sums addWords(unsigned term, Sums sums) {
    int64_t lines = getWordLines(term);
    if (op.getPrecision(term) == Precision::Int16)
      return close(term, drained(term, lines), sums);
    bool unpacked = op.getPrecision(term) == Precision::Int4;
    return close(term, addAll(term, unpacked ? 2 * lines : lines, start(term), !unpacked), sums);
  }

  /// int16: f32 sums in the first-level cache while registers hold the 32-bit ones.
  Sums drained(unsigned term, int64_t lines) {
    int64_t window = std::min(getDrain(op, term), lines);
    store(start(term), zero);
    auto addWindow = [&](Value from, int64_t count) {
      store(addLines(term, from, count, load(term, zero), nullptr), zero);
    };
    int64_t whole = lines / window * window;
    e.loop(0, whole, window, [&](Value k) { addWindow(k, window); });
    if (whole < lines)
      addWindow(e.index(whole), lines - whole);
    return load(term, zero);
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

  Value panel, first, index;
  int64_t rows, panels;
  int64_t fetching; // passes over a panel that ask for the next one
  Value base;
};

/// A batch tile, its first coupling in blocks of sources: waves are read from the first-level
/// cache, and from further away once for `kBlockPanels` panels.
class RateBlocks {
public:
  RateBlocks(Emitter &e, cpu::RateOp op, bool floats, int64_t lines)
      : e(e), op(op), floats(floats), lines(lines), panels(Emitter::shape(op.getOut())[0] / kLine) {
    // int16 is emptied at the end of a block; where, decides its last bits.
    block = op.getPrecision(0) == Precision::Int16 ? std::min(getDrain(op, 0), lines)
                                                   : cpu::kBlockLines;
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
      forEachTile([&](RateRows tile, Value slot, Value) { tile.finishBlocks(slot); });
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

  void forEachTile(llvm::function_ref<void(RateRows tile, Value slot, Value panel)> body) {
    e.loop(first, last, 1, [&](Value panel) {
      Value row = e.mul(arith::SubIOp::create(e.b, e.loc, panel, first), kLine);
      forEachPass(e, floats, [&](RowPass pass) {
        body(RateRows(e, op, panel, pass),
             e.mul(arith::AddIOp::create(e.b, e.loc, row, pass.first), 2), panel);
      });
    });
  }

  Emitter &e;
  cpu::RateOp op;
  bool floats;
  int64_t lines, panels, block;
  Value first, last; // panels at hand
};

/// The bytes of a panel of int4 rows, for all passes over it: two lines of words per line.
void unpackPanel(Emitter &e, cpu::RateOp op, Value panel) {
  for (auto [term, coupling] : llvm::enumerate(op.getCouplings())) {
    if (op.getPrecision(term) != Precision::Int4)
      continue;
    int64_t group = op.getGroup(term);
    int64_t lines = cpu::getWordLines(Emitter::shape(coupling)[1], Precision::Int4, group);
    LevelLines levels(e, coupling, panel, lines, group);
    e.loop(0, lines, 1, [&, coupling = coupling](Value k) {
      for (int64_t part = 0; part < kLine; part += e.lanes) {
        Value word = e.load(coupling, {panel, k, e.index(part)});
        auto [low, high] = levels.unpack(word, panel, k, e.index(part));
        Value at = e.add(e.mul(k, 2 * kLine), part);
        e.store(low, op.getScratch(), at);
        e.store(high, op.getScratch(), e.add(at, kLine));
      }
    });
  }
}

} // namespace

void un0::emitRate(Emitter &e, cpu::RateOp op) {
  ArrayRef<int64_t> out = Emitter::shape(op.getOut());
  int64_t panels = out[0] / kLine;
  if (out.size() == 1) {
    int64_t together = cpu::getPanelsTogether(e.lanes);
    int64_t whole = panels / together, rest = panels % together;
    auto group = [&](Value g) { RatePanels(e, op, e.mul(g, together), together).emit(); };
    if (!op.getFirst()) {
      e.loop(0, whole, 1, group);
      if (rest)
        RatePanels(e, op, e.index(whole * together), rest).emit();
      return;
    }
    // The last group may be smaller and has code of its own; whose range holds it runs that.
    Value wholeGroups = e.index(whole);
    e.loop(op.getFirst(), arith::MinUIOp::create(e.b, e.loc, op.getLast(), wholeGroups), 1, group);
    if (!rest)
      return;
    Value below =
        arith::CmpIOp::create(e.b, e.loc, arith::CmpIPredicate::ule, op.getFirst(), wholeGroups);
    Value above =
        arith::CmpIOp::create(e.b, e.loc, arith::CmpIPredicate::ugt, op.getLast(), wholeGroups);
    Value mine = arith::AndIOp::create(e.b, e.loc, below, above);
    auto branch = scf::IfOp::create(e.b, e.loc, mine, /*withElseRegion=*/false);
    OpBuilder::InsertionGuard guard(e.b);
    e.b.setInsertionPointToStart(branch.thenBlock());
    RatePanels(e, op, e.index(whole * together), rest).emit();
    return;
  }
  // Other precisions take registers for products as well, and so does a multiply-add that is two
  // instructions.
  bool floats = e.target.fma &&
                llvm::all_of(llvm::seq<unsigned>(op.getCouplings().size()), [&](unsigned term) {
                  return op.getPrecision(term) == Precision::F32;
                });
  if (!op.getCouplings().empty()) {
    ArrayRef<int64_t> first = Emitter::shape(op.getCouplings()[0]);
    Precision precision = op.getPrecision(0);
    int64_t lines = precision == Precision::F32
                        ? first[1]
                        : cpu::getWordLines(first[1], precision, op.getGroup(0));
    bool shared = first[2] == kLine && first[0] == panels;
    if (shared && cpu::isBlocked(lines, precision) && op.getScratch() &&
        Emitter::shape(op.getScratch())[0] >= cpu::getBlockWords(e.lanes))
      return RateBlocks(e, op, floats, lines).emit();
  }
  e.loop(0, panels, 1, [&](Value panel) {
    unpackPanel(e, op, panel);
    forEachPass(e, floats, [&](RowPass pass) { RateRows(e, op, panel, pass).emit(); });
  });
}
