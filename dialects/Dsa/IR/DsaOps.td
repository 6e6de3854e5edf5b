//===- DsaOps.td - the dsa dialect -------------------------*- tablegen -*-===//
//
// The instruction set of runtime/dsa/Program.h (docs/dsa/isa.md) as IR: structured where the program has jumps, symbols
// where it has indices, parameters by name where it has numbers.
//
//===----------------------------------------------------------------------===//

#ifndef DSA_IR_DSAOPS_TD
#define DSA_IR_DSAOPS_TD

include "dialects/Dsa/IR/DsaEnums.td"
include "dialects/Un0/IR/Un0Dialect.td"
include "mlir/IR/BuiltinAttributes.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/OpBase.td"
include "mlir/IR/RegionKindInterface.td"
include "mlir/IR/SymbolInterfaces.td"

def Dsa_Dialect : Dialect {
  let name = "dsa";
  let cppNamespace = "::un0::dsa";
  let summary = "Programs for dynamical-system accelerators";
  let description = [{
    Tiles of coupled oscillators, what is loaded into them and when they run: the instruction set of `docs/dsa/isa.md`,
    before it is encoded. Everything here is physical: seconds of the hardware and radians per second. Constants are blocks
    of an `un0.param` and a scale; their bytes are read when the program is emitted. What a phase of the compilation
    guarantees of a program is said in `docs/dsa/lowering.md`.
  }];
  let useDefaultAttributePrinterParser = 1;
  let dependentDialects = ["::un0::Un0Dialect"];
}

def Dsa_ContentAttr : EnumAttr<Dsa_Dialect, Dsa_Content, "content">;
def Dsa_OperatorAttr : EnumAttr<Dsa_Dialect, Dsa_Operator, "operator">;

/// Signed in C++, so that a negative one can be named in a message.
def Dsa_Int : TypedSignlessIntegerAttrBase<I64, "int64_t", "64-bit integer">;

class Dsa_Op<string mnemonic, list<Trait> traits = []> : Op<Dsa_Dialect, mnemonic, traits>;

/// An instruction: refers to tiles, buffers and constants of its program.
class Dsa_Instruction<string mnemonic, list<Trait> traits = []>
    : Dsa_Op<mnemonic, !listconcat(traits, [DeclareOpInterfaceMethods<SymbolUserOpInterface>,
                                            ParentOneOf<["ProgramOp", "RepeatOp", "EachOp"]>])>;

//===----------------------------------------------------------------------===//
// Program and what it declares
//===----------------------------------------------------------------------===//

