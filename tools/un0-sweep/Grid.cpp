//===- Grid.cpp - what a sweep varies ---------------------------------------===//
#include "Grid.h"

#include "Text.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include <cmath>
#include <map>

using namespace llvm;
using namespace un0sweep;
using un0::dsa::Instruction;
using un0::dsa::Opcode;

static Error fail(const Twine &message) {
  return createStringError(inconvertibleErrorCode(), message);
}

static Error toError(const un0::rt::Status &status) {
  return status ? fail(status.message()) : Error::success();
}

/// Names for constants that are varied most, and those that are not plain constants.
static const Variable kNamed[] = {
    {"coupling-bits",
     Variable::Kind::CouplingBits,
     "coupling_levels",
     true,
     "bits of a coupling: 2^bits - 1 levels",
     {}},
    {"mismatch",
     Variable::Kind::Constant,
     "mismatch",
     false,
     "static mismatch of a coupler, relative",
     {}},
    {"offset",
     Variable::Kind::Constant,
     "offset",
     false,
     "static offset of a coupler, of full scale",
     {}},
    {"phase-noise",
     Variable::Kind::PhaseNoise,
     "phase_noise",
     false,
     "phase noise, radians per square root of the model's time",
     {}},
    {"set-bits", Variable::Kind::Constant, "set_bits", true, "bits of the setting converters", {}},
    {"sample-bits",
     Variable::Kind::Constant,
     "sample_bits",
     true,
     "bits of the sampling converters",
     {}},
    {"link-delay", Variable::Kind::Constant, "link_delay", false, "delay of a link, seconds", {}},
    {"max-splitting-error",
     Variable::Kind::SplittingError,
     "",
     true,
     "the compiler's budget for splitting in time",
     {}},
};

static Expected<Variable> findVariable(StringRef name) {
  for (const Variable &known : kNamed)
    if (name == known.name)
      return known;
  std::string constant = name.str();
  std::replace(constant.begin(), constant.end(), '-', '_');
  for (const un0::dsa::ConstantSpec &spec : un0::dsa::constantSpecs())
    if (constant == spec.name && spec.kinds & 1u << unsigned(un0::dsa::HardwareKind::Oscillators)) {
      // Energies and powers change accounts, not programs.
      const bool account =
          StringRef(constant).ends_with("_energy") || StringRef(constant).ends_with("_power");
      return Variable{name.str(),
                      Variable::Kind::Constant,
                      constant,
                      !account,
                      std::string(spec.meaning) + ", " + spec.unit,
                      {}};
    }
  std::string names;
  for (const Variable &known : kNamed)
    names += known.name + ", ";
  return fail("nothing is called '" + name + "'; there are " + names +
              "and every constant of a description of oscillators");
}

static bool parseDouble(StringRef text, double &value) {
  return !text.empty() && !text.getAsDouble(value) && std::isfinite(value);
}

Expected<Variable> un0sweep::parseVariable(StringRef text) {
  const StringRef name = text.split('=').first, list = text.split('=').second;
  if (list.empty())
    return fail("--vary wants NAME=VALUES, got '" + text + "'");
  Expected<Variable> variable = findVariable(name);
  if (!variable)
    return fail("--vary: " + toString(variable.takeError()));
  auto malformed = [&](StringRef item) {
    return fail("--vary=" + name + ": '" + item +
                "' is no number and no range of whole numbers like 2..8");
  };
  SmallVector<StringRef> items;
  list.split(items, ',');
  constexpr int64_t mostInRange = 1000;
  for (StringRef item : items) {
    if (size_t dots = item.find(".."); dots != item.npos) {
      int64_t first, last;
      if (item.take_front(dots).getAsInteger(10, first) ||
          item.drop_front(dots + 2).getAsInteger(10, last))
        return malformed(item);
      if (last < first)
        return fail("--vary=" + name + ": the range '" + item + "' is empty");
      if (last - first >= mostInRange)
        return fail("--vary=" + name + ": the range '" + item + "' has more than " +
                    Twine(mostInRange) + " values");
      for (int64_t value = first; value <= last; ++value)
        variable->values.push_back(double(value));
      continue;
    }
    double value;
    if (!parseDouble(item, value))
      return malformed(item);
    variable->values.push_back(value);
  }
  for (size_t i = 0; i < variable->values.size(); ++i)
    if (is_contained(ArrayRef(variable->values).take_front(i), variable->values[i]))
      return fail("--vary=" + name + ": " + un0::report::exact(variable->values[i]) +
                  " is listed twice");
  if (variable->kind == Variable::Kind::CouplingBits)
    for (double bits : variable->values)
      if (bits != std::floor(bits) || bits < 2 || bits > 8)
        return fail("--vary=coupling-bits: bits are whole numbers from 2 to 8, got " +
                    un0::report::exact(bits));
  if (variable->kind == Variable::Kind::PhaseNoise ||
      variable->kind == Variable::Kind::SplittingError)
    for (double value : variable->values)
      if (value < 0 || (value == 0 && variable->kind == Variable::Kind::SplittingError))
        return fail("--vary=" + name + ": " + un0::report::exact(value) + " is not positive");
  return variable;
}

