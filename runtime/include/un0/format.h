/*===- format.h - the fixed header of a `.un0` module -------------------------===
 *
 * Shared by the writer (lib/Target) and the loader (runtime/). Little endian. A file is this
 * header, then sections at 64-byte-aligned offsets in ascending order. Every section is bound by a
 * SHA-256, and so is the header.
 *
 *===--------------------------------------------------------------------------===*/
#ifndef UN0_FORMAT_H
#define UN0_FORMAT_H

#include <stdint.h>

#define UN0_FORMAT_MAGIC "UN0MODL" /* with its terminating zero: 8 bytes */
#define UN0_FORMAT_MAJOR 1u        /* a loader refuses another major version */
#define UN0_FORMAT_MINOR 1u        /* a loader accepts any minor version of its major one */
#define UN0_FORMAT_ALIGNMENT 64u
#define UN0_FORMAT_MAX_SECTIONS 8u

/* Version of the calling convention of the code section, and of the manifest's meaning. */
#define UN0_CODE_ABI_VERSION 4u
#define UN0_CODE_ABI_OLDEST 3u /* what a loader of this version still calls: no decode_team */

/* Bytes of a packed coupling from which on threads evolve one sample together. A step of a smaller
 * one is shorter than the two barriers that it takes, if a thread has to be woken: 4 MB are read in
 * some 100 us. */
#define UN0_LEAST_SPLIT_BYTES (UINT64_C(4) << 20)

enum un0_section_kind {
  UN0_SECTION_MANIFEST = 1, /* FlatBuffers, runtime/schema/module.fbs */
  UN0_SECTION_CODE = 2,     /* an x86-64 ELF shared object without imports */
  UN0_SECTION_WEIGHTS = 3,  /* packed parameters */
  UN0_SECTION_MODEL = 4,    /* MLIR bytecode of the model phase, optional */
  UN0_SECTION_PROGRAM = 5   /* a program for an accelerator, docs/dsa/isa.md; since 1.1 */
};

enum un0_section_flags {
  UN0_SECTION_EXTERNAL =
      1 /* the bytes are the whole of the manifest's `external_weights` file; offset is 0 */
};

typedef struct un0_section {
  uint32_t kind;
  uint32_t flags;
  uint64_t offset; /* from the start of the file */
  uint64_t size;   /* bytes */
  uint8_t sha256[32];
} un0_section;

typedef struct un0_file_header {
  char magic[8];
  uint32_t format_major;
  uint32_t format_minor;
  uint32_t header_size; /* sizeof(un0_file_header) */
  uint32_t section_count;
  uint64_t file_size;
  un0_section sections[UN0_FORMAT_MAX_SECTIONS]; /* unused ones are zero */
  uint8_t sha256[32];                            /* of this header with this field zero */
} un0_file_header;

/*
 * Functions of the code section, by Entry.kind. All pointers are 64-byte aligned unless said
 * otherwise; B is the entry's static batch. They touch no global state and call nothing; `weights`
 * and `arena` are all they have. evolve:  theta0 [B][N], phi0 [B][M], labels [B] (outside [0,
 * classes): unconditional) -> theta [B][N], unwrapped readout: theta [N] -> features [F] decode:
 * features [count][F] -> image [count][C][H][W] in [-1, 1], 1 <= count <= B; an image's bytes do
 * not depend on the count. Features and images may be aligned to 4 bytes only. readout has B = 1.
 *   evolve_team: evolve with B = 1 by `threads` threads, all with the same pointers and each with
 * its own `thread` in [0, threads); optional. Rows of the coupling are split over them;
 * `barrier(barrier_data)` must return when all have called it. Gives the bytes of evolve.
 *   decode_team: decode of one sample by such threads; optional. `own` is memory of the arena's
 * size that no other thread of the team is given; one of them may be given the arena itself.
 */
typedef void (*un0_evolve_fn)(const void *weights, void *arena, const float *theta0,
                              const float *phi0, const int64_t *labels, float *theta);
typedef void (*un0_evolve_team_fn)(const void *weights, void *arena, const float *theta0,
                                   const float *phi0, const int64_t *labels, float *theta,
                                   uint64_t thread, uint64_t threads, void (*barrier)(void *),
                                   void *barrier_data);
typedef void (*un0_readout_fn)(const void *weights, void *arena, const float *theta,
                               float *features);
typedef void (*un0_decode_fn)(const void *weights, void *arena, const float *features, float *image,
                              uint64_t count);
typedef void (*un0_decode_team_fn)(const void *weights, void *arena, const float *features,
                                   float *image, void *own, uint64_t thread, uint64_t threads,
                                   void (*barrier)(void *), void *barrier_data);

#ifdef __cplusplus
static_assert(sizeof(un0_section) == 56, "the section table is a file format");
static_assert(sizeof(un0_file_header) == 40 - 8 + 56 * UN0_FORMAT_MAX_SECTIONS + 32,
              "the header is a file format");
#endif

#endif /* UN0_FORMAT_H */
