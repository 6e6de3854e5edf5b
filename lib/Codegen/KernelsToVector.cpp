//===- KernelsToVector.cpp - kernels as loops over vectors ------*- C++ -*-===//

#include "Emitter.h"
#include "un0/Codegen/Passes.h"
#include "llvm/ADT/TypeSwitch.h"

namespace un0 {
#define GEN_PASS_DEF_CPUKERNELSTOVECTOR
#include "lib/Codegen/Passes.h.inc"
} // namespace un0

using namespace mlir;
using namespace un0;

void Emitter::loop(Value from, Value to, int64_t step, Body body) {
  auto op = scf::ForOp::create(b, loc, from, to, index(step));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(op.getBody());
  body(op.getInductionVar());
}

Emitter::Carried Emitter::loop(int64_t from, int64_t to, int64_t step, ValueRange initial,
                               CarriedBody body) {
  auto op = scf::ForOp::create(b, loc, index(from), index(to), index(step), initial);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(op.getBody());
  Carried next = body(op.getInductionVar(), op.getRegionIterArgs());
  scf::YieldOp::create(b, loc, next);
  return Carried(op.getResults());
}

std::pair<Value, Value> Emitter::share(Value thread, Value threads, int64_t count) {
  if (!thread)
    return {index(0), index(count)};
  return cpu::buildShare(b, loc, thread, threads, count);
}

void Emitter::copyRow(Value source, ValueRange sourceRow, Value sourceAt, Value dest,
                      ValueRange destRow, Value destAt, int64_t count) {
  auto at = [&](ValueRange row, Value start, Value i) {
    SmallVector<Value> indices(row);
    indices.push_back(add(start, i));
    return indices;
  };
  int64_t whole = count / lanes * lanes;
  loop(0, whole, lanes, [&](Value i) {
    store(load(source, at(sourceRow, sourceAt, i)), dest, at(destRow, destAt, i));
  });
  loop(whole, count, 1, [&](Value i) {
    storeScalar(loadScalar(source, at(sourceRow, sourceAt, i)), dest, at(destRow, destAt, i));
  });
}

void Emitter::fence() {
  // No instruction, with effects that LLVM does not know.
  LLVM::InlineAsmOp::create(b, loc, TypeRange(), ValueRange(), /*asm_string=*/"",
                            /*constraints=*/"", /*has_side_effects=*/true,
                            /*is_align_stack=*/false, LLVM::TailCallKind::None,
                            LLVM::AsmDialectAttr(), ArrayAttr());
}

Value Emitter::loadBrains(Value memory, ValueRange at, int64_t half, bool same) {
  Value byte = add(mul(cpu::buildElement(b, loc, memory, at), 4), half ? 0 : -2);
  // By address, since memory of words has no index for half of one.
  Type i64 = b.getI64Type(), pointer = LLVM::LLVMPointerType::get(b.getContext());
  Value start = memref::ExtractAlignedPointerAsIndexOp::create(b, loc, memory);
  start = arith::IndexCastOp::create(b, loc, i64, start);
  start = LLVM::IntToPtrOp::create(b, loc, pointer, start);
  byte = arith::IndexCastOp::create(b, loc, i64, byte);
  Value place = LLVM::GEPOp::create(b, loc, pointer, b.getI8Type(), start, ValueRange{byte});
  Type type = same ? Type(b.getF32Type()) : Type(words);
  Value word = LLVM::LoadOp::create(b, loc, type, place, /*alignment=*/half ? 4 : 2);
  // The fence keeps LLVM from masking before it broadcasts, which then is no longer the load's.
  if (same)
    word = asWords(LLVM::CallIntrinsicOp::create(
                       b, loc, vector,
                       b.getStringAttr("llvm.arithmetic.fence.v" + std::to_string(lanes) + "f32"),
                       ValueRange{broadcast(word)})
                       ->getResult(0));
  return asFloats(andWord(word, static_cast<int32_t>(0xffff0000)));
}

