// RUN: un0-opt %s --split-input-file --verify-diagnostics

// Ranks are the operands' own.
func.func @frequency(%w: memref<f32>, %x: memref<2x16xf32>, %t: memref<16xf32>) {
  // expected-error @+1 {{operand #0 must be 1D strided, statically shaped memref of 32-bit float values, but got 'memref<f32>'}}
  cpu.rate frequency %w target %x base %t to %t : memref<f32>, memref<2x16xf32>, memref<16xf32>, memref<16xf32>
  return
}

// -----

func.func @weights(%x: memref<1x4x4x16xf32>, %w: memref<f32>, %b: memref<16xf32>) {
  // expected-error @+1 {{operand #1 must be 1D strided, statically shaped memref of 32-bit float values, but got 'memref<f32>'}}
  cpu.conv2d %x, %w, %b to %x channels 16 lanes 8 group 2 : memref<1x4x4x16xf32>, memref<f32>, memref<16xf32>, memref<1x4x4x16xf32>
  return
}

// -----

func.func @byte_weights(%x: memref<1x4x4x16xi32>, %w: memref<i32>, %b: memref<16xf32>, %y: memref<3x2x2xf32>) {
  // expected-error @+1 {{operand #1 must be 1D strided, statically shaped memref of 32-bit signless integer values, but got 'memref<i32>'}}
  cpu.conv2d_planar_bytes %x, %w, %b to %y scale 1.0 : memref<1x4x4x16xi32>, memref<i32>, memref<16xf32>, memref<3x2x2xf32>
  return
}

// -----

func.func @plane_weights(%x: memref<1x6x6x16xf32>, %w: memref<f32>, %b: memref<16xf32>, %v: memref<16x4x16xf32>, %p: memref<16x4x32xf32>) {
  // expected-error @+1 {{operand #1 must be 1D strided, statically shaped memref of 32-bit float or 32-bit signless integer values, but got 'memref<f32>'}}
  cpu.conv2d_planes %x, %w, %b to %x as f2 using %v, %p channels 16 together 1 x 2 lanes 16 group 2
      : memref<1x6x6x16xf32>, memref<f32>, memref<16xf32>, memref<1x6x6x16xf32>, memref<16x4x16xf32>, memref<16x4x32xf32>
  return
}

// -----

func.func @layout(%x: memref<1x4x4x16xf32, affine_map<(a, b, c, d) -> (a floordiv 2, b, c, d)>>) {
  // expected-error @+1 {{operand #0 must be 4D strided, statically shaped memref of 32-bit float values}}
  cpu.zero %x : memref<1x4x4x16xf32, affine_map<(a, b, c, d) -> (a floordiv 2, b, c, d)>>
  return
}

// -----

func.func @zero(%x: memref<32xf32>) {
  // expected-error @+1 {{operand #0 must be 4D strided, statically shaped memref of 32-bit float values, but got 'memref<32xf32>'}}
  cpu.zero %x : memref<32xf32>
  return
}

// -----

func.func @zero(%x: memref<1x1x4x16xf32>) {
  // expected-error @+1 {{image needs a ring, and lines of 16}}
  cpu.zero ring %x : memref<1x1x4x16xf32>
  return
}

// -----

func.func @fill_ring(%x: memref<4xi32>) {
  // expected-error @+1 {{operand #0 must be 4D strided, statically shaped memref of 32-bit signless integer values, but got 'memref<4xi32>'}}
  cpu.fill_ring %x with 3 : memref<4xi32>
  return
}

// -----

func.func @fill_ring(%x: memref<1x4x4x8xi32>) {
  // expected-error @+1 {{image needs a ring, and lines of 16}}
  cpu.fill_ring %x with 3 : memref<1x4x4x8xi32>
  return
}

// -----

func.func @fill_ring(%x: memref<1x4x4x16xi32>) {
  // expected-error @+1 {{zero_point must be 0 to 255, but is -1}}
  cpu.fill_ring %x with -1 : memref<1x4x4x16xi32>
  return
}

// -----

// Features of two of four samples, reshaped to one image.
func.func @scatter(%f: memref<64xf32>, %x: memref<1x10x10x16xf32>) {
  // expected-error @+1 {{has 64 features for 2 x 8 x 8 pixels}}
  cpu.scatter_features %f to %x channels 2 : memref<64xf32>, memref<1x10x10x16xf32>
  return
}

// -----

func.func @scatter(%f: memref<68xf32>, %x: memref<1x4x4x16xf32>) {
  // expected-error @+1 {{image holds 16 channels, not 17}}
  cpu.scatter_features %f to %x channels 17 : memref<68xf32>, memref<1x4x4x16xf32>
  return
}

// -----

func.func @scatter(%f: memref<16xf32>, %x: memref<1x4x4x4xf32>) {
  // expected-error @+1 {{image needs a ring, and lines of 16}}
  cpu.scatter_features %f to %x channels 4 : memref<16xf32>, memref<1x4x4x4xf32>
  return
}

