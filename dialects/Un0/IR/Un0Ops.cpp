//===- Un0Ops.cpp - assembly and verifiers of un0 ---------------*- C++ -*-===//

#include "dialects/Un0/IR/Un0.h"
#include "mlir/IR/DialectImplementation.h"
#include "mlir/IR/OpImplementation.h"
#include <cmath>

using namespace mlir;
using namespace un0;

//===----------------------------------------------------------------------===//
// Assembly directives of Un0Ops.td
//===----------------------------------------------------------------------===//

/// The result has the type of another operand, which the assembly has spelled already.
static ParseResult parseSameAs(OpAsmParser &, Type other, Type &result) {
  result = other;
  return success();
}
static void printSameAs(OpAsmPrinter &, Operation *, Type, Type) {}

/// Terms and result have the type of the state.
static ParseResult parseTermTypes(OpAsmParser &, Type state,
                                  ArrayRef<OpAsmParser::UnresolvedOperand> terms,
                                  SmallVectorImpl<Type> &termTypes, Type &result) {
  termTypes.assign(terms.size(), state);
  result = state;
  return success();
}
static void printTermTypes(OpAsmPrinter &, Operation *, Type, OperandRange, TypeRange, Type) {}

/// An enumerator in parentheses, `(mean)`, after the keyword that says what it chooses.
template <typename AttrT> static ParseResult parseParenthesized(OpAsmParser &parser, AttrT &attr) {
  using ValueT = decltype(attr.getValue());
  if (parser.parseLParen())
    return failure();
  FailureOr<ValueT> value = FieldParser<ValueT>::parse(parser);
  if (failed(value))
    return failure();
  attr = AttrT::get(parser.getContext(), *value);
  return parser.parseRParen();
}
template <typename AttrT> static void printParenthesized(OpAsmPrinter &p, Operation *, AttrT attr) {
  p << "(" << stringifyEnum(attr.getValue()) << ")";
}

//===----------------------------------------------------------------------===//
// Shapes
//===----------------------------------------------------------------------===//

/// "1024 x ? x 8"
static std::string formatShape(ArrayRef<int64_t> shape) {
  std::string text;
  llvm::raw_string_ostream os(text);
  llvm::interleave(
      shape,
      [&](int64_t size) {
        if (ShapedType::isDynamic(size))
          os << "?";
        else
          os << size;
      },
      [&] { os << " x "; });
  return shape.empty() ? "a scalar" : text;
}

static ArrayRef<int64_t> getShape(Value value) {
  return cast<ShapedType>(value.getType()).getShape();
}

/// Whether two sizes can be the same when the program runs.
static bool agree(int64_t a, int64_t b) {
  return ShapedType::isDynamic(a) || ShapedType::isDynamic(b) || a == b;
}

/// Phases are batch x count, with a static count.
static LogicalResult verifyPhases(Operation *op, Value value, const Twine &name) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type || type.getRank() != 2 || type.isDynamicDim(1))
    return op->emitOpError()
           << name << " must be a batch x phases tensor with a static number of phases, but is "
           << value.getType();
  return success();
}

static LogicalResult verifySameType(Operation *op, const Twine &name, Type type,
                                    const Twine &otherName, Type other) {
  if (type != other)
    return op->emitOpError() << name << " is " << type << " but " << otherName << " is " << other;
  return success();
}

static LogicalResult verifyFrequency(Operation *op, Value frequency, Value state) {
  int64_t phases = getShape(state)[1];
  if (getShape(frequency) != ArrayRef<int64_t>({1, phases}))
    return op->emitOpError() << "frequency is " << formatShape(getShape(frequency))
                             << " but the state has " << phases << " phases";
  if (getElementTypeOrSelf(frequency) != getElementTypeOrSelf(state))
    return op->emitOpError() << "frequency has elements of type " << getElementTypeOrSelf(frequency)
                             << " but the state of type " << getElementTypeOrSelf(state);
  return success();
}

