//===- AccountTest.cpp - figures are counts times constants, to the digit ----===//
#include "AccountHelpers.h"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

using namespace un0test;
using testing::ElementsAre;
using testing::HasSubstr;

namespace {

/// Programs, written as instructions. What is not named is 0.
struct Builder {
  Program program;

  explicit Builder(const std::string &hardware) { program.hardware = load(hardware); }

  uint32_t couplings(uint32_t rows, uint32_t columns, std::vector<int16_t> levels,
                     uint32_t classes = 0) {
    Data data;
    data.name = "d" + std::to_string(program.data.size());
    data.rows = rows;
    data.columns = columns;
    data.classes = classes;
    data.unit = 1;
    data.levels = std::move(levels);
    data.levels.resize(data.size());
    program.data.push_back(data);
    return uint32_t(program.data.size() - 1);
  }
  /// All ones.
  uint32_t full(uint32_t rows, uint32_t columns) {
    return couplings(rows, columns, std::vector<int16_t>(size_t(rows) * columns, 1));
  }
  uint32_t frequencies(uint32_t rows) {
    const uint32_t data = full(rows, 1);
    program.data[data].kind = DataKind::Frequencies;
    return data;
  }
  uint32_t buffer(uint32_t size) {
    program.buffers.push_back({"b" + std::to_string(program.buffers.size()), size});
    return uint32_t(program.buffers.size() - 1);
  }
  size_t add(Opcode opcode, uint16_t tile = 0, uint32_t a = 0, uint32_t b = 0, uint32_t c = 0,
             uint32_t d = 0, double x = 0, uint8_t flags = 0) {
    Instruction instruction;
    instruction.opcode = opcode;
    instruction.flags = flags;
    instruction.tile = tile;
    instruction.a = a;
    instruction.b = b;
    instruction.c = c;
    instruction.d = d;
    instruction.x = x;
    program.code.push_back(instruction);
    return program.code.size() - 1;
  }
  size_t run(double seconds, uint16_t tile = 0) {
    return add(Opcode::Run, tile, 0, 0, 0, 0, seconds);
  }
  void phase(uint32_t buffer, uint32_t count, uint16_t tile = 0) {
    add(Opcode::Phase, tile, buffer, 0, count);
  }
  void sample(uint32_t buffer, uint32_t count, uint8_t flags = 0) {
    add(Opcode::Sample, 0, buffer, 0, count, 0, 0, flags);
  }
  size_t repeat(uint32_t times) { return add(Opcode::Repeat, 0, times); }
  size_t each() { return add(Opcode::Each); }
  void end(size_t begin) {
    program.code[begin].b = uint32_t(add(Opcode::End, 0, 0, uint32_t(begin)));
  }
  void digital(DigitalKind kind, uint64_t multiplyAdds, uint32_t bits, uint64_t parameters,
               uint64_t reads, uint64_t read, uint64_t written, uint64_t special = 0) {
    program.digital.push_back(
        {"op", kind, bits, multiplyAdds, special, parameters, reads, read, written});
    add(Opcode::Digital, 0, uint32_t(program.digital.size() - 1));
  }

