//===- ReportTest.cpp - reports of one module and of several ----------------===//
#include "SampleReports.h"
#include "Text.h"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

using namespace un0test;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using un0::dsa::HardwareKind;

namespace {

size_t occurrences(const std::string &text, const std::string &part) {
  size_t number = 0;
  for (size_t at = 0; (at = text.find(part, at)) != text.npos; at += part.size())
    ++number;
  return number;
}

const Report report = sampleReport("oscillator-1024", HardwareKind::Oscillators, 1e4, 2e6, true);

} // namespace

TEST(Report, PageNeedsNothingFromOutside) {
  const std::string html = toHtml(report);
  for (const char *part :
       {"http://", "https://", "<script", "@import", "url(", "<iframe", "src=\"/"})
    // The SVG name space is a name, not an address.
    EXPECT_EQ(occurrences(html, part),
              part == std::string("http://") ? occurrences(html, "http://www.w3.org/2000/svg") : 0u)
        << part;
  EXPECT_THAT(html, HasSubstr("default-src 'none'"));
  EXPECT_EQ(occurrences(html, "<img"), occurrences(html, "src=\"data:image/png;base64,iVBOR"));
}

TEST(Report, EveryDrawingHasATitleAndEveryPictureWords) {
  const std::string html = toHtml(report);
  EXPECT_EQ(occurrences(html, "<svg"), 4u);
  EXPECT_EQ(occurrences(html, "<desc>"), 4u);
  EXPECT_EQ(occurrences(html, "<img"), occurrences(html, " alt=\""));
}

TEST(Report, NamesFromFilesAreText) {
  const std::string html = toHtml(report);
  EXPECT_THAT(html, HasSubstr("bytes &lt;read&gt;"));
  EXPECT_THAT(html, Not(HasSubstr("<read>")));
  EXPECT_THAT(html, HasSubstr("memory &amp; wires"));
}

TEST(Report, TableShowsEveryTermWithItsSum) {
  const Table table = termTable(report.accounts);
  size_t terms = 0;
  for (const Component &component : report.accounts[0].components)
    terms += component.terms.size();
  ASSERT_EQ(table.rows.size(), terms + 1);
  // couplings loaded: 1024 at batch 1, 16 at batch 64, each 1e4 / 2048 pJ.
  EXPECT_EQ(table.rows[0][3].text, "1\u202f024");
  EXPECT_EQ(table.rows[0][4].text, "16");
  EXPECT_EQ(table.rows[0][5].text, "4.88281");
  EXPECT_EQ(table.rows[0][6].text, "5000");
  EXPECT_EQ(table.rows[0][7].text, "78.125");
  EXPECT_EQ(table.rows.back()[6].text, format("%.6g", report.accounts[0].picojoules()));
}

TEST(Report, ATermOfOneBatchOnlyHasAGapForTheOther) {
  std::vector<Account> accounts = report.accounts;
  accounts[1].components[0].terms.push_back({"spills", 3, "local_memory_energy", 2, "a paper"});
  const Table table = termTable(accounts);
  EXPECT_EQ(table.rows[1][2].text, "spills"); // beside its component's other term
  EXPECT_EQ(table.rows[1][3].text, "-");
  EXPECT_EQ(table.rows[1][4].text, "3");
}

TEST(Report, SaysHowMuchRestsOnAssumptions) {
  // Dynamics of 1e4 pJ and 10 pJ of control are assumed.
  const double share = (1e4 + 10) / report.accounts[0].picojoules();
  EXPECT_THAT(toHtml(report), HasSubstr(percent(share) + " of the energy at batch 1 rests"));
}

TEST(Report, JsonIsTheIssuesAccountWithBatchesBesideIt) {
  Report measured = report;
  measured.measurement = Measurement{std::nullopt, "not measurable here"};
  const auto json = nlohmann::json::parse(toJson(measured), nullptr, false);
  ASSERT_TRUE(json.is_object());
  EXPECT_EQ(json["batch"], 1);
  EXPECT_EQ(json["total_picojoules"], report.accounts[0].picojoules());
  ASSERT_EQ(json["batches"].size(), 2u);
  EXPECT_EQ(json["batches"][0]["components"], json["components"]);
  EXPECT_EQ(json["batches"][1]["batch"], 64);
  EXPECT_EQ(json["measured"], "not measurable here");
  EXPECT_EQ(json["made"]["module"], "m.un0");
}

TEST(Report, OtherEndingsAreRefused) {
  for (const char *path : {"a.pdf", "html", ".html", "a.html.txt", ""})
    EXPECT_THAT(checkReportPath(path).message(), HasSubstr("a report is FILE.json or FILE.html"))
        << path;
  EXPECT_FALSE(checkReportPath("a/b.html"));
  EXPECT_FALSE(checkReportPath("b.json"));
}

