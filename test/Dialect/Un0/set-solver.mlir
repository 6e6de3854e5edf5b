// RUN: un0-opt %s --un0-set-solver='solver=heun steps=5' | FileCheck %s --check-prefix=BOTH
// RUN: un0-opt %s --un0-set-solver='solver=rk4-classic' | FileCheck %s --check-prefix=SOLVER
// RUN: un0-opt %s --un0-set-solver='steps=0 time=0.5' | FileCheck %s --check-prefix=TIME
// RUN: un0-opt %s --un0-set-solver | FileCheck %s --check-prefix=NONE
// RUN: not un0-opt %s --un0-set-solver='solver=magic' 2>&1 | FileCheck %s --check-prefix=UNKNOWN
// RUN: not un0-opt %s --un0-set-solver='time=inf' 2>&1 | FileCheck %s --check-prefix=INFINITE

// BOTH: solver(heun) steps(5) time(1.000000e+00)
// SOLVER: solver(rk4_classic) steps(10) time(1.000000e+00)
// TIME: solver(euler) steps(0) time(5.000000e-01)
// NONE: solver(euler) steps(10) time(1.000000e+00)
// UNKNOWN: error: unknown solver 'magic', expected euler, heun, rk4 or rk4-classic
// INFINITE: error: time must be finite
func.func @set(%theta0: tensor<?x16xf32>, %w: tensor<1x16xf32>) -> tensor<?x16xf32> {
  %theta = un0.evolve(%t = %theta0) solver(euler) steps(10) time(1.0) : tensor<?x16xf32> {
    %dt = un0.rate of %t frequency %w : tensor<?x16xf32>, tensor<1x16xf32>
    un0.yield %dt : tensor<?x16xf32>
  }
  return %theta : tensor<?x16xf32>
}
