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

/// Calls `body` with the indices of every vector of a phase buffer.
static void forEachVector(Emitter &e, Value phases, llvm::function_ref<void(ValueRange)> body) {
  ArrayRef<int64_t> shape = Emitter::shape(phases);
  if (shape.size() == 1)
    return e.loop(0, shape[0], e.lanes, [&](Value i) { body(i); });
  e.loop(0, shape[0], 1,
         [&](Value i) { e.loop(0, shape[1], e.lanes, [&](Value sample) { body({i, sample}); }); });
}

SmallVector<Value> un0::transpose(Emitter &e, SmallVector<Value> rows) {
  auto lanes = static_cast<int64_t>(rows.size());
  for (int64_t d = 1; d < lanes; d *= 2) {
    SmallVector<int64_t> upper, lower;
    for (int64_t lane = 0; lane < lanes; ++lane) {
      upper.push_back(lane & d ? lanes + lane - d : lane);
      lower.push_back(lane & d ? lanes + lane : lane + d);
    }
    for (int64_t i = 0; i < lanes; ++i) {
      if (i & d)
        continue;
      Value a = rows[i], b = rows[i + d];
      rows[i] = vector::ShuffleOp::create(e.b, e.loc, a, b, upper);
      rows[i + d] = vector::ShuffleOp::create(e.b, e.loc, a, b, lower);
    }
  }
  return rows;
}

/// Stores a square of registers, one sample's columns each, as lines of samples.
static void storeTransposed(Emitter &e, SmallVector<Value> square, Value lines,
                            llvm::function_ref<SmallVector<Value>(int64_t)> line) {
  square = transpose(e, square);
  for (auto [s, value] : llvm::enumerate(square))
    e.store(value, lines, line(s));
}

/// Moves columns 0..count of a matrix whose rows are samples to or from rows of samples in the
/// lanes, a square of registers at a time. `row(s)` are the indices of the row of the s-th of a
/// register's samples but for the column, `line(i)` those of the first of column i's samples.
static void transposeRows(Emitter &e, int64_t count, Value rows,
                          llvm::function_ref<SmallVector<Value>(int64_t)> row, Value lines,
                          llvm::function_ref<SmallVector<Value>(Value)> line, bool toLines) {
  int64_t whole = count / e.lanes * e.lanes;
  auto column = [&](int64_t s, Value i) {
    SmallVector<Value> at = row(s);
    at.push_back(i);
    return at;
  };
  e.loop(0, whole, e.lanes, [&](Value i) {
    SmallVector<Value> square;
    for (int64_t s = 0; s < e.lanes; ++s)
      square.push_back(toLines ? e.load(rows, column(s, i)) : e.load(lines, line(e.add(i, s))));
    square = transpose(e, square);
    for (int64_t s = 0; s < e.lanes; ++s)
      if (toLines)
        e.store(square[s], lines, line(e.add(i, s)));
      else
        e.store(square[s], rows, column(s, i));
  });
  e.loop(whole, count, 1, [&](Value i) {
    SmallVector<Value> at = line(i);
    const Value first = at.back();
    for (int64_t s = 0; s < e.lanes; ++s) {
      at.back() = e.add(first, s);
      if (toLines)
        e.storeScalar(e.loadScalar(rows, column(s, i)), lines, at);
      else
        e.storeScalar(e.loadScalar(lines, at), rows, column(s, i));
    }
  });
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
  e.loop(0, lanes[1], e.lanes, [&](Value sample) {
    transposeRows(
        e, n, source, [&](int64_t s) { return SmallVector<Value>{e.add(sample, s)}; }, dest,
        [&](Value i) { return SmallVector<Value>{i, sample}; }, /*toLines=*/true);
    e.loop(n, lanes[0], 1, [&](Value i) { e.store(e.splat(0), dest, {i, sample}); });
  });
}

void un0::emitStorePhases(Emitter &e, cpu::StorePhasesOp op) {
  Value source = op.getSource(), dest = op.getDest(), zero = e.index(0);
  ArrayRef<int64_t> rows = Emitter::shape(dest);
  if (Emitter::shape(source).size() == 1)
    return e.copyRow(source, {}, zero, dest, zero, zero, rows[1]);
  e.loop(0, rows[0], e.lanes, [&](Value sample) {
    transposeRows(
        e, rows[1], dest, [&](int64_t s) { return SmallVector<Value>{e.add(sample, s)}; }, source,
        [&](Value i) { return SmallVector<Value>{i, sample}; }, /*toLines=*/false);
  });
}

