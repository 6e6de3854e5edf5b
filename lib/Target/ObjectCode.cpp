//===- ObjectCode.cpp - LLVM dialect to linked machine code -----*- C++ -*-===//

#include "un0/Target/ObjectCode.h"

#include "Emulate.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/Analysis/TargetLibraryInfo.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Triple.h"

using namespace mlir;
using namespace un0;
using llvm::Error;
using llvm::Expected;

static constexpr const char *kTriple = "x86_64-unknown-linux-gnu";

/// LLVM's machine combiner turns a chain of integer sums into a tree, to shorten a latency that our
/// many accumulators hide anyway: products wait for each other in registers that accumulators
/// need, and spill them. It has no switch but this one.
static void keepSumsInOrder() {
  auto &options = llvm::cl::getRegisteredOptions();
  if (auto found = options.find("x86-machine-combiner"); found != options.end())
    static_cast<llvm::cl::opt<bool> *>(found->second)->setValue(false);
}

static Expected<std::unique_ptr<llvm::TargetMachine>> createTargetMachine(const CpuTarget &target) {
  llvm::InitializeAllTargetInfos();
  llvm::InitializeAllTargets();
  llvm::InitializeAllTargetMCs();
  llvm::InitializeAllAsmPrinters();
  keepSumsInOrder();
  std::string message;
  llvm::Triple triple(kTriple);
  const llvm::Target *llvmTarget = llvm::TargetRegistry::lookupTarget(triple, message);
  if (!llvmTarget)
    return llvm::createStringError("LLVM has no x86-64 backend: %s", message.c_str());
  llvm::TargetOptions options;
  options.MCOptions.AsmVerbose = true; // says of assembly what is a loop, and what is spilled
  std::unique_ptr<llvm::TargetMachine> machine(llvmTarget->createTargetMachine(
      triple, target.cpu, target.getFeatureString(), options, llvm::Reloc::PIC_, std::nullopt,
      llvm::CodeGenOptLevel::Aggressive));
  if (!machine)
    return llvm::createStringError("LLVM cannot make code for cpu '%s'", target.cpu.c_str());
  return machine;
}

static void optimize(llvm::Module &module, llvm::TargetMachine &machine) {
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager cgscc;
  llvm::ModuleAnalysisManager modules;
  llvm::PipelineTuningOptions tuning;
  // The code is in vector form and unrolled as far as registers go; doing either again makes tiles
  // spill.
  tuning.LoopUnrolling = false;
  tuning.LoopVectorization = false;
  tuning.SLPVectorization = false;
  llvm::PassBuilder builder(&machine, tuning);
  // The code is linked against nothing: no loop may become a call of memset or memcpy.
  llvm::TargetLibraryInfoImpl library(machine.getTargetTriple());
  library.disableAllFunctions();
  functions.registerPass([&] { return llvm::TargetLibraryAnalysis(library); });
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(cgscc);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, cgscc, modules);
  builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O3).run(module, modules);
}

/// A file that is removed when it goes out of scope.
struct ScopedFile {
  SmallString<128> path;
  ~ScopedFile() {
    if (!path.empty())
      llvm::sys::fs::remove(path);
  }
  Error create(StringRef suffix) {
    if (std::error_code error = llvm::sys::fs::createTemporaryFile("un0c", suffix, path))
      return llvm::createStringError("cannot create a temporary file: %s", error.message().c_str());
    return Error::success();
  }
};

