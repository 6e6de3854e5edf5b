// RUN: un0-opt %s --allow-unregistered-dialect --split-input-file --cpu-plan-arena --verify-diagnostics | FileCheck %s

// The third buffer starts after the first has ended and takes its place; the second overlaps both.
// CHECK: module attributes {cpu.arena_bytes = 192 : i64}
// CHECK-LABEL: func @share
// CHECK-SAME: %[[ARENA:[a-z0-9]+]]: memref<192xi8>
func.func @share(%weights: memref<64xi8>, %arena: memref<0xi8>) attributes {cpu.entry = "decode", cpu.batch = 1 : i64} {
  // CHECK: %[[A:.*]] = memref.view %[[ARENA]][%c0][] : memref<192xi8> to memref<16xf32>
  // CHECK: %[[B:.*]] = memref.view %[[ARENA]][%c64][] : memref<192xi8> to memref<32xf32>
  // CHECK: %[[C:.*]] = memref.view %[[ARENA]][%c0_{{.*}}][] : memref<192xi8> to memref<16xf32>
  // CHECK-NOT: memref.alloc
  %a = memref.alloc() : memref<16xf32>
  %b = memref.alloc() : memref<32xf32>
  %c = memref.alloc() : memref<16xf32>
  "test.use"(%a, %b) : (memref<16xf32>, memref<32xf32>) -> ()
  "test.use"(%b, %c) : (memref<32xf32>, memref<16xf32>) -> ()
  return
}

// -----

func.func @nested(%weights: memref<64xi8>, %arena: memref<0xi8>, %n: index) attributes {cpu.entry = "decode", cpu.batch = 1 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %i = %c0 to %n step %c1 {
    // expected-error @+1 {{buffers must be static and at the top level of the function}}
    %a = memref.alloc() : memref<16xf32>
    "test.use"(%a) : (memref<16xf32>) -> ()
  }
  return
}
