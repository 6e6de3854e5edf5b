//===- EmitConvolution.cpp - the decoder in vector form ---------*- C++ -*-===//
//
// Output channels are in the lanes. A register tile is a few pixels x one group of vectors; its sum
// runs over input blocks, taps and channels with all accumulators in registers, reading the packed
// weights as one stream.
//
//===----------------------------------------------------------------------===//

#include "Emitter.h"

using namespace mlir;
using namespace un0;
using un0::cpu::kLine;
using Carried = Emitter::Carried;

/// Input channels per iteration of the innermost loop of a convolution.
static constexpr int64_t kChannelUnroll = 4;

void un0::emitZero(Emitter &e, cpu::ZeroOp op) {
  Value image = op.getImage(), zero = e.index(0), value = e.splat(0);
  ArrayRef<int64_t> shape = Emitter::shape(image);
  int64_t height = shape[1], width = shape[2];
  auto clear = [&](Value block, Value y, Value x) {
    for (int64_t c = 0; c < kLine; c += e.lanes)
      e.store(value, image, {block, y, x, e.index(c)});
  };
  e.loop(0, shape[0], 1, [&](Value block) {
    if (!op.getRing())
      return e.loop(0, height, 1,
                    [&](Value y) { e.loop(0, width, 1, [&](Value x) { clear(block, y, x); }); });
    e.loop(0, width, 1, [&](Value x) {
      clear(block, zero, x);
      clear(block, e.index(height - 1), x);
    });
    e.loop(0, height, 1, [&](Value y) {
      clear(block, y, zero);
      clear(block, y, e.index(width - 1));
    });
  });
}

void un0::emitScatterFeatures(Emitter &e, cpu::ScatterFeaturesOp op) {
  ArrayRef<int64_t> shape = Emitter::shape(op.getImage());
  int64_t height = shape[1] - 2, width = shape[2] - 2;
  // Channels past the last are left as they are: zero.
  e.loop(0, op.getChannels(), 1, [&](Value c) {
    Value block = arith::DivUIOp::create(e.b, e.loc, c, e.index(kLine));
    Value lane = arith::RemUIOp::create(e.b, e.loc, c, e.index(kLine));
    e.loop(0, height, 1, [&](Value y) {
      e.loop(0, width, 1, [&](Value x) {
        Value at = e.add(e.mul(e.add(e.mul(c, height), y), width), x);
        e.storeScalar(e.loadScalar(op.getFeatures(), at), op.getImage(),
                      {block, e.add(y, 1), e.add(x, 1), lane});
      });
    });
  });
}

SmallVector<Value> un0::pixelOf(Value images, Value image, ArrayRef<Value> indices) {
  SmallVector<Value> all;
  if (Emitter::shape(images).size() == 5)
    all.push_back(image);
  llvm::append_range(all, indices);
  return all;
}

Value un0::emitLeaky(Emitter &e, Value value, std::optional<APFloat> slope) {
  if (!slope)
    return value;
  float factor = slope->convertToFloat();
  Value small = e.mulf(value, e.splat(factor));
  if (factor <= 1)
    return e.maxf(value, small);
  Value above = arith::CmpFOp::create(e.b, e.loc, arith::CmpFPredicate::OGT, value, e.splat(0));
  return arith::SelectOp::create(e.b, e.loc, above, value, small);
}

PixelTile un0::choosePixels(int64_t height, int64_t width, int64_t most) {
  int64_t columns = most;
  while (width % columns)
    columns /= 2;
  int64_t rows = most / columns;
  while (height % rows)
    rows /= 2;
  return {rows, columns};
}

int64_t un0::countPixels(const Emitter &e, int64_t vectors) {
  // 8 accumulators just cover the latency of two multiply-adds per cycle, if nothing ever comes
  // between. Of 16 registers 12 can be accumulators, beside the weights and one broadcast input.
  return e.target.registers >= 32 ? 8 : 12 / vectors;
}