// -----

func.func @scatter_bytes(%f: memref<64xf32>, %x: memref<1x4x4x16xi32>) {
  // expected-error @+1 {{has 64 features for 17 x 2 x 2 pixels}}
  cpu.scatter_bytes %f to %x channels 17 scale 1.0 zero_point 3 : memref<64xf32>, memref<1x4x4x16xi32>
  return
}

// -----

func.func @scatter_bytes(%f: memref<260xf32>, %x: memref<1x4x4x16xi32>) {
  // expected-error @+1 {{image holds 64 channels, not 65}}
  cpu.scatter_bytes %f to %x channels 65 scale 1.0 zero_point 3 : memref<260xf32>, memref<1x4x4x16xi32>
  return
}

// -----

func.func @scatter_bytes(%f: memref<64xf32>, %x: memref<1x4x4x16xi32>) {
  // expected-error @+1 {{zero_point must be 0 to 255, but is 256}}
  cpu.scatter_bytes %f to %x channels 16 scale 1.0 zero_point 256 : memref<64xf32>, memref<1x4x4x16xi32>
  return
}

// -----

func.func @readout(%p: memref<16xf32>, %s: memref<3x16xf32>, %f: memref<2000xf32>) {
  // expected-error @+1 {{phases of 1000 oscillators are not 16 entries in lines of 16}}
  cpu.readout %p using %s to %f oscillators 1000 reference mean encoding sin_cos : memref<16xf32>, memref<3x16xf32>, memref<2000xf32>
  return
}

// -----

// A mean of nothing.
func.func @readout(%p: memref<0xf32>, %s: memref<3x0xf32>, %f: memref<0xf32>) {
  // expected-error @+1 {{phases of 0 oscillators are not 0 entries in lines of 16}}
  cpu.readout %p using %s to %f oscillators 0 reference mean encoding sin : memref<0xf32>, memref<3x0xf32>, memref<0xf32>
  return
}

// -----

func.func @readout(%p: memref<16xf32>, %s: memref<2x16xf32>, %f: memref<16xf32>) {
  // expected-error @+1 {{scratch does not hold 3 x 16 values}}
  cpu.readout %p using %s to %f oscillators 16 reference mean encoding sin : memref<16xf32>, memref<2x16xf32>, memref<16xf32>
  return
}

// -----

func.func @readout(%p: memref<16xf32>, %s: memref<3x16xf32>, %f: memref<8xf32>) {
  // expected-error @+1 {{makes 18 features in memory of 8}}
  cpu.readout %p using %s to %f oscillators 9 reference oscillator encoding sin_cos : memref<16xf32>, memref<3x16xf32>, memref<8xf32>
  return
}

// -----

func.func @readout(%p: memref<16xf32>, %s: memref<3x16xf32>, %f: memref<9xf32>) {
  // expected-error @+1 {{makes 81 features in memory of 9}}
  cpu.readout %p using %s to %f oscillators 9 reference pairwise encoding sin : memref<16xf32>, memref<3x16xf32>, memref<9xf32>
  return
}

// -----

func.func @drift(%p: memref<1xf32>, %w: memref<16xf32>, %o: memref<16x8xf32>, %t: f32) {
  // expected-error @+1 {{initial phases and result differ in shape}}
  cpu.drift %p plus %w times %t to %o : memref<1xf32>, memref<16xf32>, memref<16x8xf32>
  return
}

// -----

func.func @drift(%p: memref<16x8xf32>, %w: memref<8xf32>, %t: f32) {
  // expected-error @+1 {{frequency has 8 entries but the population has 16}}
  cpu.drift %p plus %w times %t to %p : memref<16x8xf32>, memref<8xf32>, memref<16x8xf32>
  return
}

// -----

func.func @drift(%p: memref<20xf32>, %t: f32) {
  // expected-error @+1 {{phases are not in the lane layout of a sample or a batch tile}}
  cpu.drift %p plus %p times %t to %p : memref<20xf32>, memref<20xf32>, memref<20xf32>
  return
}

// -----

func.func @combine(%t: memref<f32>) {
  // expected-error @+1 {{phases are not in the lane layout of a sample or a batch tile}}
  cpu.combine %t plus [0.5] times(%t) to %t : memref<f32>
  return
}

// -----

func.func @waves(%p: memref<16xf32>, %x: memref<2x16xf32>, %i: index) {
  // expected-error @+1 {{needs a first and a last row, or neither}}
  "cpu.waves"(%p, %x, %i) <{operandSegmentSizes = array<i32: 1, 1, 0, 1, 0>}> : (memref<16xf32>, memref<2x16xf32>, index) -> ()
  return
}

// -----

