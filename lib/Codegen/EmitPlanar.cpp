//===- EmitPlanar.cpp - the last convolution, in vector form ----*- C++ -*-===//
//
// Input channels are in the lanes: three outputs would leave most of a register empty. A register
// tile is a few pixels of a row x up to three outputs, whose lanes are added up at the end.
//
//===----------------------------------------------------------------------===//

#include "Emitter.h"

using namespace mlir;
using namespace un0;
using un0::cpu::kLine;
using Carried = Emitter::Carried;

/// `sums[i]`, summed over its lanes, in lane i; the other lanes of the result are undefined. Pairs
/// of vectors become halves of one, until one is left: half as many shuffles as one by one. Halves
/// are 128 bits or lie within them wherever possible, which x86 shuffles without a mask.
static Value sumLanes(Emitter &e, SmallVector<Value> sums) {
  constexpr int64_t kSection = 4; // floats of 128 bits
  int64_t lanes = e.lanes, count = static_cast<int64_t>(sums.size());
  auto shuffle = [&](Value x, Value y, function_ref<int64_t(int64_t)> from) -> Value {
    SmallVector<int64_t> mask;
    for (int64_t i = 0; i < lanes; ++i)
      mask.push_back(from(i));
    return vector::ShuffleOp::create(e.b, e.loc, x, y, mask);
  };
  // Which sum a lane of each vector belongs to.
  SmallVector<SmallVector<int64_t>> owners;
  for (int64_t i = 0; i < count; ++i)
    owners.push_back(SmallVector<int64_t>(lanes, i));
  for (int64_t half = lanes / 2; half > 0; half /= 2) {
    // Where lane `lane` of a pair's first (part 0) or second half (1) comes from, in x and y.
    auto from = [&](int64_t part, int64_t lane) {
      int64_t section = half >= kSection ? lanes : kSection; // what a shuffle stays within
      int64_t within = lane % section, start = lane - within, place = within / half;
      int64_t perVector = section / (2 * half);
      bool second = place >= perVector;
      int64_t group = second ? place - perVector : place;
      return (second ? lanes : 0) + start + group * 2 * half + part * half + within % half;
    };
    SmallVector<Value> next;
    SmallVector<SmallVector<int64_t>> nextOwners;
    for (size_t i = 0; i < sums.size(); i += 2) {
      size_t other = i + 1 < sums.size() ? i + 1 : i;
      Value x = sums[i], y = sums[other];
      Value first = shuffle(x, y, [&](int64_t lane) { return from(0, lane); });
      Value second = shuffle(x, y, [&](int64_t lane) { return from(1, lane); });
      next.push_back(x.getType() == e.words ? arith::AddIOp::create(e.b, e.loc, first, second)
                                            : e.addf(first, second));
      SmallVector<int64_t> owner;
      for (int64_t lane = 0; lane < lanes; ++lane) {
        int64_t at = from(0, lane);
        owner.push_back(at < lanes ? owners[i][at] : owners[other][at - lanes]);
      }
      nextOwners.push_back(std::move(owner));
    }
    sums = std::move(next);
    owners = std::move(nextOwners);
  }
  return shuffle(sums.front(), sums.front(), [&](int64_t lane) -> int64_t {
    return lane < count ? llvm::find(owners.front(), lane) - owners.front().begin() : 0;
  });
}

/// The hyperbolic tangent of every value, in place; of a thread's share of the rows, with a thread.
static void emitTanh(Emitter &e, Value planes, Value thread, Value threads) {
  ArrayRef<int64_t> shape = Emitter::shape(planes);
  Value flat = e.flatten(planes);
  auto through = [&](Value from, Value to) {
    Value count = arith::SubIOp::create(e.b, e.loc, to, from);
    Value rest = arith::RemUIOp::create(e.b, e.loc, count, e.index(e.lanes));
    Value whole = arith::SubIOp::create(e.b, e.loc, to, rest);
    e.loop(from, whole, e.lanes,
           [&](Value i) { e.store(math::TanhOp::create(e.b, e.loc, e.load(flat, i)), flat, i); });
    e.loop(whole, to, 1, [&](Value i) {
      Value value = math::TanhOp::create(e.b, e.loc, e.loadBroadcast(flat, i));
      e.storeScalar(vector::ExtractOp::create(e.b, e.loc, value, ArrayRef<int64_t>{0}), flat, i);
    });
  };
  if (!thread)
    return through(e.index(0), e.index(cast<MemRefType>(planes.getType()).getNumElements()));
  auto [first, last] = e.share(thread, threads, shape[1]);
  e.loop(0, shape[0], 1, [&, first = first, last = last](Value plane) {
    Value rows = e.mul(plane, shape[1]);
    through(e.mul(e.add(rows, first), shape[2]), e.mul(e.add(rows, last), shape[2]));
  });
}

namespace {
/// What f32 and bytes differ in.
struct PlanarForm {
  int64_t weightStart; // where the weights begin, behind what each output has of its own
  int64_t mostPixels;  // of a register tile
  Value zero;          // a sum of nothing
  llvm::function_ref<Value(Value sum, Value value, Value weight)> multiplyAdd;
  /// The results of some pixels of `output`, from their sums.
  llvm::function_ref<Value(Value sums, int64_t output)> finish;
};
} // namespace

