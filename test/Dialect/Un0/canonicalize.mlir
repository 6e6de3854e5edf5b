// RUN: un0-opt %s --canonicalize --split-input-file | FileCheck %s

// The diagonal is left out once, in the parameter.
// CHECK: un0.param @K : {{.*}} {zero_diagonal}
un0.param @K : tensor<16x16xf32> from "m" key "K"
// CHECK-LABEL: func @fold_zero_diagonal
func.func @fold_zero_diagonal(%theta: tensor<?x16xf32>) -> (tensor<?x16xf32>, tensor<?x16xf32>) {
  %K = un0.get_param @K : tensor<16x16xf32>
  // CHECK: un0.couple %{{[^ ]*}}, %arg0, %arg0 : tensor
  %a = un0.couple %K, %theta, %theta {zero_diagonal} : tensor<16x16xf32>, tensor<?x16xf32>, tensor<?x16xf32>
  // The diagonal of this one meets sin(0).
  // CHECK: un0.couple %{{[^ ]*}}, %arg0, %arg0 {second} : tensor
  %b = un0.couple %K, %theta, %theta {second} : tensor<16x16xf32>, tensor<?x16xf32>, tensor<?x16xf32>
  return %a, %b : tensor<?x16xf32>, tensor<?x16xf32>
}

// -----

// Another population reads the diagonal.
// CHECK: un0.param @K : {{.*}} key "K"{{$}}
un0.param @K : tensor<16x16xf32> from "m" key "K"
// CHECK-LABEL: func @keep_zero_diagonal
func.func @keep_zero_diagonal(%theta: tensor<?x16xf32>, %other: tensor<?x16xf32>) -> (tensor<?x16xf32>, tensor<?x16xf32>) {
  %K = un0.get_param @K : tensor<16x16xf32>
  // CHECK: un0.couple %{{.*}}, %arg0, %arg0 {zero_diagonal}
  %a = un0.couple %K, %theta, %theta {zero_diagonal} : tensor<16x16xf32>, tensor<?x16xf32>, tensor<?x16xf32>
  %b = un0.couple %K, %other, %theta : tensor<16x16xf32>, tensor<?x16xf32>, tensor<?x16xf32>
  return %a, %b : tensor<?x16xf32>, tensor<?x16xf32>
}

// -----

// A reader that is not a coupling wants the parameter as it is.
// CHECK: un0.param @K : {{.*}} key "K"{{$}}
un0.param @K : tensor<16x16xf32> from "m" key "K"
// CHECK-LABEL: func @keep_for_others
func.func @keep_for_others(%theta: tensor<?x16xf32>) -> (tensor<?x16xf32>, tensor<16x16xf32>) {
  %K = un0.get_param @K : tensor<16x16xf32>
  // CHECK: {zero_diagonal}
  %a = un0.couple %K, %theta, %theta {zero_diagonal} : tensor<16x16xf32>, tensor<?x16xf32>, tensor<?x16xf32>
  return %a, %K : tensor<?x16xf32>, tensor<16x16xf32>
}

// -----

// One oscillator does not pull on itself.
un0.param @C : tensor<1x1xf32> from "m" key "K_cond"
// CHECK-LABEL: func @drop_lonely_coupling
func.func @drop_lonely_coupling(%p: tensor<?x1xf32>, %w: tensor<1x1xf32>) -> tensor<?x1xf32> {
  %C = un0.get_param @C : tensor<1x1xf32>
  // CHECK-NOT: un0.couple
  %a = un0.couple %C, %p, %p {zero_diagonal} : tensor<1x1xf32>, tensor<?x1xf32>, tensor<?x1xf32>
  // CHECK: %[[R:.*]] = un0.rate of %arg0 frequency %arg1 :
  %r = un0.rate of %p frequency %w terms(%a) : tensor<?x1xf32>, tensor<1x1xf32>
  // CHECK: return %[[R]]
  return %r : tensor<?x1xf32>
}

// -----

// With its diagonal a 1 x 1 coupling of two populations is one.
// CHECK-LABEL: func @keep_single_coupling
func.func @keep_single_coupling(%C: tensor<1x1xf32>, %p: tensor<?x1xf32>, %q: tensor<?x1xf32>, %w: tensor<1x1xf32>) -> tensor<?x1xf32> {
  // CHECK: un0.couple
  %a = un0.couple %C, %q, %p : tensor<1x1xf32>, tensor<?x1xf32>, tensor<?x1xf32>
  // CHECK: terms(
  %r = un0.rate of %p frequency %w terms(%a) : tensor<?x1xf32>, tensor<1x1xf32>
  return %r : tensor<?x1xf32>
}

// -----

un0.param @K : tensor<16x16xf32> from "m" key "K"
un0.param @D : tensor<3x16x16xf32> from "m" key "D" {scale = 0.0}
// CHECK-LABEL: func @drop_zero_scale
func.func @drop_zero_scale(%t: tensor<?x16xf32>, %label: tensor<?xi64>, %w: tensor<1x16xf32>) -> tensor<?x16xf32> {
  %K = un0.get_param @K : tensor<16x16xf32>
  %D = un0.get_param @D : tensor<3x16x16xf32>
  // CHECK-NOT: un0.select_class
  %d = un0.select_class %D[%label] : tensor<3x16x16xf32>, tensor<?xi64> -> tensor<?x16x16xf32>
  // CHECK: %[[A:.*]] = un0.couple {{.*}} : tensor<16x16xf32>
  %a = un0.couple %K, %t, %t : tensor<16x16xf32>, tensor<?x16xf32>, tensor<?x16xf32>
  %b = un0.couple %d, %t, %t : tensor<?x16x16xf32>, tensor<?x16xf32>, tensor<?x16xf32>
  // CHECK: un0.rate of %arg0 frequency %arg2 terms(%[[A]])
  %r = un0.rate of %t frequency %w terms(%b, %a) : tensor<?x16xf32>, tensor<1x16xf32>
  return %r : tensor<?x16xf32>
}

