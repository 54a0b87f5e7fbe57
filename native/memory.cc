// Blocks of memory by number: made known, let go, pages given back, bytes moved.
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>

#include "call.h"
#include "result.h"

namespace odradek {

State::~State() {
  for (const Block& block : blocks) {
    if (block.known) napi_delete_reference(env, block.owner);
  }
  for (const Map& map : maps) {
    if (map.data != nullptr) munmap(const_cast<uint8_t*>(map.data), static_cast<size_t>(map.length));
  }
}

namespace {

int32_t registerBlock(State& state, napi_value value) {
  napi_typedarray_type type = napi_int8_array;
  size_t length = 0;
  void* data = nullptr;
  const napi_status status = napi_get_typedarray_info(state.env, value, &type, &length, &data, nullptr, nullptr);
  if (status != napi_ok || type != napi_uint8_array) {
    state.refuse("argument 1 is not a Uint8Array");
    return 0;
  }
  napi_ref owner = nullptr;
  if (napi_create_reference(state.env, value, 1, &owner) != napi_ok) {
    state.refuse("the memory cannot be held");
    return 0;
  }
  if (state.freeBlocks.empty()) {
    state.freeBlocks.push_back(static_cast<int32_t>(state.blocks.size()));
    state.blocks.emplace_back();
  }
  const int32_t id = state.freeBlocks.back();
  state.freeBlocks.pop_back();
  state.blocks[static_cast<size_t>(id)] = {static_cast<uint8_t*>(data), static_cast<int64_t>(length), true, owner};
  return id;
}

void unregisterBlock(State& state, BlockId id) {
  Block& block = state.blocks[static_cast<size_t>(id.value)];
  napi_delete_reference(state.env, block.owner);
  block = {};
  state.freeBlocks.push_back(id.value);
}

// Buffers of JavaScript are private anonymous memory, so dropped pages come back as zero. Only pages that lie wholly
// inside the range are dropped: what shares a page with the ends is not ours.
int32_t release(State&, Bytes range) {
  const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  const auto start = (reinterpret_cast<uintptr_t>(range.data) + page - 1) & ~(page - 1);
  const auto end = (reinterpret_cast<uintptr_t>(range.data) + static_cast<uintptr_t>(range.length)) & ~(page - 1);
  if (end <= start) return 0;
  return retried([=] { return madvise(reinterpret_cast<void*>(start), end - start, MADV_DONTNEED); });
}

void move(State& state, int32_t targetId, Whole targetOffset, int32_t sourceId, Whole sourceOffset, Whole length) {
  uint8_t* const target = state.range(targetId, targetOffset.value, length.value);
  const uint8_t* const source = state.range(sourceId, sourceOffset.value, length.value);
  if (!state.refused() && length.value > 0) memmove(target, source, static_cast<size_t>(length.value));
}

constexpr Export kFunctions[] = {
    exported<&registerBlock>("register"),
    exported<&unregisterBlock>("unregister"),
    exported<&release>("release"),
    exported<&move>("move"),
};

}  // namespace

std::span<const Export> memoryFunctions() { return kFunctions; }

}  // namespace odradek
