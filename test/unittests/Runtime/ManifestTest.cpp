//===- ManifestTest.cpp - manifests are checked for meaning ------------------===//
#include "Manifest.h"
#include "Fixtures.h"

#include <functional>
#include <limits>

using namespace un0::rt;
using namespace un0test;

static Status parse(const Bytes &bytes, uint64_t weightBytes = 192, bool external = false) {
  Manifest manifest;
  return manifest.parse(bytes.data(), bytes.size(), weightBytes, external, /*hasProgram=*/false);
}

static Status parseChanged(const std::function<void(ModuleSpec &)> &change) {
  ModuleSpec spec;
  change(spec);
  return parse(buildManifest(spec));
}

TEST(Manifest, IsReadBack) {
  Bytes bytes = buildManifest({});
  Manifest manifest;
  ASSERT_TRUE(succeeds(manifest.parse(bytes.data(), bytes.size(), 192, false, false)));
  EXPECT_EQ(manifest->signature()->oscillators(), 20u);
  EXPECT_EQ(manifest->entries()->size(), 4u);
  EXPECT_EQ(manifest->tensors()->Get(0)->name()->str(), "K");
}

TEST(Manifest, SurvivesEveryTruncation) {
  Bytes bytes = buildManifest({});
  for (size_t size = 0; size < bytes.size(); ++size)
    (void)parse({bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(size)});
  EXPECT_TRUE(fails(parse({}), UN0_ERROR_FORMAT, "does not follow its schema"));
  EXPECT_TRUE(fails(parse({bytes.begin(), bytes.begin() + 64}), UN0_ERROR_FORMAT, "schema"));
}

TEST(Manifest, SurvivesEveryBitFlip) {
  const Bytes bytes = buildManifest({});
  Bytes altered = bytes;
  int refused = 0;
  for (size_t byte = 0; byte < bytes.size(); ++byte)
    for (int bit = 0; bit < 8; ++bit) {
      altered[byte] ^= static_cast<uint8_t>(1 << bit);
      if (parse(altered))
        ++refused;
      altered[byte] = bytes[byte];
    }
  EXPECT_GT(refused, 500);
}

TEST(Manifest, NamesBothCodeVersions) {
  for (uint32_t version : {UN0_CODE_ABI_OLDEST, UN0_CODE_ABI_VERSION})
    EXPECT_TRUE(succeeds(parseChanged([&](ModuleSpec &s) { s.abiVersion = version; })));
  EXPECT_TRUE(fails(parseChanged([](ModuleSpec &s) { s.abiVersion = UN0_CODE_ABI_OLDEST - 1; }),
                    UN0_ERROR_VERSION, "code interface version 2"));
  EXPECT_TRUE(fails(parseChanged([](ModuleSpec &s) { s.abiVersion = 9; }), UN0_ERROR_VERSION,
                    "code interface version 9 but this runtime calls versions 3 to 4"));
}

static void addTeam(ModuleSpec &spec, const char *kind, uint32_t batch = 1) {
  spec.entries.push_back({kind, "team", batch});
}

TEST(Manifest, TakesOneTeamEntryOfAKindForOneSample) {
  for (const char *kind : {"evolve_team", "decode_team"})
    EXPECT_TRUE(fails(parseChanged([&](ModuleSpec &s) { addTeam(s, kind, 4); }), UN0_ERROR_FORMAT,
                      "has batch 4, expected 1"));
  EXPECT_TRUE(succeeds(parseChanged([](ModuleSpec &s) {
    addTeam(s, "evolve_team");
    addTeam(s, "decode_team");
  })));
  EXPECT_TRUE(fails(parseChanged([](ModuleSpec &s) {
                      addTeam(s, "evolve_team");
                      addTeam(s, "evolve_team");
                    }),
                    UN0_ERROR_FORMAT, "manifest has 2 evolve_team and 0 decode_team entries"));
  EXPECT_TRUE(fails(parseChanged([](ModuleSpec &s) { addTeam(s, "decode_team"); }),
                    UN0_ERROR_FORMAT,
                    "manifest has 0 evolve_team and 1 decode_team entries, expected at most one, "
                    "and the second only beside the first"));
}

TEST(Manifest, RefusesImplausibleSignatures) {
  EXPECT_TRUE(fails(parseChanged([](ModuleSpec &s) { s.oscillators = 0; }), UN0_ERROR_FORMAT,
                    "oscillators is 0, outside 1.."));
  EXPECT_TRUE(fails(parseChanged([](ModuleSpec &s) { s.oscillators = ~0u; }), UN0_ERROR_FORMAT,
                    "oscillators is 4294967295"));
  EXPECT_TRUE(fails(parseChanged([](ModuleSpec &s) { s.conditioning = ~0u; }), UN0_ERROR_FORMAT,
                    "conditioning oscillators is"));
  EXPECT_TRUE(
      fails(parseChanged([](ModuleSpec &s) { s.classes = ~0u; }), UN0_ERROR_FORMAT, "classes is"));
  EXPECT_TRUE(fails(parseChanged([](ModuleSpec &s) { s.features = 0; }), UN0_ERROR_FORMAT,
                    "features is 0"));
  EXPECT_TRUE(fails(parseChanged([](ModuleSpec &s) { s.channels = 65; }), UN0_ERROR_FORMAT,
                    "channels is 65"));
  EXPECT_TRUE(
      fails(parseChanged([](ModuleSpec &s) { s.height = 0; }), UN0_ERROR_FORMAT, "height is 0"));
  EXPECT_TRUE(fails(parseChanged([](ModuleSpec &s) { s.width = 1 << 20; }), UN0_ERROR_FORMAT,
                    "width is 1048576"));
}

