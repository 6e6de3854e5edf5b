//===- TuneTable.h - what a search found, as a table ------------*- C++ -*-===//

#ifndef UN0_LIB_DRIVER_TUNETABLE_H
#define UN0_LIB_DRIVER_TUNETABLE_H

#include "un0/Tune/Tune.h"
#include "llvm/Support/raw_ostream.h"

namespace un0 {

/// One row per convolution, `*` behind those that changed, then their sum and how the search ended.
void printTuneTable(const TuneReport &report, double seconds, llvm::raw_ostream &os);

} // namespace un0

#endif // UN0_LIB_DRIVER_TUNETABLE_H
