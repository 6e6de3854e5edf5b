//===- Passes.td - un0 to un0 passes -----------------------*- tablegen -*-===//

#ifndef UN0_TRANSFORMS_PASSES_TD
#define UN0_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

def Un0SetSolver : Pass<"un0-set-solver", "::mlir::ModuleOp"> {
  let summary = "override how the differential equations are integrated";
  let description = [{
    Sets solver, number of steps and time of every `un0.evolve`; what is not given stays as it is. With
    `solver=heun steps=5`:

    ```mlir
    %theta = un0.evolve(%t = %theta0) solver(euler) steps(10) time(1.0) : tensor<?x16xf32> {
      %dt = un0.rate of %t frequency %w : tensor<?x16xf32>, tensor<1x16xf32>
      un0.yield %dt : tensor<?x16xf32>
    }
    ```
    becomes
    ```mlir
    %theta = un0.evolve(%t = %theta0) solver(heun) steps(5) time(1.0) : tensor<?x16xf32> {
      %dt = un0.rate of %t frequency %w : tensor<?x16xf32>, tensor<1x16xf32>
      un0.yield %dt : tensor<?x16xf32>
    }
    ```
  }];
  let options = [
    Option<"solver", "solver", "std::string", /*default=*/"", "euler, heun, rk4 or rk4-classic">,
    Option<"steps", "steps", "int64_t", /*default=*/"-1", "number of steps; negative keeps it">,
    Option<"time", "time", "double", /*default=*/"std::numeric_limits<double>::quiet_NaN()",
           "model time that the steps cover, in seconds; nan keeps it">
  ];
  let statistics = [Statistic<"numChanged", "changed", "evolves with another integrator than before">];
  let dependentDialects = ["::un0::Un0Dialect"];
}

def Un0CloseFreePopulations : Pass<"un0-close-free-populations", "::mlir::ModuleOp"> {
  let summary = "integrate populations that nothing acts on in closed form";
  let description = [{
    A state whose rate is its natural frequency alone is a straight line in time. Every solver integrates it exactly, up
    to rounding, so it leaves `un0.evolve`; the region reads `un0.drift` in its place. A state whose final value is read
    outside stays.

    ```mlir
    %theta, %phi = un0.evolve(%t = %theta0, %p = %phi0) solver(euler) steps(10) time(1.0)
        : tensor<?x16xf32>, tensor<?x1xf32> {
      %a = un0.couple %drive, %p, %t : tensor<?x16x1xf32>, tensor<?x1xf32>, tensor<?x16xf32>
      %dt = un0.rate of %t frequency %w terms(%a) : tensor<?x16xf32>, tensor<1x16xf32>
      %dp = un0.rate of %p frequency %wc : tensor<?x1xf32>, tensor<1x1xf32>
      un0.yield %dt, %dp : tensor<?x16xf32>, tensor<?x1xf32>
    }
    ```
    becomes
    ```mlir
    %theta = un0.evolve(%t = %theta0) solver(euler) steps(10) time(1.0) : tensor<?x16xf32> {
      %p = un0.drift %phi0, %wc : tensor<?x1xf32>, tensor<1x1xf32>
      %a = un0.couple %drive, %p, %t : tensor<?x16x1xf32>, tensor<?x1xf32>, tensor<?x16xf32>
      %dt = un0.rate of %t frequency %w terms(%a) : tensor<?x16xf32>, tensor<1x16xf32>
      un0.yield %dt : tensor<?x16xf32>
    }
    ```
  }];
  let statistics = [
    Statistic<"numClosed", "closed", "populations integrated in closed form">,
    Statistic<"numMissed", "missed", "free populations left alone because their final phases are read">
  ];
  let dependentDialects = ["::un0::Un0Dialect"];
}

