// RUN: un0-opt %s --split-input-file --cpu-expand-math | FileCheck %s

module attributes {cpu.target = {cpu = "znver4", features = ["avx512f"], fma = true, lanes = 16 : i64, registers = 32 : i64}} {
  // CHECK-LABEL: func @with_fma
  // CHECK-NOT: cpu.sincos
  // CHECK-NOT: math.tanh
  // CHECK: vector.fma
  func.func @with_fma(%x: vector<16xf32>) -> (vector<16xf32>, vector<16xf32>, vector<16xf32>) {
    %s, %c = cpu.sincos %x : vector<16xf32>
    %t = math.tanh %x : vector<16xf32>
    return %s, %c, %t : vector<16xf32>, vector<16xf32>, vector<16xf32>
  }
}

// -----

module attributes {cpu.target = {cpu = "x86-64", features = [], fma = false, lanes = 4 : i64, registers = 16 : i64}} {
  // CHECK-LABEL: func @without_fma
  // CHECK-NOT: fma
  // CHECK: arith.mulf
  func.func @without_fma(%x: vector<4xf32>) -> (vector<4xf32>, vector<4xf32>, vector<4xf32>) {
    %s, %c = cpu.sincos %x : vector<4xf32>
    %t = math.tanh %x : vector<4xf32>
    return %s, %c, %t : vector<4xf32>, vector<4xf32>, vector<4xf32>
  }
}

// -----

// Rounding to bf16 is an instruction, or arithmetic on the bits: to nearest even, tiny numbers to zero.
module attributes {cpu.target = {cpu = "znver4", features = ["avx512bf16", "avx512f", "avx512vl"], fma = true, lanes = 16 : i64, registers = 32 : i64}} {
  // CHECK-LABEL: func @rounding_instruction
  // CHECK: arith.truncf
  func.func @rounding_instruction(%x: vector<16xf32>) -> vector<16xbf16> {
    %a = arith.truncf %x : vector<16xf32> to vector<16xbf16>
    return %a : vector<16xbf16>
  }
}

// -----

module attributes {cpu.target = {cpu = "x86-64-v3", features = ["avx2", "fma"], fma = true, lanes = 8 : i64, registers = 16 : i64}} {
  // CHECK-LABEL: func @rounding_in_integers
  // CHECK-SAME: (%[[X:.*]]: vector<8xf32>)
  // CHECK-NOT: arith.truncf
  // CHECK: %[[BITS:.*]] = arith.bitcast %[[X]] : vector<8xf32> to vector<8xi32>
  // CHECK: arith.select
  // CHECK: %[[NARROW:.*]] = arith.trunci {{.*}} : vector<8xi32> to vector<8xi16>
  // CHECK: arith.bitcast %[[NARROW]] : vector<8xi16> to vector<8xbf16>
  func.func @rounding_in_integers(%x: vector<8xf32>) -> vector<8xbf16> {
    %a = arith.truncf %x : vector<8xf32> to vector<8xbf16>
    return %a : vector<8xbf16>
  }
}
