//===- un0-translate.cpp - text, bytecode and modules -----------*- C++ -*-===//
//
// Turns IR into text or bytecode and back, programs for accelerators into text and back, and looks
// into `.un0` modules. Modules are read through the runtime, so nothing is shown of a file that the
// runtime would refuse.
//
//===----------------------------------------------------------------------===//

#include "mlir/Bytecode/BytecodeWriter.h"
#include "mlir/Parser/Parser.h"
#include "runtime/report/OutputPath.h"
#include "un0/Pipelines/Phases.h"
#include "un0/Target/DsaAssembler.h"
#include "un0/Target/DsaDisassembler.h"
#include "un0/Target/Spice.h"
#include "un0/Target/WriteOutput.h"
#include "un0/runtime.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/SourceMgr.h"

using namespace llvm;

namespace {
enum class Action { Text, Bytecode, Inspect, ExtractModel, Disassemble, Assemble };
} // namespace

static cl::OptionCategory category("un0-translate options");
static cl::opt<std::string> input(cl::Positional, cl::desc("INPUT"), cl::Required,
                                  cl::cat(category));
static cl::opt<std::string> output("o", cl::desc("Output file, '-' to print"), cl::init("-"),
                                   cl::cat(category));
static cl::opt<Action> action(
    cl::desc("What to do:"), cl::cat(category),
    cl::values(clEnumValN(Action::Text, "to-text", "IR, text or bytecode, to text"),
               clEnumValN(Action::Bytecode, "to-bytecode", "IR, text or bytecode, to bytecode"),
               clEnumValN(Action::Inspect, "inspect", "print a module's manifest as JSON"),
               clEnumValN(Action::ExtractModel, "extract-model",
                          "the IR at phase 'model' that a module carries"),
               clEnumValN(Action::Disassemble, "disassemble",
                          "a module for an accelerator as text"),
               clEnumValN(Action::Assemble, "assemble",
                          "the module of which that is the text, to the file of -o")));
static cl::opt<bool> programOnly("program-only",
                                 cl::desc("Disassemble the program, not the other sections"),
                                 cl::cat(category));
static cl::opt<std::string>
    sectionsOf("sections-of",
               cl::desc("Assemble with the other sections of this module, where "
                        "the text has none"),
               cl::value_desc("MODULE"), cl::cat(category));

static cl::opt<uint64_t>
    spiceRun("export-spice", cl::value_desc("tile run"), cl::cat(category),
             cl::desc("a SPICE deck of that run, counted as executed, from 0, of a module for an "
                      "accelerator"));
static cl::opt<int64_t> spiceClass("spice-class", cl::init(0), cl::cat(category),
                                   cl::desc("Class of the sample in the deck"));
static cl::opt<uint64_t> spiceSeed("spice-seed", cl::init(0), cl::cat(category),
                                   cl::desc("Seed of its initial phases, as in un0-run"));
static cl::opt<std::string>
    spiceFaults("spice-faults", cl::init("levels,mismatch,offset"), cl::cat(category),
                cl::desc("Faults in the deck, as in un0-run; no noise, no link-delay"));
static cl::opt<uint64_t> spiceFaultSeed("spice-fault-seed", cl::init(0), cl::cat(category),
                                        cl::desc("Seed of the faults, as in un0-run"));

static int fail(const Twine &message) {
  errs() << "un0-translate: error: " << message << "\n";
  return 1;
}

static int emit(StringRef bytes) {
  Error error = un0::writeOutput(output, bytes);
  return error ? fail(toString(std::move(error))) : 0;
}

/// Parses IR of any phase and prints it as `action` says.
static int translate(std::unique_ptr<MemoryBuffer> buffer) {
  mlir::DialectRegistry registry;
  un0::registerDialects(registry);
  mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
  mlir::ScopedDiagnosticHandler handler(&context, [](mlir::Diagnostic &diagnostic) {
    errs() << "un0-translate: error: " << diagnostic.getLocation() << ": " << diagnostic << "\n";
    return mlir::success();
  });
  SourceMgr sources;
  sources.AddNewSourceBuffer(std::move(buffer), SMLoc());
  auto module = mlir::parseSourceFile<mlir::ModuleOp>(sources, &context);
  if (!module)
    return 1;
  std::string bytes;
  raw_string_ostream os(bytes);
  if (action == Action::Bytecode) {
    if (failed(mlir::writeBytecodeToFile(*module, os)))
      return fail("cannot write bytecode");
    if (output == "-" && outs().is_displayed())
      return fail("bytecode is not for a terminal; name a file with -o");
  } else {
    module->print(os);
    os << "\n";
  }
  return emit(os.str());
}

