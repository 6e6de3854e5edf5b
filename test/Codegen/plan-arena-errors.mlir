// RUN: un0-opt %s --allow-unregistered-dialect --split-input-file --cpu-plan-arena --verify-diagnostics

// Who reads %s reads %m or %n, and neither's last use is seen.
func.func @selected(%w: memref<64xi8>, %arena: memref<0xi8>, %c: i1, %v: f32) attributes {cpu.entry = "decode"} {
  %i = arith.constant 0 : index
  %m = memref.alloc() : memref<16xf32>
  %n = memref.alloc() : memref<16xf32>
  // expected-error @+1 {{hands on a buffer, and is no view of it}}
  %s = arith.select %c, %m, %n : memref<16xf32>
  %k = memref.alloc() : memref<16xf32>
  memref.store %v, %k[%i] : memref<16xf32>
  %q = memref.load %s[%i] : memref<16xf32>
  memref.store %q, %k[%i] : memref<16xf32>
  return
}

// -----

// Of a view, too.
func.func @carried(%w: memref<64xi8>, %arena: memref<0xi8>, %n: index) attributes {cpu.entry = "decode"} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %m = memref.alloc() : memref<2x8xf32>
  %flat = memref.collapse_shape %m [[0, 1]] : memref<2x8xf32> into memref<16xf32>
  // expected-error @+1 {{hands on a buffer, and is no view of it}}
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%x = %flat) -> (memref<16xf32>) {
    "test.use"(%x) : (memref<16xf32>) -> ()
    scf.yield %x : memref<16xf32>
  }
  return
}

// -----

func.func @yielded(%w: memref<64xi8>, %arena: memref<0xi8>) attributes {cpu.entry = "decode"} {
  %r = scf.execute_region -> memref<16xf32> {
    %m = memref.alloc() : memref<16xf32>
    // expected-error @+1 {{hands on a buffer, and is no view of it}}
    scf.yield %m : memref<16xf32>
  }
  "test.use"(%r) : (memref<16xf32>) -> ()
  return
}

// -----

func.func @blocks(%w: memref<64xi8>, %arena: memref<0xi8>) attributes {cpu.entry = "decode"} {
  // expected-error @+1 {{is used outside of its block}}
  %m = memref.alloc() : memref<16xf32>
  cf.br ^next
^next:
  "test.use"(%m) : (memref<16xf32>) -> ()
  return
}

// -----

func.func @indices(%w: memref<64xi8>, %arena: memref<0xi8>) attributes {cpu.entry = "decode"} {
  // expected-error @+1 {{buffers must hold integers or floats, not 'index'}}
  %m = memref.alloc() : memref<4xindex>
  "test.use"(%m) : (memref<4xindex>) -> ()
  return
}

// -----

// expected-error @+1 {{is an entry, and needs a body and arguments that are arenas}}
func.func @no_arguments() attributes {cpu.entry = "decode"} {
  return
}

// -----

// expected-error @+1 {{is an entry, and needs a body and arguments that are arenas}}
func.func private @declaration(memref<64xi8>, memref<0xi8>) attributes {cpu.entry = "decode"}

// -----

// expected-error @+1 {{is an entry, and needs a body and arguments that are arenas}}
func.func @no_own(%w: memref<64xi8>, %arena: memref<0xi8>) attributes {cpu.entry = "decode_team", cpu.own_arena = 2 : i64} {
  return
}
