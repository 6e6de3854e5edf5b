//===- Account.cpp - where every joule of a picture goes --------------------===//
#include "Account.h"

namespace un0::report {

const char *partName(Part part) {
  switch (part) {
  case Part::Dynamics:
    return "dynamics";
  case Part::Decoder:
    return "decoder";
  case Part::Transfer:
    return "transfer";
  case Part::Control:
    return "control";
  }
  return "";
}

const char *basisName(Basis basis) {
  switch (basis) {
  case Basis::Counted:
    return "counted";
  case Basis::Modelled:
    return "modelled";
  case Basis::Measured:
    return "measured";
  }
  return "";
}

double Component::picojoules() const {
  double sum = 0;
  for (const Term &term : terms)
    sum += term.picojoules();
  return sum;
}

double Account::picojoules() const {
  double sum = 0;
  for (const Component &component : components)
    sum += component.picojoules();
  return sum;
}

double Account::picojoules(Part part) const {
  double sum = 0;
  for (const Component &component : components)
    if (component.part == part)
      sum += component.picojoules();
  return sum;
}

} // namespace un0::report
