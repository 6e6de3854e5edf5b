// RUN: un0-opt %s --un0-fuse-couplings --split-input-file | FileCheck %s

// CHECK-LABEL: func @two_populations
func.func @two_populations(%theta0: tensor<?x16xf32>, %phi0: tensor<?x4xf32>, %K: tensor<16x16xf32>,
                           %drive: tensor<?x16x4xf32>, %C: tensor<4x4xf32>, %w: tensor<1x16xf32>, %wc: tensor<1x4xf32>)
    -> tensor<?x16xf32> {
  // CHECK: un0.evolve(%[[T:.*]] = %arg0, %[[P:.*]] = %arg1)
  %theta, %phi = un0.evolve(%t = %theta0, %p = %phi0) solver(euler) steps(10) time(1.0)
      : tensor<?x16xf32>, tensor<?x4xf32> {
    // Once per population, whoever reads them.
    // CHECK-DAG: %[[S:.*]], %[[Z:.*]] = un0.sin_cos %[[T]]
    // CHECK-DAG: %[[PS:.*]], %[[PZ:.*]] = un0.sin_cos %[[P]]
    // CHECK-NOT: un0.sin_cos
    // CHECK-NOT: un0.couple
    %a = un0.couple %K, %t, %t : tensor<16x16xf32>, tensor<?x16xf32>, tensor<?x16xf32>
    %b = un0.couple %drive, %p, %t : tensor<?x16x4xf32>, tensor<?x4xf32>, tensor<?x16xf32>
    // CHECK: %[[DT:.*]] = un0.fused_rate of(%[[S]], %[[Z]]) frequency %arg5 couple %arg2(%[[S]], %[[Z]]), %arg3(%[[PS]], %[[PZ]])
    %dt = un0.rate of %t frequency %w terms(%a, %b) : tensor<?x16xf32>, tensor<1x16xf32>
    %c = un0.couple %C, %p, %p : tensor<4x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>
    // CHECK: %[[DP:.*]] = un0.fused_rate of(%[[PS]], %[[PZ]]) frequency %arg6 couple %arg4(%[[PS]], %[[PZ]])
    %dp = un0.rate of %p frequency %wc terms(%c) : tensor<?x4xf32>, tensor<1x4xf32>
    // CHECK: un0.yield %[[DT]], %[[DP]]
    un0.yield %dt, %dp : tensor<?x16xf32>, tensor<?x4xf32>
  }
  return %theta : tensor<?x16xf32>
}

// -----

// Both couplings read @K, one of them without its diagonal.
// CHECK: un0.param @K : {{.*}} key "K" {scale = 5.000000e-01 : f64}
// CHECK: un0.param @K_zero_diagonal : {{.*}} key "K" {scale = 5.000000e-01 : f64, zero_diagonal}
un0.param @K : tensor<4x4xf32> from "m" key "K" {scale = 0.5}
// CHECK-LABEL: func @two_diagonals
func.func @two_diagonals(%theta0: tensor<?x4xf32>, %phi0: tensor<?x4xf32>, %w: tensor<1x4xf32>) -> tensor<?x4xf32> {
  // CHECK-DAG: %[[K:.*]] = un0.get_param @K :
  // CHECK-DAG: %[[K0:.*]] = un0.get_param @K_zero_diagonal :
  %K = un0.get_param @K : tensor<4x4xf32>
  %theta = un0.evolve(%t = %theta0) solver(euler) steps(10) time(1.0) : tensor<?x4xf32> {
    // CHECK: %[[P:.*]] = un0.drift
    %p = un0.drift %phi0, %w : tensor<?x4xf32>, tensor<1x4xf32>
    // CHECK: un0.sin_cos %[[P]]
    %a = un0.couple %K, %t, %t {zero_diagonal} : tensor<4x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>
    %b = un0.couple %K, %p, %t : tensor<4x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>
    // CHECK: couple %[[K0]](%{{.*}}), %[[K]](
    %dt = un0.rate of %t frequency %w terms(%a, %b) : tensor<?x4xf32>, tensor<1x4xf32>
    un0.yield %dt : tensor<?x4xf32>
  }
  return %theta : tensor<?x4xf32>
}

// -----

// CHECK-LABEL: func @other_term
func.func @other_term(%theta0: tensor<?x4xf32>, %w: tensor<1x4xf32>) -> tensor<?x4xf32> {
  %theta = un0.evolve(%t = %theta0) solver(euler) steps(10) time(1.0) : tensor<?x4xf32> {
    // CHECK: tosa.tanh
    %a = tosa.tanh %t : (tensor<?x4xf32>) -> tensor<?x4xf32>
    // CHECK: un0.rate
    %dt = un0.rate of %t frequency %w terms(%a) : tensor<?x4xf32>, tensor<1x4xf32>
    un0.yield %dt : tensor<?x4xf32>
  }
  return %theta : tensor<?x4xf32>
}