/// A coupling is targets x sources, with a batch dimension in front where it differs from sample to
/// sample.
static LogicalResult verifyCoupling(Operation *op, Value coupling, Value source, Value target) {
  ArrayRef<int64_t> shape = getShape(coupling);
  if (shape.size() != 2 && shape.size() != 3)
    return op->emitOpError()
           << "coupling must be targets x sources or batch x targets x sources, but is "
           << coupling.getType();
  int64_t targets = shape[shape.size() - 2], sources = shape.back();
  if (ShapedType::isDynamic(targets) || ShapedType::isDynamic(sources))
    return op->emitOpError() << "coupling must have static numbers of targets and sources, but is "
                             << coupling.getType();
  if (sources != getShape(source)[1])
    return op->emitOpError() << "coupling is " << formatShape(shape) << " but source has "
                             << getShape(source)[1] << " phases";
  if (targets != getShape(target)[1])
    return op->emitOpError() << "coupling is " << formatShape(shape) << " but target has "
                             << getShape(target)[1] << " phases";
  if (shape.size() == 3 && !agree(shape[0], getShape(target)[0]))
    return op->emitOpError() << "coupling is for a batch of " << shape[0]
                             << " but target is for a batch of " << getShape(target)[0];
  if (!agree(getShape(source)[0], getShape(target)[0]))
    return op->emitOpError() << "source is for a batch of " << getShape(source)[0]
                             << " but target is for a batch of " << getShape(target)[0];
  Type element = getElementTypeOrSelf(target);
  if (getElementTypeOrSelf(coupling) != element || getElementTypeOrSelf(source) != element)
    return op->emitOpError() << "coupling, source and target must have one element type, but have "
                             << getElementTypeOrSelf(coupling) << ", "
                             << getElementTypeOrSelf(source) << " and " << element;
  return success();
}

//===----------------------------------------------------------------------===//
// Parameters
//===----------------------------------------------------------------------===//

LogicalResult ParamOp::verify() {
  auto type = cast<ShapedType>(getType());
  if (getScale() && !getScale()->isFinite())
    return emitOpError() << "scale must be finite, but is " << getScale()->convertToDouble();
  if (getZeroDiagonal() &&
      (type.getRank() < 2 || type.getShape().back() != type.getDimSize(type.getRank() - 2)))
    return emitOpError() << "zero_diagonal needs a square parameter, but it is "
                         << formatShape(type.getShape());
  return success();
}

LogicalResult GetParamOp::verifySymbolUses(SymbolTableCollection &symbols) {
  auto param = symbols.lookupNearestSymbolFrom<ParamOp>(*this, getParamAttr());
  if (!param)
    return emitOpError() << "refers to @" << getParam() << ", which is not a un0.param";
  if (param.getType() == getResult().getType())
    return success();
  InFlightDiagnostic diagnostic = emitOpError() << "has type " << getResult().getType() << " but @"
                                                << getParam() << " has type " << param.getType();
  diagnostic.attachNote(param.getLoc()) << "parameter is here";
  return diagnostic;
}

LogicalResult SelectClassOp::verify() {
  auto table = cast<ShapedType>(getTable().getType());
  if (table.getRank() < 2)
    return emitOpError() << "table must have a class dimension and one more, but is " << table;
  if (getBits() && *getBits() != kTableBits)
    return emitOpError() << "tables have " << kTableBits << " bits or are f32, but this one has "
                         << static_cast<int64_t>(*getBits());
  if (getBits() && table.getRank() != 3)
    return emitOpError() << "a table of " << kTableBits << " bits must be classes x N x M, but is "
                         << table;
  SmallVector<int64_t> shape(table.getShape());
  shape[0] = getShape(getLabel())[0];
  auto expected = RankedTensorType::get(shape, table.getElementType());
  if (getResult().getType() != expected)
    return emitOpError() << "selects " << expected << " but the result is "
                         << getResult().getType();
  return success();
}

