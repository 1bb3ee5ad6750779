// Responses that are held here for their clients because the vendor behind holds none: what a request says about held
// ones, and their forms as JSON text (a question's items, an answer's items, a page of them, the answer told again).
// Who holds them how long is not here. SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace sluice::openai_responses {

// True when a vendor that speaks this dialect holds its answers for their clients.
[[nodiscard]] bool holds_answers(std::string_view vendor);

// The name of an answer that no vendor holds, when it is held here and when it is not. Vendors make none like them.
[[nodiscard]] std::string held_id(std::string_view exchange_id);
[[nodiscard]] std::string passing_id(std::string_view exchange_id);
[[nodiscard]] bool is_held_id(std::string_view id);
// Either of them.
[[nodiscard]] bool is_own_id(std::string_view id);

// What a request says about state.
struct StateAsked {
  bool store = true;
  std::string previous;      // previous_response_id
  std::string conversation;  // its id
};
// Errors: bad_request in the vendor's words, for what is no id and for two states at once.
[[nodiscard]] Result<StateAsked> read_state(std::span<const json::TopMember> members);

// The errors for an id that nobody knows.
[[nodiscard]] Error no_previous(std::string_view id);
[[nodiscard]] Error no_response(std::string_view id);

// Lists of items are JSON without brackets from here on.

// `input` (a string or a list) as items, each with type and id; ids are made of the response's. Of what is no list of
// objects: nothing.
[[nodiscard]] std::string held_items(std::string_view input, std::string_view response_id);
// The items of a response's output.
[[nodiscard]] std::string output_items(std::string_view response);
// The request with `earlier` items in front of its own, as one that nobody holds anything for. Names of items are left
// out: only whoever gave them may be told them.
[[nodiscard]] Result<std::string> continued(std::string_view body, std::span<const json::TopMember> members,
                                            std::string_view earlier);

// An item of a held answer has a name that leads to it, so that a client may send the name alone ("item_reference").
[[nodiscard]] std::string held_item_id(std::string_view prefix, std::string_view exchange_id, std::int64_t place);
// The names in a request's input that do, and the answer that each leads to.
struct Reference {
  std::string item, response;
};
[[nodiscard]] std::vector<Reference> references(std::span<const json::TopMember> members);
// The item of that name in a response's output; empty when there is none.
[[nodiscard]] std::string named_item(std::string_view response, std::string_view item);
// The request with the items themselves in place of their names.
[[nodiscard]] Result<std::string> resolved(std::string_view body, std::span<const json::TopMember> members,
                                           const std::map<std::string, std::string, std::less<>>& items);

struct Page {
  std::size_t limit = 20;
  bool oldest_first = false;
  std::string after;  // an item's id; empty: from the beginning
};
// Error: bad_request when `after` is none of the items.
[[nodiscard]] Result<std::string> write_page(std::string_view items, const Page& page);
[[nodiscard]] std::string write_deleted(std::string_view id);

// The response inside the event that ends a stream of ours, and of a vendor's; empty when there is none.
[[nodiscard]] std::string_view last_response(std::string_view event);
[[nodiscard]] std::string vendors_last_response(std::string_view event);
// The stream of a response that is held, without the events up to number `after`.
[[nodiscard]] std::string replay(std::string_view response, std::int64_t after);

}  // namespace sluice::openai_responses