def Un0FuseCouplings : Pass<"un0-fuse-couplings", "::mlir::ModuleOp"> {
  let summary = "one pass over each coupling, by the angle-difference identity";
  let description = [{
    With `sin(a - b) = sin a cos b - cos a sin b` a coupling becomes two contractions of the same matrix with the sines and
    the cosines of its source, which are computed once per population. Each `un0.rate` and the couplings it sums become one
    `un0.fused_rate`. The identity meets the diagonal of a self-coupling with rounding errors instead of sin(0), so
    it is left out of the parameter (`zero_diagonal`), whether the coupling says so or not; a parameter that others read with its
    diagonal is given a second symbol.

    ```mlir
    %theta = un0.evolve(%t = %theta0) solver(euler) steps(10) time(1.0) : tensor<?x16xf32> {
      %a = un0.couple %K, %t, %t : tensor<16x16xf32>, tensor<?x16xf32>, tensor<?x16xf32>
      %dt = un0.rate of %t frequency %w terms(%a) : tensor<?x16xf32>, tensor<1x16xf32>
      un0.yield %dt : tensor<?x16xf32>
    }
    ```
    becomes
    ```mlir
    %theta = un0.evolve(%t = %theta0) solver(euler) steps(10) time(1.0) : tensor<?x16xf32> {
      %s, %c = un0.sin_cos %t : tensor<?x16xf32>
      %dt = un0.fused_rate of(%s, %c) frequency %w couple %K(%s, %c)
          : tensor<?x16xf32>, tensor<1x16xf32>, [tensor<16x16xf32>, tensor<?x16xf32>]
      un0.yield %dt : tensor<?x16xf32>
    }
    ```
  }];
  let statistics = [
    Statistic<"numRates", "fused-rates", "rates fused with their couplings">,
    Statistic<"numCouplings", "fused-couplings", "couplings fused into a rate">,
    Statistic<"numCopies", "copied-parameters", "parameters given a second symbol without diagonal">,
    Statistic<"numMissed", "missed", "rates left alone because a term is not a coupling of their own population">
  ];
  let dependentDialects = ["::un0::Un0Dialect"];
}

def Un0FuseConvolutions : Pass<"un0-fuse-convolutions", "::mlir::ModuleOp"> {
  let summary = "TOSA convolutions with their neighbours folded in";
  let description = [{
    Turns 3x3 `tosa.conv2d` with padding 1 into `un0.conv2d` on channels-first images: an exact 2x nearest resize before
    it, leaky ReLU and tanh after it become attributes, and the layout transposes of images and weights cancel.

    ```mlir
    %y = tosa.transpose %x {perms = array<i32: 0, 2, 3, 1>} : (tensor<?x4x8x8xf32>) -> tensor<?x8x8x4xf32>
    %v = tosa.transpose %w {perms = array<i32: 0, 2, 3, 1>} : (tensor<3x4x3x3xf32>) -> tensor<3x3x3x4xf32>
    %c = tosa.conv2d %y, %v, %b, %zp, %zp {acc_type = f32, dilation = array<i64: 1, 1>, pad = array<i64: 1, 1, 1, 1>,
                                           stride = array<i64: 1, 1>}
        : (tensor<?x8x8x4xf32>, tensor<3x3x3x4xf32>, tensor<3xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<?x8x8x3xf32>
    %t = tosa.tanh %c : (tensor<?x8x8x3xf32>) -> tensor<?x8x8x3xf32>
    %z = tosa.transpose %t {perms = array<i32: 0, 3, 1, 2>} : (tensor<?x8x8x3xf32>) -> tensor<?x3x8x8xf32>
    ```
    becomes
    ```mlir
    %z = un0.conv2d %x, %w, %b activation(tanh)
        : tensor<?x4x8x8xf32>, tensor<3x4x3x3xf32>, tensor<3xf32> -> tensor<?x3x8x8xf32>
    ```
  }];
  let statistics = [
    Statistic<"numConvolutions", "convolutions", "convolutions turned into un0.conv2d">,
    Statistic<"numUpsamples", "upsamples", "2x nearest resizes folded in">,
    Statistic<"numActivations", "activations", "activations folded in">,
    Statistic<"numMissed", "missed", "convolutions left alone: not 3x3 with padding 1, stride 1 and no zero point">
  ];
  let dependentDialects = ["::un0::Un0Dialect", "::mlir::tosa::TosaDialect"];
}