  Account account(uint64_t batch = 1) {
    if (program.code.empty() || program.code.back().opcode != Opcode::Halt)
      add(Opcode::Halt);
    Account account;
    EXPECT_TRUE(succeeds(accountProgram(program, batch, account)));
    return account;
  }
};

/// Two visits of a tile per sweep, several sweeps, then a decoder: a bit of everything.
Builder typical(const std::string &hardware = "oscillator-64") {
  Builder b(hardware);
  const uint32_t k0 = b.couplings(64, 64, {3, 0, -1, 15}), k1 = b.full(64, 64);
  const uint32_t w = b.frequencies(64), d = b.couplings(64, 8, {1, 2, 3}, 2);
  const uint32_t theta = b.buffer(64), phi = b.buffer(8);
  const bool banks = b.program.hardware.get("coupling_banks") == 2;
  size_t each = b.each();
  b.add(Opcode::Draw, 0, theta);
  b.add(Opcode::Draw, 0, phi, 64);
  b.end(each);
  b.add(Opcode::Detune, 0, w);
  const size_t sweep = b.repeat(5);
  for (uint32_t data : {k0, k1}) {
    b.add(Opcode::Clear);
    b.add(Opcode::Couple, 0, data);
    if (banks)
      b.add(Opcode::Swap);
    each = b.each();
    b.add(Opcode::Link, 0, d, 1);
    b.phase(theta, 64);
    b.phase(phi, 8, 1);
    b.run(1e-7);
    b.add(Opcode::Hold, 0, 0, 0, 0, 0, 2e-8);
    b.sample(theta, 64, kUnwrap);
    b.end(each);
  }
  b.end(sweep);
  b.digital(DigitalKind::Readout, 0, 32, 0, 1, 4096, 8192, 2048);
  b.digital(DigitalKind::Conv2D, 2097152, 8, 131328, 1, 2048, 16384);
  b.digital(DigitalKind::Conv2D, 884736, 32, 3468, 1, 131072, 12288, 3072);
  return b;
}

} // namespace

TEST(Account, CouplingLoadsByHand) {
  // 5 sweeps of two blocks of 64 x 64 at 2.5 pJ each, whatever the batch.
  const Account one = typical().account(1), many = typical().account(64);
  EXPECT_EQ(energyOf(one, "coupling loads"), 5 * 2 * 4096 * 2.5);
  EXPECT_EQ(energyOf(many, "coupling loads"), 5 * 2 * 4096 * 2.5 / 64);
}

TEST(Account, RunningOscillatorsByHand) {
  // 10 runs of 100 ns of 64 main and 8 conditioning oscillators at 115 uW.
  EXPECT_NEAR(energyOf(typical().account(), "oscillators while running"),
              10 * 1e-7 * (64 + 8) * 1.15e-4 * 1e12, 1e-6);
}

TEST(Account, DecoderArithmeticByHand) {
  // 0.1 pJ per int8 multiply-add, 1.69 pJ in f32.
  EXPECT_NEAR(energyOf(typical().account(8), "decoder arithmetic"), 2097152 * 0.1 + 884736 * 1.69,
              1e-6);
}

TEST(Account, SamplingConvertersByHand) {
  EXPECT_NEAR(energyOf(typical().account(), "sampling converters"), 10 * 64 * 10.2, 1e-9);
  EXPECT_NEAR(energyOf(typical().account(), "setting converters"), 10 * 72 * 5.1, 1e-9);
}

TEST(Account, OnlyCouplingsThatAreNotZeroTakePowerWhileRunning) {
  // 3 levels of the first block and all 4096 of the second, 5 sweeps of 100 ns each.
  EXPECT_NEAR(countOf(typical().account(), "couplings while running", "coupling_power"),
              5 * 1e-7 * (3 + 4096), 1e-12);
}

TEST(Account, LinksOfAClassCountTheMeanOverClasses) {
  // Three values of one of two classes.
  EXPECT_NEAR(countOf(typical().account(), "links while running", "link_power"), 10 * 1e-7 * 1.5,
              1e-15);
  EXPECT_EQ(countOf(typical().account(7), "link loads", "coupling_load_energy"), 10 * 64 * 8);
}

TEST(Account, OscillatorsAreHeldWhileTheyWaitAreSetAndSampled) {
  // Tile 0: 64 held 20 ns, set in 8 turns of 100 ns and sampled in 8; tile 1: 8 set in one turn.
  const double seconds = 10 * (64 * (2e-8 + 8e-7 + 8e-7) + 8 * 1e-7);
  EXPECT_NEAR(countOf(typical().account(), "oscillators while held", "hold_power"), seconds, 1e-12);
}

