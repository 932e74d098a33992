// What can be bound to a `?` and read from a column, and how C++ types map to it.
// Value is a view: bound values live until the statement has run, column values until the next row.
#pragma once

#include <array>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include "base/clock.h"
#include "base/ids.h"
#include "base/money.h"

namespace deeppool::sql {

// Bytes for a BLOB column. A plain string is text: SQLite's STRICT tables keep the two apart.
struct Blob {
  std::string_view bytes;
};

using Value = std::variant<std::monostate, int64_t, double, std::string_view, Blob, base::Money>;

namespace traits {
template <class T>
inline constexpr bool kOptional = false;
template <class T>
inline constexpr bool kOptional<std::optional<T>> = true;
template <class T>
inline constexpr bool kId = false;
template <class Tag>
inline constexpr bool kId<base::Id<Tag>> = true;
template <class T>
inline constexpr bool kByteArray = false;
template <size_t N>
inline constexpr bool kByteArray<std::array<uint8_t, N>> = true;
template <class>
inline constexpr bool kUnsupported = false;
}  // namespace traits

template <size_t N>
Value bytes_value(const std::array<uint8_t, N>& bytes) {
  return Blob{{reinterpret_cast<const char*>(bytes.data()), N}};
}

// bool and integers -> integer; floating point -> real; text -> text; Blob and byte arrays -> blob;
// ids -> integer; RequestId -> 16 bytes; WallTime -> unix ms; Money -> the engine's own form (units
// in SQLite, decimal text in MySQL: in arithmetic and comparisons write `{money}` for its `?`);
// empty optional and nullptr -> NULL.
template <class T>
Value to_value(const T& v) {
  if constexpr (traits::kOptional<T>) {
    return v ? to_value(*v) : Value{};
  } else if constexpr (std::same_as<T, std::nullptr_t> || std::same_as<T, std::nullopt_t>) {
    return {};
  } else if constexpr (std::same_as<T, Value> || std::same_as<T, Blob> ||
                       std::same_as<T, base::Money>) {
    return v;
  } else if constexpr (std::floating_point<T>) {
    return static_cast<double>(v);
  } else if constexpr (std::integral<T> && (std::signed_integral<T> || sizeof(T) < 8)) {
    return static_cast<int64_t>(v);
  } else if constexpr (std::convertible_to<const T&, std::string_view>) {
    return std::string_view(v);
  } else if constexpr (traits::kByteArray<T>) {
    return bytes_value(v);
  } else if constexpr (traits::kId<T>) {
    return v.value;
  } else if constexpr (std::same_as<T, base::RequestId>) {
    return bytes_value(v.bytes);
  } else if constexpr (std::same_as<T, base::WallTime>) {
    return base::unix_ms(v);
  } else {
    static_assert(traits::kUnsupported<T>, "no SQL form; cast uint64_t to int64_t, enums to text");
  }
}

inline std::optional<std::string_view> any_bytes(const Value& v) {
  if (const auto* text = std::get_if<std::string_view>(&v)) return *text;
  if (const auto* blob = std::get_if<Blob>(&v)) return blob->bytes;
  return std::nullopt;
}

template <size_t N>
bool copy_bytes(const Value& v, std::array<uint8_t, N>& out) {
  const auto bytes = any_bytes(v);
  if (!bytes || bytes->size() != N) return false;
  for (size_t i = 0; i < N; ++i) out[i] = static_cast<uint8_t>((*bytes)[i]);
  return true;
}

// The reverse of to_value. False if the column holds another type, NULL for a type that is not
// optional, an integer out of the type's range, or bytes of another length.
template <class T>
bool from_value(const Value& v, T& out) {
  if constexpr (traits::kOptional<T>) {
    if (std::holds_alternative<std::monostate>(v)) return out.reset(), true;
    return from_value(v, out.emplace());
  } else if constexpr (std::integral<T>) {
    const auto* n = std::get_if<int64_t>(&v);
    if (n == nullptr) return false;
    if constexpr (std::same_as<T, bool>) {
      out = *n != 0;
      return true;
    } else {
      if (!std::in_range<T>(*n)) return false;
      out = static_cast<T>(*n);
      return true;
    }
  } else if constexpr (std::floating_point<T>) {
    const auto* real = std::get_if<double>(&v);
    const auto* n = std::get_if<int64_t>(&v);
    if (real != nullptr) out = static_cast<T>(*real);
    if (n != nullptr) out = static_cast<T>(*n);
    return real != nullptr || n != nullptr;
  } else if constexpr (std::same_as<T, std::string> || std::same_as<T, std::string_view>) {
    const auto bytes = any_bytes(v);
    if (bytes) out = T(*bytes);
    return bytes.has_value();
  } else if constexpr (traits::kByteArray<T>) {
    return copy_bytes(v, out);
  } else if constexpr (traits::kId<T>) {
    return from_value(v, out.value);
  } else if constexpr (std::same_as<T, base::RequestId>) {
    return copy_bytes(v, out.bytes);
  } else if constexpr (std::same_as<T, base::Money>) {
    const auto* units = std::get_if<int64_t>(&v);  // SQLite
    if (units != nullptr) out = base::Money::units(*units);
    const auto* text = std::get_if<std::string_view>(&v);  // a DECIMAL
    const auto parsed = text != nullptr ? base::Money::parse(*text) : std::nullopt;
    if (parsed) out = *parsed;
    return units != nullptr || parsed.has_value();
  } else if constexpr (std::same_as<T, base::WallTime>) {
    const auto* ms = std::get_if<int64_t>(&v);
    if (ms != nullptr) out = base::WallTime(std::chrono::milliseconds(*ms));
    return ms != nullptr;
  } else {
    static_assert(traits::kUnsupported<T>, "no C++ form for a column");
  }
}

}  // namespace deeppool::sql
