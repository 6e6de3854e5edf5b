//===- EnergyCounter.cpp - joules that the machine measures itself ----------===//
#include "EnergyCounter.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <dirent.h>

namespace un0::report {

/// The first line of a small file; empty when it cannot be read.
static std::string readLine(const std::string &path) {
  std::string line;
  if (std::FILE *file = std::fopen(path.c_str(), "re")) {
    char text[256];
    if (std::fgets(text, sizeof text, file))
      line.assign(text, std::strcspn(text, "\n"));
    std::fclose(file);
  }
  return line;
}

static bool readNumber(const std::string &path, uint64_t &value) {
  return std::sscanf(readLine(path).c_str(), "%" SCNu64, &value) == 1;
}

EnergyCounter::EnergyCounter(const std::string &root) {
  DIR *folder = opendir(root.c_str());
  bool any = false;
  while (folder) {
    const dirent *entry = readdir(folder);
    if (!entry)
      break;
    // Zones of one colon are sockets; those of two are parts of them and would count twice. "mmio"
    // zones repeat the sockets through another register.
    const std::string name = entry->d_name;
    if (std::count(name.begin(), name.end(), ':') != 1 || name.find("mmio") != name.npos)
      continue;
    Zone zone;
    zone.path = root + "/" + name;
    zone.name = readLine(zone.path + "/name");
    if (zone.name.rfind("package", 0) != 0)
      continue;
    any = true;
    uint64_t now;
    if (readNumber(zone.path + "/energy_uj", now) &&
        readNumber(zone.path + "/max_energy_range_uj", zone.range))
      zones.push_back(zone);
  }
  if (folder)
    closedir(folder);
  std::sort(zones.begin(), zones.end(),
            [](const Zone &a, const Zone &b) { return a.name < b.name; });
  if (zones.empty())
    reason_ = any ? "the machine's energy counter may be read by root only"
                  : "the machine exposes no energy counter (powercap)";
  start();
}

std::string EnergyCounter::name() const {
  std::string names;
  for (const Zone &zone : zones)
    names += (names.empty() ? "" : " + ") + zone.name;
  return names;
}

void EnergyCounter::start() {
  for (Zone &zone : zones)
    readNumber(zone.path + "/energy_uj", zone.begin);
}

double EnergyCounter::joules() const {
  double sum = 0;
  for (const Zone &zone : zones) {
    uint64_t now;
    if (!readNumber(zone.path + "/energy_uj", now))
      return -1;
    sum += double(now >= zone.begin ? now - zone.begin : now + (zone.range - zone.begin)) * 1e-6;
  }
  return sum;
}

} // namespace un0::report
