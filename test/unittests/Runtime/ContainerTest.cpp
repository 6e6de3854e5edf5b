//===- ContainerTest.cpp - the container refuses what is not whole -----------===//
#include "Container.h"
#include "Fixtures.h"

#include <cstring>

using namespace un0::rt;
using namespace un0test;

static Status parse(const Bytes &bytes, bool hashes = true) {
  Container container;
  return parseContainer(bytes.data(), bytes.size(), {hashes, hashes}, container);
}

/// A valid module whose header `change` altered, sealed again: only the check in question can
/// refuse it.
template <typename Change> static Status parseChanged(Change change) {
  Bytes module = buildModule(fixtureSpec());
  change(headerOf(module));
  sealHeader(module);
  return parse(module);
}

TEST(Container, AcceptsAWholeModule) {
  ModuleSpec spec = fixtureSpec();
  spec.model = {1, 2, 3};
  Bytes module = buildModule(spec);
  Container container;
  ASSERT_TRUE(succeeds(parseContainer(module.data(), module.size(), {}, container)));
  EXPECT_EQ(container.code.size, spec.code.size());
  EXPECT_EQ(0, std::memcmp(container.weights.data, spec.weights.data(), spec.weights.size()));
  EXPECT_EQ(container.model.size, 3u);
  EXPECT_FALSE(container.weightsExternal);
}

TEST(Container, FindsTheProgram) {
  ModuleSpec spec = fixtureSpec();
  spec.program = {9, 8, 7, 6};
  Bytes module = buildModule(spec);
  Container container;
  ASSERT_TRUE(succeeds(parseContainer(module.data(), module.size(), {}, container)));
  ASSERT_EQ(container.program.size, 4u);
  EXPECT_EQ(0, std::memcmp(container.program.data, spec.program.data(), 4));
  module[headerOf(module).sections[2].offset] ^= 1;
  EXPECT_TRUE(fails(parse(module), UN0_ERROR_FORMAT, "program section is damaged"));
}

TEST(Container, RefusesEveryTruncation) {
  Bytes module = buildModule(fixtureSpec());
  for (size_t size = 0; size < module.size(); size += 64) {
    // Exact allocations let the address sanitizer see a read past the end.
    Bytes part(module.begin(), module.begin() + static_cast<ptrdiff_t>(size));
    EXPECT_TRUE(parse(part)) << size << " of " << module.size() << " bytes";
  }
  EXPECT_TRUE(fails(parse({module.begin(), module.end() - 1}), UN0_ERROR_FORMAT, "truncated"));
}

TEST(Container, RefusesEverySingleBitFlip) {
  const Bytes module = buildModule(fixtureSpec());
  Bytes altered = module;
  const size_t manifestEnd =
      headerOf(altered).sections[0].offset + headerOf(altered).sections[0].size;
  for (size_t byte = 0; byte < module.size(); ++byte)
    // Every bit of header and manifest, one bit of every other byte, padding included.
    for (int bit = 0; bit < (byte < manifestEnd ? 8 : 1); ++bit) {
      altered[byte] ^= static_cast<uint8_t>(1 << bit);
      ASSERT_TRUE(parse(altered)) << "byte " << byte << ", bit " << bit;
      altered[byte] = module[byte];
    }
}

TEST(Container, RefusesForeignBytes) {
  EXPECT_TRUE(fails(parse({}), UN0_ERROR_FORMAT, "not a un0 module"));
  EXPECT_TRUE(fails(parse(Bytes(4096, 0)), UN0_ERROR_FORMAT, "not a un0 module"));
  EXPECT_TRUE(fails(parse(codeFixture()), UN0_ERROR_FORMAT, "not a un0 module"));
}

TEST(Container, RefusesTrailingBytes) {
  Bytes module = buildModule(fixtureSpec());
  module.push_back(0);
  EXPECT_TRUE(fails(parse(module), UN0_ERROR_FORMAT, "followed by foreign bytes"));
}

TEST(Container, NamesBothVersionsAndWhatToDo) {
  Status status = parseChanged([](un0_file_header &h) { h.format_major = 7; });
  EXPECT_TRUE(
      fails(status, UN0_ERROR_VERSION,
            "format version 7.1 but this runtime reads version 1; compile the model again"));
}

TEST(Container, ChecksTheVersionBeforeAnythingAnotherVersionMayChange) {
  Bytes module = buildModule(fixtureSpec());
  headerOf(module).format_major = 2;
  module.resize(24);
  EXPECT_TRUE(fails(parse(module), UN0_ERROR_VERSION, "format version 2.1"));
}

