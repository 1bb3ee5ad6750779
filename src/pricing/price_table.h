// The public table of prices (LiteLLM's model_prices_and_context_window.json) as our table of models: `sluice models
// update` and the file in this folder are made by it. Whatever is charged for something that no answer counts, or by a
// rule that the table does not tell, gets no price instead of a wrong one. SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace sluice {

struct PriceTable {
  std::string text;  // Catalogue::read() takes it
  int rows = 0;
  int priced = 0;
  int left_out = 0;  // names that are no models: sizes of pictures, commitments, searches
};

// Errors: bad_request, when it is no such table.
[[nodiscard]] Result<PriceTable> read_price_table(std::string_view json);

}  // namespace sluice
