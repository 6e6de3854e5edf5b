//===- Phases.cpp - the first sample's phases in time -----------------------===//
#include "Phases.h"

#include "Svg.h"
#include "Text.h"

#include <algorithm>
#include <map>

namespace un0::report {

using namespace dsa;

namespace {

/// Which of a tile's oscillators hold which phases of the program's theta buffer.
struct Placement {
  uint32_t tileFirst, bufferFirst, count;
};

/// The runs of one sample in the order in which they happen, and what was on the tile then.
struct Schedule {
  struct Run {
    double begin, end; // seconds of tile time
    uint16_t tile;
    uint32_t placement; // index into `placements`
  };
  std::vector<Run> runs;
  std::vector<std::vector<Placement>> placements;
  double seconds = 0;
  bool truncated = false;
};

/// Runs that are kept; a drawing of more would be a grey area.
constexpr size_t kMostRuns = 200000;

/// Follows the program as the simulator does, without its arithmetic.
Schedule scheduleOf(const Program &program) {
  Schedule schedule;
  std::map<uint16_t, std::vector<Placement>> tiles;
  std::map<uint16_t, uint32_t> known;               // placement of a tile, while it has not changed
  std::vector<std::pair<uint32_t, uint32_t>> loops; // instruction, times left
  for (uint32_t at = 0; at < program.code.size(); ++at) {
    const Instruction &i = program.code[at];
    switch (i.opcode) {
    case Opcode::Halt:
      return schedule;
    case Opcode::Repeat:
    case Opcode::Each:
      loops.push_back({at, i.opcode == Opcode::Repeat ? i.a : 1});
      break;
    case Opcode::End:
      if (loops.empty())
        return schedule;
      if (--loops.back().second > 0)
        at = loops.back().first;
      else
        loops.pop_back();
      break;
    case Opcode::Phase: {
      std::vector<Placement> &placed = tiles[i.tile];
      // What is set again is somewhere else now.
      placed.erase(std::remove_if(placed.begin(), placed.end(),
                                  [&](const Placement &p) {
                                    return p.tileFirst < i.d + i.c && i.d < p.tileFirst + p.count;
                                  }),
                   placed.end());
      if (i.a == program.thetaBuffer)
        placed.push_back({i.d, i.b, i.c});
      known.erase(i.tile);
      break;
    }
    case Opcode::Run: {
      if (schedule.runs.size() == kMostRuns) {
        schedule.truncated = true;
        return schedule;
      }
      auto [found, isNew] = known.try_emplace(i.tile, uint32_t(schedule.placements.size()));
      if (isNew)
        schedule.placements.push_back(tiles[i.tile]);
      schedule.runs.push_back({schedule.seconds, schedule.seconds + i.x, i.tile, found->second});
      schedule.seconds += i.x;
      break;
    }
    case Opcode::Hold:
      schedule.seconds += i.x;
      break;
    default:
      break;
    }
  }
  return schedule;
}

} // namespace

Status tracePhases(const Program &program, const SimulatorOptions &options, const float *theta0,
                   const float *phi0, int64_t label, uint64_t sample, PhaseTrace &trace,
                   uint32_t oscillators) {
  const Schedule schedule = scheduleOf(program);
  trace.runs = schedule.runs.size();
  trace.totalSeconds = schedule.seconds;
  trace.truncated = schedule.truncated;
  const uint32_t chosen = std::min(oscillators, program.oscillators);
  trace.lines.resize(chosen);
  for (uint32_t i = 0; i < chosen; ++i) {
    const uint32_t oscillator = uint32_t(uint64_t(i) * program.oscillators / chosen);
    trace.oscillators.push_back(oscillator);
    trace.lines[i].seconds.push_back(0);
    trace.lines[i].phases.push_back(theta0[oscillator]);
  }

  Simulator simulator;
  UN0_RETURN_IF_FAILED(simulator.prepare(program, options));
  Simulator::WorkspacePtr workspace;
  UN0_RETURN_IF_FAILED(simulator.createWorkspace(workspace));
  size_t run = 0;
  const TraceFn record = [&](double seconds, uint16_t tile, const float *phases, size_t n) {
    // A step ends where its run ends at the latest; sums of seconds differ in their last bits.
    const double slack = 1e-9 * schedule.seconds;
    while (run < schedule.runs.size() && schedule.runs[run].end + slack < seconds)
      ++run;
    if (run == schedule.runs.size() || schedule.runs[run].tile != tile)
      return;
    for (const Placement &placement : schedule.placements[schedule.runs[run].placement])
      for (uint32_t i = 0; i < chosen; ++i) {
        const uint32_t oscillator = trace.oscillators[i];
        if (oscillator < placement.bufferFirst ||
            oscillator - placement.bufferFirst >= placement.count)
          continue;
        const size_t slot = size_t(oscillator - placement.bufferFirst) + placement.tileFirst;
        if (slot >= n)
          continue;
        // Flat while it was not on a tile.
        PhaseTrace::Line &line = trace.lines[i];
        if (line.seconds.back() + slack < schedule.runs[run].begin) {
          line.seconds.push_back(schedule.runs[run].begin);
          line.phases.push_back(line.phases.back());
        }
        line.seconds.push_back(seconds);
        line.phases.push_back(phases[slot]);
      }
  };
  std::vector<float> theta(program.oscillators);
  return simulator.run(*workspace, 1, theta0, phi0, &label, &sample, theta.data(), &record);
}

std::string drawPhases(const PhaseTrace &trace) {
  Plot plot;
  plot.title = "Phases of the first sample in time";
  plot.description = format("%zu of the main oscillators over %s of tile time", trace.lines.size(),
                            seconds(trace.totalSeconds).c_str());
  plot.xName = "tile time, seconds";
  plot.yName = "phase, radians";
  plot.xPrefixes = true;
  plot.legend = false;
  plot.width = 820;
  // What the eye can tell apart along the drawing's width.
  constexpr size_t mostPoints = 1200;
  for (size_t i = 0; i < trace.lines.size(); ++i) {
    const PhaseTrace::Line &line = trace.lines[i];
    Series series;
    series.name = "oscillator " + std::to_string(trace.oscillators[i]);
    series.marks = false;
    series.opacity = 0.75;
    series.width = 1.2;
    const size_t every = line.seconds.size() / mostPoints + 1;
    for (size_t p = 0; p < line.seconds.size(); ++p)
      if (p % every == 0 || p + 1 == line.seconds.size())
        series.points.push_back({line.seconds[p], line.phases[p]});
    plot.series.push_back(std::move(series));
  }
  return drawPlot(plot);
}

} // namespace un0::report
