//===- ProgramDecode.cpp - a program from untrusted bytes -------------------===//
#include "ProgramFormat.h"

#include <algorithm>
#include <cinttypes>
#include <cstring>

namespace un0::dsa {

using rt::failure;

namespace {

// Far above any program, far below what could exhaust a machine.
constexpr uint32_t kMaxHardwareBytes = 1u << 20, kMaxStringBytes = 1u << 26;
constexpr uint32_t kMaxEntries = 1u << 22, kMaxInstructions = 1u << 26;

class Decoder {
public:
  Decoder(const uint8_t *data, size_t size, Program &program)
      : data(data), size(size), program(program) {}

  Status decode();

private:
  Status need(const char *what, uint64_t bytes);
  template <typename T> T take() {
    T value;
    std::memcpy(&value, data + at, sizeof value);
    at += sizeof value;
    return value;
  }
  Status skipTo(uint64_t offset);
  Status readHeader();
  Status readName(const char *what, size_t index, std::string &name);
  Status readBuffers();
  Status readData();
  Status readDigital();
  Status readCode();
  Status readPayload();

  const uint8_t *data;
  size_t size, at = 0;
  Program &program;
  uint32_t hardwareBytes = 0, stringBytes = 0, buffers = 0, datums = 0, digitals = 0,
           instructions = 0;
  std::string_view strings;
  uint64_t payload = 0, nextName = 0, codeOffset = 0;
  std::vector<uint32_t> arrays; // of each datum, kHasLevels | kHasExact
};

Status Decoder::need(const char *what, uint64_t bytes) {
  if (bytes > size - at)
    return failure(UN0_ERROR_FORMAT,
                   "program is truncated: %s needs %" PRIu64 " bytes at offset 0x%zx of %zu", what,
                   bytes, at, size);
  return {};
}

/// Padding is zero, so that no bit of a program is free to change.
Status Decoder::skipTo(uint64_t offset) {
  UN0_RETURN_IF_FAILED(need("padding", offset - at));
  for (; at < offset; ++at)
    if (data[at])
      return failure(UN0_ERROR_FORMAT, "padding at offset 0x%zx of the program is not zero", at);
  return {};
}

Status Decoder::readHeader() {
  UN0_RETURN_IF_FAILED(need("the header", kHeaderBytes));
  if (std::memcmp(data, kProgramMagic, sizeof kProgramMagic) != 0)
    return failure(UN0_ERROR_FORMAT, "not a program: it does not begin with 'UN0DSA'");
  at = sizeof kProgramMagic;
  const auto major = take<uint16_t>(), minor = take<uint16_t>();
  if (major != kIsaMajor || minor > kIsaMinor)
    return failure(UN0_ERROR_VERSION,
                   "program is for instruction set %u.%u, this runtime has %u.%u", major, minor,
                   kIsaMajor, kIsaMinor);
  const struct {
    const char *what;
    uint32_t &value;
    uint32_t most;
  } counts[] = {{"bytes of hardware description", hardwareBytes, kMaxHardwareBytes},
                {"bytes of names", stringBytes, kMaxStringBytes},
                {"buffers", buffers, kMaxEntries},
                {"data", datums, kMaxEntries},
                {"digital operators", digitals, kMaxEntries},
                {"instructions", instructions, kMaxInstructions}};
  for (const auto &count : counts) {
    count.value = take<uint32_t>();
    if (count.value > count.most)
      return failure(UN0_ERROR_FORMAT, "program has %u %s, at most %u are possible", count.value,
                     count.what, count.most);
  }
  program.oscillators = take<uint32_t>();
  program.conditioning = take<uint32_t>();
  program.classes = take<uint32_t>();
  const auto solver = take<uint32_t>();
  if (solver > static_cast<uint32_t>(Solver::Rk4Classic))
    return failure(UN0_ERROR_FORMAT, "program has the unknown solver %u", solver);
  program.solver = static_cast<Solver>(solver);
  program.thetaBuffer = take<uint32_t>();
  program.modelTime = take<double>();
  return {};
}

/// Names follow each other in the order of their entries.
Status Decoder::readName(const char *what, size_t index, std::string &name) {
  const auto offset = take<uint32_t>(), length = take<uint32_t>();
  if (offset != nextName || length > strings.size() - offset)
    return failure(UN0_ERROR_FORMAT, "name of %s %zu is at %u with %u bytes, expected at %" PRIu64,
                   what, index, offset, length, nextName);
  name = strings.substr(offset, length);
  nextName += length;
  return {};
}

Status Decoder::readBuffers() {
  UN0_RETURN_IF_FAILED(need("the table of buffers", uint64_t(buffers) * kBufferBytes));
  program.buffers.resize(buffers);
  for (size_t i = 0; i < buffers; ++i) {
    UN0_RETURN_IF_FAILED(readName("buffer", i, program.buffers[i].name));
    program.buffers[i].size = take<uint32_t>();
    if (take<uint32_t>())
      return failure(UN0_ERROR_FORMAT, "buffer %zu has unknown flags", i);
  }
  return {};
}

Status Decoder::readData() {
  UN0_RETURN_IF_FAILED(need("the table of data", uint64_t(datums) * kDataBytes));
  program.data.resize(datums);
  arrays.resize(datums);
  uint64_t expected = 0;
  for (size_t i = 0; i < datums; ++i) {
    Data &datum = program.data[i];
    UN0_RETURN_IF_FAILED(readName("datum", i, datum.name));
    const auto kind = take<uint32_t>();
    datum.rows = take<uint32_t>();
    datum.columns = take<uint32_t>();
    datum.classes = take<uint32_t>();
    arrays[i] = take<uint32_t>();
    const auto reserved = take<uint32_t>();
    datum.unit = take<double>();
    const uint64_t offsets[] = {take<uint64_t>(), take<uint64_t>()};
    if (kind > static_cast<uint32_t>(DataKind::Frequencies) || reserved ||
        arrays[i] > (kHasLevels | kHasExact))
      return failure(UN0_ERROR_FORMAT, "datum %zu has unknown kind %u or flags %u", i, kind,
                     arrays[i]);
    datum.kind = static_cast<DataKind>(kind);
    uint64_t elements, bytes;
    if (__builtin_mul_overflow(uint64_t(datum.rows) * datum.columns,
                               uint64_t(datum.classes ? datum.classes : 1), &elements) ||
        __builtin_mul_overflow(elements, uint64_t(sizeof(float)), &bytes) || bytes > size)
      return failure(UN0_ERROR_FORMAT,
                     "datum %zu of %u x %u x %u does not fit the program's %zu bytes", i,
                     datum.classes, datum.rows, datum.columns, size);
    for (uint32_t array : {kHasLevels, kHasExact}) {
      const uint64_t offset = offsets[array == kHasExact];
      const bool has = arrays[i] & array;
      if (offset != (has ? expected : 0))
        return failure(UN0_ERROR_FORMAT,
                       "values of datum %zu are at 0x%" PRIx64 ", expected at 0x%" PRIx64, i,
                       offset, expected);
      if (has)
        expected =
            alignUp(expected + elements * (array == kHasExact ? sizeof(float) : sizeof(int16_t)),
                    kPayloadAlignment);
      if (expected > size)
        return failure(UN0_ERROR_FORMAT, "program is truncated: values of datum %zu end past it",
                       i);
    }
  }
  payload = expected;
  return {};
}

Status Decoder::readDigital() {
  UN0_RETURN_IF_FAILED(need("the table of digital operators", uint64_t(digitals) * kDigitalBytes));
  program.digital.resize(digitals);
  for (size_t i = 0; i < digitals; ++i) {
    DigitalOp &op = program.digital[i];
    UN0_RETURN_IF_FAILED(readName("digital operator", i, op.name));
    const auto kind = take<uint32_t>();
    if (kind > static_cast<uint32_t>(DigitalKind::Evolve))
      return failure(UN0_ERROR_FORMAT, "digital operator %zu has the unknown kind %u", i, kind);
    op.kind = static_cast<DigitalKind>(kind);
    op.bits = take<uint32_t>();
    for (uint64_t *value : {&op.multiplyAdds, &op.specialFunctions, &op.parameterBytes,
                            &op.parameterReads, &op.bytesRead, &op.bytesWritten})
      *value = take<uint64_t>();
  }
  if (nextName != strings.size())
    return failure(UN0_ERROR_FORMAT, "program has %zu bytes of names, %" PRIu64 " are used",
                   strings.size(), nextName);
  return {};
}

Status Decoder::readCode() {
  codeOffset = at;
  UN0_RETURN_IF_FAILED(need("the code", uint64_t(instructions) * kInstructionBytes));
  program.code.resize(instructions);
  for (size_t i = 0; i < instructions; ++i) {
    Instruction &instruction = program.code[i];
    const auto opcode = take<uint8_t>();
    if (opcode > static_cast<uint8_t>(Opcode::Digital))
      return failure(UN0_ERROR_FORMAT, "instruction %zu at offset 0x%zx: opcode %u does not exist",
                     i, at - 1, opcode);
    instruction.opcode = static_cast<Opcode>(opcode);
    instruction.flags = take<uint8_t>();
    instruction.tile = take<uint16_t>();
    for (uint32_t *operand :
         {&instruction.a, &instruction.b, &instruction.c, &instruction.d, &instruction.e})
      *operand = take<uint32_t>();
    instruction.x = take<double>();
  }
  return {};
}

Status Decoder::readPayload() {
  UN0_RETURN_IF_FAILED(skipTo(alignUp(at, kPayloadAlignment)));
  if (payload != size - at)
    return failure(UN0_ERROR_FORMAT, "program has %zu bytes of values, its data are %" PRIu64,
                   size - at, payload);
  for (size_t i = 0; i < datums; ++i) {
    Data &datum = program.data[i];
    auto read = [&](auto &values) -> Status {
      values.resize(datum.size());
      std::memcpy(values.data(), data + at, values.size() * sizeof values[0]);
      at += values.size() * sizeof values[0];
      return skipTo(alignUp(at, kPayloadAlignment));
    };
    if (arrays[i] & kHasLevels)
      UN0_RETURN_IF_FAILED(read(datum.levels));
    if (arrays[i] & kHasExact)
      UN0_RETURN_IF_FAILED(read(datum.exact));
  }
  return {};
}

Status Decoder::decode() {
  UN0_RETURN_IF_FAILED(readHeader());
  UN0_RETURN_IF_FAILED(need("the hardware description", hardwareBytes));
  const std::string_view json(reinterpret_cast<const char *>(data + at), hardwareBytes);
  UN0_RETURN_IF_FAILED(parseHardware(json, "hardware of the program", program.hardware));
  // One program, one sequence of bytes.
  if (program.hardware.toJson() != json)
    return failure(UN0_ERROR_FORMAT, "hardware description is not in its canonical form");
  at += hardwareBytes;
  UN0_RETURN_IF_FAILED(skipTo(alignUp(at, 8)));
  UN0_RETURN_IF_FAILED(need("the names", stringBytes));
  strings = {reinterpret_cast<const char *>(data + at), stringBytes};
  at += stringBytes;
  UN0_RETURN_IF_FAILED(skipTo(alignUp(at, 8)));
  UN0_RETURN_IF_FAILED(readBuffers());
  UN0_RETURN_IF_FAILED(readData());
  UN0_RETURN_IF_FAILED(readDigital());
  UN0_RETURN_IF_FAILED(readCode());
  UN0_RETURN_IF_FAILED(readPayload());
  return verifyProgram(program, codeOffset);
}

} // namespace

Status decodeProgram(const uint8_t *data, size_t size, Program &program) {
  program = {};
  return Decoder(data, size, program).decode();
}

} // namespace un0::dsa
