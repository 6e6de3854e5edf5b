//===- CostModel.cpp - what an operator's precision costs -------*- C++ -*-===//

#include "CostModel.h"
#include <algorithm>

using namespace un0;

/// Operations at a time that keep one core busy.
static double getOperationsPerCycle(Precision precision, const CpuTarget &target) {
  double f32 = 2.0 * 2.0 * static_cast<double>(target.lanes);
  bool vnni = target.hasByteDots();
  switch (precision) {
  case Precision::F32:
    return f32;
  case Precision::BF16:
    return target.hasBrainFloats() ? 2 * f32 : f32;
  case Precision::Int16:
    return vnni ? 2 * f32 : 1.5 * f32;
  case Precision::Int8:
    return vnni ? 4 * f32 : 2 * f32;
  case Precision::Int4: // as bytes, after two lookups per word, for which four products to a 16-bit
                        // sum make up without a dot product
    return (!vnni && target.has("avx2") ? 1.0 : 0.8) *
           getOperationsPerCycle(Precision::Int8, target);
  }
  llvm_unreachable("unknown precision");
}

double un0::getModelledTime(const OperatorWork &work, Precision precision,
                            const CpuTarget &target) {
  constexpr double cyclesPerMicrosecond = 3000, bytesPerCycle = 10;
  double arithmetic = work.operations / getOperationsPerCycle(precision, target);
  double reading = work.parameterBytes / bytesPerCycle;
  double tile = std::max(arithmetic, reading / static_cast<double>(target.lanes));
  return (std::max(arithmetic, reading) + tile) / 2 / cyclesPerMicrosecond;
}
