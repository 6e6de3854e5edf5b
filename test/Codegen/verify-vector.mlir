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

// -----

module attributes {cpu.target = {cpu = "x86-64-v3", features = ["avx2", "fma"], fma = true, lanes = 8 : i64, registers = 16 : i64}} {
  func.func @spilled(%a: vector<8xf32>, %n: index) -> vector<8xf32> {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    // expected-error @+1 {{1 x scf.for carries more vectors than fit the registers; they would be spilled on target cpu 'x86-64-v3'}}
    %r:15 = scf.for %i = %c0 to %n step %c1 iter_args(%x0 = %a, %x1 = %a, %x2 = %a, %x3 = %a, %x4 = %a, %x5 = %a, %x6 = %a, %x7 = %a, %x8 = %a, %x9 = %a, %x10 = %a, %x11 = %a, %x12 = %a, %x13 = %a, %x14 = %a)
        -> (vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>) {
      scf.yield %x1, %x0, %x2, %x3, %x4, %x5, %x6, %x7, %x8, %x9, %x10, %x11, %x12, %x13, %x14 : vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>
    }
    return %r#0 : vector<8xf32>
  }
}

// -----

module attributes {cpu.target = {cpu = "znver4", features = ["avx512vnni"], fma = true, lanes = 16 : i64, registers = 32 : i64}} {
  func.func @unsupported_dot(%a: vector<16xi32>) -> vector<16xi32> {
    // expected-error @+1 {{1 x cpu.dot was not expanded on target cpu 'znver4'}}
    %0 = cpu.dot u8s8 %a, %a, %a : vector<16xi32>, vector<16xi32>
    return %0 : vector<16xi32>
  }
}

// -----

// Without an instruction LLVM would call __truncsfbf2, which nothing links.
module attributes {cpu.target = {cpu = "x86-64-v3", features = ["avx2", "fma"], fma = true, lanes = 8 : i64, registers = 16 : i64}} {
  func.func @rounding_to_bf16(%x: vector<8xf32>, %y: vector<8xbf16>) -> (vector<8xbf16>, vector<8xbf16>) {
    // expected-error @+1 {{1 x arith.truncf would be a library call per lane on target cpu 'x86-64-v3'}}
    %a = arith.truncf %x : vector<8xf32> to vector<8xbf16>
    // expected-error @+1 {{1 x arith.addf would be a library call per lane on target cpu 'x86-64-v3'}}
    %b = arith.addf %y, %y : vector<8xbf16>
    return %a, %b : vector<8xbf16>, vector<8xbf16>
  }
}

// -----

// A shift, and bits that move: nothing to report.
module attributes {cpu.target = {cpu = "x86-64-v3", features = ["avx2", "fma"], fma = true, lanes = 8 : i64, registers = 16 : i64}} {
  func.func @bf16_to_f32(%x: vector<8xbf16>) -> (vector<8xf32>, vector<8xi16>) {
    %a = arith.extf %x : vector<8xbf16> to vector<8xf32>
    %b = arith.bitcast %x : vector<8xbf16> to vector<8xi16>
    return %a, %b : vector<8xf32>, vector<8xi16>
  }
}

// -----

module attributes {cpu.target = {cpu = "znver4", features = ["avx512bf16", "avx512f", "avx512vl"], fma = true, lanes = 16 : i64, registers = 32 : i64}} {
  func.func @native_bf16(%x: vector<16xf32>) -> vector<16xbf16> {
    %a = arith.truncf %x : vector<16xf32> to vector<16xbf16>
    return %a : vector<16xbf16>
  }
}

// -----

module attributes {cpu.target = {cpu = "x86-64-v3", features = ["avx2", "fma"], fma = true, lanes = 8 : i64, registers = 16 : i64}} {
  func.func @scalarized_division(%x: vector<8xi32>, %y: vector<8xi32>) -> (vector<8xi32>, vector<8xi32>, f32) {
    %three = arith.constant dense<3> : vector<8xi32>
    %a = arith.divui %x, %three : vector<8xi32>
    // expected-error @+1 {{1 x arith.divsi would be done lane by lane on target cpu 'x86-64-v3'}}
    %b = arith.divsi %x, %y : vector<8xi32>
    %f = arith.constant 1.0 : f32
    // expected-error @+1 {{1 x arith.remf would be a library call per lane on target cpu 'x86-64-v3'}}
    %c = arith.remf %f, %f : f32
    return %a, %b, %c : vector<8xi32>, vector<8xi32>, f32
  }
}
