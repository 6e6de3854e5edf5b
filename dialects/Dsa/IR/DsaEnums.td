//===- DsaEnums.td - enumerations of the dsa dialect -------*- tablegen -*-===//
//
// Apart from the ops, whose file also sees the enumerations of un0.
//
//===----------------------------------------------------------------------===//

#ifndef DSA_IR_DSAENUMS_TD
#define DSA_IR_DSAENUMS_TD

include "mlir/IR/EnumAttr.td"

def Dsa_Content : I32EnumAttr<"Content", "what constants of a program are", [
    I32EnumAttrCase<"Couplings", 0, "couplings">,
    I32EnumAttrCase<"Frequencies", 1, "frequencies">]> {
  let cppNamespace = "::un0::dsa";
  let genSpecializedAttr = 0;
}

def Dsa_Operator : I32EnumAttr<"Operator", "what the digital engine computes", [
    I32EnumAttrCase<"Readout", 0, "readout">,
    I32EnumAttrCase<"Conv2D", 1, "conv2d">,
    I32EnumAttrCase<"Evolve", 2, "evolve">]> {
  let cppNamespace = "::un0::dsa";
  let genSpecializedAttr = 0;
}

#endif // DSA_IR_DSAENUMS_TD