Expected<std::vector<std::vector<double>>>
un0sweep::makeGrid(const std::vector<Variable> &variables, size_t most) {
  std::vector<std::vector<double>> points{{}};
  for (size_t i = 0; i < variables.size(); ++i) {
    const Variable &variable = variables[i];
    for (size_t j = 0; j < i; ++j)
      if (variables[j].name == variable.name ||
          (!variable.constant.empty() && variables[j].constant == variable.constant))
        return fail("--vary sets " + variable.name + " twice");
    if (points.size() * variable.values.size() > most)
      return fail("the grid has more than " + Twine(most) + " points");
    std::vector<std::vector<double>> longer;
    for (const std::vector<double> &point : points)
      for (double value : variable.values) {
        longer.push_back(point);
        longer.back().push_back(value);
      }
    points = std::move(longer);
  }
  return points;
}

Error un0sweep::applyPoint(const std::vector<Variable> &variables,
                           const std::vector<double> &values, bool all,
                           un0::dsa::Hardware &hardware) {
  for (auto [variable, value] : zip(variables, values)) {
    if (!all && !variable.compileTime)
      continue;
    double constant = value;
    switch (variable.kind) {
    case Variable::Kind::SplittingError:
    case Variable::Kind::PhaseNoise:
      continue;
    case Variable::Kind::CouplingBits:
      constant = std::exp2(value) - 1;
      break;
    case Variable::Kind::Constant:
      break;
    }
    if (Error error = toError(un0::dsa::setConstant(hardware, variable.constant, constant)))
      return fail("--vary=" + variable.name + ": " + toString(std::move(error)));
  }
  return Error::success();
}

double un0sweep::secondsPerOscillator(const un0::dsa::Program &program) {
  // Which of a tile's oscillators hold main phases, by where they were set from.
  struct Tile {
    std::map<uint32_t, uint32_t> main; // first oscillator -> count
  };
  std::map<uint16_t, Tile> tiles;
  std::vector<double> times{1};
  double sum = 0;
  for (const Instruction &i : program.code) {
    switch (i.opcode) {
    case Opcode::Repeat:
      times.push_back(times.back() * i.a);
      break;
    case Opcode::Each:
      times.push_back(times.back());
      break;
    case Opcode::End:
      times.pop_back();
      break;
    case Opcode::Phase:
      if (i.a == program.thetaBuffer)
        tiles[i.tile].main[i.d] = i.c;
      else
        tiles[i.tile].main.erase(i.d);
      break;
    case Opcode::Run: {
      double oscillators = 0;
      for (auto [first, count] : tiles[i.tile].main)
        oscillators += count;
      sum += i.x * oscillators * times.back();
      break;
    }
    default:
      break;
    }
  }
  return program.oscillators ? sum / program.oscillators : 0;
}

Error un0sweep::setPhaseNoise(un0::dsa::Program &program, double noise) {
  const double seconds = secondsPerOscillator(program);
  if (!(seconds > 0) || !(program.modelTime > 0))
    return noise == 0 ? toError(un0::dsa::setConstant(program.hardware, "phase_noise", 0))
                      : fail("phase noise needs a program that runs its tiles");
  return toError(un0::dsa::setConstant(program.hardware, "phase_noise",
                                       noise * std::sqrt(program.modelTime / seconds)));
}

std::string un0sweep::describePoint(const std::vector<Variable> &variables,
                                    const std::vector<double> &values) {
  std::string text;
  for (auto [variable, value] : zip(variables, values))
    text += (text.empty() ? "" : ", ") + variable.name + "=" + un0::report::exact(value);
  return text;
}
