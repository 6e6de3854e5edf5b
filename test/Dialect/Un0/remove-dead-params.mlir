// RUN: un0-opt %s --un0-remove-dead-params | FileCheck %s

// CHECK-NOT: @K
un0.param @K : tensor<16x16xf32> from "model.safetensors" key "dynamics.K"
// CHECK: un0.param @omega
un0.param @omega : tensor<1x16xf32> from "model.safetensors" key "dynamics.omega"
// CHECK-NOT: @K_drive
un0.param @K_drive : tensor<3x16x16xf32> from "model.safetensors" key "dynamics.K_drive"
// CHECK: func @frequency
func.func @frequency() -> tensor<1x16xf32> {
  %w = un0.get_param @omega : tensor<1x16xf32>
  return %w : tensor<1x16xf32>
}
