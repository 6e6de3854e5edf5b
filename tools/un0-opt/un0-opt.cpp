//===- un0-opt.cpp - run passes on IR ---------------------------*- C++ -*-===//

#include "dialects/Un0/Transforms/Passes.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "un0/Pipelines/Phases.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  un0::registerDialects(registry);
  un0::registerPasses();
  un0::registerUn0FusePipeline();
  return mlir::asMainReturnCode(mlir::MlirOptMain(argc, argv, "Un0 optimizer driver\n", registry));
}
