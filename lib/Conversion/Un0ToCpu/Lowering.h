//===- Lowering.h - state of the lowering to CPU kernels --------*- C++ -*-===//
//
// One object builds all entry functions of a module. The dynamics are in LowerDynamics.cpp, the
// decoder in LowerDecoder.cpp, everything else in Un0ToCpu.cpp.
//
//===----------------------------------------------------------------------===//

#ifndef UN0_LIB_CONVERSION_UN0TOCPU_LOWERING_H
#define UN0_LIB_CONVERSION_UN0TOCPU_LOWERING_H

#include "Schedule.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/SymbolTable.h"
#include "un0/Codegen/CpuTarget.h"
#include "llvm/ADT/MapVector.h"

namespace un0 {

using llvm::ArrayRef;
using llvm::SmallVector;
using llvm::StringRef;
using mlir::LogicalResult;
using mlir::Value;

/// The pieces of `@generate`, found and checked once.
struct ModelChain {
  mlir::func::FuncOp func;
  EvolveOp evolve; // null with 0 steps
  ReadoutOp readout;
  SmallVector<Conv2DOp> convs;
  int64_t oscillators, conditioning, features, channels, height, width;
};

inline int64_t dim(Value value, unsigned i) {
  return llvm::cast<mlir::ShapedType>(value.getType()).getDimSize(i);
}

/// Whether a convolution's input is an image of bytes.
inline bool readsBytes(Conv2DOp conv) { return conv.getPrecision() == Precision::Int8; }

/// How the weights of a convolution other than the last are packed.
inline cpu::Packing getPacking(Conv2DOp conv, const ConvSchedule &schedule) {
  return schedule.form != cpu::ConvForm::Direct ? cpu::Packing::ConvPlanes
         : conv.getUpsample()                   ? cpu::Packing::ConvUpsample
                                                : cpu::Packing::Conv3x3;
}

inline cpu::Packing getTablePacking(SelectClassOp select) {
  return select.getBits() ? cpu::Packing::ClassWords : cpu::Packing::ClassRows;
}

class CpuLowering {
public:
  CpuLowering(mlir::ModuleOp module, const CpuTarget &target)
      : module(module), target(target), symbols(module), b(module.getContext()) {}

  LogicalResult run();
  unsigned numEntries = 0, numPacked = 0;

private:
  LogicalResult findChain();
  LogicalResult placeParameters();
  /// What a parameter is packed for: readers that agree in all of it share the bytes.
  struct PlaceKey {
    cpu::Packing packing;
    Precision precision = Precision::F32;
    int64_t columns = 0; // of a group
    int64_t zeroPoint = 0;
    cpu::ConvForm form = cpu::ConvForm::Direct;
    mlir::DenseI64ArrayAttr inputExponents = {}, outputExponents = {};
  };
  /// The index in `places` of a parameter's packed form.
  llvm::FailureOr<unsigned> place(Value param, PlaceKey key, ArrayRef<int64_t> shape);
  /// Whether there is a coupling of so many bytes, packed, to evolve with.
  bool hasCoupling(int64_t bytes) const;
  /// The words after which int16 sums of a rate are emptied; none if nothing says so.
  mlir::DenseI64ArrayAttr getDrains(FusedRateOp rate);
  LogicalResult buildEvolve(int64_t batch, bool team = false);
  void buildReadout();
  void buildDecode();
  /// Whether threads that evolve one sample together are to decode it together as well.
  bool paysToShareDecoder() const;
  void buildDecodeTeam();
  int64_t getObservedBytes();
  void describe();
  int64_t getDecodeBatch() const { return un0::getDecodeBatch(module, target.lanes); }

  friend struct DecodeBuilder;
  mlir::func::FuncOp beginEntry(StringRef kind, int64_t batch, ArrayRef<mlir::Type> arguments);
  mlir::MemRefType f32(ArrayRef<int64_t> shape) {
    return mlir::MemRefType::get(shape, b.getF32Type());
  }
  Value alloc(ArrayRef<int64_t> shape) { return mlir::memref::AllocOp::create(b, loc, f32(shape)); }
  /// The packed form of a parameter, as a view of the entry's weights.
  Value packed(unsigned place);
  Value packed(Value param, cpu::Packing packing, Precision precision = Precision::F32,
               int64_t columns = 0);
  /// Where a kernel is that reads `param`: named after it, unless the operator has a place.
  mlir::Location locate(Value param, mlir::Location place);
  Value allocWords(ArrayRef<int64_t> shape) {
    return mlir::memref::AllocOp::create(b, loc, mlir::MemRefType::get(shape, b.getI32Type()));
  }
  int64_t getGroup() const { return 2; }

  SmallVector<int64_t> phases(int64_t n, int64_t batch) {
    return batch == 1 ? SmallVector<int64_t>{cpu::padToLine(n)}
                      : SmallVector<int64_t>{cpu::padToLine(n), batch};
  }
  SmallVector<int64_t> waves(int64_t n, int64_t batch) {
    return batch == 1 ? SmallVector<int64_t>{2, cpu::padToLine(n)}
                      : SmallVector<int64_t>{cpu::padToLine(n), 2, batch};
  }

  struct Place {
    cpu::PackedParamOp op;
    SmallVector<int64_t> shape;
  };

  mlir::ModuleOp module;
  const CpuTarget &target;
  mlir::SymbolTable symbols;
  mlir::OpBuilder b;
  ModelChain chain;
  SmallVector<ConvSchedule> schedules; // of chain.convs
  using PlaceMap =
      llvm::MapVector<std::tuple<mlir::StringAttr, cpu::Packing, Precision, int64_t, int64_t,
                                 cpu::ConvForm, mlir::Attribute, mlir::Attribute>,
                      Place>;
  static PlaceMap::key_type keyOf(Value param, const PlaceKey &key);
  PlaceMap places;
  struct ConvPlaces {
    unsigned weight, bias;
  };
  llvm::DenseMap<mlir::Operation *, ConvPlaces> convPlaces;
  int64_t weightBytes = 0;
  mlir::Location loc = b.getUnknownLoc();
  Value weights, arena;
};

} // namespace un0

#endif // UN0_LIB_CONVERSION_UN0TOCPU_LOWERING_H
