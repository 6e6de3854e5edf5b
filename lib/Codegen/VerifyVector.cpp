//===- VerifyVector.cpp - the seam between vector code and LLVM -*- C++ -*-===//

#include "un0/Codegen/CpuTarget.h"
#include "un0/Codegen/Passes.h"
#include "llvm/ADT/MapVector.h"

namespace un0 {
#define GEN_PASS_DEF_CPUVERIFYVECTOR
#include "lib/Codegen/Passes.h.inc"
} // namespace un0

using namespace mlir;
using namespace un0;

namespace {

Type getElement(Value value) { return getElementTypeOrSelf(value.getType()); }

/// Whether x86 only stores such floats: arithmetic on them is done in f32 and rounded back.
bool isNarrow(Type type) { return isa<FloatType>(type) && !type.isF32() && !type.isF64(); }

/// Whether LLVM makes calls of an arithmetic op.
bool isLibraryCall(Operation *op, const CpuTarget &target) {
  if (!isa_and_nonnull<arith::ArithDialect>(op->getDialect()))
    return false;
  // These move bits.
  if (isa<arith::BitcastOp, arith::ConstantOp, arith::SelectOp>(op))
    return false;
  if (isa<arith::RemFOp>(op))
    return true;
  // To f32 a bf16 number is a shift. The other way there is an instruction, or cpu-expand-math.
  if (isa<arith::ExtFOp>(op))
    return isNarrow(getElement(op->getOperand(0))) && !getElement(op->getOperand(0)).isBF16();
  if (isa<arith::TruncFOp>(op) && getElement(op->getResult(0)).isBF16())
    return !getElement(op->getOperand(0)).isF32() || !target.hasBrainFloats();
  auto isNarrowValue = [](Value value) { return isNarrow(getElement(value)); };
  return llvm::any_of(op->getOperands(), isNarrowValue) ||
         llvm::any_of(op->getResults(), isNarrowValue);
}

/// A division of integer vectors by what is not a constant: there is no instruction.
bool isScalarized(Operation *op) {
  return isa<arith::DivSIOp, arith::DivUIOp, arith::RemSIOp, arith::RemUIOp>(op) &&
         isa<VectorType>(op->getResult(0).getType()) &&
         !op->getOperand(1).getDefiningOp<arith::ConstantOp>();
}

struct CpuVerifyVectorPass : un0::impl::CpuVerifyVectorBase<CpuVerifyVectorPass> {
  void runOnOperation() override {
    func::FuncOp func = getOperation();
    llvm::Expected<CpuTarget> target = CpuTarget::of(func->getParentOfType<ModuleOp>());
    if (!target) {
      func.emitError(llvm::toString(target.takeError()));
      return signalPassFailure();
    }
    // Why an op cannot pass, or nothing.
    auto reason = [&](Operation *op) -> StringRef {
      bool fma = isa<vector::FMAOp, math::FmaOp>(op);
      if (fma)
        return target->fma ? "" : "would be a library call per lane";
      if (isa_and_nonnull<math::MathDialect>(op->getDialect()) &&
          !isa<math::AbsFOp, math::CopySignOp>(op))
        return "would be a library call per lane";
      if (isLibraryCall(op, *target))
        return "would be a library call per lane";
      if (isScalarized(op))
        return "would be done lane by lane";
      if (isa<memref::AllocOp, memref::AllocaOp>(op))
        return "allocates; working memory is planned";
      if (isa_and_nonnull<cpu::CpuDialect>(op->getDialect()))
        return "was not expanded";
      // An accumulator is carried by the loop that sums; with as many as there are registers none
      // is left for what is added.
      if (auto loop = dyn_cast<scf::ForOp>(op)) {
        auto vectors = llvm::count_if(loop.getRegionIterArgs(),
                                      [](Value value) { return isa<VectorType>(value.getType()); });
        if (vectors + 2 > target->registers)
          return "carries more vectors than fit the registers; they would be spilled";
      }
      return "";
    };
    llvm::MapVector<StringRef, std::pair<unsigned, Operation *>> offenders;
    llvm::StringMap<StringRef> reasons;
    func.walk([&](Operation *op) {
      ++numOps;
      if (StringRef why = reason(op); !why.empty()) {
        auto &entry = offenders[op->getName().getStringRef()];
        if (!entry.first++)
          entry.second = op;
        reasons[op->getName().getStringRef()] = why;
      }
    });
    for (auto &[name, entry] : offenders) {
      entry.second->emitError() << entry.first << " x " << name << " " << reasons[name]
                                << " on target cpu '" << target->cpu << "'";
      signalPassFailure();
    }
  }
};
} // namespace
