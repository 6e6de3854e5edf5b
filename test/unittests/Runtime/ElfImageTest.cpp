//===- ElfImageTest.cpp - the loader runs its own kind and refuses the rest --===//
#include "ElfImage.h"
#include "Fixtures.h"

#include <cstring>
#include <elf.h>
#include <fstream>
#include <functional>

using namespace un0::rt;
using namespace un0test;

static Status load(const Bytes &bytes) {
  ElfImage image;
  return image.load(bytes.data(), bytes.size());
}

static Elf64_Ehdr &elfHeader(Bytes &bytes) { return *reinterpret_cast<Elf64_Ehdr *>(bytes.data()); }

static Elf64_Phdr &segment(Bytes &bytes, uint32_t type, int skip = 0) {
  auto *programs = reinterpret_cast<Elf64_Phdr *>(bytes.data() + elfHeader(bytes).e_phoff);
  for (int i = 0; i < elfHeader(bytes).e_phnum; ++i)
    if (programs[i].p_type == type && skip-- == 0)
      return programs[i];
  ADD_FAILURE() << "no segment of type " << type;
  return programs[0];
}

/// The entry of the dynamic section with `tag`, to be changed in place.
static Elf64_Dyn &dynamicEntry(Bytes &bytes, int64_t tag) {
  auto *entries = reinterpret_cast<Elf64_Dyn *>(bytes.data() + segment(bytes, PT_DYNAMIC).p_offset);
  while (entries->d_tag != DT_NULL && entries->d_tag != tag)
    ++entries;
  EXPECT_EQ(entries->d_tag, tag);
  return *entries;
}

static Status loadChanged(const std::function<void(Bytes &)> &change) {
  Bytes bytes = codeFixture();
  change(bytes);
  return load(bytes);
}

class ElfImageHash : public testing::TestWithParam<const char *> {};

TEST_P(ElfImageHash, LoadsRelocatesAndRuns) {
  Bytes bytes = codeFixture(GetParam());
  ElfImage image;
  ASSERT_TRUE(succeeds(image.load(bytes.data(), bytes.size())));
  auto evolve = reinterpret_cast<un0_evolve_fn>(image.lookup("evolve1"));
  ASSERT_NE(evolve, nullptr);
  alignas(64) float weights[20], arena[20], theta0[20], theta[20], phi0[3] = {1, 2, 3};
  for (int i = 0; i < 20; ++i)
    weights[i] = 1, theta0[i] = static_cast<float>(i);
  int64_t label = 1;
  evolve(weights, arena, theta0, phi0, &label, theta);
  EXPECT_EQ(theta[0], 19 + 2 * 1 + 0.25f); // through the first relocated address
  EXPECT_EQ(theta[1], 18 + 2 * 2 - 0.5f);  // and the second
}

INSTANTIATE_TEST_SUITE_P(Styles, ElfImageHash, testing::Values("model", "model-gnu-hash"));

TEST(ElfImage, FindsFunctionsOnly) {
  Bytes bytes = codeFixture();
  ElfImage image;
  ASSERT_TRUE(succeeds(image.load(bytes.data(), bytes.size())));
  EXPECT_NE(image.lookup("decode"), nullptr);
  EXPECT_EQ(image.lookup("notCode"), nullptr);
  EXPECT_EQ(image.lookup("evolve"), nullptr); // static
  EXPECT_EQ(image.lookup("evolve12"), nullptr);
  EXPECT_EQ(image.lookup(""), nullptr);
}

TEST(ElfImage, MapsNothingWritableAndExecutable) {
  Bytes bytes = codeFixture();
  ElfImage image;
  ASSERT_TRUE(succeeds(image.load(bytes.data(), bytes.size())));
  std::ifstream maps("/proc/self/maps");
  auto address = reinterpret_cast<uintptr_t>(image.lookup("decode"));
  bool found = false;
  for (std::string line; std::getline(maps, line);) {
    uintptr_t begin, end;
    char protection[5];
    ASSERT_EQ(std::sscanf(line.c_str(), "%zx-%zx %4s", &begin, &end, protection), 3);
    if (address < begin || address >= end)
      continue;
    found = true;
    EXPECT_STREQ(protection, "r-xp");
  }
  EXPECT_TRUE(found);
}

