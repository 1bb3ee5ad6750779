// How many tokens of output a request asks for at most, and how many the caller's key lets it ask for.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "dialects/dialect.h"
#include "policy/directory.h"

namespace sluice {

struct OutputAsked {
  std::optional<std::int64_t> most;  // tokens of one answer; nullopt: the request does not say
  std::string_view field;            // that says it: "generationConfig.maxOutputTokens"
  std::int64_t answers = 1;          // that are asked for at once
};

// In whatever dialect. Where two fields say it, the larger number counts.
[[nodiscard]] OutputAsked output_asked(std::span<const json::TopMember> members);

// Tokens that one answer may have by the key; nullopt: it does not say.
[[nodiscard]] std::optional<std::int64_t> output_allowed(const Key* key, const OutputAsked& asked);

// Error: bad_request, with the field, when a request asks for more than its key allows.
[[nodiscard]] Result<void> keep_output_limit(const Key& key, const OutputAsked& asked);

// What lets a request that does not say it ask for `most`, in the dialect in which it is.
[[nodiscard]] json::Edit output_edit(DialectId dialect, const Destination& to, std::span<const json::TopMember> members,
                                     std::int64_t most);

}  // namespace sluice
