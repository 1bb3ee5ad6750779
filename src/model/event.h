// The stream vocabulary: what every dialect's stream is read into and written from. One block is open at a time per
// choice; a reader of an interleaving upstream holds the later ones back. Grammar: grammar.h. Reply <-> events: fold.h.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/error.h"
#include "model/reply.h"

namespace sluice {

// First event of every stream. `reply` holds what the head says: id, model, created, service tier, extras; no choices.
struct Begin {
  Reply reply;
};
// Opens block `block` (0, 1, 2 … within its choice). `part` is complete but for its growing text: Text::text,
// Reasoning::text, ToolCall::arguments, Refusal::text, Media::data start empty and grow by Delta. Parts that come whole
// (redacted reasoning, server tools, opaque) are complete here.
struct BlockStart {
  std::int64_t choice = 0;
  std::int64_t block = 0;
  Part part;
};
struct Delta {
  std::int64_t choice = 0;
  std::int64_t block = 0;
  std::string text;
  std::optional<RawJson> logprobs;  // for this delta, in the origin's form
  Extras extras;                    // unknown members of the delta
};
// In the open block, or, while none is open, in any text before: some vendors name their sources last.
struct CitationSeen {
  std::int64_t choice = 0;
  std::int64_t block = 0;
  Citation citation;
};
struct BlockStop {
  std::int64_t choice = 0;
  std::int64_t block = 0;
  std::optional<Seal> seal;  // proofs arrive last
  Extras extras;             // members that the part gets only at its end
};
// Cumulative: the last one wins, member by member, unknown members keep what was known.
struct UsageSeen {
  Usage usage;
};
struct Finish {
  std::int64_t choice = 0;
  Stop stop;
  Extras extras;          // unknown members of the choice
  Extras message_extras;  // unknown members of the message inside it
};
struct Ping {};
// A frame nobody here knows; goes to the same dialect only.
struct OpaqueEvent {
  DialectId origin = DialectId::openai_chat;
  std::string type;
  std::string raw;
};
// The stream broke or the upstream said so. Nothing follows.
struct Failed {
  Error error;
};
// The proper end. Nothing follows. `extras`: members that the head gets only at the end, or gets again with another
// value.
struct End {
  Extras extras;
  std::optional<std::string> service_tier;  // who served in truth, where only the end says it
};

using Event =
    std::variant<Begin, BlockStart, Delta, CitationSeen, BlockStop, UsageSeen, Finish, Ping, OpaqueEvent, Failed, End>;

}  // namespace sluice
