// The one table of faults.
// SPDX-License-Identifier: MIT
#include "base/error.h"

#include <array>

#include "base/result.h"

namespace sluice {
namespace {

constexpr std::array<FaultRow, fault_count> rows = {{
    {"bad_request", 400, false, 0, Blame::client},
    {"unsupported", 400, true, 0, Blame::client},
    {"unauthorized", 401, false, 0, Blame::client},
    {"forbidden", 403, false, 0, Blame::client},
    {"not_found", 404, false, 0, Blame::client},
    {"method_not_allowed", 405, false, 0, Blame::client},
    {"request_timeout", 408, false, 0, Blame::client},
    {"too_large", 413, false, 0, Blame::client},
    {"rate_limited", 429, false, 0, Blame::client},
    {"overloaded", 503, false, 0, Blame::us},
    {"client_gone", 499, false, 0, Blame::client},
    {"upstream_rejected", 400, false, 0, Blame::client},
    {"upstream_denied", 502, true, 0, Blame::us},
    {"upstream_limited", 429, true, 2, Blame::upstream},
    {"upstream_overloaded", 503, true, 2, Blame::upstream},
    {"upstream_failed", 502, true, 2, Blame::upstream},
    {"upstream_unreachable", 502, true, 2, Blame::upstream},
    {"upstream_timeout", 504, true, 0, Blame::upstream},
    {"upstream_broken", 502, true, 1, Blame::upstream},
    {"internal", 500, false, 0, Blame::us},
}};

}  // namespace

const FaultRow& fault_row(Fault fault) {
  return rows[static_cast<std::size_t>(fault)];
}

Failure::Failure(const Error& error) : error_(new Error(error)) {}
Failure::Failure(Error&& error) : error_(new Error(std::move(error))) {}
Failure::Failure(const Failure& other) : error_(new Error(*other)) {}
Failure::operator Error() && {
  return std::move(*error_);
}
void Failure::drop() {
  delete error_;
}

std::unexpected<Failure> fail(Error&& error) {
  return std::unexpected<Failure>(std::move(error));
}
std::unexpected<Failure> fail(const Error& error) {
  return std::unexpected<Failure>(error);
}
std::unexpected<Failure> fail(Fault fault, std::string_view message, std::string_view detail) {
  return fail({.fault = fault, .message = std::string(message), .detail = std::string(detail)});
}

}  // namespace sluice