def Un0RemoveDeadParams : Pass<"un0-remove-dead-params", "::mlir::ModuleOp"> {
  let summary = "remove parameters that nothing reads";
  let description = [{
    `symbol-dce` keeps public symbols, and a parameter is public so that a module can be read by name. In a compilation
    the functions are the only readers: a parameter without one needs no place in the weights.

    ```mlir
    un0.param @K : tensor<16x16xf32> from "model.safetensors" key "dynamics.K"
    un0.param @omega : tensor<1x16xf32> from "model.safetensors" key "dynamics.omega"
    func.func @frequency() -> tensor<1x16xf32> {
      %w = un0.get_param @omega : tensor<1x16xf32>
      return %w : tensor<1x16xf32>
    }
    ```
    becomes
    ```mlir
    un0.param @omega : tensor<1x16xf32> from "model.safetensors" key "dynamics.omega"
    func.func @frequency() -> tensor<1x16xf32> {
      %w = un0.get_param @omega : tensor<1x16xf32>
      return %w : tensor<1x16xf32>
    }
    ```
  }];
  let statistics = [Statistic<"numRemoved", "removed", "parameters removed">];
  let dependentDialects = ["::un0::Un0Dialect"];
}

def Un0VerifyModel : Pass<"un0-verify-model", "::mlir::ModuleOp"> {
  let summary = "check what the model phase guarantees, and mark the module";
  let description = [{
    The model phase has the physics in `un0` (no op of the fused level) and the rest in TOSA, `tensor` and
    `arith.constant`. Everything else is named with its count: `2 x scf.for are not supported in phase 'model'`.

    ```mlir
    module {}
    ```
    becomes
    ```mlir
    module attributes {un0.phase = "model"} {}
    ```
  }];
  let statistics = [Statistic<"numOps", "ops", "operations checked">];
}

def Un0VerifyFused : Pass<"un0-verify-fused", "::mlir::ModuleOp"> {
  let summary = "check what the fused phase guarantees, and mark the module";
  let description = [{
    In the fused phase a model is parameters, a class gather, `un0.evolve` whose region holds `un0.sin_cos`,
    `un0.fused_rate` and `un0.drift` only, a readout, a reshape and a chain of `un0.conv2d`. Everything else is named with
    its count: `2 x tosa.fft2d are not supported in phase 'fused'`.

    ```mlir
    module attributes {un0.phase = "model"} {}
    ```
    becomes
    ```mlir
    module attributes {un0.phase = "fused"} {}
    ```
  }];
  let statistics = [Statistic<"numOps", "ops", "operations checked">];
}

