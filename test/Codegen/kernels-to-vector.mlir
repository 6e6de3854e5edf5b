// RUN: un0-opt %s --split-input-file --cpu-kernels-to-vector --canonicalize --cse | FileCheck %s

// One sample: oscillators in the lanes, sine and cosine rows apart.
module attributes {cpu.target = {cpu = "znver4", features = ["avx512f", "fma"], fma = true, lanes = 16 : i64, registers = 32 : i64}} {
  // CHECK-LABEL: func @waves
  // CHECK: scf.for %[[I:.*]] = %{{.*}} to %c32 step %c16
  // CHECK: %[[V:.*]] = vector.load %arg0[%[[I]]] : memref<32xf32>, vector<16xf32>
  // CHECK: %[[S:.*]], %[[C:.*]] = cpu.sincos %[[V]] : vector<16xf32>
  // CHECK: vector.store %[[S]], %arg1[%c0, %[[I]]]
  // CHECK: vector.store %[[C]], %arg1[%c1, %[[I]]]
  func.func @waves(%theta: memref<32xf32>, %x: memref<2x32xf32>) {
    cpu.waves %theta to %x : memref<32xf32>, memref<2x32xf32>
    return
  }

  // Plane by plane, in both dimensions: 4 points x 2 vectors of outputs. The first points ask for the weights of the next plane.
  // CHECK-LABEL: func @planes
  // CHECK: vector.load %arg0
  // CHECK: arith.subf
  // CHECK: scf.for {{.*}} to %c4 step %c1
  // CHECK: scf.for {{.*}} to %c4 step %c1
  // CHECK-NOT: arith.select
  // CHECK: scf.for {{.*}} to %c16 step %c4 iter_args({{.*}}) -> (vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>)
  // CHECK: memref.prefetch
  // CHECK-COUNT-32: vector.fma
  func.func @planes(%x: memref<1x6x6x16xf32>, %y: memref<2x6x6x16xf32>, %w: memref<8192xf32>, %b: memref<32xf32>, %v: memref<16x4x16xf32>, %p: memref<16x4x32xf32>) {
    cpu.conv2d_planes %x, %w, %b to %y as f2 using %v, %p channels 16 together 1 x 2 lanes 16 group 2
        : memref<1x6x6x16xf32>, memref<8192xf32>, memref<32xf32>, memref<2x6x6x16xf32>, memref<16x4x16xf32>, memref<16x4x32xf32>
    return
  }

  // 25 planes of an upsampled image multiply 16 values: plane 3 of each dimension the one that plane 2 does.
  // CHECK-LABEL: func @upsampled_planes
  // CHECK: scf.for %[[I:.*]] = {{.*}} to %c5 step %c1
  // CHECK: scf.for {{.*}} to %c5 step %c1
  // CHECK-DAG: %[[BEHIND:.*]] = arith.cmpi ugt, %[[I]], %c2
  // CHECK-DAG: %[[BEFORE:.*]] = arith.subi %[[I]], %c1
  // CHECK-DAG: %[[VALUE:.*]] = arith.select %[[BEHIND]], %[[BEFORE]], %[[I]]
  // CHECK-DAG: arith.muli %[[VALUE]], %c4
  // CHECK-DAG: arith.muli %[[I]], %c5
  func.func @upsampled_planes(%x: memref<1x6x6x16xf32>, %y: memref<2x10x10x16xf32>, %w: memref<12800xf32>, %b: memref<32xf32>, %v: memref<16x4x16xf32>, %p: memref<25x4x32xf32>) {
    cpu.conv2d_planes %x, %w, %b to %y as f4_up using %v, %p channels 16 together 1 x 2 lanes 16 group 2
        : memref<1x6x6x16xf32>, memref<12800xf32>, memref<32xf32>, memref<2x10x10x16xf32>, memref<16x4x16xf32>, memref<25x4x32xf32>
    return
  }

  // A large coupling in blocks: 256 sources pass 16 panels, and the sums wait in the scratch memory.
  // CHECK-LABEL: func @rate_blocks
  // CHECK: scf.for %{{.*}} = %c0 to %c512 step %c16
  // CHECK: scf.for %{{.*}} = %c0 to %c8192 step %c256
  // CHECK: vector.load %arg4
  // CHECK: scf.for {{.*}} to %c256 step %c4 iter_args
  // CHECK: memref.prefetch
  // CHECK: vector.store {{.*}}, %arg4
  func.func @rate_blocks(%w: memref<8192xf32>, %k: memref<512x8192x16xf32>, %x: memref<8192x2x16xf32>, %t: memref<8192x16xf32>, %s: memref<8192xi32>) {
    cpu.rate frequency %w target %x couple(%k) with(%x) base %t to %t step 1.000000e-01 scratch %s
        : memref<8192xf32>, memref<8192x2x16xf32>, memref<8192x16xf32>, memref<8192x16xf32>, (memref<512x8192x16xf32>), (memref<8192x2x16xf32>) scratch memref<8192xi32>
    return
  }

