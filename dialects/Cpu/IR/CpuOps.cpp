//===- CpuOps.cpp - verifiers of the cpu dialect ----------------*- C++ -*-===//

#include "dialects/Cpu/IR/Cpu.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace un0::cpu;
using un0::Precision;
using un0::PrecisionAttr;

#define GET_OP_CLASSES
#include "dialects/Cpu/IR/CpuOps.cpp.inc"

static ArrayRef<int64_t> shapeOf(Value value) {
  return cast<MemRefType>(value.getType()).getShape();
}

LogicalResult PackedParamOp::verify() {
  if (getOffset() < 0 || getOffset() % 64)
    return emitOpError("offset ") << getOffset() << " is not a multiple of 64";
  if (getBytes() <= 0 || getBytes() % 4)
    return emitOpError("size ") << getBytes() << " is not a positive multiple of 4";
  if (getLanes() <= 0 || kLine % getLanes())
    return emitOpError("lanes ") << getLanes() << " do not divide a line of " << kLine;
  if (getGroup() <= 0 || int64_t(getGroup()) > kMostGroup)
    return emitOpError("group ") << getGroup() << " is not 1 to " << kMostGroup;
  if (getZeroPoint() > 255)
    return emitOpError("zero_point ") << getZeroPoint() << " is not 0 to 255";
  if (getPacking() == Packing::ConvPlanes &&
      !hasPlanes(getForm(), getPrecision() == Precision::Int8))
    return emitOpError("has no planes of form ")
           << stringifyConvForm(getForm()) << " in " << un0::stringifyPrecision(getPrecision());
  if (getColumns() && (getColumns() != un0::kLevelGroup || getPrecision() != Precision::Int4))
    return emitOpError("groups of ")
           << getColumns() << " columns of " << un0::stringifyPrecision(getPrecision())
           << "; there are those of " << un0::kLevelGroup << " of int4";
  return success();
}

/// `lanes` holds phases in the lane layout of `rows` (B x N): Np x B, or Np when B is 1.
static LogicalResult verifyPhases(Operation *op, ArrayRef<int64_t> rows, ArrayRef<int64_t> lanes) {
  if (rows.size() != 2)
    return op->emitOpError("row-major phases have rank ") << rows.size() << " instead of 2";
  int64_t padded = padToLine(rows[1]);
  bool tile = lanes.size() == 2 && lanes[0] == padded && lanes[1] == rows[0];
  bool single = lanes.size() == 1 && lanes[0] == padded && rows[0] == 1;
  if (!tile && !single)
    return op->emitOpError("lane layout does not hold ")
           << rows[0] << " x " << rows[1] << " phases";
  return success();
}

LogicalResult LoadPhasesOp::verify() {
  return verifyPhases(*this, shapeOf(getSource()), shapeOf(getDest()));
}
LogicalResult StorePhasesOp::verify() {
  return verifyPhases(*this, shapeOf(getDest()), shapeOf(getSource()));
}

/// That phases are those of one sample or of a batch tile, in lines.
static LogicalResult verifyLayout(Operation *op, ArrayRef<int64_t> phases) {
  if (phases.empty() || phases.size() > 2 || phases[0] % kLine)
    return op->emitOpError("phases are not in the lane layout of a sample or a batch tile");
  return success();
}

/// A natural frequency for each of a population's oscillators.
static LogicalResult verifyFrequency(Operation *op, Value frequency, int64_t padded) {
  int64_t entries = shapeOf(frequency)[0];
  if (entries != padded)
    return op->emitOpError("frequency has ")
           << entries << " entries but the population has " << padded;
  return success();
}

/// That a range of rows has both ends, and that what it is of is one sample.
template <typename KernelOp> static LogicalResult verifyRows(KernelOp op, bool single) {
  if (!op.getFirst() != !op.getLast())
    return op.emitOpError("needs a first and a last row, or neither");
  if (op.getFirst() && !single)
    return op.emitOpError("rows of a batch tile are not split");
  return success();
}

