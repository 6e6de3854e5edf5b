//===- ModuleWriter.cpp - write a `.un0` file -------------------*- C++ -*-===//

#include "un0/Target/ModuleWriter.h"

#include "ContainerWriter.h"
#include "dialects/Cpu/IR/Cpu.h"
#include "un0/Codegen/Packing.h"
#include "un0/format.h"
#include "un0/module_generated.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace mlir;
using namespace un0;
using llvm::Error;
using llvm::Expected;

namespace {

/// What the elements of a packed parameter are.
std::string getStorage(cpu::PackedParamOp packed) {
  if (packed.getPacking() == cpu::Packing::ClassWords)
    return "int" + std::to_string(kTableBits);
  // Planes of bytes are of 16-bit numbers.
  if (packed.getPacking() == cpu::Packing::ConvPlanes && packed.getPrecision() == Precision::Int8)
    return stringifyPrecision(Precision::Int16).str();
  std::string name = stringifyPrecision(packed.getPrecision()).str();
  return packed.getColumns() ? name + "/" + std::to_string(packed.getColumns()) : name;
}

class Writer {
public:
  Writer(ModuleOp module, const CpuTarget &target, const ModuleContents &contents,
         ArchiveSet &archives, const ModuleWriterOptions &options)
      : module(module), symbols(module), target(target), contents(contents), archives(archives),
        options(options) {}

  Error write(StringRef output);

private:
  Expected<std::vector<char>> buildManifest(StringRef externalName);
  Error writeWeights(SectionSink &sink);
  Expected<std::pair<ParamOp, const StoredTensor *>> find(cpu::PackedParamOp packed);

  ModuleOp module;
  SymbolTable symbols;
  const CpuTarget &target;
  const ModuleContents &contents;
  ArchiveSet &archives;
  const ModuleWriterOptions &options;
  uint64_t weightBytes = 0;
};

} // namespace

Expected<std::pair<ParamOp, const StoredTensor *>> Writer::find(cpu::PackedParamOp packed) {
  auto param = symbols.lookup<ParamOp>(packed.getParam());
  if (!param)
    return llvm::createStringError(
        "packed parameter '%s' is of '%s', which the module does not have",
        packed.getSymName().str().c_str(), packed.getParam().str().c_str());
  Expected<std::shared_ptr<Archive>> archive = archives.open(param.getArchive());
  if (!archive)
    return archive.takeError();
  const StoredTensor *tensor = (*archive)->find(param.getKey());
  if (!tensor)
    return llvm::createStringError("parameter '%s': archive '%s' has no tensor '%s'",
                                   param.getSymName().str().c_str(),
                                   param.getArchive().str().c_str(), param.getKey().str().c_str());
  return std::make_pair(param, tensor);
}

