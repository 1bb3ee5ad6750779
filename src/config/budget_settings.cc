// SPDX-License-Identifier: MIT
#include "config/budget_settings.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>
#include <string>
#include <vector>

#include "base/calendar.h"
#include "base/money.h"
#include "base/text.h"

namespace sluice::config {
namespace {

using YAML::Node;
using Path = std::string_view;

constexpr std::array<std::string_view, 4> windows = {"day", "week", "month", "total"};
constexpr std::array<std::string_view, 2> unknown_prices = {"allow", "refuse"};
constexpr int decimals = 9;

bool digits(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// What people write for the amount that they mean: "$12,50".
std::string plain_amount(std::string_view text) {
  std::string out(trim(text));
  std::erase_if(out, [](char c) { return c == '$' || c == ' ' || c == '_'; });
  if (std::ranges::count(out, ',') == 1 && !out.contains('.')) std::ranges::replace(out, ',', '.');
  std::erase(out, ',');
  return read_dollars(out) ? out : std::string();
}

// Names of zones as the machine's database lists them.
std::string near_zone(std::string_view wrong) {
  std::ifstream file("/usr/share/zoneinfo/zone1970.tab");
  std::vector<std::string> names;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with('#')) continue;
    const auto second = line.find('\t', line.find('\t') + 1);
    if (second == std::string::npos) continue;
    names.push_back(line.substr(second + 1, line.find('\t', second + 1) - second - 1));
    if (iequals(names.back(), wrong)) return names.back();
  }
  const std::vector<std::string_view> known(names.begin(), names.end());
  const auto near = closest(wrong, known);
  return near.empty() ? std::string() : std::string(near.front());
}

void read_per(Reading& in, const Node& node, Path path, Budget& out) {
  std::string per;
  if (!in.choice(node, path, windows, per)) return;
  out.per = static_cast<Budget::Per>(std::ranges::find(windows, per) - windows.begin());
}

void read_amount(Reading& in, const Node& node, Path path, Budget& out) {
  std::string text;
  if (!in.text(node, path, text)) return;
  const auto nano = read_dollars(text);
  if (nano) {
    out.nano_dollars = *nano;
    return;
  }
  const std::string near = plain_amount(node.Scalar());
  in.fault(node.Mark(),
           quoted_name(path) + " must be an amount such as 12.50, with up to nine decimals, not " +
               quoted_name(node.Scalar()),
           near.empty() ? std::string() : "did you mean " + near + "?");
}

void read_zone(Reading& in, const Node& node, Path path, Budget& out) {
  std::string zone;
  if (!in.text(node, path, zone)) return;
  if (is_time_zone(zone)) {
    out.time_zone = zone == "UTC" ? std::string() : std::move(zone);
    return;
  }
  const std::string near = near_zone(node.Scalar());
  in.fault(node.Mark(), quoted_name(path) + " is no time zone: " + quoted_name(node.Scalar()),
           near.empty() ? "for example Europe/Berlin or Asia/Shanghai" : "did you mean " + quoted_name(near) + "?");
}

// "80%" or 80.
void read_alerts(Reading& in, const Node& node, Path path, Budget& out) {
  constexpr std::size_t most = 16;
  if (!node.IsSequence() || node.size() > most) {
    return in.fault(node.Mark(), quoted_name(path) + " must be a list of up to 16 shares", "for example [80%, 100%]");
  }
  std::vector<int>& alerts = out.alerts;
  for (const auto& item : node) {
    std::string text;
    if (!in.text(item, path, text)) continue;
    if (text.ends_with('%')) text.pop_back();
    int percent = 0;
    const auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), percent);
    if (bad != std::errc() || end != text.data() + text.size() || percent < 1 || percent > 100) {
      in.fault(item.Mark(), quoted_name(path) + " takes shares from 1% to 100%, not " + quoted_name(item.Scalar()),
               "for example [80%, 100%]");
    } else if (std::ranges::find(alerts, percent) != alerts.end()) {
      in.fault(item.Mark(), quoted_name(path) + " names " + std::to_string(percent) + "% twice", "keep one of the two");
    } else {
      alerts.push_back(percent);
    }
  }
  std::ranges::sort(alerts);
}

}  // namespace

