//===- EmitRateMatrix.cpp - couplings on a matrix unit ----------*- C++ -*-===//
//
// A batch tile's int8 couplings where the processor multiplies tiles of 16 x 64 bytes (AMX). A tile
// of a coupling is what 16 lines of a panel are: 16 rows, four sources to a word. The other side
// wants a sample per row, so that waves are transposed, once per evaluation, and sums back.
//
//===----------------------------------------------------------------------===//

#include "RateTile.h"

using namespace mlir;
using namespace un0;
using namespace un0::rate;
using un0::cpu::kLeftTiles;
using un0::cpu::kLine;
using un0::cpu::kRightTiles;
using un0::cpu::kSumTiles;
using un0::cpu::kTileWords;

MatrixProducts::MatrixProducts(Emitter &e, cpu::RateOp op, const cpu::TileScratch &scratch)
    : e(e), op(op), scratch(scratch), panels(Emitter::shape(op.getOut())[0] / kLine),
      parts(Emitter::shape(op.getOut())[1] / e.lanes) {}

/// Where tile `t` of part `part` of a term's waves begins, its sines or cosines.
Value MatrixProducts::getWaves(unsigned term, int64_t part, Value t, int64_t half) {
  int64_t tiles = op.getLines(term) / kLine;
  return e.add(e.mul(e.add(t, part * tiles), 2 * kTileWords),
               scratch.waves[term] + half * kTileWords);
}

void MatrixProducts::begin() {
  cpu::TileBeginOp::create(e.b, e.loc, kLine, op.getScratch(), e.index(scratch.matrix));
  for (unsigned term = 0; term < op.getCouplings().size(); ++term) {
    if (!covers(term))
      continue;
    e.loop(0, op.getLines(term) / kLine, 1, [&](Value t) {
      for (int64_t part = 0; part < parts; ++part)
        for (int64_t half = 0; half < 2; ++half) {
          SmallVector<Value> square;
          for (int64_t i = 0; i < kLine; ++i)
            square.push_back(
                e.load(op.getSources()[term],
                       {e.add(e.mul(t, kLine), i), e.index(half), e.index(part * e.lanes)}));
          Value at = getWaves(term, part, t, half);
          for (auto [s, words] : llvm::enumerate(transpose(e, square)))
            e.store(words, op.getScratch(), e.add(at, static_cast<int64_t>(s) * kLine));
        }
    });
  }
}

void MatrixProducts::multiply(Value first) {
  Value last = e.index(panels - 1);
  auto clamp = [&](Value panel) -> Value {
    return arith::MinUIOp::create(e.b, e.loc, panel, last);
  };
  Value pair[] = {first, clamp(e.add(first, 1))};
  Value next[] = {clamp(e.add(first, 2)), clamp(e.add(first, 3))};
  auto load = [&](int64_t tile, Value memory, ValueRange at) {
    cpu::TileLoadOp::create(e.b, e.loc, tile, memory, at, kLine);
  };
  for (unsigned term = 0; term < op.getCouplings().size(); ++term) {
    if (!covers(term))
      continue;
    Value coupling = op.getCouplings()[term], zero = e.index(0);
    for (int64_t part = 0; part < parts; ++part) {
      for (int64_t i = 0; i < 4; ++i)
        cpu::TileZeroOp::create(e.b, e.loc, kSumTiles + i);
      e.loop(0, op.getLines(term) / kLine, 1, [&](Value t) {
        Value line = e.mul(t, kLine);
        // The next panels come in while these are multiplied; a second part finds them there.
        if (part == 0 && op.getLines(term) >= kPrefetchLines)
          for (Value panel : next)
            for (int64_t i = 0; i < kLine; ++i)
              e.prefetch(coupling, {panel, e.add(line, i), zero});
        for (int64_t half = 0; half < 2; ++half)
          load(kLeftTiles + half, op.getScratch(), getWaves(term, part, t, half));
        for (int64_t which = 0; which < 2; ++which) {
          load(kRightTiles + which, coupling, {pair[which], line, zero});
          for (int64_t half = 0; half < 2; ++half)
            cpu::TileDotOp::create(e.b, e.loc, kSumTiles + 2 * which + half, kLeftTiles + half,
                                   kRightTiles + which);
        }
      });
      for (int64_t i = 0; i < 4; ++i)
        cpu::TileStoreOp::create(e.b, e.loc, kSumTiles + i, op.getScratch(),
                                 e.index(scratch.matrix + kLine + i * kTileWords));
      for (int64_t i = 0; i < 4; ++i) {
        SmallVector<Value> square;
        for (int64_t s = 0; s < kLine; ++s)
          square.push_back(e.load(op.getScratch(),
                                  e.index(scratch.matrix + kLine + i * kTileWords + s * kLine)));
        for (auto [row, sums] : llvm::enumerate(transpose(e, square)))
          e.store(sums, op.getScratch(),
                  getSums(term, part, e.index(i / 2), e.index(static_cast<int64_t>(row)), i % 2));
      }
    }
  }
}

Value MatrixProducts::getSums(unsigned term, int64_t part, Value which, Value row, int64_t half) {
  Value at = arith::AddIOp::create(e.b, e.loc, e.mul(e.add(which, part * 2), kLine), row);
  return e.add(e.mul(e.add(e.mul(at, 2), half), e.lanes), scratch.products[term]);
}

void MatrixProducts::end() { cpu::TileEndOp::create(e.b, e.loc); }
