//===- CodeCheck.cpp - what the machine code keeps on the stack -*- C++ -*-===//

#include "un0/Target/CodeCheck.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/Transforms/Passes.h"
#include "mlir/Pass/PassManager.h"
#include "un0/Target/ObjectCode.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace un0;

//===--- Reading assembly ---------------------------------------------------===//

namespace {
/// A spill or reload of a vector: "vmovups -40(%rsp), %ymm1  # 32-byte Reload".
struct Access {
  StringRef slot;
  bool write;
};

constexpr unsigned kVectorBytes = 16; // the least; smaller ones are addresses and counters

std::optional<Access> readAccess(StringRef line) {
  auto [code, comment] = line.split('#');
  bool write = comment.ends_with("Spill");
  if (!write && !comment.ends_with("Reload"))
    return std::nullopt;
  unsigned bytes = 0;
  if (comment.ltrim().consumeInteger(10, bytes) || bytes < kVectorBytes)
    return std::nullopt;
  size_t end = code.find("(%rsp)");
  if (end == StringRef::npos)
    return std::nullopt;
  size_t begin = code.find_last_of(" \t,", end);
  return Access{code.slice(begin + 1, end), write};
}

struct Loop {
  StringRef function;
  llvm::MapVector<StringRef, SmallVector<bool>> slots; // whether each access is a write, in order
  llvm::MapVector<unsigned, unsigned> lines;           // instructions by source line
};

/// One pass over the text. Comments behind a block's label, or in the lines below it, say "=>This
/// Inner Loop Header" or "in Loop: Header=BB0_1".
class AssemblyReader {
public:
  std::vector<StackTraffic> read(StringRef text) {
    while (!text.empty()) {
      StringRef line;
      std::tie(line, text) = text.split('\n');
      readLine(line.rtrim());
    }
    std::vector<StackTraffic> result;
    for (auto &[header, loop] : loops)
      if (innermost.contains(header))
        if (StackTraffic traffic = summarize(loop);
            traffic.carried || traffic.temporaries || traffic.constants)
          result.push_back(traffic);
    return result;
  }

private:
  void readLine(StringRef line) {
    StringRef text = line.ltrim();
    if (text.consume_front(".loc")) {
      unsigned file = 0;
      text = text.ltrim();
      if (text.consumeInteger(10, file) || text.ltrim().consumeInteger(10, sourceLine))
        sourceLine = 0;
      return;
    }
    bool block = line.starts_with(".LBB") || line.starts_with("# %bb.");
    if (block) {
      label = line.starts_with(".LBB") ? line.drop_front(2).split(':').first : StringRef();
      header = {};
    } else if (!line.empty() && !llvm::isSpace(line.front()) && line.front() != '#' &&
               line.front() != '.') {
      function = line.split(':').first;
      header = {};
    }
    if (block || text.starts_with("#")) {
      if (text.contains("Inner Loop Header")) {
        header = label;
        innermost.insert(header);
      } else if (size_t at = text.find("in Loop: Header="); at != StringRef::npos) {
        header = text.drop_front(at).split('=').second.split(' ').first;
      }
      return;
    }
    if (header.empty() || text.empty() || text.starts_with("."))
      return;
    Loop &loop = loops[header];
    loop.function = function;
    ++loop.lines[sourceLine];
    if (std::optional<Access> access = readAccess(text))
      loop.slots[access->slot].push_back(access->write);
  }

  static StackTraffic summarize(const Loop &loop) {
    StackTraffic traffic;
    traffic.function = loop.function.str();
    unsigned most = 0;
    for (auto [line, count] : loop.lines)
      if (line && count > most) {
        most = count;
        traffic.line = line;
      }
    for (const auto &[slot, writes] : loop.slots) {
      bool written = llvm::is_contained(writes, true), first = writes.front();
      ++(!written ? traffic.constants : first ? traffic.temporaries : traffic.carried);
    }
    return traffic;
  }

  StringRef function, label, header; // header: of the loop that the block at hand belongs to
  unsigned sourceLine = 0;
  llvm::MapVector<StringRef, Loop> loops;
  llvm::StringSet<> innermost;
};
} // namespace

std::vector<StackTraffic> un0::readStackTraffic(StringRef assembly) {
  return AssemblyReader().read(assembly);
}

//===--- From machine code back to kernels -----------------------------------===//

/// Gives each location that has a name, which is what kernels have, a source line of its own, so
/// that it comes through LLVM; the name of line i + 1 is result[i].
static SmallVector<Location> numberLocations(ModuleOp module) {
  MLIRContext *context = module.getContext();
  llvm::MapVector<Location, unsigned> lines;
  StringAttr file = StringAttr::get(context, "kernels");
  auto number = [&](Location location) -> Location {
    if (!location->findInstanceOf<NameLoc>() && !location->findInstanceOf<FileLineColLoc>())
      return location;
    unsigned next = lines.size() + 1;
    unsigned line = lines.insert({location, next}).first->second;
    return FileLineColLoc::get(file, line, 1);
  };
  for (auto func : module.getOps<LLVM::LLVMFuncOp>()) {
    func.getBody().walk([&](Operation *op) { op->setLoc(number(op->getLoc())); });
    func->setLoc(FileLineColLoc::get(file, 0, 1));
  }
  return llvm::to_vector(llvm::make_first_range(lines));
}

LogicalResult un0::verifyCode(ModuleOp module, const CpuTarget &target) {
  OwningOpRef<ModuleOp> numbered(cast<ModuleOp>(module->clone()));
  SmallVector<Location> locations = numberLocations(*numbered);
  PassManager pm(module.getContext());
  LLVM::DIScopeForLLVMFuncOpPassOptions scope;
  scope.emissionKind = LLVM::DIEmissionKind::LineTablesOnly;
  pm.addPass(LLVM::createDIScopeForLLVMFuncOpPass(scope));
  if (failed(pm.run(*numbered)))
    return failure();
  ObjectOptions options;
  options.assembly = true;
  llvm::Expected<SmallVector<char, 0>> text = compileToObject(*numbered, target, options);
  if (!text)
    return module.emitError(llvm::toString(text.takeError()));
  LogicalResult result = success();
  for (const StackTraffic &loop : readStackTraffic(StringRef(text->data(), text->size()))) {
    Location location =
        loop.line && loop.line <= locations.size() ? locations[loop.line - 1] : module.getLoc();
    if (loop.carried) {
      emitError(location) << "an innermost loop of " << loop.function << " keeps " << loop.carried
                          << " accumulators on the stack on target cpu '" << target.cpu << "'";
      result = failure();
    } else {
      emitRemark(location) << "an innermost loop of " << loop.function << " keeps "
                           << loop.temporaries << " temporary and " << loop.constants
                           << " constant vectors on the stack on target cpu '" << target.cpu << "'";
    }
  }
  return result;
}
