// What the addon knows on one thread: the registered blocks of memory and the index maps, by number. Every environment
// (a worker is one) has its own; nothing here is shared between threads, so nothing here is locked.
#pragma once

#include <node_api.h>

#include <cstdint>
#include <vector>

namespace odradek {

// A block stays where it is as long as `owner` holds it.
struct Block {
  uint8_t* data = nullptr;
  int64_t length = 0;
  bool known = false;
  napi_ref owner = nullptr;
};

// A free slot has no data. `lost`: pages of the file have gone, and zeros stand where all of it was.
struct Map {
  const uint8_t* data = nullptr;
  int64_t length = 0;
  bool lost = false;
};

class State {
 public:
  explicit State(napi_env env) : env(env) {}
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State();

  // Says what is wrong with an argument; the call then throws a TypeError. The first fault of a call counts.
  [[gnu::cold, gnu::format(printf, 2, 3)]] void refuse(const char* format, ...);
  bool refused() const { return fault[0] != 0; }

  // The bytes of a registered block, or null and a refusal. An empty range may be of no block at all (-1).
  uint8_t* range(int32_t id, int64_t offset, int64_t length) {
    if (static_cast<size_t>(id) < blocks.size()) [[likely]] {
      const Block& block = blocks[static_cast<size_t>(id)];
      if (block.known && offset >= 0 && length >= 0 && length <= block.length && offset <= block.length - length)
          [[likely]] {
        return block.data + offset;
      }
    }
    return refuseRange(id, offset, length);
  }

  const napi_env env;
  std::vector<Block> blocks;
  std::vector<int32_t> freeBlocks;
  std::vector<Map> maps;
  std::vector<int32_t> freeMaps;
  char fault[160] = {0};

 private:
  [[gnu::cold]] uint8_t* refuseRange(int32_t id, int64_t offset, int64_t length);
};

}  // namespace odradek
