// Waiting: epoll, level-triggered, and the eventfd that wakes it.
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmath>
#include <cstring>

#include "call.h"
#include "layout.h"
#include "result.h"

namespace odradek {
namespace {

static_assert(EVENT_READ == EPOLLIN && EVENT_WRITE == EPOLLOUT && EVENT_ERROR == EPOLLERR && EVENT_HANGUP == EPOLLHUP &&
              EVENT_GONE == EPOLLRDHUP);
static_assert(EPOLL_CTL_ADD == 1 && EPOLL_CTL_DEL == 2 && EPOLL_CTL_MOD == 3);

// More would only make one turn longer.
constexpr int32_t kEventsMax = 1024;

int32_t pollCreate(State&) { return answer(epoll_create1(EPOLL_CLOEXEC)); }

int32_t pollControl(State& state, int32_t poll, int32_t op, int32_t descriptor, int32_t events, int32_t token) {
  constexpr int kOperations[] = {0, EPOLL_CTL_ADD, EPOLL_CTL_MOD, EPOLL_CTL_DEL};
  if (op < 1 || op > 3) {
    state.refuse("operation %d is not 1, 2 or 3", op);
    return 0;
  }
  if ((events & ~(EVENT_READ | EVENT_WRITE | EVENT_GONE)) != 0) {
    state.refuse("events %d are not of reading, writing and the other end's leaving", events);
    return 0;
  }
  epoll_event event{};
  event.events = static_cast<uint32_t>(events);
  event.data.u32 = static_cast<uint32_t>(token);
  return answer(epoll_ctl(poll, kOperations[op], descriptor, &event));
}

int32_t pollWait(State& state, int32_t poll, int32_t memory, Whole offset, int32_t max, double timeoutMs) {
  if (max < 1) {
    state.refuse("room for %d events", max);
    return 0;
  }
  const int32_t most = max < kEventsMax ? max : kEventsMax;
  uint8_t* out = state.range(memory, offset.value, static_cast<int64_t>(most) * EVENT_BYTES);
  if (state.refused()) return 0;
  epoll_event events[kEventsMax];
  // Rounded up, so that no deadline is looked at before it has come.
  const int timeout = timeoutMs < 0 || timeoutMs > 2147483647.0 ? -1 : static_cast<int>(std::ceil(timeoutMs));
  const int count = epoll_wait(poll, events, most, timeout);
  if (count < 0) return errno == EINTR ? 0 : -errno;
  for (int i = 0; i < count; i++, out += EVENT_BYTES) {
    memcpy(out + EVENT_TOKEN, &events[i].data.u32, 4);
    memcpy(out + EVENT_BITS, &events[i].events, 4);
  }
  return count;
}

int32_t eventCreate(State&) { return answer(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)); }

int32_t eventSignal(State&, int32_t event) {
  const uint64_t one = 1;
  const int32_t result = retried([&] { return write(event, &one, sizeof one); });
  // A full counter is a signal that nobody has taken yet.
  return result == -EAGAIN || result > 0 ? 0 : result;
}

int32_t eventClear(State&, int32_t event) {
  uint64_t count = 0;
  const int32_t result = retried([&] { return read(event, &count, sizeof count); });
  if (result == -EAGAIN) return 0;
  if (result < 0) return result;
  return count < 0x7fffffff ? static_cast<int32_t>(count) : 0x7fffffff;
}

constexpr Export kFunctions[] = {
    exported<&pollCreate>("pollCreate"),   exported<&pollControl>("pollControl"), exported<&pollWait>("pollWait"),
    exported<&eventCreate>("eventCreate"), exported<&eventSignal>("eventSignal"), exported<&eventClear>("eventClear"),
};

}  // namespace

std::span<const Export> pollFunctions() { return kFunctions; }

}  // namespace odradek
