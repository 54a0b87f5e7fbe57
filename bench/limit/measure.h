/* What the load generator keeps of a run: a histogram of latencies and the CPU clocks of itself and of the server; and how
   it readies memory for one. */
#ifndef LIMIT_MEASURE_H
#define LIMIT_MEASURE_H

#include "wire.h"
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static int64_t clockNs(clockid_t clock) {
  struct timespec time;
  if (clock_gettime(clock, &time) < 0) fail("clock_gettime");
  return time.tv_sec * 1000000000ll + time.tv_nsec;
}
static int64_t nowNs(void) { return clockNs(CLOCK_MONOTONIC); }

/* CPU nanoseconds of a whole process, threads that have ended included. */
static int64_t processCpuNs(int pid) {
  clockid_t clock;
  if (pid == 0) return 0;
  int error = clock_getcpuclockid(pid, &clock);
  if (error) {
    fprintf(stderr, "load: no CPU clock of process %d: %s\n", pid, strerror(error));
    exit(1);
  }
  return clockNs(clock);
}

/* Buckets of 1/32 of a power of two: no latency is off by more than about 3 %. */
enum { STEPS = 32, BUCKETS = 60 * STEPS };
static int64_t histogram[BUCKETS], histogramTotal, largestNs;

static inline void record(int64_t ns) {
  if (ns < STEPS) ns = STEPS;
  if (ns > largestNs) largestNs = ns;
  int power = 63 - __builtin_clzll((unsigned long long)ns);
  histogram[(power - 5) * STEPS + (int)(ns >> (power - 5)) - STEPS]++;
  histogramTotal++;
}
static double percentileUs(double share) {
  int64_t rank = (int64_t)(share * (double)histogramTotal), seen = 0;
  for (int i = 0; i < BUCKETS; i++) {
    seen += histogram[i];
    if (seen > rank) return (double)((int64_t)(STEPS + i % STEPS) << i / STEPS) / 1000;
  }
  return 0;
}

/* Touches so much memory and gives it back. */
static void prime(size_t bytes) {
  uint8_t *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (memory == MAP_FAILED) fail("memory to prime");
  munmap(memory, bytes);
}

#endif
