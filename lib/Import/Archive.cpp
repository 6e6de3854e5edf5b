//===- Archive.cpp - tensors of a checkpoint, mapped ----------------------===//

#include "un0/Import/Archive.h"
#include "Readers.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/Process.h"
#include <cstring>
#include <sys/mman.h>

using namespace un0;
using namespace un0::import;
using llvm::ArrayRef;
using llvm::MutableArrayRef;
using llvm::StringRef;

//===----------------------------------------------------------------------===//
// Helpers of the readers
//===----------------------------------------------------------------------===//

llvm::Error import::makeError(const llvm::Twine &message) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), message);
}

std::string import::quote(StringRef name) {
  // Long enough for any real tensor name; a hostile one must not fill the terminal.
  constexpr size_t kLongest = 120;
  std::string text = "'";
  for (unsigned char c : name.take_front(kLongest)) {
    if (c >= 0x20 && c < 0x7f && c != '\'' && c != '\\')
      text += static_cast<char>(c);
    else
      text += "\\x" + llvm::utohexstr(c, /*LowerCase=*/true, /*Width=*/2);
  }
  text += name.size() > kLongest ? "...'" : "'";
  return text;
}

std::string import::describeShape(ArrayRef<int64_t> shape) {
  if (shape.empty())
    return "scalar";
  return llvm::join(llvm::map_range(shape, [](int64_t size) { return std::to_string(size); }), "x");
}

std::optional<int64_t> import::countElements(ArrayRef<int64_t> shape) {
  // A zero anywhere makes the product zero, but an overflow before it is still refused: no real
  // tensor is so shaped.
  int64_t count = 1;
  for (int64_t size : shape)
    if (size < 0 || llvm::MulOverflow(count, size, count))
      return std::nullopt;
  return count;
}

std::string import::stripCompilePrefix(StringRef key) {
  std::string stripped;
  while (true) {
    auto [component, rest] = key.split('.');
    bool isLast = component.size() == key.size();
    if (component != "_orig_mod") {
      stripped += component;
      if (!isLast)
        stripped += '.';
    }
    if (isLast)
      return stripped;
    key = rest;
  }
}

uint16_t import::readU16(const uint8_t *bytes) { return llvm::support::endian::read16le(bytes); }
uint32_t import::readU32(const uint8_t *bytes) { return llvm::support::endian::read32le(bytes); }
uint64_t import::readU64(const uint8_t *bytes) { return llvm::support::endian::read64le(bytes); }

FileKind import::detectFile(ArrayRef<uint8_t> file) {
  if (file.empty())
    return FileKind::Empty;
  StringRef text(reinterpret_cast<const char *>(file.data()), file.size());
  if (text.starts_with(StringRef("PK\x03\x04", 4)) || text.starts_with(StringRef("PK\x05\x06", 4)))
    return FileKind::Torch;
  if (text.starts_with("ML\xefR"))
    return FileKind::Bytecode;
  // A file of torch before 1.6: a pickle without the zip around it.
  if (text.starts_with("\x80\x02\x8a\x0al\xfc\x9c\x46\xf9"))
    return FileKind::LegacyTorch;
  // The header's length comes first and is far below 2^56, so that one of its bytes is zero; text
  // has no zero byte.
  if (text.size() > 8 && text[8] == '{' && text.take_front(8).contains('\0'))
    return FileKind::Safetensors;
  if (!text.take_front(4096).contains('\0') &&
      llvm::isPrint(text.ltrim("\xef\xbb\xbf \t\r\n").take_front(1).str()[0]))
    return FileKind::Text;
  return FileKind::Unknown;
}

llvm::Error import::makeUnknownFileError(ArrayRef<uint8_t> file) {
  switch (detectFile(file)) {
  case FileKind::Empty:
    return makeError("the file is empty");
  case FileKind::LegacyTorch:
    return makeError("this is a torch file from before torch 1.6, which is not a zip archive; load "
                     "it with torch and save "
                     "it again");
  default:
    return makeError(
        "this is no torch checkpoint, safetensors file or MLIR module: it starts with " +
        quote(StringRef(reinterpret_cast<const char *>(file.data()),
                        std::min<size_t>(file.size(), 8))));
  }
}

