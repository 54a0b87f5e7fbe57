/*
 * The yardstick: the least a program can do for Kafka's bytes. One thread, epoll, a receive buffer of 4 MiB for each
 * connection; every receive is checked (CRC-32C), stamped, written by one gathered write and answered by one send.
 * Fetches are served from the written file by sendfile or by pread and send. It keeps one partition, in one directory.
 *
 *   server --port N --dir DIR [--segment-bytes N] [--keep SEGMENTS] [--serve sendfile|copy]
 *
 * Prints "listening on PORT". It serves ApiVersions 0, Metadata 4, CreateTopics 2, Produce 7, Fetch 11, and takes
 * every topic and partition for the one it has.
 */
#define _GNU_SOURCE
#include "log.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>

enum { RECEIVE_BYTES = 4 << 20, OUT_BYTES = 192 << 10, ANSWER_MAX = 1024, COPY_BYTES = 256 << 10, CONNECTIONS_MAX = 4096 };

struct connection {
  int socket;
  uint32_t interest;
  uint8_t *in;
  size_t inStart, inEnd;
  /* bytes that wait for the socket: [outStart, outEnd) of out, then what is left of the file's range */
  size_t outStart, outEnd;
  struct range rest;
  uint8_t out[OUT_BYTES];
};

static int poll, port, serveByCopy;

/* What lies between `at` and `end` of one frame; a read past the end makes it bad and gives zero. */
struct frame {
  const uint8_t *at, *end;
  int bad;
};
static const uint8_t *take(struct frame *frame, int64_t bytes) {
  static const uint8_t zeros[8];
  if (bytes < 0 || bytes > frame->end - frame->at) {
    frame->bad = 1;
    return zeros;
  }
  frame->at += bytes;
  return frame->at - bytes;
}
static int take16(struct frame *frame) { return get16(take(frame, 2)); }
static int take32(struct frame *frame) { return get32(take(frame, 4)); }
static int64_t take64(struct frame *frame) { return get64(take(frame, 8)); }
struct text {
  const uint8_t *bytes;
  int length;
};
static struct text takeString(struct frame *frame) {
  int length = take16(frame);
  if (length == -1) return (struct text){NULL, 0};
  struct text text = {take(frame, length), length};
  if (frame->bad || length > 249) frame->bad = 1, text.length = 0;
  return text;
}
static uint8_t *wText(uint8_t *at, struct text text) { return wBytes(w16(at, text.length), text.bytes, (size_t)text.length); }

static void interest(struct connection *connection, uint32_t events) {
  if (connection->interest == events) return;
  connection->interest = events;
  struct epoll_event event = {events, {.ptr = connection}};
  if (epoll_ctl(poll, EPOLL_CTL_MOD, connection->socket, &event) < 0) fail("epoll_ctl");
}
static void drop(struct connection *connection) {
  close(connection->socket);
  munmap(connection->in, RECEIVE_BYTES);
  free(connection);
}

/* Sends what waits. 1: all gone; 0: the socket is full; -1: the peer has gone. */
static int drain(struct connection *connection) {
  for (;;) {
    if (connection->outStart < connection->outEnd) {
      ssize_t sent = send(connection->socket, connection->out + connection->outStart, connection->outEnd - connection->outStart,
                          MSG_NOSIGNAL | (connection->rest.length > 0 ? MSG_MORE : 0));
      if (sent < 0) return errno == EAGAIN ? 0 : -1;
      connection->outStart += (size_t)sent;
      if (connection->outStart < connection->outEnd) continue;
    }
    connection->outStart = connection->outEnd = 0;
    struct range *rest = &connection->rest;
    if (rest->length == 0) return 1;
    off_t position = rest->position;
    ssize_t sent;
    if (serveByCopy) {
      static uint8_t copy[COPY_BYTES];
      ssize_t got = pread(rest->file, copy, rest->length < COPY_BYTES ? (size_t)rest->length : COPY_BYTES, position);
      if (got <= 0) fail("read of the log");
      sent = send(connection->socket, copy, (size_t)got, MSG_NOSIGNAL | (got < rest->length ? MSG_MORE : 0));
    } else sent = sendfile(connection->socket, rest->file, &position, (size_t)rest->length);
    if (sent < 0) return errno == EAGAIN ? 0 : -1;
    rest->position += sent;
    rest->length -= sent;
  }
}

