//===- Team.h - entries that several threads call together ------*- C++ -*-===//

#ifndef UN0_LIB_CONVERSION_UN0TOCPU_TEAM_H
#define UN0_LIB_CONVERSION_UN0TOCPU_TEAM_H

#include "dialects/Cpu/IR/Cpu.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace un0 {

/// One thread's view of a team's entry: what only one thread may do, where all wait, and whose rows
/// are whose. Without a team all of it is nothing.
struct TeamBuilder {
  mlir::OpBuilder &b;
  mlir::Location loc;
  mlir::Value thread, threads, barrier, data; // null without a team

  void wait() {
    if (thread)
      cpu::BarrierOp::create(b, loc, barrier, data);
  }
  /// What the body makes is done by the first thread only.
  void once(llvm::function_ref<void()> body) {
    if (!thread)
      return body();
    mlir::Value zero = mlir::arith::ConstantIndexOp::create(b, loc, 0);
    mlir::Value first =
        mlir::arith::CmpIOp::create(b, loc, mlir::arith::CmpIPredicate::eq, thread, zero);
    auto branch = mlir::scf::IfOp::create(b, loc, first, /*withElseRegion=*/false);
    mlir::OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(branch.thenBlock());
    body();
  }
  /// This thread's part of `count` things, as even as can be.
  std::pair<mlir::Value, mlir::Value> share(int64_t count) {
    if (!thread)
      return {};
    return cpu::buildShare(b, loc, thread, threads, count);
  }
};

} // namespace un0

#endif // UN0_LIB_CONVERSION_UN0TOCPU_TEAM_H
