// RUN: un0-opt %s --un0-to-cpu --split-input-file | FileCheck %s

// Two populations that begin with the same phases: each steps in memory of its own.
#target = {cpu = "znver3", features = ["avx2"], fma = true, lanes = 8 : i64, registers = 16 : i64}
module attributes {cpu.target = #target, un0.phase = "fused"} {
  un0.param @K : tensor<16x16xf32> from "m" key "K" {zero_diagonal}
  un0.param @C : tensor<8x8xf32> from "m" key "C" {zero_diagonal}
  un0.param @D : tensor<16x8xf32> from "m" key "D"
  un0.param @w : tensor<1x16xf32> from "m" key "w"
  un0.param @wc : tensor<1x8xf32> from "m" key "wc"
  un0.param @o : tensor<3x2x3x3xf32> from "m" key "o"
  un0.param @ob : tensor<3xf32> from "m" key "ob"
  // CHECK-LABEL: func.func @un0_evolve_1(
  // CHECK-COUNT-3: cpu.load_phases
  // CHECK-NOT: cpu.load_phases
  // CHECK-LABEL: func.func @un0_evolve_8(
  // CHECK-COUNT-3: cpu.load_phases
  func.func @generate(%theta0: tensor<?x16xf32>, %phi0: tensor<?x8xf32>, %label: tensor<?xi64>) -> tensor<?x3x4x4xf32> {
    %K = un0.get_param @K : tensor<16x16xf32>
    %C = un0.get_param @C : tensor<8x8xf32>
    %D = un0.get_param @D : tensor<16x8xf32>
    %w = un0.get_param @w : tensor<1x16xf32>
    %wc = un0.get_param @wc : tensor<1x8xf32>
    %o = un0.get_param @o : tensor<3x2x3x3xf32>
    %ob = un0.get_param @ob : tensor<3xf32>
    %theta:3 = un0.evolve(%t = %theta0, %p = %phi0, %q = %phi0) solver(euler) steps(3) time(3.000000e-01) : tensor<?x16xf32>, tensor<?x8xf32>, tensor<?x8xf32> {
      %s, %c = un0.sin_cos %t : tensor<?x16xf32>
      %ps, %pc = un0.sin_cos %p : tensor<?x8xf32>
      %qs, %qc = un0.sin_cos %q : tensor<?x8xf32>
      %dt = un0.fused_rate of(%s, %c) frequency %w couple %K(%s, %c), %D(%qs, %qc)
          : tensor<?x16xf32>, tensor<1x16xf32>, [tensor<16x16xf32>, tensor<?x16xf32>], [tensor<16x8xf32>, tensor<?x8xf32>]
      %dp = un0.fused_rate of(%ps, %pc) frequency %wc couple %C(%ps, %pc) : tensor<?x8xf32>, tensor<1x8xf32>, [tensor<8x8xf32>, tensor<?x8xf32>]
      %dq = un0.fused_rate of(%qs, %qc) frequency %wc couple %C(%ps, %pc) : tensor<?x8xf32>, tensor<1x8xf32>, [tensor<8x8xf32>, tensor<?x8xf32>]
      un0.yield %dt, %dp, %dq : tensor<?x16xf32>, tensor<?x8xf32>, tensor<?x8xf32>
    }
    %f = un0.readout %theta#0 reference(mean) encoding(sin_cos) : tensor<?x16xf32> -> tensor<?x32xf32>
    %c0 = arith.constant 0 : index
    %b = tensor.dim %f, %c0 : tensor<?x32xf32>
    %x = tensor.expand_shape %f [[0], [1, 2, 3]] output_shape [%b, 2, 4, 4] : tensor<?x32xf32> into tensor<?x2x4x4xf32>
    %z = un0.conv2d %x, %o, %ob activation(tanh) : tensor<?x2x4x4xf32>, tensor<3x2x3x3xf32>, tensor<3xf32> -> tensor<?x3x4x4xf32>
    return %z : tensor<?x3x4x4xf32>
  }
}

// -----

// Convolutions that share weights do not share what else is packed with them: the zero point of an input, a form.
#target = {cpu = "znver3", features = ["avx2"], fma = true, lanes = 8 : i64, registers = 16 : i64}
module attributes {cpu.target = #target, un0.phase = "quantized"} {
  un0.param @a : tensor<16x16x3x3xf32> from "m" key "a"
  un0.param @ab : tensor<16xf32> from "m" key "ab"
  un0.param @o : tensor<3x16x3x3xf32> from "m" key "o"
  un0.param @ob : tensor<3xf32> from "m" key "ob"
  // CHECK: cpu.packed_param @a_[[A:[a-z0-9_]+]] of @a {{.*}}lanes = 8 : i64}
  // CHECK-NEXT: cpu.packed_param @ab_vector of @ab
  // CHECK-NEXT: cpu.packed_param @a_{{.*}} of @a {{.*}}zero_point = 40
  // CHECK-NEXT: cpu.packed_param @a_{{.*}} of @a {{.*}}zero_point = 120
  // CHECK-NEXT: cpu.packed_param @o_
  func.func @generate(%theta0: tensor<?x128xf32>, %phi0: tensor<?x8xf32>, %label: tensor<?xi64>) -> tensor<?x3x4x4xf32> {
    %a = un0.get_param @a : tensor<16x16x3x3xf32>
    %ab = un0.get_param @ab : tensor<16xf32>
    %o = un0.get_param @o : tensor<3x16x3x3xf32>
    %ob = un0.get_param @ob : tensor<3xf32>
    %f = un0.readout %theta0 reference(mean) encoding(sin_cos) : tensor<?x128xf32> -> tensor<?x256xf32>
    %c0 = arith.constant 0 : index
    %b = tensor.dim %f, %c0 : tensor<?x256xf32>
    %x = tensor.expand_shape %f [[0], [1, 2, 3]] output_shape [%b, 16, 4, 4] : tensor<?x256xf32> into tensor<?x16x4x4xf32>
    %u = un0.conv2d %x, %a, %ab activation(leaky_relu) {slope = 2.000000e-01 : f64} : tensor<?x16x4x4xf32>, tensor<16x16x3x3xf32>, tensor<16xf32> -> tensor<?x16x4x4xf32>
    %v = un0.conv2d %u, %a, %ab activation(leaky_relu) {input_scale = 5.000000e-02 : f64, input_zero_point = 40 : i64, precision = #un0<precision int8>, slope = 2.000000e-01 : f64} : tensor<?x16x4x4xf32>, tensor<16x16x3x3xf32>, tensor<16xf32> -> tensor<?x16x4x4xf32>
    %y = un0.conv2d %v, %a, %ab activation(leaky_relu) {input_scale = 5.000000e-02 : f64, input_zero_point = 120 : i64, precision = #un0<precision int8>, slope = 2.000000e-01 : f64} : tensor<?x16x4x4xf32>, tensor<16x16x3x3xf32>, tensor<16xf32> -> tensor<?x16x4x4xf32>
    %z = un0.conv2d %y, %o, %ob activation(tanh) : tensor<?x16x4x4xf32>, tensor<3x16x3x3xf32>, tensor<3xf32> -> tensor<?x3x4x4xf32>
    return %z : tensor<?x3x4x4xf32>
  }
}
