// What a call of an upstream used, as far as it is known: by the vendor's counts, by guesses where it told none. Bills
// and budgets are made of the same. SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "model/ledger_row.h"
#include "model/record.h"

namespace sluice {

// What vendors take money for is asked for by POST, and is none of what they only keep or count.
[[nodiscard]] bool may_cost(const Heading& heading);

[[nodiscard]] bool was_sent(const Attempt& attempt);
// A vendor that answered with an error, of whatever status, or broke off before its answer began has made nothing. One
// that was too slow for us may have worked all the same, and a whole answer that was cut short on its way had been
// made.
[[nodiscard]] bool made_nothing(const Record& record, const Attempt& attempt);

// Whose usage the record has: of those that had an answer the last, unless what it used stands apart. As many as there
// are attempts: nobody's.
[[nodiscard]] std::size_t answering(const Record& record);

struct Used {
  Buckets exact, estimated;
};
// The call at this place among the attempts, once it is over. `answers`: the record has its usage. `input`: tokens of
// the question, by a guess; nullopt: it is no text.
[[nodiscard]] Used used_by(const Record& record, std::size_t place, bool answers, std::optional<std::int64_t> input);
// The one that answers, while it does. `heard`: tokens of output that have passed.
[[nodiscard]] Used used_so_far(const Record& record, std::int64_t heard, std::optional<std::int64_t> input);

}  // namespace sluice
