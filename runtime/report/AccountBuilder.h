//===- AccountBuilder.h - components from counts and constants --------------===//
#ifndef UN0_RUNTIME_REPORT_ACCOUNTBUILDER_H
#define UN0_RUNTIME_REPORT_ACCOUNTBUILDER_H

#include "Account.h"

namespace un0::report {

/// Adds components to an account. A term is a count for the whole batch and a constant of the
/// description; terms that count nothing are left out, and components without terms, too.
class AccountBuilder {
public:
  AccountBuilder(const Hardware &hardware, uint64_t batch, Account &account)
      : hardware(hardware), batch(double(batch)), account(account) {}

  /// Begins a component; `add` goes to it.
  void begin(const char *name, Part part, Basis basis) { next = {name, part, basis, {}}; }

  void add(const std::string &what, double count, const char *constant) {
    if (count == 0)
      return;
    const dsa::Constant &found = hardware.find(constant);
    // A count of watts is seconds, and a joule has 1e12 picojoules.
    const double scale = found.unit == "W" ? 1e12 : 1;
    next.terms.push_back({what, count / batch, constant, found.value * scale, found.source});
  }

  void end() {
    if (!next.terms.empty())
      account.components.push_back(std::move(next));
    next = {};
  }

private:
  const Hardware &hardware;
  const double batch;
  Account &account;
  Component next;
};

/// Names the longest of several times: what limits.
class Bound {
public:
  void add(const char *name, double seconds) {
    if (seconds > longest) {
      longest = seconds;
      this->name = name;
    }
  }
  std::string get() const { return name; }

private:
  const char *name = "nothing";
  double longest = 0;
};

} // namespace un0::report

#endif // UN0_RUNTIME_REPORT_ACCOUNTBUILDER_H
