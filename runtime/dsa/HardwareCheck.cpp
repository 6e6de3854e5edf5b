//===- HardwareCheck.cpp - what a description may not say --------------------===//
#include "Hardware.h"
#include "HardwareDetail.h"

#include <algorithm>
#include <cmath>
#include <cstdarg>
#include <cstdio>

namespace un0::dsa {

Status hardwareFailure(const std::string &origin, const char *format, va_list arguments) {
  char text[900];
  std::vsnprintf(text, sizeof text, format, arguments);
  return rt::failure(UN0_ERROR_FORMAT, "hardware %s: %s",
                     rt::quoted(std::string_view(origin).substr(0, 100)).c_str(), text);
}

namespace {

struct Check {
  const Hardware &hardware;
  const std::string &origin;

  Status fail(const char *format, ...) const __attribute__((format(printf, 2, 3)));
  double get(const char *name) const { return hardware.get(name); }

  Status names() const;
  Status value(const ConstantSpec &spec, const Constant &constant) const;
  Status constants() const;
  Status tiles() const;
  Status links() const;
  Status bits() const;
  Status memories() const;
};

} // namespace

Status Check::fail(const char *format, ...) const {
  va_list arguments;
  va_start(arguments, format);
  Status status = hardwareFailure(origin, format, arguments);
  va_end(arguments);
  return status;
}

/// Names go into file names, messages and reports.
Status Check::names() const {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '-';
  };
  const std::string &name = hardware.name;
  if (name.empty() || name.size() > 64 || name[0] == '_' || name[0] == '.' || name[0] == '-' ||
      !std::all_of(name.begin(), name.end(), allowed))
    return fail(
        "name %s is not one of 1 to 64 letters, digits, '_', '.' and '-', a letter or digit "
        "first",
        rt::quoted(name).c_str());
  const bool tiled = hardware.kind == HardwareKind::Oscillators;
  if (tiled && hardware.topology == Topology::None)
    return fail("topology is 'none' but kind 'oscillators' needs 'all-to-all' or 'kings-graph'");
  if (!tiled && hardware.topology != Topology::None)
    return fail("topology must be 'none' as the kind has no oscillators");
  return {};
}

Status Check::value(const ConstantSpec &spec, const Constant &constant) const {
  if (constant.unit != spec.unit)
    return fail("constant '%s' has the unit %s but must be in '%s'", spec.name,
                rt::quoted(constant.unit).c_str(), spec.unit);
  if (!std::isfinite(constant.value))
    return fail("constant '%s' is not finite", spec.name);
  if (constant.value < spec.low || constant.value > spec.high)
    return fail("constant '%s' is %g %s but must be from %g to %g", spec.name, constant.value,
                spec.unit, spec.low, spec.high);
  if (spec.whole && constant.value != std::trunc(constant.value))
    return fail("constant '%s' is %g but must be a whole number", spec.name, constant.value);
  if (constant.source.find_first_not_of(" \t\r\n") == std::string::npos)
    return fail("constant '%s' has no source", spec.name);
  return {};
}

Status Check::constants() const {
  const unsigned kind = 1u << unsigned(hardware.kind);
  for (const auto &item : hardware.constants) {
    const auto &specs = constantSpecs();
    const auto spec = std::find_if(specs.begin(), specs.end(), [&](const ConstantSpec &candidate) {
      return item.first == candidate.name;
    });
    if (spec == specs.end())
      return fail("constant %s is unknown", rt::quoted(item.first).c_str());
    if (!(spec->kinds & kind))
      return fail("constant '%s' does not belong to this kind of hardware", spec->name);
  }
  std::string missing;
  size_t count = 0;
  for (const ConstantSpec &spec : constantSpecs())
    if ((spec.kinds & kind) && !hardware.constants.count(spec.name)) {
      missing += (missing.empty() ? "" : ", ") + std::string(spec.name);
      ++count;
    }
  if (count)
    return fail("%zu constant%s missing: %s", count, count == 1 ? " is" : "s are", missing.c_str());
  for (const ConstantSpec &spec : constantSpecs())
    if (spec.kinds & kind)
      UN0_RETURN_IF_FAILED(value(spec, hardware.find(spec.name)));
  return {};
}

