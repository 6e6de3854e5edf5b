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

// What is allocated in a loop is new in each round; what is allocated outside lives through all of them. A view is its
// buffer.
// CHECK: module attributes {cpu.arena_bytes = 128 : i64}
// CHECK-LABEL: func @nested
func.func @nested(%weights: memref<64xi8>, %arena: memref<0xi8>, %n: index) attributes {cpu.entry = "decode", cpu.batch = 1 : i64} {
  // CHECK: memref.view %{{.*}}[%c0{{.*}}][] : memref<128xi8> to memref<2x8xf32>
  // CHECK: scf.for
  // CHECK: memref.view %{{.*}}[%c64{{.*}}][] : memref<128xi8> to memref<16xf32>
  // CHECK: memref.view %{{.*}}[%c64{{.*}}][] : memref<128xi8> to memref<16xf32>
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %outside = memref.alloc() : memref<2x8xf32>
  %half = memref.subview %outside[1, 0] [1, 8] [1, 1] : memref<2x8xf32> to memref<8xf32, strided<[1], offset: 8>>
  scf.for %i = %c0 to %n step %c1 {
    %a = memref.alloc() : memref<16xf32>
    "test.use"(%a, %half) : (memref<16xf32>, memref<8xf32, strided<[1], offset: 8>>) -> ()
    %b = memref.alloc() : memref<16xf32>
    "test.use"(%b) : (memref<16xf32>) -> ()
  }
  return
}

// -----

func.func @dynamic(%weights: memref<64xi8>, %arena: memref<0xi8>, %n: index) attributes {cpu.entry = "decode", cpu.batch = 1 : i64} {
  // expected-error @+1 {{buffers must be static}}
  %a = memref.alloc(%n) : memref<?xf32>
  "test.use"(%a) : (memref<?xf32>) -> ()
  return
}

// -----

// What every thread has for itself is in its own memory, apart from the arena's buffers: for one thread both are the same.
// CHECK: module attributes {cpu.arena_bytes = 192 : i64}
// CHECK-LABEL: func @own
// CHECK-SAME: %[[ARENA:[a-z0-9]+]]: memref<192xi8>, %[[OWN:[a-z0-9]+]]: memref<192xi8>
func.func @own(%weights: memref<64xi8>, %arena: memref<0xi8>, %own: memref<0xi8>) attributes {cpu.entry = "decode_team", cpu.batch = 1 : i64, cpu.own_arena = 2 : i64} {
  // CHECK: memref.view %[[ARENA]][%c0][] : memref<192xi8> to memref<16xf32>
  // CHECK: memref.view %[[OWN]][%c64][] : memref<192xi8> to memref<32xf32>
  // CHECK: memref.view %[[ARENA]][%c0_{{.*}}][] : memref<192xi8> to memref<16xf32>
  %a = memref.alloc() : memref<16xf32>
  %b = memref.alloc() {cpu.own} : memref<32xf32>
  %c = memref.alloc() : memref<16xf32>
  "test.use"(%a, %b) : (memref<16xf32>, memref<32xf32>) -> ()
  "test.use"(%b, %c) : (memref<32xf32>, memref<16xf32>) -> ()
  return
}

// -----

func.func @none(%weights: memref<64xi8>, %arena: memref<0xi8>) attributes {cpu.entry = "decode", cpu.batch = 1 : i64} {
  // expected-error @+1 {{is a thread's own, but the entry has no argument for such memory}}
  %a = memref.alloc() {cpu.own} : memref<16xf32>
  "test.use"(%a) : (memref<16xf32>) -> ()
  return
}
