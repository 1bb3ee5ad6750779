// Counting. How the page is written: metrics_text.cc. SPDX-License-Identifier: MIT
#include "telemetry/metrics.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "telemetry/metrics_shard.h"

namespace sluice {
namespace {

std::uint64_t next_identity() {
  static std::atomic<std::uint64_t> last = 0;
  return ++last;
}

}  // namespace

Metrics::Metrics(std::string version) : identity_(next_identity()), version_(std::move(version)) {}
Metrics::~Metrics() = default;

void Metrics::know(MetricNames names) {
  const std::lock_guard guard(lock_);
  models_.insert(names.models.begin(), names.models.end());
  names_ = std::move(names);
}

Metrics::Shard& Metrics::shard() {
  struct Mine {
    std::uint64_t identity = 0;
    Shard* shard = nullptr;
  };
  thread_local Mine mine;
  if (mine.identity != identity_) {
    const std::lock_guard guard(lock_);
    const auto thread = std::this_thread::get_id();
    auto at = std::find_if(shards_.begin(), shards_.end(), [&](const auto& shard) { return shard->thread == thread; });
    if (at == shards_.end()) at = shards_.insert(at, std::make_unique<Shard>(thread));
    mine = {identity_, at->get()};
  }
  return *mine.shard;
}

std::string_view Metrics::model_label(Shard& shard, std::string_view model, bool answered) {
  if (model.empty()) return {};
  if (const auto known = shard.models.find(model); known != shard.models.end()) return *known;
  const std::lock_guard guard(lock_);
  if (models_.find(model) == models_.end()) {
    if (!answered || learnt_ == most_learnt_models) return "other";
    models_.emplace(model);
    ++learnt_;
  }
  return *shard.models.emplace(model).first;
}

void Metrics::take(const Record& record) {
  Shard& shard = this->shard();
  const Attempt* last = record.telling();
  const bool answered = last && record.status >= 200 && record.status < 300;
  const std::string_view model = last && !last->model.empty() ? last->model : record.model;
  const SeriesKey<std::string_view> key = {
      .door = record.mirror_of.empty() ? record.door : std::string_view("mirror"),  // no client came through that
      .dialect = record.dialect,
      .backend = last ? std::string_view(last->backend) : std::string_view{},
      .model = model_label(shard, model, answered),
      .status_class = static_cast<std::uint8_t>(std::clamp(record.status / 100, 0, 9)),
      .stream = record.stream,
      .fault = record.fault ? static_cast<std::uint8_t>(*record.fault) : static_cast<std::uint8_t>(fault_count)};
  Series& series = shard.find(key);

  series.requests.add();
  series.request_us.add(record.total_us);
  series.own_us.add(record.own_us);
  if (record.queue_us > 0) shard.queue_us.add(record.queue_us);
  if (record.stream && record.first_token_us >= 0) series.first_token_us.add(record.first_token_us);
  if (last && last->ended_us >= 0) {
    series.operation_us.add(last->ended_us - last->started_us);
    if (record.stream && last->first_token_us >= 0) series.first_chunk_us.add(last->first_token_us - last->started_us);
  }
  if (record.usage.known()) {
    series.input_tokens.add(record.usage.total_input());
    series.output_tokens.add(record.usage.total_output());
    for (std::size_t i = 0; i < token_buckets.size(); ++i) {
      const auto& count = record.usage.*token_buckets[i].tokens;
      if (count && *count > 0) series.tokens[i].add(static_cast<std::uint64_t>(*count));
    }
    for (std::size_t i = 0; i < media_buckets.size(); ++i) {
      const auto& count = record.usage.*media_buckets[i].tokens;
      if (count && *count > 0) series.media[i].add(static_cast<std::uint64_t>(*count));
    }
  }
  for (std::size_t i = 0; i < unit_buckets.size(); ++i) {
    const std::int64_t count = record.units.*unit_buckets[i].count;
    if (count > 0) series.units[i].add(static_cast<std::uint64_t>(count));
  }
  for (const Attempt& attempt : record.attempts) {
    Outcomes& outcomes =
        &attempt == last && series.last_backend ? *series.last_backend : shard.outcomes(attempt.backend);
    if (&attempt == last) series.last_backend = &outcomes;
    outcomes[attempt.fault ? static_cast<std::size_t>(*attempt.fault) : fault_count].add();
  }
  for (const Note& note : record.notes) shard.notes[static_cast<std::size_t>(note.kind)].add();
}

}  // namespace sluice
