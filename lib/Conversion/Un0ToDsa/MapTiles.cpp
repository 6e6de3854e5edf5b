//===- MapTiles.cpp - a system on tiles of oscillators ----------*- C++ -*-===//

#include "Lowering.h"
#include "llvm/Support/FormatVariadic.h"
#include <cmath>

using namespace mlir;
using namespace un0;
using dsa::Content;

/// More sweeps than this are no plan: the error of time-multiplexing falls with their number, that
/// of levels and converters does not.
static constexpr int64_t kMostSweeps = 128;
/// What scales are chosen for, before the number is known.
static constexpr int64_t kTypicalSweeps = 10;

//===----------------------------------------------------------------------===//
// Scales
//===----------------------------------------------------------------------===//

LoadTerm DsaLowering::getCouplings(std::vector<float> values) const {
  // A wave's mean square is a half.
  return {std::move(values), limits->couplingScale, limits->couplingLimit, /*clips=*/true, 0.5};
}

LoadTerm DsaLowering::getFrequencies(std::vector<float> values) const {
  return {std::move(values), limits->frequencyScale, limits->frequencyLimit, /*clips=*/false, 1.0};
}

std::vector<LoadTerm> DsaLowering::getConditioningTerms(int64_t count, double time) const {
  std::vector<LoadTerm> terms;
  if (!weights.drive)
    return terms;
  auto classes = static_cast<double>(weights.drive->getSlices());
  double square = 0;
  for (int64_t c = 0; c < weights.drive->getSlices(); ++c)
    for (float value : weights.drive->readSlice(c))
      square += double(value) * value / classes;
  // An error of a conditioning oscillator's rate grows with time to an error of its phase, which
  // acts on every main oscillator that it drives.
  double sensitivity = square / static_cast<double>(system.conditioning) * time * time / 3;
  if (weights.conditioningCoupling) {
    LoadTerm term = getCouplings(weights.conditioningCoupling->readSlice(0));
    term.share(count);
    term.weight *= sensitivity;
    terms.push_back(std::move(term));
  }
  if (weights.conditioningFrequency) {
    LoadTerm term = getFrequencies(weights.conditioningFrequency->readSlice(0));
    term.weight = sensitivity;
    terms.push_back(std::move(term));
  }
  return terms;
}

LoadTerm DsaLowering::getDrives(int64_t count) const {
  LoadTerm term{{}, limits->linkScale, limits->couplingLimit, /*clips=*/true, 0.5};
  if (weights.drive) {
    for (int64_t c = 0; c < weights.drive->getSlices(); ++c)
      llvm::append_range(term.values, weights.drive->readSlice(c));
    term.weight /= static_cast<double>(weights.drive->getSlices());
    term.share(std::min(count, limits->linkInputs / system.conditioning));
  }
  return term;
}

double DsaLowering::chooseCopies(ArrayRef<LoadTerm> others, bool driving) {
  copies = 1;
  if (limits->ideal)
    return 1;
  int64_t most = 1;
  if (system.drive && limits->couplingLimit)
    most = limits->oscillators / system.conditioning;
  double least = HUGE_VAL, best = 1;
  for (int64_t count = 1; count <= most; count *= 2) {
    std::vector<LoadTerm> terms = getConditioningTerms(count, system.time);
    llvm::append_range(terms, others);
    if (driving)
      terms.push_back(getDrives(count));
    double candidate = chooseTimeScale(terms), error = getLoadError(terms, candidate);
    // A copy costs power: it has to pay.
    if (error < 0.9 * least) {
      least = error;
      copies = count;
      best = candidate;
    }
  }
  return best;
}

void DsaLowering::roundTo(std::vector<float> &values, const LoadTerm &term, double timeScale) {
  for (float &value : values)
    value = static_cast<float>(toLevel(value, term.fullScale, term.limit, timeScale));
}

//===----------------------------------------------------------------------===//
// Pieces of a program
//===----------------------------------------------------------------------===//

