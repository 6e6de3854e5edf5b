//===- PlaneTransforms.h - convolutions in fewer products -------*- C++ -*-===//
//
// The 1-D forms whose products with themselves `cpu.conv2d_planes` computes, as arithmetic on any
// kind of number: weights are transformed by the compiler in f64, pixels by the generated code.
//
// F-up, an upsampled pixel x1 between x0 and x2 under the kernel w: even output w0 x0 + (w1 + w2)
// x1, odd output (w0 + w1) x1 + w2 x2. With s = w0 + w1 + w2 both contain s x1:
//     even = s x1 + w0 (x0 - x1),   odd = s x1 + w2 (x2 - x1).
//
// Winograd F(m, 3) (Lavin and Gray 2016): inputs and kernel are values of polynomials at points,
// multiplied there. F(2, 3) uses 0, 1, -1 and infinity. F(4, 3) uses 0, +-5/8, +-3/2 and infinity
// instead of the usual 0, +-1, +-2: all constants stay exact in f32, and the error is 2.2 times
// smaller (rms 7.7e-7 instead of 1.7e-6 for 64 channels of unit variance).
//
// F(4, 3) of upsampled pixels, each there twice: at the point -1 their polynomial is 0, whatever
// they are, which leaves five products. It is so for points 0, +-1, +-p and infinity only; of p in
// sixteenths 27/16 has the least error, rms and largest (5/8: 8 % more). At p and -p the values
// differ by a factor that kernels can have, so that they are one.
//
// Of bytes, in whole numbers: F(2, 3) and F(4, 3) with the usual points, and twice and 24 times the
// outputs instead of fractions of the weights. Upsampled pixels in pairs are two kernels of two
// taps, one for even and one for odd outputs, each as F(2, 2): of pixels x0, x1, x2 under g0, g1
//     first = (x0 - x1) g0 + x1 (g0 + g1),   second = x1 (g0 + g1) - (x1 - x2) g1.
// All four kernels of an upsampled pixel were rounded apart, so F-up, which needs them to be sums
// of one, is not for bytes.
//
//===----------------------------------------------------------------------===//

#ifndef UN0_LIB_CODEGEN_PLANETRANSFORMS_H
#define UN0_LIB_CODEGEN_PLANETRANSFORMS_H

#include "dialects/Cpu/IR/Cpu.h"

