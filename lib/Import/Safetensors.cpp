//===- Safetensors.cpp - the safetensors format ---------------------------===//
//
// A safetensors file is a 64-bit header length, a JSON object {name: {dtype, shape, data_offsets}}
// with an optional
// "__metadata__" of strings, and the bytes of the tensors without holes. The header is read in one
// pass by a parser of exactly that grammar: a general JSON tree would cost tens of bytes per byte
// of a hostile header, would recurse as deep as the file asks, and would silently keep one of two
// tensors of the same name.
//
//===----------------------------------------------------------------------===//

#include "Readers.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/ConvertUTF.h"
#include "llvm/Support/JSON.h"

using namespace un0;
using namespace un0::import;
using llvm::ArrayRef;
using llvm::Error;
using llvm::Expected;
using llvm::SmallVector;
using llvm::StringRef;
using llvm::Twine;

namespace {

/// Longest header in bytes, as in the reference implementation of the format.
constexpr uint64_t kMaxHeader = 100'000'000;
/// No tensor of any framework has more dimensions.
constexpr size_t kMaxRank = 64;

/// One entry of the header, unchecked.
struct Entry {
  std::string dtype;
  SmallVector<int64_t, 4> shape;
  SmallVector<int64_t, 2> offsets;
};

/// Parser of the header. Every function returns an error as soon as the text leaves the grammar.
class HeaderParser {
public:
  explicit HeaderParser(StringRef text) : text(text) {}

  Error parse(std::map<std::string, Entry> &entries, std::map<std::string, std::string> &metadata) {
    if (Error error = parseObject([&](std::string name) -> Error {
          if (name == "__metadata__") {
            if (sawMetadata)
              return fail("'__metadata__' occurs twice");
            sawMetadata = true;
            return parseMetadata(metadata);
          }
          auto [it, inserted] = entries.try_emplace(std::move(name));
          if (!inserted)
            return fail("tensor " + quote(it->first) + " occurs twice");
          return parseEntry(it->first, it->second);
        }))
      return error;
    skipSpace();
    // The header may be padded with spaces, and with nothing else.
    return position == text.size() ? Error::success() : fail("there is text behind the object");
  }

private:
  Error fail(const Twine &message) {
    return makeError("safetensors header, byte " + Twine(position) + ": " + message);
  }

  void skipSpace() {
    while (position < text.size() && StringRef(" \t\r\n").contains(text[position]))
      ++position;
  }

  bool consume(char c) {
    skipSpace();
    if (position == text.size() || text[position] != c)
      return false;
    ++position;
    return true;
  }

  Error expect(char c) {
    return consume(c) ? Error::success() : fail(Twine("expected '") + Twine(c) + "'");
  }

  /// `{ "key": <member> , ... }`
  template <typename Member> Error parseObject(Member member) {
    if (Error error = expect('{'))
      return error;
    if (consume('}'))
      return Error::success();
    do {
      std::string key;
      if (Error error = parseString(key))
        return error;
      if (Error error = expect(':'))
        return error;
      if (Error error = member(std::move(key)))
        return error;
    } while (consume(','));
    return expect('}');
  }

  Error parseMetadata(std::map<std::string, std::string> &metadata) {
    return parseObject([&](std::string key) -> Error {
      std::string value;
      if (Error error = parseString(value))
        return error;
      auto [it, inserted] = metadata.try_emplace(std::move(key), std::move(value));
      return inserted ? Error::success() : fail("metadata " + quote(it->first) + " occurs twice");
    });
  }

  Error parseEntry(StringRef name, Entry &entry) {
    bool sawDtype = false, sawShape = false, sawOffsets = false;
    if (Error error = parseObject([&](const std::string &key) -> Error {
          bool *saw = llvm::StringSwitch<bool *>(key)
                          .Case("dtype", &sawDtype)
                          .Case("shape", &sawShape)
                          .Case("data_offsets", &sawOffsets)
                          .Default(nullptr);
          if (!saw)
            return fail("tensor " + quote(name) + " has an unknown field " + quote(key));
          if (std::exchange(*saw, true))
            return fail("tensor " + quote(name) + " has two fields " + quote(key));
          if (saw == &sawDtype)
            return parseString(entry.dtype);
          return saw == &sawShape ? parseSizes(entry.shape, kMaxRank)
                                  : parseSizes(entry.offsets, 2);
        }))
      return error;
    for (auto [saw, field] :
         {std::pair(sawDtype, "dtype"), {sawShape, "shape"}, {sawOffsets, "data_offsets"}})
      if (!saw)
        return fail("tensor " + quote(name) + " has no field '" + field + "'");
    return Error::success();
  }

