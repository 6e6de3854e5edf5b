//===- DsaDialect.cpp - registration of the dsa dialect ---------*- C++ -*-===//

#include "dialects/Dsa/IR/Dsa.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace un0::dsa;

#include "dialects/Dsa/IR/DsaDialect.cpp.inc"
#include "dialects/Dsa/IR/DsaEnums.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/Dsa/IR/DsaAttrs.cpp.inc"

void DsaDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/Dsa/IR/DsaAttrs.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialects/Dsa/IR/DsaOps.cpp.inc"
      >();
}
