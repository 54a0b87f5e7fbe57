/*
 * What the load generator and the C server share: big-endian fields of Kafka's protocol, the record batch v2 header,
 * and CRC-32C in three interleaved streams. Nothing here allocates.
 */
#ifndef LIMIT_WIRE_H
#define LIMIT_WIRE_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PRODUCE = 0, FETCH = 1, METADATA = 3, API_VERSIONS = 18, CREATE_TOPICS = 19 };
enum { PRODUCE_VERSION = 7, FETCH_VERSION = 11, METADATA_VERSION = 4, CREATE_TOPICS_VERSION = 2 };

/* Record batch v2: where the fields of its header lie. The checksum covers everything from the attributes on. */
enum {
  BATCH_BASE_OFFSET = 0,
  BATCH_LENGTH = 8,
  BATCH_LEADER_EPOCH = 12,
  BATCH_MAGIC = 16,
  BATCH_CRC = 17,
  BATCH_ATTRIBUTES = 21,
  BATCH_LAST_OFFSET_DELTA = 23,
  BATCH_BASE_TIMESTAMP = 27,
  BATCH_MAX_TIMESTAMP = 35,
  BATCH_PRODUCER_ID = 43,
  BATCH_PRODUCER_EPOCH = 51,
  BATCH_BASE_SEQUENCE = 53,
  BATCH_RECORDS_COUNT = 57,
  BATCH_HEADER_BYTES = 61,
  /* base offset and length themselves are not counted in the batch's length */
  BATCH_LOG_OVERHEAD = 12,
};

static inline void put16(uint8_t *at, uint16_t value) {
  value = __builtin_bswap16(value);
  memcpy(at, &value, 2);
}
static inline void put32(uint8_t *at, uint32_t value) {
  value = __builtin_bswap32(value);
  memcpy(at, &value, 4);
}
static inline void put64(uint8_t *at, uint64_t value) {
  value = __builtin_bswap64(value);
  memcpy(at, &value, 8);
}
static inline int16_t get16(const uint8_t *at) {
  uint16_t value;
  memcpy(&value, at, 2);
  return (int16_t)__builtin_bswap16(value);
}
static inline int32_t get32(const uint8_t *at) {
  uint32_t value;
  memcpy(&value, at, 4);
  return (int32_t)__builtin_bswap32(value);
}
static inline int64_t get64(const uint8_t *at) {
  uint64_t value;
  memcpy(&value, at, 8);
  return (int64_t)__builtin_bswap64(value);
}

/* A writer that moves forward; the caller knows that the room is there. */
static inline uint8_t *w8(uint8_t *at, uint8_t value) {
  *at = value;
  return at + 1;
}
static inline uint8_t *w16(uint8_t *at, int value) {
  put16(at, (uint16_t)value);
  return at + 2;
}
static inline uint8_t *w32(uint8_t *at, int64_t value) {
  put32(at, (uint32_t)value);
  return at + 4;
}
static inline uint8_t *w64(uint8_t *at, int64_t value) {
  put64(at, (uint64_t)value);
  return at + 8;
}
static inline uint8_t *wBytes(uint8_t *at, const void *bytes, size_t length) {
  memcpy(at, bytes, length);
  return at + length;
}
static inline uint8_t *wString(uint8_t *at, const char *text) {
  size_t length = strlen(text);
  return wBytes(w16(at, (int)length), text, length);
}

static inline void fail(const char *what) {
  perror(what);
  exit(1);
}

/* ---- CRC-32C ---- */

#if defined(__x86_64__)
#include <immintrin.h>
#define CRC_TARGET __attribute__((target("sse4.2")))
static inline CRC_TARGET uint64_t crcStep(uint64_t crc, const uint8_t *at) {
  uint64_t word;
  memcpy(&word, at, 8);
  return _mm_crc32_u64(crc, word);
}
static inline CRC_TARGET uint32_t crcByte(uint32_t crc, uint8_t byte) { return _mm_crc32_u8(crc, byte); }
#elif defined(__aarch64__)
#include <arm_acle.h>
#define CRC_TARGET __attribute__((target("+crc")))
static inline CRC_TARGET uint64_t crcStep(uint64_t crc, const uint8_t *at) {
  uint64_t word;
  memcpy(&word, at, 8);
  return __crc32cd((uint32_t)crc, word);
}
static inline CRC_TARGET uint32_t crcByte(uint32_t crc, uint8_t byte) { return __crc32cb(crc, byte); }
#else
#error "the yardstick wants a CPU with a CRC-32C instruction (x86-64 or arm64)"
#endif

/* The instruction takes three cycles and starts one each cycle: three streams side by side keep it busy. */
enum { CRC_LONG = 4096, CRC_SHORT = 256 };
static uint32_t crcLongShift[4][256], crcShortShift[4][256];

/* What `length` zero bytes do to a state is linear in its bits, so four tables of one byte each say it for every state. */
static CRC_TARGET void crcShiftTables(uint32_t table[4][256], int length) {
  static const uint8_t zero[8];
  uint32_t ofBit[32];
  for (int bit = 0; bit < 32; bit++) {
    uint64_t crc = 1u << bit;
    for (int i = 0; i < length; i += 8) crc = crcStep(crc, zero);
    ofBit[bit] = (uint32_t)crc;
  }
  for (int part = 0; part < 4; part++)
    for (int value = 0; value < 256; value++) {
      uint32_t sum = 0;
      for (int bit = 0; bit < 8; bit++)
        if (value >> bit & 1) sum ^= ofBit[part * 8 + bit];
      table[part][value] = sum;
    }
}
static void crcStart(void) {
  crcShiftTables(crcLongShift, CRC_LONG);
  crcShiftTables(crcShortShift, CRC_SHORT);
}
static inline uint32_t crcShift(uint32_t table[4][256], uint32_t crc) {
  return table[0][crc & 255] ^ table[1][crc >> 8 & 255] ^ table[2][crc >> 16 & 255] ^ table[3][crc >> 24];
}
static inline CRC_TARGET uint32_t crcThree(uint32_t crc, const uint8_t *at, int block, uint32_t shift[4][256]) {
  uint64_t a = crc, b = 0, c = 0;
  for (int i = 0; i < block; i += 8) {
    a = crcStep(a, at + i);
    b = crcStep(b, at + block + i);
    c = crcStep(c, at + 2 * block + i);
  }
  return crcShift(shift, crcShift(shift, (uint32_t)a) ^ (uint32_t)b) ^ (uint32_t)c;
}
static CRC_TARGET uint32_t crc32c(const uint8_t *at, size_t length) {
  uint32_t crc = 0xffffffff;
  for (; length >= 3 * CRC_LONG; at += 3 * CRC_LONG, length -= 3 * CRC_LONG) crc = crcThree(crc, at, CRC_LONG, crcLongShift);
  for (; length >= 3 * CRC_SHORT; at += 3 * CRC_SHORT, length -= 3 * CRC_SHORT) crc = crcThree(crc, at, CRC_SHORT, crcShortShift);
  for (; length >= 8; at += 8, length -= 8) crc = (uint32_t)crcStep(crc, at);
  for (; length > 0; at++, length--) crc = crcByte(crc, *at);
  return ~crc;
}

#endif
