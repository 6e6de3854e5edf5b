// RUN: un0-opt %s --un0-to-cpu | FileCheck %s
// RUN: un0-opt %s --un0-to-cpu | FileCheck %s --check-prefix=PACKED
// RUN: sed 's/module attributes {/module attributes {cpu.direct, /' %s | un0-opt --un0-to-cpu | FileCheck %s --check-prefix=DIRECT
// RUN: un0-opt %s --un0-to-cpu --cpu-kernels-to-vector | FileCheck %s --check-prefix=VECTOR

// f32 and int8 convolutions in turn: each writes what the next one reads.
module attributes {cpu.target = {cpu = "znver4", features = ["avx512f", "avx512vnni"], fma = true, lanes = 16 : i64, registers = 32 : i64}, un0.phase = "quantized"} {
  un0.param @a : tensor<32x16x3x3xf32> from "m.safetensors" key "a.weight"
  un0.param @ab : tensor<32xf32> from "m.safetensors" key "a.bias"
  un0.param @b : tensor<16x32x3x3xf32> from "m.safetensors" key "b.weight"
  un0.param @bb : tensor<16xf32> from "m.safetensors" key "b.bias"
  un0.param @c : tensor<16x16x3x3xf32> from "m.safetensors" key "c.weight"
  un0.param @cb : tensor<16xf32> from "m.safetensors" key "c.bias"
  un0.param @o : tensor<3x16x3x3xf32> from "m.safetensors" key "o.weight"
  un0.param @ob : tensor<3xf32> from "m.safetensors" key "o.bias"

  // Bytes where something is multiplied by bytes: sums and their processor's independence.
  // CHECK: cpu.exact
  // A row for each convolution, in its own arithmetic. What is written is what is read next: 32 x 8 x 8 bytes, then 16 x 8 x 8
  // numbers of f32.
  // CHECK-SAME: arithmetic = "f32", bits = 32 : i64, bytes_read = 1024 : i64, bytes_written = 2048 : i64
  // CHECK-SAME: arithmetic = "u8s8", bits = 8 : i64, bytes_read = 2048 : i64, bytes_written = 4096 : i64
  // CHECK-SAME: arithmetic = "f32", bits = 32 : i64, bytes_read = 4096 : i64, bytes_written = 1024 : i64
  // CHECK-SAME: arithmetic = "u8s8", bits = 8 : i64, bytes_read = 1024 : i64

  // Who makes equalized channels divides them, in f32 by its weights.
  // PACKED-DAG: cpu.packed_param @a_conv_planes of @a conv_planes {{.*}} {form = #cpu<conv_form f4_up>, output_exponents = array<i64: 0, 1, -1, 0,
  // PACKED-DAG: cpu.packed_param @ab_vector of @ab vector {{.*}} {output_exponents = array<i64: 0, 1, -1, 0,
  // PACKED-DAG: cpu.packed_param @b_conv3x3 of @b conv3x3 {{.*}} {input_exponents = array<i64: 0, 1, -1, 0, {{.*}}precision = #un0<precision int8>

  // CHECK-LABEL: func.func @un0_decode
  // CHECK: cpu.scatter_features
  // CHECK: cpu.fill_ring {{.*}} with 40
  // CHECK: cpu.conv2d_planes {{.*}} as f4_up {{.*}} {scale = 5.000000e-02 : f32, zero_point = 40 : i64}
  // CHECK: cpu.zero ring %[[B:[a-z0-9_]+]] : memref<1x10x10x16xf32>
  // CHECK: cpu.conv2d_bytes {{.*}} to %[[B]] {{.*}} {input_scale = 5.000000e-02 : f32} : memref<1x10x10x16xi32{{.*}}, memref<1x10x10x16xf32>
  // CHECK: cpu.conv2d_planes %[[B]], {{.*}} as f4 {{.*}} {scale = 2.500000e-01 : f32, zero_point = 3 : i64}
  // CHECK: cpu.conv2d_planar_bytes
  // DIRECT: cpu.conv2d {{.*}} upsample leaky 2.000000e-01 {scale = 5.000000e-02 : f32, zero_point = 40 : i64}

  // Bytes leave from registers: four channels to a word.
  // VECTOR-LABEL: func.func @un0_decode
  // VECTOR: arith.trunci {{.*}} vector<16xi32> to vector<16xi8>
  // VECTOR: vector.bitcast {{.*}} vector<16xi8> to vector<4xi32>
  func.func @generate(%theta0: tensor<?x128xf32>, %phi0: tensor<?x8xf32>, %label: tensor<?xi64>) -> tensor<?x3x8x8xf32> {
    %a = un0.get_param @a : tensor<32x16x3x3xf32>
    %ab = un0.get_param @ab : tensor<32xf32>
    %b = un0.get_param @b : tensor<16x32x3x3xf32>
    %bb = un0.get_param @bb : tensor<16xf32>
    %c = un0.get_param @c : tensor<16x16x3x3xf32>
    %cb = un0.get_param @cb : tensor<16xf32>
    %o = un0.get_param @o : tensor<3x16x3x3xf32>
    %ob = un0.get_param @ob : tensor<3xf32>
    %f = un0.readout %theta0 reference(mean) encoding(sin_cos) : tensor<?x128xf32> -> tensor<?x256xf32>
    %c0 = arith.constant 0 : index
    %n = tensor.dim %f, %c0 : tensor<?x256xf32>
    %x = tensor.expand_shape %f [[0], [1, 2, 3]] output_shape [%n, 16, 4, 4] : tensor<?x256xf32> into tensor<?x16x4x4xf32>
    %1 = un0.conv2d %x, %a, %ab activation(leaky_relu) {slope = 2.000000e-01 : f64, upsample} : tensor<?x16x4x4xf32>, tensor<32x16x3x3xf32>, tensor<32xf32> -> tensor<?x32x8x8xf32>
    %2 = un0.conv2d %1, %b, %bb activation(leaky_relu) {cpu.schedule = #cpu.conv_schedule<form = direct>, slope = 2.000000e-01 : f64, precision = #un0<precision int8>, input_scale = 5.000000e-02 : f64, input_zero_point = 40 : i64, input_exponents = array<i64: 0, 1, -1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2>} : tensor<?x32x8x8xf32>, tensor<16x32x3x3xf32>, tensor<16xf32> -> tensor<?x16x8x8xf32>
    %3 = un0.conv2d %2, %c, %cb activation(leaky_relu) {slope = 2.000000e-01 : f64} : tensor<?x16x8x8xf32>, tensor<16x16x3x3xf32>, tensor<16xf32> -> tensor<?x16x8x8xf32>
    %z = un0.conv2d %3, %o, %ob activation(tanh) {precision = #un0<precision int8>, input_scale = 2.500000e-01 : f64, input_zero_point = 3 : i64} : tensor<?x16x8x8xf32>, tensor<3x16x3x3xf32>, tensor<3xf32> -> tensor<?x3x8x8xf32>
    return %z : tensor<?x3x8x8xf32>
  }
}
