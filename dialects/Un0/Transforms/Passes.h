//===- Passes.h - un0 to un0 passes -----------------------------*- C++ -*-===//

#ifndef UN0_TRANSFORMS_PASSES_H
#define UN0_TRANSFORMS_PASSES_H

#include "dialects/Un0/IR/Un0.h"
#include "mlir/Pass/Pass.h"
#include <limits>
#include <string>

namespace un0 {

#define GEN_PASS_DECL
#include "dialects/Un0/Transforms/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "dialects/Un0/Transforms/Passes.h.inc"

/// Gives the class tables of drives that meet an int8 or int4 coupling in one `un0.fused_rate` few
/// bits, and all others f32.
void quantizeTables(mlir::ModuleOp module);

/// Adds the passes from the `model` phase to the `fused` phase, ending with the verifier of what
/// `fused` guarantees.
void buildFusePipeline(mlir::OpPassManager &pm);

/// Registers the above as `un0-fuse`.
void registerUn0FusePipeline();

} // namespace un0

#endif // UN0_TRANSFORMS_PASSES_H
