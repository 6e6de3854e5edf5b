// RUN: un0-opt %s -split-input-file -verify-diagnostics

// expected-error @below {{'un0.param' op zero_diagonal needs a square parameter, but it is 10 x 16 x 4}}
un0.param @D : tensor<10x16x4xf32> from "m" key "D" {zero_diagonal}

// -----

// expected-error @below {{'un0.param' op zero_diagonal needs a square parameter, but it is 16}}
un0.param @w : tensor<16xf32> from "m" key "w" {zero_diagonal}

// -----

// expected-error @below {{'un0.param' op scale must be finite, but is INF}}
un0.param @K : tensor<2x2xf32> from "m" key "K" {scale = 0x7FF0000000000000 : f64}

// -----

func.func @unknown_parameter() {
  // expected-error @below {{'un0.get_param' op refers to @K, which is not a un0.param}}
  %K = un0.get_param @K : tensor<2x2xf32>
  return
}

// -----

// expected-note @below {{parameter is here}}
un0.param @K : tensor<16x16xf32> from "m" key "K"
func.func @parameter_type() {
  // expected-error @below {{'un0.get_param' op has type 'tensor<16x8xf32>' but @K has type 'tensor<16x16xf32>'}}
  %K = un0.get_param @K : tensor<16x8xf32>
  return
}

// -----

func.func @select_shape(%D: tensor<10x16x4xf32>, %label: tensor<?xi64>) {
  // expected-error @below {{'un0.select_class' op selects 'tensor<?x16x4xf32>' but the result is 'tensor<?x16x8xf32>'}}
  %d = un0.select_class %D[%label] : tensor<10x16x4xf32>, tensor<?xi64> -> tensor<?x16x8xf32>
  return
}

// -----

func.func @select_rank(%D: tensor<10xf32>, %label: tensor<?xi64>) {
  // expected-error @below {{'un0.select_class' op table must have a class dimension and one more, but is 'tensor<10xf32>'}}
  %d = un0.select_class %D[%label] : tensor<10xf32>, tensor<?xi64> -> tensor<?xf32>
  return
}

// -----

func.func @select_bits(%D: tensor<10x16x4xf32>, %label: tensor<?xi64>) {
  // expected-error @below {{'un0.select_class' op tables have 10 bits or are f32, but this one has 8}}
  %d = un0.select_class %D[%label] {bits = 8 : i64} : tensor<10x16x4xf32>, tensor<?xi64> -> tensor<?x16x4xf32>
  return
}

// -----

func.func @select_bits_rank(%D: tensor<10x16xf32>, %label: tensor<?xi64>) {
  // expected-error @below {{'un0.select_class' op a table of 10 bits must be classes x N x M, but is 'tensor<10x16xf32>'}}
  %d = un0.select_class %D[%label] {bits = 10 : i64} : tensor<10x16xf32>, tensor<?xi64> -> tensor<?x16xf32>
  return
}

// -----

func.func @no_states() {
  // expected-error @below {{'un0.evolve' op must have at least one state}}
  un0.evolve() solver(euler) steps(1) time(1.0) {
    un0.yield
  }
  return
}

// -----

func.func @state_rank(%theta0: tensor<16xf32>) {
  // expected-error @below {{'un0.evolve' op state 0 must be a batch x phases tensor with a static number of phases, but is 'tensor<16xf32>'}}
  %theta = un0.evolve(%t = %theta0) solver(euler) steps(1) time(1.0) : tensor<16xf32> {
    un0.yield %t : tensor<16xf32>
  }
  return
}

// -----

func.func @state_batches(%theta0: tensor<2x16xf32>, %phi0: tensor<3x4xf32>) {
  // expected-error @below {{'un0.evolve' op state 1 is for a batch of 3 but state 0 is for a batch of 2}}
  %theta, %phi = un0.evolve(%t = %theta0, %p = %phi0) solver(euler) steps(1) time(1.0) : tensor<2x16xf32>, tensor<3x4xf32> {
    un0.yield %t, %p : tensor<2x16xf32>, tensor<3x4xf32>
  }
  return
}

// -----

