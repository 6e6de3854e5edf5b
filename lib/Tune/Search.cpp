//===- Search.cpp - search for a schedule by measuring ----------*- C++ -*-===//

#include "un0/Tune/Search.h"
#include "llvm/ADT/STLExtras.h"
#include <numeric>
#include <set>

using namespace un0;
using llvm::ArrayRef;
using llvm::Expected;
using llvm::SmallVector;

TimedDecoder::~TimedDecoder() = default;
Workbench::~Workbench() = default;

/// A comparison takes so many turns at least and goes on for so long: small decoders need more
/// turns than large ones to outlast what else the machine does. If nothing is faster, it ends after
/// the fewest.
static constexpr unsigned kTurns = 9, kFewestTurns = 3;
static constexpr double kComparisonSeconds = 1;
/// What all convolutions together have to be faster by in the end.
static constexpr double kLeastGainInAll = 0.01;

namespace {

using Decoder = std::shared_ptr<TimedDecoder>;
using Blocks = std::vector<ConvBlocks>;

double getMedian(std::vector<double> values) {
  llvm::sort(values);
  size_t half = values.size() / 2;
  return values.size() % 2 ? values[half] : (values[half - 1] + values[half]) / 2;
}

double getMinimum(const std::vector<double> &values) {
  return *std::min_element(values.begin(), values.end());
}

/// Times of one convolution, or of all, in turns.
struct Turns {
  std::vector<double> first, second;

  void add(double a, double b) {
    first.push_back(a);
    second.push_back(b);
  }
  /// Whether the second is faster by more than `gain` at its best and mostly.
  bool isFaster(double gain) const {
    std::vector<double> ratios;
    for (auto [a, b] : llvm::zip(first, second))
      ratios.push_back(b / a);
    return getMinimum(second) < (1 - gain) * getMinimum(first) && getMedian(ratios) < 1 - gain;
  }
  bool mayBeFaster(double gain) const {
    return getMinimum(second) < (1 - gain) * getMinimum(first);
  }
};

struct Comparison {
  std::vector<Turns> convs;
  Turns all;
};

class Search {
public:
  Search(ArrayRef<ConvSpace> spaces, int64_t batch, Workbench &bench, double end)
      : spaces(spaces), batch(batch), bench(bench), end(end) {}

  Expected<SearchResult> run(ArrayRef<ConvBlocks> start);

private:
  Expected<Decoder> build(ArrayRef<ConvBlocks> blocks) {
    Expected<std::unique_ptr<TimedDecoder>> built = bench.build(blocks);
    if (!built)
      return built.takeError();
    return Decoder(std::move(*built));
  }
  Comparison compare(TimedDecoder &first, TimedDecoder &second,
                     llvm::function_ref<bool(const Comparison &)> goesOn);
  llvm::Error searchFront();
  llvm::Error searchBlocks();
  Expected<bool> tryFront(size_t front);
  Expected<bool> step(ArrayRef<ConvBlocks> next);
  SmallVector<ConvBlocks> getNeighbours(size_t conv) const;
  size_t getFront() const {
    return llvm::find_if(blocks, [](const ConvBlocks &b) { return !b.batched; }) - blocks.begin();
  }
  /// Whether one more alternative, and the judgement at the end, still fit in. Says so if not.
  bool hasTime() {
    bool fits = bench.now() + longest + judgement <= end;
    result.complete &= fits;
    return fits;
  }

