//===- Roofline.cpp - how far a target is from its limits -------------------===//
#include "Roofline.h"

#include "Svg.h"
#include "Text.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace un0::report {

using namespace dsa;

namespace {

/// What a program does with its couplings: loads per batch (those outside `each`) and per sample.
struct TileWork {
  double loadsPerBatch = 0, loadsPerSample = 0; // couplings
  double usesPerSample = 0;                     // couplings that act, one for each run
  double runSecondsPerSample = 0;
};

TileWork tileWork(const Program &program) {
  TileWork work;
  std::vector<double> times{1};
  std::vector<bool> inEach{false};
  std::vector<uint64_t> acting(program.hardware.get("tile_count"), 0);
  std::vector<uint64_t> loaded = acting;
  const bool banks = program.hardware.get("coupling_banks") == 2;
  for (const Instruction &i : program.code) {
    switch (i.opcode) {
    case Opcode::Repeat:
      times.push_back(times.back() * i.a);
      inEach.push_back(inEach.back());
      break;
    case Opcode::Each:
      times.push_back(times.back());
      inEach.push_back(true);
      break;
    case Opcode::End:
      times.pop_back();
      inEach.pop_back();
      break;
    case Opcode::Clear:
      if (i.tile < loaded.size())
        loaded[i.tile] = 0;
      break;
    case Opcode::Couple:
    case Opcode::Link: {
      const Data &data = program.data[i.a];
      const double couplings = double(data.rows) * data.columns;
      (inEach.back() ? work.loadsPerSample : work.loadsPerBatch) += couplings * times.back();
      if (i.opcode == Opcode::Couple && i.tile < loaded.size())
        (banks ? loaded : acting)[i.tile] += uint64_t(couplings);
      break;
    }
    case Opcode::Swap:
      if (i.tile < loaded.size())
        std::swap(loaded[i.tile], acting[i.tile]);
      break;
    case Opcode::Run:
      work.usesPerSample += (i.tile < acting.size() ? double(acting[i.tile]) : 0) * times.back();
      work.runSecondsPerSample += i.x * times.back();
      break;
    default:
      break;
    }
    // A single bank that is loaded acts at once, and is cleared at once.
    if (!banks && i.opcode == Opcode::Clear && i.tile < acting.size())
      acting[i.tile] = 0;
  }
  return work;
}

Roofline tileRoofline(const Program &program, const std::vector<Account> &accounts) {
  Roofline roofline;
  roofline.title = "Tiles of oscillators";
  roofline.xName = "couplings that act per coupling loaded";
  roofline.yName = "couplings that act per second";
  const TileWork work = tileWork(program);
  const double load = program.hardware.get("coupling_load_time");
  Roof roof;
  roof.name = "loading, then running";
  roof.peak = work.runSecondsPerSample > 0 ? work.usesPerSample / work.runSecondsPerSample : 0;
  roof.slope = load > 0 ? 1 / load : 0;
  roofline.roofs.push_back(roof);
  for (const Account &account : accounts) {
    const double loads = work.loadsPerBatch / double(account.batch) + work.loadsPerSample;
    RooflinePoint point;
    point.name = "batch " + std::to_string(account.batch);
    point.intensity = loads > 0 ? work.usesPerSample / loads : 0;
    point.rate = account.secondsPerImage > 0 ? work.usesPerSample / account.secondsPerImage : 0;
    roofline.points.push_back(point);
  }
  roofline.words =
      "One unit of work is one coupling acting for one run. The slope is what loading couplings "
      "allows, the flat part what the tiles do while they run; a point below both pays for setting "
      "and reading phases and for the digital decoder as well.";
  return roofline;
}

/// Multiply-adds and traffic of a part of a program's digital operators, for one image.
struct DigitalWork {
  double multiplyAdds = 0, parametersPerBatch = 0, parametersPerImage = 0, activations = 0;
};

Roofline digitalRoofline(const Program &program, const std::vector<Account> &accounts) {
  const Hardware &hardware = program.hardware;
  const double local = hardware.get("local_memory_bytes");
  const double peak = hardware.get("multiply_add_rate");
  const double memory = hardware.get("main_memory_rate");
  Roofline roofline;
  roofline.title = "Digital engine";
  roofline.xName = "int8 multiply-adds per byte from main memory";
  roofline.yName = "int8 multiply-adds per second";
  roofline.roofs.push_back({"arithmetic and main memory", peak, memory});
  for (const Account &account : accounts)
    for (bool dynamics : {true, false}) {
      DigitalWork work;
      for (const DigitalOp &op : program.digital) {
        if ((op.kind == DigitalKind::Evolve) != dynamics)
          continue;
        // The engine's rate is of int8: b bits take b/8 as long.
        work.multiplyAdds += double(op.multiplyAdds) * double(op.bits) / 8;
        const double reads = double(op.parameterBytes) <= local ? 1 : double(op.parameterReads);
        work.parametersPerBatch += double(op.parameterBytes) * reads;
        const double moved = double(op.bytesRead) + double(op.bytesWritten);
        work.activations += moved > local ? moved : 0;
      }
      const double bytes = work.parametersPerBatch / double(account.batch) + work.activations;
      if (!(work.multiplyAdds > 0) || !(bytes > 0))
        continue;
      RooflinePoint point;
      point.name = std::string(dynamics ? "dynamics" : "decoder") + ", batch " +
                   std::to_string(account.batch);
      point.intensity = work.multiplyAdds / bytes;
      point.rate = std::min(peak, memory * point.intensity);
      roofline.points.push_back(point);
    }
  roofline.words = "Modelled: each point lies where its traffic from main memory puts it. "
                   "Parameters are read once per batch while they fit local memory; a multiply-add "
                   "of b bits counts b/8.";
  return roofline;
}

} // namespace

