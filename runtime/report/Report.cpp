//===- Report.cpp - what one module costs, on one page ----------------------===//
#include "Report.h"

#include "Simulator.h"
#include "Text.h"

#include <algorithm>
#include <cmath>

namespace un0::report {

static constexpr Part kParts[] = {Part::Dynamics, Part::Decoder, Part::Transfer, Part::Control};

bool isAssumption(const std::string &source) {
  static constexpr std::string_view word = "assumption";
  return std::search(source.begin(), source.end(), word.begin(), word.end(), [](char a, char b) {
           return (a >= 'A' && a <= 'Z' ? char(a + 'a' - 'A') : a) == b;
         }) != source.end();
}

std::string partColour(Part part, size_t shade) {
  // Blue, orange, green, grey; towards white with each shade.
  static constexpr int base[][3] = {{0, 92, 153}, {206, 90, 20}, {0, 138, 100}, {96, 96, 96}};
  const int *c = base[int(part)];
  const double light = 1 - std::pow(0.72, double(shade % 5));
  auto mix = [&](int value) { return int(value + (255 - value) * light); };
  return format("#%02x%02x%02x", mix(c[0]), mix(c[1]), mix(c[2]));
}

std::vector<Segment> segmentsOf(const Account &account) {
  std::vector<Segment> segments;
  for (Part part : kParts) {
    size_t shade = 0;
    for (const Component &component : account.components)
      if (component.part == part) {
        // "dynamics: dynamics memory" would say it twice.
        std::string name = component.name;
        if (name.rfind(partName(part), 0) != 0)
          name = std::string(partName(part)) + ": " + name;
        segments.push_back({name, component.picojoules() * 1e-12, partColour(part, shade++)});
      }
  }
  return segments;
}

static std::string batchName(uint64_t batch) { return "batch " + std::to_string(batch); }

/// Picojoules of an account that rest on constants which nobody has published.
static double assumed(const Account &account) {
  double sum = 0;
  for (const Component &component : account.components)
    for (const Term &term : component.terms)
      if (isAssumption(term.source))
        sum += term.picojoules();
  return sum;
}

/// A source with a mark where it is an assumption.
static std::string sourceHtml(const std::string &source) {
  if (!isAssumption(source))
    return escape(source);
  if (source.rfind("assumption", 0) != 0)
    return "<span class=\"tag assumption\">partly assumption</span> " + escape(source);
  const size_t rest = source.find_first_not_of(": ", sizeof "assumption" - 1);
  return "<span class=\"tag assumption\">assumption</span> " +
         (rest == source.npos ? "" : escape(source.substr(rest)));
}

Table termTable(const std::vector<Account> &accounts) {
  Table table;
  table.caption = "Per image. Count x constant = energy; a component is the sum of its lines.";
  table.columns = {{"part, component"}, {"basis"}, {"what", false, false, true}};
  for (const Account &account : accounts)
    table.columns.push_back({"count, " + batchName(account.batch), true});
  table.columns.push_back({"pJ each", true});
  for (const Account &account : accounts)
    table.columns.push_back({"pJ, " + batchName(account.batch), true});
  table.columns.push_back({"constant, and its source", false, true});

  // Accounts of one target have the same components, but a batch may need a term that another does
  // not.
  struct Row {
    const Component *component;
    const Term *term;
    std::vector<const Term *> terms;
  };
  std::vector<Row> rows;
  for (size_t a = 0; a < accounts.size(); ++a)
    for (const Component &component : accounts[a].components)
      for (const Term &term : component.terms) {
        auto same = std::find_if(rows.begin(), rows.end(), [&](const Row &row) {
          return !row.terms[a] && row.component->name == component.name &&
                 row.component->part == component.part && row.term->what == term.what &&
                 row.term->constant == term.constant &&
                 row.term->picojoulesEach == term.picojoulesEach;
        });
        if (same == rows.end()) {
          // Beside the component's other terms.
          auto last = std::find_if(rows.rbegin(), rows.rend(), [&](const Row &row) {
            return row.component->name == component.name && row.component->part == component.part;
          });
          same = rows.insert(last.base() == rows.begin() ? rows.end() : last.base(),
                             {&component, &term, std::vector<const Term *>(accounts.size())});
        }
        same->terms[a] = &term;
      }

  const Component *before = nullptr;
  for (const Row &row : rows) {
    std::vector<Cell> cells;
    const bool first =
        !before || before->name != row.component->name || before->part != row.component->part;
    before = row.component;
    const std::string part = partName(row.component->part);
    cells.push_back(!first                                    ? std::string()
                    : row.component->name.rfind(part, 0) == 0 ? row.component->name
                                                              : part + ", " + row.component->name);
    const char *basis = basisName(row.component->basis);
    cells.push_back(
        Cell::html(std::string("<span class=\"tag ") + basis + "\">" + basis + "</span>"));
    cells.push_back(row.term->what);
    for (const Term *term : row.terms)
      cells.push_back(term ? count(term->count) : "-");
    cells.push_back(format("%.6g", row.term->picojoulesEach));
    for (const Term *term : row.terms)
      cells.push_back(term ? format("%.6g", term->picojoules()) : "-");
    cells.push_back(Cell::html("<code>" + escape(row.term->constant) +
                               "</code>: " + sourceHtml(row.term->source)));
    table.rows.push_back(std::move(cells));
  }
  std::vector<Cell> sum{"total", "", ""};
  for (size_t a = 0; a < accounts.size(); ++a)
    sum.push_back("");
  sum.push_back("");
  for (const Account &account : accounts)
    sum.push_back(format("%.6g", account.picojoules()));
  sum.push_back("");
  table.strong.push_back(table.rows.size());
  table.rows.push_back(std::move(sum));
  return table;
}

Table constantTable(const Hardware &hardware) {
  Table table;
  table.caption = "Constants of " + hardware.name;
  table.columns = {{"constant"}, {"value", true}, {"unit"}, {"source", false, true}};
  for (const auto &[name, constant] : hardware.constants)
    table.rows.push_back({Cell::html("<code>" + escape(name) + "</code>"), exact(constant.value),
                          constant.unit, Cell::html(sourceHtml(constant.source))});
  return table;
}

static Table partTable(const std::vector<Account> &accounts) {
  Table table;
  table.columns = {{"part"}};
  for (const Account &account : accounts) {
    table.columns.push_back({batchName(account.batch), true});
    table.columns.push_back({"share", true});
  }
  for (Part part : kParts) {
    std::vector<Cell> row{partName(part)};
    for (const Account &account : accounts) {
      row.push_back(energy(account.picojoules(part)));
      row.push_back(percent(account.picojoules(part) / account.picojoules()));
    }
    table.rows.push_back(std::move(row));
  }
  std::vector<Cell> sum{"one picture"};
  for (const Account &account : accounts) {
    sum.push_back(energy(account.picojoules()));
    sum.push_back("");
  }
  table.strong.push_back(table.rows.size());
  table.rows.push_back(std::move(sum));
  return table;
}

static Table timeTable(const std::vector<Account> &accounts) {
  Table table;
  table.columns = {{"batch", true},          {"time to pictures", true}, {"per picture", true},
                   {"pictures per s", true}, {"mean power", true},       {"what bounds the time"}};
  for (const Account &account : accounts) {
    const bool timed = account.secondsPerImage > 0;
    table.rows.push_back(
        {std::to_string(account.batch), seconds(account.secondsToPicture),
         seconds(account.secondsPerImage),
         timed ? format("%.3g", 1 / account.secondsPerImage) : "-",
         timed ? quantity(account.picojoules() * 1e-12 / account.secondsPerImage, "W") : "-",
         account.bound.empty() ? "-" : account.bound});
  }
  return table;
}

static void energySection(const Report &report, Page &page) {
  page.heading("Energy of a picture");
  std::vector<Bar> bars;
  std::string words;
  for (const Account &account : report.accounts) {
    bars.push_back({batchName(account.batch), energy(account.picojoules()) + " per picture",
                    segmentsOf(account)});
    words += batchName(account.batch) + " " + energy(account.picojoules()) + "; ";
  }
  page.figure(stackedBars("Energy per picture by component", words, bars, "J"),
              "Energy per picture. Point at a bar for its figure; the table below has them all.");
  for (Bar &bar : bars)
    bar.note.clear();
  page.figure(stackedBars("Share of each component", "The same figures as shares of each bar", bars,
                          "", /*shares=*/true),
              "The same as shares: what a batch does and does not spread.");
  page.table(partTable(report.accounts));
  const Account &one = report.accounts.front();
  const double share = one.picojoules() > 0 ? assumed(one) / one.picojoules() : 0;
  if (share > 0)
    page.note(percent(share) + " of the energy at batch " + std::to_string(one.batch) +
              " rests on constants that are assumptions, wholly or in part: they are marked "
              "below, and changing them in the hardware description changes this page.");
  if (report.measurement)
    page.paragraph(report.measurement->joulesPerImage
                       ? "Measured: " + quantity(*report.measurement->joulesPerImage, "J") +
                             " per picture (" + report.measurement->words +
                             "; everything that ran on the machine meanwhile is in it)."
                       : "Measured: " + report.measurement->words + ".");
}

static void howSection(const Report &report, Page &page) {
  page.heading("How it was made");
  Table facts;
  facts.columns = {{"what"}, {"value"}};
  for (const Fact &fact : report.facts)
    facts.rows.push_back({fact.name, fact.value});
  if (report.faults) {
    std::string names;
    for (const char *name :
         {"levels", "mismatch", "offset", "noise", "set-bits", "sample-bits", "link-delay"}) {
      uint32_t fault = 0;
      if (!dsa::parseFaults(name, fault) && *report.faults & fault)
        names += std::string(names.empty() ? "" : ", ") + name;
    }
    facts.rows.push_back({"faults simulated", names.empty() ? "none" : names});
  }
  page.table(facts);
  if (!report.hardware.name.empty()) {
    page.paragraph("Hardware description '" + report.hardware.name + "' (" + report.hardware.basis +
                   "): " + report.hardware.summary);
    page.table(constantTable(report.hardware));
  }
  page.paragraph("Counted: operations of the program or of the module's cost table, times a "
                 "constant. Modelled: a model of time or of caches stands between. Measured: read "
                 "from a counter of the machine.");
}

std::string toHtml(const Report &report) {
  const Account &one = report.accounts.front();
  Page page(report.title, "Energy and time of one picture on " + one.target);
  std::vector<Page::Tile> tiles;
  for (const Account &account : report.accounts)
    tiles.push_back({"energy per picture, " + batchName(account.batch),
                     energy(account.picojoules()),
                     account.batch == 1 ? "alone" : "loads shared by the batch"});
  tiles.push_back({"dynamics alone, " + batchName(one.batch),
                   energy(one.picojoules(Part::Dynamics)),
                   percent(one.picojoules(Part::Dynamics) / one.picojoules()) + " of the picture"});
  tiles.push_back({"time to picture, " + batchName(one.batch), seconds(one.secondsToPicture),
                   one.bound.empty() ? "" : "bound by " + one.bound});
  page.tiles(tiles);

  if (report.pictures.count()) {
    page.heading("Pictures");
    page.html(pictureRows(report.pictures));
  }
  energySection(report, page);
  page.heading("Every figure and the sum that made it");
  page.table(termTable(report.accounts));
  page.heading("Time, and what bounds it");
  page.table(timeTable(report.accounts));
  for (const Roofline &roofline : report.rooflines)
    page.figure(drawRoofline(roofline), roofline.title + ". " + roofline.words);
  if (!report.phases.lines.empty()) {
    page.heading("Phases in time");
    const PhaseTrace &trace = report.phases;
    page.figure(
        drawPhases(trace),
        format("First sample, %zu of the main oscillators, %s run%s over %s of tile time.",
               trace.lines.size(), count(double(trace.runs)).c_str(), trace.runs == 1 ? "" : "s",
               seconds(trace.totalSeconds).c_str()) +
            (trace.runs > 1 ? " Oscillators that take turns on a tile move in their own runs only."
                            : "") +
            (trace.truncated ? " The drawing stops early: there are more runs than it can show."
                             : ""));
  }
  howSection(report, page);
  return page.str();
}

Status checkReportPath(const std::string &path) {
  auto ends = [&](const char *suffix, size_t size) {
    return path.size() > size && path.compare(path.size() - size, size, suffix) == 0;
  };
  if (ends(".html", 5) || ends(".json", 5))
    return {};
  return rt::failure(UN0_ERROR_INVALID_ARGUMENT, "a report is FILE.json or FILE.html, got %s",
                     rt::quoted(path).c_str());
}

Status writeReport(const Report &report, const std::string &path) {
  UN0_RETURN_IF_FAILED(checkReportPath(path));
  return writeFile(path, path.back() == 'n' ? toJson(report) : toHtml(report));
}

} // namespace un0::report
