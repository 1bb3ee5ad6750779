// SPDX-License-Identifier: MIT
#include "policy/clocks.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "base/text.h"

namespace sluice {
namespace {

constexpr double times_p99 = 4;
constexpr Millis shortest_learnt{1'000};

using Clock = std::optional<Millis> TimeoutChanges::*;
constexpr std::array<std::pair<std::string_view, Clock>, 4> clock_names = {
    {{"connect", &TimeoutChanges::connect},
     {"first_token", &TimeoutChanges::first_token},
     {"between_tokens", &TimeoutChanges::between_tokens},
     {"total", &TimeoutChanges::total}}};

Millis shorter(Millis a, Millis b) {
  if (a.count() == 0 || b.count() == 0) return std::max(a, b);
  return std::min(a, b);
}

}  // namespace

Result<TimeoutChanges> read_timeouts(std::string_view field) {
  TimeoutChanges out;
  for (std::string_view rest = field; !rest.empty();) {
    const std::string_view part = trim(rest.substr(0, rest.find(',')));
    rest.remove_prefix(std::min(rest.find(','), rest.size() - 1) + 1);
    if (part.empty()) continue;
    const auto equals = std::min(part.find('='), part.size());
    const auto clock =
        std::ranges::find(clock_names, trim(part.substr(0, equals)), [](const auto& row) { return row.first; });
    const auto time = parse_duration(trim(part.substr(std::min(equals + 1, part.size()))));
    if (clock == clock_names.end() || !time || time->count() < 0) {
      Error error{.fault = Fault::bad_request, .param = "x-sluice-timeouts"};
      error.message = "x-sluice-timeouts cannot be \"" + visible_ascii(part, 64) +
                      "\": it names connect, first_token, between_tokens and total with a time each, for example "
                      "\"first_token=20s, total=2m\".";
      return fail(std::move(error));
    }
    out.*(clock->second) = *time;
  }
  return out;
}

Millis within(Millis own, std::optional<Millis> asked, std::optional<Millis> most) {
  return asked ? shorter(*asked, most.value_or(own)) : own;
}

Timeouts within(const Timeouts& own, const TimeoutChanges& asked, const TimeoutChanges& most) {
  Timeouts out = own;
  out.connect = within(own.connect, asked.connect, most.connect);
  out.first_token = within(own.first_token, asked.first_token, most.first_token);
  out.between_tokens = within(own.between_tokens, asked.between_tokens, most.between_tokens);
  out.total = within(own.total, asked.total, most.total);
  return out;
}

Millis first_token_clock(const Timeouts& clocks, std::optional<double> p99_ms) {
  if (!clocks.learn_first_token || !p99_ms) return clocks.first_token;
  const Millis learnt(static_cast<std::int64_t>(*p99_ms * times_p99));
  return shorter(std::max(learnt, shortest_learnt), clocks.first_token);
}

}  // namespace sluice
