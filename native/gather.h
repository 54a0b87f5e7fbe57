// From entries of a gather list to the kernel's iovec list.
#pragma once

#include <sys/uio.h>

#include "call.h"
#include "layout.h"

namespace odradek {

// The kernel takes no more at once (IOV_MAX).
inline constexpr int32_t kPiecesMax = 1024;

// Fills `list`, which has room for kPiecesMax. A bad entry refuses the call.
inline int gather(State& state, PieceTable table, iovec* list) {
  if (table.count > kPiecesMax) {
    state.refuse("%d pieces at once; the most is %d", table.count, kPiecesMax);
    return 0;
  }
  for (int32_t i = 0; i < table.count; i++) {
    const int32_t* entry = table.entries + static_cast<ptrdiff_t>(i) * (PIECE_BYTES / 4);
    const int32_t id = entry[PIECE_MEMORY / 4];
    const int32_t offset = entry[PIECE_OFFSET / 4];
    const int32_t length = entry[PIECE_LENGTH / 4];
    uint8_t* const data = state.range(id, offset, length);
    if (state.refused()) [[unlikely]] return 0;
    list[i] = {data, static_cast<size_t>(length)};
  }
  return table.count;
}

}  // namespace odradek
