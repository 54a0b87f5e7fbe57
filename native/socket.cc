// TCP sockets: always non-blocking and close-on-exec, without Nagle's delay, and never a SIGPIPE.
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

#include "call.h"
#include "gather.h"
#include "result.h"

namespace odradek {
namespace {

struct Address {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

// From a literal address; no name is looked up. Port 0 lets the system choose one.
bool parse(State& state, const Text& host, int32_t port, Address* out) {
  if (port < 0 || port > 0xffff) {
    state.refuse("port %d is outside 0 to 65535", port);
    return false;
  }
  char service[8];
  snprintf(service, sizeof service, "%d", port);
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.bytes, service, &hints, &found) != 0) {
    state.refuse("'%.60s' is not an address", host.bytes);
    return false;
  }
  memcpy(&out->storage, found->ai_addr, found->ai_addrlen);
  out->length = found->ai_addrlen;
  freeaddrinfo(found);
  return true;
}

int setFlag(int socket, int level, int name, int value) { return setsockopt(socket, level, name, &value, sizeof value); }

int closed(int socket, int result) {
  close(socket);
  return result;
}

int32_t listenOn(State& state, Text& host, int32_t port, int32_t backlog) {
  Address address;
  if (!parse(state, host, port, &address)) return 0;
  const int socket = ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (socket < 0) return -errno;
  if (setFlag(socket, SOL_SOCKET, SO_REUSEADDR, 1) != 0) return closed(socket, -errno);
  // The address :: stands for v4 as well, whatever the system's default is.
  if (address.storage.ss_family == AF_INET6 && setFlag(socket, IPPROTO_IPV6, IPV6_V6ONLY, 0) != 0) {
    return closed(socket, -errno);
  }
  if (bind(socket, address.get(), address.length) != 0) return closed(socket, -errno);
  if (listen(socket, backlog) != 0) return closed(socket, -errno);
  return socket;
}

int32_t connectTo(State& state, Text& host, int32_t port) {
  Address address;
  if (!parse(state, host, port, &address)) return 0;
  const int socket = ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (socket < 0) return -errno;
  if (setFlag(socket, IPPROTO_TCP, TCP_NODELAY, 1) != 0) return closed(socket, -errno);
  // Cut short by a signal, the connection goes on being made, as with EINPROGRESS.
  if (connect(socket, address.get(), address.length) != 0 && errno != EINPROGRESS && errno != EINTR) {
    return closed(socket, -errno);
  }
  return socket;
}

int32_t socketError(State&, int32_t socket) {
  int error = 0;
  socklen_t length = sizeof error;
  if (getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &length) != 0) return -errno;
  return -error;
}

int32_t acceptOne(State&, int32_t listener) {
  const int32_t socket = retried([=] { return accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC); });
  if (socket < 0) return socket;
  if (setFlag(socket, IPPROTO_TCP, TCP_NODELAY, 1) != 0) return closed(socket, -errno);
  // A peer that is gone without a word is noticed by the system.
  if (setFlag(socket, SOL_SOCKET, SO_KEEPALIVE, 1) != 0) return closed(socket, -errno);
  return socket;
}

int32_t localPort(State&, int32_t socket) {
  Address address;
  if (getsockname(socket, address.get(), &address.length) != 0) return -errno;
  if (address.storage.ss_family == AF_INET6) return ntohs(reinterpret_cast<sockaddr_in6*>(&address.storage)->sin6_port);
  if (address.storage.ss_family == AF_INET) return ntohs(reinterpret_cast<sockaddr_in*>(&address.storage)->sin_port);
  return -EAFNOSUPPORT;
}

