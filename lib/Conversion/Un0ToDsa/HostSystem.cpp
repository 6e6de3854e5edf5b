//===- HostSystem.cpp - a system in the compiler's own arithmetic -*- C++ -*-===//

#include "HostSystem.h"
#include <cmath>
#include <random>

using namespace un0;
using llvm::ArrayRef;

static constexpr int64_t L = HostSystem::kLanes;

SystemValues SystemValues::read(const DsaSystem &system, const SystemWeights &weights) {
  SystemValues values;
  if (weights.coupling)
    values.coupling = weights.coupling->readSlice(0);
  if (weights.frequency)
    values.frequency = weights.frequency->readSlice(0);
  if (weights.drive)
    for (int64_t c = 0; c < weights.drive->getSlices(); ++c)
      values.drives.push_back(weights.drive->readSlice(c));
  if (weights.conditioningCoupling)
    values.conditioningCoupling = weights.conditioningCoupling->readSlice(0);
  if (weights.conditioningFrequency)
    values.conditioningFrequency = weights.conditioningFrequency->readSlice(0);
  values.ownCoupling = values.conditioningCoupling;
  values.ownFrequency = values.conditioningFrequency;
  return values;
}

HostSystem::HostSystem(const DsaSystem &system, const SystemValues &exact)
    : system(system), n(system.oscillators), m(system.drive ? system.conditioning : 0) {
  std::mt19937_64 generator(20260601);
  // Not std::uniform_real_distribution, whose numbers the standard does not fix.
  auto phase = [&] {
    return static_cast<float>((std::ldexp(static_cast<double>(generator() >> 40), -23) - 1.0) *
                              M_PI);
  };
  theta0.resize(n * L);
  phi0.resize(m * L);
  for (float &value : theta0)
    value = phase();
  for (float &value : phi0)
    value = phase();
  for (int64_t l = 0; l < L; ++l)
    labels.push_back(exact.drives.empty() ? 0 : l % static_cast<int64_t>(exact.drives.size()));
  // A typical motion, not a bound: sums of many couplings hardly ever agree in sign.
  for (int64_t i = 0; i < n; ++i) {
    double square = 0, rest = exact.frequency.empty() ? 0 : std::fabs(exact.frequency[i]);
    if (!exact.coupling.empty())
      for (int64_t j = 0; j < n; ++j)
        square += double(exact.coupling[i * n + j]) * exact.coupling[i * n + j];
    if (!exact.drives.empty())
      for (int64_t k = 0; k < m; ++k)
        rest += std::fabs(exact.drives[0][i * m + k]);
    bound = std::max(bound, 4 * std::sqrt(square) + rest);
  }
  for (int64_t k = 0; k < m; ++k) {
    double rest =
        exact.conditioningFrequency.empty() ? 0 : std::fabs(exact.conditioningFrequency[k]);
    if (!exact.conditioningCoupling.empty())
      for (int64_t j = 0; j < m; ++j)
        rest += std::fabs(exact.conditioningCoupling[k * m + j]);
    bound = std::max(bound, rest);
  }
}

/// out[i] += sum_j K[i][j] source[j], lane by lane.
static void contract(const float *values, int64_t stride, int64_t rows, int64_t columns,
                     const float *sine, const float *cosine, const float *targetSine,
                     const float *targetCosine, float *rate, bool perLane) {
  for (int64_t i = 0; i < rows; ++i) {
    float s[L] = {}, c[L] = {};
    const float *row = values + i * stride * (perLane ? L : 1);
    for (int64_t j = 0; j < columns; ++j)
      for (int64_t l = 0; l < L; ++l) {
        float k = perLane ? row[j * L + l] : row[j];
        s[l] += k * sine[j * L + l];
        c[l] += k * cosine[j * L + l];
      }
    for (int64_t l = 0; l < L; ++l)
      rate[i * L + l] += targetCosine[i * L + l] * s[l] - targetSine[i * L + l] * c[l];
  }
}

