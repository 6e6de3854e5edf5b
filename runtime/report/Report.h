//===- Report.h - what one module costs, on one page ------------------------===//
#ifndef UN0_RUNTIME_REPORT_REPORT_H
#define UN0_RUNTIME_REPORT_REPORT_H

#include "Account.h"
#include "Html.h"
#include "Phases.h"
#include "Roofline.h"
#include "Svg.h"

#include <optional>

namespace un0::report {

/// Batches that every report accounts for: one picture at once, and many that share loads.
constexpr uint64_t kReportBatches[] = {1, 64};

/// A line of "how it was made".
struct Fact {
  std::string name, value;
};

/// Joules read from the machine's own counter while pictures were made.
struct Measurement {
  std::optional<double> joulesPerImage;
  std::string words; // the counter, or why there is none
};

/// What the counters of Powercap.h are.
inline constexpr char kMeterWords[] = "the counters of the machine's CPU packages (powercap)";

struct Report {
  std::string title;              // the module's model and target
  std::vector<Account> accounts;  // at least one; the first is the one of batch 1
  Hardware hardware;              // whose constants the terms name
  std::optional<uint32_t> faults; // of the run, for programs
  std::vector<Fact> facts;        // how it was made
  std::vector<Roofline> rooflines;
  PhaseTrace phases;                      // no lines: none recorded
  Pictures pictures;                      // of the run; none: not run
  std::optional<Measurement> measurement; // CPU modules only
};

/// Account at each of kReportBatches, description and rooflines of an open module: of its program
/// if it has one, else of its code on `cpu-x86`. Facts are the module's.
Status describeModule(const un0_module *module, Report &report);

/// Draws one picture per label on this machine into the report, and measures their energy where it
/// is a CPU module and the machine has a counter. Fails with the runtime's words when the module
/// cannot run here.
Status drawSamples(const un0_module *module, const std::vector<int64_t> &labels, uint64_t seed,
                   Report &report);

/// One self-contained page.
std::string toHtml(const Report &report);

/// The account of batch 1 as the issue has it, and beside its keys "target", "bound",
/// "seconds_to_picture", "batches" (every account), "measured" (joules per image, or why there are
/// none) and "made" (the facts).
std::string toJson(const Report &report);

/// HTML or JSON by the ending of `path`: .html, .json; another is an error.
Status writeReport(const Report &report, const std::string &path);
/// The same check before the work is done.
Status checkReportPath(const std::string &path);

/// Whether a source says that the constant is an assumption, wholly or in part.
bool isAssumption(const std::string &source);

/// One colour per part, and shades of it for the part's components.
std::string partColour(Part part, size_t shade = 0);

/// The bar of an account: a segment per component, in joules.
std::vector<Segment> segmentsOf(const Account &account);

/// Every term of the accounts, which are of the same target at several batches, as a table.
Table termTable(const std::vector<Account> &accounts);

/// All constants of a description.
Table constantTable(const Hardware &hardware);

} // namespace un0::report

#endif // UN0_RUNTIME_REPORT_REPORT_H
