//===- Options.cpp - the command line of un0-run ----------------------------===//
#include "Options.h"

#include "Report.h"

#include <charconv>
#include <cstring>
#include <string_view>

namespace un0run {

const char *const usage =
    R"(usage: un0-run MODEL.un0 [options]

Generates images with a compiled model and writes them as a PNG grid, one row per class, labelled
with the class number. MODEL may also be a checkpoint: it is compiled once, into a cache.

  --classes=all|LIST         classes to draw, like 0,2,5-7 (default: all)
  --samples-per-class=N      images per row (default: 10)
  --seed=S                   seed of the initial phases (default: 0)
  --rng=philox|torch         generator; torch: what torch.manual_seed(S) gives (default: philox)
  --threads=N                threads (default: one per CPU)
  --output=GRID.png          where the grid goes (default: grid.png)
  --unconditional            no class: one row
  --init-phases=FILE         take theta0, phi0 and labels from a safetensors file
  --dump=FILE                write theta, features and images to a safetensors file
  --report=FILE.json|.html   account for a picture's energy and time; .html with the pictures
  --device=native|reference  compiled code, or the interpreter in f64 (default: native)
  --integrator=flow|euler    simulated hardware: the continuous flow, or the model's own steps (default: flow)
  --faults=none|all|LIST     what the simulated hardware does wrong: levels, mismatch, offset, noise, set-bits,
                             sample-bits, link-delay (default: all)
  --fault-seed=S             which piece of that hardware, and its noise (default: 0)
  --timings                  print where the time went
  --quiet                    print nothing but errors
  --help, --version
)";

template <typename T>
static MaybeFailure parseNumber(std::string_view flag, std::string_view text, T low, T high,
                                T &value) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < low || value > high)
    return fail("--" + std::string(flag) + " is '" + std::string(text) +
                "', expected a whole number from " + std::to_string(low) + " to " +
                std::to_string(high));
  return std::nullopt;
}

static MaybeFailure parseChoice(std::string_view flag, std::string_view text, const char *first,
                                const char *second, bool &isSecond) {
  if (text != first && text != second)
    return fail("--" + std::string(flag) + " is '" + std::string(text) + "', expected " + first +
                " or " + second);
  isSecond = text == second;
  return std::nullopt;
}

static MaybeFailure parsePath(std::string_view flag, std::string_view text, std::string &path) {
  if (text.empty())
    return fail("--" + std::string(flag) + " needs a file name");
  path = text;
  return std::nullopt;
}

/// A flag without a value; null when `name` is none.
static bool *findSwitch(std::string_view name, Options &options) {
  if (name == "unconditional")
    return &options.unconditional;
  if (name == "timings")
    return &options.timings;
  if (name == "quiet")
    return &options.quiet;
  if (name == "help")
    return &options.help;
  if (name == "version")
    return &options.version;
  return nullptr;
}

static bool takesValue(std::string_view name) {
  for (const char *flag :
       {"classes", "samples-per-class", "seed", "rng", "threads", "output", "init-phases", "dump",
        "report", "device", "integrator", "faults", "fault-seed"})
    if (name == flag)
      return true;
  return false;
}

static MaybeFailure applyValue(std::string_view name, std::string_view value, Options &options) {
  if (name == "samples-per-class") {
    options.samplesGiven = true;
    return parseNumber<uint64_t>(name, value, 1, 1u << 20, options.samplesPerClass);
  }
  if (name == "seed") {
    options.seedGiven = true;
    return parseNumber<uint64_t>(name, value, 0, UINT64_MAX, options.seed);
  }
  if (name == "rng") {
    options.rngGiven = true;
    return parseChoice(name, value, "philox", "torch", options.torchRng);
  }
  if (name == "threads")
    return parseNumber<uint32_t>(name, value, 1, 1024, options.threads);
  if (name == "output")
    return parsePath(name, value, options.output);
  if (name == "init-phases")
    return parsePath(name, value, options.initPhases);
  if (name == "dump")
    return parsePath(name, value, options.dump);
  if (name == "report") {
    if (un0::rt::Status status = un0::report::checkReportPath(std::string(value)))
      return fail("--report: " + status.message());
    return parsePath(name, value, options.report);
  }
  if (name == "device")
    return parseChoice(name, value, "native", "reference", options.reference);
  if (name == "integrator" || name == "faults" || name == "fault-seed") {
    options.simulationGiven = true;
    if (name == "integrator")
      return parseChoice(name, value, "flow", "euler", options.euler);
    if (name == "fault-seed")
      return parseNumber<uint64_t>(name, value, 0, UINT64_MAX, options.faultSeed);
    if (un0::dsa::Status status = un0::dsa::parseFaults(value, options.faults))
      return fail("--faults: " + status.message());
    return std::nullopt;
  }
  options.classesGiven = true;
  options.classes = value;
  return std::nullopt;
}

