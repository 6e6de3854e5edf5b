//===- LowerDecoder.cpp - the entry that makes pictures ---------*- C++ -*-===//

#include "Lowering.h"
#include "Team.h"
#include "un0/format.h"

using namespace mlir;
using namespace un0;
using un0::cpu::kLine;
using un0::cpu::Packing;
using un0::cpu::padToLine;

namespace un0 {
/// `un0_decode` being built: convolutions that all images pass together, then a loop over images.
/// Or, with a team, the entry in which threads share the convolutions of one image.
struct DecodeBuilder {
  CpuLowering &lowering;
  OpBuilder &b;
  Location loc;
  int64_t batch;
  Value count, observed; // observed: where images are kept, or null
  int64_t observedBytes = 0;
  Value clock = {}, clockData = {}; // a function to call behind every convolution, or null
  TeamBuilder team{b, loc, {}, {}, {}, {}};

  Value index(int64_t i) { return arith::ConstantIndexOp::create(b, loc, i); }
  FloatAttr toF32(const APFloat &value) {
    return b.getF32FloatAttr(static_cast<float>(value.convertToDouble()));
  }
  void forEachImage(function_ref<void(Value image)> body) {
    auto loop = scf::ForOp::create(b, loc, index(0), count, index(1));
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    body(loop.getInductionVar());
  }
  /// Where one convolution's time ends and the next one's begins.
  void mark() {
    if (clock)
      cpu::BarrierOp::create(b, loc, clock, clockData);
  }
  /// Number `image` of a batch; what is no batch of images (rank `rank`) is returned as it is.
  Value of(Value memory, Value image, int64_t rank = 4) {
    auto type = cast<MemRefType>(memory.getType());
    if (type.getRank() == rank)
      return memory;
    SmallVector<OpFoldResult> offsets(type.getRank(), b.getIndexAttr(0)), sizes,
        strides(type.getRank(), b.getIndexAttr(1));
    offsets.front() = image;
    for (int64_t size : type.getShape())
      sizes.push_back(b.getIndexAttr(size));
    sizes.front() = b.getIndexAttr(1);
    auto one = memref::SubViewOp::inferRankReducedResultType(type.getShape().drop_front(), type,
                                                             offsets, sizes, strides);
    return memref::SubViewOp::create(b, loc, one, memory, offsets, sizes, strides);
  }
  /// `buffer`, which every thread of a team has for itself.
  Value own(Value buffer) {
    if (team.thread)
      buffer.getDefiningOp()->setAttr(cpu::kOwnAttr, b.getUnitAttr());
    return buffer;
  }
  /// What the threads of a team share of a convolution in `form`, which reads `weights` and
  /// `inputBytes`.
  cpu::ConvSplitAttr chooseSplit(un0::Conv2DOp conv, cpu::ConvForm form, Value weights,
                                 int64_t inputBytes, Value output);
  /// An image as large as the tensor `like`, or a batch of them.
  Value allocImage(Value like, bool bytes, bool batched) {
    SmallVector<int64_t> shape = {
        static_cast<int64_t>(llvm::divideCeil(dim(like, 1), bytes ? 4 * kLine : kLine)),
        dim(like, 2) + 2, dim(like, 3) + 2, kLine};
    if (batched)
      shape.insert(shape.begin(), batch);
    return bytes ? lowering.allocWords(shape) : lowering.alloc(shape);
  }
  /// Where the output of `conv` goes, which `reader` reads.
  Value makeOutput(un0::Conv2DOp conv, un0::Conv2DOp reader, bool batched) {
    if (readsBytes(reader) || !observed)
      return allocImage(conv.getOutput(), readsBytes(reader), batched);
    MemRefType type =
        lowering.f32({padToLine(dim(conv.getOutput(), 1)) / kLine, dim(conv.getOutput(), 2) + 2,
                      dim(conv.getOutput(), 3) + 2, kLine});
    Value at = index(observedBytes);
    observedBytes += type.getNumElements() * 4;
    return memref::ViewOp::create(b, loc, type, observed, at, ValueRange());
  }
  /// The ring of padding around an image that `conv` reads.
  void padFor(un0::Conv2DOp conv, Value image) {
    if (readsBytes(conv))
      cpu::FillRingOp::create(b, loc, image, b.getI64IntegerAttr(*conv.getInputZeroPoint()));
    else
      cpu::ZeroOp::create(b, loc, image, b.getUnitAttr());
  }
  void scatter(un0::Conv2DOp conv, Value features, Value image) {
    IntegerAttr inputs = b.getI64IntegerAttr(dim(conv.getInput(), 1));
    if (!readsBytes(conv)) {
      cpu::ZeroOp::create(b, loc, image, UnitAttr());
      cpu::ScatterFeaturesOp::create(b, loc, features, image, inputs);
      return;
    }
    padFor(conv, image);
    cpu::ScatterBytesOp::create(b, loc, features, image, inputs, toF32(*conv.getInputScale()),
                                b.getI64IntegerAttr(*conv.getInputZeroPoint()));
  }
  void convolve(un0::Conv2DOp conv, un0::Conv2DOp next, const ConvSchedule &schedule, Value input,
                Value output);
  void finish(un0::Conv2DOp conv, Value input, Value planes);
};

/// Groups of output channels that threads share although there are more rows of points.
static constexpr int64_t kFewGroups = 4;

cpu::ConvSplitAttr DecodeBuilder::chooseSplit(un0::Conv2DOp conv, cpu::ConvForm form, Value weights,
                                              int64_t inputBytes, Value output) {
  if (!team.thread)
    return {};
  int64_t weightBytes = 4 * cast<MemRefType>(weights.getType()).getNumElements();
  // The channels of one line of bytes are more than a group, and threads that write to the same
  // line wait for each other.
  bool manyLines = !cpu::holdsBytes(output) || dim(output, 0) > 1;
  // With planes nobody takes a part of a group, so that fewer would leave threads idle.
  int64_t groups =
      llvm::divideCeil(dim(conv.getOutput(), 1), lowering.getGroup() * lowering.target.lanes);
  bool byGroups = weightBytes > inputBytes && manyLines &&
                  groups >= std::min(cpu::getPointRows(conv, form), kFewGroups);
  return cpu::ConvSplitAttr::get(b.getContext(),
                                 byGroups ? cpu::ConvSplit::Groups : cpu::ConvSplit::Rows);
}

void DecodeBuilder::convolve(un0::Conv2DOp conv, un0::Conv2DOp next, const ConvSchedule &schedule,
                             Value input, Value output) {
  Location loc = lowering.locate(conv.getWeight(), conv.getLoc());
  Value images = schedule.batched && !team.thread ? count : Value();
  Value weights = lowering.packed(lowering.convPlaces[conv].weight);
  Value bias = lowering.packed(lowering.convPlaces[conv].bias);
  FloatAttr slope;
  if (conv.getActivation() == Activation::LeakyRelu)
    slope = toF32(*conv.getSlope());
  // What the next one reads is written at once.
  FloatAttr scale;
  if (readsBytes(next))
    scale = toF32(*next.getInputScale());
  IntegerAttr zeroPoint = next.getInputZeroPointAttr();
  int64_t channels = dim(conv.getInput(), 1);
  IntegerAttr lanes = b.getI64IntegerAttr(lowering.target.lanes),
              group = b.getI64IntegerAttr(lowering.getGroup());
  int64_t inputBytes = 4 * cast<MemRefType>(input.getType()).getNumElements();
  bool bytes = readsBytes(conv), direct = schedule.form == cpu::ConvForm::Direct;
  FloatAttr inputScale;
  if (bytes)
    inputScale = toF32(*conv.getInputScale());
  if (direct && bytes) {
    Value scratch;
    if (lowering.target.hasByteTiles() && !team.thread)
      scratch = lowering.allocWords({cpu::kMatrixScratch});
    cpu::Conv2DBytesOp::create(b, loc, input, weights, bias, output, images, team.thread,
                               team.threads, scratch, b.getI64IntegerAttr(channels), inputScale,
                               scale, zeroPoint, conv.getUpsampleAttr(), slope, lanes, group,
                               chooseSplit(conv, schedule.form, weights, inputBytes, output));
  } else if (direct) {
    cpu::Conv2DOp::create(b, loc, input, weights, bias, output, images, team.thread, team.threads,
                          scale, zeroPoint, b.getI64IntegerAttr(channels), conv.getUpsampleAttr(),
                          slope, lanes, group,
                          chooseSplit(conv, schedule.form, weights, inputBytes, output));
  } else {
    cpu::PlaneShape shape = cpu::getPlaneShape(schedule.form);
    int64_t together = team.thread ? 1 : schedule.images;
    int64_t columns = dim(conv.getInput(), 3) / shape.step;
    int64_t points = together * schedule.rows * columns;
    int64_t padded =
        cpu::padToLanes(bytes ? cpu::getSummedPairs(channels) : channels, lowering.target.lanes);
    auto scratch = [&](int64_t count, int64_t perPoint) {
      // A point more than there are: planes at multiples of 4 KB would share few cache sets.
      SmallVector<int64_t> shape = {count, points + 1, perPoint};
      return own(bytes ? lowering.allocWords(shape) : lowering.alloc(shape));
    };
    Value transformed = scratch(shape.getAllValues(), padded),
          products = scratch(shape.getAllPlanes(), lowering.getGroup() * lowering.target.lanes);
    inputBytes =
        4 * shape.getAllValues() * cpu::getPointRows(conv, schedule.form) * columns * padded;
    cpu::Conv2DPlanesOp::create(b, loc, input, weights, bias, output, transformed, products, images,
                                team.thread, team.threads, inputScale, scale, zeroPoint,
                                cpu::ConvFormAttr::get(b.getContext(), schedule.form),
                                b.getI64IntegerAttr(channels), b.getI64IntegerAttr(together),
                                b.getI64IntegerAttr(schedule.rows), slope, lanes, group,
                                chooseSplit(conv, schedule.form, weights, inputBytes, output));
  }
  mark();
}

void DecodeBuilder::finish(un0::Conv2DOp conv, Value input, Value planes) {
  Location loc = lowering.locate(conv.getWeight(), conv.getLoc());
  UnitAttr tanh = conv.getActivation() == Activation::Tanh ? b.getUnitAttr() : UnitAttr();
  Value weights = lowering.packed(lowering.convPlaces[conv].weight);
  Value bias = lowering.packed(lowering.convPlaces[conv].bias);
  if (readsBytes(conv))
    cpu::Conv2DPlanarBytesOp::create(b, loc, input, weights, bias, planes, team.thread,
                                     team.threads, toF32(*conv.getInputScale()), tanh);
  else
    cpu::Conv2DPlanarOp::create(b, loc, input, weights, bias, planes, team.thread, team.threads,
                                tanh);
  mark();
}
} // namespace un0

