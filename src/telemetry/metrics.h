// The metrics page: counts and times of every exchange, in Prometheus' text form. Each thread counts in a shard of its
// own; a scrape adds them up. Labels are bounded: a client cannot mint series. SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "ports/sink.h"

namespace sluice {

// What the configuration says about names; see Metrics::know().
struct MetricNames {
  std::vector<std::string> models;               // names without wildcards, as upstreams and clients spell them
  std::map<std::string, std::string> providers;  // backend -> provider ("openai", "anthropic", "gemini" …)
};

// What is read at the moment of a scrape.
struct Vitals {
  Gauges gauges;
  std::uint64_t dropped_log_lines = 0;
};

class Metrics final : public Sink {
 public:
  static constexpr std::string_view content_type = "text/plain; version=0.0.4; charset=utf-8";
  // Models beyond the configured ones that get a label of their own, first come first served, once an upstream has
  // answered for them. All others are "other".
  static constexpr std::size_t most_learnt_models = 100;

  explicit Metrics(std::string version);
  ~Metrics() override;

  // Tells the names of the current configuration; call at every publish, from any thread.
  void know(MetricNames names);
  void take(const Record& record) override;
  // The page. From any thread; does not hold up the workers.
  [[nodiscard]] std::string text(const Vitals& vitals) const;

 private:
  struct Shard;
  Shard& shard();
  [[nodiscard]] std::string_view model_label(Shard& shard, std::string_view model, bool answered);

  const std::uint64_t identity_;  // tells a thread's shard of this object from one of an object that was here before
  const std::string version_;
  mutable std::mutex lock_;
  std::vector<std::unique_ptr<Shard>> shards_;
  MetricNames names_;
  std::set<std::string, std::less<>> models_;  // labels of their own
  std::size_t learnt_ = 0;
};

}  // namespace sluice
