// Ids of tool calls: portable ones pass unchanged, everything else is derived by a hash, so that the same request
// always gives the same bytes and a call and its result always get the same id. SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace sluice {

// True for 1 to 64 of [A-Za-z0-9_-], which every dialect takes.
[[nodiscard]] bool portable_tool_id(std::string_view id);

// `id` unchanged when portable, else prefix + 24 letters and digits made from it.
[[nodiscard]] std::string to_portable_tool_id(std::string_view id, std::string_view prefix);

// For a history whose source has no ids: from where the call stands. `prefix`: "call_", "toolu_".
[[nodiscard]] std::string history_tool_id(std::string_view prefix, std::size_t turn, std::size_t call,
                                          std::string_view name);

// For an answer whose upstream gave no id: readers leave ToolCall::id empty (id_made_up true), the writer to the client
// makes it from the exchange, so that ids of two answers differ.
[[nodiscard]] std::string answer_tool_id(std::string_view prefix, std::string_view exchange_id, std::int64_t choice,
                                         std::size_t call);

// Mistral demands exactly nine letters and digits.
[[nodiscard]] std::string mistral_tool_id(std::string_view id);

// `length` (at most 24) letters and digits from a hash of `text`. Stable for ever: ids that clients hold depend on it.
[[nodiscard]] std::string hash_text(std::string_view text, std::size_t length);

}  // namespace sluice