SmallVector<TiledArea> un0::coverMap(int64_t height, int64_t width, int64_t most, int64_t vectors) {
  constexpr int64_t kLatency = 8; // multiply-adds on their way, and so the least time of a step
  int64_t power = llvm::bit_floor(static_cast<uint64_t>(most)), least = INT64_MAX;
  SmallVector<TiledArea> best;
  for (int64_t rows = 1; rows <= std::min(most, height); ++rows) {
    int64_t columns = std::min(most / rows, width);
    int64_t down = height / rows * rows, right = width / columns * columns;
    SmallVector<TiledArea> areas = {{{rows, columns}, 0, 0, down, right}};
    if (right < width)
      areas.push_back(
          {choosePixels(height, width - right, power), 0, right, height, width - right});
    if (down < height)
      areas.push_back({choosePixels(height - down, right, power), down, 0, height - down, right});
    int64_t time = 0;
    for (const TiledArea &area : areas) {
      int64_t pixels = area.tile.rows * area.tile.columns;
      time += area.height * area.width / pixels * (std::max(pixels * vectors, kLatency) + 1);
    }
    if (time < least) {
      least = time;
      best = std::move(areas);
    }
  }
  return best;
}

std::pair<Value, Value> ConvShare::groups() {
  if (split != cpu::ConvSplit::Groups)
    return {e.index(0), e.index(count)};
  Value first = e.mul(thread, count), end = e.mul(e.add(thread, 1), count);
  return {arith::DivUIOp::create(e.b, e.loc, first, threads),
          arith::CeilDivUIOp::create(e.b, e.loc, end, threads)};
}

std::pair<Value, Value> ConvShare::rows(Value group, int64_t first, int64_t height,
                                        int64_t tileRows) {
  int64_t tiles = height / tileRows;
  bool byGroups = split == cpu::ConvSplit::Groups;
  auto [from, to] = e.share(thread, threads, byGroups ? count * tiles : tiles);
  if (byGroups) {
    // A share begins and ends anywhere in the rows of all groups, one group after the other.
    auto within = [&](Value tile) -> Value {
      Value row = arith::SubIOp::create(e.b, e.loc, tile, e.mul(group, tiles));
      row = arith::MaxSIOp::create(e.b, e.loc, row, e.index(0));
      return arith::MinSIOp::create(e.b, e.loc, row, e.index(tiles));
    };
    from = within(from);
    to = within(to);
  }
  return {e.add(e.mul(from, tileRows), first), e.add(e.mul(to, tileRows), first)};
}

namespace {
/// One convolution over the groups [first, first + count) of `vectors` registers of output
/// channels.
struct GroupNest {
  Emitter &e;
  cpu::Conv2DOp op;
  int64_t vectors, firstVector, weightStart, count;
  Value image = nullptr, flat = nullptr; // the image at hand; all inputs in one dimension

  int64_t taps() { return op.getUpsample() ? 2 : 3; }
  int64_t phases() { return op.getUpsample() ? 2 : 1; }
  int64_t summed() { return cpu::getSummedChannels(static_cast<int64_t>(op.getChannels())); }

  void emit() {
    ArrayRef<int64_t> in = Emitter::shape(op.getInput()).take_back(4);
    int64_t height = in[1] - 2, width = in[2] - 2, channels = vectors * e.lanes;
    int64_t perPhase = taps() * taps() * summed() * channels;
    SmallVector<TiledArea> areas = coverMap(height, width, countPixels(e, vectors), vectors);
    flat = e.flatten(op.getInput());
    ConvShare share(e, op, count);
    auto [firstGroup, lastGroup] = share.groups();
    e.loop(firstGroup, lastGroup, 1, [&](Value group) {
      Value groupAt = e.add(e.mul(group, perPhase * phases() * phases()), weightStart);
      e.loop(0, phases(), 1, [&](Value py) {
        e.loop(0, phases(), 1, [&](Value px) {
          Value weightAt = e.add(groupAt, e.mul(e.add(e.mul(py, phases()), px), perPhase));
          // A group's weights stay in the cache while all images pass.
          Value images = op.getCount() ? op.getCount() : e.index(1);
          e.loop(e.index(0), images, 1, [&](Value index) {
            image = index;
            for (const TiledArea &area : areas) {
              auto [first, last] = share.rows(group, area.y, area.height, area.tile.rows);
              e.loop(first, last, area.tile.rows, [&](Value y) {
                e.loop(area.x, area.x + area.width, area.tile.columns,
                       [&](Value x) { emitTile(area.tile, group, weightAt, y, x, py, px); });
              });
            }
          });
        });
      });
    });
  }

