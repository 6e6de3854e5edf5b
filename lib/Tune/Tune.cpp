//===- Tune.cpp - search for the decoder's schedule on this machine -*- C++ -*-===//
//
// The search is in Search.cpp. Here are the decoders it times: the model's own, compiled without
// its dynamics, with a call behind every convolution that looks at the clock.
//
//===----------------------------------------------------------------------===//

#include "un0/Tune/Tune.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "un0/Quantize/HostCode.h"
#include "un0/Tune/Search.h"
#include "llvm/ADT/StringExtras.h"
#include <chrono>
#include <random>

using namespace mlir;
using namespace un0;
using llvm::createStringError;
using llvm::Error;
using llvm::Expected;

/// Of so many runs in a turn the fastest counts.
static constexpr unsigned kRuns = 3;
/// More bytes than a cache has are as good as any number.
static constexpr int64_t kMostEvicted = 64 << 20;

static double readClock() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

namespace {

/// Moments at which convolutions began and ended.
struct Marks {
  std::vector<double> times;
  size_t count = 0;

  static void take(void *data) {
    auto &marks = *static_cast<Marks *>(data);
    marks.times[marks.count++] = readClock();
  }
};

/// What the decoders of a search share: weights are packed alike for all, and the working memory is
/// the same, so that no alternative has better pages than another.
class HostBench : public Workbench {
public:
  HostBench(ModuleOp module, ArchiveSet &archives, const CpuTarget &target)
      : archives(archives), target(target), module(module.clone()),
        couplingBytes(countCouplingBytes(module)) {
    removeDynamics(*this->module);
    (*this->module)->setAttr(cpu::kTimedAttr, UnitAttr::get(module.getContext()));
  }

  Expected<std::unique_ptr<TimedDecoder>> build(ArrayRef<ConvBlocks> blocks) override;
  double now() override { return readClock(); }

  /// A whole evolution lies between two images: it reads the couplings, and the caches have little
  /// of the decoder afterwards.
  void evict() {
    const volatile char *bytes = couplings.get();
    for (int64_t i = 0; i < couplingBytes; i += 64)
      (void)bytes[i];
  }

  HostMemory weights, arena, features, images;

private:
  /// Of shared couplings, as far as a cache can hold them.
  static int64_t countCouplingBytes(ModuleOp module);

  ArchiveSet &archives;
  const CpuTarget &target;
  OwningOpRef<ModuleOp> module;
  HostMemory couplings;
  int64_t couplingBytes, arenaBytes = 0;
};

class HostDecoder : public TimedDecoder {
public:
  HostDecoder(HostBench &bench, HostCode code, ArrayRef<ConvBlocks> blocks)
      : bench(bench), code(std::move(code)), convs(blocks.size()) {
    HostCode::Entry entry = this->code.find("decode");
    decode = reinterpret_cast<Decode>(entry.function);
    batch = static_cast<uint64_t>(entry.batch);
    front = llvm::count_if(blocks, [](const ConvBlocks &b) { return b.batched; });
    marks.times.resize(1 + convs * batch);
  }

  std::vector<double> time() override {
    std::vector<double> alone(convs, HUGE_VAL), tile = alone;
    for (unsigned run = 0; run < kRuns; ++run) {
      runOnce(1, alone);
      runOnce(batch, tile);
    }
    for (auto [one, other] : llvm::zip(alone, tile))
      one = (one + other / static_cast<double>(batch)) / 2;
    return alone;
  }

private:
  using Decode = void (*)(const void *, void *, const void *, void *, uint64_t, void (*)(void *),
                          void *);

  /// Seconds of each convolution for `count` images, where less than `least`.
  void runOnce(uint64_t count, std::vector<double> &least) {
    bench.evict();
    marks.count = 0;
    decode(bench.weights.get(), bench.arena.get(), bench.features.get(), bench.images.get(), count,
           Marks::take, &marks);
    std::vector<double> seconds(convs);
    size_t next = 1;
    auto take = [&](size_t conv) {
      seconds[conv] += marks.times[next] - marks.times[next - 1];
      ++next;
    };
    for (size_t conv = 0; conv < front; ++conv)
      take(conv);
    for (uint64_t image = 0; image < count; ++image)
      for (size_t conv = front; conv < convs; ++conv)
        take(conv);
    assert(next == marks.count && "a mark behind every convolution");
    for (auto [best, one] : llvm::zip(least, seconds))
      best = std::min(best, one);
  }

  HostBench &bench;
  HostCode code;
  size_t convs, front;
  uint64_t batch;
  Decode decode;
  Marks marks;
};

} // namespace

int64_t HostBench::countCouplingBytes(ModuleOp module) {
  int64_t bytes = 0;
  module.walk([&](FusedRateOp rate) {
    for (auto [term, coupling] : llvm::enumerate(rate.getCouplings()))
      if (coupling.getDefiningOp<GetParamOp>())
        bytes += cast<ShapedType>(coupling.getType()).getNumElements() *
                 getStorageBits(rate.getPrecision(term)) / 8;
  });
  return std::min(bytes, kMostEvicted);
}

