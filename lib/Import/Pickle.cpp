//===- Pickle.cpp - the pickle opcodes that torch writes ------------------===//

#include "Pickle.h"
#include "Readers.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/Endian.h"
#include <unordered_map>

using namespace un0;
using namespace un0::import;
using llvm::ArrayRef;
using llvm::Error;
using llvm::Expected;
using llvm::StringRef;
using llvm::Twine;

namespace {

/// A published checkpoint's pickle has some thousand bytes and a training checkpoint's some ten
/// thousand.
constexpr size_t kMaxPickle = 64 << 20;
constexpr size_t kMaxValues = 1 << 20, kMaxStack = 1 << 20, kMaxMemo = 1 << 20;

/// What a name of the closed list makes when it is called.
enum class Callee { Unknown, OrderedDict, RebuildTensor, RebuildParameter, Inert };

} // namespace

/// The closed list: what `torch.load(weights_only=True)` needs for tensors, optimizer states and
/// plain values.
static Callee classify(StringRef module, StringRef name) {
  std::string dotted = (module + "." + name).str();
  if ((module == "torch" && name.ends_with("Storage")) || module == "torch.storage")
    return llvm::StringSwitch<Callee>(name)
        .Cases({"FloatStorage", "HalfStorage", "BFloat16Storage", "DoubleStorage"}, Callee::Inert)
        .Cases({"LongStorage", "IntStorage", "ShortStorage", "CharStorage"}, Callee::Inert)
        .Cases({"ByteStorage", "BoolStorage", "ComplexFloatStorage", "ComplexDoubleStorage"},
               Callee::Inert)
        .Cases({"TypedStorage", "UntypedStorage", "_TypedStorage", "_UntypedStorage"},
               Callee::Inert)
        .Default(Callee::Unknown);
  return llvm::StringSwitch<Callee>(dotted)
      .Case("collections.OrderedDict", Callee::OrderedDict)
      .Cases({"torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_tensor"},
             Callee::RebuildTensor)
      .Cases({"torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state"},
             Callee::RebuildParameter)
      .Cases({"torch._utils._rebuild_tensor_v3", "torch.Size", "torch.device",
              "torch.nn.parameter.Parameter"},
             Callee::Inert)
      .Cases({"torch.float32", "torch.float16", "torch.bfloat16", "torch.float64"}, Callee::Inert)
      .Cases(
          {"torch.int64", "torch.int32", "torch.int16", "torch.int8", "torch.uint8", "torch.bool"},
          Callee::Inert)
      .Cases({"collections.Counter", "_codecs.encode"}, Callee::Inert)
      .Cases({"builtins.set", "builtins.frozenset", "builtins.complex", "builtins.bytearray"},
             Callee::Inert)
      .Cases({"__builtin__.set", "__builtin__.frozenset", "__builtin__.complex",
              "__builtin__.bytearray"},
             Callee::Inert)
      .Default(Callee::Unknown);
}

namespace {

class Machine {
public:
  Machine(ArrayRef<uint8_t> pickle, PickleArena &arena) : pickle(pickle), arena(arena) {}

  Expected<const PickleValue *> run() {
    if (pickle.size() > kMaxPickle)
      return makeError("the pickle has " + Twine(pickle.size()) +
                       " bytes, more than the limit of " + Twine(kMaxPickle));
    while (!result) {
      opcodeAt = position;
      uint8_t opcode = 0;
      if (!take(opcode))
        return makeError("the pickle has no end; it is truncated");
      if (Error error = step(opcode))
        return error;
    }
    return result;
  }

private:
  using Kind = PickleValue::Kind;

  //===--- Failures ---------------------------------------------------------===//

  Error fail(const Twine &message) {
    return makeError("pickle, byte " + Twine(opcodeAt) + ": " + message);
  }
  Error failTruncated() { return fail("the pickle is truncated"); }

  //===--- Bytes ------------------------------------------------------------===//

  template <typename T> bool take(T &value) {
    if (pickle.size() - position < sizeof(T))
      return false;
    value = llvm::support::endian::read<T, llvm::endianness::little>(pickle.data() + position);
    position += sizeof(T);
    return true;
  }

  bool takeBytes(uint64_t size, StringRef &bytes) {
    if (size > pickle.size() - position)
      return false;
    bytes = StringRef(reinterpret_cast<const char *>(pickle.data()) + position, size);
    position += size;
    return true;
  }

  bool takeLine(StringRef &line) {
    StringRef rest(reinterpret_cast<const char *>(pickle.data()) + position,
                   pickle.size() - position);
    size_t end = rest.find('\n');
    if (end == StringRef::npos)
      return false;
    line = rest.take_front(end);
    position += end + 1;
    return true;
  }