/* A small range is copied behind the answer's head and leaves with it in one send; a large one waits in `rest`. */
static uint8_t *answerRange(struct connection *connection, uint8_t *at, struct range range) {
  if (serveByCopy && range.length > 0 && range.length <= connection->out + OUT_BYTES - at) {
    if (pread(range.file, at, (size_t)range.length, range.position) != range.length) fail("read of the log");
    return at + range.length;
  }
  connection->rest = range;
  return at;
}

/* Writes the answer to one whole frame at `at`; NULL when the frame makes no sense. */
static uint8_t *answer(struct connection *connection, struct frame *frame, uint8_t *at) {
  uint8_t *start = at;
  int64_t fileBytes = 0;
  int api = take16(frame), version = take16(frame), correlation = take32(frame);
  takeString(frame);
  at = w32(at + 4, correlation);
  if (api == PRODUCE && version == PRODUCE_VERSION) {
    takeString(frame);
    int acks = take16(frame);
    take32(frame);
    if (take32(frame) != 1) return NULL;
    struct text topic = takeString(frame);
    if (take32(frame) != 1) return NULL;
    int partition = take32(frame), bytes = take32(frame);
    uint8_t *batch = (uint8_t *)take(frame, bytes);
    if (frame->bad || acks == 0 || bytes < BATCH_HEADER_BYTES) return NULL;
    if (get32(batch + BATCH_LENGTH) + BATCH_LOG_OVERHEAD != bytes || batch[BATCH_MAGIC] != 2) return NULL;
    int sound = crc32c(batch + BATCH_ATTRIBUTES, (size_t)bytes - BATCH_ATTRIBUTES) == (uint32_t)get32(batch + BATCH_CRC);
    int64_t offset = sound ? logAppend(batch, (size_t)bytes) : -1;
    at = wText(w32(at, 1), topic);
    at = w16(w32(w32(at, 1), partition), sound ? 0 : 2);
    at = w32(w64(w64(w64(at, offset), -1), segments[0].baseOffset), 0);
  } else if (api == FETCH && version == FETCH_VERSION) {
    take(frame, 12);
    int32_t maxBytes = take32(frame);
    take(frame, 9);
    if (take32(frame) != 1) return NULL;
    struct text topic = takeString(frame);
    if (take32(frame) != 1) return NULL;
    int partition = take32(frame);
    take32(frame);
    int64_t offset = take64(frame);
    take64(frame);
    int32_t partitionMaxBytes = take32(frame);
    if (frame->bad) return NULL;
    logFlush();
    int64_t logStart = segmentCount ? segments[0].baseOffset : 0;
    int inRange = offset >= logStart && offset <= logEndOffset;
    struct range range = {-1, 0, 0};
    if (inRange) range = logRead(offset, partitionMaxBytes < maxBytes ? partitionMaxBytes : maxBytes);
    at = wText(w32(w32(w16(w32(at, 0), 0), 0), 1), topic);
    at = w16(w32(w32(at, 1), partition), inRange ? 0 : 1);
    at = w64(w64(w64(at, logEndOffset), logEndOffset), logStart);
    at = w32(w32(w32(at, -1), -1), range.length);
    uint8_t *head = at;
    at = answerRange(connection, at, range);
    fileBytes = range.length - (at - head);
  } else if (api == METADATA && version == METADATA_VERSION) {
    if (take32(frame) != 1) return NULL;
    struct text topic = takeString(frame);
    at = wString(w32(w32(w32(at, 0), 1), 0), "127.0.0.1");
    at = w16(w32(at, port), -1);
    at = wText(w16(w32(w32(w16(at, -1), 0), 1), 0), topic);
    at = w32(w32(w16(w32(w8(at, 0), 1), 0), 0), 0);
    at = w32(w32(w32(w32(at, 1), 0), 1), 0);
  } else if (api == CREATE_TOPICS && version == CREATE_TOPICS_VERSION) {
    if (take32(frame) != 1) return NULL;
    struct text topic = takeString(frame);
    at = w16(w16(wText(w32(w32(at, 0), 1), topic), 0), -1);
  } else if (api == API_VERSIONS) {
    static const int served[][2] = {{PRODUCE, PRODUCE_VERSION}, {FETCH, FETCH_VERSION}, {METADATA, METADATA_VERSION},
                                    {API_VERSIONS, 0}, {CREATE_TOPICS, CREATE_TOPICS_VERSION}};
    int count = sizeof served / sizeof *served;
    at = w32(w16(at, version == 0 ? 0 : 35), count);
    for (int i = 0; i < count; i++) at = w16(w16(w16(at, served[i][0]), served[i][1]), served[i][1]);
  } else return NULL;
  if (frame->bad) return NULL;
  put32(start, (uint32_t)(at - start - 4 + fileBytes));
  return at;
}

