//===- Precisions.cpp - choose precisions by measured error -----*- C++ -*-===//

#include "un0/Quantize/Precisions.h"

#include "CostModel.h"
#include "dialects/Un0/Transforms/Passes.h"
#include "un0/Quantize/JsonFile.h"
#include "llvm/ADT/StringSet.h"
#include <cmath>

using namespace mlir;
using namespace un0;
using llvm::Error;
using llvm::Expected;

namespace {

/// Errors are told apart to a few percent by this many features.
constexpr int64_t kMeasuredValues = 1 << 17;
constexpr int64_t kMostSamples = 64, kLeastSamples = 16;
/// Members of a precision file.
constexpr llvm::StringLiteral kCouplings = "couplings", kConvolutions = "convolutions";

/// Both contractions with a coupling, in every evaluation.
double getMicroseconds(FusedRateOp rate, unsigned term, Precision precision,
                       const CpuTarget &target) {
  auto shape = cast<ShapedType>(rate.getCouplings()[term].getType()).getShape();
  auto evolve = rate->getParentOfType<EvolveOp>();
  double evaluations = static_cast<double>(evolve.getSteps()) * getNumStages(evolve.getSolver());
  double entries = static_cast<double>(shape[0]) * static_cast<double>(shape[1]) * evaluations;
  return getModelledTime({4 * entries, entries * getStorageBits(precision) / 8}, precision, target);
}

/// Each shared coupling that is large enough, with the op and the term that reads it.
std::vector<std::pair<FusedRateOp, unsigned>> findCouplings(ModuleOp module) {
  std::vector<std::pair<FusedRateOp, unsigned>> found;
  llvm::StringSet<> seen;
  module.walk([&](FusedRateOp rate) {
    for (auto [term, coupling] : llvm::enumerate(rate.getCouplings())) {
      auto get = coupling.getDefiningOp<GetParamOp>();
      auto shape = cast<ShapedType>(coupling.getType()).getShape();
      if (get && shape.size() == 2 && shape[1] >= kFewestSources &&
          seen.insert(get.getParam()).second)
        found.push_back({rate, static_cast<unsigned>(term)});
    }
  });
  auto size = [](const auto &entry) {
    FusedRateOp rate = entry.first;
    return cast<ShapedType>(rate.getCouplings()[entry.second].getType()).getNumElements();
  };
  auto name = [](const auto &entry) {
    FusedRateOp rate = entry.first;
    return rate.getCouplings()[entry.second].template getDefiningOp<GetParamOp>().getParam();
  };
  llvm::sort(found, [&](const auto &a, const auto &b) {
    return size(a) > size(b) || (size(a) == size(b) && name(a) < name(b));
  });
  return found;
}

std::string getName(FusedRateOp rate, unsigned term) {
  return rate.getCouplings()[term].getDefiningOp<GetParamOp>().getParam().str();
}

} // namespace

double un0::getRms(ArrayRef<float> values, ArrayRef<float> expected) {
  double square = 0;
  for (size_t i = 0; i < values.size(); ++i)
    square += (double(values[i]) - expected[i]) * (double(values[i]) - expected[i]);
  return values.empty() ? 0 : std::sqrt(square / double(values.size()));
}

std::vector<std::string> un0::listCouplings(ModuleOp module) {
  std::vector<std::string> names;
  for (auto [rate, term] : findCouplings(module))
    names.push_back(getName(rate, term));
  return names;
}

Error un0::applyPrecisions(ModuleOp module, ArrayRef<Choice> choices, int64_t int4Group) {
  std::vector<std::string> names = listCouplings(module);
  for (const Choice &choice : choices)
    if (!llvm::is_contained(names, choice.name))
      return llvm::createStringError("no shared coupling is named '%s'; there are: %s",
                                     choice.name.c_str(), llvm::join(names, ", ").c_str());
  module.walk([&](FusedRateOp rate) {
    SmallVector<Precision> precisions;
    for (auto [term, coupling] : llvm::enumerate(rate.getCouplings())) {
      Precision precision = rate.getPrecision(term);
      if (auto get = coupling.getDefiningOp<GetParamOp>())
        for (const Choice &choice : choices)
          if (choice.name == get.getParam())
            precision = choice.precision;
      precisions.push_back(precision);
    }
    rate.quantize(precisions, int4Group);
  });
  quantizeTables(module);
  return Error::success();
}

