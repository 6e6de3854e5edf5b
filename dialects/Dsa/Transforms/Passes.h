//===- Passes.h - dsa to dsa passes -----------------------------*- C++ -*-===//

#ifndef DSA_TRANSFORMS_PASSES_H
#define DSA_TRANSFORMS_PASSES_H

#include "dialects/Dsa/IR/Dsa.h"
#include "mlir/Pass/Pass.h"

namespace un0 {

#define GEN_PASS_DECL
#include "dialects/Dsa/Transforms/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "dialects/Dsa/Transforms/Passes.h.inc"

} // namespace un0

#endif // DSA_TRANSFORMS_PASSES_H
