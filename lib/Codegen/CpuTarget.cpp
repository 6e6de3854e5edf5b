//===- CpuTarget.cpp - what code generation knows of a processor -*- C++ -*-===//

#include "un0/Codegen/CpuTarget.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/X86TargetParser.h"
#if defined(__linux__) && defined(__x86_64__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

using namespace mlir;
using namespace un0;

/// The features that a runtime can ask `cpuid` for. Others are tuning hints or need no check, and
/// are not recorded.
static const llvm::StringSet<> &checkableFeatures() {
  static const llvm::StringSet<> names = {
      "sse3",       "ssse3",      "sse4.1",      "sse4.2",       "popcnt",
      "avx",        "avx2",       "fma",         "f16c",         "bmi",
      "bmi2",       "lzcnt",      "movbe",       "avx512f",      "avx512dq",
      "avx512cd",   "avx512bw",   "avx512vl",    "avx512vnni",   "avx512bf16",
      "avx512vbmi", "avx512ifma", "avx512vbmi2", "avx512bitalg", "avx512vpopcntdq",
      "avxvnni",    "amx-tile",   "amx-int8"};
  return names;
}

/// Whether this process may use tiles of a matrix unit, as code that runs while a model is compiled
/// does: Linux wants to be asked. The runtime, which may be there without a compiler, asks as well.
static bool mayUseTiles() {
#if defined(__linux__) && defined(__x86_64__)
  constexpr long requestPermission = 0x1023, tileData = 18; // ARCH_REQ_XCOMP_PERM, XTILEDATA
  return syscall(SYS_arch_prctl, requestPermission, tileData) == 0;
#else
  return false;
#endif
}

llvm::Expected<CpuTarget> CpuTarget::get(StringRef name) {
  CpuTarget target;
  if (name == "host") {
    target.cpu = llvm::sys::getHostCPUName().str();
    for (const auto &feature : llvm::sys::getHostCPUFeatures())
      if (feature.second && checkableFeatures().contains(feature.first()) &&
          (!feature.first().starts_with("amx-") || mayUseTiles()))
        target.features.push_back(feature.first().str());
  } else {
    if (llvm::X86::parseArchX86(name, /*Only64Bit=*/true) == llvm::X86::CK_None)
      return llvm::createStringError(
          "'%s' is not an x86-64 processor known to LLVM; try 'host', 'x86-64', "
          "'x86-64-v3' or 'x86-64-v4'",
          name.str().c_str());
    target.cpu = name.str();
    SmallVector<StringRef> features;
    llvm::X86::getFeaturesForCPU(name, features);
    // Some processors are listed with AVX-VNNI, say, and without the AVX2 that it implies.
    llvm::StringMap<bool> all;
    for (StringRef feature : features) {
      all[feature] = true;
      llvm::X86::updateImpliedFeatures(feature, /*Enabled=*/true, all);
    }
    for (const auto &feature : all)
      if (feature.second && checkableFeatures().contains(feature.first()))
        target.features.push_back(feature.first().str());
  }
  llvm::sort(target.features);
  auto has = [&](StringRef feature) { return llvm::is_contained(target.features, feature); };
  target.fma = has("fma") || has("avx512f");
  if (has("avx512f") && has("avx512vl")) {
    target.lanes = 16;
    target.registers = 32;
  } else if (has("avx2") && has("fma")) {
    target.lanes = 8;
  }
  return target;
}

void CpuTarget::dropByteTiles() {
  llvm::erase_if(features, [](StringRef feature) { return feature.starts_with("amx-"); });
}

std::string CpuTarget::getFeatureString() const {
  std::string text;
  for (const std::string &feature : features)
    text += (text.empty() ? "+" : ",+") + feature;
  // A tuning flag: without it the backend splits chains of vpdpwssd into a product and a sum, two
  // instructions for one, to shorten a latency that our many accumulators hide anyway.
  return text + (text.empty() ? "+" : ",+") + "fast-dpwssd";
}

void CpuTarget::attach(ModuleOp module) const {
  Builder b(module.getContext());
  SmallVector<StringRef> names(features.begin(), features.end());
  module->setAttr("cpu.target", b.getDictionaryAttr({
                                    b.getNamedAttr("cpu", b.getStringAttr(cpu)),
                                    b.getNamedAttr("features", b.getStrArrayAttr(names)),
                                    b.getNamedAttr("fma", b.getBoolAttr(fma)),
                                    b.getNamedAttr("lanes", b.getI64IntegerAttr(lanes)),
                                    b.getNamedAttr("registers", b.getI64IntegerAttr(registers)),
                                }));
}

llvm::Expected<CpuTarget> CpuTarget::of(ModuleOp module) {
  auto dict = module->getAttrOfType<DictionaryAttr>("cpu.target");
  if (!dict)
    return llvm::createStringError("module has no cpu.target attribute");
  auto cpu = dict.getAs<StringAttr>("cpu");
  auto features = dict.getAs<ArrayAttr>("features");
  auto fma = dict.getAs<BoolAttr>("fma");
  auto lanes = dict.getAs<IntegerAttr>("lanes"), registers = dict.getAs<IntegerAttr>("registers");
  if (!cpu || !features || !fma || !lanes || !registers)
    return llvm::createStringError("cpu.target lacks one of cpu, features, fma, lanes, registers");
  CpuTarget target;
  target.cpu = cpu.str();
  for (Attribute feature : features) {
    auto name = dyn_cast<StringAttr>(feature);
    if (!name)
      return llvm::createStringError("cpu.target has a feature that is no string");
    target.features.push_back(name.str());
  }
  target.fma = fma.getValue();
  target.lanes = lanes.getInt();
  target.registers = registers.getInt();
  if (target.lanes != 4 && target.lanes != 8 && target.lanes != 16)
    return llvm::createStringError("cpu.target has %lld lanes instead of 4, 8 or 16",
                                   static_cast<long long>(target.lanes));
  return target;
}
