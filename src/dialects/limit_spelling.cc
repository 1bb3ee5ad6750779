// SPDX-License-Identifier: MIT
#include "dialects/limit_spelling.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"
#include "dialects/limits_told.h"

namespace sluice {
namespace {

using std::chrono::milliseconds;
using Words = std::string_view;

constexpr std::array spellings = {&openai_limits, &anthropic_limits};
constexpr std::array counts = {Words("requests"), Words("tokens")};
constexpr std::array parts = {Words("limit"), Words("remaining"), Words("reset")};

// What stands behind the prefix, in front of the dash and behind it.
std::pair<Words, Words> words(const LimitName& name, const LimitSpelling& spelling) {
  const Words count = counts[static_cast<std::size_t>(name.of)];
  const Words what = parts[static_cast<std::size_t>(name.part)];
  return spelling.part_last ? std::pair(count, what) : std::pair(what, count);
}

bool is_count(Words text) {
  return !text.empty() && text.size() <= 18 && text.find_first_not_of("0123456789") == Words::npos;
}

}  // namespace

std::string LimitSpelling::reset(milliseconds until, std::int64_t now_unix_ms) const {
  return reset_is_time ? rfc3339(now_unix_ms + until.count()) : go_duration(until);
}

std::string LimitName::in(const LimitSpelling& spelling) const {
  const auto [first, second] = words(*this, spelling);
  std::string out(spelling.prefix);
  out += first;
  out += '-';
  out += second;
  return out;
}

const LimitSpelling* spelling_of(Words field) {
  for (const LimitSpelling* one : spellings) {
    if (field.size() > one->prefix.size() && istarts_with(field, one->prefix)) return one;
  }
  return nullptr;
}

std::optional<LimitName> read_limit_name(Words field, const LimitSpelling& spelling) {
  if (!istarts_with(field, spelling.prefix)) return std::nullopt;
  const Words rest = field.substr(spelling.prefix.size());
  const auto dash = std::min(rest.find('-'), rest.size());
  for (const LimitOf of : {LimitOf::requests, LimitOf::tokens}) {
    for (const LimitPart part : {LimitPart::limit, LimitPart::remaining, LimitPart::reset}) {
      const LimitName name{of, part};
      const auto [first, second] = words(name, spelling);
      if (iequals(rest.substr(0, dash), first) && dash < rest.size() && iequals(rest.substr(dash + 1), second))
        return name;
    }
  }
  return std::nullopt;
}

std::optional<std::string> retell_limit(Words value, LimitPart part, const LimitSpelling& from, const LimitSpelling& to,
                                        std::int64_t now_unix_ms) {
  value = trim(value);
  if (part != LimitPart::reset) return is_count(value) ? std::optional<std::string>(value) : std::nullopt;
  const auto until = read_limit_reset(value, from, now_unix_ms);
  if (!until) return std::nullopt;
  return to.reset(*until, now_unix_ms);
}

}  // namespace sluice
