// SPDX-License-Identifier: MIT
#include "model/ledger_row.h"

#include <algorithm>

#include "model/record.h"

namespace sluice {

std::string_view name(RowState state) {
  switch (state) {
    case RowState::complete: return "complete";
    case RowState::partial: return "partial";
    case RowState::cancelled: return "cancelled";
    case RowState::upstream_error: return "upstream_error";
    case RowState::crashed: return "crashed";
  }
  return "";
}

std::string_view name(Bucket bucket) {
  constexpr std::array<std::string_view, bucket_count> names = {
      "input",     "cache_read",  "cache_write_5m", "cache_write_1h", "tool_input",   "output",
      "reasoning", "audio_input", "image_input",    "audio_output",   "image_output", "search_units",
      "audio_ms",  "images",      "billed_input",   "billed_output"};
  return names.at(static_cast<std::size_t>(bucket));
}

Buckets::Buckets(const Usage& usage, const Units& units) {
  const auto tell = [](const std::optional<std::int64_t>& count) { return std::max(count.value_or(unknown), unknown); };
  counts_ = {tell(usage.input),
             tell(usage.cache_read),
             tell(usage.cache_write_5m),
             tell(usage.cache_write_1h),
             tell(usage.tool_input),
             tell(usage.output),
             tell(usage.reasoning),
             tell(usage.audio_input),
             tell(usage.image_input),
             tell(usage.audio_output),
             tell(usage.image_output),
             std::max(units.search_units, unknown),
             std::max(units.audio_ms, unknown),
             std::max(units.images, unknown),
             tell(usage.billed_input),
             tell(usage.billed_output)};
}

bool Buckets::known() const {
  return std::ranges::any_of(counts_, [](std::int64_t count) { return count >= 0; });
}

std::int64_t Buckets::total_input() const {
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < static_cast<std::size_t>(Bucket::output); ++i)
    sum += std::max<std::int64_t>(counts_.at(i), 0);
  return sum;
}

std::int64_t Buckets::total_output() const {
  return get(Bucket::output).value_or(0) + get(Bucket::reasoning).value_or(0);
}

Usage Buckets::usage() const {
  return {.input = get(Bucket::input),
          .cache_read = get(Bucket::cache_read),
          .cache_write_5m = get(Bucket::cache_write_5m),
          .cache_write_1h = get(Bucket::cache_write_1h),
          .tool_input = get(Bucket::tool_input),
          .output = get(Bucket::output),
          .reasoning = get(Bucket::reasoning),
          .audio_input = get(Bucket::audio_input),
          .image_input = get(Bucket::image_input),
          .audio_output = get(Bucket::audio_output),
          .image_output = get(Bucket::image_output),
          .billed_input = get(Bucket::billed_input),
          .billed_output = get(Bucket::billed_output)};
}

Units Buckets::units() const {
  return {.search_units = get(Bucket::search_units).value_or(-1),
          .audio_ms = get(Bucket::audio_ms).value_or(-1),
          .images = get(Bucket::images).value_or(-1)};
}

Buckets Buckets::or_else(const Buckets& other) const {
  Buckets out = *this;
  for (std::size_t i = 0; i < bucket_count; ++i) {
    if (out.counts_.at(i) < 0) out.counts_.at(i) = other.counts_.at(i);
  }
  return out;
}

}  // namespace sluice
