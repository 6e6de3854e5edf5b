//===- Un0ToCpu.cpp - fused model to packed CPU kernels ---------*- C++ -*-===//
//
// One pass over the chain that the fused phase guarantees: evolve, readout, reshape, convolutions.
// Each entry function is built from the start, since nothing of the tensor form (dynamic batch,
// row-major layout) survives.
//
//===----------------------------------------------------------------------===//

#include "un0/Conversion/Passes.h"

#include "Schedule.h"
#include "Solvers.h"
#include "un0/Codegen/CpuTarget.h"
#include "llvm/ADT/MapVector.h"

namespace un0 {
#define GEN_PASS_DEF_UN0TOCPU
#include "lib/Conversion/Passes.h.inc"
} // namespace un0

using namespace mlir;
using namespace un0;
using un0::cpu::kLine;
using un0::cpu::Packing;
using un0::cpu::padToLine;

namespace {

/// The pieces of `@generate`, found and checked once.
struct ModelChain {
  func::FuncOp func;
  EvolveOp evolve; // null with 0 steps
  ReadoutOp readout;
  SmallVector<un0::Conv2DOp> convs;
  int64_t oscillators, conditioning, features, channels, height, width;
};

int64_t dim(Value value, unsigned i) { return cast<ShapedType>(value.getType()).getDimSize(i); }

/// Lines of 16 rows of a coupling with `sources` sources.
int64_t getLines(int64_t sources, Precision precision, int64_t group) {
  if (precision == Precision::F32)
    return sources;
  return cpu::getPanelLines(llvm::divideCeil(sources, cpu::getPerWord(precision)), precision,
                            group);
}

/// As what the waves of a coupling's source are packed.
Precision getWavePrecision(Precision coupling) {
  return coupling == Precision::Int4 ? Precision::Int8 : coupling;
}

/// How the weights of a convolution other than the last are packed.
Packing getPacking(un0::Conv2DOp conv, const ConvSchedule &schedule) {
  return schedule.form != cpu::ConvForm::Direct ? Packing::ConvPlanes
         : conv.getUpsample()                   ? Packing::ConvUpsample
                                                : Packing::Conv3x3;
}

Packing getTablePacking(SelectClassOp select) {
  return select.getBits() ? Packing::ClassWords : Packing::ClassRows;
}

class Lowering {
public:
  Lowering(ModuleOp module, const CpuTarget &target)
      : module(module), target(target), symbols(module), b(module.getContext()) {}

  LogicalResult run();
  unsigned numEntries = 0, numPacked = 0;

private:
  LogicalResult findChain();
  LogicalResult placeParameters();
  LogicalResult place(Value param, Packing packing, ArrayRef<int64_t> shape,
                      Precision precision = Precision::F32, int64_t zeroPoint = 0,
                      int64_t columns = 0, cpu::ConvForm form = cpu::ConvForm::Direct);
  LogicalResult buildEvolve(int64_t batch, bool team = false);
  void buildReadout();
  void buildDecode();
  int64_t getObservedBytes();
  void describe();
  /// Images that `un0_decode` takes at most: a batch tile, or one that is looked at.
  int64_t getDecodeBatch() const { return module->hasAttr(cpu::kObserveAttr) ? 1 : target.lanes; }

  friend struct DecodeBuilder;
  func::FuncOp beginEntry(StringRef kind, int64_t batch, ArrayRef<Type> arguments);
  MemRefType f32(ArrayRef<int64_t> shape) { return MemRefType::get(shape, b.getF32Type()); }
  Value alloc(ArrayRef<int64_t> shape) { return memref::AllocOp::create(b, loc, f32(shape)); }
  /// The packed form of a parameter, as a view of the entry's weights.
  Value packed(Value param, Packing packing, Precision precision = Precision::F32,
               int64_t columns = 0);
  Value allocWords(ArrayRef<int64_t> shape) {
    return memref::AllocOp::create(b, loc, MemRefType::get(shape, b.getI32Type()));
  }
  int64_t getGroup() const { return 2; }

  SmallVector<int64_t> phases(int64_t n, int64_t batch) {
    return batch == 1 ? SmallVector<int64_t>{padToLine(n)}
                      : SmallVector<int64_t>{padToLine(n), batch};
  }
  SmallVector<int64_t> waves(int64_t n, int64_t batch) {
    return batch == 1 ? SmallVector<int64_t>{2, padToLine(n)}
                      : SmallVector<int64_t>{padToLine(n), 2, batch};
  }

  struct Place {
    cpu::PackedParamOp op;
    SmallVector<int64_t> shape;
  };

