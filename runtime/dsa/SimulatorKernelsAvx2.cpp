//===- SimulatorKernelsAvx2.cpp - for AVX2 and FMA ---------------------------===//
#define UN0_KERNELS avx2Kernels
#define UN0_KERNELS_NAME "avx2"
#include "SimulatorKernels.inc"
