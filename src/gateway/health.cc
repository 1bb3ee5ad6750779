// SPDX-License-Identifier: MIT
#include "gateway/health.h"

#include <algorithm>

#include "base/json.h"
#include "base/text.h"

namespace sluice {
namespace {

std::string_view word(BackendState state) {
  switch (state) {
    case BackendState::untried: return "untried";
    case BackendState::up: return "up";
    case BackendState::failing: return "failing";
    case BackendState::off: return "off";
  }
  return "";
}

bool any(const HealthReport& health, BackendState state) {
  return std::ranges::any_of(health.backends, [state](const auto& backend) { return backend.state == state; });
}

std::string_view overall(const HealthReport& health) {
  if (health.draining || (health.ledger && !health.ledger->takes)) return "down";
  if (!any(health, BackendState::up) && !any(health, BackendState::untried)) return "down";
  if (any(health, BackendState::failing) || !health.config_error.empty()) return "degraded";
  if (health.ledger && !(health.ledger->journal.empty() && health.ledger->store.empty())) return "degraded";
  return "ok";
}

void write(json::Writer& out, const std::optional<CallsHealth>& calls) {
  if (!calls) return;
  out.key("calls").begin_object().member("running", calls->running).member("most", calls->most);
  out.member("waiting", calls->waiting).end_object();
}

void write(json::Writer& out, const BackendHealth& backend) {
  out.begin_object().member("name", backend.name).member("state", word(backend.state));
  if (!backend.why.empty()) out.member("why", backend.why);
  if (!backend.last_error.empty()) {
    out.key("last_error").begin_object().member("message", backend.last_error);
    out.member("at", rfc3339(backend.last_error_ms)).end_object();
  }
  if (backend.last_good_ms != 0) out.member("last_good", rfc3339(backend.last_good_ms));
  if (!backend.resting.empty()) {
    out.key("resting").begin_array();
    for (const RestingModel& one : backend.resting)
      out.begin_object().member("model", one.model).member("why", one.why).end_object();
    out.end_array();
  }
  if (backend.probe) {
    out.key("probe").begin_object().member_bool("alive", backend.probe->alive);
    out.member("at", rfc3339(backend.probe->unix_ms)).member("ms", backend.probe->took_ms);
    if (!backend.probe->why.empty()) out.member("why", backend.probe->why);
    out.end_object();
  }
  write(out, backend.calls);
  if (!backend.quotas.empty()) {
    out.key("quotas").begin_array();
    for (const ModelQuota& one : backend.quotas)
      out.begin_object().member("model", one.model).key("left").number(one.left).end_object();
    out.end_array();
  }
  out.end_object();
}

HealthAnswer one_word(int status, std::string_view state, std::string_view why = {}) {
  HealthAnswer answer{.status = status};
  json::Writer out(answer.body);
  out.begin_object().member("status", state);
  if (!why.empty()) out.member("why", why);
  out.end_object();
  return answer;
}

}  // namespace

HealthAnswer health_answer(const HealthReport& health) {
  const std::string_view state = overall(health);
  HealthAnswer answer{.status = state == "down" ? 503 : 200};
  json::Writer out(answer.body);
  out.begin_object().member("status", state).member("version", health.version);
  out.member("uptime_seconds", health.uptime_ms / 1000);
  if (health.draining) out.member_bool("draining", true);
  if (!health.config_error.empty()) out.member("config_error", health.config_error);
  write(out, health.calls);
  if (health.ledger) {
    const LedgerHealth& ledger = *health.ledger;
    const bool well = ledger.journal.empty() && ledger.store.empty();
    out.key("ledger").begin_object().member("state", !ledger.takes ? "full" : well ? "ok" : "behind");
    if (!ledger.journal.empty()) out.member("journal", ledger.journal);
    if (!ledger.store.empty()) out.member("store", ledger.store);
    out.end_object();
  }
  out.key("backends").begin_array();
  for (const BackendHealth& backend : health.backends) write(out, backend);
  out.end_array().end_object();
  return answer;
}

HealthAnswer live_answer() {
  return one_word(200, "live");
}

HealthAnswer ready_answer(const HealthReport& health) {
  if (health.draining) return one_word(503, "not ready", "the gateway is shutting down");
  if (std::ranges::all_of(health.backends, [](const auto& backend) { return backend.state == BackendState::off; }))
    return one_word(503, "not ready", "no backend is switched on");
  if (health.ledger && !health.ledger->takes)
    return one_word(503, "not ready", "the ledger's journal has no room: " + health.ledger->journal);
  return one_word(200, "ready");
}

}  // namespace sluice
