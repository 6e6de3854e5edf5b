// RUN: un0-opt %s --un0-verify-model --split-input-file -verify-diagnostics | FileCheck %s

// CHECK: module attributes {un0.phase = "model"}
module {
  func.func @decoder(%x: tensor<2x2xf32>) -> tensor<2x2xf32> {
    %y = tosa.tanh %x : (tensor<2x2xf32>) -> tensor<2x2xf32>
    return %y : tensor<2x2xf32>
  }
}

// -----

// expected-error @below {{2 x un0.sin_cos, 1 x math.exp are not supported in phase 'model'}}
module {
  func.func @offenders(%t: tensor<2x4xf32>) {
    // expected-note @below {{first un0.sin_cos of several is here}}
    %s, %c = un0.sin_cos %t : tensor<2x4xf32>
    %s2, %c2 = un0.sin_cos %s : tensor<2x4xf32>
    // expected-note @below {{math.exp is here}}
    %e = math.exp %t : tensor<2x4xf32>
    return
  }
}
