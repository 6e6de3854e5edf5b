// RUN: un0-opt %s | un0-opt | FileCheck %s
// RUN: un0-opt %s --mlir-print-op-generic | un0-opt | FileCheck %s
// RUN: un0-opt %s --emit-bytecode | un0-opt | FileCheck %s

// CHECK: un0.param @K : tensor<16x16xf32> from "m.safetensors" key "dynamics.K" {scale = 2.500000e-01 : f64, zero_diagonal}
un0.param @K : tensor<16x16xf32> from "m.safetensors" key "dynamics.K" {zero_diagonal, scale = 0.25}
// CHECK: un0.param @D : tensor<10x16x4xf32> from "m.safetensors" key "dynamics.K_drive"{{$}}
un0.param @D : tensor<10x16x4xf32> from "m.safetensors" key "dynamics.K_drive"
// CHECK: un0.param @hidden : tensor<4xf64> from "a \22quoted\22 name" key "" {sym_visibility = "private"}
un0.param @hidden : tensor<4xf64> from "a \"quoted\" name" key "" {sym_visibility = "private"}

// CHECK-LABEL: func @parameters
func.func @parameters(%label: tensor<?xi64>, %two: tensor<2xi64>) {
  // CHECK: %[[D:.*]] = un0.get_param @D : tensor<10x16x4xf32>
  %D = un0.get_param @D : tensor<10x16x4xf32>
  // CHECK: un0.select_class %[[D]][%arg0] : tensor<10x16x4xf32>, tensor<?xi64> -> tensor<?x16x4xf32>
  %a = un0.select_class %D[%label] : tensor<10x16x4xf32>, tensor<?xi64> -> tensor<?x16x4xf32>
  // CHECK: un0.select_class %[[D]][%arg1] {note} : tensor<10x16x4xf32>, tensor<2xi64> -> tensor<2x16x4xf32>
  %b = un0.select_class %D[%two] {note} : tensor<10x16x4xf32>, tensor<2xi64> -> tensor<2x16x4xf32>
  return
}

// CHECK-LABEL: func @evolve
// CHECK-SAME: (%[[THETA0:.*]]: tensor<?x16xf32>, %[[PHI0:.*]]: tensor<?x4xf32>, %[[K:.*]]: tensor<16x16xf32>, %[[DRIVE:.*]]: tensor<?x16x4xf32>, %[[W:.*]]: tensor<1x16xf32>, %[[WC:.*]]: tensor<1x4xf32>)
func.func @evolve(%theta0: tensor<?x16xf32>, %phi0: tensor<?x4xf32>, %K: tensor<16x16xf32>,
                  %drive: tensor<?x16x4xf32>, %w: tensor<1x16xf32>, %wc: tensor<1x4xf32>)
    -> (tensor<?x16xf32>, tensor<?x4xf32>) {
  // CHECK: %[[R:.*]]:2 = un0.evolve(%[[T:.*]] = %[[THETA0]], %[[P:.*]] = %[[PHI0]]) solver(euler) steps(10) time(1.000000e+00) : tensor<?x16xf32>, tensor<?x4xf32> {
  %theta, %phi = un0.evolve(%t = %theta0, %p = %phi0) solver(euler) steps(10) time(1.0)
      : tensor<?x16xf32>, tensor<?x4xf32> {
    // CHECK: %[[A:.*]] = un0.couple %[[K]], %[[T]], %[[T]] {zero_diagonal} : tensor<16x16xf32>, tensor<?x16xf32>, tensor<?x16xf32>
    %a = un0.couple %K, %t, %t {zero_diagonal} : tensor<16x16xf32>, tensor<?x16xf32>, tensor<?x16xf32>
    // CHECK: %[[B:.*]] = un0.couple %[[DRIVE]], %[[P]], %[[T]] : tensor<?x16x4xf32>, tensor<?x4xf32>, tensor<?x16xf32>
    %b = un0.couple %drive, %p, %t : tensor<?x16x4xf32>, tensor<?x4xf32>, tensor<?x16xf32>
    // CHECK: %[[DT:.*]] = un0.rate of %[[T]] frequency %[[W]] terms(%[[A]], %[[B]]) : tensor<?x16xf32>, tensor<1x16xf32>
    %dt = un0.rate of %t frequency %w terms(%a, %b) : tensor<?x16xf32>, tensor<1x16xf32>
    // CHECK: %[[DP:.*]] = un0.rate of %[[P]] frequency %[[WC]] : tensor<?x4xf32>, tensor<1x4xf32>
    %dp = un0.rate of %p frequency %wc : tensor<?x4xf32>, tensor<1x4xf32>
    // CHECK: un0.yield %[[DT]], %[[DP]] : tensor<?x16xf32>, tensor<?x4xf32>
    un0.yield %dt, %dp : tensor<?x16xf32>, tensor<?x4xf32>
  }
  // CHECK: return %[[R]]#0, %[[R]]#1
  return %theta, %phi : tensor<?x16xf32>, tensor<?x4xf32>
}

// CHECK-LABEL: func @solvers
func.func @solvers(%theta0: tensor<2x16xf64>, %w: tensor<1x16xf64>) {
  // CHECK: solver(heun) steps(0) time(0.69999999999999996) attributes {note = "x"} : tensor<2x16xf64>
  %a = un0.evolve(%t = %theta0) solver(heun) steps(0) time(0.7) attributes {note = "x"} : tensor<2x16xf64> {
    un0.yield %t : tensor<2x16xf64>
  }
  // CHECK: solver(rk4) steps(25) time(-1.000000e+00)
  %b = un0.evolve(%t = %theta0) solver(rk4) steps(25) time(-1.0) : tensor<2x16xf64> {
    un0.yield %t : tensor<2x16xf64>
  }
  // CHECK: solver(rk4_classic)
  %c = un0.evolve(%t = %theta0) solver(rk4_classic) steps(1) time(1.0) : tensor<2x16xf64> {
    un0.yield %t : tensor<2x16xf64>
  }
  return
}

