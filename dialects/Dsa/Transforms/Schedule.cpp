//===- Schedule.cpp - load couplings while tiles run ------------*- C++ -*-===//

#include "Hardware.h"
#include "dialects/Dsa/Transforms/Passes.h"
#include "mlir/IR/Builders.h"

namespace un0 {
#define GEN_PASS_DEF_DSASCHEDULE
#include "dialects/Dsa/Transforms/Passes.h.inc"
} // namespace un0

using namespace mlir;
using namespace un0;

namespace {

/// A clear, or none, and the couples behind it: what makes one state of a tile's couplings.
struct LoadGroup {
  SmallVector<Operation *> ops;
  bool clears = false;

  explicit operator bool() const { return !ops.empty(); }
};

/// Which blocks of couplings a bank has; nothing is known of a bank that is not `known`.
struct BankContents {
  bool known = false;
  SmallVector<std::pair<Attribute, Attribute>> blocks; // place, data

  bool operator==(const BankContents &other) const {
    return known && other.known && blocks == other.blocks;
  }
};

class Scheduler {
public:
  Scheduler(dsa::ProgramOp program, bool twoBanks)
      : program(program), symbols(program), twoBanks(twoBanks) {}

  void run();
  unsigned numLoads = 0, numRepeated = 0, numHidden = 0, numClears = 0, numUnused = 0;

private:
  static StringAttr getTile(Operation *op) {
    auto name = op->getAttrOfType<FlatSymbolRefAttr>("tile");
    return name ? name.getAttr() : StringAttr();
  }
  static LoadGroup takeGroup(Operation *first);
  /// Whether data that is loaded where `below` was overwrites all of it.
  bool covers(Attribute data, Attribute below);
  BankContents apply(const LoadGroup &group, const BankContents &before);
  /// Load groups of the tile in a block itself, not in regions of its operations.
  static SmallVector<LoadGroup> getGroups(Block &block, StringAttr tile);
  static bool loads(Operation *op, StringAttr tile);
  /// Whether the tile evolves in `op`, or may, together with a tile that it drives.
  bool runs(Operation *op, StringAttr tile);
  static bool isInEach(Block &block) {
    Operation *parent = block.getParentOp();
    return isa<dsa::EachOp>(parent) || parent->getParentOfType<dsa::EachOp>();
  }

  BankContents dropRepeated(Block &block, StringAttr tile, BankContents contents);
  void useBanks(Block &block, StringAttr tile);
  void useBanksOf(Block &block, StringAttr tile);
  void dropClears(Block &block, StringAttr tile);
  void dropUnused();
  void erase(LoadGroup &group);

  dsa::ProgramOp program;
  SymbolTable symbols;
  bool twoBanks;
};

} // namespace

LoadGroup Scheduler::takeGroup(Operation *first) {
  LoadGroup group;
  StringAttr tile = getTile(first);
  group.clears = isa<dsa::ClearOp>(first);
  for (Operation *op = first; op; op = op->getNextNode()) {
    bool clear = isa<dsa::ClearOp>(op);
    if ((!clear && !isa<dsa::CoupleOp>(op)) || getTile(op) != tile || (clear && op != first))
      break;
    group.ops.push_back(op);
  }
  return group;
}

bool Scheduler::covers(Attribute data, Attribute below) {
  auto find = [&](Attribute name) {
    return symbols.lookup<dsa::DataOp>(cast<FlatSymbolRefAttr>(name).getAttr());
  };
  dsa::DataOp top = find(data), bottom = find(below);
  return top.getRows() >= bottom.getRows() && top.getColumns() >= bottom.getColumns();
}

BankContents Scheduler::apply(const LoadGroup &group, const BankContents &before) {
  BankContents after = before;
  if (group.clears)
    after = {true, {}};
  for (Operation *op : group.ops)
    if (auto couple = dyn_cast<dsa::CoupleOp>(op)) {
      llvm::erase_if(after.blocks, [&](auto &block) {
        return block.first == couple.getAtAttr() && covers(couple.getDataAttr(), block.second);
      });
      after.blocks.push_back({couple.getAtAttr(), couple.getDataAttr()});
    }
  return after;
}

