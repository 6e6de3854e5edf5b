//===- CApi.cpp - the C interface -------------------------------------------===//
#include "FloatMode.h"
#include "Random.h"
#include "Session.h"

#include <algorithm>
#include <cinttypes>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <new>
#include <stdexcept>

using namespace un0::rt;

/// Fills the caller's error, if there is one.
static un0_status report(const Status &status, un0_error *error) {
  if (error) {
    error->code = status.code();
    std::snprintf(error->message, sizeof error->message, "%s", status.message().c_str());
  }
  return status.code();
}

/// Reports what `body` returns. C callers cannot catch, so memory that runs out inside ends here.
template <typename Body> static un0_status reportOf(un0_error *error, Body body) {
  const char *what = "out of memory";
  try {
    return report(body(), error);
  } catch (const std::bad_alloc &) {
  } catch (const std::length_error &) {
    what = "a container cannot be as long as asked for";
  }
  if (error) {
    error->code = UN0_ERROR_OUT_OF_MEMORY;
    std::snprintf(error->message, sizeof error->message, "%s", what);
  }
  return UN0_ERROR_OUT_OF_MEMORY;
}

/// Copies a caller's structure of an earlier size over `defaults`; refuses a later one, part of
/// which we would not obey. `ends` are where a field ends from the first version on: any other size
/// would cut one, or leave out what every version has.
template <typename T>
static Status readSized(const char *what, std::initializer_list<size_t> ends, const T *given,
                        T &defaults) {
  if (!given)
    return {};
  uint32_t size;
  std::memcpy(&size, given, sizeof size);
  if (size > sizeof(T))
    return failure(UN0_ERROR_INVALID_ARGUMENT,
                   "%s has size %u, this runtime knows up to %zu bytes; call its init function",
                   what, size, sizeof(T));
  if (std::find(ends.begin(), ends.end(), size) == ends.end())
    return failure(UN0_ERROR_INVALID_ARGUMENT,
                   "%s has size %u, which no version of it has; call its init function", what,
                   size);
  std::memcpy(&defaults, given, size);
  return {};
}

template <typename T> static void initSized(T *structure) {
  if (!structure)
    return;
  *structure = T{};
  structure->size = sizeof(T);
}

static const char *text(const flatbuffers::String *string) { return string ? string->c_str() : ""; }

template <typename Vector> static uint64_t length(const Vector *vector) {
  return vector ? vector->size() : 0;
}