func.func @state_elements(%theta0: tensor<?x16xf32>, %phi0: tensor<?x4xf64>) {
  // expected-error @below {{'un0.evolve' op state 1 has elements of type 'f64' but state 0 of type 'f32'}}
  %theta, %phi = un0.evolve(%t = %theta0, %p = %phi0) solver(euler) steps(1) time(1.0) : tensor<?x16xf32>, tensor<?x4xf64> {
    un0.yield %t, %p : tensor<?x16xf32>, tensor<?x4xf64>
  }
  return
}

// -----

func.func @negative_steps(%theta0: tensor<?x16xf32>) {
  // expected-error @below {{'un0.evolve' op steps must not be negative, but is -3}}
  %theta = un0.evolve(%t = %theta0) solver(euler) steps(-3) time(1.0) : tensor<?x16xf32> {
    un0.yield %t : tensor<?x16xf32>
  }
  return
}

// -----

func.func @infinite_time(%theta0: tensor<?x16xf32>) {
  // expected-error @below {{'un0.evolve' op time must be finite, but is INF}}
  %theta = un0.evolve(%t = %theta0) solver(euler) steps(3) time(0x7FF0000000000000) : tensor<?x16xf32> {
    un0.yield %t : tensor<?x16xf32>
  }
  return
}

// -----

func.func @unknown_solver(%theta0: tensor<?x16xf32>) {
  // expected-error @below {{unknown solver 'midpoint', expected euler, heun, rk4 or rk4_classic}}
  %theta = un0.evolve(%t = %theta0) solver(midpoint) steps(3) time(1.0) : tensor<?x16xf32> {
    un0.yield %t : tensor<?x16xf32>
  }
  return
}

// -----

func.func @missing_type(%theta0: tensor<?x16xf32>, %phi0: tensor<?x4xf32>) {
  // expected-error @below {{there are 2 states but 1 types}}
  %theta, %phi = un0.evolve(%t = %theta0, %p = %phi0) solver(euler) steps(3) time(1.0) : tensor<?x16xf32> {
    un0.yield %t : tensor<?x16xf32>
  }
  return
}

// -----

func.func @argument_count(%theta0: tensor<?x16xf32>) {
  // expected-error @below {{'un0.evolve' op region has 0 arguments but there are 1 states}}
  %theta = "un0.evolve"(%theta0) <{solver = #un0<solver euler>, steps = 1 : i64, time = 1.0 : f64}> ({
    un0.yield %theta0 : tensor<?x16xf32>
  }) : (tensor<?x16xf32>) -> tensor<?x16xf32>
  return
}

// -----

func.func @argument_type(%theta0: tensor<?x16xf32>) {
  // expected-error @below {{'un0.evolve' op region argument 0 is 'tensor<?x8xf32>' but state 0 is 'tensor<?x16xf32>'}}
  %theta = "un0.evolve"(%theta0) <{solver = #un0<solver euler>, steps = 1 : i64, time = 1.0 : f64}> ({
  ^bb0(%t: tensor<?x8xf32>):
    un0.yield %theta0 : tensor<?x16xf32>
  }) : (tensor<?x16xf32>) -> tensor<?x16xf32>
  return
}

// -----

func.func @rate_count(%theta0: tensor<?x16xf32>, %phi0: tensor<?x4xf32>) {
  %theta, %phi = un0.evolve(%t = %theta0, %p = %phi0) solver(euler) steps(1) time(1.0) : tensor<?x16xf32>, tensor<?x4xf32> {
    // expected-error @below {{'un0.yield' op has 1 rates but there are 2 states}}
    un0.yield %t : tensor<?x16xf32>
  }
  return
}

// -----

func.func @rate_type(%theta0: tensor<?x16xf32>, %phi0: tensor<?x4xf32>) {
  %theta, %phi = un0.evolve(%t = %theta0, %p = %phi0) solver(euler) steps(1) time(1.0) : tensor<?x16xf32>, tensor<?x4xf32> {
    // expected-error @below {{'un0.yield' op rate 0 is 'tensor<?x4xf32>' but state 0 is 'tensor<?x16xf32>'}}
    un0.yield %p, %t : tensor<?x4xf32>, tensor<?x16xf32>
  }
  return
}

