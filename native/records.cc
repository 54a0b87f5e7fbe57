// Loops over bytes that came from outside: the checksum, the walk over an uncompressed record section, the cutting of
// frames. No byte is read behind the range, whatever the lengths in it say.
#include <cstring>

#include "call.h"
#include "crc32c.h"
#include "layout.h"

namespace odradek {
namespace {

constexpr int32_t kOk = 0;
constexpr int32_t kBadLayout = -1;
constexpr int32_t kBadOffsetDelta = -2;
constexpr int32_t kNoKey = -3;

class Cursor {
 public:
  Cursor(const uint8_t* at, const uint8_t* end) : at_(at), end_(end) {}

  const uint8_t* at() const { return at_; }
  int64_t left() const { return end_ - at_; }

  // At most five bytes and 32 bits, zigzag folded.
  bool varint(int32_t* out) {
    uint32_t folded = 0;
    for (int shift = 0; shift < 35; shift += 7) {
      if (at_ == end_) return false;
      const uint32_t byte = *at_++;
      if (shift == 28 && byte > 0x0f) return false;
      folded |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        *out = static_cast<int32_t>((folded >> 1) ^ (0 - (folded & 1)));
        return true;
      }
    }
    return false;
  }

  // At most ten bytes and 64 bits.
  bool varlong(int64_t* out) {
    uint64_t folded = 0;
    for (int shift = 0; shift < 70; shift += 7) {
      if (at_ == end_) return false;
      const uint64_t byte = *at_++;
      if (shift == 63 && byte > 1) return false;
      folded |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        *out = static_cast<int64_t>((folded >> 1) ^ (0 - (folded & 1)));
        return true;
      }
    }
    return false;
  }

  bool skip(int32_t length) {
    if (length > left()) return false;
    at_ += length;
    return true;
  }

  // A length and as many bytes; a length below zero, where `lowest` allows it, stands for null.
  bool field(int32_t lowest, int32_t* length) {
    return varint(length) && *length >= lowest && (*length < 0 || skip(*length));
  }

 private:
  const uint8_t* at_;
  const uint8_t* const end_;
};

// attributes | timestamp delta | offset delta | key | value | headers
int32_t walkRecord(Cursor record, int32_t index, bool needKeys, int64_t* timestampDelta) {
  int32_t offsetDelta = 0;
  int32_t length = 0;
  int32_t headers = 0;
  if (!record.skip(1) || !record.varlong(timestampDelta) || !record.varint(&offsetDelta)) return kBadLayout;
  if (offsetDelta != index) return kBadOffsetDelta;
  if (!record.field(-1, &length)) return kBadLayout;
  if (needKeys && length < 0) return kNoKey;
  if (!record.field(-1, &length) || !record.varint(&headers) || headers < 0) return kBadLayout;
  for (; headers > 0; headers--) {
    if (!record.field(0, &length) || !record.field(-1, &length)) return kBadLayout;
  }
  return record.left() == 0 ? kOk : kBadLayout;
}

int32_t walkRecords(State& state, Bytes section, int32_t count, bool needKeys, Doubles result) {
  if (result.length < 2) {
    state.refuse("the result has no room for two numbers");
    return 0;
  }
  if (count < 0) return kBadLayout;
  Cursor cursor(section.data, section.data + section.length);
  double most = 0;
  int32_t where = -1;
  for (int32_t i = 0; i < count; i++) {
    int32_t length = 0;
    if (!cursor.varint(&length) || length < 0 || length > cursor.left()) return kBadLayout;
    int64_t delta = 0;
    const int32_t found = walkRecord(Cursor(cursor.at(), cursor.at() + length), i, needKeys, &delta);
    if (found != kOk) return found;
    cursor.skip(length);
    // Compared as the double that everybody else sees.
    if (where < 0 || static_cast<double>(delta) > most) {
      most = static_cast<double>(delta);
      where = i;
    }
  }
  if (cursor.left() != 0) return kBadLayout;
  result.data[0] = most;
  result.data[1] = where;
  return kOk;
}

int32_t cutFrames(State& state, Bytes range, int32_t maxFrameBytes, Ints out, int32_t outMax) {
  if (outMax < 0 || out.length / (FRAME_BYTES / 4) < outMax) {
    state.refuse("no room for %d frames", outMax);
    return 0;
  }
  if (range.offset + range.length > 0x7fffffff) {
    state.refuse("frames lie above 2^31");
    return 0;
  }
  int64_t at = 0;
  int32_t* frame = out.data;
  int32_t count = 0;
  while (count < outMax && range.length - at >= 4) {
    uint32_t raw;
    memcpy(&raw, range.data + at, sizeof raw);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    raw = __builtin_bswap32(raw);
#endif
    const auto size = static_cast<int32_t>(raw);
    if (size < 0 || size > maxFrameBytes) return -1 - count;
    at += 4;
    if (range.length - at < size) break;
    frame[FRAME_START / 4] = static_cast<int32_t>(range.offset + at);
    frame[FRAME_LENGTH / 4] = size;
    frame += FRAME_BYTES / 4;
    at += size;
    count++;
  }
  return count;
}

uint32_t checksum(State&, Bytes bytes, uint32_t seed) {
  return crc32c(seed, bytes.data, static_cast<size_t>(bytes.length));
}

constexpr Export kFunctions[] = {
    exported<&checksum>("crc32c"),
    exported<&walkRecords>("walkRecords"),
    exported<&cutFrames>("cutFrames"),
};

}  // namespace

std::span<const Export> loopFunctions() { return kFunctions; }

}  // namespace odradek