SmallVector<LoadGroup> Scheduler::getGroups(Block &block, StringAttr tile) {
  SmallVector<LoadGroup> groups;
  for (Operation *op = block.empty() ? nullptr : &block.front(); op;) {
    if (isa<dsa::ClearOp, dsa::CoupleOp>(op) && getTile(op) == tile) {
      groups.push_back(takeGroup(op));
      op = groups.back().ops.back()->getNextNode();
    } else {
      op = op->getNextNode();
    }
  }
  return groups;
}

bool Scheduler::loads(Operation *op, StringAttr tile) {
  return op
      ->walk([&](Operation *inner) {
        bool load = isa<dsa::ClearOp, dsa::CoupleOp>(inner) && getTile(inner) == tile;
        return load ? WalkResult::interrupt() : WalkResult::advance();
      })
      .wasInterrupted();
}

bool Scheduler::runs(Operation *op, StringAttr tile) {
  llvm::DenseSet<Attribute> evolving = {tile};
  program.walk([&](dsa::LinkOp link) {
    if (link.getSourceAttr().getAttr() == tile)
      evolving.insert(getTile(link));
  });
  return op->walk([&](dsa::RunOp run) {
             return evolving.contains(getTile(run)) ? WalkResult::interrupt()
                                                    : WalkResult::advance();
           })
      .wasInterrupted();
}

void Scheduler::erase(LoadGroup &group) {
  numRepeated += group.ops.size() - group.clears;
  for (Operation *op : group.ops)
    op->erase();
}

/// Leaves out groups that load what the tile has; returns what it has at the end.
BankContents Scheduler::dropRepeated(Block &block, StringAttr tile, BankContents contents) {
  for (Operation *op = block.empty() ? nullptr : &block.front(); op;) {
    Operation *next = op->getNextNode();
    if (isa<dsa::ClearOp, dsa::CoupleOp>(op) && getTile(op) == tile) {
      LoadGroup group = takeGroup(op);
      next = group.ops.back()->getNextNode();
      BankContents after = apply(group, contents);
      if (after == contents)
        erase(group);
      contents = std::move(after);
    } else if (auto repeat = dyn_cast<dsa::RepeatOp>(op); repeat && loads(op, tile)) {
      Block &body = repeat.getBody().front();
      BankContents end = dropRepeated(body, tile, {});
      // What the last turn leaves is what the next one begins with: once, before the loop. A run
      // that comes before it in the first turn must not see it.
      SmallVector<LoadGroup> groups = getGroups(body, tile);
      auto isFirst = [&](Operation *group) {
        for (Operation *op = group->getPrevNode(); op; op = op->getPrevNode())
          if (loads(op, tile) || runs(op, tile))
            return false;
        return true;
      };
      if (!groups.empty() && apply(groups.front(), BankContents()) == end &&
          isFirst(groups.front().ops.front())) {
        for (Operation *load : groups.front().ops)
          load->moveBefore(repeat);
        numRepeated += groups.front().ops.size() - 1;
      }
      contents = std::move(end);
    } else if (loads(op, tile)) {
      contents = {}; // in dsa.each, from class to class
    }
    op = next;
  }
  return contents;
}

void Scheduler::useBanks(Block &block, StringAttr tile) {
  useBanksOf(block, tile);
  // Afterwards: what a loop has loaded before it is not swapped there.
  for (Operation &op : llvm::make_early_inc_range(block))
    if (isa<dsa::RepeatOp, dsa::EachOp>(op))
      useBanks(op.getRegion(0).front(), tile);
}

/// Loads of a group that clears move up behind the swap that made the group before it act.
void Scheduler::useBanksOf(Block &block, StringAttr tile) {
  OpBuilder b(block.getParentOp()->getContext());
  SmallVector<LoadGroup> groups = getGroups(block, tile);
  if (groups.empty())
    return;
  Operation *lastSwap = nullptr;
  SmallVector<Operation *> swaps;
  for (LoadGroup &group : groups) {
    // Without a clear it adds to what the tile has, and that is in the bank that acts.
    if (!group.clears) {
      b.setInsertionPoint(group.ops.front());
      dsa::SwapOp::create(b, group.ops.front()->getLoc(), tile.getValue());
    }
    b.setInsertionPointAfter(group.ops.back());
    auto swap = dsa::SwapOp::create(b, group.ops.front()->getLoc(), tile.getValue());
    swaps.push_back(swap);
  }
  auto barrier = [&](Operation *from, Operation *to) {
    for (Operation *op = from; op != to; op = op->getNextNode())
      if (op->getNumRegions() && loads(op, tile))
        return true;
    return false;
  };
  auto moveBehind = [&](LoadGroup &group, Operation *place) {
    for (Operation *op : group.ops) {
      op->moveAfter(place);
      place = op;
      numHidden += isa<dsa::CoupleOp>(op);
    }
  };
  // What differs from sample to sample is loaded when its sample comes.
  if (isInEach(block))
    return;
  for (auto [i, group] : llvm::enumerate(groups)) {
    if (group.clears && lastSwap && !barrier(lastSwap, group.ops.front()))
      moveBehind(group, lastSwap);
    lastSwap = swaps[i];
  }
  auto repeat = dyn_cast<dsa::RepeatOp>(block.getParentOp());
  if (!repeat || !groups.front().clears || barrier(&block.front(), nullptr))
    return;
  // The first group of the next turn is loaded during the last run of this one.
  b.setInsertionPoint(repeat);
  for (Operation *op : groups.front().ops)
    b.clone(*op);
  moveBehind(groups.front(), swaps.back());
}

