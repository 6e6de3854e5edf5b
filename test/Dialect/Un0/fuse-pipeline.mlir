// RUN: un0-opt %s --un0-fuse | FileCheck %s
// RUN: un0-opt %s --un0-fuse | un0-opt --un0-verify-fused -o %t

// The ImageNet-64 family has one conditioning oscillator: its coupling vanishes, it is a straight line in time, and its
// parameter is gone.
// CHECK: module attributes {un0.phase = "fused"}
// CHECK-DAG: un0.param @K : {{.*}} {scale = 2.500000e-01 : f64, zero_diagonal}
// CHECK-NOT: un0.param @K_cond
// CHECK-DAG: un0.param @omega_cond
module attributes {un0.phase = "model"} {
  un0.param @K : tensor<16x16xf32> from "m" key "K" {scale = 0.25}
  un0.param @omega : tensor<1x16xf32> from "m" key "omega"
  un0.param @K_cond : tensor<1x1xf32> from "m" key "K_cond"
  un0.param @omega_cond : tensor<1x1xf32> from "m" key "omega_cond"
  un0.param @K_drive : tensor<10x16x1xf32> from "m" key "K_drive"

  // CHECK-LABEL: func.func @generate
  // CHECK: %[[DRIVE:.*]] = un0.select_class
  // CHECK: %[[THETA:.*]] = un0.evolve(%[[T:.*]] = %arg0) solver(euler) steps(10)
  // CHECK-DAG: %[[S:.*]], %[[C:.*]] = un0.sin_cos %[[T]]
  // CHECK-DAG: %[[P:.*]] = un0.drift %arg1
  // CHECK-DAG: %[[PS:.*]], %[[PC:.*]] = un0.sin_cos %[[P]]
  // CHECK: un0.fused_rate of(%[[S]], %[[C]]) frequency %{{.*}} couple %{{.*}}(%[[S]], %[[C]]), %[[DRIVE]](%[[PS]], %[[PC]])
  // CHECK-NEXT: un0.yield
  // CHECK: un0.readout %[[THETA]] reference(oscillator)
  func.func @generate(%theta0: tensor<?x16xf32>, %phi0: tensor<?x1xf32>, %label: tensor<?xi64>) -> tensor<?x32xf32> {
    %theta, %phi = un0.evolve(%t = %theta0, %p = %phi0) solver(euler) steps(10) time(1.0)
        : tensor<?x16xf32>, tensor<?x1xf32> {
      %K = un0.get_param @K : tensor<16x16xf32>
      %w = un0.get_param @omega : tensor<1x16xf32>
      %C = un0.get_param @K_cond : tensor<1x1xf32>
      %wc = un0.get_param @omega_cond : tensor<1x1xf32>
      %D = un0.get_param @K_drive : tensor<10x16x1xf32>
      %drive = un0.select_class %D[%label] : tensor<10x16x1xf32>, tensor<?xi64> -> tensor<?x16x1xf32>
      %a = un0.couple %K, %t, %t {zero_diagonal} : tensor<16x16xf32>, tensor<?x16xf32>, tensor<?x16xf32>
      %b = un0.couple %drive, %p, %t : tensor<?x16x1xf32>, tensor<?x1xf32>, tensor<?x16xf32>
      %dt = un0.rate of %t frequency %w terms(%a, %b) : tensor<?x16xf32>, tensor<1x16xf32>
      %c = un0.couple %C, %p, %p {zero_diagonal} : tensor<1x1xf32>, tensor<?x1xf32>, tensor<?x1xf32>
      %dp = un0.rate of %p frequency %wc terms(%c) : tensor<?x1xf32>, tensor<1x1xf32>
      un0.yield %dt, %dp : tensor<?x16xf32>, tensor<?x1xf32>
    }
    %f = un0.readout %theta reference(oscillator) encoding(sin_cos) : tensor<?x16xf32> -> tensor<?x32xf32>
    return %f : tensor<?x32xf32>
  }
}