dsa::DataOp DsaLowering::addData(StringRef name, Content content, ParamOp param,
                                 ArrayRef<int64_t> offsets, ArrayRef<int64_t> sizes,
                                 double timeScale, double fullScale, int64_t limit, int64_t classes,
                                 int64_t count) {
  ++numData;
  auto integer = [&](int64_t value, bool there) {
    return there ? b.getI64IntegerAttr(value) : IntegerAttr();
  };
  return declare<dsa::DataOp>(
      b.getStringAttr(name), dsa::ContentAttr::get(b.getContext(), content),
      param ? FlatSymbolRefAttr::get(param.getSymNameAttr()) : FlatSymbolRefAttr(),
      param ? b.getDenseI64ArrayAttr(offsets) : DenseI64ArrayAttr(), b.getDenseI64ArrayAttr(sizes),
      integer(classes, classes > 0), integer(count, count > 1),
      b.getF64FloatAttr(1.0 / (timeScale * static_cast<double>(count))),
      b.getF64FloatAttr(limit ? fullScale / static_cast<double>(limit) : 0.0),
      b.getI64IntegerAttr(limit));
}

dsa::DataOp DsaLowering::addCouplings(StringRef name, ParamOp param, ArrayRef<int64_t> offsets,
                                      ArrayRef<int64_t> sizes, double timeScale) {
  return addData(name, Content::Couplings, param, offsets, sizes, timeScale, limits->couplingScale,
                 limits->couplingLimit);
}

dsa::DataOp DsaLowering::addFrequencies(StringRef name, ParamOp param, int64_t first, int64_t count,
                                        double timeScale) {
  return addData(name, Content::Frequencies, param, {first, 0}, {count, 1}, timeScale,
                 limits->frequencyScale, limits->frequencyLimit);
}

dsa::DataOp DsaLowering::addDrive(StringRef name, int64_t first, int64_t count, double timeScale) {
  bool perClass = cast<ShapedType>(system.drive.getType()).getRank() == 3;
  return addData(name, Content::Couplings, system.drive, {first, 0}, {count, system.conditioning},
                 timeScale, limits->linkScale, limits->couplingLimit, perClass ? system.classes : 0,
                 std::min(copies, limits->linkInputs / system.conditioning));
}

void DsaLowering::addMemory() {
  theta = declare<dsa::BufferOp>("theta", system.oscillators);
  if (system.drive)
    phi = declare<dsa::BufferOp>("phi", system.conditioning);
}

void DsaLowering::addConditioningTile() {
  if (!system.drive)
    return;
  conditioning = declare<dsa::TileOp>("conditioning", 1, system.conditioning * copies);
  ++numTiles;
}

void DsaLowering::addConditioning(ConditioningLoad &load, StringRef suffix, double timeScale) {
  int64_t m = system.conditioning;
  load.scale = timeScale;
  if (system.conditioningCoupling)
    load.couplings = addData(("conditioning_couplings" + suffix).str(), Content::Couplings,
                             system.conditioningCoupling, {0, 0}, {m, m}, timeScale,
                             limits->couplingScale, limits->couplingLimit, 0, copies);
  load.frequencies = addFrequencies(("conditioning_frequencies" + suffix).str(),
                                    system.conditioningFrequency, 0, m, timeScale);
}

void DsaLowering::loadConditioning(const ConditioningLoad &load) {
  if (loaded == load.frequencies)
    return;
  loaded = load.frequencies;
  StringRef tile = conditioning.getSymName();
  int64_t m = system.conditioning;
  dsa::ClearOp::create(b, loc, tile);
  // Every copy is driven by all copies, each with its share.
  for (int64_t target = 0; target < copies && load.couplings; ++target)
    dsa::CoupleOp::create(b, loc, tile, ArrayRef<int64_t>{target * m, 0},
                          dsa::DataOp(load.couplings).getSymName());
  for (int64_t copy = 0; copy < copies; ++copy)
    dsa::DetuneOp::create(b, loc, tile, copy * m, dsa::DataOp(load.frequencies).getSymName());
}

void DsaLowering::setConditioningPhases() {
  if (!system.drive)
    return;
  for (int64_t copy = 0; copy < copies; ++copy)
    dsa::PhaseOp::create(b, loc, conditioning.getSymName(), copy * system.conditioning,
                         phi.getSymName(), 0, system.conditioning);
}

