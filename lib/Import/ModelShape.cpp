//===- ModelShape.cpp - what model a checkpoint holds ---------------------===//

#include "ModelShape.h"
#include "Readers.h"
#include "llvm/ADT/StringSwitch.h"
#include <cfloat>
#include <cmath>
#include <cstring>

using namespace un0;
using namespace un0::import;
using llvm::ArrayRef;
using llvm::Error;
using llvm::Expected;
using llvm::StringRef;
using llvm::Twine;

namespace {

/// 4 x 4 maps doubled so often are 1024 x 1024 pixels.
constexpr int64_t kMaxBlocks = 8;
/// Elements per piece when a tensor is scanned.
constexpr int64_t kScanElements = 1 << 18;

/// The two ways in which published checkpoints name their tensors.
struct NamingScheme {
  bool reference;

  std::string dynamics(StringRef name) const {
    return ((reference ? "dynamics." : "") + name).str();
  }
  std::string block(int64_t index, StringRef conv, StringRef part) const {
    if (!reference)
      return ("dec." + Twine(index) + "." + conv + "." + part).str();
    return ("decoder.cascade." + Twine(index) + ".net." + (conv == "a" ? "1" : "3") + "." + part)
        .str();
  }
  std::string output(StringRef part) const {
    return ((reference ? "decoder.to_output." : "out.") + part).str();
  }
  StringRef blockPrefix() const { return reference ? "decoder.cascade." : "dec."; }
};

class ModelReader {
public:
  ModelReader(const Archive &archive, const ImportOptions &options)
      : archive(archive), options(options) {}

  Expected<ModelSpec> read() {
    for (auto action :
         {&ModelReader::readNaming, &ModelReader::readSizes, &ModelReader::readFamily,
          &ModelReader::readSettings, &ModelReader::readDecoder, &ModelReader::checkSizes})
      if (Error error = (this->*action)())
        return error;
    if (!options.allowNonfinite)
      for (const ParamSpec *param : params())
        if (Error error = checkFinite(*param))
          return error;
    return std::move(spec);
  }

private:
  std::vector<const ParamSpec *> params() const {
    std::vector<const ParamSpec *> all = {&spec.coupling, &spec.frequency, &spec.condCoupling,
                                          &spec.condFrequency, &spec.drive};
    for (const BlockSpec &block : spec.blocks)
      all.insert(all.end(), {&block.aWeight, &block.aBias, &block.bWeight, &block.bBias});
    all.insert(all.end(), {&spec.outWeight, &spec.outBias});
    return all;
  }

  //===--- Tensors ----------------------------------------------------------===//

  /// The tensor under a key. `expected` is what its shape should be, in words, for the message.
  Expected<const StoredTensor *> get(StringRef key, const Twine &expected) const {
    if (const StoredTensor *tensor = archive.find(key)) {
      if (tensor->type != StorageType::I64)
        return tensor;
      return makeError("tensor " + quote(key) + " cannot be a weight: it is stored as i64");
    }
    if (const std::string *reason = archive.findRefusal(key))
      return makeError("tensor " + quote(key) + " cannot be a weight: " + *reason);
    return makeError("tensor " + quote(key) + " is missing; expected " + expected);
  }

  /// Declares a parameter and checks that its tensor is there and has the shape.
  Error declare(ParamSpec &param, const Twine &symbol, std::string key, ArrayRef<int64_t> shape,
                double scale = 1.0) {
    param = {symbol.str(), std::move(key), llvm::SmallVector<int64_t, 4>(shape), scale};
    Expected<const StoredTensor *> tensor = get(param.key, describeShape(shape));
    if (!tensor)
      return tensor.takeError();
    ArrayRef<int64_t> found = (*tensor)->shape;
    // Frequencies are stored as a row or as a plain vector.
    bool isRow = shape.size() == 2 && shape[0] == 1;
    if (found == shape || (isRow && found == shape.drop_front()))
      return Error::success();
    return makeError("tensor " + quote(param.key) + " has shape " + describeShape(found) +
                     ", expected " + describeShape(shape));
  }

