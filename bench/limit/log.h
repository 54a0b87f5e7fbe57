/*
 * The C server's log: segment files that grow by whole batches, and in memory the place of every batch. One thread owns
 * it. Batches are stamped and queued by logAppend and reach the file together, by one gathered write in logFlush.
 */
#ifndef LIMIT_LOG_H
#define LIMIT_LOG_H

#include "wire.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

enum { SEGMENTS_MAX = 256, PIECES_MAX = 1024 };

struct place {
  int64_t baseOffset;
  int64_t position;
};
struct segment {
  int file;
  int64_t baseOffset, size;
  struct place *places;
  size_t count, room;
};

static const char *logDirectory = ".";
static int64_t logSegmentBytes = 1ll << 30;
static int logKeep = SEGMENTS_MAX;
static struct segment segments[SEGMENTS_MAX];
static int segmentCount;
static int64_t logEndOffset, logWritten;
static struct iovec logQueue[PIECES_MAX];
static int logQueued;

static void segmentPath(char *path, size_t room, int64_t baseOffset) {
  snprintf(path, room, "%s/%020lld.log", logDirectory, (long long)baseOffset);
}
static struct segment *logActive(void) { return &segments[segmentCount - 1]; }

static void logFlush(void) {
  struct iovec *at = logQueue;
  int left = logQueued;
  logQueued = 0;
  while (left > 0) {
    ssize_t wrote = pwritev(logActive()->file, at, left, logWritten);
    if (wrote < 0) {
      if (errno == EINTR) continue;
      fail("write to the log");
    }
    logWritten += wrote;
    while (left > 0 && (size_t)wrote >= at->iov_len) wrote -= (ssize_t)at->iov_len, at++, left--;
    if (left > 0) at->iov_base = (char *)at->iov_base + wrote, at->iov_len -= (size_t)wrote;
  }
}

static void logRoll(void) {
  char path[4096];
  logFlush();
  if (segmentCount == logKeep) {
    segmentPath(path, sizeof path, segments[0].baseOffset);
    close(segments[0].file);
    unlink(path);
    free(segments[0].places);
    memmove(segments, segments + 1, sizeof *segments * (size_t)--segmentCount);
  }
  struct segment *segment = &segments[segmentCount++];
  memset(segment, 0, sizeof *segment);
  segment->baseOffset = logEndOffset;
  segmentPath(path, sizeof path, logEndOffset);
  segment->file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (segment->file < 0) fail(path);
  logWritten = 0;
}

/* Stamps base offset and leader epoch (both outside the checksum) and queues the batch. Returns its base offset. */
static int64_t logAppend(uint8_t *batch, size_t bytes) {
  if (logQueued == PIECES_MAX) logFlush();
  if (segmentCount == 0 || logActive()->size + (int64_t)bytes > logSegmentBytes) logRoll();
  struct segment *segment = logActive();
  int64_t baseOffset = logEndOffset;
  put64(batch + BATCH_BASE_OFFSET, (uint64_t)baseOffset);
  put32(batch + BATCH_LEADER_EPOCH, 0);
  if (segment->count == segment->room) {
    segment->room = segment->room ? segment->room * 2 : 1024;
    segment->places = realloc(segment->places, segment->room * sizeof *segment->places);
    if (!segment->places) fail("memory for the index");
  }
  segment->places[segment->count++] = (struct place){baseOffset, segment->size};
  segment->size += (int64_t)bytes;
  logEndOffset += get32(batch + BATCH_LAST_OFFSET_DELTA) + 1;
  logQueue[logQueued++] = (struct iovec){batch, bytes};
  return baseOffset;
}

struct range {
  int file;
  int64_t position, length;
};
/* Whole batches from the one that holds `offset`, up to maxBytes; the first always. Nothing at or behind the end. */
static struct range logRead(int64_t offset, int64_t maxBytes) {
  int at = segmentCount - 1;
  if (at < 0 || offset >= logEndOffset) return (struct range){-1, 0, 0};
  while (at > 0 && segments[at].baseOffset > offset) at--;
  struct segment *segment = &segments[at];
  size_t low = 0, high = segment->count;
  while (high - low > 1) {
    size_t middle = (low + high) / 2;
    if (segment->places[middle].baseOffset <= offset) low = middle;
    else high = middle;
  }
  int64_t position = segment->places[low].position, end = position + maxBytes;
  if (end >= segment->size) return (struct range){segment->file, position, segment->size - position};
  size_t first = low;
  high = segment->count;
  while (high - low > 1) {
    size_t middle = (low + high) / 2;
    if (segment->places[middle].position <= end) low = middle;
    else high = middle;
  }
  if (low == first) low++;
  int64_t stop = low == segment->count ? segment->size : segment->places[low].position;
  return (struct range){segment->file, position, stop - position};
}

#endif