TEST(Container, AcceptsALaterMinorVersionWithUnknownSections) {
  EXPECT_TRUE(succeeds(parseChanged([](un0_file_header &h) {
    h.format_minor = 9;
    un0_section &extra = h.sections[h.section_count++];
    extra.kind = 77;
    extra.offset = h.file_size / 64 * 64;
    // The hash of no bytes.
    h.sections[h.section_count - 1].size = 0;
    const uint8_t empty[32] = {0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4,
                               0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b,
                               0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55};
    std::memcpy(extra.sha256, empty, sizeof empty);
  })));
}

TEST(Container, RefusesUnknownSectionsOfItsOwnVersion) {
  EXPECT_TRUE(fails(parseChanged([](un0_file_header &h) { h.sections[0].kind = 77; }),
                    UN0_ERROR_FORMAT, "unknown kind 77"));
}

TEST(Container, RefusesAnotherHeaderSize) {
  EXPECT_TRUE(fails(parseChanged([](un0_file_header &h) { h.header_size = 256; }), UN0_ERROR_FORMAT,
                    "says it has 256 bytes"));
}

TEST(Container, RefusesTooManySections) {
  EXPECT_TRUE(fails(parseChanged([](un0_file_header &h) { h.section_count = 0xffffffff; }),
                    UN0_ERROR_FORMAT, "4294967295 sections"));
}

TEST(Container, RefusesASectionBeyondTheFile) {
  EXPECT_TRUE(fails(parseChanged([](un0_file_header &h) { h.sections[2].size += 64; }),
                    UN0_ERROR_FORMAT, "exceeds the file"));
}

TEST(Container, RefusesASectionWhoseEndWraps) {
  EXPECT_TRUE(fails(parseChanged([](un0_file_header &h) { h.sections[2].size = UINT64_MAX - 63; }),
                    UN0_ERROR_FORMAT, "exceeds the file"));
  EXPECT_TRUE(
      fails(parseChanged([](un0_file_header &h) { h.sections[2].offset = UINT64_MAX - 63; }),
            UN0_ERROR_FORMAT, "exceeds the file"));
}

TEST(Container, RefusesAMisalignedSection) {
  EXPECT_TRUE(fails(parseChanged([](un0_file_header &h) { h.sections[1].offset += 8; }),
                    UN0_ERROR_FORMAT, "not a multiple of 64"));
}

TEST(Container, RefusesOverlap) {
  EXPECT_TRUE(fails(parseChanged([](un0_file_header &h) { h.sections[1].offset = 512; }),
                    UN0_ERROR_FORMAT, "overlaps"));
  EXPECT_TRUE(fails(parseChanged([](un0_file_header &h) { h.sections[0].offset = 0; }),
                    UN0_ERROR_FORMAT, "overlaps"));
}

TEST(Container, RefusesTwoSectionsOfAKind) {
  EXPECT_TRUE(
      fails(parseChanged([](un0_file_header &h) { h.sections[1].kind = UN0_SECTION_MANIFEST; }),
            UN0_ERROR_FORMAT, "two manifest sections"));
}

TEST(Container, RefusesAMissingSection) {
  EXPECT_TRUE(
      fails(parseChanged([](un0_file_header &h) { h.sections[1].kind = UN0_SECTION_MODEL; }),
            UN0_ERROR_FORMAT, "no code section"));
}

TEST(Container, RefusesExternalCode) {
  EXPECT_TRUE(
      fails(parseChanged([](un0_file_header &h) { h.sections[1].flags = UN0_SECTION_EXTERNAL; }),
            UN0_ERROR_FORMAT, "only weights may be"));
}

TEST(Container, RefusesUnknownFlags) {
  EXPECT_TRUE(fails(parseChanged([](un0_file_header &h) { h.sections[1].flags = 0x80; }),
                    UN0_ERROR_FORMAT, "unknown flags 0x80"));
}

TEST(Container, RefusesUsedEntriesBeyondTheCount) {
  EXPECT_TRUE(fails(parseChanged([](un0_file_header &h) { h.sections[7].size = 1; }),
                    UN0_ERROR_FORMAT, "entry 7 of the section table"));
}

TEST(Container, NamesTheDamagedSectionAndBothHashes) {
  Bytes module = buildModule(fixtureSpec());
  module[headerOf(module).sections[1].offset + 100] ^= 1;
  EXPECT_TRUE(fails(parse(module), UN0_ERROR_FORMAT, "code section is damaged: its SHA-256 is"));
}

TEST(Container, LeavesWeightsAloneWhenAsked) {
  Bytes module = buildModule(fixtureSpec());
  module[headerOf(module).sections[2].offset] ^= 1;
  Container container;
  EXPECT_TRUE(fails(parse(module), UN0_ERROR_FORMAT, "weight section is damaged"));
  EXPECT_TRUE(succeeds(parseContainer(module.data(), module.size(), {true, false}, container)));
}