TEST(Account, PhaseBuffersCountBytesAndWire) {
  // 2 bytes a phase: 72 drawn; per visit 72 set, 64 written and 64 read to unwrap.
  const Account account = typical().account();
  EXPECT_EQ(countOf(account, "phase buffers", "local_memory_energy"),
            2 * (72 + 10 * (72 + 64 + 64)));
  EXPECT_EQ(countOf(account, "phase buffers", "wire_energy"), 2 * 10 * (72 + 64));
}

TEST(Account, ControlCountsExecutedInstructions) {
  // Sweeps: 5 x (2 x (clear, couple, each, 7 in its body) + end).
  const double outside = 1 /*each*/ + 1 /*detune*/ + 1 /*repeat*/ + 3 /*digital*/ + 1 /*halt*/;
  for (uint64_t batch : {1, 3}) {
    const double perSample = 3 + 5 * 2 * 7, shared = outside + 5 * (2 * 3 + 1);
    EXPECT_EQ(countOf(typical().account(batch), "control", "instruction_energy"),
              perSample + shared / double(batch));
  }
}

TEST(Account, FrequencyLoadsCountBitsInMemory) {
  const Account account = typical().account();
  EXPECT_EQ(countOf(account, "frequency loads", "frequency_load_energy"), 64);
  EXPECT_EQ(countOf(account, "frequency loads", "wire_energy"), 64 * 10 / 8.0);
}

TEST(Account, PartsAndTermsAddUpToTheTotalToTheDigit) {
  for (const char *hardware : {"ideal", "oscillator-64", "oscillator-1024"})
    for (uint64_t batch : {1, 7, 64}) {
      SCOPED_TRACE(hardware + std::to_string(batch));
      const Account account = typical(hardware).account(batch);
      const auto document = nlohmann::json::parse(toJson(account));
      double total = 0;
      for (const auto &component : document["components"]) {
        double sum = 0;
        for (const auto &term : component["terms"])
          sum += term["count"].get<double>() * term["picojoules_each"].get<double>();
        EXPECT_EQ(sum, component["picojoules"].get<double>()) << component["name"];
        total += component["picojoules"].get<double>();
      }
      EXPECT_EQ(total, document["total_picojoules"].get<double>());
      EXPECT_EQ(total, account.picojoules());
      EXPECT_GT(total, 0);
      EXPECT_NEAR(account.picojoules(Part::Dynamics) + account.picojoules(Part::Decoder) +
                      account.picojoules(Part::Transfer) + account.picojoules(Part::Control),
                  total, 1e-9 * total);
    }
}

TEST(Account, JsonHasTheKeysThatReportsRead) {
  const Account account = typical().account(4);
  const auto document = nlohmann::ordered_json::parse(toJson(account));
  std::vector<std::string> keys;
  for (const auto &item : document.items())
    keys.push_back(item.key());
  EXPECT_THAT(keys, ElementsAre("total_picojoules", "seconds_per_image", "batch", "components"));
  EXPECT_EQ(document["batch"], 4);
  EXPECT_EQ(document["seconds_per_image"].get<double>(), account.secondsPerImage);
  for (const auto &component : document["components"]) {
    keys.clear();
    for (const auto &item : component.items())
      keys.push_back(item.key());
    EXPECT_THAT(keys, ElementsAre("name", "part", "basis", "picojoules", "terms"));
    for (const auto &term : component["terms"]) {
      keys.clear();
      for (const auto &item : term.items())
        keys.push_back(item.key());
      EXPECT_THAT(keys, ElementsAre("what", "count", "constant", "picojoules_each", "source"));
    }
  }
}

TEST(Account, EveryTermNamesAConstantOfTheDescription) {
  const Builder b = typical("oscillator-1024");
  Builder copy = b;
  for (const Component &component : copy.account().components)
    for (const Term &term : component.terms) {
      const Constant &constant = b.program.hardware.find(term.constant);
      EXPECT_EQ(term.source, constant.source);
      EXPECT_EQ(term.picojoulesEach, constant.value * (constant.unit == "W" ? 1e12 : 1));
      EXPECT_GT(term.count, 0);
    }
}

