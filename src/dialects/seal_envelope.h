// How a proof travels through a client whose dialect is not the proof's own: "gw1." + base64url, in that dialect's slot
// for proofs; where that slot holds bytes (Gemini), the base64 of "gw1." + bytes. When it comes back it is the same
// Seal again. It carries no secret and needs none: the vendor that made the proof checks it, the check word here only
// finds damage. SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "model/chat.h"

namespace sluice {

[[nodiscard]] std::string wrap_seal(const Seal& seal);
// For a slot that holds bytes: clients decode it and write it anew, in either alphabet.
[[nodiscard]] std::string wrap_seal_in_bytes(const Seal& seal);
// Either form. nullopt when `text` is no (or a damaged) envelope: then it is native to the dialect it was found in.
[[nodiscard]] std::optional<Seal> unwrap_seal(std::string_view text);

// Whether an envelope may stand somewhere in a body. Costs next to nothing; true may be wrong, false never is.
[[nodiscard]] bool may_hold_envelope(std::string_view body);

// What stands in `client`'s slot for this proof: the raw proof when it is of that dialect, else its envelope.
[[nodiscard]] std::string seal_text(const Seal& seal, DialectId client);
// The reverse, for what was found in a slot of `dialect`.
[[nodiscard]] Seal read_seal(std::string_view text, DialectId dialect);

// A proof on a part that has no slot for it travels in a slot of its own beside the part. `thought`: the proof stands
// alone in a slot whose words would say so, but what it proves is a thought without words, not a hidden one.
enum class Belongs : std::uint8_t { itself, next, previous, thought };
[[nodiscard]] std::string seal_beside(const Seal& seal, DialectId client, Belongs belongs);
[[nodiscard]] Seal read_seal_beside(std::string_view text, DialectId dialect, Belongs& belongs);

}  // namespace sluice
