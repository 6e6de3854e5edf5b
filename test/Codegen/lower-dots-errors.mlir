// RUN: un0-opt %s --split-input-file --verify-diagnostics --pass-pipeline='builtin.module(func.func(cpu-lower-dots))'

// expected-error @+1 {{module has no cpu.target attribute}}
func.func @no_target(%a: vector<8xi32>) -> vector<8xi32> {
  %0 = cpu.dot s16 %a, %a, %a : vector<8xi32>, vector<8xi32>
  return %0 : vector<8xi32>
}

// -----

module attributes {cpu.target = {cpu = "znver4", features = ["avx512vnni"], fma = true, lanes = 16 : i64, registers = 32 : i64}} {
  func.func @lanes(%a: vector<4xi32>) -> vector<4xi32> {
    // expected-error @+1 {{has 4 lanes on a target of 16}}
    %0 = cpu.dot s16 %a, %a, %a : vector<4xi32>, vector<4xi32>
    return %0 : vector<4xi32>
  }
}

// -----

module attributes {cpu.target = {cpu = "x86-64-v3", features = ["avx2"], fma = true, lanes = 8 : i64, registers = 16 : i64}} {
  // expected-remark @+1 {{cpu.dot u8s8 has no instruction of its own on cpu 'x86-64-v3' and takes several}}
  func.func @widened(%a: vector<8xi32>) -> vector<8xi32> {
    %0 = cpu.dot u8s8 %a, %a, %a : vector<8xi32>, vector<8xi32>
    return %0 : vector<8xi32>
  }
}
