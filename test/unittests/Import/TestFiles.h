//===- TestFiles.h - small checkpoints and files for the tests --*- C++ -*-===//

#ifndef UN0_TEST_UNITTESTS_IMPORT_TESTFILES_H
#define UN0_TEST_UNITTESTS_IMPORT_TESTFILES_H

#include "TorchWriter.h"
#include "un0/Import/Archive.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/raw_ostream.h"
#include "gtest/gtest.h"
#include <cstring>

namespace un0::test {

/// A file that is gone when the test ends.
class ScratchFile {
public:
  explicit ScratchFile(llvm::StringRef bytes, llvm::StringRef suffix = "bin") {
    int descriptor = -1;
    if (llvm::sys::fs::createTemporaryFile("un0-test", suffix, descriptor, path))
      ADD_FAILURE() << "cannot create a scratch file";
    llvm::raw_fd_ostream(descriptor, /*shouldClose=*/true) << bytes;
  }
  ~ScratchFile() { llvm::sys::fs::remove(path); }
  ScratchFile(const ScratchFile &) = delete;
  ScratchFile &operator=(const ScratchFile &) = delete;

  llvm::StringRef getPath() const { return path; }

private:
  llvm::SmallString<128> path;
};

inline llvm::ArrayRef<uint8_t> toBytes(llvm::StringRef text) {
  return {reinterpret_cast<const uint8_t *>(text.data()), text.size()};
}

/// The message with which a file is refused; the empty string if it is taken.
inline std::string refusal(llvm::StringRef file) {
  llvm::Expected<std::shared_ptr<Archive>> archive = Archive::read(toBytes(file));
  return archive ? "" : llvm::toString(archive.takeError());
}

/// A safetensors file of a header as it is and data.
inline std::string makeSafetensors(llvm::StringRef header, llvm::StringRef data) {
  std::string file;
  putInt<uint64_t>(file, header.size());
  return file + header.str() + data.str();
}

/// A tensor of a model; stored in f32 with all elements `value`.
struct FillTensor {
  std::string name;
  std::vector<int64_t> shape;
  float value = 0.25f;

  int64_t getCount() const {
    int64_t count = 1;
    for (int64_t size : shape)
      count *= size;
    return count;
  }
  std::string getBytes() const {
    std::string bytes;
    for (int64_t i = 0; i < getCount(); ++i)
      putInt<uint32_t>(bytes, llvm::bit_cast<uint32_t>(value));
    return bytes;
  }
};

using Config = std::vector<std::pair<std::string, std::string>>;

inline std::string makeSafetensors(llvm::ArrayRef<FillTensor> tensors, const Config &config = {}) {
  std::string header = "{\"__metadata__\":{", data;
  for (auto [i, item] : llvm::enumerate(config))
    header += (i ? ",\"" : "\"") + item.first + "\":\"" + item.second + "\"";
  header += "}";
  for (const FillTensor &tensor : tensors) {
    size_t begin = data.size();
    data += tensor.getBytes();
    header += ",\"" + tensor.name + "\":{\"dtype\":\"F32\",\"shape\":[";
    for (auto [i, size] : llvm::enumerate(tensor.shape))
      header += (i ? "," : "") + std::to_string(size);
    header +=
        "],\"data_offsets\":[" + std::to_string(begin) + "," + std::to_string(data.size()) + "]}";
  }
  return makeSafetensors(header + "}", data);
}

/// How a small model is named and shaped.
struct SmallModel {
  int64_t n = 16, m = 2, classes = 3, blocks = 1;
  bool port = false;
  /// Features per oscillator: 2 for sin_cos, 1 for raw and sin, 2 * N for pairwise with sin_cos.
  int64_t featuresPerOscillator = 2;
};

/// The tensors of a small model, in the order of the reference's state dict.
inline std::vector<FillTensor> makeTensors(const SmallModel &model) {
  std::string dynamics = model.port ? "" : "dynamics.";
  std::vector<FillTensor> tensors = {{dynamics + "omega", {1, model.n}},
                                     {dynamics + "K", {model.n, model.n}},
                                     {dynamics + "omega_cond", {1, model.m}},
                                     {dynamics + "K_cond", {model.m, model.m}},
                                     {dynamics + "K_drive", {model.classes, model.n, model.m}}};
  auto addConv = [&](const std::string &name, int64_t out, int64_t in) {
    tensors.push_back({name + ".weight", {out, in, 3, 3}});
    tensors.push_back({name + ".bias", {out}});
  };
  int64_t channels = model.n * model.featuresPerOscillator / 16;
  for (int64_t i = 0; i < model.blocks; ++i) {
    std::string block = model.port ? "dec." + std::to_string(i) + "."
                                   : "decoder.cascade." + std::to_string(i) + ".net.";
    int64_t next = std::max<int64_t>(channels / 2, 32);
    addConv(block + (model.port ? "a" : "1"), next, channels);
    addConv(block + (model.port ? "b" : "3"), next, next);
    channels = next;
  }
  addConv(model.port ? "out" : "decoder.to_output", 3, channels);
  return tensors;
}

/// The same tensors as a torch checkpoint, with the prefix of torch.compile.
inline std::string makeTorch(llvm::ArrayRef<FillTensor> tensors,
                             const std::optional<PlainDict> &config) {
  std::vector<TorchTensor> stored;
  for (const FillTensor &tensor : tensors) {
    auto [module, rest] = llvm::StringRef(tensor.name).split('.');
    stored.push_back(
        {(module + "._orig_mod." + rest).str(), "FloatStorage", tensor.shape, tensor.getBytes()});
  }
  return makeTorchCheckpoint(stored, config);
}

} // namespace un0::test

#endif // UN0_TEST_UNITTESTS_IMPORT_TESTFILES_H
