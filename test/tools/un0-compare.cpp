//===- un0-compare.cpp - tensors of two files, within a tolerance -*- C++ -*-===//
//
// Compares a tensor of one archive with one of another and prints the rms and the largest
// difference; fails when one is past its bound. Test suites use it for parity with golden values
// and with the reference device.
//
//===----------------------------------------------------------------------===//

#include "un0/Import/Archive.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/InitLLVM.h"
#include <cmath>
#include <vector>

using namespace llvm;

static cl::opt<std::string> actualPath(cl::Positional, cl::desc("ACTUAL"), cl::Required);
static cl::opt<std::string> expectedPath(cl::Positional, cl::desc("EXPECTED"), cl::Required);
static cl::opt<std::string> tensor("tensor", cl::desc("Key in both files"), cl::Required);
static cl::opt<std::string> expectedTensor("expected-tensor",
                                           cl::desc("Key in EXPECTED, if another"));
static cl::opt<int64_t> expectedIndex("expected-index",
                                      cl::desc("First index into EXPECTED's tensor"), cl::init(-1));
static cl::opt<double> rmsBound("rms", cl::desc("Largest rms difference"), cl::Required);
static cl::opt<double> maxBound("max", cl::desc("Largest difference"), cl::Required);

static int fail(const Twine &message) {
  errs() << "un0-compare: error: " << message << "\n";
  return 1;
}

int main(int argc, char **argv) {
  InitLLVM init(argc, argv);
  cl::ParseCommandLineOptions(argc, argv, "compare a tensor of two files\n");
  std::vector<double> values[2];
  const std::string *paths[] = {&actualPath, &expectedPath};
  for (int side : {0, 1}) {
    Expected<std::shared_ptr<un0::Archive>> archive = un0::Archive::open(*paths[side]);
    if (!archive)
      return fail(toString(archive.takeError()));
    StringRef key = side && !expectedTensor.empty() ? StringRef(expectedTensor) : StringRef(tensor);
    const un0::StoredTensor *found = (*archive)->find(key);
    if (!found)
      return fail("'" + *paths[side] + "' has no tensor '" + key + "'");
    int64_t first = 0, count = found->getNumElements();
    if (side && expectedIndex >= 0) {
      if (found->shape.empty() || expectedIndex >= found->shape[0])
        return fail("index " + Twine(expectedIndex) + " is out of range");
      count /= found->shape[0];
      first = expectedIndex * count;
    }
    values[side].resize(count);
    found->readF64(first, values[side]);
  }
  if (values[0].size() != values[1].size())
    return fail("tensors have " + Twine(values[0].size()) + " and " + Twine(values[1].size()) +
                " elements");
  double sum = 0, largest = 0;
  bool finite = true;
  for (auto [x, y] : zip(values[0], values[1])) {
    double difference = std::fabs(x - y);
    finite &= std::isfinite(difference);
    sum += difference * difference;
    largest = std::max(largest, difference);
  }
  double rms = values[0].empty() ? 0 : std::sqrt(sum / values[0].size());
  outs() << formatv("{0}: rms {1:E3} (<= {2:E3}), max {3:E3} (<= {4:E3})\n", tensor, rms,
                    double(rmsBound), largest, double(maxBound));
  outs().flush();
  // Bounds that are not numbers hold nothing.
  if (!finite || !(rms <= rmsBound && largest <= maxBound))
    return fail("'" + tensor + "' differs by more than its tolerance");
  return 0;
}
