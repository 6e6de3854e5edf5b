// RUN: un0-opt %s --un0-to-cpu | FileCheck %s
// RUN: sed 's/module attributes {/module attributes {cpu.timed, /' %s | un0-opt --un0-to-cpu | FileCheck %s --check-prefix=ALONE
// RUN: sed -e 's/1024/1008/g' -e 's/2048/2016/g' -e 's/<64x128x3/<64x126x3/g' -e 's/x128x4x4/x126x4x4/g' -e 's/, 128, 4/, 126, 4/' %s | un0-opt --un0-to-cpu | FileCheck %s --check-prefix=ALONE
// RUN: un0-opt %s --un0-to-cpu --cpu-plan-arena --cpu-kernels-to-vector --canonicalize --cse | FileCheck %s --check-prefix=VECTOR

// A coupling of 4 MB: threads evolve one sample together, and decode it together. Neither in a module whose decoder the
// compiler times, nor with a smaller coupling.
// ALONE: func.func @un0_decode(
// ALONE-NOT: decode_team
module attributes {cpu.target = {cpu = "znver4", features = ["avx512f", "avx512vnni"], fma = true, lanes = 16 : i64, registers = 32 : i64}, un0.phase = "quantized"} {
  un0.param @K : tensor<1024x1024xf32> from "m.safetensors" key "dynamics.K" {zero_diagonal}
  un0.param @w : tensor<1x1024xf32> from "m.safetensors" key "dynamics.omega"
  un0.param @a : tensor<64x128x3x3xf32> from "m.safetensors" key "a.weight"
  un0.param @ab : tensor<64xf32> from "m.safetensors" key "a.bias"
  un0.param @b : tensor<64x64x3x3xf32> from "m.safetensors" key "b.weight"
  un0.param @bb : tensor<64xf32> from "m.safetensors" key "b.bias"
  un0.param @c : tensor<16x64x3x3xf32> from "m.safetensors" key "c.weight"
  un0.param @cb : tensor<16xf32> from "m.safetensors" key "c.bias"
  un0.param @o : tensor<3x16x3x3xf32> from "m.safetensors" key "o.weight"
  un0.param @ob : tensor<3xf32> from "m.safetensors" key "o.bias"

  // Everybody scatters the features into an image of its own. Where weights are more than inputs, groups of output channels
  // are shared, else rows; of the output of bytes, which is one line a pixel, rows in any case. A barrier behind each
  // convolution but the last; paddings are the first thread's.
  // CHECK-LABEL: func.func @un0_decode_team
  // CHECK-SAME: (%{{.*}}: memref<{{.*}}xi8>, %{{.*}}: memref<0xi8>, %{{.*}}: memref<2048xf32>, %{{.*}}: memref<3x16x16xf32>, %{{.*}}: memref<0xi8>, %[[T:.*]]: i64, %[[N:.*]]: i64, %[[F:.*]]: !llvm.ptr, %[[D:.*]]: !llvm.ptr)
  // CHECK-SAME: cpu.batch = 1 : i64, cpu.entry = "decode_team", cpu.own_arena = 4 : i64
  // CHECK-DAG: %[[THREAD:.*]] = arith.index_cast %[[T]]
  // CHECK-DAG: %[[THREADS:.*]] = arith.index_cast %[[N]]
  // CHECK: %[[FIRST:.*]] = memref.alloc() {cpu.own} : memref<8x6x6x16xf32>
  // CHECK: cpu.scatter_features {{.*}} to %[[FIRST]]
  // CHECK: %[[OUT:.*]] = memref.alloc() : memref<1x10x10x16xi32>
  // CHECK: scf.if
  // CHECK-NEXT: cpu.fill_ring %[[OUT]]
  // CHECK: memref.alloc() {cpu.own} : memref<16x5x128xf32>
  // CHECK: memref.alloc() {cpu.own} : memref<25x5x32xf32>
  // CHECK: cpu.conv2d_planes %[[FIRST]], {{.*}} to %[[OUT]] as f4_up {{.*}} thread %[[THREAD]] of %[[THREADS]] over rows channels 128 together 1 x 2
  // CHECK: cpu.barrier %[[F]](%[[D]])
  // CHECK: scf.if
  // CHECK-NEXT: cpu.zero ring
  // CHECK: cpu.conv2d_bytes {{.*}} thread %[[THREAD]] of %[[THREADS]] over groups channels 64
  // CHECK: cpu.barrier
  // CHECK: cpu.conv2d_planes {{.*}} as f4_up {{.*}} over rows channels 64
  // CHECK: cpu.barrier
  // CHECK-NOT: cpu.barrier
  // CHECK: cpu.conv2d_planar {{.*}} thread %[[THREAD]] of %[[THREADS]] tanh
  // CHECK-NEXT: return

