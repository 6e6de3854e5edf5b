/*===- runtime.h - running `.un0` modules: the C interface ----------------------===
 *
 * Open a module, look at its signature, make a session, generate images, close. There are no
 * globals; every call that can fail returns a status and, if asked, a message. A module may be
 * shared by any number of threads; a session belongs to one thread at a time and may itself use
 * several.
 *
 * Structures that callers fill in begin with their size: set it to sizeof the structure (the *_init
 * functions do, and set the defaults). A library newer than its caller reads only what the caller
 * knows; one that is older refuses a larger structure instead of ignoring part of it. A size that
 * cuts a field, or is less than the structure had in version 1.0, is refused.
 *
 * The code in a module is native code and is run with the rights of the process: open only modules
 * you would also run as programs. Hashes bind the code to the file; they say nothing about who
 * wrote it.
 *
 *===--------------------------------------------------------------------------===*/
#ifndef UN0_RUNTIME_H
#define UN0_RUNTIME_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define UN0_API __attribute__((visibility("default")))
#else
#define UN0_API
#endif

/* Version of this interface: the major number changes when a program has to be changed. */
#define UN0_RUNTIME_VERSION_MAJOR 1u
#define UN0_RUNTIME_VERSION_MINOR 2u

typedef enum un0_status {
  UN0_OK = 0,
  UN0_ERROR_INVALID_ARGUMENT = 1, /* null, a label out of range, a structure of unknown size */
  UN0_ERROR_IO = 2,               /* a file cannot be opened, read or mapped */
  UN0_ERROR_FORMAT = 3,           /* not a module, truncated, altered, or inconsistent */
  UN0_ERROR_VERSION = 4, /* a module of a format or calling convention this runtime does not know */
  UN0_ERROR_CPU = 5,     /* code for another machine, or for features this CPU does not have */
  UN0_ERROR_OUT_OF_MEMORY = 6, /* memory or a thread could not be had */
  UN0_ERROR_CANCELLED = 7      /* the progress callback asked to stop */
} un0_status;

/* What went wrong, in one line of UTF-8 without full stop. Needs no initialization and owns
 * nothing. */
typedef struct un0_error {
  int32_t code; /* a un0_status */
  char message[1020];
} un0_error;

typedef struct un0_module un0_module;   /* a verified, mapped module; immutable */
typedef struct un0_session un0_session; /* working memory and threads for one caller */

/* The entry signature: (theta0: B x oscillators, phi0: B x conditioning, label: B) -> B x channels
 * x height x width. */
typedef struct un0_signature {
  uint32_t oscillators;
  uint32_t conditioning;
  uint32_t classes;
  uint32_t features; /* length of the readout's vector */
  uint32_t channels;
  uint32_t height;
  uint32_t width;
  uint32_t tile; /* images evolved together by the widest entry of the code, or by the simulator */
} un0_signature;

/* How a module was made. Strings live as long as the module and are never null. */
typedef struct un0_module_info {
  const char *model;
  const char *compiler;
  const char *source;        /* file name of the checkpoint */
  const char *source_sha256; /* of its bytes, hexadecimal; empty if unknown */
  const char *precision;
  const char *target;
  const char *cpu;
  const char *solver;
  int64_t steps;
  double time;
  uint32_t format_major;
  uint32_t format_minor;
  uint64_t file_bytes;
  uint64_t weight_bytes;
  uint64_t arena_bytes;         /* working memory of one call of any entry */
  const char *external_weights; /* file name; empty when the weights are embedded */
} un0_module_info;

/* A packed parameter. `shape` has `rank` elements and is the checkpoint's. */
typedef struct un0_tensor_info {
  const char *name;
  const char *archive_key;
  const char *storage; /* "f32" */
  const char *packing;
  const int64_t *shape;
  uint64_t rank;
  uint64_t offset; /* bytes from the start of the weights */
  uint64_t size;   /* bytes */
} un0_tensor_info;

/* One row of the cost account; quantities are per evaluation, `count` evaluations make one image.
 */
typedef struct un0_cost_info {
  const char *op;
  const char *part; /* "dynamics", "readout", "decoder" */
  uint64_t count;
  uint64_t multiply_adds;
  uint64_t bits; /* width of the multiplied operands */
  uint64_t special_functions;
  uint64_t parameter_bytes;
  uint64_t bytes_read;
  uint64_t bytes_written;
} un0_cost_info;

/* How an operator of the decoder is computed. */
typedef struct un0_schedule_info {
  const char *op;
  const char *form;   /* "direct", "f_up", "f4_up", "f_up2", "f2", "f4" */
  uint64_t batched;   /* 1: all images of a request pass it before the next operator begins */
  uint64_t images;    /* taken together, and */
  uint64_t rows;      /* rows of points of each */
  const char *chosen; /* by "model", the cost model, or "tuned" */
} un0_schedule_info;

/* A function of the code section. */
typedef struct un0_entry_info {
  const char *kind; /* "evolve", "readout", "decode", "evolve_team", "decode_team" */
  const char *symbol;
  uint64_t batch;
} un0_entry_info;