  //===--- Stack ------------------------------------------------------------===//

  /// The first stack slot that belongs to the innermost mark.
  size_t base() const { return marks.empty() ? 0 : marks.back(); }

  Error push(PickleValue *value) {
    if (stack.size() == kMaxStack)
      return fail("more than " + Twine(kMaxStack) + " values on the stack");
    stack.push_back(value);
    return Error::success();
  }

  Expected<PickleValue *> make(Kind kind) {
    if (arena.size() == kMaxValues)
      return fail("more than " + Twine(kMaxValues) + " values");
    PickleValue &value = arena.emplace_back();
    value.kind = kind;
    return &value;
  }

  template <typename Fill> Error pushNew(Kind kind, Fill fill) {
    Expected<PickleValue *> value = make(kind);
    if (!value)
      return value.takeError();
    fill(**value);
    return push(*value);
  }
  Error pushNew(Kind kind) {
    return pushNew(kind, [](PickleValue &) {});
  }
  Error pushInt(int64_t integer) {
    return pushNew(Kind::Int, [&](PickleValue &value) { value.integer = integer; });
  }
  Error pushBool(bool flag) {
    return pushNew(Kind::Bool, [&](PickleValue &value) { value.integer = flag; });
  }

  bool has(size_t count) const { return stack.size() - base() >= count; }

  PickleValue *pop() {
    PickleValue *value = stack.back();
    stack.pop_back();
    return value;
  }

  /// Replaces the top `count` values by a tuple of them.
  Error pushTuple(size_t count) {
    if (!has(count))
      return fail("a tuple of " + Twine(count) + " on a stack that has less");
    std::vector<const PickleValue *> items(stack.end() - count, stack.end());
    stack.resize(stack.size() - count);
    return pushNew(Kind::Tuple, [&](PickleValue &value) { value.items = std::move(items); });
  }

  /// Takes the values above the innermost mark, and the mark.
  Error takeMarked(std::vector<const PickleValue *> &items) {
    if (marks.empty())
      return fail("a mark is missing");
    items.assign(stack.begin() + marks.back(), stack.end());
    stack.resize(marks.back());
    marks.pop_back();
    return Error::success();
  }

  Error append(ArrayRef<const PickleValue *> items) {
    if (!has(1))
      return fail("nothing to append to");
    PickleValue *list = stack.back();
    if (list->kind != Kind::List && list->kind != Kind::Opaque)
      return fail("appends to something that is no list");
    if (list->kind == Kind::List)
      list->items.insert(list->items.end(), items.begin(), items.end());
    return Error::success();
  }

  Error setItems(ArrayRef<const PickleValue *> items) {
    if (!has(1) || items.size() % 2 != 0)
      return fail("sets items of nothing, or half an item");
    PickleValue *dict = stack.back();
    if (dict->kind != Kind::Dict && dict->kind != Kind::Opaque)
      return fail("sets items of something that is no dict");
    if (dict->kind == Kind::Dict)
      dict->items.insert(dict->items.end(), items.begin(), items.end());
    return Error::success();
  }

  //===--- Memo -------------------------------------------------------------===//

  Error put(uint64_t index) {
    if (!has(1))
      return fail("nothing to remember");
    if (memo.size() == kMaxMemo)
      return fail("more than " + Twine(kMaxMemo) + " remembered values");
    memo[index] = stack.back();
    return Error::success();
  }

  Error get(uint64_t index) {
    auto it = memo.find(index);
    return it == memo.end() ? fail("value " + Twine(index) + " was never remembered")
                            : push(it->second);
  }

  //===--- Names and calls --------------------------------------------------===//

  Error pushGlobal(StringRef module, StringRef name) {
    if (classify(module, name) == Callee::Unknown)
      return fail("asks for " + quote((module + "." + name).str()) +
                  ", which is not among the names that a checkpoint of tensors needs; nothing was "
                  "executed");
    return pushNew(Kind::Global, [&](PickleValue &value) {
      value.module = module;
      value.text = name;
    });
  }

  /// REDUCE and NEWOBJ: callee and arguments become what the call would return, as far as a reader
  /// needs it.
  Error call() {
    if (!has(2))
      return fail("a call without a callee");
    const PickleValue *arguments = pop(), *callee = pop();
    if (callee->kind != Kind::Global || arguments->kind != Kind::Tuple)
      return fail("calls something that is no name of the list");
    ArrayRef<const PickleValue *> items = arguments->items;
    switch (classify(callee->module, callee->text)) {
    case Callee::OrderedDict:
      // Items are set afterwards; a copy of a list would make the work quadratic.
      return pushNew(items.empty() ? Kind::Dict : Kind::Opaque);
    case Callee::RebuildTensor:
      if (items.size() < 4 || items[0]->kind != Kind::Storage || items[1]->kind != Kind::Int ||
          items[2]->kind != Kind::Tuple || items[3]->kind != Kind::Tuple)
        return fail("a tensor is not made of storage, offset, sizes and strides");
      return pushNew(Kind::Tensor,
                     [&](PickleValue &value) { value.items = items.take_front(4).vec(); });
    case Callee::RebuildParameter:
      if (items.empty() || items[0]->kind != Kind::Tensor)
        return fail("a parameter is not made of a tensor");
      return push(const_cast<PickleValue *>(items[0]));
    case Callee::Inert:
      return pushNew(Kind::Opaque);
    case Callee::Unknown:
      break;
    }
    return fail("calls something that is no name of the list");
  }