  /// Looks for NaN and infinities, piece by piece, and leaves none of the pages resident.
  Error checkFinite(const ParamSpec &param) const {
    const StoredTensor &tensor = *archive.find(param.key);
    std::vector<float> piece(std::min(kScanElements, tensor.getNumElements()));
    for (int64_t first = 0, count = tensor.getNumElements(); first < count;
         first += kScanElements) {
      llvm::MutableArrayRef<float> values(piece.data(), std::min(kScanElements, count - first));
      tensor.readF32(first, values);
      archive.release(tensor, first, values.size());
      // A sum of bits instead of a test per element: this loop runs over every weight.
      uint32_t nonfinite = 0;
      for (float value : values) {
        uint32_t bits;
        std::memcpy(&bits, &value, sizeof(bits));
        nonfinite |= (bits & 0x7f800000) == 0x7f800000;
      }
      if (nonfinite)
        for (size_t i = 0; i < values.size(); ++i)
          if (!std::isfinite(values[i]))
            return makeNonfinite(param, tensor, first + i, values[i]);
    }
    return Error::success();
  }

  Error makeNonfinite(const ParamSpec &param, const StoredTensor &tensor, int64_t element,
                      float value) const {
    std::string index;
    for (size_t i = tensor.shape.size(); i-- > 0; element /= tensor.shape[i])
      index = std::to_string(element % tensor.shape[i]) + (index.empty() ? "" : ", ") + index;
    StringRef what = std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf";
    return makeError("tensor " + quote(param.key) + " is " + what + " at [" + index +
                     "]; --allow-nonfinite compiles it as it is");
  }

  //===--- Configuration ----------------------------------------------------===//

  /// The value of the first of several spellings of a key; null without any.
  const std::string *findConfig(std::initializer_list<StringRef> keys, StringRef &found) const {
    for (StringRef key : keys) {
      auto it = archive.getConfig().find(key.str());
      if (it != archive.getConfig().end() && it->second != "None") {
        found = key;
        return &it->second;
      }
    }
    return nullptr;
  }

  Error checkConfig(std::initializer_list<StringRef> keys, int64_t actual,
                    const Twine &tensors) const {
    StringRef key;
    const std::string *text = findConfig(keys, key);
    int64_t value = 0;
    if (!text)
      return Error::success();
    if (StringRef(*text).getAsInteger(10, value))
      return makeError("configuration " + quote(key) + " is " + quote(*text) +
                       ", expected a whole number");
    if (value != actual)
      return makeError("configuration " + quote(key) + " is " + Twine(value) +
                       " but the tensors have " + Twine(actual) + " " + tensors);
    return Error::success();
  }

  template <typename T>
  Error readChoice(std::initializer_list<StringRef> keys, T &value,
                   llvm::function_ref<std::optional<T>(StringRef)> parse, StringRef choices) const {
    StringRef key;
    const std::string *text = findConfig(keys, key);
    if (!text)
      return Error::success();
    std::optional<T> parsed = parse(*text);
    if (!parsed)
      return makeError("configuration " + quote(key) + " is " + quote(*text) + ", expected " +
                       choices);
    value = *parsed;
    return Error::success();
  }

  //===--- Steps ------------------------------------------------------------===//

  Error readNaming() {
    bool hasReference = false, hasPort = false;
    auto look = [&](StringRef key) {
      hasReference |= key.starts_with("dynamics.") || key.starts_with("decoder.");
      hasPort |= key == "K" || key == "K_drive" || key.starts_with("dec.");
    };
    for (const auto &[key, tensor] : archive.getTensors())
      look(key);
    if (!hasReference && !hasPort)
      return makeError(
          "this checkpoint holds no Un-0 model: neither 'dynamics.K' nor 'K' is among its " +
          Twine(archive.getTensors().size()) + " tensors");
    names.reference = hasReference;
    return Error::success();
  }

