//===- Powercap.h - joules that the machine itself counts -------------------===//
#ifndef UN0_RUNTIME_REPORT_POWERCAP_H
#define UN0_RUNTIME_REPORT_POWERCAP_H

#include "Status.h"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace un0::report {

/// Energy counters of CPU packages in Linux's powercap tree (docs/dsa/energy.md). They see the
/// whole machine, not one process, and wrap around.
class PowercapMeter {
public:
  /// Finds the packages below `directory` and begins to count. Fails with "not measurable here:
  /// ..." when there are none, or they may not be read.
  rt::Status start(const std::string &directory = "/sys/class/powercap");

  /// Adds what was used since the last call; call it more often than counters wrap (some 10 minutes
  /// at 200 W).
  rt::Status sample();

  double joules() const { return double(microjoules) * 1e-6; }

private:
  struct Zone {
    std::string path, name;
    uint64_t last, range;
  };
  std::vector<Zone> zones;
  uint64_t microjoules = 0;
};

/// Joules that the machine used while `work` ran.
rt::Status measuredJoules(const std::function<void()> &work, double &joules,
                          const std::string &directory = "/sys/class/powercap");

} // namespace un0::report

#endif // UN0_RUNTIME_REPORT_POWERCAP_H
