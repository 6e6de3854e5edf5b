//===- HostModel.h - run a model while compiling it -------------*- C++ -*-===//

#ifndef UN0_QUANTIZE_HOSTMODEL_H
#define UN0_QUANTIZE_HOSTMODEL_H

#include "un0/Quantize/HostCode.h"
#include <vector>

namespace un0 {

/// Starting points of a model, drawn by the compiler: a generator is its own calibration set.
struct Samples {
  int64_t count = 0;
  std::vector<float> theta0, phi0; ///< count x oscillators, count x conditioning; radians
  std::vector<int64_t> labels;     ///< classes in turn

  /// Phases uniform in (-pi, pi), the same for every call.
  static Samples draw(int64_t count, int64_t oscillators, int64_t conditioning, int64_t classes);
};

/// Code for this machine, loaded into this process: the interpreter is far too slow for models of
/// thousands of oscillators. Holds the packed parameters.
class HostModel {
public:
  /// Compiles a copy of `module`, which is in the phase `fused` or `quantized`.
  /// With `observe`, whose convolutions are f32, `run` shows the images between them.
  static llvm::Expected<std::unique_ptr<HostModel>>
  create(mlir::ModuleOp module, ArchiveSet &archives, bool observe = false);
  /// The same without dynamics, for `decodeFeatures` alone.
  static llvm::Expected<std::unique_ptr<HostModel>>
  createDecoder(mlir::ModuleOp module, ArchiveSet &archives, bool observe = false);
  HostModel(const HostModel &) = delete;
  HostModel &operator=(const HostModel &) = delete;

  int64_t getOscillators() const { return oscillators; }
  int64_t getConditioning() const { return conditioning; }
  int64_t getClasses() const { return classes; }

  struct Outputs {
    std::vector<float> features, images; ///< count x F, count x C x H x W
  };
  /// Gets what each sample's convolutions read, one image after the other in the layout of
  /// cpu.conv2d: ceil(C/16) x (H+2) x (W+2) x 16.
  using Observer = llvm::function_ref<void(const float *images)>;

  /// Runs every sample; without `decode` there are no images.
  Outputs run(const Samples &samples, bool decode = true, Observer observer = nullptr) const;

  /// The images of as many samples as there are features of.
  std::vector<float> decodeFeatures(llvm::ArrayRef<float> features,
                                    Observer observer = nullptr) const;

private:
  friend class RoundedDecoder;
  HostModel() = default;
  /// Compiles `copy`, which becomes machine code.
  static llvm::Expected<std::unique_ptr<HostModel>> compile(mlir::OwningOpRef<mlir::ModuleOp> copy,
                                                            ArchiveSet &archives, bool observe);

  /// Gets each of the images that are kept, its number and where it is, before it is read.
  using Between = llvm::function_ref<void(size_t number, float *image)>;
  /// With `observe`: one sample's image, multiplying by `parameters`.
  void decodeObserved(const char *parameters, const float *vector, float *result,
                      Between between = nullptr) const;
  const float *getObserved() const { return reinterpret_cast<const float *>(observed.get()); }

  mlir::OwningOpRef<mlir::ModuleOp> module; // as compiled
  HostCode code;
  HostMemory weights, arena, observed;
  std::vector<int64_t> imageSizes; // of those that are kept, in numbers
  int64_t oscillators = 0, conditioning = 0, classes = 0, features = 0, image = 0, tile = 0,
          decodeTile = 0;
  void *evolve = nullptr, *readout = nullptr, *decode = nullptr;
};

} // namespace un0

#endif // UN0_QUANTIZE_HOSTMODEL_H