// -----

func.func @other_terminator(%theta0: tensor<?x16xf32>) {
  // expected-error @below {{'un0.evolve' op region must end with un0.yield, but ends with llvm.unreachable}}
  %theta = un0.evolve(%t = %theta0) solver(euler) steps(1) time(1.0) : tensor<?x16xf32> {
    llvm.unreachable
  }
  return
}

// -----

func.func @yield_outside(%theta0: tensor<?x16xf32>) {
  // expected-error @below {{'un0.yield' op expects parent op 'un0.evolve'}}
  un0.yield %theta0 : tensor<?x16xf32>
}

// -----

func.func @coupling_source(%K: tensor<1024x1000xf32>, %t: tensor<?x1024xf32>) {
  // expected-error @below {{'un0.couple' op coupling is 1024 x 1000 but source has 1024 phases}}
  %a = un0.couple %K, %t, %t : tensor<1024x1000xf32>, tensor<?x1024xf32>, tensor<?x1024xf32>
  return
}

// -----

func.func @coupling_target(%K: tensor<16x4xf32>, %p: tensor<?x4xf32>, %t: tensor<?x20xf32>) {
  // expected-error @below {{'un0.couple' op coupling is 16 x 4 but target has 20 phases}}
  %a = un0.couple %K, %p, %t : tensor<16x4xf32>, tensor<?x4xf32>, tensor<?x20xf32>
  return
}

// -----

func.func @coupling_rank(%K: tensor<16xf32>, %t: tensor<?x16xf32>) {
  // expected-error @below {{'un0.couple' op coupling must be targets x sources or batch x targets x sources, but is 'tensor<16xf32>'}}
  %a = un0.couple %K, %t, %t : tensor<16xf32>, tensor<?x16xf32>, tensor<?x16xf32>
  return
}

// -----

func.func @coupling_dynamic(%K: tensor<?x16xf32>, %t: tensor<?x16xf32>) {
  // expected-error @below {{'un0.couple' op coupling must have static numbers of targets and sources, but is 'tensor<?x16xf32>'}}
  %a = un0.couple %K, %t, %t : tensor<?x16xf32>, tensor<?x16xf32>, tensor<?x16xf32>
  return
}

// -----

func.func @coupling_batch(%K: tensor<3x16x16xf32>, %t: tensor<2x16xf32>) {
  // expected-error @below {{'un0.couple' op coupling is for a batch of 3 but target is for a batch of 2}}
  %a = un0.couple %K, %t, %t : tensor<3x16x16xf32>, tensor<2x16xf32>, tensor<2x16xf32>
  return
}

// -----

func.func @source_batch(%K: tensor<16x16xf32>, %s: tensor<3x16xf32>, %t: tensor<2x16xf32>) {
  // expected-error @below {{'un0.couple' op source is for a batch of 3 but target is for a batch of 2}}
  %a = un0.couple %K, %s, %t : tensor<16x16xf32>, tensor<3x16xf32>, tensor<2x16xf32>
  return
}

// -----

func.func @coupling_elements(%K: tensor<16x16xf64>, %t: tensor<2x16xf32>) {
  // expected-error @below {{'un0.couple' op coupling, source and target must have one element type, but have 'f64', 'f32' and 'f32'}}
  %a = un0.couple %K, %t, %t : tensor<16x16xf64>, tensor<2x16xf32>, tensor<2x16xf32>
  return
}

// -----

func.func @phases_dynamic(%K: tensor<16x16xf32>, %t: tensor<2x?xf32>) {
  // expected-error @below {{'un0.couple' op source must be a batch x phases tensor with a static number of phases, but is 'tensor<2x?xf32>'}}
  %a = un0.couple %K, %t, %t : tensor<16x16xf32>, tensor<2x?xf32>, tensor<2x?xf32>
  return
}

// -----

func.func @diagonal_square(%K: tensor<16x4xf32>, %p: tensor<?x4xf32>, %t: tensor<?x16xf32>) {
  // expected-error @below {{'un0.couple' op zero_diagonal needs a square coupling, but it is 16 x 4}}
  %a = un0.couple %K, %p, %t {zero_diagonal} : tensor<16x4xf32>, tensor<?x4xf32>, tensor<?x16xf32>
  return
}

