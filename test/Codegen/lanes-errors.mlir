// RUN: un0-opt %s --split-input-file --verify-diagnostics --pass-pipeline='builtin.module(func.func(cpu-kernels-to-vector,cpu-lower-dots))'

// Groups of two registers of 16 outputs are not those of two registers of 8.
module attributes {cpu.target = {cpu = "x86-64-v3", features = ["avx2", "fma"], fma = true, lanes = 8 : i64, registers = 16 : i64}} {
  func.func @direct(%x: memref<1x4x4x16xf32>, %w: memref<9216xf32>, %b: memref<64xf32>, %y: memref<4x4x4x16xf32>) {
    // expected-error @+1 {{has weights for 16 lanes on a target of 8}}
    cpu.conv2d %x, %w, %b to %y channels 16 lanes 16 group 2
        : memref<1x4x4x16xf32>, memref<9216xf32>, memref<64xf32>, memref<4x4x4x16xf32>
    return
  }

  func.func @bytes(%x: memref<1x6x6x16xi32>, %w: memref<2336xi32>, %b: memref<16xf32>, %y: memref<1x6x6x16xf32>) {
    // expected-error @+1 {{has weights for 16 lanes on a target of 8}}
    cpu.conv2d_bytes %x, %w, %b to %y channels 64 lanes 16 group 2 {input_scale = 0.5 : f32}
        : memref<1x6x6x16xi32>, memref<2336xi32>, memref<16xf32>, memref<1x6x6x16xf32>
    return
  }
}

// -----

module attributes {cpu.target = {cpu = "znver4", features = ["avx512f", "avx512vl"], fma = true, lanes = 16 : i64, registers = 32 : i64}} {
  func.func @planes(%x: memref<1x6x6x16xf32>, %y: memref<1x6x6x16xf32>, %w: memref<4096xf32>, %b: memref<16xf32>, %v: memref<16x4x16xf32>, %p: memref<16x4x16xf32>) {
    // expected-error @+1 {{has weights for 8 lanes on a target of 16}}
    cpu.conv2d_planes %x, %w, %b to %y as f2 using %v, %p channels 16 together 1 x 2 lanes 8 group 2
        : memref<1x6x6x16xf32>, memref<4096xf32>, memref<16xf32>, memref<1x6x6x16xf32>, memref<16x4x16xf32>, memref<16x4x16xf32>
    return
  }
}

// -----

// A register of samples would be stored across the ends of rows.
module attributes {cpu.target = {cpu = "x86-64-v3", features = ["avx2", "fma"], fma = true, lanes = 8 : i64, registers = 16 : i64}} {
  func.func @waves(%t: memref<16x3xf32>, %x: memref<16x2x3xf32>) {
    // expected-error @+1 {{has 3 samples on a target of 8 lanes}}
    cpu.waves %t to %x : memref<16x3xf32>, memref<16x2x3xf32>
    return
  }

  func.func @load(%rows: memref<12x16xf32>, %t: memref<16x12xf32>) {
    // expected-error @+1 {{has 12 samples on a target of 8 lanes}}
    cpu.load_phases %rows to %t : memref<12x16xf32>, memref<16x12xf32>
    return
  }

  func.func @store(%rows: memref<12x16xf32>, %t: memref<16x12xf32>) {
    // expected-error @+1 {{has 12 samples on a target of 8 lanes}}
    cpu.store_phases %t to %rows : memref<16x12xf32>, memref<12x16xf32>
    return
  }

  func.func @gather(%t: memref<3x2x16xf32>, %l: memref<4xi64>, %d: memref<16x2x4xf32>) {
    // expected-error @+1 {{has 4 samples on a target of 8 lanes}}
    cpu.gather_class %t[%l] to %d : memref<3x2x16xf32>, memref<4xi64>, memref<16x2x4xf32>
    return
  }

  func.func @rate(%w: memref<16xf32>, %x: memref<16x2x3xf32>, %t: memref<16x3xf32>) {
    // expected-error @+1 {{has 3 samples on a target of 8 lanes}}
    cpu.rate frequency %w target %x base %t to %t : memref<16xf32>, memref<16x2x3xf32>, memref<16x3xf32>, memref<16x3xf32>
    return
  }

  func.func @drift(%w: memref<16xf32>, %t: memref<16x3xf32>, %time: f32) {
    // expected-error @+1 {{has 3 samples on a target of 8 lanes}}
    cpu.drift %t plus %w times %time to %t : memref<16x3xf32>, memref<16xf32>, memref<16x3xf32>
    return
  }

  func.func @combine(%t: memref<16x3xf32>) {
    // expected-error @+1 {{has 3 samples on a target of 8 lanes}}
    cpu.combine %t plus [0.5] times(%t) to %t : memref<16x3xf32>
    return
  }

  // One sample, and two registers of samples.
  func.func @fits(%t: memref<16xf32>, %x: memref<2x16xf32>, %tile: memref<16x16xf32>, %waves: memref<16x2x16xf32>, %table: memref<3x2x16xf32>, %l: memref<1xi64>, %d: memref<2x16xf32>) {
    cpu.waves %t to %x : memref<16xf32>, memref<2x16xf32>
    cpu.waves %tile to %waves : memref<16x16xf32>, memref<16x2x16xf32>
    cpu.gather_class %table[%l] to %d : memref<3x2x16xf32>, memref<1xi64>, memref<2x16xf32>
    return
  }
}

// -----

module attributes {cpu.target = {cpu = "sapphirerapids", features = ["avx512bw", "avx512f", "avx512vl"], fma = true, lanes = 16 : i64, registers = 32 : i64}} {
  func.func @lookup(%t: vector<4xi32>, %i: vector<4xi32>) -> vector<4xi32> {
    // expected-error @+1 {{has 4 lanes on a target of 16}}
    %0 = cpu.lookup %t[%i] : vector<4xi32>
    return %0 : vector<4xi32>
  }
}

// -----

module attributes {cpu.target = {cpu = "x86-64-v3", features = [1 : i64], fma = true, lanes = 8 : i64, registers = 16 : i64}} {
  // expected-error @+1 {{cpu.target has a feature that is no string}}
  func.func @features(%t: memref<16xf32>, %x: memref<2x16xf32>) {
    cpu.waves %t to %x : memref<16xf32>, memref<2x16xf32>
    return
  }
}
