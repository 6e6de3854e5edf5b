//===- Compare.cpp - targets side by side -----------------------------------===//
#include "Compare.h"

#include "Text.h"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace un0::report {

static const Component *largestComponent(const Account &account) {
  const Component *largest = nullptr;
  for (const Component &component : account.components)
    if (!largest || component.picojoules() > largest->picojoules())
      largest = &component;
  return largest;
}

/// "coupling loads (dynamics), 93 %".
static std::string largestWords(const Account &account) {
  const Component *largest = largestComponent(account);
  if (!largest || account.picojoules() <= 0)
    return "-";
  return largest->name + " (" + partName(largest->part) + "), " +
         percent(largest->picojoules() / account.picojoules());
}

static const Account *atBatch(const Compared &target, uint64_t batch) {
  for (const Account &account : target.report.accounts)
    if (account.batch == batch)
      return &account;
  return nullptr;
}

/// A segment per part: components differ from target to target.
static std::vector<Segment> partSegments(const Account &account) {
  std::vector<Segment> segments;
  for (Part part : {Part::Dynamics, Part::Decoder, Part::Transfer, Part::Control})
    segments.push_back({partName(part), account.picojoules(part) * 1e-12, partColour(part)});
  return segments;
}

static Table energyTable(const std::vector<Compared> &targets, uint64_t batch) {
  const Account *first = atBatch(targets.front(), batch);
  Table table;
  table.caption = "Batch " + std::to_string(batch) + ", per picture. \"Less\" is the energy of " +
                  targets.front().name + " divided by the target's.";
  table.columns = {{"target"},     {"energy", true},  {"less", true},          {"dynamics", true},
                   {"less", true}, {"decoder", true}, {"transfer", true},      {"control", true},
                   {"largest"},    {"time", true},    {"what bounds the time"}};
  for (const Compared &target : targets) {
    const Account *account = atBatch(target, batch);
    if (!account || !first)
      continue;
    table.rows.push_back(
        {target.name, energy(account->picojoules()),
         ratio(first->picojoules(), account->picojoules()),
         energy(account->picojoules(Part::Dynamics)),
         ratio(first->picojoules(Part::Dynamics), account->picojoules(Part::Dynamics)),
         energy(account->picojoules(Part::Decoder)), energy(account->picojoules(Part::Transfer)),
         energy(account->picojoules(Part::Control)), largestWords(*account),
         seconds(account->secondsPerImage), account->bound.empty() ? "-" : account->bound});
  }
  return table;
}

/// Energies of all targets between decades: bars of a linear scale would show the largest only.
static std::string energyDots(const std::vector<Compared> &targets, uint64_t batch) {
  Plot plot;
  plot.title = "Energy per picture by part, batch " + std::to_string(batch);
  plot.xName = "energy per picture, J (logarithmic)";
  plot.xLogarithmic = plot.xPrefixes = true;
  plot.width = 600;
  plot.height = 90 + 30 * double(targets.size());
  struct Kind {
    const char *name;
    std::optional<Part> part;
    const char *colour;
  };
  const Kind kinds[] = {{"whole picture", std::nullopt, "#222222"},
                        {"dynamics", Part::Dynamics, nullptr},
                        {"decoder", Part::Decoder, nullptr},
                        {"transfer", Part::Transfer, nullptr},
                        {"control", Part::Control, nullptr}};
  for (const Kind &kind : kinds) {
    Series series;
    series.name = kind.name;
    series.line = false;
    series.colour = kind.part ? partColour(*kind.part) : kind.colour;
    for (size_t i = 0; i < targets.size(); ++i)
      if (const Account *account = atBatch(targets[i], batch)) {
        const double picojoules =
            kind.part ? account->picojoules(*kind.part) : account->picojoules();
        if (picojoules > 0)
          series.points.push_back({picojoules * 1e-12, double(targets.size() - i)});
        plot.description += targets[i].name + " " + kind.name + " " + energy(picojoules) + "; ";
      }
    if (!series.points.empty())
      plot.series.push_back(std::move(series));
  }
  for (const Compared &target : targets)
    plot.yNames.push_back(target.name);
  std::reverse(plot.yNames.begin(), plot.yNames.end());
  return drawPlot(plot);
}