static json::Object describe(const un0_module *module) {
  un0_module_info info;
  un0_module_get_info(module, &info);
  un0_signature s;
  un0_module_signature(module, &s);
  json::Array entries, tensors, costs, schedules, features;
  un0_entry_info entry;
  for (uint64_t i = 0; un0_module_entry(module, i, &entry); ++i)
    entries.push_back(
        json::Object{{"kind", entry.kind}, {"symbol", entry.symbol}, {"batch", entry.batch}});
  un0_tensor_info tensor;
  for (uint64_t i = 0; un0_module_tensor(module, i, &tensor); ++i)
    tensors.push_back(
        json::Object{{"name", tensor.name},
                     {"archive_key", tensor.archive_key},
                     {"shape", json::Array(ArrayRef<int64_t>(tensor.shape, tensor.rank))},
                     {"storage", tensor.storage},
                     {"packing", tensor.packing},
                     {"offset", tensor.offset},
                     {"size", tensor.size}});
  un0_cost_info cost;
  for (uint64_t i = 0; un0_module_cost(module, i, &cost); ++i)
    costs.push_back(json::Object{{"op", cost.op},
                                 {"part", cost.part},
                                 {"count", cost.count},
                                 {"multiply_adds", cost.multiply_adds},
                                 {"arithmetic", un0_module_cost_arithmetic(module, i)},
                                 {"bits", cost.bits},
                                 {"special_functions", cost.special_functions},
                                 {"parameter_bytes", cost.parameter_bytes},
                                 {"bytes_read", cost.bytes_read},
                                 {"bytes_written", cost.bytes_written}});
  un0_schedule_info schedule;
  for (uint64_t i = 0; un0_module_schedule(module, i, &schedule); ++i)
    schedules.push_back(json::Object{{"op", schedule.op},
                                     {"form", schedule.form},
                                     {"batched", schedule.batched != 0},
                                     {"images", schedule.images},
                                     {"rows", schedule.rows},
                                     {"chosen_by", schedule.chosen}});
  for (uint64_t i = 0; const char *feature = un0_module_cpu_feature(module, i); ++i)
    features.push_back(feature);
  return json::Object{{"model", info.model},
                      {"format", formatv("{0}.{1}", info.format_major, info.format_minor).str()},
                      {"file_bytes", info.file_bytes},
                      {"weight_bytes", info.weight_bytes},
                      {"external_weights", info.external_weights},
                      {"arena_bytes", info.arena_bytes},
                      {"compilation", json::Object{{"compiler", info.compiler},
                                                   {"source", info.source},
                                                   {"source_sha256", info.source_sha256},
                                                   {"precision", info.precision},
                                                   {"target", info.target},
                                                   {"cpu", info.cpu},
                                                   {"solver", info.solver},
                                                   {"steps", info.steps},
                                                   {"time", info.time}}},
                      {"signature", json::Object{{"oscillators", s.oscillators},
                                                 {"conditioning", s.conditioning},
                                                 {"classes", s.classes},
                                                 {"features", s.features},
                                                 {"channels", s.channels},
                                                 {"height", s.height},
                                                 {"width", s.width},
                                                 {"tile", s.tile}}},
                      {"cpu_features", std::move(features)},
                      {"entries", std::move(entries)},
                      {"tensors", std::move(tensors)},
                      {"costs", std::move(costs)},
                      {"schedules", std::move(schedules)}};
}

static Expected<std::unique_ptr<MemoryBuffer>> openFile(StringRef path) {
  auto buffer = MemoryBuffer::getFileOrSTDIN(path);
  if (!buffer)
    return createStringError("cannot open '" + path + "': " + buffer.getError().message());
  return std::move(*buffer);
}

static ArrayRef<char> bytesOf(const MemoryBuffer &buffer) {
  return {buffer.getBufferStart(), buffer.getBufferSize()};
}

