//===- EnergyCounter.h - joules that the machine measures itself ------------===//
#ifndef UN0_RUNTIME_REPORT_ENERGYCOUNTER_H
#define UN0_RUNTIME_REPORT_ENERGYCOUNTER_H

#include <cstdint>
#include <string>
#include <vector>

namespace un0::report {

/// The package counters that Linux exposes under powercap (Intel and AMD RAPL). They count whole
/// sockets: everything that runs there meanwhile is in the figure. Often readable by root only, and
/// absent in virtual machines.
class EnergyCounter {
public:
  explicit EnergyCounter(const std::string &root = "/sys/class/powercap");

  /// Whether there is a counter that this process may read.
  bool available() const { return !zones.empty(); }
  /// Why not, in words.
  const std::string &reason() const { return reason_; }
  /// "package-0", or "package-0 + package-1".
  std::string name() const;

  void start();
  /// Joules since `start`; a counter that wrapped once is understood. Negative when a counter can
  /// no longer be read.
  double joules() const;

private:
  struct Zone {
    std::string path, name;
    uint64_t range = 0, begin = 0; // microjoules; range is where it wraps
  };
  std::vector<Zone> zones;
  std::string reason_;
};

} // namespace un0::report

#endif // UN0_RUNTIME_REPORT_ENERGYCOUNTER_H
