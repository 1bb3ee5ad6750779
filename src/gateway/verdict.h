// What an upstream's refusal means, with its words where the client may read them. SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "base/error.h"
#include "base/secret.h"
#include "dialects/dialect.h"
#include "gateway/flight.h"

namespace sluice {

// Takes our key out of the words: some vendors repeat the key that they refuse.
void keep_secret(const Secret& key, Error& error);

// Whether a content filter refused the question.
[[nodiscard]] bool is_filtered(const Error& error);
// What a filter did to an answer that came all the same, for the attempt's row; `word` is the vendor's.
[[nodiscard]] Error filtered(std::string_view word);

// An answer that is none: its status is no success. `spoken` is the upstream's dialect. With `as_it_came` the body goes
// to the client as the upstream wrote it, but for a refusal of our own key, which is not for it to see.
[[nodiscard]] Error read_refusal(const Dialect& spoken, const Flight::Head& head, std::string body, const Secret& key,
                                 bool as_it_came);

}  // namespace sluice
