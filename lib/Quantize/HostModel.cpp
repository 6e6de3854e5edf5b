//===- HostModel.cpp - run a model while compiling it -----------*- C++ -*-===//

#include "un0/Quantize/HostModel.h"

#include "dialects/Cpu/IR/Cpu.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Pass/PassManager.h"
#include "un0/Codegen/Packing.h"
#include "un0/Pipelines/Phases.h"
#include "un0/Target/ObjectCode.h"
#include "un0/format.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/raw_ostream.h"
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <random>

using namespace mlir;
using namespace un0;
using llvm::createStringError;
using llvm::Error;
using llvm::Expected;

Samples Samples::draw(int64_t count, int64_t oscillators, int64_t conditioning, int64_t classes) {
  Samples samples;
  samples.count = count;
  std::mt19937_64 generator(20260601);
  // Not std::uniform_real_distribution, whose numbers the standard does not fix.
  auto phase = [&] {
    double unit = std::ldexp(static_cast<double>(generator() >> 40), -24);
    return static_cast<float>((2.0 * unit - 1.0) * 3.14159265358979323846);
  };
  for (int64_t i = 0; i < count; ++i) {
    for (int64_t k = 0; k < oscillators; ++k)
      samples.theta0.push_back(phase());
    for (int64_t k = 0; k < conditioning; ++k)
      samples.phi0.push_back(phase());
    samples.labels.push_back(classes > 0 ? i % classes : -1);
  }
  return samples;
}

HostModel::~HostModel() {
  if (library)
    dlclose(library);
  std::free(weights);
  std::free(arena);
  std::free(observed);
}

/// `bytes` bytes on a line of the cache; null if there are none left.
static void *allocate(int64_t bytes) {
  return std::aligned_alloc(64, llvm::alignTo(std::max<int64_t>(bytes, 64), 64));
}

static Error packWeights(ModuleOp module, ArchiveSet &archives, char *to) {
  SymbolTable symbols(module);
  for (auto packed : module.getOps<cpu::PackedParamOp>()) {
    auto param = symbols.lookup<ParamOp>(packed.getParam());
    Expected<std::shared_ptr<Archive>> archive = archives.open(param.getArchive());
    if (!archive)
      return archive.takeError();
    const StoredTensor *tensor = (*archive)->find(param.getKey());
    if (!tensor)
      return createStringError("archive '%s' has no tensor '%s'", param.getArchive().str().c_str(),
                               param.getKey().str().c_str());
    char *at = to + packed.getOffset();
    auto sink = [&](ArrayRef<uint8_t> piece) -> Error {
      std::memcpy(at, piece.data(), piece.size());
      at += piece.size();
      return Error::success();
    };
    if (Error error = packParameter(param, packed, *tensor, sink))
      return error;
    // The packed copy is large enough; the archive's pages come back when they are needed.
    (*archive)->release(*tensor, 0, tensor->getNumElements());
  }
  return Error::success();
}

/// Loads the linked code; the file is needed only until then.
static Expected<void *> load(ArrayRef<char> code) {
  SmallString<128> path;
  int descriptor = -1;
  if (std::error_code error =
          llvm::sys::fs::createTemporaryFile("un0-host", "so", descriptor, path))
    return createStringError("cannot create a temporary file: %s", error.message().c_str());
  llvm::scope_exit remove([&] { llvm::sys::fs::remove(path); });
  {
    llvm::raw_fd_ostream os(descriptor, /*shouldClose=*/true);
    os.write(code.data(), code.size());
    os.flush();
    if (os.has_error()) {
      os.clear_error();
      return createStringError("cannot write '%s'", path.c_str());
    }
  }
  void *library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library)
    return createStringError("cannot load the code for this machine: %s", dlerror());
  return library;
}