void DsaLowering::link(int64_t first, dsa::DataOp data) {
  dsa::LinkOp::create(b, loc, main.getSymName(), first, conditioning.getSymName(),
                      data.getSymName());
}

void DsaLowering::runFor(dsa::TileOp tile, double modelTime, double timeScale, int64_t steps) {
  ++numRuns;
  dsa::RunOp::create(b, loc, tile.getSymName(), llvm::APFloat(modelTime * timeScale), steps);
  if (limits->settleTime > 0)
    dsa::HoldOp::create(b, loc, tile.getSymName(), llvm::APFloat(limits->settleTime));
}

void DsaLowering::sample(int64_t first, int64_t offset, int64_t count) {
  dsa::SampleOp::create(b, loc, main.getSymName(), first, theta.getSymName(), offset, count,
                        IntegerAttr(), system.needsWindings());
}

//===----------------------------------------------------------------------===//
// A system that fits
//===----------------------------------------------------------------------===//

LogicalResult DsaLowering::mapWhole() {
  int64_t n = system.oscillators;
  std::vector<LoadTerm> terms;
  if (weights.coupling && !limits->ideal)
    terms.push_back(getCouplings(weights.coupling->readSlice(0)));
  if (weights.frequency && !limits->ideal)
    terms.push_back(getFrequencies(weights.frequency->readSlice(0)));
  scale = chooseCopies(terms, /*driving=*/true);

  main = declare<dsa::TileOp>("main", 0, n);
  ++numTiles;
  addConditioningTile();
  addMemory();
  dsa::ClearOp::create(b, loc, main.getSymName());
  if (system.coupling) {
    auto data = addCouplings("couplings", system.coupling, {0, 0}, {n, n}, scale);
    dsa::CoupleOp::create(b, loc, main.getSymName(), ArrayRef<int64_t>{0, 0}, data.getSymName());
  }
  auto data = addFrequencies("frequencies", system.frequency, 0, n, scale);
  dsa::DetuneOp::create(b, loc, main.getSymName(), 0, data.getSymName());
  if (system.drive) {
    addConditioning(conditioningInRuns, "", scale);
    loadConditioning(conditioningInRuns);
  }
  dsa::DataOp drive = system.drive ? addDrive("drive", 0, n, scale) : dsa::DataOp();
  if (drive && !drive.isPerClass())
    link(0, drive);

  // Windings are counted by sampling so often that no phase moves by pi in between.
  int64_t steps = EvolveOp(system.evolve).getSteps(), segments = 1;
  double most = M_PI - limits->sampleStep;
  if (system.needsWindings() && limits->sampleStep > 0) {
    double needed = std::ceil(motion * (1 + 4 * limits->mismatch) / most);
    if (needed > UINT32_MAX) // a dsa.repeat has no more turns
      return system.evolve->emitError("on hardware '")
             << hardware.name << "' needs " << needed
             << " samples to count the windings of its phases, more than " << UINT32_MAX;
    segments = std::max<int64_t>(1, static_cast<int64_t>(needed));
  }
  // A segment is whole steps of the model's solver, where there are enough of them.
  while (segments < steps && steps % segments)
    ++segments;
  forEach([&] {
    dsa::DrawOp::create(b, loc, theta.getSymName(), 0);
    if (system.drive)
      dsa::DrawOp::create(b, loc, phi.getSymName(), n);
    if (drive && drive.isPerClass()) {
      dsa::UnlinkOp::create(b, loc, main.getSymName());
      link(0, drive);
    }
    dsa::PhaseOp::create(b, loc, main.getSymName(), 0, theta.getSymName(), 0, n);
    setConditioningPhases();
    repeat(segments, [&] {
      runFor(main, system.time / static_cast<double>(segments), scale,
             std::max<int64_t>(steps / segments, 1));
      sample(0, 0, n);
    });
  });
  return success();
}

//===----------------------------------------------------------------------===//
// A system that is visited in pairs of groups
//===----------------------------------------------------------------------===//

