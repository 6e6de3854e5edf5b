//===- Hardware.h - descriptions of hardware, as data -----------------------===//
//
// A description is a JSON file (docs/dsa/hardware.md, runtime/dsa/hardware/schema.json): a name, a
// kind, a topology and constants, each with value, unit and source. The compiler maps to it, the
// simulator imitates it, and every figure of an energy account names one of its constants.
//
//===----------------------------------------------------------------------===//
#ifndef UN0_RUNTIME_DSA_HARDWARE_H
#define UN0_RUNTIME_DSA_HARDWARE_H

#include "Status.h"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace un0::dsa {

using rt::Status;

/// What computes the dynamics: tiles of oscillators, a digital engine, or the CPU.
enum class HardwareKind { Oscillators, Digital, Cpu };

/// Which oscillators of a tile can act on which. `None` for kinds without oscillators.
enum class Topology { None, AllToAll, KingsGraph };

/// A number that can be traced: the source is a citation, or the assumption in words.
struct Constant {
  double value = 0;
  std::string unit, source;
};

/// What a constant must be. The table of all of them is the schema in code; schema.json is tested
/// against it.
struct ConstantSpec {
  const char *name;
  const char *unit;
  double low, high; // allowed values, inclusive
  bool whole;       // whole numbers only
  unsigned kinds;   // bit set of 1 << HardwareKind that must have it
  const char *meaning;
};
const std::vector<ConstantSpec> &constantSpecs();

struct Hardware {
  std::string name, summary;
  std::string basis; // "published", "projection" or "ideal"
  HardwareKind kind = HardwareKind::Oscillators;
  Topology topology = Topology::AllToAll;
  std::map<std::string, Constant> constants;

  /// Value of a constant that this kind must have; the name is checked by an assertion only.
  double get(std::string_view constant) const;
  const Constant &find(std::string_view constant) const;
  /// Canonical JSON: keys sorted, numbers in their shortest exact form. Parses to an equal value.
  std::string toJson() const;
};

/// Reads and validates a description. `origin` names the text in messages. Fails when the text is
/// no JSON, a key is unknown or missing, a unit is another, a value is out of range or not finite,
/// a source is empty, or constants contradict each other.
Status parseHardware(std::string_view json, const std::string &origin, Hardware &hardware);

/// A built-in description by name ("oscillator-64"), or else the file of that name.
Status loadHardware(const std::string &nameOrPath, Hardware &hardware);
std::vector<std::string> builtinHardwareNames();

/// Replaces one constant, for sweeps, and validates again. The new source says so.
Status setConstant(Hardware &hardware, const std::string &name, double value);

} // namespace un0::dsa

#endif // UN0_RUNTIME_DSA_HARDWARE_H
