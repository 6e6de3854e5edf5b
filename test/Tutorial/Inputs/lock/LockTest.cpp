//===- LockTest.cpp - the instruction of the tutorial, end to end -----------===//

#include "Account.h"
#include "Simulator.h"
#include "dialects/Dsa/IR/Dsa.h"
#include "mlir/Parser/Parser.h"
#include "un0/Import/Import.h"
#include "un0/Target/DsaAssembler.h"
#include "un0/Target/DsaDisassembler.h"
#include "un0/Target/EmitProgram.h"
#include "llvm/Support/MemoryBuffer.h"
#include "gmock/gmock.h"
#include <cmath>
#include <fstream>

using namespace un0;
using namespace un0::dsa;
using testing::HasSubstr;

namespace {

constexpr float kAmplitude = 1.25f;

/// lock.mlir, the amplitude's file in place, with `from` replaced by `to`.
std::string lockedIr(llvm::StringRef from = "", llvm::StringRef to = "") {
  const std::string archive = testing::TempDir() + "lock.safetensors";
  const std::string header = R"({"A":{"dtype":"F32","shape":[1,1],"data_offsets":[0,4]}})";
  const uint64_t length = header.size();
  std::ofstream(archive, std::ios::binary)
      .write(reinterpret_cast<const char *>(&length), 8)
      .write(header.data(), std::streamsize(length))
      .write(reinterpret_cast<const char *>(&kAmplitude), 4);
  auto file = llvm::MemoryBuffer::getFile(UN0_LOCK_IR);
  std::string text = file ? (*file)->getBuffer().str() : "";
  auto replace = [&text](llvm::StringRef old, llvm::StringRef by) {
    if (size_t at = old.empty() ? std::string::npos : text.find(old); at != std::string::npos)
      text.replace(at, old.size(), by);
  };
  replace("\"ARCHIVE\"", "\"" + archive + "\"");
  replace(from, to);
  return text;
}

/// Hardware `ideal` with prices that one can multiply in one's head.
Hardware pricedHardware() {
  Hardware hardware;
  EXPECT_EQ(loadHardware("ideal", hardware).message(), "");
  EXPECT_EQ(setConstant(hardware, "coupling_load_energy", 3).message(), "");
  EXPECT_EQ(setConstant(hardware, "coupling_power", 2e-6).message(), "");
  return hardware;
}

/// Parses IR and emits its program, or gives what was said against it.
std::string emit(const std::string &ir, Program &program) {
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  context.loadDialect<Un0Dialect, DsaDialect>();
  std::string said;
  mlir::ScopedDiagnosticHandler handler(&context, [&said](mlir::Diagnostic &diagnostic) {
    said += diagnostic.str() + "\n";
    return mlir::success();
  });
  auto module = mlir::parseSourceString<mlir::ModuleOp>(ir, &context);
  if (!module)
    return said;
  for (auto op : module->getOps<ProgramOp>())
    op->setAttr("hardware", mlir::StringAttr::get(&context, pricedHardware().toJson()));
  ArchiveSet archives("");
  return toString(emitProgram(*module, archives, program));
}

Program lockedProgram() {
  Program program;
  EXPECT_EQ(emit(lockedIr(), program), "");
  return program;
}

} // namespace

TEST(Lock, IrBecomesAnInstruction) {
  const Program program = lockedProgram();
  ASSERT_EQ(program.code.size(), 9u);
  const Instruction &lock = program.code[1];
  EXPECT_EQ(lock.opcode, Opcode::Lock);
  EXPECT_EQ(program.data[lock.a].name, "A");
  EXPECT_EQ(program.data[lock.a].exact, std::vector<float>{kAmplitude});
  EXPECT_EQ(lock.b, 1u);
}

TEST(Lock, BytesAndTextAreWhatTheProgramIs) {
  const Program program = lockedProgram();
  const std::vector<uint8_t> bytes = encodeProgram(program);
  Program decoded;
  ASSERT_EQ(decodeProgram(bytes.data(), bytes.size(), decoded).message(), "");
  EXPECT_EQ(encodeProgram(decoded), bytes);

  DsaModule module;
  module.program = program;
  std::string text;
  llvm::raw_string_ostream os(text);
  disassembleDsa(module, os, /*withSections=*/false);
  EXPECT_THAT(text, HasSubstr("\nlock tile0, @A, oscillator 1\n"));
  auto assembled = assembleDsa(text, "lock.dsa");
  ASSERT_TRUE(!!assembled) << toString(assembled.takeError());
  EXPECT_EQ(encodeProgram(assembled->program), bytes);
}

TEST(Lock, VerifiersRefuseWhatIsNoAmplitude) {
  Program program;
  EXPECT_THAT(emit(lockedIr("lock @main[1] with @A", "lock @main[1] with @w"), program),
              HasSubstr("loads couplings but 'w' has frequencies"));
  EXPECT_THAT(emit(lockedIr("lock @main[1]", "lock @main[2]"), program),
              HasSubstr("takes 1 from 2 on of tile 'main', which has 2"));
  program = lockedProgram();
  program.data[program.code[1].a].columns = 2;
  program.data[program.code[1].a].exact = {1, 1};
  EXPECT_EQ(verifyProgram(program).message(), "instruction 1: lock takes one amplitude per "
                                              "oscillator, datum 'A' has 2 and 0 classes");
}

// [doc:simulator]
TEST(Lock, PhasesApproachAsTheClosedFormSays) {
  // tan(theta) decays with rate 2 A; an oscillator without lock stays where it is.
  const Program program = lockedProgram();
  const float theta0[] = {0.75f, 0.75f, -2.5f, -2.5f};
  const double expected[] = {std::atan(std::tan(0.75) * std::exp(-2.0 * kAmplitude)),
                             std::atan(std::tan(-2.5) * std::exp(-2.0 * kAmplitude)) - M_PI};
  const int64_t labels[] = {-1, -1};
  const uint64_t samples[] = {0, 1};
  for (Integrator integrator : {Integrator::Flow, Integrator::Euler}) {
    SimulatorOptions options;
    options.integrator = integrator; // Euler takes the program's own solver: rk4, 100 steps
    options.tolerance = 1e-6;
    Simulator simulator;
    ASSERT_EQ(simulator.prepare(program, options).message(), "");
    Simulator::WorkspacePtr workspace;
    ASSERT_EQ(simulator.createWorkspace(workspace).message(), "");
    float theta[4];
    ASSERT_EQ(simulator.run(*workspace, 2, theta0, nullptr, labels, samples, theta).message(), "");
    EXPECT_EQ(theta[0], 0.75f);
    EXPECT_NEAR(theta[1], expected[0], 5e-6);
    EXPECT_EQ(theta[2], -2.5f);
    EXPECT_NEAR(theta[3], expected[1], 5e-6);
  }
}
// [doc:end]

// [doc:energy]
TEST(Lock, CostsItsLoadAndItsCouplerWhileTheTileRuns) {
  report::Account account;
  ASSERT_EQ(report::accountProgram(lockedProgram(), 4, account).message(), "");
  double loads = 0, running = 0;
  for (const report::Component &component : account.components) {
    loads += component.name == "lock loads" ? component.picojoules() : 0;
    running += component.name == "locks while running" ? component.picojoules() : 0;
  }
  EXPECT_DOUBLE_EQ(loads, 3.0 / 4);       // one amplitude of 3 pJ for a batch of 4
  EXPECT_DOUBLE_EQ(running, 2e-6 * 1e12); // 2 uW for 1 s, every picture
}
// [doc:end]