double DsaLowering::getPairMotion() const {
  // Per model second of a visit, whatever the phases.
  double bound = 0;
  for (int64_t i = 0; i < system.oscillators; ++i) {
    double drive = 0;
    for (const std::vector<float> &values : exact.drives) {
      double sum = 0;
      for (int64_t k = 0; k < system.conditioning; ++k)
        sum += std::fabs(values[i * system.conditioning + k]);
      drive = std::max(drive, sum);
    }
    double rest = drive + (exact.frequency.empty() ? 0 : std::fabs(exact.frequency[i]));
    for (int64_t g = 0; g < groups; ++g) {
      double sum = i / group == g ? rest : 0;
      for (int64_t j = g * group; j < std::min((g + 1) * group, system.oscillators); ++j)
        sum += exact.coupling.empty() ? 0 : std::fabs(exact.coupling[i * system.oscillators + j]);
      bound = std::max(bound, sum);
    }
  }
  return bound;
}

FailureOr<int64_t> DsaLowering::chooseSweeps() {
  double needed = 2;
  if (system.needsWindings())
    needed = std::max(needed, system.time * getPairMotion() * (1 + 4 * limits->mismatch) /
                                  (M_PI - limits->sampleStep));
  if (needed > static_cast<double>(kMostSweeps)) {
    system.evolve->emitError("time-multiplexed on hardware '")
        << hardware.name << "' needs "
        << llvm::formatv("{0:f0} sweeps to count the windings of its phases, more than {1}",
                         std::ceil(needed), kMostSweeps)
               .str();
    return failure();
  }
  HostSystem host(system, exact);
  std::vector<float> wanted = host.runWhole(exact);
  llvm::DenseMap<int64_t, double> errors;
  auto measure = [&](int64_t sweeps) {
    auto [it, first] = errors.insert({sweeps, 0.0});
    if (first)
      it->second = HostSystem::getRms(
          host.runSweeps(rounded, group, sweeps, limits->setStep, limits->sampleStep), wanted);
    return it->second;
  };
  auto even = [](double value) { return 2 * static_cast<int64_t>(std::ceil(value / 2)); };
  int64_t least = even(needed), low = least - 2, high = least;
  while (high < kMostSweeps && measure(high) > budget) {
    low = high;
    high = std::min(2 * high, kMostSweeps);
  }
  if (measure(high) > budget) {
    SystemValues levels = rounded;
    levels.conditioningCoupling = levels.ownCoupling;
    levels.conditioningFrequency = levels.ownFrequency;
    double floor = HostSystem::getRms(host.runWhole(levels), wanted), best = HUGE_VAL;
    int64_t bestSweeps = 0;
    for (auto [sweeps, error] : errors)
      if (error < best || (error == best && sweeps < bestSweeps)) {
        best = error;
        bestSweeps = sweeps;
      }
    system.evolve->emitError("time-multiplexed on hardware '")
        << hardware.name << "' has an error of "
        << llvm::formatv(
               "{0:f3} rms of the features at best, with {1} sweeps, more than the {2:f3} "
               "of --max-splitting-error; its levels alone make {3:f3}",
               best, bestSweeps, budget, floor)
               .str();
    return failure();
  }
  while (high - low > 2) {
    int64_t middle = low + even(static_cast<double>(high - low) / 2);
    if (middle >= high)
      middle = high - 2;
    (measure(middle) > budget ? low : high) = middle;
  }
  program->setAttr("dsa.sweeps", b.getI64IntegerAttr(high));
  program->setAttr("dsa.splitting_error", b.getF64FloatAttr(measure(high)));
  return high;
}

