//===- Faults.cpp - names of what hardware does wrong -----------------------===//
#include "Simulator.h"

#include <algorithm>

namespace un0::dsa {

static constexpr struct {
  const char *name;
  Fault fault;
} kFaultNames[] = {{"levels", kFaultLevels},       {"mismatch", kFaultMismatch},
                   {"offset", kFaultOffset},       {"noise", kFaultNoise},
                   {"set-bits", kFaultSetBits},    {"sample-bits", kFaultSampleBits},
                   {"link-delay", kFaultLinkDelay}};

Status parseFaults(std::string_view text, uint32_t &faults) {
  faults = 0;
  if (text == "none")
    return {};
  if (text == "all") {
    faults = kAllFaults;
    return {};
  }
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    const std::string_view name = text.substr(begin, end - begin);
    const uint32_t before = faults;
    for (const auto &known : kFaultNames)
      if (name == known.name)
        faults |= known.fault;
    if (faults == before)
      return rt::failure(UN0_ERROR_INVALID_ARGUMENT,
                         "fault %s is unknown or named twice; there are levels, mismatch, offset, "
                         "noise, set-bits, sample-bits and link-delay, or none, or all",
                         rt::quoted(name).c_str());
    begin = end + 1;
  }
  return {};
}

} // namespace un0::dsa