TEST(Manifest, RefusesEntriesThatCannotGenerate) {
  EXPECT_TRUE(fails(parseChanged([](ModuleSpec &s) { s.entries.clear(); }), UN0_ERROR_FORMAT,
                    "0 evolve, 0 readout"));
  EXPECT_TRUE(fails(parseChanged([](ModuleSpec &s) { s.entries.pop_back(); }), UN0_ERROR_FORMAT,
                    "0 decode"));
  EXPECT_TRUE(fails(parseChanged([](ModuleSpec &s) { s.entries.push_back(s.entries.back()); }),
                    UN0_ERROR_FORMAT, "2 decode"));
  EXPECT_TRUE(fails(parseChanged([](ModuleSpec &s) { s.entries[0].kind = "explode"; }),
                    UN0_ERROR_FORMAT, "unknown kind 'explode'"));
  EXPECT_TRUE(fails(parseChanged([](ModuleSpec &s) { s.entries[0].batch = 0; }), UN0_ERROR_FORMAT,
                    "batch is 0"));
  EXPECT_TRUE(fails(parseChanged([](ModuleSpec &s) { s.entries[2].batch = 4; }), UN0_ERROR_FORMAT,
                    "batch 4, expected 1"));
}

TEST(Manifest, NeedsNoEvolveEntryBesideAProgram) {
  ModuleSpec spec;
  spec.entries.erase(spec.entries.begin(), spec.entries.begin() + 2);
  Bytes bytes = buildManifest(spec);
  Manifest manifest;
  EXPECT_TRUE(succeeds(manifest.parse(bytes.data(), bytes.size(), 192, false, true)));
  EXPECT_TRUE(fails(parse(bytes), UN0_ERROR_FORMAT, "0 evolve, 1 readout and 1 decode"));
  spec.entries.pop_back();
  bytes = buildManifest(spec);
  EXPECT_TRUE(fails(manifest.parse(bytes.data(), bytes.size(), 192, false, true), UN0_ERROR_FORMAT,
                    "0 decode"));
}

TEST(Manifest, RefusesWeightsOutOfRange) {
  EXPECT_TRUE(
      fails(parseChanged([](ModuleSpec &s) { s.tensors[0].size = 193; }), UN0_ERROR_FORMAT,
            "tensor 'K' at offset 0 with 193 bytes exceeds the weight section's 192 bytes"));
  EXPECT_TRUE(fails(parseChanged([](ModuleSpec &s) { s.tensors[0].offset = 256; }),
                    UN0_ERROR_FORMAT, "exceeds"));
  EXPECT_TRUE(fails(parseChanged([](ModuleSpec &s) {
                      s.tensors[0].offset = 64;
                      s.tensors[0].size = UINT64_MAX - 32;
                    }),
                    UN0_ERROR_FORMAT, "exceeds"));
}

TEST(Manifest, RefusesMisalignedWeights) {
  EXPECT_TRUE(fails(parseChanged([](ModuleSpec &s) { s.tensors[0].offset = 32; }), UN0_ERROR_FORMAT,
                    "offset 32, not a multiple of 64"));
}

TEST(Manifest, RefusesATensorTwice) {
  EXPECT_TRUE(fails(parseChanged([](ModuleSpec &s) { s.tensors.push_back(s.tensors[0]); }),
                    UN0_ERROR_FORMAT, "lists tensor 'K' twice"));
}

TEST(Manifest, RefusesNegativeShapes) {
  EXPECT_TRUE(fails(parseChanged([](ModuleSpec &s) { s.tensors[0].shape = {-1}; }),
                    UN0_ERROR_FORMAT, "dimension of -1"));
}

TEST(Manifest, RefusesAnImmenseArena) {
  EXPECT_TRUE(fails(parseChanged([](ModuleSpec &s) { s.arenaBytes = UINT64_MAX; }),
                    UN0_ERROR_FORMAT, "arena size is 18446744073709551615"));
}

TEST(Manifest, RefusesTimeThatIsNoNumber) {
  EXPECT_TRUE(
      fails(parseChanged([](ModuleSpec &s) { s.time = std::numeric_limits<double>::infinity(); }),
            UN0_ERROR_FORMAT, "to time inf"));
}

TEST(Manifest, KeepsWeightFilesBesideTheModule) {
  for (const char *name : {"../w", "/etc/passwd", "a/b", "..", "."}) {
    ModuleSpec spec;
    spec.externalWeights = name;
    EXPECT_TRUE(fails(parse(buildManifest(spec), 192, /*external=*/true), UN0_ERROR_FORMAT,
                      "beside the module"))
        << name;
  }
}

TEST(Manifest, AgreesWithTheContainerOnWhereWeightsAre) {
  ModuleSpec spec;
  EXPECT_TRUE(fails(parse(buildManifest(spec), 192, /*external=*/true), UN0_ERROR_FORMAT,
                    "weights are external"));
  spec.externalWeights = "w";
  EXPECT_TRUE(fails(parse(buildManifest(spec), 192, /*external=*/false), UN0_ERROR_FORMAT,
                    "weights are embedded"));
}
