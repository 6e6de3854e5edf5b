// RUN: un0-opt %s --pass-pipeline='builtin.module(func.func(cpu-lower-dots,canonicalize))' | FileCheck %s

// Rows of a part of memory are as far apart as its type says, or as it says itself.
module attributes {cpu.target = {cpu = "sapphirerapids", features = ["amx-int8", "amx-tile", "avx512f", "avx512vl"], fma = true, lanes = 16 : i64, registers = 32 : i64}} {
  // CHECK-LABEL: @strides
  // CHECK-SAME: %[[M:.*]]: memref<4x16xi32, {{.*}}>, %[[I:.*]]: index, %[[J:.*]]: index
  func.func @strides(%m: memref<4x16xi32, strided<[100, 1], offset: 5>>, %i: index, %j: index) {
    // CHECK: %[[ROW:.*]] = arith.muli %[[I]], %c100
    // CHECK: %[[START:.*]] = arith.addi %[[ROW]], %c5
    // CHECK: arith.addi %[[J]], %[[START]]
    cpu.tile_store 0 to %m[%i, %j] : memref<4x16xi32, strided<[100, 1], offset: 5>>
    return
  }

  // CHECK-LABEL: @any_strides
  // CHECK-SAME: %[[M:.*]]: memref<4x16xi32, {{.*}}>, %[[I:.*]]: index
  func.func @any_strides(%m: memref<4x16xi32, strided<[?, 1], offset: ?>>, %i: index) {
    // CHECK: %{{.*}}, %[[OFFSET:.*]], %{{.*}}:2, %[[STRIDES:.*]]:2 = memref.extract_strided_metadata %[[M]]
    // CHECK: %[[ROW:.*]] = arith.muli %[[I]], %[[STRIDES]]#0
    // CHECK: %[[START:.*]] = arith.addi %[[ROW]], %[[OFFSET]]
    // CHECK: arith.addi %[[I]], %[[START]]
    cpu.tile_store 0 to %m[%i, %i] : memref<4x16xi32, strided<[?, 1], offset: ?>>
    return
  }
}
