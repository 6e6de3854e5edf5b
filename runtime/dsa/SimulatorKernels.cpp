//===- SimulatorKernels.cpp - which kernels this CPU runs -------------------===//
#include "SimulatorKernels.h"

#include "CpuFeatures.h"

namespace un0::dsa {

static bool hasAll(std::initializer_list<const char *> features) {
  for (const char *feature : features)
    if (rt::cpuFeature(feature) != rt::FeatureState::Present)
      return false;
  return true;
}

size_t usableKernels(const Kernels *(&kernels)[3]) {
  size_t count = 0;
  if (hasAll({"avx2", "fma", "avx512f", "avx512vl"}))
    kernels[count++] = &avx512Kernels;
  if (hasAll({"avx2", "fma"}))
    kernels[count++] = &avx2Kernels;
  kernels[count++] = &baselineKernels;
  return count;
}

const Kernels &bestKernels() {
  static const Kernels &best = [&]() -> const Kernels & {
    const Kernels *kernels[3];
    (void)usableKernels(kernels);
    return *kernels[0];
  }();
  return best;
}

} // namespace un0::dsa
