//===- Phases.h - the named phases of a compilation -------------*- C++ -*-===//

#ifndef UN0_PIPELINES_PHASES_H
#define UN0_PIPELINES_PHASES_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/StringRef.h"
#include <optional>

namespace un0 {

class ArchiveSet;

/// In compilation order. `Import` to `LLVM`, `Mapped` and `Scheduled` are IR; `Object` is the
/// linked code, `Program` the accelerator's program, `Module` the whole `.un0` file.
enum class Phase {
  Import,
  Model,
  Fused,
  Quantized,
  Loops,
  Vector,
  LLVM,
  Object,
  Mapped,
  Scheduled,
  Program,
  Module
};

constexpr Phase kAllPhases[] = {Phase::Import, Phase::Model,     Phase::Fused,   Phase::Quantized,
                                Phase::Loops,  Phase::Vector,    Phase::LLVM,    Phase::Object,
                                Phase::Mapped, Phase::Scheduled, Phase::Program, Phase::Module};

/// What a compilation is for. Its phases part behind `Quantized` and meet in `Module`.
enum class Target { Cpu, Dsa };

llvm::StringRef getTargetName(Target target);
/// The phases of a target, in order.
llvm::ArrayRef<Phase> getPhases(Target target);
/// Where a phase is in them; nothing if the target has no such phase.
std::optional<unsigned> getPosition(Target target, Phase phase);

llvm::StringRef getPhaseName(Phase phase);
std::optional<Phase> parsePhase(llvm::StringRef name);
/// "import, model, ...", for messages.
std::string listPhases();

/// Whether the result of the phase is MLIR, so that it can be printed, dumped and started from.
inline bool isIRPhase(Phase phase) {
  return phase < Phase::Object || phase == Phase::Mapped || phase == Phase::Scheduled;
}

/// Adds the passes that lead from the phase before to `phase`, ending with the verifier of what the
/// phase guarantees. `Loops` and later need `cpu.target` on the module, `Mapped` needs
/// `dsa.hardware` and reads weights from `archives` (without: by the names in the IR).
void buildPhase(Phase phase, mlir::OpPassManager &pm, ArchiveSet *archives = nullptr);

/// Registers each phase's pipeline as `un0-phase-<name>`, for opt-like tools.
void registerPhasePipelines();

/// Every dialect that any phase of the compiler uses, and nothing else.
void registerDialects(mlir::DialectRegistry &registry);
/// All passes of the project and the upstream ones that its phases use.
void registerPasses();

} // namespace un0

#endif // UN0_PIPELINES_PHASES_H