  ModuleOp module;
  const CpuTarget &target;
  SymbolTable symbols;
  OpBuilder b;
  ModelChain chain;
  SmallVector<ConvSchedule> schedules; // of chain.convs
  /// By symbol, packing, precision and columns of a group.
  llvm::MapVector<std::tuple<StringAttr, Packing, Precision, int64_t>, Place> places;
  int64_t weightBytes = 0;
  Location loc = b.getUnknownLoc();
  Value weights, arena;
};

LogicalResult Lowering::findChain() {
  chain.func = module.lookupSymbol<func::FuncOp>("generate");
  if (!chain.func)
    return module.emitError("no function @generate to lower");
  loc = chain.func.getLoc();
  auto type = chain.func.getFunctionType();
  if (type.getNumInputs() != 3 || type.getNumResults() != 1)
    return chain.func.emitError("@generate has ")
           << type.getNumInputs() << " inputs and " << type.getNumResults()
           << " results instead of 3 and 1";
  // Walk back from the returned image.
  Value value = cast<func::ReturnOp>(chain.func.getBody().front().getTerminator()).getOperand(0);
  while (auto conv = value.getDefiningOp<un0::Conv2DOp>()) {
    chain.convs.push_back(conv);
    value = conv.getInput();
  }
  std::reverse(chain.convs.begin(), chain.convs.end());
  auto expand = value.getDefiningOp<tensor::ExpandShapeOp>();
  if (chain.convs.empty() || !expand)
    return chain.func.emitError("the image is not a chain of un0.conv2d on reshaped features");
  chain.readout = expand.getSrc().getDefiningOp<ReadoutOp>();
  if (!chain.readout)
    return expand.emitError("the reshaped features are not those of un0.readout");
  Value phases = chain.readout.getPhases();
  if (phases != chain.func.getArgument(0)) {
    chain.evolve = phases.getDefiningOp<EvolveOp>();
    if (!chain.evolve || phases != chain.evolve.getResult(0))
      return chain.readout.emitError(
          "reads phases that are neither the first state of un0.evolve nor the initial ones");
  }
  for (auto [i, conv] : llvm::enumerate(chain.convs)) {
    bool last = i + 1 == chain.convs.size();
    if (last && (conv.getUpsample() || conv.getActivation() == Activation::LeakyRelu))
      return conv.emitError(
          "the last convolution must have no upsampling, and tanh or no activation, on target cpu");
    if (!last && conv.getActivation() == Activation::Tanh)
      return conv.emitError("tanh is supported on the last convolution only, on target cpu");
    if (conv.getPrecision() != chain.convs.front().getPrecision())
      return conv.emitError("is ") << stringifyPrecision(conv.getPrecision()) << " in a chain of "
                                   << stringifyPrecision(chain.convs.front().getPrecision())
                                   << " convolutions; target cpu takes one precision for all";
  }
  chain.oscillators = dim(chain.func.getArgument(0), 1);
  chain.conditioning = dim(chain.func.getArgument(1), 1);
  chain.features = dim(chain.readout.getFeatures(), 1);
  Value image = chain.convs.back().getOutput();
  chain.channels = dim(image, 1);
  chain.height = dim(image, 2);
  chain.width = dim(image, 3);
  return success();
}

LogicalResult Lowering::place(Value param, Packing packing, ArrayRef<int64_t> shape,
                              Precision precision, int64_t zeroPoint, int64_t columns,
                              cpu::ConvForm form) {
  auto get = param.getDefiningOp<GetParamOp>();
  if (!get)
    return emitError(param.getLoc(), "expected a parameter, not a computed value, on target cpu");
  StringAttr symbol = get.getParamAttr().getAttr();
  auto [it, inserted] = places.insert({{symbol, packing, precision, columns}, Place()});
  if (!inserted)
    return success();
  int64_t bytes = 4;
  for (int64_t d : shape)
    if (llvm::MulOverflow(bytes, d, bytes))
      return get.emitError("parameter is too large to pack");
  auto op = cpu::PackedParamOp::create(
      b, loc, (symbol.getValue() + "_" + cpu::stringifyPacking(packing)).str(), symbol, packing,
      weightBytes, bytes, target.lanes, getGroup(), precision, zeroPoint, columns, form);
  symbols.insert(op);
  it->second = {op, SmallVector<int64_t>(shape)};
  if (llvm::AddOverflow(weightBytes, static_cast<int64_t>(llvm::alignTo(bytes, 64)), weightBytes))
    return get.emitError("parameters are too large to pack");
  ++numPacked;
  return success();
}

LogicalResult Lowering::placeParameters() {
  b.setInsertionPoint(chain.func);
  if (chain.evolve) {
    for (Operation &op : chain.evolve.getBody().front().without_terminator()) {
      if (auto rate = dyn_cast<FusedRateOp>(op)) {
        int64_t padded = padToLine(dim(rate.getResult(), 1));
        if (failed(place(rate.getFrequency(), Packing::Vector, {padded})))
          return failure();
        for (auto [term, coupling] : llvm::enumerate(rate.getCouplings())) {
          if (auto select = coupling.getDefiningOp<SelectClassOp>()) {
            Value table = select.getTable();
            if (cast<ShapedType>(table.getType()).getRank() != 3 ||
                select.getLabel() != chain.func.getArgument(2))
              return select.emitError(
                  "is not a classes x N x M table selected by the model's labels");
            SmallVector<int64_t> shape = {dim(table, 0) + 1, dim(table, 2), padded};
            if (select.getBits()) {
              shape.back() = cpu::getTableLines(padded);
              shape.push_back(kLine);
            }
            if (failed(place(table, getTablePacking(select), shape)))
              return failure();
          } else {
            Precision precision = rate.getPrecision(term);
            if (failed(place(coupling, Packing::Rows16,
                             {padded / kLine,
                              getLines(dim(coupling, 1), precision, rate.getGroup(term)), kLine},
                             precision, /*zeroPoint=*/0, rate.getGroup(term))))
              return failure();
          }
        }
      } else if (auto drift = dyn_cast<DriftOp>(op)) {
        if (failed(place(drift.getFrequency(), Packing::Vector,
                         {padToLine(dim(drift.getResult(), 1))})))
          return failure();
      } else if (!isa<SinCosOp>(op)) {
        return op.emitError("is not supported in a fused un0.evolve on target cpu");
      }
    }
  }
  schedules =
      scheduleConvolutions(chain.convs, getDecodeBatch(), module->hasAttr(cpu::kDirectAttr));
  for (auto [conv, schedule] : llvm::zip_equal(chain.convs, schedules)) {
    int64_t in = padToLine(dim(conv.getInput(), 1)), out = dim(conv.getOutput(), 1),
            padded = padToLine(out);
    bool last = conv == chain.convs.back();
    Packing packing = last ? Packing::ConvPlanar : getPacking(conv, schedule);
    int64_t size = last ? 9 * in * out : (conv.getUpsample() ? 16 : 9) * in * padded;
    if (packing == Packing::ConvPlanes) {
      int64_t sides = cpu::getPlaneShape(schedule.form).planes;
      size = sides * sides * cpu::getPlaneChannels(dim(conv.getInput(), 1)) * padded;
    }
    int64_t zeroPoint = 0;
    if (conv.getPrecision() == Precision::Int8) {
      int64_t inputs = dim(conv.getInput(), 1), blocks = llvm::divideCeil(inputs, 4 * kLine);
      zeroPoint = *conv.getInputZeroPoint();
      size = last                 ? 2 * padded + 9 * blocks * out * kLine
             : conv.getUpsample() ? 4 * cpu::getByteWeightWords(inputs, 4, padded)
                                  : cpu::getByteWeightWords(inputs, 9, padded);
    }
    if (failed(place(conv.getWeight(), packing, {size}, conv.getPrecision(), zeroPoint,
                     /*columns=*/0, schedule.form)) ||
        failed(place(conv.getBias(), Packing::Vector, {padded})))
      return failure();
  }
  // A module without parameters still has a section to point at.
  weightBytes = std::max<int64_t>(weightBytes, 64);
  return success();
}

Value Lowering::packed(Value param, Packing packing, Precision precision, int64_t columns) {
  StringAttr symbol = param.getDefiningOp<GetParamOp>().getParamAttr().getAttr();
  Place &place = places.find({symbol, packing, precision, columns})->second;
  Value offset = arith::ConstantIndexOp::create(b, loc, place.op.getOffset());
  bool floats = precision == Precision::F32 && packing != Packing::ClassWords;
  MemRefType type = floats ? f32(place.shape) : MemRefType::get(place.shape, b.getI32Type());
  return memref::ViewOp::create(b, loc, type, weights, offset, ValueRange());
}

func::FuncOp Lowering::beginEntry(StringRef kind, int64_t batch, ArrayRef<Type> arguments) {
  b.setInsertionPoint(chain.func);
  SmallVector<Type> inputs = {MemRefType::get({weightBytes}, b.getI8Type()),
                              MemRefType::get({0}, b.getI8Type())};
  llvm::append_range(inputs, arguments);
  std::string name = "un0_" + kind.str() + (kind == "evolve" ? "_" + std::to_string(batch) : "");
  auto func = func::FuncOp::create(b, loc, name, b.getFunctionType(inputs, {}));
  func->setAttr("cpu.entry", b.getStringAttr(kind));
  func->setAttr("cpu.batch", b.getI64IntegerAttr(batch));
  symbols.insert(func);
  Block *block = func.addEntryBlock();
  b.setInsertionPointToStart(block);
  weights = block->getArgument(0);
  arena = block->getArgument(1);
  ++numEntries;
  return func;
}

/// One thread's view of a team's entry: what only one thread may do, where all wait, and whose rows
/// are whose. Without a team all of it is nothing.
struct TeamBuilder {
  OpBuilder &b;
  Location loc;
  Value thread, threads, barrier, data; // null without a team

