// Result<T>: a value or an Error, and the macros that pass an Error up.
// SPDX-License-Identifier: MIT
#pragma once

#include <expected>
#include <memory>
#include <utility>

#include "base/error.h"

namespace sluice {

// An Error kept apart, so that a Result is little wider than its value: thousands of coroutine frames hold several.
// Owns it, copies it with itself, and is empty only after a move. Reads as a pointer and passes as an Error.
class Failure {
 public:
  Failure(Error error) : error_(std::make_unique<Error>(std::move(error))) {}  // NOLINT(*-explicit-*): is one
  Failure(const Failure& other) : Failure(Error(*other)) {}
  Failure(Failure&&) noexcept = default;
  Failure& operator=(const Failure& other) { return *this = Failure(other); }
  Failure& operator=(Failure&&) noexcept = default;
  ~Failure() = default;

  const Error& operator*() const { return *error_; }
  const Error* operator->() const { return error_.get(); }
  Error* operator->() { return error_.get(); }
  operator const Error&() const& { return *error_; }  // NOLINT(*-explicit-*)
  operator Error() && { return std::move(*error_); }  // NOLINT(*-explicit-*)

 private:
  std::unique_ptr<Error> error_;
};

template <class T>
using Result = std::expected<T, Failure>;

// Makes an Error ready to be returned from any function that returns a Result.
[[nodiscard]] inline std::unexpected<Failure> fail(Error error) {
  return std::unexpected<Failure>(std::move(error));
}
[[nodiscard]] inline std::unexpected<Failure> fail(Fault fault, std::string message, std::string detail = {}) {
  return fail({.fault = fault, .message = std::move(message), .detail = std::move(detail)});
}

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
