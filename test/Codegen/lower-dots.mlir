// Which instruction a packed dot product becomes, by feature.
// RUN: un0-opt %s --split-input-file --pass-pipeline='builtin.module(func.func(cpu-lower-dots))' | FileCheck %s

module attributes {cpu.target = {cpu = "znver4", features = ["avx512bf16", "avx512f", "avx512vl", "avx512vnni"], fma = true, lanes = 16 : i64, registers = 32 : i64}} {
  // CHECK-LABEL: @vnni512
  func.func @vnni512(%a: vector<16xi32>, %f: vector<16xf32>, %x: vector<16xi32>, %k: vector<16xi32>) -> (vector<16xi32>, vector<16xi32>, vector<16xf32>) {
    // CHECK: "llvm.x86.avx512.vpdpbusd.512"({{.*}}) : (vector<16xi32>, vector<64xi8>, vector<64xi8>)
    %0 = cpu.dot u8s8 %a, %x, %k : vector<16xi32>, vector<16xi32>
    // CHECK: "llvm.x86.avx512.vpdpwssd.512"({{.*}}) : (vector<16xi32>, vector<32xi16>, vector<32xi16>)
    %1 = cpu.dot s16 %a, %x, %k : vector<16xi32>, vector<16xi32>
    // CHECK: "llvm.x86.avx512bf16.dpbf16ps.512"({{.*}}) : (vector<16xf32>, vector<32xbf16>, vector<32xbf16>)
    %2 = cpu.dot bf16 %f, %x, %k : vector<16xf32>, vector<16xi32>
    return %0, %1, %2 : vector<16xi32>, vector<16xi32>, vector<16xf32>
  }

  // Half a register.
  // CHECK-LABEL: @vnni512_half
  func.func @vnni512_half(%a: vector<8xi32>, %x: vector<8xi32>, %k: vector<8xi32>) -> vector<8xi32> {
    // CHECK: "llvm.x86.avx512.vpdpbusd.256"({{.*}}) : (vector<8xi32>, vector<32xi8>, vector<32xi8>)
    %0 = cpu.dot u8s8 %a, %x, %k : vector<8xi32>, vector<8xi32>
    return %0 : vector<8xi32>
  }
}

// -----

module attributes {cpu.target = {cpu = "alderlake", features = ["avx2", "avxvnni", "fma"], fma = true, lanes = 8 : i64, registers = 16 : i64}} {
  // CHECK-LABEL: @vnni256
  func.func @vnni256(%a: vector<8xi32>, %x: vector<8xi32>, %k: vector<8xi32>) -> vector<8xi32> {
    // CHECK: "llvm.x86.avx512.vpdpbusd.256"
    %0 = cpu.dot u8s8 %a, %x, %k : vector<8xi32>, vector<8xi32>
    return %0 : vector<8xi32>
  }
}

// -----

module attributes {cpu.target = {cpu = "x86-64-v3", features = ["avx2", "fma"], fma = true, lanes = 8 : i64, registers = 16 : i64}} {
  // CHECK-LABEL: @avx2
  func.func @avx2(%a: vector<8xi32>, %f: vector<8xf32>, %x: vector<8xi32>, %k: vector<8xi32>) -> (vector<8xi32>, vector<8xi32>, vector<8xf32>) {
    // CHECK-COUNT-3: "llvm.x86.avx2.pmadd.wd"
    %0 = cpu.dot u8s8 %a, %x, %k : vector<8xi32>, vector<8xi32>
    %1 = cpu.dot s16 %a, %x, %k : vector<8xi32>, vector<8xi32>
    // CHECK-COUNT-2: vector.fma
    %2 = cpu.dot bf16 %f, %x, %k : vector<8xf32>, vector<8xi32>
    return %0, %1, %2 : vector<8xi32>, vector<8xi32>, vector<8xf32>
  }
}

// -----

