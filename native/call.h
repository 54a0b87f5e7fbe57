// From a JavaScript call to a plain C++ function and back: `Exported<&function>` reads the arguments by the types of the
// function's parameters, checks every number and every range of memory, and turns a fault into a TypeError. So the
// functions behind it see only good arguments, and no C++ exception exists.
#pragma once

#include <span>
#include <string>
#include <tuple>

#include "state.h"

namespace odradek {

// A whole number from 0 to 2^53 - 1: a place in a file, or a length.
struct Whole {
  int64_t value;
};

// Three arguments: memory, offset, length. Lies within a registered block; length 0 is fine in no memory (-1).
struct Bytes {
  uint8_t* data;
  int64_t length;
  int64_t offset;
};

// Three arguments: table, first, count. The entries from `first` on; what they say is checked by `gather`.
struct PieceTable {
  const int32_t* entries;
  int32_t count;
};

struct Ints {
  int32_t* data;
  int64_t length;
};

struct Doubles {
  double* data;
  int64_t length;
};

// The number of a block, or of a map, that exists.
struct BlockId {
  int32_t value;
};
struct MapId {
  int32_t value;
};

// A string without NUL; the longest path the system takes.
struct Text {
  char bytes[4096];
};

class Arguments {
 public:
  Arguments(State& state, const napi_value* values) : state_(state), values_(values) {}

  template <typename T>
  T take();

 private:
  double number() {
    double value = 0;
    const napi_status status = napi_get_value_double(state_.env, values_[at_++], &value);
    if (status != napi_ok) [[unlikely]] state_.refuse("argument %d is not a number", at_);
    return value;
  }

