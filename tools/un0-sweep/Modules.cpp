//===- Modules.cpp - a module per point -------------------------------------===//
#include "Modules.h"

#include "Sha256.h"
#include "Text.h"
#include "un0/Driver/Compile.h"
#include "un0/format.h"
#include "un0/runtime.hpp"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include <cstring>

using namespace llvm;
using namespace un0sweep;

static Error fail(const Twine &message) {
  return createStringError(inconvertibleErrorCode(), message);
}

char PointFailure::ID = 0;

Error un0sweep::failPoint(un0_status code, const std::string &message) {
  if (code == UN0_ERROR_IO || code == UN0_ERROR_OUT_OF_MEMORY)
    return fail(message);
  return make_error<PointFailure>(message);
}

/// The compiler gives words only; these begin what it says of files.
static bool isOfFiles(StringRef message) {
  return any_of(ArrayRef<StringRef>{"cannot write ", "cannot read ", "cannot open ", "cannot map ",
                                    "cannot create a temporary file"},
                [&](StringRef prefix) { return message.starts_with(prefix); });
}

Modules::~Modules() {
  if (!folderPath.empty())
    sys::fs::remove_directories(folderPath);
}

Error Modules::makeFolder() {
  SmallString<128> path;
  if (std::error_code error = sys::fs::createUniqueDirectory("un0-sweep", path))
    return fail("cannot make a temporary folder: " + error.message());
  folderPath = path.str().str();
  return Error::success();
}

Expected<std::string> Modules::compile(const un0::dsa::Hardware &hardware,
                                       std::optional<double> splittingError) {
  // The compiler is not made for several compilations at once in one process.
  std::lock_guard<std::mutex> lock(mutex);
  const std::string description = hardware.toJson();
  const std::string key = description + (splittingError ? un0::report::exact(*splittingError) : "");
  Compiled result;
  if (auto found = compiled.find(key); found != compiled.end()) {
    result = found->second;
  } else {
    const std::string name = folderPath + "/" + std::to_string(compiled.size() + 1);
    if (un0::rt::Status status = un0::report::writeFile(name + ".json", description))
      return fail(status.message());
    un0::CompileOptions options;
    options.input = sweep.options.model;
    options.output = name + ".un0";
    options.target = un0::Target::Dsa;
    options.hardware = name + ".json";
    options.maxSplittingError = splittingError;
    options.strip = true;
    std::string messages;
    raw_string_ostream os(messages);
    if (failed(un0::compile(options, os))) {
      // The first error, without the compiler's name before it.
      StringRef first = StringRef(messages).split('\n').first;
      first.consume_front("un0c: error: ");
      if (isOfFiles(first))
        return fail(first);
      result.failure = first.empty() ? "the compiler failed without a word" : first.str();
    } else {
      result.path = options.output;
    }
    compiled[key] = result;
  }
  if (!result.failure.empty())
    return make_error<PointFailure>(result.failure);
  return result.path;
}

Expected<std::string> Modules::ideal() {
  un0::dsa::Hardware hardware;
  if (un0::rt::Status status = un0::dsa::loadHardware("ideal", hardware))
    return fail(status.message());
  return compile(hardware, std::nullopt);
}

Expected<std::string> Modules::make(size_t point, un0::dsa::Program &program) {
  const std::vector<double> &values = sweep.points[point];
  const std::vector<Variable> &variables = sweep.options.variables;
  un0::dsa::Hardware hardware = sweep.hardware;
  if (Error error = applyPoint(variables, values, /*all=*/false, hardware))
    return make_error<PointFailure>(toString(std::move(error)));
  std::optional<double> splittingError = sweep.options.maxSplittingError;
  std::optional<double> noise;
  for (auto [variable, value] : zip(variables, values)) {
    if (variable.kind == Variable::Kind::SplittingError)
      splittingError = value;
    if (variable.kind == Variable::Kind::PhaseNoise)
      noise = value;
  }
  Expected<std::string> base = compile(hardware, splittingError);
  if (!base)
    return base.takeError();

  un0::Expected<un0::Module> module = un0::Module::open(*base);
  if (!module)
    return failPoint(module.error().code, module.error().message);
  size_t size = 0;
  const void *bytes = un0_module_program(module->get(), &size);
  if (!bytes)
    return fail("the compiled module has no program");
  if (un0::rt::Status status =
          un0::dsa::decodeProgram(static_cast<const uint8_t *>(bytes), size, program))
    return failPoint(status.code(), status.message());
  if (Error error = applyPoint(variables, values, /*all=*/true, program.hardware))
    return make_error<PointFailure>(toString(std::move(error)));
  if (noise)
    if (Error error = setPhaseNoise(program, *noise))
      return make_error<PointFailure>(toString(std::move(error)));
  const std::string path = folderPath + "/point-" + std::to_string(point) + ".un0";
  if (Error error = replaceProgram(*base, un0::dsa::encodeProgram(program), path))
    return error;
  return path;
}

Error un0sweep::replaceProgram(const std::string &from, const std::vector<uint8_t> &program,
                               const std::string &to) {
  auto buffer = MemoryBuffer::getFile(from, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!buffer)
    return fail("cannot read '" + from + "': " + buffer.getError().message());
  const StringRef old = (*buffer)->getBuffer();
  un0_file_header header;
  if (old.size() < sizeof header)
    return fail("'" + from + "' is no module");
  std::memcpy(&header, old.data(), sizeof header);

  std::string text(sizeof header, '\0');
  bool replaced = false;
  for (uint32_t i = 0; i < header.section_count; ++i) {
    un0_section &section = header.sections[i];
    if (section.flags & UN0_SECTION_EXTERNAL)
      continue;
    StringRef bytes = old.substr(section.offset, section.size);
    if (section.kind == UN0_SECTION_PROGRAM) {
      bytes = StringRef(reinterpret_cast<const char *>(program.data()), program.size());
      un0::rt::Digest digest;
      if (!un0::rt::sha256(bytes.data(), bytes.size(), digest))
        return fail("libcrypto has no SHA-256");
      std::memcpy(section.sha256, digest.data(), digest.size());
      replaced = true;
    }
    text.resize((text.size() + UN0_FORMAT_ALIGNMENT - 1) / UN0_FORMAT_ALIGNMENT *
                UN0_FORMAT_ALIGNMENT);
    section.offset = text.size();
    section.size = bytes.size();
    text.append(bytes.data(), bytes.size());
  }
  if (!replaced)
    return fail("'" + from + "' has no program section");
  header.file_size = text.size();
  std::memset(header.sha256, 0, sizeof header.sha256);
  un0::rt::Digest digest;
  if (!un0::rt::sha256(&header, sizeof header, digest))
    return fail("libcrypto has no SHA-256");
  std::memcpy(header.sha256, digest.data(), digest.size());
  std::memcpy(text.data(), &header, sizeof header);
  if (un0::rt::Status status = un0::report::writeFile(to, text))
    return fail(status.message());
  return Error::success();
}
