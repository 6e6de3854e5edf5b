//===- EmitReadout.cpp - phases to features ---------------------*- C++ -*-===//

#include "Emitter.h"

using namespace mlir;
using namespace un0;
using un0::cpu::kLine;

/// The arithmetic mean of the first `n` phases: 16 partial sums whatever the lanes, so that the
/// order of the sum, and with it the reference, does not depend on the processor's vector length.
static Value emitMean(Emitter &e, Value phases, int64_t n) {
  int64_t whole = n / kLine * kLine, vectors = kLine / e.lanes;
  SmallVector<Value> partial(vectors, e.splat(0));
  if (whole)
    partial = e.loop(0, whole, kLine, partial, [&](Value i, ValueRange sums) {
      Emitter::Carried next;
      for (int64_t v = 0; v < vectors; ++v)
        next.push_back(e.addf(sums[v], e.load(phases, e.add(i, v * e.lanes))));
      return next;
    });
  // The halves of 16, then of 8, ...: the same tree for every number of lanes.
  while (partial.size() > 1) {
    size_t half = partial.size() / 2;
    for (size_t v = 0; v < half; ++v)
      partial[v] = e.addf(partial[v], partial[v + half]);
    partial.resize(half);
  }
  Value sum = partial.front();
  for (int64_t width = e.lanes; width > 1; width /= 2) {
    Value low = vector::ExtractStridedSliceOp::create(
        e.b, e.loc, sum, ArrayRef<int64_t>{0}, ArrayRef<int64_t>{width / 2}, ArrayRef<int64_t>{1});
    Value high =
        vector::ExtractStridedSliceOp::create(e.b, e.loc, sum, ArrayRef<int64_t>{width / 2},
                                              ArrayRef<int64_t>{width / 2}, ArrayRef<int64_t>{1});
    sum = e.addf(low, high);
  }
  Value total = vector::ExtractOp::create(e.b, e.loc, sum, ArrayRef<int64_t>{0});
  for (int64_t i = whole; i < n; ++i)
    total = e.addf(total, e.loadScalar(phases, e.index(i)));
  return arith::DivFOp::create(e.b, e.loc, total, e.scalar(static_cast<float>(n)));
}

/// Encodes `scratch[0]`, n relative phases, into `features` from `at`; cosines lie `count` values
/// after the sines.
static void emitEncode(Emitter &e, cpu::ReadoutOp op, Value at, int64_t count) {
  Value scratch = op.getScratch(), zero = e.index(0), one = e.index(1), two = e.index(2);
  int64_t n = op.getOscillators();
  if (op.getEncoding() == Encoding::Raw)
    return e.copyRow(scratch, zero, zero, op.getFeatures(), {}, at, n);
  e.loop(0, Emitter::shape(op.getPhases())[0], e.lanes, [&](Value i) {
    auto sincos = e.sincos(e.load(scratch, {zero, i}));
    e.store(sincos.getSine(), scratch, {one, i});
    e.store(sincos.getCosine(), scratch, {two, i});
  });
  e.copyRow(scratch, one, zero, op.getFeatures(), {}, at, n);
  if (op.getEncoding() == Encoding::SinCos)
    e.copyRow(scratch, two, zero, op.getFeatures(), {}, e.add(at, count), n);
}

void un0::emitReadout(Emitter &e, cpu::ReadoutOp op) {
  Value phases = op.getPhases(), scratch = op.getScratch(), zero = e.index(0);
  int64_t n = op.getOscillators(), padded = Emitter::shape(phases)[0];
  if (op.getReference() == Reference::Pairwise) {
    e.loop(0, n, 1, [&](Value i) {
      Value own = e.loadBroadcast(phases, i);
      e.loop(0, padded, e.lanes,
             [&](Value j) { e.store(e.subf(own, e.load(phases, j)), scratch, {zero, j}); });
      emitEncode(e, op, e.mul(i, n), n * n);
    });
    return;
  }
  Value reference = op.getReference() == Reference::Mean         ? emitMean(e, phases, n)
                    : op.getReference() == Reference::Oscillator ? e.loadScalar(phases, zero)
                                                                 : e.scalar(0);
  Value all = e.broadcast(reference);
  e.loop(0, padded, e.lanes,
         [&](Value i) { e.store(e.subf(e.load(phases, i), all), scratch, {zero, i}); });
  emitEncode(e, op, zero, n);
}
