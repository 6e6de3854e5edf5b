//===- ModuleWriter.cpp - write a `.un0` file -------------------*- C++ -*-===//

#include "un0/Target/ModuleWriter.h"

#include "dialects/Cpu/IR/Cpu.h"
#include "un0/Codegen/Packing.h"
#include "un0/format.h"
#include "un0/module_generated.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"
#include <openssl/evp.h>

using namespace mlir;
using namespace un0;
using llvm::Error;
using llvm::Expected;

namespace {

/// What the elements of a packed parameter are.
std::string getStorage(cpu::PackedParamOp packed) {
  if (packed.getPacking() == cpu::Packing::ClassWords)
    return "int" + std::to_string(kTableBits);
  std::string name = stringifyPrecision(packed.getPrecision()).str();
  return packed.getColumns() ? name + "/" + std::to_string(packed.getColumns()) : name;
}

/// SHA-256, through the library that uses the processor's instructions for it.
class Hash {
public:
  Hash() : context(EVP_MD_CTX_new()) { EVP_DigestInit_ex(context, EVP_sha256(), nullptr); }
  ~Hash() { EVP_MD_CTX_free(context); }
  Hash(const Hash &) = delete;
  Hash &operator=(const Hash &) = delete;
  void update(const void *data, size_t size) { EVP_DigestUpdate(context, data, size); }
  void finish(uint8_t (&digest)[32]) { EVP_DigestFinal_ex(context, digest, nullptr); }

private:
  EVP_MD_CTX *context;
};

/// A file under a temporary name beside its own, until `keep`.
class OutputFile {
public:
  static Expected<OutputFile> create(StringRef path) {
    auto temp = llvm::sys::fs::TempFile::create(path + ".tmp-%%%%%%");
    if (!temp)
      return llvm::createStringError("cannot write '%s': %s", path.str().c_str(),
                                     llvm::toString(temp.takeError()).c_str());
    return OutputFile(path, std::move(*temp));
  }
  OutputFile(OutputFile &&) = default;
  ~OutputFile() {
    if (!os)
      return;
    // The stream must die empty and without error, or it takes the process with it.
    os->flush();
    os->clear_error();
    os.reset();
    if (pending)
      llvm::consumeError(temp.discard());
  }

  void write(const void *data, size_t size) { os->write(static_cast<const char *>(data), size); }
  uint64_t tell() const { return os->tell(); }
  void padTo(uint64_t offset) { os->write_zeros(offset - tell()); }
  void overwrite(const void *data, size_t size) {
    os->pwrite(static_cast<const char *>(data), size, 0);
  }

  Error check() {
    if (!os->has_error())
      return Error::success();
    return llvm::createStringError("cannot write '%s': %s", path.c_str(),
                                   os->error().message().c_str());
  }
  Error keep() {
    os->flush();
    if (Error error = check())
      return error;
    pending = false;
    if (Error error = temp.keep(path))
      return llvm::createStringError("cannot write '%s': %s", path.c_str(),
                                     llvm::toString(std::move(error)).c_str());
    // Results are read by others: the usual permissions instead of a temporary file's.
    llvm::sys::fs::setPermissions(
        path, static_cast<llvm::sys::fs::perms>(0666 & ~llvm::sys::fs::getUmask()));
    return Error::success();
  }

private:
  OutputFile(StringRef path, llvm::sys::fs::TempFile temp)
      : path(path), temp(std::move(temp)),
        os(std::make_unique<llvm::raw_fd_ostream>(this->temp.FD, /*shouldClose=*/false)) {}

  std::string path;
  llvm::sys::fs::TempFile temp;
  std::unique_ptr<llvm::raw_fd_ostream> os;
  bool pending = true;
};

class Writer {
public:
  Writer(ModuleOp module, const CpuTarget &target, const ModuleContents &contents,
         ArchiveSet &archives, const ModuleWriterOptions &options)
      : module(module), symbols(module), target(target), contents(contents), archives(archives),
        options(options) {}

  Error write(StringRef output);

private:
  Expected<std::vector<char>> buildManifest(StringRef externalName);
  Error writeWeights(OutputFile &file, un0_section &section);
  Error addSection(OutputFile &file, uint32_t kind, ArrayRef<char> bytes);
  Expected<std::pair<ParamOp, const StoredTensor *>> find(cpu::PackedParamOp packed);

  ModuleOp module;
  SymbolTable symbols;
  const CpuTarget &target;
  const ModuleContents &contents;
  ArchiveSet &archives;
  const ModuleWriterOptions &options;
  un0_file_header header = {};
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
    if (auto kind = func->getAttrOfType<StringAttr>("cpu.entry"))
      entries.push_back(
          format::CreateEntry(fb, text(kind.getValue()), text(func.getSymName()),
                              func->getAttrOfType<IntegerAttr>("cpu.batch").getInt()));

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

  std::vector<flatbuffers::Offset<format::Cost>> costs;
  if (auto rows = module->getAttrOfType<ArrayAttr>("un0.costs"))
    for (auto row : rows.getAsRange<DictionaryAttr>())
      costs.push_back(format::CreateCost(
          fb, text(string(row, "op")), text(string(row, "part")), integer(row, "count"),
          integer(row, "multiply_adds"), integer(row, "bits"), integer(row, "special_functions"),
          integer(row, "parameter_bytes"), integer(row, "bytes_read"),
          integer(row, "bytes_written"), text(string(row, "arithmetic"))));

