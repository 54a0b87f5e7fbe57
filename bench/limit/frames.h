/*
 * The requests of the load generator, built once: a record batch with its checksum, and for each mode a frame whose
 * first bytes change from request to request (correlation id, fetch offset) while the rest never does.
 */
#ifndef LIMIT_FRAMES_H
#define LIMIT_FRAMES_H

#include "wire.h"
#include <time.h>

enum { CORRELATION_AT = 8, HEAD_MAX = 512, TOPIC_MAX = 249 };

static uint8_t *startFrame(uint8_t *at, int api, int version) {
  return wString(w32(w16(w16(at + 4, api), version), 0), "load");
}
static void endFrame(uint8_t *frame, const uint8_t *end) { put32(frame, (uint32_t)(end - frame - 4)); }

static uint8_t *wVarint(uint8_t *at, int64_t value) {
  uint64_t zigzag = (uint64_t)value << 1 ^ (uint64_t)(value >> 63);
  for (; zigzag > 127; zigzag >>= 7) *at++ = (uint8_t)(zigzag | 128);
  return w8(at, (uint8_t)zigzag);
}

/* A batch of as many records as fit batchBytes, at least one; values are noise, keys are null. Sets its size and count. */
static uint8_t *buildBatch(int64_t batchBytes, int recordBytes, int64_t *size, int *count) {
  uint8_t *batch = calloc(1, (size_t)(batchBytes + recordBytes + 128)), *at = batch + BATCH_HEADER_BYTES;
  uint8_t *value = malloc((size_t)recordBytes + 1), record[64];
  if (!batch || !value) fail("memory for a batch");
  uint32_t noise = 2463534242u;
  for (*count = 0;; ++*count) {
    uint8_t *head = wVarint(wVarint(wVarint(wVarint(w8(record, 0), 0), *count), -1), recordBytes), length[10];
    int64_t body = head - record + recordBytes + 1, prefix = wVarint(length, body) - length;
    if (*count > 0 && at - batch + prefix + body > batchBytes) break;
    for (int i = 0; i < recordBytes; i++) {
      noise ^= noise << 13, noise ^= noise >> 17, noise ^= noise << 5;
      value[i] = (uint8_t)noise;
    }
    at = wBytes(wBytes(wBytes(at, length, (size_t)prefix), record, (size_t)(head - record)), value, (size_t)recordBytes);
    at = w8(at, 0);
    if (at - batch >= batchBytes) {
      ++*count;
      break;
    }
  }
  free(value);
  *size = at - batch;
  int64_t now = (int64_t)time(NULL) * 1000;
  put32(batch + BATCH_LENGTH, (uint32_t)(*size - BATCH_LOG_OVERHEAD));
  put32(batch + BATCH_LEADER_EPOCH, (uint32_t)-1);
  batch[BATCH_MAGIC] = 2;
  put32(batch + BATCH_LAST_OFFSET_DELTA, (uint32_t)(*count - 1));
  put64(batch + BATCH_BASE_TIMESTAMP, (uint64_t)now);
  put64(batch + BATCH_MAX_TIMESTAMP, (uint64_t)now);
  put64(batch + BATCH_PRODUCER_ID, (uint64_t)-1);
  put16(batch + BATCH_PRODUCER_EPOCH, (uint16_t)-1);
  put32(batch + BATCH_BASE_SEQUENCE, (uint32_t)-1);
  put32(batch + BATCH_RECORDS_COUNT, (uint32_t)*count);
  put32(batch + BATCH_CRC, crc32c(batch + BATCH_ATTRIBUTES, (size_t)*size - BATCH_ATTRIBUTES));
  return batch;
}

/* The number of the partition lies at *partitionAt. */
static uint8_t *buildProduce(const char *topic, int partition, const uint8_t *batch, int64_t batchBytes, int64_t *size,
                             int *partitionAt) {
  uint8_t *frame = malloc((size_t)batchBytes + HEAD_MAX);
  if (!frame) fail("memory for a frame");
  uint8_t *at = startFrame(frame, PRODUCE, PRODUCE_VERSION);
  at = w32(w16(w16(at, -1), 1), 30000);
  at = w32(wString(w32(at, 1), topic), 1);
  *partitionAt = (int)(at - frame);
  at = w32(at, partition);
  at = wBytes(w32(at, batchBytes), batch, (size_t)batchBytes);
  endFrame(frame, at);
  *size = at - frame;
  return frame;
}

struct fetchLimits {
  int maxWaitMs, minBytes, maxBytes, partitionMaxBytes;
};
/* The offset to read from lies at *offsetAt. */
static uint8_t *buildFetch(const char *topic, int partition, struct fetchLimits limits, int64_t *size, int *offsetAt) {
  uint8_t *frame = malloc(HEAD_MAX);
  if (!frame) fail("memory for a frame");
  uint8_t *at = startFrame(frame, FETCH, FETCH_VERSION);
  at = w32(w32(w32(w32(at, -1), limits.maxWaitMs), limits.minBytes), limits.maxBytes);
  at = w32(w32(w8(at, 0), 0), -1);
  at = w32(wString(w32(at, 1), topic), 1);
  at = w32(w32(at, partition), -1);
  *offsetAt = (int)(at - frame);
  at = w32(w64(w64(at, 0), -1), limits.partitionMaxBytes);
  at = wString(w32(at, 0), "");
  endFrame(frame, at);
  *size = at - frame;
  return frame;
}

static uint8_t *buildApiVersions(int64_t *size) {
  uint8_t *frame = malloc(HEAD_MAX);
  if (!frame) fail("memory for a frame");
  uint8_t *at = startFrame(frame, API_VERSIONS, 0);
  endFrame(frame, at);
  *size = at - frame;
  return frame;
}

#endif
