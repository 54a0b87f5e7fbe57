/*
 * The load generator: one thread, epoll, prebuilt frames, no allocation while it measures, so that the server is what
 * is measured. Every answer is checked: its correlation id is the next one, its error code is 0.
 *
 *   load --port N --topic NAME --mode produce|fetch|apiversions|pingpong|create [--host ADDRESS] [--partition N]
 *     --requests N | --bytes N   how much is measured        --warmup N        requests before that, not counted
 *     --rate N                   requests a second: each is due at its time, and its latency counts from then, so that
 *                                what waits behind a slow one is slow, too (default: as fast as answers come)
 *     --spread N                 produce to N partitions in turn, from --partition on
 *     --connections N, --depth N connections, and requests in flight on each
 *     --batch-bytes N            a batch has as many records as fit (default: one)   --record-bytes N  value of a record
 *     --fetch-bytes N            what one fetch asks for     --max-wait-ms N --min-bytes N --from OFFSET
 *     --read                     copy fetched bytes out of the kernel instead of discarding them there
 *     --watch PID                also report the CPU time that process used in the measured part
 *     --prime BYTES              touch so much memory and give it back just before the measured part: on a virtual machine
 *                                the first touch of a page costs many times what a page costs that the host has backed
 *     --create                   create the topic (one partition) first; --partitions N for more
 *     --connect-ms N             how long to try to connect (default 0: once)
 *
 * Prints one line of JSON. pingpong is produce, one record at a time. Fetching goes from offset to offset as a
 * consumer does, and from --from (or the start of the log) again at its end.
 */
#define _GNU_SOURCE
#include "pace.h"
#include <sys/uio.h>

enum { DEPTH_MAX = 64, IN_BYTES = 16 << 10, READ_BYTES = 256 << 10, SEND_PIECES = 2 * DEPTH_MAX };
enum mode { MODE_PRODUCE, MODE_FETCH, MODE_API_VERSIONS };

struct connection {
  int socket;
  uint32_t interest;
  int64_t started, sent, answered;
  int64_t runStart; /* what was started before this run */
  size_t sentBytes; /* of request `sent` */
  uint8_t heads[DEPTH_MAX][HEAD_MAX];
  int64_t startedNs[DEPTH_MAX], asked[DEPTH_MAX];
  int64_t nextOffset;
  uint8_t in[IN_BYTES];
  size_t inBytes;
  /* of a fetch answer: `in` gathers wantBytes that must lie together, then `skip` bytes go by unread, then recordsLeft
     follow; completeBytes were of whole batches */
  size_t wantBytes;
  int64_t skip, recordsLeft, completeBytes, endOffset, highWatermark;
  int inRecords;
};

static struct peer peer = {"127.0.0.1", 0, 0};
static const char *topic = "load";
static int partition, partitions = 1, connections = 1, depth = 1, recordBytes = 1024, readAll, watch, create, spread = 1;
static int64_t requests, bytesWanted, warmup, primeBytes, batchBytes = 1, fetchFrom;
static struct fetchLimits limits = {500, 1, 1 << 20, 1 << 20};
static enum mode mode;

static uint8_t *template;
static int64_t templateBytes, headBytes, payloadBytes, fetchHeadBytes, stride, logStart;
static int offsetAt, partitionAt, batchRecords;
static struct connection *all;
static int poll;
static int64_t toStart, toAnswer, answeredBytes, answeredTotal, turn, endOffset;
static int measuring;

/* ---- asking ---- */

static void interest(struct connection *connection, uint32_t events) {
  if (connection->interest == events) return;
  connection->interest = events;
  struct epoll_event event = {events, {.ptr = connection}};
  if (epoll_ctl(poll, EPOLL_CTL_MOD, connection->socket, &event) < 0) fail("epoll_ctl");
}

static int64_t firstOffset(void) { return fetchFrom > logStart ? fetchFrom : logStart; }

/* When the connection's next request is due: those of a run go round the connections. */
static int64_t nextDueNs(const struct connection *connection) {
  return dueNs((connection->started - connection->runStart) * connections + (connection - all));
}