LogicalResult WavesOp::verify() {
  ArrayRef<int64_t> phases = shapeOf(getPhases()), waves = shapeOf(getWaves());
  bool single = phases.size() == 1 && waves == ArrayRef<int64_t>({2, phases[0]});
  bool tile = phases.size() == 2 && waves == ArrayRef<int64_t>({phases[0], 2, phases[1]});
  if ((!single && !tile) || phases[0] % kLine)
    return emitOpError("waves do not match the phases' layout");
  if (failed(verifyRows(*this, single)))
    return failure();
  if (getPrecision().has_value() != (getPacked() != nullptr))
    return emitOpError("needs packed waves and their precision, or neither");
  if (!getPacked())
    return success();
  if (*getPrecision() == Precision::F32 || *getPrecision() == Precision::Int4)
    return emitOpError("waves are not packed as ") << un0::stringifyPrecision(*getPrecision());
  bool floats = cast<MemRefType>(getPacked().getType()).getElementType().isF32();
  if (floats && *getPrecision() != Precision::BF16)
    return emitOpError("waves packed as ")
           << un0::stringifyPrecision(*getPrecision()) << " are words, not f32";
  int64_t words = floats ? phases[0] : phases[0] / getPerWord(*getPrecision());
  ArrayRef<int64_t> shape = shapeOf(getPacked());
  if (shape !=
      (single ? ArrayRef<int64_t>({2, words}) : ArrayRef<int64_t>({words, 2, phases.back()})))
    return emitOpError("packed waves do not hold ") << phases[0] << " phases";
  return success();
}

LogicalResult GatherClassOp::verify() {
  ArrayRef<int64_t> table = shapeOf(getTable()), dest = shapeOf(getDest()),
                    labels = shapeOf(getLabels());
  bool words = cast<MemRefType>(getTable().getType()).getElementType().isInteger(32);
  size_t rank = words ? 4 : 3;
  if (table.size() != rank)
    return emitOpError("table has rank ") << table.size() << " instead of " << rank;
  if (dest.size() != 2 && dest.size() != 3)
    return emitOpError("destination has rank ") << dest.size() << " instead of 2 or 3";
  int64_t padded = dest.size() == 2 ? dest[1] : dest[0];
  if (words && (padded % kLine || table[2] != getTableLines(padded) || table[3] != kLine))
    return emitOpError("table has ")
           << table[2] << " lines of " << table[3] << " for " << padded
           << " oscillators instead of " << getTableLines(padded) << " of " << kLine;
  if (!words)
    padded = table[2];
  bool single = labels[0] == 1 && dest == ArrayRef<int64_t>({table[1], padded});
  bool tile = dest == ArrayRef<int64_t>({padded, table[1], labels[0]});
  if (!single && !tile)
    return emitOpError("destination does not hold the drive of ") << labels[0] << " samples";
  return success();
}

