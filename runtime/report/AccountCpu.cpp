//===- AccountCpu.cpp - what a module costs on a CPU --------------------------===//
//
// Operations are counted by the module's cost table. Bytes are put to a level of the caches by a
// model of working sets, which docs/dsa/energy.md writes down.
//
//===----------------------------------------------------------------------===//
#include "AccountBuilder.h"

#include <algorithm>
#include <cstring>

namespace un0::report {

namespace {

constexpr unsigned kLevels = 4, kArithmetics = 4;

struct Level {
  const char *bytes, *energy, *rate, *what;
};
constexpr Level kLevelNames[kLevels] = {
    {"l1_bytes", "l1_energy", "l1_rate", "bytes in the first cache"},
    {"l2_bytes", "l2_energy", "l2_rate", "bytes in the second cache"},
    {"l3_bytes", "l3_energy", "l3_rate", "bytes in the third cache"},
    {nullptr, "main_memory_energy", "main_memory_rate", "bytes in main memory"}};

struct Arithmetic {
  const char *name, *energy, *rate, *what;
};
constexpr Arithmetic kArithmeticNames[kArithmetics] = {
    {"f32", "multiply_add_f32_energy", "multiply_add_f32_rate", "multiply-adds in f32"},
    {"bf16", "multiply_add_bf16_energy", "multiply_add_bf16_rate", "multiply-adds in bf16"},
    {"s16", "multiply_add_int16_energy", "multiply_add_int16_rate", "multiply-adds in int16"},
    {"u8s8", "multiply_add_int8_energy", "multiply_add_int8_rate", "multiply-adds in int8"}};

struct Row {
  un0_cost_info cost;
  unsigned arithmetic;
  bool dynamics;
  double activations() const { return double(cost.bytes_read) + double(cost.bytes_written); }
};

/// Sums over one part of the model, for the whole batch.
struct PartSum {
  double multiplyAdds[kArithmetics] = {}, special = 0, bytes[kLevels] = {};
  double arithmeticSeconds = 0, memorySeconds = 0;
};

class CpuAccount {
public:
  CpuAccount(const Hardware &cpu, uint64_t batch, uint64_t tile)
      : cpu(cpu), batch(double(batch)), lanes(double(std::min(batch, tile))),
        tiles(double((batch - 1) / tile + 1)) {}
  Status read(const un0_module *module);
  void run(Account &account);

private:
  const Hardware &cpu;
  const double batch, lanes, tiles; // images, images evolved together, and how often that is done
  std::vector<Row> rows;

