// SPDX-License-Identifier: MIT
#include "dialects/held_state.h"

#include <algorithm>
#include <array>
#include <string>

#include "dialects/pointer.h"

namespace sluice {
namespace {

struct Held {
  DialectId dialect;
  std::string_view member, what;
};
constexpr std::array held = std::to_array<Held>({
    {DialectId::openai_responses, "previous_response_id", "the earlier conversation"},
    {DialectId::openai_responses, "conversation", "the conversation"},
    {DialectId::openai_responses, "prompt", "the prompt"},
    {DialectId::openai_responses, "background", "the answer while it is made"},
});

Error refused(std::string param, std::string_view what) {
  Error error{.fault = Fault::unsupported, .code = "unsupported_parameter"};
  error.message = "'" + param + "' points at " + std::string(what) +
                  ", which the vendor of this API keeps; the model that was asked for lives elsewhere. Send the whole "
                  "conversation in the request instead.";
  error.param = std::move(param);
  return error;
}

// What only the old text API has: left out, the answer would be another's.
std::optional<Error> only_in_completions(const ChatRequest& request) {
  const auto refused = [](std::string_view param, std::string_view what) {
    Error error{.fault = Fault::unsupported, .code = "unsupported_parameter", .param = std::string(param)};
    error.message = "'" + error.param + "': " + std::string(what) +
                    " reach only a backend that speaks /v1/completions itself; the model that was asked for is a chat.";
    return error;
  };
  if (request.origin != DialectId::openai_completions) return std::nullopt;
  if (request.turns.empty()) return refused("prompt", "tokens instead of a text");
  if (request.turns.size() > 1) return refused("prompt", "several prompts in one request");
  for (const Extra& extra : request.extras.members) {
    if (extra.key == "suffix" && extra.raw != "null" && extra.raw != "\"\"")
      return refused("suffix", "texts with a gap in the middle");
  }
  return std::nullopt;
}

}  // namespace

std::optional<Error> held_elsewhere(const ChatRequest& request) {
  if (auto only = only_in_completions(request)) return only;
  for (const Extra& extra : request.extras.members) {
    const auto row = std::ranges::find_if(
        held, [&](const Held& h) { return h.dialect == request.extras.origin && h.member == extra.key; });
    if (row != held.end() && extra.raw != "null") return refused(extra.key, row->what);
  }
  // An item by its name alone.
  for (std::size_t t = 0; t < request.turns.size(); ++t) {
    for (std::size_t p = 0; p < request.turns[t].parts.size(); ++p) {
      const auto* opaque = request.turns[t].parts[p].as<Opaque>();
      if (opaque != nullptr && opaque->origin == DialectId::openai_responses && opaque->type == "item_reference") {
        return refused(pointer_to_part(request, t, p), "an item");
      }
    }
  }
  return std::nullopt;
}

}  // namespace sluice
