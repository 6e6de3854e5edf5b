// RUN: un0-opt %s --split-input-file --un0-to-cpu --verify-diagnostics

// expected-error @+1 {{module has no cpu.target attribute}}
module {
}

// -----

// expected-error @+1 {{no function @generate to lower}}
module attributes {cpu.target = {cpu = "znver4", features = ["avx512f"], fma = true, lanes = 16 : i64, registers = 32 : i64}} {
}

// -----

module attributes {cpu.target = {cpu = "znver4", features = ["avx512f"], fma = true, lanes = 16 : i64, registers = 32 : i64}} {
  // expected-error @+1 {{@generate has 1 inputs and 1 results instead of 3 and 1}}
  func.func @generate(%x: tensor<4xf32>) -> tensor<4xf32> {
    return %x : tensor<4xf32>
  }
}

// -----

module attributes {cpu.target = {cpu = "znver4", features = ["avx512f"], fma = true, lanes = 16 : i64, registers = 32 : i64}} {
  // expected-error @+1 {{the image is not a chain of un0.conv2d on reshaped features}}
  func.func @generate(%x: tensor<4x48xf32>, %p: tensor<4x1xf32>, %l: tensor<4xi64>) -> tensor<4x48xf32> {
    return %x : tensor<4x48xf32>
  }
}

// -----

module attributes {cpu.target = {cpu = "znver4", features = ["avx512f"], fma = true, lanes = 16 : i64, registers = 32 : i64}} {
  un0.param @o : tensor<3x16x3x3xf32> from "m" key "o.weight"
  un0.param @ob : tensor<3xf32> from "m" key "o.bias"
  func.func @generate(%theta0: tensor<?x128xf32>, %phi0: tensor<?x8xf32>, %label: tensor<?xi64>) -> tensor<?x3x4x4xf32> {
    %o = un0.get_param @o : tensor<3x16x3x3xf32>
    %ob = un0.get_param @ob : tensor<3xf32>
    %f = un0.readout %theta0 reference(mean) encoding(sin_cos) : tensor<?x128xf32> -> tensor<?x256xf32>
    %c0 = arith.constant 0 : index
    %b = tensor.dim %f, %c0 : tensor<?x256xf32>
    %x = tensor.expand_shape %f [[0], [1, 2, 3]] output_shape [%b, 16, 4, 4] : tensor<?x256xf32> into tensor<?x16x4x4xf32>
    // expected-error @+1 {{the last convolution must have no upsampling, and tanh or no activation, on target cpu}}
    %z = un0.conv2d %x, %o, %ob activation(leaky_relu) {slope = 2.000000e-01 : f64} : tensor<?x16x4x4xf32>, tensor<3x16x3x3xf32>, tensor<3xf32> -> tensor<?x3x4x4xf32>
    return %z : tensor<?x3x4x4xf32>
  }
}

// -----

module attributes {cpu.target = {cpu = "znver4", features = ["avx512f"], fma = true, lanes = 16 : i64, registers = 32 : i64}} {
  un0.param @o : tensor<3x16x3x3xf32> from "m" key "o.weight"
  un0.param @ob : tensor<3xf32> from "m" key "o.bias"
  func.func @generate(%theta0: tensor<?x128xf32>, %phi0: tensor<?x8xf32>, %label: tensor<?xi64>) -> tensor<?x3x8x8xf32> {
    %o = un0.get_param @o : tensor<3x16x3x3xf32>
    %ob = un0.get_param @ob : tensor<3xf32>
    %f = un0.readout %theta0 reference(mean) encoding(sin_cos) : tensor<?x128xf32> -> tensor<?x256xf32>
    %c0 = arith.constant 0 : index
    %b = tensor.dim %f, %c0 : tensor<?x256xf32>
    %x = tensor.expand_shape %f [[0], [1, 2, 3]] output_shape [%b, 16, 4, 4] : tensor<?x256xf32> into tensor<?x16x4x4xf32>
    // expected-error @+1 {{the last convolution must have no upsampling, and tanh or no activation, on target cpu}}
    %z = un0.conv2d %x, %o, %ob activation(tanh) {upsample} : tensor<?x16x4x4xf32>, tensor<3x16x3x3xf32>, tensor<3xf32> -> tensor<?x3x8x8xf32>
    return %z : tensor<?x3x8x8xf32>
  }
}

// -----

