/*
 * Set-up of a load: connecting, and creating the topic with one blocking request after the other. Ends the program with
 * a sentence when the server does not play along.
 */
#ifndef LIMIT_TOPIC_H
#define LIMIT_TOPIC_H

#include "frames.h"
#include "measure.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <sys/socket.h>

enum { CALL_BYTES = 1 << 20 };

struct peer {
  const char *host;
  int port, connectMs;
};

static void __attribute__((noreturn, format(printf, 1, 2))) refuse(const char *format, ...) {
  va_list list;
  va_start(list, format);
  fputs("load: ", stderr);
  vfprintf(stderr, format, list);
  fputs("\n", stderr);
  exit(1);
}

static int dial(struct peer peer) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)peer.port)};
  if (inet_pton(AF_INET, peer.host, &address.sin_addr) != 1) refuse("%s is no IPv4 address", peer.host);
  int64_t until = nowNs() + peer.connectMs * 1000000ll;
  for (;;) {
    int handle = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    if (connect(handle, (struct sockaddr *)&address, sizeof address) == 0) {
      setsockopt(handle, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
      return handle;
    }
    if (errno != ECONNREFUSED || nowNs() > until) fail("connect");
    close(handle);
    usleep(1000);
  }
}

/* One blocking request of the set-up; the answer lies in `answer`. */
static int32_t call(int handle, const uint8_t *frame, size_t bytes, uint8_t *answer, int32_t room) {
  if (send(handle, frame, bytes, MSG_NOSIGNAL) != (ssize_t)bytes) fail("send");
  if (recv(handle, answer, 4, MSG_WAITALL) != 4) refuse("the server closed the connection");
  int32_t length = get32(answer);
  if (length < 8 || length > room) refuse("an answer of %d bytes", length);
  if (recv(handle, answer, (size_t)length, MSG_WAITALL) != length) refuse("the server closed the connection");
  return length;
}

static const uint8_t *pastString(const uint8_t *at) { return at + 2 + (get16(at) > 0 ? get16(at) : 0); }

/* A Metadata answer about one topic; `answer` has zeros behind its end, so a short one reads as "not yet". */
static int everyPartitionLed(const uint8_t *answer, int32_t length, int partitions) {
  const uint8_t *at = answer + 8, *end = answer + length;
  int brokers = get32(at);
  at += 4;
  for (int i = 0; i < brokers && at < end; i++) at = pastString(pastString(at + 4) + 4);
  if (at >= end) return 0;
  at = pastString(at) + 4;
  if (end - at < 6 || get32(at) != 1 || get16(at + 4) != 0) return 0;
  at = pastString(at + 6) + 1;
  if (end - at < 4 || get32(at) != partitions) return 0;
  at += 4;
  for (int i = 0; i < partitions; i++) {
    if (end - at < 18 || get16(at) != 0 || get32(at + 6) < 0) return 0;
    at += 10;
    for (int list = 0; list < 2; list++) {
      if (end - at < 4) return 0;
      at += 4 + 4ll * (get32(at) > 0 ? get32(at) : 0);
    }
  }
  return 1;
}

/* Creates the topic, and waits until the partition has a leader. */
static void createTopic(struct peer peer, const char *topic, int partitions) {
  uint8_t frame[HEAD_MAX], answer[CALL_BYTES] = {0};
  int handle = dial(peer);
  uint8_t *at = wString(w32(startFrame(frame, CREATE_TOPICS, CREATE_TOPICS_VERSION), 1), topic);
  at = w8(w32(w32(w32(w16(w32(at, partitions), 1), 0), 0), 30000), 0);
  endFrame(frame, at);
  int32_t length = call(handle, frame, (size_t)(at - frame), answer, CALL_BYTES / 2);
  size_t errorAt = 4 + 4 + 4 + 2 + strlen(topic);
  int error = (int32_t)errorAt + 2 > length ? -1 : get16(answer + errorAt);
  if (error != 0 && error != 36) refuse("topic %s could not be created: error code %d", topic, error);
  for (int try = 0;; try++) {
    at = w8(wString(w32(startFrame(frame, METADATA, METADATA_VERSION), 1), topic), 0);
    endFrame(frame, at);
    length = call(handle, frame, (size_t)(at - frame), answer, CALL_BYTES / 2);
    if (everyPartitionLed(answer, length, partitions)) break;
    if (try == 1000) refuse("topic %s has no leader", topic);
    usleep(5000);
  }
  close(handle);
}

#endif
