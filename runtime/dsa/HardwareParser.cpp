//===- HardwareParser.cpp - reading descriptions that anybody may have written ===//
//
// Every message is one line that begins with where the text is from.
//
//===----------------------------------------------------------------------===//
#include "Hardware.h"
#include "HardwareDetail.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdarg>
#include <set>

namespace un0::dsa {

using nlohmann::json;

namespace {

/// Finds what a document object model no longer shows: where the text stops being JSON, and keys
/// that come twice.
class TextCheck : public nlohmann::json_sax<json> {
public:
  std::string problem;

  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t &) override { return true; }
  bool string(string_t &) override { return true; }
  bool binary(binary_t &) override { return true; }
  bool start_array(size_t) override { return enter(); }
  bool end_array() override { return leave(); }
  bool start_object(size_t) override { return enter(); }
  bool end_object() override { return leave(); }
  bool key(string_t &name) override {
    if (keys.back().insert(name).second)
      return true;
    problem = "has the key " + rt::quoted(name) + " twice";
    return false;
  }
  bool parse_error(size_t position, const std::string &,
                   const nlohmann::detail::exception &) override {
    problem = "is not JSON: wrong from byte " + std::to_string(position);
    return false;
  }

private:
  std::vector<std::set<std::string>> keys;

  bool enter() {
    keys.emplace_back();
    if (keys.size() <= 8)
      return true;
    problem = "is nested more deeply than a description is";
    return false;
  }
  bool leave() {
    keys.pop_back();
    return true;
  }
};

struct Parser {
  std::string origin;
  Hardware hardware;

  Status fail(const char *format, ...) const __attribute__((format(printf, 2, 3)));

  Status checkKeys(const json &object, const std::string &where,
                   std::initializer_list<const char *> keys) const;
  Status text(const json &object, const char *key, const std::string &where,
              std::string &value) const;
  Status choice(const json &object, const char *key, std::initializer_list<const char *> choices,
                size_t &index) const;
  Status constant(const std::string &name, const json &value);
  Status parse(const json &document);
};

} // namespace

Status Parser::fail(const char *format, ...) const {
  va_list arguments;
  va_start(arguments, format);
  Status status = hardwareFailure(origin, format, arguments);
  va_end(arguments);
  return status;
}

/// Exactly these keys. Objects of the library are sorted, so which one is named does not depend on
/// the text.
Status Parser::checkKeys(const json &object, const std::string &where,
                         std::initializer_list<const char *> keys) const {
  if (!object.is_object())
    return fail("%s is not an object", where.c_str());
  for (const auto &item : object.items())
    if (std::none_of(keys.begin(), keys.end(), [&](const char *key) { return item.key() == key; }))
      return fail("%s has the unknown key %s", where.c_str(), rt::quoted(item.key()).c_str());
  for (const char *key : keys)
    if (!object.contains(key))
      return fail("%s has no key '%s'", where.c_str(), key);
  return {};
}

Status Parser::text(const json &object, const char *key, const std::string &where,
                    std::string &value) const {
  const json &found = object[key];
  if (!found.is_string())
    return fail("'%s' of %s is not a string", key, where.c_str());
  value = found.get<std::string>();
  if (value.find_first_not_of(" \t\r\n") == std::string::npos)
    return fail("'%s' of %s is empty", key, where.c_str());
  return {};
}

Status Parser::choice(const json &object, const char *key,
                      std::initializer_list<const char *> choices, size_t &index) const {
  std::string value, all;
  UN0_RETURN_IF_FAILED(text(object, key, "the description", value));
  index = 0;
  for (const char *name : choices) {
    if (value == name)
      return {};
    all += (index++ ? ", " : "") + std::string(name);
  }
  return fail("'%s' is %s but must be one of: %s", key, rt::quoted(value).c_str(), all.c_str());
}

Status Parser::constant(const std::string &name, const json &value) {
  const std::string where = "constant " + rt::quoted(name);
  UN0_RETURN_IF_FAILED(checkKeys(value, where, {"value", "unit", "source"}));
  Constant &result = hardware.constants[name];
  if (!value["value"].is_number())
    return fail("'value' of %s is not a number", where.c_str());
  result.value = value["value"].get<double>();
  UN0_RETURN_IF_FAILED(text(value, "unit", where, result.unit));
  return text(value, "source", where, result.source);
}

Status Parser::parse(const json &document) {
  UN0_RETURN_IF_FAILED(
      checkKeys(document, "the description",
                {"schema", "name", "summary", "basis", "kind", "topology", "constants"}));
  if (!document["schema"].is_number_integer() || document["schema"] != 1)
    return fail("'schema' is not 1, the only version there is");
  UN0_RETURN_IF_FAILED(text(document, "name", "the description", hardware.name));
  UN0_RETURN_IF_FAILED(text(document, "summary", "the description", hardware.summary));
  size_t index;
  UN0_RETURN_IF_FAILED(choice(document, "basis", {"published", "projection", "ideal"}, index));
  hardware.basis = document["basis"].get<std::string>();
  UN0_RETURN_IF_FAILED(choice(document, "kind", {"oscillators", "digital", "cpu"}, index));
  hardware.kind = static_cast<HardwareKind>(index);
  UN0_RETURN_IF_FAILED(choice(document, "topology", {"none", "all-to-all", "kings-graph"}, index));
  hardware.topology = static_cast<Topology>(index);
  if (!document["constants"].is_object())
    return fail("'constants' is not an object");
  for (const auto &item : document["constants"].items())
    UN0_RETURN_IF_FAILED(constant(item.key(), item.value()));
  return checkHardware(hardware, origin);
}

Status parseHardware(std::string_view text, const std::string &origin, Hardware &hardware) {
  Parser parser{origin, {}};
  if (text.size() > kMaxHardwareBytes)
    return parser.fail("is longer than the %zu bytes that a description may have",
                       kMaxHardwareBytes);
  TextCheck check;
  if (!json::sax_parse(text.begin(), text.end(), &check))
    return parser.fail("%s", check.problem.c_str());
  const json document = json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
  if (document.is_discarded())
    return parser.fail("is not JSON");
  UN0_RETURN_IF_FAILED(parser.parse(document));
  hardware = std::move(parser.hardware);
  return {};
}

} // namespace un0::dsa
