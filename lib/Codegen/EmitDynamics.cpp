//===- EmitDynamics.cpp - oscillators in vector form ------------*- C++ -*-===//
//
// Two forms of everything, by the rank of the phases: one sample keeps oscillators in the lanes, a
// batch tile keeps samples there. In both, a result's sum runs over the sources one by one in a
// single accumulator, so the bytes agree.
//
//===----------------------------------------------------------------------===//

#include "Emitter.h"

using namespace mlir;
using namespace un0;
using un0::cpu::kLine;
using Carried = Emitter::Carried;

/// Sources per iteration of the inner loop of a coupling.
static constexpr int64_t kUnroll = 4;

/// Below this many sources a coupling fits the first-level cache and prefetches would only cost
/// issue slots.
static constexpr int64_t kPrefetchSources = 256;

/// Calls `body` with the indices of every vector of a phase buffer.
static void forEachVector(Emitter &e, Value phases, llvm::function_ref<void(ValueRange)> body) {
  ArrayRef<int64_t> shape = Emitter::shape(phases);
  if (shape.size() == 1)
    return e.loop(0, shape[0], e.lanes, [&](Value i) { body(i); });
  Value zero = e.index(0);
  e.loop(0, shape[0], 1, [&](Value i) { body({i, zero}); });
}

void un0::emitLoadPhases(Emitter &e, cpu::LoadPhasesOp op) {
  Value source = op.getSource(), dest = op.getDest(), zero = e.index(0);
  ArrayRef<int64_t> rows = Emitter::shape(source), lanes = Emitter::shape(dest);
  int64_t n = rows[1];
  if (lanes.size() == 1) {
    e.copyRow(source, zero, zero, dest, {}, zero, n);
    e.loop(n, lanes[0], 1, [&](Value i) { e.storeScalar(e.scalar(0), dest, i); });
    return;
  }
  e.loop(0, n, 1, [&](Value i) {
    e.loop(0, rows[0], 1,
           [&](Value s) { e.storeScalar(e.loadScalar(source, {s, i}), dest, {i, s}); });
  });
  e.loop(n, lanes[0], 1, [&](Value i) { e.store(e.splat(0), dest, {i, zero}); });
}

void un0::emitStorePhases(Emitter &e, cpu::StorePhasesOp op) {
  Value source = op.getSource(), dest = op.getDest(), zero = e.index(0);
  ArrayRef<int64_t> rows = Emitter::shape(dest);
  if (Emitter::shape(source).size() == 1)
    return e.copyRow(source, {}, zero, dest, zero, zero, rows[1]);
  e.loop(0, rows[1], 1, [&](Value i) {
    e.loop(0, rows[0], 1,
           [&](Value s) { e.storeScalar(e.loadScalar(source, {i, s}), dest, {s, i}); });
  });
}

void un0::emitWaves(Emitter &e, cpu::WavesOp op) {
  Value waves = op.getWaves(), zero = e.index(0), one = e.index(1);
  forEachVector(e, op.getPhases(), [&](ValueRange at) {
    auto sincos = e.sincos(e.load(op.getPhases(), at));
    SmallVector<Value> sine = {zero, at[0]}, cosine = {one, at[0]};
    if (at.size() == 2) {
      sine = {at[0], zero, zero};
      cosine = {at[0], one, zero};
    }
    e.store(sincos.getSine(), waves, sine);
    e.store(sincos.getCosine(), waves, cosine);
  });
}

void un0::emitGatherClass(Emitter &e, cpu::GatherClassOp op) {
  Value table = op.getTable(), dest = op.getDest(), zero = e.index(0);
  ArrayRef<int64_t> shape = Emitter::shape(table);
  int64_t classes = shape[0] - 1;
  auto slice = [&](Value sample) -> Value {
    Value label = memref::LoadOp::create(e.b, e.loc, op.getLabels(), sample);
    Value limit = arith::ConstantOp::create(e.b, e.loc, e.b.getI64IntegerAttr(classes));
    // Unsigned, so that a negative label is out of range too.
    Value inside = arith::CmpIOp::create(e.b, e.loc, arith::CmpIPredicate::ult, label, limit);
    Value chosen = arith::SelectOp::create(e.b, e.loc, inside, label, limit);
    return arith::IndexCastOp::create(e.b, e.loc, e.b.getIndexType(), chosen);
  };
  if (Emitter::shape(dest).size() == 2) {
    Value chosen = slice(zero);
    e.loop(0, shape[1], 1,
           [&](Value m) { e.copyRow(table, {chosen, m}, zero, dest, m, zero, shape[2]); });
    return;
  }
  e.loop(0, Emitter::shape(dest)[2], 1, [&](Value sample) {
    Value chosen = slice(sample);
    e.loop(0, shape[1], 1, [&](Value m) {
      e.loop(0, shape[2], 1, [&](Value i) {
        e.storeScalar(e.loadScalar(table, {chosen, m, i}), dest, {i, m, sample});
      });
    });
  });
}

