//===- Account.h - where every joule of a picture goes ----------------------===//
//
// Figures per image, each with the sum that made it: count x constant. Nothing is counted by hand:
// counts come from the program's instructions or from the module's cost table, energies from the
// hardware description.
//
//===----------------------------------------------------------------------===//
#ifndef UN0_RUNTIME_REPORT_ACCOUNT_H
#define UN0_RUNTIME_REPORT_ACCOUNT_H

#include "Program.h"
#include "un0/runtime.h"

#include <string>
#include <vector>

namespace un0::report {

using dsa::Hardware;
using rt::Status;

enum class Part { Dynamics, Decoder, Transfer, Control };
/// How a figure came about: counted operations x a constant; a model of time or caches in between;
/// or read from a counter of the machine.
enum class Basis { Counted, Modelled, Measured };

const char *partName(Part part);    // "dynamics"
const char *basisName(Basis basis); // "counted"

/// `count` of `what` at `picojoulesEach`, which is constant `constant` of the description, whose
/// source is `source`.
struct Term {
  std::string what;
  double count = 0;
  std::string constant;
  double picojoulesEach = 0;
  std::string source;
  double picojoules() const { return count * picojoulesEach; }
};

struct Component {
  std::string name; // "coupling loads"
  Part part = Part::Dynamics;
  Basis basis = Basis::Counted;
  std::vector<Term> terms;
  double picojoules() const; // the sum of its terms, in their order
};

struct Account {
  std::string target; // hardware or CPU, for people
  uint64_t batch = 1;
  double secondsPerImage = 0;  // throughput at this batch
  double secondsToPicture = 0; // latency of the batch
  std::string bound;           // what limits the time: "coupling loads", "oscillators", ...
  std::vector<Component> components;
  double picojoules() const; // the sum of its components, in their order
  double picojoules(Part part) const;
};

/// Account of a DSA program at a batch. Works for every kind of hardware that programs exist for.
Status accountProgram(const dsa::Program &program, uint64_t batch, Account &account);

/// Account of a CPU module: its cost table at `batch`, bytes at each cache level by working set,
/// with a description of kind Cpu.
Status accountCpu(const un0_module *module, const Hardware &cpu, uint64_t batch, Account &account);

/// The JSON of the issue: {"total_picojoules", "seconds_per_image", "batch", "components": [...]}.
std::string toJson(const Account &account);

/// For a terminal, the sum behind every figure: one line per term.
std::string explain(const Account &account);

} // namespace un0::report

#endif // UN0_RUNTIME_REPORT_ACCOUNT_H
