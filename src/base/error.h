// The expected failures of Sluice: one small table of faults, and the value that carries one.
// Not here: how a dialect spells an error on the wire (dialects/*/errors.cc).
// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice {

// Each fault exists because someone must act differently on it (STYLE 25). Properties: fault_row().
enum class Fault : std::uint8_t {
  bad_request,           // the caller's request is malformed or says something impossible
  unsupported,           // the chosen target cannot say what the caller asked for
  unauthorized,          // no or wrong key of ours
  forbidden,             // the key may not do this
  not_found,             // no such model, path or object
  method_not_allowed,    // the path exists, the method does not
  request_timeout,       // the client was too slow to send its request
  too_large,             // body or head over our limit
  rate_limited,          // our own limiter said: later
  overloaded,            // we shed load
  client_gone,           // nobody is left to answer
  upstream_rejected,     // the vendor found fault with the request itself (400-class)
  upstream_denied,       // the vendor refused our key: never the client's 401
  upstream_limited,      // the vendor's own rate limit or quota
  upstream_overloaded,   // 503, 529
  upstream_failed,       // other 5xx
  upstream_unreachable,  // DNS, connect, TLS, proxy
  upstream_timeout,      // one of the four clocks
  upstream_broken,       // cut, malformed or endless reply
  internal,              // our bug
};
inline constexpr int fault_count = static_cast<int>(Fault::internal) + 1;

enum class Blame : std::uint8_t { client, us, upstream };

struct FaultRow {
  std::string_view name;      // stable word for logs, metrics and error bodies
  int status;                 // HTTP status towards the client
  bool another_target_helps;  // may a retry on another target cure it
  int same_target_helps;      // how many further calls of the same target may cure it
  Blame blame;
};

// The row of a fault. Never fails.
[[nodiscard]] const FaultRow& fault_row(Fault fault);

// An upstream's own error reply, kept so that a client of the same dialect gets it as it was written.
struct VerbatimReply {
  int status = 0;
  std::string_view dialect;  // a dialect's static name
  std::string content_type;
  std::string body;
};

struct Error {
  Fault fault = Fault::internal;
  std::string message;                                   // to the caller: how to fix it
  std::string detail;                                    // to the operator: what happened
  std::string code;                                      // optional finer word, e.g. "context_length_exceeded"
  std::string param;                                     // optional: the field at fault
  std::optional<std::chrono::milliseconds> retry_after;  // when the caller may come back
  int status = 0;                                        // overrides the fault's status when not 0
  std::shared_ptr<const VerbatimReply> verbatim;         // the upstream's own words, if any

  [[nodiscard]] int http_status() const { return status != 0 ? status : fault_row(fault).status; }
};

}  // namespace sluice
