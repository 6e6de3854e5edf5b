//===- ModuleTest.cpp - files are opened or refused --------------------------===//
#include "Fixtures.h"
#include "Program.h"
#include "un0/runtime.hpp"

#include <cstdio>
#include <cstring>
#include <elf.h>
#include <unistd.h>

using namespace un0test;

namespace {

/// Writes a module (and its weight file) for one test and opens it.
struct OnDisk {
  std::string path = temporaryPath(".un0");
  std::string weightName = path.substr(path.rfind('/') + 1) + ".weights";
  std::string weightPath = path + ".weights";

  ~OnDisk() {
    std::remove(path.c_str());
    std::remove(weightPath.c_str());
  }
  un0::Expected<un0::Module> open(const Bytes &bytes, uint32_t flags = 0) {
    writeBytes(path, bytes);
    return un0::Module::open(path, flags);
  }
};

testing::AssertionResult refuses(const un0::Expected<un0::Module> &module, un0_status code,
                                 const std::string &part) {
  if (module)
    return testing::AssertionFailure() << "opened";
  if (module.error().code != code || module.error().message.find(part) == std::string::npos)
    return testing::AssertionFailure()
           << un0_status_name(module.error().code) << ": " << module.error().message;
  return testing::AssertionSuccess();
}

} // namespace

TEST(Module, TellsAboutItself) {
  OnDisk disk;
  ModuleSpec spec = fixtureSpec();
  spec.model = {'M', 'L', 0xef, 'R'};
  auto module = disk.open(buildModule(spec));
  ASSERT_TRUE(bool(module)) << module.error().message;
  un0_signature s = module->signature();
  EXPECT_EQ(s.oscillators, 20u);
  EXPECT_EQ(s.conditioning, 3u);
  EXPECT_EQ(s.classes, 4u);
  EXPECT_EQ(s.tile, 4u);
  un0_module_info info = module->info();
  EXPECT_STREQ(info.model, "fixture");
  EXPECT_STREQ(info.solver, "euler");
  EXPECT_EQ(info.steps, 10);
  EXPECT_EQ(info.weight_bytes, 192u);
  EXPECT_STREQ(info.external_weights, "");
  ASSERT_EQ(module->tensors().size(), 1u);
  EXPECT_STREQ(module->tensors()[0].name, "K");
  EXPECT_EQ(module->tensors()[0].shape[0], 20);
  ASSERT_EQ(module->costs().size(), 1u);
  EXPECT_EQ(module->costs()[0].multiply_adds, 400u);
  ASSERT_EQ(module->schedules().size(), 1u);
  EXPECT_STREQ(module->schedules()[0].form, "f4");
  EXPECT_EQ(module->schedules()[0].batched, 1u);
  EXPECT_EQ(module->schedules()[0].images, 4u);
  EXPECT_EQ(module->schedules()[0].rows, 2u);
  EXPECT_STREQ(module->schedules()[0].chosen, "tuned");
  un0_schedule_info schedule;
  EXPECT_EQ(un0_module_schedule(module->get(), 1, &schedule), 0);
  EXPECT_EQ(module->entries().size(), 4u);
  EXPECT_STREQ(un0_module_cpu_feature(module->get(), 0), "sse2");
  EXPECT_EQ(un0_module_cpu_feature(module->get(), 1), nullptr);
  un0_tensor_info tensor;
  EXPECT_EQ(un0_module_tensor(module->get(), 1, &tensor), 0);
  size_t size;
  const void *bytecode = un0_module_bytecode(module->get(), &size);
  ASSERT_EQ(size, 4u);
  EXPECT_EQ(0, std::memcmp(bytecode, spec.model.data(), 4));
  const void *weights = un0_module_weights(module->get(), &size);
  ASSERT_EQ(size, spec.weights.size());
  EXPECT_EQ(0, std::memcmp(weights, spec.weights.data(), size));
}

/// A program for the fixture's model: 20 oscillators, no couplings, on hardware without faults.
static un0::dsa::Program fixtureProgram() {
  using namespace un0::dsa;
  Program program;
  EXPECT_FALSE(bool(loadHardware("ideal", program.hardware)));
  program.oscillators = 20;
  program.conditioning = 3;
  program.classes = 4;
  program.buffers = {{"theta", 20}};
  Data still;
  still.name = "still";
  still.kind = DataKind::Frequencies;
  still.rows = 20;
  still.exact.assign(20, 0);
  program.data = {still};
  auto add = [&](Opcode opcode, uint32_t b, uint32_t c, double x) {
    Instruction instruction;
    instruction.opcode = opcode;
    instruction.b = b;
    instruction.c = c;
    instruction.e = opcode == Opcode::Sample ? kClockReference : 0;
    instruction.x = x;
    program.code.push_back(instruction);
  };
  add(Opcode::Detune, 0, 0, 0);
  add(Opcode::Each, 6, 0, 0);
  add(Opcode::Draw, 0, 0, 0);
  add(Opcode::Phase, 0, 20, 0);
  add(Opcode::Run, 0, 0, 1e-3);
  add(Opcode::Sample, 0, 20, 0);
  add(Opcode::End, 1, 0, 0);
  add(Opcode::Halt, 0, 0, 0);
  return program;
}