// -----

// CHECK-LABEL: func @fold_no_steps
func.func @fold_no_steps(%theta0: tensor<?x16xf32>, %phi0: tensor<?x4xf32>, %w: tensor<1x16xf32>, %wc: tensor<1x4xf32>)
    -> (tensor<?x16xf32>, tensor<?x4xf32>) {
  // CHECK-NOT: un0.evolve
  %theta, %phi = un0.evolve(%t = %theta0, %p = %phi0) solver(rk4) steps(0) time(1.0) : tensor<?x16xf32>, tensor<?x4xf32> {
    %dt = un0.rate of %t frequency %w : tensor<?x16xf32>, tensor<1x16xf32>
    %dp = un0.rate of %p frequency %wc : tensor<?x4xf32>, tensor<1x4xf32>
    un0.yield %dt, %dp : tensor<?x16xf32>, tensor<?x4xf32>
  }
  // CHECK: return %arg0, %arg1
  return %theta, %phi : tensor<?x16xf32>, tensor<?x4xf32>
}

// -----

// phi drives nothing and nobody reads it; theta stays.
// CHECK-LABEL: func @drop_unread_state
func.func @drop_unread_state(%theta0: tensor<?x16xf32>, %phi0: tensor<?x4xf32>, %w: tensor<1x16xf32>,
                             %C: tensor<4x4xf32>, %wc: tensor<1x4xf32>) -> tensor<?x16xf32> {
  // CHECK: %[[R:.*]] = un0.evolve(%[[T:.*]] = %arg0) solver(euler) steps(4) time(1.000000e+00) attributes {note} : tensor<?x16xf32> {
  %phi, %theta = un0.evolve(%p = %phi0, %t = %theta0) solver(euler) steps(4) time(1.0) attributes {note} : tensor<?x4xf32>, tensor<?x16xf32> {
    // CHECK-NEXT: %[[D:.*]] = un0.rate of %[[T]] frequency %arg2 :
    %c = un0.couple %C, %p, %p : tensor<4x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>
    %dt = un0.rate of %t frequency %w : tensor<?x16xf32>, tensor<1x16xf32>
    %dp = un0.rate of %p frequency %wc terms(%c) : tensor<?x4xf32>, tensor<1x4xf32>
    // CHECK-NEXT: un0.yield %[[D]] : tensor<?x16xf32>
    un0.yield %dp, %dt : tensor<?x4xf32>, tensor<?x16xf32>
  }
  // CHECK: return %[[R]]
  return %theta : tensor<?x16xf32>
}

// -----

// phi is read by the rate of theta, and psi by that of phi.
// CHECK-LABEL: func @keep_driving_states
func.func @keep_driving_states(%theta0: tensor<?x4xf32>, %K: tensor<4x4xf32>, %w: tensor<1x4xf32>) -> tensor<?x4xf32> {
  // CHECK: %[[R:.*]]:3 = un0.evolve
  %theta, %phi, %psi = un0.evolve(%t = %theta0, %p = %theta0, %s = %theta0) solver(euler) steps(4) time(1.0)
      : tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32> {
    %a = un0.couple %K, %p, %t : tensor<4x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>
    %b = un0.couple %K, %s, %p : tensor<4x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>
    %dt = un0.rate of %t frequency %w terms(%a) : tensor<?x4xf32>, tensor<1x4xf32>
    %dp = un0.rate of %p frequency %w terms(%b) : tensor<?x4xf32>, tensor<1x4xf32>
    %ds = un0.rate of %s frequency %w : tensor<?x4xf32>, tensor<1x4xf32>
    un0.yield %dt, %dp, %ds : tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>
  }
  return %theta : tensor<?x4xf32>
}

// -----

// CHECK-LABEL: func @dead_evolve
func.func @dead_evolve(%theta0: tensor<?x4xf32>, %w: tensor<1x4xf32>) {
  // CHECK-NEXT: return
  %theta = un0.evolve(%t = %theta0) solver(euler) steps(4) time(1.0) : tensor<?x4xf32> {
    %dt = un0.rate of %t frequency %w : tensor<?x4xf32>, tensor<1x4xf32>
    un0.yield %dt : tensor<?x4xf32>
  }
  return
}

// -----

// Nobody pulls where there are no sources.
un0.param @D : tensor<4x0xf32> from "m" key "D"
// CHECK-LABEL: func @drop_empty_coupling
func.func @drop_empty_coupling(%p: tensor<?x4xf32>, %q: tensor<?x0xf32>, %w: tensor<1x4xf32>) -> tensor<?x4xf32> {
  %D = un0.get_param @D : tensor<4x0xf32>
  // CHECK-NOT: un0.couple
  %a = un0.couple %D, %q, %p : tensor<4x0xf32>, tensor<?x0xf32>, tensor<?x4xf32>
  %r = un0.rate of %p frequency %w terms(%a) : tensor<?x4xf32>, tensor<1x4xf32>
  return %r : tensor<?x4xf32>
}