  void wait() {
    if (thread)
      cpu::BarrierOp::create(b, loc, barrier, data);
  }
  /// What the body makes is done by the first thread only.
  void once(function_ref<void()> body) {
    if (!thread)
      return body();
    Value zero = arith::ConstantIndexOp::create(b, loc, 0);
    Value first = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, thread, zero);
    auto branch = scf::IfOp::create(b, loc, first, /*withElseRegion=*/false);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(branch.thenBlock());
    body();
  }
  /// This thread's part of `count` things, as even as can be.
  std::pair<Value, Value> share(int64_t count) {
    if (!thread)
      return {};
    Value all = arith::ConstantIndexOp::create(b, loc, count);
    Value one = arith::ConstantIndexOp::create(b, loc, 1);
    auto bound = [&](Value t) -> Value {
      return arith::DivUIOp::create(b, loc, arith::MulIOp::create(b, loc, t, all), threads);
    };
    return {bound(thread), bound(arith::AddIOp::create(b, loc, thread, one))};
  }
};

LogicalResult Lowering::buildEvolve(int64_t batch, bool team) {
  int64_t n = chain.oscillators, m = chain.conditioning;
  // Memory of no elements has no LLVM form; nobody reads this argument then.
  SmallVector<Type> types = {f32({batch, n}), f32({batch, std::max<int64_t>(m, 1)}),
                             MemRefType::get({batch}, b.getI64Type()), f32({batch, n})};
  if (team) {
    Type pointer = LLVM::LLVMPointerType::get(b.getContext());
    types.append({b.getI64Type(), b.getI64Type(), pointer, pointer});
  }
  func::FuncOp func = beginEntry(team ? "evolve_team" : "evolve", batch, types);
  ArrayRef<BlockArgument> args = func.getArguments();
  Value labels = args[4], result = args[5];
  auto finish = [&] { func::ReturnOp::create(b, loc); };
  TeamBuilder all{b, loc, {}, {}, {}, {}};
  if (team) {
    all.thread = arith::IndexCastOp::create(b, loc, b.getIndexType(), args[6]);
    all.threads = arith::IndexCastOp::create(b, loc, b.getIndexType(), args[7]);
    all.barrier = args[8];
    all.data = args[9];
  }

  // Initial phases by the argument of @generate that they are.
  DenseMap<Value, Value> initial;
  auto load = [&](Value source) -> Value {
    Value &buffer = initial[source];
    if (!buffer) {
      int64_t count = dim(source, 1);
      buffer = alloc(phases(count, batch));
      Value rows = source == chain.func.getArgument(0) ? args[2] : args[3];
      all.once([&] { cpu::LoadPhasesOp::create(b, loc, rows, buffer); });
    }
    return buffer;
  };
  auto isInput = [&](Value value) {
    return value == chain.func.getArgument(0) || value == chain.func.getArgument(1);
  };

  Value theta;
  if (!chain.evolve) {
    theta = load(chain.func.getArgument(0));
    all.once([&] { cpu::StorePhasesOp::create(b, loc, theta, result); });
    finish();
    return success();
  }

  EvolveOp evolve = chain.evolve;
  Block &body = evolve.getBody().front();
  Tableau tableau = getTableau(evolve.getSolver());
  int64_t stages = tableau.b.size();
  bool euler = stages == 1;
  double h = evolve.getStepTime();

  struct Population {
    Value state, point;
    SmallVector<Value> rates;
  };
  SmallVector<Population> populations;
  for (Value value : evolve.getInitial()) {
    if (!isInput(value))
      return evolve.emitError("initial states must be arguments of @generate on target cpu");
    Population p;
    p.state = load(value);
    auto shape = cast<MemRefType>(p.state.getType()).getShape();
    if (!euler) {
      p.point = alloc(shape);
      for (int64_t j = 0; j < stages; ++j)
        p.rates.push_back(alloc(shape));
    }
    populations.push_back(p);
  }

  // Everything that does not change in time: views of parameters, the gathered drive, buffers.
  DenseMap<Value, Value> buffers; // couplings, frequencies, drifts
  DenseMap<Operation *, Value> wave, words;
  DenseMap<Operation *, Precision> wordPrecision;
  Value scratch;
  int64_t scratchWords = 0;
  for (Operation &op : body.without_terminator()) {
    if (auto sincos = dyn_cast<SinCosOp>(op)) {
      wave[&op] = alloc(waves(dim(sincos.getPhases(), 1), batch));
    } else if (auto drift = dyn_cast<DriftOp>(op)) {
      if (!isInput(drift.getInitial()))
        return drift.emitError("initial phases must be an argument of @generate on target cpu");
      load(drift.getInitial());
      buffers[drift.getResult()] = alloc(phases(dim(drift.getResult(), 1), batch));
      buffers[drift.getFrequency()] = packed(drift.getFrequency(), Packing::Vector);
    } else if (auto rate = dyn_cast<FusedRateOp>(op)) {
      buffers[rate.getFrequency()] = packed(rate.getFrequency(), Packing::Vector);
      for (auto [term, coupling] : llvm::enumerate(rate.getCouplings())) {
        Precision precision = rate.getPrecision(term);
        if (precision != Precision::F32) {
          auto sincos = rate.getSines()[term].getDefiningOp<SinCosOp>();
          int64_t padded = padToLine(dim(sincos.getPhases(), 1));
          Precision kind = getWavePrecision(precision);
          auto [known, first] = wordPrecision.insert({sincos, kind});
          if (!first && known->second != kind)
            return rate.emitError("the waves of one population are wanted as ")
                   << stringifyPrecision(known->second) << " and as " << stringifyPrecision(kind);
          int64_t count = padded / cpu::getPerWord(kind);
          if (first)
            words[sincos] = allocWords(batch == 1 ? ArrayRef<int64_t>({2, count})
                                                  : ArrayRef<int64_t>({count, 2, batch}));
          // A tile's sums do not fit the registers twice, nor are nibbles unpacked for every row.
          if (batch > 1 && precision == Precision::Int16)
            scratchWords = std::max(scratchWords, 2 * kLine * batch);
          if (batch > 1 && precision == Precision::Int4)
            scratchWords = std::max(scratchWords, dim(coupling, 1) / 4 * kLine);
        }
        if (buffers.count(coupling))
          continue;
        auto select = coupling.getDefiningOp<SelectClassOp>();
        if (!select) {
          buffers[coupling] = packed(coupling, Packing::Rows16, precision, rate.getGroup(term));
          continue;
        }
        Value table = packed(select.getTable(), getTablePacking(select));
        int64_t padded = padToLine(dim(coupling, 1)), sources = dim(coupling, 2);
        Value drive = batch == 1 ? alloc({sources, padded}) : alloc({padded, sources, batch});
        all.once([&] { cpu::GatherClassOp::create(b, loc, table, labels, drive); });
        buffers[coupling] = drive;
      }
    }
  }

  if (scratchWords)
    scratch = allocWords({scratchWords});
  all.wait();

  auto index = [&](int64_t i) -> Value { return arith::ConstantIndexOp::create(b, loc, i); };
  auto loop = scf::ForOp::create(b, loc, index(0), index(evolve.getSteps()), index(1));
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    Value step = arith::IndexCastOp::create(b, loc, b.getI32Type(), loop.getInductionVar());
    Value stepF = arith::SIToFPOp::create(b, loc, b.getF32Type(), step);
    auto constant = [&](double v) -> Value {
      return arith::ConstantOp::create(b, loc, b.getF32FloatAttr(static_cast<float>(v)));
    };
    auto combine = [&](Population &p, ArrayRef<double> weights, Value out) {
      SmallVector<float> coefficients;
      SmallVector<Value> rates;
      for (auto [w, k] : llvm::zip(weights, p.rates))
        if (w != 0.0) {
          coefficients.push_back(static_cast<float>(w * h));
          rates.push_back(k);
        }
      cpu::CombineOp::create(b, loc, p.state, rates, out, b.getDenseF32ArrayAttr(coefficients));
    };
    for (int64_t stage = 0; stage < stages; ++stage) {
      bool first = stage == 0;
      if (!first) {
        all.once([&] {
          for (Population &p : populations)
            combine(p, tableau.a[stage], p.point);
        });
        all.wait();
      }
      auto point = [&](Value value) -> Value {
        if (auto arg = dyn_cast<BlockArgument>(value))
          return first ? populations[arg.getArgNumber()].state
                       : populations[arg.getArgNumber()].point;
        return buffers.lookup(value);
      };
      // Waves of every population first: an Euler update overwrites the phases it starts from.
      for (Operation &op : body.without_terminator()) {
        if (auto drift = dyn_cast<DriftOp>(op)) {
          Value t = arith::MulFOp::create(b, loc, stepF, constant(h));
          if (tableau.c[stage] != 0.0)
            t = arith::AddFOp::create(b, loc, t, constant(h * tableau.c[stage]));
          all.once([&] {
            cpu::DriftOp::create(b, loc, initial.lookup(drift.getInitial()),
                                 buffers.lookup(drift.getFrequency()), t,
                                 buffers.lookup(drift.getResult()));
          });
        } else if (auto sincos = dyn_cast<SinCosOp>(op)) {
          Value phases = point(sincos.getPhases());
          if (!phases)
            return sincos.emitError("phases are neither a state nor a drift");
          auto precision = wordPrecision.find(&op);
          PrecisionAttr kind;
          if (precision != wordPrecision.end())
            kind = PrecisionAttr::get(b.getContext(), precision->second);
          // The population that is read out is the large one; the others are not worth a split.
          bool split = team && sincos.getPhases() == body.getArgument(0);
          auto make = [&] {
            Value from, to;
            if (split) {
              std::tie(from, to) = all.share(padToLine(dim(sincos.getPhases(), 1)) / kLine);
              from = arith::MulIOp::create(b, loc, from, index(kLine));
              to = arith::MulIOp::create(b, loc, to, index(kLine));
            }
            cpu::WavesOp::create(b, loc, phases, wave[&op], words.lookup(&op), from, to, kind);
          };
          if (split)
            make();
          else
            all.once(make);
        }
      }
      all.wait();
      for (auto [i, value] : llvm::enumerate(evolve.getYield().getRates())) {
        auto rate = value.getDefiningOp<FusedRateOp>();
        if (!rate)
          return evolve.getYield().emitError("rate ") << i << " is not a un0.fused_rate";
        SmallVector<Value> couplings, sources;
        SmallVector<int64_t> drains;
        for (auto [term, coupling, sine] : llvm::enumerate(rate.getCouplings(), rate.getSines())) {
          Precision precision = rate.getPrecision(term);
          couplings.push_back(buffers.lookup(coupling));
          sources.push_back(precision == Precision::F32 ? wave.lookup(sine.getDefiningOp())
                                                        : words.lookup(sine.getDefiningOp()));
          int64_t drain = rate.getDrains() ? (*rate.getDrains())[term] : 0;
          drains.push_back(drain / cpu::getPerWord(precision));
        }
        Population &p = populations[i];
        bool split = team && i == 0;
        auto make = [&] {
          Value from, to;
          if (split)
            std::tie(from, to) =
                all.share(cpu::getRowGroups(padToLine(dim(rate.getResult(), 1)), target.lanes));
          cpu::RateOp::create(b, loc, buffers.lookup(rate.getFrequency()),
                              wave.lookup(rate.getTargetSine().getDefiningOp()), couplings, sources,
                              p.state, euler ? p.state : p.rates[stage], scratch, from, to,
                              euler ? b.getF32FloatAttr(static_cast<float>(h)) : FloatAttr(),
                              rate.getPrecisionsAttr(),
                              rate.getDrains() ? b.getDenseI64ArrayAttr(drains)
                                               : DenseI64ArrayAttr(),
                              rate.getGroupsAttr());
        };
        if (split)
          make();
        else
          all.once(make);
      }
      all.wait();
    }
    if (!euler) {
      all.once([&] {
        for (Population &p : populations)
          combine(p, tableau.b, p.state);
      });
      all.wait();
    }
  }
  all.once([&] { cpu::StorePhasesOp::create(b, loc, populations[0].state, result); });
  finish();
  return success();
}