namespace un0 {

/// A 1-D transform in both dimensions of a square of `side` numbers: of every column, from `get` of
/// row and column, then of every row of what that gave, which `put` takes with its number.
template <typename Number, typename Get, typename Transform, typename Put>
void transformSquare(int64_t side, Get get, Transform transform, Put put) {
  llvm::SmallVector<llvm::SmallVector<Number>> columns;
  for (int64_t x = 0; x < side; ++x) {
    llvm::SmallVector<Number> column;
    for (int64_t y = 0; y < side; ++y)
      column.push_back(get(y, x));
    columns.push_back(transform(llvm::ArrayRef<Number>(column)));
  }
  for (size_t y = 0; y < columns.front().size(); ++y) {
    llvm::SmallVector<Number> row;
    for (const auto &column : columns)
      row.push_back(column[y]);
    put(static_cast<int64_t>(y), transform(llvm::ArrayRef<Number>(row)));
  }
}

/// The points of F(4, 3) of f32 beside 0 and infinity, and of upsampled pixels beside these and
/// +-1.
constexpr double kInnerPoint = 0.625, kOuterPoint = 1.5, kUpsampledPoint = 1.6875;

/// Values of the kernel w0, w1, w2, one for each plane.
inline llvm::SmallVector<double> transformKernel(cpu::ConvForm form, double w0, double w1,
                                                 double w2) {
  if (form == cpu::ConvForm::Upsampled)
    return {w0 + w1 + w2, w0, w2};
  if (form == cpu::ConvForm::UpsampledWinograd4) {
    constexpr double p = kUpsampledPoint, pp = p * p;
    return {w0 / pp, (w0 + w1 + w2) / (1 - pp),
            (1 + p) * (w0 + p * w1 + pp * w2) / (2 * pp * (pp - 1)),
            (1 - p) * (w0 - p * w1 + pp * w2) / (2 * pp * (pp - 1)), w2};
  }
  if (form == cpu::ConvForm::Winograd2)
    return {w0, (w0 + w1 + w2) / 2, (w0 - w1 + w2) / 2, w2};
  assert(form == cpu::ConvForm::Winograd4 && "not a form of f32");
  constexpr double a = kInnerPoint, b = kOuterPoint;
  constexpr double atZero = a * a * b * b, atInner = 2 * a * a * (a * a - b * b),
                   atOuter = 2 * b * b * (b * b - a * a);
  return {w0 / atZero,
          (w0 + a * w1 + a * a * w2) / atInner,
          (w0 - a * w1 + a * a * w2) / atInner,
          (w0 + b * w1 + b * b * w2) / atOuter,
          (w0 - b * w1 + b * b * w2) / atOuter,
          w2};
}

/// F(2, 3), of any numbers.
template <typename Arithmetic, typename Number>
llvm::SmallVector<Number> transformFourPixels(Arithmetic &&k, llvm::ArrayRef<Number> x) {
  return {k.sub(x[0], x[2]), k.add(x[1], x[2]), k.sub(x[2], x[1]), k.sub(x[3], x[1])};
}
template <typename Arithmetic, typename Number>
llvm::SmallVector<Number> transformFourProducts(Arithmetic &&k, llvm::ArrayRef<Number> x) {
  return {k.add(k.add(x[0], x[1]), x[2]), k.add(k.sub(x[1], x[2]), x[3])};
}

/// The values of neighbouring pixels. `Arithmetic` has `add`, `sub` and
/// `fma(factor, x, y)` = factor x + y with a constant factor.
template <typename Arithmetic, typename Number>
llvm::SmallVector<Number> transformPixels(cpu::ConvForm form, Arithmetic &&k,
                                          llvm::ArrayRef<Number> x) {
  if (form == cpu::ConvForm::Upsampled)
    return {x[1], k.sub(x[0], x[1]), k.sub(x[2], x[1])};
  if (form == cpu::ConvForm::UpsampledWinograd4) {
    constexpr double pp = kUpsampledPoint * kUpsampledPoint;
    Number difference = k.sub(x[2], x[1]);
    return {k.fma(pp, k.sub(x[0], x[1]), difference), k.fma(-pp, x[1], x[2]), difference,
            k.fma(-pp, difference, k.sub(x[3], x[2]))};
  }
  if (form == cpu::ConvForm::Winograd2)
    return transformFourPixels<Arithmetic &, Number>(k, x);
  assert(form == cpu::ConvForm::Winograd4 && "not a form of f32");
  constexpr double a = kInnerPoint, b = kOuterPoint, aa = a * a, bb = b * b;
  // At p and -p the even terms are equal and the odd ones opposite.
  Number innerEven = k.fma(-bb, x[2], x[4]), innerOdd = k.fma(-bb, x[1], x[3]);
  Number outerEven = k.fma(-aa, x[2], x[4]), outerOdd = k.fma(-aa, x[1], x[3]);
  return {k.fma(aa * bb, x[0], k.fma(-(aa + bb), x[2], x[4])),
          k.fma(a, innerOdd, innerEven),
          k.fma(-a, innerOdd, innerEven),
          k.fma(b, outerOdd, outerEven),
          k.fma(-b, outerOdd, outerEven),
          k.fma(aa * bb, x[1], k.fma(-(aa + bb), x[3], x[5]))};
}

/// Outputs from the products of the planes.
template <typename Arithmetic, typename Number>
llvm::SmallVector<Number> transformProducts(cpu::ConvForm form, Arithmetic &&k,
                                            llvm::ArrayRef<Number> x) {
  if (form == cpu::ConvForm::Upsampled)
    return {k.add(x[0], x[1]), k.add(x[0], x[2])};
  if (form == cpu::ConvForm::UpsampledWinograd4) {
    constexpr double p = kUpsampledPoint;
    Number sum = k.add(x[2], x[3]), difference = k.sub(x[2], x[3]);
    return {k.add(k.add(x[0], x[1]), sum), k.fma(p, difference, x[1]), k.fma(p * p, sum, x[1]),
            k.fma(p * p * p, difference, k.add(x[1], x[4]))};
  }
  if (form == cpu::ConvForm::Winograd2)
    return transformFourProducts<Arithmetic &, Number>(k, x);
  assert(form == cpu::ConvForm::Winograd4 && "not a form of f32");
  constexpr double a = kInnerPoint, b = kOuterPoint;
  Number innerSum = k.add(x[1], x[2]), innerDifference = k.sub(x[1], x[2]);
  Number outerSum = k.add(x[3], x[4]), outerDifference = k.sub(x[3], x[4]);
  Number zero = k.add(k.add(x[0], innerSum), outerSum);
  Number one = k.fma(b, outerDifference, k.mul(a, innerDifference));
  Number two = k.fma(b * b, outerSum, k.mul(a * a, innerSum));
  Number three = k.fma(b * b * b, outerDifference, k.fma(a * a * a, innerDifference, x[5]));
  return {zero, one, two, three};
}

/// Modulo 2^32 a product with it divides by 9, which 24 x 24 has beside powers of two.
constexpr uint32_t kNinth = 0x38e38e39;

/// A kernel of whole numbers in planes: three taps, or two of one of the kernels of upsampled
/// pixels, which has three of the planes. Of 8-bit numbers all of it, twice, fits 16 bits: no value
/// is more than 12 times the largest tap.
inline llvm::SmallVector<int64_t> transformWholeKernel(cpu::ConvForm form,
                                                       llvm::ArrayRef<int64_t> w) {
  if (form == cpu::ConvForm::UpsampledPairs)
    return {w[0], w[0] + w[1], w[1]};
  int64_t sum = w[0] + w[2];
  if (form == cpu::ConvForm::Winograd2)
    return {2 * w[0], sum + w[1], sum - w[1], 2 * w[2]};
  assert(form == cpu::ConvForm::Winograd4 && "not a form of bytes");
  // The last is a third of what it should be, to fit.
  int64_t twice = w[0] + 4 * w[2];
  return {6 * w[0],         -4 * (sum + w[1]), -4 * (sum - w[1]),
          twice + 2 * w[1], twice - 2 * w[1],  8 * w[2]};
}

/// The values of neighbouring pixels of whole numbers. Twice, of unsigned bytes, they fit 16 bits:
/// at most 68 x 255 = 17340. `Arithmetic` has `add`, `sub` and `shift` = x 2^n.
template <typename Arithmetic, typename Number>
llvm::SmallVector<Number> transformWholePixels(cpu::ConvForm form, Arithmetic &&k,
                                               llvm::ArrayRef<Number> x) {
  if (form == cpu::ConvForm::UpsampledPairs)
    return {k.sub(x[0], x[1]), x[1], k.sub(x[1], x[2]), x[2], k.sub(x[2], x[3])};
  if (form == cpu::ConvForm::Winograd2)
    return transformFourPixels<Arithmetic &, Number>(k, x);
  assert(form == cpu::ConvForm::Winograd4 && "not a form of bytes");
  Number innerEven = k.sub(x[4], k.shift(x[2], 2)), innerOdd = k.sub(x[3], k.shift(x[1], 2));
  Number outerEven = k.sub(x[4], x[2]), difference = k.sub(x[3], x[1]);
  Number outerOdd = k.shift(difference, 1);
  return {k.add(k.shift(k.sub(x[0], x[2]), 2), outerEven),
          k.add(innerEven, innerOdd),
          k.sub(innerEven, innerOdd),
          k.add(outerEven, outerOdd),
          k.sub(outerEven, outerOdd),
          k.sub(k.sub(x[5], x[3]), k.shift(difference, 2))};
}

/// The outputs from the products of the planes, twice those of F(2, 3) and 24 times those of
/// F(4, 3), as exact as the numbers' type.
template <typename Arithmetic, typename Number>
llvm::SmallVector<Number> transformWholeProducts(cpu::ConvForm form, Arithmetic &&k,
                                                 llvm::ArrayRef<Number> x) {
  if (form == cpu::ConvForm::UpsampledPairs)
    return {k.add(x[0], x[1]), k.add(x[3], x[4]), k.sub(x[1], x[2]), k.sub(x[4], x[5])};
  if (form == cpu::ConvForm::Winograd2)
    return transformFourProducts<Arithmetic &, Number>(k, x);
  assert(form == cpu::ConvForm::Winograd4 && "not a form of bytes");
  Number innerSum = k.add(x[1], x[2]), innerDifference = k.sub(x[1], x[2]);
  Number outerSum = k.add(x[3], x[4]), outerDifference = k.sub(x[3], x[4]);
  Number last = k.add(x[5], k.shift(x[5], 1));
  return {k.add(k.add(x[0], innerSum), outerSum),
          k.add(innerDifference, k.shift(outerDifference, 1)),
          k.add(innerSum, k.shift(outerSum, 2)),
          k.add(k.add(innerDifference, k.shift(outerDifference, 3)), last)};
}

} // namespace un0

#endif // UN0_LIB_CODEGEN_PLANETRANSFORMS_H
