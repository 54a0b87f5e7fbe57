// The rarer argument types, and the TypeError that a bad argument becomes.
#include "call.h"

#include <cstdarg>
#include <cstdio>
#include <cstring>

#include "layout.h"

namespace odradek {

static_assert(PIECE_BYTES == 3 * sizeof(int32_t));

template <>
PieceTable Arguments::take<PieceTable>() {
  const Ints table = take<Ints>();
  const auto first = take<int32_t>();
  const auto count = take<int32_t>();
  if (state_.refused()) return {nullptr, 0};
  const int64_t entries = table.length / 3;
  if (first < 0 || count < 0 || first > entries || count > entries - first) {
    state_.refuse("pieces %d + %d lie outside a table of %lld", first, count, static_cast<long long>(entries));
    return {nullptr, 0};
  }
  return {table.data + static_cast<ptrdiff_t>(first) * 3, count};
}

template <>
BlockId Arguments::take<BlockId>() {
  const auto id = take<int32_t>();
  const auto at = static_cast<size_t>(id);
  if (at >= state_.blocks.size() || !state_.blocks[at].known) state_.refuse("memory %d is not registered", id);
  return {id};
}

template <>
MapId Arguments::take<MapId>() {
  const auto id = take<int32_t>();
  const auto at = static_cast<size_t>(id);
  if (at >= state_.maps.size() || state_.maps[at].data == nullptr) state_.refuse("there is no map %d", id);
  return {id};
}

template <>
Text Arguments::take<Text>() {
  Text text;
  size_t length = 0;
  const napi_value value = values_[at_++];
  if (napi_get_value_string_utf8(state_.env, value, nullptr, 0, &length) != napi_ok) {
    state_.refuse("argument %d is not a string", at_);
    length = 0;
  } else if (length >= sizeof text.bytes) {
    state_.refuse("argument %d is longer than %zu bytes", at_, sizeof text.bytes - 1);
    length = 0;
  } else {
    napi_get_value_string_utf8(state_.env, value, text.bytes, sizeof text.bytes, &length);
    if (memchr(text.bytes, 0, length) != nullptr) state_.refuse("argument %d has a NUL in it", at_);
  }
  text.bytes[length] = 0;
  return text;
}

void State::refuse(const char* format, ...) {
  if (refused()) return;
  va_list values;
  va_start(values, format);
  vsnprintf(fault, sizeof fault, format, values);
  va_end(values);
}

uint8_t* State::refuseRange(int32_t id, int64_t offset, int64_t length) {
  if (id == -1 && length == 0) return nullptr;
  const auto at = static_cast<size_t>(id);
  if (at >= blocks.size() || !blocks[at].known) {
    refuse("memory %d is not registered", id);
  } else {
    refuse("bytes %lld + %lld lie outside memory %d of %lld bytes", static_cast<long long>(offset),
           static_cast<long long>(length), id, static_cast<long long>(blocks[at].length));
  }
  return nullptr;
}

napi_value throwFault(const Bound& bound) {
  const std::string message = std::string(bound.name) + ": " + bound.state->fault;
  bound.state->fault[0] = 0;
  napi_throw_type_error(bound.state->env, nullptr, message.c_str());
  return nullptr;
}

}  // namespace odradek
