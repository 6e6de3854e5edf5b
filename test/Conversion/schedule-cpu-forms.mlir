// RUN: un0-opt %s --un0-schedule-cpu | FileCheck %s

// Which form of f32 a convolution gets.
// CHECK: un0.conv2d %{{.*}}, %{{.*}}, %{{.*}} activation(none) {cpu.schedule = #cpu.conv_schedule<form = f4_up, batched = true, {{.*}}> -> tensor<?x256x8x8xf32>
// CHECK: {cpu.schedule = #cpu.conv_schedule<form = f4, batched = true, {{.*}} -> tensor<?x256x8x8xf32>
// CHECK: {cpu.schedule = #cpu.conv_schedule<form = f4_up, {{.*}} -> tensor<?x128x16x16xf32>
// CHECK: {cpu.schedule = #cpu.conv_schedule<form = f4, {{.*}} -> tensor<?x128x16x16xf32>

// Few points and many weights, 4 of F(4x4, 3x3) with more than 16 MB of them, go with more products of fewer weights, upsampled or not.
// HEAVY: un0.conv2d %{{.*}}<form = f_up, batched = true, {{.*}} -> tensor<?x416x8x8xf32>
// HEAVY: {cpu.schedule = #cpu.conv_schedule<form = f2, {{.*}} -> tensor<?x416x8x8xf32>
// HEAVY: {cpu.schedule = #cpu.conv_schedule<form = f4_up, {{.*}} -> tensor<?x128x16x16xf32>
// HEAVY: {cpu.schedule = #cpu.conv_schedule<form = f4, {{.*}} -> tensor<?x128x16x16xf32>
// RUN: sed -e 's/512x/832x/g; s/512, 4/832, 4/; s/x512x/x832x/g; s/256/416/g; s/8192/13312/g; s/4096/6656/g' %s | un0-opt --un0-schedule-cpu | FileCheck %s --check-prefix=HEAVY

// Sides that points of 2 x 2 do not cover.
// ODD: un0.conv2d %{{.*}}<form = f_up, {{.*}} -> tensor<?x256x6x6xf32>
// RUN: sed -e 's/x4x4xf32/x3x3xf32/g; s/512, 4, 4/512, 3, 3/; s/x8x8xf32/x6x6xf32/g; s/x16x16xf32/x12x12xf32/g; s/8192/4608/g; s/4096/2304/g' %s | un0-opt --un0-schedule-cpu | FileCheck %s --check-prefix=ODD
module attributes {cpu.target = {cpu = "znver4", features = ["avx512f"], fma = true, lanes = 16 : i64, registers = 32 : i64}} {
  un0.param @a : tensor<256x512x3x3xf32> from "m" key "a"
  un0.param @b : tensor<256x256x3x3xf32> from "m" key "b"
  un0.param @c : tensor<128x256x3x3xf32> from "m" key "c"
  un0.param @d : tensor<128x128x3x3xf32> from "m" key "d"
  un0.param @o : tensor<3x128x3x3xf32> from "m" key "o"
  un0.param @b256 : tensor<256xf32> from "m" key "b256"
  un0.param @b128 : tensor<128xf32> from "m" key "b128"
  un0.param @b3 : tensor<3xf32> from "m" key "b3"
  func.func @generate(%theta0: tensor<?x4096xf32>, %phi0: tensor<?x8xf32>, %label: tensor<?xi64>) -> tensor<?x3x16x16xf32> {
    %a = un0.get_param @a : tensor<256x512x3x3xf32>
    %b = un0.get_param @b : tensor<256x256x3x3xf32>
    %c = un0.get_param @c : tensor<128x256x3x3xf32>
    %d = un0.get_param @d : tensor<128x128x3x3xf32>
    %o = un0.get_param @o : tensor<3x128x3x3xf32>
    %b256 = un0.get_param @b256 : tensor<256xf32>
    %b128 = un0.get_param @b128 : tensor<128xf32>
    %b3 = un0.get_param @b3 : tensor<3xf32>
    %f = un0.readout %theta0 reference(mean) encoding(sin_cos) : tensor<?x4096xf32> -> tensor<?x8192xf32>
    %c0 = arith.constant 0 : index
    %n = tensor.dim %f, %c0 : tensor<?x8192xf32>
    %x = tensor.expand_shape %f [[0], [1, 2, 3]] output_shape [%n, 512, 4, 4] : tensor<?x8192xf32> into tensor<?x512x4x4xf32>
    %1 = un0.conv2d %x, %a, %b256 activation(none) {upsample} : tensor<?x512x4x4xf32>, tensor<256x512x3x3xf32>, tensor<256xf32> -> tensor<?x256x8x8xf32>
    %2 = un0.conv2d %1, %b, %b256 activation(none) : tensor<?x256x8x8xf32>, tensor<256x256x3x3xf32>, tensor<256xf32> -> tensor<?x256x8x8xf32>
    %3 = un0.conv2d %2, %c, %b128 activation(none) {upsample} : tensor<?x256x8x8xf32>, tensor<128x256x3x3xf32>, tensor<128xf32> -> tensor<?x128x16x16xf32>
    %4 = un0.conv2d %3, %d, %b128 activation(none) : tensor<?x128x16x16xf32>, tensor<128x128x3x3xf32>, tensor<128xf32> -> tensor<?x128x16x16xf32>
    %5 = un0.conv2d %4, %o, %b3 activation(tanh) : tensor<?x128x16x16xf32>, tensor<3x128x3x3xf32>, tensor<3xf32> -> tensor<?x3x16x16xf32>
    return %5 : tensor<?x3x16x16xf32>
  }
}