static void startRequest(struct connection *connection) {
  int slot = (int)(connection->started % depth);
  if (spread > 1) put32(connection->heads[slot] + partitionAt, (uint32_t)(partition + turn++ % spread));
  put32(connection->heads[slot] + CORRELATION_AT, (uint32_t)connection->started);
  if (mode == MODE_FETCH) {
    put64(connection->heads[slot] + offsetAt, (uint64_t)connection->nextOffset);
    connection->asked[slot] = connection->nextOffset;
    if (depth > 1 && stride > 0) {
      connection->nextOffset += stride;
      if (connection->nextOffset + stride > connection->highWatermark) connection->nextOffset = firstOffset();
    }
  }
  connection->startedNs[slot] = rate > 0 ? nextDueNs(connection) : nowNs();
  connection->started++;
  toStart--;
}

/* Starts what may start and sends as far as the socket takes it. */
static void ask(struct connection *connection) {
  /* Until the first answer says how far one fetch reaches, the next offset is not known. */
  int inFlight = mode == MODE_FETCH && stride == 0 ? 1 : depth;
  while (toStart > 0 && connection->started - connection->answered < inFlight) {
    if (rate > 0 && nextDueNs(connection) > nowNs()) break;
    startRequest(connection);
  }
  while (connection->sent < connection->started) {
    struct iovec pieces[SEND_PIECES];
    int count = 0;
    for (int64_t i = connection->sent; i < connection->started; i++) {
      size_t skip = i == connection->sent ? connection->sentBytes : 0;
      if (skip < (size_t)headBytes) {
        pieces[count++] = (struct iovec){connection->heads[i % depth] + skip, (size_t)headBytes - skip};
        skip = (size_t)headBytes;
      }
      if (templateBytes > (int64_t)skip) pieces[count++] = (struct iovec){template + skip, (size_t)templateBytes - skip};
    }
    struct msghdr message = {.msg_iov = pieces, .msg_iovlen = (size_t)count};
    ssize_t sent = sendmsg(connection->socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno == EAGAIN) {
      interest(connection, EPOLLIN | EPOLLOUT);
      return;
    }
    if (sent < 0) fail("send");
    size_t total = connection->sentBytes + (size_t)sent;
    connection->sent += (int64_t)(total / (size_t)templateBytes);
    connection->sentBytes = total % (size_t)templateBytes;
  }
  interest(connection, EPOLLIN);
}

/* ---- answers ---- */

static void finish(struct connection *connection, int64_t bytes) {
  if (measuring) record(nowNs() - connection->startedNs[connection->answered % depth]);
  connection->answered++;
  answeredTotal++;
  answeredBytes += bytes;
  toAnswer--;
}

static void checkCorrelation(struct connection *connection, int32_t got) {
  if (connection->answered == connection->started) refuse("an answer came that nobody asked for");
  if (got != (int32_t)connection->answered) refuse("answer %lld carries correlation id %d", (long long)connection->answered, got);
}

/* Produce and ApiVersions: answers are small, whole ones are taken from the buffer. */
static void takeAnswers(struct connection *connection) {
  ssize_t got = recv(connection->socket, connection->in + connection->inBytes, IN_BYTES - connection->inBytes, MSG_DONTWAIT);
  if (got < 0 && errno == EAGAIN) return;
  if (got < 0) fail("receive");
  if (got == 0) refuse("the server closed the connection after %lld answers", (long long)connection->answered);
  connection->inBytes += (size_t)got;
  size_t at = 0;
  while (connection->inBytes - at >= 4) {
    const uint8_t *frame = connection->in + at;
    int32_t length = get32(frame);
    if (length < 4 || length > IN_BYTES - 4) refuse("an answer of %d bytes", length);
    if (connection->inBytes - at < (size_t)length + 4) break;
    checkCorrelation(connection, get32(frame + 4));
    size_t errorAt = 8;
    if (mode == MODE_PRODUCE) {
      if (length < 22 || get32(frame + 8) != 1) refuse("a produce answer without its topic");
      errorAt = 14 + (size_t)get16(frame + 12) + 8;
    }
    if (errorAt + (mode == MODE_PRODUCE ? 10 : 2) > (size_t)length + 4) refuse("an answer of %d bytes is too short", length);
    if (get16(frame + errorAt) != 0) refuse("error code %d", get16(frame + errorAt));
    if (mode == MODE_PRODUCE && get64(frame + errorAt + 2) + batchRecords > endOffset)
      endOffset = get64(frame + errorAt + 2) + batchRecords;
    at += (size_t)length + 4;
    finish(connection, payloadBytes);
  }
  connection->inBytes -= at;
  if (connection->inBytes > 0 && at > 0) memmove(connection->in, connection->in + at, connection->inBytes);
}

