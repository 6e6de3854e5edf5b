//===- Un0Dialect.cpp - registration of the un0 dialect ---------*- C++ -*-===//

#include "dialects/Un0/IR/Un0.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace un0;

#include "dialects/Un0/IR/Un0Dialect.cpp.inc"
#include "dialects/Un0/IR/Un0Enums.cpp.inc"
#include "dialects/Un0/IR/Un0Interfaces.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/Un0/IR/Un0Attrs.cpp.inc"

void Un0Dialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/Un0/IR/Un0Attrs.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialects/Un0/IR/Un0Ops.cpp.inc"
      >();
}
