// SPDX-License-Identifier: MIT
#include "telemetry/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <sstream>
#include <thread>

#include "telemetry/sample_record.h"

namespace sluice {
namespace {

using testing::Contains;
using testing::Not;
using testing::StartsWith;

std::vector<std::string> page(const Metrics& metrics, const Vitals& vitals = {}) {
  std::vector<std::string> lines;
  std::istringstream in(metrics.text(vitals));
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

TEST(Metrics, CountARequestUnderAllItsNames) {
  Metrics metrics("1.2.3");
  metrics.know({.models = {"claude-3-opus-20240229", "gpt-4"}, .providers = {{"claude", "anthropic"}}});
  for (int i = 0; i < 3; ++i) metrics.take(sample_record());
  const auto lines = page(metrics, {.gauges = {.open_streams = 7,
                                               .resting = {{"openai", 2}},
                                               .probes = {{"openai", 3, 1}},
                                               .quota_left = {{"b", 0.5}}},
                                    .dropped_log_lines = 4});

  EXPECT_THAT(lines, Contains("sluice_requests_total{door=\"/v1/chat/completions\",dialect=\"openai_chat\",backend="
                              "\"claude\",model=\"claude-3-opus-20240229\",status_class=\"2xx\",stream=\"true\"} 3"));
  const std::string labels = "backend=\"claude\",model=\"claude-3-opus-20240229\"";
  // 1.234567 s three times.
  const std::string request = "sluice_request_duration_seconds_bucket{door=\"/v1/chat/completions\"," + labels;
  EXPECT_THAT(lines, Contains(request + ",le=\"1\"} 0"));
  EXPECT_THAT(lines, Contains(request + ",le=\"2.5\"} 3"));
  EXPECT_THAT(lines, Contains(request + ",le=\"+Inf\"} 3"));
  EXPECT_THAT(lines, Contains(StartsWith("sluice_request_duration_seconds_sum{door=\"/v1/chat/completions\"," + labels +
                                         "} 3.7037")));
  EXPECT_THAT(lines, Contains("sluice_time_to_first_token_seconds_bucket{" + labels + ",le=\"0.2\"} 0"));
  EXPECT_THAT(lines, Contains("sluice_time_to_first_token_seconds_bucket{" + labels + ",le=\"0.5\"} 3"));
  EXPECT_THAT(lines, Contains("sluice_own_seconds_bucket{door=\"/v1/chat/completions\",le=\"0.0001\"} 3"));
  EXPECT_THAT(lines, Contains("sluice_tokens_total{" + labels + ",type=\"input\"} 36"));
  EXPECT_THAT(lines, Contains("sluice_tokens_total{" + labels + ",type=\"cache_read\"} 6144"));
  EXPECT_THAT(lines, Contains("sluice_tokens_total{" + labels + ",type=\"reasoning\"} 300"));
  EXPECT_THAT(lines, Contains("sluice_upstream_attempts_total{backend=\"openai\",outcome=\"upstream_overloaded\"} 3"));
  EXPECT_THAT(lines, Contains("sluice_upstream_attempts_total{backend=\"claude\",outcome=\"ok\"} 3"));
  EXPECT_THAT(lines, Contains("sluice_notes_total{kind=\"lost\"} 3"));
  EXPECT_THAT(lines, Contains("sluice_resting_targets{backend=\"openai\"} 2"));
  EXPECT_THAT(lines, Contains("sluice_probes_total{backend=\"openai\",outcome=\"ok\"} 3"));
  EXPECT_THAT(lines, Contains("sluice_probes_total{backend=\"openai\",outcome=\"failed\"} 1"));
  EXPECT_THAT(lines, Contains("sluice_quota_left_ratio{backend=\"b\"} 0.5"));
  EXPECT_THAT(lines, Contains("sluice_notes_total{kind=\"added\"} 0"));

  const std::string genai =
      "gen_ai_operation_name=\"chat\",gen_ai_provider_name=\"anthropic\",gen_ai_request_model=\"claude-3-opus-"
      "20240229\"";
  EXPECT_THAT(lines, Contains("gen_ai_client_operation_duration_seconds_bucket{" + genai + ",le=\"1.28\"} 3"));
  EXPECT_THAT(lines, Contains("gen_ai_client_operation_duration_seconds_bucket{" + genai + ",le=\"0.64\"} 0"));
  EXPECT_THAT(lines, Contains("gen_ai_client_operation_time_to_first_chunk_seconds_count{" + genai + "} 3"));
  EXPECT_THAT(lines, Contains("gen_ai_client_token_usage_sum{" + genai + ",gen_ai_token_type=\"input\"} 6180"));
  EXPECT_THAT(lines, Contains("gen_ai_client_token_usage_sum{" + genai + ",gen_ai_token_type=\"output\"} 1320"));

  EXPECT_THAT(lines, Contains("sluice_open_streams 7"));
  EXPECT_THAT(lines, Contains("sluice_log_lines_dropped_total 4"));
  EXPECT_THAT(lines, Contains("sluice_build_info{version=\"1.2.3\"} 1"));
  for (const auto* name : {"process_cpu_seconds_total ", "process_resident_memory_bytes ", "process_open_fds ",
                           "process_start_time_seconds 1"})
    EXPECT_THAT(lines, Contains(StartsWith(name)));
  EXPECT_THAT(lines, Not(Contains("process_resident_memory_bytes 0")));
}

TEST(Metrics, CountAFaultOnceAndNameItAsTheConventionsDo) {
  Metrics metrics("0");
  Record r = sample_record();
  r.model = "gpt-4";
  r.attempts.pop_back();
  r.status = 503;
  r.fault = Fault::upstream_overloaded;
  r.usage = {};
  metrics.know({.models = {"gpt-4"}});
  metrics.take(r);
  const auto lines = page(metrics);
  EXPECT_THAT(lines, Contains("sluice_faults_total{fault=\"upstream_overloaded\"} 1"));
  EXPECT_THAT(lines, Contains("gen_ai_client_operation_duration_seconds_count{gen_ai_operation_name=\"chat\",gen_ai_"
                              "provider_name=\"openai\",gen_ai_request_model=\"gpt-4\",error_type=\"upstream_"
                              "overloaded\"} 1"));
  EXPECT_THAT(lines, Not(Contains(StartsWith("sluice_tokens_total"))));
}

TEST(Metrics, ACopyIsNoRequestOfAClientAndItsFaultIsNobodys) {
  Metrics metrics("0");
  Record r = sample_record();
  r.mirror_of = "req_of_the_client";
  r.fault = Fault::upstream_failed;
  metrics.know({.models = {r.attempts.back().model}});
  metrics.take(r);
  const auto lines = page(metrics, {.gauges = {.mirrors = 3, .mirrors_dropped = 2}});
  EXPECT_THAT(lines, Contains(StartsWith("sluice_requests_total{door=\"mirror\"")));
  EXPECT_THAT(lines, Contains(StartsWith("sluice_tokens_total")));
  EXPECT_THAT(lines, Not(Contains(StartsWith("sluice_faults_total"))));
  EXPECT_THAT(lines, Not(Contains(StartsWith("sluice_requests_total{door=\"/"))));
  EXPECT_THAT(lines, Contains("sluice_mirrors 3"));
  EXPECT_THAT(lines, Contains("sluice_mirrors_dropped_total 2"));
}

TEST(Metrics, TokensAreThoseOfTheAttemptThatAnswered) {
  Metrics metrics("0");
  Record r = sample_record();
  r.answered = 0;
  metrics.know({.models = {"gpt-4"}});
  metrics.take(r);
  const auto lines = page(metrics, {});
  const auto tokens = [&](std::string_view backend) {
    return std::ranges::any_of(lines, [&](const std::string& line) {
      return line.starts_with("sluice_tokens_total") && line.contains("backend=\"" + std::string(backend));
    });
  };
  EXPECT_TRUE(tokens("openai"));
  EXPECT_FALSE(tokens("claude"));
}

TEST(Metrics, TellsOfCapsAndLines) {
  Metrics metrics("0");
  Record r = sample_record();
  r.queue_us = 1'500'000;
  metrics.take(r);
  const auto lines = page(metrics, {.gauges = {.capped = {{.most = 9, .running = 4, .waiting = 0},
                                                          {.backend = "b", .most = 2, .running = 2, .waiting = 5}}}});
  EXPECT_THAT(lines, Contains("sluice_queue_seconds_sum 1.5"));
  EXPECT_THAT(lines, Contains("sluice_queue_length{scope=\"account\",backend=\"b\"} 5"));
  EXPECT_THAT(lines, Contains("sluice_capped_calls{scope=\"server\"} 4"));
  EXPECT_THAT(lines, Contains("sluice_capped_calls_most{scope=\"server\"} 9"));
}

TEST(Metrics, CountWhatIsNoToken) {
  Metrics metrics("0");
  Record r = sample_record();
  metrics.know({.models = {r.attempts.back().model}});
  r.units = {.search_units = 2, .audio_ms = 9'500, .images = 0};
  r.usage.image_input = 7;
  for (int i = 0; i < 3; ++i) metrics.take(r);
  const auto lines = page(metrics);
  const std::string labels = "backend=\"claude\",model=\"claude-3-opus-20240229\"";
  EXPECT_THAT(lines, Contains("sluice_units_total{" + labels + ",type=\"search_units\"} 6"));
  EXPECT_THAT(lines, Contains("sluice_units_total{" + labels + ",type=\"audio_seconds\"} 28.5"));
  EXPECT_THAT(lines, Not(Contains(testing::HasSubstr("type=\"images\""))));
  EXPECT_THAT(lines, Contains("sluice_media_tokens_total{" + labels + ",type=\"image_input\"} 21"));
  EXPECT_THAT(lines, Contains("sluice_tokens_total{" + labels + ",type=\"input\"} 36"));
}

TEST(Metrics, LeaveNamesOutWhereThereAreNone) {
  Metrics metrics("0");
  Record r;
  r.method = "GET";
  r.door = "/health";
  r.status = 200;
  metrics.take(r);
  EXPECT_THAT(page(metrics), Contains("sluice_requests_total{door=\"/health\",status_class=\"2xx\"} 1"));
}

TEST(Metrics, AClientCannotMintSeries) {
  Metrics metrics("0");
  metrics.know({.models = {"gpt-4"}});
  Record r = sample_record();
  r.attempts = {{.backend = "openai", .status = 404, .started_us = 1, .ended_us = 2}};
  for (int i = 0; i < 1000; ++i) {  // names nobody answers for
    r.attempts[0].model = "junk-" + std::to_string(i);
    r.status = 404;
    metrics.take(r);
  }
  for (int i = 0; i < 1000; ++i) {  // names that a wildcard lets through and the upstream knows
    r.attempts[0].model = "real-" + std::to_string(i);
    r.status = 200;
    metrics.take(r);
  }
  r.attempts[0].model = "gpt-4";  // configured, but new to this thread: there is always room for it
  metrics.take(r);
  std::set<std::string> series;
  for (const auto& line : page(metrics)) {
    if (line.starts_with("sluice_requests_total{")) series.insert(line);
  }
  EXPECT_EQ(series.size(), Metrics::most_learnt_models + 3);
  const std::string other =
      "sluice_requests_total{door=\"/v1/chat/completions\",dialect=\"openai_chat\",backend=\"openai\","
      "model=\"other\",status_class=";
  EXPECT_TRUE(series.contains(other + "\"4xx\",stream=\"true\"} 1000"));
  EXPECT_TRUE(series.contains(other + "\"2xx\",stream=\"true\"} 900"));
}

TEST(Metrics, AddUpWhatThreadsCountWhileAScrapeRuns) {
  Metrics metrics("0");
  metrics.know({.models = {"claude-3-opus-20240229"}});
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&metrics] {
      Record r = sample_record();
      for (int i = 0; i < 3'000; ++i) {
        r.status = 200 + i % 5 * 100;
        metrics.take(r);
      }
    });
  }
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(metrics.text({}).empty());
  for (auto& thread : threads) thread.join();
  EXPECT_THAT(page(metrics),
              Contains("sluice_request_duration_seconds_count{door=\"/v1/chat/completions\",backend=\"claude\",model="
                       "\"claude-3-opus-20240229\"} 9000"));
}

TEST(Metrics, KeepTwoPagesApart) {
  Metrics one("1"), two("2");
  for (int i = 0; i < 10; ++i) {
    one.take(sample_record());
    if (i % 2 == 0) two.take(sample_record());
  }
  EXPECT_THAT(page(one), Contains("sluice_notes_total{kind=\"lost\"} 10"));
  EXPECT_THAT(page(two), Contains("sluice_notes_total{kind=\"lost\"} 5"));
}

TEST(Metrics, AreOnePageOfFamiliesEachWithItsHelp) {
  Metrics metrics("0");
  metrics.take(sample_record());
  std::set<std::string> described;
  for (const auto& line : page(metrics)) {
    if (line.starts_with("# HELP ")) {
      const std::string name = line.substr(7, line.find(' ', 7) - 7);
      EXPECT_GT(line.size(), 8 + name.size()) << line;
      EXPECT_TRUE(described.insert(name).second) << name << " stands twice";
    }
  }
  EXPECT_GE(described.size(), 20u);
}

}  // namespace
}  // namespace sluice
