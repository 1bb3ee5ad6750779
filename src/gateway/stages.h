// The stages of serve(), in their order: each takes what the one before it returned. SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/task.h"
#include "config/snapshot.h"
#include "dialects/dialect.h"
#include "gateway/doors.h"
#include "gateway/exchange.h"
#include "gateway/flight.h"
#include "gateway/held.h"
#include "gateway/pump.h"
#include "gateway/shared_answer.h"
#include "policy/caller.h"
#include "policy/course.h"
#include "policy/limits.h"

namespace sluice {

// receive: the request as its dialect sees it, before anything is decided.
struct Intake {
  const Entry& entry;  // outlives it
  Peek peek;
  std::string_view body;  // lives until the request is released
  std::vector<HeaderView> headers;
  std::vector<char> names;          // of the headers, in lower case
  std::unique_ptr<HeldState> held;  // of the Responses only
  // A walk over all members checks the whole text.
  [[nodiscard]] bool peeked() const { return !peek.members.empty(); }
  [[nodiscard]] Asked asked() const {
    return {.path_model = entry.path_model,
            .path_streams = entry.path_streams,
            .query = entry.query,
            .headers = headers,
            .body = body,
            .utf8 = peeked() ? json::Utf8::checked : json::Utf8::unchecked};
  }
};

// choose: whom to try, in order.
struct Plan {
  std::vector<Target> targets;
};

// What is kept for an answer that breaks off, so that another call can go on with it.
struct Reserve {
  Course course;  // of what is left of it
  std::unique_ptr<const Intake> intake;
  std::vector<Target> targets;  // as the course knows them
};

// call: an answer that has begun well. Either whole or a stream, the first of whose bytes are held.
struct Answer {
  std::unique_ptr<Flight> flight;  // null when the answer is complete
  std::unique_ptr<Pump> pump;      // null for a whole answer
  std::string held;                // bytes for the client: the whole body, or the stream so far
  std::string_view content_type = "application/json";
  std::string_view fields;                       // more field lines, static
  std::string own_content_type;                  // where content_type points when the upstream chose it
  std::optional<std::string> stopped;            // by a filter, where another target may do better: the vendor's word
  bool native = false;                           // from a target of the client's own dialect
  std::unique_ptr<HeldResponse> keeps;           // what is held of a stream, when it has ended well
  std::unique_ptr<SharedAnswer::Reader> shared;  // another exchange's, which this one is told as well
  std::unique_ptr<Reserve> reserve;              // of a stream that may be gone on with; else null
};

[[nodiscard]] Result<Entry> enter(Exchange& ex);
// By its key where there are any, else by where it comes from. What a signature says of the body is still to be
// checked.
[[nodiscard]] Result<Caller> authenticate(Exchange& ex, const Entry& entry);
// For callers who sign. Holds the body, which the later stages find there.
[[nodiscard]] Task<Result<bool>> check_signature(Exchange& ex, const Entry& entry, const Caller& caller);
[[nodiscard]] Task<Result<Intake>> receive(Exchange& ex, const Entry& entry);
// Errors: also unsupported, when whoever holds the conversation does not serve the model.
[[nodiscard]] Result<Plan> choose(Exchange& ex, const Intake& intake);
[[nodiscard]] Result<Lease> admit(Exchange& ex, const Caller& caller);
// The same for the caller's key and the groups above it, and what the plan may cost them.
[[nodiscard]] Result<void> meter(Exchange& ex, const Intake& intake, Plan& plan);
// Puts the plan's targets into the order in which it tries them.
[[nodiscard]] Task<Result<Answer>> call(Exchange& ex, const Intake& intake, Plan& plan);
[[nodiscard]] Task<Result<bool>> relay(Exchange& ex, Answer& answer);
// Reads what is left of the upstream's body, briefly, so that its connection can serve again.
[[nodiscard]] Task<void> finish_flight(Exchange& ex, Flight& flight);

// The doors that need no upstream: health, metrics, docs, model lists, OPTIONS.
[[nodiscard]] Task<Result<bool>> serve_here(Exchange& ex, const Entry& entry);

}  // namespace sluice
