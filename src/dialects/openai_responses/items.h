// Items <-> parts: the vocabulary that requests, replies and streams of this dialect share. One item is one part or
// several (a message's contents, the pieces of a summary); parts of one item remember where they stood, so that they
// find together again. Not here: which items may stand where. SPDX-License-Identifier: MIT
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "model/chat.h"

namespace sluice::openai_responses {

inline constexpr DialectId self = DialectId::openai_responses;

// Memories of a part (spare.h). `at`: its place in the list of items ("3/content/0", "5"). `id` and `status` are an
// item's: its first part has the one, its last the other.
namespace memory {
inline constexpr std::string_view at = "at", id = "id", status = "status", string = "string", empty = "empty",
                                  type = "type", custom = "custom", file = "file", format = "output_format";
}

enum class ItemKind : std::uint8_t { message, reasoning, call, custom_call, image, hosted, other };
[[nodiscard]] ItemKind kind_of_item(json::Value item);
// True for items that a client has to answer: its own functions, and tools that it runs under the vendor's names.
[[nodiscard]] bool waits_for_client(json::Value item);

// `asked`: an item of a client's history, else of an answer, where logprobs are not part of the part.
enum class Side : std::uint8_t { asked, answered };

// One item as parts, never none; `place` is its place in the list.
void read_item(json::Value item, std::size_t place, Side side, std::vector<Part>& out);
// A content part of a message, of reasoning or of a tool's output. `said`: by the assistant.
[[nodiscard]] Part read_content(json::Value content, bool said, Side side);
// A proof that travelled in a reasoning item of its own goes to the part beside it.
void hand_out_seals(std::vector<Part>& parts, std::size_t from);

// The pieces of read_item that a stream needs one by one:
// id and what else stands at an item's beginning, for its first part, which stands at `place`.
void read_beginning(json::Value item, std::string_view place, Extras& out);
// The status and the members that nobody here knows, for its last part.
void read_rest(json::Value item, std::string_view place, Extras& out);
[[nodiscard]] std::optional<Seal> read_proof(json::Value item);
[[nodiscard]] Part read_call(json::Value item, std::string_view place);  // with its arguments
// Items that always come whole: images, hosted tools, what is not known. nullopt for the others.
[[nodiscard]] std::optional<Part> read_whole(json::Value item, std::string_view place);
[[nodiscard]] Citation read_annotation(json::Value annotation);
// Members of a content part that nobody here knows.
void read_content_rest(json::Value content, Side side, Extras& out);

[[nodiscard]] std::string place_of(std::size_t item, std::string_view list, std::size_t index);
// "3" of "3/content/0"; empty when the part stood in no item.
[[nodiscard]] std::string_view item_of(const Part& part);
// Members of the item (not of the part) among the extras of one of its parts, into the item's open object.
void write_item_members(json::Writer& out, const Part& part);
// True for an extra that is the item's.
[[nodiscard]] bool of_item(const Part& part, const Extra& extra);

// Logprobs stand in the model as chat has them: {"content":[…]}, one line for each piece of a stream.
[[nodiscard]] std::optional<RawJson> read_logprobs(json::Value list);
// The elements of the list for this dialect, joined by commas; of lines that are in that form.
[[nodiscard]] std::string logprob_elements(std::string_view lines);

}  // namespace sluice::openai_responses
