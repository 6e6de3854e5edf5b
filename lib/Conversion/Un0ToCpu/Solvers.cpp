//===- Solvers.cpp - Butcher tableaus of the fixed-step solvers -*- C++ -*-===//

#include "Solvers.h"

using namespace un0;

Tableau un0::getTableau(Solver solver) {
  switch (solver) {
  case Solver::Euler:
    return {{{}}, {1.0}, {0.0}};
  case Solver::Heun: // explicit trapezoidal rule
    return {{{}, {1.0}}, {0.5, 0.5}, {0.0, 1.0}};
  case Solver::RK4: // Kutta's 3/8 rule, what the reference's integrator package calls rk4
    return {{{}, {1.0 / 3}, {-1.0 / 3, 1.0}, {1.0, -1.0, 1.0}},
            {1.0 / 8, 3.0 / 8, 3.0 / 8, 1.0 / 8},
            {0.0, 1.0 / 3, 2.0 / 3, 1.0}};
  case Solver::RK4Classic:
    return {{{}, {0.5}, {0.0, 0.5}, {0.0, 0.0, 1.0}},
            {1.0 / 6, 1.0 / 3, 1.0 / 3, 1.0 / 6},
            {0.0, 0.5, 0.5, 1.0}};
  }
  llvm_unreachable("unknown solver");
}
