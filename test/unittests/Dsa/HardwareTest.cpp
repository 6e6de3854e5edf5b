//===- HardwareTest.cpp - descriptions are whole, or refused in words --------===//
#include "Hardware.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <cstdio>
#include <fstream>
#include <set>

using namespace un0::dsa;
using nlohmann::json;
using testing::HasSubstr;

static std::string readText(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

static Hardware load(const std::string &name) {
  Hardware hardware;
  const Status status = loadHardware(name, hardware);
  EXPECT_FALSE(status) << status.message();
  return hardware;
}

static json describe(const std::string &name) { return json::parse(load(name).toJson()); }

/// What is said about a text; empty when it is accepted.
static std::string complaint(const std::string &text) {
  Hardware hardware;
  hardware.name = "untouched";
  const Status status = parseHardware(text, "file.json", hardware);
  if (!status)
    return "";
  EXPECT_EQ(hardware.name, "untouched");
  EXPECT_EQ(status.code(), UN0_ERROR_FORMAT);
  EXPECT_EQ(status.message().find('\n'), std::string::npos);
  EXPECT_EQ(status.message().rfind("hardware 'file.json': ", 0), 0u) << status.message();
  return status.message().substr(std::min<size_t>(22, status.message().size()));
}

static std::string complaint(const json &document) { return complaint(document.dump()); }

/// The same for a description with one constant changed.
static std::string complaintWith(const std::string &name, const char *constant, json value) {
  json document = describe(name);
  document["constants"][constant]["value"] = value;
  return complaint(document);
}

static void expectEqual(const Hardware &a, const Hardware &b) {
  EXPECT_EQ(a.name, b.name);
  EXPECT_EQ(a.summary, b.summary);
  EXPECT_EQ(a.basis, b.basis);
  EXPECT_EQ(a.kind, b.kind);
  EXPECT_EQ(a.topology, b.topology);
  ASSERT_EQ(a.constants.size(), b.constants.size());
  for (const auto &[name, constant] : a.constants) {
    EXPECT_EQ(constant.value, b.get(name)) << name;
    EXPECT_EQ(constant.unit, b.find(name).unit) << name;
    EXPECT_EQ(constant.source, b.find(name).source) << name;
  }
}

TEST(Hardware, BuiltInDescriptionsAreTheFilesOfTheTree) {
  EXPECT_THAT(builtinHardwareNames(),
              testing::ElementsAre("ideal", "oscillator-64", "oscillator-1024", "kings-graph-1968",
                                   "digital-7nm", "cpu-x86"));
  for (const std::string &name : builtinHardwareNames()) {
    SCOPED_TRACE(name);
    const std::string path = std::string(UN0_HARDWARE_DIR) + "/" + name + ".json";
    const Hardware embedded = load(name);
    EXPECT_EQ(embedded.name, name);
    expectEqual(embedded, load(path));
  }
}

TEST(Hardware, CanonicalTextReadsBackEqualAndIsItsOwnCanonicalText) {
  for (const std::string &name : builtinHardwareNames()) {
    const Hardware first = load(name);
    Hardware second;
    const Status status = parseHardware(first.toJson(), name, second);
    ASSERT_FALSE(status) << status.message();
    expectEqual(first, second);
    EXPECT_EQ(first.toJson(), second.toJson());
  }
}

TEST(Hardware, CanonicalNumbersAreExact) {
  Hardware hardware = load("oscillator-64");
  const double value = std::nextafter(1.0 / 3, 1);
  ASSERT_FALSE(setConstant(hardware, "coupling_load_energy", value));
  Hardware again;
  ASSERT_FALSE(parseHardware(hardware.toJson(), "text", again));
  EXPECT_EQ(again.get("coupling_load_energy"), value);
}

TEST(Hardware, CanonicalTextKeepsForeignLettersAndQuotes) {
  json document = describe("digital-7nm");
  document["summary"] = "\"Stra\u00dfe\" \\ \t \U0001F642";
  Hardware hardware, again;
  ASSERT_FALSE(parseHardware(document.dump(), "text", hardware));
  ASSERT_FALSE(parseHardware(hardware.toJson(), "text", again));
  EXPECT_EQ(again.summary, document["summary"].get<std::string>());
}

TEST(Hardware, SchemaListsExactlyTheConstantsOfTheTable) {
  const json schema = json::parse(readText(std::string(UN0_HARDWARE_DIR) + "/schema.json"));
  const json &constants = schema["properties"]["constants"]["properties"];
  EXPECT_EQ(constants.size(), constantSpecs().size());
  for (const ConstantSpec &spec : constantSpecs()) {
    SCOPED_TRACE(spec.name);
    ASSERT_TRUE(constants.contains(spec.name));
    const json &entry = constants[spec.name];
    EXPECT_EQ(entry["description"], spec.meaning);
    EXPECT_EQ(entry["properties"]["unit"]["const"], spec.unit);
    EXPECT_EQ(entry["properties"]["value"]["minimum"].get<double>(), spec.low);
    EXPECT_EQ(entry["properties"]["value"]["maximum"].get<double>(), spec.high);
    EXPECT_EQ(entry["properties"]["value"].contains("multipleOf"), spec.whole);
  }
  // And per kind, exactly those that it must have.
  const char *kinds[] = {"oscillators", "digital", "cpu"};
  ASSERT_EQ(schema["allOf"].size(), 3u);
  for (unsigned kind = 0; kind < 3; ++kind) {
    const json &rule = schema["allOf"][kind];
    EXPECT_EQ(rule["if"]["properties"]["kind"]["const"], kinds[kind]);
    std::set<std::string> required, expected;
    for (const json &name : rule["then"]["properties"]["constants"]["required"])
      required.insert(name.get<std::string>());
    for (const ConstantSpec &spec : constantSpecs())
      if (spec.kinds & (1u << kind))
        expected.insert(spec.name);
    EXPECT_EQ(required, expected) << kinds[kind];
    EXPECT_EQ(rule["then"]["properties"]["constants"]["maxProperties"], expected.size());
  }
}

TEST(Hardware, TheManualHasARowForEveryConstant) {
  const std::string manual =
      readText(std::string(UN0_HARDWARE_DIR) + "/../../../docs/dsa/hardware.md");
  for (const ConstantSpec &spec : constantSpecs())
    EXPECT_THAT(manual, HasSubstr("| `" + std::string(spec.name) + "` | " + spec.unit + " | "));
}

TEST(Hardware, EveryConstantIsDescribedOnce) {
  std::set<std::string> names;
  for (const ConstantSpec &spec : constantSpecs()) {
    EXPECT_TRUE(names.insert(spec.name).second) << spec.name;
    EXPECT_LE(spec.low, spec.high) << spec.name;
    EXPECT_NE(spec.kinds & 7u, 0u) << spec.name;
  }
}

TEST(Hardware, EveryLimitOfTheTableIsEnforced) {
  const char *ofKind[] = {"oscillator-1024", "digital-7nm", "cpu-x86"};
  for (const ConstantSpec &spec : constantSpecs())
    for (unsigned kind = 0; kind < 3; ++kind) {
      if (!(spec.kinds & (1u << kind)))
        continue;
      SCOPED_TRACE(spec.name);
      EXPECT_THAT(complaintWith(ofKind[kind], spec.name, -1), HasSubstr(spec.name));
      EXPECT_THAT(complaintWith(ofKind[kind], spec.name, spec.high * 2 + 2),
                  HasSubstr("must be from"));
      EXPECT_THAT(complaintWith(ofKind[kind], spec.name, "1"), HasSubstr("is not a number"));
      if (spec.whole && spec.high > 1)
        EXPECT_THAT(complaintWith(ofKind[kind], spec.name, 1.5), HasSubstr("whole number"));
      json document = describe(ofKind[kind]);
      document["constants"].erase(spec.name);
      EXPECT_EQ(complaint(document), std::string("1 constant is missing: ") + spec.name);
      document = describe(ofKind[kind]);
      document["constants"][spec.name]["unit"] = "furlong";
      EXPECT_EQ(complaint(document), std::string("constant '") + spec.name +
                                         "' has the unit 'furlong' but must be in '" + spec.unit +
                                         "'");
    }
}

TEST(Hardware, RefusesWhatIsNotJson) {
  EXPECT_THAT(complaint(std::string()), HasSubstr("is not JSON"));
  EXPECT_THAT(complaint(std::string("constants: {}")), HasSubstr("is not JSON: wrong from byte 1"));
  EXPECT_THAT(complaint(std::string("{\"schema\": NaN}")), HasSubstr("is not JSON"));
  EXPECT_THAT(complaint(std::string("{\"schema\": 1e999}")), HasSubstr("is not JSON"));
  EXPECT_THAT(complaint(std::string("{\"name\": \"\xff\"}")), HasSubstr("is not JSON"));
  const std::string whole = load("ideal").toJson();
  for (size_t size = 0; size + 2 < whole.size(); size += 7)
    EXPECT_THAT(complaint(whole.substr(0, size)), HasSubstr("is not JSON")) << size;
}

TEST(Hardware, RefusesAnythingAfterTheDescription) {
  EXPECT_THAT(complaint(load("ideal").toJson() + "{}"), HasSubstr("is not JSON"));
}

TEST(Hardware, RefusesDeepNesting) {
  EXPECT_THAT(complaint(std::string(100000, '[')), HasSubstr("nested more deeply"));
}

TEST(Hardware, RefusesKeysThatComeTwice) {
  EXPECT_EQ(complaint(std::string("{\"schema\": 1, \"schema\": 1}")), "has the key 'schema' twice");
  std::string text = load("digital-7nm").toJson();
  const std::string key = "\"wire_energy\"";
  text.replace(text.find(key), key.size(), "\"local_memory_energy\"");
  EXPECT_EQ(complaint(text), "has the key 'local_memory_energy' twice");
}

TEST(Hardware, RefusesTextsOfMoreThanAMegabyte) {
  const std::string text = load("ideal").toJson();
  EXPECT_EQ(complaint(text + std::string((1u << 20) - text.size(), ' ')), "");
  EXPECT_EQ(complaint(text + std::string((1u << 20) - text.size() + 1, ' ')),
            "is longer than the 1048576 bytes that a description may have");
}

TEST(Hardware, RefusesUnknownAndMissingKeys) {
  json document = describe("ideal");
  document["colour"] = "blue";
  EXPECT_EQ(complaint(document), "the description has the unknown key 'colour'");
  for (const char *key : {"schema", "name", "summary", "basis", "kind", "topology", "constants"}) {
    document = describe("ideal");
    document.erase(key);
    EXPECT_EQ(complaint(document), std::string("the description has no key '") + key + "'");
  }
  document = describe("ideal");
  document["constants"]["offset"]["note"] = "";
  EXPECT_EQ(complaint(document), "constant 'offset' has the unknown key 'note'");
  document["constants"]["offset"] = 0;
  EXPECT_EQ(complaint(document), "constant 'offset' is not an object");
  document["constants"]["offset"] = {{"value", 0}, {"unit", "1"}};
  EXPECT_EQ(complaint(document), "constant 'offset' has no key 'source'");
  EXPECT_EQ(complaint(json::array()), "the description is not an object");
}

TEST(Hardware, RefusesWrongWordsAndVersions) {
  const auto with = [](const char *key, json value) {
    json document = describe("oscillator-64");
    document[key] = value;
    return complaint(document);
  };
  EXPECT_EQ(with("schema", 2), "'schema' is not 1, the only version there is");
  EXPECT_EQ(with("schema", "1"), "'schema' is not 1, the only version there is");
  EXPECT_EQ(with("basis", "measured"),
            "'basis' is 'measured' but must be one of: published, projection, ideal");
  EXPECT_THAT(with("kind", "gpu"), HasSubstr("oscillators, digital, cpu"));
  EXPECT_THAT(with("topology", "ring"), HasSubstr("none, all-to-all, kings-graph"));
  EXPECT_EQ(with("summary", " "), "'summary' of the description is empty");
  EXPECT_EQ(with("summary", 1), "'summary' of the description is not a string");
  EXPECT_THAT(with("name", "../x"), HasSubstr("a letter or digit first"));
  EXPECT_THAT(with("name", std::string(65, 'x')), HasSubstr("1 to 64"));
  EXPECT_EQ(with("constants", json::array()), "'constants' is not an object");
}

TEST(Hardware, RefusesUnknownConstantsAndThoseOfAnotherKind) {
  json document = describe("digital-7nm");
  document["constants"]["warp"] = {{"value", 1}, {"unit", "1"}, {"source", "x"}};
  EXPECT_EQ(complaint(document), "constant 'warp' is unknown");
  document = describe("digital-7nm");
  document["constants"]["mismatch"] = {{"value", 0}, {"unit", "1"}, {"source", "x"}};
  EXPECT_EQ(complaint(document), "constant 'mismatch' does not belong to this kind of hardware");
}

TEST(Hardware, RefusesAnEmptySource) {
  json document = describe("digital-7nm");
  document["constants"]["wire_energy"]["source"] = " \n";
  EXPECT_EQ(complaint(document), "'source' of constant 'wire_energy' is empty");
}

TEST(Hardware, NamesEveryMissingConstant) {
  json document = describe("oscillator-64");
  document["constants"].erase("set_bits");
  document["constants"].erase("mismatch");
  EXPECT_EQ(complaint(document), "2 constants are missing: set_bits, mismatch");
}

TEST(Hardware, RefusesContradictions) {
  EXPECT_EQ(complaintWith("oscillator-64", "coupling_levels", 16),
            "coupling_levels is 16 but must be 0, or odd and at least 3: zero and as many positive "
            "as negative values");
  EXPECT_THAT(complaintWith("oscillator-64", "coupling_levels", 1), HasSubstr("at least 3"));
  EXPECT_EQ(complaintWith("oscillator-64", "neighbours", 8),
            "neighbours is 8 but must be 0 with this topology");
  EXPECT_THAT(complaintWith("kings-graph-1968", "neighbours", 4), HasSubstr("must be 8"));
  EXPECT_EQ(complaintWith("oscillator-64", "tile_oscillators", 0),
            "tile_oscillators is 0, any number, but basis is 'published'; only 'ideal' has such "
            "tiles");
  EXPECT_THAT(complaintWith("oscillator-64", "coupling_banks", 3), HasSubstr("from 1 to 2"));
  EXPECT_EQ(complaintWith("oscillator-64", "link_inputs", 0),
            "link_full_scale is 1.6e+06 but link_inputs is 0: there are no links");
  EXPECT_EQ(complaintWith("kings-graph-1968", "link_delay", 1e-9),
            "link_delay is 1e-09 but link_inputs is 0: there are no links");
  EXPECT_EQ(complaintWith("kings-graph-1968", "link_inputs", 4),
            "link_inputs is 4 but links exist between all-to-all tiles only");
  EXPECT_THAT(complaintWith("oscillator-64", "link_inputs", 65),
              HasSubstr("a tile has 64 oscillators"));
  EXPECT_THAT(complaintWith("oscillator-64", "link_full_scale", 0), HasSubstr("link_inputs is 16"));
  EXPECT_THAT(complaintWith("oscillator-64", "tile_count", 1), HasSubstr("none to link it to"));
  EXPECT_THAT(complaintWith("oscillator-64", "frequency_bits", 1), HasSubstr("at least 2"));
  EXPECT_THAT(complaintWith("oscillator-64", "frequency_full_scale", 0),
              HasSubstr("no frequency can be set"));
  EXPECT_THAT(complaintWith("oscillator-64", "converters", 65), HasSubstr("64 oscillators"));
  EXPECT_THAT(complaintWith("digital-7nm", "local_memory_energy", 40), HasSubstr("farther away"));
  EXPECT_THAT(complaintWith("cpu-x86", "l1_bytes", 1 << 20), HasSubstr("l2_bytes"));
  EXPECT_THAT(complaintWith("cpu-x86", "l3_energy", 1), HasSubstr("l2_energy is 3"));
  json document = describe("digital-7nm");
  document["topology"] = "all-to-all";
  EXPECT_THAT(complaint(document), HasSubstr("no oscillators"));
  document = describe("ideal");
  document["topology"] = "none";
  EXPECT_THAT(complaint(document), HasSubstr("needs 'all-to-all'"));
}

TEST(Hardware, UnprintableOriginsAndLongNamesStayOneLine) {
  json document = describe("ideal");
  document["constants"][std::string(5000, 'x') + "\n"] = {
      {"value", 1}, {"unit", "1"}, {"source", "x"}};
  Hardware hardware;
  const Status status = parseHardware(document.dump(), "a\nb" + std::string(3000, 'y'), hardware);
  ASSERT_TRUE(status);
  EXPECT_EQ(status.message().find('\n'), std::string::npos);
  EXPECT_LT(status.message().size(), 1020u);
  EXPECT_THAT(status.message(), HasSubstr("is unknown"));
}

TEST(Hardware, AFileThatDoesNotExistGetsTheBuiltInNames) {
  Hardware hardware;
  const Status status = loadHardware("oscillator-65", hardware);
  EXPECT_EQ(status.code(), UN0_ERROR_IO);
  EXPECT_EQ(status.message(),
            "hardware 'oscillator-65' is neither a file that can be read nor built in: ideal, "
            "oscillator-64, oscillator-1024, kings-graph-1968, digital-7nm, cpu-x86");
  EXPECT_TRUE(loadHardware(UN0_HARDWARE_DIR, hardware)); // a folder
}

TEST(Hardware, ReadsADescriptionOfOnesOwn) {
  json document = describe("oscillator-64");
  document["name"] = "mine";
  document["constants"]["mismatch"]["value"] = 0.125;
  const std::string path = testing::TempDir() + "un0-hardware-mine.json";
  std::ofstream(path) << document.dump();
  const Hardware hardware = load(path);
  std::remove(path.c_str());
  EXPECT_EQ(hardware.name, "mine");
  EXPECT_EQ(hardware.get("mismatch"), 0.125);
}

TEST(Hardware, ASetConstantSaysWhoSetIt) {
  Hardware hardware = load("oscillator-1024");
  ASSERT_FALSE(setConstant(hardware, "mismatch", 0.05));
  EXPECT_EQ(hardware.get("mismatch"), 0.05);
  EXPECT_EQ(
      hardware.find("mismatch").source.rfind("set to 0.05 by the user, in place of 0.01: ", 0), 0u);
}

TEST(Hardware, ASetConstantIsCheckedAndElseNothingChanges) {
  Hardware hardware = load("oscillator-1024");
  EXPECT_THAT(setConstant(hardware, "coupling_levels", 64).message(), HasSubstr("odd"));
  EXPECT_THAT(setConstant(hardware, "mismatch", std::nan("")).message(), HasSubstr("not finite"));
  EXPECT_THAT(setConstant(hardware, "mismatch", INFINITY).message(), HasSubstr("not finite"));
  EXPECT_THAT(setConstant(hardware, "l1_bytes", 1).message(), HasSubstr("no constant 'l1_bytes'"));
  expectEqual(hardware, load("oscillator-1024"));
}

TEST(Hardware, PowersOfOscillator64AreThoseOfThePublishedEnergyPerEdgeBit) {
  const Hardware chip = load("oscillator-64");
  const double n = chip.get("tile_oscillators"), couplers = n * (n - 1);
  const double watts = n * chip.get("oscillator_power") + couplers * chip.get("coupling_power");
  const double edges = couplers / 2, bits = 5, seconds = 1.56e-3;
  EXPECT_NEAR(watts * seconds / (edges * bits), 2.28e-9, 0.01e-9);
}

TEST(Hardware, PowersOfKingsGraphAreThoseOfThePublishedChip) {
  const Hardware chip = load("kings-graph-1968");
  EXPECT_NEAR(1968 * chip.get("oscillator_power") + 15214 * chip.get("coupling_power"), 42e-3,
              0.1e-3);
}

TEST(Hardware, OscillatorsAreNotQuieterThanTheirPowerAllows) {
  // Navid et al., JSSC 2005: L(df) >= 7.33 k T / P (f0 / df)^2; a random walk of k^2 rad^2/s has
  // L(df) = k^2 / (2 pi df)^2.
  const std::pair<const char *, double> carriers[] = {
      {"oscillator-64", 1e8}, {"oscillator-1024", 2e8}, {"kings-graph-1968", 1e8}};
  for (const auto &[name, carrier] : carriers) {
    const Hardware hardware = load(name);
    const double walk = hardware.get("phase_noise"), offset = 1e6;
    const double noise = walk * walk / std::pow(2 * M_PI * offset, 2);
    const double least = 7.33 * 1.38e-23 * 300 / noise * std::pow(carrier / offset, 2);
    EXPECT_LT(least, hardware.get("oscillator_power")) << name;
    // Rates are slow against the carrier, or phases would not be a description.
    EXPECT_LT(hardware.get("frequency_full_scale"), 0.05 * 2 * M_PI * carrier) << name;
  }
}

TEST(Hardware, ModelsOfTheFamilyUseTheRangesOfTheTiles) {
  for (const char *name : {"oscillator-64", "oscillator-1024"}) {
    const Hardware hardware = load(name);
    const double full = hardware.get("coupling_full_scale");
    // Frequencies reach 4 rad per model second, drives 2 and couplings from 0.1.
    EXPECT_GE(hardware.get("frequency_full_scale"), 60 * full) << name;
    EXPECT_GE(hardware.get("link_full_scale"), 16 * full) << name;
    EXPECT_GE(hardware.get("link_inputs"), 8) << name;
    for (double coupling : {0.1, 0.27}) {
      const double walk = hardware.get("phase_noise") * std::sqrt(coupling / full);
      EXPECT_GE(walk, 0.01) << name;
      EXPECT_LE(walk, 0.02) << name;
    }
  }
}

TEST(Hardware, DescriptionsDifferInTheDynamicsOnly) {
  const Hardware digital = load("digital-7nm");
  for (const char *name : {"ideal", "oscillator-64", "oscillator-1024", "kings-graph-1968"})
    for (const auto &[constant, value] : digital.constants)
      EXPECT_EQ(load(name).get(constant), value.value) << name << ": " << constant;
}

TEST(Hardware, IdealHasNoFaultAndItsDynamicsAreFree) {
  const Hardware ideal = load("ideal");
  for (const char *name :
       {"coupling_levels", "frequency_bits", "set_bits", "sample_bits", "mismatch", "offset",
        "phase_noise", "link_delay", "coupling_load_time", "coupling_load_energy", "coupling_power",
        "oscillator_power", "hold_power", "instruction_energy", "set_energy", "sample_energy"})
    EXPECT_EQ(ideal.get(name), 0) << name;
}
