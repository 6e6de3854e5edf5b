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
  return compile(OwningOpRef<ModuleOp>(module.clone()), archives, observe);
}

Expected<std::unique_ptr<HostModel>> HostModel::createDecoder(ModuleOp module, ArchiveSet &archives,
                                                              bool observe) {
  OwningOpRef<ModuleOp> copy(module.clone());
  removeDynamics(*copy);
  return compile(std::move(copy), archives, observe);
}

Expected<std::unique_ptr<HostModel>> HostModel::compile(OwningOpRef<ModuleOp> owned,
                                                        ArchiveSet &archives, bool observe) {
  std::unique_ptr<HostModel> host(new HostModel);
  host->module = std::move(owned);
  ModuleOp module = *host->module;
  if (observe) {
    size_t number = 0;
    module.walk([&](un0::Conv2DOp conv) {
      auto shape = cast<ShapedType>(conv.getInput().getType()).getShape();
      if (number++) // the first one reads the features
        host->imageSizes.push_back(cpu::padToLine(shape[1]) * (shape[2] + 2) * (shape[3] + 2));
    });
    // What is called behind every convolution may change the images between.
    for (StringRef attribute : {cpu::kObserveAttr, cpu::kTimedAttr})
      module->setAttr(attribute, UnitAttr::get(module.getContext()));
  }
  Expected<CpuTarget> target = CpuTarget::get("host");
  if (!target)
    return target.takeError();
  Expected<HostCode> code = HostCode::compile(module, *target);
  if (!code)
    return code.takeError();
  host->code = std::move(*code);

  auto signature = module->getAttrOfType<DictionaryAttr>("un0.signature");
  auto get = [&](StringRef name) { return signature.getAs<IntegerAttr>(name).getInt(); };
  host->oscillators = get("oscillators");
  host->conditioning = get("conditioning");
  host->classes = get("classes");
  host->features = get("features");
  host->image = get("channels") * get("height") * get("width");
  host->weights = allocateHost(host->code.weightBytes);
  host->arena = allocateHost(host->code.arenaBytes);
  if (!host->weights || !host->arena)
    return createStringError("cannot get %lld bytes for the model's parameters",
                             static_cast<long long>(host->code.weightBytes));
  if (observe) {
    auto bytes = module->getAttrOfType<IntegerAttr>(cpu::kObserveAttr);
    host->observed = allocateHost(bytes.getInt());
    if (!host->observed)
      return createStringError("cannot get memory for the decoder's images");
  }
  if (Error error = packHostWeights(module, archives, host->weights.get()))
    return std::move(error);

  HostCode::Entry evolve = host->code.find("evolve"), decode = host->code.find("decode");
  host->evolve = evolve.function;
  host->tile = evolve.batch;
  host->readout = host->code.find("readout").function;
  host->decode = decode.function;
  host->decodeTile = decode.batch;
  bool evolves = !module->hasAttr(cpu::kDigitalPartAttr);
  if ((evolves && !host->evolve) || !host->readout || !host->decode)
    return createStringError("the code for this machine lacks an entry");
  return std::move(host);
}

HostModel::Outputs HostModel::run(const Samples &samples, bool decode, Observer observer) const {
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
        decodeObserved(weights.get(), vector, &outputs.images[(first + lane) * image]);
        if (observer)
          observer(getObserved());
      }
    }
    if (decode && !observed)
      reinterpret_cast<un0_decode_fn>(this->decode)(
          weights.get(), arena.get(), &outputs.features[first * features],
          &outputs.images[first * image], static_cast<uint64_t>(count));
  }
  return outputs;
}

void HostModel::decodeObserved(const char *parameters, const float *vector, float *result,
                               Between between) const {
  struct Progress {
    const HostModel &host;
    Between between;
    float *at;
    size_t calls = 0;
  } progress = {*this, between, reinterpret_cast<float *>(observed.get())};
  // Called before the first convolution, and behind each: all but the last make an image between.
  auto advance = [](void *data) {
    auto &p = *static_cast<Progress *>(data);
    size_t number = p.calls++ - 1;
    if (number >= p.host.imageSizes.size())
      return;
    if (p.between)
      p.between(number, p.at);
    p.at += p.host.imageSizes[number];
  };
  using ObservedDecode = void (*)(const void *, void *, const float *, float *, uint64_t, void *,
                                  void (*)(void *), void *);
  reinterpret_cast<ObservedDecode>(decode)(parameters, arena.get(), vector, result, 1,
                                           observed.get(), advance, &progress);
}

std::vector<float> HostModel::decodeFeatures(ArrayRef<float> values, Observer observer) const {
  auto count = static_cast<int64_t>(values.size()) / features;
  std::vector<float> images(count * image);
  if (observed) {
    for (int64_t sample = 0; sample < count; ++sample) {
      decodeObserved(weights.get(), &values[sample * features], &images[sample * image]);
      if (observer)
        observer(getObserved());
    }
    return images;
  }
  for (int64_t first = 0; first < count; first += decodeTile)
    reinterpret_cast<un0_decode_fn>(decode)(
        weights.get(), arena.get(), &values[first * features], &images[first * image],
        static_cast<uint64_t>(std::min(decodeTile, count - first)));
  return images;
}
