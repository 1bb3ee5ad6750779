// The words in which usage is asked for and told, by the command line and the admin API alike. Not here: where the sums
// come from (ports/ledger_store.h). SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "ports/ledger_store.h"

namespace sluice {

struct UsageWords {
  std::string by = "model";   // model, key, group, backend, tag, day, hour, minute
  std::string since = "30d";  // a time before now, or a day: "2026-11-01", in UTC
  std::string until;          // likewise; empty: now
};

// Error: bad_request, which names the word.
[[nodiscard]] Result<UsageQuestion> read_usage_words(const UsageWords& words, std::int64_t now_ms);
// The same for one time.
[[nodiscard]] Result<std::int64_t> read_usage_time(const std::string& text, std::string_view name, std::int64_t now_ms);

// Every number of a sum by its name, in their order.
[[nodiscard]] std::vector<std::pair<std::string, std::int64_t>> numbers(const UsageSum& sum);
// JSON, and back. Error: bad_request, for what is not of that form.
[[nodiscard]] std::string write_usage(std::string_view by, const UsageQuestion& question,
                                      const std::vector<UsageSum>& sums);
[[nodiscard]] Result<std::vector<UsageSum>> read_usage(std::string_view by, std::string_view text);

}  // namespace sluice
