//===- Bench.h - one measurement ---------------------------------------------===//
#ifndef UN0_TOOLS_UN0_BENCH_BENCH_H
#define UN0_TOOLS_UN0_BENCH_BENCH_H

#include "Diagnostics.h"
#include "Roofline.h"
#include "un0/runtime.hpp"

#include <map>
#include <string>
#include <vector>

namespace un0bench {

using un0run::Failure;
using un0run::MaybeFailure;

/// Work of one image by part of the model, from the module's cost table.
struct Work {
  double dynamicsOperations = 0, decoderOperations = 0; // a multiply-add is two
  /// The same by what multiplies: each has a peak of its own.
  std::map<Arithmetic, double> dynamicsBy, decoderBy;
  double parameterBytes = 0; // read by the dynamics for one pass of a tile
  double couplingBytes = 0;  // of the largest parameter among them: K
};
Work workOf(const un0::Module &module);

struct Spread {
  double median = 0, min = 0, max = 0;
};

/// Seconds of one request, and what the machine could do at the time.
struct Result {
  std::string model, precision;
  uint64_t batch = 0;
  unsigned threads = 0;
  Spread wall;
  double oscillators = 0, readout = 0,
         decoder = 0; // medians; elapsed, were all threads always busy
  Work work;
  uint64_t passes = 0;            // tiles of a request: each reads K once per evaluation
  std::map<Arithmetic, double> peaks; // operations per second of `threads` threads
  double bandwidth = 0;               // bytes per second of `threads` threads

  double oscillatorOperationsPerSecond() const;
  double couplingBytesPerSecond() const;
  /// Least possible time over measured time; the larger of arithmetic and reading bounds it.
  double oscillatorRooflineFraction() const;
  /// Seconds of the least possible request: what its parts cannot be faster than, one after another.
  double limit() const;
  double decoderOperationsPerSecond() const;
  double decoderRooflineFraction() const;
};

/// Rates of the machine, measured once per thread count and size.
class Machine {
public:
  double peak(Arithmetic arithmetic, unsigned threads);
  double bandwidth(size_t bytes, unsigned threads);

private:
  std::map<std::pair<Arithmetic, unsigned>, double> peaks;
  std::map<std::pair<size_t, unsigned>, double> bandwidths;
};

/// Times requests of `batch` images. A repetition is as many requests as fill ten milliseconds.
MaybeFailure measure(const un0::Module &module, uint64_t batch, unsigned threads,
                     unsigned repetitions, Machine &machine, Result &result);

} // namespace un0bench

#endif // UN0_TOOLS_UN0_BENCH_BENCH_H