TEST(Module, CarriesAProgram) {
  OnDisk disk;
  ModuleSpec spec = fixtureSpec();
  spec.program = encodeProgram(fixtureProgram());
  spec.entries.erase(spec.entries.begin(), spec.entries.begin() + 2);
  auto module = disk.open(buildModule(spec));
  ASSERT_TRUE(bool(module)) << module.error().message;
  size_t size;
  const void *program = un0_module_program(module->get(), &size);
  ASSERT_EQ(size, spec.program.size());
  EXPECT_EQ(0, std::memcmp(program, spec.program.data(), size));
  auto plain = disk.open(buildModule(fixtureSpec()));
  EXPECT_EQ(un0_module_program(plain->get(), &size), nullptr);
  EXPECT_EQ(size, 0u);
}

TEST(Module, RefusesAProgramThatIsWrong) {
  OnDisk disk;
  ModuleSpec spec = fixtureSpec();
  un0::dsa::Program program = fixtureProgram();
  program.code[4].tile = 2;
  spec.program = encodeProgram(program);
  EXPECT_TRUE(refuses(disk.open(buildModule(spec)), UN0_ERROR_FORMAT,
                      "tile 2 does not exist, hardware 'ideal' has 2"));
  spec.program.pop_back();
  EXPECT_TRUE(refuses(disk.open(buildModule(spec)), UN0_ERROR_FORMAT, "program"));
}

TEST(Module, RefusesAProgramForAnotherModel) {
  OnDisk disk;
  ModuleSpec spec = fixtureSpec();
  un0::dsa::Program program = fixtureProgram();
  program.classes = 5;
  spec.program = encodeProgram(program);
  EXPECT_TRUE(
      refuses(disk.open(buildModule(spec)), UN0_ERROR_FORMAT,
              "program is for 20 + 3 oscillators and 5 classes, the module has 20 + 3 and 4"));
}

TEST(Module, RefusesAProgramBesideCodeThatEvolves) {
  OnDisk disk;
  ModuleSpec spec = fixtureSpec();
  spec.program = encodeProgram(fixtureProgram());
  EXPECT_TRUE(refuses(disk.open(buildModule(spec)), UN0_ERROR_FORMAT,
                      "hardware 'ideal' has oscillators, but the module has evolve entries"));
}

TEST(Module, RefusesADigitalProgramWithNothingThatEvolves) {
  OnDisk disk;
  ModuleSpec spec = fixtureSpec();
  un0::dsa::Program program = fixtureProgram();
  ASSERT_FALSE(bool(loadHardware("digital-7nm", program.hardware)));
  program.data.clear();
  program.code = {un0::dsa::Instruction()};
  spec.program = encodeProgram(program);
  EXPECT_TRUE(bool(disk.open(buildModule(spec))));
  spec.entries.erase(spec.entries.begin(), spec.entries.begin() + 2);
  EXPECT_TRUE(refuses(disk.open(buildModule(spec)), UN0_ERROR_FORMAT,
                      "hardware 'digital-7nm' computes digitally, but the module has no evolve"));
}

TEST(Module, RefusesWhatIsNoFile) {
  EXPECT_TRUE(refuses(un0::Module::open("/no/such/module.un0"), UN0_ERROR_IO,
                      "cannot open '/no/such/module.un0'"));
  EXPECT_TRUE(refuses(un0::Module::open("/dev/null"), UN0_ERROR_IO, "not a regular file"));
  EXPECT_TRUE(refuses(un0::Module::open("/"), UN0_ERROR_IO, "not a regular file"));
  OnDisk disk;
  EXPECT_TRUE(refuses(disk.open({}), UN0_ERROR_FORMAT, "not a un0 module"));
}

TEST(Module, RefusesEveryTruncatedFile) {
  OnDisk disk;
  const Bytes module = buildModule(fixtureSpec());
  for (size_t size = 0; size < module.size(); size += 64)
    EXPECT_FALSE(bool(disk.open({module.begin(), module.begin() + static_cast<ptrdiff_t>(size)})))
        << size;
}

