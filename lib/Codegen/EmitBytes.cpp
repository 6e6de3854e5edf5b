//===- EmitBytes.cpp - the int8 decoder in vector form ----------*- C++ -*-===//
//
// As EmitConvolution.cpp, with a word of four channels where that has a channel. Activations are
// unsigned and weights signed, as the dot product wants them; sums are exact, and what rounds is
// the same sequence of operations on every processor.
//
//===----------------------------------------------------------------------===//

#include "Emitter.h"

using namespace mlir;
using namespace un0;
using un0::cpu::kLine;
using Carried = Emitter::Carried;

/// Weights from this many bytes on come from beyond the second-level cache for a lone sample, and
/// are asked for so many words ahead. Measured at N = 4096, one sample's decoder: 0.76 ms without,
/// 0.67 ms with 512 words, 0.71 ms with 1024.
static constexpr int64_t kPrefetchBytes = 256 << 10, kPrefetchAhead = 512;

Value un0::toBytes(Emitter &e, Value value, int64_t zeroPoint) {
  auto zero = static_cast<float>(zeroPoint);
  value = e.maxf(value, e.splat(-zero));
  value = e.minf(value, e.splat(255.0f - zero));
  // 1.5 * 2^23 rounds, and leaves the number in the low bits.
  return e.asWords(e.addf(value, e.splat(12582912.0f + zero)));
}

ChannelPlace un0::placeChannels(Emitter &e, Value image, Value channel) {
  if (cpu::holdsBytes(image))
    channel = arith::DivUIOp::create(e.b, e.loc, channel, e.index(4));
  return {arith::DivUIOp::create(e.b, e.loc, channel, e.index(kLine)),
          arith::RemUIOp::create(e.b, e.loc, channel, e.index(kLine))};
}

void un0::storeChannels(Emitter &e, Value value, std::optional<uint64_t> zeroPoint, Value output,
                        Value image, const ChannelPlace &place, Value y, Value x) {
  if (zeroPoint) {
    auto bytes = VectorType::get({e.lanes}, e.b.getI8Type());
    auto packed = VectorType::get({e.lanes / 4}, e.b.getI32Type());
    value = toBytes(e, value, static_cast<int64_t>(*zeroPoint));
    value = arith::TruncIOp::create(e.b, e.loc, bytes, value);
    value = vector::BitCastOp::create(e.b, e.loc, packed, value);
  }
  e.store(value, output, pixelOf(output, image, {place.block, y, x, place.element}));
}

Value un0::divideBy(Emitter &e, Value value, std::optional<APFloat> scale) {
  if (!scale)
    return value;
  return e.mulf(value, e.splat(static_cast<float>(1.0 / scale->convertToDouble())));
}

Value un0::loadSteps(Emitter &e, Value weights, Value at, const APFloat &inputScale,
                     std::optional<APFloat> scale, int64_t factor) {
  double ratio = inputScale.convertToDouble() / (scale ? scale->convertToDouble() : 1.0);
  ratio /= static_cast<double>(factor);
  return e.mulf(e.asFloats(e.load(weights, at)), e.splat(static_cast<float>(ratio)));
}

void un0::emitFillRing(Emitter &e, cpu::FillRingOp op) {
  Value image = op.getImage(), zero = e.index(0);
  ArrayRef<int64_t> shape = Emitter::shape(image);
  Value value = e.splatWord(static_cast<int32_t>(op.getZeroPoint() * 0x01010101u));
  auto fill = [&](Value block, Value y, Value x) {
    for (int64_t c = 0; c < kLine; c += e.lanes)
      e.store(value, image, {block, y, x, e.index(c)});
  };
  e.loop(0, shape[0], 1, [&](Value block) {
    e.loop(0, shape[2], 1, [&](Value x) {
      fill(block, zero, x);
      fill(block, e.index(shape[1] - 1), x);
    });
    e.loop(0, shape[1], 1, [&](Value y) {
      fill(block, y, zero);
      fill(block, y, e.index(shape[2] - 1));
    });
  });
}

