//===- JsonFile.cpp - files of what was chosen ------------------*- C++ -*-===//

#include "un0/Quantize/JsonFile.h"

#include "un0/Target/WriteOutput.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MemoryBuffer.h"

llvm::Expected<llvm::json::Value> un0::readJsonFile(llvm::StringRef path) {
  auto buffer = llvm::MemoryBuffer::getFile(path, /*IsText=*/true);
  if (!buffer)
    return llvm::createStringError("%s", buffer.getError().message().c_str());
  return llvm::json::parse((*buffer)->getBuffer());
}

llvm::Error un0::writeJsonFile(llvm::StringRef path, const llvm::json::Value &value) {
  return writeOutput(path, llvm::formatv("{0:2}\n", value).str());
}