//===----------------------------------------------------------------------===//
// un0.evolve
//===----------------------------------------------------------------------===//

// un0.evolve(%t = %theta0, %p = %phi0) solver(euler) steps(10) time(1.0) attributes {...} : types {
// region }
ParseResult EvolveOp::parse(OpAsmParser &parser, OperationState &result) {
  SmallVector<OpAsmParser::Argument> arguments;
  SmallVector<OpAsmParser::UnresolvedOperand> initial;
  SMLoc start = parser.getCurrentLocation();
  if (parser.parseAssignmentList(arguments, initial))
    return failure();

  std::string keyword;
  SMLoc solverLoc;
  if (parser.parseKeyword("solver") || parser.parseLParen() ||
      parser.getCurrentLocation(&solverLoc) || parser.parseKeywordOrString(&keyword) ||
      parser.parseRParen())
    return failure();
  std::optional<Solver> solver = symbolizeSolver(keyword);
  if (!solver)
    return parser.emitError(solverLoc)
           << "unknown solver '" << keyword << "', expected euler, heun, rk4 or rk4_classic";
  Builder &builder = parser.getBuilder();
  result.addAttribute(getSolverAttrName(result.name),
                      SolverAttr::get(builder.getContext(), *solver));

  IntegerAttr steps;
  FloatAttr time;
  if (parser.parseKeyword("steps") || parser.parseLParen() ||
      parser.parseAttribute(steps, builder.getI64Type(), getStepsAttrName(result.name),
                            result.attributes) ||
      parser.parseRParen() || parser.parseKeyword("time") || parser.parseLParen() ||
      parser.parseAttribute(time, builder.getF64Type(), getTimeAttrName(result.name),
                            result.attributes) ||
      parser.parseRParen() || parser.parseOptionalAttrDictWithKeyword(result.attributes))
    return failure();

  SmallVector<Type> types;
  if (parser.parseOptionalColonTypeList(types))
    return failure();
  if (types.size() != arguments.size())
    return parser.emitError(start)
           << "there are " << arguments.size() << " states but " << types.size() << " types";
  for (auto [argument, type] : llvm::zip_equal(arguments, types))
    argument.type = type;
  result.addTypes(types);
  return failure(parser.resolveOperands(initial, types, start, result.operands) ||
                 parser.parseRegion(*result.addRegion(), arguments));
}

void EvolveOp::print(OpAsmPrinter &p) {
  p << "(";
  llvm::interleaveComma(llvm::zip_equal(getBody().getArguments(), getInitial()), p,
                        [&](auto pair) { p << std::get<0>(pair) << " = " << std::get<1>(pair); });
  p << ") solver(" << stringifySolver(getSolver()) << ") steps(" << static_cast<int64_t>(getSteps())
    << ") time(";
  p.printAttributeWithoutType(getTimeAttr());
  p << ")";
  p.printOptionalAttrDictWithKeyword((*this)->getAttrs(),
                                     {getSolverAttrName(), getStepsAttrName(), getTimeAttrName()});
  if (getNumResults())
    p << " : " << getResultTypes();
  p << " ";
  p.printRegion(getBody(), /*printEntryBlockArgs=*/false);
}

YieldOp EvolveOp::getYield() { return cast<YieldOp>(getBody().front().getTerminator()); }

SmallVector<Region *> EvolveOp::getLoopRegions() { return {&getBody()}; }