  // While a batch tile's rows meet the shared coupling, half of the next panel's lines come in, and the 64 lines of 8 rows x 8
  // sources that the samples have of their own, one in each iteration.
  // CHECK-LABEL: func @rate_own
  // CHECK: scf.for %[[K:.*]] = %c0 to %c256 step %c4
  // CHECK: memref.prefetch %{{.*}}[{{.*}}, {{.*}}, %c0], read, locality<2>, data : memref<16x256x16xf32>
  // CHECK: %[[PART:.*]] = arith.muli %[[K]], %c64
  // CHECK: %[[LINE:.*]] = arith.divui %[[PART]], %c256
  // CHECK: arith.minui %[[LINE]], %c63
  // CHECK: memref.prefetch %{{.*}}, read, locality<3>, data : memref<32768xf32>
  // CHECK-NOT: memref.prefetch
  // CHECK-COUNT-64: vector.fma
  func.func @rate_own(%w: memref<256xf32>, %k: memref<16x256x16xf32>, %x: memref<256x2x16xf32>, %d: memref<256x8x16xf32>, %p: memref<8x2x16xf32>, %t: memref<256x16xf32>) {
    cpu.rate frequency %w target %x couple(%k, %d) with(%x, %p) base %t to %t step 1.000000e-01
        : memref<256xf32>, memref<256x2x16xf32>, memref<256x16xf32>, memref<256x16xf32>, (memref<16x256x16xf32>, memref<256x8x16xf32>), (memref<256x2x16xf32>, memref<8x2x16xf32>)
    return
  }

