// The page: shards added up into metric families. SPDX-License-Identifier: MIT
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <map>
#include <sstream>
#include <utility>

#include "telemetry/metrics_shard.h"
#include "telemetry/process.h"

namespace sluice {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<std::string>;

// One family under construction: values of equal labels are added up. Labels with an empty value are left out.
class Family {
 public:
  Family(std::string name, std::string help, MetricType type, std::vector<std::string> labels)
      : family_{.name = std::move(name), .help = std::move(help), .type = type}, labels_(std::move(labels)) {}

  void add(const Labels& labels, double value) {
    ClientMetric& metric = find(labels);
    (family_.type == MetricType::Counter ? metric.counter.value : metric.gauge.value) += value;
  }
  // `per` of the histogram's whole numbers make one of the page's.
  template <const auto& Bounds>
  void add(const Labels& labels, const Histogram<Bounds>& from, double per) {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i <= Bounds.size(); ++i) sum += from.bucket(i);
    if (sum == 0) return;
    auto& histogram = find(labels).histogram;
    histogram.bucket.resize(Bounds.size());
    std::uint64_t below = 0;
    for (std::size_t i = 0; i < Bounds.size(); ++i) {
      below += from.bucket(i);
      histogram.bucket[i].upper_bound = static_cast<double>(Bounds[i]) / per;
      histogram.bucket[i].cumulative_count += below;
    }
    histogram.sample_count += sum;
    histogram.sample_sum += static_cast<double>(from.sum()) / per;
  }
  [[nodiscard]] MetricFamily done() && {
    for (auto& [labels, metric] : metrics_) {
      for (std::size_t i = 0; i < labels_.size(); ++i) {
        if (!labels[i].empty()) metric.label.push_back({labels_[i], labels[i]});
      }
      family_.metric.push_back(std::move(metric));
    }
    return std::move(family_);
  }

 private:
  ClientMetric& find(const Labels& labels) { return metrics_[labels]; }
  MetricFamily family_;
  std::vector<std::string> labels_;
  std::map<Labels, ClientMetric> metrics_;
};

constexpr double microseconds = 1e6;  // of a second

std::string status_class(std::uint8_t number) {
  return number == 0 ? "none" : std::to_string(number) + "xx";
}

// The words of the OpenTelemetry GenAI conventions.
std::string provider_word(std::string_view provider) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 8> words = {{{"gemini", "gcp.gemini"},
                                                                                   {"vertex", "gcp.vertex_ai"},
                                                                                   {"bedrock", "aws.bedrock"},
                                                                                   {"azure", "azure.ai.openai"},
                                                                                   {"mistral", "mistral_ai"},
                                                                                   {"moonshot", "moonshot_ai"},
                                                                                   {"xai", "x_ai"},
                                                                                   {"claude", "anthropic"}}};
  for (const auto& [ours, theirs] : words) {
    if (provider == ours) return std::string(theirs);
  }
  return std::string(provider);
}
std::string operation_word(std::string_view door) {
  if (door.find("mbed") != std::string_view::npos) return "embeddings";
  if (door.find("enerateContent") != std::string_view::npos) return "generate_content";
  if (door == "/v1/completions") return "text_completion";
  return "chat";
}

// Families made of every series.
struct Exchanges {
  Family requests{"sluice_requests_total",
                  "Exchanges that ended.",
                  MetricType::Counter,
                  {"door", "dialect", "backend", "model", "status_class", "stream"}};
  Family request{"sluice_request_duration_seconds",
                 "From the request's head to the last byte of the response.",
                 MetricType::Histogram,
                 {"door", "backend", "model"}};
  Family first_token{"sluice_time_to_first_token_seconds",
                     "From the request's head to the first meaningful event of a stream.",
                     MetricType::Histogram,
                     {"backend", "model"}};
  Family own{"sluice_own_seconds",
             "Time of the gateway itself: between receiving and having sent what follows from it.",
             MetricType::Histogram,
             {"door"}};
  Family tokens{"sluice_tokens_total",
                "Tokens in disjoint kinds: their sum is everything that passed.",
                MetricType::Counter,
                {"backend", "model", "type"}};
  Family media{"sluice_media_tokens_total",
               "Tokens of audio and images, which are in sluice_tokens_total too.",
               MetricType::Counter,
               {"backend", "model", "type"}};
  Family units{"sluice_units_total",
               "What is charged for beside tokens: search units of rerankers, seconds of audio, images made.",
               MetricType::Counter,
               {"backend", "model", "type"}};
  Family faults{"sluice_faults_total", "Exchanges that ended with a fault.", MetricType::Counter, {"fault"}};
  Family operation{"gen_ai_client_operation_duration_seconds",
                   "The last call of an upstream for an exchange.",
                   MetricType::Histogram,
                   {"gen_ai_operation_name", "gen_ai_provider_name", "gen_ai_request_model", "error_type"}};
  Family first_chunk{"gen_ai_client_operation_time_to_first_chunk_seconds",
                     "From the call of the upstream to its first meaningful event, streams only.",
                     MetricType::Histogram,
                     {"gen_ai_operation_name", "gen_ai_provider_name", "gen_ai_request_model"}};
  Family usage{"gen_ai_client_token_usage",
               "Input and output tokens of one exchange.",
               MetricType::Histogram,
               {"gen_ai_operation_name", "gen_ai_provider_name", "gen_ai_request_model", "gen_ai_token_type"}};

