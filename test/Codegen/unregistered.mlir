// RUN: un0-opt %s --allow-unregistered-dialect --cpu-kernels-to-vector --cpu-verify-vector | FileCheck %s

// Ops of no dialect pass.
module attributes {cpu.target = {cpu = "x86-64-v3", features = ["avx2", "fma"], fma = true, lanes = 8 : i64, registers = 16 : i64}} {
  // CHECK-LABEL: @unknown
  // CHECK: "test.use"() : () -> ()
  func.func @unknown() {
    "test.use"() : () -> ()
    return
  }
}
