// Result<T>: a value or an Error, and the macros that pass an Error up.
// SPDX-License-Identifier: MIT
#pragma once

#include <expected>
#include <utility>

#include "base/error.h"

namespace sluice {

// An Error kept apart, so that a Result is little wider than its value: thousands of coroutine frames hold several.
// Owns it, copies it with itself, and is empty only after a move. Reads as a pointer and passes as an Error.
class Failure {
 public:
  Failure(const Error& error);  // NOLINT(*-explicit-*): is one
  Failure(Error&& error);       // NOLINT(*-explicit-*)
  Failure(const Failure& other);
  Failure(Failure&& other) noexcept : error_(std::exchange(other.error_, nullptr)) {}
  Failure& operator=(Failure other) noexcept {
    std::swap(error_, other.error_);
    return *this;
  }
  ~Failure() {
    if (error_) drop();
  }

  const Error& operator*() const { return *error_; }
  Error& operator*() { return *error_; }
  const Error* operator->() const { return error_; }
  Error* operator->() { return error_; }
  operator const Error&() const& { return *error_; }  // NOLINT(*-explicit-*)
  operator Error() &&;                                // NOLINT(*-explicit-*)

 private:
  void drop();
  Error* error_;
};

template <class T>
using Result = std::expected<T, Failure>;

// Makes an Error ready to be returned from any function that returns a Result. Out of line, with words by view: what is
// built in a coroutine stands in its frame for as long as that lives.
[[nodiscard]] std::unexpected<Failure> fail(Error&& error);
[[nodiscard]] std::unexpected<Failure> fail(const Error& error);
[[nodiscard]] std::unexpected<Failure> fail(Fault fault, std::string_view message, std::string_view detail = {});

}  // namespace sluice

#define SLUICE_CAT2(a, b) a##b
#define SLUICE_CAT(a, b) SLUICE_CAT2(a, b)
#define SLUICE_TRY(keyword, tmp, declaration, ...)                              \
  auto tmp = (__VA_ARGS__);                                                     \
  if (!tmp) keyword std::unexpected<::sluice::Failure>(std::move(tmp).error()); \
  declaration = std::move(*tmp)
#define SLUICE_TRY_VOID(keyword, ...)                                             \
  do {                                                                            \
    if (auto sluice_try_ = (__VA_ARGS__); !sluice_try_)                           \
      keyword std::unexpected<::sluice::Failure>(std::move(sluice_try_).error()); \
  } while (false)

// TRY(auto x, expression): x is the value, or the enclosing function returns the Error.
#define TRY(declaration, ...) SLUICE_TRY(return, SLUICE_CAT(try_, __LINE__), declaration, __VA_ARGS__)
#define TRY_VOID(...) SLUICE_TRY_VOID(return, __VA_ARGS__)
// The same inside a coroutine.
#define CO_TRY(declaration, ...) SLUICE_TRY(co_return, SLUICE_CAT(try_, __LINE__), declaration, __VA_ARGS__)
#define CO_TRY_VOID(...) SLUICE_TRY_VOID(co_return, __VA_ARGS__)
