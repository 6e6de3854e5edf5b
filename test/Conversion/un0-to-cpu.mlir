// RUN: un0-opt %s --un0-to-cpu | FileCheck %s
// RUN: sed 's/module attributes {/module attributes {cpu.direct, /' %s | un0-opt --un0-to-cpu | FileCheck %s --check-prefix=DIRECT
// RUN: sed -e 's/lanes = 16 : i64, registers = 32/lanes = 8 : i64, registers = 16/' -e 's/<32x16x3x3/<20x16x3x3/g' \
// RUN:     -e 's/<32xf32>/<20xf32>/g' -e 's/<?x32x8x8/<?x20x8x8/g' -e 's/<3x32x3x3/<3x20x3x3/g' %s \
// RUN:   | un0-opt --un0-to-cpu | FileCheck %s --check-prefix=RAGGED

// CHECK: module attributes {{.*}}un0.dynamics = {solver = "euler", steps = 3 : i64, time = 3.000000e-01 : f64}
// CHECK-SAME: un0.signature = {channels = 3 : i64, classes = 3 : i64, conditioning = 8 : i64, features = 256 : i64, height = 8 : i64, oscillators = 128 : i64, width = 8 : i64}
module attributes {cpu.target = {cpu = "znver4", features = ["avx512f"], fma = true, lanes = 16 : i64, registers = 32 : i64}, un0.phase = "fused"} {
  un0.param @K : tensor<128x128xf32> from "m.safetensors" key "dynamics.K" {zero_diagonal}
  un0.param @w : tensor<1x128xf32> from "m.safetensors" key "dynamics.omega"
  un0.param @C : tensor<8x8xf32> from "m.safetensors" key "dynamics.K_cond" {zero_diagonal}
  un0.param @wc : tensor<1x8xf32> from "m.safetensors" key "dynamics.omega_cond"
  un0.param @D : tensor<3x128x8xf32> from "m.safetensors" key "dynamics.K_drive"
  un0.param @a : tensor<32x16x3x3xf32> from "m.safetensors" key "a.weight"
  un0.param @ab : tensor<32xf32> from "m.safetensors" key "a.bias"
  un0.param @o : tensor<3x32x3x3xf32> from "m.safetensors" key "o.weight"
  un0.param @ob : tensor<3xf32> from "m.safetensors" key "o.bias"

  // Each parameter gets a place, line by line; the drive has one class more than the model, for no class.
  // CHECK-DAG: cpu.packed_param @w_vector of @w vector at 0 size 512
  // CHECK-DAG: cpu.packed_param @K_rows16 of @K rows16 at 512 size 65536
  // CHECK-DAG: cpu.packed_param @D_class_rows of @D class_rows at {{.*}} size 16384
  // CHECK-DAG: cpu.packed_param @a_conv_planes of @a conv_planes at {{.*}} size 51200 {form = #cpu<conv_form f4_up>}
  // DIRECT-DAG: cpu.packed_param @a_conv_upsample of @a conv_upsample at {{.*}} size 32768
  // CHECK-DAG: cpu.packed_param @o_conv_planar of @o conv_planar at {{.*}} size 3456

  // Of 20 channels 3 registers of 8 lanes are computed and read, not the 4 of two lines.
  // RAGGED-DAG: cpu.packed_param @a_conv_planes of @a conv_planes at {{.*}} size 38400 {
  // RAGGED-DAG: cpu.packed_param @o_conv_planar of @o conv_planar at {{.*}} size 2592

  // CHECK-LABEL: func.func @un0_evolve_1
  // CHECK-SAME: cpu.batch = 1 : i64, cpu.entry = "evolve"
  // CHECK: cpu.gather_class
  // CHECK: scf.for
  // CHECK: cpu.waves
  // CHECK: cpu.waves
  // CHECK: cpu.rate frequency %{{.*}} target %[[X:.*]] couple(%{{.*}}, %{{.*}}) with(%[[X]], %{{.*}}) base %[[T:.*]] to %[[T]] step 1.000000e-01 turn %{{.*}} :
  // CHECK: cpu.rate
  // CHECK: cpu.store_phases

  // CHECK-LABEL: func.func @un0_evolve_16
  // CHECK: cpu.gather_class {{.*}} memref<4x8x128xf32>, memref<16xi64>, memref<128x8x16xf32>
  // CHECK-NOT: turn
  // CHECK: cpu.rate {{.*}} memref<128x2x16xf32>

