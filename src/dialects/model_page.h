// One page of the list of models. Each dialect with pages has its own words for them; what they mean is one.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace sluice {

struct ModelRow {
  std::string id;
  std::string owner;
  std::int64_t created = 0;  // Unix seconds, 0 unknown
};

// The parameters of a query; empty: the dialect has no such word.
struct PageWords {
  std::string_view size, after, before;
};

struct ModelPage {
  std::span<const ModelRow> rows;
  bool more = false;  // in the direction that was asked for
};

// The page that a query asks for. A page is as long as the longest that vendors give unless the client wants it
// shorter: not every client turns pages. Errors: bad_request that names the parameter.
[[nodiscard]] Result<ModelPage> model_page(std::span<const ModelRow> rows, const PageWords& words,
                                           std::string_view query);

}  // namespace sluice
