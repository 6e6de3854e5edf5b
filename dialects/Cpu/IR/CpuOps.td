//===- CpuOps.td - the cpu dialect -------------------------*- tablegen -*-===//
//
// Kernels over packed memory, and the few vector functions that upstream lowers badly.
//
// Layouts, by rank (Np is N rounded up to 16, B the batch in lanes):
//   phases   Np x B       a batch tile       | Np        one sample
//   waves    Np x 2 x B   sine, then cosine  | 2 x Np
//   rows16   ceil(N/16) x S x 16             coupling, 16 rows side by side, one line per source
//   words16  ceil(N/16) x L x 16 x i32       quantized coupling (L: getPanelLines): W = ceil(S / per word) lines of words, a line of row
//            scales (f32 bits), a line of sums to start from (-64 x row sum for bytes); int8: a line of zero points, too,
//            and flags (QuadFlag); int4: a 16-entry table; with groups: another table, and the lines that say which (getPanelLines)
//   words    Np/p x 2 x B x i32              | 2 x Np/p    packed waves, p to a word
//   drive    Np x M x B                      | M x Np
//   class_words  (classes + 1) x M x (1 + L) x 16 x i32   a table of 10 bits: a line of scales (f32 bits, all the same), then
//            5 lines for every 256 oscillators, the last of them fewer: see getTableLines
//   image    ceil(C/16) x (H+2) x (W+2) x 16 channels in lanes, a ring of zeros around
//   images   B x image                       a batch of them, of which `count` are there
//   bytes    ceil(C/64) x (H+2) x (W+2) x 16 x i32, four channels to a word, a ring of the zero point around
//
//===----------------------------------------------------------------------===//

#ifndef CPU_IR_CPUOPS_TD
#define CPU_IR_CPUOPS_TD

include "dialects/Cpu/IR/CpuEnums.td"
include "dialects/Un0/IR/Un0Dialect.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/BuiltinAttributes.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/OpBase.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Dialect/LLVMIR/LLVMOpBase.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Cpu_Dialect : Dialect {
  let name = "cpu";
  let cppNamespace = "::un0::cpu";
  let summary = "Packed kernels and vector functions for today's processors";
  let description = [{
    What the fused model becomes before loops are written out: kernels that read and write planned memory in the layouts
    the processor wants. A kernel says *what* is computed and in which order sums are taken (source by source, one
    accumulator per result), so that one sample and a batch tile give the same bytes; `lib/Codegen` says how, from the
    number of lanes and registers of the target.
  }];
  let useDefaultAttributePrinterParser = 1;
  let hasOperationAttrVerify = 1;
  let dependentDialects = ["::mlir::memref::MemRefDialect", "::mlir::vector::VectorDialect", "::mlir::LLVM::LLVMDialect",
                           "::un0::Un0Dialect"];
}

def Cpu_PackingAttr : EnumAttr<Cpu_Dialect, Cpu_Packing, "packing">;

def Cpu_ConvFormAttr : EnumAttr<Cpu_Dialect, Cpu_ConvForm, "conv_form">;

def Cpu_ConvSplitAttr : EnumAttr<Cpu_Dialect, Cpu_ConvSplit, "conv_split">;

def Cpu_DotKindAttr : EnumAttr<Cpu_Dialect, Cpu_DotKind, "dot_kind">;

