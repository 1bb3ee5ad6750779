// The doors that need no upstream. SPDX-License-Identifier: MIT
#include <algorithm>
#include <map>

#include "base/json.h"
#include "base/text.h"
#include "gateway/admin_door.h"
#include "gateway/allowed.h"
#include "gateway/asset.h"
#include "gateway/choose.h"
#include "gateway/explain.h"
#include "gateway/health.h"
#include "gateway/passage.h"
#include "gateway/respond.h"
#include "gateway/stages.h"
#include "gateway/worker.h"

namespace sluice {
namespace {

HealthReport health_of(const Exchange& ex) {
  Shared& shared = ex.worker.shared();
  HealthReport out{.version = shared.version, .uptime_ms = ex.record.unix_ms - shared.started_unix_ms};
  out.draining = shared.draining.load(std::memory_order_relaxed);
  {
    const std::scoped_lock lock(shared.config_error_mutex);
    out.config_error = shared.config_error;
  }
  if (shared.ledger) out.ledger = shared.ledger();
  const std::int64_t now_ms = ex.worker.loop().now_ms();
  struct Known {
    std::vector<RestingModel> resting;
    std::vector<ModelQuota> quotas;
    std::optional<CallsHealth> calls;
  };
  std::map<std::string, Known, std::less<>> known;
  for (const HealthBook::Row& row : shared.health.rows(now_ms)) {
    if (!row.view.ready) known[row.account].resting.push_back({.model = row.model, .why = explain(row.view, now_ms)});
    if (row.view.headroom) known[row.account].quotas.push_back({.model = row.model, .left = *row.view.headroom});
  }
  for (const auto& [backend, told] : shared.gates.figures()) {
    auto& calls = backend.empty() ? out.calls : known[backend].calls;
    calls = CallsHealth{.running = told.running, .most = told.most, .waiting = told.waiting};
  }
  for (const auto& backend : ex.snapshot->backends()) {
    Standing standing = shared.standings.of(backend->name);
    BackendHealth row{.name = backend->name, .why = backend->off};
    row.last_error = std::move(standing.last_error);
    row.last_error_ms = standing.last_error_ms;
    row.last_good_ms = standing.last_good_ms;
    if (Probed& probe = standing.probe; backend->probe && probe.unix_ms != 0) {
      row.probe = ProbeReport{
          .alive = probe.alive, .unix_ms = probe.unix_ms, .took_ms = probe.took_ms, .why = std::move(probe.why)};
    }
    if (const auto of = known.find(backend->name); of != known.end()) {
      row.resting = std::move(of->second.resting);
      row.quotas = std::move(of->second.quotas);
      row.calls = of->second.calls;
    }
    if (!backend->off.empty()) {
      row.state = BackendState::off;
    } else if (standing.failing) {
      row.state = BackendState::failing;
    } else if (standing.last_good_ms != 0) {
      row.state = BackendState::up;
    }
    out.backends.push_back(std::move(row));
  }
  return out;
}

// What GET / says: what this is and where to read on.
std::string home_body(std::string_view version) {
  std::string out;
  json::Writer w(out);
  w.begin_object().member("name", "sluice").member("version", version);
  w.member("docs", "/docs").member("models", "/v1/models").member("health", "/health").end_object();
  return out;
}

// Preflights and plain OPTIONS alike: what may be asked here, and by which page (Fetch, section 3.2).
std::string options_fields(const Exchange& ex, std::string_view allow) {
  std::string fields;
  http1::append_field(fields, "allow", allow);
  if (!ex.cors_origin.empty()) {
    http1::append_field(fields, "access-control-allow-methods", allow);
    const auto wanted = ex.client.head().fields.get("access-control-request-headers");
    if (!wanted.empty()) http1::append_field(fields, "access-control-allow-headers", wanted);
    fields += "access-control-max-age: 600\r\n";
  }
  return fields;
}

// For callers on this machine only, whoever else may call.
Result<Explanation> explain_here(Exchange& ex, const Entry& entry) {
  const http1::RequestHead& head = ex.client.head();
  TRY_VOID(identify("local", call_origin(ex.record.peer, head.authority, head.fields)));
  TRY(const ExplainAsk ask, read_explain(entry.query));
  const CountedUse counted{.meters = &ex.worker.shared().meters, .unix_ms = ex.record.unix_ms};
  return explain(*ex.snapshot, *ex.worker.directory(), ask, odds(ex), counted);
}

}  // namespace

Task<Result<bool>> serve_here(Exchange& ex, const Entry& entry) {
  const http1::RequestHead& request = ex.client.head();
  if (request.body.kind != http1::BodyKind::none && entry.place != Place::admin) {
    auto patience = ex.patience();
    CO_TRY_VOID(co_await ex.client.receive_body(patience, 64 * 1024));
  }
  ReplyHead head;
  std::string body, fields;
  if (request.method == "OPTIONS") {
    fields = options_fields(ex, entry.allow);
    head = {.status = 204, .content_type = {}, .fields = fields};
    co_return co_await send_whole(ex, head, {});
  }
  switch (entry.place) {
    case Place::home: body = home_body(ex.worker.shared().version); break;
    case Place::health:
    case Place::live:
    case Place::ready: {
      HealthAnswer answer = entry.place == Place::live    ? live_answer()
                            : entry.place == Place::ready ? ready_answer(health_of(ex))
                                                          : health_answer(health_of(ex));
      head.status = answer.status;
      body = std::move(answer.body);
      break;
    }
    case Place::metrics:
      head.content_type = "text/plain; version=0.0.4; charset=utf-8";
      body = ex.worker.shared().metrics_page();
      break;
    case Place::explain: {
      CO_TRY(auto told, explain_here(ex, entry));
      const bool text = query_value(entry.query, "format") == "text";
      if (text) head.content_type = "text/plain; charset=utf-8";
      body = text ? std::move(told.text) : std::move(told.json);
      break;
    }
    case Place::asset: {
      const Asset* page = asset(entry.path);
      head.content_type = page->content_type;
      http1::append_field(fields, "etag", page->etag);
      http1::append_field(fields, "content-security-policy", asset_policy);
      fields += "x-content-type-options: nosniff\r\ncache-control: no-cache\r\nvary: accept-encoding\r\n";
      if (request.fields.get("if-none-match") == page->etag) {
        head.status = 304;
        head.fields = fields;
        co_return co_await send_whole(ex, head, {});
      }
      const bool zipped = page->gzip && list_has(request.fields.get("accept-encoding"), "gzip");
      if (zipped) fields += "content-encoding: gzip\r\n";
      if (!zipped) body = plain(*page);
      head.fields = fields;
      co_return co_await send_whole(ex, head, zipped ? page->bytes : std::string_view(body));
    }
    case Place::admin: co_return co_await serve_admin(ex, entry);
    case Place::vendor: co_return fail(Fault::internal, "This operation is not answered here.");
    case Place::dialect: {
      auto rows = models_for(ex);
      const bool one = entry.operation == Operation::model;
      if (one) {
        const auto named = [&](const ModelRow& row) { return row.id == entry.path_model; };
        const auto found = std::ranges::find_if(rows, named);
        if (found == rows.end()) {
          auto why = ex.snapshot->targets(entry.path_model);
          if (!why) co_return std::unexpected(std::move(why).error());
          if (ex.key) CO_TRY_VOID(keep_allowed(*ex.key, nullptr, entry.path_model, *why));
          rows = {{.id = entry.path_model, .owner = why->front().backend->group}};
        } else {
          rows = {*found};
        }
      }
      const PageWords words = one ? PageWords{} : ex.dialect->page_words();
      CO_TRY(const ModelPage page, model_page(rows, words, entry.query));
      body = ex.dialect->write_models(page, one);
      break;
    }
  }
  co_return co_await send_whole(ex, head, body);
}

}  // namespace sluice
