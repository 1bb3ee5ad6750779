// SPDX-License-Identifier: MIT
#include "gateway/probe.h"

#include <array>
#include <utility>

#include "base/clock.h"
#include "base/task.h"
#include "gateway/worker.h"
#include "policy/course.h"

namespace sluice {
namespace {

constexpr double jitter = 0.2;

// The list of models, which every vendor has at no charge; one row of it where that can be said.
std::string_view list_path(DialectId dialect) {
  switch (dialect) {
    case DialectId::openai_chat:
    case DialectId::openai_responses:
    case DialectId::openai_completions: return "/models";
    case DialectId::anthropic: return "/v1/models?limit=1";
    case DialectId::gemini: return "/v1beta/models?pageSize=1";
    case DialectId::cohere: return "/v1/models?page_size=1";
    case DialectId::bedrock_converse: return {};  // it lists them at another address
  }
  return {};
}

}  // namespace

std::string probe_path(const Backend& backend) {
  const std::string& own = backend.probe->path;
  if (own == "none" || (own.empty() && (backend.aws || backend.dialects.empty()))) return {};
  const std::string_view path = own.empty() ? list_path(backend.dialects.front()) : std::string_view(own);
  if (path.empty()) return {};
  return call_path(backend.url.path, Endpoint{.path = path}, {}, false);
}

std::string probe_verdict(int status) {
  return status >= 500 ? "it answered " + std::to_string(status) : std::string();
}

class Prober::Probe {
 public:
  Probe(Worker& worker, std::shared_ptr<const Snapshot> snapshot, const Backend& backend)
      : worker_(worker), snapshot_(std::move(snapshot)), backend_(backend), sleeper_(worker.loop()) {
    const auto every = static_cast<double>(backend.probe->every.count());
    next_ms_ = worker.loop().now_ms() + static_cast<std::int64_t>(every * worker.dice().between(0, 1));
    task_ = run();
    task_.start();
  }

 private:
  Task<void> run() {
    for (;;) {
      sleeper_.deadline(next_ms_);
      co_await sleeper_.woken();
      const std::int64_t began = worker_.loop().now_ms();
      const auto every = static_cast<double>(backend_.probe->every.count());
      next_ms_ = began + static_cast<std::int64_t>(every * worker_.dice().between(1 - jitter, 1 + jitter));
      if (!backend_.probe->always && !worker_.shared().health.rests(backend_.name)) continue;
      auto status = co_await ask();
      tell(status ? probe_verdict(*status) : words(*status.error()), began);
    }
  }

  // The status of its answer; 200 when a connection is all that was wanted.
  Task<Result<int>> ask() {
    const auto line = worker_.line(backend_);
    const std::string path = probe_path(backend_);
    sleeper_.deadline(worker_.loop().now_ms() + backend_.probe->timeout.count());
    CO_TRY(const auto connection, co_await worker_.lines().connect(*line, sleeper_));
    if (path.empty()) co_return 200;
    std::string head = "GET " + path + " HTTP/1.1\r\n" + line->fields + "accept: application/json\r\n";
    if (backend_.speaks(DialectId::anthropic)) head += "anthropic-version: 2023-06-01\r\n";
    head += "connection: close\r\n\r\n";
    const iovec piece = net::piece(head);
    connection->begin({&piece, 1});
    for (;;) {
      using Step = net::ClientConnection::Step;
      http1::ResponseHead& response = worker_.response_head();
      const Step step = connection->read_head(worker_.scratch(), response);
      if (step == Step::ready) co_return response.status;
      if (step == Step::broken || !connection->push()) {
        co_return fail(Fault::upstream_broken, "The upstream closed the connection.", connection->why());
      }
      net::Watch& watch = connection->socket().watch();
      auto sleep = connection->sending() ? sleeper_.either(watch) : sleeper_.readable(watch);
      const net::Woke woke = co_await sleep;
      if (woke != net::Woke::ready) co_return fail(Fault::upstream_timeout, "The upstream did not answer in time.");
    }
  }

  static std::string words(const Error& error) {
    std::string out(fault_row(error.fault).name);
    return out + ": " + (error.detail.empty() ? error.message : error.detail);
  }

  void tell(std::string why, std::int64_t began_ms) {
    const std::int64_t now = worker_.loop().now_ms();
    // Until the next one is through.
    const std::int64_t hold = next_ms_ + backend_.probe->timeout.count();
    const HealthSettings settings = health_settings(snapshot_->config().failover.breaker);
    worker_.shared().health.probed(backend_.name, why.empty(), now, hold, settings, worker_.dice());
    worker_.shared().standings.probed(backend_.name, std::move(why), now - began_ms, unix_ms());
  }

  Worker& worker_;
  const std::shared_ptr<const Snapshot> snapshot_;  // whose backend it is
  const Backend& backend_;
  net::Sleeper sleeper_;
  std::int64_t next_ms_ = 0;
  Task<void> task_;
};

Prober::Prober(Worker& worker) : worker_(worker) {}

Prober::~Prober() = default;

void Prober::use(const std::shared_ptr<const Snapshot>& snapshot) {
  probes_.clear();
  for (const auto& backend : snapshot->backends()) {
    if (backend->probe && backend->off.empty()) probes_.push_back(std::make_unique<Probe>(worker_, snapshot, *backend));
  }
}

}  // namespace sluice
