//===- EmitPlanes.cpp - convolutions in fewer products, as vectors -*- C++ -*-===//
//
// For some rows of some images: all input channels are transformed, then each group of output
// channels is multiplied plane by plane and transformed back. The products are those of a 1x1
// convolution, so one register tile serves every form: points x output channels, input channels
// streaming by. Bytes become 16-bit numbers, two input channels to a word, and what is said here of
// channels holds for pairs of them.
//
//===----------------------------------------------------------------------===//

#include "Emitter.h"
#include "PlaneTransforms.h"
#include <numeric>

using namespace mlir;
using namespace un0;
using un0::cpu::kLine;
using Carried = Emitter::Carried;

/// Input channels per iteration of the innermost loop.
static constexpr int64_t kChannelUnroll = 4;
/// Tiles of points that share in asking for the next plane's weights.
static constexpr int64_t kMostParts = 4;

namespace {

/// Vector arithmetic for the transforms.
struct VectorArithmetic {
  Emitter &e;
  Value add(Value x, Value y) { return e.addf(x, y); }
  Value sub(Value x, Value y) { return e.subf(x, y); }
  Value mul(double factor, Value x) { return e.mulf(e.splat(static_cast<float>(factor)), x); }
  Value fma(double factor, Value x, Value y) {
    return e.fma(e.splat(static_cast<float>(factor)), x, y);
  }
};

/// Whole numbers: of 16 bits for pixels, of 32 for products.
struct WholeArithmetic {
  Emitter &e;
  Value add(Value x, Value y) { return arith::AddIOp::create(e.b, e.loc, x, y); }
  Value sub(Value x, Value y) { return arith::SubIOp::create(e.b, e.loc, x, y); }
  Value shift(Value x, int64_t bits) {
    auto type = cast<VectorType>(x.getType());
    auto count = DenseElementsAttr::get(type, APInt(type.getElementTypeBitWidth(), bits));
    return arith::ShLIOp::create(e.b, e.loc, x, arith::ConstantOp::create(e.b, e.loc, count));
  }
};

class PlaneNest {
public:
  PlaneNest(Emitter &e, cpu::Conv2DPlanesOp op)
      : e(e), op(op), form(op.getForm()), shape(cpu::getPlaneShape(form)), sides(shape.planes),
        rows(static_cast<int64_t>(op.getRows())), bytes(cpu::holdsBytes(op.getInput())) {
    ArrayRef<int64_t> in = Emitter::shape(op.getInput()).take_back(4);
    columns = (in[2] - 2) / shape.step;
    allRows = (in[1] - 2) / shape.step;
    auto real = static_cast<int64_t>(op.getChannels());
    channels = bytes ? cpu::getSummedPairs(real) : cpu::getSummedChannels(real);
    inputs = cpu::padToLanes(bytes ? channels : real, e.lanes) / e.lanes;
    perVector = cpu::getPlaneWords(form, bytes, real, e.lanes);
    vectors = Emitter::shape(op.getWeights())[0] / perVector;
  }

