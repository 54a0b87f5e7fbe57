// Index files in memory: mapped read-only and searched. Another process, or a truncation, may take the pages away while
// a search reads them; the SIGBUS of that makes the search fail, and the map useless, and nothing else.
#include <signal.h>
#include <sys/mman.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <mutex>

#include "call.h"
#include "result.h"

namespace odradek {
namespace {

struct Search {
  const uint8_t* data;
  size_t length;
  volatile sig_atomic_t lost;
};

// The one that runs on this thread, or null. Initial-exec storage is there before the first signal, so the handler never
// allocates.
#if defined(__GLIBC__)
__attribute__((tls_model("initial-exec")))
#endif
thread_local Search* volatile running = nullptr;

struct sigaction previous;

// A fault of the search puts zeros in place of the map and lets the search go on over them. It is not jumped out of:
// only the way back through the kernel restores all of the thread's state (the memory protection keys of the engine's
// code among it). Everybody else's fault goes where it went before; with nobody there the default action is put back, and
// the instruction that faulted runs again and meets it.
void onBusError(int signal, siginfo_t* info, void* context) {
  Search* const search = running;
  const auto* const address = static_cast<const uint8_t*>(info->si_addr);
  if (search != nullptr && info->si_code > 0 && address >= search->data && address < search->data + search->length) {
    const int before = errno;
    constexpr int kFlags = MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    void* const zeros = mmap(const_cast<uint8_t*>(search->data), search->length, PROT_READ, kFlags, -1, 0);
    errno = before;
    if (zeros != MAP_FAILED) {
      search->lost = 1;
      return;
    }
  }
  if ((previous.sa_flags & SA_SIGINFO) != 0) {
    previous.sa_sigaction(signal, info, context);
  } else if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN) {
    previous.sa_handler(signal);
  } else if (previous.sa_handler == SIG_DFL || info->si_code > 0) {
    struct sigaction fallback {};
    fallback.sa_handler = SIG_DFL;
    sigaction(signal, &fallback, nullptr);
    // A signal that was sent does not come again by itself.
    if (info->si_code <= 0) raise(signal);
  }
}

// Once per process.
void watchBusErrors() {
  static std::once_flag once;
  std::call_once(once, [] {
    struct sigaction own {};
    own.sa_sigaction = onBusError;
    own.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigemptyset(&own.sa_mask);
    sigaction(SIGBUS, &own, &previous);
  });
}

template <typename Word>
Word bigEndian(const uint8_t* at) {
  Word word;
  memcpy(&word, at, sizeof word);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
  if constexpr (sizeof(Word) == 4) {
    word = static_cast<Word>(__builtin_bswap32(static_cast<uint32_t>(word)));
  } else {
    word = static_cast<Word>(__builtin_bswap64(static_cast<uint64_t>(word)));
  }
#endif
  return word;
}

// An entry is a key of `Key`, then four bytes.
template <typename Key>
constexpr int32_t kEntryBytes = sizeof(Key) + 4;

template <typename Key>
[[gnu::noinline]] int32_t lastAtMost(const uint8_t* entries, int32_t count, double target) {
  int32_t low = 0;
  int32_t high = count;
  while (low < high) {
    const auto middle = static_cast<int32_t>((static_cast<uint32_t>(low) + static_cast<uint32_t>(high)) / 2);
    const auto key = bigEndian<Key>(entries + static_cast<ptrdiff_t>(middle) * kEntryBytes<Key>);
    if (static_cast<double>(key) <= target) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low - 1;
}

template <typename Key>
int32_t searchMap(State& state, MapId id, int32_t count, double target) {
  Map& map = state.maps[static_cast<size_t>(id.value)];
  if (count < 0 || static_cast<int64_t>(count) * kEntryBytes<Key> > map.length) {
    state.refuse("%d entries do not fit a map of %lld bytes", count, static_cast<long long>(map.length));
    return 0;
  }
  if (map.lost) return -EIO;
  Search search = {map.data, static_cast<size_t>(map.length), 0};
  running = &search;
  std::atomic_signal_fence(std::memory_order_seq_cst);
  const int32_t slot = lastAtMost<Key>(map.data, count, target);
  std::atomic_signal_fence(std::memory_order_seq_cst);
  running = nullptr;
  if (search.lost == 0) return slot;
  map.lost = true;
  return -EIO;
}

int32_t mapFile(State& state, int32_t file, Whole length) {
  watchBusErrors();
  void* data = mmap(nullptr, static_cast<size_t>(length.value), PROT_READ, MAP_SHARED, file, 0);
  if (data == MAP_FAILED) return -errno;
  if (state.freeMaps.empty()) {
    state.freeMaps.push_back(static_cast<int32_t>(state.maps.size()));
    state.maps.emplace_back();
  }
  const int32_t id = state.freeMaps.back();
  state.freeMaps.pop_back();
  state.maps[static_cast<size_t>(id)] = {static_cast<const uint8_t*>(data), length.value, false};
  return id;
}

int32_t unmapFile(State& state, MapId id) {
  Map& map = state.maps[static_cast<size_t>(id.value)];
  if (munmap(const_cast<uint8_t*>(map.data), static_cast<size_t>(map.length)) != 0) return -errno;
  map = {};
  state.freeMaps.push_back(id.value);
  return 0;
}

constexpr Export kFunctions[] = {
    exported<&mapFile>("map"),
    exported<&unmapFile>("unmap"),
    exported<&searchMap<int32_t>>("searchOffset"),
    exported<&searchMap<int64_t>>("searchTime"),
};

}  // namespace

std::span<const Export> indexMapFunctions() { return kFunctions; }

}  // namespace odradek
