// SPDX-License-Identifier: MIT
#include "gateway/respond.h"

#include <array>
#include <charconv>
#include <chrono>

#include "base/print.h"
#include "base/text.h"
#include "gateway/coalesce.h"
#include "gateway/worker.h"
#include "model/notes.h"
#include "policy/meter_words.h"

namespace sluice {
namespace {

// RFC 9110, 6.6.1. The text changes once a second.
std::string_view date_now(std::int64_t unix_seconds) {
  thread_local std::int64_t at = -1;
  thread_local std::string text;
  if (at != unix_seconds) {
    at = unix_seconds;
    text = "date: " + http_date(unix_seconds) + "\r\n";
  }
  return text;
}

// A field with a name of ours. A value that no field may have leaves it out.
void field(Print& out, std::string_view name, std::string_view value) {
  if (!http1::is_value(value)) return;
  out.text(name);
  out.text(": ");
  out.text(value);
  out.text("\r\n");
}

void number_field(Print& out, std::string_view name, std::int64_t value) {
  out.text(name);
  out.text(": ");
  out.number(std::max<std::int64_t>(value, 0));
  out.text("\r\n");
}

void limit_fields(Print& out, const Exchange& ex, LimitOf of, const LimitNumbers& numbers) {
  const LimitSpelling& spelling = ex.dialect->limit_spelling();
  const auto name = [&](LimitPart part) { return LimitName{of, part}.in(spelling); };
  number_field(out, name(LimitPart::limit), numbers.limit);
  number_field(out, name(LimitPart::remaining), numbers.remaining);
  field(out, name(LimitPart::reset), spelling.reset(numbers.reset, ex.record.unix_ms));
}

void append_head(std::string& text, Exchange& ex, const ReplyHead& head, std::optional<std::uint64_t> length) {
  if (ex.worker.draining()) ex.keep_alive = false;  // the last moment at which it can be told
  http1::append_status_line(text, head.status);
  Print out(text);
  out.text(date_now(ex.unix_seconds()));
  if (!head.content_type.empty()) field(out, "content-type", head.content_type);
  if (head.status == 204 || (head.status == 304 && !length)) {
    // no body, so no framing fields (RFC 9110, 8.6)
  } else if (length) {
    number_field(out, "content-length", static_cast<std::int64_t>(*length));
  } else {
    if (!head.passed) out.text("cache-control: no-cache\r\nx-accel-buffering: no\r\n");
    if (!ex.old_client) out.text("transfer-encoding: chunked\r\n");
  }
  if (!ex.record.id.empty()) field(out, ex.dialect->request_id_header(), ex.record.id);
  if (!ex.record.model.empty()) field(out, "x-sluice-model", ex.record.model);
  if (const Attempt* one = ex.record.telling()) field(out, "x-sluice-backend", one->backend);
  if (!ex.record.notes.empty()) field(out, "x-sluice-notes", header_value(ex.record.notes));
  if (ex.limits.limit > 0) limit_fields(out, ex, LimitOf::requests, ex.limits);
  if (ex.token_limits.limit > 0) limit_fields(out, ex, LimitOf::tokens, ex.token_limits);
  if (!ex.cors_origin.empty()) {
    field(out, "access-control-allow-origin", ex.cors_origin);
    out.text("access-control-expose-headers: *\r\n");
    if (ex.cors_origin != "*") out.text("vary: origin\r\n");
  }
  out.text(ex.relayed_fields);
  out.text(head.fields);
  if (!ex.keep_alive) {
    out.text("connection: close\r\n");
  } else if (ex.old_client) {
    out.text("connection: keep-alive\r\n");
  }
  out.text("\r\n");
}

}  // namespace

namespace {

// Tells the others what this client is told. False: the client itself is gone.
[[gnu::noinline]] bool share(Exchange& ex, const ReplyHead& head, bool stream, std::string_view bytes, bool last) {
  SharedAnswer& answer = ex.lead->answer();
  if (!ex.head_sent) {
    answer.begin({.stream = stream,
                  .status = head.status,
                  .content_type = std::string(head.content_type),
                  .fields = ex.relayed_fields + std::string(head.fields),
                  .served = ex.record.served,
                  .notes = ex.record.notes});
  }
  if (!bytes.empty()) answer.append(bytes);
  if (last) answer.end();
  if (!ex.lead->alone()) return true;
  if (!ex.head_sent) ex.record.status = 499;
  ex.head_sent = true;
  ex.finished |= last;
  ex.last_sent_ms = ex.worker.loop().now_ms();
  return false;
}

// A send that failed is none where the call goes on for others, and one that must wait for them has kept something.
net::Sent with_others(Exchange& ex, net::Sent sent) {
  if (!ex.lead) return sent;
  if (sent == net::Sent::broken && ex.lead->lose()) sent = net::Sent::all;
  return sent == net::Sent::all && ex.lead->answer().crowded() ? net::Sent::kept : sent;
}

// The client takes what is kept, and those who share the answer theirs.
Task<Result<bool>> taken_by_all(Exchange& ex) {
  if (!ex.lead->alone()) {
    auto patience = ex.patience();
    if (ex.lead->answer().read()) patience.write_ms = std::min(patience.write_ms, most_stalled_ms);
    auto flushed = co_await ex.client.flush(patience);
    if (!flushed && !ex.lead->lose()) co_return flushed;
  }
  co_return co_await wait_for_readers(ex);
}

}  // namespace

Task<Result<bool>> taken(Exchange& ex, net::Sent sent) {
  if (sent == net::Sent::kept && ex.lead) co_return co_await taken_by_all(ex);
  if (sent == net::Sent::kept) {
    auto patience = ex.patience();
    CO_TRY_VOID(co_await ex.client.flush(patience));
  }
  if (sent == net::Sent::broken) co_return fail(Fault::client_gone, "The client left.");
  co_return true;
}

Task<Result<bool>> send_whole(Exchange& ex, ReplyHead head, std::string_view body) {
  if (ex.left()) return taken(ex, net::Sent::all);
  std::string& out = ex.worker.out;
  out.clear();
  if (ex.lead && !share(ex, head, false, body, true)) return taken(ex, net::Sent::all);
  ex.record.status = head.status;
  ex.head_sent = ex.finished = true;
  append_head(out, ex, head, body.size());
  if (ex.bodyless || head.status == 204) body = {};
  ex.record.bytes_out = body.size();
  const std::array pieces = {net::piece(out), net::piece(body)};
  return taken(ex, with_others(ex, ex.client.send(pieces)));
}

net::Sent put_head(Exchange& ex, const ReplyHead& head, std::optional<std::uint64_t> length) {
  if (ex.left()) return net::Sent::all;
  if (ex.lead && !share(ex, head, false, {}, false)) return net::Sent::all;
  std::string& out = ex.worker.out;
  out.clear();
  ex.head_sent = true;
  ex.record.status = head.status;
  ex.counted = length || head.status == 204 || head.status == 304;
  if (ex.old_client && !ex.counted) ex.keep_alive = false;
  append_head(out, ex, head, length);
  ex.last_sent_ms = ex.worker.loop().now_ms();
  const iovec piece = net::piece(out);
  return ex.client.send({&piece, 1});
}

net::Sent put_stream(Exchange& ex, std::string_view content_type, std::string_view bytes, bool last) {
  if (ex.left()) return net::Sent::all;
  if (ex.lead && !share(ex, {.content_type = content_type}, true, bytes, last)) return with_others(ex, net::Sent::all);
  std::string head;
  if (!ex.head_sent) {
    ex.head_sent = true;
    ex.record.status = 200;
    if (ex.old_client) ex.keep_alive = false;
    head.reserve(512);
    append_head(head, ex, {.content_type = content_type}, std::nullopt);
  }
  if (last) ex.finished = true;
  if (ex.bodyless) bytes = {};
  const bool chunks = !ex.old_client && !ex.counted;
  std::array<char, 20> size;
  std::size_t size_length = 0;
  if (!bytes.empty() && chunks) {
    char* end = std::to_chars(size.data(), size.data() + 16, bytes.size(), 16).ptr;
    *end++ = '\r';
    *end++ = '\n';
    size_length = static_cast<std::size_t>(end - size.data());
  }
  std::string_view tail = size_length != 0 ? "\r\n" : "";
  if (last && chunks && !ex.bodyless) tail = size_length != 0 ? std::string_view("\r\n0\r\n\r\n") : http1::last_chunk;
  const std::array pieces = {net::piece(head), net::piece({size.data(), size_length}), net::piece(bytes),
                             net::piece(tail)};
  ex.record.bytes_out += bytes.size();
  ex.last_sent_ms = ex.worker.loop().now_ms();
  return with_others(ex, ex.client.send(pieces));
}

Task<Result<bool>> send_stream(Exchange& ex, std::string_view content_type, std::string_view bytes, bool last) {
  return taken(ex, put_stream(ex, content_type, bytes, last));
}

namespace {

// The fault's own, but where a dialect's clients know another one.
int status_of(const Dialect& dialect, const Error& error) {
  // AWS has no 401: it tells by name.
  if (dialect.id() == DialectId::bedrock_converse && error.fault == Fault::unauthorized) return 403;
  if (error.fault != Fault::rate_limited || error.code != budget_spent) return error.http_status();
  // Money that is gone does not come back by asking again: a status after which SDKs do not.
  switch (dialect.id()) {
    case DialectId::anthropic:
    case DialectId::cohere: return 402;
    case DialectId::bedrock_converse: return 400;
    case DialectId::openai_chat:
    case DialectId::openai_responses:
    case DialectId::openai_completions:
    case DialectId::gemini: return error.http_status();
  }
  return error.http_status();
}

}  // namespace

Task<Result<bool>> send_error(Exchange& ex, const Error& error) {
  std::string fields;
  if (error.retry_after) {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(*error.retry_after).count();
    Print out(fields);
    number_field(out, "retry-after", std::max<std::int64_t>(seconds, 1));
    number_field(out, "retry-after-ms", error.retry_after->count());
  }
  if (error.fault == Fault::rate_limited && !error.retry_after) fields += "x-should-retry: false\r\n";
  if (error.fault == Fault::unauthorized) fields += "www-authenticate: Bearer\r\n";
  if (error.fault == Fault::method_not_allowed) http1::append_field(fields, "allow", error.param);
  const bool own_words = !error.verbatim || error.verbatim->dialect != ex.dialect->name();
  ReplyHead head{.status = status_of(*ex.dialect, error)};
  std::string body;
  if (own_words) {
    Error own = error;
    if (error.fault == Fault::method_not_allowed) own.param.clear();  // it holds the methods, for the field above
    body = ex.dialect->write_error(own, ex.record.id);
    if (const auto kind = ex.dialect->error_kind(own); !kind.empty()) {
      http1::append_field(fields, "x-amzn-errortype", kind);
    }
  } else {
    head.status = error.verbatim->status;
    head.content_type = error.verbatim->content_type;
    body = error.verbatim->body;
  }
  head.fields = fields;
  return send_whole(ex, head, body);
}

}  // namespace sluice