void un0::emitScatterBytes(Emitter &e, cpu::ScatterBytesOp op) {
  ArrayRef<int64_t> shape = Emitter::shape(op.getImage());
  int64_t width = shape[2] - 2, pixels = (shape[1] - 2) * width;
  auto channels = static_cast<int64_t>(op.getChannels());
  Value inverse = e.splat(static_cast<float>(1.0 / op.getScale().convertToDouble()));
  // `count` pixels from `first` of the word of channels `word` x 4; a register of pixels, or one.
  auto scatter = [&](Value word, Value first, int64_t count, int64_t real) {
    Value packed;
    for (int64_t c = 0; c < real; ++c) {
      Value at = e.add(e.mul(e.add(e.mul(word, 4), c), pixels), first);
      Value value =
          count > 1 ? e.load(op.getFeatures(), at) : e.loadBroadcast(op.getFeatures(), at);
      Value byte = e.andWord(toBytes(e, e.mulf(value, inverse), op.getZeroPoint()), 0xff);
      byte = e.shiftLeft(byte, static_cast<int32_t>(8 * c));
      packed = packed ? e.orWord(packed, byte) : byte;
    }
    Value block = arith::DivUIOp::create(e.b, e.loc, word, e.index(kLine));
    Value lane = arith::RemUIOp::create(e.b, e.loc, word, e.index(kLine));
    for (int64_t p = 0; p < count; ++p) {
      Value pixel = e.add(first, p);
      Value y = arith::DivUIOp::create(e.b, e.loc, pixel, e.index(width));
      Value x = arith::RemUIOp::create(e.b, e.loc, pixel, e.index(width));
      Value number = vector::ExtractOp::create(e.b, e.loc, packed, ArrayRef<int64_t>{p});
      e.storeScalar(number, op.getImage(), {block, e.add(y, 1), e.add(x, 1), lane});
    }
  };
  auto word = [&](Value w, int64_t real) {
    int64_t whole = pixels / e.lanes * e.lanes;
    e.loop(0, whole, e.lanes, [&](Value p) { scatter(w, p, e.lanes, real); });
    e.loop(whole, pixels, 1, [&](Value p) { scatter(w, p, 1, real); });
  };
  e.loop(0, channels / 4, 1, [&](Value w) { word(w, 4); });
  if (channels % 4)
    word(e.index(channels / 4), channels % 4);
}

namespace {
/// One convolution over some groups of output channels.
struct ByteNest : ByteGroups {
  ByteNest(Emitter &e, cpu::Conv2DBytesOp op, ByteGroups groups)
      : ByteGroups(groups), e(e), op(op) {}

  Emitter &e;
  cpu::Conv2DBytesOp op;
  Value image = nullptr, flat = nullptr; // the image at hand; all input words in one dimension

  int64_t taps() { return op.getUpsample() ? 2 : 3; }
  int64_t phases() { return op.getUpsample() ? 2 : 1; }
  int64_t channels() { return vectors * e.lanes; }
  bool large = false;

  void emit() {
    ArrayRef<int64_t> in = Emitter::shape(op.getInput()).take_back(4);
    int64_t height = in[1] - 2, width = in[2] - 2;
    int64_t perPhase = cpu::getByteWeightWords(op.getChannels(), taps() * taps(), channels());
    // Eight accumulators leave room for products where there are 16 registers.
    PixelTile tile = choosePixels(height, width, e.target.registers >= 32 ? 8 : 8 / vectors);
    flat = e.flatten(op.getInput());
    large = Emitter::shape(op.getWeights())[0] * 4 >= kPrefetchBytes;
    ConvShare share(e, op, count);
    auto [firstGroup, lastGroup] = share.groups();
    e.loop(firstGroup, lastGroup, 1, [&](Value group) {
      auto rows = share.rows(group, 0, height, tile.rows);
      Value groupAt = e.add(e.mul(group, perPhase * phases() * phases()), weightStart);
      e.loop(0, phases(), 1, [&](Value py) {
        e.loop(0, phases(), 1, [&](Value px) {
          Value at = e.add(groupAt, e.mul(e.add(e.mul(py, phases()), px), perPhase));
          Value images = op.getCount() ? op.getCount() : e.index(1);
          e.loop(e.index(0), images, 1, [&](Value index) {
            image = index;
            e.loop(rows.first, rows.second, tile.rows, [&](Value y) {
              e.loop(0, width, tile.columns,
                     [&](Value x) { emitTile(tile, group, at, y, x, py, px); });
            });
          });
        });
      });
    });
  }

  /// Adds `words` words of all taps from word `first` of the input on; `at` is where their weights
  /// begin.
  void addWords(PixelTile tile, Value first, int64_t words, Value at, Value inY, Value inX,
                Carried &sums) {
    int64_t pixels = tile.rows * tile.columns;
    ArrayRef<int64_t> in = Emitter::shape(op.getInput()).take_back(4);
    // One address that all pixels and words are constants away from.
    Value block = arith::DivUIOp::create(e.b, e.loc, first, e.index(kLine));
    Value lane = arith::RemUIOp::create(e.b, e.loc, first, e.index(kLine));
    Value start = e.add(e.mul(e.add(e.mul(image, in[0]), block), in[1]), inY);
    start = e.add(e.mul(e.add(e.mul(start, in[2]), inX), kLine), lane);
    for (int64_t w = 0; w < words; ++w)
      for (int64_t tap = 0; tap < taps() * taps(); ++tap) {
        Value corner = e.add(start, (tap / taps() * in[2] + tap % taps()) * kLine + w);
        // Taps see the same pixels. Kept from one to the next they cost the registers that products
        // need; there is time to load them again.
        if (e.target.registers < 32)
          e.fence();
        int64_t line = (w * taps() * taps() + tap) * channels();
        SmallVector<Value> weight;
        for (int64_t v = 0; v < vectors; ++v)
          weight.push_back(e.load(op.getWeights(), e.add(at, line + v * e.lanes)));
        for (int64_t v = 0; large && v < channels(); v += kLine)
          e.prefetch(op.getWeights(), e.add(at, line + v + kPrefetchAhead));
        for (int64_t p = 0; p < pixels; ++p) {
          int64_t pixel = p / tile.columns * in[2] + p % tile.columns;
          Value value = e.loadBroadcast(flat, e.add(corner, pixel * kLine));
          for (int64_t v = 0; v < vectors; ++v) {
            Value &sum = sums[p * vectors + v];
            sum = e.dot(cpu::DotKind::U8S8, sum, value, weight[v], kPairsFit);
          }
        }
      }
  }

