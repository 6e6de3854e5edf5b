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