LogicalResult EvolveOp::verify() {
  if (getInitial().empty())
    return emitOpError("must have at least one state");
  for (auto [i, state] : llvm::enumerate(getInitial())) {
    if (failed(verifyPhases(*this, state, "state " + Twine(i))))
      return failure();
    if (!agree(getShape(state)[0], getShape(getInitial()[0])[0]))
      return emitOpError() << "state " << i << " is for a batch of " << getShape(state)[0]
                           << " but state 0 is for a batch of " << getShape(getInitial()[0])[0];
    if (getElementTypeOrSelf(state) != getElementTypeOrSelf(getInitial()[0]))
      return emitOpError() << "state " << i << " has elements of type "
                           << getElementTypeOrSelf(state) << " but state 0 of type "
                           << getElementTypeOrSelf(getInitial()[0]);
  }
  if (static_cast<int64_t>(getSteps()) < 0)
    return emitOpError() << "steps must not be negative, but is "
                         << static_cast<int64_t>(getSteps());
  if (!getTime().isFinite())
    return emitOpError() << "time must be finite, but is " << getTime().convertToDouble();

  Block &body = getBody().front();
  if (body.getNumArguments() != getInitial().size())
    return emitOpError() << "region has " << body.getNumArguments() << " arguments but there are "
                         << getInitial().size() << " states";
  for (auto [i, types] :
       llvm::enumerate(llvm::zip_equal(body.getArgumentTypes(), getInitial().getTypes())))
    if (failed(verifySameType(*this, "region argument " + Twine(i), std::get<0>(types),
                              "state " + Twine(i), std::get<1>(types))))
      return failure();
  auto yield = dyn_cast<YieldOp>(body.getTerminator());
  if (!yield)
    return emitOpError() << "region must end with un0.yield, but ends with "
                         << body.getTerminator()->getName();
  if (yield.getRates().size() != getInitial().size())
    return yield.emitOpError() << "has " << yield.getRates().size() << " rates but there are "
                               << getInitial().size() << " states";
  for (auto [i, types] :
       llvm::enumerate(llvm::zip_equal(yield.getRates().getTypes(), getInitial().getTypes())))
    if (failed(verifySameType(yield, "rate " + Twine(i), std::get<0>(types), "state " + Twine(i),
                              std::get<1>(types))))
      return failure();
  return success();
}

//===----------------------------------------------------------------------===//
// Terms and readout
//===----------------------------------------------------------------------===//

LogicalResult CoupleOp::verify() {
  if (failed(verifyPhases(*this, getSource(), "source")) ||
      failed(verifyPhases(*this, getTarget(), "target")) ||
      failed(verifyCoupling(*this, getCoupling(), getSource(), getTarget())))
    return failure();
  if (getZeroDiagonal()) {
    ArrayRef<int64_t> shape = getShape(getCoupling());
    if (shape.back() != shape[shape.size() - 2])
      return emitOpError() << "zero_diagonal needs a square coupling, but it is "
                           << formatShape(shape);
    if (getSource() != getTarget())
      return emitOpError("zero_diagonal needs source and target to be the same population");
  }
  return verifySameType(*this, "result", getResult().getType(), "target", getTarget().getType());
}

LogicalResult RateOp::verify() {
  if (failed(verifyPhases(*this, getState(), "state")) ||
      failed(verifyFrequency(*this, getFrequency(), getState())))
    return failure();
  for (auto [i, term] : llvm::enumerate(getTerms()))
    if (failed(verifySameType(*this, "term " + Twine(i), term.getType(), "the state",
                              getState().getType())))
      return failure();
  return verifySameType(*this, "result", getResult().getType(), "the state", getState().getType());
}

LogicalResult ReadoutOp::verify() {
  if (failed(verifyPhases(*this, getPhases(), "phases")) ||
      failed(verifyPhases(*this, getFeatures(), "result")))
    return failure();
  int64_t phases = getShape(getPhases())[1], features = getShape(getFeatures())[1];
  int64_t expected = 0;
  if (llvm::MulOverflow<int64_t>(phases, getReference() == Reference::Pairwise ? phases : 1,
                                 expected) ||
      llvm::MulOverflow<int64_t>(expected, getEncoding() == Encoding::SinCos ? 2 : 1, expected))
    return emitOpError() << "has more features than can be counted, of " << phases << " phases";
  if (features != expected)
    return emitOpError() << "reference " << stringifyReference(getReference()) << " and encoding "
                         << stringifyEncoding(getEncoding()) << " make " << expected
                         << " features of " << phases << " phases, but the result has " << features;
  if (getShape(getPhases())[0] != getShape(getFeatures())[0])
    return emitOpError() << "phases are for a batch of " << formatShape(getShape(getPhases())[0])
                         << " but the result is for a batch of "
                         << formatShape(getShape(getFeatures())[0]);
  if (getElementTypeOrSelf(getPhases()) != getElementTypeOrSelf(getFeatures()))
    return emitOpError() << "phases have elements of type " << getElementTypeOrSelf(getPhases())
                         << " but the result of type " << getElementTypeOrSelf(getFeatures());
  return success();
}

