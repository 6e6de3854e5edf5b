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

// To nearest even, in whole numbers.
module attributes {cpu.target = {cpu = "x86-64-v3", features = ["avx2", "fma"], fma = true, lanes = 8 : i64, registers = 16 : i64}} {
  // CHECK-LABEL: func @to_bf16
  // CHECK-NOT: arith.truncf
  // CHECK: arith.trunci {{.*}} : vector<8xi32> to vector<8xi16>
  func.func @to_bf16(%x: vector<8xf32>) -> vector<8xbf16> {
    %b = arith.truncf %x : vector<8xf32> to vector<8xbf16>
    return %b : vector<8xbf16>
  }
}