  void add(const SeriesKey<std::string>& key, const Series& series, const MetricNames& names) {
    const auto count = static_cast<double>(series.requests.get());
    requests.add({key.door, key.dialect, key.backend, key.model, status_class(key.status_class),
                  key.dialect.empty() ? ""
                  : key.stream        ? "true"
                                      : "false"},
                 count);
    request.add({key.door, key.backend, key.model}, series.request_us, microseconds);
    first_token.add({key.backend, key.model}, series.first_token_us, microseconds);
    own.add({key.door}, series.own_us, microseconds);
    for (std::size_t i = 0; i < token_buckets.size(); ++i) {
      if (const auto sum = series.tokens[i].get(); sum != 0)
        tokens.add({key.backend, key.model, std::string(token_buckets[i].type)}, static_cast<double>(sum));
    }
    for (std::size_t i = 0; i < media_buckets.size(); ++i) {
      if (const auto sum = series.media[i].get(); sum != 0)
        media.add({key.backend, key.model, std::string(media_buckets[i].type)}, static_cast<double>(sum));
    }
    for (std::size_t i = 0; i < unit_buckets.size(); ++i) {
      const UnitBucket& bucket = unit_buckets[i];
      if (const auto sum = series.units[i].get(); sum != 0)
        units.add({key.backend, key.model, std::string(bucket.type)},
                  static_cast<double>(sum) / static_cast<double>(bucket.per));
    }
    std::string fault;
    if (key.fault < fault_count) {
      fault = fault_row(static_cast<Fault>(key.fault)).name;
      if (key.door != "mirror") faults.add({fault}, count);
    }
    const auto known = names.providers.find(key.backend);
    const std::string provider = provider_word(known == names.providers.end() ? key.backend : known->second);
    const std::string word = operation_word(key.door);
    operation.add({word, provider, key.model, fault}, series.operation_us, microseconds);
    first_chunk.add({word, provider, key.model}, series.first_chunk_us, microseconds);
    usage.add({word, provider, key.model, "input"}, series.input_tokens, 1);
    usage.add({word, provider, key.model, "output"}, series.output_tokens, 1);
  }
};

MetricFamily single(std::string name, std::string help, MetricType type, double value) {
  Family family(std::move(name), std::move(help), type, {});
  family.add({}, value);
  return std::move(family).done();
}

void add_process(std::vector<MetricFamily>& page) {
  const ProcessFigures process = process_figures();
  const auto gauge = [&page](std::string name, std::string help, double value) {
    page.push_back(single(std::move(name), std::move(help), MetricType::Gauge, value));
  };
  page.push_back(
      single("process_cpu_seconds_total", "User and system CPU time.", MetricType::Counter, process.cpu_seconds));
  gauge("process_start_time_seconds", "Unix time of the start.", process.start_seconds);
  gauge("process_resident_memory_bytes", "Resident memory.", static_cast<double>(process.resident_bytes));
  gauge("process_virtual_memory_bytes", "Virtual memory.", static_cast<double>(process.virtual_bytes));
  gauge("process_open_fds", "Open file descriptors.", static_cast<double>(process.open_fds));
  gauge("process_max_fds", "Most file descriptors that may be open.", static_cast<double>(process.max_fds));
}

}  // namespace