LogicalResult RateOp::verify() {
  ArrayRef<int64_t> target = shapeOf(getTarget()), out = shapeOf(getOut());
  if (shapeOf(getBase()) != out)
    return emitOpError("base and result differ in shape");
  bool single = out.size() == 1;
  int64_t padded = out.empty() ? 0 : out[0];
  if (out.empty() || out.size() > 2 || padded % kLine ||
      (single ? target != ArrayRef<int64_t>({2, padded})
              : target != ArrayRef<int64_t>({padded, 2, out[1]})))
    return emitOpError("target waves do not match the result's layout");
  if (failed(verifyFrequency(*this, getFrequency(), padded)))
    return failure();
  if (getCouplings().size() != getSources().size() ||
      (getPrecisions() && getPrecisions()->size() != getCouplings().size()) ||
      (getDrains() && getDrains()->size() != getCouplings().size()) ||
      (getGroups() && getGroups()->size() != getCouplings().size()))
    return emitOpError("needs a source, a precision, a drain and a group per coupling");
  if (failed(verifyRows(*this, single)))
    return failure();
  if (getScratch() && shapeOf(getScratch()).size() != 1)
    return emitOpError("scratch has rank ") << shapeOf(getScratch()).size() << " instead of 1";
  if (getTurn() && !single)
    return emitOpError("panels of a batch tile are taken in one order");
  for (auto [i, coupling, source] : llvm::enumerate(getCouplings(), getSources())) {
    ArrayRef<int64_t> k = shapeOf(coupling), s = shapeOf(source);
    bool fits = single ? s.size() == 2 && s[0] == 2 : s.size() == 3 && s[1] == 2 && s[2] == out[1];
    int64_t sources = fits ? s[single ? 1 : 0] : 0;
    if (int64_t group = getGroup(i);
        group && (group != un0::kLevelGroup || getPrecision(i) != Precision::Int4))
      return emitOpError("coupling ")
             << i << " is " << un0::stringifyPrecision(getPrecision(i)) << " in groups of " << group
             << "; there are those of " << un0::kLevelGroup << " of int4";
    if (Precision precision = getPrecision(i); precision != Precision::F32) {
      int64_t words = k.size() == 3 ? getWordLines(k[1], precision, getGroup(i)) : 0;
      bool floats = cast<MemRefType>(source.getType()).getElementType().isF32();
      int64_t needed = precision == Precision::Int4 || floats ? 2 * words : words;
      if (k.size() != 3 || k[0] != padded / kLine || k[2] != kLine || words < 1 ||
          needed > sources || getPanelLines(words, precision, getGroup(i)) != k[1] ||
          !cast<MemRefType>(coupling.getType()).getElementType().isInteger(32) ||
          (floats && precision != Precision::BF16))
        return emitOpError("coupling ")
               << i << " does not fit the " << un0::stringifyPrecision(precision) << " words of "
               << padded << " oscillators";
      continue;
    }
    if (holdsBytes(coupling) || holdsBytes(source))
      return emitOpError("coupling ") << i << " has words, but its precision is f32";
    if (!fits)
      return emitOpError("source ") << i << " is not waves in the result's layout";
    bool shared = k.size() == 3 && k[0] == padded / kLine && k[2] == kLine && k[1] <= sources;
    bool drive = single ? k.size() == 2 && k[1] == padded && k[0] <= sources
                        : k.size() == 3 && k[0] == padded && k[2] == out[1] && k[1] <= sources;
    if (!shared && !drive)
      return emitOpError("coupling fits neither the rows nor the drive layout of ")
             << padded << " oscillators";
  }
  // Sums in blocks and a matrix unit are choices, the rest of the scratch is not.
  int64_t least = single ? 0
                         : getTileScratch(getTermPrecisions(), getTermLines(), /*blocked=*/false,
                                          /*matrix=*/false, out[1])
                               .words;
  int64_t words = getScratch() ? shapeOf(getScratch())[0] : 0;
  if (least > words)
    return emitOpError("needs ") << least << " words of scratch but has " << words;
  return success();
}

Precision RateOp::getPrecision(unsigned term) {
  return getPrecisions() ? cast<PrecisionAttr>((*getPrecisions())[term]).getValue()
                         : Precision::F32;
}

std::pair<Value, Value> un0::cpu::buildShare(OpBuilder &b, Location loc, Value thread,
                                             Value threads, int64_t count) {
  Value all = arith::ConstantIndexOp::create(b, loc, count);
  Value one = arith::ConstantIndexOp::create(b, loc, 1);
  auto bound = [&](Value t) -> Value {
    return arith::DivUIOp::create(b, loc, arith::MulIOp::create(b, loc, t, all), threads);
  };
  return {bound(thread), bound(arith::AddIOp::create(b, loc, thread, one))};
}