void CpuLowering::buildDecode() {
  bool observed = module->hasAttr(cpu::kObserveAttr);
  int64_t batch = getDecodeBatch();
  SmallVector<Type> types = {f32({batch, chain.features}),
                             f32({batch, chain.channels, chain.height, chain.width}),
                             b.getI64Type()};
  if (observed) {
    types.push_back(MemRefType::get({getObservedBytes()}, b.getI8Type()));
    module->setAttr(cpu::kObserveAttr, b.getI64IntegerAttr(getObservedBytes()));
  }
  if (module->hasAttr(cpu::kTimedAttr))
    types.append(2, LLVM::LLVMPointerType::get(b.getContext()));
  func::FuncOp func = beginEntry("decode", batch, types);
  Value features = func.getArgument(2), images = func.getArgument(3);
  Value count = arith::IndexCastOp::create(b, loc, b.getIndexType(), func.getArgument(4));
  DecodeBuilder decode{*this, b,     loc,
                       batch, count, observed ? Value(func.getArgument(5)) : Value()};
  if (module->hasAttr(cpu::kTimedAttr)) {
    decode.clock = func.getArguments().drop_back().back();
    decode.clockData = func.getArguments().back();
    decode.mark();
  }
  // Big weights first: all images together.
  un0::Conv2DOp front = chain.convs.front();
  Value current;
  size_t next = 0;
  if (schedules.front().batched) {
    current = decode.allocImage(front.getInput(), readsBytes(front), true);
    decode.forEachImage(
        [&](Value i) { decode.scatter(front, decode.of(features, i, 1), decode.of(current, i)); });
  }
  for (; schedules[next].batched; ++next) {
    un0::Conv2DOp conv = chain.convs[next], reader = chain.convs[next + 1];
    Value output = decode.makeOutput(conv, reader, true);
    decode.forEachImage([&](Value i) { decode.padFor(reader, decode.of(output, i)); });
    decode.convolve(conv, reader, schedules[next], current, output);
    current = output;
  }
  decode.forEachImage([&](Value i) {
    if (current) {
      current = decode.of(current, i);
    } else {
      current = decode.allocImage(front.getInput(), readsBytes(front), false);
      decode.scatter(front, decode.of(features, i, 1), current);
    }
    for (; next + 1 < chain.convs.size(); ++next) {
      un0::Conv2DOp conv = chain.convs[next], reader = chain.convs[next + 1];
      Value output = decode.makeOutput(conv, reader, false);
      decode.padFor(reader, output);
      decode.convolve(conv, reader, schedules[next], current, output);
      current = output;
    }
    decode.finish(chain.convs.back(), current, decode.of(images, i, 3));
  });
  func::ReturnOp::create(b, loc);
}

