//===- ScheduleFile.cpp - schedules that were found before ------*- C++ -*-===//

#include "un0/Tune/Tune.h"

#include "un0/Quantize/JsonFile.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace un0;
using llvm::Error;
using llvm::Expected;

/// The attribute of a convolution that has `schedule`, as `value` changes it.
static Expected<cpu::ConvScheduleAttr> parseEntry(const llvm::json::Value &value,
                                                  cpu::ConvScheduleAttr schedule) {
  const llvm::json::Object *entry = value.getAsObject();
  if (!entry)
    return llvm::createStringError("is not an object");
  for (const auto &[key, unused] : *entry)
    if (!llvm::is_contained({"batched", "images", "rows"}, StringRef(key)))
      return llvm::createStringError("has '%s'; there are batched, images and rows",
                                     StringRef(key).str().c_str());
  std::optional<bool> batched = entry->getBoolean("batched");
  if (!batched)
    return llvm::createStringError("batched is not true or false");
  constexpr StringRef keys[] = {"images", "rows"};
  int64_t numbers[2];
  for (auto [key, number] : llvm::zip(keys, numbers)) {
    std::optional<int64_t> given = entry->getInteger(key);
    if (!given || *given < 1) {
      const llvm::json::Value *found = entry->get(key);
      return llvm::createStringError("%s is %s, not a positive whole number", key.str().c_str(),
                                     found ? llvm::formatv("{0}", *found).str().c_str()
                                           : "missing");
    }
    number = *given;
  }
  auto [images, rows] = numbers;
  if (!*batched && images > 1)
    return llvm::createStringError("takes %lld images together without being batched",
                                   static_cast<long long>(images));
  bool same = *batched == schedule.getBatched() && images == schedule.getImages() &&
              rows == schedule.getRows();
  return cpu::ConvScheduleAttr::get(schedule.getContext(), schedule.getForm(), *batched, images,
                                    rows, same ? schedule.getTuned() : true);
}

Error un0::readScheduleFile(StringRef path, ModuleOp module, const CpuTarget &target) {
  auto fail = [&](const Twine &what) -> Error {
    return llvm::createStringError("schedule file '%s': %s", path.str().c_str(),
                                   what.str().c_str());
  };
  auto failAt = [&](StringRef name, const Twine &what) { return fail("'" + name + "': " + what); };
  Expected<llvm::json::Value> parsed = readJsonFile(path);
  if (!parsed)
    return fail(llvm::toString(parsed.takeError()));
  const llvm::json::Object *root = parsed->getAsObject();
  const llvm::json::Object *entries = root ? root->getObject("convolutions") : nullptr;
  if (!entries)
    return fail("has no object 'convolutions'");

  SmallVector<un0::Conv2DOp> convs = listConvolutions(module);
  std::vector<std::string> names;
  SmallVector<cpu::ConvScheduleAttr> schedules;
  for (un0::Conv2DOp conv : convs) {
    names.push_back(getOperatorName(conv).str());
    schedules.push_back(getSchedule(conv));
  }
  for (const auto &[key, value] : *entries) {
    StringRef name(key);
    if (!llvm::is_contained(names, name))
      return fail("no convolution is named '" + name + "'; there are: " + llvm::join(names, ", "));
    for (auto [own, schedule] : llvm::zip(names, schedules)) {
      if (own != name)
        continue;
      Expected<cpu::ConvScheduleAttr> given = parseEntry(value, schedule);
      if (!given)
        return failAt(name, llvm::toString(given.takeError()));
      schedule = *given;
    }
  }
  if (std::optional<ScheduleFault> fault = findFault(convs, schedules, target.lanes))
    return failAt(names[fault->conv], fault->message);
  for (auto [conv, schedule] : llvm::zip(convs, schedules))
    setSchedule(conv, schedule);
  return Error::success();
}

Error un0::writeScheduleFile(StringRef path, ModuleOp module) {
  llvm::json::Object entries;
  for (un0::Conv2DOp conv : listConvolutions(module)) {
    cpu::ConvScheduleAttr schedule = getSchedule(conv);
    entries[getOperatorName(conv)] = llvm::json::Object{{"batched", schedule.getBatched()},
                                                        {"images", schedule.getImages()},
                                                        {"rows", schedule.getRows()}};
  }
  llvm::json::Value root = llvm::json::Object{{"convolutions", std::move(entries)}};
  return writeJsonFile(path, root);
}