Value un0::cpu::buildElement(OpBuilder &b, Location loc, Value memory, ValueRange indices) {
  auto type = cast<MemRefType>(memory.getType());
  auto constant = [&](int64_t value) -> Value {
    return arith::ConstantIndexOp::create(b, loc, value);
  };
  auto multiplyAdd = [&](Value x, Value y, Value z) -> Value {
    return arith::AddIOp::create(b, loc, arith::MulIOp::create(b, loc, x, y), z);
  };
  // Of memory in one piece the sizes say everything.
  if (type.getLayout().isIdentity()) {
    Value element;
    for (auto [index, size] : llvm::zip_equal(indices, type.getShape()))
      element = element ? multiplyAdd(element, constant(size), index) : index;
    return element ? element : constant(0);
  }
  auto metadata = memref::ExtractStridedMetadataOp::create(b, loc, memory);
  Value element = metadata.getOffset();
  for (auto [index, stride] : llvm::zip_equal(indices, metadata.getStrides()))
    element = multiplyAdd(index, stride, element);
  return element;
}

int64_t un0::cpu::getPerWord(Precision precision) {
  switch (precision) {
  case Precision::F32:
    return 1;
  case Precision::Int16:
  case Precision::BF16:
    return 2;
  case Precision::Int8:
    return 4;
  case Precision::Int4:
    return 8;
  }
  llvm_unreachable("unknown precision");
}

un0::cpu::RowGroups un0::cpu::getRowGroups(int64_t paddedRows, int64_t lanes, bool brains,
                                           ArrayRef<Precision> precisions) {
  bool apart = !brains && lanes == 8 && llvm::is_contained(precisions, Precision::BF16) &&
               llvm::all_of(precisions, [](Precision precision) {
                 return precision == Precision::BF16 || precision == Precision::F32;
               });
  int64_t together = apart ? 3 : lanes * 4 / kLine, panels = paddedRows / kLine;
  RowGroups groups{together, panels / together, panels % together};
  // One panel alone has too few accumulators; twice two are better.
  if (apart && groups.whole && groups.rest == 1) {
    --groups.whole;
    groups.rest += together;
  }
  return groups;
}

un0::cpu::TileScratch un0::cpu::getTileScratch(ArrayRef<Precision> precisions,
                                               ArrayRef<int64_t> lines, bool blocked, bool matrix,
                                               int64_t batch) {
  TileScratch scratch;
  if (blocked)
    scratch.words = kBlockPanels * kLine * 2 * batch;
  scratch.drained = scratch.words;
  if (llvm::is_contained(precisions, Precision::Int16))
    scratch.words += 2 * kLine * batch;
  for (auto [precision, count] : llvm::zip_equal(precisions, lines)) {
    scratch.levels.push_back(scratch.words);
    if (precision == Precision::Int4)
      scratch.words += 2 * count * kLine;
  }
  scratch.matrix = scratch.words;
  if (matrix)
    scratch.words += kMatrixScratch;
  for (auto [precision, count] : llvm::zip_equal(precisions, lines)) {
    bool covered = matrix && precision == Precision::Int8 && count >= kLine;
    scratch.waves.push_back(covered ? scratch.words : 0);
    if (covered)
      scratch.words += count / kLine * 2 * kLine * batch;
    scratch.products.push_back(scratch.words);
    if (covered)
      scratch.words += 2 * 2 * kLine * batch;
  }
  return scratch;
}

int64_t RateOp::getLines(unsigned term) {
  int64_t all = shapeOf(getCouplings()[term])[1];
  Precision precision = getPrecision(term);
  return precision == Precision::F32 ? all : getWordLines(all, precision, getGroup(term));
}

SmallVector<int64_t> RateOp::getTermLines() {
  SmallVector<int64_t> lines;
  for (unsigned term = 0; term < getCouplings().size(); ++term)
    lines.push_back(getLines(term));
  return lines;
}

SmallVector<Precision> RateOp::getTermPrecisions() {
  SmallVector<Precision> precisions;
  for (unsigned term = 0; term < getCouplings().size(); ++term)
    precisions.push_back(getPrecision(term));
  return precisions;
}

LogicalResult CombineOp::verify() {
  if (getCoefficients().size() != getRates().size())
    return emitOpError("has ") << getCoefficients().size() << " coefficients for "
                               << getRates().size() << " rates";
  return verifyLayout(*this, shapeOf(getOut()));
}