  void emit();

private:
  /// Whether a transform of `values` vectors is written out at once: with 16 registers the 20 of
  /// upsampled pixels and not the 36 of F(4x4, 3x3). A few of them spilled take less time than two
  /// loops through memory (Zen 3, int8, N = 1024, when there were 24: 0.93 of the decoder's), more
  /// do not.
  bool fits(int64_t values) const { return values <= e.target.registers + 8; }
  /// Registers of transformed input that a block of an image's channels makes.
  int64_t getPartsPerBlock() const { return (bytes ? 2 : 1) * kLine / e.lanes; }
  /// A register of transformed bytes.
  VectorType getPixelType() { return VectorType::get({2 * e.lanes}, e.b.getI16Type()); }
  void forEachPoint(function_ref<void(Value image, Value row, Value column, Value point)> body);
  Value loadPixel(Value image, Value block, Value y, Value x, int64_t part);
  SmallVector<Value> transformPixels(ArrayRef<Value> pixels);
  SmallVector<Value> transformProducts(ArrayRef<Value> products);
  void transformInput();
  /// What a plane multiplies, in `transformed` and in the weights, and its number in `products`.
  struct Plane {
    Value value, weightAt, number;
  };
  void transformAt(Value image, Value row, Value column, Value point, Value block, int64_t part);
  void forEachPlane(Value weightAt, int64_t width, function_ref<void(const Plane &)> body);
  void multiply(Value weightAt, int64_t width);
  /// Asks for one of `parts` parts of the next plane's weights meanwhile; for none with 0.
  void multiplyTile(const Plane &plane, Value point, int64_t points, int64_t width, Value part,
                    int64_t parts);
  void transformOutput(Value firstVector, int64_t width);
  Value multiplyAdd(Value sum, Value x, Value weight) {
    return bytes ? e.dot(cpu::DotKind::S16, sum, x, weight) : e.fma(x, weight, sum);
  }
  /// Words of starting sums and scales before the weights of `width` registers.
  int64_t getHead(int64_t width) const {
    int64_t kernels = cpu::getKernels(form);
    return bytes ? 2 * kernels * kernels * width * e.lanes : 0;
  }
  /// Number of a plane, and of the value that it multiplies, in both dimensions.
  Value plane(Value i, Value j) { return e.add(e.mul(i, sides), j); }
  Value valueAt(Value i, Value j) { return e.add(e.mul(i, shape.values), j); }
  Value valueOfPlane(Value i);

