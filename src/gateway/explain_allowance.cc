// SPDX-License-Identifier: MIT
#include "gateway/explain_allowance.h"

#include <fmt/format.h>

#include <array>
#include <string_view>

#include "base/money.h"
#include "base/text.h"
#include "config/meter_settings.h"

namespace sluice {
namespace {

bool says_anything(const Allowance& allowance) {
  return is_metered(allowance) || allowance.max_output_tokens > 0;
}

std::string dollars(std::int64_t nano) {
  return write_decimal(nano, 9);
}

// The window that runs now. One that is over has nothing in it that counts.
BudgetPeriod period_of(const Node& node, const Budget& budget, const CountedUse& counted) {
  BudgetPeriod out;
  const auto figures = counted.meters ? counted.meters->figures(node.id) : std::nullopt;
  if (figures) {
    for (const auto& [per, period] : figures->budgets) {
      if (per == budget.per) out = period;
    }
  }
  out.roll(budget.per, budget.time_zone, counted.unix_ms);
  return out;
}

std::string ends(const BudgetPeriod& period) {
  return period.ends_ms == INT64_MAX ? std::string() : rfc3339(period.ends_ms).substr(0, 19) + 'Z';
}

std::string rate_text(const RateLimit& rate) {
  constexpr std::array<std::string_view, 3> windows = {"minute", "hour", "day"};
  return fmt::format("{} {} per {}", rate.most, rate.of == RateLimit::Of::requests ? "requests" : "tokens",
                     windows.at(static_cast<std::size_t>(rate.per)));
}

std::string budget_text(const Node& node, const Budget& budget, const CountedUse& counted) {
  std::string out = budget.per == Budget::Per::total
                        ? fmt::format("${} in all", dollars(budget.nano_dollars))
                        : fmt::format("${} a {}", dollars(budget.nano_dollars), name(budget.per));
  if (budget.hard_stop) out += " (ends streams)";
  if (!counted.meters) return out;
  const BudgetPeriod period = period_of(node, budget, counted);
  out += fmt::format(": ${} spent, ${} set aside", dollars(period.spent), dollars(period.reserved));
  if (const std::string until = ends(period); !until.empty()) out += ", anew at " + until;
  return out;
}

void write_budget(json::Writer& out, const Node& node, const Budget& budget, const CountedUse& counted) {
  out.begin_object().member("per", name(budget.per)).member_raw("dollars", dollars(budget.nano_dollars));
  out.member_bool("hard_stop", budget.hard_stop);
  if (counted.meters) {
    const BudgetPeriod period = period_of(node, budget, counted);
    out.member_raw("spent", dollars(period.spent)).member_raw("set_aside", dollars(period.reserved));
    if (const std::string until = ends(period); !until.empty()) out.member("until", until);
  }
  out.end_object();
}

}  // namespace

void write_allowances(json::Writer& out, const Key& key, const CountedUse& counted) {
  out.begin_array();
  for (const Node* node : key.path) {
    const Allowance& may = node->allowance;
    if (!says_anything(may)) continue;
    out.begin_object().member("name", node->name);
    config::write_meters(out, may);
    if (!may.budgets.empty()) {
      out.member("unknown_price", may.unknown_price == UnknownPrice::refuse ? "refuse" : "allow");
      out.key("budgets").begin_array();
      for (const Budget& budget : may.budgets) write_budget(out, *node, budget, counted);
      out.end_array();
    }
    out.end_object();
  }
  out.end_array();
}

std::string allowances_text(const Key& key, const CountedUse& counted) {
  std::string out;
  for (const Node* node : key.path) {
    const Allowance& may = node->allowance;
    if (!says_anything(may)) continue;
    std::string line;
    const auto say = [&](const std::string& words) { line += (line.empty() ? "" : "; ") + words; };
    for (const RateLimit& rate : may.rates) say(rate_text(rate));
    if (may.max_concurrent > 0) say(fmt::format("{} requests at once", may.max_concurrent));
    if (may.max_output_tokens > 0) say(fmt::format("{} tokens of output per request", may.max_output_tokens));
    for (const Budget& budget : may.budgets) say(budget_text(*node, budget, counted));
    if (!may.budgets.empty() && may.unknown_price == UnknownPrice::refuse) say("nothing whose price nobody knows");
    out += fmt::format("\"{}\" may use {}\n", node->name, line);
  }
  return out;
}

}  // namespace sluice