/// Checks that the weights of a kernel are packed for registers of `lanes`, and that registers of
/// samples fill the rows of a batch tile.
static LogicalResult checkLanes(Operation *op, int64_t lanes) {
  int64_t packed = TypeSwitch<Operation *, int64_t>(op)
                       .Case<cpu::Conv2DOp, cpu::Conv2DPlanesOp, cpu::Conv2DBytesOp>(
                           [](auto conv) { return conv.getLanes(); })
                       .Default(lanes);
  if (packed != lanes)
    return op->emitError("has weights for ") << packed << " lanes on a target of " << lanes;
  // Rows of a tile are the last dimension of memory that for one sample has one dimension less.
  auto rows = [](Value memory, size_t rank) {
    ArrayRef<int64_t> shape = Emitter::shape(memory);
    return shape.size() == rank ? shape.back() : 0;
  };
  int64_t batch = TypeSwitch<Operation *, int64_t>(op)
                      .Case([&](cpu::LoadPhasesOp load) { return rows(load.getDest(), 2); })
                      .Case([&](cpu::StorePhasesOp store) { return rows(store.getSource(), 2); })
                      .Case([&](cpu::WavesOp waves) { return rows(waves.getPhases(), 2); })
                      .Case([&](cpu::GatherClassOp gather) { return rows(gather.getDest(), 3); })
                      .Case<cpu::RateOp, cpu::DriftOp, cpu::CombineOp>(
                          [&](auto kernel) { return rows(kernel.getOut(), 2); })
                      .Default(int64_t(0));
  if (batch % lanes)
    return op->emitError("has ") << batch << " samples on a target of " << lanes << " lanes";
  return success();
}

namespace {
struct CpuKernelsToVectorPass : un0::impl::CpuKernelsToVectorBase<CpuKernelsToVectorPass> {
  void runOnOperation() override {
    func::FuncOp func = getOperation();
    SmallVector<Operation *> kernels;
    func.walk([&](Operation *op) {
      if (isa_and_nonnull<cpu::CpuDialect>(op->getDialect()) &&
          !isa<cpu::SinCosOp, cpu::DotOp, cpu::LookupOp>(op) && !cpu::isTileOp(op))
        kernels.push_back(op);
    });
    if (kernels.empty())
      return;
    llvm::Expected<CpuTarget> target = CpuTarget::of(func->getParentOfType<ModuleOp>());
    if (!target) {
      func.emitError(llvm::toString(target.takeError()));
      return signalPassFailure();
    }
    for (Operation *op : kernels) {
      if (failed(checkLanes(op, target->lanes)))
        return signalPassFailure();
      OpBuilder builder(op);
      // Machine code is traced back to its kernel by this.
      StringRef name = op->getName().getStringRef();
      Emitter e(builder, NameLoc::get(builder.getStringAttr(name), op->getLoc()), *target);
      bool known =
          TypeSwitch<Operation *, bool>(op)
              .Case([&](cpu::LoadPhasesOp op) { return emitLoadPhases(e, op), true; })
              .Case([&](cpu::StorePhasesOp op) { return emitStorePhases(e, op), true; })
              .Case([&](cpu::WavesOp op) { return emitWaves(e, op), true; })
              .Case([&](cpu::BarrierOp op) { return emitBarrier(e, op), true; })
              .Case([&](cpu::GatherClassOp op) { return emitGatherClass(e, op), true; })
              .Case([&](cpu::RateOp op) { return emitRate(e, op), true; })
              .Case([&](cpu::DriftOp op) { return emitDrift(e, op), true; })
              .Case([&](cpu::CombineOp op) { return emitCombine(e, op), true; })
              .Case([&](cpu::ReadoutOp op) { return emitReadout(e, op), true; })
              .Case([&](cpu::ZeroOp op) { return emitZero(e, op), true; })
              .Case([&](cpu::ScatterFeaturesOp op) { return emitScatterFeatures(e, op), true; })
              .Case([&](cpu::Conv2DOp op) { return emitConv2D(e, op), true; })
              .Case([&](cpu::Conv2DPlanesOp op) { return emitConv2DPlanes(e, op), true; })
              .Case([&](cpu::Conv2DPlanarOp op) { return emitConv2DPlanar(e, op), true; })
              .Case([&](cpu::FillRingOp op) { return emitFillRing(e, op), true; })
              .Case([&](cpu::ScatterBytesOp op) { return emitScatterBytes(e, op), true; })
              .Case([&](cpu::Conv2DBytesOp op) { return emitConv2DBytes(e, op), true; })
              .Case([&](cpu::Conv2DPlanarBytesOp op) { return emitConv2DPlanarBytes(e, op), true; })
              .Default([](Operation *) { return false; });
      if (!known) {
        op->emitError("kernel has no vector form");
        return signalPassFailure();
      }
      op->erase();
      ++numKernels;
    }
  }
};
} // namespace