  Error readSizes() {
    std::string key = names.dynamics("K");
    Expected<const StoredTensor *> coupling = get(key, "N x N");
    if (!coupling)
      return coupling.takeError();
    ArrayRef<int64_t> shape = (*coupling)->shape;
    if (shape.size() != 2 || shape[0] != shape[1] || shape[0] < 2)
      return makeError("tensor " + quote(key) + " has shape " + describeShape(shape) +
                       ", expected N x N with N of 2 or more");
    spec.oscillators = shape[0];

    key = names.dynamics("K_drive");
    Expected<const StoredTensor *> drive =
        get(key, "classes x " + Twine(spec.oscillators) + " x M");
    if (!drive)
      return drive.takeError();
    shape = (*drive)->shape;
    if (shape.size() != 3 || shape[1] != spec.oscillators || shape[0] < 1 || shape[2] < 1)
      return makeError("tensor " + quote(key) + " has shape " + describeShape(shape) +
                       ", expected classes x " + Twine(spec.oscillators) + " x M");
    spec.classes = shape[0];
    spec.conditioning = shape[2];

    // Blocks are numbered from 0; one that is left out shows as a missing tensor later.
    for (const auto &[name, tensor] : archive.getTensors()) {
      StringRef rest = name;
      int64_t index = 0;
      if (!rest.consume_front(names.blockPrefix()) || rest.consumeInteger(10, index) ||
          !rest.starts_with("."))
        continue;
      if (index < 0 || index >= kMaxBlocks)
        return makeError("tensor " + quote(name) + " belongs to decoder block " + Twine(index) +
                         ", but at most " + Twine(kMaxBlocks) + " blocks are supported");
      numBlocks = std::max(numBlocks, index + 1);
    }
    numBlocks = std::max<int64_t>(numBlocks, 1);
    return Error::success();
  }

  /// Defaults by family, for early checkpoints whose configuration lacks keys. An evaluation script
  /// of the reference falls back to the ImageNet values for CIFAR files as well, which is wrong for
  /// those that were released.
  Error readFamily() {
    bool isImageNet = spec.conditioning == 1 || numBlocks == 4 || spec.classes == 1000;
    spec.reference = isImageNet ? Reference::Oscillator : Reference::Mean;
    isMup = isImageNet;
    return Error::success();
  }

  Error readSettings() {
    if (Error error = readChoice<Solver>(
            {"solver", "method"}, spec.solver,
            [](StringRef text) {
              return llvm::StringSwitch<std::optional<Solver>>(text)
                  .Case("euler", Solver::Euler)
                  .Cases({"heun", "heun2"}, Solver::Heun)
                  .Case("rk4", Solver::RK4)
                  .Cases({"rk4-classic", "rk4_classic"}, Solver::RK4Classic)
                  .Default(std::nullopt);
            },
            "euler, heun, rk4 or rk4-classic"))
      return error;
    if (Error error = readChoice<Reference>(
            {"relativization", "reference"}, spec.reference,
            [](StringRef text) {
              return llvm::StringSwitch<std::optional<Reference>>(text)
                  .Case("absolute", Reference::Absolute)
                  .Cases({"mean_relative", "mean"}, Reference::Mean)
                  .Cases({"ref_oscillator", "oscillator"}, Reference::Oscillator)
                  .Case("pairwise", Reference::Pairwise)
                  .Default(std::nullopt);
            },
            "absolute, mean_relative, ref_oscillator or pairwise"))
      return error;
    if (Error error = readChoice<Encoding>(
            {"encoding"}, spec.encoding,
            [](StringRef text) {
              return llvm::StringSwitch<std::optional<Encoding>>(text)
                  .Case("raw", Encoding::Raw)
                  .Case("sin", Encoding::Sin)
                  .Case("sin_cos", Encoding::SinCos)
                  .Default(std::nullopt);
            },
            "raw, sin or sin_cos"))
      return error;
    if (Error error = readChoice<bool>(
            {"parameterization"}, isMup,
            [](StringRef text) {
              return llvm::StringSwitch<std::optional<bool>>(text)
                  .Case("standard", false)
                  .Case("mup", true)
                  .Default(std::nullopt);
            },
            "standard or mup"))
      return error;
    if (Error error = readChoice<int64_t>(
            {"num_steps"}, spec.steps,
            [](StringRef text) -> std::optional<int64_t> {
              int64_t steps = 0;
              if (text.getAsInteger(10, steps) || steps < 0 || steps > kMaxSteps)
                return std::nullopt;
              return steps;
            },
            "a whole number from 0 to 1000000"))
      return error;
    return readChoice<double>(
        {"integration_time"}, spec.time,
        [](StringRef text) -> std::optional<double> {
          double time = 0.0;
          if (text.getAsDouble(time) || !std::isfinite(time) || time < 0.0)
            return std::nullopt;
          return time;
        },
        "a finite number that is not negative");
  }