  // Two groups of rows of 8 pixels are 16 rows that are shared, one group after the other; the first are those of two rows of points
  // before.
  // VECTOR-LABEL: func.func @un0_decode_team
  // VECTOR: %[[TIMES:.*]] = arith.muli %[[THREAD:.*]], %c2
  // VECTOR: %[[FROM:.*]] = arith.divui %[[TIMES]], %[[THREADS:.*]] :
  // VECTOR: call
  // VECTOR: %[[TO:.*]] = arith.ceildivui %{{.*}}, %[[THREADS]]
  // VECTOR: scf.for %[[GROUP:.*]] = %[[FROM]] to %[[TO]]
  // VECTOR: arith.muli %[[THREAD]], %c16
  // VECTOR: arith.divui
  // VECTOR: arith.divui
  // VECTOR: %[[BEFORE:.*]] = arith.muli %[[GROUP]], %c8
  // VECTOR: %[[Y:.*]] = arith.subi %{{.*}}, %[[BEFORE]]
  // VECTOR: arith.maxsi %[[Y]], %c0
  // VECTOR: arith.minsi %{{.*}}, %c8
  func.func @generate(%theta0: tensor<?x1024xf32>, %phi0: tensor<?x8xf32>, %label: tensor<?xi64>) -> tensor<?x3x16x16xf32> {
    %K = un0.get_param @K : tensor<1024x1024xf32>
    %w = un0.get_param @w : tensor<1x1024xf32>
    %a = un0.get_param @a : tensor<64x128x3x3xf32>
    %ab = un0.get_param @ab : tensor<64xf32>
    %b = un0.get_param @b : tensor<64x64x3x3xf32>
    %bb = un0.get_param @bb : tensor<64xf32>
    %c = un0.get_param @c : tensor<16x64x3x3xf32>
    %cb = un0.get_param @cb : tensor<16xf32>
    %o = un0.get_param @o : tensor<3x16x3x3xf32>
    %ob = un0.get_param @ob : tensor<3xf32>
    %theta = un0.evolve(%t = %theta0) solver(euler) steps(3) time(3.000000e-01) : tensor<?x1024xf32> {
      %s, %x = un0.sin_cos %t : tensor<?x1024xf32>
      %dt = "un0.fused_rate"(%s, %x, %w, %K, %s, %x) <{operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1>}> : (tensor<?x1024xf32>, tensor<?x1024xf32>, tensor<1x1024xf32>, tensor<1024x1024xf32>, tensor<?x1024xf32>, tensor<?x1024xf32>) -> tensor<?x1024xf32>
      un0.yield %dt : tensor<?x1024xf32>
    }
    %f = un0.readout %theta reference(mean) encoding(sin_cos) : tensor<?x1024xf32> -> tensor<?x2048xf32>
    %c0 = arith.constant 0 : index
    %n = tensor.dim %f, %c0 : tensor<?x2048xf32>
    %x = tensor.expand_shape %f [[0], [1, 2, 3]] output_shape [%n, 128, 4, 4] : tensor<?x2048xf32> into tensor<?x128x4x4xf32>
    %y = un0.conv2d %x, %a, %ab activation(leaky_relu) {slope = 2.000000e-01 : f64, upsample} : tensor<?x128x4x4xf32>, tensor<64x128x3x3xf32>, tensor<64xf32> -> tensor<?x64x8x8xf32>
    %z = un0.conv2d %y, %b, %bb activation(leaky_relu) {cpu.schedule = #cpu.conv_schedule<form = direct>, input_scale = 5.000000e-02 : f64, input_zero_point = 40 : i64, precision = #un0<precision int8>, slope = 2.000000e-01 : f64} : tensor<?x64x8x8xf32>, tensor<64x64x3x3xf32>, tensor<64xf32> -> tensor<?x64x8x8xf32>
    %u = un0.conv2d %z, %c, %cb activation(leaky_relu) {slope = 2.000000e-01 : f64, upsample} : tensor<?x64x8x8xf32>, tensor<16x64x3x3xf32>, tensor<16xf32> -> tensor<?x16x16x16xf32>
    %v = un0.conv2d %u, %o, %ob activation(tanh) : tensor<?x16x16x16xf32>, tensor<3x16x3x3xf32>, tensor<3xf32> -> tensor<?x3x16x16xf32>
    return %v : tensor<?x3x16x16xf32>
  }
}
