//===- PlanArena.cpp - give every buffer a place in one arena ---*- C++ -*-===//

#include "un0/Codegen/Passes.h"
#include "llvm/Support/MathExtras.h"

namespace un0 {
#define GEN_PASS_DEF_CPUPLANARENA
#include "lib/Codegen/Passes.h.inc"
} // namespace un0

using namespace mlir;
using namespace un0;

namespace {

/// A buffer and the top-level operations between which it must keep its bytes.
struct Buffer {
  memref::AllocOp op;
  int64_t bytes, first, last, offset;
};

constexpr int64_t kAlignment = 64;

struct CpuPlanArenaPass : un0::impl::CpuPlanArenaBase<CpuPlanArenaPass> {
  void runOnOperation() override {
    int64_t largest = kAlignment;
    for (auto func : getOperation().getOps<func::FuncOp>()) {
      if (!func->hasAttr("cpu.entry"))
        continue;
      FailureOr<int64_t> bytes = plan(func);
      if (failed(bytes))
        return signalPassFailure();
      largest = std::max(largest, *bytes);
    }
    getOperation()->setAttr("cpu.arena_bytes", Builder(&getContext()).getI64IntegerAttr(largest));
  }

  FailureOr<int64_t> plan(func::FuncOp func) {
    Block &body = func.getBody().front();
    DenseMap<Operation *, int64_t> order;
    for (auto [i, op] : llvm::enumerate(body))
      order[&op] = i;

    SmallVector<Buffer> buffers;
    int64_t sum = 0;
    WalkResult walk = func.walk([&](memref::AllocOp op) {
      MemRefType type = op.getType();
      if (op->getBlock() != &body || !type.hasStaticShape()) {
        op.emitError("buffers must be static and at the top level of the function");
        return WalkResult::interrupt();
      }
      int64_t bytes =
          llvm::alignTo(type.getNumElements() * (type.getElementTypeBitWidth() / 8), kAlignment);
      int64_t first = body.getOperations().size(), last = 0;
      for (Operation *user : op->getUsers()) {
        int64_t at = order.lookup(body.findAncestorOpInBlock(*user));
        first = std::min(first, at);
        last = std::max(last, at);
      }
      buffers.push_back({op, bytes, first, last, 0});
      sum += bytes;
      return WalkResult::advance();
    });
    if (walk.wasInterrupted())
      return failure();

    // Offsets are the order of allocation where first uses tie, so that plans do not depend on the
    // sort.
    for (auto [i, buffer] : llvm::enumerate(buffers))
      buffer.offset = i;
    llvm::sort(buffers, [](const Buffer &x, const Buffer &y) {
      return std::tie(x.first, x.offset) < std::tie(y.first, y.offset);
    });
    int64_t total = 0;
    for (auto [i, buffer] : llvm::enumerate(buffers)) {
      buffer.offset = 0;
      // First gap among the buffers alive at the same time.
      SmallVector<std::pair<int64_t, int64_t>> taken;
      for (const Buffer &other : ArrayRef<Buffer>(buffers).take_front(i))
        if (other.last >= buffer.first && other.first <= buffer.last)
          taken.push_back({other.offset, other.offset + other.bytes});
      llvm::sort(taken);
      for (auto [from, to] : taken) {
        if (from >= buffer.offset + buffer.bytes)
          break;
        buffer.offset = std::max(buffer.offset, to);
      }
      total = std::max(total, buffer.offset + buffer.bytes);
    }
    total = std::max<int64_t>(total, kAlignment);

    BlockArgument arena = func.getArgument(1);
    auto arenaType = MemRefType::get({total}, IntegerType::get(&getContext(), 8));
    arena.setType(arenaType);
    SmallVector<Type> inputs(func.getArgumentTypes());
    inputs[1] = arenaType;
    func.setFunctionType(FunctionType::get(&getContext(), inputs, func.getResultTypes()));
    for (Buffer &buffer : buffers) {
      OpBuilder b(buffer.op);
      Value offset = arith::ConstantIndexOp::create(b, buffer.op.getLoc(), buffer.offset);
      Value view = memref::ViewOp::create(b, buffer.op.getLoc(), buffer.op.getType(), arena, offset,
                                          ValueRange());
      buffer.op.replaceAllUsesWith(view);
      buffer.op.erase();
    }
    numBuffers += buffers.size();
    bytesShared += sum - std::min(total, sum);
    return total;
  }
};

} // namespace
