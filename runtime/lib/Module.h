//===- Module.h - an open module --------------------------------------------===//
#ifndef UN0_RUNTIME_LIB_MODULE_H
#define UN0_RUNTIME_LIB_MODULE_H

#include "Container.h"
#include "ElfImage.h"
#include "Manifest.h"
#include "MappedFile.h"
#include "Program.h"

#include <memory>
#include <vector>

namespace un0::rt {
/// Fails when a program is not for the model that the manifest describes, or when the module lacks
/// what it needs beside it.
Status checkProgramFits(const dsa::Program &program, const Manifest &manifest);
} // namespace un0::rt

/// Everything is verified before `open` succeeds, and constant afterwards.
struct un0_module {
  /// An evolve entry and its static batch.
  struct Evolve {
    uint32_t batch;
    un0_evolve_fn run;
  };

  un0::rt::Status open(const std::string &path, uint32_t flags);
  /// What `open` begins with: the file, its sections and its manifest, for whoever does not run it.
  un0::rt::Status read(const std::string &path, uint32_t flags);

  /// Floats per image, features and phases of one sample.
  size_t imageFloats() const;
  /// Whether the simulator evolves the oscillators, since no code does.
  bool isSimulated() const { return evolves.empty(); }
  /// Samples that are evolved together, falling.
  std::vector<uint32_t> batches() const;
  uint32_t widestBatch() const;
  /// Whether one sample is evolved faster by several threads than by one.
  bool paysToSplit() const;

  un0::rt::MappedFile file, weightFile;
  un0::rt::Memory weightCopy;
  un0::rt::Container container;
  un0::rt::Manifest manifest;
  un0::rt::ElfImage code;
  /// For an accelerator, whose simulator runs it; null in modules for the CPU.
  std::unique_ptr<un0::dsa::Program> program;

  const uint8_t *weights = nullptr;
  std::vector<Evolve> evolves;       // by falling batch, each batch once; none: simulated
  un0_evolve_team_fn team = nullptr; // null: the module has none
  un0_readout_fn readout = nullptr;
  un0_decode_fn decode = nullptr;
  un0_decode_team_fn decodeTeam = nullptr; // null: one thread decodes what a team evolved
  uint32_t decodeBatch = 1;                // images that `decode` takes at most

private:
  un0::rt::Status openWeights(const std::string &modulePath, uint32_t flags);
  un0::rt::Status bindEntries();
  un0::rt::Status openProgram();
};

#endif // UN0_RUNTIME_LIB_MODULE_H