def Un0QuantizeCouplings : Pass<"un0-quantize-couplings", "::mlir::ModuleOp"> {
  let summary = "store couplings and multiply them in few bits";
  let description = [{
    Gives every coupling that all samples share and that has at least `min-sources` sources a precision. Sines and cosines
    are bounded by one, so the scale of their numbers is known without data; that of a row of K is its largest magnitude.
    A drive, which differs from sample to sample, and small couplings are multiplied in f32: they take no time. A coupling
    whose sources are not a multiple of 8 gets `int8` instead of `int4`; with `int4-group=4` groups of 4
    columns of a row of an `int4` coupling choose between two sets of levels (`groups` of `un0.fused_rate`). `params` restricts the pass to couplings that
    read one of these parameters. Tables that a drive beside an int8 or int4 coupling is gathered from are stored in few
    bits, which models of many classes need to become small. With `precision=int8`:

    ```mlir
    %d = un0.select_class %D[%label] : tensor<10x64x8xf32>, tensor<?xi64> -> tensor<?x64x8xf32>
    %dt = un0.fused_rate of(%s, %c) frequency %w couple %K(%s, %c), %d(%ps, %pc)
        : tensor<?x64xf32>, tensor<1x64xf32>, [tensor<64x64xf32>, tensor<?x64xf32>], [tensor<?x64x8xf32>, tensor<?x8xf32>]
    ```
    becomes
    ```mlir
    %d = un0.select_class %D[%label] {bits = 10 : i64} : tensor<10x64x8xf32>, tensor<?xi64> -> tensor<?x64x8xf32>
    %dt = un0.fused_rate of(%s, %c) frequency %w couple %K(%s, %c), %d(%ps, %pc) {precisions = [#un0<precision int8>, #un0<precision f32>]}
        : tensor<?x64xf32>, tensor<1x64xf32>, [tensor<64x64xf32>, tensor<?x64xf32>], [tensor<?x64x8xf32>, tensor<?x8xf32>]
    ```
  }];
  let options = [
    Option<"precision", "precision", "std::string", /*default=*/"\"int8\"", "int16, bf16, int8, int4 or f32">,
    Option<"int4Group", "int4-group", "int64_t", /*default=*/"0",
           "columns of an int4 coupling that choose their levels together, 4; 0 for all">,
    Option<"minSources", "min-sources", "int64_t", /*default=*/"32", "couplings with fewer sources stay f32">,
    ListOption<"params", "params", "std::string", "symbols of parameters; all without it">
  ];
  let statistics = [
    Statistic<"numQuantized", "quantized", "couplings given a precision">,
    Statistic<"numWidened", "widened", "couplings made int8 because int4 does not fit their sources">,
    Statistic<"numMissed", "missed", "couplings left in f32: small, or different from sample to sample">,
    Statistic<"numTables", "tables", "class tables given few bits">
  ];
  let dependentDialects = ["::un0::Un0Dialect"];
}

def Un0QuantizeConvolutions : Pass<"un0-quantize-convolutions", "::mlir::ModuleOp"> {
  let summary = "multiply bytes in the decoder";
  let description = [{
    Makes every `un0.conv2d` int8, or with `params` those whose weights are named there. `minima` and `maxima` are the
    ranges of their inputs, in the order of all convolutions, those that stay f32 included;
    without them each input must be encoded features, which are bounded by one. The range is widened to hold zero, so
    that the ring of padding is exact. `exponents`, one per input channel of all convolutions in turn, become their
    `input_exponents`; those of encoded features must be zero. With `minima=-0.5 maxima=2.05`:

    ```mlir
    %y = un0.conv2d %x, %w, %b activation(none)
        : tensor<?x16x4x4xf32>, tensor<16x16x3x3xf32>, tensor<16xf32> -> tensor<?x16x4x4xf32>
    ```
    becomes
    ```mlir
    %y = un0.conv2d %x, %w, %b activation(none) {input_scale = 1.000000e-02 : f64, input_zero_point = 50 : i64, precision = #un0<precision int8>}
        : tensor<?x16x4x4xf32>, tensor<16x16x3x3xf32>, tensor<16xf32> -> tensor<?x16x4x4xf32>
    ```
  }];
  let options = [
    ListOption<"minima", "minima", "double", "least value of each convolution's input">,
    ListOption<"maxima", "maxima", "double", "largest value of each convolution's input">,
    ListOption<"exponents", "exponents", "int64_t",
               "powers of two that input channels are divided by, those of all convolutions; none without it">,
    ListOption<"params", "params", "std::string", "weights of the convolutions to quantize; all without it">
  ];
  let statistics = [
    Statistic<"numQuantized", "quantized", "convolutions made int8">,
    Statistic<"numEqualized", "equalized", "convolutions whose input channels have powers of two of their own">
  ];
  let dependentDialects = ["::un0::Un0Dialect"];
}

#endif // UN0_TRANSFORMS_PASSES_TD
