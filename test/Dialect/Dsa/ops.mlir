// Every op and what it may leave out, through the parser and the printer twice.
// RUN: un0-opt %s | un0-opt | FileCheck %s
// RUN: un0-opt %s --mlir-print-op-generic | un0-opt | FileCheck %s

un0.param @K : tensor<64x64xf32> from "m" key "K" {zero_diagonal}
un0.param @omega : tensor<1x64xf32> from "m" key "omega"
un0.param @drive : tensor<10x64x8xf32> from "m" key "drive"

// CHECK-LABEL: dsa.program @dynamics on "two-tiles" oscillators 64 conditioning 8 classes 10 solver rk4 time 1.000000e+00 result @theta attributes {hardware = "{}"} {
dsa.program @dynamics on "two-tiles" oscillators 64 conditioning 8 classes 10 solver rk4 time 1.0 result @theta
    attributes {hardware = "{}"} {
  // CHECK: dsa.tile @main at 0 size 64
  dsa.tile @main at 0 size 64
  // CHECK: dsa.tile @cond at 1 size 8
  dsa.tile @cond at 1 size 8
  // CHECK: dsa.buffer @theta size 64
  dsa.buffer @theta size 64
  dsa.buffer @phi size 8
  // CHECK: dsa.data @K.0.1 couplings of @K at [0, 32] size [32, 32] scale 2.000000e+03 unit 1.000000e+02 limit 15
  dsa.data @K.0.1 couplings of @K at [0, 32] size [32, 32] scale 2.0e+03 unit 1.0e+02 limit 15
  // CHECK: dsa.data @D.0 couplings of @drive at [0, 0] size [32, 8] classes 10 scale 2.000000e+03 unit 1.000000e+02 limit 15
  dsa.data @D.0 couplings of @drive at [0, 0] size [32, 8] classes 10 scale 2.0e+03 unit 1.0e+02 limit 15
  // CHECK: dsa.data @w.0 frequencies of @omega at [0, 0] size [32, 1] scale 2.000000e+03 unit 0.000000e+00 limit 0
  dsa.data @w.0 frequencies of @omega at [0, 0] size [32, 1] scale 2.0e+03 unit 0.0 limit 0
  // CHECK: dsa.data @still frequencies size [64, 1] scale 1.000000e+00 unit 0.000000e+00 limit 0
  dsa.data @still frequencies size [64, 1] scale 1.0 unit 0.0 limit 0
  // CHECK: dsa.detune @main[0] with @still
  dsa.detune @main[0] with @still
  dsa.detune @cond[0] with @w.8
  dsa.data @w.8 frequencies of @omega at [0, 0] size [8, 1] scale 2.0e+03 unit 0.0 limit 0
  // CHECK: dsa.repeat 5 {
  dsa.repeat 5 {
    // CHECK: dsa.clear @main
    dsa.clear @main
    // CHECK: dsa.couple @main at [0, 32] with @K.0.1
    dsa.couple @main at [0, 32] with @K.0.1
    // CHECK: dsa.swap @main
    dsa.swap @main
    // CHECK: dsa.each {
    dsa.each {
      // CHECK: dsa.draw @phi from 64
      dsa.draw @phi from 64
      // CHECK: dsa.link @main[32] from @cond with @D.0
      dsa.link @main[32] from @cond with @D.0
      // CHECK: dsa.phase @main[32] from @theta[0] count 32
      dsa.phase @main[32] from @theta[0] count 32
      // CHECK: dsa.repeat 2 {
      dsa.repeat 2 {
        // CHECK: dsa.run @main for 2.500000e-06 steps 1
        dsa.run @main for 2.5e-06 steps 1
        // CHECK: dsa.hold @main for 1.000000e-08
        dsa.hold @main for 1.0e-08
        // CHECK: dsa.sample @main[32] to @theta[0] count 32 {unwrap}
        dsa.sample @main[32] to @theta[0] count 32 {unwrap}
      }
      // CHECK: dsa.sample @main[0] to @theta[0] count 64 relative 3
      dsa.sample @main[0] to @theta[0] count 64 relative 3
    }
    // CHECK: dsa.unlink @main
    dsa.unlink @main
  }
  // CHECK: dsa.digital "readout" readout bits 32 multiply_adds 0 special_functions 128 parameters 0 x 1 reads 256 writes 512
  dsa.digital "readout" readout bits 32 multiply_adds 0 special_functions 128 parameters 0 x 1 reads 256 writes 512
}
