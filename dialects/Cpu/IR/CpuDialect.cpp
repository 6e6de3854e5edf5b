//===- CpuDialect.cpp - registration of the cpu dialect ---------*- C++ -*-===//

#include "dialects/Cpu/IR/Cpu.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace un0::cpu;

#include "dialects/Cpu/IR/CpuDialect.cpp.inc"
#include "dialects/Cpu/IR/CpuEnums.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/Cpu/IR/CpuAttrs.cpp.inc"

void CpuDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/Cpu/IR/CpuAttrs.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialects/Cpu/IR/CpuOps.cpp.inc"
      >();
}
