// SPDX-License-Identifier: MIT
#include "dialects/continuation.h"

#include <algorithm>

#include "dialects/estimate.h"

namespace sluice {
namespace {

constexpr std::string_view plea =
    "Your answer above was cut off by a fault of the connection. Go on with it from exactly where it stops, in the "
    "same "
    "form and language. Repeat nothing of it, add no introduction, and do not mention the interruption.";

// The smallest limit that every vendor takes.
constexpr std::int64_t least_output = 16;

Turn turn(Role role, std::string_view text) {
  Turn out{.role = role};
  out.parts.push_back({.body = Text{.text = std::string(text)}});
  return out;
}

}  // namespace

bool may_be_continued(const ChatRequest& asked) {
  const bool formed = asked.format && asked.format->kind != FormatKind::text;
  const bool spoken =
      asked.modalities && std::ranges::any_of(*asked.modalities, [](const auto& m) { return m != "text"; });
  return asked.sampling.n.value_or(1) <= 1 && !formed && !spoken;
}

ChatRequest continued(const ChatRequest& asked, std::string_view said, const Dialect& spoken, const Destination& to) {
  ChatRequest out = asked;
  const auto end = said.find_last_not_of(" \t\r\n");
  if (end == std::string_view::npos) return out;
  if (out.max_output) out.max_output = std::max(*out.max_output - estimate_text(said, to.model), least_output);
  if (auto members = spoken.prefill(asked, to)) {
    // White space at the end of a prefill is refused by some.
    out.turns.push_back(turn(Role::assistant, said.substr(0, end + 1)));
    out.turns.back().extras = *std::move(members);
  } else {
    out.turns.push_back(turn(Role::assistant, said));
    out.turns.push_back(turn(Role::user, plea));
  }
  return out;
}

}  // namespace sluice
