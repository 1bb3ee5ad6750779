// The settings of clocks and of what is done about faults, for all requests and for those of one route.
// SPDX-License-Identifier: MIT
#include <array>

#include "config/reading.h"

namespace sluice {

TimeoutChanges TimeoutChanges::or_else(const TimeoutChanges& other) const {
  const auto first = [](const auto& a, const auto& b) { return a ? a : b; };
  return {.connect = first(connect, other.connect),
          .first_token = first(first_token, other.first_token),
          .between_tokens = first(between_tokens, other.between_tokens),
          .total = first(total, other.total),
          .learn_first_token = first_token ? learn_first_token : first(learn_first_token, other.learn_first_token)};
}

Timeouts TimeoutChanges::on(const Timeouts& base) const {
  return {.connect = connect.value_or(base.connect),
          .first_token = first_token.value_or(base.first_token),
          .learn_first_token = learn_first_token.value_or(base.learn_first_token && !first_token),
          .between_tokens = between_tokens.value_or(base.between_tokens),
          .total = total.value_or(base.total)};
}

FailoverSettings FailoverChanges::on(const FailoverSettings& base) const {
  return {.attempts = attempts.value_or(base.attempts),
          .longest_wait = longest_wait.value_or(base.longest_wait),
          .deadline = deadline.value_or(base.deadline),
          .hedge = hedge.value_or(base.hedge),
          .breaker = base.breaker};
}

}  // namespace sluice