TEST(Report, AFileThatCannotBeWrittenSaysWhyAndLeavesNothing) {
  const un0::rt::Status status = writeReport(report, "/no/such/folder/a.html");
  EXPECT_EQ(status.code(), UN0_ERROR_IO);
  EXPECT_EQ(status.message(), "cannot write '/no/such/folder/a.html': No such file or directory");
}

TEST(Pictures, BytesAreThoseOfTheGrid) {
  const Pictures pictures{3, 1, 2, {0}, {-1, 1, 0, -2, 2, std::nanf("")}, 0};
  const Strip strip = makeStrip(pictures, {0});
  EXPECT_THAT(strip.rgb, testing::ElementsAre(0, 128, 255, 255, 0, 0));
}

TEST(Pictures, MoreThanFitAreCounted) {
  Pictures pictures{1, 1, 1, {}, {}, 0};
  for (int i = 0; i < 40; ++i) {
    pictures.labels.push_back(i % 2);
    pictures.pixels.push_back(0);
  }
  EXPECT_THAT(pictureRows(pictures, 1, 12), HasSubstr("28 more of 40 pictures are not shown"));
  EXPECT_THAT(pictureRows(pictures), HasSubstr("16 more of 40 pictures are not shown"));
}

TEST(Claim, IsAnsweredFromTheFigures) {
  const std::string words = judgeClaim(sampleComparison());
  EXPECT_THAT(words,
              AllOf(HasSubstr("For the dynamics yes, for a picture no."),
                    HasSubstr("10.0 nJ against 22.0 µJ, 2\u202f200x less"),
                    HasSubstr("If its dynamics and their transfer were free"),
                    HasSubstr("one picture would have to cost 24.4 nJ in all"),
                    HasSubstr("the decoder would have to become 98x cheaper"),
                    HasSubstr("digital-7nm without any oscillator already needs 102x less")));
}

TEST(Claim, IsGrantedWhereTheFiguresGrantIt) {
  std::vector<Compared> targets = sampleComparison();
  targets[1].report = sampleReport("digital-7nm", HardwareKind::Digital, 2e12, 2e12, false);
  const std::string words = judgeClaim(targets);
  EXPECT_THAT(words, HasSubstr("By these figures yes, alone and batched."));
  EXPECT_THAT(words, Not(HasSubstr("would have to cost")));
}

TEST(Claim, DynamicsThatMustBeFedAreNotCalledFree) {
  std::vector<Compared> targets = sampleComparison();
  // Loading what 10 nJ of dynamics need costs 1 uJ.
  for (Account &account : targets[2].report.accounts)
    account.components[3].terms[0].count = 5e5;
  const std::string words = judgeClaim(targets);
  EXPECT_THAT(words, HasSubstr("Only for dynamics that nobody has to feed and read"));
  EXPECT_THAT(words, HasSubstr("with the transfer of couplings, phases and pictures 1.01 µJ "
                               "against 22.0 µJ, 22x less"));
}

TEST(Claim, NeedsOscillatorsAndAnOpponent) {
  std::vector<Compared> targets = sampleComparison();
  EXPECT_THAT(judgeClaim({targets[0], targets[1]}),
              HasSubstr("None of these targets has oscillators"));
  EXPECT_THAT(judgeClaim({targets[2]}), HasSubstr("None of these targets is digital"));
  EXPECT_THAT(judgeClaim({targets[0], targets[2]}), HasSubstr("The opponent is a general CPU"));
}

TEST(Claim, IsNotWonByHardwareThatDoesNotExist) {
  std::vector<Compared> targets = sampleComparison();
  targets[2].report.hardware.basis = "ideal";
  EXPECT_THAT(judgeClaim(targets), HasSubstr("None of these targets has oscillators"));
}

TEST(Compare, PageShowsEveryTargetWithItsRatio) {
  const std::vector<Compared> targets = sampleComparison();
  const std::string html = comparisonHtml(targets);
  for (const Compared &target : targets)
    EXPECT_GE(occurrences(html, target.name), 5u) << target.name;
  EXPECT_THAT(html, HasSubstr(ratio(targets[0].report.accounts[0].picojoules(),
                                    targets[2].report.accounts[0].picojoules())));
  EXPECT_THAT(html, HasSubstr("needs avx512vnni, which this machine has not"));
  EXPECT_THAT(html, HasSubstr("cpu-x86 f32: not measurable here."));
}

TEST(Compare, JsonHasTheRatiosAndEveryReport) {
  const auto json = nlohmann::json::parse(comparisonJson(sampleComparison()), nullptr, false);
  ASSERT_TRUE(json.is_object());
  ASSERT_EQ(json["targets"].size(), 3u);
  EXPECT_EQ(json["targets"][0]["ratio"][0]["first_over_this"], 1.0);
  EXPECT_EQ(json["targets"][2]["report"]["batches"].size(), 2u);
  EXPECT_EQ(json["claim"], judgeClaim(sampleComparison()));
}
