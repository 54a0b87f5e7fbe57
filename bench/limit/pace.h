/*
 * When requests start: as fast as answers come, or at a rate, each due at its own time whatever became of those before it.
 * A timer that epoll waits for rings as often as requests become due.
 */
#ifndef LIMIT_PACE_H
#define LIMIT_PACE_H

#include "topic.h"
#include <sys/epoll.h>
#include <sys/timerfd.h>

enum { TICK_MIN_NS = 50000, LATE_MAX_SECONDS = 30 };

/* Requests a second, 0 for as fast as answers come; what the current run is to start, and since when it runs. */
static int64_t rate, runRequests, runStartNs;
static int timer;

/* When request `number` of the run is due; never, when the run has no such request. */
static int64_t dueNs(int64_t number) {
  return number < runRequests ? runStartNs + (int64_t)((double)number * 1e9 / (double)rate) : INT64_MAX;
}

/* Its event carries no pointer. */
static void startTimer(int poll) {
  int64_t everyNs = 1000000000 / rate > TICK_MIN_NS ? 1000000000 / rate : TICK_MIN_NS;
  struct timespec every = {everyNs / 1000000000, everyNs % 1000000000};
  struct itimerspec period = {every, every};
  struct epoll_event event = {EPOLLIN, {.ptr = NULL}};
  timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  if (timer < 0 || timerfd_settime(timer, 0, &period, NULL) < 0 || epoll_ctl(poll, EPOLL_CTL_ADD, timer, &event) < 0)
    fail("timer");
}

static void takeTick(void) {
  uint64_t ticks;
  if (read(timer, &ticks, sizeof ticks) < 0 && errno != EAGAIN) fail("timer");
  if (nowNs() - runStartNs > (runRequests / rate + LATE_MAX_SECONDS) * 1000000000)
    refuse("%d seconds late at %lld requests a second", LATE_MAX_SECONDS, (long long)rate);
}

#endif
