//===- Import.cpp - checkpoints to un0 IR ---------------------------------===//

#include "un0/Import/Import.h"
#include "ModelBuilder.h"
#include "Readers.h"
#include "dialects/Un0/IR/Un0.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Tosa/IR/TosaOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/SourceMgr.h"

using namespace mlir;
using namespace un0;
using namespace un0::import;
using llvm::Expected;
using llvm::StringRef;
using llvm::Twine;

namespace {

/// The parser of MLIR descends by recursion; a module of ours nests some ten brackets.
constexpr unsigned kMaxNesting = 256;

/// Keeps the first error of an MLIR operation as a line of text, so that it can be returned instead
/// of printed.
class ErrorCollector {
public:
  explicit ErrorCollector(MLIRContext &context)
      : handler(&context, [this](Diagnostic &diagnostic) {
          if (first.empty() && diagnostic.getSeverity() == DiagnosticSeverity::Error) {
            llvm::raw_string_ostream os(first);
            if (auto location = dyn_cast<FileLineColLoc>(diagnostic.getLocation()))
              os << "line " << location.getLine() << ", column " << location.getColumn() << ": ";
            os << diagnostic;
          }
          return success();
        }) {}

  StringRef getFirst() const {
    return first.empty() ? "the module is invalid" : StringRef(first).split('\n').first;
  }

private:
  std::string first;
  ScopedDiagnosticHandler handler;
};

/// Whether brackets nest deeper than the parser can be trusted with. Brackets in strings and
/// comments count as well, which refuses no module that anybody writes.
bool nestsTooDeep(StringRef text) {
  unsigned depth = 0;
  for (char c : text) {
    if (StringRef("([{<").contains(c) && ++depth > kMaxNesting)
      return true;
    if (depth != 0 && StringRef(")]}>").contains(c))
      --depth;
  }
  return false;
}

/// The beginning of a file, enough to tell what it is.
Expected<std::unique_ptr<llvm::MemoryBuffer>> readBeginning(StringRef path) {
  llvm::sys::fs::file_status status;
  if (std::error_code error = llvm::sys::fs::status(path, status))
    return makeError(path + ": " + error.message());
  if (status.type() != llvm::sys::fs::file_type::regular_file)
    return makeError(path + ": this is not a regular file");
  auto buffer =
      llvm::MemoryBuffer::getFileSlice(path, std::min<uint64_t>(status.getSize(), 4096), 0);
  if (!buffer)
    return makeError(path + ": " + buffer.getError().message());
  return std::move(*buffer);
}

Expected<OwningOpRef<ModuleOp>> parseModule(StringRef path, FileKind kind, MLIRContext &context) {
  auto buffer =
      llvm::MemoryBuffer::getFile(path, /*IsText=*/false, /*RequiresNullTerminator=*/true);
  if (!buffer)
    return makeError(path + ": " + buffer.getError().message());
  if (kind == FileKind::Text && nestsTooDeep((*buffer)->getBuffer()))
    return makeError(path + ": brackets nest deeper than " + Twine(kMaxNesting));

  ErrorCollector errors(context);
  llvm::SourceMgr sources;
  sources.AddNewSourceBuffer(std::move(*buffer), llvm::SMLoc());
  OwningOpRef<ModuleOp> module = parseSourceFile<ModuleOp>(sources, ParserConfig(&context));
  if (!module)
    return makeError(path + ": " + errors.getFirst());
  // A module written by hand need not say so.
  if (!(*module)->hasAttr(kPhaseAttr))
    (*module)->setAttr(kPhaseAttr, StringAttr::get(&context, "model"));
  return module;
}

} // namespace

Expected<OwningOpRef<ModuleOp>> un0::importModel(StringRef path, MLIRContext &context,
                                                 const ImportOptions &options) {
  context.loadDialect<Un0Dialect, arith::ArithDialect, func::FuncDialect, tensor::TensorDialect,
                      tosa::TosaDialect>();
  Expected<std::unique_ptr<llvm::MemoryBuffer>> beginning = readBeginning(path);
  if (!beginning)
    return beginning.takeError();
  StringRef bytes = (*beginning)->getBuffer();
  FileKind kind = detectFile({reinterpret_cast<const uint8_t *>(bytes.data()), bytes.size()});
  if (kind == FileKind::Bytecode || kind == FileKind::Text)
    return parseModule(path, kind, context);

  // The archive is named by its full path: the module may be written to another folder.
  llvm::SmallString<256> absolute(path);
  if (std::error_code error = llvm::sys::fs::make_absolute(absolute))
    return makeError(path + ": " + error.message());
  Expected<std::shared_ptr<Archive>> archive = Archive::open(path);
  if (!archive)
    return archive.takeError();
  Expected<ModelSpec> spec = inferModel(**archive, options);
  if (!spec)
    return makeError(path + ": " + llvm::toString(spec.takeError()));

  ErrorCollector errors(context);
  OwningOpRef<ModuleOp> module = buildModel(*spec, llvm::sys::path::stem(path), absolute, context);
  if (failed(verify(*module)))
    return makeError(path + ": " + errors.getFirst());
  return module;
}

Expected<std::shared_ptr<Archive>> ArchiveSet::open(StringRef name) {
  std::shared_ptr<Archive> &archive = archives[name];
  if (archive)
    return archive;
  llvm::SmallString<256> path;
  if (llvm::sys::path::is_relative(name))
    path = llvm::sys::path::parent_path(modulePath);
  llvm::sys::path::append(path, name);
  Expected<std::shared_ptr<Archive>> opened = Archive::open(path);
  if (!opened)
    return opened.takeError();
  return archive = *opened;
}
