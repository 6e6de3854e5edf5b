//===- Kernels.h - the arithmetic behind the interpreter --------*- C++ -*-===//
//
// Loops over plain tensors, one function per operation. Shapes were checked by the verifiers of the
// operations.
//
//===----------------------------------------------------------------------===//

#ifndef UN0_LIB_INTERPRETER_KERNELS_H
#define UN0_LIB_INTERPRETER_KERNELS_H

#include "un0/Interpreter/Interpreter.h"

namespace un0::kernels {

/// result[b, i] += sum_j K[(b,) i, j] sin(source[b, j] - target[b, i]), without j = i if
/// `zeroDiagonal`.
template <typename T>
void couple(const Tensor<T> &coupling, const Tensor<T> &source, const Tensor<T> &target,
            bool zeroDiagonal, Tensor<T> &result);

/// result[b, i] += cos_i (K S)_i - sin_i (K C)_i: the same by the angle-difference identity.
template <typename T>
void coupleWaves(const Tensor<T> &coupling, const Tensor<T> &sourceSine,
                 const Tensor<T> &sourceCosine, const Tensor<T> &targetSine,
                 const Tensor<T> &targetCosine, Tensor<T> &result);

/// The values that a coupling, or sines and cosines, have left in a precision (un0.fused_rate);
/// `group` is one of its groups.
template <typename T>
Tensor<T> roundCoupling(const Tensor<T> &coupling, Precision precision, int64_t group);
template <typename T> Tensor<T> roundWaves(const Tensor<T> &waves, Precision precision);

/// The values that a classes x N x M table has left in so many bits (un0.select_class).
template <typename T> Tensor<T> roundTable(const Tensor<T> &table, int64_t bits);

template <typename T> Tensor<T> selectClass(const Tensor<T> &table, llvm::ArrayRef<int64_t> labels);

/// Multiplies by `scale` and clears the diagonal of the last two dimensions.
template <typename T> void applyTransforms(Tensor<T> &param, double scale, bool zeroDiagonal);

template <typename T>
Tensor<T> readout(const Tensor<T> &phases, Reference reference, Encoding encoding);

/// un0.conv2d: channels first, 3x3, padding 1.
template <typename T>
Tensor<T> convolve(const Tensor<T> &input, const Tensor<T> &weight, const Tensor<T> &bias,
                   bool upsample, Activation activation, double slope);

/// Multiplies channel c, the second dimension, by 2^exponents[c], or divides it.
template <typename T>
void scaleChannels(Tensor<T> &tensor, llvm::ArrayRef<int64_t> exponents, bool up);

/// The input of an int8 un0.conv2d, on its grid.
template <typename T> Tensor<T> roundImage(const Tensor<T> &image, double scale, int64_t zeroPoint);

/// un0.conv2d in int8, on a rounded input: weights are rounded after folding with the upsampling.
template <typename T>
Tensor<T> convolveBytes(const Tensor<T> &input, const Tensor<T> &weight, const Tensor<T> &bias,
                        bool upsample, Activation activation, double slope);

struct ConvolutionWindow {
  llvm::ArrayRef<int64_t> pad;      ///< top, bottom, left, right
  llvm::ArrayRef<int64_t> stride;   ///< y, x
  llvm::ArrayRef<int64_t> dilation; ///< y, x
};

/// tosa.conv2d: input NHWC, weight OHWI, bias O or 1. Source: TOSA 1.0 specification, CONV2D.
template <typename T>
Tensor<T> convolveTosa(const Tensor<T> &input, const Tensor<T> &weight, const Tensor<T> &bias,
                       T inputZero, T weightZero, const ConvolutionWindow &window);

/// tosa.resize with NEAREST_NEIGHBOR, NHWC, to `height` x `width`; scale is y numerator, y
/// denominator, x likewise.
template <typename T>
Tensor<T> resizeNearest(const Tensor<T> &input, llvm::ArrayRef<int64_t> scale,
                        llvm::ArrayRef<int64_t> offset, int64_t height, int64_t width);

/// result dimension i is input dimension permutation[i].
template <typename T>
Tensor<T> transpose(const Tensor<T> &input, llvm::ArrayRef<int32_t> permutation);

/// Applies `fn` element by element; dimensions of size 1 are repeated. Ranks must agree.
template <typename T>
Tensor<T> zip(const Tensor<T> &a, const Tensor<T> &b, llvm::function_ref<T(T, T)> fn);

} // namespace un0::kernels

#endif // UN0_LIB_INTERPRETER_KERNELS_H
