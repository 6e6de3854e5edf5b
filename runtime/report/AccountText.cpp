//===- AccountText.cpp - accounts as JSON and for a terminal -----------------===//
#include "Account.h"

#include <nlohmann/json.hpp>

#include <cstdio>

namespace un0::report {

/// Doubles are written so that they read back equal: the sums can be done again, to the digit.
std::string toJson(const Account &account) {
  using Json = nlohmann::ordered_json;
  Json components = Json::array();
  for (const Component &component : account.components) {
    Json terms = Json::array();
    for (const Term &term : component.terms)
      terms.push_back({{"what", term.what},
                       {"count", term.count},
                       {"constant", term.constant},
                       {"picojoules_each", term.picojoulesEach},
                       {"source", term.source}});
    components.push_back({{"name", component.name},
                          {"part", partName(component.part)},
                          {"basis", basisName(component.basis)},
                          {"picojoules", component.picojoules()},
                          {"terms", std::move(terms)}});
  }
  const Json document = {{"total_picojoules", account.picojoules()},
                         {"seconds_per_image", account.secondsPerImage},
                         {"batch", account.batch},
                         {"components", std::move(components)}};
  return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

/// "12.3 uJ" from 1.23e7 picojoules.
static std::string withPrefix(double value, const char *unit) {
  static constexpr struct {
    double size;
    const char *prefix;
  } kPrefixes[] = {{1, ""}, {1e-3, "m"}, {1e-6, "u"}, {1e-9, "n"}, {1e-12, "p"}};
  char text[64];
  for (const auto &[size, prefix] : kPrefixes)
    if (value >= size || size == 1e-12) {
      std::snprintf(text, sizeof text, "%.4g %s%s", value / size, prefix, unit);
      break;
    }
  return value == 0 ? std::string("0 ") + unit : text;
}

static std::string joules(double picojoules) { return withPrefix(picojoules * 1e-12, "J"); }

std::string explain(const Account &account) {
  std::string text = account.target + ", batch " + std::to_string(account.batch) + ": " +
                     joules(account.picojoules()) + " per image (";
  const char *separator = "";
  for (Part part : {Part::Dynamics, Part::Transfer, Part::Decoder, Part::Control}) {
    text += separator + std::string(partName(part)) + " " + joules(account.picojoules(part));
    separator = ", ";
  }
  text += ")\n" + withPrefix(account.secondsPerImage, "s") + " per image, " +
          withPrefix(account.secondsToPicture, "s") + " to the picture, limited by " +
          account.bound + "\n";
  for (const Component &component : account.components) {
    text += component.name + ": " + joules(component.picojoules()) + ", " +
            partName(component.part) + ", " + basisName(component.basis) + "\n";
    for (const Term &term : component.terms) {
      char sum[160];
      std::snprintf(sum, sizeof sum, "  %.10g ", term.count);
      text += sum + term.what;
      std::snprintf(sum, sizeof sum, " x %.6g pJ = ", term.picojoulesEach);
      text += sum + joules(term.picojoules()) + " [" + term.constant + ": " + term.source + "]\n";
    }
  }
  return text;
}

} // namespace un0::report