//===----------------------------------------------------------------------===//
// Fused level
//===----------------------------------------------------------------------===//

// un0.fused_rate of(%s, %c) frequency %w couple %K(%s, %c), ... {attributes}
//     : state, frequency, [coupling, source], ...
ParseResult FusedRateOp::parse(OpAsmParser &parser, OperationState &result) {
  using Operand = OpAsmParser::UnresolvedOperand;
  Operand targetSine, targetCosine, frequency;
  SmallVector<Operand> couplings, sines, cosines;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseKeyword("of") || parser.parseLParen() || parser.parseOperand(targetSine) ||
      parser.parseComma() || parser.parseOperand(targetCosine) || parser.parseRParen() ||
      parser.parseKeyword("frequency") || parser.parseOperand(frequency))
    return failure();
  if (succeeded(parser.parseOptionalKeyword("couple")) &&
      parser.parseCommaSeparatedList([&]() -> ParseResult {
        return failure(parser.parseOperand(couplings.emplace_back()) || parser.parseLParen() ||
                       parser.parseOperand(sines.emplace_back()) || parser.parseComma() ||
                       parser.parseOperand(cosines.emplace_back()) || parser.parseRParen());
      }))
    return failure();

  Type target, frequencyType;
  SmallVector<Type> couplingTypes(couplings.size()), sourceTypes(couplings.size());
  if (parser.parseOptionalAttrDict(result.attributes) || parser.parseColonType(target) ||
      parser.parseComma() || parser.parseType(frequencyType))
    return failure();
  for (auto [coupling, source] : llvm::zip_equal(couplingTypes, sourceTypes))
    if (parser.parseComma() || parser.parseLSquare() || parser.parseType(coupling) ||
        parser.parseComma() || parser.parseType(source) || parser.parseRSquare())
      return failure();

  result.addTypes(target);
  auto count = static_cast<int32_t>(couplings.size());
  result.getOrAddProperties<Properties>().operandSegmentSizes = {1, 1, 1, count, count, count};
  return failure(parser.resolveOperand(targetSine, target, result.operands) ||
                 parser.resolveOperand(targetCosine, target, result.operands) ||
                 parser.resolveOperand(frequency, frequencyType, result.operands) ||
                 parser.resolveOperands(couplings, couplingTypes, loc, result.operands) ||
                 parser.resolveOperands(sines, sourceTypes, loc, result.operands) ||
                 parser.resolveOperands(cosines, sourceTypes, loc, result.operands));
}

void FusedRateOp::print(OpAsmPrinter &p) {
  p << " of(" << getTargetSine() << ", " << getTargetCosine() << ") frequency " << getFrequency();
  if (!getCouplings().empty()) {
    p << " couple ";
    llvm::interleaveComma(
        llvm::zip_equal(getCouplings(), getSines(), getCosines()), p, [&](auto term) {
          p << std::get<0>(term) << "(" << std::get<1>(term) << ", " << std::get<2>(term) << ")";
        });
  }
  p.printOptionalAttrDict((*this)->getAttrs(), {getOperandSegmentSizesAttrName()});
  p << " : " << getResult().getType() << ", " << getFrequency().getType();
  for (auto [coupling, sine] : llvm::zip_equal(getCouplings(), getSines()))
    p << ", [" << coupling.getType() << ", " << sine.getType() << "]";
}

