/*===- reference.h - the reference device, a library loaded on demand -----------===
 *
 * libUn0Reference.so holds the interpreter (lib/Interpreter), and with it MLIR. `un0-run
 * --device=reference` loads it from ../lib beside itself, so that the runner starts in milliseconds
 * when it is not needed.
 *
 *===--------------------------------------------------------------------------===*/
#ifndef UN0_REFERENCE_H
#define UN0_REFERENCE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define UN0_REFERENCE_LIBRARY "libUn0Reference.so"
#define UN0_REFERENCE_SYMBOL "un0_reference_generate"

/* Interprets the model-level bytecode that a module carries.
 *   model_bytecode, bytecode_size: as returned by un0_module_bytecode.
 *   module_path: relative archive paths in the bytecode are looked up beside this file.
 *   precision_f64: not zero to compute in f64, otherwise in f32.
 *   batch, theta0 [B][N], phi0 [B][M] in radians, labels [B] (outside [0, classes): unconditional).
 *   theta [B][N], features [B][F], images [B][C][H][W]: outputs; theta and features may be null.
 * Returns 0, or not 0 with a one-line message of at most error_size bytes, its zero included, in
 * `error`. */
int un0_reference_generate(const void *model_bytecode, size_t bytecode_size,
                           const char *module_path, int precision_f64, uint64_t batch,
                           const float *theta0, const float *phi0, const int64_t *labels,
                           float *theta, float *features, float *images, char *error,
                           size_t error_size);

typedef int (*un0_reference_generate_fn)(const void *, size_t, const char *, int, uint64_t,
                                         const float *, const float *, const int64_t *, float *,
                                         float *, float *, char *, size_t);

#ifdef __cplusplus
}
#endif

#endif /* UN0_REFERENCE_H */
