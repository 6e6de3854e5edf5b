//===- DecoderTest.cpp - compiled decoders against their meaning ----------===//
//
// Decoders of shapes that no published model has: odd maps, channels that fill no line, several
// groups; in every form that the schedule may choose.
//
//===----------------------------------------------------------------------===//

#include "dialects/Cpu/IR/Cpu.h"
#include "mlir/Parser/Parser.h"
#include "un0/Codegen/CpuTarget.h"
#include "un0/Interpreter/Interpreter.h"
#include "un0/Pipelines/Phases.h"
#include "un0/Quantize/Calibrate.h"
#include "un0/Quantize/Precisions.h"
#include "llvm/Support/FileSystem.h"
#include "gtest/gtest.h"
#include <cmath>
#include <fstream>
#include <random>

using namespace mlir;
using namespace un0;

namespace {

struct Convolution {
  int64_t outputs;
  bool upsample;
};

struct Shape {
  const char *name;
  int64_t channels, height, width;
  std::vector<Convolution> convolutions; ///< the last is planar
  std::vector<const char *> forms;       ///< that its schedule must have
};

void PrintTo(const Shape &shape, std::ostream *os) { *os << shape.name; }

class Decoder : public ::testing::TestWithParam<Shape> {
protected:
  Decoder() : context(getRegistry(), MLIRContext::Threading::DISABLED) {
    context.loadAllAvailableDialects();
  }
  static DialectRegistry getRegistry() {
    DialectRegistry registry;
    registerDialects(registry);
    return registry;
  }
  /// The model as IR, and its parameters in `directory`/w.safetensors.
  std::string write(const std::string &directory) const;
  std::string printLoops(ModuleOp module) const;

