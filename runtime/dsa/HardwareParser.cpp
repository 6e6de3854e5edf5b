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

namespace un0::dsa {

using nlohmann::json;

namespace {

/// Empties a value from its leaves up. The library's destructor allocates for whatever is not
/// empty, and it may run because there is no memory.
void takeApart(json &value) {
  if (value.is_object()) {
    for (auto &entry : value.get_ref<json::object_t &>())
      takeApart(entry.second);
    value.get_ref<json::object_t &>().clear();
  } else if (value.is_array()) {
    for (json &element : value.get_ref<json::array_t &>())
      takeApart(element);
    value.get_ref<json::array_t &>().clear();
  }
}

/// Builds a document, and finds what it would no longer show: where the text stops being JSON, and
/// keys that come twice.
class Reader : public nlohmann::json_sax<json> {
public:
  ~Reader() override { takeApart(document); }

  std::string problem;
  json document;

  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(number_integer_t value) override { return add(value); }
  bool number_unsigned(number_unsigned_t value) override { return add(value); }
  bool number_float(number_float_t value, const string_t &) override { return add(value); }
  bool string(string_t &value) override { return add(value); }
  bool binary(binary_t &) override { return false; } // not in text
  bool start_array(size_t) override { return enter(json::array()); }
  bool end_array() override { return leave(); }
  bool start_object(size_t) override { return enter(json::object()); }
  bool end_object() override { return leave(); }
  bool key(string_t &name) override {
    if (!open.back()->contains(name)) {
      lastKey = name;
      return true;
    }
    problem = "has the key " + rt::quoted(name) + " twice";
    return false;
  }
  bool parse_error(size_t position, const std::string &,
                   const nlohmann::detail::exception &) override {
    problem = "is not JSON: wrong from byte " + std::to_string(position);
    return false;
  }

private:
  std::vector<json *> open; // from the document down
  std::string lastKey;

  json &place(json value) {
    if (open.empty())
      return document = std::move(value);
    if (open.back()->is_array()) {
      auto &array = open.back()->get_ref<json::array_t &>();
      array.push_back(std::move(value));
      return array.back();
    }
    return open.back()->get_ref<json::object_t &>()[lastKey] = std::move(value);
  }
  bool add(json value) {
    place(std::move(value));
    return true;
  }
  bool enter(json value) {
    open.push_back(&place(std::move(value)));
    if (open.size() <= 8)
      return true;
    problem = "is nested more deeply than a description is";
    return false;
  }
  bool leave() {
    open.pop_back();
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
  for (const auto &[name, value] : object.get_ref<const json::object_t &>())
    if (std::find(keys.begin(), keys.end(), name) == keys.end())
      return fail("%s has the unknown key %s", where.c_str(), rt::quoted(name).c_str());
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
  for (const auto &[name, value] : document["constants"].get_ref<const json::object_t &>())
    UN0_RETURN_IF_FAILED(constant(name, value));
  return checkHardware(hardware, origin);
}

Status parseHardware(std::string_view text, const std::string &origin, Hardware &hardware) {
  Parser parser{origin, {}};
  if (text.size() > kMaxHardwareBytes)
    return parser.fail("is longer than the %zu bytes that a description may have",
                       kMaxHardwareBytes);
  Reader reader;
  if (!json::sax_parse(text.begin(), text.end(), &reader))
    return parser.fail("%s", reader.problem.c_str());
  UN0_RETURN_IF_FAILED(parser.parse(reader.document));
  hardware = std::move(parser.hardware);
  return {};
}

} // namespace un0::dsa
