//===- CpuEnums.td - enumerations of the cpu dialect -------*- tablegen -*-===//
//
// Apart from the ops, whose file also sees the enumerations of un0.
//
//===----------------------------------------------------------------------===//

#ifndef CPU_IR_CPUENUMS_TD
#define CPU_IR_CPUENUMS_TD

include "mlir/IR/EnumAttr.td"

def Cpu_Packing : I32EnumAttr<"Packing", "how a parameter is laid out for the kernels", [
    I32EnumAttrCase<"Vector", 0, "vector">,
    I32EnumAttrCase<"Rows16", 1, "rows16">,
    I32EnumAttrCase<"ClassRows", 2, "class_rows">,
    I32EnumAttrCase<"Conv3x3", 3, "conv3x3">,
    I32EnumAttrCase<"ConvUpsample", 4, "conv_upsample">,
    I32EnumAttrCase<"ConvPlanar", 5, "conv_planar">,
    I32EnumAttrCase<"ConvPlanes", 6, "conv_planes">,
    I32EnumAttrCase<"ClassWords", 7, "class_words">]> {
  let cppNamespace = "::un0::cpu";
  let genSpecializedAttr = 0;
}

def Cpu_ConvForm : I32EnumAttr<"ConvForm", "how a 3x3 convolution is computed", [
    I32EnumAttrCase<"Direct", 0, "direct">,
    I32EnumAttrCase<"Upsampled", 1, "f_up">,
    I32EnumAttrCase<"Winograd2", 2, "f2">,
    I32EnumAttrCase<"Winograd4", 3, "f4">,
    I32EnumAttrCase<"UpsampledPairs", 4, "f_up2">,
    I32EnumAttrCase<"UpsampledWinograd4", 5, "f4_up">]> {
  let cppNamespace = "::un0::cpu";
  let genSpecializedAttr = 0;
}

def Cpu_ConvSplit : I32EnumAttr<"ConvSplit", "what the threads of a team share of a convolution", [
    I32EnumAttrCase<"Groups", 0, "groups">,
    I32EnumAttrCase<"Rows", 1, "rows">]> {
  let cppNamespace = "::un0::cpu";
  let genSpecializedAttr = 0;
}

def Cpu_DotKind : I32EnumAttr<"DotKind", "what a word of a packed dot product holds", [
    I32EnumAttrCase<"U8S8", 0, "u8s8">,
    I32EnumAttrCase<"S16", 1, "s16">,
    I32EnumAttrCase<"BF16", 2, "bf16">]> {
  let cppNamespace = "::un0::cpu";
  let genSpecializedAttr = 0;
}
#endif // CPU_IR_CPUENUMS_TD
