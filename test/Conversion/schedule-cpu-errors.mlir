// RUN: un0-opt %s --split-input-file --un0-schedule-cpu --verify-diagnostics
// RUN: un0-opt %s --split-input-file --un0-to-cpu --verify-diagnostics

module attributes {cpu.target = {cpu = "znver4", features = ["avx512f"], fma = true, lanes = 16 : i64, registers = 32 : i64}} {
  un0.param @a : tensor<16x16x3x3xf32> from "m" key "a.weight"
  un0.param @ab : tensor<16xf32> from "m" key "a.bias"
  un0.param @o : tensor<3x16x3x3xf32> from "m" key "o.weight"
  un0.param @ob : tensor<3xf32> from "m" key "o.bias"
  func.func @generate(%theta0: tensor<?x128xf32>, %phi0: tensor<?x8xf32>, %label: tensor<?xi64>) -> tensor<?x3x4x4xf32> {
    %a = un0.get_param @a : tensor<16x16x3x3xf32>
    %ab = un0.get_param @ab : tensor<16xf32>
    %o = un0.get_param @o : tensor<3x16x3x3xf32>
    %ob = un0.get_param @ob : tensor<3xf32>
    %f = un0.readout %theta0 reference(mean) encoding(sin_cos) : tensor<?x128xf32> -> tensor<?x256xf32>
    %c0 = arith.constant 0 : index
    %n = tensor.dim %f, %c0 : tensor<?x256xf32>
    %x = tensor.expand_shape %f [[0], [1, 2, 3]] output_shape [%n, 16, 4, 4] : tensor<?x256xf32> into tensor<?x16x4x4xf32>
    %y = un0.conv2d %x, %a, %ab activation(leaky_relu) {cpu.schedule = #cpu.conv_schedule<form = f4>, slope = 2.000000e-01 : f64} : tensor<?x16x4x4xf32>, tensor<16x16x3x3xf32>, tensor<16xf32> -> tensor<?x16x4x4xf32>
    // expected-error @+1 {{cpu.schedule: is batched behind a convolution that is not}}
    %z = un0.conv2d %y, %a, %ab activation(leaky_relu) {cpu.schedule = #cpu.conv_schedule<form = f4, batched = true>, slope = 2.000000e-01 : f64} : tensor<?x16x4x4xf32>, tensor<16x16x3x3xf32>, tensor<16xf32> -> tensor<?x16x4x4xf32>
    %i = un0.conv2d %z, %o, %ob activation(tanh) : tensor<?x16x4x4xf32>, tensor<3x16x3x3xf32>, tensor<3xf32> -> tensor<?x3x4x4xf32>
    return %i : tensor<?x3x4x4xf32>
  }
}

// -----

module attributes {cpu.target = {cpu = "znver4", features = ["avx512f"], fma = true, lanes = 16 : i64, registers = 32 : i64}} {
  un0.param @a : tensor<16x16x3x3xf32> from "m" key "a.weight"
  un0.param @ab : tensor<16xf32> from "m" key "a.bias"
  un0.param @o : tensor<3x16x3x3xf32> from "m" key "o.weight"
  un0.param @ob : tensor<3xf32> from "m" key "o.bias"
  func.func @generate(%theta0: tensor<?x128xf32>, %phi0: tensor<?x8xf32>, %label: tensor<?xi64>) -> tensor<?x3x4x4xf32> {
    %a = un0.get_param @a : tensor<16x16x3x3xf32>
    %ab = un0.get_param @ab : tensor<16xf32>
    %o = un0.get_param @o : tensor<3x16x3x3xf32>
    %ob = un0.get_param @ob : tensor<3xf32>
    %f = un0.readout %theta0 reference(mean) encoding(sin_cos) : tensor<?x128xf32> -> tensor<?x256xf32>
    %c0 = arith.constant 0 : index
    %n = tensor.dim %f, %c0 : tensor<?x256xf32>
    %x = tensor.expand_shape %f [[0], [1, 2, 3]] output_shape [%n, 16, 4, 4] : tensor<?x256xf32> into tensor<?x16x4x4xf32>
    // expected-error @+1 {{cpu.schedule: takes 17 images together of a batch of 16}}
    %y = un0.conv2d %x, %a, %ab activation(leaky_relu) {cpu.schedule = #cpu.conv_schedule<form = f4, batched = true, images = 17>, slope = 2.000000e-01 : f64} : tensor<?x16x4x4xf32>, tensor<16x16x3x3xf32>, tensor<16xf32> -> tensor<?x16x4x4xf32>
    %z = un0.conv2d %y, %a, %ab activation(leaky_relu) {slope = 2.000000e-01 : f64} : tensor<?x16x4x4xf32>, tensor<16x16x3x3xf32>, tensor<16xf32> -> tensor<?x16x4x4xf32>
    %i = un0.conv2d %z, %o, %ob activation(tanh) : tensor<?x16x4x4xf32>, tensor<3x16x3x3xf32>, tensor<3xf32> -> tensor<?x3x4x4xf32>
    return %i : tensor<?x3x4x4xf32>
  }
}

// -----

module attributes {cpu.target = {cpu = "znver4", features = ["avx512f"], fma = true, lanes = 16 : i64, registers = 32 : i64}} {
  un0.param @a : tensor<16x16x3x3xf32> from "m" key "a.weight"
  un0.param @ab : tensor<16xf32> from "m" key "a.bias"
  un0.param @o : tensor<3x16x3x3xf32> from "m" key "o.weight"
  un0.param @ob : tensor<3xf32> from "m" key "o.bias"
  func.func @generate(%theta0: tensor<?x128xf32>, %phi0: tensor<?x8xf32>, %label: tensor<?xi64>) -> tensor<?x3x4x4xf32> {
    %a = un0.get_param @a : tensor<16x16x3x3xf32>
    %ab = un0.get_param @ab : tensor<16xf32>
    %o = un0.get_param @o : tensor<3x16x3x3xf32>
    %ob = un0.get_param @ob : tensor<3xf32>
    %f = un0.readout %theta0 reference(mean) encoding(sin_cos) : tensor<?x128xf32> -> tensor<?x256xf32>
    %c0 = arith.constant 0 : index
    %n = tensor.dim %f, %c0 : tensor<?x256xf32>
    %x = tensor.expand_shape %f [[0], [1, 2, 3]] output_shape [%n, 16, 4, 4] : tensor<?x256xf32> into tensor<?x16x4x4xf32>
    %y = un0.conv2d %x, %a, %ab activation(leaky_relu) {slope = 2.000000e-01 : f64} : tensor<?x16x4x4xf32>, tensor<16x16x3x3xf32>, tensor<16xf32> -> tensor<?x16x4x4xf32>
    %z = un0.conv2d %y, %a, %ab activation(leaky_relu) {slope = 2.000000e-01 : f64} : tensor<?x16x4x4xf32>, tensor<16x16x3x3xf32>, tensor<16xf32> -> tensor<?x16x4x4xf32>
    // expected-error @+1 {{cpu.schedule: is the last convolution, which is direct and takes image by image}}
    %i = un0.conv2d %z, %o, %ob activation(tanh) {cpu.schedule = #cpu.conv_schedule<form = f2>} : tensor<?x16x4x4xf32>, tensor<3x16x3x3xf32>, tensor<3xf32> -> tensor<?x3x4x4xf32>
    return %i : tensor<?x3x4x4xf32>
  }
}

// -----

module attributes {cpu.target = {cpu = "znver4", features = ["avx512f"], fma = true, lanes = 16 : i64, registers = 32 : i64}} {
  un0.param @a : tensor<16x16x3x3xf32> from "m" key "a.weight"
  un0.param @ab : tensor<16xf32> from "m" key "a.bias"
  un0.param @o : tensor<3x16x3x3xf32> from "m" key "o.weight"
  un0.param @ob : tensor<3xf32> from "m" key "o.bias"
  func.func @generate(%theta0: tensor<?x128xf32>, %phi0: tensor<?x8xf32>, %label: tensor<?xi64>) -> tensor<?x3x4x4xf32> {
    %a = un0.get_param @a : tensor<16x16x3x3xf32>
    %ab = un0.get_param @ab : tensor<16xf32>
    %o = un0.get_param @o : tensor<3x16x3x3xf32>
    %ob = un0.get_param @ob : tensor<3xf32>
    %f = un0.readout %theta0 reference(mean) encoding(sin_cos) : tensor<?x128xf32> -> tensor<?x256xf32>
    %c0 = arith.constant 0 : index
    %n = tensor.dim %f, %c0 : tensor<?x256xf32>
    %x = tensor.expand_shape %f [[0], [1, 2, 3]] output_shape [%n, 16, 4, 4] : tensor<?x256xf32> into tensor<?x16x4x4xf32>
    %y = un0.conv2d %x, %a, %ab activation(leaky_relu) {cpu.schedule = #cpu.conv_schedule<form = f4, batched = true>, slope = 2.000000e-01 : f64} : tensor<?x16x4x4xf32>, tensor<16x16x3x3xf32>, tensor<16xf32> -> tensor<?x16x4x4xf32>
    %z = un0.conv2d %y, %a, %ab activation(leaky_relu) {cpu.schedule = #cpu.conv_schedule<form = f2, batched = true>, slope = 2.000000e-01 : f64} : tensor<?x16x4x4xf32>, tensor<16x16x3x3xf32>, tensor<16xf32> -> tensor<?x16x4x4xf32>
    // expected-error @+1 {{cpu.schedule: is the last convolution, which is direct and takes image by image}}
    %i = un0.conv2d %z, %o, %ob activation(tanh) {cpu.schedule = #cpu.conv_schedule<form = direct, batched = true>} : tensor<?x16x4x4xf32>, tensor<3x16x3x3xf32>, tensor<3xf32> -> tensor<?x3x4x4xf32>
    return %i : tensor<?x3x4x4xf32>
  }
}

// -----

// expected-error @+1 {{module has no cpu.target attribute}}
module {
}
