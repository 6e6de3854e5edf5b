//===- AccountProgram.cpp - what a program costs on the hardware it is for ---===//
//
// docs/dsa/energy.md has every formula. Leakage of what is switched off is not in any constant.
//
//===----------------------------------------------------------------------===//
#include "AccountBuilder.h"
#include "AccountWalk.h"

#include <algorithm>

namespace un0::report {

using namespace dsa;

namespace {

/// Bytes that move at either level of the digital engine's memory, per batch.
struct Traffic {
  double local = 0, main = 0;
};

/// A part of a digital program, summed over its operators, per batch.
struct Engine {
  double int8 = 0, f32 = 0, special = 0;
  Traffic parameters, activations;
  double arithmeticSeconds = 0, memorySeconds = 0;
};

class ProgramAccount {
public:
  ProgramAccount(const Program &program, uint64_t batch, const Counts &counts, Account &account)
      : program(program), hardware(program.hardware), batch(double(batch)), counts(counts),
        account(account), build(hardware, batch, account) {}
  void run();

private:
  const Program &program;
  const Hardware &hardware;
  const double batch;
  const Counts &counts;
  Account &account;
  AccountBuilder build;
  /// Constants that are read together: an operator's parameters, or all couplings.
  struct Constants {
    double bytes = 0, read = 0, kept = 0; // read per batch; kept in local memory for good
  };
  std::vector<Constants> constants; // of the operators, then the couplings
  double phaseBytes = 0;

