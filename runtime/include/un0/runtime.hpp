//===- runtime.hpp - running `.un0` modules: the C++ wrapper ----------------===//
//
// RAII and values over runtime.h; header only, C++17, throws nothing itself.
//
//   auto module = un0::Module::open("model.un0");
//   if (!module) { puts(module.error().message.c_str()); return 1; }
//   auto session = un0::Session::create(*module);
//   auto images = session->generate({0, 1, 2}, /*seed=*/42);
//
//===----------------------------------------------------------------------===//
#ifndef UN0_RUNTIME_HPP
#define UN0_RUNTIME_HPP

#include "un0/runtime.h"

#include <cassert>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace un0 {

/// A failure: its status and one line that says what and why.
struct Error {
  un0_status code = UN0_OK;
  std::string message;
};

/// A value or an Error. Test it before use; a value must not be taken from a failure.
template <typename T> class [[nodiscard]] Expected {
public:
  Expected(T value) : value_(std::move(value)) {}
  Expected(Error error) : error_(std::move(error)) {}

  explicit operator bool() const { return value_.has_value(); }
  T &operator*() {
    assert(value_ && "a value taken from a failure");
    return *value_;
  }
  const T &operator*() const {
    assert(value_ && "a value taken from a failure");
    return *value_;
  }
  T *operator->() { return &**this; }
  const T *operator->() const { return &**this; }
  const Error &error() const { return error_; }

private:
  std::optional<T> value_;
  Error error_;
};

/// A verified, mapped module. Movable; must outlive its sessions.
class Module {
public:
  /// `flags` are un0_open_flags.
  static Expected<Module> open(const std::string &path, uint32_t flags = 0) {
    un0_open_options options;
    un0_open_options_init(&options);
    options.flags = flags;
    un0_module *module = nullptr;
    un0_error error;
    if (un0_status status = un0_module_open(path.c_str(), &options, &module, &error))
      return Error{status, error.message};
    return Module(module);
  }

  un0_signature signature() const {
    un0_signature result;
    un0_module_signature(get(), &result);
    return result;
  }

  /// Strings live as long as the module.
  un0_module_info info() const {
    un0_module_info result;
    un0_module_get_info(get(), &result);
    return result;
  }

  std::vector<un0_tensor_info> tensors() const {
    std::vector<un0_tensor_info> result(un0_module_tensor_count(get()));
    for (size_t i = 0; i < result.size(); ++i)
      un0_module_tensor(get(), i, &result[i]);
    return result;
  }

  std::vector<un0_cost_info> costs() const {
    std::vector<un0_cost_info> result(un0_module_cost_count(get()));
    for (size_t i = 0; i < result.size(); ++i)
      un0_module_cost(get(), i, &result[i]);
    return result;
  }

  std::vector<un0_schedule_info> schedules() const {
    std::vector<un0_schedule_info> result(un0_module_schedule_count(get()));
    for (size_t i = 0; i < result.size(); ++i)
      un0_module_schedule(get(), i, &result[i]);
    return result;
  }

  std::vector<un0_entry_info> entries() const {
    std::vector<un0_entry_info> result(un0_module_entry_count(get()));
    for (size_t i = 0; i < result.size(); ++i)
      un0_module_entry(get(), i, &result[i]);
    return result;
  }

  /// Whether sessions simulate hardware: the module has a program, and no code that evolves.
  bool isSimulated() const {
    size_t size;
    if (!un0_module_program(get(), &size))
      return false;
    for (const un0_entry_info &entry : entries())
      if (std::string_view(entry.kind) == "evolve")
        return false;
    return true;
  }

  const un0_module *get() const { return module.get(); }

private:
  struct Close {
    void operator()(un0_module *module) const { un0_module_close(module); }
  };
  explicit Module(un0_module *module) : module(module) {}
  std::unique_ptr<un0_module, Close> module;
};

/// What Session::generate makes: one vector per tensor, row-major.
struct Images {
  uint64_t count = 0;
  std::vector<float> images; // [count][channels][height][width] in [-1, 1]
};

/// Working memory and threads for one caller at a time.
class Session {
public:
  /// `threads` 0: one per usable CPU.
  static Expected<Session> create(const Module &module, uint32_t threads = 0) {
    un0_session_options options;
    un0_session_options_init(&options);
    options.threads = threads;
    return create(module, options);
  }

  /// The whole interface: un0_session_options_init first. Integrator, faults and their seed are for
  /// simulated modules.
  static Expected<Session> create(const Module &module, const un0_session_options &options) {
    un0_session *session = nullptr;
    un0_error error;
    if (un0_status status = un0_session_create(module.get(), &options, &session, &error))
      return Error{status, error.message};
    return Session(session, module.signature());
  }

  /// One image per label (-1: unconditional), phases drawn from `seed`.
  Expected<Images> generate(const std::vector<int64_t> &labels, uint64_t seed,
                            un0_rng rng = UN0_RNG_PHILOX) {
    Images result;
    result.count = labels.size();
    result.images.resize(labels.size() * signature.channels * signature.height * signature.width);
    un0_request request;
    un0_request_init(&request);
    request.count = labels.size();
    request.labels = labels.data();
    request.seed = seed;
    request.rng = rng;
    request.images = result.images.data();
    if (std::optional<Error> error = generate(request))
      return *error;
    return result;
  }

  /// The whole interface: caller's memory, explicit phases, progress. Nothing on success. The
  /// progress callback must not throw: that ends the program.
  [[nodiscard]] std::optional<Error> generate(const un0_request &request) {
    un0_error error;
    if (un0_status status = un0_generate(session.get(), &request, &error))
      return Error{status, error.message};
    return std::nullopt;
  }

  /// Of the last call of generate, in seconds.
  un0_timings timings() const {
    un0_timings result;
    un0_timings_init(&result);
    un0_session_timings(session.get(), &result);
    return result;
  }

private:
  struct Close {
    void operator()(un0_session *session) const { un0_session_close(session); }
  };
  Session(un0_session *session, un0_signature signature) : session(session), signature(signature) {}
  std::unique_ptr<un0_session, Close> session;
  un0_signature signature;
};

} // namespace un0

#endif // UN0_RUNTIME_HPP
