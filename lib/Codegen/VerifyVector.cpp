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
      if (isa<math::MathDialect>(op->getDialect()) && !isa<math::AbsFOp, math::CopySignOp>(op))
        return "would be a library call per lane";
      if (auto narrow = dyn_cast<arith::TruncFOp>(op);
          narrow && getElementTypeOrSelf(narrow.getType()).isBF16() && !target->convertsToBF16())
        return "would be a library call per lane";
      if (isa<memref::AllocOp, memref::AllocaOp>(op))
        return "allocates; working memory is planned";
      if (isa<cpu::CpuDialect>(op->getDialect()))
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
