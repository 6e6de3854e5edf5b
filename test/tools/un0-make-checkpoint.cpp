//===- un0-make-checkpoint.cpp - random checkpoints of any shape ----------===//
//
// Writes an Un-0 checkpoint with random weights at the scales of the reference's initialization, in
// each of the forms that un0c reads. Weights are drawn and written piece by piece, so that a
// checkpoint of a gigabyte needs a few megabytes of memory.
//
//===----------------------------------------------------------------------===//

#include "lib/Target/ContainerWriter.h"
#include "test/unittests/Import/TorchWriter.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"
#include <cmath>
#include <csignal>
#include <map>

namespace cl = llvm::cl;
using llvm::StringRef;
using namespace un0::test;

namespace {

enum class Format { Torch, Safetensors, WebGpu };
enum class DType { F32, F16, BF16 };

cl::OptionCategory category("Checkpoint options");
cl::opt<std::string> output("o", cl::desc("File to write"), cl::value_desc("file"), cl::Required,
                            cl::cat(category));
cl::opt<std::string>
    shapeName("shape", cl::desc("Published shape: n1024, n2048, n4096, n6656, n10240 or n16384"),
              cl::init(""), cl::cat(category));
cl::opt<int64_t> oscillators("oscillators", cl::desc("N, the number of oscillators"), cl::init(64),
                             cl::cat(category));
cl::opt<int64_t> conditioning("conditioning", cl::desc("M, the number of conditioning oscillators"),
                              cl::init(8), cl::cat(category));
cl::opt<int64_t> classes("classes", cl::desc("Number of classes"), cl::init(10), cl::cat(category));
cl::opt<int64_t> blocks("blocks", cl::desc("Number of decoder blocks"), cl::init(3),
                        cl::cat(category));
cl::opt<Format> format(
    "format", cl::desc("How to write it"), cl::init(Format::Safetensors),
    cl::values(clEnumValN(Format::Torch, "torch", "as torch.save does, keys with _orig_mod"),
               clEnumValN(Format::Safetensors, "safetensors", "names of the reference"),
               clEnumValN(Format::WebGpu, "webgpu", "names of the WebGPU port, scales baked in")),
    cl::cat(category));
cl::opt<DType> dtype("dtype", cl::desc("Type of the stored weights"), cl::init(DType::F32),
                     cl::values(clEnumValN(DType::F32, "f32", ""),
                                clEnumValN(DType::F16, "f16", ""),
                                clEnumValN(DType::BF16, "bf16", "")),
                     cl::cat(category));
cl::opt<std::string> solver("solver", cl::desc("Solver in the configuration"), cl::init("euler"),
                            cl::cat(category));
cl::opt<int64_t> steps("steps", cl::desc("Steps in the configuration"), cl::init(10),
                       cl::cat(category));
cl::opt<double> integrationTime("time", cl::desc("Integration time in the configuration"),
                                cl::init(1.0), cl::cat(category));
cl::opt<std::string>
    relativization("relativization",
                   cl::desc("Readout reference in the configuration (default: that of the family)"),
                   cl::init(""), cl::cat(category));
cl::opt<std::string> parameterization("parameterization",
                                      cl::desc("standard or mup (default: that of the family)"),
                                      cl::init(""), cl::cat(category));
cl::opt<std::string> encoding("encoding", cl::desc("Readout encoding: raw, sin or sin_cos"),
                              cl::init("sin_cos"), cl::cat(category));
cl::opt<bool> noConfig("no-config", cl::desc("Leave the configuration out"), cl::cat(category));
cl::opt<uint64_t> seed("seed", cl::desc("Seed of the weights"), cl::init(1), cl::cat(category));

/// One tensor to write: its name in each form, its shape, and the distribution of its elements.
struct Tensor {
  std::string referenceName, portName;
  std::vector<int64_t> shape;
  double deviation;
  /// The port stores such a parameter times this.
  double scale = 1.0;
  /// The port zeroes the diagonal; the other forms store a random one, which must have no effect.
  bool hasDiagonal = false;

