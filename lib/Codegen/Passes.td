//===- Passes.td - CPU code generation ---------------------*- tablegen -*-===//

#ifndef UN0_CODEGEN_PASSES_TD
#define UN0_CODEGEN_PASSES_TD

include "mlir/Pass/PassBase.td"

def CpuPlanArena : Pass<"cpu-plan-arena", "::mlir::ModuleOp"> {
  let summary = "give every buffer a place in one arena";
  let description = [{
    Replaces each `memref.alloc` of an entry function by a view of its arena argument at a 64-byte-aligned offset. Buffers
    whose lifetimes (first to last use; the whole of a loop, if they are allocated outside of it) do not overlap share
    bytes: first fit, in order of first use. The arena's size becomes the type of the argument, and the largest one the
    module's `cpu.arena_bytes`. Buffers marked `cpu.own` are in the argument that the entry's `cpu.own_arena` numbers, memory
    of the same size that no other thread sees; their offsets are none of the arena's, which for one thread that is.
    Uses are followed through views; what hands a buffer on in another way, as `arith.select` does, is refused.

    ```mlir
    %a = memref.alloc() : memref<16xf32>
    ```
    becomes
    ```mlir
    %a = memref.view %arena[%c0][] : memref<64xi8> to memref<16xf32>
    ```
  }];
  let statistics = [
    Statistic<"numBuffers", "buffers", "buffers placed">,
    Statistic<"bytesShared", "bytes-shared", "bytes saved by sharing">
  ];
  let dependentDialects = ["::mlir::memref::MemRefDialect", "::mlir::arith::ArithDialect"];
}

def CpuKernelsToVector : Pass<"cpu-kernels-to-vector", "::mlir::func::FuncOp"> {
  let summary = "write out kernels as loops over vectors";
  let description = [{
    Expands every kernel of the cpu dialect into `scf`, `vector` and `arith` with the register tile of the target: couplings
    and convolutions keep all accumulators in registers over the whole sum, one SSA value each. Needs `cpu.target`. Weights
    packed for another number of lanes are refused, and so are batch tiles of samples that are no multiple of it.

    ```mlir
    cpu.waves %theta to %x : memref<16xf32>, memref<2x16xf32>
    ```
    becomes (16 lanes)
    ```mlir
    scf.for %i = %c0 to %c16 step %c16 {
      %v = vector.load %theta[%i] : memref<16xf32>, vector<16xf32>
      %s, %c = cpu.sincos %v : vector<16xf32>
      vector.store %s, %x[%c0, %i] : memref<2x16xf32>, vector<16xf32>
      vector.store %c, %x[%c1, %i] : memref<2x16xf32>, vector<16xf32>
    }
    ```
  }];
  let statistics = [Statistic<"numKernels", "kernels", "kernels expanded">];
  let dependentDialects = ["::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect", "::mlir::arith::ArithDialect",
                           "::mlir::math::MathDialect", "::un0::cpu::CpuDialect"];
}

def CpuLowerDots : Pass<"cpu-lower-dots", "::mlir::func::FuncOp"> {
  let summary = "packed dot products to the processor's instructions";
  let description = [{
    `cpu.dot` becomes `vpdpbusd`, `vpdpwssd` or `vdpbf16ps` where `cpu.target` has them. Elsewhere: `u8s8 fits` is
    `pmaddubsw`, and `pmaddwd` by ones to add its pairs up, of a second word after the pairs of both were added. Other `u8s8`, and all without SSSE3, are split into even and odd
    bytes widened to 16 bits and two `pmaddwd`, because `pmaddubsw` would saturate. `s16` is one `pmaddwd`, `bf16` two multiply-adds in f32. The integer
    kinds give the same bits on every processor. Targets of 16 lanes take dots of 8, too, by AVX512VL.
    `cpu.tile_*` are the instructions of AMX, on tiles by number.

    ```mlir
    %r = cpu.dot s16 %a, %x, %k : vector<8xi32>, vector<8xi32>
    ```
    becomes (AVX2 without VNNI)
    ```mlir
    %0 = vector.bitcast %x : vector<8xi32> to vector<16xi16>
    %1 = vector.bitcast %k : vector<8xi32> to vector<16xi16>
    %2 = llvm.call_intrinsic "llvm.x86.avx2.pmadd.wd"(%0, %1) : (vector<16xi16>, vector<16xi16>) -> vector<8xi32>
    %r = arith.addi %a, %2 : vector<8xi32>
    ```
  }];
  let statistics = [
    Statistic<"numNative", "native", "dot products that are one instruction">,
    Statistic<"numWidened", "widened", "dot products without an instruction of their own">
  ];
  let dependentDialects = ["::mlir::vector::VectorDialect", "::mlir::arith::ArithDialect", "::mlir::LLVM::LLVMDialect"];
}

def CpuExpandMath : Pass<"cpu-expand-math", "::mlir::func::FuncOp"> {
  let summary = "inline polynomials for vector sine, cosine and tanh";
  let description = [{
    `cpu.sincos` becomes a shared range reduction and two polynomials, `math.tanh` upstream's rational approximation. On a
    target without fused multiply-add every `fma` becomes a product and a sum: the intrinsic would be a library call. Where
    the module has `cpu.exact`, as those with integer couplings or convolutions do, it becomes the fused result in f64
    arithmetic instead: such a module gives the same bytes on every processor. Where bf16 has no instructions, rounding to it
    is integer arithmetic with the instruction's result for every finite number.
  }];
  let statistics = [Statistic<"numSinCos", "sincos", "vector sine-cosine pairs expanded">];
  let dependentDialects = ["::mlir::vector::VectorDialect", "::mlir::arith::ArithDialect", "::mlir::math::MathDialect"];
}

def CpuVerifyVector : Pass<"cpu-verify-vector", "::mlir::func::FuncOp"> {
  let summary = "refuse what LLVM would scalarize or call out for";
  let description = [{
    The seam between vector code and LLVM: reports every op, with counts, that would become a scalar library call (`math`
    on any type, `fma` on a target without it, arithmetic on bf16 and other floats that are only stored, rounding to bf16
    without the instruction), a division lane by lane, an allocation, a loop whose accumulators do not fit the registers, or that
    is still a cpu op (an unsupported dot product among them), instead of letting the backend do something slow in
    silence. `cpu-lower-dots` remarks on dot products that the processor has no instruction for.

    ```mlir
    %a = math.sin %x : vector<16xf32>
    %b = math.sin %a : vector<16xf32>
    ```
    is refused: `2 x math.sin would be a library call per lane on target cpu 'znver4'`.
  }];
  let statistics = [Statistic<"numOps", "ops", "operations checked">];
}

#endif // UN0_CODEGEN_PASSES_TD
