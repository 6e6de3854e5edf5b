//===- Claim.cpp - what the figures say about "1000x" -----------------------===//
#include "Compare.h"
#include "Text.h"

#include <algorithm>

namespace un0::report {

namespace {

constexpr double kClaim = 1000;

const Account &alone(const Compared &target) { return target.report.accounts.front(); }
const Account &batched(const Compared &target) { return target.report.accounts.back(); }
/// Dynamics with what loads and reads them: an engine's own memory counts as its dynamics, so this
/// is what can be compared.
double withTransfer(const Account &account) {
  return account.picojoules(Part::Dynamics) + account.picojoules(Part::Transfer);
}
double digitalRest(const Account &account) {
  return account.picojoules(Part::Decoder) + account.picojoules(Part::Control);
}

const Component *largestOf(const Account &account) {
  const Component *largest = nullptr;
  for (const Component &component : account.components)
    if (!largest || component.picojoules() > largest->picojoules())
      largest = &component;
  return largest;
}

/// Share of some parts' energy whose constants are assumptions.
double assumedShare(const Account &account, bool dynamicsOnly) {
  double sum = 0, assumed = 0;
  for (const Component &component : account.components)
    for (const Term &term : component.terms) {
      if (dynamicsOnly && component.part != Part::Dynamics)
        continue;
      sum += term.picojoules();
      assumed += isAssumption(term.source) ? term.picojoules() : 0;
    }
  return sum > 0 ? assumed / sum : 0;
}

/// "12x less" or "3x more": what replacing `from` by `to` does.
std::string change(double from, double to) {
  return from >= to ? ratio(from, to) + " less" : ratio(to, from) + " more";
}

/// "21 uJ against 12 nJ, 1,750x less".
std::string against(double theirs, double ours) {
  return energy(ours) + " against " + energy(theirs) + ", " + change(theirs, ours);
}

const Compared *cheapest(const std::vector<Compared> &targets, dsa::HardwareKind kind) {
  const Compared *best = nullptr;
  for (const Compared &target : targets)
    // `ideal` costs nothing because it does not exist.
    if (target.report.hardware.kind == kind && target.report.hardware.basis != "ideal" &&
        (!best || alone(target).picojoules() < alone(*best).picojoules()))
      best = &target;
  return best;
}

/// What a batch of `target` needs in order to reach the claim against `budget` picojoules.
std::string whatMustChange(const Compared &target, double opponent) {
  const Account &account = alone(target);
  const double budget = opponent / kClaim;
  std::string text =
      "For " + count(kClaim) + "x, one picture would have to cost " + energy(budget) + " in all. ";
  std::vector<std::string> over;
  for (Part part : {Part::Dynamics, Part::Decoder, Part::Transfer, Part::Control})
    if (account.picojoules(part) > budget)
      over.push_back(std::string(over.empty() ? "Its " : "its ") + partName(part) + " costs " +
                     ratio(account.picojoules(part), budget) + " that");
  for (size_t i = 0; i < over.size(); ++i)
    text += (i == 0 ? "" : i + 1 == over.size() ? " and " : ", ") + over[i];
  if (!over.empty())
    text += ". ";
  if (account.picojoules(Part::Decoder) > budget)
    text += "So no improvement of the oscillators is enough: the decoder would have to become " +
            ratio(account.picojoules(Part::Decoder), budget) +
            " cheaper, by a smaller one or by one that is physical too. ";
  if (const Component *largest = largestOf(account))
    text += "The first thing to attack is '" + largest->name + "' (" + partName(largest->part) +
            "), " + percent(largest->picojoules() / account.picojoules()) +
            " of the picture at "
            "batch 1.";
  return text;
}

} // namespace

std::string judgeClaim(const std::vector<Compared> &targets) {
  const Compared *oscillators = cheapest(targets, dsa::HardwareKind::Oscillators);
  const Compared *digital = cheapest(targets, dsa::HardwareKind::Digital);
  const Compared *cpu = cheapest(targets, dsa::HardwareKind::Cpu);
  const Compared *opponent = digital ? digital : cpu;
  const std::string question = "Is it " + count(kClaim) + "x? ";
  if (!oscillators)
    return question + "None of these targets has oscillators, so these figures cannot say.";
  if (!opponent)
    return question + "None of these targets is digital, so there is nothing to compare with.";

  const Account &ours = alone(*oscillators), &theirs = alone(*opponent);
  const Account &oursMany = batched(*oscillators), &theirsMany = batched(*opponent);
  const double whole = theirs.picojoules() / ours.picojoules();
  const double wholeMany = theirsMany.picojoules() / oursMany.picojoules();
  const double dynamics = theirs.picojoules(Part::Dynamics) / ours.picojoules(Part::Dynamics);
  const double fed = withTransfer(theirs) / withTransfer(ours);
  const std::string many = "batch " + std::to_string(oursMany.batch);

  std::string text = question;
  if (whole >= kClaim && wholeMany >= kClaim)
    text += "By these figures yes, alone and batched. ";
  else if (whole >= kClaim || wholeMany >= kClaim)
    text += std::string("Only ") + (whole >= kClaim ? "one picture at a time. " : "batched. ");
  else if (fed >= kClaim)
    text += "For the dynamics yes, for a picture no. ";
  else if (dynamics >= kClaim)
    text += "Only for dynamics that nobody has to feed and read; for a picture no. ";
  else
    text += "Not here. ";
  text += oscillators->name + " and " + opponent->name + ", dynamics alone at batch 1: " +
          against(theirs.picojoules(Part::Dynamics), ours.picojoules(Part::Dynamics)) +
          "; with the transfer of couplings, phases and pictures " +
          against(withTransfer(theirs), withTransfer(ours)) + "; the whole picture " +
          against(theirs.picojoules(), ours.picojoules()) + ", its decoder being " +
          energy(ours.picojoules(Part::Decoder)) + " of it. At " + many +
          ", where both share what they load: dynamics alone " +
          against(theirsMany.picojoules(Part::Dynamics), oursMany.picojoules(Part::Dynamics)) +
          ", with transfer " + against(withTransfer(theirsMany), withTransfer(oursMany)) +
          ", the whole picture " + against(theirsMany.picojoules(), oursMany.picojoules()) + ". ";
  // Amdahl: what stays when the dynamics cost nothing.
  text += "If its dynamics and their transfer were free, a picture would cost " +
          change(theirs.picojoules(), digitalRest(ours)) + " at batch 1 and " +
          change(theirsMany.picojoules(), digitalRest(oursMany)) + " at " + many + ". ";
  const double assumed = assumedShare(ours, false), assumedDynamics = assumedShare(ours, true);
  text += "Not all constants are published: " + percent(assumed) + " of the energy of " +
          oscillators->name + " at batch 1 rests on assumed ones, " + percent(assumedDynamics) +
          " of its dynamics; of " + opponent->name + " it is " +
          percent(assumedShare(theirs, false)) + ". ";
  if (digital && cpu)
    text += "Beside a CPU the ratio is flattering: " + oscillators->name + " needs " +
            change(alone(*cpu).picojoules(), ours.picojoules()) + " than " + cpu->name + ", but " +
            digital->name + " without any oscillator already needs " +
            change(alone(*cpu).picojoules(), theirs.picojoules()) + ". ";
  else if (!digital)
    text += "The opponent is a general CPU; a digital engine made for the model (digital-7nm) "
            "would be a harder one. ";
  if (whole < kClaim)
    text += whatMustChange(*oscillators, theirs.picojoules());
  return text;
}

} // namespace un0::report