  /// BINPERSID: ('storage', type, key, location, number of elements).
  Error pushStorage() {
    if (!has(1))
      return fail("a storage without a description");
    const PickleValue *id = pop();
    ArrayRef<const PickleValue *> items = id->items;
    if (id->kind != Kind::Tuple || items.size() < 5 || items[0]->kind != Kind::String ||
        items[0]->text != "storage" || items[1]->kind != Kind::Global ||
        !items[1]->text.ends_with("Storage") || items[2]->kind != Kind::String ||
        items[4]->kind != Kind::Int)
      return fail("a storage is not described by type, key, location and size");
    return pushNew(Kind::Storage,
                   [&](PickleValue &value) { value.items = items.slice(1, 4).vec(); });
  }

  /// LONG1, LONG4: a little-endian two's complement number. One that does not fit is of no use to a
  /// reader.
  Error pushLong(uint64_t size) {
    StringRef bytes;
    if (!takeBytes(size, bytes))
      return failTruncated();
    if (size > 8)
      return pushNew(Kind::Opaque);
    uint64_t bits = size != 0 && (bytes.back() & 0x80) ? ~uint64_t(0) : 0;
    for (char c : llvm::reverse(bytes))
      bits = bits << 8 | static_cast<uint8_t>(c);
    return pushInt(static_cast<int64_t>(bits));
  }

  template <typename Size> Error pushText(Kind kind) {
    Size size;
    StringRef bytes;
    if (!take(size) || !takeBytes(size, bytes))
      return failTruncated();
    return pushNew(kind, [&](PickleValue &value) { value.text = bytes; });
  }

  template <typename T> Error withOperand(Error (Machine::*action)(uint64_t)) {
    T operand;
    return take(operand) ? (this->*action)(operand) : failTruncated();
  }

  Error step(uint8_t opcode);

  ArrayRef<uint8_t> pickle;
  PickleArena &arena;
  size_t position = 0, opcodeAt = 0;
  std::vector<PickleValue *> stack;
  std::vector<size_t> marks;
  std::unordered_map<uint64_t, PickleValue *> memo;
  const PickleValue *result = nullptr;
};

} // namespace