void Lowering::buildReadout() {
  int64_t n = chain.oscillators, padded = padToLine(n);
  func::FuncOp func = beginEntry("readout", 1, {f32({n}), f32({chain.features})});
  Value rows = memref::ExpandShapeOp::create(b, loc, ArrayRef<int64_t>{1, n}, func.getArgument(2),
                                             SmallVector<ReassociationIndices>{{0, 1}});
  Value phases = alloc({padded});
  cpu::LoadPhasesOp::create(b, loc, rows, phases);
  cpu::ReadoutOp::create(b, loc, phases, alloc({3, padded}), func.getArgument(3),
                         b.getI64IntegerAttr(n), chain.readout.getReferenceAttr(),
                         chain.readout.getEncodingAttr());
  func::ReturnOp::create(b, loc);
}

/// `un0_decode` being built: convolutions that all images pass together, then a loop over images.
struct DecodeBuilder {
  Lowering &lowering;
  OpBuilder &b;
  Location loc;
  int64_t batch;
  Value count, observed; // observed: where images are kept, or null
  int64_t observedBytes = 0;

  Value index(int64_t i) { return arith::ConstantIndexOp::create(b, loc, i); }
  FloatAttr toF32(const APFloat &value) {
    return b.getF32FloatAttr(static_cast<float>(value.convertToDouble()));
  }
  void forEachImage(function_ref<void(Value image)> body) {
    auto loop = scf::ForOp::create(b, loc, index(0), count, index(1));
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    body(loop.getInductionVar());
  }
  /// Number `image` of a batch; what is no batch of images (rank `rank`) is returned as it is.
  Value of(Value memory, Value image, int64_t rank = 4) {
    auto type = cast<MemRefType>(memory.getType());
    if (type.getRank() == rank)
      return memory;
    SmallVector<OpFoldResult> offsets(type.getRank(), b.getIndexAttr(0)), sizes,
        strides(type.getRank(), b.getIndexAttr(1));
    offsets.front() = image;
    for (int64_t size : type.getShape())
      sizes.push_back(b.getIndexAttr(size));
    sizes.front() = b.getIndexAttr(1);
    auto one = memref::SubViewOp::inferRankReducedResultType(type.getShape().drop_front(), type,
                                                             offsets, sizes, strides);
    return memref::SubViewOp::create(b, loc, one, memory, offsets, sizes, strides);
  }
  /// An image as large as the tensor `like`, or a batch of them.
  Value allocImage(Value like, bool bytes, bool batched) {
    SmallVector<int64_t> shape = {
        static_cast<int64_t>(llvm::divideCeil(dim(like, 1), bytes ? 4 * kLine : kLine)),
        dim(like, 2) + 2, dim(like, 3) + 2, kLine};
    if (batched)
      shape.insert(shape.begin(), batch);
    return bytes ? lowering.allocWords(shape) : lowering.alloc(shape);
  }
  /// Where the output of `conv` goes.
  Value makeOutput(un0::Conv2DOp conv, bool batched) {
    bool bytes = conv.getPrecision() == Precision::Int8;
    if (bytes || !observed)
      return allocImage(conv.getOutput(), bytes, batched);
    MemRefType type =
        lowering.f32({padToLine(dim(conv.getOutput(), 1)) / kLine, dim(conv.getOutput(), 2) + 2,
                      dim(conv.getOutput(), 3) + 2, kLine});
    Value at = index(observedBytes);
    observedBytes += type.getNumElements() * 4;
    return memref::ViewOp::create(b, loc, type, observed, at, ValueRange());
  }
  /// The ring of padding around an image that `conv` reads.
  void padFor(un0::Conv2DOp conv, Value image) {
    if (conv.getPrecision() == Precision::Int8)
      cpu::FillRingOp::create(b, loc, image, b.getI64IntegerAttr(*conv.getInputZeroPoint()));
    else
      cpu::ZeroOp::create(b, loc, image, b.getUnitAttr());
  }
  void scatter(un0::Conv2DOp conv, Value features, Value image) {
    IntegerAttr inputs = b.getI64IntegerAttr(dim(conv.getInput(), 1));
    if (conv.getPrecision() != Precision::Int8) {
      cpu::ZeroOp::create(b, loc, image, UnitAttr());
      cpu::ScatterFeaturesOp::create(b, loc, features, image, inputs);
      return;
    }
    padFor(conv, image);
    cpu::ScatterBytesOp::create(b, loc, features, image, inputs, toF32(*conv.getInputScale()),
                                b.getI64IntegerAttr(*conv.getInputZeroPoint()));
  }
  void convolve(un0::Conv2DOp conv, un0::Conv2DOp next, const ConvSchedule &schedule, Value input,
                Value output);
  void finish(un0::Conv2DOp conv, Value input, Value planes);
};