namespace sluice::config {
namespace {

using namespace std::chrono_literals;
using YAML::Node;
using Path = std::string_view;

void read_clock(Reading& in, const Node& node, Path path, Millis min, std::optional<Millis>& out) {
  if (Millis value{}; in.duration(node, path, min, value)) out = value;
}

// A time, or `auto`, which leaves the time as it is.
template <class Time, class Flag>
void read_first_token(Reading& in, const Node& node, Path path, Time& time, Flag& learn) {
  if (node.IsScalar() && node.Scalar() == "auto") {
    learn = true;
  } else if (Millis value{}; in.duration(node, path, 0ms, value)) {
    time = value;
    learn = false;
  }
}

void read_hedge(Reading& in, const Node& node, Path path, HedgeSettings& out) {
  std::string word;
  if (!in.text(node, path, word)) return;
  out = {.on = word != "never", .p95 = word == "p95"};
  if (out.on && !out.p95) in.duration(node, path, 1ms, out.after);
}

}  // namespace

#define READ(T, call) [](Reading& in, const Node& n, Path p, T& out) { call; }

std::span<const Setting<Timeouts>> timeout_settings() {
  static constexpr std::array<Setting<Timeouts>, 4> table = {{
      {{"connect", "duration", "5s", "longest time to connect, TLS included"},
       READ(Timeouts, in.duration(n, p, 1ms, out.connect))},
      {{"first_token", "duration or auto", "600s",
        "longest wait for the first token of a stream; 0s is no limit; whole replies have none. auto is four times "
        "what 99 of 100 of the target's streams needed, at least 1s, and 600s until that is known"},
       READ(Timeouts, read_first_token(in, n, p, out.first_token, out.learn_first_token))},
      {{"between_tokens", "duration", "300s", "longest silence inside a stream; 0s is no limit"},
       READ(Timeouts, in.duration(n, p, 0ms, out.between_tokens))},
      {{"total", "duration", "0s", "longest time for the whole call; 0s is no limit"},
       READ(Timeouts, in.duration(n, p, 0ms, out.total))},
  }};
  return table;
}

std::span<const Setting<TimeoutChanges>> timeout_changes() {
  static constexpr std::array<Setting<TimeoutChanges>, 4> table = {{
      {{"connect", "duration", "the backend's", "longest time to connect, TLS included"},
       READ(TimeoutChanges, read_clock(in, n, p, 1ms, out.connect))},
      {{"first_token", "duration or auto", "the backend's",
        "longest wait for the first token of a stream; 0s is no limit"},
       READ(TimeoutChanges, read_first_token(in, n, p, out.first_token, out.learn_first_token))},
      {{"between_tokens", "duration", "the backend's", "longest silence inside a stream; 0s is no limit"},
       READ(TimeoutChanges, read_clock(in, n, p, 0ms, out.between_tokens))},
      {{"total", "duration", "the backend's", "longest time for the whole call; 0s is no limit"},
       READ(TimeoutChanges, read_clock(in, n, p, 0ms, out.total))},
  }};
  return table;
}

std::span<const Setting<BreakerSettings>> breaker_settings() {
  static constexpr std::array<Setting<BreakerSettings>, 5> table = {{
      {{"enabled", "yes/no", "true", "false: every target is tried, however often it failed"},
       READ(BreakerSettings, in.boolean(n, p, out.enabled))},
      {{"faults", "number", "5", "faults one after the other after which a target rests"},
       READ(BreakerSettings, in.integer(n, p, 1, 1000, out.faults))},
      {{"error_rate", "number", "50",
        "percent of its calls in the last 10 s; from there on it rests, once there were 20 calls"},
       READ(BreakerSettings, in.integer(n, p, 1, 100, out.error_rate))},
      {{"rest", "duration", "1s", "the first rest; each further one is twice as long, until a single call has worked"},
       READ(BreakerSettings, in.duration(n, p, 10ms, out.rest))},
      {{"longest_rest", "duration", "5s", "the longest, but for a time that the vendor asked for"},
       READ(BreakerSettings, in.duration(n, p, 10ms, out.longest_rest))},
  }};
  return table;
}

std::span<const Setting<FailoverSettings>> failover_settings() {
  static constexpr std::array<Setting<FailoverSettings>, 5> table = {{
      {{"attempts", "number", "3",
        "calls of upstreams for one request; each target is tried once even if there are more of them"},
       READ(FailoverSettings, in.integer(n, p, 1, 100, out.attempts))},
      {{"longest_wait", "duration", "10s",
        "the longest wait for a retry; when a vendor asks for more, the caller is told so at once"},
       READ(FailoverSettings, in.duration(n, p, 0ms, out.longest_wait))},
      {{"deadline", "duration", "0s",
        "longest time for one request over all its calls, until it is answered whole; 0s is no limit"},
       READ(FailoverSettings, in.duration(n, p, 0ms, out.deadline))},
      {{"hedge", "never, p95 or a duration", "never",
        "when a second target is asked besides one that is slow to begin; the first token wins. p95 is the time that "
        "95 of 100 of its streams needed to begin. At most one request in twenty asks twice"},
       READ(FailoverSettings, read_hedge(in, n, p, out.hedge))},
      {{"breaker", "section", "", "when a target that fails is left alone"},
       READ(FailoverSettings, read_section<BreakerSettings>(in, n, p, breaker_settings(), out.breaker))},
  }};
  return table;
}

std::span<const Setting<FailoverChanges>> failover_changes() {
  static constexpr std::array<Setting<FailoverChanges>, 4> table = {{
      {{"attempts", "number", "failover.attempts", "calls of upstreams for one request"},
       [](Reading& in, const Node& n, Path p, FailoverChanges& out) {
         if (std::int64_t value = 0; in.integer(n, p, 1, 100, value)) out.attempts = value;
       }},
      {{"longest_wait", "duration", "failover.longest_wait", "the longest wait for a retry"},
       READ(FailoverChanges, read_clock(in, n, p, 0ms, out.longest_wait))},
      {{"deadline", "duration", "failover.deadline", "longest time for one request over all its calls; 0s is no limit"},
       READ(FailoverChanges, read_clock(in, n, p, 0ms, out.deadline))},
      {{"hedge", "never, p95 or a duration", "failover.hedge", "when a second target is asked besides a slow one"},
       READ(FailoverChanges, read_hedge(in, n, p, out.hedge.emplace()))},
  }};
  return table;
}

#undef READ

}  // namespace sluice::config
