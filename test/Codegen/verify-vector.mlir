// RUN: un0-opt %s --split-input-file --cpu-verify-vector --verify-diagnostics

module attributes {cpu.target = {cpu = "znver4", features = ["avx512f"], fma = true, lanes = 16 : i64, registers = 32 : i64}} {
  func.func @scalarized(%x: vector<16xf32>) -> vector<16xf32> {
    // expected-error @+1 {{2 x math.sin would be a library call per lane on target cpu 'znver4'}}
    %a = math.sin %x : vector<16xf32>
    %b = math.sin %a : vector<16xf32>
    return %b : vector<16xf32>
  }
}

// -----

module attributes {cpu.target = {cpu = "x86-64", features = [], fma = false, lanes = 4 : i64, registers = 16 : i64}} {
  func.func @no_fma(%x: vector<4xf32>) -> vector<4xf32> {
    // expected-error @+1 {{1 x vector.fma would be a library call per lane on target cpu 'x86-64'}}
    %a = vector.fma %x, %x, %x : vector<4xf32>
    return %a : vector<4xf32>
  }
}

// -----

module attributes {cpu.target = {cpu = "znver4", features = ["avx512f"], fma = true, lanes = 16 : i64, registers = 32 : i64}} {
  func.func @leftover(%x: vector<16xf32>) -> vector<16xf32> {
    // expected-error @+1 {{1 x cpu.sincos was not expanded on target cpu 'znver4'}}
    %s, %c = cpu.sincos %x : vector<16xf32>
    // expected-error @+1 {{1 x memref.alloc allocates; working memory is planned on target cpu 'znver4'}}
    %m = memref.alloc() : memref<16xf32>
    return %s : vector<16xf32>
  }
}
