//===- Un0Interfaces.td - what an op costs -----------------*- tablegen -*-===//

#ifndef UN0_IR_UN0INTERFACES_TD
#define UN0_IR_UN0INTERFACES_TD

include "mlir/IR/OpBase.td"

def Un0_CostOpInterface : OpInterface<"CostOpInterface"> {
  let cppNamespace = "::un0";
  let description = [{
    What one evaluation of the op costs for one image (the batch dimension counts as 1): multiply-adds, special
    functions, bytes of parameters and of activations read and written. Reports, the energy model and the precision
    choice read this; nobody counts by hand.
  }];
  let methods = [InterfaceMethod<"The cost of one evaluation for one image.", "::un0::Cost", "getCost", (ins)>];
}

#endif // UN0_IR_UN0INTERFACES_TD