LogicalResult DriftOp::verify() {
  ArrayRef<int64_t> out = shapeOf(getOut());
  if (shapeOf(getInitial()) != out)
    return emitOpError("initial phases and result differ in shape");
  if (failed(verifyLayout(*this, out)))
    return failure();
  return verifyFrequency(*this, getFrequency(), out[0]);
}

LogicalResult ReadoutOp::verify() {
  int64_t count = getOscillators(), padded = shapeOf(getPhases())[0];
  if (count <= 0 || count > padded || padToLine(count) != padded)
    return emitOpError("phases of ")
           << count << " oscillators are not " << padded << " entries in lines of " << kLine;
  if (shapeOf(getScratch()) != ArrayRef<int64_t>({3, padded}))
    return emitOpError("scratch does not hold 3 x ") << padded << " values";
  int64_t expected = getReference() == un0::Reference::Pairwise ? count * count : count;
  if (getEncoding() == un0::Encoding::SinCos)
    expected *= 2;
  if (int64_t features = shapeOf(getFeatures())[0]; features != expected)
    return emitOpError("makes ") << expected << " features in memory of " << features;
  return success();
}

/// That an image has lines of channels, and a ring around its pixels.
static LogicalResult verifyImage(Operation *op, ArrayRef<int64_t> image) {
  if (image[1] < 2 || image[2] < 2 || image[3] != kLine)
    return op->emitOpError("image needs a ring, and lines of ") << kLine;
  return success();
}

static LogicalResult verifyZeroPoint(Operation *op, uint64_t zeroPoint) {
  if (zeroPoint > 255)
    return op->emitOpError("zero_point must be 0 to 255, but is ")
           << static_cast<int64_t>(zeroPoint);
  return success();
}

LogicalResult ZeroOp::verify() { return verifyImage(*this, shapeOf(getImage())); }

LogicalResult FillRingOp::verify() {
  if (failed(verifyImage(*this, shapeOf(getImage()))))
    return failure();
  return verifyZeroPoint(*this, getZeroPoint());
}

/// A feature for every pixel of some channels of an image.
template <typename ScatterOp> static LogicalResult verifyScatter(ScatterOp op) {
  ArrayRef<int64_t> image = shapeOf(op.getImage());
  if (failed(verifyImage(op, image)))
    return failure();
  int64_t channels = op.getChannels(), height = image[1] - 2, width = image[2] - 2;
  int64_t room = image[0] * kLine * (holdsBytes(op.getImage()) ? 4 : 1);
  if (channels <= 0 || channels > room)
    return op.emitOpError("image holds ") << room << " channels, not " << channels;
  if (int64_t features = shapeOf(op.getFeatures())[0]; features != channels * height * width)
    return op.emitOpError("has ") << features << " features for " << channels << " x " << height
                                  << " x " << width << " pixels";
  return success();
}

LogicalResult ScatterFeaturesOp::verify() { return verifyScatter(*this); }

LogicalResult ScatterBytesOp::verify() {
  if (failed(verifyScatter(*this)))
    return failure();
  return verifyZeroPoint(*this, getZeroPoint());
}

/// That memory lies in one piece, as the kernels that count its elements in one dimension need it.
static LogicalResult verifyPiece(Operation *op, Value memory) {
  auto type = cast<MemRefType>(memory.getType());
  auto dimensions = llvm::seq<int64_t>(0, type.getRank());
  ReassociationIndices all(dimensions.begin(), dimensions.end());
  if (!memref::CollapseShapeOp::isGuaranteedCollapsible(type, {all}))
    return op->emitOpError("needs images in one piece, not ") << type;
  return success();
}