  // So do 16 KB of them, into the second level, while the sums of int16 are emptied every 128 lines.
  // CHECK-LABEL: func @rate_own_words
  // CHECK: scf.for %[[FROM:.*]] = %c0 to %c256 step %c128
  // CHECK: scf.for %[[K:.*]] = %c0 to %c128 step %c4
  // CHECK: %[[AT:.*]] = arith.addi %[[FROM]], %[[K]]
  // CHECK: %[[PART:.*]] = arith.muli %[[AT]], %c256
  // CHECK: arith.divui %[[PART]], %c256
  // CHECK-COUNT-4: memref.prefetch %{{.*}}, read, locality<2>, data : memref<262144xf32>
  // CHECK-NOT: memref.prefetch
  // CHECK-COUNT-64: cpu.dot s16
  func.func @rate_own_words(%w: memref<512xf32>, %k: memref<32x258x16xi32>, %x: memref<512x2x16xf32>, %s: memref<256x2x16xi32>, %d: memref<512x32x16xf32>, %p: memref<32x2x16xf32>, %t: memref<512x16xf32>, %m: memref<1024xi32>) {
    cpu.rate frequency %w target %x couple(%k, %d) with(%s, %p) base %t to %t step 1.000000e-01 scratch %m {precisions = [#un0<precision int16>, #un0<precision f32>], drains = array<i64: 128, 0>}
        : memref<512xf32>, memref<512x2x16xf32>, memref<512x16xf32>, memref<512x16xf32>, (memref<32x258x16xi32>, memref<512x32x16xf32>), (memref<256x2x16xi32>, memref<32x2x16xf32>) scratch memref<1024xi32>
    return
  }

  // A batch tile: 8 rows x (sine, cosine) stay in registers over the whole sum, and both products share the load of K.
  // CHECK-LABEL: func @rate_tile
  // CHECK: scf.for {{.*}} -> (vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>)
  // CHECK: memref.load
  // CHECK: %[[K:.*]] = vector.broadcast
  // CHECK-NEXT: vector.fma %[[K]]
  // CHECK-NEXT: vector.fma %[[K]]
  func.func @rate_tile(%w: memref<32xf32>, %k: memref<2x20x16xf32>, %x: memref<32x2x16xf32>, %t: memref<32x16xf32>) {
    cpu.rate frequency %w target %x couple(%k) with(%x) base %t to %t step 1.000000e-01
        : memref<32xf32>, memref<32x2x16xf32>, memref<32x16xf32>, memref<32x16xf32>, (memref<2x20x16xf32>), (memref<32x2x16xf32>)
    return
  }
}

// -----

// 8 lanes: the same sums, in twice the vectors.
module attributes {cpu.target = {cpu = "x86-64-v3", features = ["avx2", "fma"], fma = true, lanes = 8 : i64, registers = 16 : i64}} {
  // CHECK-LABEL: func @rate_one
  // CHECK: vector.load {{.*}} : memref<2x20x16xf32>, vector<8xf32>
  // CHECK: vector.fma {{.*}} : vector<8xf32>
  // CHECK-NOT: vector<16xf32>
  func.func @rate_one(%w: memref<32xf32>, %k: memref<2x20x16xf32>, %x: memref<2x32xf32>, %t: memref<32xf32>) {
    cpu.rate frequency %w target %x couple(%k) with(%x) base %t to %t step 1.000000e-01
        : memref<32xf32>, memref<2x32xf32>, memref<32xf32>, memref<32xf32>, (memref<2x20x16xf32>), (memref<2x32xf32>)
    return
  }
}

// -----

// Ten bits: eight of them from one line, two from another, the sign by the shift down, one product with the scale.
module attributes {cpu.target = {cpu = "znver4", features = ["avx512f", "fma"], fma = true, lanes = 16 : i64, registers = 32 : i64}} {
  // CHECK-LABEL: func @gather_words
  // CHECK: %[[U:.*]] = vector.load %arg0[%{{.*}}, %{{.*}}, %c1, %c0] : memref<4x2x4x16xi32>, vector<16xi32>
  // CHECK: %[[L:.*]] = vector.load %arg0[%{{.*}}, %{{.*}}, %c3, %c0]
  // CHECK: arith.shli %[[U]]
  // CHECK: %[[BOTH:.*]] = arith.ori
  // CHECK: %[[N:.*]] = arith.shrsi %[[BOTH]]
  // CHECK: %[[S:.*]] = vector.load %arg0[%{{.*}}, %{{.*}}, %c0, %c0]
  // CHECK: arith.mulf
  // CHECK-NEXT: vector.store
  func.func @gather_words(%t: memref<4x2x4x16xi32>, %l: memref<1xi64>, %d: memref<2x96xf32>) {
    cpu.gather_class %t[%l] to %d : memref<4x2x4x16xi32>, memref<1xi64>, memref<2x96xf32>
    return
  }
}

// -----

// int4 with groups: the bits that say the set of every byte, one for two lines of words, become bit 4 of the indices.
module attributes {cpu.target = {cpu = "znver4", features = ["avx512f", "fma"], fma = true, lanes = 16 : i64, registers = 32 : i64}} {
  // CHECK-LABEL: func @rate_groups
  // CHECK-DAG: %[[A:.*]] = vector.load %arg1[%{{.*}}, %c6, %c0] : memref<2x9x16xi32>
  // CHECK-DAG: %[[B:.*]] = vector.load %arg1[%{{.*}}, %c7, %c0] : memref<2x9x16xi32>
  // CHECK: arith.shrui
  // CHECK: %[[SHIFTED:.*]] = arith.shli %{{.*}}, %[[FOUR:.*]] : vector<16xi32>
  // CHECK: %[[SET:.*]] = arith.andi %[[SHIFTED]]
  // CHECK: %[[LOW:.*]] = arith.ori %{{.*}}, %[[SET]]
  // CHECK: %[[HIGH:.*]] = arith.ori %{{.*}}, %[[SET]]
  // CHECK: cpu.lookup %[[A]], %[[B]][%[[LOW]]]
  // CHECK: cpu.lookup %[[A]], %[[B]][%[[HIGH]]]
  func.func @rate_groups(%t: memref<32xf32>, %k: memref<2x9x16xi32>, %x: memref<2x32xf32>, %p: memref<2x8xi32>) {
    cpu.rate frequency %t target %x couple(%k) with(%p) base %t to %t {groups = array<i64: 4>, precisions = [#un0<precision int4>]}
        : memref<32xf32>, memref<2x32xf32>, memref<32xf32>, memref<32xf32>, (memref<2x9x16xi32>), (memref<2x8xi32>)
    return
  }
}

// -----

// int4 without a dot product of bytes: both lines of a line of words together. Of one sample, a register of rows at a time;
// of a batch tile, what was unpacked is behind nothing else in the scratch here.
module attributes {cpu.target = {cpu = "x86-64-v3", features = ["avx2", "fma"], fma = true, lanes = 8 : i64, registers = 16 : i64}} {
  // CHECK-LABEL: func @quads_one
  // CHECK: llvm.inline_asm has_side_effects
  // CHECK: %[[WORD:.*]] = vector.load %arg1[%{{.*}}, %{{.*}}, %c0] : memref<2x7x16xi32>, vector<8xi32>
  // CHECK: %[[LOW:.*]] = cpu.lookup
  // CHECK: %[[HIGH:.*]] = cpu.lookup
  // CHECK: cpu.dot u8s8 fits %{{.*}}, %{{.*}}, %[[LOW]] and %{{.*}}, %[[HIGH]]
  // CHECK: cpu.dot u8s8 fits %{{.*}}, %{{.*}}, %[[LOW]] and %{{.*}}, %[[HIGH]]
  // CHECK-NEXT: llvm.inline_asm has_side_effects
  // CHECK-NOT: arith.xori
  func.func @quads_one(%t: memref<32xf32>, %k: memref<2x7x16xi32>, %x: memref<2x32xf32>, %p: memref<2x8xi32>) {
    cpu.rate frequency %t target %x couple(%k) with(%p) base %t to %t {precisions = [#un0<precision int4>]}
        : memref<32xf32>, memref<2x32xf32>, memref<32xf32>, memref<32xf32>, (memref<2x7x16xi32>), (memref<2x8xi32>)
    return
  }
  // Four rows, sines and cosines of each of four lines.
  // CHECK-LABEL: func @quads_tile
  // CHECK: vector.store {{.*}} : memref<128xi32>, vector<8xi32>
  // CHECK: memref.load %arg5[{{.*}}] : memref<128xi32>
  // CHECK-COUNT-32: cpu.dot u8s8 fits {{.*}} and
  // CHECK-NOT: cpu.dot
  // CHECK-NOT: arith.xori
  func.func @quads_tile(%w: memref<32xf32>, %k: memref<2x7x16xi32>, %x: memref<32x2x8xf32>, %p: memref<8x2x8xi32>, %t: memref<32x8xf32>, %s: memref<128xi32>) {
    cpu.rate frequency %w target %x couple(%k) with(%p) base %t to %t scratch %s {precisions = [#un0<precision int4>]}
        : memref<32xf32>, memref<32x2x8xf32>, memref<32x8xf32>, memref<32x8xf32>, (memref<2x7x16xi32>), (memref<8x2x8xi32>) scratch memref<128xi32>
    return
  }
}

// -----

// bf16 without its instructions: waves are rounded and stay f32, each half of a word of K is a load and a mask, and nothing
// is shifted or converted.
module attributes {cpu.target = {cpu = "x86-64-v3", features = ["avx2", "fma"], fma = true, lanes = 8 : i64, registers = 16 : i64}} {
  // CHECK-LABEL: func @brain_waves
  // CHECK: arith.truncf {{.*}} : vector<8xf32> to vector<8xbf16>
  // CHECK: arith.shli
  // CHECK: vector.store {{.*}}, %arg2[{{.*}}] : memref<2x32xf32>, vector<8xf32>
  func.func @brain_waves(%theta: memref<32xf32>, %x: memref<2x32xf32>, %p: memref<2x32xf32>) {
    cpu.waves %theta to %x packed bf16 %p : memref<32xf32>, memref<2x32xf32>, memref<2x32xf32>
    return
  }

  // Panels: three together, or two if one would be left.
  // CHECK-LABEL: func @brain_panels
  // CHECK: scf.for {{.*}} to %c16 step %c4 iter_args({{.*}}) -> (vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>)
  // CHECK-NOT: arith.sh
  // CHECK: llvm.load {{.*}} {alignment = 2 : i64} : !llvm.ptr -> vector<8xi32>
  // CHECK-NEXT: arith.andi
  // CHECK: llvm.load {{.*}} {alignment = 4 : i64} : !llvm.ptr -> vector<8xi32>
  // CHECK-NEXT: arith.andi
  // CHECK-NOT: arith.sh
  // CHECK-COUNT-2: scf.for {{.*}} to %c16 step %c4 iter_args({{.*}}) -> (vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>)
  func.func @brain_panels(%w: memref<112xf32>, %k: memref<7x16x16xi32>, %x: memref<2x112xf32>, %p: memref<2x112xf32>, %t: memref<112xf32>) {
    cpu.rate frequency %w target %x couple(%k) with(%p) base %t to %t step 1.000000e-01 {precisions = [#un0<precision bf16>]}
        : memref<112xf32>, memref<2x112xf32>, memref<112xf32>, memref<112xf32>, (memref<7x16x16xi32>), (memref<2x112xf32>)
    return
  }

  // A batch tile: 6, 5 and 5 rows, as in f32.
  // CHECK-LABEL: func @brain_rows
  // CHECK: scf.for {{.*}} to %c16 step %c4 iter_args({{.*}}) -> (vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>)
  // CHECK: llvm.load {{.*}} {alignment = 2 : i64} : !llvm.ptr -> f32
  // CHECK-NEXT: vector.broadcast
  // CHECK-NEXT: llvm.call_intrinsic "llvm.arithmetic.fence.v8f32"
  // CHECK-NOT: cpu.dot
  func.func @brain_rows(%w: memref<32xf32>, %k: memref<2x16x16xi32>, %x: memref<32x2x8xf32>, %p: memref<32x2x8xf32>, %t: memref<32x8xf32>) {
    cpu.rate frequency %w target %x couple(%k) with(%p) base %t to %t step 1.000000e-01 {precisions = [#un0<precision bf16>]}
        : memref<32xf32>, memref<32x2x8xf32>, memref<32x8xf32>, memref<32x8xf32>, (memref<2x16x16xi32>), (memref<32x2x8xf32>)
    return
  }
}

// -----

// Waves as bytes are 64 too large, to be unsigned. A row of int8 starts from a sum that takes that away again, and from its
// zero point times the sum of all waves, which is the same for all rows.
module attributes {cpu.target = {cpu = "x86-64-v3", features = ["avx2", "fma", "ssse3"], fma = true, lanes = 8 : i64, registers = 16 : i64}} {
  // CHECK-LABEL: func @byte_waves
  // CHECK-DAG: %[[SCALE:.*]] = arith.constant dense<6.400000e+01> : vector<8xf32>
  // CHECK-DAG: %[[MIDDLE:.*]] = arith.constant dense<0x4B400040> : vector<8xf32>
  // CHECK: vector.fma %{{.*}}, %[[SCALE]], %[[MIDDLE]]
  // CHECK-COUNT-2: vector.store {{.*}}, %arg2[
  // CHECK-NOT: %arg2[
  func.func @byte_waves(%theta: memref<32x8xf32>, %x: memref<32x2x8xf32>, %p: memref<8x2x8xi32>) {
    cpu.waves %theta to %x packed int8 %p : memref<32x8xf32>, memref<32x2x8xf32>, memref<8x2x8xi32>
    return
  }

  // CHECK-LABEL: func @byte_rate
  // CHECK-DAG: %[[ONES:.*]] = arith.constant dense<16843009> : vector<8xi32>
  // CHECK: %[[SUM:.*]] = scf.for
  // CHECK: cpu.dot u8s8 fits %{{.*}}, %{{.*}}, %[[ONES]]
  // CHECK: memref.load %arg3[%{{.*}}, %c9, %{{.*}}]
  // CHECK: memref.load %arg3[%{{.*}}, %c10, %{{.*}}]
  // CHECK: %[[PRODUCT:.*]] = arith.muli %{{.*}}, %[[SUM]]
  // CHECK: %[[START:.*]] = arith.addi %{{.*}}, %[[PRODUCT]]
  // Of four lines and four rows, whether some quad is too large for 16 bits.
  // CHECK: scf.for {{.*}} iter_args(%{{.*}} = %[[START]],
  // CHECK: %[[HALF:.*]] = arith.divui %[[LINE:.*]], %c512
  // CHECK: %[[AT:.*]] = arith.addi %[[HALF]], %c11
  // CHECK: %[[IN:.*]] = arith.remui %[[LINE]], %c512
  // CHECK: %[[WORD:.*]] = arith.divui %[[IN]], %c128
  // CHECK: %[[TURN:.*]] = arith.divui %[[LINE]], %c4
  // CHECK: %[[BIT:.*]] = arith.remui %[[TURN]], %c32
  // CHECK: %[[PLACE:.*]] = arith.index_cast %[[BIT]]
  // CHECK: %[[MASK:.*]] = arith.shli %c1_i32, %[[PLACE]]
  // CHECK: %[[FLAGS:.*]] = memref.load %arg3[%{{.*}}, %[[AT]], %{{.*}}]
  // CHECK: %[[OWN:.*]] = arith.andi %[[FLAGS]], %[[MASK]]
  // CHECK: %[[FLAG:.*]] = arith.cmpi ne, %[[OWN]], %c0_i32
  // CHECK: scf.if %[[FLAG]]
  // CHECK: %[[WAVE:.*]] = vector.load %arg2[%{{.*}}, %c0, %c0]
  // CHECK-COUNT-32: cpu.dot u8s8 fits %{{.*}}, %{{.*}}, %{{[^ ]*}} : vector<8xi32>
  // CHECK: } else {
  // CHECK-COUNT-16: cpu.dot u8s8 fits %{{.*}}, %{{.*}}, %{{.*}} and
  func.func @byte_rate(%w: memref<32xf32>, %x: memref<32x2x8xf32>, %p: memref<8x2x8xi32>, %k: memref<2x12x16xi32>, %t: memref<32x8xf32>) {
    cpu.rate frequency %w target %x couple(%k) with(%p) base %t to %t {precisions = [#un0<precision int8>]}
        : memref<32xf32>, memref<32x2x8xf32>, memref<32x8xf32>, memref<32x8xf32>, (memref<2x12x16xi32>), (memref<8x2x8xi32>)
    return
  }
}

// -----

// int8 of a batch tile on a matrix unit: 18 lines are a tile and two more. The waves of 16 lines are transposed first, then
// tiles of two panels meet both, of three panels the last one twice.
module attributes {cpu.target = {cpu = "sapphirerapids", features = ["amx-int8", "amx-tile", "avx512f", "avx512vl", "avx512vnni"], fma = true, lanes = 16 : i64, registers = 32 : i64}} {
  // CHECK-LABEL: func @matrix
  // CHECK: cpu.tile_begin words 16 in %arg5[%c0] : memref<3600xi32>
  // CHECK-COUNT-16: vector.load %arg2[
  // CHECK: vector.shuffle
  // CHECK-COUNT-16: vector.store %{{.*}}, %arg5[
  // CHECK: scf.for %[[P:.*]] = %c0 to %c3 step %c2
  // CHECK: arith.minui
  // CHECK-COUNT-4: cpu.tile_zero
  // CHECK: cpu.tile_load 4 from %arg5[
  // CHECK: cpu.tile_load 5 from %arg5[
  // CHECK: cpu.tile_load 6 from %arg3[%[[P]], {{.*}}, %c0]
  // CHECK: cpu.tile_dot 0, 4, 6
  // CHECK: cpu.tile_dot 1, 5, 6
  // CHECK: cpu.tile_load 7 from %arg3[
  // CHECK: cpu.tile_dot 2, 4, 7
  // CHECK: cpu.tile_dot 3, 5, 7
  // CHECK-COUNT-4: cpu.tile_store
  // CHECK: vector.shuffle
  // CHECK: scf.for
  // CHECK: cpu.dot u8s8 fits
  // CHECK: cpu.tile_end
  func.func @matrix(%w: memref<48xf32>, %x: memref<48x2x16xf32>, %p: memref<18x2x16xi32>, %k: memref<3x22x16xi32>, %t: memref<48x16xf32>, %s: memref<3600xi32>) {
    cpu.rate frequency %w target %x couple(%k) with(%p) base %t to %t scratch %s {precisions = [#un0<precision int8>]}
        : memref<48xf32>, memref<48x2x16xf32>, memref<48x16xf32>, memref<48x16xf32>, (memref<3x22x16xi32>), (memref<18x2x16xi32>) scratch memref<3600xi32>
    return
  }

  // Without the room for it, word by word.
  // CHECK-LABEL: func @no_room
  // CHECK-NOT: cpu.tile
  func.func @no_room(%w: memref<48xf32>, %x: memref<48x2x16xf32>, %p: memref<18x2x16xi32>, %k: memref<3x22x16xi32>, %t: memref<48x16xf32>) {
    cpu.rate frequency %w target %x couple(%k) with(%p) base %t to %t {precisions = [#un0<precision int8>]}
        : memref<48xf32>, memref<48x2x16xf32>, memref<48x16xf32>, memref<48x16xf32>, (memref<3x22x16xi32>), (memref<18x2x16xi32>)
    return
  }
}

// -----

// A convolution on a matrix unit: 64 channels are 16 words of two tiles of pixels. 8 x 8 pixels and the ring's between them
// are 78 in a row: three pairs of tiles, the last from 62 on. All rows of sums begin with the same words.
module attributes {cpu.target = {cpu = "sapphirerapids", features = ["amx-int8", "amx-tile", "avx512f", "avx512vl", "avx512vnni"], fma = true, lanes = 16 : i64, registers = 32 : i64}} {
  // CHECK-LABEL: func @matrix_convolution
  // CHECK: cpu.tile_begin words 16 in %arg4[%c0]
  // CHECK: scf.for %[[FIRST:.*]] = %c0 to %c78 step %c32
  // CHECK: %[[A:.*]] = arith.minui %[[FIRST]], %c62
  // CHECK: %[[NEXT:.*]] = arith.addi %[[FIRST]], %c16
  // CHECK: %[[B:.*]] = arith.minui %[[NEXT]], %c62
  // CHECK: cpu.tile_load 0 from %arg1[%{{.*}}] stride 0
  // CHECK: cpu.tile_load 1 from %arg1[%{{.*}}] stride 0
  // CHECK: cpu.tile_load 2 from %arg1[%{{.*}}] stride 0
  // CHECK: cpu.tile_load 3 from %arg1[%{{.*}}] stride 0
  // CHECK: cpu.tile_load 4 from %{{.*}} stride 16
  // CHECK: cpu.tile_load 5 from %{{.*}} stride 16
  // CHECK: cpu.tile_load 6 from %arg1[%{{.*}}] stride 288
  // CHECK: cpu.tile_dot 0, 4, 6
  // CHECK: cpu.tile_dot 2, 5, 6
  // CHECK: cpu.tile_load 7 from %arg1[%{{.*}}] stride 288
  // CHECK: cpu.tile_dot 1, 4, 7
  // CHECK: cpu.tile_dot 3, 5, 7
  // CHECK: cpu.tile_store 3 to %arg4[%{{.*}}]
  // CHECK: %[[X:.*]] = arith.remui %{{.*}}, %c10
  // CHECK: %[[INSIDE:.*]] = arith.cmpi ult, %[[X]], %c8
  // CHECK: scf.if %[[INSIDE]]
  // CHECK: cpu.tile_end
  func.func @matrix_convolution(%x: memref<1x10x10x16xi32>, %w: memref<4672xi32>, %b: memref<32xf32>, %y: memref<2x10x10x16xf32>, %s: memref<1040xi32>) {
    cpu.conv2d_bytes %x, %w, %b to %y channels 64 lanes 16 group 2 scratch %s {input_scale = 0.5 : f32}
        : memref<1x10x10x16xi32>, memref<4672xi32>, memref<32xf32>, memref<2x10x10x16xf32> scratch memref<1040xi32>
    return
  }

  // Words that no tile of 16, 8 or 4 divides, and an image that has no 16 pixels, are multiplied word by word.
  // CHECK-LABEL: func @odd_words
  // CHECK-NOT: cpu.tile
  func.func @odd_words(%x: memref<1x10x10x16xi32>, %w: memref<3584xi32>, %b: memref<64xf32>, %y: memref<4x10x10x16xf32>, %s: memref<1040xi32>) {
    cpu.conv2d_bytes %x, %w, %b to %y channels 22 lanes 16 group 2 scratch %s {input_scale = 0.5 : f32}
        : memref<1x10x10x16xi32>, memref<3584xi32>, memref<64xf32>, memref<4x10x10x16xf32> scratch memref<1040xi32>
    return
  }
  // CHECK-LABEL: func @few_pixels
  // CHECK-NOT: cpu.tile
  func.func @few_pixels(%x: memref<1x5x5x16xi32>, %w: memref<4672xi32>, %b: memref<32xf32>, %y: memref<2x5x5x16xf32>, %s: memref<1040xi32>) {
    cpu.conv2d_bytes %x, %w, %b to %y channels 64 lanes 16 group 2 scratch %s {input_scale = 0.5 : f32}
        : memref<1x5x5x16xi32>, memref<4672xi32>, memref<32xf32>, memref<2x5x5x16xf32> scratch memref<1040xi32>
    return
  }
}

// -----

// Eight rows have two flags, and lines that are no multiple of four are added as pairs: 9 of them.
module attributes {cpu.target = {cpu = "x86-64-v4", features = ["avx512bw", "avx512f", "avx512vl", "fma", "ssse3"], fma = true, lanes = 16 : i64, registers = 32 : i64}} {
  // CHECK-LABEL: func @eight_rows
  // CHECK: arith.shli %c1_i32
  // CHECK: %[[FIRST:.*]] = memref.load %arg3[%{{.*}}, %[[AT:.*]], %{{.*}}]
  // CHECK: %[[SECOND:.*]] = memref.load %arg3[%{{.*}}, %[[AT]], %{{.*}}]
  // CHECK: %[[BOTH:.*]] = arith.ori %[[FIRST]], %[[SECOND]]
  // CHECK: arith.andi %[[BOTH]], %{{.*}}
  // CHECK: scf.if
  // CHECK-COUNT-64: cpu.dot u8s8 fits %{{.*}}, %{{.*}}, %{{[^ ]*}} : vector<16xi32>
  // CHECK: } else {
  // CHECK-COUNT-32: cpu.dot u8s8 fits %{{.*}}, %{{.*}}, %{{.*}} and
  // CHECK: scf.yield
  // CHECK-COUNT-16: cpu.dot u8s8 fits %{{.*}}, %{{.*}}, %{{[^ ]*}} : vector<16xi32>
  func.func @eight_rows(%w: memref<48xf32>, %x: memref<48x2x16xf32>, %p: memref<12x2x16xi32>, %k: memref<3x13x16xi32>, %t: memref<48x16xf32>) {
    cpu.rate frequency %w target %x couple(%k) with(%p) base %t to %t {precisions = [#un0<precision int8>]}
        : memref<48xf32>, memref<48x2x16xf32>, memref<48x16xf32>, memref<48x16xf32>, (memref<3x13x16xi32>), (memref<12x2x16xi32>)
    return
  }
}

// -----

// One sample asks for what the next iteration loads of a coupling that a third-level cache has, where the processor follows its streams;
// of one that comes from memory, and elsewhere, for lines far ahead, in the second level.
// RUN: sed 's/znver4/sapphirerapids/' %s | un0-opt --split-input-file --cpu-kernels-to-vector --canonicalize --cse | FileCheck %s --check-prefix=FAR
module attributes {cpu.target = {cpu = "znver4", features = ["avx512f", "fma"], fma = true, lanes = 16 : i64, registers = 32 : i64}} {
  // CHECK-LABEL: func @rate_from_cache
  // CHECK: %[[NEXT:.*]] = arith.addi %{{.*}}, %c4
  // CHECK: %[[AT:.*]] = arith.minui %[[NEXT]], %c1020
  // CHECK-COUNT-16: memref.prefetch {{.*}} locality<3>
  // FAR-LABEL: func @rate_from_cache
  // FAR: arith.addi %{{.*}}, %c16
  // FAR-COUNT-16: memref.prefetch {{.*}} locality<2>
  func.func @rate_from_cache(%w: memref<1024xf32>, %k: memref<64x1024x16xf32>, %x: memref<2x1024xf32>, %t: memref<1024xf32>) {
    cpu.rate frequency %w target %x couple(%k) with(%x) base %t to %t step 1.000000e-01
        : memref<1024xf32>, memref<2x1024xf32>, memref<1024xf32>, memref<1024xf32>, (memref<64x1024x16xf32>), (memref<2x1024xf32>)
    return
  }

  // CHECK-LABEL: func @rate_from_memory
  // CHECK: arith.addi %{{.*}}, %c16
  // CHECK-COUNT-16: memref.prefetch {{.*}} locality<2>
  func.func @rate_from_memory(%w: memref<4096xf32>, %k: memref<256x4096x16xf32>, %x: memref<2x4096xf32>, %t: memref<4096xf32>) {
    cpu.rate frequency %w target %x couple(%k) with(%x) base %t to %t step 1.000000e-01
        : memref<4096xf32>, memref<2x4096xf32>, memref<4096xf32>, memref<4096xf32>, (memref<256x4096x16xf32>), (memref<2x4096xf32>)
    return
  }
}

// -----

// The last convolution of 32 channels of bytes reads 8 words of each pixel; of 64 it reads 16.
module attributes {cpu.target = {cpu = "znver4", features = ["avx512f", "avx512vl", "avx512vnni", "fma"], fma = true, lanes = 16 : i64, registers = 32 : i64}} {
  // CHECK-LABEL: func @planar_half
  // CHECK-COUNT-24: cpu.dot u8s8 fits {{.*}} : vector<8xi32>, vector<8xi32>
  // CHECK-NOT: cpu.dot
  // CHECK-LABEL: func @planar_whole
  // CHECK-COUNT-24: cpu.dot u8s8 fits {{.*}} : vector<16xi32>, vector<16xi32>
  // CHECK-NOT: cpu.dot
  func.func @planar_half(%x: memref<1x10x10x16xi32>, %w: memref<248xi32>, %b: memref<16xf32>, %y: memref<3x8x8xf32>) {
    cpu.conv2d_planar_bytes %x, %w, %b to %y scale 5.000000e-02 tanh : memref<1x10x10x16xi32>, memref<248xi32>, memref<16xf32>, memref<3x8x8xf32>
    return
  }
  func.func @planar_whole(%x: memref<1x10x10x16xi32>, %w: memref<464xi32>, %b: memref<16xf32>, %y: memref<3x8x8xf32>) {
    cpu.conv2d_planar_bytes %x, %w, %b to %y scale 5.000000e-02 tanh : memref<1x10x10x16xi32>, memref<464xi32>, memref<16xf32>, memref<3x8x8xf32>
    return
  }
}