bool CpuLowering::paysToShareDecoder() const {
  // Convolutions of this size take some 5 to 20 us, and each ends with a barrier.
  constexpr uint64_t leastMultiplyAdds = 1 << 20;
  if (module->hasAttr(cpu::kObserveAttr) || module->hasAttr(cpu::kTimedAttr) ||
      !hasCoupling(int64_t(UN0_LEAST_SPLIT_BYTES)))
    return false;
  uint64_t multiplyAdds = 0;
  for (un0::Conv2DOp conv : chain.convs)
    multiplyAdds += cast<CostOpInterface>(conv.getOperation()).getCost().multiplyAdds;
  return multiplyAdds >= leastMultiplyAdds * chain.convs.size();
}

void CpuLowering::buildDecodeTeam() {
  Type pointer = LLVM::LLVMPointerType::get(b.getContext());
  func::FuncOp func = beginEntry(
      "decode_team", 1,
      {f32({chain.features}), f32({chain.channels, chain.height, chain.width}),
       MemRefType::get({0}, b.getI8Type()), b.getI64Type(), b.getI64Type(), pointer, pointer});
  func->setAttr(cpu::kOwnArenaAttr, b.getI64IntegerAttr(4));
  DecodeBuilder decode{*this, b, loc, 1, Value(), Value()};
  TeamBuilder &team = decode.team;
  team.thread = arith::IndexCastOp::create(b, loc, b.getIndexType(), func.getArgument(5));
  team.threads = arith::IndexCastOp::create(b, loc, b.getIndexType(), func.getArgument(6));
  team.barrier = func.getArgument(7);
  team.data = func.getArgument(8);
  // Few features, which all would have to wait for: everybody has a copy.
  un0::Conv2DOp front = chain.convs.front();
  Value current = decode.own(decode.allocImage(front.getInput(), readsBytes(front), false));
  decode.scatter(front, func.getArgument(2), current);
  for (auto [i, schedule] : llvm::enumerate(ArrayRef(schedules).drop_back())) {
    un0::Conv2DOp conv = chain.convs[i], reader = chain.convs[i + 1];
    Value output = decode.makeOutput(conv, reader, false);
    team.once([&] { decode.padFor(reader, output); });
    decode.convolve(conv, reader, schedule, current, output);
    team.wait();
    current = output;
  }
  decode.finish(chain.convs.back(), current, func.getArgument(3));
  func::ReturnOp::create(b, loc);
}

int64_t CpuLowering::getObservedBytes() {
  int64_t bytes = 0;
  for (un0::Conv2DOp conv : chain.convs)
    bytes += padToLine(dim(conv.getInput(), 1)) * (dim(conv.getInput(), 2) + 2) *
             (dim(conv.getInput(), 3) + 2) * 4;
  return bytes;
}
