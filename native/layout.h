// Made from src/runtime/ground/layout.ts by scripts/layout-header.mjs; change it there.
#pragma once

namespace odradek {

inline constexpr int PIECE_BYTES = 12;
inline constexpr int PIECE_MEMORY = 0;
inline constexpr int PIECE_OFFSET = 4;
inline constexpr int PIECE_LENGTH = 8;
inline constexpr int EVENT_BYTES = 8;
inline constexpr int EVENT_TOKEN = 0;
inline constexpr int EVENT_BITS = 4;
inline constexpr int EVENT_READ = 1;
inline constexpr int EVENT_WRITE = 4;
inline constexpr int EVENT_ERROR = 8;
inline constexpr int EVENT_HANGUP = 16;
inline constexpr int EVENT_GONE = 8192;
inline constexpr int FRAME_BYTES = 8;
inline constexpr int FRAME_START = 0;
inline constexpr int FRAME_LENGTH = 4;

}  // namespace odradek