static void expectHead(struct connection *connection) {
  connection->inRecords = 0;
  connection->inBytes = 0;
  connection->wantBytes = (size_t)fetchHeadBytes;
}

static void finishFetch(struct connection *connection, int64_t bytes) {
  int64_t asked = connection->asked[connection->answered % depth];
  if (bytes == 0 || connection->endOffset <= asked) refuse("nothing to read at offset %lld", (long long)asked);
  if (depth == 1) connection->nextOffset = connection->endOffset >= connection->highWatermark ? firstOffset() : connection->endOffset;
  else if (stride == 0) {
    stride = connection->endOffset - asked;
    connection->nextOffset = connection->endOffset + stride > connection->highWatermark ? firstOffset() : connection->endOffset;
  } else if (connection->endOffset - asked != stride)
    refuse("a fetch at offset %lld reached %lld, not %lld: answers of uneven size want --depth 1", (long long)asked,
           (long long)connection->endOffset, (long long)(asked + stride));
  finish(connection, bytes);
  expectHead(connection);
}

/* Decides what the next bytes of the answer are, once all before them have been dealt with. */
static void plan(struct connection *connection) {
  connection->inBytes = 0;
  if (connection->recordsLeft == 0) finishFetch(connection, connection->completeBytes);
  else if (connection->recordsLeft < BATCH_HEADER_BYTES) {
    connection->skip = connection->recordsLeft;
    connection->recordsLeft = 0;
  } else connection->wantBytes = BATCH_HEADER_BYTES;
}

/* The bytes that had to lie together are here: an answer's head, or a batch's header. */
static void understand(struct connection *connection) {
  const uint8_t *in = connection->in;
  if (!connection->inRecords) {
    /* length, correlation, throttle, error, session, one topic with its name, one partition: index, error, high
       watermark, last stable and start offset, aborted, replica, size of the records */
    const uint8_t *at = in + 4 + 4 + 4 + 2 + 4 + 4 + 2 + strlen(topic) + 4;
    checkCorrelation(connection, get32(in + 4));
    if (get16(in + 12) != 0 || get32(in + 18) != 1) refuse("fetch error code %d, %d topics", get16(in + 12), get32(in + 18));
    if (get16(at + 4) != 0)
      refuse("error code %d for offset %lld", get16(at + 4), (long long)connection->asked[connection->answered % depth]);
    connection->highWatermark = get64(at + 6);
    logStart = get64(at + 22);
    if (get32(at + 30) > 0) refuse("the log has aborted transactions");
    connection->recordsLeft = get32(at + 38) > 0 ? get32(at + 38) : 0;
    if (get32(in) + 4 != fetchHeadBytes + connection->recordsLeft)
      refuse("a fetch answer of %d bytes with %lld of records", get32(in), (long long)connection->recordsLeft);
    connection->endOffset = -1;
    connection->completeBytes = 0;
    connection->inRecords = 1;
  } else {
    int64_t rest = (int64_t)get32(in + BATCH_LENGTH) + BATCH_LOG_OVERHEAD - BATCH_HEADER_BYTES;
    if (in[BATCH_MAGIC] != 2 || rest < 0) refuse("no record batch where one should begin");
    connection->recordsLeft -= BATCH_HEADER_BYTES;
    if (rest <= connection->recordsLeft) {
      connection->endOffset = get64(in) + get32(in + BATCH_LAST_OFFSET_DELTA) + 1;
      connection->completeBytes += BATCH_HEADER_BYTES + rest;
    }
    connection->skip = rest < connection->recordsLeft ? rest : connection->recordsLeft;
    connection->recordsLeft -= connection->skip;
  }
  if (connection->skip == 0) plan(connection);
}

static void consume(struct connection *connection, const uint8_t *bytes, int64_t count) {
  while (count > 0) {
    int64_t step;
    if (connection->skip > 0) {
      step = count < connection->skip ? count : connection->skip;
      if ((connection->skip -= step) == 0) plan(connection);
    } else {
      step = (int64_t)(connection->wantBytes - connection->inBytes);
      if (step > count) step = count;
      if (bytes != connection->in + connection->inBytes) memcpy(connection->in + connection->inBytes, bytes, (size_t)step);
      connection->inBytes += (size_t)step;
      if (connection->inBytes == connection->wantBytes) understand(connection);
    }
    bytes += step;
    count -= step;
  }
}

