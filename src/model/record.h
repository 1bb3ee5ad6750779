// Everything known about one exchange: one wide row from which every log line, metric, trace and bill is made. Filled
// as the exchange goes, moved to the sinks once, at its end, however it ended. No prompt, no answer and no key is in
// it. SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "model/notes.h"
#include "model/reply.h"

namespace sluice {

// What is charged for beside tokens, by operations that are no conversation. -1: the answer did not tell it.
struct Units {
  std::int64_t search_units = -1;  // of a rerank
  std::int64_t audio_ms = -1;      // of audio that was listened to
  std::int64_t images = -1;        // that were made
  [[nodiscard]] bool known() const { return search_units >= 0 || audio_ms >= 0 || images >= 0; }
};

// One call of an upstream. Times are microseconds since the exchange began; -1 = did not happen.
struct Attempt {
  std::string backend;
  std::string model;  // the upstream's name
  int status = 0;     // the upstream's HTTP status, 0 when there was none
  std::optional<Fault> fault;
  std::string detail;  // operator's words about the fault
  std::string upstream_request_id;
  std::int64_t started_us = -1;
  std::int64_t sent_us = -1;         // the request had left
  std::int64_t head_us = -1;         // the response head was there
  std::int64_t first_token_us = -1;  // the first meaningful event, or the whole reply
  std::int64_t ended_us = -1;
  std::string_view price;  // of what was called (write_price()); outlives the exchange; empty: not known, not asked
  bool fresh_connection = false;
  bool verbatim = false;  // bytes went through untouched but for edits
  bool mirror = false;    // a copy, whose answer nobody waits for
  bool hedge = false;     // asked besides another one that was slow to begin
  bool given_up = false;  // another target was quicker, or nobody waits any more: it was cut off
};

// What a call used whose answer is not the exchange's, or only the beginning of it: it costs all the same.
struct Spent {
  std::size_t attempt = 0;  // its place among the attempts
  Usage usage;
  std::int64_t estimated_output = -1;  // tokens, where the vendor told nothing
  bool part = false;                   // it stands in the exchange's usage as well
};

// Who asked what: all that a copy of a request has in common with it.
struct Heading {
  std::string client_id;       // the client's x-request-id, as visible ASCII, at most 128
  std::string trace_id;        // W3C, from traceparent, or empty
  std::string_view method;     // GET, POST … or "other"
  std::string_view door;       // the path pattern that matched ("/v1/chat/completions"), static; empty when none
  std::string_view operation;  // what was asked for ("chat", "images.edits"), static; empty for the gateway's own pages
  std::string_view dialect;    // the client's, static name; empty for local doors
  std::string caller;          // who asked: a key's name, "local", "open"; empty when refused
  std::string groups;          // that the caller's key belongs to, from the root down: "company/research"
  std::string tags;            // of the key and its groups: "a,b"
  std::string peer;            // address of the client
  std::string model;           // as asked, at most 256 bytes of visible ASCII
  bool stream = false;         // what the client asked for
};

struct Record : Heading {
  std::string id;            // ours, made at the start
  std::string mirror_of;     // of a copy: the id of the exchange that it is a copy of
  std::int64_t unix_ms = 0;  // when the head of the request was complete
  std::string served;        // what the upstream said it was
  bool coalesced = false;    // another exchange's call answered it: nothing of it was billed here
  std::vector<Attempt> attempts;
  std::int32_t answered = -1;  // of attempts: whose answer the client got; -1: the last one's
  int status = 0;              // what the client got; 499 when it had left before any
  std::optional<Fault> fault;
  std::string error;         // the message the client got
  std::string detail;        // for the operator
  Usage usage;               // of the answer
  std::vector<Spent> spent;  // by other calls than the one that answered
  Units units;
  std::int64_t estimated_output = -1;  // tokens of what was heard of the answer; where the vendor tells none
  std::string lane;                    // the vendor's, as it said ("priority"); empty: not said
  std::vector<Note> notes;
  std::string finish;           // stop reason as the upstream wrote it, if known
  std::uint64_t bytes_in = 0;   // body of the request
  std::uint64_t bytes_out = 0;  // body of the response
  std::int64_t first_token_us = -1;
  std::int64_t total_us = 0;
  std::int64_t own_us = 0;    // CPU of the gateway's own code on this exchange is not measurable; this is wall time
                              // between receiving something and having sent what follows from it
  std::int64_t queue_us = 0;  // waited for admission

  // What was told of tokens so far is of an attempt whose answer is none.
  void set_usage_apart() {
    if (answered < 0 || (!usage.known() && estimated_output < 0)) return;
    spent.push_back({.attempt = static_cast<std::size_t>(answered),
                     .usage = std::exchange(usage, {}),
                     .estimated_output = std::exchange(estimated_output, -1)});
  }
  // The attempt that stands for all in what is told and counted: the one that answered, else the last. Null: none.
  [[nodiscard]] const Attempt* telling() const {
    if (attempts.empty()) return nullptr;
    return answered < 0 ? &attempts.back() : &attempts[static_cast<std::size_t>(answered)];
  }
};

}  // namespace sluice
