// RUN: un0-opt %s --un0-fuse-convolutions --canonicalize --split-input-file | FileCheck %s

// CHECK-LABEL: func @block
func.func @block(%x: tensor<?x4x8x8xf32>, %w: tensor<6x4x3x3xf32>, %b: tensor<6xf32>, %w2: tensor<3x6x3x3xf32>,
                 %b2: tensor<3xf32>) -> tensor<?x3x16x16xf32> {
  %zero = "tosa.const"() <{values = dense<0.0> : tensor<1xf32>}> : () -> tensor<1xf32>
  %slope = "tosa.const"() <{values = dense<0.25> : tensor<1x1x1x1xf32>}> : () -> tensor<1x1x1x1xf32>
  %shift = "tosa.const"() <{values = dense<0> : tensor<1xi8>}> : () -> tensor<1xi8>
  %scale = tosa.const_shape {values = dense<[4, 2, 4, 2]> : tensor<4xindex>} : () -> !tosa.shape<4>
  %offset = tosa.const_shape {values = dense<-1> : tensor<2xindex>} : () -> !tosa.shape<2>
  %border = tosa.const_shape {values = dense<1> : tensor<2xindex>} : () -> !tosa.shape<2>
  %x0 = tosa.transpose %x {perms = array<i32: 0, 2, 3, 1>} : (tensor<?x4x8x8xf32>) -> tensor<?x8x8x4xf32>
  %x1 = tosa.resize %x0, %scale, %offset, %border {mode = NEAREST_NEIGHBOR}
      : (tensor<?x8x8x4xf32>, !tosa.shape<4>, !tosa.shape<2>, !tosa.shape<2>) -> tensor<?x16x16x4xf32>
  %v = tosa.transpose %w {perms = array<i32: 0, 2, 3, 1>} : (tensor<6x4x3x3xf32>) -> tensor<6x3x3x4xf32>
  // CHECK-NOT: tosa
  // CHECK: %[[A:.*]] = un0.conv2d %arg0, %arg1, %arg2 activation(leaky_relu) {slope = 2.500000e-01 : f64, upsample} : tensor<?x4x8x8xf32>, tensor<6x4x3x3xf32>, tensor<6xf32> -> tensor<?x6x16x16xf32>
  %x2 = tosa.conv2d %x1, %v, %b, %zero, %zero {acc_type = f32, dilation = array<i64: 1, 1>, pad = array<i64: 1, 1, 1, 1>, stride = array<i64: 1, 1>}
      : (tensor<?x16x16x4xf32>, tensor<6x3x3x4xf32>, tensor<6xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<?x16x16x6xf32>
  %x3 = tosa.mul %x2, %slope, %shift : (tensor<?x16x16x6xf32>, tensor<1x1x1x1xf32>, tensor<1xi8>) -> tensor<?x16x16x6xf32>
  %x4 = tosa.maximum %x2, %x3 : (tensor<?x16x16x6xf32>, tensor<?x16x16x6xf32>) -> tensor<?x16x16x6xf32>
  %v2 = tosa.transpose %w2 {perms = array<i32: 0, 2, 3, 1>} : (tensor<3x6x3x3xf32>) -> tensor<3x3x3x6xf32>
  // CHECK-NEXT: %[[B:.*]] = un0.conv2d %[[A]], %arg3, %arg4 activation(tanh) : {{.*}} -> tensor<?x3x16x16xf32>
  %x5 = tosa.conv2d %x4, %v2, %b2, %zero, %zero {acc_type = f32, dilation = array<i64: 1, 1>, pad = array<i64: 1, 1, 1, 1>, stride = array<i64: 1, 1>}
      : (tensor<?x16x16x6xf32>, tensor<3x3x3x6xf32>, tensor<3xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<?x16x16x3xf32>
  %x6 = tosa.tanh %x5 : (tensor<?x16x16x3xf32>) -> tensor<?x16x16x3xf32>
  %x7 = tosa.transpose %x6 {perms = array<i32: 0, 3, 1, 2>} : (tensor<?x16x16x3xf32>) -> tensor<?x3x16x16xf32>
  // CHECK-NEXT: return %[[B]]
  return %x7 : tensor<?x3x16x16xf32>
}

// -----

// Scale 2 without offset rounds halves up: the last row would not be repeated as un0.conv2d repeats it.
// CHECK-LABEL: func @other_resize
func.func @other_resize(%x: tensor<?x8x8x4xf32>, %v: tensor<6x3x3x4xf32>, %b: tensor<6xf32>) -> tensor<?x16x16x6xf32> {
  %zero = "tosa.const"() <{values = dense<0.0> : tensor<1xf32>}> : () -> tensor<1xf32>
  %scale = tosa.const_shape {values = dense<[4, 2, 4, 2]> : tensor<4xindex>} : () -> !tosa.shape<4>
  %offset = tosa.const_shape {values = dense<0> : tensor<2xindex>} : () -> !tosa.shape<2>
  %border = tosa.const_shape {values = dense<2> : tensor<2xindex>} : () -> !tosa.shape<2>
  // CHECK: tosa.resize
  %x1 = tosa.resize %x, %scale, %offset, %border {mode = NEAREST_NEIGHBOR}
      : (tensor<?x8x8x4xf32>, !tosa.shape<4>, !tosa.shape<2>, !tosa.shape<2>) -> tensor<?x16x16x4xf32>
  // CHECK: un0.conv2d {{.*}} activation(none) : tensor<?x4x16x16xf32>
  %x2 = tosa.conv2d %x1, %v, %b, %zero, %zero {acc_type = f32, dilation = array<i64: 1, 1>, pad = array<i64: 1, 1, 1, 1>, stride = array<i64: 1, 1>}
      : (tensor<?x16x16x4xf32>, tensor<6x3x3x4xf32>, tensor<6xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<?x16x16x6xf32>
  return %x2 : tensor<?x16x16x6xf32>
}

// -----

// CHECK-LABEL: func @not_leaky
func.func @not_leaky(%x: tensor<?x4x8x8xf32>, %w: tensor<6x4x3x3xf32>, %b: tensor<6xf32>) -> tensor<?x8x8x6xf32> {
  // With a slope above 1 the maximum picks the other side.
  %slope = "tosa.const"() <{values = dense<1.5> : tensor<1x1x1x1xf32>}> : () -> tensor<1x1x1x1xf32>
  %shift = "tosa.const"() <{values = dense<0> : tensor<1xi8>}> : () -> tensor<1xi8>
  // CHECK: activation(none)
  %x1 = un0.conv2d %x, %w, %b activation(none) : tensor<?x4x8x8xf32>, tensor<6x4x3x3xf32>, tensor<6xf32> -> tensor<?x6x8x8xf32>
  %x2 = tosa.transpose %x1 {perms = array<i32: 0, 2, 3, 1>} : (tensor<?x6x8x8xf32>) -> tensor<?x8x8x6xf32>
  // CHECK: tosa.mul
  %x3 = tosa.mul %x2, %slope, %shift : (tensor<?x8x8x6xf32>, tensor<1x1x1x1xf32>, tensor<1xi8>) -> tensor<?x8x8x6xf32>
  // CHECK: tosa.maximum
  %x4 = tosa.maximum %x2, %x3 : (tensor<?x8x8x6xf32>, tensor<?x8x8x6xf32>) -> tensor<?x8x8x6xf32>
  return %x4 : tensor<?x8x8x6xf32>
}

// -----

// Somebody reads the value before tanh.
// CHECK-LABEL: func @shared_value
func.func @shared_value(%x: tensor<?x4x8x8xf32>, %w: tensor<6x4x3x3xf32>, %b: tensor<6xf32>)
    -> (tensor<?x6x8x8xf32>, tensor<?x6x8x8xf32>) {
  // CHECK: activation(none)
  %x1 = un0.conv2d %x, %w, %b activation(none) : tensor<?x4x8x8xf32>, tensor<6x4x3x3xf32>, tensor<6xf32> -> tensor<?x6x8x8xf32>
  // CHECK: tosa.tanh
  %x2 = tosa.tanh %x1 : (tensor<?x6x8x8xf32>) -> tensor<?x6x8x8xf32>
  return %x1, %x2 : tensor<?x6x8x8xf32>, tensor<?x6x8x8xf32>
}

// -----

// CHECK-LABEL: func @other_convolutions
func.func @other_convolutions(%x: tensor<?x8x8x4xf32>, %v: tensor<6x3x3x4xf32>, %v1: tensor<6x1x1x4xf32>, %b: tensor<6xf32>)
    -> (tensor<?x4x4x6xf32>, tensor<?x8x8x6xf32>) {
  %zero = "tosa.const"() <{values = dense<0.0> : tensor<1xf32>}> : () -> tensor<1xf32>
  // CHECK-COUNT-2: tosa.conv2d
  %s = tosa.conv2d %x, %v, %b, %zero, %zero {acc_type = f32, dilation = array<i64: 1, 1>, pad = array<i64: 1, 0, 1, 0>, stride = array<i64: 2, 2>}
      : (tensor<?x8x8x4xf32>, tensor<6x3x3x4xf32>, tensor<6xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<?x4x4x6xf32>
  %p = tosa.conv2d %x, %v1, %b, %zero, %zero {acc_type = f32, dilation = array<i64: 1, 1>, pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 1, 1>}
      : (tensor<?x8x8x4xf32>, tensor<6x1x1x4xf32>, tensor<6xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<?x8x8x6xf32>
  return %s, %p : tensor<?x4x4x6xf32>, tensor<?x8x8x6xf32>
}
