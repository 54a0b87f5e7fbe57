// About the calling thread, and the kernel's names for what went wrong.
#include <sys/prctl.h>
#include <time.h>

#include <cerrno>

#include "call.h"

namespace odradek {
namespace {

void nameThread(State&, Text& name) {
  // The kernel cuts it after fifteen bytes.
  prctl(PR_SET_NAME, name.bytes);
}

double threadCpuSeconds(State&) {
  timespec spent{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &spent);
  return static_cast<double>(spent.tv_sec) + static_cast<double>(spent.tv_nsec) / 1e9;
}

struct Name {
  int number;
  const char* text;
};

#define ODRADEK_NAME(number) {number, #number}
constexpr Name kNames[] = {
    ODRADEK_NAME(EPERM),        ODRADEK_NAME(ENOENT),       ODRADEK_NAME(ESRCH),         ODRADEK_NAME(EINTR),
    ODRADEK_NAME(EIO),          ODRADEK_NAME(ENXIO),        ODRADEK_NAME(E2BIG),         ODRADEK_NAME(EBADF),
    ODRADEK_NAME(EAGAIN),       ODRADEK_NAME(ENOMEM),       ODRADEK_NAME(EACCES),        ODRADEK_NAME(EFAULT),
    ODRADEK_NAME(EBUSY),        ODRADEK_NAME(EEXIST),       ODRADEK_NAME(EXDEV),         ODRADEK_NAME(ENODEV),
    ODRADEK_NAME(ENOTDIR),      ODRADEK_NAME(EISDIR),       ODRADEK_NAME(EINVAL),        ODRADEK_NAME(ENFILE),
    ODRADEK_NAME(EMFILE),       ODRADEK_NAME(ENOTTY),       ODRADEK_NAME(ETXTBSY),       ODRADEK_NAME(EFBIG),
    ODRADEK_NAME(ENOSPC),       ODRADEK_NAME(ESPIPE),       ODRADEK_NAME(EROFS),         ODRADEK_NAME(EMLINK),
    ODRADEK_NAME(EPIPE),        ODRADEK_NAME(EDOM),         ODRADEK_NAME(ERANGE),        ODRADEK_NAME(EDEADLK),
    ODRADEK_NAME(ENAMETOOLONG), ODRADEK_NAME(ENOLCK),       ODRADEK_NAME(ENOSYS),        ODRADEK_NAME(ENOTEMPTY),
    ODRADEK_NAME(ELOOP),        ODRADEK_NAME(ENODATA),      ODRADEK_NAME(ETIME),         ODRADEK_NAME(EPROTO),
    ODRADEK_NAME(EOVERFLOW),    ODRADEK_NAME(ENOTSOCK),     ODRADEK_NAME(EDESTADDRREQ),  ODRADEK_NAME(EMSGSIZE),
    ODRADEK_NAME(EPROTOTYPE),   ODRADEK_NAME(ENOPROTOOPT),  ODRADEK_NAME(EOPNOTSUPP),    ODRADEK_NAME(EAFNOSUPPORT),
    ODRADEK_NAME(EADDRINUSE),   ODRADEK_NAME(ENETDOWN),     ODRADEK_NAME(EADDRNOTAVAIL), ODRADEK_NAME(ENETUNREACH),
    ODRADEK_NAME(ENETRESET),    ODRADEK_NAME(ECONNABORTED), ODRADEK_NAME(ECONNRESET),    ODRADEK_NAME(ENOBUFS),
    ODRADEK_NAME(EISCONN),      ODRADEK_NAME(ENOTCONN),     ODRADEK_NAME(ESHUTDOWN),     ODRADEK_NAME(ETIMEDOUT),
    ODRADEK_NAME(ECONNREFUSED), ODRADEK_NAME(EHOSTDOWN),    ODRADEK_NAME(EHOSTUNREACH),  ODRADEK_NAME(EALREADY),
    ODRADEK_NAME(EINPROGRESS),  ODRADEK_NAME(ESTALE),       ODRADEK_NAME(EDQUOT),        ODRADEK_NAME(ECANCELED),
    ODRADEK_NAME(EREMOTEIO),    ODRADEK_NAME(EUCLEAN),      ODRADEK_NAME(ENOMEDIUM),     ODRADEK_NAME(EPROTONOSUPPORT),
};

std::string errorName(State&, int32_t result) {
  for (const Name& name : kNames) {
    if (name.number == -result) return name.text;
  }
  return "errno " + std::to_string(-static_cast<int64_t>(result));
}

constexpr Export kFunctions[] = {
    exported<&nameThread>("nameThread"),
    exported<&threadCpuSeconds>("threadCpuSeconds"),
    exported<&errorName>("errorName"),
};

}  // namespace

std::span<const Export> threadFunctions() { return kFunctions; }

}  // namespace odradek
