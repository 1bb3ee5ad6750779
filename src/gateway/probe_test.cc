// SPDX-License-Identifier: MIT
#include "gateway/probe.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

std::optional<std::string> no_environment(const char*) {
  return std::nullopt;
}

std::string path_of(std::string_view backend) {
  const Loaded loaded = load_config("backends:\n  one: " + std::string(backend), "", no_environment);
  EXPECT_TRUE(loaded.ok()) << render(loaded.faults, backend, "");
  const auto snapshot = Snapshot::compile(loaded.config);
  for (const auto& one : snapshot->backends()) {
    if (one->name == "one") return probe_path(*one);
  }
  return "?";
}

TEST(Probe, AsksForTheListOfModels) {
  struct {
    std::string_view backend, path;
  } const rows[] = {
      {"{type: openai, api_key: k, probe: {}}", "/v1/models"},
      {"{type: anthropic, api_key: k, probe: {}}", "/v1/models?limit=1"},
      {"{type: gemini, api_key: k, probe: {}}", "/v1beta/models?pageSize=1"},
      {"{type: cohere, api_key: k, probe: {}}", "/v1/models?page_size=1"},
      {"{type: openai, base_url: \"http://127.0.0.1:1/deep/v1\", probe: {}}", "/deep/v1/models"},
      {"{type: anthropic, base_url: \"http://127.0.0.1:1/v1\", probe: {}}", "/v1/models?limit=1"},
      {"{type: bedrock, api_key: k, aws: {region: eu-west-1}, probe: {}}", ""},
      {"{type: openai, api_key: k, probe: {path: none}}", ""},
      {"{type: openai, base_url: \"http://127.0.0.1:1\", probe: {path: /health}}", "/health"},
  };
  for (const auto& row : rows) EXPECT_EQ(path_of(row.backend), row.path) << row.backend;
}

TEST(Probe, HearsThatABackendLivesFromAnyAnswerButItsOwnFaults) {
  for (const int status : {200, 301, 400, 401, 403, 404, 405, 429}) EXPECT_EQ(probe_verdict(status), "") << status;
  for (const int status : {500, 502, 503, 504, 529}) EXPECT_NE(probe_verdict(status), "") << status;
}

}  // namespace
}  // namespace sluice
