//===- Solvers.h - Butcher tableaus of the fixed-step solvers ---*- C++ -*-===//

#ifndef UN0_CONVERSION_UN0TOCPU_SOLVERS_H
#define UN0_CONVERSION_UN0TOCPU_SOLVERS_H

#include "dialects/Un0/IR/Un0.h"

namespace un0 {

/// An explicit Runge-Kutta method: stage j is evaluated at y + h sum_l a[j][l] k_l and time t + h
/// c[j]; the step ends at y + h sum_j b[j] k_j.
struct Tableau {
  llvm::SmallVector<llvm::SmallVector<double, 4>, 4> a;
  llvm::SmallVector<double, 4> b, c;
};

Tableau getTableau(Solver solver);

} // namespace un0

#endif // UN0_CONVERSION_UN0TOCPU_SOLVERS_H
