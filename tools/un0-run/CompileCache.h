//===- CompileCache.h - checkpoints given where a module is expected --------===//
#ifndef UN0_TOOLS_UN0_RUN_COMPILECACHE_H
#define UN0_TOOLS_UN0_RUN_COMPILECACHE_H

#include "Diagnostics.h"

#include <string>

namespace un0run {

/// Whether `path` should be opened as a module: it begins like one, is named like one, or cannot be
/// read at all.
bool looksLikeModule(const std::string &path);

/// The module for the checkpoint at `path`, compiled with the un0c beside this program unless it
/// already is in $XDG_CACHE_HOME/un0 (~/.cache/un0). Its name there is a hash of the checkpoint,
/// the compiler and the CPU; for the reference device, which reads the checkpoint again, of its
/// place too. Says on stderr what it does unless `quiet`. With `again`, compiles even when it is
/// there.
MaybeFailure compileToCache(const std::string &path, bool reference, bool quiet, bool again,
                            std::string &modulePath);

} // namespace un0run

#endif // UN0_TOOLS_UN0_RUN_COMPILECACHE_H