extern "C" {

uint32_t un0_runtime_version(void) {
  return UN0_RUNTIME_VERSION_MAJOR << 16 | UN0_RUNTIME_VERSION_MINOR;
}

const char *un0_status_name(int32_t status) {
  static const char *const names[] = {
      "ok",  "invalid argument", "input or output", "format", "version",
      "cpu", "out of memory",    "cancelled"};
  auto index = static_cast<unsigned>(status);
  return index < sizeof names / sizeof *names ? names[index] : "unknown";
}

void un0_open_options_init(un0_open_options *options) { initSized(options); }
void un0_session_options_init_sized(un0_session_options *options, uint32_t size) {
  un0_session_options defaults = {};
  defaults.size = std::min<uint32_t>(size, sizeof defaults);
  defaults.faults = UN0_FAULTS_ALL;
  if (options)
    std::memcpy(options, &defaults, defaults.size);
}
// What it was before the structure grew: its callers have no more memory than that.
#undef un0_session_options_init
void un0_session_options_init(un0_session_options *options) {
  un0_session_options_init_sized(options, offsetof(un0_session_options, integrator));
}
void un0_request_init(un0_request *request) { initSized(request); }
void un0_timings_init(un0_timings *timings) { initSized(timings); }

un0_status un0_module_open(const char *path, const un0_open_options *options, un0_module **module,
                           un0_error *error) {
  if (module)
    *module = nullptr;
  return reportOf(error, [&]() -> Status {
    if (!path || !module)
      return failure(UN0_ERROR_INVALID_ARGUMENT, "path or result is null");
    un0_open_options known = {};
    UN0_RETURN_IF_FAILED(readSized("un0_open_options", {sizeof known}, options, known));
    constexpr uint32_t knownFlags = UN0_OPEN_SKIP_WEIGHT_HASH | UN0_OPEN_COPY_WEIGHTS;
    if (known.flags & ~knownFlags)
      return failure(UN0_ERROR_INVALID_ARGUMENT, "unknown flags 0x%x for opening a module",
                     known.flags);
    auto opened = std::make_unique<un0_module>();
    UN0_RETURN_IF_FAILED(opened->open(path, known.flags));
    *module = opened.release();
    return {};
  });
}

void un0_module_close(un0_module *module) { delete module; }

void un0_module_signature(const un0_module *module, un0_signature *signature) {
  const auto *s = module->manifest->signature();
  *signature = {s->oscillators(), s->conditioning(), s->classes(), s->features(),
                s->channels(),    s->height(),       s->width(),   module->widestBatch()};
}

void un0_module_get_info(const un0_module *module, un0_module_info *info) {
  const auto &manifest = module->manifest;
  *info = {};
  info->model = text(manifest->model());
  const auto *how = manifest->compilation();
  info->compiler = text(how ? how->compiler() : nullptr);
  info->source = text(how ? how->source() : nullptr);
  info->source_sha256 = text(how ? how->source_sha256() : nullptr);
  info->precision = text(how ? how->precision() : nullptr);
  info->target = text(how ? how->target() : nullptr);
  info->cpu = text(how ? how->cpu() : nullptr);
  info->solver = text(how ? how->solver() : nullptr);
  info->steps = how ? how->steps() : 0;
  info->time = how ? how->time() : 0;
  info->format_major = module->container.header.format_major;
  info->format_minor = module->container.header.format_minor;
  info->file_bytes = module->file.size();
  info->weight_bytes = module->container.weights.size;
  info->arena_bytes = manifest->arena_bytes();
  info->external_weights = text(manifest->external_weights());
}

uint64_t un0_module_tensor_count(const un0_module *module) {
  return length(module->manifest->tensors());
}

int un0_module_tensor(const un0_module *module, uint64_t index, un0_tensor_info *tensor) {
  if (index >= un0_module_tensor_count(module))
    return 0;
  const auto *t = module->manifest->tensors()->Get(static_cast<uint32_t>(index));
  *tensor = {text(t->name()),    text(t->archive_key()), text(t->storage()), text(t->packing()),
             t->shape()->data(), t->shape()->size(),     t->offset(),        t->size()};
  return 1;
}

uint64_t un0_module_cost_count(const un0_module *module) {
  return length(module->manifest->costs());
}

const char *un0_module_cost_arithmetic(const un0_module *module, uint64_t index) {
  if (index >= un0_module_cost_count(module))
    return nullptr;
  const auto *c = module->manifest->costs()->Get(static_cast<uint32_t>(index));
  if (!c->arithmetic())
    return "f32";
  // Older modules say of int8 couplings that their waves were signed.
  return c->arithmetic()->string_view() == "s8s8" ? "u8s8" : c->arithmetic()->c_str();
}

int un0_module_cost(const un0_module *module, uint64_t index, un0_cost_info *cost) {
  if (index >= un0_module_cost_count(module))
    return 0;
  const auto *c = module->manifest->costs()->Get(static_cast<uint32_t>(index));
  *cost = {text(c->op()),        text(c->part()), c->count(),
           c->multiply_adds(),   c->bits(),       c->special_functions(),
           c->parameter_bytes(), c->bytes_read(), c->bytes_written()};
  return 1;
}

uint64_t un0_module_schedule_count(const un0_module *module) {
  return length(module->manifest->schedules());
}

int un0_module_schedule(const un0_module *module, uint64_t index, un0_schedule_info *schedule) {
  if (index >= un0_module_schedule_count(module))
    return 0;
  const auto *s = module->manifest->schedules()->Get(static_cast<uint32_t>(index));
  *schedule = {text(s->op()), text(s->form()), s->batched(),
               s->images(),   s->rows(),       text(s->chosen_by())};
  return 1;
}

uint64_t un0_module_entry_count(const un0_module *module) {
  return length(module->manifest->entries());
}

int un0_module_entry(const un0_module *module, uint64_t index, un0_entry_info *entry) {
  if (index >= un0_module_entry_count(module))
    return 0;
  const auto *e = module->manifest->entries()->Get(static_cast<uint32_t>(index));
  *entry = {text(e->kind()), text(e->symbol()), e->batch()};
  return 1;
}

const char *un0_module_cpu_feature(const un0_module *module, uint64_t index) {
  const auto *features = module->manifest->features();
  return index < length(features) ? text(features->Get(static_cast<uint32_t>(index))) : nullptr;
}

const void *un0_module_bytecode(const un0_module *module, size_t *size) {
  *size = module->container.model.size;
  return *size ? module->container.model.data : nullptr;
}

const void *un0_module_program(const un0_module *module, size_t *size) {
  *size = module->container.program.size;
  return *size ? module->container.program.data : nullptr;
}

const void *un0_module_weights(const un0_module *module, size_t *size) {
  *size = module->container.weights.size;
  return module->weights;
}

un0_status un0_session_create(const un0_module *module, const un0_session_options *options,
                              un0_session **session, un0_error *error) {
  if (session)
    *session = nullptr;
  return reportOf(error, [&]() -> Status {
    if (!module || !session)
      return failure(UN0_ERROR_INVALID_ARGUMENT, "module or result is null");
    using Options = un0_session_options;
    Options known;
    un0_session_options_init_sized(&known, sizeof known);
    UN0_RETURN_IF_FAILED(readSized("un0_session_options",
                                   {offsetof(Options, integrator), offsetof(Options, faults),
                                    offsetof(Options, fault_seed), sizeof known},
                                   options, known));
    const FloatMode mode; // a simulator computes what its programs need once
    auto created = std::make_unique<un0_session>(*module);
    UN0_RETURN_IF_FAILED(created->start(known));
    *session = created.release();
    return {};
  });
}

void un0_session_close(un0_session *session) { delete session; }

un0_status un0_generate(un0_session *session, const un0_request *request, un0_error *error) {
  return reportOf(error, [&]() -> Status {
    if (!session || !request)
      return failure(UN0_ERROR_INVALID_ARGUMENT, "session or request is null");
    un0_request known = {};
    UN0_RETURN_IF_FAILED(readSized("un0_request", {sizeof known}, request, known));
    return session->generate(known);
  });
}

static Status initialPhases(const un0_module *module, uint32_t rng, uint64_t seed, uint64_t first,
                            uint64_t count, float *theta0, float *phi0) {
  if (!module || (count && !theta0))
    return failure(UN0_ERROR_INVALID_ARGUMENT, "module or theta0 is null");
  const auto *s = module->manifest->signature();
  const uint32_t n = s->oscillators(), m = s->conditioning();
  if (count && m && !phi0)
    return failure(UN0_ERROR_INVALID_ARGUMENT, "phi0 is null");
  UN0_RETURN_IF_FAILED(checkSamples(first, count));
  const FloatMode mode;
  if (rng == UN0_RNG_PHILOX) {
    for (uint64_t i = 0; i < count; ++i) {
      philoxPhases(seed, first + i, 0, n, theta0 + i * n);
      philoxPhases(seed, first + i, n, m, phi0 + i * m);
    }
    return {};
  }
  if (rng != UN0_RNG_TORCH)
    return failure(UN0_ERROR_INVALID_ARGUMENT, "random number generator %u is unknown", rng);
  UN0_RETURN_IF_FAILED(checkTorchDraws(first, count, uint64_t(n) + m));
  TorchGenerator generator(seed);
  for (uint64_t i = 0; i < first * (uint64_t(n) + m); ++i)
    (void)generator.next();
  for (uint64_t i = 0; i < count; ++i) {
    for (uint32_t j = 0; j < n; ++j)
      theta0[i * n + j] = generator.nextPhase();
    for (uint32_t j = 0; j < m; ++j)
      phi0[i * m + j] = generator.nextPhase();
  }
  return {};
}

un0_status un0_initial_phases(const un0_module *module, uint32_t rng, uint64_t seed,
                              uint64_t first_sample, uint64_t count, float *theta0, float *phi0,
                              un0_error *error) {
  return reportOf(error, [&] {
    return initialPhases(module, rng, seed, first_sample, count, theta0, phi0);
  });
}

void un0_session_timings(const un0_session *session, un0_timings *timings) {
  if (timings->size < sizeof *timings) // smaller than any version: where it ends is not known
    return;
  *timings = session->timings;
  timings->size = sizeof *timings;
}

} // extern "C"