  int64_t getCount() const {
    int64_t count = 1;
    for (int64_t size : shape)
      count *= size;
    return count;
  }
};

/// Normally distributed numbers, as a function of seed, tensor and position: Box-Muller on a
/// SplitMix64 counter.
class Normal {
public:
  Normal(uint64_t seed, uint64_t tensor) : key(mix(mix(seed) + tensor)) {}

  /// Elements first, first + 1, ...; `first` must be even.
  void fill(uint64_t first, llvm::MutableArrayRef<float> out) const {
    for (size_t i = 0; i < out.size(); i += 2) {
      uint64_t bits = mix(key + first + i);
      float radius =
          std::sqrt(-2.0f * std::log((static_cast<float>(bits >> 40) + 0.5f) * 0x1p-24f));
      float angle = static_cast<float>(bits & 0xffffff) * (6.28318530718f * 0x1p-24f);
      out[i] = radius * std::cos(angle);
      if (i + 1 < out.size())
        out[i + 1] = radius * std::sin(angle);
    }
  }

private:
  static uint64_t mix(uint64_t x) {
    x += 0x9e3779b97f4a7c15;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
  }

  uint64_t key;
};

/// Rounds to nearest even.
uint16_t toBFloat(float value) {
  uint32_t bits = llvm::bit_cast<uint32_t>(value);
  return (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
}

/// Rounds to nearest even, subnormals included; weights are far below the largest half.
uint16_t toHalf(float value) {
  uint32_t bits = llvm::bit_cast<uint32_t>(value), sign = bits >> 16 & 0x8000;
  bits &= 0x7fffffff;
  // Adding 0.5 aligns the mantissa of a subnormal half with that of the sum, and rounds.
  if (bits < 0x38800000)
    return sign | (llvm::bit_cast<uint32_t>(llvm::bit_cast<float>(bits) + 0.5f) - 0x3f000000);
  return sign | ((bits - 0x38000000 + 0xfff + ((bits >> 13) & 1)) >> 13);
}

unsigned getElementSize() { return dtype == DType::F32 ? 4 : 2; }

/// Hands the stored bytes of a tensor to a sink, piece by piece.
void writeTensor(const Tensor &tensor, uint64_t index, const std::function<void(StringRef)> &sink) {
  constexpr int64_t kPiece = 1 << 16;
  Normal normal(seed, index);
  std::vector<float> values(kPiece);
  std::string bytes;
  bool isPort = format == Format::WebGpu;
  float factor = tensor.deviation * (isPort ? tensor.scale : 1.0);
  int64_t columns = tensor.shape.back();
  for (int64_t first = 0, count = tensor.getCount(); first < count; first += kPiece) {
    llvm::MutableArrayRef<float> piece(values.data(), std::min(kPiece, count - first));
    normal.fill(first, piece);
    for (float &value : piece)
      value *= factor;
    if (isPort && tensor.hasDiagonal)
      for (int64_t i = 0; i < static_cast<int64_t>(piece.size()); ++i)
        if ((first + i) / columns == (first + i) % columns)
          piece[i] = 0.0f;
    if (dtype == DType::F32) {
      sink({reinterpret_cast<const char *>(piece.data()), piece.size() * 4});
      continue;
    }
    bytes.clear();
    for (float value : piece)
      putInt<uint16_t>(bytes, dtype == DType::F16 ? toHalf(value) : toBFloat(value));
    sink(bytes);
  }
}

/// The tensors of the model, in the order of the reference's state dict.
std::vector<Tensor> makeTensors(bool isImageNet, bool isMup, int64_t features) {
  int64_t n = oscillators, m = conditioning;
  double mainScale = 1.0 / std::sqrt(double(n)), condScale = 1.0 / std::sqrt(double(m));
  // "mup" stores numbers of order one and scales them in the forward pass; "standard" stores them
  // scaled.
  double mainDeviation = isMup ? 1.0 : mainScale, condDeviation = isMup ? 1.0 : condScale;
  if (!isMup)
    mainScale = condScale = 1.0;
  std::vector<Tensor> tensors = {
      {"dynamics.omega", "omega", {1, n}, 1.0},
      {"dynamics.K", "K", {n, n}, mainDeviation, mainScale, /*hasDiagonal=*/true},
      {"dynamics.omega_cond", "omega_cond", {1, m}, 1.0},
      {"dynamics.K_cond", "K_cond", {m, m}, condDeviation, condScale, /*hasDiagonal=*/true},
      {"dynamics.K_drive", "K_drive", {classes, n, m}, condDeviation, condScale},
  };
  // The reference starts with zero biases; random ones show when a bias is lost.
  constexpr double kBias = 0.05;
  auto addConv = [&](const std::string &reference, const std::string &port, int64_t out, int64_t in,
                     double deviation) {
    tensors.push_back({reference + ".weight", port + ".weight", {out, in, 3, 3}, deviation});
    tensors.push_back({reference + ".bias", port + ".bias", {out}, kBias});
  };
  // Kaiming normal for a leaky ReLU of slope 0.2.
  auto kaiming = [](int64_t in) { return std::sqrt(2.0 / (1.0 + 0.2 * 0.2) / (9.0 * in)); };
  int64_t channels = features / 16;
  for (int64_t i = 0; i < blocks; ++i) {
    int64_t next = std::max<int64_t>(channels / 2, 32);
    std::string reference = "decoder.cascade." + std::to_string(i) + ".net.",
                port = "dec." + std::to_string(i) + ".";
    addConv(reference + "1", port + "a", next, channels, kaiming(channels));
    addConv(reference + "3", port + "b", next, next, kaiming(next));
    channels = next;
  }
  // Xavier normal with the gain of tanh, halved for CIFAR.
  double gain = 5.0 / 3.0 * (isImageNet ? 1.0 : 0.5);
  addConv("decoder.to_output", "out", 3, channels,
          gain * std::sqrt(2.0 / (9.0 * channels + 9.0 * 3.0)));
  return tensors;
}

std::string addCompilePrefix(const std::string &name) {
  auto [module, rest] = StringRef(name).split('.');
  return (module + "._orig_mod." + rest).str();
}

void writeTorch(const std::vector<Tensor> &tensors, const PlainDict &config,
                const ZipWriter::Sink &sink) {
  StringRef storage = dtype == DType::F32   ? "FloatStorage"
                      : dtype == DType::F16 ? "HalfStorage"
                                            : "BFloat16Storage";
  std::vector<TorchTensor> described;
  for (const Tensor &tensor : tensors)
    described.push_back({addCompilePrefix(tensor.referenceName), storage.str(), tensor.shape, ""});
  ZipWriter zip(sink);
  zip.add("archive/data.pkl",
          makeCheckpointPickle(described, noConfig ? std::nullopt : std::optional(config)));
  zip.add("archive/.format_version", "1");
  zip.add("archive/byteorder", "little");
  for (auto [i, tensor] : llvm::enumerate(tensors)) {
    zip.begin("archive/data/" + std::to_string(i));
    writeTensor(tensor, i, [&](StringRef bytes) { zip.append(bytes); });
    zip.end();
  }
  zip.add("archive/version", "3\n");
  zip.finish();
}

void writeSafetensors(const std::vector<Tensor> &tensors, const PlainDict &config,
                      const ZipWriter::Sink &sink) {
  bool isPort = format == Format::WebGpu;
  llvm::json::Object header;
  if (!noConfig) {
    llvm::json::Object metadata;
    for (const auto &[key, value] : config) {
      if (auto *text = std::get_if<std::string>(&value))
        metadata[key] = *text;
      else if (auto *number = std::get_if<int64_t>(&value))
        metadata[key] = std::to_string(*number);
      else if (auto *real = std::get_if<double>(&value))
        metadata[key] = llvm::formatv("{0}", *real).str();
    }
    header["__metadata__"] = std::move(metadata);
  }
  int64_t offset = 0;
  for (const Tensor &tensor : tensors) {
    int64_t end = offset + tensor.getCount() * getElementSize();
    header[isPort ? tensor.portName : tensor.referenceName] =
        llvm::json::Object{{"dtype", dtype == DType::F32   ? "F32"
                                     : dtype == DType::F16 ? "F16"
                                                           : "BF16"},
                           {"shape", llvm::json::Array(tensor.shape)},
                           {"data_offsets", llvm::json::Array{offset, end}}};
    offset = end;
  }
  std::string text;
  llvm::raw_string_ostream(text) << llvm::json::Value(std::move(header));
  text.append((8 - text.size() % 8) % 8, ' ');
  std::string length;
  putInt<uint64_t>(length, text.size());
  sink(length);
  sink(text);
  for (auto [i, tensor] : llvm::enumerate(tensors))
    writeTensor(tensor, i, sink);
}

int fail(const llvm::Twine &message) {
  llvm::errs() << "un0-make-checkpoint: error: " << message << '\n';
  return 1;
}

/// The published shapes: N and whether it is an ImageNet model.
bool applyShape() {
  static const std::map<std::string, bool> shapes = {{"n1024", false}, {"n2048", false},
                                                     {"n4096", false}, {"n6656", true},
                                                     {"n10240", true}, {"n16384", true}};
  auto it = shapes.find(shapeName);
  if (it == shapes.end())
    return false;
  StringRef(it->first).drop_front().getAsInteger(10, oscillators.getValue());
  conditioning = it->second ? 1 : 8;
  classes = it->second ? 1000 : 10;
  blocks = it->second ? 4 : 3;
  return true;
}

} // namespace

int main(int argc, char **argv) {
  cl::HideUnrelatedOptions(category);
  cl::ParseCommandLineOptions(argc, argv, "Writes an Un-0 checkpoint with random weights\n");
  if (!shapeName.empty() && !applyShape())
    return fail("unknown shape '" + shapeName + "'");
  if (oscillators < 2 || conditioning < 1 || classes < 1 || blocks < 1 || blocks > 8)
    return fail("a model needs 2 oscillators, 1 conditioning oscillator, 1 class and 1 to 8 blocks "
                "or more");

  bool isImageNet = conditioning == 1 || blocks == 4 || classes == 1000;
  if (relativization.empty())
    relativization = isImageNet ? "ref_oscillator" : "mean_relative";
  if (parameterization.empty())
    parameterization = isImageNet ? "mup" : "standard";
  int64_t phases = relativization == "pairwise" ? oscillators * oscillators : oscillators;
  int64_t features = encoding == "sin_cos" ? 2 * phases : phases;
  if (features % 16 != 0)
    return fail(llvm::Twine(features) + " readout features do not fill 4 x 4 maps");
  std::vector<Tensor> tensors = makeTensors(isImageNet, parameterization == "mup", features);

  // A file past the allowed size is a failed write with a message, not a crash.
  std::signal(SIGXFSZ, SIG_IGN);
  llvm::Expected<un0::OutputFile> file = un0::OutputFile::create(output);
  if (!file)
    return fail(llvm::toString(file.takeError()));
  auto sink = [&](StringRef bytes) { file->write(bytes.data(), bytes.size()); };
  if (format == Format::Torch) {
    // The keys that the reference's training script stores, some of which are of no use here.
    PlainDict config = {{"seed", int64_t(42)},
                        {"lr", 5e-4},
                        {"precision", std::string("bf16")},
                        {"n_oscillators", int64_t(oscillators)},
                        {"n_conditional_oscillators", int64_t(conditioning)},
                        {"class_dropout_prob", 0.1},
                        {"num_steps", int64_t(steps)},
                        {"integration_time", double(integrationTime)},
                        {"solver", std::string(solver)},
                        {"parameterization", std::string(parameterization)},
                        {"relativization", std::string(relativization)},
                        {"encoding", std::string(encoding)},
                        {"freeze_dynamics", false},
                        {"decoder_in_channels", std::monostate()},
                        {"resume", std::monostate()}};
    writeTorch(tensors, config, sink);
  } else {
    PlainDict config = {{"n", int64_t(oscillators)},
                        {"n_cond", int64_t(conditioning)},
                        {"num_classes", int64_t(classes)},
                        {"num_steps", int64_t(steps)},
                        {"integration_time", double(integrationTime)},
                        {"solver", std::string(solver)},
                        {"relativization", std::string(relativization)},
                        {"encoding", std::string(encoding)},
                        {"num_blocks", int64_t(blocks)},
                        {"decoder_in_channels", features / 16}};
    if (format == Format::Safetensors)
      config.push_back({"parameterization", std::string(parameterization)});
    writeSafetensors(tensors, config, sink);
  }
  llvm::Error error = file->keep();
  return error ? fail(llvm::toString(std::move(error))) : 0;
}