/// A wave as the number that is packed: bytes are offset to be unsigned, as the dot product wants
/// them. One rounding, by adding 1.5 * 2^23, and the low bits of the sum are the number; the higher
/// ones are for the caller to drop.
static Value quantizeWave(Emitter &e, Value wave, Precision precision) {
  constexpr float magic = 12582912.0f;
  bool byte = precision == Precision::Int8;
  auto steps = static_cast<float>(byte ? cpu::kByteWave : cpu::kShortWave);
  return e.asWords(e.fma(wave, e.splat(steps), e.splat(byte ? magic + steps : magic)));
}

/// A wave rounded to bf16.
static Value roundToBrain(Emitter &e, Value wave) {
  auto type = VectorType::get({e.lanes}, e.b.getBF16Type());
  return arith::TruncFOp::create(e.b, e.loc, type, wave);
}

/// A register of bf16 numbers as words with zeros above.
static Value widenBrains(Emitter &e, Value brains) {
  auto shorts = VectorType::get({e.lanes}, e.b.getIntegerType(16));
  return arith::ExtUIOp::create(e.b, e.loc, e.words,
                                vector::BitCastOp::create(e.b, e.loc, shorts, brains));
}

/// One sample: the numbers of a register, side by side.
static void storeWords(Emitter &e, Value wave, Precision precision, Value memory, int64_t half,
                       Value at) {
  Value narrow;
  if (precision == Precision::BF16) {
    narrow = roundToBrain(e, wave);
  } else {
    Type element = e.b.getIntegerType(precision == Precision::Int8 ? 8 : 16);
    narrow = arith::TruncIOp::create(e.b, e.loc, VectorType::get({e.lanes}, element),
                                     quantizeWave(e, wave, precision));
  }
  int64_t perWord = cpu::getPerWord(precision);
  auto type = VectorType::get({e.lanes / perWord}, e.b.getI32Type());
  Value packed = vector::BitCastOp::create(e.b, e.loc, type, narrow);
  Value word = arith::DivUIOp::create(e.b, e.loc, at, e.index(perWord));
  e.store(packed, memory, {e.index(half), word});
}

/// A batch tile: the waves of neighbouring oscillators, one sample per lane, become one word each.
static Value packWords(Emitter &e, ArrayRef<Value> waves, Precision precision) {
  int32_t bits = 32 / static_cast<int32_t>(waves.size());
  Value word;
  for (auto [i, wave] : llvm::enumerate(waves)) {
    Value number;
    if (precision == Precision::BF16) {
      number = widenBrains(e, roundToBrain(e, wave));
    } else {
      number = quantizeWave(e, wave, precision);
      // The last one's higher bits are shifted out.
      if (i + 1 < waves.size())
        number = e.andWord(number, (1 << bits) - 1);
    }
    number = e.shiftLeft(number, bits * static_cast<int32_t>(i));
    word = word ? e.orWord(word, number) : number;
  }
  return word;
}

void un0::emitWaves(Emitter &e, cpu::WavesOp op) {
  Value waves = op.getWaves(), packed = op.getPacked(), zero = e.index(0), one = e.index(1);
  int64_t oscillators = Emitter::shape(op.getPhases())[0];
  Precision precision = packed ? *op.getPrecision() : Precision::F32;
  // bf16 in memory of f32: rounded, and not packed.
  bool rounded = packed && cast<MemRefType>(packed.getType()).getElementType().isF32();
  auto round = [&](Value wave) {
    return e.asFloats(e.shiftLeft(widenBrains(e, roundToBrain(e, wave)), 16));
  };
  if (Emitter::shape(op.getPhases()).size() == 1) {
    auto body = [&](Value i) {
      auto sincos = e.sincos(e.load(op.getPhases(), i));
      for (auto [half, wave] :
           {std::make_pair(0, sincos.getSine()), std::make_pair(1, sincos.getCosine())}) {
        Value plane = e.index(half);
        e.store(wave, waves, {plane, i});
        if (rounded)
          e.store(round(wave), packed, {plane, i});
        else if (packed)
          storeWords(e, wave, precision, packed, half, i);
      }
    };
    Value first = op.getFirst() ? op.getFirst() : zero;
    Value last = op.getLast() ? op.getLast() : e.index(oscillators);
    return e.loop(first, last, e.lanes, body);
  }
  int64_t perWord = rounded ? 1 : cpu::getPerWord(precision);
  auto body = [&](Value i, Value sample) {
    SmallVector<Value> sines, cosines;
    for (int64_t k = 0; k < perWord; ++k) {
      Value at = e.add(i, k);
      auto sincos = e.sincos(e.load(op.getPhases(), {at, sample}));
      e.store(sincos.getSine(), waves, {at, zero, sample});
      e.store(sincos.getCosine(), waves, {at, one, sample});
      sines.push_back(sincos.getSine());
      cosines.push_back(sincos.getCosine());
    }
    if (!packed)
      return;
    if (rounded) {
      e.store(round(sines[0]), packed, {i, zero, sample});
      e.store(round(cosines[0]), packed, {i, one, sample});
      return;
    }
    Value word = arith::DivUIOp::create(e.b, e.loc, i, e.index(perWord));
    e.store(packWords(e, sines, precision), packed, {word, zero, sample});
    e.store(packWords(e, cosines, precision), packed, {word, one, sample});
  };
  e.loop(0, oscillators, perWord, [&](Value i) {
    e.loop(0, Emitter::shape(op.getPhases())[1], e.lanes, [&](Value sample) { body(i, sample); });
  });
}

