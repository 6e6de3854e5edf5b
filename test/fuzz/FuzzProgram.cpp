//===- FuzzProgram.cpp - hostile programs -----------------------------------===//
//
// Bytes as a program: decoded and verified. What is accepted must have one sequence of bytes,
// those. The first byte may put a hardware description into the file, which is long and which
// random changes only break.
//
//===----------------------------------------------------------------------===//
#include "Program.h"

#include <cstdlib>
#include <cstring>

using namespace un0::dsa;

/// Canonical text of a built-in description, as long as a multiple of 64 bytes: what follows it
/// stays aligned.
static const std::string &hardwareText(uint8_t choice) {
  static const std::vector<std::string> all = [] {
    std::vector<std::string> result;
    for (const std::string &name : builtinHardwareNames()) {
      Hardware hardware;
      if (loadHardware(name, hardware))
        std::abort();
      // Where numbers are from does not matter here and takes most of the time.
      for (auto &[constant, value] : hardware.constants)
        value.source = "x";
      while (hardware.toJson().size() % 64)
        hardware.summary += ' ';
      result.push_back(hardware.toJson());
    }
    return result;
  }();
  return all[choice % all.size()];
}

/// Puts `text` into a program whose description is empty.
static void insertHardware(std::vector<uint8_t> &bytes, const std::string &text) {
  constexpr size_t headerBytes = 64, sizeField = 12;
  uint32_t size;
  if (bytes.size() < headerBytes)
    return;
  std::memcpy(&size, bytes.data() + sizeField, sizeof size);
  if (size != 0)
    return;
  size = static_cast<uint32_t>(text.size());
  std::memcpy(bytes.data() + sizeField, &size, sizeof size);
  bytes.insert(bytes.begin() + headerBytes, text.begin(), text.end());
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0)
    return 0;
  // An allocation of its own, with nothing readable after it.
  std::vector<uint8_t> bytes(data + 1, data + size);
  insertHardware(bytes, hardwareText(data[0]));
  Program program;
  if (decodeProgram(bytes.data(), bytes.size(), program))
    return 0;
  if (encodeProgram(program) != bytes)
    std::abort();
  return 0;
}
