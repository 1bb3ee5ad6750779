// An errand as one backend gets it: request line, fields, and the beginning of the body, with the model's name there.
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "config/snapshot.h"
#include "gateway/errand.h"
#include "upstream/lines.h"

namespace sluice {

// True when the backend takes this operation in the client's own words.
[[nodiscard]] bool takes(const Backend& backend, const VendorOperation& operation);

struct Written {
  std::string head;
  std::string own_body;      // when it had to be made
  std::string_view body;     // all of it, or its beginning
  bool model_added = false;  // to a form that did not name one as far as it was seen
};

// Signed with the time `now` where the backend wants that. Errors: bad_request, when the body cannot take the model's
// name.
[[nodiscard]] Result<Written> write_errand(const Errand& errand, const Target& target, const Line& line,
                                           std::int64_t now);

// Where a provider has an operation of OpenAI's, which is `below` the version there ("/embeddings"): beside its chat.
[[nodiscard]] std::string openai_path(const Provider& provider, std::string_view below);

// Path and query of the call below the backend's origin.
[[nodiscard]] std::string errand_path(const Errand& errand, const Target& target);

}  // namespace sluice
