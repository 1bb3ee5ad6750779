// One request's life: everything the stages share about it. Lives in the connection's coroutine frame; a stage borrows
// it. SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "config/snapshot.h"
#include "dialects/dialect.h"
#include "gateway/bill.h"
#include "model/record.h"
#include "net/server.h"
#include "policy/directory.h"
#include "policy/gate.h"
#include "policy/limits.h"

namespace sluice {

class Lead;
class Metering;
class Worker;

struct Exchange {
  Exchange(Worker& of, net::ServerConnection& from);
  ~Exchange();
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  Worker& worker;
  net::ServerConnection& client;
  std::shared_ptr<const Snapshot> snapshot;    // the one it began with
  std::shared_ptr<const Directory> directory;  // the same, where callers must show a key; else null
  const Dialect* dialect;                      // how the caller is answered; never null
  Record record;
  const Route* route = nullptr;                          // of the snapshot, once it is chosen; null when none fits
  std::unique_ptr<const TimeoutChanges> asked_timeouts;  // by the request's own field; null: by none
  std::int64_t deadline_ms = net::never;                 // of the loop's clock; over all calls
  std::int64_t left_by_ms = net::never;                  // the client has left, and its call is read on so long
  LimitNumbers limits;                                   // the tightest of requests
  LimitNumbers token_limits;                             // of tokens, of the caller's key and its groups
  std::unique_ptr<Metering> metering;                    // what those are told; null where nothing is limited
  const Key* key = nullptr;                              // the caller's, in the directory; null without
  Seat seat;                   // among those that the server has at once, where there is a cap
  std::string tenant;          // whose limits count and whose turns are remembered (Caller::tenant)
  std::string cors_origin;     // the allowed origin to name in the answer; empty = no CORS fields
  std::string relayed_fields;  // field lines of the upstream's answer that go along

  Bill bill;                      // what the ledger is told
  std::int64_t input_guess = -1;  // tokens of the question, where its bytes tell too little; -1: they tell enough

  std::unique_ptr<Lead> lead;  // where others are told what its client is; null for most

  std::int64_t began_ns;  // steady clock
  std::int64_t slept_before_ns;
  bool mirror = false;            // a copy: nobody gets the answer, and nothing of it is remembered
  bool bodyless = false;          // HEAD: fields only
  bool old_client = false;        // HTTP/1.0: no chunks
  bool keep_alive = true;         // the connection may serve another request after this one
  bool head_sent = false;         // the response has begun: errors are spoken in-stream from here on
  bool counted = false;           // the response's head told its length: no chunks
  bool finished = false;          // the response is complete
  std::int64_t last_sent_ms = 0;  // when the client last got something (keep-alive comments)

  // Nobody is left to answer, but the call goes on (departure.h).
  [[nodiscard]] bool left() const { return left_by_ms != net::never; }
  [[nodiscard]] std::int64_t elapsed_us() const;
  // So long after it began, by the loop's clock; never when that is 0.
  [[nodiscard]] std::int64_t by(Millis time) const;
  [[nodiscard]] net::Sleeper& sleeper() { return client.sleeper(); }
  [[nodiscard]] const ServerSettings& settings() const { return snapshot->config().server; }
  [[nodiscard]] net::ServerConnection::Patience patience() const;
  [[nodiscard]] std::int64_t unix_seconds() const { return record.unix_ms / 1000; }
};

// True when `error` says that the client left, though it is the gateway that leaves: somebody still waits.
[[nodiscard]] bool cut_short(const Exchange& ex, const Error& error);
// What they are told then.
[[nodiscard]] Error leaving();

}  // namespace sluice