// -----

func.func @diagonal_population(%K: tensor<16x16xf32>, %s: tensor<?x16xf32>, %t: tensor<?x16xf32>) {
  // expected-error @below {{'un0.couple' op zero_diagonal needs source and target to be the same population}}
  %a = un0.couple %K, %s, %t {zero_diagonal} : tensor<16x16xf32>, tensor<?x16xf32>, tensor<?x16xf32>
  return
}

// -----

func.func @couple_result(%K: tensor<16x16xf32>, %t: tensor<?x16xf32>) {
  // expected-error @below {{'un0.couple' op result is 'tensor<2x16xf32>' but target is 'tensor<?x16xf32>'}}
  %a = "un0.couple"(%K, %t, %t) : (tensor<16x16xf32>, tensor<?x16xf32>, tensor<?x16xf32>) -> tensor<2x16xf32>
  return
}

// -----

func.func @frequency_shape(%t: tensor<?x16xf32>, %w: tensor<16xf32>) {
  // expected-error @below {{'un0.rate' op frequency is 16 but the state has 16 phases}}
  %dt = un0.rate of %t frequency %w : tensor<?x16xf32>, tensor<16xf32>
  return
}

// -----

func.func @frequency_count(%t: tensor<?x16xf32>, %w: tensor<1x12xf32>) {
  // expected-error @below {{'un0.rate' op frequency is 1 x 12 but the state has 16 phases}}
  %dt = un0.rate of %t frequency %w : tensor<?x16xf32>, tensor<1x12xf32>
  return
}

// -----

func.func @frequency_elements(%t: tensor<?x16xf32>, %w: tensor<1x16xf64>) {
  // expected-error @below {{'un0.rate' op frequency has elements of type 'f64' but the state of type 'f32'}}
  %dt = un0.rate of %t frequency %w : tensor<?x16xf32>, tensor<1x16xf64>
  return
}

// -----

func.func @term_type(%t: tensor<?x16xf32>, %w: tensor<1x16xf32>, %p: tensor<?x4xf32>) {
  // expected-error @below {{'un0.rate' op term 1 is 'tensor<?x4xf32>' but the state is 'tensor<?x16xf32>'}}
  %dt = "un0.rate"(%t, %w, %t, %p) : (tensor<?x16xf32>, tensor<1x16xf32>, tensor<?x16xf32>, tensor<?x4xf32>) -> tensor<?x16xf32>
  return
}

// -----

func.func @feature_count(%t: tensor<?x1024xf32>) {
  // expected-error @below {{'un0.readout' op reference mean and encoding sin_cos make 2048 features of 1024 phases, but the result has 1024}}
  %f = un0.readout %t reference(mean) encoding(sin_cos) : tensor<?x1024xf32> -> tensor<?x1024xf32>
  return
}

// -----

func.func @pairwise_count(%t: tensor<?x8xf32>) {
  // expected-error @below {{'un0.readout' op reference pairwise and encoding sin make 64 features of 8 phases, but the result has 8}}
  %f = un0.readout %t reference(pairwise) encoding(sin) : tensor<?x8xf32> -> tensor<?x8xf32>
  return
}

// -----

func.func @feature_overflow(%t: tensor<?x8589934592xf32>) {
  // expected-error @below {{'un0.readout' op has more features than can be counted, of 8589934592 phases}}
  %f = un0.readout %t reference(pairwise) encoding(sin) : tensor<?x8589934592xf32> -> tensor<?x8xf32>
  return
}

// -----

func.func @readout_batch(%t: tensor<?x8xf32>) {
  // expected-error @below {{'un0.readout' op phases are for a batch of ? but the result is for a batch of 2}}
  %f = un0.readout %t reference(mean) encoding(sin) : tensor<?x8xf32> -> tensor<2x8xf32>
  return
}

// -----