module attributes {cpu.target = {cpu = "znver4", features = ["avx512f"], fma = true, lanes = 16 : i64, registers = 32 : i64}} {
  un0.param @o : tensor<3x16x3x3xf32> from "m" key "o.weight"
  un0.param @ob : tensor<3xf32> from "m" key "o.bias"
  func.func @generate(%theta0: tensor<?x128xf32>, %phi0: tensor<?x8xf32>, %label: tensor<?xi64>) -> tensor<?x3x4x4xf32> {
    %o = un0.get_param @o : tensor<3x16x3x3xf32>
    %ob = un0.get_param @ob : tensor<3xf32>
    %theta = un0.evolve(%t = %theta0) solver(euler) steps(2) time(1.000000e+00) : tensor<?x128xf32> {
      // expected-error @+1 {{is not supported in a fused un0.evolve on target cpu}}
      %d = tosa.sin %t : (tensor<?x128xf32>) -> tensor<?x128xf32>
      un0.yield %d : tensor<?x128xf32>
    }
    %f = un0.readout %theta reference(mean) encoding(sin_cos) : tensor<?x128xf32> -> tensor<?x256xf32>
    %c0 = arith.constant 0 : index
    %b = tensor.dim %f, %c0 : tensor<?x256xf32>
    %x = tensor.expand_shape %f [[0], [1, 2, 3]] output_shape [%b, 16, 4, 4] : tensor<?x256xf32> into tensor<?x16x4x4xf32>
    %z = un0.conv2d %x, %o, %ob activation(tanh) : tensor<?x16x4x4xf32>, tensor<3x16x3x3xf32>, tensor<3xf32> -> tensor<?x3x4x4xf32>
    return %z : tensor<?x3x4x4xf32>
  }
}

// -----

