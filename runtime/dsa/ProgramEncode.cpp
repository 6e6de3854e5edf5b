//===- ProgramEncode.cpp - a program as bytes -------------------------------===//
#include "ProgramFormat.h"

#include <cstring>

namespace un0::dsa {

namespace {
/// Appends little-endian numbers; the host is little endian (x86-64 only, like the code section).
class Sink {
public:
  template <typename T> void put(T value) {
    const size_t at = bytes.size();
    bytes.resize(at + sizeof value);
    std::memcpy(bytes.data() + at, &value, sizeof value);
  }
  void put(const void *data, size_t size) {
    const auto *first = static_cast<const uint8_t *>(data);
    bytes.insert(bytes.end(), first, first + size);
  }
  void align(size_t alignment) { bytes.resize(alignUp(bytes.size(), alignment)); }

  std::vector<uint8_t> bytes;
};
} // namespace

std::vector<uint8_t> encodeProgram(const Program &program) {
  const std::string hardware = program.hardware.toJson();
  std::string strings;
  auto name = [&](Sink &sink, const std::string &text) {
    sink.put(static_cast<uint32_t>(strings.size()));
    sink.put(static_cast<uint32_t>(text.size()));
    strings += text;
  };
  // Tables first: they fill the strings, which lie before them.
  Sink tables;
  for (const Buffer &buffer : program.buffers) {
    name(tables, buffer.name);
    tables.put(buffer.size);
    tables.put(uint32_t(0));
  }
  uint64_t payload = 0;
  auto place = [&](uint64_t bytes) {
    const uint64_t at = payload;
    payload = alignUp(payload + bytes, kPayloadAlignment);
    return at;
  };
  for (const Data &data : program.data) {
    name(tables, data.name);
    tables.put(static_cast<uint32_t>(data.kind));
    tables.put(data.rows);
    tables.put(data.columns);
    tables.put(data.classes);
    tables.put(uint32_t(!data.levels.empty()) * kHasLevels +
               uint32_t(!data.exact.empty()) * kHasExact);
    tables.put(uint32_t(0));
    tables.put(data.unit);
    tables.put(data.levels.empty() ? uint64_t(0) : place(data.levels.size() * sizeof(int16_t)));
    tables.put(data.exact.empty() ? uint64_t(0) : place(data.exact.size() * sizeof(float)));
  }
  for (const DigitalOp &op : program.digital) {
    name(tables, op.name);
    tables.put(static_cast<uint32_t>(op.kind));
    tables.put(op.bits);
    for (uint64_t value : {op.multiplyAdds, op.specialFunctions, op.parameterBytes,
                           op.parameterReads, op.bytesRead, op.bytesWritten})
      tables.put(value);
  }

  Sink sink;
  sink.put(kProgramMagic, sizeof kProgramMagic);
  sink.put(kIsaMajor);
  sink.put(kIsaMinor);
  for (size_t value : {hardware.size(), strings.size(), program.buffers.size(), program.data.size(),
                       program.digital.size(), program.code.size()})
    sink.put(static_cast<uint32_t>(value));
  for (uint32_t value : {program.oscillators, program.conditioning, program.classes,
                         static_cast<uint32_t>(program.solver), program.thetaBuffer})
    sink.put(value);
  sink.put(program.modelTime);
  sink.put(hardware.data(), hardware.size());
  sink.align(8);
  sink.put(strings.data(), strings.size());
  sink.align(8);
  sink.put(tables.bytes.data(), tables.bytes.size());
  for (const Instruction &i : program.code) {
    sink.put(static_cast<uint8_t>(i.opcode));
    sink.put(i.flags);
    sink.put(i.tile);
    for (uint32_t operand : {i.a, i.b, i.c, i.d, i.e})
      sink.put(operand);
    sink.put(i.x);
  }
  sink.align(kPayloadAlignment);
  for (const Data &data : program.data) {
    sink.put(data.levels.data(), data.levels.size() * sizeof(int16_t));
    sink.align(kPayloadAlignment);
    sink.put(data.exact.data(), data.exact.size() * sizeof(float));
    sink.align(kPayloadAlignment);
  }
  return std::move(sink.bytes);
}

} // namespace un0::dsa