LogicalResult DsaLowering::mapPairs() {
  int64_t n = system.oscillators;
  group = limits->oscillators / 2;
  groups = llvm::divideCeil(n, group);
  exact = SystemValues::read(system, weights);
  auto size = [&](int64_t g) { return std::min(group, n - g * group); };
  auto readBlock = [&](int64_t i, int64_t j) {
    std::vector<float> values(weights.coupling ? size(i) * size(j) : 0);
    if (weights.coupling)
      weights.coupling->read(0, i * group, j * group, size(i), size(j), values);
    return values;
  };

  LoadTerm diagonal = getCouplings({});
  for (int64_t g = 0; g < groups; ++g)
    llvm::append_range(diagonal.values, readBlock(g, g));
  LoadTerm frequency = getFrequencies(exact.frequency);
  // The conditioning system is loaded twice per sweep: with the scale of the diagonal runs, where
  // its errors do not outlive the run, and with one of its own where it moves on.
  double ownScale = chooseCopies({}, /*driving=*/false);
  std::vector<LoadTerm> terms =
      getConditioningTerms(copies, system.time / static_cast<double>(kTypicalSweeps));
  LoadTerm drive = getDrives(copies), conditioningTerm = getCouplings({});
  conditioningTerm.share(copies);
  terms.insert(terms.end(), {diagonal, frequency, drive});
  scale = limits->ideal ? 1.0 : chooseTimeScale(terms);

  // What the tiles will really have, for the estimate.
  rounded = exact;
  for (std::vector<float> &values : rounded.drives)
    roundTo(values, drive, scale);
  roundTo(rounded.conditioningCoupling, conditioningTerm, scale);
  roundTo(rounded.ownCoupling, conditioningTerm, ownScale);
  roundTo(rounded.frequency, frequency, scale);
  roundTo(rounded.conditioningFrequency, frequency, scale);
  roundTo(rounded.ownFrequency, frequency, ownScale);
  auto roundBlock = [&](int64_t i, int64_t j, double timeScale) {
    std::vector<float> values = readBlock(i, j);
    roundTo(values, diagonal, timeScale);
    for (int64_t r = 0; !values.empty() && r < size(i); ++r)
      std::copy_n(&values[r * size(j)], size(j),
                  &rounded.coupling[(i * group + r) * n + j * group]);
  };
  for (int64_t i = 0; i < groups; ++i) {
    roundBlock(i, i, scale);
    for (int64_t j = i + 1; j < groups; ++j) {
      LoadTerm pair = getCouplings(readBlock(i, j));
      llvm::append_range(pair.values, readBlock(j, i));
      if (llvm::all_of(pair.values, [](float value) { return value == 0.0f; })) {
        ++numSkipped;
        continue;
      }
      double timeScale = limits->ideal ? 1.0 : chooseTimeScale(pair);
      pairScales[{i, j}] = timeScale;
      roundBlock(i, j, timeScale);
      roundBlock(j, i, timeScale);
    }
  }
  FailureOr<int64_t> sweeps = chooseSweeps();
  if (failed(sweeps))
    return failure();
  numSweeps += *sweeps;

  main = declare<dsa::TileOp>("main", 0, 2 * group);
  ++numTiles;
  addConditioningTile();
  addMemory();
  auto name = [](StringRef what, int64_t i) { return (what + "." + Twine(i)).str(); };
  for (int64_t i = 0; system.coupling && i < groups; ++i)
    for (int64_t j = 0; j < groups; ++j) {
      auto timeScale = pairScales.find({std::min(i, j), std::max(i, j)});
      if (i != j && timeScale == pairScales.end())
        continue;
      blocks[{i, j}] =
          addCouplings(name(name("couplings", i), j), system.coupling, {i * group, j * group},
                       {size(i), size(j)}, i == j ? scale : timeScale->second);
    }
  for (int64_t g = 0; g < groups; ++g) {
    frequencies.push_back(
        addFrequencies(name("frequencies", g), system.frequency, g * group, size(g), scale));
    if (system.drive)
      drives.push_back(addDrive(name("drive", g), g * group, size(g), scale));
  }
  still = addData("still", Content::Frequencies, nullptr, {}, {2 * group, 1}, 1.0,
                  limits->frequencyScale, limits->frequencyLimit);

  if (system.drive) {
    addConditioning(conditioningInRuns, "", scale);
    if (ownScale != scale)
      addConditioning(conditioningAlone, ".alone", ownScale);
    else
      conditioningAlone = conditioningInRuns;
  }
  dsa::DetuneOp::create(b, loc, main.getSymName(), 0, still.getSymName());
  forEach([&] {
    dsa::DrawOp::create(b, loc, theta.getSymName(), 0);
    if (system.drive)
      dsa::DrawOp::create(b, loc, phi.getSymName(), n);
  });
  double dt = system.time / static_cast<double>(*sweeps);
  int64_t steps =
      std::max<int64_t>(1, (EvolveOp(system.evolve).getSteps() + *sweeps / 2) / *sweeps);
  repeat(*sweeps / 2, [&] {
    loaded = dsa::DataOp();
    addSweep(makeSweep(groups, /*reversed=*/false), dt, steps);
    addSweep(makeSweep(groups, /*reversed=*/true), dt, steps);
    quietMainTile(); // as it was when the first sweep began
  });
  return success();
}

