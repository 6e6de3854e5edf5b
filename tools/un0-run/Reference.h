//===- Reference.h - the reference device -----------------------------------===//
#ifndef UN0_TOOLS_UN0_RUN_REFERENCE_H
#define UN0_TOOLS_UN0_RUN_REFERENCE_H

#include "Diagnostics.h"
#include "un0/runtime.h"

#include <string>

namespace un0run {

/// The folder of the running program, with a slash at its end.
std::string programFolder();

/// Runs `request` (explicit phases) through the interpreter in f64. Loads libUn0Reference.so from
/// beside the program.
MaybeFailure generateOnReference(const un0_module *module, const std::string &modulePath,
                                 const un0_request &request);

} // namespace un0run

#endif // UN0_TOOLS_UN0_RUN_REFERENCE_H