std::vector<Roofline> rooflinesOf(const Program &program, const std::vector<Account> &accounts) {
  std::vector<Roofline> result;
  if (program.hardware.kind == HardwareKind::Oscillators)
    result.push_back(tileRoofline(program, accounts));
  Roofline digital = digitalRoofline(program, accounts);
  if (!digital.points.empty())
    result.push_back(std::move(digital));
  return result;
}

namespace {

/// A part of a CPU module: what it multiplies, in which arithmetic, and what it moves per image.
struct CpuWork {
  double multiplyAdds = 0;
  std::map<std::string, double> by;       // multiply-adds of each arithmetic
  double parameters = 0, activations = 0; // bytes
  double workingSet = 0;                  // bytes of parameters that one evaluation goes through
};

CpuWork cpuWork(const un0_module *module, bool dynamics) {
  CpuWork work;
  for (uint64_t i = 0; i < un0_module_cost_count(module); ++i) {
    un0_cost_info cost;
    un0_module_cost(module, i, &cost);
    if ((std::string_view(cost.part) == "dynamics") != dynamics)
      continue;
    const double times = double(cost.count), multiplyAdds = times * double(cost.multiply_adds);
    work.multiplyAdds += multiplyAdds;
    const char *arithmetic = un0_module_cost_arithmetic(module, i);
    work.by[arithmetic ? arithmetic : "f32"] += multiplyAdds;
    work.parameters += times * double(cost.parameter_bytes);
    work.workingSet += double(cost.parameter_bytes);
    work.activations += times * double(cost.bytes_read + cost.bytes_written);
  }
  return work;
}

const char *rateOf(const std::string &arithmetic) {
  const bool bytes = arithmetic == "u8s8" || arithmetic == "u8s4";
  return arithmetic == "s16"    ? "multiply_add_int16_rate"
         : arithmetic == "bf16" ? "multiply_add_bf16_rate"
         : bytes                ? "multiply_add_int8_rate"
                                : "multiply_add_f32_rate";
}

/// The peak of a part that multiplies in several arithmetics, one after the other, and their names.
/// Those with less than a tenth of the multiply-adds do not count.
std::pair<std::string, double> peakOf(const CpuWork &work, const Hardware &cpu) {
  std::string names;
  double counted = 0, seconds = 0;
  for (const auto &[arithmetic, multiplyAdds] : work.by)
    if (multiplyAdds >= work.multiplyAdds / 10) {
      names += (names.empty() ? "" : " and ") + arithmetic;
      counted += multiplyAdds;
      seconds += multiplyAdds / cpu.get(rateOf(arithmetic));
    }
  return {names, counted / seconds};
}

} // namespace