def Dsa_ProgramOp : Dsa_Op<"program", [Symbol, SymbolTable, SingleBlock, NoTerminator, NoRegionArguments,
                                       IsolatedFromAbove, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "what an accelerator does for one batch of samples";
  let description = [{
    Declarations (`dsa.tile`, `dsa.buffer`, `dsa.data`) first, then instructions in the order in which they act. `hardware`
    is the description it was made for, as canonical JSON, and `on` its name. `result` is the buffer that holds the final
    phases of the main oscillators at the end. `solver` and `time` (model seconds) are those of the model: they say what
    the runs stand for.

    ```mlir
    dsa.program @dynamics on "ideal" oscillators 16 conditioning 0 classes 0 solver euler time 1.0 result @theta
        attributes {hardware = "{}"} {
      dsa.tile @main at 0 size 16
      dsa.buffer @theta size 16
      dsa.data @w frequencies of @omega at [0, 0] size [16, 1] scale 1.0 unit 0.0 limit 0
      dsa.detune @main[0] with @w
      dsa.each {
        dsa.draw @theta from 0
        dsa.phase @main[0] from @theta[0] count 16
        dsa.run @main for 1.0 steps 10
        dsa.sample @main[0] to @theta[0] count 16 {unwrap}
      }
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, StrAttr:$hardware_name, StrAttr:$hardware, Dsa_Int:$oscillators,
                       Dsa_Int:$conditioning, Dsa_Int:$classes, Un0_SolverAttr:$solver, F64Attr:$time,
                       FlatSymbolRefAttr:$result);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    $sym_name `on` $hardware_name `oscillators` $oscillators `conditioning` $conditioning `classes` $classes
    `solver` custom<Keyword>($solver) `time` $time `result` $result attr-dict-with-keyword $body
  }];
  let hasVerifier = 1;
  // Places of tiles, once the tiles themselves are verified.
  let hasRegionVerifier = 1;
}

def Dsa_TileOp : Dsa_Op<"tile", [Symbol, HasParent<"ProgramOp">]> {
  let summary = "a tile of the hardware that the program uses";
  let description = [{
    `index` is the tile's place in the hardware, `size` how many of its oscillators are used, from 0.

    ```mlir
    dsa.tile @main at 0 size 64
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, Dsa_Int:$index, Dsa_Int:$size);
  let assemblyFormat = "$sym_name `at` $index `size` $size attr-dict";
  let hasVerifier = 1;
}

def Dsa_BufferOp : Dsa_Op<"buffer", [Symbol, HasParent<"ProgramOp">]> {
  let summary = "digital memory of one sample, in phases";
  let description = [{
    ```mlir
    dsa.buffer @theta size 1024
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, Dsa_Int:$size);
  let assemblyFormat = "$sym_name `size` $size attr-dict";
  let hasVerifier = 1;
}

def Dsa_DataOp : Dsa_Op<"data", [Symbol, HasParent<"ProgramOp">, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "constants: a block of a parameter, in physical units";
  let description = [{
    `size` is rows x columns (targets x sources; columns 1 for frequencies), `at` the block's first row and column in the
    parameter, which is N x S, 1 x N for frequencies, or classes x N x S with `classes`. `scale` is what an element is
    multiplied with: radians per second of the hardware for one of the model. With `copies` the block's columns are
    there so often side by side, since the source tile holds as many copies of its oscillators: the sum of an element's
    levels is the nearest whole number to the sum of its values, shared out evenly. A level stands for `unit` radians per second,
    and there are levels -`limit` .. `limit`; values beyond are clipped. With `unit 0.0` there are no levels. Without `of`
    all values are zero.

    ```mlir
    dsa.data @K.0.1 couplings of @K at [0, 32] size [32, 32] scale 2.0e+03 unit 1.0e+02 limit 15
    dsa.data @D.0 couplings of @K_drive at [0, 0] size [32, 8] classes 10 scale 2.0e+03 unit 1.0e+02 limit 15
    dsa.data @still frequencies size [64, 1] scale 1.0 unit 0.0 limit 0
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, Dsa_ContentAttr:$content, OptionalAttr<FlatSymbolRefAttr>:$param,
                       OptionalAttr<DenseI64ArrayAttr>:$offsets, DenseI64ArrayAttr:$sizes,
                       OptionalAttr<Dsa_Int>:$classes, OptionalAttr<Dsa_Int>:$copies, F64Attr:$scale, F64Attr:$unit, Dsa_Int:$limit);
  let assemblyFormat = [{
    $sym_name custom<Keyword>($content) (`of` $param^ `at` $offsets)? `size` $sizes (`classes` $classes^)? (`copies` $copies^)?
    `scale` $scale `unit` $unit `limit` $limit attr-dict
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    int64_t getRows() { return getSizes()[0]; }
    /// With copies; the verifier has checked that the product fits.
    int64_t getColumns() { return getSizes()[1] * getCopies().value_or(1); }
    /// Whether each class has values of its own, so that only one sample can use them at a time.
    bool isPerClass() { return getClasses().value_or(0) > 0; }
  }];
}

//===----------------------------------------------------------------------===//
// Control
//===----------------------------------------------------------------------===//

def Dsa_RepeatOp : Dsa_Op<"repeat", [SingleBlock, NoTerminator, NoRegionArguments,
                                     ParentOneOf<["ProgramOp", "RepeatOp", "EachOp"]>]> {
  let summary = "does its body a number of times";
  let description = [{
    ```mlir
    dsa.repeat 5 {
      dsa.clear @main
    }
    ```
  }];
  let arguments = (ins Dsa_Int:$count);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$count attr-dict-with-keyword $body";
  let hasVerifier = 1;
}

def Dsa_EachOp : Dsa_Op<"each", [SingleBlock, NoTerminator, NoRegionArguments,
                                 ParentOneOf<["ProgramOp", "RepeatOp"]>]> {
  let summary = "does its body for every sample of the batch";
  let description = [{
    One sample after the other, each with its own phases, buffers and class. What is loaded outside serves all of them.

    ```mlir
    dsa.each {
      dsa.draw @theta from 0
    }
    ```
  }];
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "attr-dict-with-keyword $body";
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Loads
//===----------------------------------------------------------------------===//

def Dsa_ClearOp : Dsa_Instruction<"clear"> {
  let summary = "couplings of the bank that is loaded become zero";
  let description = [{
    ```mlir
    dsa.clear @main
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$tile);
  let assemblyFormat = "$tile attr-dict";
}

def Dsa_CoupleOp : Dsa_Instruction<"couple"> {
  let summary = "loads a block of couplings";
  let description = [{
    Into the bank that is loaded; `at` is the block's first target and first source in the tile. Data with classes can be
    loaded only inside `dsa.each`.

    ```mlir
    dsa.couple @main at [0, 32] with @K.0.1
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$tile, DenseI64ArrayAttr:$at, FlatSymbolRefAttr:$data);
  let assemblyFormat = "$tile `at` $at `with` $data attr-dict";
  let hasVerifier = 1;
}

def Dsa_SwapOp : Dsa_Instruction<"swap"> {
  let summary = "the loaded bank acts from now on, the other is loaded";
  let description = [{
    Only on hardware with two banks of couplings.

    ```mlir
    dsa.swap @main
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$tile);
  let assemblyFormat = "$tile attr-dict";
}

def Dsa_DetuneOp : Dsa_Instruction<"detune"> {
  let summary = "sets natural frequencies";
  let description = [{
    Of as many oscillators as the data has rows, from `first` on.

    ```mlir
    dsa.detune @main[32] with @w.1
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$tile, Dsa_Int:$first, FlatSymbolRefAttr:$data);
  let assemblyFormat = "$tile `[` $first `]` `with` $data attr-dict";
}

def Dsa_LinkOp : Dsa_Instruction<"link"> {
  let summary = "another tile drives this one";
  let description = [{
    One way: rows of the data are oscillators of the tile from `first` on, columns those of the source. Further blocks of
    rows add to the link; there is one source at a time. Data with classes can be linked only inside `dsa.each`.

    ```mlir
    dsa.link @main[0] from @cond with @D.0
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$tile, Dsa_Int:$first, FlatSymbolRefAttr:$source, FlatSymbolRefAttr:$data);
  let assemblyFormat = "$tile `[` $first `]` `from` $source `with` $data attr-dict";
}

def Dsa_UnlinkOp : Dsa_Instruction<"unlink"> {
  let summary = "no tile drives this one any more";
  let description = [{
    ```mlir
    dsa.unlink @main
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$tile);
  let assemblyFormat = "$tile attr-dict";
}

//===----------------------------------------------------------------------===//
// What happens to a sample
//===----------------------------------------------------------------------===//

def Dsa_DrawOp : Dsa_Instruction<"draw"> {
  let summary = "fills a buffer with initial phases of the sample";
  let description = [{
    The sample has one initial phase per oscillator of the model, main oscillators first; the buffer gets those from `first`
    on, random or as the caller gave them.

    ```mlir
    dsa.draw @phi from 1024
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$buffer, Dsa_Int:$first);
  let assemblyFormat = "$buffer `from` $first attr-dict";
}

def Dsa_PhaseOp : Dsa_Instruction<"phase"> {
  let summary = "sets phases of a tile, through its converters";
  let description = [{
    ```mlir
    dsa.phase @main[32] from @theta[96] count 32
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$tile, Dsa_Int:$first, FlatSymbolRefAttr:$buffer, Dsa_Int:$offset,
                       Dsa_Int:$count);
  let assemblyFormat = "$tile `[` $first `]` `from` $buffer `[` $offset `]` `count` $count attr-dict";
}

def Dsa_RunOp : Dsa_Instruction<"run"> {
  let summary = "a tile evolves, and with it the tile that drives it";
  let description = [{
    For `seconds` of the hardware. `steps` is how many steps of the model's own solver the run stands for; an integrator
    that imitates the model takes so many.

    ```mlir
    dsa.run @main for 2.5e-06 steps 1
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$tile, F64Attr:$seconds, Dsa_Int:$steps);
  let assemblyFormat = "$tile `for` $seconds `steps` $steps attr-dict";
  let hasVerifier = 1;
}

def Dsa_HoldOp : Dsa_Instruction<"hold"> {
  let summary = "phases of a tile stand still";
  let description = [{
    ```mlir
    dsa.hold @main for 1.0e-08
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$tile, F64Attr:$seconds);
  let assemblyFormat = "$tile `for` $seconds attr-dict";
  let hasVerifier = 1;
}

def Dsa_SampleOp : Dsa_Instruction<"sample"> {
  let summary = "reads phases of a tile, through its converters";
  let description = [{
    Relative to the clock, or to oscillator `relative` of the tile. With `unwrap` the value written is the one congruent,
    modulo 2 pi, to what was read that is nearest to the buffer's value: exact while no phase moved by pi since. Without it
    the value is in [-pi, pi).

    ```mlir
    dsa.sample @main[32] to @theta[96] count 32 {unwrap}
    dsa.sample @main[0] to @theta[0] count 64 relative 0
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$tile, Dsa_Int:$first, FlatSymbolRefAttr:$buffer, Dsa_Int:$offset,
                       Dsa_Int:$count, OptionalAttr<Dsa_Int>:$relative, UnitAttr:$unwrap);
  let assemblyFormat = [{
    $tile `[` $first `]` `to` $buffer `[` $offset `]` `count` $count (`relative` $relative^)? attr-dict
  }];
}

// Not DigitalOp: the runtime has one.
def Dsa_ComputeOp : Dsa_Op<"digital", [ParentOneOf<["ProgramOp", "RepeatOp"]>]> {
  let summary = "an operator of the digital engine, for every sample";
  let description = [{
    What it costs for one sample, from the cost interface of the operation that it was; its values are those of the code
    that the module carries. `parameter_bytes` are read `parameter_reads` times per batch.

    ```mlir
    dsa.digital "readout" readout bits 32 multiply_adds 0 special_functions 2048 parameters 0 x 1 reads 4096 writes 8192
    ```
  }];
  let arguments = (ins StrAttr:$name, Dsa_OperatorAttr:$kind, Dsa_Int:$bits, Dsa_Int:$multiply_adds,
                       Dsa_Int:$special_functions, Dsa_Int:$parameter_bytes, Dsa_Int:$parameter_reads,
                       Dsa_Int:$bytes_read, Dsa_Int:$bytes_written);
  let assemblyFormat = [{
    $name custom<Keyword>($kind) `bits` $bits `multiply_adds` $multiply_adds `special_functions` $special_functions
    `parameters` $parameter_bytes `x` $parameter_reads `reads` $bytes_read `writes` $bytes_written attr-dict
  }];
  let hasVerifier = 1;
}

#endif // DSA_IR_DSAOPS_TD
