//===- ModelShape.h - what model a checkpoint holds -------------*- C++ -*-===//

#ifndef UN0_LIB_IMPORT_MODELSHAPE_H
#define UN0_LIB_IMPORT_MODELSHAPE_H

#include "dialects/Un0/IR/Un0.h"
#include "un0/Import/Import.h"

namespace un0::import {

/// One parameter: its symbol in the IR, its key in the archive, and the shape it has in both (but
/// for a row vector that is stored without its first dimension of 1).
struct ParamSpec {
  std::string symbol, key;
  llvm::SmallVector<int64_t, 4> shape;
  /// Factor on every element, 1 unless the parameterization is "mup".
  double scale = 1.0;
};

/// One up-block of the decoder: upsample, conv `a`, conv `b`.
struct BlockSpec {
  int64_t inChannels, outChannels;
  ParamSpec aWeight, aBias, bWeight, bBias;
};

/// All that is needed to write the model down, checked against the archive.
struct ModelSpec {
  int64_t oscillators = 0, conditioning = 0, classes = 0;
  /// Values of the readout; they fill 4 x 4 maps.
  int64_t features = 0;
  int64_t steps = 10;
  double time = 1.0;
  Solver solver = Solver::Euler;
  Reference reference = Reference::Mean;
  Encoding encoding = Encoding::SinCos;
  ParamSpec coupling, frequency, condCoupling, condFrequency, drive;
  std::vector<BlockSpec> blocks;
  ParamSpec outWeight, outBias;

  int64_t getImageSize() const { return int64_t(4) << blocks.size(); }
};

/// Derives the model from the shapes of the archive's tensors and its configuration. Fails with a
/// line that names the tensor or the key, what was expected and what was found.
llvm::Expected<ModelSpec> inferModel(const Archive &archive, const ImportOptions &options);

} // namespace un0::import

#endif // UN0_LIB_IMPORT_MODELSHAPE_H
