// RUN: un0-opt %s | un0-opt | FileCheck %s
// RUN: un0-opt %s --mlir-print-op-generic | un0-opt | FileCheck %s

un0.param @K : tensor<20x20xf32> from "m.safetensors" key "dynamics.K" {zero_diagonal}
// CHECK: cpu.packed_param @K_rows16 of @K rows16 at 0 size 2560
cpu.packed_param @K_rows16 of @K rows16 at 0 size 2560

// CHECK-LABEL: func @one_sample
func.func @one_sample(%rows: memref<1x20xf32>, %theta: memref<32xf32>, %x: memref<2x32xf32>, %w: memref<32xf32>,
                      %k: memref<2x20x16xf32>, %t: f32) {
  // CHECK: cpu.load_phases %{{.*}} to %{{.*}} : memref<1x20xf32>, memref<32xf32>
  cpu.load_phases %rows to %theta : memref<1x20xf32>, memref<32xf32>
  // CHECK: cpu.waves %{{.*}} to %{{.*}} : memref<32xf32>, memref<2x32xf32>
  cpu.waves %theta to %x : memref<32xf32>, memref<2x32xf32>
  // CHECK: cpu.rate frequency %{{.*}} target %{{.*}} couple(%{{.*}}) with(%{{.*}}) base %[[T:.*]] to %[[T]] step
  cpu.rate frequency %w target %x couple(%k) with(%x) base %theta to %theta step 1.000000e-01
      : memref<32xf32>, memref<2x32xf32>, memref<32xf32>, memref<32xf32>, (memref<2x20x16xf32>), (memref<2x32xf32>)
  // CHECK: cpu.drift
  cpu.drift %theta plus %w times %t to %theta : memref<32xf32>, memref<32xf32>, memref<32xf32>
  // CHECK: cpu.combine %{{.*}} plus [5.000000e-01, 1.000000e+00] times(%{{.*}}, %{{.*}}) to
  cpu.combine %theta plus [0.5, 1.0] times(%w, %w) to %theta : memref<32xf32>
  // CHECK: cpu.store_phases
  cpu.store_phases %theta to %rows : memref<32xf32>, memref<1x20xf32>
  return
}

// CHECK-LABEL: func @tile
func.func @tile(%labels: memref<16xi64>, %table: memref<11x8x32xf32>, %d: memref<32x8x16xf32>,
                %theta: memref<32x16xf32>, %x: memref<32x2x16xf32>, %words: memref<11x8x3x16xi32>) {
  // CHECK: cpu.gather_class %{{.*}}[%{{.*}}] to
  cpu.gather_class %table[%labels] to %d : memref<11x8x32xf32>, memref<16xi64>, memref<32x8x16xf32>
  // CHECK: cpu.gather_class {{.*}} memref<11x8x3x16xi32>
  cpu.gather_class %words[%labels] to %d : memref<11x8x3x16xi32>, memref<16xi64>, memref<32x8x16xf32>
  // CHECK: cpu.waves
  cpu.waves %theta to %x : memref<32x16xf32>, memref<32x2x16xf32>
  return
}

// CHECK-LABEL: func @decoder
func.func @decoder(%phases: memref<32xf32>, %scratch: memref<3x32xf32>, %f: memref<40xf32>, %a: memref<1x6x6x16xf32>,
                   %b: memref<2x10x10x16xf32>, %w: memref<2048xf32>, %bias: memref<32xf32>, %wp: memref<864xf32>,
                   %planes: memref<3x8x8xf32>, %v: vector<16xf32>) {
  // CHECK: cpu.readout {{.*}} oscillators 20 reference mean encoding sin_cos
  cpu.readout %phases using %scratch to %f oscillators 20 reference mean encoding sin_cos
      : memref<32xf32>, memref<3x32xf32>, memref<40xf32>
  // CHECK: cpu.zero %
  cpu.zero %a : memref<1x6x6x16xf32>
  // CHECK: cpu.zero ring %
  cpu.zero ring %b : memref<2x10x10x16xf32>
  // CHECK: cpu.scatter_features {{.*}} channels 2
  cpu.scatter_features %phases to %a channels 2 : memref<32xf32>, memref<1x6x6x16xf32>
  // CHECK: cpu.conv2d {{.*}} channels 2 lanes 16 group 2 upsample leaky 2.000000e-01
  cpu.conv2d %a, %w, %bias to %b channels 2 lanes 16 group 2 upsample leaky 2.000000e-01
      : memref<1x6x6x16xf32>, memref<2048xf32>, memref<32xf32>, memref<2x10x10x16xf32>
  // CHECK: cpu.conv2d_planar {{.*}} tanh
  cpu.conv2d_planar %b, %wp, %bias to %planes tanh
      : memref<2x10x10x16xf32>, memref<864xf32>, memref<32xf32>, memref<3x8x8xf32>
  // CHECK: cpu.sincos %{{.*}} : vector<16xf32>
  %s, %c = cpu.sincos %v : vector<16xf32>
  return
}