void DsaLowering::addSweep(ArrayRef<Visit> visits, double modelTime, int64_t steps) {
  for (const Visit &visit : visits)
    addVisit(visit, modelTime, steps);
  if (!system.drive)
    return;
  // All diagonal runs of a sweep see the conditioning system from the same start; then it moves on.
  loadConditioning(conditioningAlone);
  forEach([&] {
    setConditioningPhases();
    runFor(conditioning, modelTime, conditioningAlone.scale, steps);
    dsa::SampleOp::create(b, loc, conditioning.getSymName(), 0, phi.getSymName(), 0,
                          system.conditioning, IntegerAttr(), /*unwrap=*/false);
  });
}

void DsaLowering::quietMainTile() {
  if (!detuned)
    return;
  dsa::DetuneOp::create(b, loc, main.getSymName(), 0, still.getSymName());
  if (system.drive)
    dsa::UnlinkOp::create(b, loc, main.getSymName());
  detuned = false;
}

void DsaLowering::addVisit(const Visit &visit, double modelTime, int64_t steps) {
  StringRef tile = main.getSymName();
  bool diagonal = visit.kind == Visit::Diagonal;
  int64_t members[] = {visit.first, visit.second};
  if (!diagonal && !pairScales.contains({visit.first, visit.second}))
    return;
  if (!diagonal)
    quietMainTile();
  detuned = diagonal;
  dsa::ClearOp::create(b, loc, tile);
  auto couple = [&](int64_t target, int64_t source) {
    if (members[target] < 0 || members[source] < 0 || !system.coupling)
      return;
    dsa::CoupleOp::create(b, loc, tile, ArrayRef<int64_t>{target * group, source * group},
                          blocks[{members[target], members[source]}].getSymName());
  };
  if (diagonal) {
    couple(0, 0);
    couple(1, 1);
    if (visit.second < 0)
      dsa::DetuneOp::create(b, loc, tile, 0, still.getSymName());
  } else {
    couple(0, 1);
    couple(1, 0);
  }
  if (diagonal && system.drive)
    loadConditioning(conditioningInRuns);
  bool linked = diagonal && system.drive, perClass = linked && drives.front().isPerClass();
  auto linkAll = [&] {
    dsa::UnlinkOp::create(b, loc, tile);
    for (int half : {0, 1})
      if (members[half] >= 0)
        link(half * group, drives[members[half]]);
  };
  if (diagonal)
    for (int half : {0, 1})
      if (members[half] >= 0)
        dsa::DetuneOp::create(b, loc, tile, half * group, frequencies[members[half]].getSymName());
  if (linked && !perClass)
    linkAll();
  forEach([&] {
    if (perClass)
      linkAll();
    auto count = [&](int half) {
      return std::min(group, system.oscillators - members[half] * group);
    };
    for (int half : {0, 1})
      if (members[half] >= 0)
        dsa::PhaseOp::create(b, loc, tile, half * group, theta.getSymName(), members[half] * group,
                             count(half));
    if (linked)
      setConditioningPhases();
    runFor(main, modelTime,
           diagonal ? scale : pairScales.lookup({visit.first, visit.second}), steps);
    for (int half : {0, 1})
      if (members[half] >= 0)
        sample(half * group, members[half] * group, count(half));
  });
}

LogicalResult DsaLowering::mapTiles() {
  if (!system.evolve || EvolveOp(system.evolve).getSteps() == 0) {
    // 0 steps: the initial phases are the final ones.
    addMemory();
    forEach([&] { dsa::DrawOp::create(b, loc, theta.getSymName(), 0); });
    return success();
  }
  return system.oscillators <= limits->oscillators ? mapWhole() : mapPairs();
}