  MLIRContext context;
};

std::string Decoder::write(const std::string &directory) const {
  const Shape &s = GetParam();
  std::mt19937 random(7);
  std::string params, gets, body, header;
  std::vector<float> data;
  auto param = [&](const std::string &name, const std::vector<int64_t> &extents, double deviation) {
    std::string type, shape;
    int64_t count = 1;
    for (int64_t extent : extents) {
      type += std::to_string(extent) + "x";
      shape += (shape.empty() ? "" : ",") + std::to_string(extent);
      count *= extent;
    }
    type = "tensor<" + type + "f32>";
    std::normal_distribution<float> normal(0, float(deviation));
    size_t begin = data.size() * 4;
    for (int64_t i = 0; i < count; ++i)
      data.push_back(normal(random));
    header += (header.empty() ? "{" : ",") + std::string("\"") + name +
              "\":{\"dtype\":\"F32\",\"shape\":[" + shape + "],\"data_offsets\":[" +
              std::to_string(begin) + "," + std::to_string(data.size() * 4) + "]}";
    params +=
        "un0.param @" + name + " : " + type + " from \"w.safetensors\" key \"" + name + "\"\n";
    gets += "%" + name + " = un0.get_param @" + name + " : " + type + "\n";
    return type;
  };
  auto image = [](int64_t c, int64_t h, int64_t w) {
    return "tensor<?x" + std::to_string(c) + "x" + std::to_string(h) + "x" + std::to_string(w) +
           "xf32>";
  };
  int64_t c = s.channels, h = s.height, w = s.width;
  std::string n = std::to_string(c * h * w), phases = "tensor<?x" + n + "xf32>";
  body = "%f = un0.readout %theta0 reference(mean) encoding(raw) : " + phases + " -> " + phases +
         "\n%c0 = arith.constant 0 : index\n%b = tensor.dim %f, %c0 : " + phases +
         "\n%x0 = tensor.expand_shape %f [[0], [1, 2, 3]] output_shape [%b, " + std::to_string(c) +
         ", " + std::to_string(h) + ", " + std::to_string(w) + "] : " + phases + " into " +
         image(c, h, w) + "\n";
  for (size_t i = 0; i < s.convolutions.size(); ++i) {
    const Convolution &conv = s.convolutions[i];
    std::string number = std::to_string(i), in = image(c, h, w);
    std::string weight =
        param("w" + number, {conv.outputs, c, 3, 3}, 1.0 / std::sqrt(double(9 * c)));
    std::string bias = param("b" + number, {conv.outputs}, 0.1);
    c = conv.outputs;
    h *= conv.upsample ? 2 : 1;
    w *= conv.upsample ? 2 : 1;
    bool last = i + 1 == s.convolutions.size();
    body += "%x" + std::to_string(i + 1) + " = un0.conv2d %x" + number + ", %w" + number + ", %b" +
            number + " activation(" + (last ? "tanh" : "leaky_relu") + ") {" +
            (last ? "" : "slope = 2.000000e-01 : f64") + (conv.upsample ? ", upsample" : "") +
            "} : " + in + ", " + weight + ", " + bias + " -> " + image(c, h, w) + "\n";
  }
  while (header.size() % 8 != 7)
    header += " ";
  header += "}";
  std::ofstream file(directory + "/w.safetensors", std::ios::binary);
  uint64_t length = header.size();
  file.write(reinterpret_cast<const char *>(&length), 8) << header;
  file.write(reinterpret_cast<const char *>(data.data()), std::streamsize(data.size() * 4));
  return params + "func.func @generate(%theta0: " + phases +
         ", %phi0: tensor<?x0xf32>, %label: tensor<?xi64>) -> " + image(c, h, w) + " {\n" + gets +
         body + "return %x" + std::to_string(s.convolutions.size()) + " : " + image(c, h, w) +
         "\n}\n";
}

std::string Decoder::printLoops(ModuleOp module) const {
  OwningOpRef<ModuleOp> copy(module.clone());
  auto target = CpuTarget::get("host");
  EXPECT_TRUE(!!target);
  target->attach(*copy);
  PassManager pm(copy->getContext());
  buildPhase(Phase::Loops, pm);
  EXPECT_TRUE(succeeded(pm.run(*copy)));
  std::string text;
  llvm::raw_string_ostream os(text);
  copy->print(os);
  return text;
}

TEST_P(Decoder, MeansWhatTheInterpreterSays) {
  std::string directory = ::testing::TempDir() + "un0-decoder-" + GetParam().name;
  ASSERT_FALSE(llvm::sys::fs::create_directories(directory));
  std::string text = write(directory);
  auto module = parseSourceString<ModuleOp>(text, ParserConfig(&context));
  ASSERT_TRUE(!!module) << text;
  std::string loops = printLoops(*module);
  for (const char *form : GetParam().forms)
    EXPECT_NE(loops.find(form), std::string::npos) << form;

  std::string input = directory + "/model.mlir";
  ArchiveSet archives(input);
  auto fast = HostModel::create(*module, archives);
  ASSERT_TRUE(!!fast) << toString(fast.takeError());
  OwningOpRef<ModuleOp> copy(module->clone());
  (*copy)->setAttr(cpu::kDirectAttr, UnitAttr::get(&context));
  auto direct = HostModel::create(*copy, archives);
  ASSERT_TRUE(!!direct) << toString(direct.takeError());

  // More than a batch tile, and a last one that is not full.
  constexpr int64_t count = 19;
  Samples samples = Samples::draw(count, (*fast)->getOscillators(), 0, 0);
  auto images = (*fast)->run(samples).images, directImages = (*direct)->run(samples).images;
  Tensor<double> theta0({count, (*fast)->getOscillators()}), phi0({count, 0});
  std::copy(samples.theta0.begin(), samples.theta0.end(), theta0.data.begin());
  Interpreter<double> interpreter(*module,
                                  getArchiveLoader<double>(std::make_shared<ArchiveSet>(input)));
  auto expected = interpreter.run(theta0, phi0, samples.labels);
  ASSERT_TRUE(!!expected) << toString(expected.takeError());
  ASSERT_EQ(images.size(), expected->images.data.size());
  auto getWorst = [&](ArrayRef<float> made) {
    double worst = 0;
    for (auto [value, meant] : llvm::zip_equal(made, expected->images.data))
      worst = std::max(worst, std::fabs(value - meant));
    return worst;
  };
  EXPECT_LE(getWorst(images), 1e-5);
  EXPECT_LE(getWorst(directImages), 1e-5);

  // `f_up`, which even sides have where weights are many, of one image and of several together.
  for (int64_t together : {1, 2}) {
    OwningOpRef<ModuleOp> other(module->clone());
    bool upsampled = false, front = true;
    for (Conv2DOp conv : (*other).lookupSymbol<func::FuncOp>("generate").getOps<Conv2DOp>()) {
      auto schedule = cpu::ConvScheduleAttr::get(&context, cpu::ConvForm::Upsampled, together > 1,
                                                 together, 1, false);
      if (!conv.getUpsample() || !cpu::findFault(conv, schedule).empty() || !front) {
        front = false;
        continue;
      }
      conv->setAttr(cpu::kScheduleAttr, schedule);
      upsampled = true;
    }
    if (!upsampled)
      continue;
    auto host = HostModel::create(*other, archives);
    ASSERT_TRUE(!!host) << toString(host.takeError());
    auto otherImages = (*host)->run(samples).images;
    ASSERT_EQ(otherImages.size(), images.size());
    EXPECT_LE(getWorst(otherImages), 1e-5);
    EXPECT_NE(ArrayRef<float>(otherImages), ArrayRef<float>(directImages));
  }

  // A sample alone gives the bytes it gives among others.
  Samples one = samples;
  one.count = 1;
  auto alone = (*fast)->run(one).images, directAlone = (*direct)->run(one).images;
  EXPECT_EQ(ArrayRef<float>(alone), ArrayRef<float>(images).take_front(alone.size()));
  EXPECT_EQ(ArrayRef<float>(directAlone), ArrayRef<float>(directImages).take_front(alone.size()));
}

/// f32 and int8 convolutions in turn, in both orders and alone: what is between is written as its
/// reader wants it, channels divided by powers of two included.
TEST_P(Decoder, MixedPrecisionsMeanWhatTheInterpreterSays) {
  std::string directory = ::testing::TempDir() + "un0-mixed-" + GetParam().name;
  ASSERT_FALSE(llvm::sys::fs::create_directories(directory));
  auto module = parseSourceString<ModuleOp>(write(directory), ParserConfig(&context));
  ASSERT_TRUE(!!module);
  std::string input = directory + "/model.mlir";
  ArchiveSet archives(input);
  std::vector<std::string> names = listConvolutionNames(*module);
  ASSERT_EQ(names.size(), GetParam().convolutions.size());
  auto ranges = calibrateConvolutions(*module, archives, names);
  ASSERT_TRUE(!!ranges) << toString(ranges.takeError());
  for (auto [i, range] : llvm::enumerate(*ranges)) {
    if (i == 0)
      continue;
    for (auto [c, exponent] : llvm::enumerate(range.exponents))
      exponent += static_cast<int64_t>(c % 3) - 1;
    range.low *= 2;
    range.high *= 2;
  }
  constexpr int64_t count = 19;
  auto exact = HostModel::create(*module, archives);
  ASSERT_TRUE(!!exact) << toString(exact.takeError());
  Samples samples = Samples::draw(count, (*exact)->getOscillators(), 0, 0);
  auto unquantized = (*exact)->run(samples).images;
  Tensor<double> theta0({count, (*exact)->getOscillators()}), phi0({count, 0});
  std::copy(samples.theta0.begin(), samples.theta0.end(), theta0.data.begin());
  unsigned all = (1u << names.size()) - 1;
  std::vector<unsigned> patterns = {0x5u & all, 0xau & all};
  if (GetParam().channels < 100) // the interpreter takes long for many
    patterns.insert(patterns.end(), {1u, (all + 1) / 2, 0x6u & all});
  for (unsigned pattern : patterns) {
    SCOPED_TRACE("int8 where a bit is set: " + std::to_string(pattern));
    std::vector<std::string> chosen;
    for (size_t i = 0; i < names.size(); ++i)
      if (pattern >> i & 1)
        chosen.push_back(names[i]);
    OwningOpRef<ModuleOp> copy(module->clone());
    ASSERT_TRUE(succeeded(quantizeConvolutions(*copy, *ranges, chosen)));
    auto host = HostModel::create(*copy, archives);
    ASSERT_TRUE(!!host) << toString(host.takeError());
    auto images = (*host)->run(samples).images;
    Interpreter<double> interpreter(*copy,
                                    getArchiveLoader<double>(std::make_shared<ArchiveSet>(input)));
    auto expected = interpreter.run(theta0, phi0, samples.labels);
    ASSERT_TRUE(!!expected) << toString(expected.takeError());
    std::vector<float> meant(expected->images.data.begin(), expected->images.data.end());
    double quantization = getRms(meant, unquantized), difference = getRms(images, meant);
    // Numbers that round differently in f32 and f64 are few, and off by one step.
    EXPECT_GE(quantization, 2e-4) << "nothing was quantized";
    EXPECT_LE(difference, 0.1 * quantization);
    Samples one = samples;
    one.count = 1;
    auto alone = (*host)->run(one).images;
    EXPECT_EQ(ArrayRef<float>(alone), ArrayRef<float>(images).take_front(alone.size()));
  }
}

/// Convolutions of bytes in fewer products, whichever the processor would choose, in both sizes of
/// Winograd's form where both fit: exact sums are the same sums.
TEST_P(Decoder, PlanesOfBytesGiveTheBytesOfDirectConvolutions) {
  std::string directory = ::testing::TempDir() + "un0-planes-" + GetParam().name;
  ASSERT_FALSE(llvm::sys::fs::create_directories(directory));
  auto module = parseSourceString<ModuleOp>(write(directory), ParserConfig(&context));
  ASSERT_TRUE(!!module);
  ArchiveSet archives(directory + "/model.mlir");
  std::vector<std::string> names = listConvolutionNames(*module);
  auto ranges = calibrateConvolutions(*module, archives, names);
  ASSERT_TRUE(!!ranges) << toString(ranges.takeError());
  ASSERT_TRUE(succeeded(quantizeConvolutions(*module, *ranges, names)));
  SmallVector<Conv2DOp> convs(module->lookupSymbol<func::FuncOp>("generate").getOps<Conv2DOp>());

  constexpr int64_t count = 19;
  auto run = [&](ModuleOp how) -> std::vector<float> {
    auto host = HostModel::create(how, archives);
    EXPECT_TRUE(!!host) << toString(host.takeError());
    return (*host)->run(Samples::draw(count, (*host)->getOscillators(), 0, 0)).images;
  };
  OwningOpRef<ModuleOp> direct(module->clone());
  (*direct)->setAttr(cpu::kDirectAttr, UnitAttr::get(&context));
  auto expected = run(*direct);
  for (auto larger : {cpu::ConvForm::Winograd4, cpu::ConvForm::Winograd2}) {
    int64_t planes = 0;
    // All images of a request together once, two at a time, and one after the other.
    bool batched = larger == cpu::ConvForm::Winograd4;
    for (Conv2DOp conv : ArrayRef(convs).drop_back()) {
      auto set = [&](cpu::ConvForm form) {
        int64_t rows = std::max<int64_t>(cpu::getPointRows(conv, form), 1);
        bool isPlanes = form != cpu::ConvForm::Direct;
        auto schedule =
            cpu::ConvScheduleAttr::get(&context, form, batched, batched && isPlanes ? 2 : 1,
                                       rows % 2 ? rows : rows / 2, false);
        if (!cpu::findFault(conv, schedule).empty())
          return false;
        conv->setAttr(cpu::kScheduleAttr, schedule);
        planes += isPlanes;
        return true;
      };
      EXPECT_TRUE(set(cpu::ConvForm::UpsampledPairs) || set(larger) ||
                  set(cpu::ConvForm::Winograd2) || set(cpu::ConvForm::Direct));
    }
    if (StringRef(GetParam().forms.front()) != "cpu.conv2d ")
      EXPECT_GT(planes, 0);
    EXPECT_EQ(run(*module), expected);
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, Decoder,
    ::testing::Values(
        Shape{"odd",
              5,
              3,
              5,
              {{20, true}, {18, false}, {7, true}, {3, false}},
              {"f_up using", "f2 using"}},
        Shape{"oddUntilTheEnd", 37, 3, 7, {{33, false}, {17, false}, {4, false}}, {"cpu.conv2d "}},
        Shape{"quarters",
              24,
              4,
              12,
              {{52, false}, {40, true}, {40, false}, {1, false}},
              {"f4 using", "f4_up using"}},
        // On 8 lanes an odd number of registers, on 4 lanes also other fractions of a line; maps
        // that tiles of six and of twelve pixels cover with some left over.
        Shape{"halfLines",
              52,
              4,
              20,
              {{104, false}, {52, true}, {36, false}, {9, false}, {3, false}},
              {"f4 using", "f4_up using"}},
        // Enough weights that all images pass together, and too many for F(4x4, 3x3).
        Shape{"heavy", 256, 4, 4, {{96, true}, {64, false}, {3, false}}, {"images %"}},
        Shape{"heavier", 352, 8, 8, {{352, false}, {3, false}}, {"f2 using", "images %"}}),
    [](const auto &info) { return std::string(info.param.name); });

} // namespace
