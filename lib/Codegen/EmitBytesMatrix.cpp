//===- EmitBytesMatrix.cpp - convolutions on a matrix unit ------*- C++ -*-===//
//
// A convolution of bytes where the processor multiplies tiles of 16 x 64 bytes (AMX). 64 channels
// of 16 pixels side by side are a tile as they lie in an image, a line of words by 16 output
// channels is a row of one in the packed weights, and the sums are a row per pixel: nothing is
// moved.
//
// Pixels are counted through the image and its ring, so that tiles are full in narrow images too;
// what becomes of the ring's is left where it is.
//
//===----------------------------------------------------------------------===//

#include "Emitter.h"

using namespace mlir;
using namespace un0;
using un0::cpu::kLeftTiles;
using un0::cpu::kLine;
using un0::cpu::kRightTiles;
using un0::cpu::kSumTiles;
using un0::cpu::kTileWords;

/// Pixels of a tile, and of the two that meet the same weights.
static constexpr int64_t kPixels = 16, kBothPixels = 2 * kPixels;

static int64_t getWords(cpu::Conv2DBytesOp op) {
  return llvm::divideCeil(static_cast<int64_t>(op.getChannels()), 4);
}
/// Words of input channels of a tile: as many as divide all of them.
static int64_t getDepth(int64_t words) { return words % 16 == 0 ? 16 : words % 8 == 0 ? 8 : 4; }
/// From the first pixel of an image to the last, with the ring's between them.
static int64_t countPositions(ArrayRef<int64_t> image) {
  int64_t height = image[1] - 2, width = image[2] - 2;
  return (height - 1) * image[2] + width;
}

bool un0::fitsMatrixUnit(const Emitter &e, cpu::Conv2DBytesOp op) {
  return e.target.hasByteTiles() && op.getScratch() && !op.getThread() && op.getGroup() <= 2 &&
         getWords(op) % 4 == 0 &&
         countPositions(Emitter::shape(op.getInput()).take_back(4)) >= kPixels;
}

namespace {
/// One convolution over some groups of output channels.
struct MatrixNest : ByteGroups {
  MatrixNest(Emitter &e, cpu::Conv2DBytesOp op, ByteGroups groups, Value flat)
      : ByteGroups(groups), e(e), op(op), flat(flat) {}

  Emitter &e;
  cpu::Conv2DBytesOp op;
  Value flat; // all input words in one dimension
  Value image = nullptr;

  int64_t taps() { return op.getUpsample() ? 2 : 3; }
  int64_t phases() { return op.getUpsample() ? 2 : 1; }
  int64_t channels() { return vectors * e.lanes; }
  ArrayRef<int64_t> in() { return Emitter::shape(op.getInput()).take_back(4); }

  void emit() {
    int64_t perPhase = cpu::getByteWeightWords(op.getChannels(), taps() * taps(), channels());
    int64_t positions = countPositions(in());
    e.loop(0, count, 1, [&](Value group) {
      Value groupAt = e.add(e.mul(group, perPhase * phases() * phases()), weightStart);
      Value position = e.add(e.mul(group, channels()), firstVector * e.lanes);
      e.loop(0, phases(), 1, [&](Value py) {
        e.loop(0, phases(), 1, [&](Value px) {
          Value at = e.add(groupAt, e.mul(e.add(e.mul(py, phases()), px), perPhase));
          SmallVector<ByteEpilogue> epilogues;
          for (int64_t v = 0; v < vectors; ++v)
            epilogues.emplace_back(e, op, e.add(position, v * e.lanes),
                                   e.add(at, channels() + v * e.lanes));
          Value images = op.getCount() ? op.getCount() : e.index(1);
          e.loop(e.index(0), images, 1, [&](Value index) {
            image = index;
            e.loop(0, positions, kBothPixels, [&](Value first) {
              // The last ones begin earlier, so that none is behind the image.
              Value starts[] = {clamp(first, positions), clamp(e.add(first, kPixels), positions)};
              multiply(starts, at, py, px);
              finish(starts, epilogues, py, px);
            });
          });
        });
      });
    });
  }

  Value clamp(Value position, int64_t positions) {
    return arith::MinUIOp::create(e.b, e.loc, position, e.index(positions - kPixels));
  }

