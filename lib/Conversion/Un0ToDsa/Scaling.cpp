//===- Scaling.cpp - model time to hardware time ----------------*- C++ -*-===//

#include "Scaling.h"
#include <cmath>

using namespace un0;

/// More values of a term than this are represented by every so-manieth.
static constexpr size_t kMostValues = 1 << 16;
/// Candidate clips, each this much below the one before, down to the last.
static constexpr double kClipStep = 0.96, kLeastClip = 0.02;

double un0::getLoadError(llvm::ArrayRef<LoadTerm> terms, double scale) {
  double error = 0;
  for (const LoadTerm &term : terms) {
    size_t stride = std::max<size_t>(term.values.size() / kMostValues, 1), count = 0;
    double most = term.fullScale * scale, sum = 0;
    for (size_t i = 0; i < term.values.size(); i += stride, ++count) {
      double value = term.values[i];
      double got = term.limit ? toLevel(value, term.fullScale, term.limit, scale)
                              : std::min(std::max(value, -most), most);
      sum += (value - got) * (value - got);
    }
    if (count)
      error +=
          term.weight * sum * static_cast<double>(term.values.size()) / static_cast<double>(count);
  }
  return error;
}

double un0::chooseTimeScale(llvm::ArrayRef<LoadTerm> terms) {
  double highest = 0, lowest = 0;
  for (const LoadTerm &term : terms)
    for (float value : term.values) {
      double needed = std::fabs(value) / term.fullScale;
      highest = std::max(highest, needed);
      if (!term.clips)
        lowest = std::max(lowest, needed);
    }
  if (highest == 0)
    return 1;
  double best = highest, least = getLoadError(terms, highest);
  for (double clip = kClipStep; clip >= kLeastClip; clip *= kClipStep) {
    double scale = std::max(highest * clip, lowest);
    double error = getLoadError(terms, scale);
    if (error < least) {
      least = error;
      best = scale;
    }
    if (scale == lowest)
      break;
  }
  return best;
}