void DecodeBuilder::convolve(un0::Conv2DOp conv, un0::Conv2DOp next, const ConvSchedule &schedule,
                             Value input, Value output) {
  bool bytes = conv.getPrecision() == Precision::Int8;
  Value images = schedule.batched ? count : Value();
  Value weights =
      lowering.packed(conv.getWeight(), getPacking(conv, schedule), conv.getPrecision());
  Value bias = lowering.packed(conv.getBias(), Packing::Vector);
  FloatAttr slope;
  if (conv.getActivation() == Activation::LeakyRelu)
    slope = toF32(*conv.getSlope());
  int64_t channels = dim(conv.getInput(), 1);
  IntegerAttr lanes = b.getI64IntegerAttr(lowering.target.lanes),
              group = b.getI64IntegerAttr(lowering.getGroup());
  if (bytes) {
    cpu::Conv2DBytesOp::create(b, loc, input, weights, bias, output, images,
                               b.getI64IntegerAttr(channels), toF32(*conv.getInputScale()),
                               toF32(*next.getInputScale()),
                               b.getI64IntegerAttr(*next.getInputZeroPoint()),
                               conv.getUpsampleAttr(), slope, lanes, group);
  } else if (schedule.form == cpu::ConvForm::Direct) {
    cpu::Conv2DOp::create(b, loc, input, weights, bias, output, images, conv.getUpsampleAttr(),
                          slope, lanes, group);
  } else {
    cpu::PlaneShape shape = cpu::getPlaneShape(schedule.form);
    int64_t planes = shape.planes * shape.planes;
    int64_t points = schedule.images * schedule.rows * (dim(conv.getInput(), 3) / shape.step);
    // A point more than there are: planes at multiples of 4 KB would share few cache sets.
    Value transformed = lowering.alloc({planes, points + 1, cpu::getPointStride(channels)});
    Value products =
        lowering.alloc({planes, points + 1, lowering.getGroup() * lowering.target.lanes});
    cpu::Conv2DPlanesOp::create(b, loc, input, weights, bias, output, transformed, products, images,
                                cpu::ConvFormAttr::get(b.getContext(), schedule.form),
                                b.getI64IntegerAttr(channels), b.getI64IntegerAttr(schedule.images),
                                b.getI64IntegerAttr(schedule.rows), slope, lanes, group);
  }
}