def Cpu_ConvScheduleAttr : AttrDef<Cpu_Dialect, "ConvSchedule"> {
  let mnemonic = "conv_schedule";
  let summary = "how a convolution of the decoder is computed";
  let description = [{
    As `cpu.schedule` on `un0.conv2d`: what `un0-to-cpu` is to do, instead of what the cost model would. In f32 `form` decides
    the bytes of a picture; in int8, and the rest, does not. `batched`: all images of a request pass this convolution before the next one
    begins. Forms with planes take `rows` rows of points of `images` images together. `tuned` is for the record: not the
    cost model's choice. `un0-schedule-cpu` fills it in; docs/cpu-schedules.md.

    ```mlir
    %y = un0.conv2d %x, %w, %b activation(leaky_relu) {cpu.schedule = #cpu.conv_schedule<form = f4, batched = true, images = 8, rows = 2>, ...}
    ```
  }];
  let parameters = (ins EnumParameter<Cpu_ConvForm>:$form,
                        DefaultValuedParameter<"bool", "false">:$batched,
                        DefaultValuedParameter<"int64_t", "1">:$images,
                        DefaultValuedParameter<"int64_t", "1">:$rows,
                        DefaultValuedParameter<"bool", "false">:$tuned);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

class Cpu_Op<string mnemonic, list<Trait> traits = []> : Op<Cpu_Dialect, mnemonic, traits>;
class Cpu_MemoryOf<list<Type> elements>
    : ConfinedType<StaticShapeMemRefOf<elements>, [HasStridesPred], "strided, " # StaticShapeMemRefOf<elements>.summary,
                   "::mlir::MemRefType">;
def Cpu_Memory : Cpu_MemoryOf<[F32]>;
def Cpu_Read : Arg<Cpu_Memory, "", [MemRead]>;
def Cpu_ReadAll : Arg<Variadic<Cpu_Memory>, "", [MemRead]>;
def Cpu_Write : Arg<Cpu_Memory, "", [MemWrite]>;
def Cpu_Words : Cpu_MemoryOf<[I32]>;
def Cpu_Numbers : Cpu_MemoryOf<[F32, I32]>;
// With a rank that no verifier has to look at.
class Cpu_OfRank<Type memory, int rank>
    : ConfinedType<memory, [HasAnyRankOfPred<[rank]>], rank # "D " # memory.summary, memory.cppType>;
def Cpu_ReadRow : Arg<Cpu_OfRank<Cpu_Memory, 1>, "", [MemRead]>;
def Cpu_ReadWordRow : Arg<Cpu_OfRank<Cpu_Words, 1>, "", [MemRead]>;
// An image: f32, or bytes four to a word.
def Cpu_WriteImage : Arg<Cpu_Numbers, "", [MemWrite]>;
def Cpu_ReadTerms : Arg<Variadic<Cpu_Numbers>, "", [MemRead]>;

def Cpu_PackedParamOp : Cpu_Op<"packed_param", [Symbol]> {
  let summary = "where a parameter lies in the weight section, and how";
  let description = [{
    `vector`: elements, padded with zeros to 16. `rows16`: see the layouts above; `words16` when `precision` is not f32,
    with groups of `columns`. `class_rows`: (classes + 1) x M x Np of a classes x N x M table, the last slice zero (no
    class); `class_words`: the same in 10 bits. `conv3x3`, `conv_upsample`: groups of `group` vectors of `lanes` output
    channels, then phase, input block (four channels at a time, so that the last may be short), tap, input lane;
    `conv_planar`: tap, register of `lanes` input channels, output, lane. In int8, input
    channels are words of four, and one (`conv_upsample`: two) of them takes the place of a block; each group's
    phase begins with a line of sums to start from (`zero_point` times the weights, taken away) and one of scales; so does
    `conv_planar`, a word per output, rounded up to 16, and its registers are of words: of 8 instead of 16 where no more than 8 have channels. `conv_planes`: weights transformed for `form`, in groups as above,
    then plane, input channel (rounded up to 4), output channel; in int8 the rounded weights, transformed, two input channels
    of 16 bits to a word (rounded up to 4 words), behind a line of sums, times what the planes give of them
    (getPlaneFactor), and one of scales for each phase. Offsets and sizes are bytes. Beside int8 images, weights
    of input channel c are multiplied by 2^input_exponents[c], and what an output channel o is scaled by (in f32: its
    weights) and its bias divided by 2^output_exponents[o]: a convolution that reads equalized channels, and the one that
    makes them.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, FlatSymbolRefAttr:$param, Cpu_PackingAttr:$packing,
                       I64Attr:$offset, I64Attr:$bytes, DefaultValuedAttr<I64Attr, "16">:$lanes,
                       DefaultValuedAttr<I64Attr, "2">:$group,
                       DefaultValuedAttr<Un0_PrecisionAttr, "::un0::Precision::F32">:$precision,
                       DefaultValuedAttr<I64Attr, "0">:$zero_point, DefaultValuedAttr<I64Attr, "0">:$columns,
                       DefaultValuedAttr<Cpu_ConvFormAttr, "::un0::cpu::ConvForm::Direct">:$form,
                       OptionalAttr<DenseI64ArrayAttr>:$input_exponents,
                       OptionalAttr<DenseI64ArrayAttr>:$output_exponents);
  let assemblyFormat = "$sym_name `of` $param `` $packing `at` $offset `size` $bytes attr-dict";
  let hasVerifier = 1;
}

def Cpu_LoadPhasesOp : Cpu_Op<"load_phases"> {
  let summary = "row-major phases to the lane layout, padding with zeros";
  let arguments = (ins Cpu_Read:$source, Cpu_Write:$dest);
  let assemblyFormat = "$source `to` $dest attr-dict `:` type($source) `,` type($dest)";
  let hasVerifier = 1;
}

def Cpu_StorePhasesOp : Cpu_Op<"store_phases"> {
  let summary = "the lane layout back to row-major phases";
  let arguments = (ins Cpu_Read:$source, Cpu_Write:$dest);
  let assemblyFormat = "$source `to` $dest attr-dict `:` type($source) `,` type($dest)";
  let hasVerifier = 1;
}

def Cpu_WavesOp : Cpu_Op<"waves", [AttrSizedOperandSegments]> {
  let summary = "sine and cosine of every phase";
  let description = [{
    With `packed` also as words for quantized couplings, from the same registers: bytes `round(64 x) + 64`, 16-bit numbers
    `round(2047 x)`, or bf16. `packed` in memory of f32 are the waves rounded to bf16, for a target that has no instructions
    on words of it. With `rows`, only oscillators [first, last), multiples of 16, of one sample.
  }];
  let arguments = (ins Cpu_Read:$phases, Cpu_Write:$waves, Arg<Optional<Cpu_Numbers>, "", [MemWrite]>:$packed,
                       Optional<Index>:$first, Optional<Index>:$last, OptionalAttr<Un0_PrecisionAttr>:$precision);
  let assemblyFormat = [{
    $phases `to` $waves (`packed` `` $precision^ $packed)? (`rows` $first^ `to` $last)? attr-dict
    `:` type($phases) `,` type($waves) (`,` type($packed)^)?
  }];
  let hasVerifier = 1;
}

def Cpu_GatherClassOp : Cpu_Op<"gather_class"> {
  let summary = "each sample's drive, once before the step loop";
  let description = [{
    A label outside [0, classes) takes the last, zero slice: no class. A table of words, `class_words`, is expanded to f32:
    number x scale.
  }];
  let arguments = (ins Arg<Cpu_Numbers, "", [MemRead]>:$table,
                       Arg<MemRefRankOf<[I64], [1]>, "", [MemRead]>:$labels, Cpu_Write:$dest);
  let assemblyFormat = "$table `[` $labels `]` `to` $dest attr-dict `:` type($table) `,` type($labels) `,` type($dest)";
  let hasVerifier = 1;
}

def Cpu_RateOp : Cpu_Op<"rate", [AttrSizedOperandSegments]> {
  let summary = "all couplings of one population in one pass, with the update as its epilogue";
  let description = [{
    `rate[i] = frequency[i] + cos_i (K S)_i - sin_i (K C)_i`, the couplings' sums taken in the order given, source by source.
    With `step`, `out[i] = base[i] + step * rate[i]` (Euler, in place if base is out); without, `out = rate`.
    A coupling is `rows16` (shared by all samples), a gathered drive, or `words16` with packed waves as its source (bf16: or
    with f32 waves);
    `precisions` says which, all f32 without it. `drains[k]`: an int16 sum is emptied into f32 after that many words.
    `groups` are those of `un0.fused_rate`.
    `scratch` is what a batch tile needs on the side: the sums of a first coupling that is taken in blocks of sources
    (`isBlocked` in Cpu.h), the f32 sums of int16, the bytes of a panel of each int4 coupling, what a matrix unit works with
    (`getTileScratch`).
    With `rows`, only the groups [first, last) of one sample's oscillators: `getRowGroups` in Cpu.h. Where `turn` is odd, one
    sample's groups are taken from the last to the first: what is left of a coupling in the caches, its end, is read again first.
  }];
  let arguments = (ins Cpu_ReadRow:$frequency, Cpu_Read:$target, Cpu_ReadTerms:$couplings, Cpu_ReadTerms:$sources,
                       Cpu_Read:$base, Cpu_Write:$out, Arg<Optional<Cpu_Words>, "", [MemRead, MemWrite]>:$scratch,
                       Optional<Index>:$first, Optional<Index>:$last, Optional<Index>:$turn, OptionalAttr<F32Attr>:$step,
                       OptionalAttr<TypedArrayAttrBase<Un0_PrecisionAttr, "precisions">>:$precisions,
                       OptionalAttr<DenseI64ArrayAttr>:$drains, OptionalAttr<DenseI64ArrayAttr>:$groups);
  let assemblyFormat = [{
    `frequency` $frequency `target` $target (`couple` `(` $couplings^ `)` `with` `(` $sources `)`)? `base` $base
    `to` $out (`step` $step^)? (`scratch` $scratch^)? (`rows` $first^ `to` $last)? (`turn` $turn^)?
    attr-dict `:` type($frequency) `,` type($target) `,` type($base) `,` type($out)
    (`,` `(` type($couplings)^ `)` `,` `(` type($sources) `)`)? (`scratch` type($scratch)^)?
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    ::un0::Precision getPrecision(unsigned term);
    ::llvm::SmallVector<::un0::Precision> getTermPrecisions();
    /// Lines of a panel of a coupling that are numbers: of words, or of floats.
    int64_t getLines(unsigned term);
    ::llvm::SmallVector<int64_t> getTermLines();
    int64_t getGroup(unsigned term) { return getGroups() ? (*getGroups())[term] : 0; }
  }];
}

def Cpu_BarrierOp : Cpu_Op<"barrier", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "waits until every thread of the team is here";
  let description = [{ Calls the function that the runtime passes to a team's entry, with its data. }];
  let arguments = (ins LLVM_AnyPointer:$function, LLVM_AnyPointer:$data);
  let assemblyFormat = "$function `(` $data `)` attr-dict `:` type($function) `,` type($data)";
}

def Cpu_LookupOp : Cpu_Op<"lookup", [Pure, SameOperandsAndResultType]> {
  let summary = "bytes of a table of 16 or 32 entries";
  let description = [{
    Byte by byte `result = table[indices]`, indices below 16; with `more`, below 32, the second 16 entries in `more`. Each table
    is repeated in every four words. `pshufb`, where the processor has it; `vpermb` for 32 entries.
  }];
  let arguments = (ins VectorOfRankAndType<[1], [I32]>:$table, Optional<VectorOfRankAndType<[1], [I32]>>:$more,
                       VectorOfRankAndType<[1], [I32]>:$indices);
  let results = (outs VectorOfRankAndType<[1], [I32]>:$result);
  let assemblyFormat = "$table (`,` $more^)? `[` $indices `]` attr-dict `:` type($result)";
}

def Cpu_DriftOp : Cpu_Op<"drift"> {
  let summary = "phases of a free population at time t";
  let arguments = (ins Cpu_Read:$initial, Cpu_ReadRow:$frequency, F32:$t, Cpu_Write:$out);
  let assemblyFormat = [{
    $initial `plus` $frequency `times` $t `to` $out attr-dict `:` type($initial) `,` type($frequency) `,` type($out)
  }];
  let hasVerifier = 1;
}

def Cpu_CombineOp : Cpu_Op<"combine", [SameTypeOperands]> {
  let summary = "base + sum of coefficients x rates: a stage of a Runge-Kutta method";
  let arguments = (ins Cpu_Read:$base, Cpu_ReadAll:$rates, Cpu_Write:$out, DenseF32ArrayAttr:$coefficients);
  let assemblyFormat = "$base `plus` $coefficients `times` `(` $rates `)` `to` $out attr-dict `:` type($base)";
  let hasVerifier = 1;
}

def Cpu_ReadoutOp : Cpu_Op<"readout"> {
  let summary = "one sample's phases to features";
  let description = [{ `scratch` holds 3 x Np values; the last lanes of the phases beyond N are not read out. }];
  let arguments = (ins Cpu_ReadRow:$phases, Arg<Cpu_Memory, "", [MemRead, MemWrite]>:$scratch,
                       Arg<Cpu_OfRank<Cpu_Memory, 1>, "", [MemWrite]>:$features, I64Attr:$oscillators,
                       Un0_ReferenceAttr:$reference, Un0_EncodingAttr:$encoding);
  let assemblyFormat = [{
    $phases `using` $scratch `to` $features `oscillators` $oscillators `reference` `` $reference
    `encoding` `` $encoding attr-dict `:` type($phases) `,` type($scratch) `,` type($features)
  }];
  let hasVerifier = 1;
}

def Cpu_ZeroOp : Cpu_Op<"zero"> {
  let summary = "zeros in a whole image, or in its ring only";
  let arguments = (ins Arg<Cpu_OfRank<Cpu_Memory, 4>, "", [MemWrite]>:$image, UnitAttr:$ring);
  let assemblyFormat = "(`ring` $ring^)? $image attr-dict `:` type($image)";
  let hasVerifier = 1;
}

def Cpu_ScatterFeaturesOp : Cpu_Op<"scatter_features"> {
  let summary = "C x H x W features into an image";
  let arguments = (ins Cpu_ReadRow:$features, Arg<Cpu_OfRank<Cpu_Memory, 4>, "", [MemWrite]>:$image, I64Attr:$channels);
  let assemblyFormat = "$features `to` $image `channels` $channels attr-dict `:` type($features) `,` type($image)";
  let hasVerifier = 1;
}

def Cpu_Conv2DOp : Cpu_Op<"conv2d", [AttrSizedOperandSegments]> {
  let summary = "3x3 convolution between images, bias and activation in registers";
  let description = [{
    With `upsample` the weights are those of four 2x2 convolutions on the small input, one per output phase. `lanes` and
    `group` are those of the packed weights. `channels` of the input are real and read, four at a time; of the
    output's last line only the registers that the weights have are written. With `count`, of batches of images, the first
    so many. An output of bytes, for a convolution that reads such, gets `round(y / scale) + zero_point` of each result y,
    within 0 to 255; one of f32 has neither `scale` nor `zero_point`.

    With `thread` of `threads`, one thread's share of one image, as even as register tiles allow: of groups of output
    channels one after the other, the first and the last perhaps only some of their rows, so that a thread reads hardly any
    weights but its own (`groups`); or of rows, so that it reads hardly any of the input but its own (`rows`). All shares
    together are the convolution, and no result depends on how many there are.
  }];
  let arguments = (ins Cpu_Read:$input, Cpu_ReadRow:$weights, Cpu_ReadRow:$bias, Cpu_WriteImage:$output,
                       Optional<Index>:$count, Optional<Index>:$thread, Optional<Index>:$threads,
                       OptionalAttr<F32Attr>:$scale, OptionalAttr<I64Attr>:$zero_point,
                       I64Attr:$channels, UnitAttr:$upsample, OptionalAttr<F32Attr>:$slope, I64Attr:$lanes, I64Attr:$group,
                       OptionalAttr<Cpu_ConvSplitAttr>:$split);
  let assemblyFormat = [{
    $input `,` $weights `,` $bias `to` $output (`images` $count^)? (`thread` $thread^ `of` $threads `over` `` $split)? `channels` $channels `lanes` $lanes `group` $group
    (`upsample` $upsample^)? (`leaky` $slope^)?
    attr-dict `:` type($input) `,` type($weights) `,` type($bias) `,` type($output)
  }];
  let hasVerifier = 1;
}

def Cpu_Conv2DPlanesOp : Cpu_Op<"conv2d_planes", [AttrSizedOperandSegments]> {
  let summary = "3x3 convolution in fewer products, between images";
  let description = [{
    Input and weights are transformed so that a product per *plane* and *point* is left, and sums of planes give the
    outputs: 9 planes for the 2x2 outputs of an upsampled pixel (`f_up`), 25 for the 4x4 of 2x2 upsampled pixels
    (`f4_up`), 16 for 2x2 outputs (`f2`), 36 for 4x4 (`f4`).
    An input of bytes, which has an `input_scale`, is multiplied in words of two 16-bit numbers, with exact sums: the
    results are those of `cpu.conv2d_bytes`. Its `f_up2` has 36 planes for the 4x4 outputs of 2x2 upsampled pixels.
    `transformed` holds values x points x input channels (words), `products` planes x points x output channels of a
    group. The 25 planes of `f4_up` multiply 16 values and the 36 of `f_up2` 25; in other forms each plane has a value of
    its own. The points are those of `rows` rows of `images` images at a time. The order of sums does not depend on either.
    Of threads that share an image, each has a `transformed` and `products` of its own; those that share groups all
    transform the whole input. Otherwise as `cpu.conv2d`. Formulas: docs/cpu-schedules.md.
  }];
  let arguments = (ins Arg<Cpu_Numbers, "", [MemRead]>:$input, Arg<Cpu_OfRank<Cpu_Numbers, 1>, "", [MemRead]>:$weights, Cpu_ReadRow:$bias,
                       Cpu_WriteImage:$output, Arg<Cpu_Numbers, "", [MemRead, MemWrite]>:$transformed,
                       Arg<Cpu_Numbers, "", [MemRead, MemWrite]>:$products, Optional<Index>:$count,
                       Optional<Index>:$thread, Optional<Index>:$threads, OptionalAttr<F32Attr>:$input_scale,
                       OptionalAttr<F32Attr>:$scale, OptionalAttr<I64Attr>:$zero_point, Cpu_ConvFormAttr:$form, I64Attr:$channels, I64Attr:$images, I64Attr:$rows,
                       OptionalAttr<F32Attr>:$slope, I64Attr:$lanes, I64Attr:$group, OptionalAttr<Cpu_ConvSplitAttr>:$split);
  let assemblyFormat = [{
    $input `,` $weights `,` $bias `to` $output `as` `` $form `using` $transformed `,` $products (`images` $count^)?
    (`thread` $thread^ `of` $threads `over` `` $split)?
    `channels` $channels `together` $images `x` $rows `lanes` $lanes `group` $group (`leaky` $slope^)? attr-dict
    `:` type($input) `,` type($weights) `,` type($bias) `,` type($output) `,` type($transformed) `,` type($products)
  }];
  let hasVerifier = 1;
}

def Cpu_Conv2DPlanarOp : Cpu_Op<"conv2d_planar", [AttrSizedOperandSegments]> {
  let summary = "3x3 convolution of an image to a few planes, with tanh";
  let description = [{ With `thread` of `threads`, one thread's share of the rows. }];
  let arguments = (ins Cpu_Read:$input, Cpu_ReadRow:$weights, Cpu_ReadRow:$bias, Cpu_Write:$planes, Optional<Index>:$thread,
                       Optional<Index>:$threads, UnitAttr:$tanh);
  let assemblyFormat = [{
    $input `,` $weights `,` $bias `to` $planes (`thread` $thread^ `of` $threads)? (`tanh` $tanh^)? attr-dict
    `:` type($input) `,` type($weights) `,` type($bias) `,` type($planes)
  }];
  let hasVerifier = 1;
}

def Cpu_FillRingOp : Cpu_Op<"fill_ring"> {
  let summary = "a zero point in the ring of an image of bytes";
  let arguments = (ins Arg<Cpu_OfRank<Cpu_Words, 4>, "", [MemWrite]>:$image, I64Attr:$zero_point);
  let assemblyFormat = "$image `with` $zero_point attr-dict `:` type($image)";
  let hasVerifier = 1;
}

def Cpu_ScatterBytesOp : Cpu_Op<"scatter_bytes"> {
  let summary = "C x H x W features into an image of bytes";
  let description = [{ `round(feature / scale) + zero_point`, within 0 to 255; channels past the last are left as they are. }];
  let arguments = (ins Cpu_ReadRow:$features, Arg<Cpu_OfRank<Cpu_Words, 4>, "", [MemWrite]>:$image, I64Attr:$channels,
                       F32Attr:$scale, I64Attr:$zero_point);
  let assemblyFormat = [{
    $features `to` $image `channels` $channels `scale` $scale `zero_point` $zero_point attr-dict
    `:` type($features) `,` type($image)
  }];
  let hasVerifier = 1;
}

def Cpu_Conv2DBytesOp : Cpu_Op<"conv2d_bytes", [AttrSizedOperandSegments]> {
  let summary = "3x3 convolution of an image of bytes to an image";
  let description = [{
    Exact sums of unsigned inputs and signed weights, then `round(max(y, slope y) / scale) + zero_point` for the next one,
    y = input_scale * (scale of the channel) * sum + bias; `max(y, slope y)` itself, without `scale` and `zero_point`, where
    the next one reads f32. `channels` of the input are real. With `scratch`, of kMatrixScratch words, a matrix unit may take
    it. Otherwise as `cpu.conv2d`.
  }];
  let arguments = (ins Arg<Cpu_Words, "", [MemRead]>:$input, Cpu_ReadWordRow:$weights, Cpu_ReadRow:$bias,
                       Cpu_WriteImage:$output, Optional<Index>:$count, Optional<Index>:$thread, Optional<Index>:$threads,
                       Arg<Optional<Cpu_Words>, "", [MemRead, MemWrite]>:$scratch,
                       I64Attr:$channels, F32Attr:$input_scale,
                       OptionalAttr<F32Attr>:$scale, OptionalAttr<I64Attr>:$zero_point, UnitAttr:$upsample,
                       OptionalAttr<F32Attr>:$slope, I64Attr:$lanes, I64Attr:$group, OptionalAttr<Cpu_ConvSplitAttr>:$split);
  let assemblyFormat = [{
    $input `,` $weights `,` $bias `to` $output (`images` $count^)? (`thread` $thread^ `of` $threads `over` `` $split)? `channels` $channels `lanes` $lanes `group` $group
    (`upsample` $upsample^)? (`leaky` $slope^)? (`scratch` $scratch^)? attr-dict
    `:` type($input) `,` type($weights) `,` type($bias) `,` type($output) (`scratch` type($scratch)^)?
  }];
  let hasVerifier = 1;
}

def Cpu_Conv2DPlanarBytesOp : Cpu_Op<"conv2d_planar_bytes", [AttrSizedOperandSegments]> {
  let summary = "3x3 convolution of an image of bytes to a few planes of f32, with tanh";
  let description = [{ With `thread` of `threads`, one thread's share of the rows. }];
  let arguments = (ins Arg<Cpu_Words, "", [MemRead]>:$input, Cpu_ReadWordRow:$weights, Cpu_ReadRow:$bias,
                       Cpu_Write:$planes, Optional<Index>:$thread, Optional<Index>:$threads, F32Attr:$input_scale,
                       UnitAttr:$tanh);
  let assemblyFormat = [{
    $input `,` $weights `,` $bias `to` $planes (`thread` $thread^ `of` $threads)? `scale` $input_scale (`tanh` $tanh^)?
    attr-dict `:` type($input) `,` type($weights) `,` type($bias) `,` type($planes)
  }];
  let hasVerifier = 1;
}

def Cpu_SinCosOp : Cpu_Op<"sincos", [Pure, AllTypesMatch<["operand", "sine", "cosine"]>]> {
  let summary = "sine and cosine of a vector, sharing the range reduction";
  let description = [{
    Inline polynomials: `math.sin` on a vector becomes one scalar library call per lane. Largest error 1.2e-7 for
    |x| <= 1e3.
  }];
  let arguments = (ins VectorOfNonZeroRankOf<[F32]>:$operand);
  let results = (outs VectorOfNonZeroRankOf<[F32]>:$sine, VectorOfNonZeroRankOf<[F32]>:$cosine);
  let assemblyFormat = "$operand attr-dict `:` type($operand)";
}

def Cpu_DotOp : Cpu_Op<"dot", [Pure, AllTypesMatch<["accumulator", "result"]>, AllTypesMatch<["x", "y"]>]> {
  let summary = "packed dot products, a word of small numbers per lane";
  let description = [{
    Lane by lane `result = accumulator + sum of x_e y_e` over the elements e of a 32-bit word. `u8s8`: four bytes, x unsigned
    and y signed, exact in i32; with `fits`, x_0 y_0 + x_1 y_1 and x_2 y_2 + x_3 y_3 are known to be 16-bit numbers. Behind
    `and` stands a second word of each, whose products are added too; with `fits`, so do the pairs of the second word, and the
    sum of each pair of the first and the one in its place of the second: without an instruction for all of it, they are added
    as 16-bit numbers.
    `s16`: two signed 16-bit numbers, exact in i32 until it wraps.
    `bf16`: two bf16 numbers, sums in f32. `vpdpbusd`, `vpdpwssd` and `vdpbf16ps` where the processor has them, else several
    instructions with the same integer results.
  }];
  let arguments = (ins VectorOfRankAndType<[1], [I32, F32]>:$accumulator, VectorOfRankAndType<[1], [I32]>:$x,
                       VectorOfRankAndType<[1], [I32]>:$y, Variadic<VectorOfRankAndType<[1], [I32]>>:$second,
                       Cpu_DotKindAttr:$kind, UnitAttr:$fits);
  let results = (outs VectorOfRankAndType<[1], [I32, F32]>:$result);
  let assemblyFormat = [{
    `` $kind (`fits` $fits^)? $accumulator `,` $x `,` $y (`and` $second^ `:` type($second))? attr-dict `:` type($accumulator) `,` type($x)
  }];
  let hasVerifier = 1;
}

// A matrix unit (AMX): eight tiles of up to 16 rows of 64 bytes. They are state of the processor, which no effect names: an op that
// says of no effect what it is keeps its place.
def Cpu_Tile : ConfinedAttr<I64Attr, [IntMinValue<0>, IntMaxValue<7>]>;

def Cpu_TileBeginOp : Cpu_Op<"tile_begin"> {
  let summary = "set a matrix unit up";
  let description = [{
    Until `cpu.tile_end` the thread has eight tiles: 0 to 3 of 16 rows of 16 sums, 4 and 5 of 16 rows of `words` words, 6 and 7
    of `words` rows of 16 words. 16 words of memory take the description that the instruction reads.
  }];
  let arguments = (ins ConfinedAttr<I64Attr, [IntMinValue<1>, IntMaxValue<16>]>:$words, Cpu_Words:$memory,
                       Variadic<Index>:$indices);
  let assemblyFormat = "`words` $words `in` $memory `[` $indices `]` attr-dict `:` type($memory)";
  let hasVerifier = 1;
}

def Cpu_TileEndOp : Cpu_Op<"tile_end"> {
  let summary = "leave a matrix unit";
  let assemblyFormat = "attr-dict";
}

def Cpu_TileZeroOp : Cpu_Op<"tile_zero"> {
  let summary = "a tile of zeros";
  let arguments = (ins Cpu_Tile:$tile);
  let assemblyFormat = "$tile attr-dict";
}

def Cpu_TileLoadOp : Cpu_Op<"tile_load"> {
  let summary = "rows of words, `stride` words apart in memory, to a tile";
  let arguments = (ins Cpu_Tile:$tile, Cpu_Words:$memory, Variadic<Index>:$indices,
                       ConfinedAttr<I64Attr, [IntNonNegative]>:$stride);
  let assemblyFormat = "$tile `from` $memory `[` $indices `]` `stride` $stride attr-dict `:` type($memory)";
  let hasVerifier = 1;
}

def Cpu_TileStoreOp : Cpu_Op<"tile_store"> {
  let summary = "a tile of sums to memory, its rows one behind the other";
  let arguments = (ins Cpu_Tile:$tile, Cpu_Words:$memory, Variadic<Index>:$indices);
  let assemblyFormat = "$tile `to` $memory `[` $indices `]` attr-dict `:` type($memory)";
  let hasVerifier = 1;
}

def Cpu_TileDotOp : Cpu_Op<"tile_dot"> {
  let summary = "a matrix of dot products of bytes, added to a tile of sums";
  let description = [{
    `sums[m][n] += sum over words k and bytes e of x[m][k]_e y[k][n]_e`, x unsigned and y signed, exact in i32 until it wraps:
    `tdpbusd`.
  }];
  let arguments = (ins Cpu_Tile:$sums, Cpu_Tile:$x, Cpu_Tile:$y);
  let assemblyFormat = "$sums `,` $x `,` $y attr-dict";
}

#endif // CPU_IR_CPUOPS_TD
