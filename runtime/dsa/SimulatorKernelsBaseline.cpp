//===- SimulatorKernelsBaseline.cpp - for any x86-64 ---------------------------===//
#define UN0_KERNELS baselineKernels
#define UN0_KERNELS_NAME "baseline"
#include "SimulatorKernels.inc"
