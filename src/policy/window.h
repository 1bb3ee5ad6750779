// Which targets hold what is too long for another, by the windows that the catalogue knows. Pure; nothing is looked up
// before a question is so long that it may matter. SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/error.h"
#include "config/snapshot.h"

namespace sluice {

// The vendor says that the question does not fit into its model's window.
[[nodiscard]] bool too_long(const Error& error);
// Tokens of input that it takes; nullopt: not known.
[[nodiscard]] std::optional<std::int64_t> window(const Target& target);
// Whether what was too long for `than` may fit into `other`: its window is larger, or is another model's of which that
// is not known.
[[nodiscard]] bool may_hold_more(const Target& other, const Target& than);
// Whether a question of so many bytes, which are many, may be too long for one of them: no token is shorter than a
// byte.
[[nodiscard]] bool may_be_too_long(const std::vector<Target>& targets, std::size_t bytes);
// Leaves out those whose window is surely too small for an input of about so many tokens, unless it is for all of them.
void leave_out_small(std::vector<Target>& targets, std::int64_t tokens);

}  // namespace sluice