void DecodeBuilder::finish(un0::Conv2DOp conv, Value input, Value planes) {
  UnitAttr tanh = conv.getActivation() == Activation::Tanh ? b.getUnitAttr() : UnitAttr();
  Value weights = lowering.packed(conv.getWeight(), Packing::ConvPlanar, conv.getPrecision());
  Value bias = lowering.packed(conv.getBias(), Packing::Vector);
  if (conv.getPrecision() == Precision::Int8)
    cpu::Conv2DPlanarBytesOp::create(b, loc, input, weights, bias, planes,
                                     toF32(*conv.getInputScale()), tanh);
  else
    cpu::Conv2DPlanarOp::create(b, loc, input, weights, bias, planes, tanh);
}

void Lowering::buildDecode() {
  bool observed = module->hasAttr(cpu::kObserveAttr);
  int64_t batch = getDecodeBatch();
  SmallVector<Type> types = {f32({batch, chain.features}),
                             f32({batch, chain.channels, chain.height, chain.width}),
                             b.getI64Type()};
  if (observed) {
    types.push_back(MemRefType::get({getObservedBytes()}, b.getI8Type()));
    module->setAttr(cpu::kObserveAttr, b.getI64IntegerAttr(getObservedBytes()));
  }
  func::FuncOp func = beginEntry("decode", batch, types);
  Value features = func.getArgument(2), images = func.getArgument(3);
  Value count = arith::IndexCastOp::create(b, loc, b.getIndexType(), func.getArgument(4));
  DecodeBuilder decode{*this, b,     loc,
                       batch, count, observed ? Value(func.getArgument(5)) : Value()};
  // Big weights first: all images together.
  un0::Conv2DOp front = chain.convs.front();
  bool bytes = front.getPrecision() == Precision::Int8;
  Value current;
  size_t next = 0;
  if (schedules.front().batched) {
    current = decode.allocImage(front.getInput(), bytes, true);
    decode.forEachImage(
        [&](Value i) { decode.scatter(front, decode.of(features, i, 1), decode.of(current, i)); });
  }
  for (; schedules[next].batched; ++next) {
    un0::Conv2DOp conv = chain.convs[next], reader = chain.convs[next + 1];
    Value output = decode.makeOutput(conv, true);
    decode.forEachImage([&](Value i) { decode.padFor(reader, decode.of(output, i)); });
    decode.convolve(conv, reader, schedules[next], current, output);
    current = output;
  }
  decode.forEachImage([&](Value i) {
    if (current) {
      current = decode.of(current, i);
    } else {
      current = decode.allocImage(front.getInput(), bytes, false);
      decode.scatter(front, decode.of(features, i, 1), current);
    }
    for (; next + 1 < chain.convs.size(); ++next) {
      un0::Conv2DOp conv = chain.convs[next], reader = chain.convs[next + 1];
      Value output = decode.makeOutput(conv, false);
      decode.padFor(reader, output);
      decode.convolve(conv, reader, schedules[next], current, output);
      current = output;
    }
    decode.finish(chain.convs.back(), current, decode.of(images, i, 3));
  });
  func::ReturnOp::create(b, loc);
}