  Emitter &e;
  cpu::Conv2DPlanesOp op;
  cpu::ConvForm form;
  cpu::PlaneShape shape;
  int64_t sides, rows, columns, allRows, channels;
  int64_t inputs, vectors, perVector; // registers of input and output channels, and of a weight
  bool bytes;
  // Of the part at hand.
  Value firstImage, imageCount, firstRow, rowCount, pointCount;
};

void PlaneNest::forEachPoint(
    function_ref<void(Value image, Value row, Value column, Value point)> body) {
  e.loop(e.index(0), imageCount, 1, [&](Value image) {
    Value imageAt = e.mul(image, rows * columns);
    e.loop(e.index(0), rowCount, 1, [&](Value row) {
      Value rowAt = e.add(imageAt, e.mul(row, columns));
      e.loop(0, columns, 1, [&](Value column) {
        body(e.add(firstImage, image), e.add(firstRow, row), column, e.add(rowAt, column));
      });
    });
  });
}

Value PlaneNest::loadPixel(Value image, Value block, Value y, Value x, int64_t part) {
  Value at = e.index(part * (bytes ? e.lanes / 2 : e.lanes));
  SmallVector<Value> place = pixelOf(op.getInput(), image, {block, y, x, at});
  if (!bytes)
    return e.load(op.getInput(), place);
  // Half a register of bytes is one of 16-bit numbers.
  auto words = VectorType::get({e.lanes / 2}, e.b.getI32Type());
  auto numbers = VectorType::get({2 * e.lanes}, e.b.getI8Type());
  Value packed = vector::LoadOp::create(e.b, e.loc, words, op.getInput(), place);
  packed = vector::BitCastOp::create(e.b, e.loc, numbers, packed);
  return arith::ExtUIOp::create(e.b, e.loc, getPixelType(), packed);
}

SmallVector<Value> PlaneNest::transformPixels(ArrayRef<Value> pixels) {
  if (bytes)
    return transformWholePixels<WholeArithmetic, Value>(form, WholeArithmetic{e}, pixels);
  return un0::transformPixels<VectorArithmetic, Value>(form, VectorArithmetic{e}, pixels);
}

SmallVector<Value> PlaneNest::transformProducts(ArrayRef<Value> products) {
  if (bytes)
    return transformWholeProducts<WholeArithmetic, Value>(form, WholeArithmetic{e}, products);
  return un0::transformProducts<VectorArithmetic, Value>(form, VectorArithmetic{e}, products);
}

void PlaneNest::transformAt(Value image, Value row, Value column, Value point, Value block,
                            int64_t part) {
  int64_t pixels = shape.getPixels();
  Value y = e.mul(row, shape.step), x = e.mul(column, shape.step);
  Value lane = e.add(e.mul(block, getPartsPerBlock() * e.lanes), part * e.lanes);
  auto put = [&](Value value, Value i, Value j) {
    e.store(bytes ? e.asWords(value) : value, op.getTransformed(), {valueAt(i, j), point, lane});
  };
  auto get = [&](Value i, Value j) -> Value {
    Value value = e.load(op.getTransformed(), {valueAt(i, j), point, lane});
    return bytes ? vector::BitCastOp::create(e.b, e.loc, getPixelType(), value) : value;
  };
  auto pixelAt = [&](Value i, Value j) {
    return loadPixel(image, block, e.add(y, i), e.add(x, j), part);
  };
  if (fits(shape.values * pixels))
    return transformSquare<Value>(
        pixels, [&](int64_t i, int64_t j) { return pixelAt(e.index(i), e.index(j)); },
        [&](ArrayRef<Value> line) { return transformPixels(line); },
        [&](int64_t i, ArrayRef<Value> line) {
          for (auto [j, value] : llvm::enumerate(line))
            put(value, e.index(i), e.index(j));
        });
  assert(pixels <= shape.values && "there is room for the first half");
  // More values than registers: the first half goes through where the result will be.
  e.loop(0, pixels, 1, [&](Value j) {
    SmallVector<Value> column;
    for (int64_t i = 0; i < pixels; ++i)
      column.push_back(pixelAt(e.index(i), j));
    for (auto [i, value] : llvm::enumerate(transformPixels(column)))
      put(value, e.index(i), j);
  });
  e.loop(0, shape.values, 1, [&](Value i) {
    SmallVector<Value> line;
    for (int64_t j = 0; j < pixels; ++j)
      line.push_back(get(i, e.index(j)));
    for (auto [j, value] : llvm::enumerate(transformPixels(line)))
      put(value, i, e.index(j));
  });
}

void PlaneNest::transformInput() {
  int64_t perBlock = getPartsPerBlock(), blocks = inputs / perBlock;
  auto transformBlock = [&](Value block, int64_t parts) {
    forEachPoint([&](Value image, Value row, Value column, Value point) {
      for (int64_t part = 0; part < parts; ++part)
        transformAt(image, row, column, point, block, part);
    });
  };
  e.loop(0, blocks, 1, [&](Value block) { transformBlock(block, perBlock); });
  if (inputs % perBlock)
    transformBlock(e.index(blocks), inputs % perBlock);
}

/// `getValue` of the form's shape.
Value PlaneNest::valueOfPlane(Value i) {
  if (!shape.sharesValue())
    return i;
  Value behind =
      arith::CmpIOp::create(e.b, e.loc, arith::CmpIPredicate::ugt, i, e.index(cpu::kSharingPlane));
  Value before = arith::SubIOp::create(e.b, e.loc, i, e.index(1));
  return arith::SelectOp::create(e.b, e.loc, behind, before, i);
}

void PlaneNest::multiplyTile(const Plane &plane, Value point, int64_t points, int64_t width,
                             Value part, int64_t parts) {
  int64_t perChannel = width * e.lanes;
  // Lines of the next plane's weights to ask for while four channels are multiplied.
  int64_t lines = parts ? kChannelUnroll * perChannel / parts / kLine : 0;
  Value next = lines ? e.add(e.add(plane.weightAt, e.mul(part, channels * perChannel / parts)),
                             channels * perChannel)
                     : Value();
  Carried sums(points * width, bytes ? e.splatWord(0) : e.splat(0));
  sums = e.loop(0, channels, kChannelUnroll, sums, [&](Value first, ValueRange carried) {
    Carried acc(carried);
    Value stream = e.add(plane.weightAt, e.mul(first, perChannel));
    for (int64_t c = 0; c < kChannelUnroll; ++c) {
      SmallVector<Value> weight;
      for (int64_t v = 0; v < width; ++v)
        weight.push_back(e.load(op.getWeights(), e.add(stream, (c * width + v) * e.lanes)));
      for (int64_t l = 0; l < lines; ++l)
        if (l * kChannelUnroll / lines == c)
          e.prefetch(op.getWeights(),
                     e.add(e.add(next, e.mul(first, perChannel / parts)), l * kLine));
      for (int64_t p = 0; p < points; ++p) {
        Value value =
            e.loadBroadcast(op.getTransformed(), {plane.value, e.add(point, p), e.add(first, c)});
        for (int64_t v = 0; v < width; ++v)
          acc[p * width + v] = multiplyAdd(acc[p * width + v], value, weight[v]);
      }
    }
    return acc;
  });
  for (int64_t p = 0; p < points; ++p)
    for (int64_t v = 0; v < width; ++v)
      e.store(sums[p * width + v], op.getProducts(),
              {plane.number, e.add(point, p), e.index(v * e.lanes)});
}

void PlaneNest::forEachPlane(Value weightAt, int64_t width,
                             function_ref<void(const Plane &)> body) {
  e.loop(0, sides, 1, [&](Value i) {
    e.loop(0, sides, 1, [&](Value j) {
      Value number = plane(i, j);
      body({valueAt(valueOfPlane(i), valueOfPlane(j)),
            e.add(weightAt, e.mul(number, channels * width * e.lanes)), number});
    });
  });
}

void PlaneNest::multiply(Value weightAt, int64_t width) {
  // A share of rows is any number of them.
  bool byRows = op.getSplit() == cpu::ConvSplit::Rows;
  // Sums of whole numbers wait for no latency, but products need registers on their way to them.
  int64_t whole = bytes && e.target.registers < 32 ? 8 / width : countPixels(e, width),
          perImage = rows * columns;
  int64_t rest = llvm::bit_floor(static_cast<uint64_t>(std::min<int64_t>(whole, 8)));
  while ((byRows ? columns : perImage) % rest)
    rest /= 2;
  // As many points in whole tiles as leave whole small ones.
  int64_t together = std::lcm(whole, rest);
  forEachPlane(weightAt, width, [&](const Plane &plane) {
    Value end = pointCount;
    if (rest < whole) {
      end = arith::DivUIOp::create(e.b, e.loc, pointCount, e.index(together));
      end = e.mul(end, together);
    }
    // The first points ask for the weights of the next plane, which the hardware does not see
    // coming from beyond the second-level cache, each for as large a part: memory is slower than
    // one tile would like to have them all. Few points at a time read weights again and again, so
    // that all but the first find them nearer. Of shared rows it is not known here how many points
    // a thread has.
    int64_t few = perImage < together ? 1 : 0, parts = 0;
    if (!few && !byRows) {
      parts = llvm::bit_floor(
          static_cast<uint64_t>(std::min(kMostParts, perImage / together * together / whole)));
      parts = std::min(parts, kChannelUnroll * width * e.lanes / kLine);
    }
    e.loop(0, parts, 1,
           [&](Value part) { multiplyTile(plane, e.mul(part, whole), whole, width, part, parts); });
    e.loop(e.index(parts * whole), end, whole,
           [&](Value point) { multiplyTile(plane, point, whole, width, e.index(0), few); });
    if (rest < whole)
      e.loop(end, pointCount, rest,
             [&](Value point) { multiplyTile(plane, point, rest, width, e.index(0), few); });
  });
}

void PlaneNest::transformOutput(Value firstVector, int64_t width) {
  int64_t outputs = shape.outputs, kernels = cpu::getKernels(form);
  Value head = e.mul(firstVector, perVector);
  for (int64_t v = 0; v < width; ++v) {
    Value position = e.add(e.mul(firstVector, e.lanes), v * e.lanes), lane = e.index(v * e.lanes);
    ChannelPlace place = placeChannels(e, op.getOutput(), position);
    Value bias = e.load(op.getBias(), position);
    SmallVector<Value> starts, steps; // of each kernel
    for (int64_t kernel = 0; bytes && kernel < kernels * kernels; ++kernel) {
      Value at = e.add(head, (2 * kernel * width + v) * e.lanes);
      starts.push_back(e.load(op.getWeights(), at));
      steps.push_back(loadSteps(e, op.getWeights(), e.add(at, width * e.lanes), *op.getInputScale(),
                                op.getScale(), cpu::getPlaneFactor(form)));
    }
    Value divided = bytes ? divideBy(e, bias, op.getScale()) : bias;
    auto finish = [&](Value value, int64_t kernel) -> Value {
      if (!bytes)
        return divideBy(e, emitLeaky(e, e.addf(value, bias), op.getSlope()), op.getScale());
      // 576 times the sum becomes 64 times it.
      if (form == cpu::ConvForm::Winograd4)
        value = arith::MulIOp::create(e.b, e.loc, value, e.splatWord(kNinth));
      value = arith::AddIOp::create(e.b, e.loc, value, starts[kernel]);
      return emitLeaky(e, e.fma(e.toFloats(value), steps[kernel], divided), op.getSlope());
    };
    forEachPoint([&](Value image, Value row, Value column, Value point) {
      Value y = e.add(e.mul(row, outputs), 1), x = e.add(e.mul(column, outputs), 1);
      transformSquare<Value>(
          sides,
          [&](int64_t i, int64_t j) {
            return e.load(op.getProducts(), {plane(e.index(i), e.index(j)), point, lane});
          },
          [&](ArrayRef<Value> line) { return transformProducts(line); },
          [&](int64_t i, ArrayRef<Value> line) {
            for (int64_t j = 0; j < outputs; ++j)
              storeChannels(e, finish(line[j], i % kernels * kernels + j % kernels),
                            op.getZeroPoint(), op.getOutput(), image, place, e.add(y, i),
                            e.add(x, j));
          });
    });
  }
}

void PlaneNest::emit() {
  auto group = static_cast<int64_t>(op.getGroup()), images = static_cast<int64_t>(op.getImages());
  int64_t whole = vectors / group, rest = vectors % group;
  auto groupOf = [&](Value firstVector, int64_t width) {
    multiply(e.add(e.mul(firstVector, perVector), getHead(width)), width);
    transformOutput(firstVector, width);
  };
  // A thread takes whole groups of all rows, or all groups of some rows.
  auto split = op.getSplit();
  auto shareOf = [&](cpu::ConvSplit what, int64_t count) {
    return e.share(split == what ? op.getThread() : Value(), op.getThreads(), count);
  };
  auto groups = shareOf(cpu::ConvSplit::Groups, whole + (rest ? 1 : 0));
  Value lastWhole = arith::MinUIOp::create(e.b, e.loc, groups.second, e.index(whole));
  auto part = [&](Value row) {
    firstRow = row;
    transformInput();
    e.loop(groups.first, lastWhole, 1, [&](Value g) { groupOf(e.mul(g, group), group); });
    if (rest)
      e.loop(lastWhole, groups.second, 1, [&](Value) { groupOf(e.index(whole * group), rest); });
  };
  auto allRowsOf = [&](Value first, Value count) {
    firstImage = first;
    imageCount = count;
    auto [from, to] = shareOf(cpu::ConvSplit::Rows, allRows);
    if (split == cpu::ConvSplit::Groups) {
      // Without a group there is nothing to transform for.
      Value idle =
          arith::CmpIOp::create(e.b, e.loc, arith::CmpIPredicate::eq, groups.first, groups.second);
      to = arith::SelectOp::create(e.b, e.loc, idle, from, to);
    }
    e.loop(from, to, rows, [&, to = to](Value row) {
      rowCount = e.index(rows);
      if (split == cpu::ConvSplit::Rows)
        rowCount = arith::MinUIOp::create(e.b, e.loc, arith::SubIOp::create(e.b, e.loc, to, row),
                                          rowCount);
      pointCount = arith::MulIOp::create(e.b, e.loc, count, e.mul(rowCount, columns));
      part(row);
    });
  };
  if (!op.getCount())
    return allRowsOf(e.index(0), e.index(1));
  e.loop(e.index(0), op.getCount(), images, [&](Value first) {
    Value left = arith::SubIOp::create(e.b, e.loc, op.getCount(), first);
    allRowsOf(first, arith::MinUIOp::create(e.b, e.loc, left, e.index(images)));
  });
}

} // namespace

void un0::emitConv2DPlanes(Emitter &e, cpu::Conv2DPlanesOp op) { PlaneNest(e, op).emit(); }
