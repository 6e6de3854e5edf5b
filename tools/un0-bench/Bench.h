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

/// What the machine can do.
struct Rates {
  std::map<Arithmetic, double> peaks; // operations per second of all threads
  double bandwidth = 0;               // bytes per second of all threads
};

/// Seconds of one request, and what the machine can do.
struct Result {
  std::string model, precision;
  uint64_t batch = 0;
  unsigned threads = 0;
  Work work;
  uint64_t passes = 0; // tiles of a request: each reads K once per evaluation
  Spread wall, oscillators, readout, decoder; // elapsed, were all threads always busy
  Rates rates;                                // the best of those measured between repetitions

  double oscillatorOperationsPerSecond() const;
  double couplingBytesPerSecond() const;
  double decoderOperationsPerSecond() const;
  /// Least possible time over the least measured one: both are of the machine when nothing else
  /// disturbs it. The larger of arithmetic and reading bounds the oscillators.
  double oscillatorRooflineFraction() const;
  double decoderRooflineFraction() const;
  /// Seconds of the least possible request: what its parts cannot be faster than, one after
  /// another.
  double limit() const;
};

/// Measures the rates of the machine that a module's work needs. What it measures with is kept.
class Machine {
public:
  /// Raises `rates` to what is measured now, each over about `seconds`.
  void measure(const Work &work, unsigned threads, double seconds, Rates &rates);

private:
  std::map<std::pair<Arithmetic, unsigned>, PeakProbe> peaks;
  std::map<std::pair<size_t, unsigned>, ReadProbe> readers;
};

/// Times requests of `batch` images. A repetition is as many requests as fill ten milliseconds, and
/// the machine's rates are measured between repetitions: a shared machine is not always as fast as
/// it can be, and its best moments should count for both.
MaybeFailure measure(const un0::Module &module, uint64_t batch, unsigned threads,
                     unsigned repetitions, Machine &machine, Result &result);

} // namespace un0bench

#endif // UN0_TOOLS_UN0_BENCH_BENCH_H