std::optional<std::int64_t> read_dollars(std::string_view text) {
  constexpr std::int64_t most = 1'000'000'000;
  const auto point = std::min(text.find('.'), text.size());
  const std::string_view whole = text.substr(0, point);
  const std::string_view rest = text.substr(std::min(point + 1, text.size()));
  if (whole.empty() || !digits(whole) || !digits(rest) || rest.size() > decimals) return std::nullopt;
  if (point < text.size() && rest.empty()) return std::nullopt;
  const auto nano = read_decimal(text, decimals);
  return nano && *nano <= most * 1'000'000'000 ? nano : std::nullopt;
}

std::span<const Setting<Budget>> budget_settings() {
  static constexpr std::array<Setting<Budget>, 5> table = {{
      {{"per", "one of day, week, month, total", "", "the window, by the calendar; a week begins on Monday"}, read_per},
      {{"dollars", "dollars", "", "how much may be spent in it: 12.50, with up to nine decimals"}, read_amount},
      {{"time_zone", "text", "UTC", "where the window's days begin at midnight: Europe/Berlin"}, read_zone},
      {{"hard_stop", "yes/no", "no",
        "ends a stream when the budget is spent, with an error in it; else only new requests are refused"},
       [](Reading& in, const Node& n, Path p, Budget& out) { in.boolean(n, p, out.hard_stop); }},
      {{"alert_at", "list of shares", "", "shares of it at which the log warns, each once in a window: [80%, 100%]"},
       read_alerts},
  }};
  return table;
}

void read_budgets(Reading& in, const Node& node, Path path, Allowance& out) {
  constexpr std::string_view example = "for example budgets: [{per: month, dollars: 12.50}]";
  if (!node.IsSequence()) return in.fault(node.Mark(), quoted_name(path) + " must be a list", std::string(example));
  for (const auto& item : node) {
    const auto before = in.faults.size();
    Budget budget;
    read_section<Budget>(in, item, path, budget_settings(), budget);
    if (in.faults.size() != before) continue;
    const bool windowed = item.IsMap() && item["per"], priced = item.IsMap() && item["dollars"];
    if (!windowed || !priced) {
      in.fault(item.Mark(), "a budget in " + quoted_name(path) + " needs " + (windowed ? "\"dollars\"" : "\"per\""),
               std::string(example));
    } else if (std::ranges::find(out.budgets, budget.per, &Budget::per) != out.budgets.end()) {
      in.fault(
          item.Mark(),
          quoted_name(path) + " has two budgets per " + std::string(windows.at(static_cast<std::size_t>(budget.per))),
          "keep one of the two");
    } else {
      out.budgets.push_back(std::move(budget));
    }
  }
}

void read_unknown_price(Reading& in, const Node& node, Path path, Allowance& out) {
  std::string word;
  if (in.choice(node, path, unknown_prices, word))
    out.unknown_price = word == "refuse" ? UnknownPrice::refuse : UnknownPrice::allow;
}

void write_budgets(json::Writer& out, const Allowance& allowance) {
  if (allowance.unknown_price == UnknownPrice::refuse) out.member("unknown_price", "refuse");
  if (allowance.budgets.empty()) return;
  out.key("budgets").begin_array();
  for (const Budget& budget : allowance.budgets) {
    out.begin_object().member("per", windows.at(static_cast<std::size_t>(budget.per)));
    out.member_raw("dollars", write_decimal(budget.nano_dollars, decimals));
    if (!budget.time_zone.empty()) out.member("time_zone", budget.time_zone);
    if (budget.hard_stop) out.member_bool("hard_stop", true);
    if (!budget.alerts.empty()) {
      out.key("alert_at").begin_array();
      for (const int percent : budget.alerts) out.string(std::to_string(percent) + '%');
      out.end_array();
    }
    out.end_object();
  }
  out.end_array();
}

}  // namespace sluice::config
