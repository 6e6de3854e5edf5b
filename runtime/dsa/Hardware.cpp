//===- Hardware.cpp - looking up, writing and changing descriptions ---------===//
#include "Hardware.h"
#include "HardwareDetail.h"

#include <nlohmann/json.hpp>

#include <cassert>
#include <charconv>
#include <cmath>
#include <cstdio>

namespace un0::dsa {

const Constant &Hardware::find(std::string_view constant) const {
  const auto found = constants.find(std::string(constant));
  assert(found != constants.end() && "this kind of hardware has no such constant");
  static const Constant none;
  return found == constants.end() ? none : found->second;
}

double Hardware::get(std::string_view constant) const { return find(constant).value; }

/// Whole numbers without a point, others in the shortest form that reads back equal.
static std::string numberText(double value) {
  char text[32];
  const bool whole = value == std::trunc(value) && std::abs(value) < 1e15;
  const auto end = whole ? std::to_chars(text, text + sizeof text, static_cast<long long>(value))
                         : std::to_chars(text, text + sizeof text, value);
  return std::string(text, end.ptr);
}

static std::string stringText(const std::string &value) {
  return nlohmann::json(value).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

static const char *kindText(HardwareKind kind) {
  switch (kind) {
  case HardwareKind::Oscillators:
    return "oscillators";
  case HardwareKind::Digital:
    return "digital";
  case HardwareKind::Cpu:
    return "cpu";
  }
  return "";
}

static const char *topologyText(Topology topology) {
  switch (topology) {
  case Topology::None:
    return "none";
  case Topology::AllToAll:
    return "all-to-all";
  case Topology::KingsGraph:
    return "kings-graph";
  }
  return "";
}

std::string Hardware::toJson() const {
  std::string text = "{\n  \"basis\": " + stringText(basis) + ",\n  \"constants\": {";
  const char *separator = "\n";
  for (const auto &[constantName, constant] : constants) {
    text += separator;
    text += "    " + stringText(constantName) + ": {\"source\": " + stringText(constant.source) +
            ", \"unit\": " + stringText(constant.unit) +
            ", \"value\": " + numberText(constant.value) + "}";
    separator = ",\n";
  }
  text += "\n  },\n  \"kind\": \"";
  text += kindText(kind);
  text += "\",\n  \"name\": " + stringText(name) +
          ",\n  \"schema\": 1,\n  \"summary\": " + stringText(summary) + ",\n  \"topology\": \"";
  text += topologyText(topology);
  return text + "\"\n}\n";
}

std::vector<std::string> builtinHardwareNames() {
  std::vector<std::string> names;
  for (size_t i = 0; i < kHardwareFileCount; ++i)
    names.push_back(kHardwareFiles[i].name);
  return names;
}

/// At most one byte more than a description may have, so that parseHardware sees what is too long.
static Status readFile(const std::string &path, std::string &text) {
  std::FILE *file = std::fopen(path.c_str(), "rb");
  if (!file) {
    std::string names;
    for (const std::string &name : builtinHardwareNames())
      names += (names.empty() ? "" : ", ") + name;
    return rt::failure(UN0_ERROR_IO,
                       "hardware %s is neither a file that can be read nor built in: %s",
                       rt::quoted(path).c_str(), names.c_str());
  }
  text.resize(kMaxHardwareBytes + 1);
  text.resize(std::fread(&text[0], 1, text.size(), file));
  const bool broken = std::ferror(file);
  std::fclose(file);
  if (broken)
    return rt::failure(UN0_ERROR_IO, "hardware %s cannot be read", rt::quoted(path).c_str());
  return {};
}

Status loadHardware(const std::string &nameOrPath, Hardware &hardware) {
  for (size_t i = 0; i < kHardwareFileCount; ++i)
    if (nameOrPath == kHardwareFiles[i].name)
      return parseHardware(
          {reinterpret_cast<const char *>(kHardwareFiles[i].data), kHardwareFiles[i].size},
          nameOrPath, hardware);
  std::string text;
  UN0_RETURN_IF_FAILED(readFile(nameOrPath, text));
  return parseHardware(text, nameOrPath, hardware);
}

Status setConstant(Hardware &hardware, const std::string &name, double value) {
  Hardware changed = hardware;
  const auto found = changed.constants.find(name);
  if (found == changed.constants.end())
    return rt::failure(UN0_ERROR_INVALID_ARGUMENT, "hardware %s has no constant %s",
                       rt::quoted(hardware.name).c_str(), rt::quoted(name).c_str());
  Constant &constant = found->second;
  constant.source = "set to " + numberText(value) + " by the user, in place of " +
                    numberText(constant.value) + ": " + constant.source;
  constant.value = value;
  UN0_RETURN_IF_FAILED(checkHardware(changed, changed.name));
  hardware = std::move(changed);
  return {};
}

} // namespace un0::dsa
