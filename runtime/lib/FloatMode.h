//===- FloatMode.h - the arithmetic that the bytes are defined for ----------===//
#ifndef UN0_RUNTIME_LIB_FLOATMODE_H
#define UN0_RUNTIME_LIB_FLOATMODE_H

#ifdef __SSE__
#include <xmmintrin.h>
#endif

namespace un0::rt {

/// For its lifetime this thread rounds to nearest, keeps denormals and traps nothing, whatever the
/// caller, or who created the thread, had set: the same bytes would otherwise depend on that and on
/// which thread has which sample. The flags that the arithmetic raises are dropped.
class FloatMode {
public:
#ifdef __SSE__
  static constexpr unsigned standard = 0x1f80;
  explicit FloatMode(unsigned mode = standard) : before(_mm_getcsr()) { _mm_setcsr(mode); }
  ~FloatMode() { _mm_setcsr(before); }
  unsigned callers() const { return before; }
#else
  static constexpr unsigned standard = 0;
  explicit FloatMode(unsigned = standard) {}
  ~FloatMode() {}
  unsigned callers() const { return standard; }
#endif
  FloatMode(const FloatMode &) = delete;
  FloatMode &operator=(const FloatMode &) = delete;

private:
#ifdef __SSE__
  unsigned before;
#endif
};

} // namespace un0::rt

#endif // UN0_RUNTIME_LIB_FLOATMODE_H
