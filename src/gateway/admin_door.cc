// SPDX-License-Identifier: MIT
#include "gateway/admin_door.h"

#include <algorithm>

#include "base/ip.h"
#include "gateway/admin.h"
#include "gateway/respond.h"
#include "gateway/store_call.h"
#include "gateway/worker.h"
#include "policy/caller.h"
#include "policy/credential.h"

namespace sluice {
namespace {

constexpr std::size_t most_body = 256 * 1024;

bool from_afar(const Exchange& ex) {
  const auto peer = parse_ip(ex.record.peer);
  const auto holds = [&](const std::string& text) {
    const auto network = parse_network(text);
    return peer && network && network->contains(*peer);
  };
  return std::ranges::any_of(ex.snapshot->config().admin.from, holds);
}

Result<AdminAsk> read_ask(Exchange& ex, const Entry& entry) {
  const http1::RequestHead& head = ex.client.head();
  AdminAsk out{.method = head.method == "HEAD" ? std::string("GET") : std::string(head.method),
               .path = entry.rest,
               .query = entry.query,
               .peer = ex.record.peer};
  const auto local = identify("local", call_origin(ex.record.peer, head.authority, head.fields));
  out.near = local.has_value();
  if (!out.near && !from_afar(ex)) {
    return fail(Fault::forbidden,
                "The admin API may be reached by programs on this machine only. To reach it from elsewhere, put the "
                "addresses into `admin.from` of the configuration.",
                "admin API asked from afar");
  }
  auto shown = read_credential(head.fields, {});
  if (shown) out.credential = std::move(shown->key);
  out.if_match = head.fields.get("if-match");
  out.idempotency_key = head.fields.get("idempotency-key");
  if (out.idempotency_key.size() > 256)
    return fail({.fault = Fault::bad_request,
                 .message = "An Idempotency-Key has at most 256 bytes.",
                 .param = "idempotency-key"});
  return out;
}

}  // namespace

Task<Result<bool>> serve_admin(Exchange& ex, const Entry& entry) {
  CO_TRY(auto ask, read_ask(ex, entry));
  auto patience = ex.patience();
  CO_TRY(const auto body, co_await ex.client.receive_body(patience, most_body));
  ask.body = body;
  StoreCall<AdminAnswer> call(ex);
  ex.worker.shared().admin->ask(std::move(ask), call.callback());
  CO_TRY(const auto answer, co_await wait_for(ex, call));
  ex.record.caller = "admin";  // not before its key was known
  std::string fields = "cache-control: no-store\r\n";
  if (!answer.etag.empty()) http1::append_field(fields, "etag", answer.etag);
  const ReplyHead head{.status = answer.status, .fields = fields};
  co_return co_await send_whole(ex, head, answer.body);
}

}  // namespace sluice