//===----------------------------------------------------------------------===//
// Stored tensors
//===----------------------------------------------------------------------===//

unsigned un0::getStorageSize(StorageType type) {
  switch (type) {
  case StorageType::F16:
  case StorageType::BF16:
    return 2;
  case StorageType::F32:
    return 4;
  case StorageType::F64:
  case StorageType::I64:
    return 8;
  }
  llvm_unreachable("unknown storage type");
}

StringRef un0::getStorageName(StorageType type) {
  switch (type) {
  case StorageType::F32:
    return "f32";
  case StorageType::F16:
    return "f16";
  case StorageType::BF16:
    return "bf16";
  case StorageType::F64:
    return "f64";
  case StorageType::I64:
    return "i64";
  }
  llvm_unreachable("unknown storage type");
}

int64_t StoredTensor::getNumElements() const {
  return static_cast<int64_t>(bytes.size() / getStorageSize(type));
}

template <typename To, typename From> static To bitCast(From from) {
  static_assert(sizeof(To) == sizeof(From), "a bit cast keeps the size");
  To to;
  std::memcpy(&to, &from, sizeof(to));
  return to;
}

/// IEEE 754 half to single, without a branch, so that the loop around it is vectorized for any
/// x86-64.
static float convertHalf(uint16_t half) {
  uint32_t magnitude = static_cast<uint32_t>(half & 0x7fff) << 13;
  uint32_t exponent = magnitude & 0x0f800000;
  // Rebias by 127 - 15; infinities and NaN need as much again.
  uint32_t normal = magnitude + 0x38000000 + (exponent == 0x0f800000 ? 0x38000000 : 0);
  // A subnormal is its mantissa times 2^-24: put it under the exponent of 2^-14 and take that off
  // again.
  float subnormal = bitCast<float>(magnitude + 0x38800000u) - bitCast<float>(0x38800000u);
  uint32_t bits = exponent == 0 ? bitCast<uint32_t>(subnormal) : normal;
  return bitCast<float>(bits | static_cast<uint32_t>(half & 0x8000) << 16);
}

static float convertBFloat(uint16_t bits) {
  return bitCast<float>(static_cast<uint32_t>(bits) << 16);
}

/// Converts `out.size()` elements of `Stored` from `from`, which need not be aligned.
template <typename Stored, typename T, typename Convert>
static void convertAll(const uint8_t *from, MutableArrayRef<T> out, Convert convert) {
  for (size_t i = 0; i < out.size(); ++i) {
    Stored stored;
    std::memcpy(&stored, from + i * sizeof(Stored), sizeof(Stored));
    out[i] = static_cast<T>(convert(stored));
  }
}

template <typename T>
static void readAs(const StoredTensor &tensor, int64_t first, MutableArrayRef<T> out) {
  static_assert(llvm::endianness::native == llvm::endianness::little,
                "stored tensors are little-endian");
  assert(first >= 0 && first + static_cast<int64_t>(out.size()) <= tensor.getNumElements() &&
         "range outside the tensor");
  const uint8_t *from = tensor.bytes.data() + first * getStorageSize(tensor.type);
  auto same = [](auto value) { return value; };
  switch (tensor.type) {
  case StorageType::F32:
    return convertAll<float>(from, out, same);
  case StorageType::F64:
    return convertAll<double>(from, out, same);
  case StorageType::I64:
    return convertAll<int64_t>(from, out, same);
  case StorageType::F16:
    return convertAll<uint16_t>(from, out, convertHalf);
  case StorageType::BF16:
    return convertAll<uint16_t>(from, out, convertBFloat);
  }
}

void StoredTensor::readF32(int64_t first, MutableArrayRef<float> out) const {
  readAs(*this, first, out);
}
void StoredTensor::readF64(int64_t first, MutableArrayRef<double> out) const {
  readAs(*this, first, out);
}