TEST(Account, ExplainHasALineForEveryTerm) {
  const Account account = typical().account();
  const std::string text = explain(account);
  size_t lines = 0, expected = 2;
  for (char c : text)
    lines += c == '\n';
  for (const Component &component : account.components)
    expected += 1 + component.terms.size();
  EXPECT_EQ(lines, expected);
  EXPECT_THAT(text, HasSubstr("  40960 couplings written into tiles x 2.5 pJ = 102.4 nJ "
                              "[coupling_load_energy: assumption: "));
  EXPECT_THAT(text, HasSubstr("oscillator-64, batch 1: "));
}

TEST(Account, FoldedLoopsCountWhatUnrolledOnesDo) {
  Builder folded = typical("oscillator-1024"), unrolled("oscillator-1024");
  const Program &from = folded.program;
  unrolled.program.data = from.data;
  unrolled.program.buffers = from.buffers;
  unrolled.program.digital = from.digital;
  size_t repeat = 0;
  while (from.code[repeat].opcode != Opcode::Repeat)
    ++repeat;
  const auto copy = [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      Instruction instruction = from.code[i];
      const uint32_t shift = uint32_t(unrolled.program.code.size() - i);
      if (instruction.opcode == Opcode::Each || instruction.opcode == Opcode::End)
        instruction.b += shift;
      unrolled.program.code.push_back(instruction);
    }
  };
  copy(0, repeat);
  for (unsigned sweep = 0; sweep < 5; ++sweep)
    copy(repeat + 1, from.code[repeat].b);
  copy(from.code[repeat].b + 1, from.code.size());
  const Account a = folded.account(3), b = unrolled.account(3);
  for (const Component &component : a.components)
    if (component.name != "control") // the repeat and its ends
      EXPECT_NEAR(component.picojoules(), energyOf(b, component.name),
                  1e-12 * component.picojoules())
          << component.name;
}

TEST(Account, AMillionIterationsTakeNoTime) {
  Builder b("oscillator-1024");
  const uint32_t k = b.full(1024, 1024), theta = b.buffer(1024);
  const size_t outer = b.repeat(60000), inner = b.repeat(60000);
  b.add(Opcode::Couple, 0, k);
  b.add(Opcode::Swap);
  const size_t each = b.each();
  b.phase(theta, 1024);
  b.run(1e-9);
  b.end(each);
  b.end(inner);
  b.end(outer);
  EXPECT_EQ(countOf(b.account(), "coupling loads", "coupling_load_energy"), 3.6e9 * 1024 * 1024);
}

TEST(Account, ABlockHidesWhatItIsLoadedOver) {
  Builder b("oscillator-64");
  const uint32_t big = b.full(8, 8), small = b.full(4, 4), zeros = b.couplings(4, 4, {});
  const uint32_t theta = b.buffer(8);
  const size_t each = b.each();
  b.phase(theta, 8);
  b.end(each);
  const auto active = [&](uint32_t data, uint32_t row, uint32_t column) {
    Builder copy = b;
    copy.add(Opcode::Couple, 0, big);
    copy.add(Opcode::Couple, 0, data, row, column);
    const size_t loop = copy.each();
    copy.run(1e-6);
    copy.end(loop);
    return countOf(copy.account(), "couplings while running", "coupling_power") / 1e-6;
  };
  EXPECT_NEAR(active(small, 2, 2), 64, 1e-9);
  EXPECT_NEAR(active(zeros, 2, 2), 48, 1e-9);
  EXPECT_NEAR(active(zeros, 6, 6), 60, 1e-9); // overlaps by 2 x 2
  EXPECT_NEAR(active(small, 20, 0), 80, 1e-9);
  EXPECT_NEAR(active(big, 0, 0), 64, 1e-9);
}

