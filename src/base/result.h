// Result<T>: a value or an Error, and the macros that pass an Error up.
// SPDX-License-Identifier: MIT
#pragma once

#include <expected>
#include <utility>

#include "base/error.h"

namespace sluice {

template <class T>
using Result = std::expected<T, Error>;

// Makes an Error ready to be returned from any function that returns a Result.
[[nodiscard]] inline std::unexpected<Error> fail(Fault fault, std::string message, std::string detail = {}) {
  return std::unexpected(Error{.fault = fault, .message = std::move(message), .detail = std::move(detail)});
}
[[nodiscard]] inline std::unexpected<Error> fail(Error error) {
  return std::unexpected(std::move(error));
}

}  // namespace sluice

#define SLUICE_CAT2(a, b) a##b
#define SLUICE_CAT(a, b) SLUICE_CAT2(a, b)
#define SLUICE_TRY(keyword, tmp, declaration, ...)                            \
  auto tmp = (__VA_ARGS__);                                                   \
  if (!tmp) keyword std::unexpected<::sluice::Error>(std::move(tmp).error()); \
  declaration = std::move(*tmp)
#define SLUICE_TRY_VOID(keyword, ...)                                           \
  do {                                                                          \
    if (auto sluice_try_ = (__VA_ARGS__); !sluice_try_)                         \
      keyword std::unexpected<::sluice::Error>(std::move(sluice_try_).error()); \
  } while (false)

// TRY(auto x, expression): x is the value, or the enclosing function returns the Error.
#define TRY(declaration, ...) SLUICE_TRY(return, SLUICE_CAT(try_, __LINE__), declaration, __VA_ARGS__)
#define TRY_VOID(...) SLUICE_TRY_VOID(return, __VA_ARGS__)
// The same inside a coroutine.
#define CO_TRY(declaration, ...) SLUICE_TRY(co_return, SLUICE_CAT(try_, __LINE__), declaration, __VA_ARGS__)
#define CO_TRY_VOID(...) SLUICE_TRY_VOID(co_return, __VA_ARGS__)
