//===- Passes.td - lowerings between dialects --------------*- tablegen -*-===//

#ifndef UN0_CONVERSION_PASSES_TD
#define UN0_CONVERSION_PASSES_TD

include "mlir/Pass/PassBase.td"

def Un0ToCpu : Pass<"un0-to-cpu", "::mlir::ModuleOp"> {
  let summary = "lower a fused model to packed CPU kernels";
  let description = [{
    Replaces `@generate` by the entries of the calling convention in `runtime/include/un0/format.h`: `un0_evolve_1` and
    `un0_evolve_<lanes>` (the batch tile), `un0_readout` and `un0_decode`. Solvers are expanded into a time loop, every
    parameter gets a place and a packing in the weight section, and working memory is requested with `memref.alloc`, which
    `cpu-plan-arena` replaces. Costs and signature move to module attributes. Needs `cpu.target` on the module.

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

#endif // UN0_CONVERSION_PASSES_TD
