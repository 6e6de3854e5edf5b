// RUN: un0-opt %s | FileCheck %s --strict-whitespace

// One blank before what an enumeration says.
un0.param @K : tensor<20x20xf32> from "m" key "K"
// CHECK: cpu.packed_param @P of @K rows16 at 0 size 2560
cpu.packed_param @P of @K rows16 at 0 size 2560

// CHECK-LABEL: @kernels
func.func @kernels(%p: memref<16xf32>, %s: memref<3x16xf32>, %f: memref<32xf32>, %x: memref<2x16xf32>, %b: memref<2x4xi32>, %v: vector<8xi32>, %a: memref<1x6x6x16xf32>, %w: memref<4096xf32>, %t: memref<16x4x16xf32>, %m: memref<16x4x32xf32>, %i: index) {
  // CHECK: oscillators 16 reference mean encoding sin_cos :
  cpu.readout %p using %s to %f oscillators 16 reference mean encoding sin_cos : memref<16xf32>, memref<3x16xf32>, memref<32xf32>
  // CHECK: packed int8 %
  cpu.waves %p to %x packed int8 %b : memref<16xf32>, memref<2x16xf32>, memref<2x4xi32>
  // CHECK: = cpu.dot u8s8 fits %
  %0 = cpu.dot u8s8 fits %v, %v, %v : vector<8xi32>, vector<8xi32>
  // CHECK: as f2 using {{.*}} over rows channels
  cpu.conv2d_planes %a, %w, %p to %a as f2 using %t, %m thread %i of %i over rows channels 16 together 1 x 2 lanes 16 group 2
      : memref<1x6x6x16xf32>, memref<4096xf32>, memref<16xf32>, memref<1x6x6x16xf32>, memref<16x4x16xf32>, memref<16x4x32xf32>
  return
}