/// The shapes of single images of a convolution whose output is `scale` times as large as its
/// input; both come in batches if `count` is there.
static LogicalResult verifyImages(Operation *op, Value input, Value output, Value count,
                                  int64_t scale, ArrayRef<int64_t> &in, ArrayRef<int64_t> &out) {
  in = shapeOf(input);
  out = shapeOf(output);
  if (count) {
    if (in.size() != 5 || out.size() != 5 || in[0] != out[0])
      return op->emitOpError("input and output must be batches of as many images");
    in = in.drop_front();
    out = out.drop_front();
  }
  if (in.size() != 4 || out.size() != 4 || in[3] != kLine || out[3] != kLine)
    return op->emitOpError("input and output must be images of channel blocks");
  if (in[1] < 3 || in[2] < 3)
    return op->emitOpError("input has no pixels in its ring");
  if (failed(verifyPiece(op, input)))
    return failure();
  if ((in[1] - 2) * scale != out[1] - 2 || (in[2] - 2) * scale != out[2] - 2)
    return op->emitOpError("input is ") << in[1] - 2 << " x " << in[2] - 2 << " but output is "
                                        << out[1] - 2 << " x " << out[2] - 2;
  return success();
}

/// That `output` has a scale and a zero point where it is of bytes.
static LogicalResult verifyConversion(Operation *op, Value output, bool hasScale,
                                      std::optional<uint64_t> zeroPoint) {
  bool bytes = holdsBytes(output);
  if (hasScale != bytes || zeroPoint.has_value() != bytes)
    return op->emitOpError("output of ")
           << (bytes ? "bytes needs" : "f32 takes no") << " scale and zero_point";
  return zeroPoint ? verifyZeroPoint(op, *zeroPoint) : success();
}

/// Of threads that share an image there is one, and what they share; a batch is not shared.
template <typename ConvOp> static LogicalResult verifyShare(ConvOp op, bool splits, Value count) {
  bool shared = op.getThread() != nullptr;
  if (shared != (op.getThreads() != nullptr) || shared != splits)
    return op.emitOpError("needs a thread, the number of threads and what they share, or none");
  if (shared && count)
    return op.emitOpError("batches of images are not shared by threads");
  return success();
}

template <typename ConvOp> static LogicalResult verifyBias(ConvOp op, int64_t outputs) {
  if (int64_t bias = shapeOf(op.getBias())[0]; bias < outputs)
    return op.emitOpError("bias has ") << bias << " elements for " << outputs << " outputs";
  return success();
}

/// Packed weights of `channels` real channels of `inputRoom`, `perOutput` `units` for
/// each output channel: whole registers of output channels, in the last of `outputLines` lines of
/// f32 perhaps fewer than fit; at most as many as fit into bytes.
template <typename ConvOp>
static LogicalResult verifyWeights(ConvOp op, int64_t perOutput, StringRef units, int64_t inputRoom,
                                   int64_t outputLines) {
  int64_t lanes = op.getLanes(), group = op.getGroup(), channels = op.getChannels();
  if (lanes <= 0 || kLine % lanes || group <= 0 || group > kMostGroup)
    return op.emitOpError("lanes ") << lanes << " and group " << group << " do not fit a line of "
                                    << kLine << " and groups of up to " << kMostGroup;
  if (channels <= 0 || channels > inputRoom)
    return op.emitOpError("input holds ") << inputRoom << " channels, not " << channels;
  int64_t elements = shapeOf(op.getWeights())[0], outputs = elements / perOutput;
  bool bytes = holdsBytes(op.getOutput());
  int64_t most = outputLines * kLine * (bytes ? 4 : 1);
  if (elements % (perOutput * lanes) || outputs == 0 || outputs > most ||
      (!bytes && padToLine(outputs) != most))
    return op.emitOpError("weights have ") << elements << " " << units << ", expected " << perOutput
                                           << " for each of up to " << most << " outputs";
  return verifyBias(op, outputs);
}

LogicalResult Conv2DOp::verify() {
  ArrayRef<int64_t> in, out;
  if (failed(verifyImages(*this, getInput(), getOutput(), getCount(), getUpsample() ? 2 : 1, in,
                          out)) ||
      failed(verifyConversion(*this, getOutput(), getScale().has_value(), getZeroPoint())) ||
      failed(verifyShare(*this, getSplit().has_value(), getCount())))
    return failure();
  int64_t perOutput = (getUpsample() ? 16 : 9) * getSummedChannels(getChannels());
  return verifyWeights(*this, perOutput, "elements", in[0] * kLine, out[0]);
}