LogicalResult FusedRateOp::verify() {
  if (failed(verifyPhases(*this, getTargetSine(), "target sine")) ||
      failed(verifySameType(*this, "target cosine", getTargetCosine().getType(), "target sine",
                            getTargetSine().getType())) ||
      failed(verifySameType(*this, "result", getResult().getType(), "target sine",
                            getTargetSine().getType())) ||
      failed(verifyFrequency(*this, getFrequency(), getTargetSine())))
    return failure();
  if (getCouplings().size() != getSines().size() || getCouplings().size() != getCosines().size())
    return emitOpError() << "has " << getCouplings().size() << " couplings, " << getSines().size()
                         << " sines and " << getCosines().size() << " cosines";
  for (auto [coupling, sine, cosine] : llvm::zip_equal(getCouplings(), getSines(), getCosines()))
    if (failed(verifyPhases(*this, sine, "source")) ||
        failed(verifySameType(*this, "source cosine", cosine.getType(), "source sine",
                              sine.getType())) ||
        failed(verifyCoupling(*this, coupling, sine, getTargetSine())))
      return failure();
  if (getPrecisions() && getPrecisions()->size() != getCouplings().size())
    return emitOpError() << "has " << getPrecisions()->size() << " precisions for "
                         << getCouplings().size() << " couplings";
  if (getDrains() && getDrains()->size() != getCouplings().size())
    return emitOpError() << "has " << getDrains()->size() << " drains for " << getCouplings().size()
                         << " couplings";
  if (getGroups() && getGroups()->size() != getCouplings().size())
    return emitOpError() << "has " << getGroups()->size() << " groups for " << getCouplings().size()
                         << " couplings";
  for (auto [i, coupling] : llvm::enumerate(getCouplings())) {
    if (int64_t group = getGroup(i); group && group != kLevelGroup)
      return emitOpError() << "group " << i << " is of " << group << " columns; there are "
                           << kLevelGroup << " and 0";
    if (getGroup(i) && getPrecision(i) != Precision::Int4)
      return emitOpError() << "coupling " << i << " has groups but is "
                           << stringifyPrecision(getPrecision(i)) << ", not int4";
    if (getPrecision(i) == Precision::F32)
      continue;
    if (getShape(coupling).size() != 2)
      return emitOpError() << "coupling " << i << " is " << stringifyPrecision(getPrecision(i))
                           << " but differs from sample to sample; only a shared one is quantized";
    if (getPrecision(i) == Precision::Int4 && getShape(coupling)[1] % 8)
      return emitOpError() << "coupling " << i << " is int4 but its " << getShape(coupling)[1]
                           << " sources are not a multiple of 8";
    // 8191 x 2047 x 128 is the most that a 32-bit sum holds whatever the weights are.
    if (getDrains() && (*getDrains())[i] < 0)
      return emitOpError() << "drain " << i << " is negative";
  }
  return success();
}

Precision FusedRateOp::getPrecision(unsigned term) {
  return getPrecisions() ? cast<PrecisionAttr>((*getPrecisions())[term]).getValue()
                         : Precision::F32;
}

void FusedRateOp::quantize(ArrayRef<Precision> precisions, int64_t int4Group) {
  SmallVector<Attribute> attributes;
  SmallVector<int64_t> groups;
  for (Precision precision : precisions) {
    attributes.push_back(PrecisionAttr::get(getContext(), precision));
    groups.push_back(precision == Precision::Int4 ? int4Group : 0);
  }
  auto isF32 = [](Precision precision) { return precision == Precision::F32; };
  setPrecisionsAttr(llvm::all_of(precisions, isF32) ? ArrayAttr()
                                                    : ArrayAttr::get(getContext(), attributes));
  bool grouped = llvm::any_of(groups, [](int64_t group) { return group != 0; });
  setGroupsAttr(grouped ? DenseI64ArrayAttr::get(getContext(), groups) : DenseI64ArrayAttr());
  // Those of other precisions.
  setDrainsAttr({});
}

