//===- TorchWriter.h - files as torch.save writes them ----------*- C++ -*-===//
//
// A writer of torch checkpoints for tests and for un0-make-checkpoint: a stored zip with data
// descriptors and a ZIP64 end record, and a pickle of protocol 2, as torch 2.x makes them. Every
// part can be made wrong on purpose.
//
//===----------------------------------------------------------------------===//

#ifndef UN0_TEST_UNITTESTS_IMPORT_TORCHWRITER_H
#define UN0_TEST_UNITTESTS_IMPORT_TORCHWRITER_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/CRC.h"
#include "llvm/Support/Endian.h"
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace un0::test {

/// Appends an integer in little-endian order.
template <typename T> void putInt(std::string &out, T value) {
  char bytes[sizeof(T)];
  llvm::support::endian::write<T>(bytes, value, llvm::endianness::little);
  out.append(bytes, sizeof(T));
}

//===----------------------------------------------------------------------===//
// Zip
//===----------------------------------------------------------------------===//

/// How an entry departs from what torch writes.
struct ZipOptions {
  uint16_t method = 0;
  /// UTF-8 names and a data descriptor.
  uint16_t flags = 0x0808;
  /// Put sizes and offset of the directory into a ZIP64 extra field.
  bool zip64 = false;
  std::optional<uint32_t> crc;
  std::optional<uint64_t> size, offset;
  std::optional<std::string> localName;
};

/// Writes a zip archive to a sink, one entry after the other, keeping only the directory in memory.
class ZipWriter {
public:
  using Sink = std::function<void(llvm::StringRef)>;
  explicit ZipWriter(Sink sink) : sink(std::move(sink)) {}

  void add(llvm::StringRef name, llvm::StringRef bytes, const ZipOptions &options = {}) {
    begin(name, options);
    append(bytes);
    end();
  }

  void begin(llvm::StringRef name, const ZipOptions &options = {}) {
    current = {name.str(), options, position, 0, 0};
    std::string localName = options.localName.value_or(name.str());
    std::string header;
    putInt<uint32_t>(header, 0x04034b50);
    putInt<uint16_t>(header, 0);
    putInt<uint16_t>(header, options.flags);
    putInt<uint16_t>(header, options.method);
    header.append(4 + 12, '\0'); // date; checksum and sizes, which follow the bytes
    putInt<uint16_t>(header, localName.size());
    // Torch pads the extra field so that storages are aligned to 64 bytes.
    uint64_t unpadded = position + header.size() + 2 + localName.size() + 4;
    uint16_t padding = (64 - unpadded % 64) % 64;
    putInt<uint16_t>(header, 4 + padding);
    header += localName + "FB";
    putInt<uint16_t>(header, padding);
    header.append(padding, 'Z');
    write(header);
  }

  void append(llvm::StringRef bytes) {
    current.crc =
        llvm::crc32(current.crc, {reinterpret_cast<const uint8_t *>(bytes.data()), bytes.size()});
    current.size += bytes.size();
    write(bytes);
  }

  void end() {
    if (current.options.flags & 8) {
      std::string descriptor;
      putInt<uint32_t>(descriptor, 0x08074b50);
      putInt<uint32_t>(descriptor, current.crc);
      putInt<uint32_t>(descriptor, current.size);
      putInt<uint32_t>(descriptor, current.size);
      write(descriptor);
    }
    entries.push_back(current);
  }

  /// Writes the directory and the end records.
  void finish() {
    uint64_t directory = position;
    for (const Entry &entry : entries)
      write(makeCentralHeader(entry));
    uint64_t size = position - directory, end64 = position;
    std::string end;
    putInt<uint32_t>(end, 0x06064b50);
    putInt<uint64_t>(end, 44);
    putInt<uint32_t>(end, 0x002d031e);
    putInt<uint64_t>(end, 0);
    putInt<uint64_t>(end, entries.size());
    putInt<uint64_t>(end, entries.size());
    putInt<uint64_t>(end, size);
    putInt<uint64_t>(end, directory);
    putInt<uint32_t>(end, 0x07064b50);
    putInt<uint32_t>(end, 0);
    putInt<uint64_t>(end, end64);
    putInt<uint32_t>(end, 1);
    putInt<uint32_t>(end, 0x06054b50);
    putInt<uint32_t>(end, 0);
    putInt<uint16_t>(end, entries.size());
    putInt<uint16_t>(end, entries.size());
    putInt<uint32_t>(end, size);
    putInt<uint32_t>(end, directory);
    putInt<uint16_t>(end, 0);
    write(end);
  }

private:
  struct Entry {
    std::string name;
    ZipOptions options;
    uint64_t offset = 0, size = 0;
    uint32_t crc = 0;
  };

  static std::string makeCentralHeader(const Entry &entry) {
    const ZipOptions &options = entry.options;
    uint64_t size = options.size.value_or(entry.size),
             offset = options.offset.value_or(entry.offset);
    std::string header, extra;
    if (options.zip64) {
      putInt<uint16_t>(extra, 1);
      putInt<uint16_t>(extra, 24);
      putInt<uint64_t>(extra, size);
      putInt<uint64_t>(extra, size);
      putInt<uint64_t>(extra, offset);
      size = offset = 0xffffffff;
    }
    putInt<uint32_t>(header, 0x02014b50);
    putInt<uint16_t>(header, 0);
    putInt<uint16_t>(header, 0);
    putInt<uint16_t>(header, options.flags);
    putInt<uint16_t>(header, options.method);
    putInt<uint32_t>(header, 0);
    putInt<uint32_t>(header, options.crc.value_or(entry.crc));
    putInt<uint32_t>(header, size);
    putInt<uint32_t>(header, size);
    putInt<uint16_t>(header, entry.name.size());
    putInt<uint16_t>(header, extra.size());
    header.append(2 + 2 + 2 + 4, '\0');
    putInt<uint32_t>(header, offset);
    return header + entry.name + extra;
  }

  void write(llvm::StringRef bytes) {
    sink(bytes);
    position += bytes.size();
  }

  Sink sink;
  uint64_t position = 0;
  Entry current;
  std::vector<Entry> entries;
};

//===----------------------------------------------------------------------===//
// Pickle
//===----------------------------------------------------------------------===//

/// A plain value of a configuration; monostate is None.
using PlainValue = std::variant<std::monostate, bool, int64_t, double, std::string>;
using PlainDict = std::vector<std::pair<std::string, PlainValue>>;

/// Writes a pickle of protocol 2, opcode by opcode.
class PickleWriter {
public:
  PickleWriter() { op("\x80\x02"); }

  /// Opcodes as they are.
  PickleWriter &op(llvm::StringRef bytes) {
    text += bytes;
    return *this;
  }
  PickleWriter &string(llvm::StringRef value) {
    op("X");
    putInt<uint32_t>(text, value.size());
    op(value);
    // Torch remembers every string; with an index of four bytes there is no limit to mind.
    op("r");
    putInt<uint32_t>(text, memo++);
    return *this;
  }
  PickleWriter &integer(int64_t value) {
    if (value >= 0 && value < 256)
      return op("K").op(std::string(1, static_cast<char>(value)));
    if (value == static_cast<int32_t>(value)) {
      op("J");
      putInt<int32_t>(text, value);
      return *this;
    }
    op(llvm::StringRef("\x8a\x08", 2));
    putInt<int64_t>(text, value);
    return *this;
  }
  PickleWriter &real(double value) {
    char bytes[8];
    llvm::support::endian::write64be(bytes, llvm::bit_cast<uint64_t>(value));
    return op("G").op({bytes, 8});
  }
  PickleWriter &global(llvm::StringRef module, llvm::StringRef name) {
    return op("c").op(module).op("\n").op(name).op("\n");
  }
  PickleWriter &tuple(llvm::ArrayRef<int64_t> values) {
    op("(");
    for (int64_t value : values)
      integer(value);
    return op("t");
  }
  PickleWriter &plain(const PlainValue &value) {
    if (auto *flag = std::get_if<bool>(&value))
      return op(*flag ? "\x88" : "\x89");
    if (auto *number = std::get_if<int64_t>(&value))
      return integer(*number);
    if (auto *number = std::get_if<double>(&value))
      return real(*number);
    if (auto *words = std::get_if<std::string>(&value))
      return string(*words);
    return op("N");
  }
  PickleWriter &dict(const PlainDict &values) {
    op("}(");
    for (const auto &[key, value] : values)
      string(key).plain(value);
    return op("u");
  }
  /// A call of torch._utils._rebuild_tensor_v2 on a view of a storage.
  PickleWriter &tensor(llvm::StringRef storageType, llvm::StringRef storageKey,
                       int64_t storageCount, int64_t offset, llvm::ArrayRef<int64_t> shape,
                       llvm::ArrayRef<int64_t> strides) {
    global("torch._utils", "_rebuild_tensor_v2")
        .op("((")
        .string("storage")
        .global("torch", storageType);
    string(storageKey).string("cpu").integer(storageCount).op("tQ").integer(offset);
    return tuple(shape).tuple(strides).op("\x89").global("collections", "OrderedDict").op(")RtR");
  }

  std::string text;

private:
  uint32_t memo = 0;
};

/// Strides of row-major order.
inline std::vector<int64_t> getStrides(llvm::ArrayRef<int64_t> shape) {
  std::vector<int64_t> strides(shape.size(), 1);
  for (size_t i = shape.size(); i-- > 1;)
    strides[i - 1] = strides[i] * shape[i];
  return strides;
}

/// A tensor of a state dict; `bytes` is used by writeTorchCheckpoint only.
struct TorchTensor {
  std::string name, storageType;
  std::vector<int64_t> shape;
  std::string bytes;

  int64_t getCount() const {
    int64_t count = 1;
    for (int64_t size : shape)
      count *= size;
    return count;
  }
};

/// The pickle of `{"model": <tensors>, "config": <config>, "epoch": ...}`; tensor i is all of
/// storage i. A state dict is an OrderedDict with a `_metadata` attribute.
inline std::string makeCheckpointPickle(llvm::ArrayRef<TorchTensor> tensors,
                                        const std::optional<PlainDict> &config) {
  PickleWriter pickle;
  pickle.op("}(").string("model").global("collections", "OrderedDict").op(")R(");
  for (auto [i, tensor] : llvm::enumerate(tensors))
    pickle.string(tensor.name)
        .tensor(tensor.storageType, std::to_string(i), tensor.getCount(), 0, tensor.shape,
                getStrides(tensor.shape));
  pickle.op("u}").string("_metadata").global("collections", "OrderedDict").op(")Rsb");
  if (config)
    pickle.string("config").dict(*config);
  pickle.string("epoch").integer(1199).op("u.");
  return pickle.text;
}

/// A whole checkpoint in memory, for small ones.
inline std::string makeTorchCheckpoint(llvm::ArrayRef<TorchTensor> tensors,
                                       const std::optional<PlainDict> &config) {
  std::string file;
  ZipWriter zip([&](llvm::StringRef bytes) { file += bytes; });
  zip.add("archive/data.pkl", makeCheckpointPickle(tensors, config));
  zip.add("archive/byteorder", "little");
  for (auto [i, tensor] : llvm::enumerate(tensors))
    zip.add("archive/data/" + std::to_string(i), tensor.bytes);
  zip.add("archive/version", "3\n");
  zip.finish();
  return file;
}

} // namespace un0::test

#endif // UN0_TEST_UNITTESTS_IMPORT_TORCHWRITER_H