module attributes {cpu.target = {cpu = "x86-64", features = [], fma = false, lanes = 4 : i64, registers = 16 : i64}} {
  // CHECK-LABEL: @sse2
  func.func @sse2(%a: vector<4xi32>, %x: vector<4xi32>, %k: vector<4xi32>) -> vector<4xi32> {
    // CHECK-COUNT-2: "llvm.x86.sse2.pmadd.wd"
    %0 = cpu.dot u8s8 %a, %x, %k : vector<4xi32>, vector<4xi32>
    return %0 : vector<4xi32>
  }
}

// -----

// Bytes without VNNI: the emitter must know that pairs fit.
module attributes {cpu.target = {cpu = "x86-64-v3", features = ["avx2", "fma"], fma = true, lanes = 8 : i64, registers = 16 : i64}} {
  // CHECK-LABEL: @bytes_avx2
  // CHECK-SAME: %[[A:[a-z0-9]+]]: vector<8xi32>, %[[X:[a-z0-9]+]]: vector<8xi32>, %[[K:[a-z0-9]+]]: vector<8xi32>
  func.func @bytes_avx2(%a: vector<8xi32>, %x: vector<8xi32>, %k: vector<8xi32>) -> vector<8xi32> {
    // CHECK-DAG: %[[XB:.*]] = vector.bitcast %[[X]]
    // CHECK-DAG: %[[KB:.*]] = vector.bitcast %[[K]]
    // CHECK: %[[PAIRS:.*]] = llvm.call_intrinsic "llvm.x86.avx2.pmadd.ub.sw"(%[[XB]], %[[KB]])
    // CHECK: %[[ONES:.*]] = arith.constant dense<1> : vector<16xi16>
    // CHECK: %[[SUMS:.*]] = llvm.call_intrinsic "llvm.x86.avx2.pmadd.wd"(%[[PAIRS]], %[[ONES]])
    // CHECK: arith.addi %[[A]], %[[SUMS]]
    // CHECK-NOT: pmadd
    %0 = cpu.dot u8s8 fits %a, %x, %k : vector<8xi32>, vector<8xi32>
    return %0 : vector<8xi32>
  }
}

// -----

module attributes {cpu.target = {cpu = "x86-64-v2", features = ["ssse3"], fma = false, lanes = 4 : i64, registers = 16 : i64}} {
  // CHECK-LABEL: @bytes_ssse3
  func.func @bytes_ssse3(%a: vector<4xi32>, %x: vector<4xi32>, %k: vector<4xi32>) -> vector<4xi32> {
    // CHECK: "llvm.x86.ssse3.pmadd.ub.sw.128"
    // CHECK: "llvm.x86.sse2.pmadd.wd"
    %0 = cpu.dot u8s8 fits %a, %x, %k : vector<4xi32>, vector<4xi32>
    return %0 : vector<4xi32>
  }
  // CHECK-LABEL: @quads_ssse3
  func.func @quads_ssse3(%a: vector<4xi32>, %x: vector<4xi32>, %k: vector<4xi32>) -> vector<4xi32> {
    // CHECK-COUNT-2: "llvm.x86.ssse3.pmadd.ub.sw.128"
    // CHECK: arith.addi {{.*}} : vector<8xi16>
    // CHECK: "llvm.x86.sse2.pmadd.wd"
    // CHECK-NOT: pmadd
    %0 = cpu.dot u8s8 fits %a, %x, %k and %k, %x : vector<4xi32>, vector<4xi32> : vector<4xi32>, vector<4xi32>
    return %0 : vector<4xi32>
  }
}

// -----

// AVX-512 without VNNI.
module attributes {cpu.target = {cpu = "skylake-avx512", features = ["avx512bw", "avx512f", "avx512vl"], fma = true, lanes = 16 : i64, registers = 32 : i64}} {
  // CHECK-LABEL: @bytes_avx512
  func.func @bytes_avx512(%a: vector<16xi32>, %x: vector<16xi32>, %k: vector<16xi32>) -> vector<16xi32> {
    // CHECK: "llvm.x86.avx512.pmaddubs.w.512"
    // CHECK: "llvm.x86.avx512.pmaddw.d.512"
    %0 = cpu.dot u8s8 fits %a, %x, %k : vector<16xi32>, vector<16xi32>
    return %0 : vector<16xi32>
  }
  // CHECK-LABEL: @quads_avx512
  func.func @quads_avx512(%a: vector<16xi32>, %x: vector<16xi32>, %k: vector<16xi32>) -> vector<16xi32> {
    // CHECK-COUNT-2: "llvm.x86.avx512.pmaddubs.w.512"
    // CHECK: arith.addi {{.*}} : vector<32xi16>
    // CHECK: "llvm.x86.avx512.pmaddw.d.512"
    // CHECK-NOT: pmadd
    %0 = cpu.dot u8s8 fits %a, %x, %k and %k, %x : vector<16xi32>, vector<16xi32> : vector<16xi32>, vector<16xi32>
    return %0 : vector<16xi32>
  }
}

