// The first stages: the door, the caller, the body, the targets, the admission. SPDX-License-Identifier: MIT
#include <algorithm>

#include "base/text.h"
#include "gateway/metering.h"
#include "gateway/output_limit.h"
#include "gateway/stages.h"
#include "gateway/worker.h"
#include "policy/clocks.h"
#include "policy/credential.h"

namespace sluice {
namespace {

bool is_hex(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

// W3C Trace Context: 00-<32 hex>-<16 hex>-<2 hex>. Empty when it is not that.
std::string_view trace_id(std::string_view traceparent) {
  if (traceparent.size() < 55 || traceparent[2] != '-' || traceparent[35] != '-' || traceparent[52] != '-') return {};
  const std::string_view id = traceparent.substr(3, 32);
  return is_hex(id) && id.find_first_not_of('0') != std::string_view::npos ? id : std::string_view();
}

// The Origin to name in CORS fields; empty when there is none or it is not allowed.
std::string allowed_origin(const ServerSettings& settings, std::string_view origin) {
  if (origin.empty() || !settings.cors) return {};
  for (const std::string& allowed : settings.cors->origins) {
    if (allowed == "*") return "*";
    if (allowed == origin) return allowed;
  }
  return {};
}

}  // namespace

Result<Entry> enter(Exchange& ex) {
  const http1::RequestHead& head = ex.client.head();
  if (const auto id = head.fields.get("x-request-id"); !id.empty()) ex.record.client_id = visible_ascii(id, 128);
  if (const auto parent = head.fields.get("traceparent"); !parent.empty()) ex.record.trace_id = trace_id(parent);
  if (const auto asked = head.fields.get("x-sluice-timeouts"); !asked.empty()) {
    TRY(auto timeouts, read_timeouts(asked));
    ex.asked_timeouts = std::make_unique<TimeoutChanges>(timeouts);
  }
  ex.cors_origin = allowed_origin(ex.settings(), head.fields.get("origin"));
  TRY(auto entry, find_door(head));
  ex.record.door = entry.pattern;
  if (entry.place == Place::dialect) ex.record.operation = name(entry.operation);
  if (entry.place == Place::vendor) ex.record.operation = entry.vendor->name;
  if (entry.dialect) {
    ex.dialect = entry.dialect;
    ex.record.dialect = entry.dialect->name();
  }
  return entry;
}

namespace {

// Adds to `tags` what the request's own field says.
Result<void> add_tags(std::string_view field, std::string& tags) {
  const auto wrong = [] {
    return fail({.fault = Fault::bad_request,
                 .message = "x-sluice-tags takes up to 16 tags with commas between, each of up to 64 visible ASCII "
                            "characters, for example \"batch, team-a\".",
                 .param = "x-sluice-tags"});
  };
  int count = 0;
  while (!field.empty()) {
    const std::string_view tag = trim(field.substr(0, field.find(',')));
    field.remove_prefix(std::min(field.find(','), field.size() - 1) + 1);
    if (tag.empty()) continue;
    if (tag.size() > 64 || tag != visible_ascii(tag, 64) || ++count > 16) return wrong();
    const std::string among = ',' + tags + ',';
    if (among.contains(',' + std::string(tag) + ',')) continue;
    tags += (tags.empty() ? "" : ",") + std::string(tag);
  }
  return {};
}

// From here on the exchange is that caller's.
Result<void> belongs_to(Exchange& ex, const Caller& caller) {
  ex.record.caller = caller.name;
  ex.tenant = caller.tenant;
  ex.key = caller.key;
  if (caller.key) {
    ex.record.groups = caller.key->groups;
    ex.record.tags = caller.key->tags;
  }
  const auto tags = ex.client.head().fields.get("x-sluice-tags");
  return tags.empty() ? Result<void>() : add_tags(tags, ex.record.tags);
}

CallPlace place_of(const Exchange& ex, const Entry& entry) {
  return {.peer = ex.record.peer,
          .dialect = entry.dialect ? entry.dialect->name() : std::string_view(),
          .unix_ms = ex.record.unix_ms};
}

}  // namespace

Result<Caller> authenticate(Exchange& ex, const Entry& entry) {
  const http1::RequestHead& head = ex.client.head();
  if (is_public(entry.place) || head.method == "OPTIONS") return Caller{.name = "public", .tenant = "public"};
  if (entry.place == Place::admin) {
    return Caller{.name = "admin", .tenant = "admin"};  // admin.cc knows its own keys
  }
  if (ex.worker.directory()->closed()) {
    ex.directory = ex.worker.directory();
    TRY(const auto credential, read_credential(head.fields, entry.query));
    TRY(auto caller, find_caller(*ex.directory, credential, head.fields, place_of(ex, entry)));
    if (!caller.claimed) TRY_VOID(belongs_to(ex, caller));
    return caller;
  }
  CallOrigin from = call_origin(ex.record.peer, head.authority, head.fields);
  if (!ex.cors_origin.empty()) from.origin = {};  // the configuration says that this page may call
  TRY(auto caller, identify(ex.snapshot->config().auth, from));
  TRY_VOID(belongs_to(ex, caller));
  return caller;
}

Task<Result<bool>> check_signature(Exchange& ex, const Entry& entry, const Caller& caller) {
  const bool has_body = !ex.client.request_read();
  // Bedrock's own calls are held whole, whatever becomes of them.
  const bool held = entry.place != Place::vendor || entry.vendor->dialect == DialectId::bedrock_converse;
  if (has_body && !held) {
    co_return fail(Fault::unauthorized,
                   "A signature counts the whole body in, and this call's body is passed on as it arrives. Show the "
                   "secret access key as a key instead: \"Authorization: Bearer KEY\".",
                   "signed call whose body is not held");
  }
  auto patience = ex.patience();
  const auto most = static_cast<std::size_t>(ex.settings().max_body);
  CO_TRY(const auto body, co_await ex.client.receive_body(patience, most));
  const http1::RequestHead& head = ex.client.head();
  const aws_sigv4::Received request{
      .method = head.method, .target = origin_form(head.target), .fields = head.fields, .body = body};
  CO_TRY_VOID(prove(caller, request, place_of(ex, entry)));
  CO_TRY_VOID(belongs_to(ex, caller));
  co_return true;
}

namespace {

// Dialects look for names in lower case; clients spell them as they like ("Anthropic-Beta" from Go).
void read_headers(Intake& intake, const http1::Fields& fields) {
  std::size_t size = 0;
  for (const http1::Field& f : fields) size += f.name.size();
  intake.names.reserve(size);  // so that the views stay
  intake.headers.reserve(fields.size());
  for (const http1::Field& f : fields) {
    const char* begin = intake.names.data() + intake.names.size();
    for (const char c : f.name) intake.names.push_back(lower(c));
    intake.headers.emplace_back(std::string_view(begin, f.name.size()), f.value);
  }
}

// What the head and the top level of the body say. The head's index goes back to the connection.
[[gnu::noinline]] Result<Intake> read_intake(Exchange& ex, const Entry& entry, std::string_view body) {
  const http1::RequestHead& head = ex.client.head();
  if (const auto coding = head.fields.get("content-encoding"); !coding.empty() && !iequals(coding, "identity")) {
    return fail({.fault = Fault::bad_request,
                 .message = "A request body must not be compressed.",
                 .param = "content-encoding",
                 .status = 415});
  }
  Intake intake{.entry = entry, .body = body};
  read_headers(intake, head.fields);
  TRY(intake.peek, entry.dialect->peek(intake.asked()));
  if (entry.operation == Operation::count_tokens) intake.peek.stream = false;
  ex.client.release_head();
  ex.record.model = visible_ascii(intake.peek.model, 256);
  ex.record.stream = intake.peek.stream;
  return intake;
}

}  // namespace

Task<Result<Intake>> receive(Exchange& ex, const Entry& entry) {
  auto patience = ex.patience();
  const auto most = static_cast<std::size_t>(ex.settings().max_body);
  CO_TRY(const auto body, co_await ex.client.receive_body(patience, most));
  ex.record.bytes_in = body.size();
  co_return read_intake(ex, entry, body);
}

Result<Lease> admit(Exchange& ex, const Caller& caller) {
  const Limits::Time now{std::chrono::nanoseconds(ex.worker.loop().now_ns())};
  return ex.worker.shared().limits.admit(caller.tenant, ex.snapshot->config().limits, now, ex.limits);
}

Result<void> meter(Exchange& ex, const Intake& intake, Plan& plan) {
  if (!ex.key) return {};
  const bool counts = intake.entry.operation == Operation::count_tokens;
  if (ex.key->max_output_tokens > 0 && !counts) TRY_VOID(keep_output_limit(*ex.key, output_asked(intake.peek.members)));
  return Metering::admit(
      ex, {.body = intake.body, .members = intake.peek.members, .counts = counts, .stream = intake.peek.stream},
      plan.targets);
}

}  // namespace sluice
