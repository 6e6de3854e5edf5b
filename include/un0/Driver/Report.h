//===- Report.h - what un0c says about modules ------------------*- C++ -*-===//

#ifndef UN0_DRIVER_REPORT_H
#define UN0_DRIVER_REPORT_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/LogicalResult.h"
#include "llvm/Support/raw_ostream.h"
#include <string>

namespace un0 {

struct ReportOptions {
  /// FILE.json or FILE.html; empty: none.
  std::string path;
  /// Print the sum behind every figure.
  bool explain = false;

  bool any() const { return explain || !path.empty(); }
};

/// What is wrong with the options, before anything is done. Messages go to `errors`, one line each.
llvm::LogicalResult checkReportOptions(const ReportOptions &options, llvm::raw_ostream &errors);

/// Opens a written module through the runtime and accounts for its pictures: nothing is run.
llvm::LogicalResult reportModule(llvm::StringRef module, const ReportOptions &options,
                                 llvm::raw_ostream &output, llvm::raw_ostream &errors);

/// Sets modules side by side. Each that can run on this machine draws the same few pictures. A
/// table and the answer to the claim go to `output`, everything to the report.
llvm::LogicalResult compareModules(llvm::ArrayRef<std::string> modules,
                                   const ReportOptions &options, llvm::raw_ostream &output,
                                   llvm::raw_ostream &errors);

} // namespace un0

#endif // UN0_DRIVER_REPORT_H
