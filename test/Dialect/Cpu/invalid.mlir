// RUN: un0-opt %s --split-input-file --verify-diagnostics

un0.param @K : tensor<4x4xf32> from "m" key "K"
// expected-error @+1 {{offset 4 is not a multiple of 64}}
cpu.packed_param @P of @K rows16 at 4 size 256

// -----

un0.param @K : tensor<4x4xf32> from "m" key "K"
// expected-error @+1 {{size 3 is not a positive multiple of 4}}
cpu.packed_param @P of @K rows16 at 0 size 3

// -----

un0.param @K : tensor<4x4xf32> from "m" key "K"
// expected-error @+1 {{lanes 5 do not divide a line of 16}}
cpu.packed_param @P of @K conv3x3 at 0 size 64 {lanes = 5 : i64}

// -----

func.func @f(%a: memref<1x20xf32>, %b: memref<20xf32>) {
  // expected-error @+1 {{lane layout does not hold 1 x 20 phases}}
  cpu.load_phases %a to %b : memref<1x20xf32>, memref<20xf32>
  return
}

// -----

func.func @f(%a: memref<20xf32>, %b: memref<2x20xf32>) {
  // expected-error @+1 {{waves do not match the phases' layout}}
  cpu.waves %a to %b : memref<20xf32>, memref<2x20xf32>
  return
}

// -----

func.func @f(%t: memref<3x2x16xf32>, %l: memref<4xi64>, %d: memref<16x2x8xf32>) {
  // expected-error @+1 {{destination does not hold the drive of 4 samples}}
  cpu.gather_class %t[%l] to %d : memref<3x2x16xf32>, memref<4xi64>, memref<16x2x8xf32>
  return
}

// -----

func.func @f(%t: memref<3x2x2x16xf32>, %l: memref<1xi64>, %d: memref<2x16xf32>) {
  // expected-error @+1 {{table has rank 4 instead of 3}}
  cpu.gather_class %t[%l] to %d : memref<3x2x2x16xf32>, memref<1xi64>, memref<2x16xf32>
  return
}

// -----

// 336 oscillators: scales, 4 lines and 1, then 2 lines and 1.
func.func @f(%t: memref<3x2x8x16xi32>, %l: memref<1xi64>, %d: memref<2x336xf32>) {
  // expected-error @+1 {{table has 8 lines of 16 for 336 oscillators instead of 9 of 16}}
  cpu.gather_class %t[%l] to %d : memref<3x2x8x16xi32>, memref<1xi64>, memref<2x336xf32>
  return
}

// -----

func.func @f(%t: memref<3x2x9x16xi32>, %l: memref<4xi64>, %d: memref<336x2x8xf32>) {
  // expected-error @+1 {{destination does not hold the drive of 4 samples}}
  cpu.gather_class %t[%l] to %d : memref<3x2x9x16xi32>, memref<4xi64>, memref<336x2x8xf32>
  return
}

// -----

func.func @f(%w: memref<16xf32>, %x: memref<2x32xf32>, %t: memref<32xf32>) {
  // expected-error @+1 {{frequency has 16 entries but the population has 32}}
  cpu.rate frequency %w target %x base %t to %t
      : memref<16xf32>, memref<2x32xf32>, memref<32xf32>, memref<32xf32>
  return
}

// -----

func.func @f(%k: memref<3x20x16xf32>, %x: memref<2x32xf32>, %t: memref<32xf32>) {
  // expected-error @+1 {{coupling fits neither the rows nor the drive layout of 32 oscillators}}
  cpu.rate frequency %t target %x couple(%k) with(%x) base %t to %t
      : memref<32xf32>, memref<2x32xf32>, memref<32xf32>, memref<32xf32>, (memref<3x20x16xf32>), (memref<2x32xf32>)
  return
}

// -----

func.func @f(%t: memref<16xf32>) {
  // expected-error @+1 {{has 1 coefficients for 2 rates}}
  cpu.combine %t plus [0.5] times(%t, %t) to %t : memref<16xf32>
  return
}

// -----

func.func @f(%a: memref<1x6x6x16xf32>, %w: memref<2304xf32>, %b: memref<16xf32>, %o: memref<1x10x10x16xf32>) {
  // expected-error @+1 {{input is 4 x 4 but output is 8 x 8}}
  cpu.conv2d %a, %w, %b to %o channels 16 lanes 16 group 2
      : memref<1x6x6x16xf32>, memref<2304xf32>, memref<16xf32>, memref<1x10x10x16xf32>
  return
}

// -----

func.func @f(%a: memref<1x6x6x16xf32>, %w: memref<16xf32>, %b: memref<16xf32>, %o: memref<1x6x6x16xf32>) {
  // expected-error @+1 {{weights have 16 elements, expected 144 for each of up to 16 outputs}}
  cpu.conv2d %a, %w, %b to %o channels 16 lanes 16 group 2
      : memref<1x6x6x16xf32>, memref<16xf32>, memref<16xf32>, memref<1x6x6x16xf32>
  return
}

// -----

func.func @f(%a: memref<1x6x6x16xf32>, %w: memref<2304xf32>, %b: memref<16xf32>, %o: memref<1x6x6x16xf32>) {
  // expected-error @+1 {{input holds 16 channels, not 17}}
  cpu.conv2d %a, %w, %b to %o channels 17 lanes 16 group 2
      : memref<1x6x6x16xf32>, memref<2304xf32>, memref<16xf32>, memref<1x6x6x16xf32>
  return
}

// -----

// Weights of one register of 8 outputs leave the second line without any.
func.func @f(%a: memref<1x6x6x16xf32>, %w: memref<1152xf32>, %b: memref<32xf32>, %o: memref<2x6x6x16xf32>) {
  // expected-error @+1 {{weights have 1152 elements, expected 144 for each of up to 32 outputs}}
  cpu.conv2d %a, %w, %b to %o channels 16 lanes 8 group 2
      : memref<1x6x6x16xf32>, memref<1152xf32>, memref<32xf32>, memref<2x6x6x16xf32>
  return
}

