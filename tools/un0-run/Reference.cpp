//===- Reference.cpp - the reference device ---------------------------------===//
#include "Reference.h"

#include "un0/reference.h"

#include <dlfcn.h>
#include <unistd.h>

namespace un0run {

std::string programFolder() {
  char buffer[4096];
  ssize_t length = readlink("/proc/self/exe", buffer, sizeof buffer);
  std::string path(buffer, length > 0 ? static_cast<size_t>(length) : 0);
  return path.substr(0, path.rfind('/') + 1);
}

static void *openLibrary(std::string &failures) {
  // Beside the program as built or installed, then wherever the system looks.
  const std::string folder = programFolder();
  for (const std::string &path : {folder + "../lib/" UN0_REFERENCE_LIBRARY,
                                  folder + "../lib/x86_64-linux-gnu/" UN0_REFERENCE_LIBRARY,
                                  std::string(UN0_REFERENCE_LIBRARY)}) {
    if (path[0] == '/' && access(path.c_str(), F_OK) != 0)
      continue;
    if (void *library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL))
      return library;
    failures = dlerror();
  }
  return nullptr;
}

MaybeFailure generateOnReference(const un0_module *module, const std::string &modulePath,
                                 const un0_request &request) {
  size_t size;
  const void *bytecode = un0_module_bytecode(module, &size);
  if (!bytecode)
    return fail("'" + modulePath + "' carries no model for the reference device",
                {"compile it without --strip"});
  std::string why;
  void *library = openLibrary(why);
  if (!library)
    return fail("the reference device is not installed", {why});
  auto run = reinterpret_cast<un0_reference_generate_fn>(dlsym(library, UN0_REFERENCE_SYMBOL));
  if (!run)
    return fail("the reference device has no entry " UN0_REFERENCE_SYMBOL);
  char message[1024] = "";
  if (run(bytecode, size, modulePath.c_str(), /*precision_f64=*/1, request.count, request.theta0,
          request.phi0, request.labels, request.theta, request.features, request.images, message,
          sizeof message) != 0)
    return fail(std::string("the reference device failed: ") + message);
  return std::nullopt;
}

} // namespace un0run
