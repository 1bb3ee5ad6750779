// SPDX-License-Identifier: MIT
#include "gateway/usage_words.h"

#include <algorithm>
#include <array>
#include <chrono>

#include "base/json.h"
#include "base/text.h"

namespace sluice {
namespace {

using By = UsageQuestion::By;

constexpr std::array<std::pair<std::string_view, By>, 8> bys = {{{"model", By::model},
                                                                 {"key", By::key},
                                                                 {"group", By::group},
                                                                 {"backend", By::backend},
                                                                 {"day", By::day},
                                                                 {"hour", By::hour},
                                                                 {"minute", By::minute},
                                                                 {"tag", By::tag}}};

Error wrong(std::string message, std::string_view param) {
  return {.fault = Fault::bad_request, .message = std::move(message), .param = std::string(param)};
}

template <class Sum, class Each>
void each_number(Sum& sum, Each each) {
  each("requests", sum.requests);
  each("calls", sum.calls);
  each("failed", sum.failed);
  for (std::size_t i = 0; i < disjoint_buckets; ++i) each(std::string(name(static_cast<Bucket>(i))), sum.exact.at(i));
  for (std::size_t i = 0; i < disjoint_buckets; ++i)
    each("estimated_" + std::string(name(static_cast<Bucket>(i))), sum.estimated.at(i));
  each("nano_dollars", sum.nano_dollars);
  each("unpriced", sum.unpriced);
}

}  // namespace

Result<std::int64_t> read_usage_time(const std::string& text, std::string_view name, std::int64_t now_ms) {
  if (const auto ago = parse_duration(text)) return now_ms - std::chrono::milliseconds(*ago).count();
  if (const auto day = parse_rfc3339(text + "T00:00:00Z")) return *day;
  return fail(
      wrong('"' + std::string(name) + "\" is a time before now such as 7d, or a day such as 2026-11-01.", name));
}

Result<UsageQuestion> read_usage_words(const UsageWords& words, std::int64_t now_ms) {
  const auto* const by = std::ranges::find(bys, words.by, &std::pair<std::string_view, By>::first);
  if (by == bys.end()) {
    std::string all;
    for (const auto& [name, value] : bys) all += (all.empty() ? "" : ", ") + std::string(name);
    return fail(wrong("\"by\" is one of " + all + '.', "by"));
  }
  UsageQuestion out{.by = by->second};
  TRY(out.since_ms, read_usage_time(words.since, "since", now_ms));
  out.until_ms = now_ms + 1;
  if (!words.until.empty()) {
    TRY(out.until_ms, read_usage_time(words.until, "until", now_ms));
  }
  return out;
}

std::vector<std::pair<std::string, std::int64_t>> numbers(const UsageSum& sum) {
  std::vector<std::pair<std::string, std::int64_t>> out;
  each_number(sum, [&](std::string name, std::int64_t number) { out.emplace_back(std::move(name), number); });
  return out;
}

std::string write_usage(std::string_view by, const UsageQuestion& question, const std::vector<UsageSum>& sums) {
  std::string out;
  json::Writer w(out);
  w.begin_object().member("by", by).member("since_ms", question.since_ms).member("until_ms", question.until_ms);
  w.key("rows").begin_array();
  for (const UsageSum& sum : sums) {
    w.begin_object().member(by, sum.what);
    for (const auto& [name, number] : numbers(sum)) w.member(name, number);
    w.end_object();
  }
  w.end_array().end_object();
  return out;
}

Result<std::vector<UsageSum>> read_usage(std::string_view by, std::string_view text) {
  json::Document doc;
  TRY(const auto root, doc.parse(text));
  const json::Value rows = root["rows"];
  if (!rows) return fail(wrong("This is no answer about usage.", "rows"));
  std::vector<UsageSum> out;
  for (const json::Value row : rows.elements()) {
    UsageSum& sum = out.emplace_back();
    sum.what = row[by].text();
    each_number(sum, [&](const std::string& name, std::int64_t& number) { number = row[name].integer().value_or(0); });
  }
  return out;
}

}  // namespace sluice