  void emitTile(PixelTile tile, Value group, Value weightAt, Value y, Value x, Value py, Value px) {
    int64_t pixels = tile.rows * tile.columns, allTaps = taps() * taps();
    Value firstLane = e.add(e.mul(group, channels()), firstVector * e.lanes);
    Carried starts, sums;
    for (int64_t v = 0; v < vectors; ++v)
      starts.push_back(e.load(op.getWeights(), e.add(weightAt, v * e.lanes)));
    for (int64_t p = 0; p < pixels; ++p)
      llvm::append_range(sums, starts);
    Value stream = e.add(weightAt, 2 * channels());
    Value inY = e.add(y, py), inX = e.add(x, px);
    int64_t words = llvm::divideCeil(static_cast<int64_t>(op.getChannels()), 4);
    // Iterations long enough that their overhead does not show.
    int64_t chunk = allTaps == 4 ? 2 : 1, whole = words / chunk * chunk;
    int64_t perWord = allTaps * channels();
    if (whole)
      sums = e.loop(0, whole, chunk, sums, [&](Value first, ValueRange carried) {
        Carried next(carried);
        addWords(tile, first, chunk, e.add(stream, e.mul(first, perWord)), inY, inX, next);
        return next;
      });
    if (whole < words)
      addWords(tile, e.index(whole), words - whole, e.add(stream, whole * perWord), inY, inX, sums);

    for (int64_t v = 0; v < vectors; ++v) {
      ByteEpilogue epilogue(e, op, e.add(firstLane, v * e.lanes),
                            e.add(weightAt, channels() + v * e.lanes));
      for (int64_t p = 0; p < pixels; ++p)
        epilogue.emit(sums[p * vectors + v], image, e.add(y, p / tile.columns),
                      e.add(x, p % tile.columns), py, px);
    }
  }
};
} // namespace

ByteEpilogue::ByteEpilogue(Emitter &e, cpu::Conv2DBytesOp op, Value position, Value stepsAt)
    : e(e), op(op), place(placeChannels(e, op.getOutput(), position)),
      steps(loadSteps(e, op.getWeights(), stepsAt, op.getInputScale(), op.getScale())),
      bias(divideBy(e, e.load(op.getBias(), position), op.getScale())) {}

void ByteEpilogue::emit(Value sums, Value image, Value y, Value x, Value py, Value px) {
  int64_t phases = op.getUpsample() ? 2 : 1;
  Value value = emitLeaky(e, e.fma(e.toFloats(sums), steps, bias), op.getSlope());
  Value outY = e.add(e.add(e.mul(y, phases), py), 1), outX = e.add(e.add(e.mul(x, phases), px), 1);
  storeChannels(e, value, op.getZeroPoint(), op.getOutput(), image, place, outY, outX);
}

SmallVector<ByteGroups, 2> un0::getByteGroups(const Emitter &e, cpu::Conv2DBytesOp op) {
  int64_t group = op.getGroup();
  int64_t phases = op.getUpsample() ? 4 : 1, taps = op.getUpsample() ? 4 : 9;
  int64_t perVector = phases * cpu::getByteWeightWords(op.getChannels(), taps, e.lanes);
  int64_t vectors = Emitter::shape(op.getWeights())[0] / perVector;
  int64_t whole = vectors / group, rest = vectors % group;
  SmallVector<ByteGroups, 2> groups;
  if (whole)
    groups.push_back({group, 0, 0, whole});
  if (rest)
    groups.push_back({rest, whole * group, whole * group * perVector, 1});
  return groups;
}

void un0::emitConv2DBytes(Emitter &e, cpu::Conv2DBytesOp op) {
  if (fitsMatrixUnit(e, op))
    return emitMatrixConvolution(e, op);
  for (ByteGroups groups : getByteGroups(e, op))
    ByteNest(e, op, groups).emit();
}
