//===- Un0.h - the un0 dialect ----------------------------------*- C++ -*-===//

#ifndef UN0_IR_UN0_H
#define UN0_IR_UN0_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Tosa/IR/TosaOps.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/LoopLikeInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include <algorithm>
#include <cstdint>

namespace un0 {

/// Work for one image: operations are counted, bytes are those of the types in the IR.
struct Cost {
  uint64_t multiplyAdds = 0;
  /// Sines, cosines, hyperbolic tangents.
  uint64_t specialFunctions = 0;
  /// Bytes of parameters that are read, each once per evaluation.
  uint64_t parameterBytes = 0;
  /// Bytes of activations: phases, features, images, gathered couplings.
  uint64_t bytesRead = 0;
  uint64_t bytesWritten = 0;
  /// Width of the multiplications; of several, the widest. 0 without multiplications.
  unsigned bits = 0;

  Cost &operator+=(const Cost &other) {
    multiplyAdds += other.multiplyAdds;
    specialFunctions += other.specialFunctions;
    parameterBytes += other.parameterBytes;
    bytesRead += other.bytesRead;
    bytesWritten += other.bytesWritten;
    bits = std::max(bits, other.bits);
    return *this;
  }

  /// Takes a part of this cost away; `bits` stays.
  Cost &operator-=(const Cost &part) {
    multiplyAdds -= part.multiplyAdds;
    specialFunctions -= part.specialFunctions;
    parameterBytes -= part.parameterBytes;
    bytesRead -= part.bytesRead;
    bytesWritten -= part.bytesWritten;
    return *this;
  }

  /// The cost of `count` evaluations. Parameters are read anew in each.
  Cost times(uint64_t count) const {
    return {multiplyAdds * count, specialFunctions * count, parameterBytes * count,
            bytesRead * count,    bytesWritten * count,     bits};
  }
};

/// Name of the module attribute that says which phase a module is in.
inline constexpr llvm::StringLiteral kPhaseAttr = "un0.phase";

} // namespace un0

namespace llvm {
class BitVector;
} // namespace llvm
namespace mlir {
class RewriterBase;
namespace func {
class FuncOp;
} // namespace func
} // namespace mlir

#include "dialects/Un0/IR/Un0Dialect.h.inc"
#include "dialects/Un0/IR/Un0Enums.h.inc"
#include "dialects/Un0/IR/Un0Interfaces.h.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/Un0/IR/Un0Attrs.h.inc"

#define GET_OP_CLASSES
#include "dialects/Un0/IR/Un0Ops.h.inc"

namespace un0 {

/// The parameter that a value is read from, directly or through a class gather; null if it is none
/// or its symbol is not in scope.
ParamOp getParameter(mlir::Value value);

/// What a convolution goes by: the parameter that its weights are read from; empty if there is
/// none.
llvm::StringRef getOperatorName(Conv2DOp conv);

/// Checks that @generate is a model: one block that returns images, of phases B x N, phases B x M
/// and B labels, N and M known.
mlir::LogicalResult verifyGenerate(mlir::func::FuncOp func);

/// Checks that every sine and cosine that `rate` takes together are those of one population, as
/// code for it computes them.
mlir::LogicalResult verifyWaves(FusedRateOp rate);

/// Checks that `select` is a gather from a classes x N x M table by the model's `labels`, as code for
/// it computes.
mlir::LogicalResult verifyClassTable(SelectClassOp select, mlir::Value labels);

/// Lets the readout read the initial phases: erases an evolve, and what nothing else needs.
void eraseDynamics(EvolveOp evolve);

/// Makes an evolve of the states in `kept` only. The region may not need the arguments of the
/// others, but for computing their own rates, and nobody may read their results.
EvolveOp eraseStates(mlir::RewriterBase &rewriter, EvolveOp evolve, const llvm::BitVector &kept);

/// Bits of a class table that is not f32 (`bits` of un0.select_class): what keeps its error well
/// below that of int8 couplings.
constexpr int64_t kTableBits = 10;

/// Columns of an int4 coupling that choose one of two sets of levels together (`groups` of
/// un0.fused_rate).
constexpr int64_t kLevelGroup = 4;
/// Channels of an image are equalized by powers of two up to this one.
constexpr int64_t kMostExponent = 30;

/// Bits of a stored coupling or weight.
unsigned getStorageBits(Precision precision);
/// What multiplies a coupling with waves, as in the module's cost table: "f32", "s16", "bf16",
/// "u8s8" or "u8s4": levels of int4, as bytes.
llvm::StringRef getArithmetic(Precision coupling);
/// What multiplies in a convolution: "f32" or "u8s8".
llvm::StringRef getArithmetic(Conv2DOp conv);

/// Evaluations of the right-hand side per step.
unsigned getNumStages(Solver solver);

} // namespace un0

#endif // UN0_IR_UN0_H
