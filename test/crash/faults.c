/*
 * Preloaded into a broker's process: from the n-th call of one kind on files below a directory, calls fail as a disk's do.
 * What is asked of other files goes its way. The environment says what fails:
 *
 *   FAULT_CALL    write, sync, open or rename
 *   FAULT_BELOW   a directory
 *   FAULT_AT      the call that fails first, counted from 1
 *   FAULT_COUNT   how many fail from there on, 0 for all
 *   FAULT_ERRNO   its number
 *   FAULT_SHORT   1: before the first call that fails, one writes half of what it should
 *   FAULT_ARMED   calls are counted once this file is there
 *   FAULT_TOLD    this file is made at the first failure, with the path that it befell
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static const char *call, *below, *armed, *told;
static int at, count, error, halved;
static atomic_int calls, isArmed, halves;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int numberOf(const char *name) {
  const char *text = getenv(name);
  return text == NULL ? 0 : atoi(text);
}

__attribute__((constructor)) static void begin(void) {
  call = getenv("FAULT_CALL");
  below = getenv("FAULT_BELOW");
  armed = getenv("FAULT_ARMED");
  told = getenv("FAULT_TOLD");
  at = numberOf("FAULT_AT");
  count = numberOf("FAULT_COUNT");
  error = numberOf("FAULT_ERRNO");
  halved = numberOf("FAULT_SHORT");
}

static int isBelow(const char *path) {
  size_t length = strlen(below);
  return strncmp(path, below, length) == 0 && (path[length] == '/' || path[length] == 0);
}


static int counts(const char *kind) {
  if (call == NULL || below == NULL || strcmp(call, kind) != 0) return 0;
  if (!isArmed && access(armed, F_OK) == 0) isArmed = 1;
  return isArmed;
}

static void tell(const char *path) {
  int file = REAL(open)(told, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
  if (file < 0 || REAL(write)(file, path, strlen(path)) < 0) abort();
  close(file);
}

static int fails(const char *path) {
  if (!isBelow(path)) return 0;
  int number = atomic_fetch_add(&calls, 1) + 1;
  if (number < at || (count > 0 && number >= at + count)) return 0;
  if (number == at) tell(path);
  errno = error;
  return 1;
}

/* The path of an open file; empty when it has none. */
typedef struct {
  char text[4096];
} Path;

static Path pathOf(int file) {
  Path path;
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  ssize_t length = readlink(link, path.text, sizeof path.text - 1);
  path.text[length < 0 ? 0 : length] = 0;
  return path;
}

/* Of the write that is due to fail half may arrive, and the next one then fails. */
static int isHalved(const char *path) {
  if (!halved || calls + 1 != at || !isBelow(path)) return 0;
  return atomic_exchange(&halves, 1) == 0;
}

ssize_t write(int file, const void *bytes, size_t length) {
  if (counts("write")) {
    Path path = pathOf(file);
    if (length > 1 && isHalved(path.text)) return REAL(write)(file, bytes, length / 2);
    if (fails(path.text)) return -1;
  }
  return REAL(write)(file, bytes, length);
}

ssize_t pwrite64(int file, const void *bytes, size_t length, off64_t offset) {
  if (counts("write")) {
    Path path = pathOf(file);
    if (length > 1 && isHalved(path.text)) return REAL(pwrite64)(file, bytes, length / 2, offset);
    if (fails(path.text)) return -1;
  }
  return REAL(pwrite64)(file, bytes, length, offset);
}

ssize_t pwritev64(int file, const struct iovec *pieces, int length, off64_t offset) {
  if (counts("write")) {
    Path path = pathOf(file);
    if (isHalved(path.text)) return REAL(pwrite64)(file, pieces[0].iov_base, (pieces[0].iov_len + 1) / 2, offset);
    if (fails(path.text)) return -1;
  }
  return REAL(pwritev64)(file, pieces, length, offset);
}

int fdatasync(int file) {
  return counts("sync") && fails(pathOf(file).text) ? -1 : REAL(fdatasync)(file);
}

int fsync(int file) {
  return counts("sync") && fails(pathOf(file).text) ? -1 : REAL(fsync)(file);
}

int rename(const char *from, const char *to) {
  return counts("rename") && fails(from) ? -1 : REAL(rename)(from, to);
}

static mode_t modeOf(int flags, va_list rest) {
  return (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : 0;
}

int open(const char *path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  mode_t mode = modeOf(flags, rest);
  va_end(rest);
  return counts("open") && fails(path) ? -1 : REAL(open)(path, flags, mode);
}

int open64(const char *path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  mode_t mode = modeOf(flags, rest);
  va_end(rest);
  return counts("open") && fails(path) ? -1 : REAL(open64)(path, flags, mode);
}
