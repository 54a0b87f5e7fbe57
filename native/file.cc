// Files by descriptor: read and write at a position, size, space, durability, and a lock that belongs to the open file.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "call.h"
#include "gather.h"
#include "result.h"

namespace odradek {
namespace {

// The callers' open flags, which are x86's; other processors number some of them differently.
constexpr int32_t kReadWrite = 02;
constexpr int32_t kCreate = 0100;
constexpr int32_t kExclusive = 0200;
constexpr int32_t kTruncate = 01000;
constexpr int32_t kDirectory = 0200000;

int32_t openFile(State& state, Text& path, int32_t flags) {
  if ((flags & ~(kReadWrite | kCreate | kExclusive | kTruncate | kDirectory)) != 0) {
    state.refuse("open flags 0%o are not known", static_cast<unsigned>(flags));
    return 0;
  }
  int own = O_CLOEXEC | ((flags & kReadWrite) != 0 ? O_RDWR : O_RDONLY);
  if ((flags & kCreate) != 0) own |= O_CREAT;
  if ((flags & kExclusive) != 0) own |= O_EXCL;
  if ((flags & kTruncate) != 0) own |= O_TRUNC;
  if ((flags & kDirectory) != 0) own |= O_DIRECTORY;
  return retried([&] { return open(path.bytes, own, 0644); });
}

// Never again after EINTR: the descriptor is gone by then, and may be somebody else's.
int32_t closeFile(State&, int32_t descriptor) { return answer(close(descriptor)); }

double fileSize(State&, int32_t file) {
  struct stat info;
  if (fstat(file, &info) != 0) return -errno;
  return static_cast<double>(info.st_size);
}

int32_t readFile(State&, int32_t file, Bytes into, Whole position) {
  return retried([&] { return pread(file, into.data, transfer(into.length), position.value); });
}

int32_t readNoWait(State&, int32_t file, Bytes into, Whole position) {
  const iovec list = {into.data, transfer(into.length)};
  return retried([&] { return preadv2(file, &list, 1, position.value, RWF_NOWAIT); });
}

int32_t writeFile(State&, int32_t file, Bytes from, Whole position) {
  return retried([&] { return pwrite(file, from.data, transfer(from.length), position.value); });
}

int32_t writePieces(State& state, int32_t file, PieceTable table, Whole position) {
  iovec list[kPiecesMax];
  const int count = gather(state, table, list);
  if (state.refused()) return 0;
  return retried([&] { return pwritev(file, list, count, position.value); });
}

int32_t truncateFile(State&, int32_t file, Whole size) {
  return retried([&] { return ftruncate(file, size.value); });
}

int32_t allocate(State&, int32_t file, Whole position, Whole length, bool keepSize) {
  return retried([&] { return fallocate(file, keepSize ? FALLOC_FL_KEEP_SIZE : 0, position.value, length.value); });
}

int32_t syncData(State&, int32_t file) {
  return retried([&] { return fdatasync(file); });
}

int32_t syncAll(State&, int32_t file) {
  return retried([&] { return fsync(file); });
}

int32_t startWriteback(State&, int32_t file, Whole position, Whole length) {
  return retried([&] { return sync_file_range(file, position.value, length.value, SYNC_FILE_RANGE_WRITE); });
}

int32_t readAhead(State&, int32_t file, Whole position, Whole length) {
  return -posix_fadvise(file, position.value, length.value, POSIX_FADV_WILLNEED);
}

int32_t lockFile(State&, int32_t file) {
  struct flock whole {};
  whole.l_type = F_WRLCK;
  whole.l_whence = SEEK_SET;
  const int32_t result = retried([&] { return fcntl(file, F_OFD_SETLK, &whole); });
  return result == -EACCES ? -EAGAIN : result;
}

constexpr Export kFunctions[] = {
    exported<&openFile>("open"),           exported<&closeFile>("close"),
    exported<&fileSize>("fileSize"),       exported<&readFile>("read"),
    exported<&readNoWait>("readNoWait"),   exported<&writeFile>("write"),
    exported<&writePieces>("writePieces"), exported<&truncateFile>("truncate"),
    exported<&allocate>("allocate"),       exported<&syncData>("syncData"),
    exported<&syncAll>("syncAll"),         exported<&startWriteback>("startWriteback"),
    exported<&readAhead>("readAhead"),     exported<&lockFile>("lock"),
};

}  // namespace

std::span<const Export> fileFunctions() { return kFunctions; }

}  // namespace odradek
