//===- Schedule.cpp - how the decoder's convolutions are computed -*- C++ -*-===//

#include "Schedule.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;
using namespace un0;
using un0::cpu::ConvForm;

/// What stays in a second-level cache, the smallest that processors of these targets have.
static constexpr int64_t kCacheBytes = 512 << 10;
/// Transformed inputs of rows of one image at a time, a quarter of it where reading the weights
/// again costs little; and of several images whose weights come from further away.
static constexpr int64_t kRowBytes = 384 << 10, kImagesBytes = 1300 << 10;
/// Weights that come from memory, again for every part of an image: then more rows are together.
static constexpr int64_t kHeavyBytes = 4 << 20, kHeavyRowBytes = 640 << 10;
/// Weights of F(4x4, 3x3) above which four points an image are too few to pay for reading them:
/// F(2x2, 3x3) has 4/9 of the bytes, of upsampled pixels 9/25.
static constexpr int64_t kMostWeightBytes = 16 << 20, kFewPoints = 4;
/// Planes of bytes are 3.6 to 8 times the weights of the direct form; those that pay with so few
/// points an image come from a cache.
static constexpr int64_t kMostPlaneBytes = 8 << 20, kMostFewPointBytes = 1 << 20;
/// Weights of a decoder of bytes above which there are no planes: its module would grow by more
/// percent than its pictures get faster. N = 16384, 56 MB: 3 % for 4 %, of which reading the
/// couplings takes the most.
static constexpr int64_t kMostByteWeights = 16 << 20;

namespace {
/// One convolution's extents on a target.
struct Extents {
  int64_t inputs, outputs, height, width; // channels as they are packed; of the input, in pixels
  int64_t lanes;
  bool upsample, bytes;
  bool writesBytes; // for the one that reads it
  bool dots;        // there is a dot product of bytes

  /// `reader` is the convolution behind `conv`, null behind the last.
  Extents(un0::Conv2DOp conv, Precision precision, un0::Conv2DOp reader, const CpuTarget &target)
      : lanes(target.lanes), bytes(precision == Precision::Int8) {
    auto in = cast<ShapedType>(conv.getInput().getType()).getShape();
    inputs = cpu::getSummedChannels(in[1]);
    height = in[2];
    width = in[3];
    outputs = cpu::padToLanes(cast<ShapedType>(conv.getOutput().getType()).getDimSize(1), lanes);
    upsample = conv.getUpsample();
    writesBytes = reader && reader.getPrecision() == Precision::Int8;
    dots = target.hasByteDots();
  }
  int64_t planes(ConvForm form) const {
    if (form == ConvForm::Direct)
      return upsample ? 16 : 9;
    return cpu::getPlaneShape(form).getAllPlanes();
  }
  /// Of a product's input or weight.
  int64_t numberBytes(ConvForm form) const { return !bytes ? 4 : form == ConvForm::Direct ? 1 : 2; }
  int64_t weightBytes(ConvForm form) const {
    return planes(form) * inputs * outputs * numberBytes(form);
  }
  int64_t imageBytes() const {
    int64_t outputBytes = (upsample ? 4 : 1) * outputs * (writesBytes ? 1 : 4);
    return height * width * (inputs * (bytes ? 1 : 4) + outputBytes);
  }
  /// Whether another form of f32 takes more products of fewer weights.
  static bool hasLighterForm(ConvForm form) {
    return form == ConvForm::Winograd4 || form == ConvForm::UpsampledWinograd4;
  }
  /// Whether the points of `form` cover the image, its sums are exact, and reading its weights for
  /// one sample does not take longer than the products that it saves.
  bool pays(ConvForm form) const {
    int64_t step = cpu::getPlaneShape(form).step;
    if (height % step || width % step)
      return false;
    bool few = height * width / (step * step) <= kFewPoints;
    if (!bytes)
      return !few || !hasLighterForm(form) || weightBytes(form) <= kMostWeightBytes;
    // A dot product of bytes does twice as much as one of 16-bit numbers.
    if (dots && form != ConvForm::Winograd4)
      return false;
    return inputs <= cpu::getMostExactChannels(form) &&
           weightBytes(form) <= (few ? kMostFewPointBytes : kMostPlaneBytes);
  }
  ConvForm chooseForm(bool bytePlanes) const {
    if (bytes && !bytePlanes)
      return ConvForm::Direct;
    for (ConvForm form : {ConvForm::UpsampledWinograd4, ConvForm::Upsampled,
                          ConvForm::UpsampledPairs, ConvForm::Winograd4, ConvForm::Winograd2})
      if (cpu::hasPlanes(form, bytes) && cpu::isUpsampled(form) == upsample && pays(form))
        return form;
    return ConvForm::Direct;
  }
};
} // namespace

/// Whether convolutions of bytes may be computed in planes. A matrix unit of bytes does 16 times as
/// much as a dot product of 16-bit numbers.
static bool takesBytePlanes(ArrayRef<un0::Conv2DOp> convs, const CpuTarget &target) {
  int64_t bytes = 0;
  for (un0::Conv2DOp conv : convs)
    bytes += Extents(conv, Precision::Int8, un0::Conv2DOp(), target).weightBytes(ConvForm::Direct);
  return !target.hasByteTiles() && bytes <= kMostByteWeights;
}

