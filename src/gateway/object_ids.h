// Ids of what vendors hold (files, batches, uploads): where a request that names one must go, who may ask for it, and
// what an answer teaches about them. SPDX-License-Identifier: MIT
#pragma once

#include "base/result.h"
#include "gateway/errand.h"
#include "gateway/exchange.h"
#include "gateway/tally.h"

namespace sluice {

// The backend that gave out an id which the request names, in its path, its query or as a member of its body; null when
// none is known to have. Error: not_found when an id is known to be another caller's.
[[nodiscard]] Result<const Backend*> issuer(Exchange& ex, const Errand& errand);

// Ids that stand in the answer: whoever made something owns it, and what belongs to something (a batch's output) is its
// owner's.
void learn_ids(Exchange& ex, const Errand& errand, const Backend& backend, const Tally& tally);

// The id under which an upload goes on, from the head of the answer (ex.relayed_fields).
void learn_upload(Exchange& ex, const Backend& backend);

}  // namespace sluice
