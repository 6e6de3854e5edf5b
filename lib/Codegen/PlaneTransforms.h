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
//===----------------------------------------------------------------------===//

#ifndef UN0_LIB_CODEGEN_PLANETRANSFORMS_H
#define UN0_LIB_CODEGEN_PLANETRANSFORMS_H

#include "dialects/Cpu/IR/Cpu.h"

namespace un0 {

/// The points of F(4, 3) beside 0 and infinity.
constexpr double kInnerPoint = 0.625, kOuterPoint = 1.5;

/// Values of the kernel w0, w1, w2, one for each plane.
inline llvm::SmallVector<double> transformKernel(cpu::ConvForm form, double w0, double w1,
                                                 double w2) {
  if (form == cpu::ConvForm::Upsampled)
    return {w0 + w1 + w2, w0, w2};
  if (form == cpu::ConvForm::Winograd2)
    return {w0, (w0 + w1 + w2) / 2, (w0 - w1 + w2) / 2, w2};
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

/// Values of neighbouring pixels, one for each plane. `Arithmetic` has `add`, `sub` and
/// `fma(factor, x, y)` = factor x + y with a constant factor.
template <typename Arithmetic, typename Number>
llvm::SmallVector<Number> transformPixels(cpu::ConvForm form, Arithmetic &&k,
                                          llvm::ArrayRef<Number> x) {
  if (form == cpu::ConvForm::Upsampled)
    return {x[1], k.sub(x[0], x[1]), k.sub(x[2], x[1])};
  if (form == cpu::ConvForm::Winograd2)
    return {k.sub(x[0], x[2]), k.add(x[1], x[2]), k.sub(x[2], x[1]), k.sub(x[3], x[1])};
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
  if (form == cpu::ConvForm::Winograd2)
    return {k.add(k.add(x[0], x[1]), x[2]), k.add(k.sub(x[1], x[2]), x[3])};
  constexpr double a = kInnerPoint, b = kOuterPoint;
  Number innerSum = k.add(x[1], x[2]), innerDifference = k.sub(x[1], x[2]);
  Number outerSum = k.add(x[3], x[4]), outerDifference = k.sub(x[3], x[4]);
  Number zero = k.add(k.add(x[0], innerSum), outerSum);
  Number one = k.fma(b, outerDifference, k.mul(a, innerDifference));
  Number two = k.fma(b * b, outerSum, k.mul(a * a, innerSum));
  Number three = k.fma(b * b * b, outerDifference, k.fma(a * a * a, innerDifference, x[5]));
  return {zero, one, two, three};
}

} // namespace un0

#endif // UN0_LIB_CODEGEN_PLANETRANSFORMS_H