// A v4 peer of a v6 socket is shown as the v4 address that it is; a v6 address stands in brackets.
std::string peer(State&, int32_t socket) {
  Address address;
  char text[INET6_ADDRSTRLEN] = "";
  if (getpeername(socket, address.get(), &address.length) != 0) return "";
  if (address.storage.ss_family == AF_INET) {
    const auto* v4 = reinterpret_cast<sockaddr_in*>(&address.storage);
    inet_ntop(AF_INET, &v4->sin_addr, text, sizeof text);
    return std::string(text) + ":" + std::to_string(ntohs(v4->sin_port));
  }
  if (address.storage.ss_family != AF_INET6) return "";
  const auto* v6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
  const std::string port = ":" + std::to_string(ntohs(v6->sin6_port));
  if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
    inet_ntop(AF_INET, v6->sin6_addr.s6_addr + 12, text, sizeof text);
    return text + port;
  }
  inet_ntop(AF_INET6, &v6->sin6_addr, text, sizeof text);
  return "[" + std::string(text) + "]" + port;
}

// A size of 0 or below leaves the system's own, which adapts itself.
int32_t setBuffers(State&, int32_t socket, int32_t receiveBytes, int32_t sendBytes) {
  if (receiveBytes > 0 && setFlag(socket, SOL_SOCKET, SO_RCVBUF, receiveBytes) != 0) return -errno;
  if (sendBytes > 0 && setFlag(socket, SOL_SOCKET, SO_SNDBUF, sendBytes) != 0) return -errno;
  return 0;
}

int32_t shutdownSocket(State& state, int32_t socket, int32_t how) {
  static_assert(SHUT_RD == 0 && SHUT_WR == 1 && SHUT_RDWR == 2);
  if (how < 0 || how > 2) {
    state.refuse("how is %d, not 0, 1 or 2", how);
    return 0;
  }
  return answer(shutdown(socket, how));
}

int32_t receive(State& state, int32_t socket, Bytes first, Bytes second) {
  if (second.length == 0) {
    // No room would read as the end of the stream.
    if (first.length == 0) {
      state.refuse("no room to receive into");
      return 0;
    }
    return retried([&] { return recv(socket, first.data, transfer(first.length), 0); });
  }
  const iovec list[2] = {{first.data, static_cast<size_t>(first.length)}, {second.data, static_cast<size_t>(second.length)}};
  return retried([&] { return readv(socket, list, 2); });
}

int32_t sendBytes(State&, int32_t socket, Bytes bytes) {
  return retried([&] { return send(socket, bytes.data, transfer(bytes.length), MSG_NOSIGNAL); });
}

int32_t sendGathered(State& state, int32_t socket, const PieceTable& table, int flags) {
  iovec list[kPiecesMax];
  msghdr message{};
  message.msg_iov = list;
  message.msg_iovlen = static_cast<size_t>(gather(state, table, list));
  if (state.refused()) return 0;
  return retried([&] { return sendmsg(socket, &message, flags | MSG_NOSIGNAL); });
}

int32_t sendPieces(State& state, int32_t socket, PieceTable table) { return sendGathered(state, socket, table, 0); }

int32_t sendPiecesMore(State& state, int32_t socket, PieceTable table) {
  return sendGathered(state, socket, table, MSG_MORE);
}

int32_t sendFile(State&, int32_t socket, int32_t file, Whole position, Whole length) {
  return retried([&] {
    off_t from = position.value;
    return sendfile(socket, file, &from, transfer(length.value));
  });
}

constexpr Export kFunctions[] = {
    exported<&listenOn>("listen"),
    exported<&connectTo>("connect"),
    exported<&socketError>("socketError"),
    exported<&acceptOne>("accept"),
    exported<&localPort>("localPort"),
    exported<&peer>("peer"),
    exported<&setBuffers>("setBuffers"),
    exported<&shutdownSocket>("shutdown"),
    exported<&receive>("receive"),
    exported<&sendBytes>("send"),
    exported<&sendPieces>("sendPieces"),
    exported<&sendPiecesMore>("sendPiecesMore"),
    exported<&sendFile>("sendFile"),
};

}  // namespace

std::span<const Export> socketFunctions() { return kFunctions; }

}  // namespace odradek
