// RUN: un0-reduce %s -reduction-tree='traversal-mode=0 test=%S/Inputs/has-tanh.sh' | FileCheck %s

// What the test does not ask for goes.
// CHECK-NOT: @dull
un0.param @K : tensor<4x4xf32> from "m" key "K"
func.func @dull(%t: tensor<?x4xf32>) -> tensor<?x8xf32> {
  %f = un0.readout %t reference(mean) encoding(sin_cos) : tensor<?x4xf32> -> tensor<?x8xf32>
  return %f : tensor<?x8xf32>
}

// CHECK: @interesting
// CHECK: tosa.tanh
func.func @interesting(%t: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %f = tosa.tanh %t : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %f : tensor<?x4xf32>
}
