//===- Json.cpp - reports for programs --------------------------------------===//
#include "Report.h"

#include <nlohmann/json.hpp>

namespace un0::report {

using Json = nlohmann::ordered_json;

/// One account as `toJson` writes it, with what the report adds.
static Json accountJson(const Account &account) {
  Json json = Json::parse(toJson(account), nullptr, /*allow_exceptions=*/false);
  if (!json.is_object())
    json = Json::object();
  json["target"] = account.target;
  json["seconds_to_picture"] = account.secondsToPicture;
  json["bound"] = account.bound;
  return json;
}

std::string toJson(const Report &report) {
  Json json = accountJson(report.accounts.front());
  json["batches"] = Json::array();
  for (const Account &account : report.accounts)
    json["batches"].push_back(accountJson(account));
  if (report.measurement) {
    if (report.measurement->joulesPerImage)
      json["measured"] = {{"joules_per_image", *report.measurement->joulesPerImage},
                          {"counter", report.measurement->words}};
    else
      json["measured"] = report.measurement->words;
  }
  json["made"] = Json::object();
  for (const Fact &fact : report.facts)
    json["made"][fact.name] = fact.value;
  // Names come from files: bytes that are no UTF-8 are replaced, not fatal.
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

} // namespace un0::report