  /// `[ 1, 2, ... ]`, whole numbers from 0 to 2^63 - 1, at most `limit` of them.
  template <typename Vector> Error parseSizes(Vector &sizes, size_t limit) {
    if (Error error = expect('['))
      return error;
    if (consume(']'))
      return Error::success();
    do {
      skipSpace();
      StringRef digits = text.substr(position).take_while(llvm::isDigit);
      int64_t size = 0;
      if (digits.empty())
        return fail("expected a whole number that is not negative");
      if (digits.getAsInteger(10, size))
        return fail("the number " + quote(digits) + " does not fit in 63 bits");
      if (sizes.size() == limit)
        return fail("more than " + Twine(limit) + " numbers in a list");
      position += digits.size();
      sizes.push_back(size);
    } while (consume(','));
    return expect(']');
  }

  Error parseString(std::string &out) {
    if (!consume('"'))
      return fail("expected a string");
    while (position < text.size()) {
      unsigned char c = text[position++];
      if (c == '"')
        return llvm::json::isUTF8(out) ? Error::success() : fail("a string is not UTF-8");
      if (c < 0x20)
        return fail("a control character in a string");
      if (c != '\\') {
        out += static_cast<char>(c);
        continue;
      }
      if (Error error = parseEscape(out))
        return error;
    }
    return fail("a string does not end");
  }

  Error parseEscape(std::string &out) {
    if (position == text.size())
      return fail("a string does not end");
    char c = text[position++];
    size_t simple = StringRef("\"\\/bfnrt").find(c);
    if (simple != StringRef::npos) {
      out += "\"\\/\b\f\n\r\t"[simple];
      return Error::success();
    }
    uint32_t unit = 0;
    if (c != 'u' || !parseHex(unit))
      return fail("an unknown escape in a string");
    // A code point above 0xffff is written as two escapes, a surrogate pair.
    if (unit >= 0xd800 && unit < 0xdc00) {
      uint32_t low = 0;
      if (!text.substr(position).starts_with("\\u"))
        return fail("half a surrogate pair in a string");
      position += 2;
      if (!parseHex(low) || low < 0xdc00 || low >= 0xe000)
        return fail("half a surrogate pair in a string");
      unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
    } else if (unit >= 0xdc00 && unit < 0xe000) {
      return fail("half a surrogate pair in a string");
    }
    char utf8[UNI_MAX_UTF8_BYTES_PER_CODE_POINT];
    char *end = utf8;
    if (!llvm::ConvertCodePointToUTF8(unit, end))
      return fail("an unknown escape in a string");
    out.append(utf8, end);
    return Error::success();
  }

  bool parseHex(uint32_t &unit) {
    StringRef digits = text.substr(position, 4);
    if (digits.size() != 4 || !llvm::all_of(digits, llvm::isHexDigit) ||
        digits.getAsInteger(16, unit))
      return false;
    position += 4;
    return true;
  }

  StringRef text;
  size_t position = 0;
  bool sawMetadata = false;
};

} // namespace

/// Bits of one element of a dtype of the format; none for a dtype that does not exist.
static std::optional<unsigned> getDtypeBits(StringRef dtype) {
  unsigned bits = llvm::StringSwitch<unsigned>(dtype)
                      .Case("F4", 4)
                      .Cases({"F6_E2M3", "F6_E3M2"}, 6)
                      .Cases({"BOOL", "U8", "I8", "F8_E5M2", "F8_E4M3", "F8_E8M0", "F8_E5M2FNUZ",
                              "F8_E4M3FNUZ"},
                             8)
                      .Cases({"I16", "U16", "F16", "BF16"}, 16)
                      .Cases({"I32", "U32", "F32"}, 32)
                      .Cases({"I64", "U64", "F64", "C64"}, 64)
                      .Default(0);
  return bits ? std::optional(bits) : std::nullopt;
}

static std::optional<StorageType> getStorageType(StringRef dtype) {
  return llvm::StringSwitch<std::optional<StorageType>>(dtype)
      .Case("F32", StorageType::F32)
      .Case("F16", StorageType::F16)
      .Case("BF16", StorageType::BF16)
      .Case("F64", StorageType::F64)
      .Case("I64", StorageType::I64)
      .Default(std::nullopt);
}