TEST(Module, RefusesCodeOfAnotherMachineBeforeItsFeatures) {
  OnDisk disk;
  ModuleSpec spec = fixtureSpec();
  reinterpret_cast<Elf64_Ehdr *>(spec.code.data())->e_machine = EM_AARCH64;
  spec.cpuFeatures = {"neon"};
  EXPECT_TRUE(refuses(disk.open(buildModule(spec)), UN0_ERROR_CPU, "for ELF machine 183"));
}

TEST(Module, RefusesMissingFeatures) {
  OnDisk disk;
  ModuleSpec spec = fixtureSpec();
  spec.cpuFeatures = {"sse2", "avx1024f"};
  EXPECT_TRUE(refuses(disk.open(buildModule(spec)), UN0_ERROR_CPU, "'avx1024f'"));
}

TEST(Module, RefusesEntriesWithoutCode) {
  OnDisk disk;
  ModuleSpec spec = fixtureSpec();
  spec.entries[0].symbol = "absent";
  EXPECT_TRUE(refuses(disk.open(buildModule(spec)), UN0_ERROR_FORMAT,
                      "does not export the function 'absent'"));
  spec.entries[0].symbol = "notCode"; // exported, but data
  EXPECT_TRUE(refuses(disk.open(buildModule(spec)), UN0_ERROR_FORMAT, "'notCode'"));
}

TEST(Module, RefusesTwoEntriesOfABatch) {
  OnDisk disk;
  ModuleSpec spec = fixtureSpec();
  spec.entries[1].batch = 1;
  EXPECT_TRUE(
      refuses(disk.open(buildModule(spec)), UN0_ERROR_FORMAT, "two evolve entries of batch 1"));
}

TEST(Module, FindsWeightsInASecondFile) {
  OnDisk disk;
  ModuleSpec spec = fixtureSpec();
  spec.externalWeights = disk.weightName;
  writeBytes(disk.weightPath, spec.weights);
  auto module = disk.open(buildModule(spec));
  ASSERT_TRUE(bool(module)) << module.error().message;
  size_t size;
  const void *weights = un0_module_weights(module->get(), &size);
  EXPECT_EQ(0, std::memcmp(weights, spec.weights.data(), size));
  EXPECT_STREQ(module->info().external_weights, disk.weightName.c_str());
}

TEST(Module, RefusesAMissingWeightFile) {
  OnDisk disk;
  ModuleSpec spec = fixtureSpec();
  spec.externalWeights = disk.weightName;
  EXPECT_TRUE(refuses(disk.open(buildModule(spec)), UN0_ERROR_IO,
                      "weights are in a second file: cannot open"));
}

TEST(Module, RefusesAnAlteredWeightFile) {
  OnDisk disk;
  ModuleSpec spec = fixtureSpec();
  spec.externalWeights = disk.weightName;
  Bytes altered = spec.weights;
  altered[17] ^= 1;
  writeBytes(disk.weightPath, altered);
  EXPECT_TRUE(refuses(disk.open(buildModule(spec)), UN0_ERROR_FORMAT, "is damaged"));
  altered.push_back(0);
  writeBytes(disk.weightPath, altered);
  EXPECT_TRUE(refuses(disk.open(buildModule(spec)), UN0_ERROR_FORMAT,
                      "has 193 bytes, the module says 192"));
}

TEST(Module, SkipsOnlyTheWeightHashWhenAsked) {
  OnDisk disk;
  Bytes module = buildModule(fixtureSpec());
  module[headerOf(module).sections[2].offset + 3] ^= 1;
  EXPECT_FALSE(bool(disk.open(module)));
  EXPECT_TRUE(bool(disk.open(module, UN0_OPEN_SKIP_WEIGHT_HASH)));
  module[headerOf(module).sections[1].offset + 3] ^= 1;
  EXPECT_FALSE(bool(disk.open(module, UN0_OPEN_SKIP_WEIGHT_HASH)));
}

TEST(Module, CopiesWeightsWhenAsked) {
  OnDisk disk;
  ModuleSpec spec = fixtureSpec();
  auto module = disk.open(buildModule(spec), UN0_OPEN_COPY_WEIGHTS);
  ASSERT_TRUE(bool(module)) << module.error().message;
  size_t size;
  const void *weights = un0_module_weights(module->get(), &size);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(weights) % 64, 0u);
  EXPECT_EQ(0, std::memcmp(weights, spec.weights.data(), size));
}
