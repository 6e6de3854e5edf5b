// RUN: un0-opt %s --un0-schedule-cpu | FileCheck %s
// RUN: un0-opt %s --un0-schedule-cpu | un0-opt --un0-to-cpu | FileCheck %s --check-prefix=LOWER
// RUN: un0-opt %s --un0-to-cpu | FileCheck %s --check-prefix=LOWER
// RUN: sed 's/module attributes {/module attributes {cpu.direct, /' %s | un0-opt --un0-schedule-cpu | FileCheck %s --check-prefix=DIRECT
// RUN: sed 's/module attributes {/module attributes {cpu.timed, /' %s | un0-opt --un0-to-cpu | FileCheck %s --check-prefix=TIMED

// The schedules that are given stay, the others come from the cost model; un0-to-cpu does what both say.
// CHECK-LABEL: func.func @generate
// CHECK: %[[A:.*]] = un0.conv2d {{.*}} {cpu.schedule = #cpu.conv_schedule<form = f_up, batched = true, images = 3, rows = 2, tuned = true>,
// CHECK: %[[B:.*]] = un0.conv2d %[[A]], {{.*}} {cpu.schedule = #cpu.conv_schedule<form = f4, batched = true, rows = 2>,
// CHECK: un0.conv2d %[[B]], {{.*}} {cpu.schedule = #cpu.conv_schedule<form = direct>}

// LOWER: module attributes {cpu.schedules = [
// LOWER-SAME: {op = "a", schedule = #cpu.conv_schedule<form = f_up, batched = true, images = 3, rows = 2, tuned = true>}
// LOWER-SAME: {op = "b", schedule = #cpu.conv_schedule<form = f4, batched = true, rows = 2>}
// LOWER-SAME: {op = "o", schedule = #cpu.conv_schedule<form = direct>}
// LOWER-LABEL: func.func @un0_decode
// LOWER: cpu.conv2d_planes {{.*}} as f_up using {{.*}} images %{{.*}} channels 16 together 3 x 2
// LOWER: cpu.conv2d_planes {{.*}} as f4 using {{.*}} images %{{.*}} channels 32 together 1 x 2

// DIRECT: un0.conv2d {{.*}}form = f_up
// DIRECT: un0.conv2d {{.*}}form = direct, batched = true>
// DIRECT: un0.conv2d {{.*}}form = direct>

// A call at the start, one behind each convolution of all images, one behind that of each image.
// TIMED-LABEL: func.func @un0_decode
// TIMED-SAME: %[[F:[a-z0-9]+]]: !llvm.ptr, %[[D:[a-z0-9]+]]: !llvm.ptr)
// TIMED: cpu.barrier %[[F]](%[[D]])
// TIMED-NOT: cpu.barrier
// TIMED: cpu.conv2d_planes
// TIMED-NEXT: cpu.barrier %[[F]](%[[D]])
// TIMED: cpu.conv2d_planes
// TIMED-NEXT: cpu.barrier %[[F]](%[[D]])
// TIMED: scf.for
// TIMED: cpu.conv2d_planar
// TIMED-NEXT: cpu.barrier %[[F]](%[[D]])
// TIMED-NOT: cpu.barrier
// TIMED: return
module attributes {cpu.target = {cpu = "znver4", features = ["avx512f"], fma = true, lanes = 16 : i64, registers = 32 : i64}} {
  un0.param @a : tensor<32x16x3x3xf32> from "m" key "a.weight"
  un0.param @ab : tensor<32xf32> from "m" key "a.bias"
  un0.param @b : tensor<32x32x3x3xf32> from "m" key "b.weight"
  un0.param @bb : tensor<32xf32> from "m" key "b.bias"
  un0.param @o : tensor<3x32x3x3xf32> from "m" key "o.weight"
  un0.param @ob : tensor<3xf32> from "m" key "o.bias"
  func.func @generate(%theta0: tensor<?x128xf32>, %phi0: tensor<?x8xf32>, %label: tensor<?xi64>) -> tensor<?x3x8x8xf32> {
    %a = un0.get_param @a : tensor<32x16x3x3xf32>
    %ab = un0.get_param @ab : tensor<32xf32>
    %b = un0.get_param @b : tensor<32x32x3x3xf32>
    %bb = un0.get_param @bb : tensor<32xf32>
    %o = un0.get_param @o : tensor<3x32x3x3xf32>
    %ob = un0.get_param @ob : tensor<3xf32>
    %f = un0.readout %theta0 reference(mean) encoding(sin_cos) : tensor<?x128xf32> -> tensor<?x256xf32>
    %c0 = arith.constant 0 : index
    %n = tensor.dim %f, %c0 : tensor<?x256xf32>
    %x = tensor.expand_shape %f [[0], [1, 2, 3]] output_shape [%n, 16, 4, 4] : tensor<?x256xf32> into tensor<?x16x4x4xf32>
    %y = un0.conv2d %x, %a, %ab activation(leaky_relu) {cpu.schedule = #cpu.conv_schedule<form = f_up, batched = true, images = 3, rows = 2, tuned = true>, slope = 2.000000e-01 : f64, upsample} : tensor<?x16x4x4xf32>, tensor<32x16x3x3xf32>, tensor<32xf32> -> tensor<?x32x8x8xf32>
    %z = un0.conv2d %y, %b, %bb activation(leaky_relu) {slope = 2.000000e-01 : f64} : tensor<?x32x8x8xf32>, tensor<32x32x3x3xf32>, tensor<32xf32> -> tensor<?x32x8x8xf32>
    %i = un0.conv2d %z, %o, %ob activation(tanh) : tensor<?x32x8x8xf32>, tensor<3x32x3x3xf32>, tensor<3xf32> -> tensor<?x3x8x8xf32>
    return %i : tensor<?x3x8x8xf32>
  }
}
