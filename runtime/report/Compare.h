//===- Compare.h - targets side by side -------------------------------------===//
#ifndef UN0_RUNTIME_REPORT_COMPARE_H
#define UN0_RUNTIME_REPORT_COMPARE_H

#include "Report.h"

namespace un0::report {

/// One module of a comparison; its report has an account for each of kReportBatches, pictures from
/// the initial phases that all share (none: `notRun` says why), and their distance to the first's.
struct Compared {
  std::string name; // "cpu-x86 int8"
  Report report;
  std::string notRun;
  std::optional<double> imageRms;
};

/// What the figures say about "a thousand times less energy", in sentences made from them: dynamics
/// alone and the whole picture, one at a time and batched, what rests on assumptions, and what
/// would have to change. Says why when there is nothing to compare.
std::string judgeClaim(const std::vector<Compared> &targets);

std::string comparisonHtml(const std::vector<Compared> &targets);
std::string comparisonJson(const std::vector<Compared> &targets);
Status writeComparison(const std::vector<Compared> &targets, const std::string &path);

} // namespace un0::report

#endif // UN0_RUNTIME_REPORT_COMPARE_H
