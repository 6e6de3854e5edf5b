// RUN: un0-opt %s --load-pass-plugin=%un0_lib/DropCoupling.so \
// RUN:   --pass-pipeline='builtin.module(un0-drop-coupling{param=K})' | FileCheck %s --check-prefix=K
// RUN: un0-opt %s --load-pass-plugin=%un0_lib/DropCoupling.so \
// RUN:   --pass-pipeline='builtin.module(un0-drop-coupling{param=D})' | FileCheck %s --check-prefix=D
// RUN: not un0-opt %s --load-pass-plugin=%un0_lib/DropCoupling.so \
// RUN:   --pass-pipeline='builtin.module(un0-drop-coupling{param=Q})' 2>&1 | FileCheck %s --check-prefix=UNKNOWN

// UNKNOWN: error: there is no un0.param @Q to drop

// [doc:test]
// K-LABEL: func.func @generate
// K: un0.evolve
// K-NOT: un0.couple
// K: %[[DRIVEN:.*]] = un0.couple %{{.*}}, %[[PHI:.*]], %[[THETA:[^ ]*]]
// K-NOT: un0.couple
// K: un0.rate of %[[THETA]] frequency %{{.*}} terms(%[[DRIVEN]])

// The drive is found behind the class gather.
// D: un0.evolve
// D: %[[SELF:.*]] = un0.couple %{{.*}}, %[[THETA:.*]], %[[THETA]]
// D-NOT: un0.couple
// D: un0.rate of %[[THETA]] frequency %{{.*}} terms(%[[SELF]])
// [doc:end]

un0.param @K : tensor<16x16xf32> from "m.safetensors" key "dynamics.K" {zero_diagonal}
un0.param @omega : tensor<1x16xf32> from "m.safetensors" key "dynamics.omega"
un0.param @D : tensor<3x16x2xf32> from "m.safetensors" key "dynamics.K_drive"
un0.param @omega_cond : tensor<1x2xf32> from "m.safetensors" key "dynamics.omega_cond"

func.func @generate(%theta0: tensor<?x16xf32>, %phi0: tensor<?x2xf32>, %label: tensor<?xi64>) -> tensor<?x16xf32> {
  %K = un0.get_param @K : tensor<16x16xf32>
  %w = un0.get_param @omega : tensor<1x16xf32>
  %D = un0.get_param @D : tensor<3x16x2xf32>
  %wc = un0.get_param @omega_cond : tensor<1x2xf32>
  %drive = un0.select_class %D[%label] : tensor<3x16x2xf32>, tensor<?xi64> -> tensor<?x16x2xf32>
  %theta, %phi = un0.evolve(%t = %theta0, %p = %phi0) solver(euler) steps(10) time(1.0)
      : tensor<?x16xf32>, tensor<?x2xf32> {
    %a = un0.couple %K, %t, %t : tensor<16x16xf32>, tensor<?x16xf32>, tensor<?x16xf32>
    %b = un0.couple %drive, %p, %t : tensor<?x16x2xf32>, tensor<?x2xf32>, tensor<?x16xf32>
    %dt = un0.rate of %t frequency %w terms(%a, %b) : tensor<?x16xf32>, tensor<1x16xf32>
    %dp = un0.rate of %p frequency %wc : tensor<?x2xf32>, tensor<1x2xf32>
    un0.yield %dt, %dp : tensor<?x16xf32>, tensor<?x2xf32>
  }
  return %theta : tensor<?x16xf32>
}