// CHECK-LABEL: func @readout
func.func @readout(%theta: tensor<?x16xf32>) {
  // CHECK: un0.readout %arg0 reference(mean) encoding(sin_cos) : tensor<?x16xf32> -> tensor<?x32xf32>
  %a = un0.readout %theta reference(mean) encoding(sin_cos) : tensor<?x16xf32> -> tensor<?x32xf32>
  // CHECK: un0.readout %arg0 reference(oscillator) encoding(sin)
  %b = un0.readout %theta reference(oscillator) encoding(sin) : tensor<?x16xf32> -> tensor<?x16xf32>
  // CHECK: un0.readout %arg0 reference(absolute) encoding(raw)
  %c = un0.readout %theta reference(absolute) encoding(raw) : tensor<?x16xf32> -> tensor<?x16xf32>
  // CHECK: un0.readout %arg0 reference(pairwise) encoding(sin_cos)
  %d = un0.readout %theta reference(pairwise) encoding(sin_cos) : tensor<?x16xf32> -> tensor<?x512xf32>
  return
}

// CHECK-LABEL: func @fused
// CHECK-SAME: (%[[THETA0:.*]]: tensor<?x16xf32>, %[[PHI0:.*]]: tensor<?x1xf32>, %[[K:.*]]: tensor<16x16xf32>, %[[DRIVE:.*]]: tensor<?x16x1xf32>, %[[W:.*]]: tensor<1x16xf32>, %[[WC:.*]]: tensor<1x1xf32>)
func.func @fused(%theta0: tensor<?x16xf32>, %phi0: tensor<?x1xf32>, %K: tensor<16x16xf32>,
                 %drive: tensor<?x16x1xf32>, %w: tensor<1x16xf32>, %wc: tensor<1x1xf32>) -> tensor<?x16xf32> {
  %theta = un0.evolve(%t = %theta0) solver(euler) steps(10) time(1.0) : tensor<?x16xf32> {
    // CHECK: %[[P:.*]] = un0.drift %[[PHI0]], %[[WC]] : tensor<?x1xf32>, tensor<1x1xf32>
    %p = un0.drift %phi0, %wc : tensor<?x1xf32>, tensor<1x1xf32>
    // CHECK: %[[PS:.*]], %[[PC:.*]] = un0.sin_cos %[[P]] : tensor<?x1xf32>
    %ps, %pc = un0.sin_cos %p : tensor<?x1xf32>
    // CHECK: %[[S:.*]], %[[C:.*]] = un0.sin_cos %{{.*}} : tensor<?x16xf32>
    %s, %c = un0.sin_cos %t : tensor<?x16xf32>
    // CHECK: un0.fused_rate of(%[[S]], %[[C]]) frequency %[[W]] : tensor<?x16xf32>, tensor<1x16xf32>
    %free = un0.fused_rate of(%s, %c) frequency %w : tensor<?x16xf32>, tensor<1x16xf32>
    // CHECK: un0.fused_rate of(%[[S]], %[[C]]) frequency %[[W]] couple %[[K]](%[[S]], %[[C]]), %[[DRIVE]](%[[PS]], %[[PC]]) {note}
    // CHECK-SAME: : tensor<?x16xf32>, tensor<1x16xf32>, [tensor<16x16xf32>, tensor<?x16xf32>], [tensor<?x16x1xf32>, tensor<?x1xf32>]
    %dt = un0.fused_rate of(%s, %c) frequency %w couple %K(%s, %c), %drive(%ps, %pc) {note}
        : tensor<?x16xf32>, tensor<1x16xf32>, [tensor<16x16xf32>, tensor<?x16xf32>],
          [tensor<?x16x1xf32>, tensor<?x1xf32>]
    un0.yield %dt : tensor<?x16xf32>
  }
  return %theta : tensor<?x16xf32>
}

// CHECK-LABEL: func @conv2d
func.func @conv2d(%x: tensor<?x4x8x8xf32>, %w: tensor<6x4x3x3xf32>, %b: tensor<6xf32>) {
  // CHECK: un0.conv2d %arg0, %arg1, %arg2 activation(leaky_relu) {slope = 2.000000e-01 : f64, upsample} : tensor<?x4x8x8xf32>, tensor<6x4x3x3xf32>, tensor<6xf32> -> tensor<?x6x16x16xf32>
  %y = un0.conv2d %x, %w, %b activation(leaky_relu) {slope = 0.2, upsample}
      : tensor<?x4x8x8xf32>, tensor<6x4x3x3xf32>, tensor<6xf32> -> tensor<?x6x16x16xf32>
  // CHECK: un0.conv2d %arg0, %arg1, %arg2 activation(tanh) : {{.*}} -> tensor<?x6x8x8xf32>
  %z = un0.conv2d %x, %w, %b activation(tanh)
      : tensor<?x4x8x8xf32>, tensor<6x4x3x3xf32>, tensor<6xf32> -> tensor<?x6x8x8xf32>
  // CHECK: activation(none)
  %v = un0.conv2d %x, %w, %b activation(none)
      : tensor<?x4x8x8xf32>, tensor<6x4x3x3xf32>, tensor<6xf32> -> tensor<?x6x8x8xf32>
  return
}
