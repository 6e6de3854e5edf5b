// RUN: un0-opt %s --un0-close-free-populations --split-input-file | FileCheck %s

// CHECK-LABEL: func @one_conditioning_oscillator
func.func @one_conditioning_oscillator(%theta0: tensor<?x16xf32>, %phi0: tensor<?x1xf32>, %drive: tensor<?x16x1xf32>,
                                       %w: tensor<1x16xf32>, %wc: tensor<1x1xf32>) -> tensor<?x16xf32> {
  // CHECK: %[[R:.*]] = un0.evolve(%[[T:.*]] = %arg0) solver(euler) steps(10) time(1.000000e+00) : tensor<?x16xf32> {
  %theta, %phi = un0.evolve(%t = %theta0, %p = %phi0) solver(euler) steps(10) time(1.0)
      : tensor<?x16xf32>, tensor<?x1xf32> {
    // CHECK-NEXT: %[[P:.*]] = un0.drift %arg1, %arg4 : tensor<?x1xf32>, tensor<1x1xf32>
    // CHECK-NEXT: %[[A:.*]] = un0.couple %arg2, %[[P]], %[[T]]
    %a = un0.couple %drive, %p, %t : tensor<?x16x1xf32>, tensor<?x1xf32>, tensor<?x16xf32>
    // CHECK-NEXT: %[[DT:.*]] = un0.rate of %[[T]] frequency %arg3 terms(%[[A]])
    %dt = un0.rate of %t frequency %w terms(%a) : tensor<?x16xf32>, tensor<1x16xf32>
    %dp = un0.rate of %p frequency %wc : tensor<?x1xf32>, tensor<1x1xf32>
    // CHECK-NEXT: un0.yield %[[DT]] : tensor<?x16xf32>
    un0.yield %dt, %dp : tensor<?x16xf32>, tensor<?x1xf32>
  }
  // CHECK: return %[[R]]
  return %theta : tensor<?x16xf32>
}

// -----

// CHECK-LABEL: func @final_phases_are_read
func.func @final_phases_are_read(%theta0: tensor<?x16xf32>, %phi0: tensor<?x1xf32>, %drive: tensor<?x16x1xf32>,
                                 %w: tensor<1x16xf32>, %wc: tensor<1x1xf32>) -> (tensor<?x16xf32>, tensor<?x1xf32>) {
  // CHECK: :2 = un0.evolve
  // CHECK-NOT: un0.drift
  %theta, %phi = un0.evolve(%t = %theta0, %p = %phi0) solver(euler) steps(10) time(1.0)
      : tensor<?x16xf32>, tensor<?x1xf32> {
    %a = un0.couple %drive, %p, %t : tensor<?x16x1xf32>, tensor<?x1xf32>, tensor<?x16xf32>
    %dt = un0.rate of %t frequency %w terms(%a) : tensor<?x16xf32>, tensor<1x16xf32>
    %dp = un0.rate of %p frequency %wc : tensor<?x1xf32>, tensor<1x1xf32>
    un0.yield %dt, %dp : tensor<?x16xf32>, tensor<?x1xf32>
  }
  return %theta, %phi : tensor<?x16xf32>, tensor<?x1xf32>
}

// -----

// CHECK-LABEL: func @coupled_population_stays
func.func @coupled_population_stays(%theta0: tensor<?x16xf32>, %phi0: tensor<?x2xf32>, %drive: tensor<?x16x2xf32>,
                                    %C: tensor<2x2xf32>, %w: tensor<1x16xf32>, %wc: tensor<1x2xf32>) -> tensor<?x16xf32> {
  // CHECK: :2 = un0.evolve
  // CHECK-NOT: un0.drift
  %theta, %phi = un0.evolve(%t = %theta0, %p = %phi0) solver(euler) steps(10) time(1.0)
      : tensor<?x16xf32>, tensor<?x2xf32> {
    %a = un0.couple %drive, %p, %t : tensor<?x16x2xf32>, tensor<?x2xf32>, tensor<?x16xf32>
    %dt = un0.rate of %t frequency %w terms(%a) : tensor<?x16xf32>, tensor<1x16xf32>
    %c = un0.couple %C, %p, %p : tensor<2x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>
    %dp = un0.rate of %p frequency %wc terms(%c) : tensor<?x2xf32>, tensor<1x2xf32>
    un0.yield %dt, %dp : tensor<?x16xf32>, tensor<?x2xf32>
  }
  return %theta : tensor<?x16xf32>
}
