// A system call's answer as the addon gives it: what came, or the negated errno.
#pragma once

#include <cerrno>
#include <cstdint>

namespace odradek {

inline int32_t answer(int64_t result) { return result < 0 ? -errno : static_cast<int32_t>(result); }

// The call again for as long as a signal cuts in before anything was done.
template <typename Call>
inline int32_t retried(Call call) {
  int64_t result;
  do {
    result = call();
  } while (result < 0 && errno == EINTR);
  return answer(result);
}

// One call never moves more than the kernel would (and the answer stays within 32 bits).
inline constexpr int64_t kTransferMax = 0x7ffff000;

inline size_t transfer(int64_t length) { return static_cast<size_t>(length < kTransferMax ? length : kTransferMax); }

}  // namespace odradek