// -----

// Two words whose sums of four products fit: added in 16 bits, where they are made there.
module attributes {cpu.target = {cpu = "x86-64-v3", features = ["avx2", "fma"], fma = true, lanes = 8 : i64, registers = 16 : i64}} {
  // CHECK-LABEL: @quads_avx2
  // CHECK-SAME: %[[A:[a-z0-9]+]]: vector<8xi32>
  func.func @quads_avx2(%a: vector<8xi32>, %x: vector<8xi32>, %k: vector<8xi32>, %y: vector<8xi32>, %l: vector<8xi32>) -> vector<8xi32> {
    // CHECK: %[[FIRST:.*]] = llvm.call_intrinsic "llvm.x86.avx2.pmadd.ub.sw"
    // CHECK: %[[SECOND:.*]] = llvm.call_intrinsic "llvm.x86.avx2.pmadd.ub.sw"
    // CHECK: %[[QUADS:.*]] = arith.addi %[[FIRST]], %[[SECOND]] : vector<16xi16>
    // CHECK: %[[SUMS:.*]] = llvm.call_intrinsic "llvm.x86.avx2.pmadd.wd"(%[[QUADS]], {{.*}})
    // CHECK: arith.addi %[[A]], %[[SUMS]]
    // CHECK-NOT: pmadd
    %0 = cpu.dot u8s8 fits %a, %x, %k and %y, %l : vector<8xi32>, vector<8xi32> : vector<8xi32>, vector<8xi32>
    return %0 : vector<8xi32>
  }
  // CHECK-LABEL: @two_words
  func.func @two_words(%a: vector<8xi32>, %x: vector<8xi32>, %k: vector<8xi32>, %y: vector<8xi32>, %l: vector<8xi32>) -> vector<8xi32> {
    // CHECK-COUNT-4: "llvm.x86.avx2.pmadd.wd"
    // CHECK-NOT: pmadd
    %0 = cpu.dot u8s8 %a, %x, %k and %y, %l : vector<8xi32>, vector<8xi32> : vector<8xi32>, vector<8xi32>
    return %0 : vector<8xi32>
  }
}

// -----

module attributes {cpu.target = {cpu = "znver4", features = ["avx512f", "avx512vl", "avx512vnni"], fma = true, lanes = 16 : i64, registers = 32 : i64}} {
  // CHECK-LABEL: @quads_vnni
  // CHECK-SAME: %[[A:[a-z0-9]+]]: vector<16xi32>
  func.func @quads_vnni(%a: vector<16xi32>, %x: vector<16xi32>, %k: vector<16xi32>, %y: vector<16xi32>, %l: vector<16xi32>) -> vector<16xi32> {
    // CHECK: %[[FIRST:.*]] = llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"(%[[A]],
    // CHECK: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"(%[[FIRST]],
    %0 = cpu.dot u8s8 fits %a, %x, %k and %y, %l : vector<16xi32>, vector<16xi32> : vector<16xi32>, vector<16xi32>
    return %0 : vector<16xi32>
  }
}

// -----

// Neither: widened.
module attributes {cpu.target = {cpu = "x86-64", features = [], fma = false, lanes = 4 : i64, registers = 16 : i64}} {
  // CHECK-LABEL: @bytes_sse2
  func.func @bytes_sse2(%a: vector<4xi32>, %x: vector<4xi32>, %k: vector<4xi32>) -> vector<4xi32> {
    // CHECK: arith.shrui
    // CHECK-COUNT-2: "llvm.x86.sse2.pmadd.wd"
    %0 = cpu.dot u8s8 fits %a, %x, %k : vector<4xi32>, vector<4xi32>
    return %0 : vector<4xi32>
  }
}

