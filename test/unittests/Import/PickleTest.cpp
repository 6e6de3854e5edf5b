//===- PickleTest.cpp - the pickle interpreter ----------------------------===//

#include "lib/Import/Pickle.h"
#include "TestFiles.h"
#include "llvm/ADT/StringExtras.h"
#include <gmock/gmock.h>

using namespace un0;
using namespace un0::import;
using namespace un0::test;
using testing::HasSubstr;

namespace {

/// The message with which a pickle is refused; the empty string if it is taken.
std::string refusePickle(llvm::StringRef pickle) {
  PickleArena arena;
  llvm::Expected<const PickleValue *> value = readPickle(toBytes(pickle), arena);
  return value ? "" : llvm::toString(value.takeError());
}

TEST(Pickle, ReadsPlainValues) {
  PickleWriter pickle;
  pickle.dict({{"i", int64_t(-70000)},
               {"big", int64_t(1) << 40},
               {"x", 0.1},
               {"s", std::string("euler")},
               {"n", {}},
               {"b", true}});
  pickle.op(".");
  PickleArena arena;
  llvm::Expected<const PickleValue *> value = readPickle(toBytes(pickle.text), arena);
  ASSERT_TRUE(!!value) << llvm::toString(value.takeError());
  EXPECT_EQ((*value)->lookup("i")->integer, -70000);
  EXPECT_EQ((*value)->lookup("big")->integer, int64_t(1) << 40);
  EXPECT_EQ((*value)->lookup("x")->real, 0.1);
  EXPECT_EQ((*value)->lookup("s")->text, "euler");
  EXPECT_EQ((*value)->lookup("n")->kind, PickleValue::None);
  EXPECT_EQ((*value)->lookup("b")->kind, PickleValue::Bool);
  EXPECT_EQ((*value)->lookup("other"), nullptr);
}

TEST(Pickle, ReadsProtocolFour) {
  // pickle.dumps({"a": (1, -2), "b": [3.5, {"c"}]}, protocol=4)
  std::string bytes =
      llvm::fromHex("8004952b000000000000007d94288c0161944b014afeffffff86948c0162945d9428"
                    "47400c0000000000008f94288c0163949065752e");
  PickleArena arena;
  llvm::Expected<const PickleValue *> value = readPickle(toBytes(bytes), arena);
  ASSERT_TRUE(!!value) << llvm::toString(value.takeError());
  EXPECT_EQ((*value)->lookup("a")->items[1]->integer, -2);
  EXPECT_EQ((*value)->lookup("b")->items[0]->real, 3.5);
}

TEST(Pickle, OsSystemIsRefusedByName) {
  // What pickling an object with __reduce__ = (os.system, ("rm -rf /",)) gives.
  PickleWriter pickle;
  pickle.global("os", "system").string("rm -rf /").op("\x85R.");
  EXPECT_EQ(refusePickle(pickle.text),
            "pickle, byte 2: asks for 'os.system', which is not among the names that a "
            "checkpoint of tensors needs; nothing was executed");
}

TEST(Pickle, OtherDangerousNamesAreRefused) {
  for (auto [module, name] : {std::pair("posix", "system"),
                              {"builtins", "eval"},
                              {"builtins", "getattr"},
                              {"torch", "load"},
                              {"torch._utils", "_import_dotted_name"},
                              {"torch.storage", "_load_from_bytes"},
                              {"torch", "EvilStorage"},
                              {"__torch__", "Model"}}) {
    PickleWriter pickle;
    pickle.global(module, name).op(".");
    EXPECT_THAT(refusePickle(pickle.text),
                HasSubstr(std::string("asks for '") + module + "." + name + "'"));
  }
}

TEST(Pickle, ANameFromTheStackIsCheckedAsWell) {
  PickleWriter pickle;
  pickle.string("os").string("system").op("\x93.");
  EXPECT_THAT(refusePickle(pickle.text), HasSubstr("asks for 'os.system'"));
}

TEST(Pickle, AMultiLineNameIsOneLineInTheMessage) {
  PickleWriter pickle;
  pickle.string("o\ns").string("x").op("\x93.");
  EXPECT_THAT(refusePickle(pickle.text), HasSubstr("asks for 'o\\x0as.x'"));
}

/// One malformed pickle, behind the protocol opcode, and what must be said about it.
struct BadPickle {
  const char *name;
  std::string opcodes;
  const char *message;
};

class PickleMalformed : public testing::TestWithParam<BadPickle> {};

TEST_P(PickleMalformed, IsRefused) {
  EXPECT_EQ(refusePickle(PickleWriter().op(GetParam().opcodes).text), GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(
    Pickle, PickleMalformed,
    testing::Values(
        BadPickle{"NoEnd", "N", "the pickle has no end; it is truncated"},
        BadPickle{"NoValue", ".", "pickle, byte 2: ends without a value"},
        BadPickle{"TruncatedText", std::string("X\xff\xff\xff\x7f", 5),
                  "pickle, byte 2: the pickle is truncated"},
        BadPickle{"HugeText", "\x8d\xff\xff\xff\xff\xff\xff\xff\xff",
                  "pickle, byte 2: the pickle is truncated"},
        BadPickle{"NegativeLong", "\x8b\xff\xff\xff\xff",
                  "pickle, byte 2: the pickle is truncated"},
        BadPickle{"TruncatedFloat", "G123", "pickle, byte 2: the pickle is truncated"},
        BadPickle{"TruncatedName", "cos", "pickle, byte 2: the pickle is truncated"},
        BadPickle{"UnknownOpcode", "ios\nsystem\n.",
                  "pickle, byte 2: opcode 0x69 is not one that torch writes"},
        BadPickle{"TextProtocol", "I42\n.",
                  "pickle, byte 2: opcode 0x49 is not one that torch writes"},
        BadPickle{"NewerProtocol", "\x80\x09", "pickle, byte 2: protocol 9 is not 2 to 5"},
        BadPickle{"MissingMark", "Nt.", "pickle, byte 3: a mark is missing"},
        BadPickle{"TupleAcrossMark", "N(\x85.",
                  "pickle, byte 4: a tuple of 1 on a stack that has less"},
        BadPickle{"ForgottenMemo", "h\x07", "pickle, byte 2: value 7 was never remembered"},
        BadPickle{"RememberNothing", "q\x07", "pickle, byte 2: nothing to remember"},
        BadPickle{"AppendToNumber",
                  "K\x01K\x02"
                  "a.",
                  "pickle, byte 6: appends to something that is no list"},
        BadPickle{"AppendNothing", "]a.", "pickle, byte 3: nothing to append"},
        BadPickle{"HalfAnItem", "}(Nu.", "pickle, byte 5: sets items of nothing, or half an item"},
        BadPickle{"HalfADict", "(Nd.", "pickle, byte 4: half an item of a dict"},
        BadPickle{"SetOnTuple", ")NNs.", "pickle, byte 5: sets items of something that is no dict"},
        BadPickle{"CallANumber", "K\x01)R.",
                  "pickle, byte 5: calls something that is no name of the list"},
        BadPickle{"CallWithoutTuple", "ccollections\nOrderedDict\nNR.",
                  "pickle, byte 28: calls something that is no name of the list"},
        BadPickle{"PopEmpty", "0.", "pickle, byte 2: takes from an empty stack"},
        BadPickle{"BuildNothing", "Nb.", "pickle, byte 3: attributes of nothing"},
        BadPickle{"StorageOfNumber", "K\x01Q.",
                  "pickle, byte 4: a storage is not described by type, key, location and size"},
        BadPickle{"TensorOfNumber", "ctorch._utils\n_rebuild_tensor_v2\nK\x01\x85R.",
                  "pickle, byte 38: a tensor is not made of storage, offset, sizes and strides"},
        BadPickle{"ParameterOfNumber", "ctorch._utils\n_rebuild_parameter\nK\x01\x85R.",
                  "pickle, byte 38: a parameter is not made of a tensor"}),
    [](const testing::TestParamInfo<BadPickle> &info) { return info.param.name; });

TEST(Pickle, TooManyValuesStop) {
  EXPECT_THAT(refusePickle(PickleWriter().op("]" + std::string(2 << 20, 'N')).text),
              HasSubstr("more than 1048576 values"));
}

TEST(Pickle, AStackOfCopiesStops) {
  EXPECT_THAT(refusePickle(PickleWriter().op("N" + std::string(2 << 20, '2')).text),
              HasSubstr("more than 1048576 values on the stack"));
}

TEST(Pickle, MarksWithoutEndStop) {
  EXPECT_THAT(refusePickle(PickleWriter().op(std::string(2 << 20, '(')).text),
              HasSubstr("more than 1048576 marks"));
}

TEST(Pickle, ABombOfSharedListsIsLinear) {
  // Thirty lists, each of which holds the one before ten times: 10^30 values for a reader that
  // walks them.
  PickleWriter pickle;
  pickle.op("]q").op(llvm::StringRef("\0", 1));
  for (char level = 0; level < 30; ++level) {
    pickle.op("](");
    for (int copy = 0; copy < 10; ++copy)
      pickle.op("h").op({&level, 1});
    char next = level + 1;
    pickle.op("eq").op({&next, 1});
  }
  EXPECT_EQ(refusePickle(pickle.op(".").text), "");
}

TEST(Pickle, AnOversizedPickleIsNotRun) {
  std::string pickle((64 << 20) + 1, 'N');
  EXPECT_EQ(refusePickle(pickle), "the pickle has 67108865 bytes, more than the limit of 67108864");
}

} // namespace
