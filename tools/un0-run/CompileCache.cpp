//===- CompileCache.cpp - checkpoints given where a module is expected ------===//
#include "CompileCache.h"

#include "Reference.h"
#include "un0/format.h"

#include <cerrno>
#include <cpuid.h>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <memory>
#include <openssl/evp.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

extern char **environ;

namespace un0run {

bool looksLikeModule(const std::string &path) {
  const std::string suffix = ".un0";
  if (path.size() >= suffix.size() &&
      path.compare(path.size() - suffix.size(), suffix.size(), suffix) == 0)
    return true;
  int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0)
    return true;
  char magic[sizeof UN0_FORMAT_MAGIC] = {};
  bool isModule = read(fd, magic, sizeof magic) == sizeof magic &&
                  std::memcmp(magic, UN0_FORMAT_MAGIC, sizeof magic) == 0;
  struct stat info;
  // Folders and devices: the runtime says in words that it cannot map them.
  bool isRegular = fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
  close(fd);
  return isModule || !isRegular;
}

namespace {
struct FreeContext {
  void operator()(EVP_MD_CTX *context) const { EVP_MD_CTX_free(context); }
};
} // namespace

/// Feeds the contents of `path`, read piece by piece: checkpoints have gigabytes.
static MaybeFailure hashFile(EVP_MD_CTX *context, const std::string &path) {
  int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return fail("cannot open '" + path + "': " + std::strerror(errno));
  constexpr size_t pieceBytes = 1 << 20;
  std::unique_ptr<char[]> piece(new char[pieceBytes]);
  ssize_t got;
  while ((got = read(fd, piece.get(), pieceBytes)) > 0)
    EVP_DigestUpdate(context, piece.get(), static_cast<size_t>(got));
  int reason = errno;
  close(fd);
  if (got < 0)
    return fail("cannot read '" + path + "': " + std::strerror(reason));
  return std::nullopt;
}

/// Everything the module depends on: checkpoint, compiler (by version, size and time: asking it
/// would cost a start of LLVM), and the CPU, because a home folder may be shared by machines.
static MaybeFailure cacheKey(const std::string &path, const std::string &place,
                             const std::string &compiler, std::string &key) {
  std::unique_ptr<EVP_MD_CTX, FreeContext> context(EVP_MD_CTX_new());
  if (!context || EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) != 1)
    return fail("libcrypto does not provide SHA-256");
  if (MaybeFailure failure = hashFile(context.get(), path))
    return failure;
  struct stat info;
  if (stat(compiler.c_str(), &info) != 0)
    return fail("the compiler '" + compiler + "' is not there: " + std::strerror(errno),
                {"'" + path + "' is not a module, so it has to be compiled first"});
  std::string rest = std::string("\nun0 " UN0_VERSION " ") + std::to_string(info.st_size) + " " +
                     std::to_string(info.st_mtim.tv_sec) + "." +
                     std::to_string(info.st_mtim.tv_nsec);
  unsigned extended = 0; // the system saves vector registers, so XGETBV exists
  const std::pair<unsigned, unsigned> leaves[] = {{1, 0}, {7, 0}, {7, 1}};
  for (auto [leaf, part] : leaves) {
    unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
    __get_cpuid_count(leaf, part, &eax, &ebx, &ecx, &edx);
    // EBX of leaf 1 and what depends on it holds the number of the core that ran the instruction.
    if (leaf == 1) {
      ebx = 0;
      extended = ecx & bit_OSXSAVE;
    }
    for (unsigned value : {eax, ebx, ecx, edx})
      rest += " " + std::to_string(value);
  }
  if (extended) {
    // A system may keep AVX-512 from programs on a CPU that has it.
    unsigned low, high;
    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    rest += " " + std::to_string(low) + " " + std::to_string(high);
  }
  if (!place.empty())
    rest += " " + place;
  EVP_DigestUpdate(context.get(), rest.data(), rest.size());
  unsigned char digest[32];
  EVP_DigestFinal_ex(context.get(), digest, nullptr);
  for (unsigned char byte : digest) {
    char text[3];
    std::snprintf(text, sizeof text, "%02x", byte);
    key += text;
  }
  return std::nullopt;
}

static MaybeFailure makeCacheFolder(std::string &folder) {
  const char *base = std::getenv("XDG_CACHE_HOME");
  const char *home = std::getenv("HOME");
  // The XDG specification says to ignore a relative path.
  if (base && base[0] == '/')
    folder = base;
  else if (home && home[0] == '/')
    folder = std::string(home) + "/.cache";
  else
    return fail("there is no place for compiled models: neither XDG_CACHE_HOME nor HOME is set",
                {"compile the checkpoint with un0c, then give the module to un0-run"});
  folder += "/un0";
  for (size_t slash = folder.find('/', 1);; slash = folder.find('/', slash + 1)) {
    std::string part = folder.substr(0, slash);
    if (mkdir(part.c_str(), 0755) != 0 && errno != EEXIST)
      return fail("cannot make the folder '" + part + "': " + std::strerror(errno));
    if (slash == folder.npos)
      return std::nullopt;
  }
}

static MaybeFailure runCompiler(const std::string &compiler, const std::string &input,
                                const std::string &output) {
  std::string program = compiler, in = input, flag = "-o", out = output;
  // A name that begins with a dash must not be read as a flag.
  if (in[0] == '-')
    in = "./" + in;
  char *arguments[] = {program.data(), in.data(), flag.data(), out.data(), nullptr};
  pid_t child;
  if (int reason = posix_spawn(&child, program.c_str(), nullptr, nullptr, arguments, environ))
    return fail("cannot run '" + compiler + "': " + std::strerror(reason));
  int status;
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR)
      return fail("cannot wait for '" + compiler + "': " + std::strerror(errno));
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    return fail("cannot compile '" + input + "'", {"the compiler's message is above"});
  return std::nullopt;
}

MaybeFailure compileToCache(const std::string &path, bool reference, bool quiet, bool again,
                            std::string &modulePath) {
  const std::string compiler = programFolder() + "un0c";
  std::string key, folder, place;
  if (reference) {
    std::unique_ptr<char, void (*)(void *)> real(realpath(path.c_str(), nullptr), std::free);
    if (!real)
      return fail("cannot open '" + path + "': " + std::strerror(errno));
    place = real.get();
  }
  if (MaybeFailure failure = cacheKey(path, place, compiler, key))
    return failure;
  if (MaybeFailure failure = makeCacheFolder(folder))
    return failure;
  modulePath = folder + "/" + key + ".un0";
  const bool there = access(modulePath.c_str(), R_OK) == 0 && !again;
  if (!quiet)
    std::fprintf(stderr, "un0-run: '%s' is a checkpoint; %s %s\n", path.c_str(),
                 there ? "using" : "compiling it to", modulePath.c_str());
  // The model's IR names the file it was given; a relative name means another one elsewhere.
  return there ? std::nullopt : runCompiler(compiler, reference ? place : path, modulePath);
}

} // namespace un0run
