//===- Output.cpp - what a sweep found --------------------------------------===//
#include "Output.h"

#include "Svg.h"
#include "Text.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Unicode.h"
#include <cmath>
#include <map>

using namespace llvm;
using namespace un0sweep;
namespace report = un0::report;

/// Quoted where a comma, a quote or a line end would be misread.
static std::string csvCell(const std::string &text) {
  if (text.find_first_of(",\"\n\r") == text.npos)
    return text;
  std::string quoted = "\"";
  for (char c : text)
    quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

std::string un0sweep::toCsv(const Sweep &sweep) {
  std::string csv;
  auto put = [&](const std::string &cell) {
    csv += (csv.empty() || csv.back() == '\n' ? "" : ",") + csvCell(cell);
  };
  const PointResult *any = nullptr;
  for (const PointResult &result : sweep.results)
    if (result.done && result.failure.empty())
      any = &result;
  for (const Variable &variable : sweep.options.variables)
    put(variable.name);
  for (const Column &column : sweep.columns)
    put(column.name);
  if (any)
    for (const Cost &cost : any->costs) {
      const std::string batch = "-batch-" + std::to_string(cost.batch);
      for (const char *name :
           {"picojoules", "dynamics-picojoules", "decoder-picojoules", "seconds-per-image"})
        put(name + batch);
    }
  csv += ",failure\n";
  for (auto [point, result] : zip(sweep.points, sweep.results)) {
    if (!result.done)
      continue;
    for (double value : point)
      put(report::exact(value));
    const bool good = result.failure.empty();
    for (size_t i = 0; i < sweep.columns.size(); ++i)
      csv += "," + (good ? report::exact(result.judged[i]) : std::string());
    for (size_t i = 0; any && i < any->costs.size(); ++i)
      for (double value :
           good ? std::vector<double>{result.costs[i].picojoules, result.costs[i].dynamics,
                                      result.costs[i].decoder, result.costs[i].secondsPerImage}
                : std::vector<double>(4, NAN))
        csv += "," + (good ? report::exact(value) : std::string());
    csv += "," + csvCell(result.failure) + "\n";
  }
  return csv;
}

void un0sweep::printTable(const Sweep &sweep, raw_ostream &os) {
  std::vector<std::vector<std::string>> rows(1);
  for (const Variable &variable : sweep.options.variables)
    rows[0].push_back(variable.name);
  for (const Column &column : sweep.columns)
    rows[0].push_back(column.name);
  rows[0].insert(rows[0].end(), {"batch 1", "batch 64", "time"});
  for (auto [point, result] : zip(sweep.points, sweep.results)) {
    if (!result.done)
      continue;
    std::vector<std::string> &row = rows.emplace_back();
    for (double value : point)
      row.push_back(report::exact(value));
    if (!result.failure.empty()) {
      row.push_back(result.failure);
      continue;
    }
    for (double value : result.judged)
      row.push_back(report::format("%.4g", value));
    for (const Cost &cost : result.costs)
      row.push_back(report::energy(cost.picojoules));
    row.push_back(report::seconds(result.costs.front().secondsPerImage));
  }
  std::vector<int> widths(rows[0].size());
  for (const auto &row : rows)
    for (size_t i = 0; i < row.size() && row.size() == rows[0].size(); ++i)
      widths[i] = std::max(widths[i], sys::unicode::columnWidthUTF8(row[i]));
  for (const auto &row : rows) {
    for (size_t i = 0; i < row.size(); ++i)
      os.indent(i == 0 ? 0 : 2)
              .indent(
                  std::max(0, (row.size() == rows[0].size() || i + 1 < row.size() ? widths[i] : 0) -
                                  sys::unicode::columnWidthUTF8(row[i])))
          << row[i];
    os << "\n";
  }
}

namespace {

/// Everything of a point but one variable, in words: which line of a plot it is on.
std::string othersOf(const Sweep &sweep, size_t point, size_t except) {
  std::string text;
  for (size_t i = 0; i < sweep.options.variables.size(); ++i)
    if (i != except && sweep.options.variables[i].values.size() > 1)
      text += (text.empty() ? "" : ", ") + sweep.options.variables[i].name + " " +
              report::exact(sweep.points[point][i]);
  return text;
}

/// Lines that a drawing can tell apart.
constexpr size_t kMostLines = 8;

std::vector<report::Series> linesOf(const Sweep &sweep, size_t except,
                                    function_ref<report::Point(size_t point)> place,
                                    size_t &leftOut) {
  std::vector<report::Series> lines;
  leftOut = 0;
  for (size_t point = 0; point < sweep.points.size(); ++point) {
    const PointResult &result = sweep.results[point];
    if (!result.done || !result.failure.empty())
      continue;
    const std::string name = othersOf(sweep, point, except);
    auto found = find_if(lines, [&](const report::Series &s) { return s.name == name; });
    if (found == lines.end()) {
      if (lines.size() == kMostLines) {
        ++leftOut;
        continue;
      }
      lines.emplace_back();
      found = std::prev(lines.end());
      found->name = name;
    }
    found->points.push_back(place(point));
  }
  for (report::Series &line : lines)
    llvm::sort(line.points, [](auto &a, auto &b) { return a.x < b.x; });
  return lines;
}

std::string plotWords(const Sweep &sweep, size_t leftOut) {
  std::string words = report::count(double(sweep.options.images)) + " pictures per point";
  if (leftOut)
    words += ". " + std::to_string(leftOut) + " points on further lines are in the table only";
  return words + ".";
}

void addLevel(const Sweep &sweep, size_t column, report::Plot &plot) {
  if (column >= sweep.ownSteps.size() || !std::isfinite(sweep.ownSteps[column]))
    return;
  double low = INFINITY, high = -INFINITY;
  for (const report::Series &series : plot.series)
    for (const report::Point &p : series.points)
      low = std::min(low, p.x), high = std::max(high, p.x);
  if (low > high)
    return;
  report::Series level;
  level.name = "own steps, no faults";
  level.colour = "#888";
  level.dashes = "5 4";
  level.marks = false;
  level.points = {{low, sweep.ownSteps[column]}, {high, sweep.ownSteps[column]}};
  plot.series.push_back(std::move(level));
}

void plotEnergy(const Sweep &sweep, report::Page &page) {
  const std::vector<Variable> &variables = sweep.options.variables;
  for (size_t batch = 0; batch < 2; ++batch) {
    report::Plot plot;
    size_t leftOut;
    // Along the first variable; the others make the lines.
    plot.series = linesOf(
        sweep, 0,
        [&](size_t point) -> report::Point {
          return {sweep.results[point].costs[batch].picojoules * 1e-12,
                  sweep.results[point].judged[0]};
        },
        leftOut);
    if (plot.series.empty())
      return;
    const std::string name = "batch " + std::to_string(batch == 0 ? 1 : 64);
    plot.title = sweep.columns[0].meaning + ", against energy per picture, " + name;
    plot.xName = "energy per picture, J, " + name;
    plot.xPrefixes = true;
    plot.yName = sweep.columns[0].name;
    plot.yLogarithmic = sweep.columns[0].logarithmic;
    for (const report::Series &series : plot.series)
      plot.description += series.name + "; ";
    addLevel(sweep, 0, plot);
    page.figure(report::drawPlot(plot), plot.title + ". Points on a line differ in " +
                                            variables[0].name + "; " + plotWords(sweep, leftOut));
  }
}

void plotVariables(const Sweep &sweep, report::Page &page) {
  for (size_t v = 0; v < sweep.options.variables.size(); ++v) {
    const Variable &variable = sweep.options.variables[v];
    if (variable.values.size() < 2)
      continue;
    page.heading("Quality against " + variable.name);
    for (size_t c = 0; c < sweep.columns.size(); ++c) {
      report::Plot plot;
      size_t leftOut;
      plot.series = linesOf(
          sweep, v,
          [&](size_t point) -> report::Point {
            return {sweep.points[point][v], sweep.results[point].judged[c]};
          },
          leftOut);
      plot.title = sweep.columns[c].meaning + ", against " + variable.name;
      plot.description = variable.meaning;
      plot.xName = variable.meaning;
      plot.yName = sweep.columns[c].name;
      plot.yLogarithmic = sweep.columns[c].logarithmic;
      plot.height = 300;
      addLevel(sweep, c, plot);
      page.figure(report::drawPlot(plot), plot.title + ". " + plotWords(sweep, leftOut));
    }
  }
}

report::Table pointTable(const Sweep &sweep) {
  report::Table table;
  table.caption = "Every point, beside the ideal and the model's own integration on it. Energy per "
                  "picture.";
  for (const Variable &variable : sweep.options.variables)
    table.columns.push_back({variable.name, true});
  for (const Column &column : sweep.columns)
    table.columns.push_back({column.name, true});
  for (const char *name : {"batch 1", "batch 64", "time"})
    table.columns.push_back({name, true});
  table.columns.push_back({"the same pictures"});

  auto reference = [&](const char *name, const std::vector<double> &judged,
                       const report::Strip &strip) {
    std::vector<report::Cell> row{name};
    row.resize(sweep.options.variables.size(), "");
    for (size_t i = 0; i < sweep.columns.size(); ++i)
      row.push_back(i < judged.size() ? report::format("%.4g", judged[i]) : "-");
    row.insert(row.end(), 3, "-");
    row.push_back(report::Cell::html(report::pictureElement(strip, name, 1.5)));
    table.rows.push_back(std::move(row));
  };
  reference("ideal, flow", {}, sweep.idealStrip);
  reference("ideal, own steps", sweep.ownSteps, sweep.ownStrip);
  for (size_t point = 0; point < sweep.points.size(); ++point) {
    const PointResult &result = sweep.results[point];
    if (!result.done)
      continue;
    std::vector<report::Cell> row;
    for (double value : sweep.points[point])
      row.push_back(report::exact(value));
    if (!result.failure.empty()) {
      row.insert(row.end(), sweep.columns.size() + 3, "-");
      row.push_back(result.failure);
    } else {
      for (double value : result.judged)
        row.push_back(report::format("%.4g", value));
      for (const Cost &cost : result.costs)
        row.push_back(report::energy(cost.picojoules));
      row.push_back(report::seconds(result.costs.front().secondsPerImage));
      row.push_back(report::Cell::html(report::pictureElement(
          result.strip,
          "pictures with " + describePoint(sweep.options.variables, sweep.points[point]), 1.5)));
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

} // namespace

std::string un0sweep::toHtml(const Sweep &sweep) {
  const Options &options = sweep.options;
  const std::string model = sys::path::filename(options.model).str();
  std::string names;
  size_t done = 0, failed = 0;
  for (const Variable &variable : options.variables)
    names += (names.empty() ? "" : ", ") + variable.name;
  for (const PointResult &result : sweep.results) {
    done += result.done;
    failed += result.done && !result.failure.empty();
  }
  report::Page page(model + " on " + sweep.hardware.name + ", varied",
                    names + ": " + std::to_string(sweep.points.size()) + " points, " +
                        report::count(double(options.images)) + " pictures each");
  if (done < sweep.points.size())
    page.note(std::to_string(sweep.points.size() - done) + " of " +
              std::to_string(sweep.points.size()) +
              " points are not done yet; the same command goes on.");
  if (failed)
    page.note(std::to_string(failed) + " points could not be compiled or run; the table says why.");
  page.heading("Quality against energy");
  page.paragraph("Distances are to the ideal: couplings without levels, no faults, the continuous "
                 "flow, from the same initial phases. The dashed line is the model's own "
                 "integration on ideal hardware: the distance that it was trained with.");
  plotEnergy(sweep, page);
  plotVariables(sweep, page);
  page.heading("All points");
  page.table(pointTable(sweep));
  page.heading("How it was made");
  report::Table facts;
  facts.columns = {{"what"}, {"value"}};
  facts.rows = {
      {"model", model},
      {"SHA-256 of it", sweep.modelSha256},
      {"hardware",
       sweep.hardware.name + " (" + sweep.hardware.basis + "): " + sweep.hardware.summary},
      {"faults", "all; every point is the same specimen of the hardware, fault seed " +
                     std::to_string(options.faultSeed)},
      {"initial phases", "philox, seed " + std::to_string(options.seed) +
                             ", the same for every point; classes in turn"},
      {"splitting error", options.maxSplittingError ? report::exact(*options.maxSplittingError)
                                                    : std::string("the compiler's default")},
      {"version", "un0-sweep " UN0_VERSION}};
  for (const Variable &variable : options.variables)
    facts.rows.push_back({variable.name, variable.meaning});
  for (const Column &column : sweep.columns)
    facts.rows.push_back({column.name, column.meaning});
  page.table(facts);
  return page.str();
}