TEST(ElfImage, SurvivesEveryTruncation) {
  Bytes bytes = codeFixture();
  size_t loadable = 0;
  for (int i = 0; i < elfHeader(bytes).e_phnum; ++i) {
    auto *program = reinterpret_cast<Elf64_Phdr *>(bytes.data() + elfHeader(bytes).e_phoff) + i;
    if (program->p_type == PT_LOAD)
      loadable = std::max<size_t>(loadable, program->p_offset + program->p_filesz);
  }
  for (size_t size = 0; size < loadable; size += 16)
    EXPECT_TRUE(load({bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(size)})) << size;
}

TEST(ElfImage, SurvivesEveryBitFlipOfItsTables) {
  const Bytes bytes = codeFixture();
  Bytes altered = bytes;
  // Some flips are harmless (an address of a function); none may crash, and lookups stay inside.
  int refused = 0;
  for (size_t byte = 0; byte < bytes.size(); ++byte)
    for (int bit = 0; bit < 8; ++bit) {
      altered[byte] ^= static_cast<uint8_t>(1 << bit);
      ElfImage image;
      if (image.load(altered.data(), altered.size()))
        ++refused;
      else
        (void)image.lookup("decode");
      altered[byte] = bytes[byte];
    }
  EXPECT_GT(refused, 500);
}

TEST(ElfImage, RefusesAnotherMachine) {
  EXPECT_TRUE(fails(loadChanged([](Bytes &b) { elfHeader(b).e_machine = EM_AARCH64; }),
                    UN0_ERROR_CPU, "for ELF machine 183"));
  EXPECT_TRUE(fails(loadChanged([](Bytes &b) { elfHeader(b).e_ident[EI_CLASS] = ELFCLASS32; }),
                    UN0_ERROR_CPU, "class 1"));
  EXPECT_TRUE(fails(loadChanged([](Bytes &b) { elfHeader(b).e_ident[EI_DATA] = ELFDATA2MSB; }),
                    UN0_ERROR_CPU, "byte order 2"));
}

TEST(ElfImage, RefusesWhatIsNoSharedObject) {
  EXPECT_TRUE(fails(load({}), UN0_ERROR_FORMAT, "not an ELF file"));
  EXPECT_TRUE(fails(load(Bytes(4096, 1)), UN0_ERROR_FORMAT, "not an ELF file"));
  EXPECT_TRUE(fails(loadChanged([](Bytes &b) { elfHeader(b).e_type = ET_REL; }), UN0_ERROR_FORMAT,
                    "ELF type 1"));
}

TEST(ElfImage, RefusesHeadersBeyondTheFile) {
  EXPECT_TRUE(fails(loadChanged([](Bytes &b) { elfHeader(b).e_phoff = UINT64_MAX - 8; }),
                    UN0_ERROR_FORMAT, "program headers"));
  EXPECT_TRUE(fails(loadChanged([](Bytes &b) { elfHeader(b).e_phnum = 65535; }), UN0_ERROR_FORMAT,
                    "65535 program headers"));
}

TEST(ElfImage, RefusesSegmentsOutOfRange) {
  EXPECT_TRUE(fails(loadChanged([](Bytes &b) { segment(b, PT_LOAD).p_filesz = UINT64_MAX; }),
                    UN0_ERROR_FORMAT, "exceeds its file"));
  EXPECT_TRUE(fails(loadChanged([](Bytes &b) { segment(b, PT_LOAD, 1).p_offset = b.size() + 1; }),
                    UN0_ERROR_FORMAT, "exceeds its file"));
  EXPECT_TRUE(
      fails(loadChanged([](Bytes &b) { segment(b, PT_LOAD, 1).p_vaddr = UINT64_MAX - 4095; }),
            UN0_ERROR_FORMAT, "beyond the limit"));
  EXPECT_TRUE(fails(loadChanged([](Bytes &b) { segment(b, PT_LOAD, 1).p_memsz = UINT64_MAX; }),
                    UN0_ERROR_FORMAT, "beyond the limit"));
}

TEST(ElfImage, RefusesOverlappingSegments) {
  EXPECT_TRUE(fails(loadChanged([](Bytes &b) { segment(b, PT_LOAD, 1).p_vaddr = 0; }),
                    UN0_ERROR_FORMAT, "shares a page"));
}

TEST(ElfImage, RefusesWritableCode) {
  EXPECT_TRUE(
      fails(loadChanged([](Bytes &b) { segment(b, PT_LOAD, 1).p_flags = PF_R | PF_W | PF_X; }),
            UN0_ERROR_FORMAT, "both writable and executable"));
}

