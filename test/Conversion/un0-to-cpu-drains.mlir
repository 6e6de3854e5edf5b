// An int16 coupling that batch tiles take in blocks is emptied at the end of each, by all tiles alike; a smaller one is only
// where its weights ask for it. 440 sources are 220 words.
// RUN: un0-opt %s --un0-to-cpu | FileCheck %s --check-prefix=BLOCKS
// RUN: sed -e 's/3072/1024/g' -e 's/6144/2048/g' -e 's/384, 4, 4/128, 4, 4/' -e 's/x384x/x128x/g' %s | un0-opt --un0-to-cpu | FileCheck %s --check-prefix=WHOLE
// Blocks of 16 lanes are longer than what fits 32 bits.
// RUN: sed -e 's/lanes = 8/lanes = 16/' %s | un0-opt --un0-to-cpu | FileCheck %s --check-prefix=WHOLE
module attributes {cpu.target = {cpu = "znver3", features = ["avx2"], fma = true, lanes = 8 : i64, registers = 16 : i64}, un0.phase = "quantized"} {
  un0.param @K : tensor<3072x3072xf32> from "m.safetensors" key "dynamics.K" {zero_diagonal}
  un0.param @w : tensor<1x3072xf32> from "m.safetensors" key "dynamics.omega"
  un0.param @o : tensor<3x384x3x3xf32> from "m.safetensors" key "o.weight"
  un0.param @ob : tensor<3xf32> from "m.safetensors" key "o.bias"

  // BLOCKS-LABEL: func.func @un0_evolve_1(
  // BLOCKS: cpu.rate {{.*}}drains = array<i64: 128>
  // BLOCKS-LABEL: func.func @un0_evolve_8(
  // BLOCKS: cpu.rate {{.*}}drains = array<i64: 128>
  // BLOCKS-LABEL: func.func @un0_evolve_16(
  // BLOCKS: cpu.rate {{.*}}drains = array<i64: 128>
  // BLOCKS-LABEL: func.func @un0_evolve_team(
  // BLOCKS: cpu.rate {{.*}}drains = array<i64: 128>
  // WHOLE: cpu.rate {{.*}}drains = array<i64: 220>
  // WHOLE: cpu.rate {{.*}}drains = array<i64: 220>
  // WHOLE-NOT: drains = array<i64: 128>
  func.func @generate(%theta0: tensor<?x3072xf32>, %phi0: tensor<?x8xf32>, %label: tensor<?xi64>) -> tensor<?x3x4x4xf32> {
    %K = un0.get_param @K : tensor<3072x3072xf32>
    %w = un0.get_param @w : tensor<1x3072xf32>
    %o = un0.get_param @o : tensor<3x384x3x3xf32>
    %ob = un0.get_param @ob : tensor<3xf32>
    %theta = un0.evolve(%t = %theta0) solver(euler) steps(3) time(3.000000e-01) : tensor<?x3072xf32> {
      %s, %c = un0.sin_cos %t : tensor<?x3072xf32>
      %dt = un0.fused_rate of(%s, %c) frequency %w couple %K(%s, %c) {drains = array<i64: 440>, precisions = [#un0<precision int16>]}
          : tensor<?x3072xf32>, tensor<1x3072xf32>, [tensor<3072x3072xf32>, tensor<?x3072xf32>]
      un0.yield %dt : tensor<?x3072xf32>
    }
    %f = un0.readout %theta reference(mean) encoding(sin_cos) : tensor<?x3072xf32> -> tensor<?x6144xf32>
    %c0 = arith.constant 0 : index
    %b = tensor.dim %f, %c0 : tensor<?x6144xf32>
    %x = tensor.expand_shape %f [[0], [1, 2, 3]] output_shape [%b, 384, 4, 4] : tensor<?x6144xf32> into tensor<?x384x4x4xf32>
    %z = un0.conv2d %x, %o, %ob activation(tanh) : tensor<?x384x4x4xf32>, tensor<3x384x3x3xf32>, tensor<3xf32> -> tensor<?x3x4x4xf32>
    return %z : tensor<?x3x4x4xf32>
  }
}