void HostSystem::integrate(ArrayRef<Population> populations, ArrayRef<Term> terms, double time,
                           double speed) const {
  if (time == 0)
    return;
  int64_t steps = std::max<int64_t>(1, static_cast<int64_t>(std::ceil(speed * time)));
  auto h = static_cast<float>(time / static_cast<double>(steps));
  struct State {
    std::vector<float> point, sine, cosine, rate, sum;
  };
  std::vector<State> states(populations.size());
  for (auto [p, s] : llvm::zip_equal(populations, states))
    for (std::vector<float> *v : {&s.point, &s.sine, &s.cosine, &s.rate, &s.sum})
      v->resize(p.size * L);
  constexpr float stageAt[] = {0.0f, 0.5f, 0.5f, 1.0f};
  constexpr float stageWeight[] = {1.0f / 6, 1.0f / 3, 1.0f / 3, 1.0f / 6};
  for (int64_t step = 0; step < steps; ++step) {
    for (int stage = 0; stage < 4; ++stage) {
      for (auto [p, s] : llvm::zip_equal(populations, states))
        for (int64_t i = 0; i < p.size * L; ++i) {
          float at = p.phases[i] + (stage ? stageAt[stage] * h * s.rate[i] : 0.0f);
          s.sine[i] = std::sin(at);
          s.cosine[i] = std::cos(at);
        }
      for (auto [p, s] : llvm::zip_equal(populations, states))
        for (int64_t i = 0; i < p.size * L; ++i)
          s.rate[i] = p.frequency ? p.frequency[i / L] : 0.0f;
      for (const Term &t : terms)
        contract(t.values, t.stride, populations[t.target].size, populations[t.source].size,
                 states[t.source].sine.data(), states[t.source].cosine.data(),
                 states[t.target].sine.data(), states[t.target].cosine.data(),
                 states[t.target].rate.data(), t.perLane);
      for (State &s : states)
        for (size_t i = 0; i < s.sum.size(); ++i)
          s.sum[i] = (stage ? s.sum[i] : 0.0f) + stageWeight[stage] * s.rate[i];
    }
    for (auto [p, s] : llvm::zip_equal(populations, states))
      for (int64_t i = 0; i < p.size * L; ++i)
        p.phases[i] += h * s.sum[i];
  }
}

std::vector<float> HostSystem::gatherDrives(const SystemValues &values) const {
  std::vector<float> drives(n * m * L);
  for (int64_t i = 0; i < n * m; ++i)
    for (int64_t l = 0; l < L; ++l)
      drives[i * L + l] = values.drives[labels[l]][i];
  return drives;
}

std::vector<float> HostSystem::runWhole(const SystemValues &values) const {
  std::vector<float> theta = theta0, phi = phi0, drives;
  std::vector<Population> populations = {
      {theta.data(), n, values.frequency.empty() ? nullptr : values.frequency.data()}};
  std::vector<Term> terms;
  if (!values.coupling.empty())
    terms.push_back({0, 0, values.coupling.data(), n, false});
  if (m) {
    drives = gatherDrives(values);
    populations.push_back(
        {phi.data(), m,
         values.conditioningFrequency.empty() ? nullptr : values.conditioningFrequency.data()});
    terms.push_back({0, 1, drives.data(), m, true});
    if (!values.conditioningCoupling.empty())
      terms.push_back({1, 1, values.conditioningCoupling.data(), m, false});
  }
  integrate(populations, terms, system.time, bound);
  return getFeatures(theta);
}

static void roundPhases(float *phases, int64_t count, double step) {
  if (step > 0)
    for (int64_t i = 0; i < count; ++i)
      phases[i] = static_cast<float>(std::nearbyint(phases[i] / step) * step);
}