TEST(ElfImage, RefusesAnExecutableStack) {
  EXPECT_TRUE(fails(load(codeFixture("executable-stack")), UN0_ERROR_FORMAT, "executable stack"));
}

TEST(ElfImage, NamesAnImportedSymbol) {
  EXPECT_TRUE(fails(load(codeFixture("import")), UN0_ERROR_FORMAT,
                    "code section imports 'missing_function', modules import nothing"));
}

TEST(ElfImage, RefusesALinkageTable) {
  EXPECT_TRUE(fails(loadChanged([](Bytes &b) { dynamicEntry(b, DT_RELACOUNT).d_tag = DT_JMPREL; }),
                    UN0_ERROR_FORMAT, "procedure linkage table"));
}

TEST(ElfImage, RefusesAnotherLibrary) {
  EXPECT_TRUE(fails(loadChanged([](Bytes &b) { dynamicEntry(b, DT_RELACOUNT).d_tag = DT_NEEDED; }),
                    UN0_ERROR_FORMAT, "needs another library"));
}

TEST(ElfImage, RefusesConstructors) {
  EXPECT_TRUE(fails(load(codeFixture("constructor")), UN0_ERROR_FORMAT, "constructors"));
}

TEST(ElfImage, RefusesThreadLocals) {
  EXPECT_TRUE(fails(load(codeFixture("thread-local")), UN0_ERROR_FORMAT, "thread-local"));
}

TEST(ElfImage, RefusesSymbolicRelocations) {
  EXPECT_TRUE(
      fails(load(codeFixture("symbolic-relocation")), UN0_ERROR_FORMAT, "relocation of type 1,"));
}

TEST(ElfImage, RefusesUnknownDynamicTags) {
  EXPECT_TRUE(fails(loadChanged([](Bytes &b) { dynamicEntry(b, DT_RELACOUNT).d_tag = DT_TEXTREL; }),
                    UN0_ERROR_FORMAT, "unsupported dynamic tag 0x16"));
}

TEST(ElfImage, RefusesRelocationsOutOfRange) {
  auto relocation = [](Bytes &b) -> Elf64_Rela & {
    return *reinterpret_cast<Elf64_Rela *>(b.data() + dynamicEntry(b, DT_RELA).d_un.d_ptr);
  };
  EXPECT_TRUE(fails(loadChanged([&](Bytes &b) { relocation(b).r_offset = UINT64_MAX - 3; }),
                    UN0_ERROR_FORMAT, "is out of range"));
  EXPECT_TRUE(fails(loadChanged([&](Bytes &b) { relocation(b).r_offset = 0; }), UN0_ERROR_FORMAT,
                    "is out of range")); // inside, but not writable
  EXPECT_TRUE(fails(loadChanged([&](Bytes &b) { relocation(b).r_addend = -4096; }),
                    UN0_ERROR_FORMAT, "is out of range"));
  EXPECT_TRUE(fails(
      loadChanged([&](Bytes &b) { dynamicEntry(b, DT_RELASZ).d_un.d_val = UINT64_MAX / 24 * 24; }),
      UN0_ERROR_FORMAT, "relocations of the code are out of range"));
}

TEST(ElfImage, RefusesSymbolTablesOutOfRange) {
  EXPECT_TRUE(
      fails(loadChanged([](Bytes &b) { dynamicEntry(b, DT_SYMTAB).d_un.d_ptr = UINT64_MAX - 7; }),
            UN0_ERROR_FORMAT, "symbol table of the code is out of range"));
  EXPECT_TRUE(
      fails(loadChanged([](Bytes &b) { dynamicEntry(b, DT_STRSZ).d_un.d_val = UINT64_MAX; }),
            UN0_ERROR_FORMAT, "symbol table of the code is out of range"));
  EXPECT_TRUE(fails(loadChanged([](Bytes &b) { dynamicEntry(b, DT_STRSZ).d_un.d_val = 1; }),
                    UN0_ERROR_FORMAT, "name of symbol 1"));
  EXPECT_TRUE(fails(loadChanged([](Bytes &b) { dynamicEntry(b, DT_HASH).d_un.d_ptr = 1u << 30; }),
                    UN0_ERROR_FORMAT, "symbol hash table of the code is out of range"));
}
