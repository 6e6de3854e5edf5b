//===- ImportTest.cpp - checkpoints to un0 IR -----------------------------===//

#include "un0/Import/Import.h"
#include "TestFiles.h"
#include "dialects/Un0/IR/Un0.h"
#include "lib/Import/ModelShape.h"
#include "mlir/Bytecode/BytecodeWriter.h"
#include "mlir/IR/Verifier.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MemoryBuffer.h"
#include <cmath>
#include <gmock/gmock.h>
#include <limits>

using namespace mlir;
using namespace un0;
using namespace un0::test;
using testing::HasSubstr;
using testing::StartsWith;

namespace {

constexpr const char *kBundled = UN0_TEST_MODELS "/fashion_n1024/fashion_n1024.safetensors";

class Import : public testing::Test {
protected:
  MLIRContext context{MLIRContext::Threading::DISABLED};

  /// Imports a file's bytes; null and a failure of the test if it is refused.
  OwningOpRef<ModuleOp> import(llvm::StringRef bytes, const ImportOptions &options = {}) {
    ScratchFile file(bytes);
    llvm::Expected<OwningOpRef<ModuleOp>> module = importModel(file.getPath(), context, options);
    if (module)
      return std::move(*module);
    ADD_FAILURE() << llvm::toString(module.takeError());
    return {};
  }

  /// The message with which a model is refused, without the file's name.
  std::string refuse(llvm::StringRef bytes, const ImportOptions &options = {}) {
    ScratchFile file(bytes);
    llvm::Expected<OwningOpRef<ModuleOp>> module = importModel(file.getPath(), context, options);
    if (module)
      return "";
    std::string message = llvm::toString(module.takeError());
    EXPECT_THAT(message, StartsWith(file.getPath().str() + ": "));
    EXPECT_THAT(message, testing::Not(HasSubstr("\n")));
    return message.substr(file.getPath().size() + 2);
  }

  template <typename OpT> OpT findOnly(ModuleOp module) {
    OpT found;
    module.walk([&](OpT op) {
      EXPECT_FALSE(found);
      found = op;
    });
    EXPECT_TRUE(found);
    return found;
  }

  static ParamOp param(ModuleOp module, llvm::StringRef name) {
    auto op = module.lookupSymbol<ParamOp>(name);
    EXPECT_TRUE(op) << name.str();
    return op;
  }