/// Checks one entry against the `dataSize` bytes behind the header.
static Error checkEntry(StringRef name, const Entry &entry, uint64_t dataSize) {
  auto fail = [&](const Twine &message) {
    return makeError("tensor " + quote(name) + ": " + message);
  };
  std::optional<unsigned> bits = getDtypeBits(entry.dtype);
  if (!bits)
    return fail("unknown dtype " + quote(entry.dtype));
  if (entry.offsets.size() != 2)
    return fail("data_offsets has " + Twine(entry.offsets.size()) + " numbers instead of 2");
  uint64_t begin = entry.offsets[0], end = entry.offsets[1];
  if (begin > end || end > dataSize)
    return fail("bytes " + Twine(begin) + " to " + Twine(end) + " are not inside the " +
                Twine(dataSize) + " bytes of data; the file is truncated or altered");
  std::optional<int64_t> count = countElements(entry.shape);
  int64_t totalBits = 0;
  if (!count || llvm::MulOverflow<int64_t>(*count, *bits, totalBits))
    return fail("the size of shape " + describeShape(entry.shape) + " overflows");
  if (totalBits % 8 != 0 || static_cast<uint64_t>(totalBits / 8) != end - begin)
    return fail("shape " + describeShape(entry.shape) + " of " + entry.dtype + " takes " +
                Twine((static_cast<uint64_t>(totalBits) + 7) / 8) +
                " bytes but data_offsets gives " + Twine(end - begin));
  return Error::success();
}

/// The format leaves no byte out and uses none twice, so that a file cannot mean two things.
static Error checkCoverage(const std::map<std::string, Entry> &entries, uint64_t dataSize) {
  struct Range {
    uint64_t begin, end;
    StringRef name;
  };
  std::vector<Range> ranges;
  ranges.reserve(entries.size());
  for (const auto &[name, entry] : entries)
    ranges.push_back(
        {static_cast<uint64_t>(entry.offsets[0]), static_cast<uint64_t>(entry.offsets[1]), name});
  llvm::sort(ranges, [](const Range &a, const Range &b) {
    return std::tie(a.begin, a.end) < std::tie(b.begin, b.end);
  });
  uint64_t covered = 0;
  StringRef previous;
  for (const Range &range : ranges) {
    if (range.begin < covered)
      return makeError("tensors " + quote(previous) + " and " + quote(range.name) +
                       " overlap at byte " + Twine(range.begin) + " of the data");
    if (range.begin > covered)
      return makeError("bytes " + Twine(covered) + " to " + Twine(range.begin) +
                       " of the data belong to no tensor");
    covered = range.end;
    previous = range.name;
  }
  if (covered != dataSize)
    return makeError("bytes " + Twine(covered) + " to " + Twine(dataSize) +
                     " of the data belong to no tensor");
  return Error::success();
}

Expected<ArchiveContents> import::readSafetensors(ArrayRef<uint8_t> file) {
  if (file.size() < 8)
    return makeError("a safetensors file begins with a length of 8 bytes, but this file has " +
                     Twine(file.size()));
  uint64_t headerSize = readU64(file.data());
  if (headerSize > kMaxHeader)
    return makeError("the safetensors header claims " + Twine(headerSize) +
                     " bytes, more than the format's limit of " + Twine(kMaxHeader));
  if (headerSize > file.size() - 8)
    return makeError("the safetensors header claims " + Twine(headerSize) + " bytes but only " +
                     Twine(file.size() - 8) + " follow; the file is truncated or altered");

  ArchiveContents contents;
  contents.format = "safetensors";
  std::map<std::string, Entry> entries;
  StringRef header(reinterpret_cast<const char *>(file.data()) + 8, headerSize);
  if (Error error = HeaderParser(header).parse(entries, contents.config))
    return error;

  ArrayRef<uint8_t> data = file.drop_front(8 + headerSize);
  for (const auto &[name, entry] : entries)
    if (Error error = checkEntry(name, entry, data.size()))
      return error;
  if (Error error = checkCoverage(entries, data.size()))
    return error;

  for (auto &[name, entry] : entries) {
    std::string key = stripCompilePrefix(name);
    if (contents.tensors.count(key) || contents.refusals.count(key))
      return makeError("tensor " + quote(key) + " occurs twice, with and without '_orig_mod'");
    std::optional<StorageType> type = getStorageType(entry.dtype);
    if (!type) {
      contents.refusals.emplace(std::move(key),
                                "it is stored as " + entry.dtype + ", which is no type of weights");
      continue;
    }
    ArrayRef<uint8_t> bytes = data.slice(entry.offsets[0], entry.offsets[1] - entry.offsets[0]);
    contents.tensors.emplace(std::move(key), StoredTensor{*type, std::move(entry.shape), bytes});
  }
  return contents;
}