Expected<std::unique_ptr<HostModel>> HostModel::create(ModuleOp module, ArchiveSet &archives,
                                                       bool observe) {
  Expected<CpuTarget> target = CpuTarget::get("host");
  if (!target)
    return target.takeError();
  OwningOpRef<ModuleOp> copy(module.clone());
  target->attach(*copy);
  if (observe)
    (*copy)->setAttr(cpu::kObserveAttr, UnitAttr::get(module.getContext()));
  // What this machine lacks is no news about the target.
  ScopedDiagnosticHandler quiet(module.getContext(), [](Diagnostic &diagnostic) {
    return success(diagnostic.getSeverity() == DiagnosticSeverity::Remark);
  });
  PassManager pm(module.getContext());
  for (Phase phase : {Phase::Loops, Phase::Vector, Phase::LLVM})
    buildPhase(phase, pm);
  if (failed(pm.run(*copy)))
    return createStringError("cannot compile the model for this machine");
  Expected<SmallVector<char, 0>> code = compileToObject(*copy, *target);
  if (!code)
    return code.takeError();

  std::unique_ptr<HostModel> host(new HostModel);
  auto signature = (*copy)->getAttrOfType<DictionaryAttr>("un0.signature");
  auto get = [&](StringRef name) { return signature.getAs<IntegerAttr>(name).getInt(); };
  host->oscillators = get("oscillators");
  host->conditioning = get("conditioning");
  host->classes = get("classes");
  host->features = get("features");
  host->image = get("channels") * get("height") * get("width");

  int64_t weightBytes = 0;
  for (auto packed : copy->getOps<cpu::PackedParamOp>())
    weightBytes = std::max<int64_t>(weightBytes, packed.getOffset() + packed.getBytes());
  host->weights = allocate(weightBytes);
  host->arena = allocate((*copy)->getAttrOfType<IntegerAttr>("cpu.arena_bytes").getInt());
  if (!host->weights || !host->arena)
    return createStringError("cannot get %lld bytes for the model's parameters",
                             static_cast<long long>(weightBytes));
  if (observe) {
    auto bytes = (*copy)->getAttrOfType<IntegerAttr>(cpu::kObserveAttr);
    host->observed = allocate(bytes.getInt());
    if (!host->observed)
      return createStringError("cannot get memory for the decoder's images");
  }
  if (Error error = packWeights(*copy, archives, static_cast<char *>(host->weights)))
    return std::move(error);

  Expected<void *> library = load(*code);
  if (!library)
    return library.takeError();
  host->library = *library;
  for (auto func : copy->getOps<LLVM::LLVMFuncOp>()) {
    auto kind = func->getAttrOfType<StringAttr>("cpu.entry");
    if (!kind)
      continue;
    void *symbol = dlsym(host->library, func.getSymName().str().c_str());
    int64_t batch = func->getAttrOfType<IntegerAttr>("cpu.batch").getInt();
    if (kind.getValue() == "evolve" && batch >= host->tile) {
      host->evolve = symbol;
      host->tile = batch;
    } else if (kind.getValue() == "readout") {
      host->readout = symbol;
    } else if (kind.getValue() == "decode") {
      host->decode = symbol;
    }
  }
  if (!host->evolve || !host->readout || !host->decode)
    return createStringError("the code for this machine lacks an entry");
  return std::move(host);
}

HostModel::Outputs HostModel::run(const Samples &samples, bool decode, Observer observer) const {
  using ObservedDecode = void (*)(const void *, void *, const float *, float *, uint64_t, void *);
  Outputs outputs;
  outputs.features.resize(samples.count * features);
  if (decode)
    outputs.images.resize(samples.count * image);
  struct Free {
    void operator()(float *p) const { std::free(p); }
  };
  using Buffer = std::unique_ptr<float, Free>;
  auto floats = [](int64_t count) {
    return Buffer(static_cast<float *>(allocate(count * static_cast<int64_t>(sizeof(float)))));
  };
  Buffer theta0 = floats(tile * oscillators), phi0 = floats(tile * conditioning),
         theta = floats(tile * oscillators), row = floats(oscillators);
  std::vector<int64_t> storage(tile + 8);
  auto *labels =
      reinterpret_cast<int64_t *>(llvm::alignTo(reinterpret_cast<uintptr_t>(storage.data()), 64));
  for (int64_t first = 0; first < samples.count; first += tile) {
    int64_t count = std::min(tile, samples.count - first);
    for (int64_t lane = 0; lane < tile; ++lane) {
      int64_t sample = first + std::min(lane, count - 1);
      std::copy_n(&samples.theta0[sample * oscillators], oscillators,
                  theta0.get() + lane * oscillators);
      std::copy_n(samples.phi0.data() + sample * conditioning, conditioning,
                  phi0.get() + lane * conditioning);
      labels[lane] = samples.labels[sample];
    }
    reinterpret_cast<un0_evolve_fn>(evolve)(weights, arena, theta0.get(), phi0.get(), labels,
                                            theta.get());
    for (int64_t lane = 0; lane < count; ++lane) {
      std::copy_n(theta.get() + lane * oscillators, oscillators, row.get());
      float *vector = &outputs.features[(first + lane) * features];
      reinterpret_cast<un0_readout_fn>(readout)(weights, arena, row.get(), vector);
      if (decode && observed) {
        reinterpret_cast<ObservedDecode>(this->decode)(
            weights, arena, vector, &outputs.images[(first + lane) * image], 1, observed);
        if (observer)
          observer(static_cast<const float *>(observed));
      }
    }
    if (decode && !observed)
      reinterpret_cast<un0_decode_fn>(this->decode)(
          weights, arena, &outputs.features[first * features], &outputs.images[first * image],
          static_cast<uint64_t>(count));
  }
  return outputs;
}
