//===- HostCode.cpp - code made and run while compiling ---------*- C++ -*-===//

#include "un0/Quantize/HostCode.h"

#include "dialects/Cpu/IR/Cpu.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Pass/PassManager.h"
#include "un0/Codegen/Packing.h"
#include "un0/Pipelines/Phases.h"
#include "un0/Target/ObjectCode.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/raw_ostream.h"
#include <cstring>
#include <dlfcn.h>
#include <sys/mman.h>

using namespace mlir;
using namespace un0;
using llvm::createStringError;
using llvm::Error;
using llvm::Expected;

HostMemory un0::allocateHost(int64_t bytes) {
  constexpr int64_t kHugePage = 2 << 20;
  int64_t alignment = bytes >= kHugePage ? kHugePage : 64;
  bytes = llvm::alignTo(std::max<int64_t>(bytes, 64), alignment);
  void *memory = std::aligned_alloc(alignment, bytes);
  if (memory && alignment == kHugePage)
    (void)madvise(memory, bytes, MADV_HUGEPAGE);
  return HostMemory(static_cast<char *>(memory));
}

void un0::removeDynamics(ModuleOp module) {
  SmallVector<EvolveOp> evolves;
  module.walk([&](EvolveOp evolve) { evolves.push_back(evolve); });
  for (EvolveOp evolve : evolves)
    eraseDynamics(evolve);
  module->setAttr(cpu::kDigitalPartAttr, UnitAttr::get(module.getContext()));
}

Error un0::packHostWeights(ModuleOp module, ArchiveSet &archives, char *to) {
  SymbolTable symbols(module);
  for (auto packed : module.getOps<cpu::PackedParamOp>()) {
    auto param = symbols.lookup<ParamOp>(packed.getParam());
    Expected<std::shared_ptr<Archive>> archive = archives.open(param.getArchive());
    if (!archive)
      return archive.takeError();
    const StoredTensor *tensor = (*archive)->find(param.getKey());
    if (!tensor)
      return createStringError("archive '%s' has no tensor '%s'", param.getArchive().str().c_str(),
                               param.getKey().str().c_str());
    char *at = to + packed.getOffset();
    auto sink = [&](ArrayRef<uint8_t> piece) -> Error {
      std::memcpy(at, piece.data(), piece.size());
      at += piece.size();
      return Error::success();
    };
    if (Error error = packParameter(param, packed, *tensor, sink))
      return error;
    // The packed copy is large enough; the archive's pages come back when they are needed.
    (*archive)->release(*tensor, 0, tensor->getNumElements());
  }
  return Error::success();
}

/// Loads the linked code; the file is needed only until then.
static Expected<void *> load(ArrayRef<char> code) {
  SmallString<128> path;
  int descriptor = -1;
  if (std::error_code error =
          llvm::sys::fs::createTemporaryFile("un0-host", "so", descriptor, path))
    return createStringError("cannot create a temporary file: %s", error.message().c_str());
  llvm::scope_exit remove([&] { llvm::sys::fs::remove(path); });
  {
    llvm::raw_fd_ostream os(descriptor, /*shouldClose=*/true);
    os.write(code.data(), code.size());
    os.flush();
    if (os.has_error()) {
      os.clear_error();
      return createStringError("cannot write '%s'", path.c_str());
    }
  }
  void *library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library)
    return createStringError("cannot load the code for this machine: %s", dlerror());
  return library;
}

void HostCode::Close::operator()(void *library) const { dlclose(library); }

HostCode::Entry HostCode::find(StringRef kind) const {
  auto found = entries.find(kind.str());
  return found == entries.end() ? Entry() : found->second;
}

Expected<HostCode> HostCode::compile(ModuleOp module, const CpuTarget &target) {
  target.attach(module);
  // What this machine lacks is no news about the target.
  ScopedDiagnosticHandler quiet(module.getContext(), [](Diagnostic &diagnostic) {
    return success(diagnostic.getSeverity() == DiagnosticSeverity::Remark);
  });
  PassManager pm(module.getContext());
  for (Phase phase : {Phase::Loops, Phase::Vector, Phase::LLVM})
    buildPhase(phase, pm);
  if (failed(pm.run(module)))
    return createStringError("cannot compile the model for this machine");
  Expected<SmallVector<char, 0>> object = compileToObject(module, target);
  if (!object)
    return object.takeError();
  Expected<void *> library = load(*object);
  if (!library)
    return library.takeError();

  HostCode code;
  code.library.reset(*library);
  code.arenaBytes = module->getAttrOfType<IntegerAttr>("cpu.arena_bytes").getInt();
  for (auto packed : module.getOps<cpu::PackedParamOp>())
    code.weightBytes = std::max<int64_t>(code.weightBytes, packed.getOffset() + packed.getBytes());
  for (auto func : module.getOps<LLVM::LLVMFuncOp>()) {
    auto kind = func->getAttrOfType<StringAttr>("cpu.entry");
    if (!kind)
      continue;
    Entry &entry = code.entries[kind.str()];
    int64_t batch = func->getAttrOfType<IntegerAttr>("cpu.batch").getInt();
    if (batch >= entry.batch)
      entry = {dlsym(code.library.get(), func.getSymName().str().c_str()), batch};
  }
  return std::move(code);
}