// -----

// A gathered coupling cannot lose its diagonal afterwards.
// CHECK-LABEL: func @computed_diagonal
func.func @computed_diagonal(%theta0: tensor<?x4xf32>, %K: tensor<?x4x4xf32>, %w: tensor<1x4xf32>) -> tensor<?x4xf32> {
  %theta = un0.evolve(%t = %theta0) solver(euler) steps(10) time(1.0) : tensor<?x4xf32> {
    // CHECK: un0.couple {{.*}} {zero_diagonal}
    %a = un0.couple %K, %t, %t {zero_diagonal} : tensor<?x4x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>
    %dt = un0.rate of %t frequency %w terms(%a) : tensor<?x4xf32>, tensor<1x4xf32>
    un0.yield %dt : tensor<?x4xf32>
  }
  return %theta : tensor<?x4xf32>
}

// -----

// What a population does to itself from its diagonal is sin(0), and rounded waves would not cancel: the diagonal is left out,
// wanted or not.
// CHECK: un0.param @K_zero_diagonal : {{.*}} {zero_diagonal}
un0.param @K : tensor<4x4xf32> from "m" key "K"
// CHECK-LABEL: func @self_coupling
func.func @self_coupling(%theta0: tensor<?x4xf32>, %w: tensor<1x4xf32>, %C: tensor<4x4xf32>) -> tensor<?x4xf32> {
  %K = un0.get_param @K : tensor<4x4xf32>
  // CHECK: %[[K:.*]] = un0.get_param @K_zero_diagonal
  %theta = un0.evolve(%t = %theta0) solver(euler) steps(10) time(1.0) : tensor<?x4xf32> {
    %a = un0.couple %K, %t, %t : tensor<4x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>
    // One that is computed stays as it is.
    %b = un0.couple %C, %t, %t : tensor<4x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>
    // CHECK: un0.fused_rate {{.*}} couple %[[K]](%{{.*}}), %arg2(
    %dt = un0.rate of %t frequency %w terms(%a, %b) : tensor<?x4xf32>, tensor<1x4xf32>
    un0.yield %dt : tensor<?x4xf32>
  }
  return %theta : tensor<?x4xf32>
}

// -----

// A rate that is left alone leaves nothing behind.
// CHECK: un0.param @K :
// CHECK-NOT: un0.param
un0.param @K : tensor<4x4xf32> from "m" key "K"
// CHECK-LABEL: func @left_alone
func.func @left_alone(%theta0: tensor<?x4xf32>, %w: tensor<1x4xf32>, %C: tensor<?x4x4xf32>) -> tensor<?x4xf32> {
  %K = un0.get_param @K : tensor<4x4xf32>
  // CHECK-COUNT-1: un0.get_param
  // CHECK-NOT: un0.get_param
  %theta = un0.evolve(%t = %theta0) solver(euler) steps(10) time(1.0) : tensor<?x4xf32> {
    %a = un0.couple %K, %t, %t {zero_diagonal} : tensor<4x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>
    %b = un0.couple %C, %t, %t {zero_diagonal} : tensor<?x4x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>
    // CHECK: un0.rate
    %dt = un0.rate of %t frequency %w terms(%a, %b) : tensor<?x4xf32>, tensor<1x4xf32>
    un0.yield %dt : tensor<?x4xf32>
  }
  return %theta : tensor<?x4xf32>
}

// -----

// Each module has a @K of its own.
// CHECK: un0.param @K : {{.*}} key "outer" {zero_diagonal}
un0.param @K : tensor<4x4xf32> from "m" key "outer" {zero_diagonal}
module {
  // CHECK: un0.param @K_zero_diagonal : {{.*}} key "inner" {zero_diagonal}
  un0.param @K : tensor<4x4xf32> from "m" key "inner"
  func.func @nested(%theta0: tensor<?x4xf32>, %w: tensor<1x4xf32>) -> tensor<?x4xf32> {
    %K = un0.get_param @K : tensor<4x4xf32>
    %theta = un0.evolve(%t = %theta0) solver(euler) steps(10) time(1.0) : tensor<?x4xf32> {
      %a = un0.couple %K, %t, %t {zero_diagonal} : tensor<4x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>
      %dt = un0.rate of %t frequency %w terms(%a) : tensor<?x4xf32>, tensor<1x4xf32>
      un0.yield %dt : tensor<?x4xf32>
    }
    return %theta : tensor<?x4xf32>
  }
}
