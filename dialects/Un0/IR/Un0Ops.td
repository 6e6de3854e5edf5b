//===- Un0Ops.td - operations of the un0 dialect -----------*- tablegen -*-===//

#ifndef UN0_IR_UN0OPS_TD
#define UN0_IR_UN0OPS_TD

include "dialects/Un0/IR/Un0Dialect.td"
include "dialects/Un0/IR/Un0Interfaces.td"
include "mlir/IR/BuiltinAttributes.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/Interfaces/LoopLikeInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

class Un0_Op<string mnemonic, list<Trait> traits = []> : Op<Un0_Dialect, mnemonic, traits>;

def Un0_Phases : TensorOf<[F32, F64]>;

//===----------------------------------------------------------------------===//
// Parameters
//===----------------------------------------------------------------------===//

def Un0_ParamOp : Un0_Op<"param", [Symbol]> {
  let summary = "a trained tensor, by name";
  let description = [{
    Names a tensor in an archive: file and key. The bytes never live in the IR. `scale` multiplies every element,
    `zero_diagonal` removes self-coupling from the last two (square) dimensions; both are applied once, when the
    parameter is packed. The type is that of the stored tensor with f32 elements, whatever it is stored in.

    ```mlir
    un0.param @K : tensor<1024x1024xf32> from "fashion.safetensors" key "dynamics.K" {zero_diagonal}
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttrOf<AnyStaticShapeTensor>:$type, StrAttr:$archive,
                       StrAttr:$key, OptionalAttr<F64Attr>:$scale, UnitAttr:$zero_diagonal);
  let assemblyFormat = "$sym_name `:` $type `from` $archive `key` $key attr-dict";
  let hasVerifier = 1;
  let hasCanonicalizer = 1;
}

def Un0_GetParamOp : Un0_Op<"get_param", [Pure, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "the value of a parameter";
  let arguments = (ins FlatSymbolRefAttr:$param);
  let results = (outs AnyStaticShapeTensor:$result);
  let assemblyFormat = "$param attr-dict `:` type($result)";
}

def Un0_SelectClassOp : Un0_Op<"select_class", [Pure, DeclareOpInterfaceMethods<Un0_CostOpInterface>]> {
  let summary = "each sample's slice of a per-class parameter";
  let description = [{
    `result[b, ...] = table[label[b], ...]`, and zero where the label is outside [0, classes): that is the
    unconditional mode of the model.

    With `bits = 10`, the only one, the table is replaced by its nearest values in whole steps: for every class and every
    index m of the last dimension, steps of `max over n of |table[class, n, m]| / 511`.

    ```mlir
    %drive = un0.select_class %D[%label] : tensor<10x1024x8xf32>, tensor<?xi64> -> tensor<?x1024x8xf32>
    ```
  }];
  let arguments = (ins AnyStaticShapeTensor:$table, 1DTensorOf<[I64]>:$label, OptionalAttr<I64Attr>:$bits);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$table `[` $label `]` attr-dict `:` type($table) `,` type($label) `->` type($result)";
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Dynamics
//===----------------------------------------------------------------------===//

def Un0_EvolveOp : Un0_Op<"evolve", [SingleBlock, RecursiveMemoryEffects,
                                     AllTypesMatch<["initial", "results"]>,
                                     DeclareOpInterfaceMethods<LoopLikeOpInterface>,
                                     DeclareOpInterfaceMethods<Un0_CostOpInterface>]> {
  let summary = "integrates an autonomous differential equation";
  let description = [{
    The region is the right-hand side: it gets the state tensors and yields their rates of change. `steps` equal steps of
    `solver` cover `time`; with 0 steps the result is the initial state. Phases are never wrapped. `rk4` is the 3/8 rule,
    which is what the reference calls so; `rk4_classic` is the classic tableau.

    ```mlir
    %theta, %phi = un0.evolve(%t = %theta0, %p = %phi0) solver(euler) steps(10) time(1.0)
        : tensor<?x1024xf32>, tensor<?x8xf32> {
      %a = un0.couple %K, %t, %t {zero_diagonal} : tensor<1024x1024xf32>, tensor<?x1024xf32>, tensor<?x1024xf32>
      %b = un0.couple %drive, %p, %t : tensor<?x1024x8xf32>, tensor<?x8xf32>, tensor<?x1024xf32>
      %dt = un0.rate of %t frequency %w terms(%a, %b) : tensor<?x1024xf32>, tensor<1x1024xf32>
      ...
      un0.yield %dt, %dp : tensor<?x1024xf32>, tensor<?x8xf32>
    }
    ```
  }];
  let arguments = (ins Variadic<Un0_Phases>:$initial, Un0_SolverAttr:$solver, I64Attr:$steps, F64Attr:$time);
  let results = (outs Variadic<Un0_Phases>:$results);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let hasCanonicalizer = 1;
  let hasFolder = 1;
  let extraClassDeclaration = [{
    /// Length of one step, in model time; 0 without steps.
    double getStepTime() { return getSteps() ? getTime().convertToDouble() / getSteps() : 0.0; }
    YieldOp getYield();
  }];
}

def Un0_YieldOp : Un0_Op<"yield", [Pure, Terminator, HasParent<"EvolveOp">, ReturnLike]> {
  let summary = "the rates of change of an evolve region";
  let arguments = (ins Variadic<Un0_Phases>:$rates);
  let assemblyFormat = "attr-dict ($rates^ `:` type($rates))?";
}

def Un0_CoupleOp : Un0_Op<"couple", [Pure, DeclareOpInterfaceMethods<Un0_CostOpInterface>]> {
  let summary = "sine coupling of one population to another";
  let description = [{
    `result[b, i] = sum_j K[i, j] sin(source[b, j] - target[b, i])`. K is N x S, or B x N x S where it differs from sample
    to sample (a class gather). `zero_diagonal` leaves out j = i and needs a square K and source = target.
  }];
  let arguments = (ins AnyRankedTensor:$coupling, Un0_Phases:$source, Un0_Phases:$target, UnitAttr:$zero_diagonal);
  let results = (outs Un0_Phases:$result);
  let assemblyFormat = [{
    $coupling `,` $source `,` $target attr-dict `:` type($coupling) `,` type($source) `,` type($target)
    custom<SameAs>(ref(type($target)), type($result))
  }];
  let hasVerifier = 1;
}

def Un0_RateOp : Un0_Op<"rate", [Pure, DeclareOpInterfaceMethods<Un0_CostOpInterface>]> {
  let summary = "natural frequency plus coupling terms";
  let description = [{
    `result[b, i] = frequency[0, i] + sum of terms[b, i]`: the rate of change of `state`, which gives the shape and is not
    read. Radians per second.
  }];
  let arguments = (ins Un0_Phases:$state, AnyStaticShapeTensor:$frequency, Variadic<Un0_Phases>:$terms);
  let results = (outs Un0_Phases:$result);
  let assemblyFormat = [{
    `of` $state `frequency` $frequency (`terms` `(` $terms^ `)`)? attr-dict `:` type($state) `,` type($frequency)
    custom<TermTypes>(ref(type($state)), ref($terms), type($terms), type($result))
  }];
  let hasVerifier = 1;
  let hasCanonicalizer = 1;
}

def Un0_ReadoutOp : Un0_Op<"readout", [Pure, DeclareOpInterfaceMethods<Un0_CostOpInterface>]> {
  let summary = "phases to features";
  let description = [{
    Subtracts a reference from the unwrapped phases (`mean`: their arithmetic mean over the N oscillators; `oscillator`:
    phase 0; `absolute`: nothing; `pairwise`: the N x N differences theta_i - theta_j, row by row), then encodes: `raw`
    (F values), `sin` (F), `sin_cos` (all F sines, then all F cosines). A phase must never be wrapped before a `mean`
    reference.
  }];
  let arguments = (ins Un0_Phases:$phases, Un0_ReferenceAttr:$reference, Un0_EncodingAttr:$encoding);
  let results = (outs Un0_Phases:$features);
  let assemblyFormat = [{
    $phases `reference` `` custom<Parenthesized>($reference) `encoding` `` custom<Parenthesized>($encoding) attr-dict
    `:` type($phases) `->` type($features)
  }];
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Fused level: what the passes of dialects/Un0/Transforms make of the above
//===----------------------------------------------------------------------===//

def Un0_SinCosOp : Un0_Op<"sin_cos", [Pure, AllTypesMatch<["phases", "sine", "cosine"]>,
                                      DeclareOpInterfaceMethods<Un0_CostOpInterface>]> {
  let summary = "sine and cosine of phases, together";
  let arguments = (ins Un0_Phases:$phases);
  let results = (outs Un0_Phases:$sine, Un0_Phases:$cosine);
  let assemblyFormat = "$phases attr-dict `:` type($phases)";
}

def Un0_FusedRateOp : Un0_Op<"fused_rate", [Pure, AttrSizedOperandSegments,
                                            DeclareOpInterfaceMethods<Un0_CostOpInterface>]> {
  let summary = "frequency and all couplings of one population, in one pass";
  let description = [{
    The rate of change of a population whose sine and cosine are `target_sine`, `target_cosine`, by the angle-difference
    identity: `frequency[i] + sum over terms of (cos_i (K S)_i - sin_i (K C)_i)`, S and C the sines and cosines of the
    term's source. Each K is read once for both contractions. The diagonals of K must be zero in the parameter
    (`zero_diagonal` on `un0.param`) where self-coupling is excluded.

    `precisions` has one entry per coupling; without it all are f32. In another precision the coupling and its source's
    waves are replaced by their nearest values: `int8`, row i of K by `step * (q + zero)`,
    |q| <= 127, with `step = (max - min) / 254` and `zero = round((max + min) / (2 step))`, where 0 counts as one of its numbers,
    and waves in steps of 1/64; `int16`, max|K_i| / 8191 and 1/2047; `bf16`, both rounded to bf16; `int4`, 16 levels per K and a scale per row, waves
    as in int8. Integer sums are exact: `drains` says after how many sources of an `int16` coupling a 32-bit accumulator must
    be emptied into f32 (0: never). `groups`: with g columns instead of 0, of every 4g
    neighbouring columns of a row of an `int4` coupling every fourth one chooses one of two sets of 16 levels together with
    the others of its four, the set that is nearer to them; with 0 there is one set.

    ```mlir
    %dt = un0.fused_rate of(%s, %c) frequency %w couple %K(%s, %c), %drive(%ps, %pc)
        : tensor<?x1024xf32>, tensor<1x1024xf32>, [tensor<1024x1024xf32>, tensor<?x1024xf32>],
          [tensor<?x1024x8xf32>, tensor<?x8xf32>]
    ```
  }];
  let arguments = (ins Un0_Phases:$target_sine, Un0_Phases:$target_cosine, AnyStaticShapeTensor:$frequency,
                       Variadic<AnyRankedTensor>:$couplings, Variadic<Un0_Phases>:$sines,
                       Variadic<Un0_Phases>:$cosines,
                       OptionalAttr<TypedArrayAttrBase<Un0_PrecisionAttr, "precisions">>:$precisions,
                       OptionalAttr<DenseI64ArrayAttr>:$drains, OptionalAttr<DenseI64ArrayAttr>:$groups);
  let results = (outs Un0_Phases:$result);
  let hasCustomAssemblyFormat = 1;
  let extraClassDeclaration = [{
    /// Precision of the coupling `term`.
    Precision getPrecision(unsigned term);
    /// Columns of the coupling `term` that choose their levels together; 0 for all.
    int64_t getGroup(unsigned term) { return getGroups() ? (*getGroups())[term] : 0; }
    /// Sets precisions and groups, one each per coupling; what says nothing is left out.
    void quantize(::llvm::ArrayRef<Precision> precisions, int64_t int4Group);
    /// What coupling `term` alone costs: both contractions and their epilogue.
    Cost getTermCost(unsigned term);
  }];
  let hasVerifier = 1;
}

// Without effects but not speculatable: its value changes with the integrator's time, so it must stay in the region.
def Un0_DriftOp : Un0_Op<"drift", [NoMemoryEffect, HasParent<"EvolveOp">,
                                   DeclareOpInterfaceMethods<Un0_CostOpInterface>]> {
  let summary = "a free population, in closed form";
  let description = [{
    `result[b, k] = initial[b, k] + frequency[0, k] * t`, t the model time at which the integrator evaluates the region.
    What is left of a population that nothing acts on: the conditioning block with M = 1.
  }];
  let arguments = (ins Un0_Phases:$initial, AnyStaticShapeTensor:$frequency);
  let results = (outs Un0_Phases:$result);
  let assemblyFormat = [{
    $initial `,` $frequency attr-dict `:` type($initial) `,` type($frequency)
    custom<SameAs>(ref(type($initial)), type($result))
  }];
  let hasVerifier = 1;
}

def Un0_Conv2DOp : Un0_Op<"conv2d", [Pure, DeclareOpInterfaceMethods<Un0_CostOpInterface>]> {
  let summary = "a 3x3 convolution with its neighbours folded in";
  let description = [{
    Input B x C x H x W, weights O x C x 3 x 3, padding 1, then bias and activation. With `upsample` the input is first
    repeated 2x in both directions (nearest); code for it uses four 2x2 convolutions with pre-summed weights. `slope` is
    the negative slope of `leaky_relu`.

    With `precision = int8` the input is replaced by its nearest of the 256 values `input_scale * (q - input_zero_point)`, and
    the weights of each output channel (of each of the four folded kernels, with `upsample`) by whole steps, at most 127,
    of a size that minimizes their squared error. Sums are exact; bias and activation are f32. `input_exponents`, one
    per input channel, equalize channels of unlike size: those of the input are divided by 2^exponent before they are
    rounded, and those of the weights multiplied by it.
  }];
  let arguments = (ins 4DTensorOf<[F32, F64]>:$input, AnyStaticShapeTensor:$weight, AnyStaticShapeTensor:$bias,
                       UnitAttr:$upsample, Un0_ActivationAttr:$activation, OptionalAttr<F64Attr>:$slope,
                       DefaultValuedAttr<Un0_PrecisionAttr, "::un0::Precision::F32">:$precision,
                       OptionalAttr<F64Attr>:$input_scale, OptionalAttr<I64Attr>:$input_zero_point,
                       OptionalAttr<DenseI64ArrayAttr>:$input_exponents);
  let results = (outs 4DTensorOf<[F32, F64]>:$output);
  let assemblyFormat = [{
    $input `,` $weight `,` $bias `activation` `` custom<Parenthesized>($activation) attr-dict
    `:` type($input) `,` type($weight) `,` type($bias) `->` type($output)
  }];
  let hasVerifier = 1;
}

#endif // UN0_IR_UN0OPS_TD
