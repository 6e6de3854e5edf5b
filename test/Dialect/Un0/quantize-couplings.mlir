// RUN: un0-opt %s --un0-quantize-couplings=precision=int8 --split-input-file | FileCheck %s --check-prefixes=CHECK,INT8
// RUN: un0-opt %s --un0-quantize-couplings=precision=int4 --split-input-file | FileCheck %s --check-prefixes=CHECK,INT4
// RUN: un0-opt %s --un0-quantize-couplings=precision=f32 --split-input-file | FileCheck %s --check-prefix=F32
// RUN: un0-opt %s --un0-quantize-couplings=precision=int16 --split-input-file | FileCheck %s --check-prefix=INT16
// RUN: un0-opt %s "--un0-quantize-couplings=precision=int4 int4-group=4" --split-input-file | FileCheck %s --check-prefixes=CHECK,GROUP
// RUN: not un0-opt %s "--un0-quantize-couplings=precision=int4 int4-group=16" --split-input-file 2>&1 | FileCheck %s --check-prefix=SIXTEEN
// SIXTEEN: error: int4-group is 16; there are 0 and 4
// RUN: not un0-opt %s --un0-quantize-couplings=precision=int3 --split-input-file 2>&1 | FileCheck %s --check-prefix=BAD
// RUN: not un0-opt %s --un0-quantize-couplings=params=L --split-input-file 2>&1 | FileCheck %s --check-prefix=NONE
// BAD: error: precision 'int3' is not one of f32, int16, bf16, int8, int4
// NONE: error: there is no parameter @L to quantize
// F32-NOT: precisions
// INT16-LABEL: @table

// The shared coupling; the drive differs from sample to sample.
// CHECK-LABEL: @shared
func.func @shared(%s: tensor<?x64xf32>, %c: tensor<?x64xf32>, %w: tensor<1x64xf32>, %K: tensor<64x64xf32>,
                  %d: tensor<?x64x8xf32>, %p: tensor<?x8xf32>) -> tensor<?x64xf32> {
  // GROUP: couple %{{.*}}, %{{.*}} {groups = array<i64: 4, 0>, precisions = [#un0<precision int4>, #un0<precision f32>]}
  // INT8: couple %{{.*}}, %{{.*}} {precisions = [#un0<precision int8>, #un0<precision f32>]}
  // INT4: couple %{{.*}}, %{{.*}} {precisions = [#un0<precision int4>, #un0<precision f32>]}
  %dt = un0.fused_rate of(%s, %c) frequency %w couple %K(%s, %c), %d(%p, %p)
      : tensor<?x64xf32>, tensor<1x64xf32>, [tensor<64x64xf32>, tensor<?x64xf32>], [tensor<?x64x8xf32>, tensor<?x8xf32>]
  return %dt : tensor<?x64xf32>
}

// -----

// Nibbles come in eights.
// CHECK-LABEL: @ragged
func.func @ragged(%s: tensor<?x52xf32>, %c: tensor<?x52xf32>, %w: tensor<1x52xf32>, %K: tensor<52x52xf32>) -> tensor<?x52xf32> {
  // INT8: {precisions = [#un0<precision int8>]}
  // INT4: {precisions = [#un0<precision int8>]}
  // GROUP: {precisions = [#un0<precision int8>]}
  %dt = un0.fused_rate of(%s, %c) frequency %w couple %K(%s, %c)
      : tensor<?x52xf32>, tensor<1x52xf32>, [tensor<52x52xf32>, tensor<?x52xf32>]
  return %dt : tensor<?x52xf32>
}

// -----

// Not worth it.
// CHECK-LABEL: @small
func.func @small(%s: tensor<?x8xf32>, %c: tensor<?x8xf32>, %w: tensor<1x8xf32>, %K: tensor<8x8xf32>) -> tensor<?x8xf32> {
  // CHECK-NOT: precisions
  %dt = un0.fused_rate of(%s, %c) frequency %w couple %K(%s, %c)
      : tensor<?x8xf32>, tensor<1x8xf32>, [tensor<8x8xf32>, tensor<?x8xf32>]
  return %dt : tensor<?x8xf32>
}

// -----

// A table is small beside f32 or 16-bit couplings, and a sixth of a module with int8 ones if there are a thousand classes.
// CHECK-LABEL: @table
func.func @table(%s: tensor<?x64xf32>, %c: tensor<?x64xf32>, %w: tensor<1x64xf32>, %K: tensor<64x64xf32>,
                 %D: tensor<10x64x8xf32>, %p: tensor<?x8xf32>, %label: tensor<?xi64>) -> tensor<?x64xf32> {
  // INT8: un0.select_class {{.*}} {bits = 10 : i64}
  // INT4: un0.select_class {{.*}} {bits = 10 : i64}
  // INT16-NOT: bits
  // F32-NOT: bits
  %d = un0.select_class %D[%label] {bits = 10 : i64} : tensor<10x64x8xf32>, tensor<?xi64> -> tensor<?x64x8xf32>
  %dt = un0.fused_rate of(%s, %c) frequency %w couple %K(%s, %c), %d(%p, %p)
      : tensor<?x64xf32>, tensor<1x64xf32>, [tensor<64x64xf32>, tensor<?x64xf32>], [tensor<?x64x8xf32>, tensor<?x8xf32>]
  return %dt : tensor<?x64xf32>
}

// -----

// Drains are of another precision.
// CHECK-LABEL: @emptied
func.func @emptied(%s: tensor<?x64xf32>, %c: tensor<?x64xf32>, %w: tensor<1x64xf32>, %K: tensor<64x64xf32>) -> tensor<?x64xf32> {
  // CHECK-NOT: drains
  %dt = un0.fused_rate of(%s, %c) frequency %w couple %K(%s, %c) {drains = array<i64: 440>, precisions = [#un0<precision int16>]}
      : tensor<?x64xf32>, tensor<1x64xf32>, [tensor<64x64xf32>, tensor<?x64xf32>]
  return %dt : tensor<?x64xf32>
}
