//===- Interpreter.cpp - runs un0 IR op by op -------------------*- C++ -*-===//

#include "un0/Interpreter/Interpreter.h"

#include "Kernels.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/FormatVariadic.h"
#include <cmath>
#include <map>

using namespace mlir;
using namespace un0;
using llvm::createStringError;
using llvm::Error;
using llvm::Expected;

namespace {

/// Coefficients of an explicit Runge-Kutta method: stage s is evaluated at time c[s] and at the
/// state plus the sum of a[s][r] times rate r; the step adds the sum of b[s] times rate s.
struct Method {
  std::vector<std::vector<double>> a;
  std::vector<double> b, c;
};

Method getMethod(Solver solver) {
  switch (solver) {
  case Solver::Euler:
    return {{{}}, {1.0}, {0.0}};
  case Solver::Heun:
    return {{{}, {1.0}}, {0.5, 0.5}, {0.0, 1.0}};
  case Solver::RK4: // Kutta 1901, the 3/8 rule
    return {{{}, {1.0 / 3}, {-1.0 / 3, 1.0}, {1.0, -1.0, 1.0}},
            {1.0 / 8, 3.0 / 8, 3.0 / 8, 1.0 / 8},
            {0.0, 1.0 / 3, 2.0 / 3, 1.0}};
  case Solver::RK4Classic:
    return {{{}, {0.5}, {0.0, 0.5}, {0.0, 0.0, 1.0}},
            {1.0 / 6, 1.0 / 3, 1.0 / 3, 1.0 / 6},
            {0.0, 0.5, 0.5, 1.0}};
  }
  llvm_unreachable("unknown solver");
}

std::string formatShape(ArrayRef<int64_t> shape) {
  std::string text;
  llvm::raw_string_ostream os(text);
  llvm::interleave(
      shape, [&](int64_t size) { ShapedType::isDynamic(size) ? os << "?" : os << size; },
      [&] { os << " x "; });
  return text;
}

/// One evaluation of `@generate`.
template <typename T> class Run {
public:
  using TensorPtr = std::shared_ptr<const Tensor<T>>;
  using Outputs = typename Interpreter<T>::Outputs;

  Run(ModuleOp module, const ParamLoader<T> &loader, const StepObserver<T> &observer,
      llvm::StringMap<TensorPtr> &params)
      : symbols(module), loader(loader), observer(observer), params(params) {}

  Expected<Outputs> generate(func::FuncOp func, const Tensor<T> &theta0, const Tensor<T> &phi0,
                             ArrayRef<int64_t> labels);

private:
  Error bindPhases(Value argument, const Tensor<T> &phases, StringRef name, size_t batch);
  Error runBlock(Block &block);
  Error run(Operation &op);
  Error constant(Operation *op, Value result);
  Error reshape(Value from, Value to);
  Error zip(Operation *op, llvm::function_ref<T(T, T)> fn);

  Error visit(GetParamOp op);
  Error visit(EvolveOp op);
  Error visit(SelectClassOp op) {
    if (!op.getBits())
      return set(op.getResult(), kernels::selectClass(get(op.getTable()), getInts(op.getLabel())));
    Tensor<T> rounded = kernels::roundTable(get(op.getTable()), *op.getBits());
    return set(op.getResult(), kernels::selectClass(rounded, getInts(op.getLabel())));
  }
  Error visit(CoupleOp op) {
    Tensor<T> result(get(op.getTarget()).shape);
    kernels::couple(get(op.getCoupling()), get(op.getSource()), get(op.getTarget()),
                    op.getZeroDiagonal(), result);
    return set(op.getResult(), std::move(result));
  }
  Error visit(RateOp op);
  Error visit(SinCosOp op);
  Error visit(FusedRateOp op);
  Error visit(DriftOp op) {
    T now = static_cast<T>(time);
    return set(op.getResult(),
               kernels::zip<T>(get(op.getInitial()), get(op.getFrequency()),
                               [&](T phase, T frequency) { return phase + frequency * now; }));
  }
  Error visit(ReadoutOp op) {
    outputs.theta = get(op.getPhases());
    outputs.features = kernels::readout(outputs.theta, op.getReference(), op.getEncoding());
    return set(op.getFeatures(), outputs.features);
  }

  Error visit(un0::Conv2DOp op) {
    double slope = op.getSlope() ? op.getSlope()->convertToDouble() : 0.0;
    if (op.getPrecision() == Precision::Int8) {
      Tensor<T> input = get(op.getInput()), weight = get(op.getWeight());
      if (std::optional<ArrayRef<int64_t>> exponents = op.getInputExponents()) {
        kernels::scaleChannels(input, *exponents, /*up=*/false);
        kernels::scaleChannels(weight, *exponents, /*up=*/true);
      }
      input = kernels::roundImage(input, op.getInputScale()->convertToDouble(),
                                  *op.getInputZeroPoint());
      return set(op.getOutput(),
                 kernels::convolveBytes(input, weight, get(op.getBias()), op.getUpsample(),
                                        op.getActivation(), slope));
    }
    return set(op.getOutput(),
               kernels::convolve(get(op.getInput()), get(op.getWeight()), get(op.getBias()),
                                 op.getUpsample(), op.getActivation(), slope));
  }
  Error visit(tosa::Conv2DOp op) {
    kernels::ConvolutionWindow window = {op.getPad(), op.getStride(), op.getDilation()};
    return set(op.getOutput(),
               kernels::convolveTosa(get(op.getInput()), get(op.getWeight()), get(op.getBias()),
                                     get(op.getInputZp()).data[0], get(op.getWeightZp()).data[0],
                                     window));
  }
  Error visit(tosa::ResizeOp op);
  Error visit(tosa::TransposeOp op) {
    return set(op.getOutput(), kernels::transpose(get(op.getInput1()), op.getPerms()));
  }
  Error visit(tosa::MaximumOp op) {
    bool ignoreNan = op.getNanMode() == tosa::NanPropagationMode::IGNORE;
    return zip(op, [=](T a, T b) { return ignoreNan ? std::fmax(a, b) : a != a || a > b ? a : b; });
  }
  Error visit(tosa::MulOp op) {
    return zip(op, [](T a, T b) { return a * b; });
  }
  Error visit(tosa::AddOp op) {
    return zip(op, [](T a, T b) { return a + b; });
  }
  Error visit(tosa::TanhOp op);

  Error visit(tosa::ReshapeOp op) { return reshape(op.getInput1(), op.getOutput()); }
  Error visit(tensor::ExpandShapeOp op) { return reshape(op.getSrc(), op.getResult()); }
  Error visit(tensor::CollapseShapeOp op) { return reshape(op.getSrc(), op.getResult()); }
  Error visit(tensor::CastOp op) { return reshape(op.getSource(), op.getDest()); }
  Error visit(tensor::DimOp op);
  Error visit(tosa::ConstOp op) { return constant(op, op.getOutput()); }
  Error visit(tosa::ConstShapeOp op) { return constant(op, op.getOutput()); }
  Error visit(arith::ConstantOp op) { return constant(op, op.getResult()); }

  const Tensor<T> &get(Value value) { return *tensors.find(value)->second; }
  ArrayRef<int64_t> getInts(Value value) { return integers.find(value)->second; }
  Error set(Value value, Tensor<T> tensor) {
    tensors[value] = std::make_shared<const Tensor<T>>(std::move(tensor));
    return Error::success();
  }

  SymbolTable symbols;
  const ParamLoader<T> &loader;
  const StepObserver<T> &observer;
  llvm::StringMap<TensorPtr> &params;
  DenseMap<Value, TensorPtr> tensors;
  /// By value, precision and group.
  std::map<std::tuple<const void *, Precision, int64_t>, TensorPtr> roundedCouplings;
  /// Labels, shapes, indices and integer constants.
  DenseMap<Value, SmallVector<int64_t>> integers;
  /// Model time at which a region is being evaluated.
  double time = 0;
  Outputs outputs;
};

template <typename T>
Error Run<T>::bindPhases(Value argument, const Tensor<T> &phases, StringRef name, size_t batch) {
  auto type = dyn_cast<RankedTensorType>(argument.getType());
  size_t elements = 1;
  for (int64_t size : phases.shape)
    elements *= size;
  if (elements != phases.data.size())
    return createStringError(llvm::formatv("{0} is {1} but holds {2} values", name,
                                           formatShape(phases.shape), phases.data.size()));
  if (!type || failed(verifyCompatibleShape(type.getShape(), phases.shape)))
    return createStringError(llvm::formatv("{0} is {1} but @generate takes {2}", name,
                                           formatShape(phases.shape),
                                           type ? formatShape(type.getShape()) : "no tensor"));
  if (static_cast<size_t>(phases.shape[0]) != batch)
    return createStringError(llvm::formatv("{0} is for a batch of {1} but there are {2} labels",
                                           name, phases.shape[0], batch));
  return set(argument, phases);
}

template <typename T>
Expected<typename Run<T>::Outputs> Run<T>::generate(func::FuncOp func, const Tensor<T> &theta0,
                                                    const Tensor<T> &phi0,
                                                    ArrayRef<int64_t> labels) {
  if (func.isExternal() || !func.getBody().hasOneBlock() || func.getNumArguments() != 3 ||
      func.getNumResults() != 1)
    return createStringError(
        llvm::formatv("@generate has {0} inputs and {1} results instead of 3 and 1",
                      func.getNumArguments(), func.getNumResults()));
  if (Error error = bindPhases(func.getArgument(0), theta0, "theta0", labels.size()))
    return std::move(error);
  if (Error error = bindPhases(func.getArgument(1), phi0, "phi0", labels.size()))
    return std::move(error);
  integers[func.getArgument(2)] = SmallVector<int64_t>(labels);
  outputs.theta = theta0;
  if (Error error = runBlock(func.getBody().front()))
    return std::move(error);
  Value images = cast<func::ReturnOp>(func.getBody().front().getTerminator()).getOperand(0);
  if (!isa<FloatType>(getElementTypeOrSelf(images)))
    return createStringError(
        llvm::formatv("@generate returns {0} instead of images", images.getType()));
  outputs.images = get(images);
  return std::move(outputs);
}

template <typename T> Error Run<T>::runBlock(Block &block) {
  for (Operation &op : block.without_terminator())
    if (Error error = run(op))
      return error;
  return Error::success();
}

template <typename T> Error Run<T>::visit(EvolveOp op) {
  Block &body = op.getBody().front();
  Method method = getMethod(op.getSolver());
  double h = op.getStepTime();
  std::vector<Tensor<T>> states;
  for (Value initial : op.getInitial())
    states.push_back(get(initial));
  for (int64_t step = 0; step < static_cast<int64_t>(op.getSteps()); ++step) {
    std::vector<std::vector<TensorPtr>> rates(states.size());
    // states + h * sum of weights * rates
    auto combine = [&](size_t state, ArrayRef<double> weights) {
      Tensor<T> result = states[state];
      for (auto [weight, rate] : llvm::zip(weights, rates[state]))
        if (weight != 0.0)
          for (auto [x, dx] : llvm::zip_equal(result.data, rate->data))
            x += static_cast<T>(h * weight) * dx;
      return result;
    };
    for (auto [stage, weights] : llvm::enumerate(method.a)) {
      time = h * (static_cast<double>(step) + method.c[stage]);
      for (size_t state = 0; state < states.size(); ++state)
        cantFail(set(body.getArgument(state), combine(state, weights)));
      if (Error error = runBlock(body))
        return error;
      for (auto [state, rate] : llvm::enumerate(op.getYield().getRates()))
        rates[state].push_back(tensors.find(rate)->second);
    }
    for (size_t state = 0; state < states.size(); ++state)
      states[state] = combine(state, method.b);
    if (observer)
      observer(step + 1, states);
  }
  for (auto [result, state] : llvm::zip_equal(op.getResults(), states))
    cantFail(set(result, std::move(state)));
  outputs.theta = get(op.getResult(0));
  return Error::success();
}

template <typename T> Error Run<T>::visit(GetParamOp op) {
  TensorPtr &known = params[op.getParam()];
  if (!known) {
    auto param = symbols.lookup<ParamOp>(op.getParam());
    Expected<Tensor<T>> loaded = loader(param);
    if (!loaded)
      return loaded.takeError();
    ArrayRef<int64_t> shape = cast<ShapedType>(param.getType()).getShape();
    if (ArrayRef<int64_t>(loaded->shape) != shape)
      return createStringError(llvm::formatv("parameter @{0} is {1} but {2} was loaded",
                                             op.getParam(), formatShape(shape),
                                             formatShape(loaded->shape)));
    kernels::applyTransforms(*loaded, param.getScale() ? param.getScale()->convertToDouble() : 1.0,
                             param.getZeroDiagonal());
    known = std::make_shared<const Tensor<T>>(std::move(*loaded));
  }
  tensors[op.getResult()] = known;
  return Error::success();
}

template <typename T> Error Run<T>::constant(Operation *op, Value result) {
  Attribute attr;
  if (!matchPattern(op, m_Constant(&attr)))
    return createStringError(
        llvm::formatv("the interpreter cannot evaluate this {0}", op->getName()));
  if (auto integer = dyn_cast<IntegerAttr>(attr)) {
    integers[result] = {integer.getInt()};
    return Error::success();
  }
  auto elements = dyn_cast<DenseElementsAttr>(attr);
  if (!elements)
    return createStringError(
        llvm::formatv("the interpreter does not support the constant of this {0}", op->getName()));
  if (isa<FloatType>(elements.getElementType())) {
    Tensor<T> tensor(elements.getType().getShape());
    for (auto [value, out] : llvm::zip_equal(elements.getValues<APFloat>(), tensor.data))
      out = static_cast<T>(value.convertToDouble());
    return set(result, std::move(tensor));
  }
  SmallVector<int64_t> values;
  for (const APInt &value : elements.getValues<APInt>())
    values.push_back(value.getSExtValue());
  integers[result] = values;
  return Error::success();
}

/// Same values, the shape of `to`'s type; its one dynamic dimension is what remains.
template <typename T> Error Run<T>::reshape(Value from, Value to) {
  Tensor<T> result = get(from);
  SmallVector<int64_t> shape(cast<ShapedType>(to.getType()).getShape());
  int64_t known = 1, dynamic = 0;
  for (int64_t size : shape) {
    dynamic += ShapedType::isDynamic(size);
    known *= ShapedType::isDynamic(size) ? 1 : size;
  }
  int64_t elements = result.data.size();
  if (dynamic > 1 || known == 0 || elements % known || (dynamic == 0 && elements != known))
    return createStringError(
        llvm::formatv("cannot reshape {0} to {1}", formatShape(result.shape), formatShape(shape)));
  for (int64_t &size : shape)
    if (ShapedType::isDynamic(size))
      size = elements / known;
  result.shape = shape;
  return set(to, std::move(result));
}

template <typename T> Error Run<T>::visit(tosa::ResizeOp op) {
  if (op.getMode() != tosa::ResizeMode::NEAREST_NEIGHBOR)
    return createStringError(
        llvm::formatv("the interpreter does not support mode {0} of tosa.resize",
                      stringifyResizeMode(op.getMode())));
  const Tensor<T> &input = get(op.getInput());
  ArrayRef<int64_t> scale = getInts(op.getScale()), offset = getInts(op.getOffset()),
                    border = getInts(op.getBorder());
  auto getExtent = [&](unsigned axis) {
    return ((input.shape[axis + 1] - 1) * scale[2 * axis] - offset[axis] + border[axis]) /
               scale[2 * axis + 1] +
           1;
  };
  return set(op.getOutput(),
             kernels::resizeNearest(input, scale, offset, getExtent(0), getExtent(1)));
}

template <typename T> Error Run<T>::visit(RateOp op) {
  Tensor<T> zero(get(op.getState()).shape);
  Tensor<T> result =
      kernels::zip<T>(zero, get(op.getFrequency()), [](T, T frequency) { return frequency; });
  for (Value term : op.getTerms())
    for (auto [sum, value] : llvm::zip_equal(result.data, get(term).data))
      sum += value;
  return set(op.getResult(), std::move(result));
}

template <typename T> Error Run<T>::visit(SinCosOp op) {
  Tensor<T> sine = get(op.getPhases()), cosine = sine;
  for (T &value : sine.data)
    value = std::sin(value);
  for (T &value : cosine.data)
    value = std::cos(value);
  cantFail(set(op.getSine(), std::move(sine)));
  return set(op.getCosine(), std::move(cosine));
}

template <typename T> Error Run<T>::visit(FusedRateOp op) {
  const Tensor<T> &sine = get(op.getTargetSine()), &cosine = get(op.getTargetCosine());
  Tensor<T> result =
      kernels::zip<T>(sine, get(op.getFrequency()), [](T, T frequency) { return frequency; });
  for (auto [term, coupling, s, c] :
       llvm::enumerate(op.getCouplings(), op.getSines(), op.getCosines())) {
    Precision precision = op.getPrecision(term);
    if (precision == Precision::F32) {
      kernels::coupleWaves(get(coupling), get(s), get(c), sine, cosine, result);
      continue;
    }
    // Once per parameter, not once per step.
    TensorPtr &rounded =
        roundedCouplings[{coupling.getAsOpaquePointer(), precision, op.getGroup(term)}];
    if (!rounded)
      rounded = std::make_shared<const Tensor<T>>(
          kernels::roundCoupling(get(coupling), precision, op.getGroup(term)));
    kernels::coupleWaves(*rounded, kernels::roundWaves(get(s), precision),
                         kernels::roundWaves(get(c), precision), sine, cosine, result);
  }
  return set(op.getResult(), std::move(result));
}

template <typename T> Error Run<T>::visit(tosa::TanhOp op) {
  Tensor<T> result = get(op.getInput());
  for (T &value : result.data)
    value = std::tanh(value);
  return set(op.getOutput(), std::move(result));
}

template <typename T> Error Run<T>::visit(tensor::DimOp op) {
  int64_t index = getInts(op.getIndex())[0];
  ArrayRef<int64_t> shape = get(op.getSource()).shape;
  if (index < 0 || index >= static_cast<int64_t>(shape.size()))
    return createStringError(
        llvm::formatv("tensor.dim asks for dimension {0} of {1}", index, formatShape(shape)));
  integers[op.getResult()] = {shape[index]};
  return Error::success();
}

template <typename T> Error Run<T>::zip(Operation *op, llvm::function_ref<T(T, T)> fn) {
  const Tensor<T> &a = get(op->getOperand(0)), &b = get(op->getOperand(1));
  for (auto [x, y] : llvm::zip_equal(a.shape, b.shape))
    if (x != y && x != 1 && y != 1)
      return createStringError(llvm::formatv("{0} of {1} and {2}", op->getName(),
                                             formatShape(a.shape), formatShape(b.shape)));
  return set(op->getResult(0), kernels::zip<T>(a, b, fn));
}

template <typename T> Error Run<T>::run(Operation &op) {
  // Integers are shapes, indices, labels and shifts. Arithmetic on them is nothing that a model
  // has.
  for (OpOperand &operand : op.getOpOperands()) {
    bool isInteger = !isa<FloatType>(getElementTypeOrSelf(operand.get()));
    bool mayBeInteger = operand.getOperandNumber() >= (isa<tosa::MulOp>(op) ? 2 : 1) &&
                        isa<SelectClassOp, tosa::ResizeOp, tosa::ReshapeOp, tosa::MulOp,
                            tensor::DimOp, tensor::ExpandShapeOp>(op);
    if (isInteger && !mayBeInteger)
      return createStringError(
          llvm::formatv("the interpreter does not support an operand of type {0} of {1}",
                        operand.get().getType(), op.getName()));
  }

  return TypeSwitch<Operation *, Error>(&op)
      .Case<GetParamOp, SelectClassOp, EvolveOp, CoupleOp, RateOp, SinCosOp, FusedRateOp, DriftOp,
            ReadoutOp, un0::Conv2DOp, tosa::Conv2DOp, tosa::ResizeOp, tosa::TransposeOp,
            tosa::MaximumOp, tosa::MulOp, tosa::AddOp, tosa::TanhOp, tosa::ReshapeOp,
            tensor::ExpandShapeOp, tensor::CollapseShapeOp, tensor::CastOp, tensor::DimOp,
            tosa::ConstOp, tosa::ConstShapeOp, arith::ConstantOp>(
          [this](auto op) { return this->visit(op); })
      .Default([](Operation *op) {
        return createStringError(
            llvm::formatv("the interpreter does not support {0}", op->getName()));
      });
}

} // namespace

template <typename T>
Expected<typename Interpreter<T>::Outputs>
Interpreter<T>::run(const Tensor<T> &theta0, const Tensor<T> &phi0, ArrayRef<int64_t> labels) {
  auto func = module.lookupSymbol<func::FuncOp>("generate");
  if (!func)
    return createStringError("the module has no function @generate");
  return Run<T>(module, loader, observer, params).generate(func, theta0, phi0, labels);
}

template class un0::Interpreter<float>;
template class un0::Interpreter<double>;