TEST(Account, ClearedAndUnlinkedCouplingsTakeNoPower) {
  Builder b("oscillator-64");
  const uint32_t k = b.full(8, 8), theta = b.buffer(8);
  b.add(Opcode::Couple, 0, k);
  b.add(Opcode::Clear);
  b.add(Opcode::Link, 0, k, 1);
  b.add(Opcode::Unlink);
  const size_t each = b.each();
  b.phase(theta, 8);
  b.run(1e-6);
  b.end(each);
  const Account account = b.account();
  EXPECT_EQ(find(account, "couplings while running"), nullptr);
  EXPECT_EQ(find(account, "links while running"), nullptr);
  EXPECT_NE(find(account, "coupling loads"), nullptr);
}

TEST(Account, ContinuousCouplingsTakeNoMemory) {
  Builder b("ideal");
  Data data;
  data.name = "k";
  data.rows = data.columns = 4;
  data.exact.assign(16, 0.5f);
  b.program.data.push_back(data);
  b.add(Opcode::Couple, 0, 0);
  b.digital(DigitalKind::Conv2D, 100, 8, 10, 1, 10, 10);
  const Account account = b.account();
  EXPECT_EQ(countOf(account, "coupling loads", "coupling_load_energy"), 16);
  EXPECT_EQ(account.picojoules(Part::Dynamics), 0);
  EXPECT_EQ(find(account, "coupling memory"), nullptr);
  // What is left of an ideal account is the digital engine's.
  EXPECT_EQ(account.picojoules(),
            account.picojoules(Part::Decoder) + energyOf(account, "pictures out"));
}

TEST(Account, LocalMemoryKeepsWhatIsReadMostOften) {
  const auto memory = [](uint32_t size, uint32_t times, uint64_t decoder, const char *component) {
    Builder b("oscillator-1024"); // 6 bits a coupling, 1 MB of local memory
    const uint32_t k = b.full(size, size);
    const size_t loop = b.repeat(times);
    b.add(Opcode::Couple, 0, k);
    b.end(loop);
    b.digital(DigitalKind::Conv2D, 1, 8, decoder, 2, 1, 1);
    const Account account = b.account();
    return std::make_pair(countOf(account, component, "local_memory_energy"),
                          countOf(account, component, "main_memory_energy"));
  };
  const char *couplings = "coupling memory", *decoder = "decoder parameters";
  const double k = 1024 * 1024 * 6 / 8, room = 1 << 20;
  using Pair = std::pair<double, double>;
  EXPECT_EQ(memory(1024, 3, 100, couplings), Pair(3 * k, 0)); // everything fits
  EXPECT_EQ(memory(1024, 3, 100, decoder), Pair(200, 0));
  EXPECT_EQ(memory(1024, 3, 1 << 20, couplings), Pair(3 * k, 0)); // couplings are read more often
  EXPECT_EQ(memory(1024, 3, 1 << 20, decoder), Pair(2 * (room - k), 2 * k));
  EXPECT_EQ(memory(1024, 1, 1 << 20, couplings), Pair(0, k)); // and here parameters are
  EXPECT_EQ(memory(1024, 1, 1 << 20, decoder), Pair(2 * room, 0));
  EXPECT_EQ(memory(2048, 3, 100, couplings), Pair(3 * room, 3 * (4 * k - room))); // a third fits
}

TEST(Account, PhasesOfTheBatchComeBeforeConstants) {
  const auto kept = [](uint64_t batch) {
    Builder b("oscillator-1024");
    b.buffer(1024); // 2 KB a sample
    b.digital(DigitalKind::Conv2D, 1, 8, 1 << 20, 1, 1, 1);
    return countOf(b.account(batch), "decoder parameters", "local_memory_energy") * double(batch);
  };
  EXPECT_EQ(kept(1), (1 << 20) - 2048);
  EXPECT_EQ(kept(256), (1 << 20) - 256 * 2048);
  EXPECT_EQ(kept(1024), 0);
}

