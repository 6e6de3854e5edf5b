//===- Un0Dialect.td - the un0 dialect ---------------------*- tablegen -*-===//

#ifndef UN0_IR_UN0DIALECT_TD
#define UN0_IR_UN0DIALECT_TD

include "mlir/IR/OpBase.td"
include "mlir/IR/EnumAttr.td"

def Un0_Dialect : Dialect {
  let name = "un0";
  let cppNamespace = "::un0";
  let summary = "Image models whose core is a physical dynamical system";
  let description = [{
    The physics of an Un-0 model and nothing else: parameters by name, an autonomous differential equation as a region,
    couplings, and the readout of phases. The convolutional decoder is TOSA. Phases are radians, times are seconds of
    model time, and every tensor carries the batch as its first dimension. `lib/Interpreter` defines what each op means.
  }];
  let useDefaultAttributePrinterParser = 1;
  let dependentDialects = ["::mlir::func::FuncDialect", "::mlir::tosa::TosaDialect", "::mlir::tensor::TensorDialect"];
}

def Un0_Solver : I32EnumAttr<"Solver", "fixed-step integrator", [
    I32EnumAttrCase<"Euler", 0, "euler">,
    I32EnumAttrCase<"Heun", 1, "heun">,
    I32EnumAttrCase<"RK4", 2, "rk4">,
    I32EnumAttrCase<"RK4Classic", 3, "rk4_classic">]> {
  let cppNamespace = "::un0";
  let genSpecializedAttr = 0;
}
def Un0_SolverAttr : EnumAttr<Un0_Dialect, Un0_Solver, "solver">;

def Un0_Reference : I32EnumAttr<"Reference", "what a phase is read relative to", [
    I32EnumAttrCase<"Absolute", 0, "absolute">,
    I32EnumAttrCase<"Mean", 1, "mean">,
    I32EnumAttrCase<"Oscillator", 2, "oscillator">,
    I32EnumAttrCase<"Pairwise", 3, "pairwise">]> {
  let cppNamespace = "::un0";
  let genSpecializedAttr = 0;
}
def Un0_ReferenceAttr : EnumAttr<Un0_Dialect, Un0_Reference, "reference">;

def Un0_Encoding : I32EnumAttr<"Encoding", "how a relative phase becomes features", [
    I32EnumAttrCase<"Raw", 0, "raw">,
    I32EnumAttrCase<"Sin", 1, "sin">,
    I32EnumAttrCase<"SinCos", 2, "sin_cos">]> {
  let cppNamespace = "::un0";
  let genSpecializedAttr = 0;
}
def Un0_EncodingAttr : EnumAttr<Un0_Dialect, Un0_Encoding, "encoding">;

def Un0_Activation : I32EnumAttr<"Activation", "epilogue of a fused convolution", [
    I32EnumAttrCase<"None", 0, "none">,
    I32EnumAttrCase<"LeakyRelu", 1, "leaky_relu">,
    I32EnumAttrCase<"Tanh", 2, "tanh">]> {
  let cppNamespace = "::un0";
  let genSpecializedAttr = 0;
}
def Un0_ActivationAttr : EnumAttr<Un0_Dialect, Un0_Activation, "activation">;

def Un0_Precision : I32EnumAttr<"Precision", "arithmetic of a contraction", [
    I32EnumAttrCase<"F32", 0, "f32">,
    I32EnumAttrCase<"Int16", 1, "int16">,
    I32EnumAttrCase<"BF16", 2, "bf16">,
    I32EnumAttrCase<"Int8", 3, "int8">,
    I32EnumAttrCase<"Int4", 4, "int4">]> {
  let cppNamespace = "::un0";
  let genSpecializedAttr = 0;
}
def Un0_PrecisionAttr : EnumAttr<Un0_Dialect, Un0_Precision, "precision">;

#endif // UN0_IR_UN0DIALECT_TD