/* Answers the whole frames that lie in the buffer. 0 when the connection is to be dropped. */
static int work(struct connection *connection) {
  for (;;) {
    int64_t have = (int64_t)(connection->inEnd - connection->inStart);
    if (have < 4) break;
    uint8_t *start = connection->in + connection->inStart;
    int32_t length = get32(start);
    if (length < 8 || length > RECEIVE_BYTES - 4) return 0;
    if (have < 4 + length) break;
    if (connection->outEnd + ANSWER_MAX > OUT_BYTES || connection->rest.length > 0) {
      logFlush();
      int gone = drain(connection);
      if (gone < 0) return 0;
      if (gone == 0) return interest(connection, EPOLLOUT), 1;
    }
    struct frame frame = {start + 4, start + 4 + length, 0};
    uint8_t *at = answer(connection, &frame, connection->out + connection->outEnd);
    if (!at) return 0;
    connection->outEnd = (size_t)(at - connection->out);
    connection->inStart += 4 + (size_t)length;
  }
  logFlush();
  int gone = drain(connection);
  if (gone < 0) return 0;
  interest(connection, gone ? EPOLLIN : EPOLLOUT);
  size_t left = connection->inEnd - connection->inStart;
  size_t frameBytes = left < 4 ? 4 : 4 + (size_t)get32(connection->in + connection->inStart);
  /* The rest of a frame moves to the front when the frame does not fit behind its start. */
  if (left == 0) connection->inStart = connection->inEnd = 0;
  else if (connection->inStart + frameBytes > RECEIVE_BYTES) {
    memmove(connection->in, connection->in + connection->inStart, left);
    connection->inStart = 0;
    connection->inEnd = left;
  }
  return 1;
}

static int receive(struct connection *connection) {
  ssize_t got = recv(connection->socket, connection->in + connection->inEnd, RECEIVE_BYTES - connection->inEnd, 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return 1;
  if (got <= 0) return 0;
  connection->inEnd += (size_t)got;
  return work(connection);
}

static void greet(int listener) {
  int socket = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), one = 1;
  if (socket < 0) return;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  struct connection *connection = calloc(1, sizeof *connection);
  if (!connection) fail("memory for a connection");
  connection->socket = socket;
  connection->in = mmap(NULL, RECEIVE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (connection->in == MAP_FAILED) fail("memory for a connection");
  connection->interest = EPOLLIN;
  struct epoll_event event = {EPOLLIN, {.ptr = connection}};
  if (epoll_ctl(poll, EPOLL_CTL_ADD, socket, &event) < 0) fail("epoll_ctl");
}

static volatile sig_atomic_t stopping;
static void stop(int signal) {
  (void)signal;
  stopping = 1;
}

int main(int count, char **argument) {
  for (int i = 1; i < count; i += 2) {
    const char *name = argument[i], *value = i + 1 < count ? argument[i + 1] : NULL;
    if (!value) name = "";
    if (!strcmp(name, "--port")) port = atoi(value);
    else if (!strcmp(name, "--dir")) logDirectory = value;
    else if (!strcmp(name, "--segment-bytes")) logSegmentBytes = atoll(value);
    else if (!strcmp(name, "--keep")) logKeep = atoi(value);
    else if (!strcmp(name, "--serve")) serveByCopy = !strcmp(value, "copy");
    else {
      fprintf(stderr, "server: %s is no option, or lacks its value; see the head of server.c\n", argument[i]);
      return 64;
    }
  }
  if (logKeep < 1 || logKeep > SEGMENTS_MAX) logKeep = SEGMENTS_MAX;
  crcStart();
  struct sigaction action = {.sa_handler = stop};
  sigaction(SIGTERM, &action, NULL);
  sigaction(SIGINT, &action, NULL);
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t size = sizeof address;
  if (bind(listener, (struct sockaddr *)&address, size) < 0 || listen(listener, 1024) < 0) fail("listen");
  getsockname(listener, (struct sockaddr *)&address, &size);
  port = ntohs(address.sin_port);
  poll = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event event = {EPOLLIN, {.ptr = NULL}}, events[256];
  epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event);
  printf("listening on %d\n", port);
  fflush(stdout);
  while (!stopping) {
    int ready = epoll_wait(poll, events, 256, -1);
    for (int i = 0; i < ready; i++) {
      struct connection *connection = events[i].data.ptr;
      if (!connection) greet(listener);
      else if (!(events[i].events & EPOLLOUT ? work(connection) : receive(connection))) drop(connection);
    }
  }
  return 0;
}
