//===- TorchArchive.cpp - checkpoints written by torch.save ---------------===//
//
// A zip archive <name>/data.pkl, <name>/data/<storage>, <name>/byteorder, ...: the pickle holds the
// structure, and each tensor in it is a view of a storage, which is one stored entry.
//
//===----------------------------------------------------------------------===//

#include "Pickle.h"
#include "Readers.h"
#include "ZipDirectory.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace un0;
using namespace un0::import;
using llvm::ArrayRef;
using llvm::Error;
using llvm::Expected;
using llvm::StringRef;
using llvm::Twine;

/// Checksums of larger entries are left alone: a gigabyte takes a second, and weights are checked
/// for NaN later anyway.
constexpr size_t kMaxChecksummed = 16 << 20;

/// Bytes of one element of a storage type; 0 for one that no weight is stored in.
static unsigned getElementSize(StringRef storage) {
  return llvm::StringSwitch<unsigned>(storage)
      .Cases({"FloatStorage", "IntStorage"}, 4)
      .Cases({"HalfStorage", "BFloat16Storage", "ShortStorage"}, 2)
      .Cases({"DoubleStorage", "LongStorage", "ComplexFloatStorage"}, 8)
      .Cases({"CharStorage", "ByteStorage", "BoolStorage"}, 1)
      .Case("ComplexDoubleStorage", 16)
      .Default(0);
}

static std::optional<StorageType> getStorageType(StringRef storage) {
  return llvm::StringSwitch<std::optional<StorageType>>(storage)
      .Case("FloatStorage", StorageType::F32)
      .Case("HalfStorage", StorageType::F16)
      .Case("BFloat16Storage", StorageType::BF16)
      .Case("DoubleStorage", StorageType::F64)
      .Case("LongStorage", StorageType::I64)
      .Default(std::nullopt);
}

/// A plain value as text; none for a container and for None, which means "not given".
static std::optional<std::string> printScalar(const PickleValue &value) {
  std::string text;
  llvm::raw_string_ostream os(text);
  switch (value.kind) {
  case PickleValue::Bool:
    os << (value.integer ? "true" : "false");
    return text;
  case PickleValue::Int:
    os << value.integer;
    return text;
  case PickleValue::Float:
    os << llvm::format("%.17g", value.real);
    return text;
  case PickleValue::String:
    return value.text.str();
  default:
    return std::nullopt;
  }
}

namespace {

class TorchReader {
public:
  Error read(ArrayRef<uint8_t> file) {
    Expected<ZipDirectory> entries = readZipDirectory(file);
    if (!entries)
      return entries.takeError();
    directory = std::move(*entries);
    if (Error error = findPickle())
      return error;

    PickleArena arena;
    Expected<const PickleValue *> root = readPickle(pickle, arena);
    if (!root)
      return root.takeError();
    if ((*root)->kind != PickleValue::Dict)
      return makeError("the checkpoint is not a dict");
    contents.format = "torch";

    // A training checkpoint keeps its state dict under `model`; a bare state dict is taken as well.
    const PickleValue *model = (*root)->lookup("model");
    if (model && model->kind != PickleValue::Dict)
      return makeError("the checkpoint's 'model' is not a dict of tensors");
    if (const PickleValue *config = (*root)->lookup("config"))
      readConfig(*config);
    return readStateDict(model ? *model : **root);
  }

  ArchiveContents contents;

private:
  Error findPickle() {
    const ZipEntry *entry = nullptr;
    for (const auto &[name, candidate] : directory) {
      auto [folder, rest] = StringRef(name).split('/');
      if (rest != "data.pkl")
        continue;
      if (entry)
        return makeError("the zip archive holds two checkpoints, " + quote(prefix) + " and " +
                         quote(folder));
      entry = &candidate;
      prefix = folder.str();
    }
    if (!entry)
      return makeError("this zip archive is no torch checkpoint: it has no 'data.pkl'");
    if (directory.count(prefix + "/constants.pkl"))
      return makeError(
          "this is a TorchScript program, not a checkpoint; save its state_dict() instead");
    if (Error error = checkZipEntry(prefix + "/data.pkl", *entry))
      return error;
    pickle = entry->bytes;

    // Absent before torch 2.1, which then wrote little-endian on every machine we run on.
    auto order = directory.find(prefix + "/byteorder");
    if (order == directory.end())
      return Error::success();
    if (Error error = checkZipEntry(order->first, order->second))
      return error;
    StringRef text(reinterpret_cast<const char *>(order->second.bytes.data()),
                   order->second.bytes.size());
    return text == "little"
               ? Error::success()
               : makeError("the checkpoint's byte order is " + quote(text) + ", not 'little'");
  }

