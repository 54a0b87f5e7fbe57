// CRC-32C in two variants. With the processor's instruction: its answer takes three cycles but a new one starts every
// cycle, so three lanes run side by side and are folded into one by carry-less products. Without: eight tables.
//
// Polynomials are bit-reversed throughout: bit 31 is x^0. A product of two reversed 32-bit values is off by one x, and the
// instruction reduces 64 bits times x^32: a factor meant to shift by n bits is therefore x^(n - 33) mod P.
#include "crc32c.h"

#include <array>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#include <wmmintrin.h>
#elif defined(__aarch64__)
#include <arm_acle.h>
#include <arm_neon.h>
#include <sys/auxv.h>
#endif

namespace odradek {
namespace {

constexpr uint32_t kPolynomial = 0x82f63b78;

constexpr uint32_t timesX(uint32_t value) { return (value >> 1) ^ ((value & 1) != 0 ? kPolynomial : 0); }

// kTables[k][b]: what byte b does to the state when k more bytes follow it.
constexpr auto kTables = [] {
  std::array<std::array<uint32_t, 256>, 8> tables{};
  for (uint32_t b = 0; b < 256; b++) {
    uint32_t value = b;
    for (int i = 0; i < 8; i++) value = timesX(value);
    tables[0][b] = value;
  }
  for (uint32_t b = 0; b < 256; b++) {
    for (size_t k = 1; k < 8; k++) tables[k][b] = (tables[k - 1][b] >> 8) ^ tables[0][tables[k - 1][b] & 0xff];
  }
  return tables;
}();

#if defined(__x86_64__)

#define ODRADEK_CRC_TARGET __attribute__((target("sse4.2,pclmul")))

ODRADEK_CRC_TARGET inline uint64_t step64(uint64_t state, uint64_t word) { return _mm_crc32_u64(state, word); }
ODRADEK_CRC_TARGET inline uint32_t step32(uint32_t state, uint32_t word) { return _mm_crc32_u32(state, word); }
ODRADEK_CRC_TARGET inline uint32_t step8(uint32_t state, uint8_t byte) { return _mm_crc32_u8(state, byte); }
ODRADEK_CRC_TARGET inline uint64_t product(uint64_t state, uint32_t factor) {
  const __m128i left = _mm_cvtsi64_si128(static_cast<long long>(state));
  const __m128i right = _mm_cvtsi32_si128(static_cast<int>(factor));
  return static_cast<uint64_t>(_mm_cvtsi128_si64(_mm_clmulepi64_si128(left, right, 0)));
}
bool available() { return __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("pclmul"); }

#elif defined(__aarch64__)

#if defined(__clang__)
#define ODRADEK_CRC_TARGET __attribute__((target("crc,aes")))
#else
#define ODRADEK_CRC_TARGET __attribute__((target("+crc+crypto")))
#endif

ODRADEK_CRC_TARGET inline uint64_t step64(uint64_t state, uint64_t word) {
  return __crc32cd(static_cast<uint32_t>(state), word);
}
ODRADEK_CRC_TARGET inline uint32_t step32(uint32_t state, uint32_t word) { return __crc32cw(state, word); }
ODRADEK_CRC_TARGET inline uint32_t step8(uint32_t state, uint8_t byte) { return __crc32cb(state, byte); }
ODRADEK_CRC_TARGET inline uint64_t product(uint64_t state, uint32_t factor) {
  const poly128_t both = vmull_p64(static_cast<poly64_t>(state), static_cast<poly64_t>(factor));
  return vgetq_lane_u64(vreinterpretq_u64_p128(both), 0);
}
bool available() {
  constexpr unsigned long kPmull = 1UL << 4;
  constexpr unsigned long kCrc32 = 1UL << 7;
  return (getauxval(AT_HWCAP) & (kPmull | kCrc32)) == (kPmull | kCrc32);
}

#endif

#if defined(ODRADEK_CRC_TARGET)

// A lane this long makes the folding cheap enough; a longer one would need more factors.
constexpr size_t kLaneWordsMax = 256;
// Below, one lane is done sooner than three are folded.
constexpr size_t kThreeLanesFrom = 96;

// kShift[n]: the factor that shifts by n words, for n up to two lanes. The first is x^(64 - 33).
constexpr auto kShift = [] {
  std::array<uint32_t, 2 * kLaneWordsMax + 1> factors{};
  factors[1] = 1;
  for (size_t n = 2; n < factors.size(); n++) {
    factors[n] = factors[n - 1];
    for (int i = 0; i < 64; i++) factors[n] = timesX(factors[n]);
  }
  return factors;
}();

uint64_t load(const uint8_t* at) {
  uint64_t word;
  memcpy(&word, at, sizeof word);
  return word;
}

ODRADEK_CRC_TARGET uint32_t byInstruction(uint32_t start, const uint8_t* at, size_t left) {
  uint64_t state = start;
  while (left >= kThreeLanesFrom) {
    const size_t words = left / 24 < kLaneWordsMax ? left / 24 : kLaneWordsMax;
    const uint8_t* const a = at;
    const uint8_t* const b = a + words * 8;
    const uint8_t* const c = b + words * 8;
    uint64_t second = 0;
    uint64_t third = 0;
    const size_t last = (words - 1) * 8;
    for (size_t i = 0; i < last; i += 8) {
      state = step64(state, load(a + i));
      second = step64(second, load(b + i));
      third = step64(third, load(c + i));
    }
    state = step64(state, load(a + last));
    second = step64(second, load(b + last));
    const uint64_t folded = product(state, kShift[2 * words]) ^ product(second, kShift[words]);
    state = step64(third, load(c + last) ^ folded);
    at += words * 24;
    left -= words * 24;
  }
  for (; left >= 8; at += 8, left -= 8) state = step64(state, load(at));
  auto rest = static_cast<uint32_t>(state);
  if (left >= 4) {
    uint32_t word;
    memcpy(&word, at, sizeof word);
    rest = step32(rest, word);
    at += 4;
    left -= 4;
  }
  for (; left > 0; at++, left--) rest = step8(rest, *at);
  return rest;
}

#endif

const CrcVariant kFastest = crcByInstruction() != nullptr ? crcByInstruction() : crcByTable;

}  // namespace

uint32_t crcByTable(uint32_t state, const uint8_t* at, size_t left) {
  for (; left >= 8; at += 8, left -= 8) {
    state = kTables[7][(state ^ at[0]) & 0xff] ^ kTables[6][((state >> 8) ^ at[1]) & 0xff] ^
            kTables[5][((state >> 16) ^ at[2]) & 0xff] ^ kTables[4][(state >> 24) ^ at[3]] ^ kTables[3][at[4]] ^
            kTables[2][at[5]] ^ kTables[1][at[6]] ^ kTables[0][at[7]];
  }
  for (; left > 0; at++, left--) state = (state >> 8) ^ kTables[0][(state ^ *at) & 0xff];
  return state;
}

CrcVariant crcByInstruction() {
#if defined(ODRADEK_CRC_TARGET)
  if (available()) return byInstruction;
#endif
  return nullptr;
}

uint32_t crc32c(uint32_t seed, const uint8_t* bytes, size_t length) { return ~kFastest(~seed, bytes, length); }

}  // namespace odradek
