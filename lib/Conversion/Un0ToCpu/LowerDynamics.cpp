//===- LowerDynamics.cpp - the entries that integrate -----------*- C++ -*-===//
//
// Solvers are expanded into a time loop over kernels; one form for a sample, one for a batch tile,
// and one for a team of threads.
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"
#include "Solvers.h"
#include "Team.h"

using namespace mlir;
using namespace un0;
using un0::cpu::kLine;
using un0::cpu::Packing;
using un0::cpu::padToLine;

/// As what the waves of a coupling's source are packed.
static Precision getWavePrecision(Precision coupling) {
  return coupling == Precision::Int4 ? Precision::Int8 : coupling;
}

static SmallVector<Precision> getPrecisions(FusedRateOp rate) {
  SmallVector<Precision> precisions;
  for (unsigned term = 0; term < rate.getCouplings().size(); ++term)
    precisions.push_back(rate.getPrecision(term));
  return precisions;
}

bool CpuLowering::hasCoupling(int64_t bytes) const {
  return chain.evolve && llvm::any_of(places, [&](const auto &place) {
           return std::get<Packing>(place.first) == Packing::Rows16 &&
                  int64_t(cpu::PackedParamOp(place.second.op).getBytes()) >= bytes;
         });
}

/// Whether batch tiles, of two registers of samples or not (`wide`), take the first coupling in
/// blocks.
static bool isBlocked(FusedRateOp rate, bool wide) {
  if (rate.getCouplings().empty())
    return false;
  Value first = rate.getCouplings()[0];
  Precision precision = rate.getPrecision(0);
  return !first.getDefiningOp<SelectClassOp>() &&
         cpu::isBlocked(llvm::divideCeil(dim(first, 1), cpu::getPerWord(precision)), precision,
                        wide);
}

DenseI64ArrayAttr CpuLowering::getDrains(FusedRateOp rate) {
  if (!rate.getDrains())
    return {};
  SmallVector<int64_t> drains;
  for (auto [term, drain] : llvm::enumerate(*rate.getDrains()))
    drains.push_back(drain / cpu::getPerWord(rate.getPrecision(term)));
  // A block ends where its sums are emptied, and its waves are to fit the first-level cache. Where
  // a sum is emptied decides its last bits: all tiles of the coupling do so, blocks or not.
  if (isBlocked(rate, hasCoupling(target.getFewestWideBytes())) &&
      rate.getPrecision(0) == Precision::Int16)
    drains[0] = std::min(drains[0], cpu::getBlockLines(target.lanes));
  return b.getDenseI64ArrayAttr(drains);
}

LogicalResult CpuLowering::buildEvolve(int64_t batch, bool team) {
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

  // Each state has its own: a step may change it in place.
  auto load = [&](Value source) -> Value {
    Value buffer = alloc(phases(dim(source, 1), batch));
    Value rows = source == chain.func.getArgument(0) ? args[2] : args[3];
    all.once([&] { cpu::LoadPhasesOp::create(b, loc, rows, buffer); });
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
  DenseMap<Value, Value> initial; // of drifts, by the argument of @generate
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
      Value &known = initial[drift.getInitial()];
      if (!known)
        known = load(drift.getInitial());
      buffers[drift.getResult()] = alloc(phases(dim(drift.getResult(), 1), batch));
      buffers[drift.getFrequency()] = packed(drift.getFrequency(), Packing::Vector);
    } else if (auto rate = dyn_cast<FusedRateOp>(op)) {
      buffers[rate.getFrequency()] = packed(rate.getFrequency(), Packing::Vector);
      SmallVector<Precision> precisions = getPrecisions(rate);
      SmallVector<int64_t> lines;
      for (auto [term, coupling, precision] : llvm::enumerate(rate.getCouplings(), precisions)) {
        unsigned sourceAxis = coupling.getDefiningOp<SelectClassOp>() ? 2 : 1;
        lines.push_back(llvm::divideCeil(dim(coupling, sourceAxis), cpu::getPerWord(precision)));
        if (precision != Precision::F32) {
          auto sincos = rate.getSines()[term].getDefiningOp<SinCosOp>();
          int64_t padded = padToLine(dim(sincos.getPhases(), 1));
          Precision kind = getWavePrecision(precision);
          auto [known, first] = wordPrecision.insert({sincos, kind});
          if (!first && known->second != kind)
            return rate.emitError("the waves of one population are wanted as ")
                   << stringifyPrecision(known->second) << " and as " << stringifyPrecision(kind);
          int64_t count = padded / cpu::getPerWord(kind);
          if (first && kind == Precision::BF16 && !target.hasBrainFloats())
            words[sincos] = alloc(waves(padded, batch));
          else if (first)
            words[sincos] = allocWords(batch == 1 ? ArrayRef<int64_t>({2, count})
                                                  : ArrayRef<int64_t>({count, 2, batch}));
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
      bool blocked = isBlocked(rate, batch > target.lanes);
      bool matrix = target.hasByteTiles() && cpu::takesMatrix(precisions, lines, blocked);
      if (batch > 1)
        scratchWords = std::max(
            scratchWords,
            cpu::getTileScratch(precisions, lines, blocked && !matrix, matrix, batch).words);
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
        SmallVector<Precision> precisions = getPrecisions(rate);
        for (auto [coupling, sine, precision] :
             llvm::zip_equal(rate.getCouplings(), rate.getSines(), precisions)) {
          couplings.push_back(buffers.lookup(coupling));
          sources.push_back(precision == Precision::F32 ? wave.lookup(sine.getDefiningOp())
                                                        : words.lookup(sine.getDefiningOp()));
        }
        Population &p = populations[i];
        bool split = team && i == 0;
        auto make = [&] {
          Value from, to;
          if (split)
            std::tie(from, to) =
                all.share(cpu::getRowGroups(padToLine(dim(rate.getResult(), 1)), target.lanes,
                                            target.hasBrainFloats(), precisions)
                              .count());
          // One sample reads its couplings in turns, forth and back.
          Value turn;
          if (batch == 1)
            turn = arith::AddIOp::create(
                b, loc, arith::MulIOp::create(b, loc, loop.getInductionVar(), index(stages)),
                index(stage));
          Value named = rate.getCouplings().empty() ? rate.getFrequency() : rate.getCouplings()[0];
          cpu::RateOp::create(b, locate(named, rate.getLoc()), buffers.lookup(rate.getFrequency()),
                              wave.lookup(rate.getTargetSine().getDefiningOp()), couplings, sources,
                              p.state, euler ? p.state : p.rates[stage], scratch, from, to, turn,
                              euler ? b.getF32FloatAttr(static_cast<float>(h)) : FloatAttr(),
                              rate.getPrecisionsAttr(), getDrains(rate), rate.getGroupsAttr());
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