std::vector<float> HostSystem::runSweeps(const SystemValues &values, int64_t group, int64_t sweeps,
                                         double setStep, double sampleStep) const {
  std::vector<float> theta = theta0, phi = phi0, drives, source(m * L);
  if (m)
    drives = gatherDrives(values);
  int64_t groups = (n + group - 1) / group;
  double dt = system.time / static_cast<double>(sweeps);
  auto size = [&](int64_t g) { return g < 0 ? 0 : std::min(group, n - g * group); };
  const float *frequency = values.frequency.empty() ? nullptr : values.frequency.data();
  const float *conditioningFrequency =
      values.conditioningFrequency.empty() ? nullptr : values.conditioningFrequency.data();
  auto block = [&](int64_t row, int64_t column) {
    return values.coupling.data() + row * group * n + column * group;
  };
  for (int64_t sweep = 0; sweep < sweeps; ++sweep) {
    for (const Visit &visit : makeSweep(groups, sweep % 2)) {
      bool diagonal = visit.kind == Visit::Diagonal;
      std::vector<Population> populations;
      std::vector<Term> terms;
      for (int64_t g : {visit.first, visit.second})
        if (g >= 0) {
          float *phases = theta.data() + g * group * L;
          roundPhases(phases, size(g) * L, setStep);
          populations.push_back(
              {phases, size(g), diagonal && frequency ? frequency + g * group : nullptr});
        }
      if (!values.coupling.empty()) {
        if (diagonal) {
          terms.push_back({0, 0, block(visit.first, visit.first), n, false});
          if (visit.second >= 0)
            terms.push_back({1, 1, block(visit.second, visit.second), n, false});
        } else {
          terms.push_back({0, 1, block(visit.first, visit.second), n, false});
          terms.push_back({1, 0, block(visit.second, visit.first), n, false});
        }
      }
      if (diagonal && m) {
        source = phi;
        roundPhases(source.data(), m * L, setStep);
        int driver = static_cast<int>(populations.size());
        populations.push_back({source.data(), m, conditioningFrequency});
        for (int target = 0; target < driver; ++target) {
          int64_t g = target ? visit.second : visit.first;
          terms.push_back({target, driver, drives.data() + g * group * m * L, m, true});
        }
        if (!values.conditioningCoupling.empty())
          terms.push_back({driver, driver, values.conditioningCoupling.data(), m, false});
      }
      // A pair sees a few of the couplings.
      double speed =
          diagonal ? bound : 4 * bound * static_cast<double>(group) / static_cast<double>(n);
      integrate(populations, terms, dt, speed);
      for (int64_t g : {visit.first, visit.second})
        if (g >= 0)
          roundPhases(theta.data() + g * group * L, size(g) * L, sampleStep);
    }
    if (m) {
      roundPhases(phi.data(), m * L, setStep);
      std::vector<Term> own;
      if (!values.ownCoupling.empty())
        own.push_back({0, 0, values.ownCoupling.data(), m, false});
      integrate(
          {{phi.data(), m, values.ownFrequency.empty() ? nullptr : values.ownFrequency.data()}},
          own, dt, bound);
      roundPhases(phi.data(), m * L, sampleStep);
    }
  }
  return getFeatures(theta);
}

std::vector<float> HostSystem::getFeatures(ArrayRef<float> theta) const {
  std::vector<float> features;
  Encoding encoding = system.getEncoding();
  auto add = [&](double phase) {
    if (encoding == Encoding::Raw) {
      features.push_back(static_cast<float>(phase));
      return;
    }
    features.push_back(static_cast<float>(std::sin(phase)));
    if (encoding == Encoding::SinCos)
      features.push_back(static_cast<float>(std::cos(phase)));
  };
  for (int64_t l = 0; l < L; ++l) {
    double reference = 0;
    switch (system.getReference()) {
    case Reference::Absolute:
    case Reference::Pairwise:
      break;
    case Reference::Oscillator:
      reference = theta[l];
      break;
    case Reference::Mean:
      for (int64_t i = 0; i < n; ++i)
        reference += theta[i * L + l];
      reference /= static_cast<double>(n);
      break;
    }
    if (system.getReference() == Reference::Pairwise) {
      for (int64_t i = 0; i < n; ++i)
        for (int64_t j = 0; j < n; ++j)
          add(double(theta[i * L + l]) - theta[j * L + l]);
      continue;
    }
    for (int64_t i = 0; i < n; ++i)
      add(theta[i * L + l] - reference);
  }
  return features;
}

double HostSystem::getRms(ArrayRef<float> values, ArrayRef<float> expected) {
  double square = 0;
  for (auto [value, wanted] : llvm::zip_equal(values, expected))
    square += (double(value) - wanted) * (double(value) - wanted);
  return values.empty() ? 0 : std::sqrt(square / static_cast<double>(values.size()));
}