TEST(Account, DigitalParametersAreReadPerBatchAndActivationsPerSample) {
  Builder b("digital-7nm");
  b.digital(DigitalKind::Evolve, 21000000, 8, 1 << 20, 10, 8192, 4096, 20480);
  b.digital(DigitalKind::Conv2D, 1000, 8, 5000, 1, 300, 200);
  const Account account = b.account(4);
  // K fills the local memory and is read ten times per batch; nothing else fits.
  EXPECT_EQ(countOf(account, "dynamics parameters", "main_memory_energy"), 0);
  EXPECT_EQ(countOf(account, "dynamics parameters", "local_memory_energy"), 10 * (1 << 20) / 4);
  EXPECT_EQ(countOf(account, "decoder parameters", "main_memory_energy"), 5000 / 4);
  EXPECT_EQ(countOf(account, "decoder activations", "local_memory_energy"), 500);
  EXPECT_EQ(countOf(account, "dynamics activations", "local_memory_energy"), 8192 + 4096);
  EXPECT_EQ(countOf(account, "dynamics arithmetic", "multiply_add_int8_energy"), 21000000);
  EXPECT_EQ(countOf(account, "pictures out", "wire_energy"), 200);
  EXPECT_EQ(find(account, "control"), nullptr);
  EXPECT_EQ(account.picojoules(Part::Control), 0);
}

TEST(Account, ParametersThatFitBetweenBatchesAreNotFetchedAgain) {
  Builder b("digital-7nm");
  b.digital(DigitalKind::Conv2D, 1000, 8, 5000, 1, 300, 200);
  const Account account = b.account();
  EXPECT_EQ(countOf(account, "decoder parameters", "local_memory_energy"), 5000);
  EXPECT_EQ(countOf(account, "decoder parameters", "main_memory_energy"), 0);
}

TEST(Account, WhatDoesNotFitLocalMemoryComesFromMainEveryTime) {
  Builder b("digital-7nm");
  b.digital(DigitalKind::Evolve, 1000, 8, 16 << 20, 10, 300, 2 << 20);
  const Account account = b.account();
  EXPECT_EQ(countOf(account, "dynamics parameters", "main_memory_energy"), 10.0 * (15 << 20));
  EXPECT_EQ(countOf(account, "dynamics parameters", "local_memory_energy"), 10.0 * (1 << 20));
  EXPECT_EQ(countOf(account, "dynamics activations", "main_memory_energy"), 300 + (2 << 20));
}

TEST(Account, TwoBanksOverlapLoadsWithRuns) {
  const auto seconds = [](double run, std::string &bound) {
    Builder b("oscillator-1024");
    EXPECT_FALSE(setConstant(b.program.hardware, "instruction_time", 0));
    EXPECT_FALSE(setConstant(b.program.hardware, "set_time", 0));
    const uint32_t k = b.full(1000, 1000), theta = b.buffer(1000);
    const size_t loop = b.repeat(10);
    b.add(Opcode::Couple, 0, k); // 2 us
    b.add(Opcode::Swap);
    const size_t each = b.each();
    b.phase(theta, 1000);
    b.run(run);
    b.end(each);
    b.end(loop);
    const Account account = b.account(2);
    EXPECT_DOUBLE_EQ(account.secondsPerImage * 2, account.secondsToPicture);
    bound = account.bound;
    return account.secondsToPicture;
  };
  std::string bound;
  EXPECT_NEAR(seconds(2e-7, bound), 10 * 2e-6 + 4e-7,
              1e-12); // the last runs have no load beside them
  EXPECT_EQ(bound, "coupling loads");
  EXPECT_NEAR(seconds(3e-6, bound), 2e-6 + 10 * 6e-6, 1e-12); // the first load has no runs
  EXPECT_EQ(bound, "oscillators");
}

