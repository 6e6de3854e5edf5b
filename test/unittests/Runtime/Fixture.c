/*===- Fixture.c - the code section of synthetic modules ------------------------===
 *
 * Not an Un-0 model: arithmetic whose result depends on every input, and on nothing else, the batch
 * least of all. It fills the arena before it reads it, so threads that shared one would change each
 * other's images.
 *
 *===--------------------------------------------------------------------------===*/
#include <stdint.h>

#define EXPORT __attribute__((visibility("default")))
enum { N = 20, M = 3, CLASSES = 4, FEATURES = 2 * N, PIXELS = 3 * 4 * 4 };

/* A table of addresses needs R_X86_64_RELATIVE relocations. */
static float plus(float x) { return x + 0.25f; }
static float minus(float x) { return x - 0.5f; }
static float (*const volatile table[2])(float) = {plus, minus};

static void evolve(const float *weights, float *arena, const float *theta0, const float *phi0,
                   const int64_t *labels, float *theta, int batch) {
  for (int b = 0; b < batch; ++b) {
    int64_t label = labels[b];
    float drive = label >= 0 && label < CLASSES ? (float)(label + 1) : 0.0f;
    for (int i = 0; i < N; ++i)
      arena[i] = theta0[b * N + i] * weights[i];
    for (int i = 0; i < N; ++i)
      theta[b * N + i] = table[i % 2](arena[N - 1 - i] + drive * phi0[b * M + i % M]);
  }
}

EXPORT void evolve1(const void *weights, void *arena, const float *theta0, const float *phi0,
                    const int64_t *labels, float *theta) {
  evolve(weights, arena, theta0, phi0, labels, theta, 1);
}

EXPORT void evolve4(const void *weights, void *arena, const float *theta0, const float *phi0,
                    const int64_t *labels, float *theta) {
  evolve(weights, arena, theta0, phi0, labels, theta, 4);
}

EXPORT void readout(const void *weights, void *arena, const float *theta, float *features) {
  /* Readout may rely on aligned rows; N is ragged, so only a copy is. */
  float misaligned = ((uintptr_t)theta & 63) ? 1000.0f : 0.0f;
  for (int i = 0; i < N; ++i) {
    features[i] = theta[i] + misaligned;
    features[N + i] = theta[i] * theta[i];
  }
}

EXPORT void decode(const void *weights, void *arena, const float *features, float *image,
                   uint64_t count) {
  float *scratch = arena;
  /* More than the entry's batch is an error of the caller. */
  float tooMany = count > 3 ? 1000.0f : 0.0f;
  for (uint64_t sample = 0; sample < count; ++sample) {
    for (int i = 0; i < FEATURES; ++i)
      scratch[i] = features[sample * FEATURES + i] * 0.125f + tooMany;
    for (int i = 0; i < PIXELS; ++i)
      image[sample * PIXELS + i] = scratch[i % FEATURES] - scratch[(i * 7) % FEATURES];
  }
}

/* One sample by a team, each thread its share of the oscillators, then of the pixels. */
EXPORT void evolveTeam(const void *weights, void *arena, const float *theta0, const float *phi0,
                       const int64_t *labels, float *theta, uint64_t thread, uint64_t threads,
                       void (*barrier)(void *), void *data) {
  const float *w = weights;
  float *scratch = arena;
  float drive = labels[0] >= 0 && labels[0] < CLASSES ? (float)(labels[0] + 1) : 0.0f;
  for (uint64_t i = thread; i < N; i += threads)
    scratch[i] = theta0[i] * w[i];
  barrier(data);
  for (uint64_t i = thread; i < N; i += threads)
    theta[i] = table[i % 2](scratch[N - 1 - i] + drive * phi0[i % M]);
  barrier(data);
}

EXPORT void decodeTeam(const void *weights, void *arena, const float *features, float *image,
                       void *own, uint64_t thread, uint64_t threads, void (*barrier)(void *),
                       void *data) {
  /* Places apart, as the compiler plans them: for one thread both memories are the same. */
  float *shared = arena, *mine = (float *)own + FEATURES;
  for (int i = 0; i < FEATURES; ++i)
    mine[i] = features[i] * 0.125f;
  mine[FEATURES] = (float)thread;
  for (uint64_t i = thread; i < FEATURES; i += threads)
    shared[i] = features[i] * 0.125f;
  barrier(data);
  float notMine = mine[FEATURES] == (float)thread ? 0.0f : 1000.0f;
  for (uint64_t i = thread; i < PIXELS; i += threads)
    image[i] = mine[i % FEATURES] - shared[(i * 7) % FEATURES] + notMine;
}

EXPORT int notCode = 42;

#ifdef UN0_FIXTURE_IMPORT
extern double missing_function(double);
EXPORT double imports(double x) { return missing_function(x); }
#endif
#ifdef UN0_FIXTURE_CONSTRUCTOR
/* Volatile: the compiler runs a constructor that only sets a variable itself. */
static volatile int loads;
__attribute__((constructor)) static void runsWhenLoaded(void) { ++loads; }
#endif
#ifdef UN0_FIXTURE_THREAD_LOCAL
static __thread int perThread;
EXPORT int *threadLocal(void) { return &perThread; }
#endif
#ifdef UN0_FIXTURE_SYMBOLIC_RELOCATION
EXPORT int *preemptible = &notCode;
#endif
