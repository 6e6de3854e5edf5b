// RUN: un0-opt %s '--un0-quantize-convolutions=minima=-0.5 maxima=2.05' --split-input-file | FileCheck %s
// RUN: not un0-opt %s '--un0-quantize-convolutions=minima=1,2 maxima=1' --split-input-file 2>&1 | FileCheck %s --check-prefix=COUNT
// RUN: not un0-opt %s --un0-quantize-convolutions --split-input-file 2>&1 | FileCheck %s --check-prefix=RANGE
// RUN: not un0-opt %s '--un0-quantize-convolutions=minima=0 maxima=0' --split-input-file 2>&1 | FileCheck %s --check-prefix=EMPTY
// RUN: un0-opt %s '--un0-quantize-convolutions=minima=-0.5 maxima=2.05 exponents=0,-1,-2,0,0,0,0,0,0,0,0,0,0,0,0,3' --split-input-file | FileCheck %s --check-prefix=EQUAL
// RUN: not un0-opt %s '--un0-quantize-convolutions=minima=-0.5 maxima=2.05 exponents=1,2' --split-input-file 2>&1 | FileCheck %s --check-prefix=EXPONENTS
// RUN: not un0-opt %s '--un0-quantize-convolutions=minima=-0.5 maxima=2.05 params=w' --split-input-file 2>&1 | FileCheck %s --check-prefix=NAME
// Exponents are those of the last time.
// RUN: un0-opt %s '--un0-quantize-convolutions=minima=-0.5 maxima=2.05 exponents=0,-1,-2,0,0,0,0,0,0,0,0,0,0,0,0,3' '--un0-quantize-convolutions=minima=-0.5 maxima=2.05' | FileCheck %s --implicit-check-not=input_exponents
// NAME: error: there is no convolution of @w to quantize
// EQUAL: input_exponents = array<i64: 0, -1, -2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3>, input_scale =
// EXPONENTS: error: 2 exponents are given for 16 input channels
// COUNT: error: 2 minima and 1 maxima are given for 1 convolutions
// RANGE: error: the range of the input is not known; give minima and maxima
// EMPTY: error: the range of the input, 0.000000e+00 to 0.000000e+00, holds no numbers

// CHECK-LABEL: @ranges
func.func @ranges(%x: tensor<?x16x4x4xf32>, %w: tensor<16x16x3x3xf32>, %b: tensor<16xf32>) -> tensor<?x16x4x4xf32> {
  // CHECK: activation(none) {input_scale = {{1.000000e-02|0.00999.*}} : f64, input_zero_point = 50 : i64, precision = #un0<precision int8>}
  %y = un0.conv2d %x, %w, %b activation(none)
      : tensor<?x16x4x4xf32>, tensor<16x16x3x3xf32>, tensor<16xf32> -> tensor<?x16x4x4xf32>
  return %y : tensor<?x16x4x4xf32>
}
