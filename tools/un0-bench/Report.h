//===- Report.h - results as a table and as JSON -----------------------------===//
#ifndef UN0_TOOLS_UN0_BENCH_REPORT_H
#define UN0_TOOLS_UN0_BENCH_REPORT_H

#include "Bench.h"

namespace un0bench {

void printHeader();
void printRow(const Result &result);
/// What the columns mean, and the machine's rates they refer to.
void printFooter(const std::vector<Result> &results);

MaybeFailure writeJson(const std::string &path, const std::vector<Result> &results);

} // namespace un0bench

#endif // UN0_TOOLS_UN0_BENCH_REPORT_H