static void takeFetch(struct connection *connection) {
  static uint8_t scratch[READ_BYTES];
  for (;;) {
    uint8_t *into = scratch;
    int64_t room = READ_BYTES;
    int flags = MSG_DONTWAIT;
    if (!readAll && connection->skip > 0) {
      room = connection->skip;
      flags |= MSG_TRUNC;
    } else if (!readAll) {
      into = connection->in + connection->inBytes;
      room = (int64_t)(connection->wantBytes - connection->inBytes);
    }
    ssize_t got = recv(connection->socket, into, (size_t)room, flags);
    if (got < 0 && errno == EAGAIN) return;
    if (got < 0) fail("receive");
    if (got == 0) refuse("the server closed the connection after %lld answers", (long long)connection->answered);
    int64_t answered = connection->answered;
    consume(connection, into, got);
    if (got < room || (answered != connection->answered && connection->answered == connection->started)) return;
  }
}

/* ---- the run ---- */

static void run(int64_t count) {
  struct epoll_event events[256];
  toStart = toAnswer = runRequests = count;
  runStartNs = nowNs();
  for (int i = 0; i < connections; i++) all[i].runStart = all[i].started;
  for (int i = 0; i < connections; i++) ask(&all[i]);
  while (toAnswer > 0) {
    int ready = epoll_wait(poll, events, 256, 30000);
    if (ready == 0) refuse("no answer for 30 seconds, %lld outstanding", (long long)(toAnswer - toStart));
    for (int i = 0; i < ready; i++) {
      struct connection *connection = events[i].data.ptr;
      if (!connection) {
        takeTick();
        for (int c = 0; c < connections; c++) ask(&all[c]);
        continue;
      }
      if (events[i].events & ~(uint32_t)EPOLLOUT) {
        if (mode == MODE_FETCH) takeFetch(connection);
        else takeAnswers(connection);
      }
      ask(connection);
    }
  }
}

static void prepare(void) {
  if (mode == MODE_PRODUCE) {
    uint8_t *batch = buildBatch(batchBytes, recordBytes, &payloadBytes, &batchRecords);
    template = buildProduce(topic, partition, batch, payloadBytes, &templateBytes, &partitionAt);
    free(batch);
    headBytes = spread > 1 ? partitionAt + 4 : CORRELATION_AT + 4;
  } else if (mode == MODE_FETCH) {
    template = buildFetch(topic, partition, limits, &templateBytes, &offsetAt);
    headBytes = templateBytes;
    payloadBytes = limits.partitionMaxBytes;
    fetchHeadBytes = 4 + 4 + 4 + 2 + 4 + 4 + 2 + (int64_t)strlen(topic) + 4 + 4 + 2 + 3 * 8 + 4 + 4 + 4;
  } else {
    template = buildApiVersions(&templateBytes);
    headBytes = templateBytes;
  }
  if (requests == 0 && payloadBytes > 0) requests = (bytesWanted + payloadBytes - 1) / payloadBytes;
  if (requests == 0) refuse("--requests or --bytes must say how much");
  all = calloc((size_t)connections, sizeof *all);
  poll = epoll_create1(EPOLL_CLOEXEC);
  if (!all || poll < 0) fail("connections");
  for (int i = 0; i < connections; i++) {
    struct connection *connection = &all[i];
    connection->socket = dial(peer);
    connection->interest = EPOLLIN;
    connection->nextOffset = fetchFrom;
    expectHead(connection);
    for (int slot = 0; slot < depth; slot++) memcpy(connection->heads[slot], template, (size_t)headBytes);
    struct epoll_event event = {EPOLLIN, {.ptr = connection}};
    if (epoll_ctl(poll, EPOLL_CTL_ADD, connection->socket, &event) < 0) fail("epoll_ctl");
  }
}

