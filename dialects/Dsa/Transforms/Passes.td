//===- Passes.td - dsa to dsa passes -----------------------*- tablegen -*-===//

#ifndef DSA_TRANSFORMS_PASSES_TD
#define DSA_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

def DsaSchedule : Pass<"dsa-schedule", "::mlir::ModuleOp"> {
  let summary = "load couplings while tiles run, and nothing twice";
  let description = [{
    In the mapped form a load acts at once. Loads of couplings that a tile has already are left out, also across the turns of
    a loop. On hardware with two banks of couplings the next block is loaded while the tile runs, and `dsa.swap` makes it act;
    the first block of a loop is loaded before it, and again at the end of each turn. What is loaded without a clear adds to
    the bank that acts, between two swaps: the other one lacks what is there. Clears that the loads behind them overwrite, and
    declarations that nothing uses, go.

    ```mlir
    dsa.clear @main
    dsa.couple @main at [0, 32] with @K.0.1
    dsa.each {
      dsa.run @main for 1.0e-06 steps 1
    }
    dsa.clear @main
    dsa.couple @main at [0, 32] with @K.0.2
    dsa.each {
      dsa.run @main for 1.0e-06 steps 1
    }
    ```
    becomes, with two banks
    ```mlir
    dsa.clear @main
    dsa.couple @main at [0, 32] with @K.0.1
    dsa.swap @main
    dsa.clear @main
    dsa.couple @main at [0, 32] with @K.0.2
    dsa.each {
      dsa.run @main for 1.0e-06 steps 1
    }
    dsa.swap @main
    dsa.each {
      dsa.run @main for 1.0e-06 steps 1
    }
    ```
  }];
  let statistics = [
    Statistic<"numLoads", "loads", "loads of couplings, loops not unrolled">,
    Statistic<"numRepeated", "repeated-loads", "loads left out because the tile has the couplings">,
    Statistic<"numHidden", "hidden-loads", "loads that happen while their tile runs">,
    Statistic<"numClears", "clears", "clears left out because what they clear is loaded">,
    Statistic<"numUnused", "unused", "declarations that nothing uses">
  ];
  let dependentDialects = ["::un0::dsa::DsaDialect"];
}

def DsaVerifyMapped : Pass<"dsa-verify-mapped", "::mlir::ModuleOp"> {
  let summary = "check what the mapped phase guarantees, and mark the module";
  let description = [{
    In the mapped phase a module has parameters, one `dsa.program` that the hardware it names has the tiles, links and levels
    for, in which loads act at once (no `dsa.swap`), and `@generate` with the digital part: without `un0.evolve`, unless the
    hardware is digital.

    ```mlir
    module attributes {un0.phase = "quantized"} { ... }
    ```
    becomes
    ```mlir
    module attributes {un0.phase = "mapped"} { ... }
    ```
  }];
  let statistics = [Statistic<"numOps", "ops", "operations checked">];
}

def DsaVerifyScheduled : Pass<"dsa-verify-scheduled", "::mlir::ModuleOp"> {
  let summary = "check what the scheduled phase guarantees, and mark the module";
  let description = [{
    As the mapped phase, but instructions are those of the program, one for one: with two banks of couplings what is loaded
    acts after a `dsa.swap`, and before a tile runs it has been swapped.

    ```mlir
    module attributes {un0.phase = "mapped"} { ... }
    ```
    becomes
    ```mlir
    module attributes {un0.phase = "scheduled"} { ... }
    ```
  }];
  let statistics = [Statistic<"numOps", "ops", "operations checked">];
}

#endif // DSA_TRANSFORMS_PASSES_TD
