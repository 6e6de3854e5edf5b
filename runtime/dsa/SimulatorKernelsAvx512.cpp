//===- SimulatorKernelsAvx512.cpp - for AVX-512 ---------------------------===//
#define UN0_KERNELS avx512Kernels
#define UN0_KERNELS_NAME "avx512"
#include "SimulatorKernels.inc"
