// RUN: un0-opt %s --un0-verify-fused --split-input-file -verify-diagnostics | FileCheck %s

// CHECK: module attributes {un0.phase = "fused"}
module attributes {un0.phase = "model"} {
  func.func @free(%theta0: tensor<?x4xf32>, %w: tensor<1x4xf32>) -> tensor<?x8xf32> {
    %theta = un0.evolve(%t = %theta0) solver(euler) steps(10) time(1.0) : tensor<?x4xf32> {
      %s, %c = un0.sin_cos %t : tensor<?x4xf32>
      %dt = un0.fused_rate of(%s, %c) frequency %w : tensor<?x4xf32>, tensor<1x4xf32>
      un0.yield %dt : tensor<?x4xf32>
    }
    %f = un0.readout %theta reference(mean) encoding(sin_cos) : tensor<?x4xf32> -> tensor<?x8xf32>
    return %f : tensor<?x8xf32>
  }
}

// -----

// expected-error @below {{2 x tosa.fft2d are not supported in phase 'fused'}}
module {
  func.func @transform(%re: tensor<1x4x4xf32>, %im: tensor<1x4x4xf32>) {
    // expected-note @below {{first tosa.fft2d of several is here}}
    %a, %b = tosa.fft2d %re, %im {inverse = false} : (tensor<1x4x4xf32>, tensor<1x4x4xf32>) -> (tensor<1x4x4xf32>, tensor<1x4x4xf32>)
    %c, %d = tosa.fft2d %a, %b {inverse = true} : (tensor<1x4x4xf32>, tensor<1x4x4xf32>) -> (tensor<1x4x4xf32>, tensor<1x4x4xf32>)
    return
  }
}

// -----

// In the region of an evolve even an operation that is fine outside is not.
// expected-error @below {{1 x un0.select_class is not supported in phase 'fused'}}
module {
  func.func @gather_in_a_step(%theta0: tensor<?x4xf32>, %D: tensor<3x4xf32>, %label: tensor<?xi64>) -> tensor<?x4xf32> {
    %theta = un0.evolve(%t = %theta0) solver(euler) steps(10) time(1.0) : tensor<?x4xf32> {
      // expected-note @below {{un0.select_class is here}}
      %d = un0.select_class %D[%label] : tensor<3x4xf32>, tensor<?xi64> -> tensor<?x4xf32>
      un0.yield %d : tensor<?x4xf32>
    }
    return %theta : tensor<?x4xf32>
  }
}