Expected<std::vector<char>> Writer::buildManifest(StringRef externalName) {
  flatbuffers::FlatBufferBuilder fb;
  auto text = [&](StringRef s) { return fb.CreateString(s.data(), s.size()); };
  auto integer = [](DictionaryAttr dict, StringRef key) -> int64_t {
    auto attr = dict ? dict.getAs<IntegerAttr>(key) : IntegerAttr();
    return attr ? attr.getInt() : 0;
  };
  auto string = [](DictionaryAttr dict, StringRef key) -> StringRef {
    auto attr = dict ? dict.getAs<StringAttr>(key) : StringAttr();
    return attr ? attr.getValue() : StringRef();
  };

  auto signatureAttr = module->getAttrOfType<DictionaryAttr>("un0.signature");
  auto arenaBytes = module->getAttrOfType<IntegerAttr>("cpu.arena_bytes");
  if (!signatureAttr || !arenaBytes)
    return llvm::createStringError(
        "the module lacks un0.signature or cpu.arena_bytes: it did not pass the phase 'loops'");
  auto signature = format::CreateSignature(
      fb, integer(signatureAttr, "oscillators"), integer(signatureAttr, "conditioning"),
      integer(signatureAttr, "classes"), integer(signatureAttr, "features"),
      integer(signatureAttr, "channels"), integer(signatureAttr, "height"),
      integer(signatureAttr, "width"));

  std::vector<flatbuffers::Offset<format::Entry>> entries;
  for (auto func : module.getOps<LLVM::LLVMFuncOp>())
    if (auto kind = func->getAttrOfType<StringAttr>("cpu.entry")) {
      auto batch = func->getAttrOfType<IntegerAttr>("cpu.batch");
      if (!batch)
        return llvm::createStringError("entry '%s' has no cpu.batch",
                                       func.getSymName().str().c_str());
      entries.push_back(
          format::CreateEntry(fb, text(kind.getValue()), text(func.getSymName()), batch.getInt()));
    }

  std::vector<flatbuffers::Offset<format::Tensor>> tensors;
  for (auto packed : module.getOps<cpu::PackedParamOp>()) {
    auto param = symbols.lookup<ParamOp>(packed.getParam());
    if (!param)
      return llvm::createStringError("packed parameter '%s' has no parameter",
                                     packed.getSymName().str().c_str());
    ArrayRef<int64_t> shape = cast<ShapedType>(param.getType()).getShape();
    tensors.push_back(format::CreateTensor(
        fb, text(param.getSymName()), text(param.getKey()),
        fb.CreateVector(shape.data(), shape.size()), text(getStorage(packed)),
        text(cpu::stringifyPacking(packed.getPacking())), packed.getOffset(), packed.getBytes()));
    weightBytes = std::max<uint64_t>(weightBytes, packed.getOffset() + packed.getBytes());
  }
  weightBytes =
      std::max<uint64_t>(llvm::alignTo(weightBytes, UN0_FORMAT_ALIGNMENT), UN0_FORMAT_ALIGNMENT);

  std::vector<flatbuffers::Offset<flatbuffers::String>> features;
  for (const std::string &feature : target.features)
    features.push_back(text(feature));

  for (StringRef name : {StringRef("un0.costs"), StringRef(cpu::kSchedulesAttr)})
    if (auto rows = module->getAttrOfType<ArrayAttr>(name))
      if (!llvm::all_of(rows, llvm::IsaPred<DictionaryAttr>))
        return llvm::createStringError("%s is no list of dictionaries", name.str().c_str());

  std::vector<flatbuffers::Offset<format::Cost>> costs;
  if (auto rows = module->getAttrOfType<ArrayAttr>("un0.costs"))
    for (auto row : rows.getAsRange<DictionaryAttr>())
      costs.push_back(format::CreateCost(
          fb, text(string(row, "op")), text(string(row, "part")), integer(row, "count"),
          integer(row, "multiply_adds"), integer(row, "bits"), integer(row, "special_functions"),
          integer(row, "parameter_bytes"), integer(row, "bytes_read"),
          integer(row, "bytes_written"), text(string(row, "arithmetic"))));

  std::vector<flatbuffers::Offset<format::Schedule>> schedules;
  if (auto rows = module->getAttrOfType<ArrayAttr>(cpu::kSchedulesAttr))
    for (auto row : rows.getAsRange<DictionaryAttr>())
      if (auto how = row.getAs<cpu::ConvScheduleAttr>("schedule"))
        schedules.push_back(format::CreateSchedule(fb, text(string(row, "op")),
                                                   text(cpu::stringifyConvForm(how.getForm())),
                                                   how.getBatched(), how.getImages(), how.getRows(),
                                                   text(how.getTuned() ? "tuned" : "model")));

  auto dynamics = module->getAttrOfType<DictionaryAttr>("un0.dynamics");
  auto time = dynamics ? dynamics.getAs<FloatAttr>("time") : FloatAttr();
  auto compilation = format::CreateCompilation(
      fb, text("un0c " UN0_VERSION), text(contents.source), text(contents.sourceSha256),
      text(contents.precision), text(contents.program.empty() ? "cpu" : "dsa"), text(target.cpu),
      text(string(dynamics, "solver")), integer(dynamics, "steps"),
      time ? time.getValueAsDouble() : 0.0);

  StringRef name = string(module->getAttrOfType<DictionaryAttr>("un0.model"), "name");
  auto model = text(name.empty() ? "model" : name);
  auto external = text(externalName);
  fb.Finish(format::CreateManifest(
      fb, UN0_CODE_ABI_VERSION, model, signature, fb.CreateVector(entries),
      fb.CreateVector(tensors), arenaBytes.getInt(), fb.CreateVector(features),
      fb.CreateVector(costs), compilation, external, fb.CreateVector(schedules)));
  const char *data = reinterpret_cast<const char *>(fb.GetBufferPointer());
  return std::vector<char>(data, data + fb.GetSize());
}

