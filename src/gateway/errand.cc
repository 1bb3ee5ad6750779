// SPDX-License-Identifier: MIT
#include "gateway/errand.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "gateway/passage.h"
#include "gateway/raw_call.h"
#include "gateway/worker.h"

namespace sluice {
namespace {

constexpr std::size_t most_held = 1024 * 1024;  // of a form until it has named its model, of blanks before a raw body

std::unexpected<Failure> wrong(std::string_view message, std::string_view param = {}) {
  return fail({.fault = Fault::bad_request, .message = std::string(message), .param = std::string(param)});
}

std::unexpected<Failure> too_large(std::int64_t most) {
  return fail(Fault::too_large, "The upload is larger than " + std::to_string(most) + " bytes (server.max_upload).");
}

// The members of a JSON body, and the model among them.
Result<void> read_members(Errand& errand, std::string_view body) {
  const VendorOperation& operation = errand.operation();
  const bool raw = !operation.provider.empty();
  const bool must = operation.model != ModelPlace::none || (raw && looks(body) == Looks::object);
  auto members = json::scan_object(body);
  if (!members) {
    if (must) return std::unexpected(std::move(members).error());
    return {};  // the vendor's to judge
  }
  errand.members = *std::move(members);
  if (operation.model == ModelPlace::path) return {};
  bool seen = false;
  for (const json::TopMember& member : errand.members) {
    if (!iequals(member.key, "model")) continue;  // some readers do not mind the case
    if (std::exchange(seen, true)) return wrong("\"model\" stands twice.", "model");
    if (member.kind == json::Kind::null) continue;
    if (member.kind != json::Kind::string) return wrong("\"model\" must be a text.", "model");
    errand.model = json::unescape(member.raw.substr(1, member.raw.size() - 2));
    if (raw) errand.models.push_back(errand.model);
  }
  if (raw) models_inside(errand.models, errand.members);
  return {};
}

// What is wrong with the form as far as it was seen.
Result<void> check(const MultipartScan& form) {
  if (form.broken()) return wrong("The multipart body is malformed.");
  if (form.twice()) return wrong("The field \"model\" stands twice.", "model");
  return {};
}

// Holds the next piece of the body. False: it is over.
Task<Result<bool>> hold_piece(Exchange& ex, Errand& errand) {
  net::Sleeper& sleeper = ex.sleeper();
  for (;;) {
    std::string_view piece;
    CO_TRY(const auto got, ex.client.take_body(piece));
    if (got == net::ServerConnection::Body::over) co_return false;
    if (got == net::ServerConnection::Body::piece) {
      errand.held += piece;
      co_return true;
    }
    sleeper.deadline(ex.worker.loop().now_ms() + ex.settings().body_timeout.count());
    const net::Woke woke = co_await sleeper.readable(ex.client.socket().watch());
    if (woke == net::Woke::timeout)
      co_return fail(Fault::request_timeout, "The request's body took too long to arrive.");
    if (woke == net::Woke::cancelled) co_return fail(Fault::client_gone, "The client left.");
  }
}

// Holds as much of a form as tells its model.
Task<Result<bool>> hold_form(Exchange& ex, Errand& errand) {
  MultipartScan& form = *errand.form;
  while (!form.found() && !form.over() && errand.held.size() < most_held) {
    const std::size_t before = errand.held.size();
    CO_TRY(const bool more, co_await hold_piece(ex, errand));
    if (!more) break;
    form.feed(std::string_view(errand.held).substr(before));
    CO_TRY_VOID(check(form));
  }
  if (form.found()) {
    errand.model = form.value();
    if (!errand.operation().provider.empty()) errand.models.push_back(form.value());
  }
  co_return true;
}

// Holds a raw call's body as far as it must be known: all of what may be JSON or a query, the beginning of anything
// else. Its label is not believed: not every vendor minds it.
Task<Result<bool>> hold_raw(Exchange& ex, Errand& errand, bool query) {
  const auto most = static_cast<std::size_t>(ex.settings().max_body);
  bool more = true;
  while (more && !query && looks(errand.held) == Looks::unsure) {
    if (errand.held.size() > most_held) co_return wrong("The body begins with too many blanks.");
    CO_TRY(more, co_await hold_piece(ex, errand));
  }
  if (!query && looks(errand.held) != Looks::object) co_return true;
  while (more) {
    if (errand.held.size() > most) {
      co_return fail(Fault::too_large,
                     "The request's body is larger than " + std::to_string(most) + " bytes (server.max_body).");
    }
    CO_TRY(more, co_await hold_piece(ex, errand));
  }
  if (query) {
    models_in_target(errand.models, errand.operation().dialect, {}, errand.held);
  } else {
    CO_TRY_VOID(read_members(errand, errand.held));
    errand.members.clear();  // they point to what still moves, and a raw call is not edited
  }
  co_return true;
}

// What the head says, taken over before the body moves it.
Errand begin_errand(Exchange& ex, const Entry& entry) {
  const http1::RequestHead& head = ex.client.head();
  Errand errand{.entry = entry, .method = std::string(head.method), .model = entry.path_model};
  for (const std::string& name : ex.snapshot->routed_headers()) errand.routed.emplace_back(name, head.fields.get(name));
  append_asked_fields(errand.fields, head.fields, entry.vendor->dialect);
  if (entry.vendor->dialect == DialectId::anthropic && !head.fields.has("anthropic-version"))
    errand.fields += "anthropic-version: 2023-06-01\r\n";
  if (!head.fields.has("user-agent")) errand.fields += "user-agent: sluice\r\n";
  errand.own_address = (ex.client.socket().tls() ? "https://" : "http://") + std::string(head.authority);
  // AWS's bodies are JSON, and are signed whole.
  if (entry.vendor->dialect != DialectId::bedrock_converse)
    errand.boundary = multipart_boundary(head.fields.get("content-type"));
  if (head.body.kind == http1::BodyKind::length) errand.length = head.body.length;
  if (!entry.vendor->provider.empty()) models_in_target(errand.models, entry.vendor->dialect, entry.path, entry.query);
  if (!errand.models.empty()) errand.model = errand.models.front();
  return errand;
}

}  // namespace

Task<Result<Errand>> take_errand(Exchange& ex, const Entry& entry) {
  const http1::RequestHead& head = ex.client.head();
  Errand errand = begin_errand(ex, entry);
  const VendorOperation& operation = *entry.vendor;
  auto patience = ex.patience();
  if (head.body.kind == http1::BodyKind::none) {
    errand.length = std::nullopt;
    co_return errand;
  }
  const bool raw = !operation.provider.empty();
  const std::string type = lower(head.fields.get("content-type"));
  const bool json = type.contains("json");
  const auto coding = head.fields.get("content-encoding");
  const bool plain = coding.empty() || iequals(coding, "identity");
  // Whatever names a model and is no form is JSON. Of stored objects' bodies only small ones are looked at, for ids.
  const bool names_model = operation.model != ModelPlace::none || (raw && json);
  if ((names_model || raw) && !plain) {
    co_return fail({.fault = Fault::bad_request,
                    .message = "A request body must not be compressed.",
                    .param = "content-encoding",
                    .status = 415});
  }
  if (raw && type.starts_with("multipart/mixed"))
    co_return wrong("A raw call is one request: several in one body are not passed.");
  if (!errand.boundary && (names_model || (json && plain && errand.length && *errand.length <= most_held))) {
    const auto most = static_cast<std::size_t>(ex.settings().max_body);
    CO_TRY(errand.body, co_await ex.client.receive_body(patience, most));
    ex.record.bytes_in = errand.body.size();
    CO_TRY_VOID(read_members(errand, errand.body));
    for (const json::TopMember& member : errand.members)
      ex.record.stream = ex.record.stream || (member.key == "stream" && member.raw == "true");
    co_return errand;
  }
  const std::int64_t most = ex.settings().max_upload;
  if (errand.length && *errand.length > static_cast<std::uint64_t>(most)) co_return too_large(most);
  CO_TRY_VOID(co_await ex.client.begin_body(patience));
  if (errand.boundary) {
    errand.form.emplace(*errand.boundary, "model");
    CO_TRY_VOID(co_await hold_form(ex, errand));
  } else if (raw) {
    CO_TRY_VOID(co_await hold_raw(ex, errand, type.starts_with("application/x-www-form-urlencoded")));
  }
  ex.record.bytes_in = errand.held.size();
  errand.whole = ex.client.request_read();
  if (errand.whole) errand.length = errand.held.size();
  co_return errand;
}

Result<void> Rest::check_form() {
  const MultipartScan& form = *errand_.form;
  TRY_VOID(check(form));
  if (!form.found()) return {};
  const bool raw = !errand_.operation().provider.empty();
  if (!raw && !errand_.model.empty()) {
    if (model_added_) return wrong("The model stands in the path and in the form.", "model");
    return {};
  }
  if (raw ? !backend_->serves_upstream(form.value()) : backend_->upstream_name(form.value()) != form.value())
    return wrong("The field \"model\" stands behind 1 MiB of the form: put it before the file.", "model");
  if (errand_.model.empty()) {
    errand_.model = form.value();
    ex_.record.model = visible_ascii(form.value(), 256);
  }
  return {};
}

Result<Supply::Got> Rest::next(std::string_view& bytes) {
  if (errand_.whole || ended_) return Got::end;
  std::string_view piece;
  TRY(const auto got, ex_.client.take_body(piece));
  if (got == net::ServerConnection::Body::wait) return Got::wait;
  begun_ = true;
  if (got == net::ServerConnection::Body::over) {
    ended_ = true;
    if (errand_.length) return Got::end;
    bytes = http1::last_chunk;
    return Got::piece;
  }
  ex_.record.bytes_in += piece.size();
  if (const auto most = ex_.settings().max_upload; ex_.record.bytes_in > static_cast<std::uint64_t>(most))
    return too_large(most);
  if (errand_.form) {
    errand_.form->feed(piece);
    TRY_VOID(check_form());
  }
  if (errand_.length) {
    bytes = piece;
    return Got::piece;
  }
  chunk_.clear();
  http1::append_chunk_size(chunk_, piece.size());
  chunk_ += piece;
  chunk_ += "\r\n";
  bytes = chunk_;
  return Got::piece;
}

}  // namespace sluice
