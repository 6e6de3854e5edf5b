// RUN: un0-opt %s --un0-to-cpu | FileCheck %s

// int4 with groups: 16 lines of words, 4 of scales, starts and two tables, and one of sets.
// CHECK: cpu.packed_param @K_rows16 of @K rows16 at {{.*}} size 10752 {columns = 4 : i64, precision = #un0<precision int4>}

// A table of 10 bits has a place of its own layout, in words, and is expanded where it is gathered.
module attributes {cpu.target = {cpu = "znver4", features = ["avx512f"], fma = true, lanes = 16 : i64, registers = 32 : i64}, un0.phase = "fused"} {
  un0.param @K : tensor<128x128xf32> from "m.safetensors" key "dynamics.K" {zero_diagonal}
  un0.param @w : tensor<1x128xf32> from "m.safetensors" key "dynamics.omega"
  un0.param @wc : tensor<1x8xf32> from "m.safetensors" key "dynamics.omega_cond"
  un0.param @D : tensor<3x128x8xf32> from "m.safetensors" key "dynamics.K_drive"
  un0.param @o : tensor<3x16x3x3xf32> from "m.safetensors" key "o.weight"
  un0.param @ob : tensor<3xf32> from "m.safetensors" key "o.bias"

  // A line of scales, two of upper bits, one of lower ones: 4 x 8 x 4 x 16 words.
  // CHECK: cpu.packed_param @D_class_words of @D class_words at {{.*}} size 8192
  // CHECK-LABEL: func.func @un0_evolve_1
  // CHECK: cpu.gather_class {{.*}} memref<4x8x4x16xi32>, memref<1xi64>, memref<8x128xf32>
  // CHECK: cpu.rate {{.*}}groups = array<i64: 4, 0>, {{.*}}memref<8x21x16xi32>
  // CHECK-LABEL: func.func @un0_evolve_16
  // CHECK: cpu.gather_class {{.*}} memref<4x8x4x16xi32>, memref<16xi64>, memref<128x8x16xf32>
  func.func @generate(%theta0: tensor<?x128xf32>, %phi0: tensor<?x8xf32>, %label: tensor<?xi64>) -> tensor<?x3x4x4xf32> {
    %K = un0.get_param @K : tensor<128x128xf32>
    %w = un0.get_param @w : tensor<1x128xf32>
    %wc = un0.get_param @wc : tensor<1x8xf32>
    %D = un0.get_param @D : tensor<3x128x8xf32>
    %o = un0.get_param @o : tensor<3x16x3x3xf32>
    %ob = un0.get_param @ob : tensor<3xf32>
    %drive = un0.select_class %D[%label] {bits = 10 : i64} : tensor<3x128x8xf32>, tensor<?xi64> -> tensor<?x128x8xf32>
    %theta = un0.evolve(%t = %theta0) solver(euler) steps(3) time(3.000000e-01) : tensor<?x128xf32> {
      %p = un0.drift %phi0, %wc : tensor<?x8xf32>, tensor<1x8xf32>
      %s, %c = un0.sin_cos %t : tensor<?x128xf32>
      %ps, %pc = un0.sin_cos %p : tensor<?x8xf32>
      %dt = un0.fused_rate of(%s, %c) frequency %w couple %K(%s, %c), %drive(%ps, %pc) {groups = array<i64: 4, 0>, precisions = [#un0<precision int4>, #un0<precision f32>]}
          : tensor<?x128xf32>, tensor<1x128xf32>, [tensor<128x128xf32>, tensor<?x128xf32>], [tensor<?x128x8xf32>, tensor<?x8xf32>]
      un0.yield %dt : tensor<?x128xf32>
    }
    %f = un0.readout %theta reference(mean) encoding(sin_cos) : tensor<?x128xf32> -> tensor<?x256xf32>
    %c0 = arith.constant 0 : index
    %b = tensor.dim %f, %c0 : tensor<?x256xf32>
    %x = tensor.expand_shape %f [[0], [1, 2, 3]] output_shape [%b, 16, 4, 4] : tensor<?x256xf32> into tensor<?x16x4x4xf32>
    %z = un0.conv2d %x, %o, %ob activation(tanh) : tensor<?x16x4x4xf32>, tensor<3x16x3x3xf32>, tensor<3xf32> -> tensor<?x3x4x4xf32>
    return %z : tensor<?x3x4x4xf32>
  }
}
