// RUN: un0-opt %s '--un0-quantize-convolutions=params=b minima=0,-1 maxima=0,1.55 exponents=0,0,0,0,1,-1' | FileCheck %s

// The second of two, with its own range and its own two exponents.
un0.param @a : tensor<2x4x3x3xf32> from "m" key "a"
un0.param @ab : tensor<2xf32> from "m" key "ab"
un0.param @b : tensor<3x2x3x3xf32> from "m" key "b"
un0.param @bb : tensor<3xf32> from "m" key "bb"
// CHECK-LABEL: @some
func.func @some(%x: tensor<?x4x4x4xf32>) -> tensor<?x3x4x4xf32> {
  %a = un0.get_param @a : tensor<2x4x3x3xf32>
  %ab = un0.get_param @ab : tensor<2xf32>
  %b = un0.get_param @b : tensor<3x2x3x3xf32>
  %bb = un0.get_param @bb : tensor<3xf32>
  // CHECK: un0.conv2d {{.*}} activation(none) : tensor<?x4x4x4xf32>
  %y = un0.conv2d %x, %a, %ab activation(none) : tensor<?x4x4x4xf32>, tensor<2x4x3x3xf32>, tensor<2xf32> -> tensor<?x2x4x4xf32>
  // CHECK: un0.conv2d {{.*}} activation(none) {input_exponents = array<i64: 1, -1>, input_scale = {{1.000000e-02|0.0[01].*}} : f64, input_zero_point = 100 : i64, precision = #un0<precision int8>}
  %z = un0.conv2d %y, %b, %bb activation(none) : tensor<?x2x4x4xf32>, tensor<3x2x3x3xf32>, tensor<3xf32> -> tensor<?x3x4x4xf32>
  return %z : tensor<?x3x4x4xf32>
}