/// The attribute of `conv` with other blocks.
static cpu::ConvScheduleAttr withBlocks(cpu::ConvScheduleAttr schedule, const ConvBlocks &blocks,
                                        bool tuned) {
  return cpu::ConvScheduleAttr::get(schedule.getContext(), schedule.getForm(), blocks.batched,
                                    blocks.images, blocks.rows, tuned);
}

Expected<std::unique_ptr<TimedDecoder>> HostBench::build(ArrayRef<ConvBlocks> blocks) {
  OwningOpRef<ModuleOp> copy(module->clone());
  for (auto [conv, own] : llvm::zip(listConvolutions(*copy), blocks))
    setSchedule(conv, withBlocks(getSchedule(conv), own, /*tuned=*/false));
  Expected<HostCode> code = HostCode::compile(*copy, target);
  if (!code)
    return code.takeError();
  if (code->arenaBytes > arenaBytes) {
    arenaBytes = code->arenaBytes;
    arena = allocateHost(arenaBytes);
  }
  if (!weights) {
    weights = allocateHost(code->weightBytes);
    auto signature = (*copy)->getAttrOfType<DictionaryAttr>("un0.signature");
    auto get = [&](StringRef name) { return signature.getAs<IntegerAttr>(name).getInt(); };
    int64_t values = get("features") * target.lanes;
    features = allocateHost(values * 4);
    images = allocateHost(get("channels") * get("height") * get("width") * target.lanes * 4);
    couplings = allocateHost(couplingBytes);
    if (weights && features && images && couplings) {
      if (Error error = packHostWeights(*copy, archives, weights.get()))
        return std::move(error);
      // Like sines and cosines, in size.
      std::mt19937 generator(1);
      for (int64_t i = 0; i < values; ++i)
        reinterpret_cast<float *>(features.get())[i] =
            static_cast<float>(generator() >> 8) / (1 << 23) - 1;
      std::memset(couplings.get(), 1, couplingBytes);
    }
  }
  if (!arena || !weights || !features || !images || !couplings)
    return createStringError("cannot get memory to run the decoder in");
  if (!code->find("decode").function)
    return createStringError("the code for this machine lacks an entry");
  return std::make_unique<HostDecoder>(*this, std::move(*code), blocks);
}

Error un0::checkTunable(const CpuTarget &target) {
  Expected<CpuTarget> host = CpuTarget::get("host");
  if (!host)
    return host.takeError();
  std::vector<std::string> missing;
  for (const std::string &feature : target.features)
    if (!host->has(feature))
      missing.push_back(feature);
  if (missing.empty())
    return Error::success();
  return createStringError("it measures on this machine, which lacks %s of cpu '%s'",
                           llvm::join(missing, ", ").c_str(), target.cpu.c_str());
}

Expected<TuneReport> un0::tuneDecoder(ModuleOp module, ArchiveSet &archives,
                                      const CpuTarget &target, double seconds) {
  SmallVector<un0::Conv2DOp> convs = listConvolutions(module);
  std::vector<ConvSpace> spaces;
  std::vector<ConvBlocks> start;
  TuneReport report;
  for (un0::Conv2DOp conv : convs) {
    cpu::ConvScheduleAttr schedule = getSchedule(conv);
    bool planes = schedule.getForm() != cpu::ConvForm::Direct;
    spaces.push_back({cpu::getPointRows(conv, schedule.getForm()), planes, conv != convs.back()});
    start.push_back({schedule.getBatched(), schedule.getImages(), schedule.getRows()});
    report.convs.push_back({getOperatorName(conv).str(), schedule, schedule});
  }
  if (convs.empty())
    return report;
  HostBench bench(module, archives, target);
  Expected<SearchResult> found = searchBlocks(spaces, target.lanes, start, seconds, bench);
  if (!found)
    return found.takeError();
  report.alternatives = found->alternatives;
  report.complete = found->complete;
  for (auto [i, conv] : llvm::enumerate(convs)) {
    TunedConv &row = report.convs[i];
    row.secondsBefore = found->before[i];
    row.secondsAfter = found->after[i];
    if (found->blocks[i] != start[i])
      row.after = withBlocks(row.before, found->blocks[i], /*tuned=*/true);
    setSchedule(conv, row.after);
  }
  return report;
}

std::string un0::describeSchedule(cpu::ConvScheduleAttr schedule) {
  std::string text = cpu::stringifyConvForm(schedule.getForm()).str();
  if (schedule.getForm() != cpu::ConvForm::Direct)
    text +=
        ", " + std::to_string(schedule.getImages()) + " x " + std::to_string(schedule.getRows());
  return schedule.getBatched() ? text + ", batched" : text;
}
