//===- HostModel.cpp - run a model while compiling it -----------*- C++ -*-===//

#include "un0/Quantize/HostModel.h"

#include "dialects/Cpu/IR/Cpu.h"
#include "un0/format.h"
#include <cmath>
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

Expected<std::unique_ptr<HostModel>> HostModel::create(ModuleOp module, ArchiveSet &archives,
                                                       bool observe) {
  Expected<CpuTarget> target = CpuTarget::get("host");
  if (!target)
    return target.takeError();
  OwningOpRef<ModuleOp> copy(module.clone());
  if (observe)
    (*copy)->setAttr(cpu::kObserveAttr, UnitAttr::get(module.getContext()));
  Expected<HostCode> code = HostCode::compile(*copy, *target);
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
  host->weights = allocateHost(code->weightBytes);
  host->arena = allocateHost(code->arenaBytes);
  if (!host->weights || !host->arena)
    return createStringError("cannot get %lld bytes for the model's parameters",
                             static_cast<long long>(code->weightBytes));
  if (observe) {
    auto bytes = (*copy)->getAttrOfType<IntegerAttr>(cpu::kObserveAttr);
    host->observed = allocateHost(bytes.getInt());
    if (!host->observed)
      return createStringError("cannot get memory for the decoder's images");
  }
  if (Error error = packHostWeights(*copy, archives, host->weights.get()))
    return std::move(error);

  host->code = std::move(*code);
  HostCode::Entry evolve = host->code.find("evolve");
  host->evolve = evolve.function;
  host->tile = evolve.batch;
  host->readout = host->code.find("readout").function;
  host->decode = host->code.find("decode").function;
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
  using Buffer = std::unique_ptr<float, FreeHostMemory>;
  auto floats = [](int64_t count) {
    HostMemory memory = allocateHost(count * static_cast<int64_t>(sizeof(float)));
    return Buffer(reinterpret_cast<float *>(memory.release()));
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
    reinterpret_cast<un0_evolve_fn>(evolve)(weights.get(), arena.get(), theta0.get(), phi0.get(),
                                            labels, theta.get());
    for (int64_t lane = 0; lane < count; ++lane) {
      std::copy_n(theta.get() + lane * oscillators, oscillators, row.get());
      float *vector = &outputs.features[(first + lane) * features];
      reinterpret_cast<un0_readout_fn>(readout)(weights.get(), arena.get(), row.get(), vector);
      if (decode && observed) {
        reinterpret_cast<ObservedDecode>(this->decode)(weights.get(), arena.get(), vector,
                                                       &outputs.images[(first + lane) * image], 1,
                                                       observed.get());
        if (observer)
          observer(reinterpret_cast<const float *>(observed.get()));
      }
    }
    if (decode && !observed)
      reinterpret_cast<un0_decode_fn>(this->decode)(
          weights.get(), arena.get(), &outputs.features[first * features],
          &outputs.images[first * image], static_cast<uint64_t>(count));
  }
  return outputs;
}
