// The settings of an Allowance: one table, for `keys` and `groups` of config.yaml and for what the admin API is sent.
// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <string_view>
#include <utility>

#include "config/allowance.h"
#include "config/budget_settings.h"
#include "config/meter_settings.h"
#include "config/reading.h"

namespace sluice::config {

#define SLUICE_READ(name) void name(Reading& in, const YAML::Node& node, std::string_view path, Allowance& out)
SLUICE_READ(read_allowed_models);
SLUICE_READ(read_allowed_backends);
SLUICE_READ(read_allowed_dialects);
SLUICE_READ(read_networks);
SLUICE_READ(read_expiry);
SLUICE_READ(read_tags);
SLUICE_READ(read_metadata);
#undef SLUICE_READ

inline constexpr std::array<Setting<Allowance>, 10> allowance_settings = {{
    {{"models", "list of text", "all", "models that may be asked for, as clients name them; * is a wildcard"},
     read_allowed_models},
    {{"backends", "list of text", "all", "backends and accounts that requests may go to; * is a wildcard"},
     read_allowed_backends},
    {{"dialects", "list of text", "all", "dialects that may be spoken, for example openai_chat, anthropic"},
     read_allowed_dialects},
    {{"from", "list of text", "everywhere", "addresses and networks that may show the key: 10.0.0.0/8, 2001:db8::/32"},
     read_networks},
    {{"limits", "section", "", "how much it may ask for; what is said of a group is for all in it together"},
     read_node_limits},
    {{"budgets", "list of budgets", "",
      "dollars that it may spend by day, week, month or in all, one of each at most; what is said of a group is for "
      "all "
      "in it together"},
     read_budgets},
    {{"unknown_price", "one of allow, refuse", "allow",
      "where there is a budget: what becomes of requests for models whose price nobody knows"},
     read_unknown_price},
    {{"expires", "text", "never", "when it ends: 2027-01-31T00:00:00Z"}, read_expiry},
    {{"tags", "list of text", "", "words for reports, in the record of every request"}, read_tags},
    {{"metadata", "map of text", "", "whatever you want to keep with it; nothing is made of it"}, read_metadata},
}};

// A table of its own settings and those of the `allowance` in T.
template <class T, std::size_t N>
consteval std::array<Setting<T>, N + allowance_settings.size()> with_allowance(const std::array<Setting<T>, N>& own) {
  std::array<Setting<T>, N + allowance_settings.size()> out{};
  for (std::size_t i = 0; i < N; ++i) out[i] = own[i];
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    ((out[N + I] = {allowance_settings[I].doc,
                    [](Reading& in, const YAML::Node& node, std::string_view path, T& to) {
                      allowance_settings[I].read(in, node, path, to.allowance);
                    }}),
     ...);
  }(std::make_index_sequence<allowance_settings.size()>());
  return out;
}

}  // namespace sluice::config
