//===- Pickle.h - the pickle opcodes that torch writes ----------*- C++ -*-===//
//
// A pickle is a program for a stack machine that can name any Python function and call it. This
// interpreter calls nothing: a name outside a closed list is refused, and a call of a name inside
// it makes an inert value.
//
//===----------------------------------------------------------------------===//

#ifndef UN0_LIB_IMPORT_PICKLE_H
#define UN0_LIB_IMPORT_PICKLE_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <deque>
#include <vector>

namespace un0::import {

/// A value that a pickle makes. Strings are views of the pickle.
struct PickleValue {
  enum Kind {
    None,
    Bool,
    Int,
    Float,
    String,
    /// `items`.
    Tuple,
    List,
    /// `items`: key, value, key, value, ... A key may occur twice.
    Dict,
    /// `module`, `text`: a name from the closed list.
    Global,
    /// `items`: type (Global), key (String), location, number of elements (Int). Checked.
    Storage,
    /// `items`: storage (Storage), offset (Int), sizes, strides (Tuple). Kinds checked, values not.
    Tensor,
    /// Something that no reader needs.
    Opaque
  };

  Kind kind = None;
  int64_t integer = 0;
  double real = 0.0;
  llvm::StringRef module, text;
  std::vector<const PickleValue *> items;

  /// The value under a string key of a Dict; null without one.
  const PickleValue *lookup(llvm::StringRef key) const;
};

/// Owns the values of one pickle. Values may share parts and form cycles, so that a reader must
/// bound its own walks.
using PickleArena = std::deque<PickleValue>;

/// Runs a pickle of protocol 2 to 5 and returns its value, which lives in `arena`. Time and memory
/// are linear in the pickle's size, and both are limited.
llvm::Expected<const PickleValue *> readPickle(llvm::ArrayRef<uint8_t> pickle, PickleArena &arena);

} // namespace un0::import

#endif // UN0_LIB_IMPORT_PICKLE_H
