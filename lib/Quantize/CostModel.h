//===- CostModel.h - what an operator's precision costs ---------*- C++ -*-===//
//
// Orders choices; does not predict milliseconds. Constants and formulas: docs/quantization.md.
//
//===----------------------------------------------------------------------===//

#ifndef UN0_LIB_QUANTIZE_COSTMODEL_H
#define UN0_LIB_QUANTIZE_COSTMODEL_H

#include "dialects/Un0/IR/Un0.h"
#include "un0/Codegen/CpuTarget.h"

namespace un0 {

/// What an operator of one image does.
struct OperatorWork {
  double operations = 0;     ///< multiplications and additions
  double parameterBytes = 0; ///< that it reads, again in each evaluation
};

/// The mean of an image's time alone and in a batch tile on one core of `target`, each the longer
/// of arithmetic in `precision` and reading the parameters. Microseconds.
double getModelledTime(const OperatorWork &work, Precision precision, const CpuTarget &target);

} // namespace un0

#endif // UN0_LIB_QUANTIZE_COSTMODEL_H