  Error readDecoder() {
    int64_t n = spec.oscillators, m = spec.conditioning;
    // The port has the factors baked into its tensors, whatever its metadata repeats from the
    // original.
    bool scaled = isMup && names.reference;
    double mainScale = scaled ? 1.0 / std::sqrt(double(n)) : 1.0,
           condScale = scaled ? 1.0 / std::sqrt(double(m)) : 1.0;
    if (Error error = declare(spec.coupling, "K", names.dynamics("K"), {n, n}, mainScale))
      return error;
    if (Error error = declare(spec.frequency, "omega", names.dynamics("omega"), {1, n}))
      return error;
    if (Error error =
            declare(spec.condCoupling, "K_cond", names.dynamics("K_cond"), {m, m}, condScale))
      return error;
    if (Error error =
            declare(spec.condFrequency, "omega_cond", names.dynamics("omega_cond"), {1, m}))
      return error;
    if (Error error = declare(spec.drive, "K_drive", names.dynamics("K_drive"),
                              {spec.classes, n, m}, condScale))
      return error;

    // N is at most sqrt(2^63 / 4), for K is in the file, so that none of this overflows.
    int64_t phases = spec.reference == Reference::Pairwise ? n * n : n;
    spec.features = spec.encoding == Encoding::SinCos ? 2 * phases : phases;
    if (spec.features % 16 != 0)
      return makeError(Twine(spec.features) + " readout features of " + Twine(n) +
                       " oscillators do not fill 4 x 4 maps");
    int64_t channels = spec.features / 16;
    for (int64_t i = 0; i < numBlocks; ++i) {
      BlockSpec &block = spec.blocks.emplace_back();
      block.inChannels = channels;
      block.outChannels = channels = std::max<int64_t>(channels / 2, 32);
      std::string symbol = "decoder_" + std::to_string(i);
      if (Error error = declare(block.aWeight, symbol + "_a_weight", names.block(i, "a", "weight"),
                                {block.outChannels, block.inChannels, 3, 3}))
        return error;
      if (Error error = declare(block.aBias, symbol + "_a_bias", names.block(i, "a", "bias"),
                                {block.outChannels}))
        return error;
      if (Error error = declare(block.bWeight, symbol + "_b_weight", names.block(i, "b", "weight"),
                                {block.outChannels, block.outChannels, 3, 3}))
        return error;
      if (Error error = declare(block.bBias, symbol + "_b_bias", names.block(i, "b", "bias"),
                                {block.outChannels}))
        return error;
    }
    if (Error error = declare(spec.outWeight, "decoder_out_weight", names.output("weight"),
                              {3, channels, 3, 3}))
      return error;
    return declare(spec.outBias, "decoder_out_bias", names.output("bias"), {3});
  }

  /// A configuration that contradicts the tensors belongs to another model; nothing in it can be
  /// trusted then.
  Error checkSizes() {
    if (Error error = checkConfig({"n", "n_oscillators"}, spec.oscillators, "oscillators"))
      return error;
    if (Error error = checkConfig({"n_cond", "n_conditional_oscillators"}, spec.conditioning,
                                  "conditioning oscillators"))
      return error;
    if (Error error = checkConfig({"num_classes"}, spec.classes, "classes"))
      return error;
    if (Error error = checkConfig({"num_blocks"}, numBlocks, "up-blocks"))
      return error;
    if (Error error = checkConfig({"decoder_in_channels"}, spec.features / 16, "decoder channels"))
      return error;
    if (Error error = checkConfig({"image_channels"}, 3, "image channels"))
      return error;
    return checkConfig({"image_size"}, spec.getImageSize(), "pixels per row");
  }

  const Archive &archive;
  const ImportOptions &options;
  NamingScheme names = {true};
  ModelSpec spec;
  int64_t numBlocks = 0;
  bool isMup = false;
};

} // namespace

Expected<ModelSpec> import::inferModel(const Archive &archive, const ImportOptions &options) {
  return ModelReader(archive, options).read();
}