  /// The sums of both tiles of pixels, to the scratch.
  void multiply(ArrayRef<Value> starts, Value weightAt, Value py, Value px) {
    int64_t allTaps = taps() * taps(), words = getWords(op), depth = getDepth(words);
    auto load = [&](int64_t tile, Value memory, Value at, int64_t stride) {
      cpu::TileLoadOp::create(e.b, e.loc, tile, memory, at, stride);
    };
    // What sums start from is the same for all pixels.
    for (int64_t p = 0; p < 2; ++p)
      for (int64_t v = 0; v < vectors; ++v)
        load(kSumTiles + 2 * p + v, op.getWeights(), e.add(weightAt, v * e.lanes), /*stride=*/0);
    Value stream = e.add(weightAt, 2 * channels());
    Value corner = e.add(e.mul(py, in()[2]), px);
    e.loop(0, words, depth, [&](Value word) {
      Value block = arith::DivUIOp::create(e.b, e.loc, word, e.index(kLine));
      Value lane = arith::RemUIOp::create(e.b, e.loc, word, e.index(kLine));
      Value plane = e.mul(e.add(e.mul(image, in()[0]), block), in()[1] * in()[2]);
      Value weights = e.add(stream, e.mul(word, allTaps * channels()));
      for (int64_t tap = 0; tap < allTaps; ++tap) {
        for (int64_t p = 0; p < 2; ++p) {
          Value pixel = e.add(e.add(plane, corner), starts[p]);
          pixel = e.add(pixel, tap / taps() * in()[2] + tap % taps());
          load(kLeftTiles + p, flat, e.add(e.mul(pixel, kLine), lane), kLine);
        }
        for (int64_t v = 0; v < vectors; ++v) {
          load(kRightTiles + v, op.getWeights(), e.add(weights, tap * channels() + v * e.lanes),
               allTaps * channels());
          for (int64_t p = 0; p < 2; ++p)
            cpu::TileDotOp::create(e.b, e.loc, kSumTiles + 2 * p + v, kLeftTiles + p,
                                   kRightTiles + v);
        }
      }
    });
    for (int64_t p = 0; p < 2; ++p)
      for (int64_t v = 0; v < vectors; ++v)
        cpu::TileStoreOp::create(e.b, e.loc, kSumTiles + 2 * p + v, op.getScratch(),
                                 sumsAt(p, v, e.index(0)));
  }

  SmallVector<Value> sumsAt(int64_t p, int64_t v, Value pixel) {
    return {e.add(e.mul(pixel, kLine), kLine + (2 * p + v) * kTileWords)};
  }

  void finish(ArrayRef<Value> starts, MutableArrayRef<ByteEpilogue> epilogues, Value py, Value px) {
    Value width = e.index(in()[2] - 2), row = e.index(in()[2]);
    for (int64_t p = 0; p < 2; ++p)
      e.loop(0, kPixels, 1, [&](Value m) {
        Value position = e.add(starts[p], m);
        Value y = arith::DivUIOp::create(e.b, e.loc, position, row);
        Value x = arith::RemUIOp::create(e.b, e.loc, position, row);
        Value inside = arith::CmpIOp::create(e.b, e.loc, arith::CmpIPredicate::ult, x, width);
        auto branch = scf::IfOp::create(e.b, e.loc, inside, /*withElseRegion=*/false);
        OpBuilder::InsertionGuard guard(e.b);
        e.b.setInsertionPointToStart(branch.thenBlock());
        for (auto [v, epilogue] : llvm::enumerate(epilogues))
          epilogue.emit(e.load(op.getScratch(), sumsAt(p, static_cast<int64_t>(v), m)), image, y, x,
                        py, px);
      });
  }
};
} // namespace

void un0::emitMatrixConvolution(Emitter &e, cpu::Conv2DBytesOp op) {
  Value flat = e.flatten(op.getInput());
  cpu::TileBeginOp::create(e.b, e.loc, getDepth(getWords(op)), op.getScratch(), e.index(0));
  for (ByteGroups groups : getByteGroups(e, op))
    MatrixNest(e, op, groups, flat).emit();
  cpu::TileEndOp::create(e.b, e.loc);
}
