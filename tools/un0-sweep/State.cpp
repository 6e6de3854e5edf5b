//===- State.cpp - finished points on disk ----------------------------------===//
#include "State.h"

#include "Sha256.h"
#include "Text.h"

#include "llvm/Support/Base64.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <sys/file.h>
#include <unistd.h>

using namespace llvm;
using namespace un0sweep;
using Json = nlohmann::ordered_json;

static Error fail(const Twine &message) {
  return createStringError(inconvertibleErrorCode(), message);
}

/// Doubles as text that reads back as the same number; JSON has no infinity.
static Json writeNumbers(const std::vector<double> &values) {
  Json json = Json::array();
  for (double value : values)
    json.push_back(un0::report::exact(value));
  return json;
}

static bool readNumbers(const Json &json, std::vector<double> &values) {
  if (!json.is_array())
    return false;
  for (const Json &element : json) {
    if (!element.is_string())
      return false;
    const std::string text = element.get<std::string>();
    char *end;
    values.push_back(std::strtod(text.c_str(), &end));
    if (text.empty() || *end)
      return false;
  }
  return true;
}

static std::string writeLine(size_t point, const PointResult &result) {
  Json json;
  json["point"] = point;
  if (!result.failure.empty()) {
    json["failure"] = result.failure;
  } else {
    json["judged"] = writeNumbers(result.judged);
    json["costs"] = Json::array();
    for (const Cost &cost : result.costs)
      json["costs"].push_back({{"batch", cost.batch},
                               {"numbers", writeNumbers({cost.picojoules, cost.dynamics,
                                                         cost.decoder, cost.secondsPerImage})},
                               {"bound", cost.bound}});
    json["width"] = result.strip.width;
    json["height"] = result.strip.height;
    json["rgb"] = un0::report::base64(result.strip.rgb.data(), result.strip.rgb.size());
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

/// Nothing when the line is not one that `writeLine` wrote.
static bool readLine(StringRef line, const Sweep &sweep, size_t &point, PointResult &result) {
  const Json json = Json::parse(line.begin(), line.end(), nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || !json.contains("point") || !json["point"].is_number_unsigned())
    return false;
  point = json["point"].get<size_t>();
  if (point >= sweep.points.size())
    return false;
  result.done = true;
  if (json.contains("failure")) {
    if (!json["failure"].is_string())
      return false;
    result.failure = json["failure"].get<std::string>();
    return !result.failure.empty();
  }
  for (const char *key : {"judged", "costs", "width", "height", "rgb"})
    if (!json.contains(key))
      return false;
  if (!readNumbers(json["judged"], result.judged) || result.judged.size() != sweep.columns.size() ||
      !json["costs"].is_array())
    return false;
  for (const Json &one : json["costs"]) {
    Cost cost;
    std::vector<double> values;
    if (!one.is_object() || !one.contains("batch") || !one["batch"].is_number_unsigned() ||
        !one.contains("bound") || !one["bound"].is_string() || !one.contains("numbers") ||
        !readNumbers(one["numbers"], values) || values.size() != 4)
      return false;
    cost.batch = one["batch"].get<uint64_t>();
    cost.bound = one["bound"].get<std::string>();
    cost.picojoules = values[0];
    cost.dynamics = values[1];
    cost.decoder = values[2];
    cost.secondsPerImage = values[3];
    result.costs.push_back(std::move(cost));
  }
  if (result.costs.empty() || !json["width"].is_number_unsigned() ||
      !json["height"].is_number_unsigned() || !json["rgb"].is_string())
    return false;
  result.strip.width = json["width"].get<uint32_t>();
  result.strip.height = json["height"].get<uint32_t>();
  std::vector<char> rgb;
  if (Error error = decodeBase64(json["rgb"].get_ref<const std::string &>(), rgb)) {
    consumeError(std::move(error));
    return false;
  }
  result.strip.rgb.assign(rgb.begin(), rgb.end());
  return result.strip.rgb.size() == size_t(result.strip.width) * result.strip.height * 3;
}

StateFile::~StateFile() {
  if (fd >= 0)
    ::close(fd);
}

Error StateFile::open(const std::string &wanted, Sweep &sweep) {
  path = wanted;
  fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (fd < 0)
    return fail("cannot open the state file '" + path + "': " + std::strerror(errno));
  // Two runs of one sweep would do everything twice and mix their lines.
  if (flock(fd, LOCK_EX | LOCK_NB) != 0)
    return fail("another un0-sweep is working on '" + path + "'");
  auto buffer = MemoryBuffer::getFile(path);
  if (!buffer)
    return fail("cannot read the state file '" + path + "': " + buffer.getError().message());
  const StringRef text = (*buffer)->getBuffer();
  const std::string header =
      Json({{"un0-sweep", 1}, {"hash", sweepHash(sweep)}, {"points", sweep.points.size()}}).dump() +
      "\n";
  size_t kept = 0;
  // A header that a kill cut short is one that was never there.
  if (text.contains('\n')) {
    if (!text.starts_with(header))
      return fail("'" + path +
                  "' is the state of another sweep: another model, hardware, grid or option; "
                  "remove it to begin anew");
    kept = header.size();
    while (kept < text.size()) {
      const size_t end = text.find('\n', kept);
      size_t point;
      PointResult result;
      if (end == text.npos || !readLine(text.slice(kept, end), sweep, point, result))
        break;
      sweep.resumed += !sweep.results[point].done;
      sweep.results[point] = std::move(result);
      kept = end + 1;
    }
  }
  if (ftruncate(fd, off_t(kept)) != 0 || lseek(fd, 0, SEEK_END) < 0)
    return fail("cannot write the state file '" + path + "': " + std::strerror(errno));
  if (kept == 0 && ::write(fd, header.data(), header.size()) != ssize_t(header.size()))
    return fail("cannot write the state file '" + path + "': " + std::strerror(errno));
  return Error::success();
}

Error StateFile::append(size_t point, const PointResult &result) {
  const std::string line = writeLine(point, result);
  std::lock_guard<std::mutex> lock(mutex);
  if (::write(fd, line.data(), line.size()) != ssize_t(line.size()) || fdatasync(fd) != 0)
    return fail("cannot write the state file '" + path + "': " + std::strerror(errno));
  return Error::success();
}

void un0sweep::removeState(const Sweep &sweep) { (void)::unlink(statePath(sweep).c_str()); }

std::string un0sweep::statePath(const Sweep &sweep) {
  return (sweep.options.report.empty() ? sweep.options.csv : sweep.options.report) + ".state";
}

std::string un0sweep::sweepHash(const Sweep &sweep) {
  const Options &o = sweep.options;
  std::string text =
      "un0-sweep 1\n" UN0_VERSION "\n" + sweep.modelSha256 + "\n" + sweep.hardware.toJson() + "\n";
  for (const Variable &variable : o.variables) {
    text += variable.name + "=";
    for (double value : variable.values)
      text += un0::report::exact(value) + ",";
    text += "\n";
  }
  for (const Column &column : sweep.columns)
    text += column.name + ";";
  text += "\n" + std::to_string(o.images) + " " + std::to_string(o.seed) + " " +
          std::to_string(o.faultSeed) + " " +
          (o.maxSplittingError ? un0::report::exact(*o.maxSplittingError) : "-");
  un0::rt::Digest digest;
  return un0::rt::sha256(text.data(), text.size(), digest) ? un0::rt::toHex(digest) : "";
}
