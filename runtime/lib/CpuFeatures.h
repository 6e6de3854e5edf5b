//===- CpuFeatures.h - what this CPU can do ---------------------------------===//
#ifndef UN0_RUNTIME_LIB_CPUFEATURES_H
#define UN0_RUNTIME_LIB_CPUFEATURES_H

#include "Status.h"

#include <string_view>

namespace un0::rt {

enum class FeatureState { Unknown, Missing, Present };

/// Whether this CPU, and the operating system for registers it must save, has a feature, by LLVM's
/// name for it.
FeatureState cpuFeature(std::string_view name);

/// Fails on the first of `features` that `query` does not find present, naming it and what to do.
template <typename Features>
Status checkCpuFeatures(const Features &features,
                        FeatureState (*query)(std::string_view) = cpuFeature) {
  for (std::string_view name : features) {
    FeatureState state = query(name);
    if (state == FeatureState::Missing)
      return failure(UN0_ERROR_CPU,
                     "module needs %.*s, which this CPU does not have; compile the model for it "
                     "with --mcpu=host on this machine, or with --mcpu=x86-64-v3 or lower",
                     static_cast<int>(name.size()), name.data());
    if (state == FeatureState::Unknown)
      return failure(UN0_ERROR_CPU, "module needs CPU feature %s, which this runtime does not know",
                     quoted(name).c_str());
  }
  return {};
}

} // namespace un0::rt

#endif // UN0_RUNTIME_LIB_CPUFEATURES_H