TEST(Account, OneBankLoadsBetweenRuns) {
  Builder b("oscillator-64");
  EXPECT_FALSE(setConstant(b.program.hardware, "instruction_time", 0));
  const uint32_t k = b.full(64, 64), theta = b.buffer(64);
  const size_t loop = b.repeat(10);
  b.add(Opcode::Couple, 0, k);
  const size_t each = b.each();
  b.phase(theta, 64);
  b.run(1e-6);
  b.sample(theta, 64);
  b.end(each);
  b.end(loop);
  const Account account = b.account(3);
  EXPECT_NEAR(account.secondsToPicture, 10 * (4096 * 1.6e-9 + 3 * (8e-7 + 1e-6 + 8e-7)), 1e-12);
  EXPECT_EQ(account.bound, "coupling loads");
  EXPECT_EQ(b.account(5).bound, "converters"); // a batch shares the loads
}

TEST(Account, TimeOfTheDigitalEngineIsThatOfWhatItNeedsMost) {
  Builder arithmetic("digital-7nm");
  arithmetic.digital(DigitalKind::Conv2D, 4096000, 8, 10, 1, 10, 10);
  Account account = arithmetic.account(2);
  EXPECT_NEAR(account.secondsPerImage, 1e-6, 1e-15);
  EXPECT_EQ(account.bound, "decoder arithmetic");
  Builder wide("digital-7nm");
  wide.digital(DigitalKind::Evolve, 4096000, 32, 10, 1, 10, 10);
  account = wide.account();
  EXPECT_NEAR(account.secondsPerImage, 4e-6, 1e-15);
  EXPECT_EQ(account.bound, "dynamics arithmetic");
  Builder memory("digital-7nm");
  memory.digital(DigitalKind::Evolve, 10, 8, 46000000 + (1 << 20), 1, 10, 10);
  account = memory.account();
  EXPECT_NEAR(account.secondsPerImage, 1e-4, 1e-15);
  EXPECT_EQ(account.bound, "dynamics memory");
}

TEST(Account, RefusesWhatItCannotCount) {
  Account account;
  Builder b = typical();
  b.add(Opcode::Halt);
  EXPECT_TRUE(fails(accountProgram(b.program, 0, account), UN0_ERROR_INVALID_ARGUMENT, "batch"));
  Program cpu;
  cpu.hardware = load("cpu-x86");
  EXPECT_TRUE(fails(accountProgram(cpu, 1, account), UN0_ERROR_INVALID_ARGUMENT, "'cpu'"));
  const auto refuses = [](Builder b, const char *part) {
    Account account;
    return fails(accountProgram(b.program, 1, account), UN0_ERROR_FORMAT, part);
  };
  Builder tile("oscillator-64");
  tile.run(1, 2);
  EXPECT_TRUE(refuses(tile, "instruction 0 cannot be accounted: there is no such tile"));
  Builder data("oscillator-64");
  data.add(Opcode::Couple, 0, 7);
  EXPECT_TRUE(refuses(data, "no such data"));
  Builder swap("oscillator-64");
  swap.add(Opcode::Swap);
  EXPECT_TRUE(refuses(swap, "one bank"));
  Builder engine("digital-7nm");
  engine.run(1);
  EXPECT_TRUE(refuses(engine, "no oscillators"));
  Builder loop("oscillator-64");
  loop.repeat(3);
  EXPECT_TRUE(refuses(loop, "its end is not behind it"));
  Builder shortData("oscillator-64");
  shortData.full(2, 2);
  shortData.program.data[0].levels.pop_back();
  EXPECT_TRUE(refuses(shortData, "not as many values"));
  Builder deep("oscillator-64");
  for (unsigned i = 0; i < 1000; ++i)
    deep.repeat(2);
  for (unsigned i = 1000; i-- > 0;)
    deep.end(i);
  EXPECT_TRUE(refuses(deep, "more than 64 deep"));
}