Error Writer::writeWeights(SectionSink &sink) {
  for (auto packed : module.getOps<cpu::PackedParamOp>()) {
    const uint64_t written = sink.size();
    if (packed.getOffset() < written || packed.getOffset() - written >= UN0_FORMAT_ALIGNMENT)
      return llvm::createStringError(
          "packed parameter '%s' is at %llu, expected %llu", packed.getSymName().str().c_str(),
          static_cast<unsigned long long>(packed.getOffset()),
          static_cast<unsigned long long>(llvm::alignTo(written, UN0_FORMAT_ALIGNMENT)));
    sink.padTo(packed.getOffset());
    auto found = find(packed);
    if (!found)
      return found.takeError();
    auto take = [&](ArrayRef<uint8_t> piece) -> Error {
      sink.put(piece.data(), piece.size());
      if (options.progress)
        options.progress(sink.size(), weightBytes);
      return sink.check();
    };
    if (Error error = packParameter(found->first, packed, *found->second, take))
      return error;
  }
  sink.padTo(weightBytes);
  return sink.check();
}

Error Writer::write(StringRef output) {
  std::string externalPath, externalName;
  if (options.externalWeights) {
    externalPath = (output + ".weights").str();
    externalName = llvm::sys::path::filename(externalPath).str();
  }
  Expected<std::vector<char>> manifest = buildManifest(externalName);
  if (!manifest)
    return manifest.takeError();
  Expected<ContainerWriter> file = ContainerWriter::create(output);
  if (!file)
    return file.takeError();
  if (Error error = file->add(UN0_SECTION_MANIFEST, *manifest))
    return error;
  if (Error error = file->add(UN0_SECTION_CODE, contents.code))
    return error;
  for (auto [kind, bytes] : {std::pair(UN0_SECTION_MODEL, contents.model),
                             std::pair(UN0_SECTION_PROGRAM, contents.program)})
    if (!bytes.empty())
      if (Error error = file->add(kind, bytes))
        return error;
  auto fill = [&](SectionSink &sink) { return writeWeights(sink); };
  if (Error error = options.externalWeights
                        ? file->addInFile(UN0_SECTION_WEIGHTS, externalPath, fill)
                        : file->addStreamed(UN0_SECTION_WEIGHTS, fill))
    return error;
  return file->finish();
}

Expected<std::string> un0::hashFile(StringRef path) {
  auto cannotRead = [&](std::error_code error) {
    return llvm::createStringError("cannot read '%s': %s", path.str().c_str(),
                                   error.message().c_str());
  };
  Expected<llvm::sys::fs::file_t> file = llvm::sys::fs::openNativeFileForRead(path);
  if (!file)
    return cannotRead(llvm::errorToErrorCode(file.takeError()));
  auto close = llvm::make_scope_exit([&] { (void)llvm::sys::fs::closeFile(*file); });
  Sha256 hash;
  // Read, not mapped: pages of a large checkpoint are not to stay in this process.
  std::vector<char> piece(1 << 20);
  while (true) {
    Expected<size_t> got = llvm::sys::fs::readNativeFile(*file, piece);
    if (!got)
      return cannotRead(llvm::errorToErrorCode(got.takeError()));
    if (*got == 0)
      break;
    hash.update(piece.data(), *got);
  }
  uint8_t digest[32];
  hash.finish(digest);
  return llvm::toHex(ArrayRef(digest), /*LowerCase=*/true);
}

Error un0::writeModule(StringRef output, ModuleOp module, const CpuTarget &target,
                       const ModuleContents &contents, ArchiveSet &archives,
                       const ModuleWriterOptions &options) {
  return Writer(module, target, contents, archives, options).write(output);
}
