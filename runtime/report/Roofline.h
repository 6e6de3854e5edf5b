//===- Roofline.h - how far a target is from its limits ---------------------===//
//
// Work per unit of traffic against work per second, on logarithmic axes: below the slope the
// traffic limits, below the flat part the arithmetic. For tiles of oscillators the work is a
// coupling that acts for one run, and the traffic is a coupling that is loaded.
//
//===----------------------------------------------------------------------===//
#ifndef UN0_RUNTIME_REPORT_ROOFLINE_H
#define UN0_RUNTIME_REPORT_ROOFLINE_H

#include "Account.h"

namespace un0::report {

/// min(peak, slope * intensity). Without a slope it is flat.
struct Roof {
  std::string name;
  double peak = 0;  // work per second
  double slope = 0; // traffic per second; 0: no limit
};

struct RooflinePoint {
  std::string name;
  double intensity = 0; // work per traffic
  double rate = 0;      // work per second
  Basis basis = Basis::Modelled;
};

struct Roofline {
  std::string title, xName, yName, words;
  std::vector<Roof> roofs;
  std::vector<RooflinePoint> points;
};

/// The tiles of a program (for hardware that has some) and its digital operators, at each batch.
std::vector<Roofline> rooflinesOf(const dsa::Program &program,
                                  const std::vector<Account> &accounts);

/// A CPU module by its cost table; `cpu` is a description of kind Cpu.
std::vector<Roofline> rooflinesOf(const un0_module *module, const Hardware &cpu,
                                  const std::vector<uint64_t> &batches);

std::string drawRoofline(const Roofline &roofline);

} // namespace un0::report

#endif // UN0_RUNTIME_REPORT_ROOFLINE_H
