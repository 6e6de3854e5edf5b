//===- AccountHelpers.h - what the tests of accounts share -------------------===//
#ifndef UN0_UNITTESTS_REPORT_ACCOUNTHELPERS_H
#define UN0_UNITTESTS_REPORT_ACCOUNTHELPERS_H

#include "Account.h"
#include "Fixtures.h"

namespace un0test {

using namespace un0::dsa;
using namespace un0::report;

inline Hardware load(const std::string &name) {
  Hardware hardware;
  EXPECT_TRUE(succeeds(loadHardware(name, hardware)));
  return hardware;
}

inline const Component *find(const Account &account, const std::string &name) {
  for (const Component &component : account.components)
    if (component.name == name)
      return &component;
  return nullptr;
}

/// Count of a component's term that is charged with a constant; 0 when it is not there.
inline double countOf(const Account &account, const std::string &name,
                      const std::string &constant) {
  if (const Component *component = find(account, name))
    for (const Term &term : component->terms)
      if (term.constant == constant)
        return term.count;
  return 0;
}

inline double energyOf(const Account &account, const std::string &name) {
  const Component *component = find(account, name);
  return component ? component->picojoules() : 0;
}

} // namespace un0test

#endif // UN0_UNITTESTS_REPORT_ACCOUNTHELPERS_H
