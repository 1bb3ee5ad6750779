// Responses that clients come back to (`store`, `previous_response_id`, GET /v1/responses/{id} …), whoever holds them:
// the vendor that made them, or the gateway where the vendor behind holds none. SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/task.h"
#include "dialects/openai_responses/held.h"
#include "gateway/exchange.h"
#include "ports/response_store.h"

namespace sluice {

struct Answer;
struct Entry;
struct Intake;

// What a request to the Responses says about state, and what was found.
struct HeldState {
  openai_responses::StateAsked asked;
  std::string backend;                   // the only one that can go on; empty: any
  bool found = false;                    // what it goes on from is held here
  std::string body;                      // the request with the conversation that is held here; empty: as it came
  std::string input;                     // the request's own items, JSON, when some had to be fetched
  std::vector<json::TopMember> members;  // of the request as it came, when `body` is another
  std::string id;                        // of an answer that no vendor holds
};

// True for what recollect() and serve_held() are for.
[[nodiscard]] bool has_state(const Entry& entry);

// What the request goes on from is looked up, and put in front of it when it is held here. Errors: bad_request in the
// vendor's words (nobody knows the id, or another caller's does), internal.
[[nodiscard]] Task<Result<bool>> recollect(Exchange& ex, Intake& intake);

// An answer has begun well: where it is held is written down. A whole one that is held here is kept before the client
// sees it; of a stream, the answer learns what is kept with its end.
[[nodiscard]] Task<Result<bool>> hold(Exchange& ex, const Intake& intake, Answer& answer);
// The end of such a stream, before the client sees it. `event` is the last one.
[[nodiscard]] Task<void> hold_end(Exchange& ex, HeldResponse& held, std::string_view event);

// GET, DELETE and POST on what is held. False: a vendor's to answer. Errors: not found in the vendor's words, internal.
[[nodiscard]] Task<Result<bool>> serve_held(Exchange& ex, const Entry& entry);

}  // namespace sluice
