//===- CodeCheck.h - what the machine code keeps on the stack ---*- C++ -*-===//

#ifndef UN0_TARGET_CODECHECK_H
#define UN0_TARGET_CODECHECK_H

#include "mlir/IR/BuiltinOps.h"
#include "un0/Codegen/CpuTarget.h"

namespace un0 {

/// Vectors that an innermost loop of machine code keeps on the stack, in slots.
struct StackTraffic {
  std::string function;
  unsigned line = 0;        ///< source line of most of the loop's instructions, 0 if unknown
  unsigned carried = 0;     ///< read, later written: a value that passes from turn to turn
  unsigned temporaries = 0; ///< written, later read: a value of one turn
  unsigned constants = 0;   ///< only read: what the loop does not change
};

/// Reads the innermost loops of assembly text as LLVM prints it with comments (`AsmVerbose`), which
/// say which block belongs to which loop and which instruction spills. Loops without traffic are
/// left out.
std::vector<StackTraffic> readStackTraffic(llvm::StringRef assembly);

/// Compiles the LLVM functions of `module` (phase `llvm`) once more, to assembly, and reads it: an
/// error at each kernel with an innermost loop that keeps what it carries from turn to turn, its
/// accumulators, on the stack; a remark where it keeps anything else there. Costs about as much as
/// the object code.
llvm::LogicalResult verifyCode(mlir::ModuleOp module, const CpuTarget &target);

} // namespace un0

#endif // UN0_TARGET_CODECHECK_H
