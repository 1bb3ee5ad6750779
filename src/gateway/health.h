// The bodies of /health, /health/live and /health/ready from plain facts. Not here: how the facts are found out.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

enum class BackendState : std::uint8_t {
  untried,  // nothing was sent to it yet
  up,       // its last answer was good
  failing,  // its last calls failed
  off,      // the configuration leaves it out, `why` says why
};

// A model that this backend is not called for at the moment.
struct RestingModel {
  std::string model;  // the upstream's name
  std::string why;    // "too many calls failed; ready in 1.5 s"
};

// What the last probe has found.
struct ProbeReport {
  bool alive = false;
  std::int64_t unix_ms = 0;
  std::int64_t took_ms = 0;
  std::string why;  // when it is not alive
};

// What is left of the tighter of the quotas that the vendor tells for a model.
struct ModelQuota {
  std::string model;
  double left = 1;  // 0 to 1
};

// Under a cap.
struct CallsHealth {
  std::int64_t running = 0;
  std::int64_t most = 0;
  std::int64_t waiting = 0;
};

struct BackendHealth {
  std::string name;
  BackendState state = BackendState::untried;
  std::string why;                 // for off
  std::string last_error;          // operator's words; empty when there was none
  std::int64_t last_error_ms = 0;  // Unix time of it
  std::int64_t last_good_ms = 0;   // Unix time of the last good answer; 0 = none yet
  std::vector<RestingModel> resting;
  std::optional<ProbeReport> probe;
  std::vector<ModelQuota> quotas;
  std::optional<CallsHealth> calls;  // where there is a cap
};

// The ledger's, where there is one.
struct LedgerHealth {
  bool takes = true;    // new requests may be written down
  std::string journal;  // why it is not well; empty when it is
  std::string store;    // why rows wait in the journal; empty when they do not
};

struct HealthReport {
  std::string version;
  std::int64_t uptime_ms = 0;
  bool draining = false;             // SIGTERM came: no new work
  std::string config_error;          // a reload failed: the older configuration serves on; empty when not
  std::optional<CallsHealth> calls;  // of the whole server, where there is a cap
  std::optional<LedgerHealth> ledger;
  std::vector<BackendHealth> backends;
};

struct HealthAnswer {
  int status = 200;
  std::string body;  // JSON
};

// Overall: "ok" when a backend can answer, "degraded" when one fails, the last reload did or the ledger is not well,
// "down" when none can answer, nothing can be written down or the gateway is leaving. Status 200 unless down, then 503.
[[nodiscard]] HealthAnswer health_answer(const HealthReport& health);
// Always 200: the process turns its loop.
[[nodiscard]] HealthAnswer live_answer();
// 200 when new requests may come, else 503 with the reason. Failing upstreams do not make the gateway unready: another
// gateway would not reach them either.
[[nodiscard]] HealthAnswer ready_answer(const HealthReport& health);

}  // namespace sluice