LogicalResult Conv2DPlanesOp::verify() {
  if (getForm() == ConvForm::Direct)
    return emitOpError("direct convolutions have no planes");
  PlaneShape shape = getPlaneShape(getForm());
  ArrayRef<int64_t> in, out;
  if (failed(verifyImages(*this, getInput(), getOutput(), getCount(), shape.outputs / shape.step,
                          in, out)) ||
      failed(verifyConversion(*this, getOutput(), getScale().has_value(), getZeroPoint())) ||
      failed(verifyShare(*this, getSplit().has_value(), getCount())))
    return failure();
  int64_t height = in[1] - 2, width = in[2] - 2;
  if (height % shape.step || width % shape.step)
    return emitOpError("points of ")
           << shape.step << " x " << shape.step << " do not cover " << height << " x " << width;
  int64_t planes = shape.getAllPlanes(), values = shape.getAllValues();
  int64_t channels = getChannels(), lanes = getLanes();
  bool bytes = holdsBytes(getInput());
  for (Value memory : {getWeights(), getTransformed(), getProducts()})
    if (holdsBytes(memory) != bytes)
      return emitOpError("input, weights and scratch must all be f32, or all words");
  if (getInputScale().has_value() != bytes)
    return emitOpError("input of ") << (bytes ? "bytes needs" : "f32 takes no") << " input_scale";
  if (!hasPlanes(getForm(), bytes))
    return emitOpError("form ") << stringifyConvForm(getForm()) << " is not one of "
                                << (bytes ? "bytes" : "f32");
  if (bytes && channels > getMostExactChannels(getForm()))
    return emitOpError("sums of form ")
           << stringifyConvForm(getForm()) << " are exact up to " << getMostExactChannels(getForm())
           << " channels of bytes, not " << channels;
  if (failed(verifyWeights(*this, getPlaneWords(getForm(), bytes, channels, 1),
                           bytes ? "words" : "elements", in[0] * kLine * (bytes ? 4 : 1), out[0])))
    return failure();
  int64_t rows = getRows(), images = getImages();
  int64_t batch = getCount() ? shapeOf(getInput())[0] : 1;
  if (rows <= 0 || (height / shape.step) % rows || images <= 0 || images > batch)
    return emitOpError("cannot take ") << images << " x " << rows << " rows of " << batch << " x "
                                       << height / shape.step << " together";
  int64_t points = images * rows * (width / shape.step);
  auto group = static_cast<int64_t>(getGroup() * getLanes());
  ArrayRef<int64_t> transformed = shapeOf(getTransformed()), products = shapeOf(getProducts());
  if (transformed.size() != 3 || transformed[0] != values || transformed[1] < points ||
      transformed[2] < padToLanes(bytes ? getSummedPairs(channels) : channels, lanes) ||
      products.size() != 3 || products[0] != planes || products[1] < points || products[2] != group)
    return emitOpError("scratch does not hold ")
           << values << " values and " << planes << " planes of " << points << " points";
  return success();
}

/// Planes of the size of the input image, and weights for whole registers of its lines, in the last
/// line perhaps fewer than fit; in bytes behind lines of sums and of scales.
template <typename ConvOp> static LogicalResult verifyPlanar(ConvOp op) {
  ArrayRef<int64_t> in = shapeOf(op.getInput()), out = shapeOf(op.getPlanes());
  if (in.size() != 4 || in[3] != kLine || out.size() != 3 || out[0] <= 0)
    return op.emitOpError("needs an image of channel blocks and planes");
  if (failed(verifyPiece(op, op.getPlanes())))
    return failure();
  if (in[1] - 2 != out[1] || in[2] - 2 != out[2])
    return op.emitOpError("input image and output planes differ in size");
  bool bytes = holdsBytes(op.getInput());
  int64_t head = bytes ? 2 * padToLine(out[0]) : 0, perInput = 9 * out[0];
  int64_t elements = shapeOf(op.getWeights())[0], taps = elements - head;
  if (taps < 0 || taps % perInput || padToLine(taps / perInput) != in[0] * kLine) {
    InFlightDiagnostic error = op.emitOpError("weights have ")
                               << elements << (bytes ? " words" : " elements") << ", expected ";
    if (head)
      error << head << " and ";
    return error << perInput << " for each of up to " << in[0] * kLine
                 << (bytes ? " words of inputs" : " inputs");
  }
  if (failed(verifyBias(op, out[0])))
    return failure();
  return verifyShare(op, op.getThread() != nullptr, Value());
}