static MaybeFailure checkCombinations(const Options &options) {
  if (options.model.empty())
    return fail("no model given", {"run un0-run --help for the command line"});
  if (options.unconditional && options.classesGiven)
    return fail("--unconditional and --classes exclude each other");
  if (options.reference && options.simulationGiven)
    return fail("--device=reference does not simulate hardware, so it excludes --integrator, "
                "--faults and --fault-seed");
  if (!options.initPhases.empty() &&
      (options.classesGiven || options.samplesGiven || options.seedGiven || options.rngGiven))
    return fail("--init-phases says which samples to make, so it excludes --classes, "
                "--samples-per-class, --seed and --rng");
  return std::nullopt;
}

MaybeFailure parseOptions(int argc, char **argv, Options &options) {
  for (int i = 1; i < argc; ++i) {
    std::string_view argument = argv[i];
    if (argument.substr(0, 2) != "--" || argument.size() == 2) {
      if (argument.size() > 1 && argument[0] == '-')
        return fail("unknown flag '" + std::string(argument) + "'",
                    {"run un0-run --help for the command line"});
      if (!options.model.empty())
        return fail("two models given: '" + options.model + "' and '" + std::string(argument) +
                    "'");
      if (argument.empty())
        return fail("the name of the model is empty");
      options.model = argument;
      continue;
    }
    size_t equals = argument.find('=');
    std::string_view name = argument.substr(2, equals == argument.npos ? equals : equals - 2);
    if (bool *flag = findSwitch(name, options)) {
      if (equals != argument.npos)
        return fail("--" + std::string(name) + " takes no value");
      *flag = true;
      continue;
    }
    if (!takesValue(name))
      return fail("unknown flag '--" + std::string(name) + "'",
                  {"run un0-run --help for the command line"});
    std::string_view value;
    if (equals != argument.npos)
      value = argument.substr(equals + 1);
    else if (i + 1 < argc)
      value = argv[++i];
    else
      return fail("--" + std::string(name) + " needs a value");
    if (MaybeFailure failure = applyValue(name, value, options))
      return failure;
  }
  if (options.help || options.version)
    return std::nullopt;
  return checkCombinations(options);
}

MaybeFailure parseClasses(const std::string &text, uint32_t count, std::vector<int64_t> &classes) {
  if (text == "all") {
    for (uint32_t c = 0; c < count; ++c)
      classes.push_back(c);
    return std::nullopt;
  }
  std::vector<bool> seen(count);
  const char *at = text.data(), *end = at + text.size();
  auto malformed = [&] {
    return fail("--classes is '" + text + "', expected all or a list like 0,2,5-7");
  };
  auto readClass = [&](uint64_t &value) {
    auto [next, error] = std::from_chars(at, end, value);
    at = next;
    return error == std::errc();
  };
  while (true) {
    uint64_t first, last;
    if (!readClass(first))
      return malformed();
    last = first;
    if (at != end && *at == '-') {
      ++at;
      if (!readClass(last))
        return malformed();
    }
    if (last < first)
      return fail("--classes has the empty range " + std::to_string(first) + "-" +
                  std::to_string(last));
    if (last >= count)
      return fail("class " + std::to_string(last) + " is out of range: the model has " +
                  std::to_string(count) + " classes" +
                  (count ? ", 0 to " + std::to_string(count - 1) : ""));
    for (uint64_t c = first; c <= last; ++c) {
      if (seen[c])
        return fail("--classes lists class " + std::to_string(c) + " twice");
      seen[c] = true;
      classes.push_back(static_cast<int64_t>(c));
    }
    if (at == end)
      return std::nullopt;
    if (*at++ != ',')
      return malformed();
  }
}

} // namespace un0run