Expected<std::vector<Candidate>> un0::choosePrecisions(ModuleOp module, ArchiveSet &archives,
                                                       const CpuTarget &target,
                                                       const ErrorLimits &limits,
                                                       MeasuredModel &measured, int64_t int4Group) {
  Expected<std::unique_ptr<HostModel>> exact = HostModel::create(module, archives);
  if (!exact)
    return exact.takeError();
  int64_t count = std::clamp(kMeasuredValues / std::max<int64_t>((*exact)->getOscillators(), 1),
                             kLeastSamples, kMostSamples);
  Samples samples = Samples::draw(count, (*exact)->getOscillators(), (*exact)->getConditioning(),
                                  (*exact)->getClasses());
  bool decode = limits.images.has_value();
  measured.exact = (*exact)->run(samples, decode);
  measured.chosen = measured.exact;
  const HostModel::Outputs &expected = measured.exact;
  exact->reset();

  std::vector<Candidate> candidates;
  std::vector<Choice> choices;
  for (auto [rate, term] : findCouplings(module)) {
    std::string name = getName(rate, term);
    size_t best = candidates.size();
    HostModel::Outputs bestOutputs;
    for (Precision precision :
         {Precision::F32, Precision::Int16, Precision::BF16, Precision::Int8, Precision::Int4}) {
      int64_t sources = cast<ShapedType>(rate.getCouplings()[term].getType()).getDimSize(1);
      if (precision == Precision::Int4 && sources % 8)
        continue;
      Candidate candidate;
      candidate.name = name;
      candidate.precision = precision;
      candidate.microseconds = getMicroseconds(rate, term, precision, target);
      std::vector<Choice> tried = choices;
      tried.push_back({name, precision});
      OwningOpRef<ModuleOp> copy(module.clone());
      if (Error error = applyPrecisions(*copy, tried, int4Group))
        return std::move(error);
      Expected<std::unique_ptr<HostModel>> model = HostModel::create(*copy, archives);
      if (!model)
        return model.takeError();
      HostModel::Outputs outputs = (*model)->run(samples, decode);
      candidate.featureError = getRms(outputs.features, expected.features);
      candidate.imageError = getRms(outputs.images, expected.images);
      bool inside = (!limits.features || candidate.featureError <= *limits.features) &&
                    (!limits.images || candidate.imageError <= *limits.images);
      candidates.push_back(candidate);
      bool first = candidates.size() - 1 == best;
      if (first || (inside && candidate.microseconds < candidates[best].microseconds)) {
        best = candidates.size() - 1;
        bestOutputs = std::move(outputs);
      }
    }
    candidates[best].chosen = true;
    measured.chosen = std::move(bestOutputs);
    measured.featureError = candidates[best].featureError;
    measured.imageError = candidates[best].imageError;
    choices.push_back({name, candidates[best].precision});
  }
  return candidates;
}

Expected<PrecisionChoices> un0::readPrecisionFile(StringRef path) {
  auto fail = [&](const Twine &what) -> Error {
    return llvm::createStringError("precision file '%s': %s", path.str().c_str(),
                                   what.str().c_str());
  };
  Expected<llvm::json::Value> parsed = readJsonFile(path);
  if (!parsed)
    return fail(llvm::toString(parsed.takeError()));
  const llvm::json::Object *root = parsed->getAsObject();
  if (!root)
    return fail("is not an object of couplings and convolutions");
  PrecisionChoices choices;
  for (const auto &[key, value] : *root) {
    StringRef kind = key;
    bool couplings = kind == kCouplings;
    const llvm::json::Object *operators = value.getAsObject();
    if ((!couplings && kind != kConvolutions) || !operators)
      return fail("'" + kind + "' is not an object of couplings or convolutions");
    for (const auto &[name, value] : *operators) {
      std::optional<StringRef> text = value.getAsString();
      std::optional<Precision> precision = text ? symbolizePrecision(*text) : std::nullopt;
      if (!precision)
        return fail("'" + StringRef(name) + "' is not one of f32, int16, bf16, int8, int4");
      if (!couplings && *precision != Precision::F32 && *precision != Precision::Int8)
        return fail("'" + StringRef(name) + "' is " + *text + "; convolutions have f32 and int8");
      (couplings ? choices.couplings : choices.convolutions)
          .push_back({StringRef(name).str(), *precision});
    }
  }
  for (std::vector<Choice> *some : {&choices.couplings, &choices.convolutions})
    llvm::sort(*some, [](const Choice &a, const Choice &b) { return a.name < b.name; });
  return choices;
}

Error un0::writePrecisionFile(StringRef path, const PrecisionChoices &choices) {
  auto toObject = [](ArrayRef<Choice> some) {
    llvm::json::Object object;
    for (const Choice &choice : some)
      object[choice.name] = stringifyPrecision(choice.precision);
    return object;
  };
  llvm::json::Value root = llvm::json::Object{{kCouplings, toObject(choices.couplings)},
                                              {kConvolutions, toObject(choices.convolutions)}};
  return writeJsonFile(path, root);
}
