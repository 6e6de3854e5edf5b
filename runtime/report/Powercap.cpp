//===- Powercap.cpp - joules that the machine itself counts ------------------===//
#include "Powercap.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

namespace un0::report {

using rt::failure;
using rt::Status;

static Status notMeasurable(const std::string &path, const char *why) {
  return failure(UN0_ERROR_IO, "not measurable here: %s %s", rt::quoted(path).c_str(), why);
}

/// One short line, without its end.
static Status readLine(const std::string &path, std::string &line) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  char text[128];
  const ssize_t size = file < 0 ? -1 : read(file, text, sizeof text);
  const int error = errno;
  if (file >= 0)
    close(file);
  if (size < 0)
    return notMeasurable(path, error == EACCES ? "may not be read, ask your administrator"
                                               : std::strerror(error));
  line.assign(text, static_cast<size_t>(size));
  line.erase(std::min(line.find('\n'), line.size()));
  return {};
}

static Status readNumber(const std::string &path, uint64_t &number) {
  std::string line;
  UN0_RETURN_IF_FAILED(readLine(path, line));
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), number);
  if (error != std::errc() || end != line.data() + line.size() || line.empty())
    return notMeasurable(path, "is not a number");
  return {};
}

Status PowercapMeter::start(const std::string &directory) {
  zones.clear();
  microjoules = 0;
  DIR *folder = opendir(directory.c_str());
  if (!folder)
    return notMeasurable(directory, std::strerror(errno));
  std::vector<std::string> entries;
  while (const dirent *entry = readdir(folder))
    entries.push_back(entry->d_name);
  closedir(folder);
  std::sort(entries.begin(), entries.end());
  for (const std::string &entry : entries) {
    Zone zone;
    zone.path = directory + "/" + entry;
    // Zones within a package and of the whole platform would be counted twice, and so would a
    // package that a second driver shows again.
    if (readLine(zone.path + "/name", zone.name) || zone.name.rfind("package", 0) != 0)
      continue;
    if (std::any_of(zones.begin(), zones.end(),
                    [&](const Zone &other) { return other.name == zone.name; }))
      continue;
    UN0_RETURN_IF_FAILED(readNumber(zone.path + "/max_energy_range_uj", zone.range));
    UN0_RETURN_IF_FAILED(readNumber(zone.path + "/energy_uj", zone.last));
    zones.push_back(std::move(zone));
  }
  if (zones.empty())
    return notMeasurable(directory, "has no counter of a CPU package");
  return {};
}

Status PowercapMeter::sample() {
  for (Zone &zone : zones) {
    uint64_t now;
    UN0_RETURN_IF_FAILED(readNumber(zone.path + "/energy_uj", now));
    // The counter goes from its range on to 0.
    if (now < zone.last && zone.last > zone.range)
      return notMeasurable(zone.path, "counts beyond its own range");
    microjoules += now >= zone.last ? now - zone.last : zone.range - zone.last + 1 + now;
    zone.last = now;
  }
  return {};
}

Status measuredJoules(const std::function<void()> &work, double &joules,
                      const std::string &directory) {
  PowercapMeter meter;
  UN0_RETURN_IF_FAILED(meter.start(directory));
  work();
  UN0_RETURN_IF_FAILED(meter.sample());
  joules = meter.joules();
  return {};
}

} // namespace un0::report