  double count(Quantity quantity) const { return counts.quantities[quantity]; }
  double local() const { return hardware.get("local_memory_bytes"); }
  void planMemory();
  static Traffic traffic(const Constants &constants);
  Engine engine(bool dynamics) const;
  void addMemory(const char *what, const Traffic &traffic);
  void transfer();
  void dynamics();
  void digital(const Engine &engine, Part part, const char *names[4]);
  void picture();
  void time(const Engine &evolve, const Engine &decoder);
};

} // namespace

/// Local memory has the phases of the batch and keeps, for good, the constants that are read most
/// often. A best case for every engine, and continuous: a byte too many costs what a byte costs.
void ProgramAccount::planMemory() {
  for (size_t i = 0; i < program.digital.size(); ++i) {
    const double bytes = counts.digital[i] > 0 ? double(program.digital[i].parameterBytes) : 0;
    const double reads = counts.digital[i] * double(program.digital[i].parameterReads);
    constants.push_back({bytes, bytes * reads, 0});
  }
  Constants couplings;
  if (hardware.kind == HardwareKind::Oscillators) {
    for (const Data &data : program.data)
      if (data.kind == DataKind::Couplings && data.unit != 0)
        couplings.bytes += double(data.size()) * couplingBits(hardware) / 8.0;
    for (const Buffer &buffer : program.buffers)
      phaseBytes += batch * buffer.size * hardware.get("phase_bits") / 8;
  }
  couplings.read = count(kCouplingBytes);
  constants.push_back(couplings);
  std::vector<Constants *> order;
  for (Constants &entry : constants)
    if (entry.bytes > 0)
      order.push_back(&entry);
  // Of those that are read equally often the first comes first: both are of one array.
  std::sort(order.begin(), order.end(), [](const Constants *a, const Constants *b) {
    const double ra = a->read / a->bytes, rb = b->read / b->bytes;
    return ra != rb ? ra > rb : a < b;
  });
  double room = std::max(0.0, local() - phaseBytes);
  for (Constants *entry : order) {
    entry->kept = std::min(room, entry->bytes);
    room -= entry->kept;
  }
}

Traffic ProgramAccount::traffic(const Constants &constants) {
  if (constants.bytes == 0)
    return {};
  return {constants.read * (constants.kept / constants.bytes),
          constants.read * ((constants.bytes - constants.kept) / constants.bytes)};
}

Engine ProgramAccount::engine(bool dynamics) const {
  Engine sum;
  for (size_t i = 0; i < program.digital.size(); ++i) {
    const DigitalOp &op = program.digital[i];
    const double calls = counts.digital[i], samples = calls * batch;
    if (calls == 0 || (op.kind == DigitalKind::Evolve) != dynamics)
      continue;
    const double multiplyAdds = samples * double(op.multiplyAdds);
    (op.bits <= 8 ? sum.int8 : sum.f32) += multiplyAdds;
    sum.special += samples * double(op.specialFunctions);
    const Traffic parameters = traffic(constants[i]);
    const double moved = double(op.bytesRead) + double(op.bytesWritten);
    const Traffic activations =
        moved <= local() ? Traffic{samples * moved, 0} : Traffic{0, samples * moved};
    sum.parameters.local += parameters.local;
    sum.parameters.main += parameters.main;
    sum.activations.local += activations.local;
    sum.activations.main += activations.main;
    // An operator takes as long as what it needs most: multipliers or either memory.
    const double arithmetic =
        multiplyAdds * std::max(1.0, op.bits / 8.0) / hardware.get("multiply_add_rate");
    const double memory =
        std::max((parameters.local + activations.local) / hardware.get("local_memory_rate"),
                 (parameters.main + activations.main) / hardware.get("main_memory_rate"));
    (memory > arithmetic ? sum.memorySeconds : sum.arithmeticSeconds) +=
        std::max(arithmetic, memory);
  }
  return sum;
}

void ProgramAccount::addMemory(const char *what, const Traffic &traffic) {
  build.add(std::string("bytes of ") + what + " in local memory", traffic.local,
            "local_memory_energy");
  build.add(std::string("bytes of ") + what + " in main memory", traffic.main,
            "main_memory_energy");
}

void ProgramAccount::transfer() {
  build.begin("coupling loads", Part::Transfer, Basis::Counted);
  build.add("couplings written into tiles", count(kCouplingsLoaded), "coupling_load_energy");
  build.end();
  build.begin("link loads", Part::Transfer, Basis::Counted);
  build.add("couplings written into links", count(kLinkCouplingsLoaded), "coupling_load_energy");
  build.end();
  build.begin("coupling memory", Part::Transfer, Basis::Modelled);
  addMemory("couplings", traffic(constants.back()));
  build.add("bytes of couplings from chip to chip", count(kCouplingBytes), "wire_energy");
  build.end();
  build.begin("frequency loads", Part::Transfer, Basis::Counted);
  build.add("frequencies written into tiles", count(kFrequenciesLoaded), "frequency_load_energy");
  build.add("bytes of frequencies in main memory", count(kFrequencyBytes), "main_memory_energy");
  build.add("bytes of frequencies from chip to chip", count(kFrequencyBytes), "wire_energy");
  build.end();
  build.begin("setting converters", Part::Transfer, Basis::Counted);
  build.add("phases set", count(kPhasesSet), "set_energy");
  build.end();
  build.begin("sampling converters", Part::Transfer, Basis::Counted);
  build.add("phases sampled", count(kPhasesSampled), "sample_energy");
  build.end();
  build.begin("phase buffers", Part::Transfer, Basis::Modelled);
  const double accessed = count(kPhaseBytesAccessed);
  addMemory("phases", phaseBytes <= local() ? Traffic{accessed, 0} : Traffic{0, accessed});
  build.add("bytes of phases from chip to chip", count(kPhaseBytesMoved), "wire_energy");
  build.end();
}

void ProgramAccount::dynamics() {
  build.begin("oscillators while running", Part::Dynamics, Basis::Modelled);
  build.add("oscillator-seconds", count(kOscillatorSeconds), "oscillator_power");
  build.end();
  build.begin("couplings while running", Part::Dynamics, Basis::Modelled);
  build.add("seconds of couplings that are not zero", count(kCouplingSeconds), "coupling_power");
  build.end();
  build.begin("links while running", Part::Dynamics, Basis::Modelled);
  build.add("seconds of link couplings that are not zero", count(kLinkSeconds), "link_power");
  build.end();
  build.begin("oscillators while held", Part::Dynamics, Basis::Modelled);
  build.add("oscillator-seconds held, set or sampled", count(kHeldSeconds), "hold_power");
  build.end();
}

void ProgramAccount::digital(const Engine &engine, Part part, const char *names[4]) {
  build.begin(names[0], part, Basis::Counted);
  build.add("multiply-adds of up to 8 bits", engine.int8, "multiply_add_int8_energy");
  build.add("multiply-adds of more than 8 bits", engine.f32, "multiply_add_f32_energy");
  build.end();
  build.begin(names[1], part, Basis::Counted);
  build.add("special functions", engine.special, "special_function_energy");
  build.end();
  build.begin(names[2], part, Basis::Modelled);
  addMemory("parameters", engine.parameters);
  build.end();
  build.begin(names[3], part, Basis::Modelled);
  addMemory("activations", engine.activations);
  build.end();
}

/// The last convolution writes the picture, which leaves the chip.
void ProgramAccount::picture() {
  for (size_t i = program.code.size(); i-- > 0;) {
    const Instruction &instruction = program.code[i];
    if (instruction.opcode != Opcode::Digital)
      continue;
    const DigitalOp &op = program.digital[instruction.a];
    build.begin("pictures out", Part::Transfer, Basis::Counted);
    if (op.kind == DigitalKind::Conv2D)
      build.add("bytes of pictures from chip to chip", batch * double(op.bytesWritten),
                "wire_energy");
    build.end();
    return;
  }
}

/// Tiles and the digital engine work one after the other, and so do batches.
void ProgramAccount::time(const Engine &evolve, const Engine &decoder) {
  double total = evolve.arithmeticSeconds + evolve.memorySeconds + decoder.arithmeticSeconds +
                 decoder.memorySeconds;
  for (double seconds : counts.seconds)
    total += seconds;
  account.secondsToPicture = total;
  account.secondsPerImage = total / batch;
  Bound bound;
  bound.add("coupling loads", counts.seconds[kTimeLoads]);
  bound.add("oscillators", counts.seconds[kTimeRuns]);
  bound.add("converters", counts.seconds[kTimeConverters]);
  bound.add("frequency and link loads", counts.seconds[kTimeRegisters]);
  bound.add("holding", counts.seconds[kTimeHolds]);
  bound.add("control", counts.seconds[kTimeIssue]);
  bound.add("dynamics arithmetic", evolve.arithmeticSeconds);
  bound.add("dynamics memory", evolve.memorySeconds);
  bound.add("decoder arithmetic", decoder.arithmeticSeconds);
  bound.add("decoder memory", decoder.memorySeconds);
  account.bound = bound.get();
}

void ProgramAccount::run() {
  static const char *evolveNames[4] = {"dynamics arithmetic", "dynamics special functions",
                                       "dynamics parameters", "dynamics activations"};
  static const char *decoderNames[4] = {"decoder arithmetic", "decoder special functions",
                                        "decoder parameters", "decoder activations"};
  planMemory();
  const Engine evolve = engine(true), decoder = engine(false);
  if (hardware.kind == HardwareKind::Oscillators) {
    dynamics();
    transfer();
  }
  digital(evolve, Part::Dynamics, evolveNames);
  digital(decoder, Part::Decoder, decoderNames);
  picture();
  if (hardware.kind == HardwareKind::Oscillators) {
    build.begin("control", Part::Control, Basis::Counted);
    build.add("instructions", count(kInstructions), "instruction_energy");
    build.end();
  }
  time(evolve, decoder);
}

Status accountProgram(const Program &program, uint64_t batch, Account &account) {
  if (batch == 0)
    return rt::failure(UN0_ERROR_INVALID_ARGUMENT, "an account needs a batch of at least 1");
  if (program.hardware.kind == HardwareKind::Cpu)
    return rt::failure(UN0_ERROR_INVALID_ARGUMENT,
                       "hardware %s is of kind 'cpu', for which there are no programs",
                       rt::quoted(program.hardware.name).c_str());
  Counts counts;
  UN0_RETURN_IF_FAILED(countProgram(program, batch, counts));
  account = {};
  account.target = program.hardware.name;
  account.batch = batch;
  ProgramAccount(program, batch, counts, account).run();
  return {};
}

} // namespace un0::report
