//===- Array.h - memory that may not be there -------------------------------===//
#ifndef UN0_TOOLS_UN0_RUN_ARRAY_H
#define UN0_TOOLS_UN0_RUN_ARRAY_H

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <utility>

namespace un0run {

/// What std::vector is not: told to hold more than there is memory for, it says so. A request can
/// be larger than the machine.
template <typename T> class Array {
public:
  /// Room for `count` elements without values. False, and nothing changed, when it cannot be had.
  [[nodiscard]] bool allocate(uint64_t count) {
    if (count > PTRDIFF_MAX / sizeof(T))
      return false;
    std::unique_ptr<T[]> got(new (std::nothrow) T[count]);
    if (!got)
      return false;
    elements = std::move(got);
    length = count;
    return true;
  }
  T *data() { return elements.get(); }
  const T *data() const { return elements.get(); }
  size_t size() const { return length; }
  bool empty() const { return length == 0; }
  T &operator[](size_t i) { return elements[i]; }
  const T &operator[](size_t i) const { return elements[i]; }
  T *begin() { return data(); }
  T *end() { return data() + length; }
  const T *begin() const { return data(); }
  const T *end() const { return data() + length; }

private:
  std::unique_ptr<T[]> elements;
  size_t length = 0;
};

} // namespace un0run

#endif // UN0_TOOLS_UN0_RUN_ARRAY_H