// Threads that share a convolution.
// CHECK-LABEL: func @shares
func.func @shares(%a: memref<1x6x6x16xf32>, %b: memref<2x6x6x16xf32>, %w: memref<4608xf32>, %wu: memref<8192xf32>, %bias: memref<32xf32>,
                  %bytes: memref<1x6x6x16xi32>, %words: memref<9472xi32>, %large: memref<2x10x10x16xf32>,
                  %vw: memref<25x4x16xi32>, %pw: memref<36x4x32xi32>, %wup: memref<12800xf32>, %pu: memref<25x4x32xf32>,
                  %v: memref<16x4x16xf32>, %p: memref<16x4x32xf32>, %wp: memref<864xf32>, %planes: memref<3x4x4xf32>,
                  %t: index, %n: index) {
  // CHECK: cpu.conv2d {{.*}} to %{{.*}} thread %[[T:.*]] of %[[N:.*]] over groups channels 16
  cpu.conv2d %a, %w, %bias to %b thread %t of %n over groups channels 16 lanes 16 group 2
      : memref<1x6x6x16xf32>, memref<4608xf32>, memref<32xf32>, memref<2x6x6x16xf32>
  // CHECK: cpu.conv2d_planes {{.*}} thread %[[T]] of %[[N]] over rows channels 16 together 1 x 2
  cpu.conv2d_planes %a, %wu, %bias to %b as f2 using %v, %p thread %t of %n over rows channels 16 together 1 x 2 lanes 16 group 2
      : memref<1x6x6x16xf32>, memref<8192xf32>, memref<32xf32>, memref<2x6x6x16xf32>, memref<16x4x16xf32>, memref<16x4x32xf32>
  // CHECK: cpu.conv2d_planes {{.*}} as f_up2 {{.*}} {input_scale = 5.000000e-01 : f32}
  cpu.conv2d_planes %bytes, %words, %bias to %large as f_up2 using %vw, %pw thread %t of %n over rows channels 16 together 1 x 2 lanes 16 group 2 {input_scale = 0.5 : f32}
      : memref<1x6x6x16xi32>, memref<9472xi32>, memref<32xf32>, memref<2x10x10x16xf32>, memref<25x4x16xi32>, memref<36x4x32xi32>
  // CHECK: cpu.conv2d_planes {{.*}} as f4_up using
  cpu.conv2d_planes %a, %wup, %bias to %large as f4_up using %v, %pu channels 16 together 1 x 2 lanes 16 group 2
      : memref<1x6x6x16xf32>, memref<12800xf32>, memref<32xf32>, memref<2x10x10x16xf32>, memref<16x4x16xf32>, memref<25x4x32xf32>
  // CHECK: cpu.conv2d_planar {{.*}} to %{{.*}} thread %[[T]] of %[[N]] tanh
  cpu.conv2d_planar %b, %wp, %bias to %planes thread %t of %n tanh
      : memref<2x6x6x16xf32>, memref<864xf32>, memref<32xf32>, memref<3x4x4xf32>
  return
}