/// A clear is for couplings that no load behind it overwrites.
void Scheduler::dropClears(Block &block, StringAttr tile) {
  BankContents banks[2];
  unsigned loaded = 0;
  for (Operation *op = block.empty() ? nullptr : &block.front(); op;) {
    Operation *next = op->getNextNode();
    if (isa<dsa::ClearOp, dsa::CoupleOp>(op) && getTile(op) == tile) {
      LoadGroup group = takeGroup(op);
      next = group.ops.back()->getNextNode();
      BankContents after = apply(group, banks[loaded]);
      bool covered = group.clears && banks[loaded].known;
      for (auto &[place, data] : banks[loaded].blocks)
        covered &= llvm::any_of(after.blocks, [&, place = place, data = data](auto &block) {
          return block.first == place && covers(block.second, data);
        });
      if (covered) {
        group.ops.front()->erase();
        ++numClears;
      }
      banks[loaded] = std::move(after);
    } else if (isa<dsa::SwapOp>(op) && getTile(op) == tile) {
      loaded ^= 1;
    } else if (op->getNumRegions() && (loads(op, tile) || isa<dsa::RepeatOp>(op))) {
      for (Region &region : op->getRegions())
        dropClears(region.front(), tile);
      banks[0] = banks[1] = {};
    }
    op = next;
  }
}

void Scheduler::dropUnused() {
  llvm::DenseSet<Attribute> used = {program.getResultAttr()};
  program.walk([&](Operation *op) {
    for (NamedAttribute attr : op->getAttrs())
      if (isa<FlatSymbolRefAttr>(attr.getValue()))
        used.insert(attr.getValue());
  });
  for (Operation &op : llvm::make_early_inc_range(program.getBody().front()))
    if (isa<dsa::TileOp, dsa::BufferOp, dsa::DataOp>(op) &&
        !used.contains(FlatSymbolRefAttr::get(SymbolTable::getSymbolName(&op)))) {
      op.erase();
      ++numUnused;
    }
}

void Scheduler::run() {
  Block &body = program.getBody().front();
  for (auto tile : llvm::to_vector(body.getOps<dsa::TileOp>())) {
    StringAttr name = tile.getSymNameAttr();
    dropRepeated(body, name, {});
    if (twoBanks)
      useBanks(body, name);
    dropClears(body, name);
  }
  dropUnused();
  program.walk([&](dsa::CoupleOp) { ++numLoads; });
}

namespace {
struct DsaSchedulePass : un0::impl::DsaScheduleBase<DsaSchedulePass> {
  void runOnOperation() override {
    for (auto program : getOperation().getOps<dsa::ProgramOp>()) {
      dsa::Hardware hardware;
      if (rt::Status status = dsa::parseHardware(program.getHardware().str(),
                                                 program.getHardwareName().str(), hardware)) {
        program.emitOpError() << status.message();
        return signalPassFailure();
      }
      bool twoBanks =
          hardware.kind == dsa::HardwareKind::Oscillators && hardware.get("coupling_banks") == 2;
      Scheduler scheduler(program, twoBanks);
      scheduler.run();
      numLoads += scheduler.numLoads;
      numRepeated += scheduler.numRepeated;
      numHidden += scheduler.numHidden;
      numClears += scheduler.numClears;
      numUnused += scheduler.numUnused;
    }
  }
};
} // namespace
