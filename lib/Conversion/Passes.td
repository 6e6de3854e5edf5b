//===- Passes.td - lowerings between dialects --------------*- tablegen -*-===//

#ifndef UN0_CONVERSION_PASSES_TD
#define UN0_CONVERSION_PASSES_TD

include "mlir/Pass/PassBase.td"

def Un0ScheduleCpu : Pass<"un0-schedule-cpu", "::mlir::ModuleOp"> {
  let summary = "say how each convolution of the decoder will be computed";
  let description = [{
    Gives every `un0.conv2d` of `@generate` the `cpu.schedule` that the cost model chooses for it (docs/cpu-schedules.md), and
    checks those that are there: of a user, or of `un0c --tune`. `un0-to-cpu` does what they say; without them it asks the same
    model. Needs `cpu.target` on the module; `cpu.direct` keeps forms direct.

    ```mlir
    %y = un0.conv2d %x, %a, %ab activation(leaky_relu) {slope = 2.000000e-01 : f64, upsample} : ...
    ```
    becomes
    ```mlir
    %y = un0.conv2d %x, %a, %ab activation(leaky_relu) {cpu.schedule = #cpu.conv_schedule<form = f4_up, rows = 2>, ...} : ...
    ```
  }];
  let statistics = [
    Statistic<"numChosen", "chosen", "convolutions scheduled by the cost model">,
    Statistic<"numGiven", "given", "convolutions that had a schedule">
  ];
  let dependentDialects = ["::un0::cpu::CpuDialect"];
}

def Un0ToCpu : Pass<"un0-to-cpu", "::mlir::ModuleOp"> {
  let summary = "lower a fused model to packed CPU kernels";
  let description = [{
    Replaces `@generate` by the entries of the calling convention in `runtime/include/un0/format.h`: `un0_evolve_1` and
    `un0_evolve_<lanes>` (the batch tile), `un0_readout` and `un0_decode`; where threads pay, `un0_evolve_team` and
    `un0_decode_team`. Solvers are expanded into a time loop, every parameter gets a place and a packing in the weight
    section, and working memory is requested with `memref.alloc`, which `cpu-plan-arena` replaces. Costs and signature move
    to module attributes. Needs `cpu.target` on the module.

    ```mlir
    %dt = un0.fused_rate of(%s, %c) frequency %w couple %K(%s, %c) : ...
    ```
    becomes
    ```mlir
    cpu.waves %theta to %x : memref<1024xf32>, memref<2x1024xf32>
    cpu.rate frequency %w target %x couple(%K) with(%x) base %theta to %theta step 1.000000e-01 : ...
    ```
  }];
  let statistics = [
    Statistic<"numEntries", "entries", "functions emitted">,
    Statistic<"numPacked", "packed-parameters", "parameters given a place in the weight section">
  ];
  let dependentDialects = ["::un0::cpu::CpuDialect", "::mlir::scf::SCFDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::arith::ArithDialect", "::mlir::func::FuncDialect"];
}

def Un0ToDsa : Pass<"un0-to-dsa", "::mlir::ModuleOp"> {
  let summary = "map a fused model's dynamics to a program of an accelerator";
  let description = [{
    Makes a `dsa.program` of what `un0.evolve` does and leaves the readout and the decoder in `@generate`, which then starts
    from final phases. The hardware is the module's `dsa.hardware` (JSON), or `hardware`. What fits runs at once; a larger
    system is visited in pairs of groups, as often as it takes to stay within `max-splitting-error`. Reads the weights: for
    time scales, bounds and that error. For digital hardware `@generate` keeps its dynamics. docs/dsa/lowering.md.

    ```mlir
    %theta = un0.evolve(%t = %theta0) solver(euler) steps(10) time(1.0) : tensor<?x16xf32> { ... }
    ```
    becomes
    ```mlir
    dsa.couple @main at [0, 0] with @couplings
    dsa.detune @main[0] with @frequencies
    dsa.each {
      dsa.draw @theta from 0
      dsa.phase @main[0] from @theta[0] count 16
      dsa.run @main for 1.0 steps 10
      dsa.sample @main[0] to @theta[0] count 16 {unwrap}
    }
    ```
  }];
  let constructor = "::un0::createUn0ToDsaPass()";
  let options = [
    Option<"hardwareName", "hardware", "std::string", /*default=*/"", "built-in description or file; else dsa.hardware">,
    Option<"maxSplittingError", "max-splitting-error", "double", /*default=*/"::un0::kDefaultSplittingError",
           "rms of the features that time-multiplexing may cost; dsa.max_splitting_error of the module goes first">
  ];
  let statistics = [
    Statistic<"numTiles", "tiles", "tiles used">,
    Statistic<"numData", "data", "blocks of constants">,
    Statistic<"numRuns", "runs", "run instructions, loops not unrolled">,
    Statistic<"numSkipped", "skipped", "pairs of groups without a coupling, never visited">,
    Statistic<"numSweeps", "sweeps", "sweeps over all pairs">
  ];
  let dependentDialects = ["::un0::dsa::DsaDialect"];
}

#endif // UN0_CONVERSION_PASSES_TD