// -----

func.func @f(%a: memref<2x6x6x16xf32>, %w: memref<432xf32>, %b: memref<16xf32>, %o: memref<3x4x4xf32>) {
  // expected-error @+1 {{weights have 432 elements, expected 27 for each of up to 32 inputs}}
  cpu.conv2d_planar %a, %w, %b to %o
      : memref<2x6x6x16xf32>, memref<432xf32>, memref<16xf32>, memref<3x4x4xf32>
  return
}

// -----

func.func @f(%a: memref<1x6x6x16xf32>, %w: memref<432xf32>, %b: memref<16xf32>, %o: memref<3x8x8xf32>) {
  // expected-error @+1 {{input image and output planes differ in size}}
  cpu.conv2d_planar %a, %w, %b to %o
      : memref<1x6x6x16xf32>, memref<432xf32>, memref<16xf32>, memref<3x8x8xf32>
  return
}

// -----

func.func @f(%a: vector<8xi32>, %x: vector<4xi32>) {
  // expected-error @+1 {{has 8 sums for 4 words}}
  %0 = cpu.dot s16 %a, %x, %x : vector<8xi32>, vector<4xi32>
  return
}

// -----

func.func @f(%a: vector<8xi32>) {
  // expected-error @+1 {{sums of kind bf16 are f32}}
  %0 = cpu.dot bf16 %a, %a, %a : vector<8xi32>, vector<8xi32>
  return
}

// -----

func.func @fits(%a: vector<8xi32>) {
  // expected-error @+1 {{of kind s16 cannot have 'fits', which is for u8s8}}
  %0 = cpu.dot s16 fits %a, %a, %a : vector<8xi32>, vector<8xi32>
  return
}

// -----

