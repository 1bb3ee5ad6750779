// SPDX-License-Identifier: MIT
#include "gateway/health.h"

#include <gtest/gtest.h>

#include "base/json.h"

namespace sluice {
namespace {

HealthReport healthy() {
  return {.version = "1.2.3",
          .uptime_ms = 61'999,
          .backends = {{.name = "openai", .state = BackendState::up, .last_good_ms = 1'764'072'000'000},
                       {.name = "claude", .state = BackendState::off, .why = "CLAUDE_API_KEY is not set"},
                       {.name = "demo"}}};
}

TEST(HealthReport, TellsVersionUptimeAndEveryBackend) {
  const HealthAnswer answer = health_answer(healthy());
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, R"({"status":"ok","version":"1.2.3","uptime_seconds":61,"backends":[)"
                         R"({"name":"openai","state":"up","last_good":"2025-11-25T12:00:00.000Z"},)"
                         R"({"name":"claude","state":"off","why":"CLAUDE_API_KEY is not set"},)"
                         R"({"name":"demo","state":"untried"}]})");
}

TEST(HealthReport, IsDegradedWhileSomethingFails) {
  HealthReport health = healthy();
  health.backends[0] = {.name = "openai",
                        .state = BackendState::failing,
                        .last_error = "connect: \"refused\"\n",
                        .last_error_ms = 1'764'072'000'500};
  const HealthAnswer failing = health_answer(health);
  EXPECT_EQ(failing.status, 200);
  EXPECT_EQ(json::difference(failing.body,
                             R"({"status":"degraded","version":"1.2.3","uptime_seconds":61,"backends":[)"
                             R"({"name":"openai","state":"failing","last_error":{"message":"connect: \"refused\"\n",)"
                             R"("at":"2025-11-25T12:00:00.500Z"}},)"
                             R"({"name":"claude","state":"off","why":"CLAUDE_API_KEY is not set"},)"
                             R"({"name":"demo","state":"untried"}]})"),
            "");
  health = healthy();
  health.config_error = "config.yaml:3:1: unknown key";
  EXPECT_NE(health_answer(health).body.find(R"("status":"degraded")"), std::string::npos);
  EXPECT_NE(health_answer(health).body.find("config.yaml:3:1"), std::string::npos);
  EXPECT_EQ(ready_answer(health).status, 200) << "the older configuration serves on";
}

TEST(HealthReport, TellsWhatRests) {
  HealthReport health = healthy();
  health.backends[0].resting = {{.model = "gpt-4", .why = "too many calls failed; ready in 1.5 s"}};
  EXPECT_NE(health_answer(health).body.find(
                R"("resting":[{"model":"gpt-4","why":"too many calls failed; ready in 1.5 s"}]})"),
            std::string::npos);
}

TEST(HealthReport, TellsWhatIsLeftOfQuotas) {
  HealthReport health = healthy();
  health.backends[0].quotas = {{.model = "gpt-4", .left = 0.25}};
  EXPECT_NE(health_answer(health).body.find(R"("quotas":[{"model":"gpt-4","left":0.25}])"), std::string::npos);
}

TEST(HealthReport, IsDownWhenNobodyCanAnswer) {
  HealthReport health = healthy();
  health.backends = {{.name = "openai", .state = BackendState::failing}, {.name = "x", .state = BackendState::off}};
  EXPECT_EQ(health_answer(health).status, 503);
  EXPECT_EQ(ready_answer(health).status, 200) << "another gateway would not reach it either";
  health.backends = {{.name = "x", .state = BackendState::off}};
  EXPECT_EQ(health_answer(health).status, 503);
  EXPECT_EQ(ready_answer(health).status, 503);
  EXPECT_EQ(ready_answer(health).body, R"({"status":"not ready","why":"no backend is switched on"})");
}

TEST(HealthReport, SaysSoWhenTheGatewayLeaves) {
  HealthReport health = healthy();
  health.draining = true;
  EXPECT_EQ(health_answer(health).status, 503);
  EXPECT_NE(health_answer(health).body.find(R"("status":"down","version":"1.2.3","uptime_seconds":61,"draining":true)"),
            std::string::npos);
  EXPECT_EQ(ready_answer(health).status, 503);
  EXPECT_EQ(live_answer().status, 200);
  EXPECT_EQ(live_answer().body, R"({"status":"live"})");
}

}  // namespace
}  // namespace sluice
