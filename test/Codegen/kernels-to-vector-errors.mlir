// RUN: un0-opt %s --cpu-kernels-to-vector --verify-diagnostics

// expected-error @+1 {{module has no cpu.target attribute}}
func.func @no_target(%theta: memref<32xf32>, %x: memref<2x32xf32>) {
  cpu.waves %theta to %x : memref<32xf32>, memref<2x32xf32>
  return
}