module attributes {cpu.target = {cpu = "znver4", features = ["avx512f"], fma = true, lanes = 16 : i64, registers = 32 : i64}} {
  un0.param @o : tensor<3x8x3x3xf32> from "m" key "o.weight"
  un0.param @ob : tensor<3xf32> from "m" key "o.bias"
  func.func @generate(%theta0: tensor<?x128xf32>, %phi0: tensor<?x8xf32>, %label: tensor<?xi64>) -> tensor<?x3x4x4xf32> {
    %o = un0.get_param @o : tensor<3x8x3x3xf32>
    %ob = un0.get_param @ob : tensor<3xf32>
    %f = un0.readout %theta0 reference(mean) encoding(raw) : tensor<?x128xf32> -> tensor<?x128xf32>
    %c0 = arith.constant 0 : index
    %b = tensor.dim %f, %c0 : tensor<?x128xf32>
    %x = tensor.expand_shape %f [[0], [1, 2, 3]] output_shape [%b, 8, 4, 4] : tensor<?x128xf32> into tensor<?x8x4x4xf32>
    // expected-error @+1 {{reads features, whose channels take no exponents on target cpu}}
    %z = un0.conv2d %x, %o, %ob activation(tanh) {precision = #un0<precision int8>, input_scale = 1.0 : f64, input_zero_point = 3 : i64, input_exponents = array<i64: 0, 1, 0, 0, 0, 0, 0, 0>} : tensor<?x8x4x4xf32>, tensor<3x8x3x3xf32>, tensor<3xf32> -> tensor<?x3x4x4xf32>
    return %z : tensor<?x3x4x4xf32>
  }
}

// -----

// What is @generate of a model.
module attributes {cpu.target = {cpu = "znver4", features = ["avx512f"], fma = true, lanes = 16 : i64, registers = 32 : i64}} {
  // expected-error @+1 {{@generate is not a body of one block that returns an image}}
  func.func private @generate(tensor<?x128xf32>, tensor<?x8xf32>, tensor<?xi64>) -> tensor<?x3x4x4xf32>
}

// -----

module attributes {cpu.target = {cpu = "znver4", features = ["avx512f"], fma = true, lanes = 16 : i64, registers = 32 : i64}} {
  un0.param @K : tensor<128x128xf32> from "m" key "K"
  un0.param @w : tensor<1x128xf32> from "m" key "w"
  un0.param @o : tensor<3x16x3x3xf32> from "m" key "o.weight"
  un0.param @ob : tensor<3xf32> from "m" key "o.bias"
  // expected-error @+1 {{input 1 of @generate is 'i64' instead of phases, batch x a number of oscillators}}
  func.func @generate(%theta0: tensor<?x128xf32>, %phi0: i64, %label: tensor<?xi64>) -> tensor<?x3x4x4xf32> {
    %o = un0.get_param @o : tensor<3x16x3x3xf32>
    %ob = un0.get_param @ob : tensor<3xf32>
    %K = un0.get_param @K : tensor<128x128xf32>
    %w = un0.get_param @w : tensor<1x128xf32>
    %f = un0.readout %theta0 reference(mean) encoding(sin_cos) : tensor<?x128xf32> -> tensor<?x256xf32>
    %c0 = arith.constant 0 : index
    %b = tensor.dim %f, %c0 : tensor<?x256xf32>
    %x = tensor.expand_shape %f [[0], [1, 2, 3]] output_shape [%b, 16, 4, 4] : tensor<?x256xf32> into tensor<?x16x4x4xf32>
    %z = un0.conv2d %x, %o, %ob activation(tanh) : tensor<?x16x4x4xf32>, tensor<3x16x3x3xf32>, tensor<3xf32> -> tensor<?x3x4x4xf32>
    return %z : tensor<?x3x4x4xf32>
  }
}

// -----

module attributes {cpu.target = {cpu = "znver4", features = ["avx512f"], fma = true, lanes = 16 : i64, registers = 32 : i64}} {
  un0.param @K : tensor<128x128xf32> from "m" key "K"
  un0.param @w : tensor<1x128xf32> from "m" key "w"
  un0.param @o : tensor<3x16x3x3xf32> from "m" key "o.weight"
  un0.param @ob : tensor<3xf32> from "m" key "o.bias"
  // expected-error @+1 {{input 1 of @generate is 'tensor<?x?xf32>' instead of phases, batch x a number of oscillators}}
  func.func @generate(%theta0: tensor<?x128xf32>, %phi0: tensor<?x?xf32>, %label: tensor<?xi64>) -> tensor<?x3x4x4xf32> {
    %o = un0.get_param @o : tensor<3x16x3x3xf32>
    %ob = un0.get_param @ob : tensor<3xf32>
    %K = un0.get_param @K : tensor<128x128xf32>
    %w = un0.get_param @w : tensor<1x128xf32>
    %f = un0.readout %theta0 reference(mean) encoding(sin_cos) : tensor<?x128xf32> -> tensor<?x256xf32>
    %c0 = arith.constant 0 : index
    %b = tensor.dim %f, %c0 : tensor<?x256xf32>
    %x = tensor.expand_shape %f [[0], [1, 2, 3]] output_shape [%b, 16, 4, 4] : tensor<?x256xf32> into tensor<?x16x4x4xf32>
    %z = un0.conv2d %x, %o, %ob activation(tanh) : tensor<?x16x4x4xf32>, tensor<3x16x3x3xf32>, tensor<3xf32> -> tensor<?x3x4x4xf32>
    return %z : tensor<?x3x4x4xf32>
  }
}

// -----

module attributes {cpu.target = {cpu = "znver4", features = ["avx512f"], fma = true, lanes = 16 : i64, registers = 32 : i64}} {
  un0.param @K : tensor<128x128xf32> from "m" key "K"
  un0.param @w : tensor<1x128xf32> from "m" key "w"
  un0.param @o : tensor<3x16x3x3xf32> from "m" key "o.weight"
  un0.param @ob : tensor<3xf32> from "m" key "o.bias"
  // expected-error @+1 {{input 2 of @generate is 'tensor<?xi32>' instead of labels, one i64 per image}}
  func.func @generate(%theta0: tensor<?x128xf32>, %phi0: tensor<?x8xf32>, %label: tensor<?xi32>) -> tensor<?x3x4x4xf32> {
    %o = un0.get_param @o : tensor<3x16x3x3xf32>
    %ob = un0.get_param @ob : tensor<3xf32>
    %K = un0.get_param @K : tensor<128x128xf32>
    %w = un0.get_param @w : tensor<1x128xf32>
    %f = un0.readout %theta0 reference(mean) encoding(sin_cos) : tensor<?x128xf32> -> tensor<?x256xf32>
    %c0 = arith.constant 0 : index
    %b = tensor.dim %f, %c0 : tensor<?x256xf32>
    %x = tensor.expand_shape %f [[0], [1, 2, 3]] output_shape [%b, 16, 4, 4] : tensor<?x256xf32> into tensor<?x16x4x4xf32>
    %z = un0.conv2d %x, %o, %ob activation(tanh) : tensor<?x16x4x4xf32>, tensor<3x16x3x3xf32>, tensor<3xf32> -> tensor<?x3x4x4xf32>
    return %z : tensor<?x3x4x4xf32>
  }
}

// -----

module attributes {cpu.target = {cpu = "znver4", features = ["avx512f"], fma = true, lanes = 16 : i64, registers = 32 : i64}} {
  // expected-error @+1 {{@generate computes in 'f64', which target cpu does not}}
  func.func @generate(%x: tensor<?x128xf64>, %p: tensor<?x8xf64>, %l: tensor<?xi64>) -> tensor<?x128xf64> {
    return %x : tensor<?x128xf64>
  }
}

// -----

module attributes {cpu.target = {cpu = "znver4", features = ["avx512f"], fma = true, lanes = 16 : i64, registers = 32 : i64}} {
  un0.param @K : tensor<128x128xf32> from "m" key "K"
  un0.param @w : tensor<1x128xf32> from "m" key "w"
  un0.param @o : tensor<3x16x3x3xf32> from "m" key "o.weight"
  un0.param @ob : tensor<3xf32> from "m" key "o.bias"
  func.func @generate(%theta0: tensor<?x128xf32>, %phi0: tensor<?x8xf32>, %label: tensor<?xi64>) -> tensor<?x3x4x4xf32> {
    %o = un0.get_param @o : tensor<3x16x3x3xf32>
    %ob = un0.get_param @ob : tensor<3xf32>
    %K = un0.get_param @K : tensor<128x128xf32>
    %w = un0.get_param @w : tensor<1x128xf32>
    %theta = un0.evolve(%t = %theta0) solver(euler) steps(3) time(3.000000e-01) : tensor<?x128xf32> {
      %s, %c = un0.sin_cos %t : tensor<?x128xf32>
      // expected-error @+1 {{sine and cosine of coupling 0 are not those of one un0.sin_cos}}
      %dt = un0.fused_rate of(%s, %c) frequency %w couple %K(%c, %s) : tensor<?x128xf32>, tensor<1x128xf32>, [tensor<128x128xf32>, tensor<?x128xf32>]
      un0.yield %dt : tensor<?x128xf32>
    }
    %f = un0.readout %theta reference(mean) encoding(sin_cos) : tensor<?x128xf32> -> tensor<?x256xf32>
    %c0 = arith.constant 0 : index
    %b = tensor.dim %f, %c0 : tensor<?x256xf32>
    %x = tensor.expand_shape %f [[0], [1, 2, 3]] output_shape [%b, 16, 4, 4] : tensor<?x256xf32> into tensor<?x16x4x4xf32>
    %z = un0.conv2d %x, %o, %ob activation(tanh) : tensor<?x16x4x4xf32>, tensor<3x16x3x3xf32>, tensor<3xf32> -> tensor<?x3x4x4xf32>
    return %z : tensor<?x3x4x4xf32>
  }
}

// -----

module attributes {cpu.target = {cpu = "znver4", features = ["avx512f"], fma = true, lanes = 16 : i64, registers = 32 : i64}} {
  un0.param @K : tensor<128x128xf32> from "m" key "K"
  un0.param @w : tensor<1x128xf32> from "m" key "w"
  un0.param @o : tensor<3x16x3x3xf32> from "m" key "o.weight"
  un0.param @ob : tensor<3xf32> from "m" key "o.bias"
  func.func @generate(%theta0: tensor<?x128xf32>, %phi0: tensor<?x8xf32>, %label: tensor<?xi64>) -> tensor<?x3x4x4xf32> {
    %o = un0.get_param @o : tensor<3x16x3x3xf32>
    %ob = un0.get_param @ob : tensor<3xf32>
    %K = un0.get_param @K : tensor<128x128xf32>
    %w = un0.get_param @w : tensor<1x128xf32>
    %theta = un0.evolve(%t = %theta0) solver(euler) steps(3) time(3.000000e-01) : tensor<?x128xf32> {
      %s, %c = un0.sin_cos %t : tensor<?x128xf32>
      // expected-error @+1 {{target sine and cosine are not those of one un0.sin_cos}}
      %dt = un0.fused_rate of(%c, %s) frequency %w couple %K(%s, %c) : tensor<?x128xf32>, tensor<1x128xf32>, [tensor<128x128xf32>, tensor<?x128xf32>]
      un0.yield %dt : tensor<?x128xf32>
    }
    %f = un0.readout %theta reference(mean) encoding(sin_cos) : tensor<?x128xf32> -> tensor<?x256xf32>
    %c0 = arith.constant 0 : index
    %b = tensor.dim %f, %c0 : tensor<?x256xf32>
    %x = tensor.expand_shape %f [[0], [1, 2, 3]] output_shape [%b, 16, 4, 4] : tensor<?x256xf32> into tensor<?x16x4x4xf32>
    %z = un0.conv2d %x, %o, %ob activation(tanh) : tensor<?x16x4x4xf32>, tensor<3x16x3x3xf32>, tensor<3xf32> -> tensor<?x3x4x4xf32>
    return %z : tensor<?x3x4x4xf32>
  }
}

// -----

module attributes {cpu.target = {cpu = "znver4", features = ["avx512f"], fma = true, lanes = 16 : i64, registers = 32 : i64}} {
  un0.param @K : tensor<128x128xf32> from "m" key "K"
  un0.param @w : tensor<1x128xf32> from "m" key "w"
  un0.param @o : tensor<3x16x3x3xf32> from "m" key "o.weight"
  un0.param @ob : tensor<3xf32> from "m" key "o.bias"
  func.func @generate(%theta0: tensor<?x128xf32>, %phi0: tensor<?x8xf32>, %label: tensor<?xi64>) -> tensor<?x3x4x4xf32> {
    %o = un0.get_param @o : tensor<3x16x3x3xf32>
    %ob = un0.get_param @ob : tensor<3xf32>
    %K = un0.get_param @K : tensor<128x128xf32>
    %w = un0.get_param @w : tensor<1x128xf32>
    %theta = un0.evolve(%t = %theta0) solver(euler) steps(3) time(3.000000e-01) : tensor<?x128xf32> {
      %s, %c = un0.sin_cos %t : tensor<?x128xf32>
      // expected-error @+1 {{sine and cosine of coupling 0 are not those of one un0.sin_cos}}
      %dt = un0.fused_rate of(%s, %c) frequency %w couple %K(%t, %t) : tensor<?x128xf32>, tensor<1x128xf32>, [tensor<128x128xf32>, tensor<?x128xf32>]
      un0.yield %dt : tensor<?x128xf32>
    }
    %f = un0.readout %theta reference(mean) encoding(sin_cos) : tensor<?x128xf32> -> tensor<?x256xf32>
    %c0 = arith.constant 0 : index
    %b = tensor.dim %f, %c0 : tensor<?x256xf32>
    %x = tensor.expand_shape %f [[0], [1, 2, 3]] output_shape [%b, 16, 4, 4] : tensor<?x256xf32> into tensor<?x16x4x4xf32>
    %z = un0.conv2d %x, %o, %ob activation(tanh) : tensor<?x16x4x4xf32>, tensor<3x16x3x3xf32>, tensor<3xf32> -> tensor<?x3x4x4xf32>
    return %z : tensor<?x3x4x4xf32>
  }
}

// -----

module attributes {cpu.target = {cpu = "znver4", features = ["avx512f"], fma = true, lanes = 16 : i64, registers = 32 : i64}} {
  un0.param @o : tensor<3x2x3x3xf32> from "m" key "o.weight"
  un0.param @ob : tensor<3xf32> from "m" key "o.bias"
  func.func @generate(%theta0: tensor<4x32xf32>, %phi0: tensor<4x8xf32>, %label: tensor<4xi64>) -> tensor<2x3x8x8xf32> {
    %o = un0.get_param @o : tensor<3x2x3x3xf32>
    %ob = un0.get_param @ob : tensor<3xf32>
    %f = un0.readout %theta0 reference(mean) encoding(sin_cos) : tensor<4x32xf32> -> tensor<4x64xf32>
    // expected-error @+1 {{makes more of the features than channels x height x width of an image}}
    %x = tensor.expand_shape %f [[0, 1], [2, 3]] output_shape [2, 2, 8, 8] : tensor<4x64xf32> into tensor<2x2x8x8xf32>
    %z = un0.conv2d %x, %o, %ob activation(tanh) : tensor<2x2x8x8xf32>, tensor<3x2x3x3xf32>, tensor<3xf32> -> tensor<2x3x8x8xf32>
    return %z : tensor<2x3x8x8xf32>
  }
}