enum un0_open_flags {
  /* Do not read all weights to check their hash. Everything else is still checked. For weights of
   * gigabytes that are opened again and again from a place that nobody else writes to. */
  UN0_OPEN_SKIP_WEIGHT_HASH = 1,
  /* Copy the weights to anonymous memory that can have huge pages, instead of using the mapped
   * file. Costs start-up time and memory that processes do not share; wins bandwidth when the file
   * system has only small pages. */
  UN0_OPEN_COPY_WEIGHTS = 2
};

typedef struct un0_open_options {
  uint32_t size;
  uint32_t flags; /* un0_open_flags */
} un0_open_options;

/* How the oscillators of a simulated module evolve: docs/dsa/simulator.md. */
typedef enum un0_integrator {
  UN0_INTEGRATOR_FLOW = 0, /* the continuous flow, as physics does */
  UN0_INTEGRATOR_EULER = 1 /* the model's own solver and steps */
} un0_integrator;

/* What hardware does wrong; a bit set. */
enum un0_faults {
  UN0_FAULT_LEVELS = 1,       /* couplings and frequencies have levels */
  UN0_FAULT_MISMATCH = 2,     /* a static factor of each coupler */
  UN0_FAULT_OFFSET = 4,       /* a static offset of each coupler */
  UN0_FAULT_NOISE = 8,        /* white phase noise */
  UN0_FAULT_SET_BITS = 16,    /* phases are set in steps */
  UN0_FAULT_SAMPLE_BITS = 32, /* phases are read in steps */
  UN0_FAULT_LINK_DELAY = 64,  /* links take time */
  UN0_FAULTS_ALL = 127
};

/* The last three are for modules that are simulated: those with a program for oscillators. */
typedef struct un0_session_options {
  uint32_t size;
  uint32_t threads;    /* 0: one per CPU the process may use */
  uint32_t integrator; /* un0_integrator */
  uint32_t faults;     /* un0_faults; UN0_FAULTS_ALL unless set */
  uint64_t fault_seed; /* which piece of hardware, and which noise */
} un0_session_options;

/* Generators of initial phases. The sample index counts from `first_sample` of the request.
 *
 * UN0_RNG_PHILOX: Philox4x32-10 (Salmon et al., SC 2011). Key = {seed mod 2^32, seed div 2^32};
 * counter = {p div 4, sample mod 2^32, sample div 2^32, 0}; p counts a sample's phases, main
 * oscillators first, then conditioning; word p mod 4 of the block is its random number x.
 * UN0_RNG_TORCH: MT19937 initialized with seed mod 2^32, one 32-bit number x per phase, samples one
 * after the other: the draw of torch.manual_seed(seed); torch.rand(B, N + M) * 2 * pi - pi on a
 * CPU. What comes before the first sample is drawn too: (first_sample + count) (N + M) is at most
 * 2^40.
 *
 * u = (Philox: x div 2^8; torch: x mod 2^24) * 2^-24; phase = f32(f32(2 u * f32(pi)) - f32(pi)). */
typedef enum un0_rng { UN0_RNG_PHILOX = 0, UN0_RNG_TORCH = 1 } un0_rng;

/* Called on the thread that called un0_generate, with images finished and asked for: while other
 * threads work, and a last time when all images are done, unless that was said before. Not zero:
 * stop; it is not called again. It must return: an exception that it throws ends the program. */
typedef int (*un0_progress_fn)(void *user, uint64_t done, uint64_t total);

typedef struct un0_request {
  uint32_t size;
  uint32_t rng;          /* un0_rng; ignored with explicit phases */
  uint64_t count;        /* images, B */
  const int64_t *labels; /* [B]; -1 is unconditional; null: all unconditional */
  uint64_t seed;         /* ignored with explicit phases */
  uint64_t first_sample; /* index of the first sample in the seed's sequence: a request can be cut
                            anywhere */
  const float *theta0;   /* [B][oscillators] radians, with phi0; null: drawn from the seed */
  const float *phi0;     /* [B][conditioning] radians */
  float *images;         /* out [B][channels][height][width] in [-1, 1]; null: not decoded */
  float *theta;          /* out [B][oscillators] final phases, unwrapped, radians; may be null */
  float *features;       /* out [B][features]; may be null */
  un0_progress_fn progress; /* may be null */
  void *progress_user;
} un0_request;

/* Seconds spent in the last un0_generate, by phase, summed over threads; `wall` is elapsed time. */
typedef struct un0_timings {
  uint32_t size;
  uint32_t threads; /* that had work */
  double initial_phases;
  double oscillators;
  double readout;
  double decoder;
  double wall;
} un0_timings;

/* Version of the library that is linked: major << 16 | minor. */
UN0_API uint32_t un0_runtime_version(void);

/* Name of a un0_status: "format". Never null; takes any number, as un0_error holds one. */
UN0_API const char *un0_status_name(int32_t status);