/// The input, with a program. Code for another CPU is no obstacle: it is not looked into.
static Expected<un0::DsaModule> openDsaModule(std::unique_ptr<MemoryBuffer> &file) {
  auto opened = openFile(input);
  if (!opened)
    return opened.takeError();
  file = std::move(*opened);
  auto module = un0::readDsaModule(bytesOf(*file));
  if (!module)
    return createStringError("'" + input + "': " + toString(module.takeError()));
  return module;
}

static int disassemble() {
  std::unique_ptr<MemoryBuffer> file; // what the module's sections are in
  Expected<un0::DsaModule> module = openDsaModule(file);
  if (!module)
    return fail(toString(module.takeError()));
  std::string text;
  raw_string_ostream os(text);
  un0::disassembleDsa(*module, os, !programOnly);
  return emit(os.str());
}

static int exportSpice() {
  un0::SpiceRequest request;
  request.run = spiceRun;
  request.label = spiceClass;
  request.seed = spiceSeed;
  request.faultSeed = spiceFaultSeed;
  if (un0::rt::Status status = un0::dsa::parseFaults(spiceFaults.getValue(), request.faults))
    return fail(Twine(status.message()));
  std::unique_ptr<MemoryBuffer> file; // what the module's sections are in
  Expected<un0::DsaModule> module = openDsaModule(file);
  if (!module)
    return fail(toString(module.takeError()));
  std::string deck;
  raw_string_ostream os(deck);
  if (Error error = un0::exportSpice(module->program, request, os))
    return fail("'" + input + "': " + toString(std::move(error)));
  return emit(deck);
}

static int assemble() {
  if (output == "-")
    return fail("a module is not for a terminal; name a file with -o");
  auto file = openFile(input);
  if (!file)
    return fail(toString(file.takeError()));
  auto module = un0::assembleDsa((*file)->getBuffer(), input == "-" ? "<stdin>" : input.c_str());
  if (!module) {
    errs() << toString(module.takeError()) << "\n"; // "file:line:column: error: ..."
    return 1;
  }
  if (!sectionsOf.empty()) {
    auto base = openFile(sectionsOf);
    if (!base)
      return fail(toString(base.takeError()));
    if (Error error = un0::addSectionsOf(bytesOf(**base), *module))
      return fail("'" + sectionsOf + "': " + toString(std::move(error)));
  }
  if (Error error = un0::writeDsaModule(output, *module))
    return fail("'" + input + "': " + toString(std::move(error)));
  return 0;
}

int main(int argc, char **argv) {
  InitLLVM init(argc, argv);
  cl::HideUnrelatedOptions(category);
  cl::SetVersionPrinter([](raw_ostream &os) { os << "un0-translate " << UN0_VERSION << "\n"; });
  cl::ParseCommandLineOptions(argc, argv, "translate un0 IR, and look into modules\n");

  if (output != "-" && un0::isSameFile(output, input))
    return fail("-o '" + output + "' is the input");
  if (spiceRun.getNumOccurrences() + action.getNumOccurrences() != 1)
    return fail("one option says what to do: --to-text, --to-bytecode, --inspect, --extract-model, "
                "--disassemble, --assemble or --export-spice");
  if (spiceRun.getNumOccurrences())
    return exportSpice();
  if (action == Action::Disassemble)
    return disassemble();
  if (action == Action::Assemble)
    return assemble();
  if (action == Action::Text || action == Action::Bytecode) {
    auto buffer = openFile(input);
    if (!buffer)
      return fail(toString(buffer.takeError()));
    return translate(std::move(*buffer));
  }

  un0_module *module = nullptr;
  un0_error error;
  if (un0_module_open(input.c_str(), nullptr, &module, &error) != UN0_OK)
    return fail("'" + input + "': " + error.message);
  int status;
  if (action == Action::Inspect) {
    status = emit(formatv("{0:2}\n", json::Value(describe(module))).str());
  } else {
    size_t size = 0;
    const void *bytecode = un0_module_bytecode(module, &size);
    status = bytecode ? translate(MemoryBuffer::getMemBufferCopy(
                            StringRef(static_cast<const char *>(bytecode), size), input))
                      : fail("'" + input + "' carries no model IR; it was compiled with --strip");
  }
  un0_module_close(module);
  return status;
}