  ArrayRef<ConvSpace> spaces;
  int64_t batch;
  Workbench &bench;
  double end, longest = 0, judgement = 0;
  Blocks blocks; // the best so far
  Decoder decoder;
  SearchResult result;
};

Comparison Search::compare(TimedDecoder &first, TimedDecoder &second,
                           llvm::function_ref<bool(const Comparison &)> goesOn) {
  Comparison comparison;
  comparison.convs.resize(spaces.size());
  double begin = bench.now();
  for (unsigned turn = 0; turn < kTurns || bench.now() - begin < kComparisonSeconds; ++turn) {
    if (turn == kFewestTurns && !goesOn(comparison))
      break;
    // Who goes first changes, so that a machine that gets slower or faster favours neither.
    std::vector<double> a, b;
    if (turn % 2)
      b = second.time();
    a = first.time();
    if (turn % 2 == 0)
      b = second.time();
    for (auto [conv, x, y] : llvm::zip(comparison.convs, a, b))
      conv.add(x, y);
    comparison.all.add(std::accumulate(a.begin(), a.end(), 0.0),
                       std::accumulate(b.begin(), b.end(), 0.0));
  }
  return comparison;
}

Expected<bool> Search::tryFront(size_t front) {
  Blocks next = blocks;
  for (auto [i, space, conv] : llvm::enumerate(spaces, next)) {
    bool batched = i < front;
    if (batched == conv.batched)
      continue;
    // As many images as there are: fewer are steps from there.
    bool whole = space.together && conv.rows == space.rows;
    conv = {batched, batched && whole ? batch : 1, conv.rows};
  }
  double begin = bench.now();
  ++result.alternatives;
  Expected<Decoder> other = build(next);
  if (!other)
    return other.takeError();
  Comparison times =
      compare(*decoder, **other, [](const Comparison &c) { return c.all.mayBeFaster(kLeastGain); });
  longest = std::max(longest, bench.now() - begin);
  if (!times.all.isFaster(kLeastGain))
    return false;
  blocks = next;
  decoder = std::move(*other);
  return true;
}

/// How many convolutions, from the first one on, are batched.
llvm::Error Search::searchFront() {
  if (batch == 1)
    return llvm::Error::success();
  for (bool more : {true, false}) {
    bool moved = false;
    while (true) {
      size_t front = getFront();
      if (more ? front == spaces.size() || !spaces[front].mayBatch : front == 0)
        break;
      if (!hasTime())
        return llvm::Error::success();
      Expected<bool> faster = tryFront(more ? front + 1 : front - 1);
      if (!faster)
        return faster.takeError();
      if (!*faster)
        break;
      moved = true;
    }
    if (moved)
      break;
  }
  return llvm::Error::success();
}

/// More and fewer rows, twice and half the images.
SmallVector<ConvBlocks> Search::getNeighbours(size_t i) const {
  const ConvSpace &space = spaces[i];
  const ConvBlocks &now = blocks[i];
  SmallVector<ConvBlocks> neighbours;
  auto add = [&](int64_t images, int64_t rows) {
    if (images != now.images || rows != now.rows)
      neighbours.push_back({now.batched, images, rows});
  };
  for (int64_t rows = now.rows + 1; rows <= space.rows; ++rows)
    if (space.rows % rows == 0) {
      add(now.images, rows);
      break;
    }
  for (int64_t rows = now.rows - 1; rows >= 1; --rows)
    if (space.rows % rows == 0) {
      add(now.images, rows);
      break;
    }
  if (now.batched && space.together) {
    add(std::min(2 * now.images, batch), now.rows);
    add((now.images + 1) / 2, now.rows);
  }
  return neighbours;
}

/// Every convolution at what `next` says, those that are faster kept.
Expected<bool> Search::step(ArrayRef<ConvBlocks> next) {
  double begin = bench.now();
  ++result.alternatives;
  Expected<Decoder> other = build(next);
  if (!other)
    return other.takeError();
  auto differs = [&](size_t i) { return next[i] != blocks[i]; };
  Comparison times = compare(*decoder, **other, [&](const Comparison &c) {
    return llvm::any_of(llvm::seq<size_t>(0, spaces.size()),
                        [&](size_t i) { return differs(i) && c.convs[i].mayBeFaster(kLeastGain); });
  });
  Blocks taken = blocks;
  for (size_t i = 0; i < spaces.size(); ++i)
    if (differs(i) && times.convs[i].isFaster(kLeastGain))
      taken[i] = next[i];
  bool changed = taken != blocks;
  if (changed && ArrayRef(taken) != next) {
    other = build(taken);
    if (!other)
      return other.takeError();
  }
  if (changed) {
    blocks = taken;
    decoder = std::move(*other);
  }
  longest = std::max(longest, bench.now() - begin);
  return changed;
}

llvm::Error Search::searchBlocks() {
  std::vector<std::set<ConvBlocks>> tried(spaces.size());
  for (size_t i = 0; i < spaces.size(); ++i)
    tried[i].insert(blocks[i]);
  while (true) {
    Blocks next = blocks;
    for (size_t i = 0; i < spaces.size(); ++i)
      for (const ConvBlocks &neighbour : getNeighbours(i))
        if (tried[i].insert(neighbour).second) {
          next[i] = neighbour;
          break;
        }
    if (next == blocks)
      return llvm::Error::success();
    if (!hasTime())
      return llvm::Error::success();
    if (Expected<bool> changed = step(next); !changed)
      return changed.takeError();
  }
}

Expected<SearchResult> Search::run(ArrayRef<ConvBlocks> start) {
  blocks = start.vec();
  double begin = bench.now();
  Expected<Decoder> first = build(blocks);
  if (!first)
    return first.takeError();
  double built = bench.now();
  result.before = result.after = (*first)->time();
  double turn = bench.now() - built;
  judgement = std::max(2 * kTurns * turn, kComparisonSeconds + 2 * turn);
  longest = 2 * (built - begin) + judgement;
  decoder = *first;
  if (llvm::Error error = searchFront())
    return std::move(error);
  if (llvm::Error error = searchBlocks())
    return std::move(error);
  if (blocks != Blocks(start)) {
    Comparison times = compare(**first, *decoder, [](const Comparison &) { return true; });
    for (auto [i, conv] : llvm::enumerate(times.convs)) {
      result.before[i] = getMinimum(conv.first);
      result.after[i] = getMinimum(conv.second);
    }
    if (!times.all.isFaster(kLeastGainInAll)) {
      blocks = start.vec();
      result.after = result.before;
    }
  }
  result.blocks = blocks;
  return std::move(result);
}

} // namespace

Expected<SearchResult> un0::searchBlocks(ArrayRef<ConvSpace> spaces, int64_t batch,
                                         ArrayRef<ConvBlocks> start, double seconds,
                                         Workbench &bench) {
  assert(spaces.size() == start.size() && "a start for each convolution");
  return Search(spaces, batch, bench, bench.now() + seconds).run(start);
}