static Expected<SmallVector<char, 0>> link(StringRef object) {
  llvm::ErrorOr<std::string> linker = llvm::sys::findProgramByName("ld.lld-22");
  if (!linker)
    linker = llvm::sys::findProgramByName("ld.lld");
  if (!linker)
    return llvm::createStringError(
        "the linker ld.lld-22 was not found; install the package lld-22");
  ScopedFile input, output, errors;
  for (auto [file, suffix] :
       {std::make_pair(&input, "o"), std::make_pair(&output, "so"), std::make_pair(&errors, "txt")})
    if (Error error = file->create(suffix))
      return std::move(error);
  {
    std::error_code code;
    llvm::raw_fd_ostream os(input.path, code);
    os << object;
    os.flush();
    if (code || os.has_error()) {
      os.clear_error();
      return llvm::createStringError("cannot write '%s'", input.path.c_str());
    }
  }
  StringRef arguments[] = {*linker,
                           "-shared",
                           "--no-undefined",
                           "--hash-style=sysv",
                           "--build-id=none",
                           "-z",
                           "max-page-size=4096",
                           "-z",
                           "norelro",
                           "--strip-all",
                           "-o",
                           output.path,
                           input.path};
  std::optional<StringRef> redirects[] = {StringRef(), StringRef(errors.path),
                                          StringRef(errors.path)};
  std::string message;
  int status =
      llvm::sys::ExecuteAndWait(*linker, arguments, std::nullopt, redirects, 0, 0, &message);
  if (status != 0) {
    if (auto text = llvm::MemoryBuffer::getFile(errors.path))
      message += (*text)->getBuffer().split('\n').first.str();
    return llvm::createStringError("linking the compiled code failed: %s", message.c_str());
  }
  auto linked =
      llvm::MemoryBuffer::getFile(output.path, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!linked)
    return llvm::createStringError("cannot read the linked code: %s",
                                   linked.getError().message().c_str());
  StringRef bytes = (*linked)->getBuffer();
  return SmallVector<char, 0>(bytes.begin(), bytes.end());
}

Expected<SmallVector<char, 0>> un0::compileToObject(ModuleOp module, const CpuTarget &target,
                                                    const ObjectOptions &options) {
  const CpuTarget &processor = options.emulateOn ? *options.emulateOn : target;
  Expected<std::unique_ptr<llvm::TargetMachine>> machine = createTargetMachine(processor);
  if (!machine)
    return machine.takeError();

  // Parameters and their places stay in the module for the writer; LLVM sees the functions only.
  OwningOpRef<ModuleOp> code(ModuleOp::create(module.getLoc()));
  for (auto func : module.getOps<LLVM::LLVMFuncOp>())
    code->push_back(func->clone());
  registerBuiltinDialectTranslation(*module.getContext());
  registerLLVMDialectTranslation(*module.getContext());
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> ir = translateModuleToLLVMIR(*code, context, "un0");
  if (!ir)
    return llvm::createStringError(
        "the module is not in the phase 'llvm': it does not translate to LLVM IR");
  ir->setTargetTriple(llvm::Triple(kTriple));
  ir->setDataLayout((*machine)->createDataLayout());
  if (options.emulateOn)
    if (Error error = emulateInstructions(*ir))
      return std::move(error);
  for (llvm::Function &function : *ir) {
    if (function.isDeclaration())
      continue;
    function.addFnAttr("target-cpu", processor.cpu);
    function.addFnAttr("target-features", processor.getFeatureString());
    function.addFnAttr("no-builtins");
    function.addFnAttr(llvm::Attribute::NoUnwind);
    // Vectors are written out; without this AVX-512 registers are split on some processors.
    function.addFnAttr("prefer-vector-width", std::to_string(target.lanes * 32));
    function.addFnAttr("min-legal-vector-width", std::to_string(target.lanes * 32));
  }
  optimize(*ir, **machine);

  SmallVector<char, 0> buffer;
  llvm::raw_svector_ostream os(buffer);
  llvm::legacy::PassManager emit;
  auto kind =
      options.assembly ? llvm::CodeGenFileType::AssemblyFile : llvm::CodeGenFileType::ObjectFile;
  if ((*machine)->addPassesToEmitFile(emit, os, nullptr, kind))
    return llvm::createStringError("LLVM cannot emit code for cpu '%s'", processor.cpu.c_str());
  emit.run(*ir);
  if (options.assembly)
    return buffer;
  return link(StringRef(buffer.data(), buffer.size()));
}