static void options(int count, char **argument) {
  for (int i = 1; i < count; i++) {
    const char *name = argument[i];
    if (!strcmp(name, "--read") || !strcmp(name, "--create")) {
      *(name[2] == 'r' ? &readAll : &create) = 1;
      continue;
    }
    if (i + 1 == count) refuse("%s is no option, or lacks its value; see the head of load.c", name);
    const char *value = argument[++i];
    long long number = atoll(value);
    if (!strcmp(name, "--host")) peer.host = value;
    else if (!strcmp(name, "--port")) peer.port = (int)number;
    else if (!strcmp(name, "--topic")) topic = value;
    else if (!strcmp(name, "--partition")) partition = (int)number;
    else if (!strcmp(name, "--partitions")) partitions = (int)number;
    else if (!strcmp(name, "--mode") && !strcmp(value, "produce")) mode = MODE_PRODUCE;
    else if (!strcmp(name, "--mode") && !strcmp(value, "pingpong")) mode = MODE_PRODUCE, connections = depth = 1, batchBytes = 1;
    else if (!strcmp(name, "--mode") && !strcmp(value, "fetch")) mode = MODE_FETCH;
    else if (!strcmp(name, "--mode") && !strcmp(value, "apiversions")) mode = MODE_API_VERSIONS;
    else if (!strcmp(name, "--requests")) requests = number;
    else if (!strcmp(name, "--bytes")) bytesWanted = number;
    else if (!strcmp(name, "--warmup")) warmup = number;
    else if (!strcmp(name, "--prime")) primeBytes = number;
    else if (!strcmp(name, "--rate")) rate = number;
    else if (!strcmp(name, "--spread")) spread = (int)number;
    else if (!strcmp(name, "--connections")) connections = (int)number;
    else if (!strcmp(name, "--depth")) depth = (int)number;
    else if (!strcmp(name, "--batch-bytes")) batchBytes = number;
    else if (!strcmp(name, "--record-bytes")) recordBytes = (int)number;
    else if (!strcmp(name, "--fetch-bytes")) limits.maxBytes = limits.partitionMaxBytes = (int)number;
    else if (!strcmp(name, "--max-wait-ms")) limits.maxWaitMs = (int)number;
    else if (!strcmp(name, "--min-bytes")) limits.minBytes = (int)number;
    else if (!strcmp(name, "--from")) fetchFrom = number;
    else if (!strcmp(name, "--watch")) watch = (int)number;
    else if (!strcmp(name, "--connect-ms")) peer.connectMs = (int)number;
    else refuse("%s %s is no option; see the head of load.c", name, value);
  }
  if (peer.port < 1 || peer.port > 65535) refuse("--port is missing");
  if (strlen(topic) > TOPIC_MAX) refuse("a topic's name has at most %d characters", TOPIC_MAX);
  if (depth < 1 || depth > DEPTH_MAX || connections < 1 || recordBytes < 0)
    refuse("--depth is 1 to %d, --connections at least 1, --record-bytes at least 0", DEPTH_MAX);
  if (rate < 0 || spread < 1 || (spread > 1 && mode != MODE_PRODUCE))
    refuse("--rate is at least 0, --spread at least 1, and more than 1 for produce only");
  if (batchBytes > 64 << 20 || recordBytes > 64 << 20) refuse("a batch has at most 64 MiB");
}

int main(int count, char **argument) {
  options(count, argument);
  crcStart();
  if (create) createTopic(peer, topic, partitions);
  prepare();
  if (rate > 0) startTimer(poll);
  if (warmup > 0) run(warmup);
  if (primeBytes > 0) prime((size_t)primeBytes);
  answeredBytes = answeredTotal = 0;
  measuring = 1;
  int64_t serverCpu = processCpuNs(watch), ownCpu = clockNs(CLOCK_PROCESS_CPUTIME_ID), start = nowNs();
  run(requests);
  double seconds = (double)(nowNs() - start) / 1e9;
  ownCpu = clockNs(CLOCK_PROCESS_CPUTIME_ID) - ownCpu;
  serverCpu = processCpuNs(watch) - serverCpu;
  printf("{\"bytes\":%lld,\"requests\":%lld,\"seconds\":%.6f,\"megabytesPerSecond\":%.1f,\"requestsPerSecond\":%.0f,"
         "\"p50Us\":%.1f,\"p99Us\":%.1f,\"p999Us\":%.1f,\"largestUs\":%.1f,\"ownCpuSeconds\":%.6f,\"serverCpuSeconds\":%.6f,"
         "\"batchRecords\":%d,\"endOffset\":%lld}\n",
         (long long)answeredBytes, (long long)answeredTotal, seconds, (double)answeredBytes / 1e6 / seconds,
         (double)answeredTotal / seconds, percentileUs(0.5), percentileUs(0.99), percentileUs(0.999), (double)largestNs / 1000,
         (double)ownCpu / 1e9, (double)serverCpu / 1e9, batchRecords, (long long)endOffset);
  return 0;
}