void un0::emitDrift(Emitter &e, cpu::DriftOp op) {
  Value t = e.broadcast(op.getT());
  forEachVector(e, op.getOut(), [&](ValueRange at) {
    Value frequency =
        at.size() == 1 ? e.load(op.getFrequency(), at) : e.loadBroadcast(op.getFrequency(), at[0]);
    e.store(e.fma(frequency, t, e.load(op.getInitial(), at)), op.getOut(), at);
  });
}

void un0::emitCombine(Emitter &e, cpu::CombineOp op) {
  forEachVector(e, op.getOut(), [&](ValueRange at) {
    Value sum = e.load(op.getBase(), at);
    for (auto [coefficient, rate] : llvm::zip(op.getCoefficients(), op.getRates()))
      sum = e.fma(e.splat(coefficient), e.load(rate, at), sum);
    e.store(sum, op.getOut(), at);
  });
}

namespace {

/// The sums K S and K C of a register tile: `sine[i]` and `cosine[i]` are accumulators, one
/// register each.
struct Sums {
  SmallVector<Value> sine, cosine;

  static Sums zero(Emitter &e, int64_t count) {
    Value z = e.splat(0);
    return {SmallVector<Value>(count, z), SmallVector<Value>(count, z)};
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

/// Runs `step` for sources 0..count in order, `kUnroll` at a time; `extra` once per iteration of
/// the unrolled loop.
Sums sumOverSources(Emitter &e, int64_t count, Sums sums,
                    llvm::function_ref<void(Value, Sums &)> step,
                    llvm::function_ref<void(Value)> extra) {
  int64_t whole = count / kUnroll * kUnroll;
  if (whole)
    sums = Sums::unpack(e.loop(0, whole, kUnroll, sums.pack(), [&](Value k, ValueRange carried) {
      Sums inner = Sums::unpack(carried);
      if (extra)
        extra(k);
      for (int64_t u = 0; u < kUnroll; ++u)
        step(e.add(k, u), inner);
      return inner.pack();
    }));
  for (int64_t k = whole; k < count; ++k)
    step(e.index(k), sums);
  return sums;
}

/// frequency + cosine x (K S) - sine x (K C), then the update of the op's epilogue.
Value finish(Emitter &e, cpu::RateOp op, Value frequency, Value sine, Value cosine, Value sumSine,
             Value sumCosine, Value base) {
  Value rate = e.fma(cosine, sumSine, frequency);
  rate = e.fma(e.negf(sine), sumCosine, rate);
  return op.getStep() ? e.fma(e.splat(op.getStep()->convertToFloat()), rate, base) : rate;
}

/// One sample: `count` panels of 16 rows from `panel`, oscillators in the lanes.
void emitRatePanels(Emitter &e, cpu::RateOp op, Value panel, int64_t count) {
  int64_t perPanel = kLine / e.lanes, vectors = count * perPanel;
  Value zero = e.index(0), one = e.index(1);
  auto row = [&](int64_t v) { return e.add(e.mul(panel, kLine), v * e.lanes); };
  Sums sums = Sums::zero(e, vectors);
  for (auto [coupling, source] : llvm::zip(op.getCouplings(), op.getSources())) {
    bool shared = Emitter::shape(coupling).size() == 3;
    int64_t sources = shared ? Emitter::shape(coupling)[1] : Emitter::shape(coupling)[0];
    auto step = [&, coupling = coupling, source = source](Value k, Sums &s) {
      Value sine = e.loadBroadcast(source, {zero, k}), cosine = e.loadBroadcast(source, {one, k});
      for (int64_t v = 0; v < vectors; ++v) {
        Value weight =
            shared
                ? e.load(coupling, {e.add(panel, v / perPanel), k, e.index(v % perPanel * e.lanes)})
                : e.load(coupling, {k, row(v)});
        s.sine[v] = e.fma(weight, sine, s.sine[v]);
        s.cosine[v] = e.fma(weight, cosine, s.cosine[v]);
      }
    };
    sums = sumOverSources(e, sources, sums, step, nullptr);
  }
  for (int64_t v = 0; v < vectors; ++v) {
    Value at = row(v);
    Value next = finish(e, op, e.load(op.getFrequency(), at), e.load(op.getTarget(), {zero, at}),
                        e.load(op.getTarget(), {one, at}), sums.sine[v], sums.cosine[v],
                        e.load(op.getBase(), at));
    e.store(next, op.getOut(), at);
  }
}

/// A batch tile: `rows` rows of `panel` from `first`, samples in the lanes.
void emitRateTile(Emitter &e, cpu::RateOp op, Value panel, Value first, int64_t rows) {
  Value zero = e.index(0), one = e.index(1);
  int64_t panels = Emitter::shape(op.getOut())[0] / kLine, passes = kLine / rows;
  Value base = e.add(e.mul(panel, kLine), first);
  Sums sums = Sums::zero(e, rows);
  for (auto [coupling, source] : llvm::zip(op.getCouplings(), op.getSources())) {
    ArrayRef<int64_t> shape = Emitter::shape(coupling);
    bool shared = shape[2] == kLine && shape[0] == panels;
    auto step = [&, coupling = coupling, source = source](Value k, Sums &s) {
      Value sine = e.load(source, {k, zero, zero}), cosine = e.load(source, {k, one, zero});
      for (int64_t r = 0; r < rows; ++r) {
        Value weight = shared ? e.loadBroadcast(coupling, {panel, k, e.add(first, r)})
                              : e.load(coupling, {e.add(base, r), k, zero});
        s.sine[r] = e.fma(weight, sine, s.sine[r]);
        s.cosine[r] = e.fma(weight, cosine, s.cosine[r]);
      }
    };
    // While the passes over this panel run, the next one comes in: each pass asks for its share of
    // the lines, so that the stream from memory is as even as the arithmetic. The hardware
    // prefetcher gives up on a stream this slow.
    int64_t share = shape[1] / passes;
    auto fetch = [&, coupling = coupling](Value k) {
      Value last = e.index(panels - 1);
      Value next = arith::MinUIOp::create(e.b, e.loc, e.add(panel, 1), last);
      Value start = e.mul(arith::DivUIOp::create(e.b, e.loc, first, e.index(rows)), share);
      int64_t lines = std::max<int64_t>(kUnroll / passes, 1);
      Value at = e.add(start, arith::DivUIOp::create(e.b, e.loc, k, e.index(passes)));
      for (int64_t l = 0; l < lines; ++l)
        e.prefetch(coupling, {next, e.add(at, l), zero});
    };
    bool stream = shared && shape[1] >= kPrefetchSources && shape[1] % (passes * kUnroll) == 0 &&
                  passes <= kUnroll;
    sums = stream ? sumOverSources(e, shape[1], sums, step, fetch)
                  : sumOverSources(e, shape[1], sums, step, nullptr);
  }
  for (int64_t r = 0; r < rows; ++r) {
    Value at = e.add(base, r);
    Value next =
        finish(e, op, e.loadBroadcast(op.getFrequency(), at),
               e.load(op.getTarget(), {at, zero, zero}), e.load(op.getTarget(), {at, one, zero}),
               sums.sine[r], sums.cosine[r], e.load(op.getBase(), {at, zero}));
    e.store(next, op.getOut(), {at, zero});
  }
}

} // namespace

void un0::emitRate(Emitter &e, cpu::RateOp op) {
  ArrayRef<int64_t> out = Emitter::shape(op.getOut());
  int64_t panels = out[0] / kLine;
  if (out.size() == 1) {
    // 8 accumulators cover the latency of two multiply-add pipes, and the panels are as many
    // streams.
    int64_t together = std::max<int64_t>(1, 4 * e.lanes / kLine);
    int64_t whole = panels / together * together;
    e.loop(0, whole, together, [&](Value panel) { emitRatePanels(e, op, panel, together); });
    if (whole < panels)
      emitRatePanels(e, op, e.index(whole), panels - whole);
    return;
  }
  // 2 accumulators per row, 2 registers of waves, 1 of the coupling.
  int64_t rows = e.target.registers >= 32 ? 8 : 4;
  e.loop(0, panels, 1, [&](Value panel) {
    e.loop(0, kLine, rows, [&](Value first) { emitRateTile(e, op, panel, first, rows); });
  });
}
