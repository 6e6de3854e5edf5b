//===- PlaneTransformsTest.cpp - fewer products, the same sums ------------===//

#include "PlaneTransforms.h"
#include "gtest/gtest.h"

using namespace un0;
using un0::cpu::ConvForm;

namespace {

struct Numbers {
  double add(double x, double y) const { return x + y; }
  double sub(double x, double y) const { return x - y; }
  double mul(double factor, double x) const { return factor * x; }
  double fma(double factor, double x, double y) const { return factor * x + y; }
};

/// What the products of the planes give for pixels and a kernel.
llvm::SmallVector<double> convolve(ConvForm form, llvm::ArrayRef<double> pixels,
                                   llvm::ArrayRef<double> kernel) {
  auto x = transformPixels<Numbers, double>(form, Numbers(), pixels);
  auto w = transformKernel(form, kernel[0], kernel[1], kernel[2]);
  EXPECT_EQ(x.size(), w.size());
  for (size_t i = 0; i < x.size(); ++i)
    x[i] *= w[i];
  return transformProducts<Numbers, double>(form, Numbers(), x);
}

class Transforms : public ::testing::TestWithParam<ConvForm> {};

// Both are bilinear, so unit vectors say everything.
TEST_P(Transforms, AreTheConvolution) {
  ConvForm form = GetParam();
  cpu::PlaneShape shape = cpu::getPlaneShape(form);
  for (int64_t p = 0; p < shape.planes; ++p)
    for (int64_t k = 0; k < 3; ++k) {
      std::vector<double> pixels(shape.planes, 0), kernel(3, 0);
      pixels[p] = kernel[k] = 1;
      auto outputs = convolve(form, pixels, kernel);
      ASSERT_EQ(int64_t(outputs.size()), shape.outputs);
      for (int64_t o = 0; o < shape.outputs; ++o) {
        // The pixel that tap k of output o reads; upsampled, output 0 lies in the left half of
        // pixel 1 and output 1 in its right half.
        int64_t reads = form == ConvForm::Upsampled ? (2 + o + k - 1) / 2 : o + k;
        EXPECT_NEAR(outputs[o], reads == p ? 1 : 0, 1e-15) << "pixel " << p << ", tap " << k;
      }
    }
}

INSTANTIATE_TEST_SUITE_P(All, Transforms,
                         ::testing::Values(ConvForm::Upsampled, ConvForm::Winograd2,
                                           ConvForm::Winograd4),
                         [](const auto &info) { return cpu::stringifyConvForm(info.param).str(); });

} // namespace