/// Calls `body` for every register of source `m` in a `class_words` table, at oscillator `i`; `get`
/// makes the f32 numbers that a class's slice has there.
static void forEachTableVector(
    Emitter &e, Value table, Value m, int64_t padded,
    llvm::function_ref<void(Value i, llvm::function_ref<Value(Value slice)> get)> body) {
  int64_t vectors = padded / kLine;
  // Up to four vectors, those of one line of upper bits; the block has `lines` of these before that
  // of lower bits.
  auto four = [&](Value block, Value quarter, int64_t lines, int64_t count) {
    Value first = e.add(e.mul(block, 5), 1);
    Value upper = arith::AddIOp::create(e.b, e.loc, first, quarter), lower = e.add(first, lines);
    Value start = e.add(e.mul(block, kLine * kLine), e.mul(quarter, 4 * kLine));
    Value shift = arith::IndexCastOp::create(e.b, e.loc, e.b.getI32Type(), e.mul(quarter, 8));
    for (int64_t q = 0; q < count; ++q)
      for (int64_t part = 0; part < kLine; part += e.lanes)
        body(e.add(start, q * kLine + part), [&](Value slice) -> Value {
          Value high = e.load(table, {slice, m, upper, e.index(part)});
          Value low = e.load(table, {slice, m, lower, e.index(part)});
          low = arith::ShRUIOp::create(e.b, e.loc, low, e.broadcast(shift));
          // The upper 8 bits to the top, the lower 2 below them, then down with the sign.
          high = e.andWord(e.shiftLeft(high, static_cast<int32_t>(24 - 8 * q)),
                           static_cast<int32_t>(0xff000000));
          low = e.andWord(e.shiftLeft(low, static_cast<int32_t>(22 - 2 * q)), 0x00c00000);
          Value number = arith::ShRSIOp::create(e.b, e.loc, e.orWord(high, low), e.splatWord(22));
          Value scale = e.asFloats(e.load(table, {slice, m, e.index(0), e.index(part)}));
          return e.mulf(e.toFloats(number), scale);
        });
  };
  e.loop(0, vectors / kLine, 1,
         [&](Value block) { e.loop(0, 4, 1, [&](Value quarter) { four(block, quarter, 4, 4); }); });
  int64_t rest = vectors % kLine, lines = llvm::divideCeil(rest, 4);
  Value block = e.index(vectors / kLine);
  e.loop(0, rest / 4, 1, [&](Value quarter) { four(block, quarter, lines, 4); });
  if (rest % 4)
    four(block, e.index(rest / 4), lines, rest % 4);
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
  bool words = shape.size() == 4;
  if (Emitter::shape(dest).size() == 2) {
    Value chosen = slice(zero);
    if (words)
      return e.loop(0, shape[1], 1, [&](Value m) {
        forEachTableVector(e, table, m, Emitter::shape(dest)[1],
                           [&](Value i, auto get) { e.store(get(chosen), dest, {m, i}); });
      });
    e.loop(0, shape[1], 1,
           [&](Value m) { e.copyRow(table, {chosen, m}, zero, dest, m, zero, shape[2]); });
    return;
  }
  for (int64_t from = 0; from < Emitter::shape(dest)[2]; from += e.lanes) {
    Value first = e.index(from);
    SmallVector<Value> chosen;
    for (int64_t s = 0; s < e.lanes; ++s)
      chosen.push_back(slice(e.index(from + s)));
    e.loop(0, shape[1], 1, [&](Value m) {
      auto line = [&](Value i) { return SmallVector<Value>{i, m, first}; };
      if (!words)
        return transposeRows(
            e, shape[2], table, [&](int64_t s) { return SmallVector<Value>{chosen[s], m}; }, dest,
            line, /*toLines=*/true);
      forEachTableVector(e, table, m, Emitter::shape(dest)[0], [&](Value i, auto get) {
        SmallVector<Value> square;
        for (Value slice : chosen)
          square.push_back(get(slice));
        storeTransposed(e, square, dest, [&](int64_t s) { return line(e.add(i, s)); });
      });
    });
  }
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

void un0::emitBarrier(Emitter &e, cpu::BarrierOp op) {
  auto type = LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(e.b.getContext()),
                                          {op.getData().getType()});
  LLVM::CallOp::create(e.b, e.loc, type, ValueRange{op.getFunction(), op.getData()});
}