  unsigned level(double workingSet) const;
  double workingSet(const Row *of) const;
  PartSum sum(bool dynamics) const;
  void add(AccountBuilder &build, const PartSum &sum, Part part, const char *names[3]) const;
};

} // namespace

Status CpuAccount::read(const un0_module *module) {
  un0_cost_info cost;
  for (uint64_t i = 0; un0_module_cost(module, i, &cost); ++i) {
    const char *name = un0_module_cost_arithmetic(module, i);
    if (std::strcmp(name, "u8s4") == 0)
      name = "u8s8"; // levels are bytes
    unsigned arithmetic = 0;
    while (arithmetic < kArithmetics && std::strcmp(name, kArithmeticNames[arithmetic].name) != 0)
      ++arithmetic;
    if (arithmetic == kArithmetics)
      return rt::failure(UN0_ERROR_FORMAT, "cost %llu multiplies in %s, which has no constants",
                         static_cast<unsigned long long>(i), rt::quoted(name).c_str());
    rows.push_back({cost, arithmetic, std::strcmp(cost.part, "dynamics") == 0});
  }
  if (rows.empty())
    return rt::failure(UN0_ERROR_FORMAT, "the module has no cost table to account by");
  return {};
}

/// The nearest memory that holds so much.
unsigned CpuAccount::level(double workingSet) const {
  unsigned level = 0;
  while (level + 1 < kLevels && workingSet > cpu.get(kLevelNames[level].bytes))
    ++level;
  return level;
}

/// What is touched between two uses of the same parameter: those of all rows and the activations of
/// the widest, of the rows that are evaluated as often as `of`, or of all when it is null.
double CpuAccount::workingSet(const Row *of) const {
  double parameters = 0, widest = 0;
  for (const Row &row : rows)
    if (!of || (row.dynamics == of->dynamics && row.cost.count == of->cost.count)) {
      parameters += double(row.cost.parameter_bytes);
      widest = std::max(widest, row.activations());
    }
  return parameters + lanes * widest;
}

PartSum CpuAccount::sum(bool dynamics) const {
  PartSum sum;
  const unsigned between = level(workingSet(nullptr));
  for (const Row &row : rows) {
    if (row.dynamics != dynamics || row.cost.count == 0)
      continue;
    const double count = double(row.cost.count), parameters = double(row.cost.parameter_bytes);
    double bytes[kLevels] = {};
    // A tile's lanes share what is read of a parameter. The first evaluation finds it where the
    // previous tile left it, the others where the loop over evaluations keeps it.
    bytes[between] += tiles * parameters;
    bytes[level(workingSet(&row))] += tiles * (count - 1) * parameters;
    bytes[level(lanes * row.activations())] += batch * count * row.activations();
    const Arithmetic &arithmetic = kArithmeticNames[row.arithmetic];
    const double multiplyAdds = batch * count * double(row.cost.multiply_adds);
    const double special = batch * count * double(row.cost.special_functions);
    const double computing =
        multiplyAdds / cpu.get(arithmetic.rate) + special / cpu.get("special_function_rate");
    double moving = 0;
    for (unsigned i = 0; i < kLevels; ++i) {
      sum.bytes[i] += bytes[i];
      moving += bytes[i] / cpu.get(kLevelNames[i].rate);
    }
    sum.multiplyAdds[row.arithmetic] += multiplyAdds;
    sum.special += special;
    // Prefetching lets the two overlap; the longer is what it takes.
    (moving > computing ? sum.memorySeconds : sum.arithmeticSeconds) += std::max(moving, computing);
  }
  return sum;
}

void CpuAccount::add(AccountBuilder &build, const PartSum &sum, Part part,
                     const char *names[3]) const {
  build.begin(names[0], part, Basis::Counted);
  for (unsigned i = 0; i < kArithmetics; ++i)
    build.add(kArithmeticNames[i].what, sum.multiplyAdds[i], kArithmeticNames[i].energy);
  build.end();
  build.begin(names[1], part, Basis::Counted);
  build.add("special functions", sum.special, "special_function_energy");
  build.end();
  build.begin(names[2], part, Basis::Modelled);
  for (unsigned i = 0; i < kLevels; ++i)
    build.add(kLevelNames[i].what, sum.bytes[i], kLevelNames[i].energy);
  build.end();
}

void CpuAccount::run(Account &account) {
  static const char *dynamicsNames[3] = {"dynamics arithmetic", "dynamics special functions",
                                         "dynamics memory"};
  static const char *decoderNames[3] = {"decoder arithmetic", "decoder special functions",
                                        "decoder memory"};
  AccountBuilder build(cpu, static_cast<uint64_t>(batch), account);
  const PartSum dynamics = sum(true), decoder = sum(false);
  add(build, dynamics, Part::Dynamics, dynamicsNames);
  add(build, decoder, Part::Decoder, decoderNames);
  account.secondsToPicture = dynamics.arithmeticSeconds + dynamics.memorySeconds +
                             decoder.arithmeticSeconds + decoder.memorySeconds;
  account.secondsPerImage = account.secondsToPicture / batch;
  build.begin("idle power", Part::Control, Basis::Modelled);
  build.add("seconds", account.secondsToPicture, "idle_power");
  build.end();
  Bound bound;
  bound.add("dynamics arithmetic", dynamics.arithmeticSeconds);
  bound.add("dynamics memory", dynamics.memorySeconds);
  bound.add("decoder arithmetic", decoder.arithmeticSeconds);
  bound.add("decoder memory", decoder.memorySeconds);
  account.bound = bound.get();
}

Status accountCpu(const un0_module *module, const Hardware &cpu, uint64_t batch, Account &account) {
  if (batch == 0)
    return rt::failure(UN0_ERROR_INVALID_ARGUMENT, "an account needs a batch of at least 1");
  if (cpu.kind != dsa::HardwareKind::Cpu)
    return rt::failure(UN0_ERROR_INVALID_ARGUMENT,
                       "hardware %s is not of kind 'cpu', which the account of a CPU module needs",
                       rt::quoted(cpu.name).c_str());
  un0_signature signature;
  un0_module_signature(module, &signature);
  CpuAccount cpuAccount(cpu, batch, std::max(signature.tile, 1u));
  UN0_RETURN_IF_FAILED(cpuAccount.read(module));
  un0_module_info info;
  un0_module_get_info(module, &info);
  account = {};
  account.target = cpu.name + ", " + info.precision;
  account.batch = batch;
  cpuAccount.run(account);
  return {};
}

} // namespace un0::report