  static std::string print(Type type) {
    std::string text;
    llvm::raw_string_ostream(text) << type;
    return text;
  }
};

/// The tensors of a small model, one of them replaced.
std::vector<FillTensor> makeWith(const SmallModel &model, const FillTensor &replacement) {
  std::vector<FillTensor> tensors = makeTensors(model);
  for (FillTensor &tensor : tensors)
    if (tensor.name == replacement.name)
      tensor = replacement;
  return tensors;
}

std::vector<FillTensor> makeWithout(const SmallModel &model, llvm::StringRef name) {
  std::vector<FillTensor> tensors = makeTensors(model);
  llvm::erase_if(tensors, [&](const FillTensor &tensor) { return tensor.name == name; });
  return tensors;
}

//===----------------------------------------------------------------------===//
// Models
//===----------------------------------------------------------------------===//

TEST_F(Import, BundledModel) {
  llvm::Expected<OwningOpRef<ModuleOp>> imported = importModel(kBundled, context);
  ASSERT_TRUE(!!imported) << llvm::toString(imported.takeError());
  ModuleOp module = **imported;
  EXPECT_EQ(cast<StringAttr>(module->getAttr(kPhaseAttr)).getValue(), "model");

  auto function = module.lookupSymbol<func::FuncOp>("generate");
  ASSERT_TRUE(function);
  EXPECT_EQ(print(function.getFunctionType()),
            "(tensor<?x1024xf32>, tensor<?x8xf32>, tensor<?xi64>) -> tensor<?x3x32x32xf32>");
  auto facts = function->getAttrOfType<DictionaryAttr>("un0.model");
  ASSERT_TRUE(facts);
  EXPECT_EQ(cast<StringAttr>(facts.get("name")).getValue(), "fashion_n1024");
  EXPECT_EQ(cast<IntegerAttr>(facts.get("classes")).getInt(), 10);

  auto evolve = findOnly<EvolveOp>(module);
  EXPECT_EQ(evolve.getSolver(), Solver::Euler);
  EXPECT_EQ(evolve.getSteps(), 10u);
  EXPECT_EQ(evolve.getTime().convertToDouble(), 1.0);
  auto readout = findOnly<ReadoutOp>(module);
  EXPECT_EQ(readout.getReference(), Reference::Mean);
  EXPECT_EQ(readout.getEncoding(), Encoding::SinCos);

  ParamOp coupling = param(module, "K");
  EXPECT_EQ(coupling.getArchive(), kBundled);
  EXPECT_EQ(coupling.getKey(), "dynamics.K");
  EXPECT_EQ(print(coupling.getType()), "tensor<1024x1024xf32>");
  EXPECT_FALSE(coupling.getScale().has_value());
  EXPECT_EQ(print(param(module, "decoder_0_a_weight").getType()), "tensor<64x128x3x3xf32>");
  EXPECT_EQ(param(module, "decoder_2_b_bias").getKey(), "decoder.cascade.2.net.3.bias");
  EXPECT_EQ(llvm::range_size(module.getOps<ParamOp>()), 19u);
}

/// A training checkpoint that torch 2.13 wrote: N = 32, M = 8, 3 classes, 1 block, modules behind
/// torch.compile, states of an optimizer with momentum and of a scheduler. `dynamics.K[i, j]` is
/// (32 i + j) / 1024.
TEST_F(Import, CheckpointWrittenByTorch) {
  std::string path = UN0_TEST_MODELS "/../Import/Inputs/torch-2.13.pt";
  llvm::Expected<OwningOpRef<ModuleOp>> module = importModel(path, context);
  ASSERT_TRUE(!!module) << llvm::toString(module.takeError());
  EXPECT_EQ(llvm::range_size((**module).getOps<ParamOp>()), 11u);
  EXPECT_EQ(findOnly<ReadoutOp>(**module).getReference(), Reference::Mean);

  llvm::Expected<std::shared_ptr<Archive>> archive = Archive::open(path);
  ASSERT_TRUE(!!archive) << llvm::toString(archive.takeError());
  EXPECT_EQ((*archive)->getTensors().size(), 11u);
  EXPECT_EQ((*archive)->getConfig().at("num_steps"), "10");
  EXPECT_EQ((*archive)->getConfig().at("freeze_dynamics"), "false");
  EXPECT_EQ((*archive)->getConfig().count("decoder_in_channels"), 0u);
  std::vector<float> row(32);
  (*archive)->find("dynamics.K")->readF32(32, row);
  for (int j = 0; j < 32; ++j)
    EXPECT_EQ(row[j], (32 + j) / 1024.0f);
}

TEST_F(Import, SelfCouplingIsLeftOutAndTheDriveIsNot) {
  OwningOpRef<ModuleOp> module = import(makeSafetensors(makeTensors({})));
  ASSERT_TRUE(module);
  std::vector<bool> diagonals;
  module->walk([&](CoupleOp op) { diagonals.push_back(op.getZeroDiagonal()); });
  EXPECT_THAT(diagonals, testing::ElementsAre(true, false, true));
}

TEST_F(Import, EveryParameterNamesATensorOfItsSize) {
  for (bool port : {false, true}) {
    SmallModel model;
    model.port = port;
    model.blocks = 2;
    ScratchFile file(makeSafetensors(makeTensors(model)));
    llvm::Expected<OwningOpRef<ModuleOp>> module = importModel(file.getPath(), context);
    ASSERT_TRUE(!!module) << llvm::toString(module.takeError());
    ArchiveSet archives("elsewhere/model.mlir");
    for (ParamOp op : (**module).getOps<ParamOp>()) {
      llvm::Expected<std::shared_ptr<Archive>> archive = archives.open(op.getArchive());
      ASSERT_TRUE(!!archive) << llvm::toString(archive.takeError());
      const StoredTensor *tensor = (*archive)->find(op.getKey());
      ASSERT_TRUE(tensor) << op.getKey().str();
      EXPECT_EQ(tensor->getNumElements(), cast<ShapedType>(op.getType()).getNumElements())
          << op.getKey().str();
    }
  }
}

TEST_F(Import, DefaultsOfTheCifarFamily) {
  OwningOpRef<ModuleOp> module = import(makeTorch(makeTensors({}), std::nullopt));
  ASSERT_TRUE(module);
  EXPECT_EQ(findOnly<ReadoutOp>(*module).getReference(), Reference::Mean);
  EXPECT_FALSE(param(*module, "K").getScale().has_value());
  auto evolve = findOnly<EvolveOp>(*module);
  EXPECT_EQ(evolve.getSolver(), Solver::Euler);
  EXPECT_EQ(evolve.getSteps(), 10u);
}

TEST_F(Import, DefaultsOfTheImageNetFamilyByOneConditioningOscillator) {
  SmallModel model;
  model.m = 1;
  OwningOpRef<ModuleOp> module = import(makeTorch(makeTensors(model), std::nullopt));
  ASSERT_TRUE(module);
  EXPECT_EQ(findOnly<ReadoutOp>(*module).getReference(), Reference::Oscillator);
  EXPECT_EQ(param(*module, "K").getScale()->convertToDouble(), 0.25); // 16^-1/2
  EXPECT_FALSE(param(*module, "K_drive").getScale().has_value());     // 1^-1/2
  // Both states are there, though nothing acts on the second.
  EXPECT_EQ(findOnly<EvolveOp>(*module).getInitial().size(), 2u);
}

TEST_F(Import, DefaultsOfTheImageNetFamilyByFourBlocks) {
  SmallModel model;
  model.m = 4;
  model.blocks = 4;
  OwningOpRef<ModuleOp> module = import(makeTorch(makeTensors(model), std::nullopt));
  ASSERT_TRUE(module);
  EXPECT_EQ(findOnly<ReadoutOp>(*module).getReference(), Reference::Oscillator);
  EXPECT_EQ(param(*module, "K_cond").getScale()->convertToDouble(), 0.5);
  EXPECT_EQ(param(*module, "K_drive").getScale()->convertToDouble(), 0.5);
  EXPECT_FALSE(param(*module, "omega").getScale().has_value());
  EXPECT_EQ(print(module->lookupSymbol<func::FuncOp>("generate").getResultTypes()[0]),
            "tensor<?x3x64x64xf32>");
}

TEST_F(Import, DefaultsOfTheImageNetFamilyByAThousandClasses) {
  SmallModel model;
  model.classes = 1000;
  OwningOpRef<ModuleOp> module = import(makeTorch(makeTensors(model), std::nullopt));
  ASSERT_TRUE(module);
  EXPECT_EQ(findOnly<ReadoutOp>(*module).getReference(), Reference::Oscillator);
}

TEST_F(Import, ConfigurationOverridesTheFamily) {
  SmallModel model;
  model.m = 1;
  OwningOpRef<ModuleOp> module =
      import(makeTorch(makeTensors(model), PlainDict{{"n_oscillators", int64_t(16)},
                                                     {"n_conditional_oscillators", int64_t(1)},
                                                     {"num_steps", int64_t(25)},
                                                     {"solver", std::string("rk4")},
                                                     {"integration_time", 2.5},
                                                     {"relativization", std::string("absolute")},
                                                     {"parameterization", std::string("standard")},
                                                     {"decoder_in_channels", {}}}));
  ASSERT_TRUE(module);
  EXPECT_EQ(findOnly<ReadoutOp>(*module).getReference(), Reference::Absolute);
  EXPECT_FALSE(param(*module, "K").getScale().has_value());
  auto evolve = findOnly<EvolveOp>(*module);
  EXPECT_EQ(evolve.getSolver(), Solver::RK4);
  EXPECT_EQ(evolve.getSteps(), 25u);
  EXPECT_EQ(evolve.getTime().convertToDouble(), 2.5);
}

TEST_F(Import, ZeroStepsAreLegal) {
  OwningOpRef<ModuleOp> module = import(makeSafetensors(makeTensors({}), {{"num_steps", "0"}}));
  ASSERT_TRUE(module);
  EXPECT_EQ(findOnly<EvolveOp>(*module).getSteps(), 0u);
}

TEST_F(Import, SolverSpellings) {
  for (auto [text, solver] : {std::pair("euler", Solver::Euler),
                              {"heun", Solver::Heun},
                              {"heun2", Solver::Heun},
                              {"rk4", Solver::RK4},
                              {"rk4-classic", Solver::RK4Classic},
                              {"rk4_classic", Solver::RK4Classic}}) {
    OwningOpRef<ModuleOp> module = import(makeSafetensors(makeTensors({}), {{"solver", text}}));
    ASSERT_TRUE(module);
    EXPECT_EQ(findOnly<EvolveOp>(*module).getSolver(), solver) << text;
  }
}

TEST_F(Import, EncodingsAndPairwiseReferenceShapeTheDecoder) {
  for (const char *encoding : {"raw", "sin"}) {
    SmallModel model;
    model.n = 32;
    model.featuresPerOscillator = 1;
    OwningOpRef<ModuleOp> module =
        import(makeSafetensors(makeTensors(model), {{"encoding", encoding}}));
    ASSERT_TRUE(module);
    EXPECT_EQ(print(findOnly<ReadoutOp>(*module).getFeatures().getType()), "tensor<?x32xf32>");
  }
  SmallModel model;
  model.n = 8;
  model.featuresPerOscillator = 16;
  OwningOpRef<ModuleOp> module =
      import(makeSafetensors(makeTensors(model), {{"relativization", "pairwise"}}));
  ASSERT_TRUE(module);
  EXPECT_EQ(print(findOnly<ReadoutOp>(*module).getFeatures().getType()), "tensor<?x128xf32>");
}

TEST_F(Import, FrequenciesMayBeVectors) {
  OwningOpRef<ModuleOp> module = import(makeSafetensors(makeWith({}, {"dynamics.omega", {16}})));
  ASSERT_TRUE(module);
  EXPECT_EQ(print(param(*module, "omega").getType()), "tensor<1x16xf32>");
}

TEST_F(Import, ThePortHasItsScaleBakedIn) {
  SmallModel model;
  model.m = 1;
  model.port = true;
  OwningOpRef<ModuleOp> module =
      import(makeSafetensors(makeTensors(model), {{"n", "16"},
                                                  {"n_cond", "1"},
                                                  {"num_steps", "10"},
                                                  {"integration_time", "1"},
                                                  {"solver", "euler"},
                                                  {"relativization", "ref_oscillator"},
                                                  {"parameterization", "mup"},
                                                  {"num_blocks", "1"},
                                                  {"decoder_in_channels", "2"},
                                                  {"num_classes", "3"}}));
  ASSERT_TRUE(module);
  for (ParamOp op : module->getOps<ParamOp>())
    EXPECT_FALSE(op.getScale().has_value()) << op.getSymName().str();
  EXPECT_EQ(param(*module, "K").getKey(), "K");
  EXPECT_EQ(param(*module, "decoder_0_b_weight").getKey(), "dec.0.b.weight");
  EXPECT_EQ(param(*module, "decoder_out_bias").getKey(), "out.bias");
}

TEST_F(Import, UnusedTensorsAreIgnored) {
  std::vector<FillTensor> tensors = makeTensors({});
  tensors.push_back({"ema.K", {3, 3}, std::numeric_limits<float>::quiet_NaN()});
  EXPECT_TRUE(import(makeSafetensors(tensors)));
}

/// Resident bytes of this process that belong to mapped files.
int64_t getResidentFileBytes() {
  auto status = llvm::MemoryBuffer::getFileAsStream("/proc/self/status");
  if (!status)
    return -1;
  int64_t total = 0;
  for (llvm::StringRef rest = (*status)->getBuffer(), line; !rest.empty();) {
    std::tie(line, rest) = rest.split('\n');
    // A file on a RAM disk counts as shared memory.
    int64_t kilobytes = 0;
    if ((line.consume_front("RssFile:") || line.consume_front("RssShmem:")) &&
        !line.ltrim().consumeInteger(10, kilobytes))
      total += kilobytes << 10;
  }
  return total;
}

TEST_F(Import, ALargeCheckpointIsStreamedAndNotKeptResident) {
  // 77 MB of zeros that take no room on the disk.
  SmallModel model;
  model.n = 4096;
  model.blocks = 3;
  std::string header = "{", separator;
  int64_t offset = 0;
  for (const FillTensor &tensor : makeTensors(model)) {
    int64_t end = offset + 4 * tensor.getCount();
    header +=
        separator + "\"" + tensor.name + "\":{\"dtype\":\"F32\",\"shape\":[" +
        llvm::join(llvm::map_range(tensor.shape, [](int64_t size) { return std::to_string(size); }),
                   ",") +
        "],\"data_offsets\":[" + std::to_string(offset) + "," + std::to_string(end) + "]}";
    separator = ",";
    offset = end;
  }
  ScratchFile file(makeSafetensors(header + "}", ""));
  int descriptor = -1;
  ASSERT_FALSE(llvm::sys::fs::openFileForReadWrite(
      file.getPath(), descriptor, llvm::sys::fs::CD_OpenExisting, llvm::sys::fs::OF_None));
  ASSERT_FALSE(llvm::sys::fs::resize_file_sparse(descriptor, 8 + header.size() + 1 + offset));
  llvm::sys::fs::closeFile(descriptor);

  llvm::Expected<std::shared_ptr<Archive>> archive = Archive::open(file.getPath());
  ASSERT_TRUE(!!archive) << llvm::toString(archive.takeError());
  int64_t before = getResidentFileBytes();
  ASSERT_GT(before, 0);
  llvm::Expected<un0::import::ModelSpec> spec = un0::import::inferModel(**archive, {});
  ASSERT_TRUE(!!spec) << llvm::toString(spec.takeError());
  EXPECT_LT(getResidentFileBytes() - before, 8 << 20);
}

//===----------------------------------------------------------------------===//
// Models that are refused
//===----------------------------------------------------------------------===//

TEST_F(Import, AMissingTensorIsNamedWithItsShape) {
  EXPECT_EQ(refuse(makeSafetensors(makeWithout({}, "dynamics.K"))),
            "tensor 'dynamics.K' is missing; expected N x N");
  EXPECT_EQ(refuse(makeSafetensors(makeWithout({}, "dynamics.K_drive"))),
            "tensor 'dynamics.K_drive' is missing; expected classes x 16 x M");
  EXPECT_EQ(refuse(makeSafetensors(makeWithout({}, "dynamics.omega_cond"))),
            "tensor 'dynamics.omega_cond' is missing; expected 1x2");
  EXPECT_EQ(refuse(makeSafetensors(makeWithout({}, "decoder.cascade.0.net.3.weight"))),
            "tensor 'decoder.cascade.0.net.3.weight' is missing; expected 32x32x3x3");
  EXPECT_EQ(refuse(makeSafetensors(makeWithout({}, "decoder.to_output.bias"))),
            "tensor 'decoder.to_output.bias' is missing; expected 3");
}

TEST_F(Import, AMissingBlockIsNamed) {
  SmallModel model;
  model.blocks = 3;
  std::vector<FillTensor> tensors = makeTensors(model);
  llvm::erase_if(tensors, [](const FillTensor &tensor) {
    return llvm::StringRef(tensor.name).contains("cascade.1.");
  });
  EXPECT_EQ(refuse(makeSafetensors(tensors)),
            "tensor 'decoder.cascade.1.net.1.weight' is missing; expected 32x32x3x3");
}

TEST_F(Import, TooManyBlocksAreRefused) {
  std::vector<FillTensor> tensors = makeTensors({});
  tensors.push_back({"decoder.cascade.4000000000.net.1.weight", {1}});
  EXPECT_EQ(refuse(makeSafetensors(tensors)),
            "tensor 'decoder.cascade.4000000000.net.1.weight' belongs to decoder block "
            "4000000000, but at most 8 blocks are supported");
}

TEST_F(Import, AWrongShapeIsNamedWithBothShapes) {
  EXPECT_EQ(refuse(makeSafetensors(makeWith({}, {"dynamics.K", {16, 15}}))),
            "tensor 'dynamics.K' has shape 16x15, expected N x N with N of 2 or more");
  EXPECT_EQ(refuse(makeSafetensors(makeWith({}, {"dynamics.K_drive", {3, 15, 2}}))),
            "tensor 'dynamics.K_drive' has shape 3x15x2, expected classes x 16 x M");
  EXPECT_EQ(refuse(makeSafetensors(makeWith({}, {"dynamics.K_cond", {3, 3}}))),
            "tensor 'dynamics.K_cond' has shape 3x3, expected 2x2");
  EXPECT_EQ(refuse(makeSafetensors(makeWith({}, {"dynamics.omega", {16, 1}}))),
            "tensor 'dynamics.omega' has shape 16x1, expected 1x16");
  EXPECT_EQ(
      refuse(makeSafetensors(makeWith({}, {"decoder.cascade.0.net.1.weight", {32, 2, 3, 5}}))),
      "tensor 'decoder.cascade.0.net.1.weight' has shape 32x2x3x5, expected 32x2x3x3");
}

TEST_F(Import, ATypeThatIsNoWeightIsNamed) {
  // K_cond as bytes: a legal file, an unusable model.
  std::vector<FillTensor> tensors = makeTensors({});
  std::string file = makeSafetensors(tensors);
  size_t at = file.find("\"dynamics.K_cond\":{\"dtype\":\"F32\",\"shape\":[2,2]");
  ASSERT_NE(at, std::string::npos);
  file.replace(file.find("\"F32\",\"shape\":[2,2]", at), 19, "\"U32\",\"shape\":[2,2]");
  EXPECT_EQ(refuse(file), "tensor 'dynamics.K_cond' cannot be a weight: it is stored as U32, which "
                          "is no type of weights");
}

TEST_F(Import, AForeignCheckpointIsRefused) {
  EXPECT_EQ(
      refuse(makeSafetensors({FillTensor{"transformer.wte.weight", {2, 2}}})),
      "this checkpoint holds no Un-0 model: neither 'dynamics.K' nor 'K' is among its 1 tensors");
}

TEST_F(Import, FeaturesThatDoNotFillTheMapsAreRefused) {
  SmallModel model;
  model.n = 20;
  EXPECT_EQ(refuse(makeSafetensors(makeTensors(model))),
            "40 readout features of 20 oscillators do not fill 4 x 4 maps");
}

TEST_F(Import, AConfigurationThatContradictsTheTensorsIsRefused) {
  EXPECT_EQ(refuse(makeSafetensors(makeTensors({}), {{"n", "1024"}})),
            "configuration 'n' is 1024 but the tensors have 16 oscillators");
  EXPECT_EQ(
      refuse(makeTorch(makeTensors({}), PlainDict{{"n_conditional_oscillators", int64_t(8)}})),
      "configuration 'n_conditional_oscillators' is 8 but the tensors have 2 conditioning "
      "oscillators");
  EXPECT_EQ(refuse(makeSafetensors(makeTensors({}), {{"num_blocks", "x"}})),
            "configuration 'num_blocks' is 'x', expected a whole number");
}

TEST_F(Import, UnknownSettingsAreRefusedWithTheChoices) {
  EXPECT_EQ(refuse(makeSafetensors(makeTensors({}), {{"solver", "dopri5"}})),
            "configuration 'solver' is 'dopri5', expected euler, heun, rk4 or rk4-classic");
  EXPECT_EQ(refuse(makeSafetensors(makeTensors({}), {{"relativization", "median"}})),
            "configuration 'relativization' is 'median', expected absolute, mean_relative, "
            "ref_oscillator or pairwise");
  EXPECT_EQ(refuse(makeSafetensors(makeTensors({}), {{"encoding", "cos"}})),
            "configuration 'encoding' is 'cos', expected raw, sin or sin_cos");
  EXPECT_EQ(refuse(makeSafetensors(makeTensors({}), {{"parameterization", "ntk"}})),
            "configuration 'parameterization' is 'ntk', expected standard or mup");
  EXPECT_EQ(refuse(makeSafetensors(makeTensors({}), {{"num_steps", "-1"}})),
            "configuration 'num_steps' is '-1', expected a whole number from 0 to 1000000");
  EXPECT_EQ(
      refuse(makeSafetensors(makeTensors({}), {{"integration_time", "inf"}})),
      "configuration 'integration_time' is 'inf', expected a finite number that is not negative");
}

TEST_F(Import, NonfiniteWeightsAreNamedUnlessAllowed) {
  std::vector<FillTensor> tensors = makeTensors({});
  std::string file = makeSafetensors(tensors);
  // K is the second tensor, behind the 16 frequencies; element [3, 5].
  size_t data = 8 + llvm::support::endian::read64le(file.data());
  size_t at = data + 4 * (16 + 3 * 16 + 5);
  for (auto [value, text] : {std::pair(std::numeric_limits<float>::quiet_NaN(), "nan"),
                             {std::numeric_limits<float>::infinity(), "inf"},
                             {-std::numeric_limits<float>::infinity(), "-inf"}}) {
    std::memcpy(&file[at], &value, 4);
    EXPECT_EQ(refuse(file), std::string("tensor 'dynamics.K' is ") + text +
                                " at [3, 5]; --allow-nonfinite compiles it as it is");
    ImportOptions options;
    options.allowNonfinite = true;
    EXPECT_TRUE(import(file, options));
  }
}

TEST_F(Import, ADoubleBeyondSinglePrecisionIsNonfinite) {
  std::vector<FillTensor> tensors = makeTensors({});
  std::vector<TorchTensor> stored;
  for (const FillTensor &tensor : tensors) {
    std::string bytes;
    for (int64_t i = 0; i < tensor.getCount(); ++i)
      putInt<uint64_t>(
          bytes, llvm::bit_cast<uint64_t>(tensor.name == "dynamics.omega" && i == 7 ? 1e300 : 0.5));
    stored.push_back({tensor.name, "DoubleStorage", tensor.shape, bytes});
  }
  EXPECT_EQ(refuse(makeTorchCheckpoint(stored, std::nullopt)),
            "tensor 'dynamics.omega' is inf at [0, 7]; --allow-nonfinite compiles it as it is");
}

//===----------------------------------------------------------------------===//
// MLIR
//===----------------------------------------------------------------------===//

TEST_F(Import, TextAndBytecodeComeBackTheSame) {
  OwningOpRef<ModuleOp> module = import(makeSafetensors(makeTensors({})));
  ASSERT_TRUE(module);
  std::string text, bytecode;
  llvm::raw_string_ostream(text) << *module;
  llvm::raw_string_ostream os(bytecode);
  ASSERT_TRUE(succeeded(writeBytecodeToFile(*module, os)));
  for (const std::string &file : {text, bytecode}) {
    OwningOpRef<ModuleOp> again = import(file);
    ASSERT_TRUE(again);
    std::string printed;
    llvm::raw_string_ostream(printed) << *again;
    EXPECT_EQ(printed, text);
  }
}

TEST_F(Import, TextWithoutAPhaseIsAModel) {
  OwningOpRef<ModuleOp> module = import("// a comment first\nmodule {}\n");
  ASSERT_TRUE(module);
  EXPECT_EQ(cast<StringAttr>((*module)->getAttr(kPhaseAttr)).getValue(), "model");
}

TEST_F(Import, AnErrorInTextHasItsPlace) {
  EXPECT_EQ(refuse("module {\n  un0.param @K : tensor<4x4xf32> from \"x\"\n}\n"),
            "line 3, column 1: custom op 'un0.param' expected 'key'");
  EXPECT_THAT(refuse("module {\n  func.func @f() { return }\n  llvm.func @g()\n}\n"),
              HasSubstr("line 3"));
}

TEST_F(Import, TruncatedBytecodeIsRefused) {
  OwningOpRef<ModuleOp> module = import(makeSafetensors(makeTensors({})));
  ASSERT_TRUE(module);
  std::string bytecode;
  llvm::raw_string_ostream os(bytecode);
  ASSERT_TRUE(succeeded(writeBytecodeToFile(*module, os)));
  for (size_t size = 4; size < bytecode.size(); size += 97)
    EXPECT_NE(refuse(bytecode.substr(0, size)), "") << size;
}

TEST_F(Import, TextThatNestsWithoutEndIsRefused) {
  EXPECT_EQ(refuse("module attributes {a = " + std::string(1'000'000, '[')),
            "brackets nest deeper than 256");
}

//===----------------------------------------------------------------------===//
// ArchiveSet
//===----------------------------------------------------------------------===//

TEST(ArchiveSet, ARelativeNameIsBesideTheModule) {
  ArchiveSet archives(UN0_TEST_MODELS "/fashion_n1024/model.mlir");
  llvm::Expected<std::shared_ptr<Archive>> archive = archives.open("fashion_n1024.safetensors");
  ASSERT_TRUE(!!archive) << llvm::toString(archive.takeError());
  llvm::Expected<std::shared_ptr<Archive>> again = archives.open("fashion_n1024.safetensors");
  ASSERT_TRUE(!!again);
  EXPECT_EQ(archive->get(), again->get());
}

TEST(ArchiveSet, AMissingArchiveIsAnErrorEveryTime) {
  ArchiveSet archives(UN0_TEST_MODELS "/model.mlir");
  for (int attempt = 0; attempt < 2; ++attempt) {
    llvm::Expected<std::shared_ptr<Archive>> archive = archives.open("gone.safetensors");
    ASSERT_FALSE(archive);
    EXPECT_THAT(llvm::toString(archive.takeError()),
                HasSubstr("gone.safetensors: No such file or directory"));
  }
}

} // namespace