//===----------------------------------------------------------------------===//
// Archives
//===----------------------------------------------------------------------===//

namespace {
/// An archive and, where it was opened by name, the mapping its tensors look into.
class LoadedArchive : public Archive {
public:
  LoadedArchive(ArchiveContents contents, uint64_t size) {
    tensors = std::move(contents.tensors);
    refusals = std::move(contents.refusals);
    config = std::move(contents.config);
    format = std::move(contents.format);
    fileSize = size;
  }

  void keep(llvm::sys::fs::mapped_file_region region) {
    mapping = std::move(region);
    mapped = true;
  }

private:
  llvm::sys::fs::mapped_file_region mapping;
};
} // namespace

static llvm::Expected<ArchiveContents> readContents(ArrayRef<uint8_t> bytes) {
  switch (detectFile(bytes)) {
  case FileKind::Safetensors:
    return readSafetensors(bytes);
  case FileKind::Torch:
    return readTorchArchive(bytes);
  default:
    return makeUnknownFileError(bytes);
  }
}

llvm::Expected<std::shared_ptr<Archive>> Archive::read(ArrayRef<uint8_t> bytes) {
  llvm::Expected<ArchiveContents> contents = readContents(bytes);
  if (!contents)
    return contents.takeError();
  return std::make_shared<LoadedArchive>(std::move(*contents), bytes.size());
}

llvm::Expected<std::shared_ptr<Archive>> Archive::open(StringRef path) {
  auto fail = [&](const llvm::Twine &message) { return makeError(path + ": " + message); };

  llvm::sys::fs::file_status status;
  if (std::error_code error = llvm::sys::fs::status(path, status))
    return fail(error.message());
  // A directory or a device cannot be mapped, and its size means nothing.
  if (status.type() != llvm::sys::fs::file_type::regular_file)
    return fail("this is not a regular file");
  if (status.getSize() == 0)
    return fail("the file is empty");

  llvm::Expected<llvm::sys::fs::file_t> file = llvm::sys::fs::openNativeFileForRead(path);
  if (!file)
    return fail(llvm::toString(file.takeError()));
  std::error_code error;
  llvm::sys::fs::mapped_file_region region(*file, llvm::sys::fs::mapped_file_region::readonly,
                                           status.getSize(), 0, error);
  // The mapping stays; that the descriptor could not be closed is no reason to fail.
  (void)llvm::sys::fs::closeFile(*file);
  if (error)
    return fail("cannot map the file: " + error.message());

  ArrayRef<uint8_t> bytes(reinterpret_cast<const uint8_t *>(region.const_data()), region.size());
  llvm::Expected<ArchiveContents> contents = readContents(bytes);
  if (!contents)
    return fail(llvm::toString(contents.takeError()));
  auto archive = std::make_shared<LoadedArchive>(std::move(*contents), bytes.size());
  archive->keep(std::move(region));
  return archive;
}

const StoredTensor *Archive::find(StringRef key) const {
  auto it = tensors.find(key.str());
  return it == tensors.end() ? nullptr : &it->second;
}

const std::string *Archive::findRefusal(StringRef key) const {
  auto it = refusals.find(key.str());
  return it == refusals.end() ? nullptr : &it->second;
}

void Archive::release(const StoredTensor &tensor, int64_t first, int64_t count) const {
  // Dropping pages of anything but a mapped file would lose what is in them.
  if (!mapped)
    return;
  static const uint64_t pageSize = llvm::sys::Process::getPageSizeEstimate();
  uint64_t begin =
      reinterpret_cast<uintptr_t>(tensor.bytes.data()) + first * getStorageSize(tensor.type);
  uint64_t end = begin + count * getStorageSize(tensor.type);
  // The page where the next piece begins is still needed; the one where this piece begins is not.
  begin = llvm::alignDown(begin, pageSize);
  end = llvm::alignDown(end, pageSize);
  if (begin < end)
    ::madvise(reinterpret_cast<void *>(begin), end - begin, MADV_DONTNEED);
}