func.func @readout_elements(%t: tensor<?x8xf32>) {
  // expected-error @below {{'un0.readout' op phases have elements of type 'f32' but the result of type 'f64'}}
  %f = un0.readout %t reference(mean) encoding(sin) : tensor<?x8xf32> -> tensor<?x8xf64>
  return
}

// -----

func.func @fused_segments(%s: tensor<?x16xf32>, %w: tensor<1x16xf32>, %K: tensor<16x16xf32>) {
  // expected-error @below {{'un0.fused_rate' op has 1 couplings, 1 sines and 0 cosines}}
  %r = "un0.fused_rate"(%s, %s, %w, %K, %s) <{operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 0>}>
      : (tensor<?x16xf32>, tensor<?x16xf32>, tensor<1x16xf32>, tensor<16x16xf32>, tensor<?x16xf32>) -> tensor<?x16xf32>
  return
}

// -----

func.func @fused_coupling(%s: tensor<?x16xf32>, %p: tensor<?x4xf32>, %w: tensor<1x16xf32>, %K: tensor<16x16xf32>) {
  // expected-error @below {{'un0.fused_rate' op coupling is 16 x 16 but source has 4 phases}}
  %r = un0.fused_rate of(%s, %s) frequency %w couple %K(%p, %p)
      : tensor<?x16xf32>, tensor<1x16xf32>, [tensor<16x16xf32>, tensor<?x4xf32>]
  return
}

// -----

func.func @fused_cosine(%s: tensor<?x16xf32>, %p: tensor<?x4xf32>, %w: tensor<1x16xf32>) {
  // expected-error @below {{'un0.fused_rate' op target cosine is 'tensor<?x4xf32>' but target sine is 'tensor<?x16xf32>'}}
  %r = "un0.fused_rate"(%s, %p, %w) <{operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0>}>
      : (tensor<?x16xf32>, tensor<?x4xf32>, tensor<1x16xf32>) -> tensor<?x16xf32>
  return
}

// -----

func.func @fused_source_cosine(%s: tensor<?x16xf32>, %p: tensor<?x4xf32>, %w: tensor<1x16xf32>, %K: tensor<16x16xf32>) {
  // expected-error @below {{'un0.fused_rate' op source cosine is 'tensor<?x4xf32>' but source sine is 'tensor<?x16xf32>'}}
  %r = "un0.fused_rate"(%s, %s, %w, %K, %s, %p) <{operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1>}>
      : (tensor<?x16xf32>, tensor<?x16xf32>, tensor<1x16xf32>, tensor<16x16xf32>, tensor<?x16xf32>, tensor<?x4xf32>) -> tensor<?x16xf32>
  return
}

// -----

func.func @drift_outside(%phi0: tensor<?x4xf32>, %wc: tensor<1x4xf32>) {
  // expected-error @below {{'un0.drift' op expects parent op 'un0.evolve'}}
  %p = un0.drift %phi0, %wc : tensor<?x4xf32>, tensor<1x4xf32>
  return
}

// -----

func.func @drift_frequency(%phi0: tensor<?x4xf32>, %wc: tensor<1x3xf32>) {
  %theta = un0.evolve(%t = %phi0) solver(euler) steps(1) time(1.0) : tensor<?x4xf32> {
    // expected-error @below {{'un0.drift' op frequency is 1 x 3 but the state has 4 phases}}
    %p = un0.drift %phi0, %wc : tensor<?x4xf32>, tensor<1x3xf32>
    un0.yield %p : tensor<?x4xf32>
  }
  return
}

// -----

func.func @conv_input(%x: tensor<?x4x?x8xf32>, %w: tensor<6x4x3x3xf32>, %b: tensor<6xf32>) {
  // expected-error @below {{'un0.conv2d' op input must have static channels, height and width, but is 'tensor<?x4x?x8xf32>'}}
  %y = un0.conv2d %x, %w, %b activation(none) : tensor<?x4x?x8xf32>, tensor<6x4x3x3xf32>, tensor<6xf32> -> tensor<?x6x8x8xf32>
  return
}

// -----

