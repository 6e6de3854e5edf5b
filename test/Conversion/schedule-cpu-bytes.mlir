// RUN: un0-opt %s --un0-schedule-cpu | FileCheck %s
// RUN: un0-opt %s --un0-schedule-cpu --un0-to-cpu | FileCheck %s --check-prefix=LOWER
// RUN: sed 's/"avx2"/"avx2", "avxvnni"/' %s | un0-opt --un0-schedule-cpu | FileCheck %s --check-prefix=DOTS
// RUN: sed 's/module attributes {/module attributes {cpu.direct, /' %s | un0-opt --un0-schedule-cpu | FileCheck %s --check-prefix=DIRECT
// RUN: sed 's/"avx2"/"avx512vnni", "amx-int8"/; s/lanes = 8/lanes = 16/' %s | un0-opt --un0-schedule-cpu | FileCheck %s --check-prefix=DIRECT

// Bytes in planes where there is no dot product of them: two kernels of two taps each way behind an upsampling, the larger form of
// Winograd where its sums are exact, the smaller one for 256 channels.
// CHECK-LABEL: func.func @generate
// CHECK: un0.conv2d {{.*}} #cpu.conv_schedule<form = f_up2, batched = true,
// CHECK: un0.conv2d {{.*}} #cpu.conv_schedule<form = f2, batched = true,
// CHECK: un0.conv2d {{.*}} #cpu.conv_schedule<form = f4,
// CHECK: un0.conv2d {{.*}} #cpu.conv_schedule<form = direct>

// Sums and scales of each of the four kernels of f_up2, then 36 planes of 8 pairs for 256 outputs; 16 planes of 128 pairs; 36 of 4.
// LOWER-DAG: cpu.packed_param @a_conv_planes of @a conv_planes at {{[0-9]+}} size 303104 {{.*}}form = #cpu<conv_form f_up2>, {{.*}}precision = #un0<precision int8>
// LOWER-DAG: cpu.packed_param @b_conv_planes of @b conv_planes at {{[0-9]+}} size 65600 {{.*}}form = #cpu<conv_form f2>
// LOWER-DAG: cpu.packed_param @c_conv_planes of @c conv_planes at {{[0-9]+}} size 4672 {{.*}}form = #cpu<conv_form f4>
// Three outputs of one register of words, and 16 sums and scales.
// LOWER-DAG: cpu.packed_param @o_conv_planar of @o conv_planar at {{[0-9]+}} size 992
// LOWER-LABEL: func.func @un0_decode
// LOWER: cpu.conv2d_planes {{.*}} as f_up2 {{.*}} channels 16 {{.*}} {input_scale = 5.000000e-02 : f32, scale = 5.000000e-02 : f32, zero_point = 40 : i64} : memref<8x1x6x6x16xi32>
// LOWER: cpu.conv2d_planes {{.*}} as f2 {{.*}} channels 256
// LOWER: cpu.conv2d_planes {{.*}} as f4 {{.*}} channels 8
// LOWER: cpu.conv2d_planar_bytes

// A dot product of bytes does twice as much as one of 16-bit numbers, which only a quarter of the products makes up for.
// DOTS: un0.conv2d {{.*}} #cpu.conv_schedule<form = direct
// DOTS: un0.conv2d {{.*}} #cpu.conv_schedule<form = direct
// DOTS: un0.conv2d {{.*}} #cpu.conv_schedule<form = f4,
// DOTS: un0.conv2d {{.*}} #cpu.conv_schedule<form = direct>

// A matrix unit does 16 times as much as one of 16-bit numbers, and nothing makes up for that.
// DIRECT-COUNT-4: un0.conv2d {{.*}} #cpu.conv_schedule<form = direct
module attributes {cpu.target = {cpu = "x86-64-v3", features = ["avx2"], fma = true, lanes = 8 : i64, registers = 16 : i64}, un0.phase = "quantized"} {
  un0.param @a : tensor<256x16x3x3xf32> from "m" key "a.weight"
  un0.param @ab : tensor<256xf32> from "m" key "a.bias"
  un0.param @b : tensor<8x256x3x3xf32> from "m" key "b.weight"
  un0.param @bb : tensor<8xf32> from "m" key "b.bias"
  un0.param @c : tensor<8x8x3x3xf32> from "m" key "c.weight"
  un0.param @cb : tensor<8xf32> from "m" key "c.bias"
  un0.param @o : tensor<3x8x3x3xf32> from "m" key "o.weight"
  un0.param @ob : tensor<3xf32> from "m" key "o.bias"
  func.func @generate(%theta0: tensor<?x128xf32>, %phi0: tensor<?x8xf32>, %label: tensor<?xi64>) -> tensor<?x3x8x8xf32> {
    %a = un0.get_param @a : tensor<256x16x3x3xf32>
    %ab = un0.get_param @ab : tensor<256xf32>
    %b = un0.get_param @b : tensor<8x256x3x3xf32>
    %bb = un0.get_param @bb : tensor<8xf32>
    %c = un0.get_param @c : tensor<8x8x3x3xf32>
    %cb = un0.get_param @cb : tensor<8xf32>
    %o = un0.get_param @o : tensor<3x8x3x3xf32>
    %ob = un0.get_param @ob : tensor<3xf32>
    %f = un0.readout %theta0 reference(mean) encoding(sin_cos) : tensor<?x128xf32> -> tensor<?x256xf32>
    %c0 = arith.constant 0 : index
    %n = tensor.dim %f, %c0 : tensor<?x256xf32>
    %x = tensor.expand_shape %f [[0], [1, 2, 3]] output_shape [%n, 16, 4, 4] : tensor<?x256xf32> into tensor<?x16x4x4xf32>
    %1 = un0.conv2d %x, %a, %ab activation(leaky_relu) {slope = 2.000000e-01 : f64, upsample, precision = #un0<precision int8>, input_scale = 5.000000e-02 : f64, input_zero_point = 40 : i64} : tensor<?x16x4x4xf32>, tensor<256x16x3x3xf32>, tensor<256xf32> -> tensor<?x256x8x8xf32>
    %2 = un0.conv2d %1, %b, %bb activation(leaky_relu) {slope = 2.000000e-01 : f64, precision = #un0<precision int8>, input_scale = 5.000000e-02 : f64, input_zero_point = 40 : i64} : tensor<?x256x8x8xf32>, tensor<8x256x3x3xf32>, tensor<8xf32> -> tensor<?x8x8x8xf32>
    %3 = un0.conv2d %2, %c, %cb activation(leaky_relu) {slope = 2.000000e-01 : f64, precision = #un0<precision int8>, input_scale = 5.000000e-02 : f64, input_zero_point = 40 : i64} : tensor<?x8x8x8xf32>, tensor<8x8x3x3xf32>, tensor<8xf32> -> tensor<?x8x8x8xf32>
    %z = un0.conv2d %3, %o, %ob activation(tanh) {precision = #un0<precision int8>, input_scale = 2.500000e-01 : f64, input_zero_point = 3 : i64} : tensor<?x8x8x8xf32>, tensor<3x8x3x3xf32>, tensor<3xf32> -> tensor<?x3x8x8xf32>
    return %z : tensor<?x3x8x8xf32>
  }
}
