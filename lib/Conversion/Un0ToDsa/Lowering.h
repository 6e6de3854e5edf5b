//===- Lowering.h - state of the lowering to programs -----------*- C++ -*-===//
//
// One object maps one module. Programs on tiles are built in MapTiles.cpp, everything else in
// Un0ToDsa.cpp.
//
//===----------------------------------------------------------------------===//

#ifndef UN0_LIB_CONVERSION_UN0TODSA_LOWERING_H
#define UN0_LIB_CONVERSION_UN0TODSA_LOWERING_H

#include "HostSystem.h"
#include "Scaling.h"
#include "mlir/IR/Builders.h"

namespace un0 {

class DsaLowering {
public:
  DsaLowering(mlir::ModuleOp module, ArchiveSet &archives, const dsa::Hardware &hardware,
              double budget)
      : module(module), archives(archives), hardware(hardware), budget(budget),
        b(module.getContext()), loc(module.getLoc()) {}

  mlir::LogicalResult run();
  unsigned numTiles = 0, numData = 0, numRuns = 0, numSkipped = 0, numSweeps = 0;

private:
  // Un0ToDsa.cpp
  mlir::LogicalResult createProgram();
  void addDigitalOperators();
  void takeDynamicsAway();

  // MapTiles.cpp
  mlir::LogicalResult mapTiles();
  mlir::LogicalResult mapWhole();
  mlir::LogicalResult mapPairs();
  void addMemory();
  void addConditioningTile();
  /// Constants of the conditioning system at a time scale.
  struct ConditioningLoad {
    dsa::DataOp couplings, frequencies;
    double scale = 1;
  };
  void addConditioning(ConditioningLoad &load, llvm::StringRef suffix, double timeScale);
  void loadConditioning(const ConditioningLoad &load);
  void setConditioningPhases();
  void link(int64_t first, dsa::DataOp data);
  void runFor(dsa::TileOp tile, double modelTime, double scale, int64_t steps);
  void sample(int64_t first, int64_t offset, int64_t count);
  void addVisit(const Visit &visit, double modelTime, int64_t steps);
  void addSweep(llvm::ArrayRef<Visit> visits, double modelTime, int64_t steps);
  /// No frequencies and no drive on the main tile.
  void quietMainTile();
  mlir::FailureOr<int64_t> chooseSweeps();
  double getPairMotion() const;

  /// Terms of what the conditioning system loads, its oscillators being there `copies` times, for
  /// runs after which its phases are kept for `time` model seconds.
  std::vector<LoadTerm> getConditioningTerms(int64_t copies, double time) const;
  LoadTerm getDrives(int64_t copies) const;
  /// Chooses `copies` so that the conditioning system, `others` and, with `driving`, the drive have
  /// a time scale of small error, which it returns. Copies share out couplings: strong ones, and
  /// what one level alone does not resolve.
  double chooseCopies(llvm::ArrayRef<LoadTerm> others, bool driving);
  LoadTerm getCouplings(std::vector<float> values) const;
  LoadTerm getFrequencies(std::vector<float> values) const;
  static void roundTo(std::vector<float> &values, const LoadTerm &term, double scale);

  dsa::DataOp addData(llvm::StringRef name, dsa::Content content, ParamOp param,
                      llvm::ArrayRef<int64_t> offsets, llvm::ArrayRef<int64_t> sizes, double scale,
                      double fullScale, int64_t limit, int64_t classes = 0, int64_t copies = 1);
  dsa::DataOp addCouplings(llvm::StringRef name, ParamOp param, llvm::ArrayRef<int64_t> offsets,
                           llvm::ArrayRef<int64_t> sizes, double scale);
  dsa::DataOp addFrequencies(llvm::StringRef name, ParamOp param, int64_t first, int64_t count,
                             double scale);
  dsa::DataOp addDrive(llvm::StringRef name, int64_t first, int64_t count, double scale);
  /// Declarations go before the first instruction, instructions to the insertion point.
  template <typename Op, typename... Args> Op declare(Args &&...args) {
    mlir::OpBuilder::InsertionGuard guard(b);
    if (lastDeclaration)
      b.setInsertionPointAfter(lastDeclaration);
    else
      b.setInsertionPointToStart(&program.getBody().front());
    Op op = Op::create(b, loc, std::forward<Args>(args)...);
    lastDeclaration = op;
    return op;
  }
  template <typename Body> void forEach(Body body) {
    auto each = dsa::EachOp::create(b, loc);
    mlir::OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(&each.getBody().emplaceBlock());
    body();
  }
  template <typename Body> void repeat(int64_t count, Body body) {
    if (count == 1)
      return body();
    auto op = dsa::RepeatOp::create(b, loc, count);
    mlir::OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(&op.getBody().emplaceBlock());
    body();
  }

  mlir::ModuleOp module;
  ArchiveSet &archives;
  const dsa::Hardware &hardware;
  double budget;
  mlir::OpBuilder b;
  mlir::Location loc;

  DsaSystem system;
  SystemWeights weights;
  std::optional<TileLimits> limits;
  double motion = 0; ///< radians in the whole time, at most

  dsa::ProgramOp program;
  mlir::Operation *lastDeclaration = nullptr;
  dsa::TileOp main, conditioning;
  dsa::BufferOp theta, phi;
  int64_t copies = 1;
  double scale = 1; ///< of the runs that the conditioning system drives
  ConditioningLoad conditioningInRuns, conditioningAlone;
  dsa::DataOp loaded; ///< frequencies that the conditioning tile has, with their couplings

  // Of pairs.
  int64_t group = 0, groups = 0;
  llvm::DenseMap<std::pair<int64_t, int64_t>, double> pairScales;
  llvm::DenseMap<std::pair<int64_t, int64_t>, dsa::DataOp> blocks;
  std::vector<dsa::DataOp> frequencies, drives;
  dsa::DataOp still;
  SystemValues exact, rounded;
  bool detuned = false; ///< whether the main tile has frequencies and, perhaps, a drive
};

} // namespace un0

#endif // UN0_LIB_CONVERSION_UN0TODSA_LOWERING_H