func.func @conv_kernel(%x: tensor<?x4x8x8xf32>, %w: tensor<6x4x5x5xf32>, %b: tensor<6xf32>) {
  // expected-error @below {{'un0.conv2d' op weight must be outputs x inputs x 3 x 3, but is 6 x 4 x 5 x 5}}
  %y = un0.conv2d %x, %w, %b activation(none) : tensor<?x4x8x8xf32>, tensor<6x4x5x5xf32>, tensor<6xf32> -> tensor<?x6x8x8xf32>
  return
}

// -----

func.func @conv_channels(%x: tensor<?x4x8x8xf32>, %w: tensor<6x5x3x3xf32>, %b: tensor<6xf32>) {
  // expected-error @below {{'un0.conv2d' op weight is 6 x 5 x 3 x 3 but input has 4 channels}}
  %y = un0.conv2d %x, %w, %b activation(none) : tensor<?x4x8x8xf32>, tensor<6x5x3x3xf32>, tensor<6xf32> -> tensor<?x6x8x8xf32>
  return
}

// -----

func.func @conv_bias(%x: tensor<?x4x8x8xf32>, %w: tensor<6x4x3x3xf32>, %b: tensor<4xf32>) {
  // expected-error @below {{'un0.conv2d' op bias is 4 but weight has 6 outputs}}
  %y = un0.conv2d %x, %w, %b activation(none) : tensor<?x4x8x8xf32>, tensor<6x4x3x3xf32>, tensor<4xf32> -> tensor<?x6x8x8xf32>
  return
}

// -----

func.func @conv_upsample(%x: tensor<?x4x8x8xf32>, %w: tensor<6x4x3x3xf32>, %b: tensor<6xf32>) {
  // expected-error @below {{'un0.conv2d' op makes ? x 6 x 16 x 16 but the result is ? x 6 x 8 x 8}}
  %y = un0.conv2d %x, %w, %b activation(none) {upsample} : tensor<?x4x8x8xf32>, tensor<6x4x3x3xf32>, tensor<6xf32> -> tensor<?x6x8x8xf32>
  return
}

// -----

func.func @conv_elements(%x: tensor<?x4x8x8xf32>, %w: tensor<6x4x3x3xf64>, %b: tensor<6xf32>) {
  // expected-error @below {{'un0.conv2d' op input has elements of type 'f32' but an operand or the result of type 'f64'}}
  %y = un0.conv2d %x, %w, %b activation(none) : tensor<?x4x8x8xf32>, tensor<6x4x3x3xf64>, tensor<6xf32> -> tensor<?x6x8x8xf32>
  return
}

// -----

func.func @conv_slope(%x: tensor<?x4x8x8xf32>, %w: tensor<6x4x3x3xf32>, %b: tensor<6xf32>) {
  // expected-error @below {{'un0.conv2d' op activation leaky_relu needs a slope}}
  %y = un0.conv2d %x, %w, %b activation(leaky_relu) : tensor<?x4x8x8xf32>, tensor<6x4x3x3xf32>, tensor<6xf32> -> tensor<?x6x8x8xf32>
  return
}

// -----

func.func @conv_no_slope(%x: tensor<?x4x8x8xf32>, %w: tensor<6x4x3x3xf32>, %b: tensor<6xf32>) {
  // expected-error @below {{'un0.conv2d' op activation tanh takes no slope}}
  %y = un0.conv2d %x, %w, %b activation(tanh) {slope = 0.2} : tensor<?x4x8x8xf32>, tensor<6x4x3x3xf32>, tensor<6xf32> -> tensor<?x6x8x8xf32>
  return
}

// -----

func.func @conv_infinite_slope(%x: tensor<?x4x8x8xf32>, %w: tensor<6x4x3x3xf32>, %b: tensor<6xf32>) {
  // expected-error @below {{'un0.conv2d' op slope must be finite, but is INF}}
  %y = un0.conv2d %x, %w, %b activation(leaky_relu) {slope = 0x7FF0000000000000 : f64} : tensor<?x4x8x8xf32>, tensor<6x4x3x3xf32>, tensor<6xf32> -> tensor<?x6x8x8xf32>
  return
}

// -----

