//===- Main.cpp - un0-bench: modules against the machine's limit --------------===//
#include "Bench.h"
#include "OutputFile.h"
#include "OutputPath.h"
#include "Report.h"

#include <charconv>
#include <csignal>
#include <cstdio>
#include <string_view>

using namespace un0bench;

static const char *const usage = R"(usage: un0-bench MODEL.un0... [options]

Times modules, oscillators and decoder apart, and compares with the peak rates and the read
bandwidth of this machine, measured between the repetitions over as long as one takes.

  --batch=1,16,64     images per request (default: 1,16,64)
  --threads=1,2       threads (default: 1)
  --repetitions=N     measurements per line; median, least and greatest are shown (default: 20)
  --copy-weights      in memory with huge pages, as un0-run has them for many pictures, instead of
                      the file's pages
  --json=FILE         also write the results there
  --help, --version
)";

namespace {

struct Options {
  std::vector<std::string> models;
  std::vector<uint64_t> batches = {1, 16, 64};
  std::vector<uint64_t> threads = {1};
  std::vector<uint64_t> repetitions = {20};
  std::string json;
  bool copyWeights = false, help = false, version = false;
};

MaybeFailure parseList(std::string_view flag, std::string_view text, uint64_t high,
                       std::vector<uint64_t> &values) {
  values.clear();
  const char *at = text.data(), *end = at + text.size();
  while (true) {
    uint64_t value = 0;
    auto [next, error] = std::from_chars(at, end, value);
    if (error != std::errc() || value < 1 || value > high || (next != end && *next != ','))
      return un0run::fail(std::string(flag) + " is '" + std::string(text) +
                          "', expected whole numbers from 1 to " + std::to_string(high) +
                          ", with commas between");
    values.push_back(value);
    if (next == end)
      return std::nullopt;
    at = next + 1;
  }
}

MaybeFailure applyValue(std::string_view flag, std::string_view value, Options &options) {
  if (flag == "--batch")
    return parseList(flag, value, 1 << 20, options.batches);
  if (flag == "--threads")
    return parseList(flag, value, 1024, options.threads);
  if (flag == "--json") {
    options.json = value;
    return value.empty() ? MaybeFailure(un0run::fail("--json needs a file name")) : std::nullopt;
  }
  if (MaybeFailure failure = parseList(flag, value, 1 << 20, options.repetitions))
    return failure;
  if (options.repetitions.size() != 1)
    return un0run::fail("--repetitions takes one number, not '" + std::string(value) + "'");
  return std::nullopt;
}

MaybeFailure parseOptions(int argc, char **argv, Options &options) {
  for (int i = 1; i < argc; ++i) {
    std::string_view argument = argv[i];
    if (argument.empty() || argument[0] != '-') {
      options.models.emplace_back(argument);
      continue;
    }
    size_t equals = argument.find('=');
    std::string_view flag = argument.substr(0, equals);
    if (argument == "--help" || argument == "--version") {
      (argument == "--help" ? options.help : options.version) = true;
      continue;
    }
    if (argument == "--copy-weights") {
      options.copyWeights = true;
      continue;
    }
    if (flag != "--batch" && flag != "--threads" && flag != "--repetitions" && flag != "--json")
      return un0run::fail("unknown flag '" + std::string(argument) + "'",
                          {"run un0-bench --help for the command line"});
    if (equals == argument.npos && i + 1 == argc)
      return un0run::fail(std::string(flag) + " needs a value");
    std::string_view value = equals == argument.npos ? argv[++i] : argument.substr(equals + 1);
    if (MaybeFailure failure = applyValue(flag, value, options))
      return failure;
  }
  if (options.models.empty() && !options.help && !options.version)
    return un0run::fail("no model given", {"run un0-bench --help for the command line"});
  return std::nullopt;
}

MaybeFailure run(const Options &options) {
  // All are opened first: a wrong name should not be found after minutes.
  std::vector<un0::Module> modules;
  for (const std::string &path : options.models) {
    un0::Expected<un0::Module> module =
        un0::Module::open(path, options.copyWeights ? UN0_OPEN_COPY_WEIGHTS : 0);
    if (!module)
      return un0run::fail(module.error().message, {"in '" + path + "'"});
    modules.push_back(std::move(*module));
  }
  if (!options.json.empty()) {
    for (const std::string &path : options.models)
      if (un0::isSameFile(options.json, path))
        return un0run::fail("--json='" + options.json + "' is a model");
    if (MaybeFailure failure = un0run::checkWritable(options.json))
      return failure;
  }
  printHeader();
  Machine machine;
  std::vector<Result> results;
  for (const un0::Module &module : modules)
    for (uint64_t threads : options.threads)
      for (uint64_t batch : options.batches) {
        Result result;
        if (MaybeFailure failure =
                measure(module, batch, static_cast<unsigned>(threads),
                        static_cast<unsigned>(options.repetitions[0]), machine, result))
          return failure;
        printRow(result);
        results.push_back(std::move(result));
      }
  printFooter(results);
  return options.json.empty() ? std::nullopt : writeJson(options.json, results);
}

} // namespace

int main(int argc, char **argv) {
  // A file past the allowed size is a failed write with a message, not a crash.
  std::signal(SIGXFSZ, SIG_IGN);
  Options options;
  if (MaybeFailure failure = parseOptions(argc, argv, options))
    return un0run::report("un0-bench", *failure);
  if (options.help || options.version) {
    std::fputs(options.help ? usage : "un0-bench " UN0_VERSION "\n", stdout);
  } else if (MaybeFailure failure = run(options)) {
    return un0run::report("un0-bench", *failure);
  }
  // A closed or full standard output is a failure too; ferror tells of rows that were flushed.
  if (std::fflush(stdout) != 0 || std::ferror(stdout))
    return un0run::report("un0-bench", un0run::fail("cannot write to standard output"));
  return 0;
}
