// The one table of faults.
// SPDX-License-Identifier: MIT
#include "base/error.h"

#include <array>

#include "base/result.h"

namespace sluice {
namespace {

constexpr std::array<FaultRow, fault_count> rows = {{
    {"bad_request", 400, false, Blame::client},
    {"unsupported", 400, true, Blame::client},
    {"unauthorized", 401, false, Blame::client},
    {"forbidden", 403, false, Blame::client},
    {"not_found", 404, false, Blame::client},
    {"method_not_allowed", 405, false, Blame::client},
    {"request_timeout", 408, false, Blame::client},
    {"too_large", 413, false, Blame::client},
    {"rate_limited", 429, false, Blame::client},
    {"overloaded", 503, false, Blame::us},
    {"client_gone", 499, false, Blame::client},
    {"upstream_rejected", 400, false, Blame::client},
    {"upstream_denied", 502, true, Blame::us},
    {"upstream_limited", 429, true, Blame::upstream},
    {"upstream_overloaded", 503, true, Blame::upstream},
    {"upstream_failed", 502, true, Blame::upstream},
    {"upstream_unreachable", 502, true, Blame::upstream},
    {"upstream_timeout", 504, true, Blame::upstream},
    {"upstream_broken", 502, true, Blame::upstream},
    {"internal", 500, false, Blame::us},
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