func.func @waves(%p: memref<16xf32>, %x: memref<2x16xf32>, %b: memref<2x4xi32>) {
  // expected-error @+1 {{needs packed waves and their precision, or neither}}
  "cpu.waves"(%p, %x, %b) <{operandSegmentSizes = array<i32: 1, 1, 1, 0, 0>}> : (memref<16xf32>, memref<2x16xf32>, memref<2x4xi32>) -> ()
  return
}

// -----

func.func @rate(%w: memref<16xf32>, %x: memref<2x16xf32>, %i: index) {
  // expected-error @+1 {{needs a first and a last row, or neither}}
  "cpu.rate"(%w, %x, %w, %w, %i) <{operandSegmentSizes = array<i32: 1, 1, 0, 0, 1, 1, 0, 0, 1, 0>}> : (memref<16xf32>, memref<2x16xf32>, memref<16xf32>, memref<16xf32>, index) -> ()
  return
}

// -----

func.func @rate(%w: memref<16xf32>, %x: memref<2x16xf32>, %k: memref<1x16x16xf32>, %s: memref<f32>) {
  // expected-error @+1 {{source 0 is not waves in the result's layout}}
  cpu.rate frequency %w target %x couple(%k) with(%s) base %w to %w
      : memref<16xf32>, memref<2x16xf32>, memref<16xf32>, memref<16xf32>, (memref<1x16x16xf32>), (memref<f32>)
  return
}

// -----

func.func @rate(%w: memref<16xf32>, %x: memref<2x16xf32>, %k: memref<1x16x16xi32>) {
  // expected-error @+1 {{coupling 0 has words, but its precision is f32}}
  cpu.rate frequency %w target %x couple(%k) with(%x) base %w to %w
      : memref<16xf32>, memref<2x16xf32>, memref<16xf32>, memref<16xf32>, (memref<1x16x16xi32>), (memref<2x16xf32>)
  return
}

// -----

func.func @conv(%x: memref<1x4x2x16xf32>, %w: memref<2304xf32>, %b: memref<16xf32>) {
  // expected-error @+1 {{input has no pixels in its ring}}
  cpu.conv2d %x, %w, %b to %x channels 16 lanes 16 group 2 : memref<1x4x2x16xf32>, memref<2304xf32>, memref<16xf32>, memref<1x4x2x16xf32>
  return
}

// -----

func.func @bias(%x: memref<1x4x4x16xf32>, %w: memref<2304xf32>, %b: memref<8xf32>) {
  // expected-error @+1 {{bias has 8 elements for 16 outputs}}
  cpu.conv2d %x, %w, %b to %x channels 16 lanes 16 group 2 : memref<1x4x4x16xf32>, memref<2304xf32>, memref<8xf32>, memref<1x4x4x16xf32>
  return
}

// -----

func.func @planar_bias(%x: memref<1x4x4x16xf32>, %w: memref<432xf32>, %b: memref<2xf32>, %y: memref<3x2x2xf32>) {
  // expected-error @+1 {{bias has 2 elements for 3 outputs}}
  cpu.conv2d_planar %x, %w, %b to %y : memref<1x4x4x16xf32>, memref<432xf32>, memref<2xf32>, memref<3x2x2xf32>
  return
}

// -----

func.func @tile(%m: memref<i32>) {
  // expected-error @+1 {{needs memory with words side by side}}
  cpu.tile_load 0 from %m[] stride 16 : memref<i32>
  return
}

// -----

func.func @tile(%m: memref<16x16xi32, strided<[1, 16]>>, %i: index) {
  // expected-error @+1 {{needs memory with words side by side}}
  cpu.tile_store 0 to %m[%i, %i] : memref<16x16xi32, strided<[1, 16]>>
  return
}

// -----

func.func @pieces(%x: memref<1x4x4x16xf32, strided<[1000, 100, 16, 1]>>, %w: memref<2304xf32>, %b: memref<16xf32>, %y: memref<1x4x4x16xf32>) {
  // expected-error @+1 {{needs images in one piece, not 'memref<1x4x4x16xf32, strided<[1000, 100, 16, 1]>>'}}
  cpu.conv2d %x, %w, %b to %y channels 16 lanes 16 group 2
      : memref<1x4x4x16xf32, strided<[1000, 100, 16, 1]>>, memref<2304xf32>, memref<16xf32>, memref<1x4x4x16xf32>
  return
}

// -----

func.func @planes_in_pieces(%x: memref<1x4x4x16xf32>, %w: memref<432xf32>, %b: memref<16xf32>, %y: memref<3x2x2xf32, strided<[8, 2, 1]>>) {
  // expected-error @+1 {{needs images in one piece, not 'memref<3x2x2xf32, strided<[8, 2, 1]>>'}}
  cpu.conv2d_planar %x, %w, %b to %y tanh : memref<1x4x4x16xf32>, memref<432xf32>, memref<16xf32>, memref<3x2x2xf32, strided<[8, 2, 1]>>
  return
}