  void emitTile(PixelTile tile, Value group, Value weightAt, Value y, Value x, Value py, Value px) {
    int64_t pixels = tile.rows * tile.columns, channels = vectors * e.lanes;
    ArrayRef<int64_t> in = Emitter::shape(op.getInput()).take_back(4);
    int64_t blocks = in[0];
    // Register v of this group, as a position in units of lanes over all output channels.
    Value firstLane = e.add(e.mul(group, channels), firstVector * e.lanes);
    SmallVector<Value> bias;
    for (int64_t v = 0; v < vectors; ++v)
      bias.push_back(e.load(op.getBias(), e.add(firstLane, v * e.lanes)));
    Carried sums;
    for (int64_t p = 0; p < pixels; ++p)
      llvm::append_range(sums, bias);
    // Phase (1, 1) looks one pixel further down and right; the ring adds one, the taps start one
    // before.
    Value inY = e.add(y, py), inX = e.add(x, px);
    auto sumBlock = [&](Value block, int64_t lanes, ValueRange outer) {
      Value blockAt = e.add(weightAt, e.mul(block, taps() * taps() * kLine * channels));
      return e.loop(0, taps(), 1, outer, [&](Value ty, ValueRange middle) {
        return e.loop(0, taps(), 1, middle, [&](Value tx, ValueRange inner) {
          Value tap = e.add(e.mul(ty, taps()), tx);
          Value at = e.add(blockAt, e.mul(tap, lanes * channels));
          Value corner = e.add(e.mul(e.add(e.mul(image, blocks), block), in[1]), e.add(inY, ty));
          corner = e.mul(e.add(e.mul(corner, in[2]), e.add(inX, tx)), kLine);
          return e.loop(0, lanes, kChannelUnroll, inner, [&](Value first, ValueRange carried) {
            Carried acc(carried);
            Value stream = e.add(at, e.mul(first, channels));
            for (int64_t c = 0; c < kChannelUnroll; ++c) {
              SmallVector<Value> weight;
              for (int64_t v = 0; v < vectors; ++v)
                weight.push_back(
                    e.load(op.getWeights(), e.add(stream, c * channels + v * e.lanes)));
              for (int64_t p = 0; p < pixels; ++p) {
                int64_t away = p / tile.columns * in[2] + p % tile.columns;
                Value value = e.loadBroadcast(flat, e.add(e.add(corner, first), away * kLine + c));
                for (int64_t v = 0; v < vectors; ++v)
                  acc[p * vectors + v] = e.fma(value, weight[v], acc[p * vectors + v]);
              }
            }
            return acc;
          });
        });
      });
    };
    int64_t whole = summed() / kLine;
    sums = e.loop(0, whole, 1, sums,
                  [&](Value block, ValueRange outer) { return sumBlock(block, kLine, outer); });
    if (int64_t rest = summed() % kLine)
      sums = sumBlock(e.index(whole), rest, sums);
    int64_t stride = phases();
    for (int64_t v = 0; v < vectors; ++v) {
      Value position = e.add(firstLane, v * e.lanes);
      ChannelPlace place = placeChannels(e, op.getOutput(), position);
      for (int64_t p = 0; p < pixels; ++p) {
        Value value = emitLeaky(e, sums[p * vectors + v], op.getSlope());
        value = divideBy(e, value, op.getScale());
        Value outY = e.add(e.add(e.mul(e.add(y, p / tile.columns), stride), py), 1);
        Value outX = e.add(e.add(e.mul(e.add(x, p % tile.columns), stride), px), 1);
        storeChannels(e, value, op.getZeroPoint(), op.getOutput(), image, place, outY, outX);
      }
    }
  }
};
} // namespace

void un0::emitConv2D(Emitter &e, cpu::Conv2DOp op) {
  int64_t group = op.getGroup();
  int64_t perVector = (op.getUpsample() ? 16 : 9) * e.lanes *
                      cpu::getSummedChannels(static_cast<int64_t>(op.getChannels()));
  int64_t vectors = Emitter::shape(op.getWeights())[0] / perVector;
  int64_t whole = vectors / group, rest = vectors % group;
  if (whole)
    GroupNest{e, op, group, 0, 0, whole}.emit();
  if (rest)
    GroupNest{e, op, rest, whole * group, whole * group * perVector, 1}.emit();
}
