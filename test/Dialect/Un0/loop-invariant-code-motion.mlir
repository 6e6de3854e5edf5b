// RUN: un0-opt %s --loop-invariant-code-motion | FileCheck %s

un0.param @K : tensor<4x4xf32> from "m" key "K"
un0.param @D : tensor<3x4x1xf32> from "m" key "D"

// Parameters and the class gather are the same in every step; what drifts is not, though its operands are.
// CHECK-LABEL: func @hoist
func.func @hoist(%theta0: tensor<?x4xf32>, %phi0: tensor<?x1xf32>, %label: tensor<?xi64>, %w: tensor<1x4xf32>,
                 %wc: tensor<1x1xf32>) -> tensor<?x4xf32> {
  // CHECK: %[[K:.*]] = un0.get_param @K
  // CHECK: un0.select_class
  // CHECK: un0.evolve
  // CHECK-NEXT: un0.drift
  // CHECK-NEXT: un0.couple %[[K]]
  %theta = un0.evolve(%t = %theta0) solver(euler) steps(4) time(1.0) : tensor<?x4xf32> {
    %K = un0.get_param @K : tensor<4x4xf32>
    %D = un0.get_param @D : tensor<3x4x1xf32>
    %d = un0.select_class %D[%label] : tensor<3x4x1xf32>, tensor<?xi64> -> tensor<?x4x1xf32>
    %p = un0.drift %phi0, %wc : tensor<?x1xf32>, tensor<1x1xf32>
    %a = un0.couple %K, %t, %t : tensor<4x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>
    %b = un0.couple %d, %p, %t : tensor<?x4x1xf32>, tensor<?x1xf32>, tensor<?x4xf32>
    %dt = un0.rate of %t frequency %w terms(%a, %b) : tensor<?x4xf32>, tensor<1x4xf32>
    un0.yield %dt : tensor<?x4xf32>
  }
  return %theta : tensor<?x4xf32>
}