template <typename ConvOp> static void emitPlanar(Emitter &e, ConvOp op, const PlanarForm &form) {
  ArrayRef<int64_t> out = Emitter::shape(op.getPlanes());
  int64_t outputs = out[0], height = out[1], width = out[2], perBlock = kLine / e.lanes;
  // Of the last block, as many registers as have channels.
  int64_t weights = Emitter::shape(op.getWeights())[0] - form.weightStart;
  int64_t vectors = weights / (9 * outputs * e.lanes);
  int64_t blocks = vectors / perBlock, rest = vectors % perBlock;
  int64_t pixels = choosePixels(1, width, form.mostPixels).columns;
  constexpr int64_t kOutputs = 3;
  auto emitTile = [&](Value y, Value x, int64_t first, int64_t count) {
    auto step = [&](Value ty, Value tx, Value block, int64_t part, Carried &acc) {
      Value tap = e.add(e.mul(ty, 3), tx);
      Value vector = e.add(e.add(e.mul(tap, vectors), e.mul(block, perBlock)), part);
      Value at = e.add(e.mul(vector, outputs * e.lanes), form.weightStart);
      SmallVector<Value> weight;
      for (int64_t o = 0; o < count; ++o)
        weight.push_back(e.load(op.getWeights(), e.add(at, (first + o) * e.lanes)));
      for (int64_t p = 0; p < pixels; ++p) {
        Value value = e.load(
            op.getInput(), {block, e.add(y, ty), e.add(e.add(x, tx), p), e.index(part * e.lanes)});
        for (int64_t o = 0; o < count; ++o)
          acc[o * pixels + p] = form.multiplyAdd(acc[o * pixels + p], value, weight[o]);
      }
    };
    auto sumBlock = [&](Value ty, Value block, int64_t parts, ValueRange middle) {
      return e.loop(0, 3, 1, middle, [&](Value tx, ValueRange inner) {
        Carried acc(inner);
        for (int64_t part = 0; part < parts; ++part)
          step(ty, tx, block, part, acc);
        return acc;
      });
    };
    Carried sums(count * pixels, form.zero);
    sums = e.loop(0, 3, 1, sums, [&](Value ty, ValueRange outer) {
      Carried acc = e.loop(0, blocks, 1, outer, [&](Value block, ValueRange middle) {
        return sumBlock(ty, block, perBlock, middle);
      });
      return rest ? sumBlock(ty, e.index(blocks), rest, acc) : acc;
    });
    for (int64_t o = 0; o < count; ++o) {
      // The sums of the pixels side by side, in a vector of their own.
      Value sum = sumLanes(e, SmallVector<Value>(ArrayRef(sums).slice(o * pixels, pixels)));
      e.storeFirst(form.finish(sum, first + o), pixels, op.getPlanes(), {e.index(first + o), y, x});
    }
  };
  auto rows = e.share(op.getThread(), op.getThreads(), height);
  for (int64_t first = 0; first < outputs; first += kOutputs)
    e.loop(rows.first, rows.second, 1, [&](Value y) {
      e.loop(0, width, pixels,
             [&](Value x) { emitTile(y, x, first, std::min(kOutputs, outputs - first)); });
    });
}

void un0::emitConv2DPlanar(Emitter &e, cpu::Conv2DPlanarOp op) {
  auto multiplyAdd = [&](Value sum, Value value, Value weight) {
    return e.fma(value, weight, sum);
  };
  auto finish = [&](Value sums, int64_t output) {
    return e.addf(sums, e.loadBroadcast(op.getBias(), e.index(output)));
  };
  int64_t mostPixels = e.target.registers >= 32 ? 8 : 4;
  emitPlanar(e, op, {/*weightStart=*/0, mostPixels, e.splat(0), multiplyAdd, finish});
  if (op.getTanh())
    emitTanh(e, op.getPlanes(), op.getThread(), op.getThreads());
}

void un0::emitConv2DPlanarBytes(Emitter &whole, cpu::Conv2DPlanarBytesOp op) {
  // Starting sums and steps of the outputs are in front.
  int64_t outputs = Emitter::shape(op.getPlanes())[0], padded = cpu::padToLine(outputs);
  int64_t words = (Emitter::shape(op.getWeights())[0] - 2 * padded) / (9 * outputs);
  CpuTarget target = whole.target;
  target.lanes = cpu::getPlanarLanes(words, whole.lanes);
  Emitter e(whole.b, whole.loc, target);
  auto multiplyAdd = [&](Value sum, Value value, Value weight) {
    return e.dot(cpu::DotKind::U8S8, sum, value, weight, kPairsFit);
  };
  auto finish = [&](Value sums, int64_t output) {
    Value start = e.broadcast(e.loadScalar(op.getWeights(), e.index(output)));
    Value step = e.asFloats(e.broadcast(e.loadScalar(op.getWeights(), e.index(padded + output))));
    Value sum = e.toFloats(arith::AddIOp::create(e.b, e.loc, sums, start));
    return e.fma(sum, e.mulf(step, e.splat(op.getInputScale().convertToFloat())),
                 e.loadBroadcast(op.getBias(), e.index(output)));
  };
  int64_t mostPixels = e.target.registers >= 32 ? 8 : 2;
  emitPlanar(e, op, {2 * padded, mostPixels, e.splatWord(0), multiplyAdd, finish});
  if (op.getTanh())
    emitTanh(whole, op.getPlanes(), op.getThread(), op.getThreads());
}
