//===- Safetensors.cpp - tensors in and out of un0-run ----------------------===//
#include "Safetensors.h"

#include "OutputFile.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <fcntl.h>
#include <iterator>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

namespace un0run {

using nlohmann::json;

// A file of phases has three tensors: more header than this is no such file.
static constexpr uint64_t maxHeaderBytes = 1u << 20;
static constexpr uint64_t lengthBytes = 8;

namespace {

/// The open file, its parsed header, and where the tensors' bytes begin. Tensors are read one by
/// one: the file may be larger than memory.
struct File {
  std::string path;
  int fd = -1;
  uint64_t size = 0;
  json header;
  uint64_t dataBegin = 0;

  ~File() {
    if (fd >= 0)
      close(fd);
  }
  MaybeFailure read(uint64_t offset, void *to, uint64_t count) const;
  Failure damaged(const std::string &why) const { return fail("'" + path + "' " + why); }
};

struct Tensor {
  std::string type;
  std::vector<uint64_t> shape;
  uint64_t offset = 0; // in the file
};

} // namespace

static MaybeFailure openFile(File &file) {
  file.fd = open(file.path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file.fd < 0)
    return fail("cannot open '" + file.path + "': " + std::strerror(errno));
  struct stat info;
  if (fstat(file.fd, &info) != 0 || !S_ISREG(info.st_mode))
    return file.damaged("is not a regular file");
  file.size = static_cast<uint64_t>(info.st_size);
  return std::nullopt;
}

MaybeFailure File::read(uint64_t offset, void *to, uint64_t count) const {
  for (uint64_t done = 0; done < count;) {
    ssize_t got = pread(fd, static_cast<char *>(to) + done, count - done,
                        static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR)
      continue;
    if (got <= 0)
      return damaged("could not be read to its end");
    done += static_cast<uint64_t>(got);
  }
  return std::nullopt;
}

static MaybeFailure parseHeader(File &file) {
  uint64_t length = 0;
  if (file.size < lengthBytes)
    return file.damaged("is not a safetensors file: it has " + std::to_string(file.size) +
                        " bytes");
  if (MaybeFailure failure = file.read(0, &length, lengthBytes))
    return failure;
  const uint64_t room = file.size - lengthBytes;
  if (length > room || length > maxHeaderBytes)
    return file.damaged("is not a safetensors file: its header would have " +
                        std::to_string(length) + " bytes, at most " +
                        std::to_string(std::min(room, maxHeaderBytes)) + " are possible");
  std::string text(length, '\0');
  if (MaybeFailure failure = file.read(lengthBytes, text.data(), length))
    return failure;
  // Nesting is bounded while parsing: three levels are all the format has.
  bool tooDeep = false;
  auto limitDepth = [&tooDeep](int depth, json::parse_event_t, json &) {
    tooDeep |= depth > 4;
    return depth <= 4;
  };
  file.header = json::parse(text, limitDepth, /*allow_exceptions=*/false);
  if (file.header.is_discarded() || !file.header.is_object() || tooDeep)
    return file.damaged("is not a safetensors file: its header is not a JSON object");
  file.dataBegin = lengthBytes + length;
  return std::nullopt;
}

static uint64_t typeBytes(const std::string &type) {
  return type == "F32" ? 4 : type == "F64" || type == "I64" ? 8 : 0;
}

static std::string shapeText(const std::vector<uint64_t> &shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i)
    text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

/// Finds a tensor and checks its header against the file and against what it is for.
static MaybeFailure findTensor(const File &file, const std::string &name,
                               const std::vector<std::string> &types, size_t rank, Tensor &tensor) {
  auto found = file.header.find(name);
  if (found == file.header.end())
    return file.damaged("has no tensor '" + name + "'");
  const json &entry = *found;
  auto malformed = [&] { return file.damaged("describes tensor '" + name + "' badly"); };
  if (!entry.is_object() || !entry.contains("dtype") || !entry.contains("shape") ||
      !entry.contains("data_offsets"))
    return malformed();
  const json &type = entry["dtype"], &shape = entry["shape"], &offsets = entry["data_offsets"];
  if (!type.is_string() || !shape.is_array() || !offsets.is_array() || offsets.size() != 2 ||
      !offsets[0].is_number_unsigned() || !offsets[1].is_number_unsigned())
    return malformed();
  tensor.type = type.get<std::string>();
  if (std::find(types.begin(), types.end(), tensor.type) == types.end())
    return file.damaged("has tensor '" + name + "' of type " + tensor.type + ", expected " +
                        types.front() + (types.size() > 1 ? " or " + types.back() : ""));
  uint64_t size = typeBytes(tensor.type);
  for (const json &extent : shape) {
    if (!extent.is_number_unsigned())
      return malformed();
    tensor.shape.push_back(extent.get<uint64_t>());
    if (__builtin_mul_overflow(size, tensor.shape.back(), &size))
      return malformed();
  }
  if (tensor.shape.size() != rank)
    return file.damaged("has tensor '" + name + "' of shape " + shapeText(tensor.shape) +
                        ", expected " + std::to_string(rank) + " dimensions");
  const uint64_t begin = offsets[0].get<uint64_t>(), end = offsets[1].get<uint64_t>();
  if (begin > end || end > file.size - file.dataBegin || end - begin != size)
    return file.damaged("has tensor '" + name + "' at bytes " + std::to_string(begin) + " to " +
                        std::to_string(end) + ", but it needs " + std::to_string(size) +
                        " bytes of " + std::to_string(file.size - file.dataBegin));
  tensor.offset = file.dataBegin + begin;
  return std::nullopt;
}

static Failure noMemory(const File &file, const std::string &name, uint64_t rows) {
  return fail("cannot get memory for '" + name + "' of the " + std::to_string(rows) +
              " samples of '" + file.path + "'");
}

static MaybeFailure readPhases(const File &file, const std::string &name, uint64_t columns,
                               uint64_t &rows, Array<float> &values) {
  Tensor tensor;
  if (MaybeFailure failure = findTensor(file, name, {"F32", "F64"}, 2, tensor))
    return failure;
  if (tensor.shape[1] != columns || (rows && tensor.shape[0] != rows))
    return file.damaged(
        "has tensor '" + name + "' of shape " + shapeText(tensor.shape) + ", expected " +
        (rows ? shapeText({rows, columns}) : "[samples, " + std::to_string(columns) + "]"));
  rows = tensor.shape[0];
  if (!values.allocate(rows * columns))
    return noMemory(file, name, rows);
  if (tensor.type == "F32") {
    if (MaybeFailure failure = file.read(tensor.offset, values.data(), values.size() * 4))
      return failure;
  } else {
    double piece[512];
    for (size_t first = 0; first < values.size(); first += std::size(piece)) {
      const size_t count = std::min(std::size(piece), values.size() - first);
      if (MaybeFailure failure = file.read(tensor.offset + first * 8, piece, count * 8))
        return failure;
      for (size_t i = 0; i < count; ++i)
        values[first + i] = static_cast<float>(piece[i]);
    }
  }
  for (size_t i = 0; i < values.size(); ++i)
    if (!std::isfinite(values[i]))
      return file.damaged("has a phase that is not finite: '" + name + "' [" +
                          std::to_string(i / columns) + ", " + std::to_string(i % columns) + "]");
  return std::nullopt;
}

MaybeFailure readInitialPhases(const std::string &path, const un0_signature &signature,
                               InitialPhases &phases) {
  File file;
  file.path = path;
  if (MaybeFailure failure = openFile(file))
    return failure;
  if (MaybeFailure failure = parseHeader(file))
    return failure;
  uint64_t rows = 0;
  if (MaybeFailure failure = readPhases(file, "theta0", signature.oscillators, rows, phases.theta0))
    return failure;
  if (rows == 0)
    return file.damaged("has no samples");
  if (signature.conditioning)
    if (MaybeFailure failure = readPhases(file, "phi0", signature.conditioning, rows, phases.phi0))
      return failure;
  Tensor labels;
  if (MaybeFailure failure = findTensor(file, "labels", {"I64"}, 1, labels))
    return failure;
  if (labels.shape[0] != rows)
    return file.damaged("has " + std::to_string(labels.shape[0]) + " labels for " +
                        std::to_string(rows) + " samples");
  if (!phases.labels.allocate(rows))
    return noMemory(file, "labels", rows);
  return file.read(labels.offset, phases.labels.data(), rows * sizeof(int64_t));
}

MaybeFailure writeSafetensors(const std::string &path, const std::vector<NamedTensor> &tensors) {
  // Ordered, so that offsets rise with the entries.
  nlohmann::ordered_json header;
  uint64_t offset = 0;
  std::vector<uint64_t> counts;
  for (const NamedTensor &tensor : tensors) {
    uint64_t count = 1;
    for (uint64_t extent : tensor.shape)
      count *= extent;
    counts.push_back(count);
    header[tensor.name] = {{"dtype", "F32"},
                           {"shape", tensor.shape},
                           {"data_offsets", {offset, offset + count * sizeof(float)}}};
    offset += count * sizeof(float);
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' '); // readers map the data: keep it aligned

  OutputFile output;
  if (MaybeFailure failure = output.open(path))
    return failure;
  uint64_t length = text.size();
  std::fwrite(&length, sizeof length, 1, output.stream());
  std::fwrite(text.data(), 1, text.size(), output.stream());
  for (size_t i = 0; i < tensors.size(); ++i)
    std::fwrite(tensors[i].data, sizeof(float), counts[i], output.stream());
  return output.commit(); // finds any failure of the writes above
}

} // namespace un0run