// -----

module attributes {cpu.target = {cpu = "znver4", features = ["avx512bw", "avx512f"], fma = true, lanes = 16 : i64, registers = 32 : i64}} {
  // CHECK-LABEL: @lookup512
  func.func @lookup512(%t: vector<16xi32>, %i: vector<16xi32>) -> vector<16xi32> {
    // CHECK: "llvm.x86.avx512.pshuf.b.512"({{.*}}) : (vector<64xi8>, vector<64xi8>) -> vector<64xi8>
    %0 = cpu.lookup %t[%i] : vector<16xi32>
    return %0 : vector<16xi32>
  }
}

// -----

// Without a byte shuffle, sixteen choices.
module attributes {cpu.target = {cpu = "x86-64", features = [], fma = false, lanes = 4 : i64, registers = 16 : i64}} {
  // CHECK-LABEL: @lookup_chain
  func.func @lookup_chain(%t: vector<4xi32>, %i: vector<4xi32>) -> vector<4xi32> {
    // CHECK-COUNT-16: arith.select {{.*}} : vector<16xi1>, vector<16xi8>
    // CHECK-NOT: arith.select
    %0 = cpu.lookup %t[%i] : vector<4xi32>
    return %0 : vector<4xi32>
  }
}

// -----

// 32 entries: one instruction where there is one for it.
module attributes {cpu.target = {cpu = "znver4", features = ["avx512bw", "avx512f", "avx512vbmi"], fma = true, lanes = 16 : i64, registers = 32 : i64}} {
  // CHECK-LABEL: @lookup32_vpermb
  func.func @lookup32_vpermb(%t: vector<16xi32>, %m: vector<16xi32>, %i: vector<16xi32>) -> vector<16xi32> {
    // CHECK: %[[BOTH:.*]] = vector.shuffle {{.*}} [0, 1, {{.*}}, 15, 64, 65, {{.*}}, 79, 0, 1, {{.*}}, 79] : vector<64xi8>, vector<64xi8>
    // CHECK: "llvm.x86.avx512.permvar.qi.512"(%[[BOTH]], %{{.*}}) : (vector<64xi8>, vector<64xi8>) -> vector<64xi8>
    %0 = cpu.lookup %t, %m[%i] : vector<16xi32>
    return %0 : vector<16xi32>
  }
}

// -----

// Two byte shuffles; each gives zero where the other has the entry.
module attributes {cpu.target = {cpu = "x86-64-v3", features = ["avx2", "fma"], fma = true, lanes = 8 : i64, registers = 16 : i64}} {
  // CHECK-LABEL: @lookup32_pshufb
  func.func @lookup32_pshufb(%t: vector<8xi32>, %m: vector<8xi32>, %i: vector<8xi32>) -> vector<8xi32> {
    // CHECK: dense<112> : vector<32xi8>
    // CHECK: %[[A:.*]] = llvm.call_intrinsic "llvm.x86.avx2.pshuf.b"
    // CHECK: dense<-16> : vector<32xi8>
    // CHECK: %[[B:.*]] = llvm.call_intrinsic "llvm.x86.avx2.pshuf.b"
    // CHECK: arith.ori %[[A]], %[[B]]
    %0 = cpu.lookup %t, %m[%i] : vector<8xi32>
    return %0 : vector<8xi32>
  }
}

// -----

module attributes {cpu.target = {cpu = "x86-64", features = [], fma = false, lanes = 4 : i64, registers = 16 : i64}} {
  // CHECK-LABEL: @lookup32_chain
  func.func @lookup32_chain(%t: vector<4xi32>, %m: vector<4xi32>, %i: vector<4xi32>) -> vector<4xi32> {
    // CHECK-COUNT-32: arith.select {{.*}} : vector<16xi1>, vector<16xi8>
    // CHECK-NOT: arith.select
    %0 = cpu.lookup %t, %m[%i] : vector<4xi32>
    return %0 : vector<4xi32>
  }
}

