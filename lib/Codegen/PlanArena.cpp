//===- PlanArena.cpp - give every buffer a place in one arena ---*- C++ -*-===//

#include "dialects/Cpu/IR/Cpu.h"
#include "un0/Codegen/Passes.h"
#include "llvm/Support/MathExtras.h"

namespace un0 {
#define GEN_PASS_DEF_CPUPLANARENA
#include "lib/Codegen/Passes.h.inc"
} // namespace un0

using namespace mlir;
using namespace un0;

namespace {

/// A buffer and the operations, in program order, between which it must keep its bytes.
struct Buffer {
  memref::AllocOp op;
  int64_t bytes, first, last, offset;
};

constexpr int64_t kAlignment = 64;

/// Collects who reads or writes a buffer, perhaps through a view of it. What hands it on as another
/// value is refused: who uses that is not known to use the buffer.
LogicalResult findUsers(Operation *buffer, SmallVectorImpl<Operation *> &users) {
  for (Operation *user : buffer->getUsers()) {
    users.push_back(user);
    bool view = isa<ViewLikeOpInterface>(user);
    if (view && failed(findUsers(user, users)))
      return failure();
    auto isMemory = [](Type type) { return isa<BaseMemRefType>(type); };
    if (!view && (user->hasTrait<OpTrait::IsTerminator>() || isa<RegionBranchOpInterface>(user) ||
                  llvm::any_of(user->getResultTypes(), isMemory)))
      return user->emitError("hands on a buffer, and is no view of it");
  }
  return success();
}

/// That an entry has the arguments that arenas are.
LogicalResult checkArguments(func::FuncOp func) {
  auto own = func->getAttrOfType<IntegerAttr>(cpu::kOwnArenaAttr);
  auto isArena = [&](uint64_t number) {
    return number < func.getNumArguments() && isa<MemRefType>(func.getArgumentTypes()[number]);
  };
  if (func.isExternal() || !isArena(1) ||
      (func->hasAttr(cpu::kOwnArenaAttr) && (!own || !isArena(own.getInt()))))
    return func.emitError("is an entry, and needs a body and arguments that are arenas");
  return success();
}

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
    if (failed(checkArguments(func)))
      return failure();
    // An operation comes before those inside it.
    DenseMap<Operation *, int64_t> order;
    func.walk<WalkOrder::PreOrder>([&](Operation *op) { order.insert({op, order.size()}); });
    auto getLast = [&](Operation *op) {
      int64_t last = order.lookup(op);
      op->walk([&](Operation *inner) { last = std::max(last, order.lookup(inner)); });
      return last;
    };

    SmallVector<Buffer> buffers;
    int64_t sum = 0;
    WalkResult walk = func.walk([&](memref::AllocOp op) {
      MemRefType type = op.getType();
      if (!type.hasStaticShape()) {
        op.emitError("buffers must be static");
        return WalkResult::interrupt();
      }
      if (!type.getElementType().isIntOrFloat()) {
        op.emitError("buffers must hold integers or floats, not ") << type.getElementType();
        return WalkResult::interrupt();
      }
      if (op->hasAttr(cpu::kOwnAttr) && !func->hasAttr(cpu::kOwnArenaAttr)) {
        op.emitError("is a thread's own, but the entry has no argument for such memory");
        return WalkResult::interrupt();
      }
      int64_t bytes = llvm::alignTo(
          type.getNumElements() * llvm::divideCeil(type.getElementTypeBitWidth(), 8), kAlignment);
      // What is allocated outside a loop must live through all of its rounds.
      int64_t first = order.size(), last = 0;
      SmallVector<Operation *> users;
      if (failed(findUsers(op, users)))
        return WalkResult::interrupt();
      for (Operation *user : users) {
        Operation *ancestor = op->getBlock()->findAncestorOpInBlock(*user);
        if (!ancestor) {
          op.emitError("is used outside of its block");
          return WalkResult::interrupt();
        }
        first = std::min(first, order.lookup(ancestor));
        last = std::max(last, getLast(ancestor));
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

    // A thread's own buffers have places of their own in the one plan, since for one thread both
    // memories are the same.
    auto arenaType = MemRefType::get({total}, IntegerType::get(&getContext(), 8));
    SmallVector<Type> inputs(func.getArgumentTypes());
    auto take = [&](unsigned number) {
      func.getArgument(number).setType(arenaType);
      inputs[number] = arenaType;
      return func.getArgument(number);
    };
    Value arena = take(1), own;
    if (auto number = func->getAttrOfType<IntegerAttr>(cpu::kOwnArenaAttr))
      own = take(number.getInt());
    func.setFunctionType(FunctionType::get(&getContext(), inputs, func.getResultTypes()));
    for (Buffer &buffer : buffers) {
      OpBuilder b(buffer.op);
      Value offset = arith::ConstantIndexOp::create(b, buffer.op.getLoc(), buffer.offset);
      Value view = memref::ViewOp::create(b, buffer.op.getLoc(), buffer.op.getType(),
                                          buffer.op->hasAttr(cpu::kOwnAttr) ? own : arena, offset,
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