Error Machine::step(uint8_t opcode) {
  std::vector<const PickleValue *> items;
  StringRef first, second;
  switch (opcode) {
  case 0x80: { // PROTO
    uint8_t version = 0;
    if (!take(version))
      return failTruncated();
    return version >= 2 && version <= 5
               ? Error::success()
               : fail("protocol " + Twine(unsigned(version)) + " is not 2 to 5");
  }
  case 0x95: { // FRAME: a hint for buffered readers
    uint64_t size = 0;
    return take(size) ? Error::success() : failTruncated();
  }
  case '.': // STOP
    if (!has(1))
      return fail("ends without a value");
    result = stack.back();
    return Error::success();

  // Plain values.
  case 'N':
    return pushNew(Kind::None);
  case 0x88:
    return pushBool(true);
  case 0x89:
    return pushBool(false);
  case 'K': { // BININT1
    uint8_t value = 0;
    return take(value) ? pushInt(value) : failTruncated();
  }
  case 'M': { // BININT2
    uint16_t value = 0;
    return take(value) ? pushInt(value) : failTruncated();
  }
  case 'J': { // BININT
    int32_t value = 0;
    return take(value) ? pushInt(value) : failTruncated();
  }
  case 0x8a: // LONG1
    return withOperand<uint8_t>(&Machine::pushLong);
  case 0x8b: // LONG4, whose negative sizes are far beyond any pickle as unsigned ones
    return withOperand<uint32_t>(&Machine::pushLong);
  case 'G': { // BINFLOAT, the one big-endian number
    StringRef bytes;
    if (!takeBytes(8, bytes))
      return failTruncated();
    double real = llvm::bit_cast<double>(llvm::support::endian::read64be(bytes.data()));
    return pushNew(Kind::Float, [&](PickleValue &value) { value.real = real; });
  }
  case 'X': // BINUNICODE
    return pushText<uint32_t>(Kind::String);
  case 0x8c: // SHORT_BINUNICODE
    return pushText<uint8_t>(Kind::String);
  case 0x8d: // BINUNICODE8
    return pushText<uint64_t>(Kind::String);
  case 'U': // SHORT_BINSTRING
  case 'C': // SHORT_BINBYTES
    return pushText<uint8_t>(Kind::Opaque);
  case 'T': // BINSTRING
  case 'B': // BINBYTES
    return pushText<uint32_t>(Kind::Opaque);
  case 0x8e: // BINBYTES8
  case 0x96: // BYTEARRAY8
    return pushText<uint64_t>(Kind::Opaque);

  // Containers.
  case '(': // MARK
    if (marks.size() == kMaxStack)
      return fail("more than " + Twine(kMaxStack) + " marks");
    marks.push_back(stack.size());
    return Error::success();
  case ')':
    return pushNew(Kind::Tuple);
  case ']':
    return pushNew(Kind::List);
  case '}':
    return pushNew(Kind::Dict);
  case 0x8f: // EMPTY_SET
    return pushNew(Kind::Opaque);
  case 0x85: // TUPLE1
  case 0x86: // TUPLE2
  case 0x87: // TUPLE3
    return pushTuple(opcode - 0x84);
  case 't':    // TUPLE
  case 'l':    // LIST
  case 'd':    // DICT
  case 0x91: { // FROZENSET
    if (Error error = takeMarked(items))
      return error;
    if (opcode == 'd' && items.size() % 2 != 0)
      return fail("half an item of a dict");
    Kind kind = opcode == 't'   ? Kind::Tuple
                : opcode == 'l' ? Kind::List
                : opcode == 'd' ? Kind::Dict
                                : Kind::Opaque;
    return pushNew(kind, [&](PickleValue &value) {
      if (kind != Kind::Opaque)
        value.items = std::move(items);
    });
  }
  case 'a': // APPEND
    if (!has(2))
      return fail("nothing to append");
    items.push_back(pop());
    return append(items);
  case 'e':  // APPENDS
  case 0x90: // ADDITEMS
    if (Error error = takeMarked(items))
      return error;
    return append(items);
  case 's': // SETITEM
    if (!has(3))
      return fail("nothing to set");
    items = {stack[stack.size() - 2], stack.back()};
    stack.resize(stack.size() - 2);
    return setItems(items);
  case 'u': // SETITEMS
    if (Error error = takeMarked(items))
      return error;
    return setItems(items);

  // Stack and memo.
  case '0': // POP, which also takes a mark
    if (has(1))
      stack.pop_back();
    else if (!marks.empty())
      marks.pop_back();
    else
      return fail("takes from an empty stack");
    return Error::success();
  case '1': // POP_MARK
    return takeMarked(items);
  case '2': // DUP
    return has(1) ? push(stack.back()) : fail("copies from an empty stack");
  case 'q': // BINPUT
    return withOperand<uint8_t>(&Machine::put);
  case 'r': // LONG_BINPUT
    return withOperand<uint32_t>(&Machine::put);
  case 0x94: // MEMOIZE
    return put(memo.size());
  case 'h': // BINGET
    return withOperand<uint8_t>(&Machine::get);
  case 'j': // LONG_BINGET
    return withOperand<uint32_t>(&Machine::get);

  // Names, calls, storages.
  case 'c': // GLOBAL
    return takeLine(first) && takeLine(second) ? pushGlobal(first, second) : failTruncated();
  case 0x93: { // STACK_GLOBAL
    if (!has(2))
      return fail("a name without a module");
    const PickleValue *name = pop(), *module = pop();
    if (name->kind != Kind::String || module->kind != Kind::String)
      return fail("a name that is no string");
    return pushGlobal(module->text, name->text);
  }
  case 'R':  // REDUCE
  case 0x81: // NEWOBJ
    return call();
  case 'Q': // BINPERSID
    return pushStorage();
  case 'b': // BUILD: attributes, such as the _metadata of a state dict; no reader needs them
    if (!has(2))
      return fail("attributes of nothing");
    stack.pop_back();
    return Error::success();
  default:
    return fail("opcode 0x" + Twine::utohexstr(opcode) + " is not one that torch writes");
  }
}

const PickleValue *PickleValue::lookup(StringRef key) const {
  if (kind != Dict)
    return nullptr;
  // As in Python, the last one counts.
  for (size_t i = items.size(); i >= 2; i -= 2)
    if (items[i - 2]->kind == String && items[i - 2]->text == key)
      return items[i - 1];
  return nullptr;
}

Expected<const PickleValue *> import::readPickle(ArrayRef<uint8_t> pickle, PickleArena &arena) {
  return Machine(pickle, arena).run();
}
