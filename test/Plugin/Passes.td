//===- Passes.td - the pass of the plugin example ---------*- tablegen -*-===//

#ifndef UN0_TEST_PLUGIN_PASSES_TD
#define UN0_TEST_PLUGIN_PASSES_TD

include "mlir/Pass/PassBase.td"

// [doc:pass]
def DropCoupling : Pass<"un0-drop-coupling", "::mlir::ModuleOp"> {
  let summary = "take one coupling out of the dynamics";
  let description = [{
    Removes every `un0.couple` whose coupling is the parameter `param`, directly or through a class gather, and takes it
    off the `un0.rate` that summed it. What is left is the model without that interaction: the pictures say what it was
    for. Wants the `model` phase, where couplings are still one op each.
  }];
  let options = [Option<"param", "param", "std::string", /*default=*/"", "symbol of the un0.param to take out">];
  let statistics = [Statistic<"dropped", "dropped", "couplings taken out">];
  let dependentDialects = ["::un0::Un0Dialect"];
}
// [doc:end]

#endif // UN0_TEST_PLUGIN_PASSES_TD