  auto dynamics = module->getAttrOfType<DictionaryAttr>("un0.dynamics");
  auto time = dynamics ? dynamics.getAs<FloatAttr>("time") : FloatAttr();
  auto compilation = format::CreateCompilation(
      fb, text("un0c " UN0_VERSION), text(contents.source), text(""), text(contents.precision),
      text("cpu"), text(target.cpu), text(string(dynamics, "solver")), integer(dynamics, "steps"),
      time ? time.getValueAsDouble() : 0.0);

  StringRef name = string(module->getAttrOfType<DictionaryAttr>("un0.model"), "name");
  auto model = text(name.empty() ? "model" : name);
  auto external = text(externalName);
  fb.Finish(format::CreateManifest(fb, UN0_CODE_ABI_VERSION, model, signature,
                                   fb.CreateVector(entries), fb.CreateVector(tensors),
                                   arenaBytes.getInt(), fb.CreateVector(features),
                                   fb.CreateVector(costs), compilation, external));
  const char *data = reinterpret_cast<const char *>(fb.GetBufferPointer());
  return std::vector<char>(data, data + fb.GetSize());
}

Error Writer::addSection(OutputFile &file, uint32_t kind, ArrayRef<char> bytes) {
  un0_section &section = header.sections[header.section_count++];
  file.padTo(llvm::alignTo(file.tell(), UN0_FORMAT_ALIGNMENT));
  section.kind = kind;
  section.offset = file.tell();
  section.size = bytes.size();
  Hash hash;
  hash.update(bytes.data(), bytes.size());
  hash.finish(section.sha256);
  file.write(bytes.data(), bytes.size());
  return file.check();
}

Error Writer::writeWeights(OutputFile &file, un0_section &section) {
  Hash hash;
  uint64_t written = 0;
  static const char zeros[UN0_FORMAT_ALIGNMENT] = {};
  auto put = [&](const void *data, size_t size) {
    hash.update(data, size);
    file.write(data, size);
    written += size;
  };
  for (auto packed : module.getOps<cpu::PackedParamOp>()) {
    if (packed.getOffset() < written || packed.getOffset() - written >= UN0_FORMAT_ALIGNMENT)
      return llvm::createStringError(
          "packed parameter '%s' is at %llu, expected %llu", packed.getSymName().str().c_str(),
          static_cast<unsigned long long>(packed.getOffset()),
          static_cast<unsigned long long>(llvm::alignTo(written, UN0_FORMAT_ALIGNMENT)));
    put(zeros, packed.getOffset() - written);
    auto found = find(packed);
    if (!found)
      return found.takeError();
    auto sink = [&](ArrayRef<uint8_t> piece) -> Error {
      put(piece.data(), piece.size());
      if (options.progress)
        options.progress(written, weightBytes);
      return file.check();
    };
    if (Error error = packParameter(found->first, packed, *found->second, sink))
      return error;
  }
  while (written < weightBytes)
    put(zeros, std::min<uint64_t>(sizeof(zeros), weightBytes - written));
  section.size = written;
  hash.finish(section.sha256);
  return file.check();
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
  Expected<OutputFile> file = OutputFile::create(output);
  if (!file)
    return file.takeError();

  std::memcpy(header.magic, UN0_FORMAT_MAGIC, sizeof(header.magic));
  header.format_major = UN0_FORMAT_MAJOR;
  header.format_minor = UN0_FORMAT_MINOR;
  header.header_size = sizeof(header);
  file->write(&header, sizeof(header));
  if (Error error = addSection(*file, UN0_SECTION_MANIFEST, *manifest))
    return error;
  if (Error error = addSection(*file, UN0_SECTION_CODE, contents.code))
    return error;
  if (!contents.model.empty())
    if (Error error = addSection(*file, UN0_SECTION_MODEL, contents.model))
      return error;

  un0_section &weights = header.sections[header.section_count++];
  weights.kind = UN0_SECTION_WEIGHTS;
  std::optional<OutputFile> external;
  if (options.externalWeights) {
    weights.flags = UN0_SECTION_EXTERNAL;
    Expected<OutputFile> created = OutputFile::create(externalPath);
    if (!created)
      return created.takeError();
    external.emplace(std::move(*created));
    if (Error error = writeWeights(*external, weights))
      return error;
  } else {
    file->padTo(llvm::alignTo(file->tell(), UN0_FORMAT_ALIGNMENT));
    weights.offset = file->tell();
    if (Error error = writeWeights(*file, weights))
      return error;
  }
  header.file_size = file->tell();
  Hash hash;
  hash.update(&header, sizeof(header));
  hash.finish(header.sha256);
  file->overwrite(&header, sizeof(header));
  if (Error error = file->check())
    return error;
  if (external)
    if (Error error = external->keep())
      return error;
  return file->keep();
}

Error un0::writeModule(StringRef output, ModuleOp module, const CpuTarget &target,
                       const ModuleContents &contents, ArchiveSet &archives,
                       const ModuleWriterOptions &options) {
  return Writer(module, target, contents, archives, options).write(output);
}