LogicalResult DriftOp::verify() {
  if (failed(verifyPhases(*this, getInitial(), "initial")) ||
      failed(verifyFrequency(*this, getFrequency(), getInitial())))
    return failure();
  return verifySameType(*this, "result", getResult().getType(), "initial", getInitial().getType());
}

LogicalResult un0::Conv2DOp::verify() {
  ArrayRef<int64_t> input = getShape(getInput()), weight = getShape(getWeight()),
                    bias = getShape(getBias());
  if (llvm::any_of(input.drop_front(), ShapedType::isDynamic))
    return emitOpError() << "input must have static channels, height and width, but is "
                         << getInput().getType();
  if (weight.size() != 4 || weight[2] != 3 || weight[3] != 3)
    return emitOpError() << "weight must be outputs x inputs x 3 x 3, but is "
                         << formatShape(weight);
  if (weight[1] != input[1])
    return emitOpError() << "weight is " << formatShape(weight) << " but input has " << input[1]
                         << " channels";
  if (bias != weight.take_front(1))
    return emitOpError() << "bias is " << formatShape(bias) << " but weight has " << weight[0]
                         << " outputs";
  int64_t grow = getUpsample() ? 2 : 1;
  SmallVector<int64_t> expected = {input[0], weight[0], input[2] * grow, input[3] * grow};
  if (getShape(getOutput()) != ArrayRef(expected))
    return emitOpError() << "makes " << formatShape(expected) << " but the result is "
                         << formatShape(getShape(getOutput()));
  Type element = getElementTypeOrSelf(getInput());
  for (Value value : {getWeight(), getBias(), getOutput()})
    if (getElementTypeOrSelf(value) != element)
      return emitOpError() << "input has elements of type " << element
                           << " but an operand or the result of type "
                           << getElementTypeOrSelf(value);
  bool leaky = getActivation() == Activation::LeakyRelu;
  if (leaky != getSlope().has_value())
    return emitOpError() << "activation " << stringifyActivation(getActivation())
                         << (leaky ? " needs a slope" : " takes no slope");
  if (leaky && !getSlope()->isFinite())
    return emitOpError() << "slope must be finite, but is " << getSlope()->convertToDouble();
  bool bytes = getPrecision() == Precision::Int8;
  if (!bytes && getPrecision() != Precision::F32)
    return emitOpError() << "precision is " << stringifyPrecision(getPrecision())
                         << "; convolutions have f32 and int8";
  if (bytes != getInputScale().has_value() || bytes != getInputZeroPoint().has_value())
    return emitOpError() << "precision " << stringifyPrecision(getPrecision())
                         << (bytes ? " needs" : " takes no") << " input_scale and input_zero_point";
  if (bytes && !(getInputScale()->isFiniteNonZero() && !getInputScale()->isNegative()))
    return emitOpError() << "input_scale must be positive, but is "
                         << getInputScale()->convertToDouble();
  if (bytes && (*getInputZeroPoint() > 255))
    return emitOpError() << "input_zero_point must be 0 to 255, but is "
                         << static_cast<int64_t>(*getInputZeroPoint());
  if (std::optional<ArrayRef<int64_t>> exponents = getInputExponents()) {
    if (!bytes)
      return emitOpError() << "precision " << stringifyPrecision(getPrecision())
                           << " takes no input_exponents";
    if (static_cast<int64_t>(exponents->size()) != input[1])
      return emitOpError() << "has " << exponents->size() << " input_exponents for " << input[1]
                           << " channels";
    for (int64_t exponent : *exponents)
      if (std::abs(exponent) > kMostExponent)
        return emitOpError() << "input_exponents must be within " << -kMostExponent << " and "
                             << kMostExponent << ", but one is " << exponent;
  }
  return success();
}

#define GET_OP_CLASSES
#include "dialects/Un0/IR/Un0Ops.cpp.inc"
