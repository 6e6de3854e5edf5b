//===- ProgramState.h - what a verifier knows of a tile ---------------------===//
#ifndef UN0_RUNTIME_DSA_PROGRAMSTATE_H
#define UN0_RUNTIME_DSA_PROGRAMSTATE_H

#include "Program.h"

#include <algorithm>
#include <map>
#include <vector>

namespace un0::dsa {

/// A set of oscillators as ascending ranges that do not touch: files say how many there are.
class Ranges {
public:
  bool empty() const { return ranges.empty(); }
  size_t size() const { return ranges.size(); }
  void clear() { ranges.clear(); }
  void insert(uint64_t begin, uint64_t end) {
    auto first = ranges.upper_bound(begin);
    if (first != ranges.begin() && std::prev(first)->second >= begin) {
      --first;
      if (first->second >= end)
        return; // loops insert the same again and again
      begin = first->first;
    }
    auto last = first;
    for (; last != ranges.end() && last->first <= end; ++last)
      end = std::max(end, last->second);
    ranges.erase(first, last);
    ranges.emplace(begin, end);
  }
  /// The first of [begin, end) that is missing, `end` if none is.
  uint64_t firstMissing(uint64_t begin, uint64_t end) const {
    auto after = ranges.upper_bound(begin);
    if (after == ranges.begin() || std::prev(after)->second <= begin)
      return begin;
    return std::min(std::prev(after)->second, end);
  }
  /// The first that `others` lack, or -1. Looks through both.
  int64_t firstMissingIn(const Ranges &others) const {
    auto other = others.ranges.begin();
    for (const auto &r : ranges) {
      while (other != others.ranges.end() && other->second <= r.first)
        ++other;
      if (other == others.ranges.end() || other->first > r.first)
        return static_cast<int64_t>(r.first);
      if (other->second < r.second)
        return static_cast<int64_t>(other->second);
    }
    return -1;
  }

private:
  std::map<uint64_t, uint64_t> ranges; // begin: end
};

/// The blocks of a bank or of a link that hold what depends on the class. Behind the end of `each`
/// they hold another sample's, and must be loaded again before they act.
class ClassBlocks {
public:
  struct Block {
    uint64_t row, rowEnd, column, columnEnd;
    bool stale;
  };

  /// What is loaded replaces what it covers.
  void load(Block block, bool dependsOnClass) {
    blocks.erase(std::remove_if(blocks.begin(), blocks.end(),
                                [&](const Block &old) {
                                  return block.row <= old.row && old.rowEnd <= block.rowEnd &&
                                         block.column <= old.column &&
                                         old.columnEnd <= block.columnEnd;
                                }),
                 blocks.end());
    if (dependsOnClass)
      blocks.push_back(block);
  }
  void clear() { blocks.clear(); }
  void leaveEach() {
    for (Block &block : blocks)
      block.stale = true;
  }
  bool anyStale() const {
    return std::any_of(blocks.begin(), blocks.end(), [](const Block &b) { return b.stale; });
  }
  size_t size() const { return blocks.size(); }

private:
  std::vector<Block> blocks;
};

} // namespace un0::dsa

#endif // UN0_RUNTIME_DSA_PROGRAMSTATE_H
