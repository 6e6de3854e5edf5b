//===- TuneTable.cpp - what a search found, as a table ----------*- C++ -*-===//

#include "TuneTable.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"

void un0::printTuneTable(const TuneReport &report, double seconds, llvm::raw_ostream &os) {
  auto row = [&](llvm::StringRef name, llvm::StringRef before, llvm::StringRef after,
                 llvm::StringRef timeBefore, llvm::StringRef timeAfter, bool changed) {
    os << llvm::formatv("{0,-24} {1,-20} {2,-20} {3,10} {4,10}{5}\n", name, before, after,
                        timeBefore, timeAfter, changed ? " *" : "");
  };
  auto microseconds = [](double value) { return llvm::formatv("{0:f1}", value * 1e6).str(); };
  row("operator", "model's schedule", "tuned", "us", "us", false);
  double before = 0, after = 0;
  for (const TunedConv &conv : report.convs) {
    row(conv.name, describeSchedule(conv.before), describeSchedule(conv.after),
        microseconds(conv.secondsBefore), microseconds(conv.secondsAfter),
        conv.before != conv.after);
    before += conv.secondsBefore;
    after += conv.secondsAfter;
  }
  row("decoder", "", "", microseconds(before), microseconds(after), before != after);
  os << "un0c: remark: timed " << report.alternatives << " alternatives, ";
  if (report.complete)
    os << "all there are next to the best\n";
  else
    os << "as many as fit in " << llvm::format("%g", seconds) << " seconds\n";
}