LogicalResult Conv2DPlanarOp::verify() { return verifyPlanar(*this); }
LogicalResult Conv2DPlanarBytesOp::verify() { return verifyPlanar(*this); }

bool un0::cpu::isTileOp(Operation *op) {
  return isa<TileBeginOp, TileEndOp, TileZeroOp, TileLoadOp, TileStoreOp, TileDotOp>(op);
}

/// That an op on tiles has the indices that its memory wants, in which words of a row lie side by
/// side.
static LogicalResult verifyTileMemory(Operation *op, Value memory, ValueRange indices) {
  auto type = cast<MemRefType>(memory.getType());
  if (static_cast<int64_t>(indices.size()) != type.getRank())
    return op->emitOpError("has ")
           << indices.size() << " indices into memory of rank " << type.getRank();
  if (type.getRank() == 0 || type.getStridesAndOffset().first.back() != 1)
    return op->emitOpError("needs memory with words side by side");
  return success();
}
LogicalResult TileBeginOp::verify() { return verifyTileMemory(*this, getMemory(), getIndices()); }
LogicalResult TileLoadOp::verify() { return verifyTileMemory(*this, getMemory(), getIndices()); }
LogicalResult TileStoreOp::verify() { return verifyTileMemory(*this, getMemory(), getIndices()); }

LogicalResult DotOp::verify() {
  auto sums = cast<VectorType>(getAccumulator().getType()),
       words = cast<VectorType>(getX().getType());
  if (sums.getShape() != words.getShape())
    return emitOpError("has ") << sums.getNumElements() << " sums for " << words.getNumElements()
                               << " words";
  bool floats = getKind() == DotKind::BF16;
  if (sums.getElementType().isF32() != floats)
    return emitOpError("sums of kind ")
           << stringifyDotKind(getKind()) << " are " << (floats ? "f32" : "i32");
  if (getFits() && getKind() != DotKind::U8S8)
    return emitOpError("of kind ")
           << stringifyDotKind(getKind()) << " cannot have 'fits', which is for u8s8";
  if (getSecond().empty())
    return success();
  if (getKind() != DotKind::U8S8)
    return emitOpError("of kind ")
           << stringifyDotKind(getKind()) << " cannot have a second word, which is for u8s8";
  if (getSecond().size() != 2 ||
      llvm::any_of(getSecond().getTypes(), [&](Type type) { return type != getX().getType(); }))
    return emitOpError("needs two operands like the first ones for a second word");
  return success();
}

int64_t un0::cpu::getByteWeightWords(int64_t inputs, int64_t taps, int64_t channels) {
  int64_t words = (inputs + 3) / 4;
  return (2 + taps * words) * channels;
}

LogicalResult Conv2DBytesOp::verify() {
  ArrayRef<int64_t> in, out;
  if (failed(verifyImages(*this, getInput(), getOutput(), getCount(), getUpsample() ? 2 : 1, in,
                          out)) ||
      failed(verifyConversion(*this, getOutput(), getScale().has_value(), getZeroPoint())) ||
      failed(verifyShare(*this, getSplit().has_value(), getCount())))
    return failure();
  if (getScratch() && shapeOf(getScratch()) != ArrayRef<int64_t>({kMatrixScratch}))
    return emitOpError("scratch of a matrix unit has not the ") << kMatrixScratch << " words";
  int64_t phases = getUpsample() ? 4 : 1, taps = getUpsample() ? 4 : 9;
  int64_t perOutput = phases * getByteWeightWords(getChannels(), taps, 1);
  return verifyWeights(*this, perOutput, "words", in[0] * kLine * 4, out[0]);
}