  State& state_;
  const napi_value* values_;
  int at_ = 0;
};

// How many JavaScript arguments a parameter takes.
template <typename T>
inline constexpr size_t kWidth = 1;
template <>
inline constexpr size_t kWidth<Bytes> = 3;
template <>
inline constexpr size_t kWidth<PieceTable> = 3;

template <>
inline double Arguments::take<double>() {
  const double value = number();
  if (value != value) [[unlikely]] state_.refuse("argument %d is not a number", at_);
  return value;
}

template <>
inline int32_t Arguments::take<int32_t>() {
  const double value = number();
  if (value >= -2147483648.0 && value <= 2147483647.0) [[likely]] {
    const auto whole = static_cast<int32_t>(value);
    if (whole == value) [[likely]] return whole;
  }
  state_.refuse("argument %d is not a 32-bit integer: %.17g", at_, value);
  return 0;
}

template <>
inline uint32_t Arguments::take<uint32_t>() {
  const double value = number();
  if (value >= 0 && value <= 4294967295.0) [[likely]] {
    const auto whole = static_cast<uint32_t>(value);
    if (whole == value) [[likely]] return whole;
  }
  state_.refuse("argument %d is not an unsigned 32-bit integer: %.17g", at_, value);
  return 0;
}

template <>
inline Whole Arguments::take<Whole>() {
  const double value = number();
  if (value >= 0 && value < 9007199254740992.0) [[likely]] {
    const auto whole = static_cast<int64_t>(value);
    if (static_cast<double>(whole) == value) [[likely]] return {whole};
  }
  state_.refuse("argument %d is not a whole number below 2^53: %.17g", at_, value);
  return {0};
}

template <>
inline bool Arguments::take<bool>() {
  bool value = false;
  const napi_status status = napi_get_value_bool(state_.env, values_[at_++], &value);
  if (status != napi_ok) [[unlikely]] state_.refuse("argument %d is not a boolean", at_);
  return value;
}

template <>
inline Bytes Arguments::take<Bytes>() {
  const auto id = take<int32_t>();
  const auto offset = take<Whole>().value;
  const auto length = take<Whole>().value;
  if (state_.refused()) [[unlikely]] return {nullptr, 0, 0};
  return {state_.range(id, offset, length), length, offset};
}

template <>
inline Ints Arguments::take<Ints>() {
  napi_typedarray_type type = napi_uint8_array;
  size_t length = 0;
  void* data = nullptr;
  const napi_status status =
      napi_get_typedarray_info(state_.env, values_[at_++], &type, &length, &data, nullptr, nullptr);
  if (status != napi_ok || type != napi_int32_array) [[unlikely]] {
    state_.refuse("argument %d is not an Int32Array", at_);
    return {nullptr, 0};
  }
  return {static_cast<int32_t*>(data), static_cast<int64_t>(length)};
}

template <>
inline Doubles Arguments::take<Doubles>() {
  napi_typedarray_type type = napi_uint8_array;
  size_t length = 0;
  void* data = nullptr;
  const napi_status status =
      napi_get_typedarray_info(state_.env, values_[at_++], &type, &length, &data, nullptr, nullptr);
  if (status != napi_ok || type != napi_float64_array) [[unlikely]] {
    state_.refuse("argument %d is not a Float64Array", at_);
    return {nullptr, 0};
  }
  return {static_cast<double*>(data), static_cast<int64_t>(length)};
}

template <>
PieceTable Arguments::take<PieceTable>();
template <>
BlockId Arguments::take<BlockId>();
template <>
MapId Arguments::take<MapId>();
template <>
Text Arguments::take<Text>();

template <>
inline napi_value Arguments::take<napi_value>() {
  return values_[at_++];
}

inline napi_value give(napi_env env, int32_t value) {
  napi_value result = nullptr;
  napi_create_int32(env, value, &result);
  return result;
}
inline napi_value give(napi_env env, uint32_t value) {
  napi_value result = nullptr;
  napi_create_uint32(env, value, &result);
  return result;
}
inline napi_value give(napi_env env, double value) {
  napi_value result = nullptr;
  napi_create_double(env, value, &result);
  return result;
}
inline napi_value give(napi_env env, const std::string& value) {
  napi_value result = nullptr;
  napi_create_string_utf8(env, value.data(), value.size(), &result);
  return result;
}

struct Export {
  const char* name;
  napi_callback call;
};

// What an exported function finds behind its data pointer.
struct Bound {
  State* state;
  const char* name;
};

[[gnu::cold, gnu::noinline]] napi_value throwFault(const Bound& bound);

template <auto Function>
struct Exported;

template <typename Result, typename... Parameters, Result (*Function)(State&, Parameters...)>
struct Exported<Function> {
  static napi_value call(napi_env env, napi_callback_info info) {
    constexpr size_t width = (size_t{0} + ... + kWidth<std::remove_cvref_t<Parameters>>);
    napi_value values[width + 1];
    size_t count = width;
    void* data = nullptr;
    napi_get_cb_info(env, info, &count, values, nullptr, &data);
    const Bound& bound = *static_cast<const Bound*>(data);
    State& state = *bound.state;
    [[maybe_unused]] Arguments in(state, values);
    // A braced list is evaluated from left to right.
    std::tuple<std::remove_cvref_t<Parameters>...> arguments{in.take<std::remove_cvref_t<Parameters>>()...};
    if (state.refused()) [[unlikely]] return throwFault(bound);
    const auto run = [&state](auto&... each) { return Function(state, each...); };
    if constexpr (std::is_void_v<Result>) {
      std::apply(run, arguments);
      if (state.refused()) [[unlikely]] return throwFault(bound);
      return nullptr;
    } else {
      const Result result = std::apply(run, arguments);
      if (state.refused()) [[unlikely]] return throwFault(bound);
      return give(env, result);
    }
  }
};

template <auto Function>
constexpr Export exported(const char* name) {
  return {name, &Exported<Function>::call};
}

// The functions of each file.
std::span<const Export> memoryFunctions();
std::span<const Export> socketFunctions();
std::span<const Export> pollFunctions();
std::span<const Export> fileFunctions();
std::span<const Export> indexMapFunctions();
std::span<const Export> loopFunctions();
std::span<const Export> threadFunctions();

}  // namespace odradek
