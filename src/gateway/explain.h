// What would be tried for a request, in which order, and why: told by the code that routes, without sending anything.
// For `sluice explain` and GET /admin/api/explain. SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "gateway/explain_allowance.h"
#include "policy/directory.h"
#include "policy/plan.h"

namespace sluice {

// A request as somebody describes it.
struct ExplainAsk {
  std::string model;
  std::string caller = "local";
  std::string dialect = "openai_chat";
  std::map<std::string, std::string> headers;  // names in lower case
  bool stream = false, tools = false, vision = false;
  std::int64_t tokens = 0;
};

// From a query: model, caller, dialect, header (NAME=VALUE, several), stream, tools, vision, tokens. Errors:
// bad_request, with what is wrong.
[[nodiscard]] Result<ExplainAsk> read_explain(std::string_view query);
[[nodiscard]] std::string explain_query(const ExplainAsk& ask);

struct Explanation {
  std::string json;
  std::string text;
};
// Where the caller is a key's name, what it may not use stands out. Errors: as plan(); forbidden, when the key may use
// none of it.
[[nodiscard]] Result<Explanation> explain(const Snapshot& snapshot, const Directory& directory, const ExplainAsk& ask,
                                          Odds odds, const CountedUse& counted = {});

}  // namespace sluice