int64_t Lowering::getObservedBytes() {
  int64_t bytes = 0;
  for (un0::Conv2DOp conv : chain.convs)
    bytes += padToLine(dim(conv.getInput(), 1)) * (dim(conv.getInput(), 2) + 2) *
             (dim(conv.getInput(), 3) + 2) * 4;
  return bytes;
}

void Lowering::describe() {
  // Integer sums are exact; with them the whole result is to be the same on every processor.
  chain.func.walk([&](FusedRateOp rate) {
    for (unsigned term = 0; term < rate.getCouplings().size(); ++term)
      if (llvm::is_contained({Precision::Int8, Precision::Int4}, rate.getPrecision(term)))
        module->setAttr(cpu::kExactAttr, b.getUnitAttr());
  });
  if (chain.convs.front().getPrecision() == Precision::Int8)
    module->setAttr(cpu::kExactAttr, b.getUnitAttr());
  int64_t classes = 0;
  SmallVector<Attribute> costs;
  auto integer = [&](StringRef name, uint64_t value) {
    return b.getNamedAttr(name, b.getI64IntegerAttr(static_cast<int64_t>(value)));
  };
  chain.func.walk([&](Operation *op) {
    if (auto select = dyn_cast<SelectClassOp>(op))
      classes = dim(select.getTable(), 0);
    auto costed = dyn_cast<CostOpInterface>(op);
    if (!costed || isa<EvolveOp>(op))
      return;
    auto evolve = op->getParentOfType<EvolveOp>();
    uint64_t count = evolve ? evolve.getSteps() * getTableau(evolve.getSolver()).b.size() : 1;
    StringRef part = evolve || isa<SelectClassOp>(op) ? "dynamics"
                     : isa<ReadoutOp>(op)             ? "readout"
                                                      : "decoder";
    auto add = [&](const Cost &cost, Precision precision) {
      costs.push_back(b.getDictionaryAttr(
          {b.getNamedAttr("op", b.getStringAttr(op->getName().getStringRef())),
           b.getNamedAttr("part", b.getStringAttr(part)),
           b.getNamedAttr("arithmetic", b.getStringAttr(getArithmetic(precision))),
           integer("count", count), integer("multiply_adds", cost.multiplyAdds),
           integer("bits", cost.bits), integer("special_functions", cost.specialFunctions),
           integer("parameter_bytes", cost.parameterBytes), integer("bytes_read", cost.bytesRead),
           integer("bytes_written", cost.bytesWritten)}));
    };
    if (auto conv = dyn_cast<un0::Conv2DOp>(op))
      return add(costed.getCost(), conv.getPrecision());
    auto rate = dyn_cast<FusedRateOp>(op);
    if (!rate)
      return add(costed.getCost(), Precision::F32);
    // A row per coupling: each has an arithmetic of its own.
    Cost rest = rate.getCost();
    for (unsigned term = 0; term < rate.getCouplings().size(); ++term) {
      Cost cost = rate.getTermCost(term);
      add(cost, rate.getPrecision(term));
      rest -= cost;
    }
    rest.bits = 0;
    add(rest, Precision::F32);
  });
  module->setAttr("un0.costs", b.getArrayAttr(costs));
  if (auto model = chain.func->getAttrOfType<DictionaryAttr>("un0.model")) {
    module->setAttr("un0.model", model);
    if (auto stated = model.getAs<IntegerAttr>("classes"))
      classes = stated.getInt();
  }
  SmallVector<NamedAttribute> signature = {integer("oscillators", chain.oscillators),
                                           integer("conditioning", chain.conditioning),
                                           integer("classes", classes),
                                           integer("features", chain.features),
                                           integer("channels", chain.channels),
                                           integer("height", chain.height),
                                           integer("width", chain.width)};
  module->setAttr("un0.signature", b.getDictionaryAttr(signature));
  SmallVector<NamedAttribute> dynamics = {
      b.getNamedAttr(
          "solver",
          b.getStringAttr(chain.evolve ? stringifySolver(chain.evolve.getSolver()) : "euler")),
      integer("steps", chain.evolve ? chain.evolve.getSteps() : 0),
      b.getNamedAttr("time", b.getF64FloatAttr(
                                 chain.evolve ? chain.evolve.getTime().convertToDouble() : 0.0))};
  module->setAttr("un0.dynamics", b.getDictionaryAttr(dynamics));
}

LogicalResult Lowering::run() {
  if (failed(findChain()) || failed(placeParameters()))
    return failure();
  describe();
  if (failed(buildEvolve(1)) || failed(buildEvolve(target.lanes)) ||
      (chain.evolve && failed(buildEvolve(1, /*team=*/true))))
    return failure();
  buildReadout();
  buildDecode();
  chain.func.erase();
  return success();
}

struct Un0ToCpuPass : un0::impl::Un0ToCpuBase<Un0ToCpuPass> {
  void runOnOperation() override {
    llvm::Expected<CpuTarget> target = CpuTarget::of(getOperation());
    if (!target) {
      getOperation().emitError(llvm::toString(target.takeError()));
      return signalPassFailure();
    }
    Lowering lowering(getOperation(), *target);
    if (failed(lowering.run()))
      return signalPassFailure();
    numEntries += lowering.numEntries;
    numPacked += lowering.numPacked;
  }
};

} // namespace
