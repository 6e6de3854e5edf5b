//===- Report.cpp - what un0c says about modules ----------------*- C++ -*-===//

#include "un0/Driver/Report.h"

#include "Compare.h"
#include "Fail.h"
#include "Module.h"
#include "Text.h"
#include "un0/runtime.hpp"
#include "llvm/Support/Format.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Unicode.h"
#include <cmath>
#include <map>

using namespace llvm;
using namespace un0;

LogicalResult un0::checkReportOptions(const ReportOptions &options, raw_ostream &errors) {
  if (options.path.empty())
    return success();
  if (rt::Status status = report::checkReportPath(options.path))
    return fail(errors, "--report: " + status.message());
  return success();
}

namespace {
/// A module to account for, and to run where this CPU can.
struct Described {
  std::optional<un0::Module> opened;
  std::unique_ptr<un0_module> foreign; // code for another CPU: all but that
  std::string notRun;                  // why `foreign` cannot

  const un0_module *get() const { return opened ? opened->get() : foreign.get(); }
};
} // namespace

/// What an account needs: everything of a module but its code, which the runtime would load.
static rt::Status readForeign(const std::string &path, un0_module &module) {
  UN0_RETURN_IF_FAILED(module.read(path, /*flags=*/0));
  for (const format::Entry *entry : *module.manifest->entries())
    if (entry->kind()->string_view() == "evolve")
      module.evolves.push_back({entry->batch(), nullptr});
  // The runtime's order: the widest comes first.
  sort(module.evolves, [](const auto &a, const auto &b) { return a.batch > b.batch; });
  return {};
}

static LogicalResult describe(const std::string &path, Described &module, report::Report &result,
                              raw_ostream &errors) {
  un0::Expected<un0::Module> opened = un0::Module::open(path);
  if (opened) {
    module.opened = std::move(*opened);
  } else if (opened.error().code == UN0_ERROR_CPU) {
    module.notRun = opened.error().message;
    module.foreign = std::make_unique<un0_module>();
    if (rt::Status status = readForeign(path, *module.foreign))
      return fail(errors, status.message() + " in '" + path + "'");
  } else {
    return fail(errors, opened.error().message + " in '" + path + "'");
  }
  if (rt::Status status = report::describeModule(module.get(), result))
    return fail(errors, status.message() + " in '" + path + "'");
  result.facts.insert(result.facts.begin(), {"file", sys::path::filename(path).str()});
  return success();
}

LogicalResult un0::reportModule(StringRef path, const ReportOptions &options, raw_ostream &output,
                                raw_ostream &errors) {
  Described module;
  report::Report result;
  if (failed(describe(path.str(), module, result, errors)))
    return failure();
  if (options.explain)
    for (const report::Account &account : result.accounts)
      output << report::explain(account);
  if (options.path.empty())
    return success();
  if (rt::Status status = report::writeReport(result, options.path))
    return fail(errors, status.message());
  return success();
}

/// Names that tell targets apart: the hardware, or the CPU's precision; with files where they
/// agree.
static void nameTargets(ArrayRef<std::string> files, MutableArrayRef<report::Compared> targets) {
  std::map<std::string, int> uses;
  for (report::Compared &target : targets)
    ++uses[target.name];
  for (auto [file, target] : zip(files, targets))
    if (uses[target.name] > 1)
      target.name += " (" + sys::path::filename(file).str() + ")";
}

LogicalResult un0::compareModules(ArrayRef<std::string> files, const ReportOptions &options,
                                  raw_ostream &output, raw_ostream &errors) {
  if (files.size() < 2)
    return fail(errors, "--compare wants two modules or more, got " + Twine(files.size()));
  constexpr uint32_t mostPictures = 10;
  std::vector<report::Compared> targets(files.size());
  std::vector<un0_signature> signatures;
  for (auto [file, target] : zip(files, targets)) {
    Described module;
    if (failed(describe(file, module, target.report, errors)))
      return failure();
    un0_signature s;
    un0_module_signature(module.get(), &s);
    const un0_signature &first = signatures.empty() ? s : signatures.front();
    if (s.oscillators != first.oscillators || s.conditioning != first.conditioning ||
        s.classes != first.classes || s.features != first.features)
      return fail(errors, "'" + file + "' has " + Twine(s.oscillators) + " oscillators, " +
                              Twine(s.conditioning) + " conditioning and " + Twine(s.classes) +
                              " classes, '" + files.front() + "' has " + Twine(first.oscillators) +
                              ", " + Twine(first.conditioning) + " and " + Twine(first.classes) +
                              ": only targets of one model can be compared");
    signatures.push_back(s);
    un0_module_info info;
    un0_module_get_info(module.get(), &info);
    target.name = target.report.hardware.kind == dsa::HardwareKind::Cpu
                      ? std::string("CPU ") + info.precision
                      : target.report.hardware.name;
    // The same phases and classes for every target.
    std::vector<int64_t> labels;
    for (uint32_t i = 0; i < (s.classes ? std::min(s.classes, mostPictures) : 4); ++i)
      labels.push_back(s.classes ? int64_t(i) : -1);
    if (module.foreign)
      target.notRun = "not run here: " + module.notRun;
    else if (rt::Status status = report::drawSamples(module.get(), labels, 0, target.report))
      target.notRun = "not run here: " + status.message();
    const std::vector<float> &own = target.report.pictures.pixels,
                             &others = targets.front().report.pictures.pixels;
    if (own.size() == others.size() && !own.empty()) {
      double sum = 0;
      for (auto [a, b] : zip(own, others))
        sum += double(a - b) * double(a - b);
      target.imageRms = std::sqrt(sum / double(own.size()));
    }
  }
  nameTargets(files, targets);

  auto row = [&](StringRef name, ArrayRef<std::string> cells) {
    output << left_justify(name, 28);
    for (const std::string &cell : cells)
      // Columns count characters, and the prefix of micro has two bytes.
      output.indent(std::max<int>(1, 13 - sys::unicode::columnWidthUTF8(cell))) << cell;
    output << "\n";
  };
  row("per picture", {"batch 1", "dynamics", "batch 64", "dynamics", "image rms"});
  for (const report::Compared &target : targets) {
    SmallVector<std::string> cells;
    for (const report::Account &account : target.report.accounts) {
      cells.push_back(report::energy(account.picojoules()));
      cells.push_back(report::energy(account.picojoules(report::Part::Dynamics)));
    }
    cells.push_back(target.imageRms ? report::format("%.3g", *target.imageRms) : "-");
    row(target.name, cells);
  }
  output << "\n" << report::judgeClaim(targets) << "\n";
  if (options.path.empty())
    return success();
  if (rt::Status status = report::writeComparison(targets, options.path))
    return fail(errors, status.message());
  return success();
}