// CHECK-LABEL: func @groups
func.func @groups(%k: memref<2x9x16xi32>, %x: memref<2x32xf32>, %p: memref<2x8xi32>, %t: memref<32xf32>, %v: vector<16xi32>, %i: index) {
  // CHECK: cpu.rate {{.*}} {groups = array<i64: 4>, precisions = [#un0<precision int4>]}
  cpu.rate frequency %t target %x couple(%k) with(%p) base %t to %t {groups = array<i64: 4>, precisions = [#un0<precision int4>]}
      : memref<32xf32>, memref<2x32xf32>, memref<32xf32>, memref<32xf32>, (memref<2x9x16xi32>), (memref<2x8xi32>)
  // CHECK: cpu.rate {{.*}} turn %{{.*}} : memref<32xf32>
  cpu.rate frequency %t target %x base %t to %t turn %i : memref<32xf32>, memref<2x32xf32>, memref<32xf32>, memref<32xf32>
  // CHECK: cpu.lookup %[[A:.*]][%[[A]]] : vector<16xi32>
  %0 = cpu.lookup %v[%v] : vector<16xi32>
  // CHECK: cpu.lookup %[[A]], %[[A]][%[[A]]] : vector<16xi32>
  %1 = cpu.lookup %v, %v[%v] : vector<16xi32>
  // CHECK: cpu.dot u8s8 fits %[[A]], %[[A]], %[[A]] and %[[A]], %[[A]] : vector<16xi32>, vector<16xi32> : vector<16xi32>, vector<16xi32>
  %2 = cpu.dot u8s8 fits %v, %v, %v and %v, %v : vector<16xi32>, vector<16xi32> : vector<16xi32>, vector<16xi32>
  return
}

// What is as usual is left out.
// CHECK-LABEL: func @schedules
func.func @schedules(%x: tensor<1x16x8x8xf32>, %w: tensor<16x16x3x3xf32>, %b: tensor<16xf32>) -> tensor<1x16x8x8xf32> {
  // CHECK: cpu.schedule = #cpu.conv_schedule<form = f2, batched = true, images = 5, rows = 4, tuned = true>
  %y = un0.conv2d %x, %w, %b activation(none) {cpu.schedule = #cpu.conv_schedule<form = f2, batched = true, images = 5, rows = 4, tuned = true>} : tensor<1x16x8x8xf32>, tensor<16x16x3x3xf32>, tensor<16xf32> -> tensor<1x16x8x8xf32>
  // CHECK: cpu.schedule = #cpu.conv_schedule<form = direct>
  %z = un0.conv2d %y, %w, %b activation(none) {cpu.schedule = #cpu.conv_schedule<form = direct, rows = 1>} : tensor<1x16x8x8xf32>, tensor<16x16x3x3xf32>, tensor<16xf32> -> tensor<1x16x8x8xf32>
  return %z : tensor<1x16x8x8xf32>
}

// CHECK-LABEL: func @mixed
func.func @mixed(%f: memref<1x6x6x16xf32>, %i: memref<1x6x6x16xi32>, %w: memref<2304xf32>, %wi: memref<2336xi32>, %b: memref<16xf32>) {
  // CHECK: cpu.conv2d {{.*}} {scale = 5.000000e-01 : f32, zero_point = 7 : i64} : memref<1x6x6x16xf32>, memref<2304xf32>, memref<16xf32>, memref<1x6x6x16xi32>
  cpu.conv2d %f, %w, %b to %i channels 16 lanes 16 group 2 {scale = 0.5 : f32, zero_point = 7 : i64}
      : memref<1x6x6x16xf32>, memref<2304xf32>, memref<16xf32>, memref<1x6x6x16xi32>
  // CHECK: cpu.conv2d_bytes {{.*}} {input_scale = 5.000000e-01 : f32} : memref<1x6x6x16xi32>, memref<2336xi32>, memref<16xf32>, memref<1x6x6x16xf32>
  cpu.conv2d_bytes %i, %wi, %b to %f channels 64 lanes 16 group 2 {input_scale = 0.5 : f32}
      : memref<1x6x6x16xi32>, memref<2336xi32>, memref<16xf32>, memref<1x6x6x16xf32>
  return
}

// CHECK-LABEL: @tiles
func.func @tiles(%k: memref<4x35x16xi32>, %s: memref<2048xi32>, %i: index) {
  // CHECK: cpu.tile_begin words 16 in %{{.*}}[%{{.*}}] : memref<2048xi32>
  cpu.tile_begin words 16 in %s[%i] : memref<2048xi32>
  // CHECK: cpu.tile_zero 0
  cpu.tile_zero 0
  // CHECK: cpu.tile_load 6 from %{{.*}}[%{{.*}}, %{{.*}}, %{{.*}}] stride 16 : memref<4x35x16xi32>
  cpu.tile_load 6 from %k[%i, %i, %i] stride 16 : memref<4x35x16xi32>
  // CHECK: cpu.tile_dot 0, 4, 6
  cpu.tile_dot 0, 4, 6
  // CHECK: cpu.tile_store 0 to %{{.*}}[%{{.*}}] : memref<2048xi32>
  cpu.tile_store 0 to %s[%i] : memref<2048xi32>
  // CHECK: cpu.tile_end
  cpu.tile_end
  return
}