  void readConfig(const PickleValue &config) {
    if (config.kind != PickleValue::Dict)
      return;
    for (size_t i = 0; i + 1 < config.items.size(); i += 2) {
      if (config.items[i]->kind != PickleValue::String)
        continue;
      if (std::optional<std::string> text = printScalar(*config.items[i + 1]))
        contents.config[config.items[i]->text.str()] = std::move(*text);
    }
  }

  Error readStateDict(const PickleValue &dict) {
    for (size_t i = 0; i + 1 < dict.items.size(); i += 2) {
      const PickleValue &key = *dict.items[i], &value = *dict.items[i + 1];
      if (key.kind != PickleValue::String || value.kind != PickleValue::Tensor)
        continue;
      std::string name = stripCompilePrefix(key.text);
      if (contents.tensors.count(name) || contents.refusals.count(name))
        return makeError("tensor " + quote(name) + " occurs twice");
      if (Error error = readTensor(name, value))
        return error;
    }
    return Error::success();
  }

  Error readTensor(const std::string &name, const PickleValue &value) {
    auto fail = [&](const Twine &message) {
      return makeError("tensor " + quote(name) + ": " + message);
    };
    const PickleValue &storage = *value.items[0];
    StringRef typeName = storage.items[0]->text, key = storage.items[1]->text;
    int64_t storageCount = storage.items[3]->integer, offset = value.items[1]->integer;

    llvm::SmallVector<int64_t, 4> shape, strides;
    if (!getInts(*value.items[2], shape) || !getInts(*value.items[3], strides) ||
        shape.size() != strides.size())
      return fail("sizes and strides are not two lists of equally many numbers");
    std::optional<int64_t> count = countElements(shape);
    if (!count)
      return fail("the size of shape " + describeShape(shape) + " overflows");

    unsigned elementSize = getElementSize(typeName);
    if (elementSize == 0) {
      contents.refusals.emplace(
          name, ("it is stored as " + typeName + ", which is no type of weights").str());
      return Error::success();
    }
    auto entry = directory.find(prefix + "/data/" + key.str());
    if (entry == directory.end())
      return fail("its storage " + quote(key) + " is not in the archive");
    int64_t storageBytes = 0;
    if (storageCount < 0 || llvm::MulOverflow<int64_t>(storageCount, elementSize, storageBytes) ||
        static_cast<uint64_t>(storageBytes) != entry->second.bytes.size())
      return fail("storage " + quote(key) + " is said to have " + Twine(storageCount) +
                  " elements of " + typeName + " but has " + Twine(entry->second.bytes.size()) +
                  " bytes");
    if (offset < 0 || offset > storageCount || *count > storageCount - offset)
      return fail("shape " + describeShape(shape) + " at element " + Twine(offset) +
                  " is outside its storage of " + Twine(storageCount) + " elements");

    std::optional<StorageType> type = getStorageType(typeName);
    if (!type) {
      contents.refusals.emplace(
          name, ("it is stored as " + typeName + ", which is no type of weights").str());
      return Error::success();
    }
    if (*count != 0 && !isContiguous(shape, strides)) {
      contents.refusals.emplace(name, "it is not contiguous: shape " + describeShape(shape) +
                                          " has strides " + describeShape(strides) +
                                          "; call .contiguous() before saving");
      return Error::success();
    }
    if (entry->second.bytes.size() <= kMaxChecksummed && checked.insert(entry->first).second)
      if (Error error = checkZipEntry(entry->first, entry->second))
        return error;
    ArrayRef<uint8_t> bytes = entry->second.bytes.slice(offset * elementSize, *count * elementSize);
    contents.tensors.emplace(name, StoredTensor{*type, std::move(shape), bytes});
    return Error::success();
  }

  static bool getInts(const PickleValue &tuple, llvm::SmallVectorImpl<int64_t> &ints) {
    // Nothing in torch has more than 64 dimensions; a hostile tuple could be shared by a million
    // tensors.
    if (tuple.items.size() > 64)
      return false;
    for (const PickleValue *item : tuple.items) {
      if (item->kind != PickleValue::Int)
        return false;
      ints.push_back(item->integer);
    }
    return true;
  }

  /// Whether the strides are those of row-major order; a dimension of size 1 may have any. For
  /// shapes without a zero, where no part of the product can overflow if the whole does not.
  static bool isContiguous(ArrayRef<int64_t> shape, ArrayRef<int64_t> strides) {
    int64_t expected = 1;
    for (size_t i = shape.size(); i-- > 0;) {
      if (shape[i] != 1 && strides[i] != expected)
        return false;
      expected *= shape[i];
    }
    return true;
  }

  ZipDirectory directory;
  std::string prefix;
  ArrayRef<uint8_t> pickle;
  llvm::StringSet<> checked;
};

} // namespace

Expected<ArchiveContents> import::readTorchArchive(ArrayRef<uint8_t> file) {
  TorchReader reader;
  if (Error error = reader.read(file))
    return error;
  return std::move(reader.contents);
}