Status Check::tiles() const {
  if (get("tile_oscillators") == 0 && hardware.basis != "ideal")
    return fail("tile_oscillators is 0, any number, but basis is %s; only 'ideal' has such tiles",
                rt::quoted(hardware.basis).c_str());
  const double neighbours = hardware.topology == Topology::KingsGraph ? 8 : 0;
  if (get("neighbours") != neighbours)
    return fail("neighbours is %g but must be %g with this topology", get("neighbours"),
                neighbours);
  const double levels = get("coupling_levels");
  if (levels != 0 && (levels < 3 || std::fmod(levels, 2) == 0))
    return fail("coupling_levels is %g but must be 0, or odd and at least 3: zero and as many "
                "positive as negative values",
                levels);
  const double perTile = get("tile_oscillators");
  if (perTile != 0 && get("converters") > perTile)
    return fail("converters is %g but a tile has %g oscillators", get("converters"), perTile);
  return {};
}

Status Check::links() const {
  const double inputs = get("link_inputs");
  if (inputs == 0) {
    for (const char *name : {"link_full_scale", "link_delay", "link_power"})
      if (get(name) != 0)
        return fail("%s is %g but link_inputs is 0: there are no links", name, get(name));
    return {};
  }
  if (hardware.topology == Topology::KingsGraph)
    return fail("link_inputs is %g but links exist between all-to-all tiles only", inputs);
  if (get("link_full_scale") == 0)
    return fail("link_full_scale is 0 but link_inputs is %g", inputs);
  if (get("tile_count") < 2)
    return fail("link_inputs is %g but there is one tile and none to link it to", inputs);
  if (get("tile_oscillators") != 0 && inputs > get("tile_oscillators"))
    return fail("link_inputs is %g but a tile has %g oscillators", inputs, get("tile_oscillators"));
  return {};
}

Status Check::bits() const {
  const double frequency = get("frequency_bits");
  if (frequency == 1)
    return fail("frequency_bits is 1 but a frequency with its sign takes at least 2");
  if (frequency != 0 && get("frequency_full_scale") == 0)
    return fail("frequency_bits is %g but frequency_full_scale is 0: no frequency can be set",
                frequency);
  return {};
}

/// What is farther away is larger and costs more; anything else is a slip of columns.
Status Check::memories() const {
  const bool cpu = hardware.kind == HardwareKind::Cpu;
  const auto rises = [&](const char *near, const char *far) -> Status {
    if (get(near) > get(far))
      return fail("%s is %g but %s, which is farther away, is %g", near, get(near), far, get(far));
    return {};
  };
  if (!cpu)
    return rises("local_memory_energy", "main_memory_energy");
  UN0_RETURN_IF_FAILED(rises("l1_bytes", "l2_bytes"));
  UN0_RETURN_IF_FAILED(rises("l2_bytes", "l3_bytes"));
  UN0_RETURN_IF_FAILED(rises("l1_energy", "l2_energy"));
  UN0_RETURN_IF_FAILED(rises("l2_energy", "l3_energy"));
  return rises("l3_energy", "main_memory_energy");
}

Status checkHardware(const Hardware &hardware, const std::string &origin) {
  const Check check{hardware, origin};
  UN0_RETURN_IF_FAILED(check.names());
  UN0_RETURN_IF_FAILED(check.constants());
  if (hardware.kind == HardwareKind::Oscillators) {
    UN0_RETURN_IF_FAILED(check.tiles());
    UN0_RETURN_IF_FAILED(check.links());
    UN0_RETURN_IF_FAILED(check.bits());
  }
  return check.memories();
}

} // namespace un0::dsa