func.func @no_room_to_unpack(%w: memref<32xf32>, %k: memref<2x7x16xi32>, %x: memref<32x2x8xf32>, %p: memref<8x2x8xi32>, %t: memref<32x8xf32>, %s: memref<255xi32>) {
  // expected-error @+1 {{needs 256 words of scratch but has 255}}
  cpu.rate frequency %w target %x couple(%k, %k) with(%p, %p) base %t to %t scratch %s {precisions = [#un0<precision int4>, #un0<precision int4>]}
      : memref<32xf32>, memref<32x2x8xf32>, memref<32x8xf32>, memref<32x8xf32>, (memref<2x7x16xi32>, memref<2x7x16xi32>), (memref<8x2x8xi32>, memref<8x2x8xi32>) scratch memref<255xi32>
  return
}

// -----

func.func @flat_scratch(%w: memref<32xf32>, %x: memref<32x2x8xf32>, %t: memref<32x8xf32>, %s: memref<i32>) {
  // expected-error @+1 {{scratch has rank 0 instead of 1}}
  cpu.rate frequency %w target %x base %t to %t scratch %s : memref<32xf32>, memref<32x2x8xf32>, memref<32x8xf32>, memref<32x8xf32> scratch memref<i32>
  return
}

// -----

func.func @tile_in_turns(%w: memref<32xf32>, %x: memref<32x2x8xf32>, %t: memref<32x8xf32>, %i: index) {
  // expected-error @+1 {{panels of a batch tile are taken in one order}}
  cpu.rate frequency %w target %x base %t to %t turn %i : memref<32xf32>, memref<32x2x8xf32>, memref<32x8xf32>, memref<32x8xf32>
  return
}

// -----

func.func @no_scratch(%w: memref<32xf32>, %k: memref<2x10x16xi32>, %x: memref<32x2x8xf32>, %p: memref<16x2x8xi32>, %t: memref<32x8xf32>) {
  // expected-error @+1 {{needs 256 words of scratch but has 0}}
  cpu.rate frequency %w target %x couple(%k) with(%p) base %t to %t {precisions = [#un0<precision int16>]}
      : memref<32xf32>, memref<32x2x8xf32>, memref<32x8xf32>, memref<32x8xf32>, (memref<2x10x16xi32>), (memref<16x2x8xi32>)
  return
}

// -----

func.func @second_word_of_another_kind(%a: vector<8xi32>) {
  // expected-error @+1 {{of kind s16 cannot have a second word, which is for u8s8}}
  %0 = cpu.dot s16 %a, %a, %a and %a, %a : vector<8xi32>, vector<8xi32> : vector<8xi32>, vector<8xi32>
  return
}

// -----

func.func @second_word_of_another_size(%a: vector<8xi32>, %b: vector<4xi32>) {
  // expected-error @+1 {{needs two operands like the first ones for a second word}}
  %0 = cpu.dot u8s8 %a, %a, %a and %b, %b : vector<4xi32>, vector<4xi32> : vector<8xi32>, vector<8xi32>
  return
}

// -----

func.func @half_a_second_word(%a: vector<8xi32>) {
  // expected-error @+1 {{needs two operands like the first ones for a second word}}
  %0 = cpu.dot u8s8 %a, %a, %a and %a : vector<8xi32> : vector<8xi32>, vector<8xi32>
  return
}

// -----

// Only bytes are split.
func.func @split(%t: memref<32xf32>, %x: memref<2x32xf32>, %p: memref<4x16xi32>) {
  // expected-error @+1 {{packed waves do not hold 32 phases}}
  cpu.waves %t to %x packed int16 %p : memref<32xf32>, memref<2x32xf32>, memref<4x16xi32>
  return
}

// -----

func.func @split(%t: memref<32xf32>, %k: memref<2x18x16xi32>, %x: memref<2x32xf32>, %p: memref<4x16xi32>) {
  // expected-error @+1 {{coupling 0 does not fit the int16 words of 32 oscillators}}
  cpu.rate frequency %t target %x couple(%k) with(%p) base %t to %t {precisions = [#un0<precision int16>]}
      : memref<32xf32>, memref<2x32xf32>, memref<32xf32>, memref<32xf32>, (memref<2x18x16xi32>), (memref<4x16xi32>)
  return
}

// -----

func.func @f(%t: memref<32xf32>, %x: memref<2x32xf32>, %p: memref<2x16xi32>) {
  // expected-error @+1 {{packed waves do not hold 32 phases}}
  cpu.waves %t to %x packed int8 %p : memref<32xf32>, memref<2x32xf32>, memref<2x16xi32>
  return
}

// -----

// Only bytes are split.
func.func @split(%t: memref<32xf32>, %x: memref<2x32xf32>, %p: memref<4x16xi32>) {
  // expected-error @+1 {{packed waves do not hold 32 phases}}
  cpu.waves %t to %x packed int16 %p : memref<32xf32>, memref<2x32xf32>, memref<4x16xi32>
  return
}

// -----

func.func @split(%t: memref<32xf32>, %k: memref<2x18x16xi32>, %x: memref<2x32xf32>, %p: memref<4x16xi32>) {
  // expected-error @+1 {{coupling 0 does not fit the int16 words of 32 oscillators}}
  cpu.rate frequency %t target %x couple(%k) with(%p) base %t to %t {precisions = [#un0<precision int16>]}
      : memref<32xf32>, memref<2x32xf32>, memref<32xf32>, memref<32xf32>, (memref<2x18x16xi32>), (memref<4x16xi32>)
  return
}

// -----

func.func @f(%t: memref<32xf32>, %x: memref<2x32xf32>, %p: memref<2x16xi32>) {
  // expected-error @+1 {{waves are not packed as int4}}
  cpu.waves %t to %x packed int4 %p : memref<32xf32>, memref<2x32xf32>, memref<2x16xi32>
  return
}

// -----

func.func @words_in_floats(%t: memref<32xf32>, %x: memref<2x32xf32>, %p: memref<2x32xf32>) {
  // expected-error @+1 {{waves packed as int16 are words, not f32}}
  cpu.waves %t to %x packed int16 %p : memref<32xf32>, memref<2x32xf32>, memref<2x32xf32>
  return
}

// -----

func.func @f(%t: memref<32x16xf32>, %x: memref<32x2x16xf32>, %i: index) {
  // expected-error @+1 {{rows of a batch tile are not split}}
  cpu.waves %t to %x rows %i to %i : memref<32x16xf32>, memref<32x2x16xf32>
  return
}

// -----

func.func @f(%k: memref<2x8x16xi32>, %x: memref<2x32xf32>, %p: memref<2x8xi32>, %t: memref<32xf32>) {
  // expected-error @+1 {{needs a source, a precision, a drain and a group per coupling}}
  cpu.rate frequency %t target %x couple(%k) with(%p) base %t to %t {precisions = []}
      : memref<32xf32>, memref<2x32xf32>, memref<32xf32>, memref<32xf32>, (memref<2x8x16xi32>), (memref<2x8xi32>)
  return
}

// -----

// 8 words of 4 need 12 lines: scales, starts, zero points and flags follow.
func.func @f(%k: memref<2x13x16xi32>, %x: memref<2x32xf32>, %p: memref<2x8xi32>, %t: memref<32xf32>) {
  // expected-error @+1 {{coupling 0 does not fit the int8 words of 32 oscillators}}
  cpu.rate frequency %t target %x couple(%k) with(%p) base %t to %t {precisions = [#un0<precision int8>]}
      : memref<32xf32>, memref<2x32xf32>, memref<32xf32>, memref<32xf32>, (memref<2x13x16xi32>), (memref<2x8xi32>)
  return
}

// -----

// Of 41 lines 34 are words of 8, three tell the sets, four are scales, starts and tables: 68 words of waves.
func.func @f(%k: memref<17x41x16xi32>, %x: memref<2x272xf32>, %p: memref<2x67xi32>, %t: memref<272xf32>) {
  // expected-error @+1 {{coupling 0 does not fit the int4 words of 272 oscillators}}
  cpu.rate frequency %t target %x couple(%k) with(%p) base %t to %t {groups = array<i64: 4>, precisions = [#un0<precision int4>]}
      : memref<272xf32>, memref<2x272xf32>, memref<272xf32>, memref<272xf32>, (memref<17x41x16xi32>), (memref<2x67xi32>)
  return
}

// -----

func.func @f(%x: memref<1x6x6x16xi32>, %y: memref<1x10x10x16xi32>, %w: memref<3488xi32>, %b: memref<16xf32>) {
  // expected-error @+1 {{input is 4 x 4 but output is 8 x 8}}
  cpu.conv2d_bytes %x, %w, %b to %y channels 64 lanes 16 group 2 {input_scale = 1.0 : f32, scale = 1.0 : f32, zero_point = 0 : i64}
      : memref<1x6x6x16xi32>, memref<3488xi32>, memref<16xf32>, memref<1x10x10x16xi32>
  return
}

// -----

func.func @f(%x: memref<1x6x6x16xi32>, %y: memref<1x6x6x16xi32>, %w: memref<3488xi32>, %b: memref<16xf32>) {
  // expected-error @+1 {{input holds 64 channels, not 65}}
  cpu.conv2d_bytes %x, %w, %b to %y channels 65 lanes 16 group 2 {input_scale = 1.0 : f32, scale = 1.0 : f32, zero_point = 0 : i64}
      : memref<1x6x6x16xi32>, memref<3488xi32>, memref<16xf32>, memref<1x6x6x16xi32>
  return
}

// -----

func.func @f(%x: memref<1x6x6x16xi32>, %y: memref<1x6x6x16xi32>, %w: memref<16xi32>, %b: memref<16xf32>) {
  // expected-error @+1 {{weights have 16 words, expected 146 for each of up to 64 outputs}}
  cpu.conv2d_bytes %x, %w, %b to %y channels 64 lanes 16 group 2 {input_scale = 1.0 : f32, scale = 1.0 : f32, zero_point = 0 : i64}
      : memref<1x6x6x16xi32>, memref<16xi32>, memref<16xf32>, memref<1x6x6x16xi32>
  return
}

// -----

func.func @f(%x: memref<1x6x6x16xf32>, %y: memref<1x6x6x16xf32>, %w: memref<4096xf32>, %b: memref<16xf32>, %v: memref<16x4x16xf32>, %p: memref<16x4x32xf32>) {
  // expected-error @+1 {{direct convolutions have no planes}}
  cpu.conv2d_planes %x, %w, %b to %y as direct using %v, %p channels 16 together 1 x 2 lanes 16 group 2
      : memref<1x6x6x16xf32>, memref<4096xf32>, memref<16xf32>, memref<1x6x6x16xf32>, memref<16x4x16xf32>, memref<16x4x32xf32>
  return
}

// -----

func.func @f(%x: memref<1x5x6x16xf32>, %y: memref<1x5x6x16xf32>, %w: memref<4096xf32>, %b: memref<16xf32>, %v: memref<16x4x16xf32>, %p: memref<16x4x32xf32>) {
  // expected-error @+1 {{points of 2 x 2 do not cover 3 x 4}}
  cpu.conv2d_planes %x, %w, %b to %y as f2 using %v, %p channels 16 together 1 x 2 lanes 16 group 2
      : memref<1x5x6x16xf32>, memref<4096xf32>, memref<16xf32>, memref<1x5x6x16xf32>, memref<16x4x16xf32>, memref<16x4x32xf32>
  return
}

// -----

func.func @f(%x: memref<1x6x6x16xf32>, %y: memref<1x6x6x16xf32>, %w: memref<4096xf32>, %b: memref<16xf32>, %v: memref<16x4x16xf32>, %p: memref<16x4x32xf32>) {
  // expected-error @+1 {{input holds 16 channels, not 17}}
  cpu.conv2d_planes %x, %w, %b to %y as f2 using %v, %p channels 17 together 1 x 2 lanes 16 group 2
      : memref<1x6x6x16xf32>, memref<4096xf32>, memref<16xf32>, memref<1x6x6x16xf32>, memref<16x4x16xf32>, memref<16x4x32xf32>
  return
}

// -----

func.func @f(%x: memref<1x6x6x16xf32>, %y: memref<1x6x6x16xf32>, %w: memref<4096xf32>, %b: memref<16xf32>, %v: memref<16x4x16xf32>, %p: memref<16x4x32xf32>) {
  // expected-error @+1 {{cannot take 2 x 2 rows of 1 x 2 together}}
  cpu.conv2d_planes %x, %w, %b to %y as f2 using %v, %p channels 16 together 2 x 2 lanes 16 group 2
      : memref<1x6x6x16xf32>, memref<4096xf32>, memref<16xf32>, memref<1x6x6x16xf32>, memref<16x4x16xf32>, memref<16x4x32xf32>
  return
}

// -----

func.func @f(%x: memref<1x6x6x16xf32>, %y: memref<1x6x6x16xf32>, %w: memref<4096xf32>, %b: memref<16xf32>, %v: memref<16x3x16xf32>, %p: memref<16x4x32xf32>) {
  // expected-error @+1 {{scratch does not hold 16 values and 16 planes of 4 points}}
  cpu.conv2d_planes %x, %w, %b to %y as f2 using %v, %p channels 16 together 1 x 2 lanes 16 group 2
      : memref<1x6x6x16xf32>, memref<4096xf32>, memref<16xf32>, memref<1x6x6x16xf32>, memref<16x3x16xf32>, memref<16x4x32xf32>
  return
}

// -----

func.func @f(%x: memref<1x6x6x16xf32>, %y: memref<1x6x6x16xf32>, %w: memref<4000xf32>, %b: memref<16xf32>, %v: memref<16x4x16xf32>, %p: memref<16x4x32xf32>) {
  // expected-error @+1 {{weights have 4000 elements, expected 256 for each of up to 16 outputs}}
  cpu.conv2d_planes %x, %w, %b to %y as f2 using %v, %p channels 16 together 1 x 2 lanes 16 group 2
      : memref<1x6x6x16xf32>, memref<4000xf32>, memref<16xf32>, memref<1x6x6x16xf32>, memref<16x4x16xf32>, memref<16x4x32xf32>
  return
}

// -----

func.func @f(%x: memref<4x1x6x6x16xf32>, %y: memref<3x1x6x6x16xf32>, %w: memref<2304xf32>, %b: memref<16xf32>, %n: index) {
  // expected-error @+1 {{input and output must be batches of as many images}}
  cpu.conv2d %x, %w, %b to %y images %n channels 16 lanes 16 group 2 : memref<4x1x6x6x16xf32>, memref<2304xf32>, memref<16xf32>, memref<3x1x6x6x16xf32>
  return
}

// -----

un0.param @K : tensor<32x32xf32> from "m" key "K"
// expected-error @+1 {{groups of 2 columns of int4; there are those of 4 of int4}}
cpu.packed_param @P of @K rows16 at 0 size 2560 {columns = 2 : i64, precision = #un0<precision int4>}

// -----

func.func @f(%k: memref<2x9x16xi32>, %x: memref<2x32xf32>, %p: memref<2x8xi32>, %t: memref<32xf32>) {
  // expected-error @+1 {{coupling 0 is int8 in groups of 4; there are those of 4 of int4}}
  cpu.rate frequency %t target %x couple(%k) with(%p) base %t to %t {groups = array<i64: 4>, precisions = [#un0<precision int8>]}
      : memref<32xf32>, memref<2x32xf32>, memref<32xf32>, memref<32xf32>, (memref<2x9x16xi32>), (memref<2x8xi32>)
  return
}

// -----

func.func @f(%x: tensor<1x16x8x8xf32>, %w: tensor<16x16x3x3xf32>, %b: tensor<16xf32>) -> tensor<1x16x8x8xf32> {
  // expected-error @+1 {{has a cpu.schedule; it is a #cpu.conv_schedule on un0.conv2d}}
  %y = un0.conv2d %x, %w, %b activation(none) {cpu.schedule = 3 : i64} : tensor<1x16x8x8xf32>, tensor<16x16x3x3xf32>, tensor<16xf32> -> tensor<1x16x8x8xf32>
  return %y : tensor<1x16x8x8xf32>
}

// -----

// expected-error @+1 {{has a cpu.schedule; it is a #cpu.conv_schedule on un0.conv2d}}
func.func private @f() attributes {cpu.schedule = #cpu.conv_schedule<form = direct>}

// -----

func.func @f(%x: tensor<1x16x8x8xf32>, %w: tensor<16x16x3x3xf32>, %b: tensor<16xf32>) -> tensor<1x16x8x8xf32> {
  // expected-error @+1 {{images and rows must be positive, got 1 and 0}}
  %y = un0.conv2d %x, %w, %b activation(none) {cpu.schedule = #cpu.conv_schedule<form = f4, rows = 0>} : tensor<1x16x8x8xf32>, tensor<16x16x3x3xf32>, tensor<16xf32> -> tensor<1x16x8x8xf32>
  return %y : tensor<1x16x8x8xf32>
}

// -----

func.func @f(%x: tensor<1x16x8x8xf32>, %w: tensor<16x16x3x3xf32>, %b: tensor<16xf32>) -> tensor<1x16x8x8xf32> {
  // expected-error @+1 {{takes 2 images together without being batched}}
  %y = un0.conv2d %x, %w, %b activation(none) {cpu.schedule = #cpu.conv_schedule<form = f4, images = 2>} : tensor<1x16x8x8xf32>, tensor<16x16x3x3xf32>, tensor<16xf32> -> tensor<1x16x8x8xf32>
  return %y : tensor<1x16x8x8xf32>
}

// -----

func.func @f(%x: tensor<1x16x8x8xf32>, %w: tensor<16x16x3x3xf32>, %b: tensor<16xf32>) -> tensor<1x16x8x8xf32> {
  // expected-error @+1 {{cpu.schedule: form f_up does not fit a convolution that is not upsampled}}
  %y = un0.conv2d %x, %w, %b activation(none) {cpu.schedule = #cpu.conv_schedule<form = f_up>} : tensor<1x16x8x8xf32>, tensor<16x16x3x3xf32>, tensor<16xf32> -> tensor<1x16x8x8xf32>
  return %y : tensor<1x16x8x8xf32>
}

// -----

func.func @f(%x: tensor<1x16x8x8xf32>, %w: tensor<16x16x3x3xf32>, %b: tensor<16xf32>) -> tensor<1x16x16x16xf32> {
  // expected-error @+1 {{cpu.schedule: form f2 does not fit a convolution that is upsampled}}
  %y = un0.conv2d %x, %w, %b activation(none) {cpu.schedule = #cpu.conv_schedule<form = f2>, upsample} : tensor<1x16x8x8xf32>, tensor<16x16x3x3xf32>, tensor<16xf32> -> tensor<1x16x16x16xf32>
  return %y : tensor<1x16x16x16xf32>
}

// -----

func.func @f(%x: tensor<1x16x8x6xf32>, %w: tensor<16x16x3x3xf32>, %b: tensor<16xf32>) -> tensor<1x16x8x6xf32> {
  // expected-error @+1 {{cpu.schedule: points of form f4 do not cover its input}}
  %y = un0.conv2d %x, %w, %b activation(none) {cpu.schedule = #cpu.conv_schedule<form = f4>} : tensor<1x16x8x6xf32>, tensor<16x16x3x3xf32>, tensor<16xf32> -> tensor<1x16x8x6xf32>
  return %y : tensor<1x16x8x6xf32>
}

// -----

func.func @f(%x: tensor<1x16x8x8xf32>, %w: tensor<16x16x3x3xf32>, %b: tensor<16xf32>) -> tensor<1x16x8x8xf32> {
  // expected-error @+1 {{cpu.schedule: 3 rows together do not divide 4}}
  %y = un0.conv2d %x, %w, %b activation(none) {cpu.schedule = #cpu.conv_schedule<form = f2, rows = 3>} : tensor<1x16x8x8xf32>, tensor<16x16x3x3xf32>, tensor<16xf32> -> tensor<1x16x8x8xf32>
  return %y : tensor<1x16x8x8xf32>
}

// -----

func.func @f(%x: tensor<1x16x8x8xf32>, %w: tensor<16x16x3x3xf32>, %b: tensor<16xf32>) -> tensor<1x16x8x8xf32> {
  // expected-error @+1 {{cpu.schedule: 2 rows together do not divide 1}}
  %y = un0.conv2d %x, %w, %b activation(none) {cpu.schedule = #cpu.conv_schedule<form = direct, rows = 2>} : tensor<1x16x8x8xf32>, tensor<16x16x3x3xf32>, tensor<16xf32> -> tensor<1x16x8x8xf32>
  return %y : tensor<1x16x8x8xf32>
}

// -----

func.func @f(%x: tensor<1x16x8x8xf32>, %w: tensor<16x16x3x3xf32>, %b: tensor<16xf32>) -> tensor<1x16x8x8xf32> {
  // expected-error @+1 {{cpu.schedule: direct convolutions take one image at a time, not 2}}
  %y = un0.conv2d %x, %w, %b activation(none) {cpu.schedule = #cpu.conv_schedule<form = direct, batched = true, images = 2>} : tensor<1x16x8x8xf32>, tensor<16x16x3x3xf32>, tensor<16xf32> -> tensor<1x16x8x8xf32>
  return %y : tensor<1x16x8x8xf32>
}

// -----

func.func @f(%x: tensor<1x16x8x8xf32>, %w: tensor<16x16x3x3xf32>, %b: tensor<16xf32>) -> tensor<1x16x8x8xf32> {
  // expected-error @+1 {{cpu.schedule: form f_up is not one of int8}}
  %y = un0.conv2d %x, %w, %b activation(none) {cpu.schedule = #cpu.conv_schedule<form = f_up>, input_scale = 1.000000e-02 : f64, input_zero_point = 128 : i64, precision = #un0<precision int8>} : tensor<1x16x8x8xf32>, tensor<16x16x3x3xf32>, tensor<16xf32> -> tensor<1x16x8x8xf32>
  return %y : tensor<1x16x8x8xf32>
}

// -----

func.func @f(%x: tensor<1x16x8x8xf32>, %w: tensor<16x16x3x3xf32>, %b: tensor<16xf32>) -> tensor<1x16x16x16xf32> {
  // expected-error @+1 {{cpu.schedule: form f4_up is not one of int8}}
  %y = un0.conv2d %x, %w, %b activation(none) {cpu.schedule = #cpu.conv_schedule<form = f4_up>, upsample, input_scale = 1.000000e-02 : f64, input_zero_point = 128 : i64, precision = #un0<precision int8>} : tensor<1x16x8x8xf32>, tensor<16x16x3x3xf32>, tensor<16xf32> -> tensor<1x16x16x16xf32>
  return %y : tensor<1x16x16x16xf32>
}

// -----

func.func @f(%x: tensor<1x16x7x8xf32>, %w: tensor<16x16x3x3xf32>, %b: tensor<16xf32>) -> tensor<1x16x14x16xf32> {
  // expected-error @+1 {{cpu.schedule: points of form f4_up do not cover its input}}
  %y = un0.conv2d %x, %w, %b activation(none) {cpu.schedule = #cpu.conv_schedule<form = f4_up>, upsample} : tensor<1x16x7x8xf32>, tensor<16x16x3x3xf32>, tensor<16xf32> -> tensor<1x16x14x16xf32>
  return %y : tensor<1x16x14x16xf32>
}

// -----

func.func @f(%x: memref<1x6x6x16xf32>, %y: memref<2x10x10x16xf32>, %w: memref<12800xf32>, %b: memref<32xf32>, %v: memref<25x4x16xf32>, %p: memref<25x4x32xf32>) {
  // expected-error @+1 {{scratch does not hold 16 values and 25 planes of 4 points}}
  cpu.conv2d_planes %x, %w, %b to %y as f4_up using %v, %p channels 16 together 1 x 2 lanes 16 group 2
      : memref<1x6x6x16xf32>, memref<12800xf32>, memref<32xf32>, memref<2x10x10x16xf32>, memref<25x4x16xf32>, memref<25x4x32xf32>
  return
}

// -----

func.func @f(%x: tensor<1x16x8x8xf32>, %w: tensor<16x16x3x3xf32>, %b: tensor<16xf32>) -> tensor<1x16x16x16xf32> {
  // expected-error @+1 {{cpu.schedule: form f_up2 is not one of f32}}
  %y = un0.conv2d %x, %w, %b activation(none) {cpu.schedule = #cpu.conv_schedule<form = f_up2>, upsample} : tensor<1x16x8x8xf32>, tensor<16x16x3x3xf32>, tensor<16xf32> -> tensor<1x16x16x16xf32>
  return %y : tensor<1x16x16x16xf32>
}

// -----

func.func @f(%x: tensor<1x230x8x8xf32>, %w: tensor<16x230x3x3xf32>, %b: tensor<16xf32>) -> tensor<1x16x8x8xf32> {
  // expected-error @+1 {{cpu.schedule: sums of form f4 are exact up to 228 channels of int8, not 230}}
  %y = un0.conv2d %x, %w, %b activation(none) {cpu.schedule = #cpu.conv_schedule<form = f4>, input_scale = 1.000000e-02 : f64, input_zero_point = 128 : i64, precision = #un0<precision int8>} : tensor<1x230x8x8xf32>, tensor<16x230x3x3xf32>, tensor<16xf32> -> tensor<1x16x8x8xf32>
  return %y : tensor<1x16x8x8xf32>
}

// -----

func.func @f(%x: memref<1x6x6x16xi32>, %y: memref<1x6x6x16xf32>, %w: memref<2080xf32>, %b: memref<16xf32>, %v: memref<16x4x16xi32>, %p: memref<16x4x32xi32>) {
  // expected-error @+1 {{input, weights and scratch must all be f32, or all words}}
  cpu.conv2d_planes %x, %w, %b to %y as f2 using %v, %p channels 16 together 1 x 2 lanes 16 group 2 {input_scale = 1.0 : f32}
      : memref<1x6x6x16xi32>, memref<2080xf32>, memref<16xf32>, memref<1x6x6x16xf32>, memref<16x4x16xi32>, memref<16x4x32xi32>
  return
}

// -----

func.func @f(%x: memref<1x6x6x16xi32>, %y: memref<1x6x6x16xf32>, %w: memref<2080xi32>, %b: memref<16xf32>, %v: memref<16x4x16xi32>, %p: memref<16x4x32xi32>) {
  // expected-error @+1 {{input of bytes needs input_scale}}
  cpu.conv2d_planes %x, %w, %b to %y as f2 using %v, %p channels 16 together 1 x 2 lanes 16 group 2
      : memref<1x6x6x16xi32>, memref<2080xi32>, memref<16xf32>, memref<1x6x6x16xf32>, memref<16x4x16xi32>, memref<16x4x32xi32>
  return
}

// -----

func.func @f(%x: memref<1x6x6x16xf32>, %y: memref<1x10x10x16xf32>, %w: memref<9216xf32>, %b: memref<16xf32>, %v: memref<36x4x16xf32>, %p: memref<36x4x32xf32>) {
  // expected-error @+1 {{form f_up2 is not one of f32}}
  cpu.conv2d_planes %x, %w, %b to %y as f_up2 using %v, %p channels 16 together 1 x 2 lanes 16 group 2
      : memref<1x6x6x16xf32>, memref<9216xf32>, memref<16xf32>, memref<1x10x10x16xf32>, memref<36x4x16xf32>, memref<36x4x32xf32>
  return
}

// -----

func.func @f(%x: memref<4x6x6x16xi32>, %y: memref<1x6x6x16xf32>, %w: memref<2080xi32>, %b: memref<16xf32>, %v: memref<36x1x128xi32>, %p: memref<36x1x32xi32>) {
  // expected-error @+1 {{sums of form f4 are exact up to 228 channels of bytes, not 256}}
  cpu.conv2d_planes %x, %w, %b to %y as f4 using %v, %p channels 256 together 1 x 1 lanes 16 group 2 {input_scale = 1.0 : f32}
      : memref<4x6x6x16xi32>, memref<2080xi32>, memref<16xf32>, memref<1x6x6x16xf32>, memref<36x1x128xi32>, memref<36x1x32xi32>
  return
}

// -----

func.func @f(%x: memref<1x6x6x16xi32>, %y: memref<1x6x6x16xf32>, %w: memref<2064xi32>, %b: memref<16xf32>, %v: memref<16x4x16xi32>, %p: memref<16x4x32xi32>) {
  // expected-error @+1 {{weights have 2064 words, expected 130 for each of up to 16 outputs}}
  cpu.conv2d_planes %x, %w, %b to %y as f2 using %v, %p channels 16 together 1 x 2 lanes 16 group 2 {input_scale = 1.0 : f32}
      : memref<1x6x6x16xi32>, memref<2064xi32>, memref<16xf32>, memref<1x6x6x16xf32>, memref<16x4x16xi32>, memref<16x4x32xi32>
  return
}

// -----

func.func @f(%x: memref<1x6x6x16xi32>, %y: memref<1x10x10x16xf32>, %w: memref<2080xi32>, %b: memref<16xf32>, %v: memref<9x16x16xi32>, %p: memref<9x16x32xi32>) {
  // expected-error @+1 {{form f_up is not one of bytes}}
  cpu.conv2d_planes %x, %w, %b to %y as f_up using %v, %p channels 16 together 1 x 2 lanes 16 group 2 {input_scale = 1.0 : f32}
      : memref<1x6x6x16xi32>, memref<2080xi32>, memref<16xf32>, memref<1x10x10x16xf32>, memref<9x16x16xi32>, memref<9x16x32xi32>
  return
}

// -----

func.func @f(%x: memref<1x6x6x16xf32>, %y: memref<1x6x6x16xf32>, %w: memref<4096xf32>, %b: memref<16xf32>, %v: memref<16x4x16xf32>, %p: memref<16x4x32xf32>) {
  // expected-error @+1 {{input of f32 takes no input_scale}}
  cpu.conv2d_planes %x, %w, %b to %y as f2 using %v, %p channels 16 together 1 x 2 lanes 16 group 2 {input_scale = 1.0 : f32}
      : memref<1x6x6x16xf32>, memref<4096xf32>, memref<16xf32>, memref<1x6x6x16xf32>, memref<16x4x16xf32>, memref<16x4x32xf32>
  return
}

// -----

func.func @f(%x: memref<1x6x6x16xi32>, %y: memref<1x6x6x16xf32>, %w: memref<2080xi32>, %b: memref<16xf32>, %v: memref<16x4x8xi32>, %p: memref<16x4x32xi32>) {
  // expected-error @+1 {{scratch does not hold 16 values and 16 planes of 4 points}}
  cpu.conv2d_planes %x, %w, %b to %y as f2 using %v, %p channels 16 together 1 x 2 lanes 16 group 2 {input_scale = 1.0 : f32}
      : memref<1x6x6x16xi32>, memref<2080xi32>, memref<16xf32>, memref<1x6x6x16xf32>, memref<16x4x8xi32>, memref<16x4x32xi32>
  return
}

// -----

func.func @f(%x: memref<1x6x6x16xf32>, %y: memref<1x6x6x16xf32>, %w: memref<4096xf32>, %b: memref<16xf32>, %v: memref<16x4x16xf32>, %p: memref<16x4x32xf32>) {
  // expected-error @+1 {{lanes 16 and group 9 do not fit a line of 16 and groups of up to 8}}
  cpu.conv2d_planes %x, %w, %b to %y as f2 using %v, %p channels 16 together 1 x 2 lanes 16 group 9
      : memref<1x6x6x16xf32>, memref<4096xf32>, memref<16xf32>, memref<1x6x6x16xf32>, memref<16x4x16xf32>, memref<16x4x32xf32>
  return
}

// -----

un0.param @K : tensor<32x32x3x3xf32> from "m" key "K"
// expected-error @+1 {{has no planes of form f_up in int8}}
cpu.packed_param @P of @K conv_planes at 0 size 2560 {form = #cpu<conv_form f_up>, precision = #un0<precision int8>}

// -----

un0.param @K : tensor<32x32x3x3xf32> from "m" key "K"
// expected-error @+1 {{has no planes of form f_up2 in f32}}
cpu.packed_param @P of @K conv_planes at 0 size 2560 {form = #cpu<conv_form f_up2>}

// -----

un0.param @K : tensor<32x32x3x3xf32> from "m" key "K"
// expected-error @+1 {{zero_point 256 is not 0 to 255}}
cpu.packed_param @P of @K conv3x3 at 0 size 2560 {zero_point = 256 : i64, precision = #un0<precision int8>}

// -----

func.func @f(%x: memref<1x6x6x16xi32>, %y: memref<4x4xf32>, %w: memref<32xi32>, %b: memref<16xf32>) {
  // expected-error @+1 {{needs an image of channel blocks and planes}}
  cpu.conv2d_planar_bytes %x, %w, %b to %y scale 1.0 : memref<1x6x6x16xi32>, memref<32xi32>, memref<16xf32>, memref<4x4xf32>
  return
}

// -----

func.func @f(%x: memref<1x6x6x16xf32>, %y: memref<0x4x4xf32>, %w: memref<32xf32>, %b: memref<16xf32>) {
  // expected-error @+1 {{needs an image of channel blocks and planes}}
  cpu.conv2d_planar %x, %w, %b to %y : memref<1x6x6x16xf32>, memref<32xf32>, memref<16xf32>, memref<0x4x4xf32>
  return
}

// -----

func.func @f(%x: memref<1x6x6x16xi32>, %y: memref<3x4x4xf32>, %w: memref<32xi32>, %b: memref<16xf32>) {
  // expected-error @+1 {{weights have 32 words, expected 32 and 27 for each of up to 16 words of inputs}}
  cpu.conv2d_planar_bytes %x, %w, %b to %y scale 1.0 : memref<1x6x6x16xi32>, memref<32xi32>, memref<16xf32>, memref<3x4x4xf32>
  return
}

// -----

func.func @f(%x: memref<1x6x6x16xf32>, %y: memref<1x6x6x16xi32>, %w: memref<2304xf32>, %b: memref<16xf32>) {
  // expected-error @+1 {{output of bytes needs scale and zero_point}}
  cpu.conv2d %x, %w, %b to %y channels 16 lanes 16 group 2 : memref<1x6x6x16xf32>, memref<2304xf32>, memref<16xf32>, memref<1x6x6x16xi32>
  return
}

// -----

func.func @f(%x: memref<1x6x6x16xi32>, %y: memref<1x6x6x16xf32>, %w: memref<2336xi32>, %b: memref<16xf32>) {
  // expected-error @+1 {{output of f32 takes no scale and zero_point}}
  cpu.conv2d_bytes %x, %w, %b to %y channels 64 lanes 16 group 2 {input_scale = 1.0 : f32, scale = 1.0 : f32, zero_point = 0 : i64}
      : memref<1x6x6x16xi32>, memref<2336xi32>, memref<16xf32>, memref<1x6x6x16xf32>
  return
}

// -----

func.func @f(%x: memref<1x6x6x16xf32>, %y: memref<1x6x6x16xi32>, %w: memref<2304xf32>, %b: memref<16xf32>) {
  // expected-error @+1 {{zero_point must be 0 to 255, but is 256}}
  cpu.conv2d %x, %w, %b to %y channels 16 lanes 16 group 2 {scale = 1.0 : f32, zero_point = 256 : i64}
      : memref<1x6x6x16xf32>, memref<2304xf32>, memref<16xf32>, memref<1x6x6x16xi32>
  return
}

// -----

// An image of 64 channels has room for 4 lines of output channels, not for 5.
func.func @f(%x: memref<1x6x6x16xf32>, %y: memref<1x6x6x16xi32>, %w: memref<11520xf32>, %b: memref<80xf32>) {
  // expected-error @+1 {{weights have 11520 elements, expected 144 for each of up to 64 outputs}}
  cpu.conv2d %x, %w, %b to %y channels 16 lanes 16 group 2 {scale = 1.0 : f32, zero_point = 3 : i64}
      : memref<1x6x6x16xf32>, memref<11520xf32>, memref<80xf32>, memref<1x6x6x16xi32>
  return
}

// -----

// All channels of an f32 image are read.
func.func @f(%x: memref<1x6x6x16xi32>, %y: memref<2x6x6x16xf32>, %w: memref<2336xi32>, %b: memref<16xf32>) {
  // expected-error @+1 {{weights have 2336 words, expected 146 for each of up to 32 outputs}}
  cpu.conv2d_bytes %x, %w, %b to %y channels 64 lanes 16 group 2 {input_scale = 1.0 : f32}
      : memref<1x6x6x16xi32>, memref<2336xi32>, memref<16xf32>, memref<2x6x6x16xf32>
  return
}

// -----

func.func @f(%x: memref<4x1x6x6x16xf32>, %y: memref<4x1x6x6x16xf32>, %w: memref<2304xf32>, %b: memref<16xf32>, %n: index) {
  // expected-error @+1 {{batches of images are not shared by threads}}
  cpu.conv2d %x, %w, %b to %y images %n thread %n of %n over rows channels 16 lanes 16 group 2
      : memref<4x1x6x6x16xf32>, memref<2304xf32>, memref<16xf32>, memref<4x1x6x6x16xf32>
  return
}

// -----

func.func @f(%x: memref<1x6x6x16xf32>, %y: memref<3x4x4xf32>, %w: memref<432xf32>, %b: memref<16xf32>, %n: index) {
  // expected-error @+1 {{needs a thread, the number of threads and what they share, or none}}
  "cpu.conv2d_planar"(%x, %w, %b, %y, %n) <{operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 0>}>
      : (memref<1x6x6x16xf32>, memref<432xf32>, memref<16xf32>, memref<3x4x4xf32>, index) -> ()
  return
}

// -----

func.func @f(%x: memref<1x6x6x16xi32>, %y: memref<1x6x6x16xi32>, %w: memref<4672xi32>, %b: memref<32xf32>, %n: index) {
  // expected-error @+1 {{needs a thread, the number of threads and what they share, or none}}
  "cpu.conv2d_bytes"(%x, %w, %b, %y, %n, %n) <{channels = 64 : i64, group = 2 : i64, input_scale = 1.0 : f32, lanes = 16 : i64, operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 1, 1, 0>, scale = 1.0 : f32, zero_point = 0 : i64}>
      : (memref<1x6x6x16xi32>, memref<4672xi32>, memref<32xf32>, memref<1x6x6x16xi32>, index, index) -> ()
  return
}

// -----

func.func @f(%k: memref<4x35x16xi32>, %i: index) {
  // expected-error @+1 {{has 1 indices into memory of rank 3}}
  cpu.tile_load 6 from %k[%i] stride 16 : memref<4x35x16xi32>
  return
}

// -----

func.func @f() {
  // expected-error @+1 {{attribute 'tile' failed to satisfy constraint}}
  cpu.tile_zero 8
  return
}

// -----

func.func @f(%x: memref<1x6x6x16xi32>, %w: memref<4672xi32>, %b: memref<32xf32>, %y: memref<2x6x6x16xf32>, %s: memref<1024xi32>) {
  // expected-error @+1 {{scratch of a matrix unit has not the 1040 words}}
  cpu.conv2d_bytes %x, %w, %b to %y channels 64 lanes 16 group 2 scratch %s {input_scale = 0.5 : f32}
      : memref<1x6x6x16xi32>, memref<4672xi32>, memref<32xf32>, memref<2x6x6x16xf32> scratch memref<1024xi32>
  return
}
