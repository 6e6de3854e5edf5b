// RUN: un0-opt %s --cpu-kernels-to-vector --canonicalize | FileCheck %s

// Words of bf16 are loaded by address; panels of a part of memory are as far apart as its type says.
module attributes {cpu.target = {cpu = "x86-64-v3", features = ["avx2", "fma"], fma = true, lanes = 8 : i64, registers = 16 : i64}} {
  // CHECK-LABEL: func @panels
  // CHECK: %[[LINE:.*]] = arith.muli %{{.*}}, %c16
  // CHECK: arith.addi %[[LINE]], %c64
  // CHECK: memref.extract_aligned_pointer_as_index %arg1
  // CHECK: arith.addi %{{.*}}, %c1064
  // CHECK: memref.extract_aligned_pointer_as_index %arg1
  func.func @panels(%w: memref<32xf32>, %k: memref<2x16x16xi32, strided<[1000, 16, 1], offset: 64>>, %x: memref<2x32xf32>, %p: memref<2x32xf32>, %t: memref<32xf32>) {
    cpu.rate frequency %w target %x couple(%k) with(%p) base %t to %t {precisions = [#un0<precision bf16>]}
        : memref<32xf32>, memref<2x32xf32>, memref<32xf32>, memref<32xf32>, (memref<2x16x16xi32, strided<[1000, 16, 1], offset: 64>>), (memref<2x32xf32>)
    return
  }
}