UN0_API void un0_open_options_init(un0_open_options *options);
/* `size` is the caller's sizeof(un0_session_options). Programs built with version 1.1 of this
 * header call the function that the macro hides; it fills what they know. */
UN0_API void un0_session_options_init_sized(un0_session_options *options, uint32_t size);
UN0_API void un0_session_options_init(un0_session_options *options);
#define un0_session_options_init(options)                                                          \
  un0_session_options_init_sized((options), (uint32_t)sizeof(un0_session_options))
UN0_API void un0_request_init(un0_request *request);
UN0_API void un0_timings_init(un0_timings *timings);

/* Maps and verifies the module at `path`. `options` and `error` may be null; `*module` is null on
 * failure. Neither the file nor its weight file may be truncated while the module is open. */
UN0_API un0_status un0_module_open(const char *path, const un0_open_options *options,
                                   un0_module **module, un0_error *error);
/* Unmaps; every session must be closed first. Null is fine. */
UN0_API void un0_module_close(un0_module *module);

UN0_API void un0_module_signature(const un0_module *module, un0_signature *signature);
UN0_API void un0_module_get_info(const un0_module *module, un0_module_info *info);

/* Tables. The getters return 0 and leave the output alone when `index` is out of range. */
UN0_API uint64_t un0_module_tensor_count(const un0_module *module);
UN0_API int un0_module_tensor(const un0_module *module, uint64_t index, un0_tensor_info *tensor);
UN0_API uint64_t un0_module_cost_count(const un0_module *module);
UN0_API int un0_module_cost(const un0_module *module, uint64_t index, un0_cost_info *cost);
UN0_API uint64_t un0_module_entry_count(const un0_module *module);
UN0_API int un0_module_entry(const un0_module *module, uint64_t index, un0_entry_info *entry);
/* What multiplies in the row, convolutions in their direct form: "f32", "s16", "bf16", "u8s8"
   (unsigned and signed bytes) or "u8s4" (levels of int4); null when `index` is out of range. */
UN0_API const char *un0_module_cost_arithmetic(const un0_module *module, uint64_t index);
/* One for each operator of the decoder; none in a module whose compiler did not say. */
UN0_API uint64_t un0_module_schedule_count(const un0_module *module);
UN0_API int un0_module_schedule(const un0_module *module, uint64_t index,
                                un0_schedule_info *schedule);
/* Name of a CPU feature the code needs, or null. */
UN0_API const char *un0_module_cpu_feature(const un0_module *module, uint64_t index);

/* The model as MLIR bytecode, for the reference device. Null and 0 when the module carries none. */
UN0_API const void *un0_module_bytecode(const un0_module *module, size_t *size);
/* The program for an accelerator (docs/dsa/isa.md). Null and 0 in a module for the CPU. */
UN0_API const void *un0_module_program(const un0_module *module, size_t *size);
/* The weights as mapped, for measurements. */
UN0_API const void *un0_module_weights(const un0_module *module, size_t *size);

/* Allocates all working memory and starts the threads. `options` and `error` may be null. Fails
 * when an integrator, faults or a seed of faults are asked for and the module is not simulated. The
 * threads take no signals but those of their own faults. */
UN0_API un0_status un0_session_create(const un0_module *module, const un0_session_options *options,
                                      un0_session **session, un0_error *error);
UN0_API void un0_session_close(un0_session *session);

/* Generates request->count images. The bytes depend on the module, labels and phases (or generator,
 * seed and sample index) alone, when simulated also on the session's options and the sample index:
 * not on threads, nor on how samples are cut into requests, nor on the caller's floating-point
 * mode. Outputs are undefined on failure. */
UN0_API un0_status un0_generate(un0_session *session, const un0_request *request, un0_error *error);

/* Only the initial phases that un0_generate would draw: theta0 [B][oscillators], phi0
 * [B][conditioning]. */
UN0_API un0_status un0_initial_phases(const un0_module *module, uint32_t rng, uint64_t seed,
                                      uint64_t first_sample, uint64_t count, float *theta0,
                                      float *phi0, un0_error *error);

/* Times of the last call of un0_generate; set timings->size first. Nothing is written when that is
 * too small; it becomes the size of what is written. */
UN0_API void un0_session_timings(const un0_session *session, un0_timings *timings);

#ifdef __cplusplus
} /* extern "C" */

static_assert(sizeof(un0_error) == 1024, "un0_error is part of the binary interface");
static_assert(sizeof(un0_signature) == 32, "un0_signature is part of the binary interface");
static_assert(sizeof(un0_open_options) == 8, "un0_open_options is part of the binary interface");
static_assert(sizeof(un0_session_options) == 24,
              "un0_session_options is part of the binary interface");
static_assert(sizeof(un0_request) == 96 || sizeof(void *) != 8,
              "un0_request is part of the binary interface");
static_assert(sizeof(un0_timings) == 48, "un0_timings is part of the binary interface");
#endif

#endif /* UN0_RUNTIME_H */