/// How many rows of points, and images, are transformed at a time.
static void chooseBlock(const Extents &conv, int64_t batch, ConvSchedule &schedule) {
  cpu::PlaneShape shape = cpu::getPlaneShape(schedule.form);
  int64_t rows = conv.height / shape.step, columns = conv.width / shape.step;
  int64_t perRow = shape.getAllValues() * cpu::padToLanes(conv.inputs, conv.lanes) * columns *
                   conv.numberBytes(schedule.form);
  schedule.rows = rows;
  int64_t weightBytes = conv.weightBytes(schedule.form);
  int64_t most = weightBytes <= kRowBytes    ? kRowBytes / 4
                 : weightBytes > kHeavyBytes ? kHeavyRowBytes
                                             : kRowBytes;
  while (schedule.rows > 1 && schedule.rows * perRow > most) {
    do
      --schedule.rows;
    while (rows % schedule.rows);
  }
  if (!schedule.batched || schedule.rows < rows || rows * perRow > kRowBytes)
    return;
  // More images read the weights less often; more than fit the cache, each group of output
  // channels reads them from further away.
  int64_t groups = llvm::divideCeil(conv.outputs, 2 * conv.lanes), least = INT64_MAX;
  for (int64_t images = 1; images <= batch; ++images) {
    int64_t transformed = images * rows * perRow, traffic = weightBytes;
    if (transformed + weightBytes > kCacheBytes)
      traffic *= llvm::divideCeil(batch, images);
    if (transformed > kImagesBytes)
      traffic += batch * rows * perRow * groups;
    if (traffic < least) {
      least = traffic;
      schedule.images = images;
    }
  }
}

FailureOr<SmallVector<ConvSchedule>> un0::scheduleConvolutions(ArrayRef<un0::Conv2DOp> convs,
                                                               const CpuTarget &target,
                                                               int64_t batch, bool direct) {
  SmallVector<ConvSchedule> schedules(convs.size());
  SmallVector<cpu::ConvScheduleAttr> attributes;
  bool front = batch > 1, bytePlanes = takesBytePlanes(convs, target);
  for (size_t i = 0; i < convs.size(); ++i) {
    un0::Conv2DOp op = convs[i];
    ConvSchedule &schedule = schedules[i];
    bool last = i + 1 == convs.size();
    Extents conv(op, op.getPrecision(), last ? un0::Conv2DOp() : convs[i + 1], target);
    if (cpu::ConvScheduleAttr given = getSchedule(op)) {
      // One image at a time, when it is looked at, needs no batches.
      schedule = {given.getForm(), given.getBatched() && batch > 1, given.getRows(),
                  batch > 1 ? given.getImages() : 1, given.getTuned()};
      front = schedule.batched;
    } else {
      if (!direct && !last)
        schedule.form = conv.chooseForm(bytePlanes);
      // What is read anew for every image: the weights, or with a batch the images.
      front = front && !last && conv.weightBytes(schedule.form) >= 2 * conv.imageBytes();
      schedule.batched = front;
      if (schedule.form != ConvForm::Direct)
        chooseBlock(conv, batch, schedule);
    }
    attributes.push_back(schedule.getAttr(op.getContext()));
  }
  if (std::optional<ScheduleFault> fault = findFault(convs, attributes, batch))
    return un0::Conv2DOp(convs[fault->conv]).emitError()
           << cpu::kScheduleAttr << ": " << fault->message;
  return schedules;
}

SmallVector<ConvForm> un0::chooseForms(ArrayRef<un0::Conv2DOp> convs, Precision precision,
                                       const CpuTarget &target, bool direct) {
  SmallVector<ConvForm> forms(convs.size(), ConvForm::Direct);
  bool bytePlanes = takesBytePlanes(convs, target);
  for (size_t i = 0; !direct && i + 1 < convs.size(); ++i)
    forms[i] = Extents(convs[i], precision, un0::Conv2DOp(), target).chooseForm(bytePlanes);
  return forms;
}

SmallVector<un0::Conv2DOp> un0::listConvolutions(ModuleOp module) {
  auto func = module.lookupSymbol<func::FuncOp>("generate");
  if (!func || func.isExternal())
    return {};
  return llvm::to_vector(func.getOps<un0::Conv2DOp>());
}

std::optional<ScheduleFault> un0::findFault(ArrayRef<un0::Conv2DOp> convs,
                                            ArrayRef<cpu::ConvScheduleAttr> schedules,
                                            int64_t batch) {
  bool front = true;
  for (auto [i, conv, schedule] : llvm::enumerate(convs, schedules)) {
    auto fault = [i = i](const Twine &message) { return ScheduleFault{i, message.str()}; };
    if (std::string message = cpu::findFault(conv, schedule); !message.empty())
      return fault(message);
    if (i + 1 == convs.size() && (schedule.getForm() != ConvForm::Direct || schedule.getBatched()))
      return fault("is the last convolution, which is direct and takes image by image");
    if (schedule.getBatched() && !front)
      return fault("is batched behind a convolution that is not");
    if (schedule.getImages() > batch)
      return fault("takes " + Twine(schedule.getImages()) + " images together of a batch of " +
                   Twine(batch));
    front = schedule.getBatched();
  }
  return std::nullopt;
}