std::string comparisonHtml(const std::vector<Compared> &targets) {
  std::string names;
  for (const Compared &target : targets)
    names += (names.empty() ? "" : ", ") + target.name;
  Page page("What a picture costs, by target", names);
  page.heading("The claim");
  page.note(judgeClaim(targets));
  page.heading("Energy");
  for (uint64_t batch : kReportBatches) {
    page.figure(energyDots(targets, batch),
                "Batch " + std::to_string(batch) +
                    ". Every division is the same factor; a part that costs nothing is not drawn.");
    page.table(energyTable(targets, batch));
  }
  std::vector<Bar> bars;
  for (const Compared &target : targets)
    for (const Account &account : target.report.accounts)
      bars.push_back({target.name + ", batch " + std::to_string(account.batch),
                      energy(account.picojoules()), partSegments(account)});
  page.figure(stackedBars("Shares of the parts by target", names, bars, "", /*shares=*/true),
              "What each target spends its energy on.");

  bool anyPictures = false;
  for (const Compared &target : targets)
    anyPictures |= target.report.pictures.count() > 0;
  if (anyPictures) {
    page.heading("The same pictures");
    page.paragraph("From the same initial phases; the distance is to the first target's, rms, of "
                   "pixels in [-1, 1].");
    for (const Compared &target : targets) {
      const Pictures &pictures = target.report.pictures;
      std::vector<size_t> all(pictures.count());
      for (size_t i = 0; i < all.size(); ++i)
        all[i] = i;
      page.html("<div class=\"row\"><span class=\"label\" style=\"width: 9rem\">" +
                escape(target.name) +
                (target.imageRms ? "<br>rms " + format("%.3g", *target.imageRms) : "") + "</span>");
      page.html(all.empty() ? "<span>" + escape(target.notRun) + "</span>"
                            : pictureElement(makeStrip(pictures, all), "pictures by " + target.name,
                                             pictures.height <= 32 ? 2 : 1));
      page.html("</div>\n");
    }
  }
  page.heading("Measured");
  for (const Compared &target : targets)
    if (const auto &m = target.report.measurement)
      page.paragraph(target.name + ": " +
                     (m->joulesPerImage
                          ? quantity(*m->joulesPerImage, "J") + " per picture (" + m->words + ")"
                          : m->words) +
                     ".");
  for (const Compared &target : targets) {
    page.heading(target.name + ": every figure");
    page.table(termTable(target.report.accounts));
    Table facts;
    facts.columns = {{"how it was made"}, {""}};
    for (const Fact &fact : target.report.facts)
      facts.rows.push_back({fact.name, fact.value});
    facts.rows.push_back({"hardware", target.report.hardware.name + " (" +
                                          target.report.hardware.basis +
                                          "): " + target.report.hardware.summary});
    page.table(facts);
  }
  return page.str();
}

std::string comparisonJson(const std::vector<Compared> &targets) {
  using Json = nlohmann::ordered_json;
  Json json;
  json["claim"] = judgeClaim(targets);
  json["targets"] = Json::array();
  for (const Compared &target : targets) {
    Json one;
    one["name"] = target.name;
    one["ratio"] = Json::array();
    for (uint64_t batch : kReportBatches) {
      const Account *own = atBatch(target, batch), *first = atBatch(targets.front(), batch);
      if (own && first && own->picojoules() > 0)
        one["ratio"].push_back(
            {{"batch", batch}, {"first_over_this", first->picojoules() / own->picojoules()}});
    }
    if (target.imageRms)
      one["image_rms_to_first"] = *target.imageRms;
    one["report"] = Json::parse(toJson(target.report), nullptr, /*allow_exceptions=*/false);
    json["targets"].push_back(std::move(one));
  }
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Status writeComparison(const std::vector<Compared> &targets, const std::string &path) {
  UN0_RETURN_IF_FAILED(checkReportPath(path));
  return writeFile(path, path.back() == 'n' ? comparisonJson(targets) : comparisonHtml(targets));
}

} // namespace un0::report
