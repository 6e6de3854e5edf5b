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

// -----

module {
  // expected-error @below {{input 1 of @generate is 'i64' instead of phases, batch x a number of oscillators}}
  func.func @generate(%theta0: tensor<?x2xf32>, %phi0: i64, %label: tensor<?xi64>) -> tensor<?x2xf32> {
    return %theta0 : tensor<?x2xf32>
  }
}