std::string Metrics::text(const Vitals& vitals) const {
  Exchanges exchanges;
  Family attempts("sluice_upstream_attempts_total", "Calls of upstreams by how they ended.", MetricType::Counter,
                  {"backend", "outcome"});
  Family notes("sluice_notes_total", "What translations could not say, said otherwise or had to add.",
               MetricType::Counter, {"kind"});
  Family queue("sluice_queue_seconds", "What requests waited for a place under a cap, those that did.",
               MetricType::Histogram, {});
  const std::array<std::string, 3> kinds = {"lost", "restated", "added"};
  for (const auto& kind : kinds) notes.add({kind}, 0);

  {
    const std::lock_guard guard(lock_);
    for (const auto& shard : shards_) {
      const std::lock_guard inner(shard->lock);
      for (const auto& [key, series] : shard->series) exchanges.add(key, series, names_);
      for (const auto& [backend, outcomes] : shard->attempts) {
        for (std::size_t i = 0; i < outcomes.size(); ++i) {
          const auto outcome = i == fault_count ? "ok" : fault_row(static_cast<Fault>(i)).name;
          if (const auto sum = outcomes[i].get(); sum != 0)
            attempts.add({backend, std::string(outcome)}, static_cast<double>(sum));
        }
      }
      queue.add({}, shard->queue_us, microseconds);
      for (std::size_t i = 0; i < kinds.size(); ++i) notes.add({kinds[i]}, static_cast<double>(shard->notes[i].get()));
    }
  }

  std::vector<MetricFamily> page;
  for (Family* family : {&exchanges.requests, &exchanges.request, &exchanges.first_token, &exchanges.own,
                         &exchanges.tokens, &exchanges.media, &exchanges.units, &exchanges.faults, &attempts, &notes,
                         &queue, &exchanges.operation, &exchanges.first_chunk, &exchanges.usage})
    page.push_back(std::move(*family).done());
  std::erase_if(page, [](const MetricFamily& family) { return family.metric.empty(); });

  const auto gauge = [&page](std::string name, std::string help, std::int64_t value) {
    page.push_back(single(std::move(name), std::move(help), MetricType::Gauge, static_cast<double>(value)));
  };
  gauge("sluice_open_connections", "Connections of clients.", vitals.gauges.open_connections);
  gauge("sluice_open_exchanges", "Exchanges under way.", vitals.gauges.open_exchanges);
  gauge("sluice_open_streams", "Streams under way.", vitals.gauges.open_streams);
  gauge("sluice_idle_upstream_connections", "Connections to upstreams that wait for the next call.",
        vitals.gauges.idle_upstream_connections);
  Family resting("sluice_resting_targets", "Models that a backend is not called for after faults or a used up quota.",
                 MetricType::Gauge, {"backend"});
  for (const auto& [backend, count] : vitals.gauges.resting) resting.add({backend}, static_cast<double>(count));
  if (!vitals.gauges.resting.empty()) page.push_back(std::move(resting).done());
  Family probes("sluice_probes_total", "Probes of backends, which are no calls.", MetricType::Counter,
                {"backend", "outcome"});
  for (const Gauges::Probes& one : vitals.gauges.probes) {
    probes.add({one.backend, "ok"}, static_cast<double>(one.good));
    probes.add({one.backend, "failed"}, static_cast<double>(one.failed));
  }
  if (!vitals.gauges.probes.empty()) page.push_back(std::move(probes).done());
  const auto capped = [&page, &vitals](std::string name, std::string help, std::int64_t CappedCalls::* figure) {
    Family family(std::move(name), std::move(help), MetricType::Gauge, {"scope", "backend"});
    for (const CappedCalls& one : vitals.gauges.capped)
      family.add({one.backend.empty() ? "server" : "account", one.backend}, static_cast<double>(one.*figure));
    if (!vitals.gauges.capped.empty()) page.push_back(std::move(family).done());
  };
  capped("sluice_capped_calls_most", "The cap on calls at once, where there is one.", &CappedCalls::most);
  capped("sluice_capped_calls", "Calls under way under a cap.", &CappedCalls::running);
  capped("sluice_queue_length", "Requests that wait for a place under a cap.", &CappedCalls::waiting);
  gauge("sluice_mirrors", "Copies of requests under way.", vitals.gauges.mirrors);
  page.push_back(single("sluice_mirrors_dropped_total", "Copies that were not sent: too many, or a target that rests.",
                        MetricType::Counter, static_cast<double>(vitals.gauges.mirrors_dropped)));
  Family quota("sluice_quota_left_ratio", "What is left of the tightest quota that a backend's vendor tells, 0 to 1.",
               MetricType::Gauge, {"backend"});
  for (const auto& [backend, left] : vitals.gauges.quota_left) quota.add({backend}, left);
  if (!vitals.gauges.quota_left.empty()) page.push_back(std::move(quota).done());
  page.push_back(single("sluice_log_lines_dropped_total", "Log lines that could not be written in time.",
                        MetricType::Counter, static_cast<double>(vitals.dropped_log_lines)));
  Family build("sluice_build_info", "Always 1; the version is in the label.", MetricType::Gauge, {"version"});
  build.add({version_}, 1);
  page.push_back(std::move(build).done());
  add_process(page);

  std::ostringstream out;
  prometheus::TextSerializer().Serialize(out, page);
  return std::move(out).str();
}

}  // namespace sluice
