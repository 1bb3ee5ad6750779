// SPDX-License-Identifier: MIT
#include "config/meter_settings.h"

#include <algorithm>
#include <array>

namespace sluice::config {
namespace {

using YAML::Node;
using Path = std::string_view;
using Of = RateLimit::Of;
using Per = RateLimit::Per;

constexpr std::int64_t most = 1'000'000'000'000;  // whatever is larger is no limit
constexpr std::array<std::string_view, 3> windows = {"minute", "hour", "day"};

template <Of of, Per per>
void read_rate(Reading& in, const Node& node, Path path, Allowance& out) {
  RateLimit rate{.of = of, .per = per};
  if (in.integer(node, path, 1, most, rate.most)) out.rates.push_back(rate);
}

template <Of of>
std::span<const Setting<Allowance>> rate_settings() {
  static constexpr std::array<Setting<Allowance>, 3> table = {{
      {{"minute", "number", "no limit", "at most so many, as a bucket that refills evenly"},
       read_rate<of, Per::minute>},
      {{"hour", "number", "no limit", "the same over an hour"}, read_rate<of, Per::hour>},
      {{"day", "number", "no limit", "the same over 24 hours"}, read_rate<of, Per::day>},
  }};
  return table;
}

void write_rates(json::Writer& out, const json::Name& name, const Allowance& allowance, Of of) {
  const auto of_kind = [of](const RateLimit& rate) { return rate.of == of; };
  if (std::ranges::none_of(allowance.rates, of_kind)) return;
  out.key(name).begin_object();
  for (const RateLimit& rate : allowance.rates) {
    if (of_kind(rate)) out.member(windows.at(static_cast<std::size_t>(rate.per)), rate.most);
  }
  out.end_object();
}

}  // namespace

std::span<const Setting<Allowance>> request_rate_settings() {
  return rate_settings<Of::requests>();
}
std::span<const Setting<Allowance>> token_rate_settings() {
  return rate_settings<Of::tokens>();
}

std::span<const Setting<Allowance>> node_limit_settings() {
  static constexpr std::array<Setting<Allowance>, 4> table = {{
      {{"requests", "section", "", "requests per minute, hour and day"},
       [](Reading& in, const Node& n, Path p, Allowance& out) {
         read_section<Allowance>(in, n, p, request_rate_settings(), out);
       }},
      {{"tokens", "section", "",
        "tokens per minute, hour and day, of questions and answers; a request sets aside what it will likely need"},
       [](Reading& in, const Node& n, Path p, Allowance& out) {
         read_section<Allowance>(in, n, p, token_rate_settings(), out);
       }},
      {{"concurrent", "number", "no limit", "requests at once"},
       [](Reading& in, const Node& n, Path p, Allowance& out) { in.integer(n, p, 1, most, out.max_concurrent); }},
      {{"output_tokens", "number", "no limit",
        "tokens of output that one request may ask for; it is set where a request asks for no number"},
       [](Reading& in, const Node& n, Path p, Allowance& out) { in.integer(n, p, 1, most, out.max_output_tokens); }},
  }};
  return table;
}

void read_node_limits(Reading& in, const Node& node, Path path, Allowance& out) {
  read_section<Allowance>(in, node, path, node_limit_settings(), out);
}

void write_meters(json::Writer& out, const Allowance& allowance) {
  if (allowance.rates.empty() && allowance.max_concurrent == 0 && allowance.max_output_tokens == 0) return;
  out.key("limits").begin_object();
  write_rates(out, "requests", allowance, Of::requests);
  write_rates(out, "tokens", allowance, Of::tokens);
  if (allowance.max_concurrent > 0) out.member("concurrent", allowance.max_concurrent);
  if (allowance.max_output_tokens > 0) out.member("output_tokens", allowance.max_output_tokens);
  out.end_object();
}

}  // namespace sluice::config