// -----

// A matrix unit: tiles by number, their rows one behind the other. The description says palette 1, 64 bytes and 16 rows.
module attributes {cpu.target = {cpu = "sapphirerapids", features = ["amx-int8", "amx-tile", "avx512f", "avx512vl", "avx512vnni"], fma = true, lanes = 16 : i64, registers = 32 : i64}} {
  // CHECK-LABEL: @tiles
  // CHECK-SAME: %[[K:.*]]: memref<4x35x16xi32>, %[[S:.*]]: memref<2048xi32>, %[[I:.*]]: index
  func.func @tiles(%k: memref<4x35x16xi32>, %s: memref<2048xi32>, %i: index) {
    // CHECK: %[[D:.*]] = arith.constant dense<[1, 0, 0, 0, 4194368, 4194368, 4194368, 4194368, 0, 0, 0, 0, 269488144, 269488144, 0, 0]> : vector<16xi32>
    // CHECK: vector.store %[[D]], %[[S]][%[[I]]]
    // CHECK: llvm.call_intrinsic "llvm.x86.ldtilecfg"(%{{.*}}) : (!llvm.ptr) -> ()
    cpu.tile_begin words 16 in %s[%i] : memref<2048xi32>
    // CHECK: %[[ZERO:.*]] = llvm.mlir.constant(0 : i8) : i8
    // CHECK: llvm.call_intrinsic "llvm.x86.tilezero"(%[[ZERO]]) : (i8) -> ()
    cpu.tile_zero 0
    // CHECK: %[[STRIDE:.*]] = llvm.mlir.constant(64 : i64) : i64
    // CHECK: arith.muli %[[I]], %c35
    // CHECK: %[[START:.*]] = memref.extract_aligned_pointer_as_index %[[K]]
    // CHECK: %[[AT:.*]] = llvm.inttoptr
    // CHECK: llvm.call_intrinsic "llvm.x86.tileloadd64"(%{{.*}}, %[[AT]], %[[STRIDE]]) : (i8, !llvm.ptr, i64) -> ()
    cpu.tile_load 6 from %k[%i, %i, %i] stride 16 : memref<4x35x16xi32>
    // CHECK: %[[SUMS:.*]] = llvm.mlir.constant(0 : i8) : i8
    // CHECK: %[[X:.*]] = llvm.mlir.constant(4 : i8) : i8
    // CHECK: %[[Y:.*]] = llvm.mlir.constant(6 : i8) : i8
    // CHECK: llvm.call_intrinsic "llvm.x86.tdpbusd"(%[[SUMS]], %[[X]], %[[Y]]) : (i8, i8, i8) -> ()
    cpu.tile_dot 0, 4, 6
    // CHECK: llvm.call_intrinsic "llvm.x86.tilestored64"(
    cpu.tile_store 0 to %s[%i] : memref<2048xi32>
    // CHECK: llvm.call_intrinsic "llvm.x86.tilerelease"() : () -> ()
    cpu.tile_end
    return
  }

  // Tiles that meet in eight words: 32 bytes in rows of 4 and 5, eight rows of 6 and 7. A part of memory begins at its offset.
  // CHECK-LABEL: @narrow_tiles
  func.func @narrow_tiles(%s: memref<2048xi32>, %part: memref<512xi32, strided<[1], offset: ?>>, %i: index) {
    // CHECK: arith.constant dense<[1, 0, 0, 0, 4194368, 4194368, 2097184, 4194368, 0, 0, 0, 0, 269488144, 134746128, 0, 0]> : vector<16xi32>
    cpu.tile_begin words 8 in %s[%i] : memref<2048xi32>
    // CHECK: llvm.mlir.constant(0 : i64) : i64
    // CHECK: %{{.*}}, %[[OFFSET:.*]], %{{.*}}, %{{.*}} = memref.extract_strided_metadata
    // CHECK: arith.addi %{{.*}}, %[[OFFSET]]
    cpu.tile_load 1 from %part[%i] stride 0 : memref<512xi32, strided<[1], offset: ?>>
    cpu.tile_end
    return
  }
}
