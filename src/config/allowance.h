// What callers may ask for and spend. Said of a key or of a group (a user, a team, a project) in a tree of groups: all
// that is said on the way from a key to its root applies. Not here: how it is counted (policy), where it is kept.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice {

// At most so many, as a bucket that refills evenly over its window.
struct RateLimit {
  enum class Of : std::uint8_t { requests, tokens };
  enum class Per : std::uint8_t { minute, hour, day };
  Of of = Of::requests;
  Per per = Per::minute;
  std::int64_t most = 0;
  bool operator==(const RateLimit&) const = default;
};

// Windows follow the calendar of the time zone; a week begins on Monday.
struct Budget {
  enum class Per : std::uint8_t { day, week, month, total };
  Per per = Per::month;
  std::int64_t nano_dollars = 0;
  bool hard_stop = false;        // a stream ends when it is spent; else only new requests are refused
  std::string time_zone = {};    // as the tz database has it; empty: UTC
  std::vector<int> alerts = {};  // percent of it at which somebody is told, ascending
  bool operator==(const Budget&) const = default;
};

enum class UnknownPrice : std::uint8_t { allow, refuse };

struct Allowance {
  // Empty: all. Models may hold `*`.
  std::vector<std::string> models, backends, dialects;
  std::vector<std::string> from;       // addresses and networks ("10.0.0.0/8") that may show the key; empty: all
  std::int64_t expires_ms = 0;         // Unix time; 0: never
  std::vector<RateLimit> rates;        // one of each kind at most
  std::int64_t max_concurrent = 0;     // 0: no cap
  std::int64_t max_output_tokens = 0;  // of one request; 0: no cap
  std::vector<Budget> budgets;         // one of each window at most
  UnknownPrice unknown_price = UnknownPrice::allow;  // what is asked for and has no price, where there is a budget
  std::vector<std::string> tags;                     // for reports
  std::vector<std::pair<std::string, std::string>> metadata;
  bool operator==(const Allowance&) const = default;
};

}  // namespace sluice