  // CHECK-LABEL: func.func @un0_readout
  // CHECK: cpu.readout {{.*}} oscillators 128 reference mean encoding sin_cos

  // CHECK-LABEL: func.func @un0_decode
  // CHECK-SAME: memref<16x256xf32>, {{.*}}memref<16x3x8x8xf32>, %[[COUNT:arg[0-9]+]]: i64
  // CHECK: %[[N:.*]] = arith.index_cast %[[COUNT]] : i64 to index
  // CHECK: scf.for %[[I:.*]] = %{{.*}} to %[[N]]
  // CHECK: memref.subview %{{.*}}[%[[I]], 0] [1, 256]
  // CHECK: cpu.conv2d_planes {{.*}} as f4_up using {{.*}} channels 16 together 1 x 2 lanes 16 group 2 leaky 2.000000e-01
  // CHECK: cpu.conv2d_planar {{.*}} tanh
  // DIRECT: cpu.conv2d {{.*}} channels 16 lanes 16 group 2 upsample leaky 2.000000e-01
  // CHECK-NOT: @generate
  func.func @generate(%theta0: tensor<?x128xf32>, %phi0: tensor<?x8xf32>, %label: tensor<?xi64>) -> tensor<?x3x8x8xf32>
      attributes {un0.model = {classes = 3 : i64, name = "tiny"}} {
    %K = un0.get_param @K : tensor<128x128xf32>
    %w = un0.get_param @w : tensor<1x128xf32>
    %C = un0.get_param @C : tensor<8x8xf32>
    %wc = un0.get_param @wc : tensor<1x8xf32>
    %D = un0.get_param @D : tensor<3x128x8xf32>
    %a = un0.get_param @a : tensor<32x16x3x3xf32>
    %ab = un0.get_param @ab : tensor<32xf32>
    %o = un0.get_param @o : tensor<3x32x3x3xf32>
    %ob = un0.get_param @ob : tensor<3xf32>
    %drive = un0.select_class %D[%label] : tensor<3x128x8xf32>, tensor<?xi64> -> tensor<?x128x8xf32>
    %theta, %phi = un0.evolve(%t = %theta0, %p = %phi0) solver(euler) steps(3) time(3.000000e-01) : tensor<?x128xf32>, tensor<?x8xf32> {
      %s, %c = un0.sin_cos %t : tensor<?x128xf32>
      %ps, %pc = un0.sin_cos %p : tensor<?x8xf32>
      %dt = "un0.fused_rate"(%s, %c, %w, %K, %drive, %s, %ps, %c, %pc) <{operandSegmentSizes = array<i32: 1, 1, 1, 2, 2, 2>}> : (tensor<?x128xf32>, tensor<?x128xf32>, tensor<1x128xf32>, tensor<128x128xf32>, tensor<?x128x8xf32>, tensor<?x128xf32>, tensor<?x8xf32>, tensor<?x128xf32>, tensor<?x8xf32>) -> tensor<?x128xf32>
      %dp = "un0.fused_rate"(%ps, %pc, %wc, %C, %ps, %pc) <{operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 1>}> : (tensor<?x8xf32>, tensor<?x8xf32>, tensor<1x8xf32>, tensor<8x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
      un0.yield %dt, %dp : tensor<?x128xf32>, tensor<?x8xf32>
    }
    %f = un0.readout %theta reference(mean) encoding(sin_cos) : tensor<?x128xf32> -> tensor<?x256xf32>
    %c0 = arith.constant 0 : index
    %b = tensor.dim %f, %c0 : tensor<?x256xf32>
    %x = tensor.expand_shape %f [[0], [1, 2, 3]] output_shape [%b, 16, 4, 4] : tensor<?x256xf32> into tensor<?x16x4x4xf32>
    %y = un0.conv2d %x, %a, %ab activation(leaky_relu) {slope = 2.000000e-01 : f64, upsample} : tensor<?x16x4x4xf32>, tensor<32x16x3x3xf32>, tensor<32xf32> -> tensor<?x32x8x8xf32>
    %z = un0.conv2d %y, %o, %ob activation(tanh) : tensor<?x32x8x8xf32>, tensor<3x32x3x3xf32>, tensor<3xf32> -> tensor<?x3x8x8xf32>
    return %z : tensor<?x3x8x8xf32>
  }
}
