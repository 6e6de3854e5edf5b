//===- Judge.cpp - how good a point's pictures are --------------------------===//
#include "Judge.h"

#include <cmath>

using namespace un0sweep;

namespace {

double squaredDistance(const float *a, const float *b, size_t size) {
  double sum = 0;
  for (size_t i = 0; i < size; ++i)
    sum += (double(a[i]) - b[i]) * (double(a[i]) - b[i]);
  return sum;
}

class DistanceOpinion : public Opinion {
public:
  explicit DistanceOpinion(const un0_signature &s)
      : features(s.features), pixels(size_t(s.channels) * s.height * s.width) {}

  void see(const Chunk &chunk) override {
    samples += chunk.count;
    featureSum += squaredDistance(chunk.features, chunk.idealFeatures, chunk.count * features);
    imageSum += squaredDistance(chunk.images, chunk.idealImages, chunk.count * pixels);
  }

  std::vector<double> conclude() override {
    const double imageSquare = imageSum / (double(samples) * double(pixels));
    constexpr double peak = 2; // images are in [-1, 1]
    return {std::sqrt(featureSum / (double(samples) * double(features))), std::sqrt(imageSquare),
            10 * std::log10(peak * peak / imageSquare)};
  }

private:
  size_t features, pixels;
  uint64_t samples = 0;
  double featureSum = 0, imageSum = 0;
};

class DistanceJudge : public Judge {
public:
  std::vector<Column> columns() const override {
    return {{"feature-rms", "rms distance of the features to the ideal", true},
            {"image-rms", "rms distance of the images, in [-1, 1], to the ideal", true},
            {"psnr", "peak signal to noise ratio of the images, dB", false}};
  }
  std::unique_ptr<Opinion> begin(const un0_signature &signature) const override {
    return std::make_unique<DistanceOpinion>(signature);
  }
};

class PanelOpinion : public Opinion {
public:
  explicit PanelOpinion(std::vector<std::unique_ptr<Opinion>> opinions)
      : opinions(std::move(opinions)) {}
  void see(const Chunk &chunk) override {
    for (const auto &opinion : opinions)
      opinion->see(chunk);
  }
  std::vector<double> conclude() override {
    std::vector<double> all;
    for (const auto &opinion : opinions)
      for (double value : opinion->conclude())
        all.push_back(value);
    return all;
  }

private:
  std::vector<std::unique_ptr<Opinion>> opinions;
};

class Panel : public Judge {
public:
  explicit Panel(std::vector<std::unique_ptr<Judge>> judges) : judges(std::move(judges)) {}
  std::vector<Column> columns() const override {
    std::vector<Column> all;
    for (const auto &judge : judges)
      for (const Column &column : judge->columns())
        all.push_back(column);
    return all;
  }
  std::unique_ptr<Opinion> begin(const un0_signature &signature) const override {
    std::vector<std::unique_ptr<Opinion>> opinions;
    for (const auto &judge : judges)
      opinions.push_back(judge->begin(signature));
    return std::make_unique<PanelOpinion>(std::move(opinions));
  }

private:
  std::vector<std::unique_ptr<Judge>> judges;
};

} // namespace

std::unique_ptr<Judge> un0sweep::makeDistanceJudge() { return std::make_unique<DistanceJudge>(); }

std::unique_ptr<Judge> un0sweep::makePanel(std::vector<std::unique_ptr<Judge>> judges) {
  return std::make_unique<Panel>(std::move(judges));
}