func.func @f(%s: tensor<?x32xf32>, %w: tensor<1x32xf32>, %K: tensor<32x32xf32>) {
  // expected-error @+1 {{has 2 precisions for 1 couplings}}
  %0 = un0.fused_rate of(%s, %s) frequency %w couple %K(%s, %s) {precisions = [#un0<precision int8>, #un0<precision int8>]}
      : tensor<?x32xf32>, tensor<1x32xf32>, [tensor<32x32xf32>, tensor<?x32xf32>]
  return
}

// -----

func.func @f(%s: tensor<?x32xf32>, %w: tensor<1x32xf32>, %K: tensor<32x32xf32>) {
  // expected-error @+1 {{has 0 drains for 1 couplings}}
  %0 = un0.fused_rate of(%s, %s) frequency %w couple %K(%s, %s) {drains = array<i64>}
      : tensor<?x32xf32>, tensor<1x32xf32>, [tensor<32x32xf32>, tensor<?x32xf32>]
  return
}

// -----

func.func @f(%s: tensor<?x32xf32>, %w: tensor<1x32xf32>, %K: tensor<?x32x32xf32>) {
  // expected-error @+1 {{coupling 0 is int8 but differs from sample to sample; only a shared one is quantized}}
  %0 = un0.fused_rate of(%s, %s) frequency %w couple %K(%s, %s) {precisions = [#un0<precision int8>]}
      : tensor<?x32xf32>, tensor<1x32xf32>, [tensor<?x32x32xf32>, tensor<?x32xf32>]
  return
}

// -----

func.func @f(%s: tensor<?x36xf32>, %w: tensor<1x36xf32>, %K: tensor<36x36xf32>) {
  // expected-error @+1 {{coupling 0 is int4 but its 36 sources are not a multiple of 8}}
  %0 = un0.fused_rate of(%s, %s) frequency %w couple %K(%s, %s) {precisions = [#un0<precision int4>]}
      : tensor<?x36xf32>, tensor<1x36xf32>, [tensor<36x36xf32>, tensor<?x36xf32>]
  return
}

// -----

func.func @f(%s: tensor<?x32xf32>, %w: tensor<1x32xf32>, %K: tensor<32x32xf32>) {
  // expected-error @+1 {{has 2 groups for 1 couplings}}
  %0 = un0.fused_rate of(%s, %s) frequency %w couple %K(%s, %s) {groups = array<i64: 4, 0>, precisions = [#un0<precision int4>]}
      : tensor<?x32xf32>, tensor<1x32xf32>, [tensor<32x32xf32>, tensor<?x32xf32>]
  return
}

// -----

func.func @f(%s: tensor<?x32xf32>, %w: tensor<1x32xf32>, %K: tensor<32x32xf32>) {
  // expected-error @+1 {{group 0 is of 16 columns; there are 4 and 0}}
  %0 = un0.fused_rate of(%s, %s) frequency %w couple %K(%s, %s) {groups = array<i64: 16>, precisions = [#un0<precision int4>]}
      : tensor<?x32xf32>, tensor<1x32xf32>, [tensor<32x32xf32>, tensor<?x32xf32>]
  return
}

// -----

func.func @f(%s: tensor<?x32xf32>, %w: tensor<1x32xf32>, %K: tensor<32x32xf32>) {
  // expected-error @+1 {{coupling 0 has groups but is int8, not int4}}
  %0 = un0.fused_rate of(%s, %s) frequency %w couple %K(%s, %s) {groups = array<i64: 4>, precisions = [#un0<precision int8>]}
      : tensor<?x32xf32>, tensor<1x32xf32>, [tensor<32x32xf32>, tensor<?x32xf32>]
  return
}

// -----

func.func @f(%s: tensor<?x32xf32>, %w: tensor<1x32xf32>, %K: tensor<32x32xf32>) {
  // expected-error @+1 {{drain 0 is negative}}
  %0 = un0.fused_rate of(%s, %s) frequency %w couple %K(%s, %s) {drains = array<i64: -2>, precisions = [#un0<precision int16>]}
      : tensor<?x32xf32>, tensor<1x32xf32>, [tensor<32x32xf32>, tensor<?x32xf32>]
  return
}

// -----

func.func @f(%x: tensor<?x16x4x4xf32>, %w: tensor<16x16x3x3xf32>, %b: tensor<16xf32>) {
  // expected-error @+1 {{precision int8 needs input_scale and input_zero_point}}
  %y = un0.conv2d %x, %w, %b activation(none) {precision = #un0<precision int8>}
      : tensor<?x16x4x4xf32>, tensor<16x16x3x3xf32>, tensor<16xf32> -> tensor<?x16x4x4xf32>
  return
}

// -----

func.func @f(%x: tensor<?x16x4x4xf32>, %w: tensor<16x16x3x3xf32>, %b: tensor<16xf32>) {
  // expected-error @+1 {{precision is bf16; convolutions have f32 and int8}}
  %y = un0.conv2d %x, %w, %b activation(none) {precision = #un0<precision bf16>}
      : tensor<?x16x4x4xf32>, tensor<16x16x3x3xf32>, tensor<16xf32> -> tensor<?x16x4x4xf32>
  return
}

// -----

func.func @f(%x: tensor<?x16x4x4xf32>, %w: tensor<16x16x3x3xf32>, %b: tensor<16xf32>) {
  // expected-error @+1 {{input_scale must be positive, but is}}
  %y = un0.conv2d %x, %w, %b activation(none) {precision = #un0<precision int8>, input_scale = -1.0 : f64, input_zero_point = 3 : i64}
      : tensor<?x16x4x4xf32>, tensor<16x16x3x3xf32>, tensor<16xf32> -> tensor<?x16x4x4xf32>
  return
}

// -----

func.func @f(%x: tensor<?x16x4x4xf32>, %w: tensor<16x16x3x3xf32>, %b: tensor<16xf32>) {
  // expected-error @+1 {{input_zero_point must be 0 to 255, but is 256}}
  %y = un0.conv2d %x, %w, %b activation(none) {precision = #un0<precision int8>, input_scale = 1.0 : f64, input_zero_point = 256 : i64}
      : tensor<?x16x4x4xf32>, tensor<16x16x3x3xf32>, tensor<16xf32> -> tensor<?x16x4x4xf32>
  return
}

// -----

func.func @exponents_of_f32(%x: tensor<?x2x4x4xf32>, %w: tensor<2x2x3x3xf32>, %b: tensor<2xf32>) -> tensor<?x2x4x4xf32> {
  // expected-error @+1 {{precision f32 takes no input_exponents}}
  %y = un0.conv2d %x, %w, %b activation(none) {input_exponents = array<i64: 1, 2>}
      : tensor<?x2x4x4xf32>, tensor<2x2x3x3xf32>, tensor<2xf32> -> tensor<?x2x4x4xf32>
  return %y : tensor<?x2x4x4xf32>
}

// -----

func.func @too_few_exponents(%x: tensor<?x2x4x4xf32>, %w: tensor<2x2x3x3xf32>, %b: tensor<2xf32>) -> tensor<?x2x4x4xf32> {
  // expected-error @+1 {{has 1 input_exponents for 2 channels}}
  %y = un0.conv2d %x, %w, %b activation(none) {input_exponents = array<i64: 1>, input_scale = 0.1 : f64, input_zero_point = 0 : i64, precision = #un0<precision int8>}
      : tensor<?x2x4x4xf32>, tensor<2x2x3x3xf32>, tensor<2xf32> -> tensor<?x2x4x4xf32>
  return %y : tensor<?x2x4x4xf32>
}

// -----

func.func @large_exponent(%x: tensor<?x2x4x4xf32>, %w: tensor<2x2x3x3xf32>, %b: tensor<2xf32>) -> tensor<?x2x4x4xf32> {
  // expected-error @+1 {{input_exponents must be within -30 and 30, but one is 31}}
  %y = un0.conv2d %x, %w, %b activation(none) {input_exponents = array<i64: 0, 31>, input_scale = 0.1 : f64, input_zero_point = 0 : i64, precision = #un0<precision int8>}
      : tensor<?x2x4x4xf32>, tensor<2x2x3x3xf32>, tensor<2xf32> -> tensor<?x2x4x4xf32>
  return %y : tensor<?x2x4x4xf32>
}
