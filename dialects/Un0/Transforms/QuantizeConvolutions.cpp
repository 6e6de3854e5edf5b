//===- QuantizeConvolutions.cpp - bytes in the decoder ----------*- C++ -*-===//

#include "dialects/Un0/Transforms/Passes.h"
#include "llvm/ADT/StringSet.h"
#include <cmath>

namespace un0 {
#define GEN_PASS_DEF_UN0QUANTIZECONVOLUTIONS
#include "dialects/Un0/Transforms/Passes.h.inc"
} // namespace un0

using namespace mlir;
using namespace un0;

/// Whether a convolution reads sines and cosines, which are bounded by one.
static bool readsWaves(un0::Conv2DOp conv) {
  auto expand = conv.getInput().getDefiningOp<tensor::ExpandShapeOp>();
  auto readout = expand ? expand.getSrc().getDefiningOp<ReadoutOp>() : ReadoutOp();
  return readout && readout.getEncoding() != Encoding::Raw;
}

static int64_t getChannels(un0::Conv2DOp conv) {
  return cast<ShapedType>(conv.getInput().getType()).getDimSize(1);
}

namespace {
struct QuantizeConvolutionsPass : un0::impl::Un0QuantizeConvolutionsBase<QuantizeConvolutionsPass> {
  using Base::Base;

  void runOnOperation() override {
    SmallVector<un0::Conv2DOp> convs;
    getOperation().walk([&](un0::Conv2DOp conv) { convs.push_back(conv); });
    bool given = !minima.empty() || !maxima.empty();
    if (given && (minima.size() != convs.size() || maxima.size() != convs.size())) {
      getOperation().emitError() << minima.size() << " minima and " << maxima.size()
                                 << " maxima are given for " << convs.size() << " convolutions";
      return signalPassFailure();
    }
    int64_t channels = 0;
    for (un0::Conv2DOp conv : convs)
      channels += getChannels(conv);
    if (!exponents.empty() && static_cast<int64_t>(exponents.size()) != channels) {
      getOperation().emitError() << exponents.size() << " exponents are given for " << channels
                                 << " input channels";
      return signalPassFailure();
    }
    llvm::StringSet<> chosen;
    for (const std::string &name : params) {
      auto reads = [&](un0::Conv2DOp conv) { return getOperatorName(conv) == name; };
      if (llvm::none_of(convs, reads)) {
        getOperation().emitError("there is no convolution of @") << name << " to quantize";
        return signalPassFailure();
      }
      chosen.insert(name);
    }
    ArrayRef<int64_t> left(exponents);
    for (auto [i, conv] : llvm::enumerate(convs)) {
      ArrayRef<int64_t> own = left.take_front(left.empty() ? 0 : getChannels(conv));
      left = left.drop_front(own.size());
      if (!chosen.empty() && !chosen.contains(getOperatorName(conv)))
        continue;
      double low = -1, high = 1;
      if (!readsWaves(conv)) {
        if (!given) {
          conv.emitError("the range of the input is not known; give minima and maxima");
          return signalPassFailure();
        }
        // Zero is in every range: it is what the padding holds.
        low = std::min(minima[i], 0.0);
        high = std::max(maxima[i], 0.0);
      }
      if (!std::isfinite(low) || !std::isfinite(high) || !(high > low)) {
        conv.emitError("the range of the input, ") << low << " to " << high << ", holds no numbers";
        return signalPassFailure();
      }
      // Waves are symmetric: 128 in the middle, as for couplings.
      double scale = readsWaves(conv) ? 1.0 / 127.0 : (high - low) / 255.0;
      int64_t zeroPoint = readsWaves(conv) ? 128 : std::llround(-low / scale);
      Builder b(conv);
      conv.setPrecision(Precision::Int8);
      conv.setInputScaleAttr(b.getF64FloatAttr(scale));
      conv.setInputZeroPointAttr(b.getI64IntegerAttr(zeroPoint));
      conv.removeInputExponentsAttr();
      if (llvm::any_of(own, [](int64_t exponent) { return exponent != 0; })) {
        if (readsWaves(conv)) {
          conv.emitError("encoded features are of one size and take no exponents");
          return signalPassFailure();
        }
        conv.setInputExponents(own);
        ++numEqualized;
      }
      ++numQuantized;
    }
  }
};
} // namespace
