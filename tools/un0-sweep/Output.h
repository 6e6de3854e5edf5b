//===- Output.h - what a sweep found ----------------------------------------===//
#ifndef UN0_TOOLS_UN0_SWEEP_OUTPUT_H
#define UN0_TOOLS_UN0_SWEEP_OUTPUT_H

#include "Sweep.h"

#include "llvm/Support/raw_ostream.h"

namespace un0sweep {

/// A row per point: values, judged columns, energies in picojoules, seconds; points that failed
/// have empty cells and the reason at the end.
std::string toCsv(const Sweep &sweep);

/// The same for a terminal, in fewer digits.
void printTable(const Sweep &sweep, llvm::raw_ostream &os);

/// Plots of quality against energy and against each variable, and the table with the pictures.
std::string toHtml(const Sweep &sweep);

} // namespace un0sweep

#endif // UN0_TOOLS_UN0_SWEEP_OUTPUT_H