std::vector<Roofline> rooflinesOf(const un0_module *module, const Hardware &cpu,
                                  const std::vector<uint64_t> &batches) {
  un0_signature signature;
  un0_module_signature(module, &signature);
  Roofline roofline;
  roofline.title = "One core";
  roofline.xName = "multiply-adds per byte";
  roofline.yName = "multiply-adds per second";
  for (bool dynamics : {true, false}) {
    const CpuWork work = cpuWork(module, dynamics);
    if (!(work.multiplyAdds > 0))
      continue;
    // The fastest level that holds what one evaluation goes through.
    struct Level {
      const char *name, *bytes, *rate;
    };
    static constexpr Level levels[] = {{"L1", "l1_bytes", "l1_rate"},
                                       {"L2", "l2_bytes", "l2_rate"},
                                       {"L3", "l3_bytes", "l3_rate"},
                                       {"main memory", nullptr, "main_memory_rate"}};
    const Level *level = levels;
    while (level->bytes && work.workingSet > cpu.get(level->bytes))
      ++level;
    const std::string part = dynamics ? "dynamics" : "decoder";
    auto [names, peak] = peakOf(work, cpu);
    Roof roof{names + " from " + level->name, peak, cpu.get(level->rate)};
    for (uint64_t batch : batches) {
      // Images that go through the parameters together.
      const double together = double(std::min<uint64_t>(batch, std::max(signature.tile, 1u)));
      const double bytes = work.parameters / together + work.activations;
      RooflinePoint point;
      point.name = part + ", batch " + std::to_string(batch);
      point.intensity = bytes > 0 ? work.multiplyAdds / bytes : 0;
      point.rate = std::min(roof.peak, roof.slope * point.intensity);
      roofline.points.push_back(point);
    }
    if (std::none_of(roofline.roofs.begin(), roofline.roofs.end(), [&](const Roof &other) {
          return other.name == roof.name && other.peak == roof.peak;
        }))
      roofline.roofs.push_back(std::move(roof));
  }
  roofline.words = "Modelled, for one core: parameters come from the fastest level that holds all "
                   "of an evaluation's, and are read once for the images of a tile.";
  if (roofline.points.empty())
    return {};
  return {roofline};
}

std::string drawRoofline(const Roofline &roofline) {
  Plot plot;
  plot.title = "Roofline: " + roofline.title;
  plot.description = roofline.words;
  plot.xName = roofline.xName;
  plot.yName = roofline.yName;
  plot.xLogarithmic = plot.yLogarithmic = plot.xPrefixes = plot.yPrefixes = true;
  double low = INFINITY, high = 0;
  for (const RooflinePoint &point : roofline.points)
    if (point.intensity > 0)
      low = std::min(low, point.intensity), high = std::max(high, point.intensity);
  // The ridge, where the slope meets the flat part, is always in the picture.
  for (const Roof &roof : roofline.roofs)
    if (roof.slope > 0 && roof.peak > 0)
      low = std::min(low, roof.peak / roof.slope), high = std::max(high, roof.peak / roof.slope);
  if (!(high > 0))
    low = high = 1;
  low /= 4, high *= 4;
  size_t colour = 0;
  for (const Roof &roof : roofline.roofs) {
    if (!(roof.peak > 0))
      continue;
    Series series;
    series.name = roof.name;
    series.marks = false;
    series.width = 2;
    series.colour = colour++ ? "#999" : "#555";
    const double ridge = roof.slope > 0 ? roof.peak / roof.slope : low;
    if (ridge > low)
      series.points.push_back({low, roof.slope * low});
    series.points.push_back({std::max(ridge, low), roof.peak});
    series.points.push_back({high, roof.peak});
    plot.series.push_back(std::move(series));
  }
  for (size_t i = 0; i < roofline.points.size(); ++i) {
    const RooflinePoint &point = roofline.points[i];
    Series series;
    series.name = point.name + (point.basis == Basis::Measured ? " (measured)" : "");
    series.line = false;
    series.colour = seriesColour(i);
    series.points.push_back({point.intensity, point.rate});
    plot.series.push_back(std::move(series));
  }
  return drawPlot(plot);
}

} // namespace un0::report
